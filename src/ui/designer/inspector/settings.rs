//! What every step has: name and id, retries, time limit, failure, joining.

use leptos::prelude::*;

use super::join::JoinPart;
use super::limits::StepLimits;
use super::lists::JsonText;
use super::number::NumberLine;
use super::retry::RetryPart;
use super::undo::UndoPart;
use crate::model::workflow::kind::Kind;
use crate::model::workflow::{Edge, OnError, Step};
use crate::ui::components::{Choice, Icon, Select, Switch};
use crate::ui::designer::change::Change;
use crate::ui::designer::editor::use_editor;
use crate::ui::designer::{action, keys};
use crate::ui::format;

/// The longest time limit of an attempt, in ms: a week.
pub(super) const MAX_TIMEOUT_MS: f64 = 604_800_000.0;

/// Name and id.
#[component]
pub fn Identity(id: String, step: RwSignal<Step>) -> impl IntoView {
    let editor = use_editor();
    let refused = RwSignal::new(None::<String>);
    let name = Memo::new(move |_| step.read().name.clone());
    let rename = move |text: String| {
        let altered = Step { name: text, ..step.get_untracked() };
        editor.act(|document| action::set_step(document, altered, "the name"));
    };
    let old = id.clone();
    let rename_id = move |text: String| match editor.with(|document| action::rename_id(document, &old, text.trim())) {
        Ok(changes) => {
            refused.set(None);
            editor.perform(changes);
        }
        Err(why) => refused.set(Some(why)),
    };
    view! {
        <div class="grid" style="--cols: 3fr 2fr">
            <div class="field">
                <label for=keys::NAME>"Name"</label>
                <input
                    class="input"
                    id=keys::NAME
                    type="text"
                    maxlength="120"
                    placeholder=id.clone()
                    prop:value=move || name.get()
                    on:input=move |event| rename(event_target_value(&event))
                />
            </div>
            <div class="field">
                <label for="step-id">"Id"<span class="aside">"in expressions"</span></label>
                <input
                    class="input"
                    data-mono=""
                    id="step-id"
                    type="text"
                    spellcheck="false"
                    aria-invalid=move || refused.read().is_some().then_some("true")
                    aria-describedby="step-id-notes"
                    prop:value=id
                    on:change=move |event| rename_id(event_target_value(&event))
                />
            </div>
        </div>
        <span class="error" id="step-id-notes" role="status">{move || refused.get()}</span>
    }
}

/// Retry, time limit, failure and joining: each closed line says what it is set to.
#[component]
pub fn Behaviour(id: String, step: RwSignal<Step>, kind: Option<&'static Kind>) -> impl IntoView {
    let editor = use_editor();
    let can_fail = kind.is_none_or(|kind| kind.ports.contains(&Edge::ERROR) || !kind.pure_step);
    let works = kind.is_none_or(|kind| !kind.pure_step && kind.name != "wait");
    let undone = id.clone();
    let edges = Memo::new(move |_| {
        editor.edges.track();
        editor.with(|document| document.graph.edges.iter().filter(|edge| edge.to == id).count())
    });
    let joins = Memo::new(move |_| edges.get() > 1);
    view! {
        <div class="disclosures">
            {can_fail.then(|| view! { <RetryPart step /> <TimeoutPart step kind /> <FailurePart step /> })}
            {works.then(|| view! { <UndoPart id=undone step /> <StepLimits step /> })}
            <Show when=move || joins.get()>
                <JoinPart step edges=edges />
            </Show>
            <DisabledPart step />
        </div>
    }
}

/// Alters the step and names the mark.
pub(super) fn alter(step: RwSignal<Step>, what: &str, by: impl FnOnce(&mut Step)) {
    let editor = use_context_editor();
    let mut altered = step.get_untracked();
    by(&mut altered);
    if let Some(editor) = editor {
        editor.act(|document| action::set_step(document, altered, what));
    }
}

fn use_context_editor() -> Option<crate::ui::designer::editor::Editor> {
    use_context()
}

/// A closed line that says what it is set to, and opens.
#[component]
pub(super) fn Part(title: &'static str, #[prop(into)] aside: Signal<String>, children: ChildrenFn) -> impl IntoView {
    view! {
        <details class="disclosure">
            <summary>
                <span>{title}</span>
                <span class="aside">{move || aside.get()}</span>
                <svg class="icon twist" aria-hidden="true"><use_ href=move || "/icons.svg#i-right"></use_></svg>
            </summary>
            <div class="disclosure-body">{children()}</div>
        </details>
    }
}

#[component]
fn TimeoutPart(step: RwSignal<Step>, kind: Option<&'static Kind>) -> impl IntoView {
    let editor = use_editor();
    let default = kind.map_or(0, |kind| kind.default_timeout_ms);
    let said = move |ms: u64| {
        if ms == 0 { "None".to_owned() } else { format::duration(ms as i64) }
    };
    let limit = Memo::new(move |_| step.read().timeout_ms);
    let aside = Signal::derive(move || limit.get().map_or_else(|| format!("{}, the default", said(default)), said));
    let set = Callback::new(move |number: Option<f64>| {
        let timeout_ms = number.map(|n| n.clamp(1.0, MAX_TIMEOUT_MS) as u64);
        let altered = Step { timeout_ms, ..step.get_untracked() };
        editor.act(|document| action::set_step(document, altered, "the time limit"));
    });
    view! {
        <Part title="Time limit" aside>
            <NumberLine
                id="timeout"
                label="Of one attempt"
                value=Signal::derive(move || limit.get().map(|ms| ms.to_string()).unwrap_or_default())
                placeholder=if default == 0 { String::new() } else { format::span(default as i64) }
                within=(1.0, MAX_TIMEOUT_MS)
                time=true
                set
            />
        </Part>
    }
}

#[component]
fn FailurePart(step: RwSignal<Step>) -> impl IntoView {
    let editor = use_editor();
    let word = |on_error: OnError| match on_error {
        OnError::Fail => ("fail", "Fail the run"),
        OnError::Continue => ("continue", "Go on with a default output"),
        OnError::Port => ("port", "Leave by the error port"),
        OnError::Pause => ("pause", "Pause the run until a person resumes it"),
    };
    let on_error = Memo::new(move |_| step.read().on_error);
    let get = Signal::derive(move || word(on_error.get()).0.to_owned());
    let set = Callback::new(move |text: String| {
        let chosen =
            [OnError::Fail, OnError::Continue, OnError::Port, OnError::Pause].into_iter().find(|o| word(*o).0 == text);
        alter(step, "what a failure does", |step| step.on_error = chosen.unwrap_or_default());
    });
    let choices: Vec<Choice> = [OnError::Fail, OnError::Continue, OnError::Port, OnError::Pause]
        .into_iter()
        .map(|o| Choice::new(word(o).0, word(o).1))
        .collect();
    let default = Signal::derive(move || Some(step.read().default.clone()).filter(|value| !value.is_null()));
    let set_default = Callback::new(move |value: Option<serde_json::Value>| {
        let altered = Step { default: value.unwrap_or_default(), ..step.get_untracked() };
        editor.act(|document| action::set_step(document, altered, "the default output"));
    });
    view! {
        <Part title="If it fails" aside=Signal::derive(move || word(on_error.get()).1.to_owned())>
            <Select id="on-error" label="After the last attempt" value=(get, set) choices=Signal::stored(choices.clone()) />
            <Show when=move || on_error.get() == OnError::Continue>
                <div class="field expression-field">
                    <label for="default-output">"Default output"<span class="aside">"JSON"</span></label>
                    <JsonText id="default-output".to_owned() step=None value=default set=set_default />
                </div>
            </Show>
        </Part>
    }
}

#[component]
fn DisabledPart(step: RwSignal<Step>) -> impl IntoView {
    let editor = use_editor();
    let disabled = Signal::derive(move || step.read().disabled);
    let set = Callback::new(move |on: bool| {
        let altered = Step { disabled: on, ..step.get_untracked() };
        let name = if on { "Disable" } else { "Enable" };
        let changes = vec![
            Change::mark(format!("{name} {}", altered.label())),
            Change::ReplaceStep { id: altered.id.clone(), step: Box::new(altered) },
        ];
        editor.perform(changes);
    });
    let aside = Signal::derive(move || if disabled.get() { "Disabled" } else { "Enabled" }.to_owned());
    view! {
        <Part title="In use" aside>
            <Switch
                id="step-disabled"
                label="Disabled"
                hint=Signal::stored(Some("Passed over: what leads here goes on to what follows, with an empty output.".to_owned()))
                value=(disabled, set)
            />
        </Part>
        <Show when=move || disabled.get()>
            <div class="notice" data-tone="plain">
                <Icon name="ban" />
                <span class="grow">"This step is disabled."</span>
            </div>
        </Show>
    }
}
