//! The left pane: what is open, for this person first, or what was decided.

use leptos::prelude::*;

use super::{Desk, Due, STEP, words};
use crate::model::workflow::{Approval, ApprovalFilter};
use crate::model::{ApiError, ApprovalId};
use crate::ui::components::{
    Button, ButtonLink, ButtonSize, EmptyState, ErrorState, Icon, RelativeTime, Skeleton, SkeletonShape, settled,
};

/// The id of the pane.
pub(super) const LIST: &str = "approvals";

/// The id of the link of a row.
pub(super) fn row_id(id: ApprovalId) -> String {
    format!("approval-{id}")
}

/// What there is to show.
#[derive(Debug, Clone, PartialEq)]
enum Stage {
    Loading,
    Failed(ApiError),
    Empty(ApprovalFilter),
    Rows(ApprovalFilter),
}

/// The pane. ↑ and ↓ move through it.
#[component]
pub(super) fn ListPane(desk: Desk) -> impl IntoView {
    let on_key = move |event: leptos::ev::KeyboardEvent| {
        match event.key().as_str() {
            "ArrowDown" => desk.step(1),
            "ArrowUp" => desk.step(-1),
            _ => return,
        }
        event.prevent_default();
    };
    view! {
        <section class="pane inbox-list" id=LIST aria-label="Approvals" tabindex="0" on:keydown=on_key>
            <Transition fallback=|| view! { <Skeleton what="the approvals" shape=SkeletonShape::Rows(6) /> }>
                {untrack(|| Suspend::new(async move {
                    // What is drawn keeps its answers in memos, which must not begin with there being none yet.
                    let _ = futures::join!(settled(desk.list), settled(desk.detail));
                    view! { <ListBody desk /> }
                }))}
            </Transition>
        </section>
    }
}

/// Stays as it is while the list is read anew; only rows that differ are drawn again.
#[component]
fn ListBody(desk: Desk) -> impl IntoView {
    let stage = Memo::new(move |_| match desk.list.get() {
        None => Stage::Loading,
        Some(Err(error)) => Stage::Failed(error),
        Some(Ok(page)) => {
            let list = desk.place.with(|place| place.list);
            if page.items.is_empty() { Stage::Empty(list) } else { Stage::Rows(list) }
        }
    });
    let again = Callback::new(move |()| desk.list.refetch());
    move || {
        match stage.get() {
        Stage::Loading => ().into_any(),
        Stage::Failed(error) => view! { <ErrorState error what="the approvals" on_retry=again /> }.into_any(),
        Stage::Empty(ApprovalFilter::Open) => view! { <NothingOpen /> }.into_any(),
        Stage::Empty(ApprovalFilter::Decided) => {
            view! { <EmptyState title="Nothing is decided yet">"What people decide is kept here: who answered, what, and why."</EmptyState> }.into_any()
        }
        Stage::Rows(list) => view! { <Rows desk list /> }.into_any(),
    }
    }
}

#[component]
fn NothingOpen() -> impl IntoView {
    let actions = || view! { <ButtonLink href="/workflows" label="Open the workflows" size=ButtonSize::Small /> };
    view! {
        <EmptyState title="Nothing waits for you" actions=ViewFnOnce::from(actions)>
            "When a run asks people to decide, the question shows here with what one needs to know. A workflow asks with a
            step of the kind Approval."
        </EmptyState>
    }
}

#[component]
fn Rows(desk: Desk, list: ApprovalFilter) -> impl IntoView {
    let opened = Memo::new(move |_| desk.opened());
    let all = Memo::new(move |_| desk.list.get().and_then(Result::ok).map(|page| page.items).unwrap_or_default());
    let those = move |mine: bool| {
        Signal::derive(move || all.get().into_iter().filter(|a| a.refusal.is_none() == mine).collect::<Vec<_>>())
    };
    let more = move || matches!(desk.list.get(), Some(Ok(page)) if page.next.is_some());
    let shelves = if list == ApprovalFilter::Decided {
        view! { <Shelf title="Newest first" rows=Signal::from(all) desk opened /> }.into_any()
    } else {
        let (mine, others) = (those(true), those(false));
        view! {
            <Shelf title="For you" rows=mine desk opened />
            <Show when=move || mine.read().is_empty()><p class="inbox-none">"Nothing waits for you."</p></Show>
            <Shelf title="For others" rows=others desk opened />
        }
        .into_any()
    };
    view! {
        {shelves}
        <Show when=more>
            <div class="pager">
                <Button
                    label="Load more"
                    size=ButtonSize::Small
                    on_press=move |()| desk.shown.update(|shown| *shown += STEP)
                />
            </div>
        </Show>
    }
}

/// Some of the list under a title; absent when there are none.
#[component]
fn Shelf(
    title: &'static str,
    rows: Signal<Vec<Approval>>,
    desk: Desk,
    opened: Memo<Option<ApprovalId>>,
) -> impl IntoView {
    // A row is drawn again when it says something else.
    let key = |a: &Approval| (a.id, a.votes.len(), a.outcome.clone(), a.refusal.clone());
    view! {
        <Show when=move || !rows.read().is_empty()>
            <h2 class="inbox-title">{title}</h2>
            <ul>
                <For each=move || rows.get() key let:approval>
                    <Row approval desk opened />
                </For>
            </ul>
        </Show>
    }
}

#[component]
fn Row(approval: Approval, desk: Desk, opened: Memo<Option<ApprovalId>>) -> impl IntoView {
    let id = approval.id;
    let href = move || desk.place.with(|place| place.at(Some(id)).href());
    let (status, icon) = words::status(&approval.question, approval.outcome.as_deref());
    let word = approval.outcome.as_deref().map_or_else(|| "Open".to_owned(), words::word);
    let facts = match words::ended(&approval) {
        Some(ended) => ended,
        None => [Some(approval.workflow_name.clone()), words::progress(&approval)]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(", "),
    };
    let meta = if approval.outcome.is_some() { approval.workflow_name } else { asked_by(approval.started_by) };
    let when = match approval.decided_at {
        Some(at) => view! { <span class="due"><RelativeTime at /></span> }.into_any(),
        None => view! { <Due deadline=approval.deadline_at /> }.into_any(),
    };
    view! {
        <li class="inbox-item" aria-current=move || (opened.get() == Some(id)).then_some("true")>
            <span class="status" data-variant="mark" data-status=status>
                <Icon name=icon />
                <span class="visually-hidden">{word}</span>
            </span>
            <h3><a id=row_id(id) href=href data-noscroll="">{approval.question.title}</a></h3>
            {when}
            <p>{facts}</p>
            <span class="meta">{meta} {approval.outcome.is_none().then(|| view! { ", asked " <RelativeTime at=approval.created_at /> })}</span>
        </li>
    }
}

/// Who brought it about.
fn asked_by(started_by: Option<String>) -> String {
    started_by.map_or_else(|| "started by itself".to_owned(), |name| format!("started by {name}"))
}
