//! "Edit and run from here": where a fork begins, what it runs, and what is edited.

use std::collections::BTreeMap;

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use serde_json::Value;

use super::whence::{PATH, STEP, Whence};
use crate::api;
use crate::model::PageRequest;
use crate::model::workflow::{Fork, ForkOnto, ForkPoint, StepStatus};
use crate::ui::components::{Button, ButtonVariant, Choice, Dialog, DialogSize, Icon, Select, TextArea};
use crate::ui::pages::runs::order::running_order;
use crate::ui::pages::runs::watch::Watch;
use crate::ui::pages::workflows::inputs::{self, Texts};
use crate::ui::pages::workflows::start::{InputField, Refused, explained};

const FORM: &str = "fork-form";

/// Asks where and what, starts the fork and opens it.
#[component]
pub fn ForkDialog(watch: Watch, open: RwSignal<bool>, from: RwSignal<String>) -> impl IntoView {
    let busy = RwSignal::new(false);
    let footer = move || {
        view! {
            <Button label="Close" on_press=move |()| open.set(false) />
            <Button label="Start the fork" icon="fork" variant=ButtonVariant::Primary submit=true busy attr:form=FORM />
        }
    };
    view! {
        <Dialog id="fork-title" title="Edit and run from here" open size=DialogSize::Large footer=ViewFn::from(footer)>
            <Form watch from busy />
        </Dialog>
    }
}

/// What the form holds.
#[derive(Clone, Copy)]
pub struct Draft {
    /// See [`super::Travel`]; `path` for the one that is written.
    pub from: RwSignal<String>,
    /// An event's number.
    pub seq: RwSignal<String>,
    /// A path.
    pub path: RwSignal<String>,
    onto: RwSignal<String>,
    texts: RwSignal<Texts>,
    step: RwSignal<String>,
    output: RwSignal<String>,
}

impl Draft {
    fn begin(watch: Watch, from: RwSignal<String>) -> Self {
        let fields = watch.definition.with_value(|definition| inputs::fields(&definition.inputs));
        let texts = watch.ends.with_untracked(|ends| inputs::begin(&fields, Some(&ends.inputs)));
        Self {
            from,
            seq: RwSignal::new("1".to_owned()),
            path: RwSignal::new(String::new()),
            onto: RwSignal::new("same".to_owned()),
            texts: RwSignal::new(texts),
            step: RwSignal::new(String::new()),
            output: RwSignal::new(String::new()),
        }
    }

    /// Reads what was entered.
    fn read(self, watch: Watch) -> Result<Fork, Refused> {
        let whole = |text: &str| Refused { whole: Some(text.to_owned()), ..Refused::default() };
        let from = self.from.get_untracked();
        let path = self.path.with_untracked(|path| path.trim().to_owned());
        let from = match from.strip_prefix(STEP) {
            Some(step) => ForkPoint::Step(step.to_owned()),
            None if from == PATH && path.is_empty() => return Err(whole("The path is missing.")),
            None if from == PATH => ForkPoint::Step(path),
            None => ForkPoint::Seq(match from.as_str() {
                "start" => 1,
                "seq" => {
                    let number = self.seq.with_untracked(|text| text.trim().parse().ok());
                    number.ok_or_else(|| whole("The event must be a whole number, as the history counts."))?
                }
                _ => watch.last_seq(),
            }),
        };
        let onto = match self.onto.get_untracked().as_str() {
            "same" => ForkOnto::Same,
            "draft" => ForkOnto::Draft,
            version => version.parse().map_or(ForkOnto::Same, ForkOnto::Version),
        };
        let fields = watch.definition.with_value(|definition| inputs::fields(&definition.inputs));
        let given = watch.ends.with_untracked(|ends| ends.inputs.clone());
        let edited = self.texts.with_untracked(|texts| inputs::collect(&fields, texts));
        let edited = edited.map_err(|fields| Refused { fields, whole: None })?;
        // As the form shows them: what stands there for an absent input is no edit.
        let before = inputs::collect(&fields, &inputs::begin(&fields, Some(&given))).ok();
        let inputs = (Some(&edited) != before.as_ref()).then(|| merged(given, edited));
        let mut outputs = BTreeMap::new();
        let step = self.step.get_untracked();
        if !step.is_empty() {
            let output = self.output.with_untracked(|text| serde_json::from_str(text));
            outputs.insert(step, output.map_err(|error| whole(&format!("The output is no JSON: {error}.")))?);
        }
        Ok(Fork { from, inputs, outputs, onto })
    }
}

/// What the form does not show stays.
fn merged(given: Value, edited: Value) -> Value {
    match (given, edited) {
        (Value::Object(mut all), Value::Object(edited)) => {
            all.extend(edited);
            Value::Object(all)
        }
        (_, edited) => edited,
    }
}

#[component]
fn Form(watch: Watch, from: RwSignal<String>, busy: RwSignal<bool>) -> impl IntoView {
    let draft = Draft::begin(watch, from);
    let refused = RwSignal::new(Refused::default());
    let navigate = use_navigate();
    let fields = StoredValue::new(watch.definition.with_value(|definition| inputs::fields(&definition.inputs)));
    let send = move |event: SubmitEvent| {
        event.prevent_default();
        if busy.get_untracked() {
            return;
        }
        let fork = match draft.read(watch) {
            Ok(fork) => fork,
            Err(why) => return refused.set(why),
        };
        busy.set(true);
        refused.set(Refused::default());
        let navigate = navigate.clone();
        spawn_local(async move {
            let started = api::travel::fork_run(watch.id, fork).await;
            busy.try_set(false);
            match started {
                Ok(run) => navigate(&format!("/runs/{run}"), NavigateOptions::default()),
                Err(error) => drop(refused.try_set(explained(&error, &fields.get_value()))),
            }
        });
    };
    view! {
        <form class="form" id=FORM novalidate on:submit=send>
            {move || {
                refused.read().whole.clone().map(|text| {
                    view! { <div class="form-error" role="alert"><Icon name="s-failed" /><span>{text}</span></div> }
                })
            }}
            <Whence watch draft />
            <Onto watch draft />
            <Inputs fields=fields.get_value() draft refused />
            <Output watch draft />
        </form>
    }
}

/// What it runs, where there is a choice.
#[component]
fn Onto(watch: Watch, draft: Draft) -> impl IntoView {
    let (workflow, version) = watch.summary.with_untracked(|run| (run.workflow_id, run.version));
    let same =
        version.map_or_else(|| "The draft as it was".to_owned(), |version| format!("Version {version}, as before"));
    workflow.map(|workflow| {
        let versions = LocalResource::new(move || {
            api::workflows::list_versions(workflow, PageRequest { limit: 20, cursor: None })
        });
        let choices = Signal::derive(move || {
            let known = versions.get().and_then(Result::ok).map(|page| page.items).unwrap_or_default();
            let others = known.into_iter().filter(|known| Some(known.version) != version);
            let others =
                others.map(|known| Choice::new(known.version.to_string(), format!("Version {}", known.version)));
            let first = [Choice::new("same", same.clone()), Choice::new("draft", "The draft as it is now, as a test")];
            first.into_iter().chain(others).collect::<Vec<_>>()
        });
        let hint =
            "Another version fits where the steps that had begun are in it, with the same edges leading to them.";
        view! { <Select id="fork-onto" label="What runs" value=draft.onto choices hint=Some(hint.to_owned()) /> }
    })
}

#[component]
fn Inputs(fields: Vec<inputs::Field>, draft: Draft, refused: RwSignal<Refused>) -> impl IntoView {
    (!fields.is_empty()).then(|| {
        view! {
            <fieldset class="plain-fields">
                <legend>"Inputs"</legend>
                {fields
                    .into_iter()
                    .map(|field| view! { <InputField field texts=draft.texts refused form=FORM /> })
                    .collect_view()}
            </fieldset>
        }
    })
}

/// The output of one step that had ended, given by hand.
#[component]
fn Output(watch: Watch, draft: Draft) -> impl IntoView {
    let ended = move |id: &String| {
        let status = watch.step(id).map(|step| step.read().status);
        matches!(status, Some(StepStatus::Succeeded | StepStatus::Failed))
    };
    let steps = watch.definition.with_value(|definition| {
        let labels = running_order(&definition.steps, &definition.edges).into_iter().filter(ended);
        labels
            .filter_map(|id| definition.step(&id).map(|step| Choice::new(id.clone(), step.label())))
            .collect::<Vec<_>>()
    });
    let choices: Vec<Choice> = std::iter::once(Choice::new("", "None")).chain(steps).collect();
    let choose = Callback::new(move |id: String| {
        let output = watch.step(&id).map(|step| step.with_untracked(|step| step.output.clone())).unwrap_or_default();
        draft.output.set(serde_json::to_string_pretty(&output).unwrap_or_default());
        draft.step.set(id);
    });
    let value = (Signal::from(draft.step), choose);
    view! {
        <Select
            id="fork-step"
            label="Give a step's output by hand"
            value
            choices=Signal::stored(choices)
            hint=Some("The step then counts as succeeded with it; a failed step as well.".to_owned())
        />
        <Show when=move || !draft.step.read().is_empty()>
            <TextArea id="fork-output" label="Output" value=draft.output rows=6 mono=true />
        </Show>
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn inputs_that_the_form_does_not_show_stay() {
        assert_eq!(merged(json!({"a": 1, "hidden": 2}), json!({"a": 3})), json!({"a": 3, "hidden": 2}));
        assert_eq!(merged(Value::Null, json!({"a": 3})), json!({"a": 3}));
    }
}
