//! Summaries by a model: the dialog with what it would cost and what it would say, and the ways between a summary and its originals.

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde::{Deserialize, Serialize};

use super::State;
use super::place::Place;
use crate::api::memory::{estimate_summary, get_summary_links, summarize_entries};
use crate::model::auth::{Action as May, Me};
use crate::model::memory::{Entry, Summarized, SummaryDraft, SummaryEstimate, SummaryLink, SummaryLinks};
use crate::model::{ApiError, Timestamp};
use crate::ui::components::{
    Bound, Button, ButtonVariant, Dialog, Markdown, NeedsProvider, TextInput, Tone, use_toasts,
};
use crate::ui::format;

/// The dialog and its fields.
#[derive(Clone, Copy)]
pub(super) struct Summary {
    open: RwSignal<bool>,
    namespace: RwSignal<String>,
    group: RwSignal<String>,
    key: RwSignal<String>,
    model: RwSignal<String>,
    estimate: RwSignal<Option<Result<SummaryEstimate, ApiError>>>,
    preview: RwSignal<Option<Summarized>>,
    /// Whether something is being asked.
    busy: RwSignal<bool>,
}

impl Summary {
    pub(super) fn new() -> Self {
        let text = || RwSignal::new(String::new());
        let (namespace, group, key, model) = (text(), text(), text(), text());
        let (estimate, preview) = (RwSignal::new(None), RwSignal::new(None));
        Self { open: RwSignal::new(false), namespace, group, key, model, estimate, preview, busy: RwSignal::new(false) }
    }

    /// Opens the dialog for a namespace and reckons what a summary of it would cost.
    pub(super) fn begin(self, namespace: String) {
        for field in [self.group, self.key] {
            field.set(String::new());
        }
        self.namespace.set(namespace);
        self.estimate.set(None);
        self.preview.set(None);
        self.open.set(true);
        if self.namespace.with_untracked(|namespace| !namespace.is_empty()) {
            self.reckon();
        }
    }

    fn draft(self) -> SummaryDraft {
        let some =
            |field: RwSignal<String>| Some(field.get_untracked().trim().to_owned()).filter(|text| !text.is_empty());
        SummaryDraft {
            namespace: self.namespace.get_untracked().trim().trim_matches('/').to_owned(),
            group: some(self.group),
            key: some(self.key),
            model: self.model.get_untracked().trim().to_owned(),
            ..SummaryDraft::default()
        }
    }

    /// Reckons anew; what was previewed is of other fields by now.
    fn reckon(self) {
        let draft = self.draft();
        self.preview.set(None);
        self.estimate.set(None);
        self.busy.set(true);
        spawn_local(async move {
            let answer = estimate_summary(draft).await;
            let _ = self.estimate.try_set(Some(answer));
            let _ = self.busy.try_set(false);
        });
    }
}

/// Why this person can't have anything summarized, if they can't.
pub(super) fn refused(state: State) -> Signal<Option<String>> {
    let may = use_context::<Me>().is_none_or(|me| me.may(May::UseModel));
    Signal::derive(move || state.refused.get().or_else(|| (!may).then(|| "Your role can't ask models".to_owned())))
}

#[component]
pub(super) fn SummaryDialog(state: State) -> impl IntoView {
    let summary = state.summary;
    let toasts = use_toasts();
    let ask = move |keep: bool| {
        let draft = summary.draft();
        summary.busy.set(true);
        spawn_local(async move {
            match summarize_entries(draft, keep).await {
                Ok(Summarized { entry: Some(entry), is_new, .. }) if keep => {
                    let said = if is_new { "Summarized" } else { "Kept the summary" };
                    toasts.say(Tone::Good, format!("{said} as {}", entry.key));
                    let _ = summary.open.try_set(false);
                    if let Some(place) = state.place.try_get_untracked() {
                        state.go.run(place.opening(&entry.namespace, &entry.key));
                    }
                    state.load_anew();
                }
                Ok(found) => {
                    let _ = summary.preview.try_set(Some(found));
                }
                Err(error) => toasts.say(Tone::Bad, error.detail()),
            }
            let _ = summary.busy.try_set(false);
        });
    };
    let lacks = Signal::derive(move || match summary.estimate.get() {
        None => Some("Reckon first what it would cost".to_owned()),
        Some(Err(error)) => Some(error.detail().to_owned()),
        Some(Ok(estimate)) => estimate.refused,
    });
    let footer = move || {
        view! {
            <Button label="Cancel" on_press=move |()| summary.open.set(false) />
            <Button label="Estimate" busy=summary.busy on_press=move |()| summary.reckon() />
            <Button label="Preview" busy=summary.busy refused=lacks on_press=move |()| ask(false) />
            <Button label="Summarize" variant=ButtonVariant::Primary busy=summary.busy refused=lacks on_press=move |()| ask(true) />
        }
    };
    let hint = |text: &'static str| Signal::stored(Some(text.to_owned()));
    view! {
        <Dialog id="memory-summary" title="Summarize entries" open=summary.open footer=ViewFn::from(footer)>
            <div class="form">
                <Show when=move || summary.open.get()>
                    <NeedsProvider why="Without one nothing can be summarized." />
                </Show>
                <p class="dim">"A model reads the entries and writes one of them. The originals stay, and searches find both. " <a class="link" href="/memory/summaries">"Rules do it by themselves"</a> "."</p>
                <TextInput id="summary-namespace" label="Namespace" value=Bound::from(summary.namespace) hint=hint("With all below it; the summary stands in it.") />
                <TextInput id="summary-group" label="Group" value=Bound::from(summary.group) hint=hint("Only the entries of this conversation or document; empty: all.") />
                <TextInput id="summary-model" label="Model" value=Bound::from(summary.model) hint=hint("A route or provider/model; empty: the default route.") />
                <TextInput id="summary-key" label="Key of the summary" value=Bound::from(summary.key) hint=hint("Empty: summary, or summary- and the group.") />
                <div class="stack" aria-live="polite">{move || summary.estimate.get().map(told)}</div>
                {move || {
                    summary.preview.get().map(|found| {
                        view! { <section class="stack" aria-label="Preview"><h3>"Preview"</h3><Markdown text=found.text /></section> }
                    })
                }}
            </div>
        </Dialog>
    }
}

/// What a summary would be made of, and what it would cost.
fn told(estimate: Result<SummaryEstimate, ApiError>) -> AnyView {
    let estimate = match estimate {
        Ok(estimate) => estimate,
        Err(error) => return view! { <p role="alert">{error.detail().to_owned()}</p> }.into_any(),
    };
    let size = format!(
        "{} entries, {} characters, {} {} of {}",
        estimate.sources.len(),
        format::count(i64::try_from(estimate.chars).unwrap_or(i64::MAX)),
        estimate.calls,
        if estimate.calls == 1 { "call" } else { "calls" },
        estimate.model.as_deref().unwrap_or("nobody"),
    );
    let cost = match (&estimate.refused, estimate.cost_micros) {
        (Some(why), _) => format!("Nobody can be asked: {why}."),
        _ if estimate.exists => "These versions are summarized already: it costs nothing.".to_owned(),
        (None, Some(micros)) => format!("At most about {}.", format::dollars(micros)),
        (None, None) => "The model has no price.".to_owned(),
    };
    let rows = estimate.sources.into_iter().map(|source| {
        view! { <li class="small over">{source.key} " " <span class="path">{source.namespace}</span> ", version " {source.version}</li> }
    });
    view! {
        <p><b>{cost}</b> " " {size} ". Its words count as those of " {estimate.trust.label()} "."</p>
        <details>
            <summary>"What is read"</summary>
            <ul role="list">{rows.collect_view()}</ul>
        </details>
    }
    .into_any()
}

/// The ways of the open entry, and of which it is.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Ways {
    at: String,
    key: String,
    links: SummaryLinks,
}

/// Loads them; none of the past.
pub(super) async fn load(at: String, key: String, then: Option<Timestamp>) -> Result<Ways, ApiError> {
    if key.is_empty() || then.is_some() {
        return Ok(Ways::default());
    }
    // The pane says itself that there is no such entry.
    let links = get_summary_links(at.clone(), key.clone()).await.or_else(|error| match error {
        ApiError::NotFound { .. } => Ok(SummaryLinks::default()),
        error => Err(error),
    })?;
    Ok(Ways { at, key, links })
}

/// Under an entry: what it was made of, and its summaries; nothing where there are none.
pub(super) fn ways(state: State, entry: &Entry) -> Option<impl IntoView + use<>> {
    let Some(Ok(Ways { at, key, links })) = state.ways.get() else { return None };
    let is_its = (&at, &key) == (&entry.namespace, &entry.key);
    let SummaryLinks { sources, summaries } = links;
    (is_its && !(sources.is_empty() && summaries.is_empty())).then(|| {
        let place = state.place.get_untracked();
        let part = move |title: &'static str, links: Vec<SummaryLink>, place: &Place| {
            (!links.is_empty()).then(|| {
                let rows: Vec<_> = links.into_iter().map(|link| row(link, place)).collect();
                view! { <section class="stack" aria-label=title><h3>{title}</h3><ul class="stack" role="list">{rows}</ul></section> }
            })
        };
        view! { {part("Summarized in", summaries, &place)} {part("Made of", sources, &place)} }
    })
}

fn row(link: SummaryLink, place: &Place) -> impl IntoView + use<> {
    let href = place.opening(&link.namespace, &link.key).href();
    let since = (!link.is_current).then_some(", changed since");
    view! {
        <li class="row wrap">
            <a class="link over" href=href>{link.key}</a>
            <span class="path small">{link.namespace}</span>
            <span class="small dim">"version " {link.version} {since}</span>
        </li>
    }
}
