//! Starting a run: a form from the schema of the workflow's inputs.

use std::collections::BTreeMap;

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::hooks::use_navigate;
use serde_json::Value;

use super::inputs::{self, Field, Shape, Texts};
use crate::api;
use crate::model::auth::{Action, Me};
use crate::model::workflow::{Definition, Workflow};
use crate::model::{ApiError, PageRequest, RunId, WorkflowId};
use crate::ui::components::{
    Bound, Button, ButtonVariant, Choice, Dialog, ErrorState, Icon, Select, Skeleton, SkeletonShape, Switch, TextArea,
    TextInput,
};

/// The form that the button of the dialog sends.
const FORM: &str = "start-run-form";

/// What is to be run.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The workflow.
    pub workflow: WorkflowId,
    /// What the form begins with; the defaults of the schema where it is silent.
    pub inputs: Option<Value>,
}

/// What may run: a version, or the draft as a test.
#[derive(Debug, Clone, PartialEq)]
struct Runnable {
    version: Option<i64>,
    definition: Definition,
}

/// A workflow with what may be run of it, the usual first.
#[derive(Debug, Clone, PartialEq)]
struct Startable {
    workflow: Workflow,
    runnables: Vec<Runnable>,
}

/// The form of one dialog, as the button in its foot knows it.
#[derive(Clone, Copy)]
struct Sending {
    /// Unique on the page.
    id: &'static str,
    /// It is being sent.
    busy: RwSignal<bool>,
    /// It stands there; before, the button would send nothing.
    stands: RwSignal<bool>,
}

impl Sending {
    fn of(id: &'static str) -> Self {
        Self { id, busy: RwSignal::new(false), stands: RwSignal::new(false) }
    }
}

/// Reads a workflow, its newest version, and its draft where that differs.
async fn load(id: WorkflowId) -> Result<Startable, ApiError> {
    let workflow = api::workflows::get_workflow(id).await?;
    let draft = Runnable { version: None, definition: workflow.draft.clone() };
    let runnables = match workflow.published_version {
        None => vec![draft],
        Some(version) if !workflow.draft_changed => vec![Runnable { version: Some(version), ..draft }],
        Some(_) => {
            let newest = api::workflows::list_versions(id, PageRequest { limit: 1, cursor: None }).await?.items;
            let newest = newest.into_iter().map(|v| Runnable { version: Some(v.version), definition: v.definition });
            newest.chain([draft]).collect()
        }
    };
    Ok(Startable { workflow, runnables })
}

/// Asks for the inputs of `target`, starts the run and opens it.
#[component]
pub fn StartRunDialog(
    /// Unique on the page.
    id: &'static str,
    open: RwSignal<bool>,
    target: Signal<Option<Target>>,
) -> impl IntoView {
    let form = Sending::of(id);
    let footer = move || view! { <Footer open form lacking="Its form is not here yet." /> };
    view! {
        <Dialog id title="Run a workflow" open footer=ViewFn::from(footer)>
            {move || target.get().map(|target| view! { <Start target form /> })}
        </Dialog>
    }
}

/// Asks which workflow, then as [`StartRunDialog`].
#[component]
pub fn PickRunDialog(
    /// Unique on the page.
    id: &'static str,
    open: RwSignal<bool>,
) -> impl IntoView {
    let form = Sending::of(id);
    let footer = move || view! { <Footer open form lacking="Choose a workflow; its form is not here yet." /> };
    view! {
        <Dialog id title="Run a workflow" open footer=ViewFn::from(footer)>
            <Pick form />
        </Dialog>
    }
}

#[component]
fn Footer(
    open: RwSignal<bool>,
    form: Sending,
    /// Why it can't be sent while it does not stand there.
    lacking: &'static str,
) -> impl IntoView {
    let Sending { id, busy, stands } = form;
    view! {
        <Button label="Close" on_press=move |()| open.set(false) />
        <Button
            label="Start the run"
            icon="play"
            variant=ButtonVariant::Primary
            submit=true
            busy
            refused=Signal::derive(move || (!stands.get()).then(|| lacking.to_owned()))
            attr:form=format!("{id}-{FORM}")
        />
    }
}

#[component]
fn Pick(form: Sending) -> impl IntoView {
    let workflows =
        LocalResource::new(|| api::workflows::list_workflows(String::new(), PageRequest { limit: 200, cursor: None }));
    let chosen = RwSignal::new(String::new());
    let choices = Signal::derive(move || {
        let page = workflows.get().and_then(Result::ok);
        let mut choices: Vec<_> = page
            .map(|page| page.items)
            .unwrap_or_default()
            .into_iter()
            .map(|workflow| Choice::new(workflow.id.to_string(), workflow.name))
            .collect();
        choices.insert(0, Choice::new("", "Choose a workflow"));
        choices
    });
    let target = Memo::new(move |_| chosen.read().parse().ok().map(|workflow| Target { workflow, inputs: None }));
    let error = move || workflows.get().and_then(Result::err);
    view! {
        {move || error().map(|error| view! { <ErrorState error what="the workflows" /> })}
        <div class="form">
            <Select id=format!("{}-workflow", form.id) label="Workflow" value=chosen choices />
        </div>
        {move || target.get().map(|target| view! { <Start target form /> })}
    }
}

/// Loads what may be run, then shows the form.
#[component]
fn Start(target: Target, form: Sending) -> impl IntoView {
    let Target { workflow, inputs } = target;
    let startable = LocalResource::new(move || load(workflow));
    let inputs = StoredValue::new(inputs);
    move || match startable.get() {
        None => view! { <Skeleton what="the inputs" shape=SkeletonShape::Lines(3) /> }.into_any(),
        Some(Err(error)) => view! { <ErrorState error what="the workflow" /> }.into_any(),
        Some(Ok(startable)) => view! { <StartForm startable given=inputs.get_value() form /> }.into_any(),
    }
}

#[component]
fn StartForm(startable: Startable, given: Option<Value>, form: Sending) -> impl IntoView {
    let Startable { workflow, runnables } = startable;
    let may_test = use_context::<Me>().is_some_and(|me| me.may(Action::EditWorkflow));
    let runnables: Vec<_> = runnables
        .into_iter()
        .enumerate()
        .filter(|(at, _)| *at == 0 || may_test)
        .map(|(_, runnable)| runnable)
        .collect();
    let choices: Vec<_> =
        runnables.iter().enumerate().map(|(at, runnable)| Choice::new(at.to_string(), what_runs(runnable))).collect();
    let only = (choices.len() == 1).then(|| choices[0].label.clone());
    let which = RwSignal::new("0".to_owned());
    let runnables = StoredValue::new(runnables);
    let given = StoredValue::new(given);
    let name = workflow.name.clone();
    let several = only.is_none();
    view! {
        <p class="dim">{name} {only.map(|what| format!(": {}", what.to_lowercase()))}</p>
        <Show when=move || several>
            <div class="form">
                <Select
                    id=format!("{}-which", form.id)
                    label="What runs"
                    value=which
                    choices=Signal::stored(choices.clone())
                />
            </div>
        </Show>
        {move || {
            let at = which.read().parse::<usize>().unwrap_or(0);
            runnables
                .with_value(|all| all.get(at).cloned())
                .map(|runnable| view! { <InputsForm workflow=workflow.id runnable given=given.get_value() form /> })
        }}
    }
}

/// "Version 3", "The draft, as a test".
fn what_runs(runnable: &Runnable) -> String {
    runnable.version.map_or_else(|| "The draft, as a test".to_owned(), |version| format!("Version {version}"))
}

/// Why the run was not started.
#[derive(Debug, Clone, Default)]
pub struct Refused {
    /// By the names of the inputs.
    pub fields: BTreeMap<String, String>,
    /// What is about no input.
    pub whole: Option<String>,
}

#[component]
fn InputsForm(workflow: WorkflowId, runnable: Runnable, given: Option<Value>, form: Sending) -> impl IntoView {
    let Sending { id: form, busy, stands } = form;
    stands.set(true);
    on_cleanup(move || {
        stands.try_set(false);
    });
    let fields = inputs::fields(&runnable.definition.inputs);
    let texts = RwSignal::new(inputs::begin(&fields, given.as_ref()));
    let refused = RwSignal::new(Refused::default());
    let navigate = use_navigate();
    let all = StoredValue::new(fields.clone());
    let version = runnable.version;
    let send = move |event: SubmitEvent| {
        event.prevent_default();
        if busy.get_untracked() {
            return;
        }
        let inputs = match all.with_value(|fields| texts.with_untracked(|texts| inputs::collect(fields, texts))) {
            Ok(inputs) => inputs,
            Err(fields) => {
                refused.set(Refused { fields, whole: None });
                return;
            }
        };
        busy.set(true);
        refused.set(Refused::default());
        let navigate = navigate.clone();
        spawn_local(async move {
            let outcome: Result<RunId, ApiError> =
                api::runs::start_run(workflow, inputs, version, version.is_none(), None, None).await;
            busy.try_set(false);
            match outcome {
                Ok(run) => navigate(&format!("/runs/{run}"), leptos_router::NavigateOptions::default()),
                Err(error) => {
                    refused.try_set(explained(&error, &all.get_value()));
                }
            }
        });
    };
    let nothing = fields.is_empty();
    view! {
        <form class="form" id=format!("{form}-{FORM}") novalidate on:submit=send>
            {move || {
                refused.read().whole.clone().map(|text| {
                    view! { <div class="form-error" role="alert"><Icon name="s-failed" /><span>{text}</span></div> }
                })
            }}
            {nothing.then(|| view! { <p class="dim">"This workflow asks for nothing."</p> })}
            {fields.into_iter().map(|field| view! { <InputField field texts refused form /> }).collect_view()}
        </form>
    }
}

/// Sorts what the server said to the fields that it is about.
pub fn explained(error: &ApiError, fields: &[Field]) -> Refused {
    let said = |field: &Field| Some((field.name.clone(), error.field(&format!("/inputs/{}", field.name))?.to_owned()));
    let fields: BTreeMap<_, _> = fields.iter().filter_map(said).collect();
    let whole = fields.is_empty().then(|| error.detail().to_owned());
    Refused { fields, whole }
}

/// One input of a form.
#[component]
pub fn InputField(
    field: Field,
    texts: RwSignal<Texts>,
    refused: RwSignal<Refused>,
    /// Unique on the page.
    form: &'static str,
) -> impl IntoView {
    let id = format!("{form}-input-{}", field.name);
    let Field { name, label, hint, required, shape, .. } = field;
    let hint = Signal::stored((!hint.is_empty()).then_some(hint));
    let aside = Signal::stored((!required && shape != Shape::Switch).then(|| "optional".to_owned()));
    let key = StoredValue::new(name);
    let get =
        Signal::derive(move || key.with_value(|key| texts.with(|texts| texts.get(key).cloned().unwrap_or_default())));
    let set = Callback::new(move |text: String| texts.update(|texts| drop(texts.insert(key.get_value(), text))));
    let value = Bound::from((get, set));
    let error = Signal::derive(move || key.with_value(|key| refused.read().fields.get(key).cloned()));
    match shape {
        Shape::Text => view! { <TextInput id label value hint error aside required /> }.into_any(),
        Shape::LongText => view! { <TextArea id label value hint error aside required /> }.into_any(),
        Shape::Integer | Shape::Number => {
            view! { <TextInput id label value hint error aside required mono=true /> }.into_any()
        }
        Shape::Switch => {
            let on = Signal::derive(move || get.get() == "true");
            let switch = Callback::new(move |on: bool| set.run(on.to_string()));
            view! { <Switch id label value=Bound::from((on, switch)) hint error /> }.into_any()
        }
        Shape::Choice(values) => {
            let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let mut choices: Vec<_> = values.iter().map(|value| Choice::new(text(value), text(value))).collect();
            choices.insert(0, Choice::new("", if required { "Choose" } else { "Not set" }));
            view! { <Select id label value choices=Signal::stored(choices) hint error aside /> }.into_any()
        }
        Shape::Json(_) => {
            view! { <TextArea id label value hint error aside required mono=true placeholder="JSON" /> }.into_any()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::FieldError;

    #[test]
    fn what_the_server_refuses_stands_beside_its_field() {
        let fields = inputs::fields(&json!({"properties": {"path": {"type": "string"}}}));
        let error = |pointer: &str| ApiError::Invalid {
            detail: "inputs don't fit".into(),
            fields: vec![FieldError::new(pointer, "expected a directory")],
        };
        let beside = explained(&error("/inputs/path"), &fields);
        assert_eq!(beside.fields["path"], "expected a directory");
        assert_eq!(beside.whole, None);
        assert_eq!(explained(&error("/version"), &fields).whole.as_deref(), Some("inputs don't fit"));
    }
}
