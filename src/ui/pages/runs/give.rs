//! "Give its output…": somebody has done the work of a step that failed, and says what it gives.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::{Map, Value};

use super::undone::find;
use super::watch::Watch;
use crate::api;
use crate::model::auth::{Action, Me};
use crate::model::workflow::kind::Kind;
use crate::model::workflow::{Definition, Edge, GiveOutput, RunStatus, UNDO};
use crate::ui::components::{
    Button, ButtonSize, ButtonVariant, Choice, Dialog, Icon, Select, TextArea, TextInput, Tone, use_toasts,
};

const FORM: &str = "give-form";

/// The step whose output is given, and whether the dialog is open. From the context of a run's page.
#[derive(Debug, Clone, Copy)]
pub struct Giving {
    open: RwSignal<bool>,
    path: RwSignal<String>,
}

impl Giving {
    /// Nothing is asked for.
    pub fn new() -> Self {
        Self { open: RwSignal::new(false), path: RwSignal::new(String::new()) }
    }
}

/// What is known of what a step gives.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Expected {
    /// What people read.
    name: String,
    /// But for the one of failures.
    ports: Vec<String>,
    /// The fields that must be there, in one sentence; `None` where it may be anything.
    hint: Option<String>,
}

impl Expected {
    /// Of the step that a path names, also of what undoes one. Ids are unique in a definition, so that the last part of a path
    /// tells which it is.
    fn find(definition: &Definition, path: &str) -> Option<Self> {
        let id = path.trim_start_matches(UNDO).trim_end_matches('\'').rsplit('.').next()?;
        let step = find(&definition.steps, id)?;
        let (kind, config) = if path.starts_with(UNDO) {
            let compensation = step.compensate.as_ref()?;
            (&compensation.kind, &compensation.config)
        } else {
            (&step.kind, &step.config)
        };
        let kind = Kind::find(kind)?;
        let name = if path == step.id { step.label().to_owned() } else { path.to_owned() };
        let mut ports = kind.ports_of(config);
        ports.retain(|port| port != Edge::ERROR);
        let hint = ports.first().and_then(|port| hint(kind, config, port));
        Some(Self { name, ports, hint })
    }
}

fn hint(kind: &Kind, config: &Map<String, Value>, port: &str) -> Option<String> {
    let schema = kind.output_schema(config, port)?;
    if schema["type"] == "array" {
        return Some("JSON: a list.".to_owned());
    }
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    Some(match required.as_slice() {
        [] => "JSON: an object.".to_owned(),
        fields => format!("JSON: an object with {}.", fields.join(", ")),
    })
}

/// Beside a step that failed and is to be tried again.
#[component]
pub fn GiveButton(path: String) -> impl IntoView {
    let giving = expect_context::<Giving>();
    let may = use_context::<Me>().is_some_and(|me| me.may(Action::ControlRun));
    let refused = (!may).then(|| format!("Your role may not {}", Action::ControlRun.phrase()));
    let press = move |()| {
        giving.path.set(path.clone());
        giving.open.set(true);
    };
    view! {
        <Button
            label="Give its output…"
            icon="edit"
            size=ButtonSize::Small
            refused=Signal::stored(refused)
            on_press=press
        />
    }
}

/// Asks for the output and the reason, and gives it. Once on the page, so that what is typed stays while the run moves.
#[component]
pub fn GiveDialog(watch: Watch, giving: Giving) -> impl IntoView {
    let busy = RwSignal::new(false);
    let footer = move || {
        view! {
            <Button label="Cancel" on_press=move |()| giving.open.set(false) />
            <Button label="Give it" variant=ButtonVariant::Primary submit=true busy attr:form=FORM />
        }
    };
    view! {
        <Dialog id="give-title" title="Give its output by hand" open=giving.open footer=ViewFn::from(footer)>
            <Form watch giving busy />
        </Dialog>
    }
}

#[component]
fn Form(watch: Watch, giving: Giving, busy: RwSignal<bool>) -> impl IntoView {
    let toasts = use_toasts();
    let path = giving.path.get_untracked();
    let expected = watch.definition.with_value(|definition| Expected::find(definition, &path));
    let Expected { name, ports, hint } =
        expected.unwrap_or_else(|| Expected { name: path.clone(), ports: Vec::new(), hint: None });
    let (output, port, reason) =
        (RwSignal::new(String::new()), RwSignal::new(String::new()), RwSignal::new(String::new()));
    let refused = RwSignal::new(None::<String>);
    let send = move |event: SubmitEvent| {
        event.prevent_default();
        if busy.get_untracked() {
            return;
        }
        let asked = match read(&path, &output.get_untracked(), &port.get_untracked(), &reason.get_untracked()) {
            Ok(asked) => asked,
            Err(why) => return refused.set(Some(why)),
        };
        busy.set(true);
        refused.set(None);
        spawn_local(async move {
            match api::runs::give_output(watch.id, asked).await {
                Ok(summary) => {
                    giving.open.try_set(false);
                    let held = summary.status == RunStatus::Paused;
                    let then = if held { " The run goes on when it is resumed." } else { "" };
                    toasts.say(Tone::Good, format!("The step ended with what you gave.{then}"));
                    watch.take_summary(summary);
                }
                Err(error) => drop(refused.try_set(Some(error.detail().to_owned()))),
            }
            busy.try_set(false);
        });
    };
    let ports = (ports.len() > 1).then(|| {
        let named = ports.into_iter().map(|port| Choice::new(port.clone(), port));
        let choices: Vec<Choice> =
            std::iter::once(Choice::new("", "The one that the output leads to")).chain(named).collect();
        view! { <Select id="give-port" label="Leaves by" value=port choices=Signal::stored(choices) /> }
    });
    view! {
        <form class="form" id=FORM novalidate on:submit=send>
            {move || {
                refused.get().map(|text| {
                    view! { <div class="form-error" role="alert"><Icon name="s-failed" /><span>{text}</span></div> }
                })
            }}
            <p>
                <strong>{name}</strong>
                " counts as succeeded with this output and is not tried again. What follows it goes on from there."
            </p>
            <TextArea id="give-output" label="Output" value=output rows=6 mono=true required=true hint=Signal::stored(hint) />
            {ports}
            <TextInput id="give-reason" label="Why" value=reason required=true hint=Some("Stands in the history beside your name.".to_owned()) />
        </form>
    }
}

/// Reads what was entered.
fn read(path: &str, output: &str, port: &str, reason: &str) -> Result<GiveOutput, String> {
    let output = serde_json::from_str(output).map_err(|error| format!("The output is no JSON: {error}."))?;
    let reason = reason.trim();
    if reason.is_empty() {
        return Err("The reason is missing.".to_owned());
    }
    let port = (!port.is_empty()).then(|| port.to_owned());
    Ok(GiveOutput { step: path.to_owned(), output, port, reason: reason.to_owned() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn definition() -> Definition {
        let undo = json!({"kind": "shell", "config": {"command": ["refund"]}});
        let inner = json!({"id": "book", "kind": "http", "config": {"url": "http://x"}, "compensate": undo});
        serde_json::from_value(json!({"weft": 1, "name": "w", "steps": [
            {"id": "each", "kind": "map", "body": {"steps": [inner]}},
            {"id": "small", "name": "Is it small?", "kind": "condition", "config": {"when": "true"}},
        ]}))
        .expect("fits")
    }

    #[test]
    fn what_is_expected_is_found_by_path_inside_of_containers_and_for_what_undoes_a_step() {
        let known = |path: &str| Expected::find(&definition(), path).expect("there");
        assert_eq!(known("each[3].book").hint.as_deref(), Some("JSON: an object with status."));
        assert_eq!(known("undo:each#2[3].book'").hint.as_deref(), Some("JSON: an object with exit_code, stdout."));
        assert_eq!(known("each").hint.as_deref(), Some("JSON: a list."));
        let condition = known("small");
        assert_eq!((condition.name.as_str(), condition.ports), ("Is it small?", vec!["true".into(), "false".into()]));
        assert_eq!(Expected::find(&definition(), "gone"), None);
    }

    #[test]
    fn what_is_missing_is_said_before_anything_is_sent() {
        assert!(read("a", "{", "", "so").expect_err("refused").starts_with("The output is no JSON"));
        assert_eq!(read("a", "1", "", "  ").expect_err("refused"), "The reason is missing.");
        let asked = read("a", "1", "true", " done ").expect("fits");
        assert_eq!((asked.port.as_deref(), asked.reason.as_str()), (Some("true"), "done"));
    }
}
