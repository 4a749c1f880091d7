//! Where it is said which versions are compared, at which tasks, and what is checked.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;

use super::card::prompt_or;
use super::form::lines;
use crate::api::agents::start_comparison;
use crate::model::agent::{AgentTask, AgentVersion, Check, ComparisonDraft, ComparisonResult, MAX_TASKS};
use crate::model::{AgentId, ApiError, RunId};
use crate::ui::components::{Bound, Button, ButtonVariant, Choice, Dialog, Icon, Select, TextArea, Tone, use_toasts};
use crate::ui::format;

/// The form that the button of the dialog sends.
const FORM: &str = "compare-form";

/// What the dialog and the list have in common.
#[derive(Clone, Copy)]
pub(super) struct Comparing {
    pub is_open: RwSignal<bool>,
    /// Goes up when one was added or deleted.
    pub changed: RwSignal<u32>,
    pub may_start: bool,
    pub may_edit: bool,
    /// What can be compared.
    pub versions: RwSignal<Vec<AgentVersion>>,
    /// Tasks that the agent was given directly, the newest first.
    pub tasks: RwSignal<Vec<AgentTask>>,
}

impl Comparing {
    pub fn new(may_start: bool, may_edit: bool) -> Self {
        Self {
            is_open: RwSignal::new(false),
            changed: RwSignal::new(0),
            may_start,
            may_edit,
            versions: RwSignal::new(Vec::new()),
            tasks: RwSignal::new(Vec::new()),
        }
    }

    /// Why nothing can be compared.
    pub fn refused(self) -> Option<String> {
        let is_one = self.versions.with(|versions| versions.len() < 2);
        is_one.then(|| "There is only one version; each change makes another".to_owned())
    }
}

/// What the controls hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Form {
    first: String,
    second: String,
    runs: Vec<RunId>,
    /// One on a line.
    prompts: String,
    /// One on a line: a name, a colon and an expression.
    checks: String,
}

impl Form {
    fn draft(&self) -> ComparisonDraft {
        ComparisonDraft {
            first: self.first.parse().unwrap_or_default(),
            second: self.second.parse().unwrap_or_default(),
            runs: self.runs.clone(),
            prompts: lines(&self.prompts),
            checks: lines(&self.checks).iter().map(|line| check(line)).collect(),
        }
    }
}

/// `name: expression`; without a name the expression is its own.
fn check(line: &str) -> Check {
    let (name, holds) = match line.split_once(": ") {
        Some((name, holds)) => (name.trim().to_owned(), holds.trim()),
        None => (line.chars().take(60).collect(), line),
    };
    Check { name, holds: holds.to_owned() }
}

#[component]
pub(super) fn CompareDialog(id: Memo<Option<AgentId>>, comparing: Comparing) -> impl IntoView {
    let toasts = use_toasts();
    let form = RwSignal::new(Form::default());
    let start = Action::new(|(id, draft): &(AgentId, ComparisonDraft)| start_comparison(*id, draft.clone()));
    Effect::new(move |_| {
        if let Some(Ok(_)) = start.value().get() {
            comparing.is_open.set(false);
            comparing.changed.update(|n| *n += 1);
            toasts.say(Tone::Good, "Both versions are at work");
        }
    });
    Effect::new(move |_| {
        if comparing.is_open.get() {
            let number = |place: usize| {
                comparing
                    .versions
                    .with_untracked(|all| all.get(place).map(|one| one.version.to_string()))
                    .unwrap_or_default()
            };
            form.set(Form { first: number(1), second: number(0), ..Form::default() });
            start.value().set(None);
        }
    });
    let send = move |event: SubmitEvent| {
        event.prevent_default();
        if let Some(id) = id.get_untracked().filter(|_| !start.pending().get_untracked()) {
            start.dispatch((id, form.with_untracked(Form::draft)));
        }
    };
    let footer = move || {
        view! {
            <Button label="Cancel" on_press=move |()| comparing.is_open.set(false) />
            <Button label="Compare" icon="play" variant=ButtonVariant::Primary submit=true busy=start.pending() attr:form=FORM />
        }
    };
    view! {
        <Dialog id="compare" title=Signal::stored("Compare two versions".to_owned()) open=comparing.is_open footer=ViewFn::from(footer)>
            <form class="form" id=FORM novalidate on:submit=send><Fields form comparing start /></form>
        </Dialog>
    }
}

#[component]
fn Fields(
    form: RwSignal<Form>,
    comparing: Comparing,
    start: Action<(AgentId, ComparisonDraft), Result<ComparisonResult, ApiError>>,
) -> impl IntoView {
    let error = move |pointer: &'static str| {
        Signal::derive(move || {
            let Some(Err(error)) = start.value().get() else { return None };
            let ApiError::Invalid { fields, .. } = &error else {
                return (pointer == "/first").then(|| error.detail().to_owned());
            };
            let here = fields.iter().filter(|field| field.pointer.starts_with(pointer));
            let said: Vec<String> = here.take(3).map(|field| said(pointer, &field.pointer, &field.message)).collect();
            (!said.is_empty()).then(|| said.join(" "))
        })
    };
    let bind = move |get: fn(&Form) -> String, set: fn(&mut Form, String)| {
        let read = Memo::new(move |_| form.with(get));
        Bound::from((read.into(), Callback::new(move |value| form.update(|form| set(form, value)))))
    };
    let versions = Signal::derive(move || {
        let choice = |one: &AgentVersion| Choice::new(one.version.to_string(), format!("Version {}", one.version));
        comparing.versions.with(|all| all.iter().map(choice).collect::<Vec<_>>())
    });
    view! {
        <div class="grid pair">
            <Select
                id="compare-first" label="This version" choices=versions error=error("/first")
                value=bind(|form| form.first.clone(), |form, value| form.first = value)
            />
            <Select
                id="compare-second" label="and this one" choices=versions error=error("/second")
                value=bind(|form| form.second.clone(), |form, value| form.second = value)
            />
        </div>
        <Recorded form comparing error=error("/runs") />
        <TextArea
            id="compare-prompts" label="Tasks in words" rows=3 aside=Some("optional".to_owned()) error=error("/prompts")
            value=bind(|form| form.prompts.clone(), |form, value| form.prompts = value)
            hint=Some(format!("One on a line. With those above at most {MAX_TASKS}; each is done by both versions, and paid for."))
        />
        <TextArea
            id="compare-checks" label="What holds of a good answer" rows=3 mono=true aside=Some("optional".to_owned()) error=error("/checks")
            placeholder="names the loom: \"loom\" in steps.work.output.text"
            value=bind(|form| form.checks.clone(), |form, value| form.checks = value)
            hint=Some("One on a line: a name, a colon, and an expression over inputs.prompt and steps.work.output.".to_owned())
        />
        <p class="small dim">
            "These are trials: what would act outside, write to memory or ask somebody is refused, and the agent is told so. Scripts run in a folder of their own."
        </p>
    }
}

/// What is wrong, and in which line of a list.
fn said(pointer: &str, at: &str, message: &str) -> String {
    let line =
        at.strip_prefix(pointer).and_then(|rest| rest.split('/').nth(1)).and_then(|place| place.parse::<u32>().ok());
    match line {
        Some(line) => format!("{}: {message}.", line + 1),
        None => format::sentence(message),
    }
}

/// Tasks that the agent was given before.
#[component]
fn Recorded(form: RwSignal<Form>, comparing: Comparing, error: Signal<Option<String>>) -> impl IntoView {
    let line = move |task: AgentTask| {
        let run = task.run_id;
        let id = format!("compare-task-{run}");
        let is_on = move || form.with(|form| form.runs.contains(&run));
        let switch = move |on: bool| {
            form.update(|form| {
                form.runs.retain(|one| *one != run);
                if on {
                    form.runs.push(run);
                }
            });
        };
        view! {
            <label class="check" for=id.clone()>
                <input type="checkbox" id=id.clone() name=id.clone() prop:checked=is_on on:change=move |event| switch(event_target_checked(&event)) />
                <span class="truncate">{prompt_or(&task.prompt)}</span>
            </label>
        }
    };
    view! {
        <fieldset class="field" hidden=move || comparing.tasks.with(Vec::is_empty)>
            <legend>"Tasks that it was given before"</legend>
            <div class="queue-choices">
                <For each=move || comparing.tasks.get() key=|task| task.run_id let:task>{line(task)}</For>
            </div>
            {move || error.get().map(|text| view! { <span class="error"><Icon name="s-failed" />{text}</span> })}
        </fieldset>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_has_a_name_before_its_colon() {
        assert_eq!(check("short: steps.work.output.text | length < 9").name, "short");
        assert_eq!(check("short: steps.work.output.text | length < 9").holds, "steps.work.output.text | length < 9");
        assert_eq!(check("inputs.prompt").name, "inputs.prompt");
    }

    #[test]
    fn what_is_wrong_names_its_line() {
        assert_eq!(said("/checks", "/checks/1/holds", "expected more"), "2: expected more.");
        assert_eq!(said("/runs", "/runs", "expected 1 to 20 tasks"), "Expected 1 to 20 tasks.");
    }
}
