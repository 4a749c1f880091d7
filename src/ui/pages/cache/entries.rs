//! The kept answers: searched, looked at, called wrong, thrown away.

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;

use super::detail::{DetailDialog, Shown};
use super::place::{Age, Place};
use crate::api::cache::{delete_kept, list_kept, set_wrong};
use crate::model::auth::{Action as May, Me};
use crate::model::cache::{KeptAnswer, Sharing};
use crate::model::{CacheEntryId, Page, PageRequest};
use crate::ui::components::{
    Badge, Button, ButtonSize, ButtonVariant, Choice, Column, DataTable, EmptyState, FilterSelect, Load, RelativeTime,
    SearchBox, Tone, use_toasts,
};
use crate::ui::format;

/// What the rows do together.
#[derive(Clone, Copy)]
struct Table {
    shown: Shown,
    changed: RwSignal<u32>,
    may_change: bool,
}

#[component]
pub(super) fn Entries(place: Memo<Place>, changed: RwSignal<u32>) -> impl IntoView {
    let may_change = expect_context::<Me>().may(May::UseModel);
    let table = Table { shown: Shown::new(), changed, may_change };
    let listed = Memo::new(move |_| Place { period: Default::default(), ..place.get() });
    let kept = Resource::new(
        move || (listed.get(), changed.get()),
        |(place, _)| async move { list_kept(place.filter(), place.age.hours(), PageRequest::default()).await },
    );
    view! {
        <section class="stack" aria-labelledby="kept-title">
            <h2 id="kept-title">"Kept answers"</h2>
            <Filters place />
            <Load resource=kept what="the kept answers" let:page><List page place table /></Load>
        </section>
        <DetailDialog shown=table.shown />
    }
}

/// The filters; each change is a URL.
#[component]
fn Filters(place: Memo<Place>) -> impl IntoView {
    let navigate = use_navigate();
    let go = Callback::new(move |place: Place| {
        navigate(&place.href(), NavigateOptions { replace: true, scroll: false, ..NavigateOptions::default() });
    });
    let ages = Age::ALL.map(|age| Choice::new(age.as_str(), age.label())).to_vec();
    let states = vec![Choice::new("", "Right or wrong"), Choice::new("yes", "Called wrong")];
    view! {
        <div class="toolbar" role="search" aria-label="Kept answers">
            <SearchBox
                label="Search models" words=Signal::derive(move || place.get().model)
                on_search=move |model: String| go.run(Place { model, ..place.get_untracked() })
            />
            <div class="filters">
                <FilterSelect
                    label="Kept" value=Signal::derive(move || place.get().age.as_str().to_owned()) choices=Signal::stored(ages)
                    on_choose=move |word: String| go.run(Place { age: Age::parse(&word), ..place.get_untracked() })
                />
                <FilterSelect
                    label="State" value=Signal::derive(move || if place.get().wrong { "yes" } else { "" }.to_owned())
                    choices=Signal::stored(states)
                    on_choose=move |word: String| go.run(Place { wrong: word == "yes", ..place.get_untracked() })
                />
            </div>
            <Show when=move || place.with(Place::is_filtered)>
                <a class="link" href=move || Place { period: place.get().period, ..Place::default() }.href() data-noscroll="">"Show all"</a>
            </Show>
        </div>
    }
}

#[component]
fn List(page: Page<KeptAnswer>, place: Memo<Place>, table: Table) -> impl IntoView {
    if page.items.is_empty() {
        return view! { <Nothing is_filtered=place.with_untracked(Place::is_filtered) /> }.into_any();
    }
    let rows = RwSignal::new(page.items);
    let next = RwSignal::new(page.next);
    let columns = vec![
        Column::text("Kept"),
        Column::text("Model"),
        Column::text("For"),
        Column::number("Tokens"),
        Column::number("Hits"),
        Column::number("Saved"),
        Column::text("Until"),
        Column::text(""),
    ];
    view! {
        <DataTable label="Kept answers" columns>
            <For each=move || rows.get() key=|one| (one.id, one.wrong_at, one.hits) let:one><Row one table /></For>
        </DataTable>
        <More place rows next />
    }
    .into_any()
}

#[component]
fn Nothing(is_filtered: bool) -> impl IntoView {
    if is_filtered {
        view! { <EmptyState title="No such answers">"None that is kept fits the filters."</EmptyState> }.into_any()
    } else {
        view! {
            <EmptyState title="No kept answers">
                "Answers at temperature 0 and without tools are kept, and given again for nothing to who asks the same. Routes, keys, steps and calls can ask for more, or for less."
            </EmptyState>
        }
        .into_any()
    }
}

#[component]
fn Row(one: KeptAnswer, table: Table) -> impl IntoView {
    let id = one.id;
    let model = format!("{}/{}", one.provider, one.model);
    let route = Some(one.route.clone()).filter(|route| !route.is_empty());
    let is_wrong = one.wrong_at.is_some();
    let by = one.wrong_by.clone().map(|name| format!("by {name}"));
    view! {
        <tr>
            <td class="nowrap"><RelativeTime at=one.created_at /></td>
            <td data-wrap="">
                <span class="mono wrapped">{model}</span>
                {route.map(|route| view! { <div class="small dim">"by the route "<span class="mono">{route}</span></div> })}
                {is_wrong.then(|| view! { <div class="row wrap"><Badge label="Called wrong" tone=Tone::Warn /><span class="small dim">{by}</span></div> })}
            </td>
            <td data-wrap="">{for_whom(&one)}</td>
            <td class="num">{format!("{} → {}", format::count(one.read_tokens), format::count(one.written_tokens))}</td>
            <td class="num">{format::count(one.hits)}</td>
            <td class="num">{format::dollars(one.saved_micros)}</td>
            <td class="nowrap">{if is_wrong { "taken back".into_any() } else { view! { <RelativeTime at=one.expires_at /> }.into_any() }}</td>
            <td class="row-actions"><Acts id is_wrong table /></td>
        </tr>
    }
}

/// Among whom it is shared.
fn for_whom(one: &KeptAnswer) -> String {
    match (one.sharing, &one.owner) {
        (Sharing::Workspace, _) => "the workspace".to_owned(),
        (Sharing::User | Sharing::Key, Some(name)) => name.clone(),
        (Sharing::User, None) => "somebody who is gone".to_owned(),
        (Sharing::Key, None) => "a key that is gone".to_owned(),
    }
}

#[component]
fn Acts(id: CacheEntryId, is_wrong: bool, table: Table) -> impl IntoView {
    let toasts = use_toasts();
    let busy = RwSignal::new(false);
    let mark = move |()| {
        busy.set(true);
        spawn_local(async move {
            match set_wrong(id, !is_wrong).await {
                Ok(_) if is_wrong => toasts.say(Tone::Good, "The answer is given again"),
                Ok(_) => toasts.say(Tone::Good, "The answer is given to nobody any more"),
                Err(error) => toasts.say(Tone::Bad, error.detail()),
            }
            busy.try_set(false);
            table.changed.try_update(|n| *n += 1);
        });
    };
    let throw = move |()| {
        busy.set(true);
        spawn_local(async move {
            match delete_kept(id).await {
                Ok(()) => toasts.say(Tone::Good, "The answer is thrown away"),
                Err(error) => toasts.say(Tone::Bad, error.detail()),
            }
            busy.try_set(false);
            table.changed.try_update(|n| *n += 1);
        });
    };
    let label = if is_wrong { "Not wrong" } else { "Wrong answer" };
    view! {
        <div class="row">
            <Button label="View" size=ButtonSize::Small on_press=move |()| table.shown.show(id) />
            {table.may_change.then(|| view! {
                <Button label size=ButtonSize::Small busy on_press=mark />
                <Button label="Throw away" size=ButtonSize::Small variant=ButtonVariant::Quiet busy on_press=throw />
            })}
        </div>
    }
}

#[component]
fn More(place: Memo<Place>, rows: RwSignal<Vec<KeptAnswer>>, next: RwSignal<Option<String>>) -> impl IntoView {
    let toasts = use_toasts();
    let busy = RwSignal::new(false);
    let load = move |()| {
        busy.set(true);
        let page = PageRequest { cursor: next.get_untracked(), ..PageRequest::default() };
        let place = place.get_untracked();
        spawn_local(async move {
            match list_kept(place.filter(), place.age.hours(), page).await {
                Ok(page) => {
                    next.try_set(page.next);
                    rows.try_update(|rows| rows.extend(page.items));
                }
                Err(error) => toasts.say(Tone::Bad, error.detail()),
            }
            busy.try_set(false);
        });
    };
    view! {
        <Show when=move || next.read().is_some()>
            <nav class="pager" aria-label="Pages">
                <span class="tally">{move || format::plural(rows.read().len() as i64, "answer")}</span>
                <Button label="Load more" size=ButtonSize::Small busy on_press=load />
            </nav>
        </Show>
    }
}
