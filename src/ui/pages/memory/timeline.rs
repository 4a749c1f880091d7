//! What was learned when, by whom, and what took its place: `/memory/timeline`, by days, the last first.
//!
//! The URL says which part is shown, with the words of the memory page, so that a filter goes along from one to the other.

use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_query_map};

use super::entry::origin;
use super::place::Place;
use super::quarantine::source_badge;
use super::results::chip;
use super::then::moment;
use super::{MOST_LISTED, STEP};
use crate::api::memory::memory_timeline;
use crate::model::memory::{EntryFilter, Learned, Superseded, Trust};
use crate::model::{ApiError, Page, PageRequest, Timestamp};
use crate::ui::components::{
    Badge, Button, ButtonLink, ButtonShape, ButtonSize, Crumb, EmptyState, Load, PageHeader, RelativeTime,
    SkeletonShape, Tone,
};
use crate::ui::format;

/// What the page's parts share.
#[derive(Clone, Copy)]
struct State {
    /// As the URL says.
    place: Memo<Place>,
    /// Goes to another view.
    go: Callback<Place>,
    /// How many lines are wanted.
    shown: RwSignal<u32>,
}

/// `/memory/timeline`.
#[component]
pub fn TimelinePage() -> impl IntoView {
    let query = use_query_map();
    let place = Memo::new(move |_| query.with(Place::read));
    let navigate = use_navigate();
    let go = move |to: Place| navigate(&to.timeline_href(), NavigateOptions { scroll: false, ..Default::default() });
    let state = State { place, go: Callback::new(go), shown: RwSignal::new(STEP) };
    let lines = Resource::new(move || (place.get(), state.shown.get()), |(place, shown)| load(place, shown));
    let list = Signal::derive(move || place.with(|place| place.closing().href()));
    let actions = move || {
        view! { <ButtonLink href=list label="As a list" icon="list" size=ButtonSize::Small shape=ButtonShape::Collapsing /> }
    };
    view! {
        <PageHeader title="What was learned" crumbs=vec![Crumb::new("/memory", "Memory")] actions=ViewFnOnce::from(actions) />
        <div class="page-body stack" data-narrow>
            <Filters state />
            <Load resource=lines what="the timeline" shape=SkeletonShape::Rows(8) let:page>
                <Days page state />
            </Load>
        </div>
    }
}

async fn load(place: Place, shown: u32) -> Result<Page<Learned>, ApiError> {
    let Place { namespace, tag, from, is_quarantine, then, .. } = place;
    let trust = Trust::parse(&from).into_iter().collect();
    let filter = EntryFilter { namespace, prefix: String::new(), tag, trust, quarantined: is_quarantine, as_of: then };
    let mut all = Page { items: Vec::new(), next: None };
    loop {
        let limit = (shown - all.items.len() as u32).min(PageRequest::MAX);
        let page = memory_timeline(filter.clone(), PageRequest { limit, cursor: all.next }).await?;
        all.items.extend(page.items);
        all.next = page.next;
        if all.next.is_none() || all.items.len() as u32 >= shown {
            return Ok(all);
        }
    }
}

/// What narrows the timeline, as chips.
#[component]
fn Filters(state: State) -> impl IntoView {
    let with = move |change: fn(&mut Place)| {
        move || {
            let mut place = state.place.get_untracked();
            change(&mut place);
            state.shown.set(STEP);
            state.go.run(place);
        }
    };
    let place = state.place;
    let from =
        move || place.with(|place| Trust::parse(&place.from).map(|trust| trust.label().to_owned()).unwrap_or_default());
    let held = move || if place.with(|place| place.is_quarantine) { "quarantine".to_owned() } else { String::new() };
    let then = move || place.with(|place| place.then).map(|at| moment(at).get()).unwrap_or_default();
    view! {
        <div class="row wrap">
            {move || chip("in", place.with(|place| place.namespace.clone()), "Remove the namespace filter", with(|place| place.namespace.clear()))}
            {move || chip("tag", place.with(|place| place.tag.clone()), "Remove the tag filter", with(|place| place.tag.clear()))}
            {move || chip("from", from(), "Remove the filter of who the words came from", with(|place| place.from.clear()))}
            {move || chip("only", held(), "Leave the quarantine", with(|place| place.is_quarantine = false))}
            {move || chip("as of", then(), "Back to now", with(|place| place.then = None))}
        </div>
    }
}

/// Lines of one day after the other. Days are those of UTC: the server and every browser draw the same.
fn by_day(lines: Vec<Learned>) -> Vec<(String, Vec<Learned>)> {
    let mut days: Vec<(String, Vec<Learned>)> = Vec::new();
    for line in lines {
        let day = day(line.at);
        match days.last_mut().filter(|(last, _)| *last == day) {
            Some((_, lines)) => lines.push(line),
            None => days.push((day, vec![line])),
        }
    }
    days
}

/// A day with its year: "21 Nov 2026".
fn day(at: Timestamp) -> String {
    let text = format::date_time(at, 0);
    text.split_once(',').map_or(text.clone(), |(day, _)| day.to_owned())
}

#[component]
fn Days(page: Page<Learned>, state: State) -> impl IntoView {
    if page.items.is_empty() {
        return view! {
            <EmptyState title="Nothing was learned here">"What people, runs and agents write into the memory stands here, by days."</EmptyState>
        }
        .into_any();
    }
    let (more, at_end) = (page.next.is_some(), page.items.len() as u32 >= MOST_LISTED);
    let days = by_day(page.items).into_iter().map(|(day, lines)| {
        let lines = lines.into_iter().map(|line| view! { <Line line state /> }).collect_view();
        let name = day.clone();
        view! {
            <section class="stack learned" aria-label=name>
                <h2><time>{day}</time></h2>
                <ol role="list">{lines}</ol>
            </section>
        }
    });
    view! {
        {days.collect_view()}
        {(more && !at_end).then(|| view! {
            <div class="pager"><Button label="Load more" size=ButtonSize::Small on_press=move |()| state.shown.update(|shown| *shown += STEP) /></div>
        })}
        {(more && at_end).then(|| view! { <p class="small dimmer">"There is more. Choose a namespace."</p> })}
    }
    .into_any()
}

/// What happened, in a word.
fn deed(line: &Learned) -> &'static str {
    match (&line.excerpt, line.version) {
        (None, _) => "deleted",
        (Some(_), 1) => "learned",
        (Some(_), _) => "changed",
    }
}

#[component]
fn Line(line: Learned, state: State) -> impl IntoView {
    let what = deed(&line);
    let tone = if what == "deleted" { Tone::Bad } else { Tone::Plain };
    let Learned {
        namespace,
        key,
        version,
        at,
        source,
        agent,
        trust,
        excerpt,
        group,
        merged_from,
        superseded_by,
        superseded,
        unreadable,
    } = line;
    let excerpt = unreadable.or(excerpt);
    let place = state.place.get_untracked();
    // What a line is about stands in the memory as it was when the line was written.
    let own = Place { then: superseded.as_ref().map(|_| at), ..place.clone() }.opening(&namespace, &key).href();
    let next = superseded.clone().map(|next| successor(next, (&namespace, &key), &place));
    let within = Place { namespace: namespace.clone(), ..place }.timeline_href();
    // The words of the entry stand, but another takes its place.
    let taken = superseded_by.filter(|_| superseded.is_none());
    let is_over = superseded.is_some() || taken.is_some();
    let text = excerpt.map(|text| if is_over { view! { <del>{text}</del> }.into_any() } else { text.into_any() });
    let taken = taken.map(|by| {
        let href = Place { then: None, ..state.place.get_untracked() }.opening(&by.namespace, &by.key).href();
        view! { <span class="small">"In its place: " <a class="link" href=href>{by.key}</a> " " <span class="path">{by.namespace}</span></span> }
    });
    view! {
        <li class="stack">
            <span class="row wrap">
                <a class="link over" href=own>{key}</a>
                <a class="path small" href=within>{namespace}</a>
                <Badge label=what tone />
                {source_badge(trust)}
            </span>
            {text.map(|text| view! { <p class="over">{text}</p> })}
            {next}
            {taken}
            <span class="small dimmer">
                <RelativeTime at /> " by " {agent.map(|agent| format!("the agent {agent} in "))} {origin(source)} ", version " {version}
                {group.map(|group| format!(", group {group}"))} {merged_from.map(|key| format!(", was to be {key}"))}
            </span>
        </li>
    }
}

/// The way to what took the place of a line.
fn successor(next: Superseded, (namespace, key): (&str, &str), place: &Place) -> AnyView {
    let Superseded { version, at, deleted } = next;
    if deleted {
        return view! { <span class="small">"Deleted "<RelativeTime at />"."</span> }.into_any();
    }
    let href = Place { then: Some(at), ..place.clone() }.opening(namespace, key).href();
    view! {
        <span class="small">
            "In its place since "<RelativeTime at />": " <a class="link" href=href>{format!("version {version}")}</a>
        </span>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::memory::Source;

    fn line(at: &str, version: i64, excerpt: Option<&str>) -> Learned {
        Learned {
            namespace: "code".to_owned(),
            key: "pool".to_owned(),
            version,
            at: Timestamp::parse(at).unwrap(),
            source: Source::Cli {},
            agent: None,
            trust: Trust::User,
            excerpt: excerpt.map(str::to_owned),
            unreadable: None,
            group: None,
            merged_from: None,
            superseded_by: None,
            superseded: None,
        }
    }

    #[test]
    fn lines_stand_by_days_in_their_order() {
        let lines = vec![
            line("2026-11-22T00:00:00Z", 3, None),
            line("2026-11-21T23:59:59Z", 2, Some("20")),
            line("2026-11-21T08:00:00Z", 1, Some("10")),
        ];
        assert_eq!(lines.iter().map(deed).collect::<Vec<_>>(), ["deleted", "changed", "learned"]);
        let days = by_day(lines);
        let shape: Vec<(&str, usize)> = days.iter().map(|(day, lines)| (day.as_str(), lines.len())).collect();
        assert_eq!(shape, [("22 Nov 2026", 1), ("21 Nov 2026", 2)]);
    }
}
