//! Texts that stand beside an entry, written by somebody who had not seen it: each with its difference, and the ways to one text.

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde::{Deserialize, Serialize};

use super::State;
use super::draft::Start;
use super::entry::origin;
use super::quarantine::source_badge;
use super::versions::difference;
use crate::api::memory::{list_siblings, merge_entry};
use crate::model::memory::{Entry, EntryDraft, Sibling};
use crate::model::{ApiError, Timestamp};
use crate::ui::components::{Button, ButtonSize, Icon, Load, RelativeTime, SkeletonShape, Tone, use_toasts};

/// The texts beside the open entry, and which one it is.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Beside {
    at: String,
    key: String,
    siblings: Vec<Sibling>,
}

/// Loads them; none of the past, where nothing can be merged.
pub(super) async fn load(at: String, key: String, then: Option<Timestamp>) -> Result<Beside, ApiError> {
    if key.is_empty() || then.is_some() {
        return Ok(Beside::default());
    }
    match list_siblings(at.clone(), key.clone()).await {
        Ok(siblings) => Ok(Beside { at, key, siblings }),
        // The pane says itself that there is no such entry.
        Err(ApiError::NotFound { .. }) => Ok(Beside::default()),
        Err(error) => Err(error),
    }
}

/// Above an entry beside which texts stand.
#[component]
pub(super) fn SiblingsNotice(entry: Entry, state: State) -> impl IntoView {
    let said = match entry.siblings {
        0 => return ().into_any(),
        1 => "Another text stands beside this one".to_owned(),
        many => format!("{many} other texts stand beside this one"),
    };
    view! {
        <section class="stack" aria-label="Siblings">
            <div class="notice" data-tone="warn">
                <Icon name="fork" />
                <p class="grow"><b>{said}</b>": somebody wrote without having seen it. Nothing is lost until somebody merges them."</p>
            </div>
            <Load resource=state.siblings what="the texts beside it" shape=SkeletonShape::Lines(4) let:beside>
                {cards(beside, &entry, state)}
            </Load>
        </section>
    }
    .into_any()
}

/// A card for each open one; none while they are still those of the entry that was open before.
fn cards(beside: Beside, entry: &Entry, state: State) -> impl IntoView + use<> {
    let is_its = beside.at == entry.namespace && beside.key == entry.key;
    let open = beside.siblings.into_iter().filter(|sibling| is_its && sibling.is_open());
    open.map(|sibling| view! { <SiblingCard sibling entry=entry.clone() state /> }).collect_view()
}

#[component]
fn SiblingCard(sibling: Sibling, entry: Entry, state: State) -> impl IntoView {
    let entry = StoredValue::new(entry);
    let toasts = use_toasts();
    let busy = RwSignal::new(false);
    let id = sibling.id;
    let merge = move |draft: EntryDraft, said: &'static str| {
        let (namespace, key, version) =
            entry.with_value(|entry| (entry.namespace.clone(), entry.key.clone(), entry.version));
        busy.set(true);
        spawn_local(async move {
            match merge_entry(namespace, key, draft, version, vec![id]).await {
                Ok(entry) => toasts.say(Tone::Good, format!("{said}, as version {}", entry.version)),
                Err(error) => toasts.say(Tone::Bad, error.detail()),
            }
            let _ = busy.try_set(false);
            state.load_anew();
        });
    };
    let lines = entry.with_value(|entry| difference(&entry.content, &sibling.content));
    let base = sibling.base.map(|base| format!(" · over version {base}"));
    let by = (origin(sibling.source.clone()), sibling.at, source_badge(sibling.trust));
    let sibling = StoredValue::new(sibling);
    let take = move |()| merge(sibling.with_value(Sibling::draft), "The other text stands there now");
    let keep = move |()| merge(entry.with_value(Entry::draft), "The text stays as it was");
    let write = move |()| {
        let start = entry.with_value(|entry| sibling.with_value(|sibling| Start::merging(entry, sibling)));
        state.form.begin(start);
    };
    view! {
        <div class="card why-card">
            <p class="small">"By " {by.0} ", " <RelativeTime at=by.1 /> {base} " " {by.2}</p>
            <pre class="code diff">{lines}</pre>
            <div class="row wrap">
                <Button label="Write one of both" icon="edit" size=ButtonSize::Small busy refused=state.refused on_press=write />
                <Button label="Take this text" size=ButtonSize::Small busy refused=state.refused on_press=take />
                <Button label="Keep what stands" size=ButtonSize::Small busy refused=state.refused on_press=keep />
            </div>
        </div>
    }
}

/// Under the versions of an entry: the texts that were merged into one of them.
pub(super) fn merged(state: State, (namespace, key): &(String, String)) -> Option<impl IntoView + use<>> {
    let Some(Ok(Beside { at, key: of, siblings })) = state.siblings.get() else { return None };
    let siblings: Vec<Sibling> = siblings.into_iter().filter(|sibling| !sibling.is_open()).collect();
    if siblings.is_empty() || (&at, &of) != (namespace, key) {
        return None;
    }
    let row = |sibling: Sibling| {
        let into = sibling.merged_version.map(|version| format!(" · merged in version {version}"));
        view! {
            <details>
                <summary>
                    "By " {origin(sibling.source)} ", " <RelativeTime at=sibling.at /> {into} " " {source_badge(sibling.trust)}
                </summary>
                <pre class="code diff">{sibling.content}</pre>
            </details>
        }
    };
    Some(view! {
        <section class="stack">
            <h3>"Texts that stood beside it"</h3>
            {siblings.into_iter().map(row).collect_view()}
        </section>
    })
}
