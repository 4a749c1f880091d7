//! The middle pane: the search field, and what it found or what there is.

use leptos::html;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use leptos::web_sys::Element;

use super::bulk::{BulkBar, Tick, name_of};
use super::loading::Listing;
use super::namespace::NamespaceHead;
use super::operators::{self, Typed};
use super::place::Place;
use super::quarantine::{reasons, source_badge};
use super::table::{EntryTable, Tools};
use super::then::{AsOf, PastNotice, moment};
use super::why::{WhyBars, strongest};
use super::{MOST_HITS, MOST_LISTED, STEP, State, keys, loading};
use crate::model::Timestamp;
use crate::model::memory::{Entry, Hit, Trust};
use crate::ui::browser;
use crate::ui::components::{Badge, Button, ButtonSize, EmptyState, Icon, Load, RelativeTime, SkeletonShape, Tone};
use crate::ui::format;

/// How long after the last key a search begins, in ms.
const PAUSE_MS: i32 = 120;
/// Characters of an entry that a list shows.
const EXCERPT_CHARS: usize = 240;

/// Whether a key goes to a choice of one of several: there arrows choose.
fn is_on_select(event: &leptos::ev::KeyboardEvent) -> bool {
    let element = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    element.is_some_and(|element| element.closest("select").ok().flatten().is_some())
}

/// The pane.
#[component]
pub(super) fn Results(state: State) -> impl IntoView {
    let element = NodeRef::<html::Section>::new();
    let move_by = move |step: i32| {
        if let Some(element) = element.get_untracked() {
            browser::move_focus(&element, ".hit h3 a, .etable, #memory-search", step);
        }
    };
    let on_key = move |event: leptos::ev::KeyboardEvent| {
        if is_on_select(&event) {
            return;
        }
        match event.key().as_str() {
            "ArrowDown" => move_by(1),
            "ArrowUp" => move_by(-1),
            _ => return,
        }
        event.prevent_default();
    };
    let is_table = Memo::new(move |_| state.place.with(loading::is_table));
    view! {
        <section class="pane" data-depth="surface" aria-label="Results" tabindex="0" node_ref=element on:keydown=on_key>
            <h2 class="visually-hidden">"Results"</h2>
            <SearchBar state />
            <PastNotice state />
            <NamespaceHead state />
            <Chosen state />
            <Show when=move || is_table.get()>
                <Tools state />
            </Show>
            <Load resource=state.listing what="the entries" shape=SkeletonShape::Rows(8) let:listing>
                {match listing {
                    Listing::Table(first, asked) => view! { <EntryTable first asked state /> }.into_any(),
                    Listing::Found(found) => view! { <FoundList found state /> }.into_any(),
                    Listing::Entries(page) => {
                        let more = page.next.is_some();
                        view! { <EntryList entries=page.items more unknown=page.unknown state /> }.into_any()
                    }
                }}
            </Load>
        </section>
    }
}

/// What can be done with the chosen entries.
#[component]
fn Chosen(state: State) -> impl IntoView {
    let bulk = state.bulk;
    let all = Callback::new(move |()| match state.listing.get_untracked() {
        Some(Ok(Listing::Table(..))) => bulk.add_lines(&state.lines.here.read_untracked()),
        Some(Ok(Listing::Entries(page))) => bulk.add(page.items.iter()),
        Some(Ok(Listing::Found(found))) => bulk.add(found.hits.iter().map(|hit| &hit.entry)),
        _ => {}
    });
    view! { <BulkBar bulk refused=state.refused all none=Callback::new(move |()| bulk.clear()) /> }
}

/// The field, and what narrows the search as chips in it.
#[component]
fn SearchBar(state: State) -> impl IntoView {
    let place = state.place;
    let timer = browser::GuardSlot::new();
    let typed = move |text: String| {
        let search = move || {
            state.shown.set(STEP);
            // The open entry stays: it may have been chosen while the search settled.
            let is_quarantine = place.with_untracked(|place| place.is_quarantine) && text.trim().is_empty();
            state.replace.run(Place { query: text, is_quarantine, ..place.get_untracked() });
        };
        timer.keep(Some(browser::after_ms(PAUSE_MS, search)));
    };
    let without_namespace = move || state.go.run(Place { namespace: String::new(), ..place.get_untracked().closing() });
    let without_tag = move || state.go.run(Place { tag: String::new(), ..place.get_untracked().closing() });
    let without_from = move || state.go.run(Place { from: String::new(), ..place.get_untracked().closing() });
    let without_then = move || state.go.run(Place { then: None, ..place.get_untracked() });
    let with_all = move || state.go.run(Place { without: Vec::new(), ..place.get_untracked() });
    let then = Memo::new(move |_| place.with(|place| place.then));
    let left_out = Memo::new(move |_| place.with(|place| place.without.len()));
    let namespace = Memo::new(move |_| place.with(|place| place.namespace.clone()));
    let tag = Memo::new(move |_| place.with(|place| place.tag.clone()));
    let from = Memo::new(move |_| {
        place.with(|place| Trust::parse(&place.from).map(|trust| trust.label().to_owned()).unwrap_or_default())
    });
    view! {
        <div class="toolbar" data-line role="search">
            <div class="input searchbox" data-wrap>
                <Icon name="search" />
                {move || chip("in", namespace.get(), "Remove the namespace filter", without_namespace)}
                {move || chip("tag", tag.get(), "Remove the tag filter", without_tag)}
                {move || chip("from", from.get(), "Remove the filter of who the words came from", without_from)}
                {move || chip("without", entries(left_out.get()), "Search with all entries again", with_all)}
                {move || chip("as of", then.get().map(|at| moment(at).get()).unwrap_or_default(), "Back to now", without_then)}
                <input
                    id=keys::SEARCH
                    type="search"
                    placeholder="Search memory"
                    aria-label="Search memory"
                    aria-keyshortcuts="/"
                    aria-describedby="memory-search-help"
                    title=operators::HELP
                    autocomplete="off"
                    prop:value=move || place.with(|place| place.query.clone())
                    on:input=move |event| typed(event_target_value(&event))
                />
            </div>
            <AsOf state />
        </div>
        <p class="visually-hidden" id="memory-search-help">{operators::HELP}</p>
        <Misfits state />
    }
}

/// Operators whose value does not fit.
#[component]
fn Misfits(state: State) -> impl IntoView {
    let wrong = Memo::new(move |_| state.place.with(|place| Typed::read(&place.query).wrong.join("; ")));
    move || {
        wrong.with(|wrong| {
            (!wrong.is_empty()).then(|| view! { <p class="tally small" role="status">{wrong.clone()}</p> })
        })
    }
}

/// How many entries are left out; nothing when none is.
fn entries(count: usize) -> String {
    match count {
        0 => String::new(),
        1 => "one entry".to_owned(),
        many => format!("{many} entries"),
    }
}

/// A filter that can be taken away, if it is set.
pub(super) fn chip(
    what: &'static str,
    value: String,
    remove: &'static str,
    on_remove: impl Fn() + 'static,
) -> Option<impl IntoView> {
    (!value.is_empty()).then(|| {
        view! {
            <span class="chip" data-tone="accent">
                <b>{what} ": " {value}</b>
                <button type="button" aria-label=remove on:click=move |_| on_remove()>
                    <Icon name="x" />
                </button>
            </span>
        }
    })
}

/// What a search found.
#[component]
fn FoundList(found: crate::model::memory::SearchResult, state: State) -> impl IntoView {
    let shown = found.hits.len() as u32;
    let more = shown < found.matched && shown < MOST_HITS;
    let best = found.hits.iter().map(|hit| strongest(&hit.why)).fold(0.0, f64::max);
    let tally = format!("{} found in {:.1} ms", format::count(found.matched.into()), found.took_ms);
    let degraded = found
        .degraded
        .map(|why| view! { <p class="tally small" role="status">"Without all that could be: "{why}"."</p> });
    if found.hits.is_empty() {
        return view! { {degraded}<NothingFound state /> }.into_any();
    }
    let hits = found.hits.into_iter().map(|hit| view! { <HitRow hit best state /> }).collect_view();
    view! {
        <p class="tally small dimmer" role="status">{tally}</p>
        {degraded}
        {hits}
        {more.then(|| view! { <More state /> })}
    }
    .into_any()
}

/// What there is in quarantine, or was in the past.
#[component]
fn EntryList(entries: Vec<Entry>, more: bool, unknown: Option<i64>, state: State) -> impl IntoView {
    let is_quarantine = state.place.with_untracked(|place| place.is_quarantine);
    let head = is_quarantine.then(|| view! { <QuarantineHead state /> });
    let lost = unknown.map(|unknown| {
        let said = format!(
            "Entries that changed so often since that what stood there is not kept: {}.",
            format::count(unknown)
        );
        view! { <p class="tally small" role="status">{said}</p> }
    });
    if entries.is_empty() {
        let nothing = if is_quarantine {
            view! { <NothingHeld /> }.into_any()
        } else {
            view! { <NothingThere state /> }.into_any()
        };
        return view! { {head}{lost}{nothing} }.into_any();
    }
    let at_end = entries.len() as u32 >= MOST_LISTED;
    let rows = entries.into_iter().map(|entry| view! { <EntryRow entry state /> }).collect_view();
    view! {
        {head}
        {lost}
        {rows}
        {(more && !at_end).then(|| view! { <More state /> })}
        {(more && at_end).then(|| view! { <p class="tally small dimmer">"There are more. Search, or choose a namespace."</p> })}
    }
    .into_any()
}

/// Above what is in quarantine.
#[component]
fn QuarantineHead(state: State) -> impl IntoView {
    view! {
        <div class="tally row wrap">
            <span class="small dimmer grow">"No search, step or agent finds these."</span>
            <Button label="Rules" icon="settings" size=ButtonSize::Small on_press=move |()| state.rules.open() />
        </div>
    }
}

#[component]
fn NothingHeld() -> impl IntoView {
    view! {
        <EmptyState title="Nothing is in quarantine">
            "Suspicious words of models and of the web come here before anybody finds them, and what people set aside."
        </EmptyState>
    }
}

#[component]
fn More(state: State) -> impl IntoView {
    view! {
        <div class="pager">
            <Button label="Load more" size=ButtonSize::Small on_press=move |()| state.shown.update(|shown| *shown += STEP) />
        </div>
    }
}

#[component]
fn NothingFound(state: State) -> impl IntoView {
    let narrowed = state.place.with_untracked(|place| {
        let filters = [&place.namespace, &place.tag, &place.from];
        filters.iter().any(|filter| !filter.is_empty()) || !place.without.is_empty()
    });
    let everywhere = move |()| {
        let place = state.place.get_untracked().closing();
        let (namespace, tag, from, without) = Default::default();
        state.go.run(Place { namespace, tag, from, without, ..place });
    };
    let actions = move || {
        narrowed.then(|| view! { <Button label="Search everywhere" size=ButtonSize::Small on_press=everywhere /> })
    };
    view! {
        <EmptyState title="Nothing found" actions=ViewFnOnce::from(actions)>
            "No entry holds these words, nor words like them. Try fewer or other words, or take tag:, before: and the like away."
        </EmptyState>
    }
}

/// That no entry fits.
#[component]
pub(super) fn NothingThere(state: State) -> impl IntoView {
    let add = move || view! { <Button label="Add entry" icon="plus" size=ButtonSize::Small refused=state.refused on_press=move |()| state.add() /> };
    view! {
        <EmptyState title="No entries here" actions=ViewFnOnce::from(add)>
            "Entries come from workflows with a “Write memory” step, from the command line, and from you."
        </EmptyState>
    }
}

/// The link to an entry, and whether it is the open one.
fn link(state: State, entry: &Entry) -> (impl Fn() -> String + use<>, Memo<bool>) {
    let (at, key) = (entry.namespace.clone(), entry.key.clone());
    let (own_at, own_key) = (at.clone(), key.clone());
    let current = Memo::new(move |_| state.place.with(|place| place.at == own_at && place.key == own_key));
    (move || state.place.with(|place| place.opening(&at, &key).href()), current)
}

#[component]
fn HitRow(hit: Hit, best: f64, state: State) -> impl IntoView {
    let (href, current) = link(state, &hit.entry);
    let passage = marked(&hit.snippet, &hit.highlights);
    let (name, version) = (name_of(&hit.entry), hit.entry.version);
    view! {
        <article class="hit" aria-current=move || current.get().then_some("true")>
            <div class="hit-head">
                <Tick bulk=state.bulk name version />
                <h3><a href=href>{hit.entry.key}</a></h3>
                <span class="path">{hit.entry.namespace}</span>
                {source_badge(hit.entry.trust)}
                {siblings_badge(hit.entry.siblings)}
                {superseded_badge(hit.entry.superseded_at)}
                <span class="num" title="Score">{format!("{:.2}", hit.score)}</span>
            </div>
            <p>{passage}</p>
            <WhyBars why=hit.why best />
        </article>
    }
}

#[component]
fn EntryRow(entry: Entry, state: State) -> impl IntoView {
    let (href, current) = link(state, &entry);
    let why = entry.quarantine.as_ref().filter(|quarantine| quarantine.is_held()).map(reasons);
    let excerpt: String = match &entry.unreadable {
        Some(why) => format!("It can't be decrypted: {why}"),
        None => entry.content.chars().take(EXCERPT_CHARS).collect(),
    };
    let (name, version) = (name_of(&entry), entry.version);
    view! {
        <article class="hit" aria-current=move || current.get().then_some("true")>
            <div class="hit-head">
                <Tick bulk=state.bulk name version />
                <h3><a href=href>{entry.key}</a></h3>
                <span class="path">{entry.namespace}</span>
                {source_badge(entry.trust)}
                {siblings_badge(entry.siblings)}
                {superseded_badge(entry.superseded_at)}
                <span class="num small dimmer"><RelativeTime at=entry.updated_at /></span>
            </div>
            <p>{excerpt}</p>
            {why}
        </article>
    }
}

/// That another entry takes its place.
pub(super) fn superseded_badge(since: Option<Timestamp>) -> Option<impl IntoView> {
    since.map(|_| view! { <Badge label="superseded" tone=Tone::Warn /> })
}

/// That other texts stand beside an entry.
pub(super) fn siblings_badge(count: i64) -> Option<impl IntoView> {
    (count > 0).then(|| view! { <Badge label=format::plural(count, "sibling") tone=Tone::Warn /> })
}

/// A text with its found words marked; the places are start and end in characters, sorted and apart.
fn marked(text: &str, places: &[(u32, u32)]) -> Vec<AnyView> {
    let chars: Vec<char> = text.chars().collect();
    let part = |from: u32, to: u32| -> String {
        let to = (to as usize).min(chars.len());
        chars[(from as usize).min(to)..to].iter().collect()
    };
    let mut views = Vec::new();
    let mut at = 0;
    for (start, end) in places {
        views.push(part(at, *start).into_any());
        views.push(view! { <mark>{part(*start, *end)}</mark> }.into_any());
        at = *end;
    }
    views.push(part(at, u32::MAX).into_any());
    views
}
