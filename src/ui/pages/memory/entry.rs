//! The right pane: one entry, its versions, and what can be done with it.

use leptos::prelude::*;
use serde_json::Value;

use super::place::Place;
use super::quarantine::{QuarantineNotice, source_badge};
use super::readers::read_by;
use super::related::related;
use super::relations::said_of;
use super::remove::remove;
use super::siblings::SiblingsNotice;
use super::summary::ways;
use super::versions::Versions;
use super::why::WhyCard;
use super::{Listing, State};
use crate::model::memory::{Entry, Source, Trust};
use crate::ui::components::{
    Button, ButtonLink, ButtonShape, ButtonSize, ButtonVariant, EmptyState, JsonTree, Load, Markdown, RelativeTime,
    SkeletonShape, Tab, TabPanel, Tabs,
};

/// The pane.
#[component]
pub(super) fn EntryPane(state: State) -> impl IntoView {
    let is_current = Callback::new(move |shown: Option<Entry>| {
        // Where none is shown, nothing can be pressed.
        Signal::derive(move || {
            shown.as_ref().is_none_or(|entry| state.place.with(|place| place.is_open(&entry.namespace, &entry.key)))
        })
    });
    view! {
        <aside class="pane" aria-label="Entry">
            <Load resource=state.entry what="the entry" shape=SkeletonShape::Lines(8) is_current let:entry>
                {match entry {
                    Some(entry) => view! { <EntryDetail entry state /> }.into_any(),
                    None => view! {
                        <EmptyState title="No entry chosen">"Choose one from the list to read it here."</EmptyState>
                    }
                        .into_any(),
                }}
            </Load>
        </aside>
    }
}

/// Deletes an entry and offers to take that back.
fn delete(state: State, entry: &Entry) {
    let gone = move || {
        if let Some(place) = state.place.try_get_untracked() {
            state.go.run(place.closing());
        }
        state.load_anew();
    };
    remove((entry.namespace.clone(), entry.key.clone(), entry.version), gone, move || state.load_anew());
}

#[component]
fn EntryDetail(entry: Entry, state: State) -> impl IntoView {
    let tab = RwSignal::new("content".to_owned());
    let tabs = vec![
        Tab::new("content", "Content"),
        Tab { name: "versions", label: "Versions", count: u32::try_from(entry.version).ok() },
    ];
    let chosen = Signal::derive(move || tab.get());
    // What loads by itself may be drawn once more while the pane of another entry takes the place of this one: the entry is
    // gone by then.
    let entry = StoredValue::new(entry);
    view! {
        <EntryHead entry state />
        <Tabs id="entry-tabs" label="Entry" tabs=tabs chosen on_choose=move |name| tab.set(name) />
        <TabPanel id="entry-tabs" name="content" chosen>
            <div class="pane-body stack">
                <QuarantineNotice entry=entry.get_value() state />
                <SiblingsNotice entry=entry.get_value() state />
                <Transition>{move || entry.try_get_value().and_then(|entry| said_of(state, &entry))}</Transition>
                <Content entry=entry.get_value() />
                <Facts entry=entry.get_value() state />
                <Transition>{move || entry.try_get_value().and_then(|entry| found(state, &entry))}</Transition>
                <Transition>{move || entry.try_get_value().and_then(|entry| ways(state, &entry))}</Transition>
                <Transition>{move || entry.try_get_value().and_then(|entry| related(state, &entry))}</Transition>
                <Transition>{move || entry.try_get_value().and_then(|entry| read_by(state, &entry))}</Transition>
            </div>
        </TabPanel>
        <TabPanel id="entry-tabs" name="versions" chosen>
            <Versions entry=entry.get_value() state />
        </TabPanel>
    }
}

/// Why the open entry is in the list, if a search found it.
fn found(state: State, entry: &Entry) -> Option<impl IntoView + use<>> {
    let Some(Ok(Listing::Found(found))) = state.listing.get() else { return None };
    let matched = found.matched;
    let hit = found.hits.into_iter().find(|hit| hit.entry.id == entry.id)?;
    Some(view! { <WhyCard hit matched state /> })
}

#[component]
fn EntryHead(entry: StoredValue<Entry>, state: State) -> impl IntoView {
    let back = state.place.with_untracked(|place| place.closing().href());
    let edit = move |()| entry.with_value(|entry| state.edit(entry));
    let remove = move |()| entry.with_value(|entry| delete(state, entry));
    let set_aside = move |()| entry.with_value(|entry| state.aside.begin(entry));
    let relate = move |()| entry.with_value(|entry| state.relate.begin(entry));
    let offered = entry.with_value(|entry| !entry.is_quarantined());
    let quarantine = offered.then(|| view! {
        <Button label="Put into quarantine" icon="shield" shape=ButtonShape::IconOnly size=ButtonSize::Small variant=ButtonVariant::Quiet refused=state.refused on_press=set_aside />
    });
    view! {
        <div class="pane-head">
            <span class="phone-only">
                <ButtonLink href=back label="Back to the list" icon="left" size=ButtonSize::Small shape=ButtonShape::IconOnly variant=ButtonVariant::Quiet />
            </span>
            <div class="grow">
                <h2>{entry.with_value(|entry| entry.key.clone())}</h2>
            </div>
            <div class="actions">
                <Button label="Edit (E)" icon="edit" shape=ButtonShape::IconOnly size=ButtonSize::Small variant=ButtonVariant::Quiet refused=state.refused on_press=edit />
                <Button label="Say how it stands to another" icon="link" shape=ButtonShape::IconOnly size=ButtonSize::Small variant=ButtonVariant::Quiet refused=state.refused on_press=relate />
                {quarantine}
                <Button label="Delete" icon="trash" shape=ButtonShape::IconOnly size=ButtonSize::Small variant=ButtonVariant::Quiet refused=state.refused on_press=remove />
            </div>
        </div>
    }
}

/// The content as JSON if it is an object or a list, else as Markdown; the value beside it.
#[component]
fn Content(entry: Entry) -> impl IntoView {
    let json = serde_json::from_str::<Value>(&entry.content).ok().filter(|value| value.is_object() || value.is_array());
    let content = match json {
        Some(value) => view! { <JsonTree label="Content" value=Signal::stored(value) /> }.into_any(),
        None if entry.content.is_empty() => view! { <p class="dimmer">"Empty"</p> }.into_any(),
        None => view! { <Markdown text=entry.content /> }.into_any(),
    };
    let value = (!entry.value.is_null()).then(|| {
        view! {
            <section class="stack">
                <h3>"Value"</h3>
                <JsonTree label="Value" value=Signal::stored(entry.value) />
            </section>
        }
    });
    let metadata = (!entry.metadata.is_empty()).then(|| {
        view! {
            <section class="stack">
                <h3>"Metadata"</h3>
                <JsonTree label="Metadata" value=Signal::stored(Value::Object(entry.metadata)) />
            </section>
        }
    });
    view! {
        {content}
        {value}
        {metadata}
    }
}

/// Tags, and where the entry came from.
#[component]
fn Facts(entry: Entry, state: State) -> impl IntoView {
    let tags = entry.tags.into_iter().map(|tag| {
        let href = Place { tag: tag.clone(), ..state.place.get_untracked() }.href();
        view! { <a class="chip" data-variant="tag" href=href>{tag}</a> }
    });
    let namespace = entry.namespace;
    let subtree =
        Place { namespace: namespace.clone(), ..state.place.get_untracked() }.opening(&namespace, &entry.key).href();
    let source = match source_badge(entry.trust) {
        Some(badge) => badge.into_any(),
        None => Trust::User.label().into_any(),
    };
    let from = entry.trust.as_str().to_owned();
    let alike = Place { from, ..state.place.get_untracked() }.opening(&namespace, &entry.key).href();
    let meter = format!("--value: {:.0}%", entry.importance * 100.0);
    view! {
        <div class="row wrap">{tags.collect_view()}</div>
        <dl class="pairs">
            <dt>"Namespace"</dt>
            <dd><a class="link" href=subtree>{namespace}</a></dd>
            {entry.group.map(|group| view! {
                <dt>"Group"</dt>
                <dd>{group} {entry.position.map(|position| format!(", position {position}"))}</dd>
            })}
            <dt>"Version"</dt>
            <dd>{entry.version} ", " <RelativeTime at=entry.updated_at /></dd>
            <dt>"Written by"</dt>
            <dd>{origin(entry.source)}</dd>
            <dt>"Words from"</dt>
            <dd><a class="link" href=alike>{source}</a></dd>
            <dt>"Importance"</dt>
            <dd>
                <span class="row">
                    <span class="meter grow" style=meter></span>
                    {format!("{:.2}", entry.importance)}
                </span>
            </dd>
            <dt>"Expires"</dt>
            <dd>{entry.expires_at.map_or_else(|| "never".into_any(), |at| view! { <RelativeTime at /> }.into_any())}</dd>
        </dl>
    }
}

/// Where a version came from, with the way there.
pub(super) fn origin(source: Source) -> AnyView {
    match source {
        Source::User { name } => name.into_any(),
        Source::Run { run_id, step } => {
            let href = format!("/runs/{run_id}");
            view! { <a class="link" href=href>"a run"</a> ", step " {step} }.into_any()
        }
        Source::Import { name: Some(name) } => format!("{name}, by import").into_any(),
        Source::Import { name: None } => "an import".into_any(),
        Source::Cli {} => "the command line".into_any(),
        Source::Expiry {} => "its expiry".into_any(),
    }
}
