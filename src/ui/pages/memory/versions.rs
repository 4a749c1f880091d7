//! The versions of an entry: who wrote what when, what changed, and the way back.

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos::web_sys::HtmlDetailsElement;

use super::State;
use super::diff::{self, Line};
use super::entry::origin;
use super::quarantine::source_badge;
use super::siblings::merged;
use crate::api::memory::{entry_history, restore_entry};
use crate::model::memory::{Entry, EntryVersion};
use crate::ui::components::{Button, ButtonSize, Load, RelativeTime, SkeletonShape, Tone, use_toasts};

/// The panel.
#[component]
pub(super) fn Versions(entry: Entry, state: State) -> impl IntoView {
    let (namespace, key, newest) = (entry.namespace, entry.key, entry.version);
    let of = (namespace.clone(), key.clone());
    // The panel is drawn by a press on its tab, when nothing of the server's is taken over any more.
    let history = Resource::new(move || of.clone(), |(namespace, key)| entry_history(namespace, key));
    let place = StoredValue::new((namespace, key));
    view! {
        <div class="pane-body stack">
            <Load resource=history what="the versions" shape=SkeletonShape::Rows(4) let:versions>
                {rows(&versions, newest, place, state)}
            </Load>
            <Transition>{move || place.with_value(|place| merged(state, place))}</Transition>
        </div>
    }
}

/// A row a version, each with its difference from the one before it.
fn rows(
    versions: &[EntryVersion],
    newest: i64,
    place: StoredValue<(String, String)>,
    state: State,
) -> impl IntoView + use<> {
    let rows = versions.iter().enumerate().map(|(at, version)| {
        let before = versions.get(at + 1).and_then(|older| older.content.clone()).unwrap_or_default();
        view! { <VersionRow version=version.clone() before newest place state /> }
    });
    rows.collect_view()
}

#[component]
fn VersionRow(
    version: EntryVersion,
    /// The content of the version before it; empty when there was none.
    before: String,
    newest: i64,
    place: StoredValue<(String, String)>,
    state: State,
) -> impl IntoView {
    let toasts = use_toasts();
    let number = version.version;
    let badge = source_badge(version.trust);
    let held = version.quarantined.then_some(" · in quarantine");
    let merged = version.merged_from.map(|key| format!(" · was to be {key}"));
    let deleted = version.content.is_none();
    let busy = RwSignal::new(false);
    let restore = move |()| {
        let (namespace, key) = place.get_value();
        busy.set(true);
        spawn_local(async move {
            match restore_entry(namespace, key, number).await {
                Ok(entry) => toasts.say(Tone::Good, format!("Version {number} is back, as version {}", entry.version)),
                Err(error) => toasts.say(Tone::Bad, error.detail()),
            }
            let _ = busy.try_set(false);
            state.load_anew();
        });
    };
    let texts = StoredValue::new((before, version.content.unwrap_or_default()));
    let open = RwSignal::new(number == newest && number > 1);
    let offered = !deleted && number < newest;
    view! {
        <details open=open.get_untracked() on:toggle=move |event| open.set(event_target::<HtmlDetailsElement>(&event).open())>
            <summary>
                <b>"Version " {number}</b>
                {deleted.then_some(" · deleted")}
                {held}
                {merged}
                " by " {origin(version.source)} ", " <RelativeTime at=version.at /> " " {badge}
            </summary>
            {move || open.get().then(|| texts.with_value(|(old, new)| view! { <pre class="code diff">{difference(old, new)}</pre> }))}
            {offered
                .then(|| view! { <Button label=format!("Restore version {number}") size=ButtonSize::Small busy refused=state.refused on_press=restore /> })}
        </details>
    }
}

/// The difference as lines, each with its sign, so that it reads without colours too.
pub(super) fn difference(old: &str, new: &str) -> Vec<AnyView> {
    let lines = diff::lines(old, new);
    if lines.iter().all(|line| matches!(line, Line::Skipped(_))) {
        return vec!["The content is the same.".into_any()];
    }
    lines
        .into_iter()
        .map(|line| match line {
            Line::Same(text) => format!("  {text}\n").into_any(),
            Line::Added(text) => view! { <ins>{format!("+ {text}\n")}</ins> }.into_any(),
            Line::Removed(text) => view! { <del>{format!("- {text}\n")}</del> }.into_any(),
            Line::Skipped(count) => {
                view! { <span class="dimmer">{format!("  … {count} lines the same\n")}</span> }.into_any()
            }
        })
        .collect()
}
