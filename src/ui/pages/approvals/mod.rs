//! Approvals: what waits for people, what one needs to know to decide, and the decision.
//!
//! Owns the way from "something waits" to an answer: the list, the question with its form, handing over, and what was
//! decided before. Promises that what is typed stays while others answer, that a decision takes a button and never a stray
//! key, and that who may not answer sees why in place of the buttons. Refuses to judge: who may answer, and what fits, is
//! what the server says.

mod answer;
mod case;
mod due;
mod hand_over;
mod keys;
mod list;
mod place;
pub mod words;

use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_params_map, use_query_map};

pub use self::case::{Case, Setting};
pub use self::due::Due;
use self::list::{LIST, ListPane, row_id};
use self::place::Place;
use crate::api::approvals::{get_approval, list_approvals};
use crate::model::workflow::{Approval, ApprovalFilter};
use crate::model::{ApiError, ApprovalId, Page, PageRequest};
use crate::ui::browser;
use crate::ui::components::{EmptyState, Icon, Kbd, Load, PageHeader, SkeletonShape};
use crate::ui::state::approvals::{Inbox, MineCount};

/// Approvals that a list shows at first, and that "Load more" adds.
const STEP: u32 = 50;
/// Until what is shown has followed the URL, in ms.
const SETTLE_MS: i32 = 30;

/// What the two panes share.
#[derive(Debug, Clone, Copy)]
struct Desk {
    place: Memo<Place>,
    /// Goes to another place in place of this one.
    go: Callback<Place>,
    list: Resource<Result<Page<Approval>, ApiError>>,
    detail: Resource<Result<Option<Approval>, ApiError>>,
    /// How many rows of the list are wanted.
    shown: RwSignal<u32>,
    /// Goes up when the detail must be chosen anew although the place stays.
    again: RwSignal<u32>,
    focus: browser::GuardSlot,
}

impl Desk {
    fn new() -> Self {
        let (params, query) = (use_params_map(), use_query_map());
        let place = Memo::new(move |_| params.with(|path| query.with(|query| Place::read(path, query))));
        let wanted = Memo::new(move |_| place.with(|place| place.list));
        let (shown, again) = (RwSignal::new(STEP), RwSignal::new(0));
        let inbox = expect_context::<Inbox>();
        let navigate = use_navigate();
        Self {
            place,
            go: Callback::new(move |to: Place| {
                navigate(&to.href(), NavigateOptions { replace: true, scroll: false, ..NavigateOptions::default() });
            }),
            list: Resource::new(
                move || (wanted.get(), shown.get(), inbox.changes.get()),
                |(list, shown, _)| load_list(list, shown),
            ),
            detail: Resource::new(move || (place.get(), again.get()), |(place, _)| load_detail(place)),
            shown,
            again,
            focus: browser::GuardSlot::new(),
        }
    }

    /// The approval that is open: the one of the URL, or the one that was chosen for it.
    fn opened(self) -> Option<ApprovalId> {
        match self.place.with(|place| place.id.as_ref().map(|id| id.parse().ok())) {
            Some(id) => id,
            None => self.detail.get().and_then(Result::ok).flatten().map(|approval| approval.id),
        }
    }

    /// The ids of the list, in the order in which they are shown.
    fn order(self) -> Vec<ApprovalId> {
        let items = self.list.get_untracked().and_then(Result::ok).map(|page| page.items).unwrap_or_default();
        let (mine, others): (Vec<_>, Vec<_>) = items.into_iter().partition(|approval| approval.refusal.is_none());
        mine.into_iter().chain(others).map(|approval| approval.id).collect()
    }

    /// Opens the one that is `by` further down the list; stops at the ends.
    fn step(self, by: isize) {
        let order = self.order();
        let opened = untrack(|| self.opened());
        let at = opened.and_then(|opened| order.iter().position(|id| *id == opened));
        let last = order.len().saturating_sub(1);
        let next = at.map_or(0, |at| at.saturating_add_signed(by).min(last));
        if let Some(id) = order.get(next) {
            self.go.run(self.place.get_untracked().at(Some(*id)));
            self.focus_soon(row_id(*id));
        }
    }

    /// After an answer: on to the next that this person may answer; on a phone, back to the list.
    fn answered(self, id: ApprovalId) {
        let items = self.list.get_untracked().and_then(Result::ok).map(|page| page.items).unwrap_or_default();
        let at = items.iter().position(|approval| approval.id == id).unwrap_or(0);
        let (before, after) = items.split_at(at);
        let is_next = |approval: &&Approval| approval.refusal.is_none() && approval.id != id;
        let next = after.iter().find(is_next).or_else(|| before.iter().rfind(is_next)).map(|approval| approval.id);
        let opens = next.filter(|_| !browser::matches_media("(width <= 700px)"));
        self.go.run(self.place.get_untracked().at(opens));
        self.again.update(|again| *again += 1);
        self.focus_soon(next.map_or_else(|| LIST.to_owned(), row_id));
    }

    fn focus_soon(self, id: String) {
        self.focus.keep(Some(browser::after_ms(SETTLE_MS, move || browser::focus_id(&id))));
    }
}

async fn load_list(list: ApprovalFilter, shown: u32) -> Result<Page<Approval>, ApiError> {
    let mut all = Page { items: Vec::new(), next: None };
    loop {
        let limit = (shown - all.items.len() as u32).min(PageRequest::MAX);
        let page = list_approvals(list, PageRequest { limit, cursor: all.next }).await?;
        all.items.extend(page.items);
        all.next = page.next;
        if all.next.is_none() || all.items.len() as u32 >= shown {
            return Ok(all);
        }
    }
}

/// The approval of the URL, or the first of the list: one that this person may answer, if there is one.
async fn load_detail(place: Place) -> Result<Option<Approval>, ApiError> {
    if let Some(id) = place.id {
        let id = id.parse().map_err(|_| ApiError::not_found("approval"))?;
        return get_approval(id).await.map(Some);
    }
    let items = list_approvals(place.list, PageRequest { limit: STEP, cursor: None }).await?.items;
    let first = items.iter().position(|approval| approval.refusal.is_none()).unwrap_or(0);
    Ok(items.into_iter().nth(first))
}

/// The page: `/approvals/ID?show=decided`.
#[component]
pub fn ApprovalsPage() -> impl IntoView {
    let desk = Desk::new();
    keys::listen(desk);
    let phone = move || desk.place.with(|place| if place.id.is_some() { "detail" } else { "list" });
    let actions = || {
        view! {
            <span class="desk-only">
                <span class="small dimmer row">
                    <Kbd keys="J K" />" move "<Kbd keys="A" />" to agree "<Kbd keys="R" />" to reject"
                </span>
            </span>
        }
    };
    view! {
        <PageHeader title="Approvals" actions=ViewFnOnce::from(actions)>
            <MineCount />
            <ListTabs place=desk.place />
        </PageHeader>
        <div class="page-body" data-flush="">
            <div class="panes inbox" data-phone=phone>
                <ListPane desk />
                <DetailPane desk />
            </div>
        </div>
    }
}

/// Open or decided.
#[component]
fn ListTabs(place: Memo<Place>) -> impl IntoView {
    let tab = move |list: ApprovalFilter, label: &'static str| {
        let current = move || place.with(|place| place.list == list).then_some("true");
        view! { <a href=Place::of(list).href() aria-current=current>{label}</a> }
    };
    view! {
        <nav class="segmented inbox-tabs" aria-label="Which approvals">
            {tab(ApprovalFilter::Open, "Open")} {tab(ApprovalFilter::Decided, "Decided")}
        </nav>
    }
}

/// The question that is open.
#[component]
fn DetailPane(desk: Desk) -> impl IntoView {
    let back = move || Place::of(desk.place.with(|place| place.list)).href();
    let done = Callback::new(move |approval: Approval| desk.answered(approval.id));
    let is_current = Callback::new(move |approval: Option<Approval>| {
        let shown = approval.map(|approval| approval.id);
        let named = move || desk.place.with(|place| place.id.as_ref().map(|id| id.parse().ok()));
        Signal::derive(move || named().is_none_or(|named: Option<ApprovalId>| named == shown))
    });
    view! {
        <section class="pane" data-depth="surface" aria-label="Approval" tabindex="0">
            <a class="row-link phone-only" href=back><Icon name="arrow-left" />"All approvals"</a>
            <Load resource=desk.detail what="the approval" shape=SkeletonShape::Lines(8) is_current let:approval>
                {match approval {
                    Some(approval) => view! { <Case approval setting=Setting::Inbox on_answered=done /> }.into_any(),
                    None => view! {
                        <EmptyState title="No approval chosen">"Choose one from the list to read it here."</EmptyState>
                    }
                        .into_any(),
                }}
            </Load>
        </section>
    }
}
