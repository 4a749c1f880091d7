//! What the chosen step did in the run that lies over the graph: its input, its output, what it waits for.

use leptos::prelude::*;
use serde_json::Value;

use super::overlay::use_overlay;
use super::problems::sentence;
use crate::model::workflow::{SkipReason, StepState, StepStatus};
use crate::ui::components::{Icon, JsonTree, StatusLook};
use crate::ui::format;

fn state_of(id: String) -> Memo<Option<StepState>> {
    let overlay = use_overlay();
    Memo::new(move |_| overlay.run.read().as_ref()?.step(&id).cloned())
}

/// Why the step stands where it stands, while that needs words.
#[component]
pub fn RunNotice(id: String) -> impl IntoView {
    let facts = use_overlay().facts(id.clone());
    let state = state_of(id);
    move || {
        let state = state.get()?;
        let (tone, title, detail) = notice(&state, facts.get()?.took_ms)?;
        let icon = StatusLook::from(state.status).icon();
        Some(view! {
            <div class="notice run-notice" data-tone=tone>
                <Icon name=icon />
                <span class="grow">
                    <strong>{title}</strong>
                    {detail.map(|detail| view! { <br /><span class="small">{detail}</span> })}
                </span>
            </div>
        })
    }
}

/// Tone, title and detail; `None` for what needs no words.
fn notice(state: &StepState, took_ms: Option<i64>) -> Option<(Option<&'static str>, String, Option<String>)> {
    let took = took_ms.map(format::duration).unwrap_or_default();
    let error = state.error.as_ref().map(|error| sentence(&error.message));
    Some(match state.status {
        StepStatus::Running => (None, format!("Running for {took}"), None),
        StepStatus::Waiting => {
            (Some("warn"), "Waiting".to_owned(), state.waiting.as_ref().map(|waiting| sentence(&waiting.reason)))
        }
        StepStatus::Retrying => (Some("warn"), format!("Trying again after attempt {}", state.attempt), error),
        StepStatus::Failed => (Some("bad"), format!("Failed after {took}"), error),
        StepStatus::Skipped => {
            (Some("plain"), "Did not run".to_owned(), state.skipped.map(|why| skip_words(why).to_owned()))
        }
        StepStatus::Cancelled => (Some("plain"), "Cancelled".to_owned(), None),
        StepStatus::Queued | StepStatus::Ready | StepStatus::Succeeded => return None,
    })
}

fn skip_words(reason: SkipReason) -> &'static str {
    match reason {
        SkipReason::NotReached => "No branch that leads here was taken.",
        SkipReason::LostRace => "Another branch was first.",
        SkipReason::Disabled => "It is disabled.",
        SkipReason::RunEnded => "The run ended before it.",
        SkipReason::NotAsked => "The run was asked to go up to another step only.",
    }
}

/// The rendered config of the newest attempt.
#[component]
pub fn InputTab(id: String) -> impl IntoView {
    view! { <Data id what="Input" read=|state| &state.input none="This step has not started in the last run." /> }
}

/// What came out.
#[component]
pub fn OutputTab(id: String) -> impl IntoView {
    view! { <Data id what="Output" read=|state| &state.output none="This step has no output in the last run." /> }
}

#[component]
fn Data(id: String, what: &'static str, read: fn(&StepState) -> &Value, none: &'static str) -> impl IntoView {
    let overlay = use_overlay();
    let state = state_of(id);
    let value =
        Memo::new(move |_| state.read().as_ref().map(|state| read(state).clone()).filter(|value| !value.is_null()));
    let label = move || format!("{what} of the step");
    move || {
        if value.read().is_some() {
            let value = Signal::derive(move || value.get().unwrap_or_default());
            return view! { <JsonTree label=Signal::derive(label) value /> }.into_any();
        }
        let text = if overlay.run.read().is_some() { none } else { "Run the workflow to see what comes through here." };
        view! { <p class="dim pane-body">{text}</p> }.into_any()
    }
}
