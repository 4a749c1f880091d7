//! The inputs of a test run, asked for by a form made from their JSON Schema; and the bar that says how it goes.

use std::collections::BTreeMap;

use leptos::prelude::*;
use serde_json::{Map, Value};

use super::inspector::number_or_text;
use super::overlay::RunView;
use super::run::{Runner, refused, use_runner};
use crate::model::workflow::{Command, RunStatus, TriggerKind};
use crate::ui::components::{
    Button, ButtonLink, ButtonShape, ButtonSize, ButtonVariant, Dialog, Icon, StatusBadge, StatusLook, StatusShape,
};
use crate::ui::format;

/// One question of the form.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// The input's name.
    pub name: String,
    /// Its JSON Schema type; `string` when it has none.
    pub kind: String,
    /// Whether it must be answered.
    pub required: bool,
    /// What it is for.
    pub description: String,
    /// What stands there when nothing is answered.
    pub default: Option<Value>,
}

/// What a schema asks for, required ones first.
pub fn questions(schema: &Value) -> Vec<Question> {
    let required: Vec<&str> =
        schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let properties = schema.get("properties").and_then(Value::as_object);
    let text = |property: &Value, key: &str| property.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut questions: Vec<Question> = properties
        .into_iter()
        .flatten()
        .map(|(name, property)| Question {
            name: name.clone(),
            kind: Some(text(property, "type")).filter(|kind| !kind.is_empty()).unwrap_or_else(|| "string".to_owned()),
            required: required.contains(&name.as_str()),
            description: text(property, "description"),
            default: property.get("default").cloned(),
        })
        .collect();
    questions.sort_by_key(|question| !question.required);
    questions
}

/// The inputs from what was typed. An empty answer is left out, so that defaults apply.
///
/// # Errors
/// The name of the input and what was expected.
pub fn answers(questions: &[Question], typed: &BTreeMap<String, String>) -> Result<Value, (String, String)> {
    let mut inputs = Map::new();
    for question in questions {
        let text = typed.get(&question.name).map(String::as_str).unwrap_or_default();
        let name = question.name.clone();
        if text.is_empty() {
            if question.required && question.default.is_none() {
                return Err((name, "This input is required.".to_owned()));
            }
            continue;
        }
        let value = match question.kind.as_str() {
            "boolean" => Value::Bool(text == "true"),
            "integer" | "number" => number_or_text(text)
                .filter(|value| value.is_number() && (question.kind == "number" || value.is_i64()))
                .ok_or_else(|| {
                    (
                        name.clone(),
                        format!("Expected {}.", if question.kind == "integer" { "a whole number" } else { "a number" }),
                    )
                })?,
            "array" | "object" => {
                serde_json::from_str(text).map_err(|error| (name.clone(), format!("Expected JSON: {error}.")))?
            }
            _ => Value::String(text.to_owned()),
        };
        inputs.insert(name, value);
    }
    Ok(Value::Object(inputs))
}

/// Asks for the inputs.
#[component]
pub fn TestRunDialog() -> impl IntoView {
    let runner = use_runner();
    let typed = RwSignal::new(BTreeMap::<String, String>::new());
    let wrong = RwSignal::new(None::<(String, String)>);
    let asked = Memo::new(move |_| {
        runner.asking.track();
        super::editor::use_editor().with(|document| questions(&document.details.inputs))
    });
    Effect::new(move |_| {
        if runner.asking.get() {
            wrong.set(None);
            typed.set(prefilled(runner, &asked.get_untracked()));
        }
    });
    let start = Callback::new(move |()| match answers(&asked.get_untracked(), &typed.get_untracked()) {
        Ok(inputs) => {
            wrong.set(None);
            runner.start(inputs);
        }
        Err(why) => wrong.set(Some(why)),
    });
    // What the server refuses stands beside its input too, and what was typed stays.
    let whole = Memo::new(move |_| {
        let error = runner.refused.get()?;
        let questions = asked.get_untracked();
        let beside = questions.iter().any(|question| error.field(&format!("/inputs/{}", question.name)).is_some());
        (!beside).then(|| refused(&error))
    });
    Effect::new(move |_| {
        let Some(error) = runner.refused.get() else { return };
        let beside = asked.get_untracked().into_iter().find_map(|question| {
            let why = error.field(&format!("/inputs/{}", question.name))?.to_owned();
            Some((question.name, super::problems::sentence(&why)))
        });
        wrong.set(beside);
    });
    let footer = move || {
        view! {
            <Button label="Cancel" on_press=move |()| runner.asking.set(false) />
            <Button label="Start test run" icon="play" variant=ButtonVariant::Primary busy=runner.starting on_press=start />
        }
    };
    view! {
        <Dialog id="test-run-title" title="Test run" open=runner.asking footer=ViewFn::from(footer)>
            <form
                class="form"
                on:submit=move |event| {
                    event.prevent_default();
                    start.run(());
                }
            >
                {move || whole.get().map(|why| view! {
                    <div class="form-error" role="alert"><Icon name="s-failed" /><span>{why}</span></div>
                })}
                {move || asked.get().into_iter().map(|question| view! { <Answer question typed wrong /> }).collect_view()}
                <button type="submit" hidden="">"Start"</button>
            </form>
        </Dialog>
    }
}

/// What the last run was given, else the defaults.
fn prefilled(runner: Runner, questions: &[Question]) -> BTreeMap<String, String> {
    let last =
        runner.overlay.run.with_untracked(|run| run.as_ref().map(|run| run.detail.inputs.clone())).unwrap_or_default();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let value = |question: &Question| last.get(&question.name).or(question.default.as_ref()).map(text);
    questions.iter().filter_map(|question| Some((question.name.clone(), value(question)?))).collect()
}

#[component]
fn Answer(
    question: Question,
    typed: RwSignal<BTreeMap<String, String>>,
    wrong: RwSignal<Option<(String, String)>>,
) -> impl IntoView {
    let Question { name, kind, required, description, .. } = question;
    let id = format!("input-{name}");
    let notes = format!("{id}-notes");
    let key = StoredValue::new(name.clone());
    let text = Memo::new(move |_| key.with_value(|key| typed.read().get(key).cloned()).unwrap_or_default());
    let set = move |text: String| typed.update(|typed| drop(typed.insert(key.get_value(), text)));
    let error =
        Memo::new(move |_| wrong.get().filter(|(name, _)| key.with_value(|key| key == name)).map(|(_, why)| why));
    let invalid = move || error.read().is_some().then_some("true");
    let control = match kind.as_str() {
        "boolean" => view! {
            <select class="input" id=id.clone() prop:value=move || text.get() on:change=move |event| set(event_target_value(&event))>
                <option value="" selected=move || text.read().is_empty()>"Not set"</option>
                <option value="true" selected=move || *text.read() == "true">"Yes"</option>
                <option value="false" selected=move || *text.read() == "false">"No"</option>
            </select>
        }
        .into_any(),
        "array" | "object" => view! {
            <textarea
                class="input"
                data-mono=""
                id=id.clone()
                rows="3"
                aria-invalid=invalid
                aria-describedby=notes.clone()
                prop:value=move || text.get()
                on:input=move |event| set(event_target_value(&event))
            ></textarea>
        }
        .into_any(),
        _ => view! {
            <input
                class="input"
                id=id.clone()
                type="text"
                inputmode=if kind == "string" { "text" } else { "decimal" }
                aria-invalid=invalid
                aria-describedby=notes.clone()
                prop:value=move || text.get()
                on:input=move |event| set(event_target_value(&event))
            />
        }
        .into_any(),
    };
    view! {
        <div class="field">
            <label for=id>{name} {(!required).then(|| view! { <span class="aside">"optional"</span> })}</label>
            {control}
            <span class="hint" id=notes>
                {description} {move || error.get().map(|error| view! { <span class="error">{error}</span> })}
            </span>
        </div>
    }
}

/// How the run goes: status, time, steps done, what one may do.
#[component]
pub fn RunBar() -> impl IntoView {
    let runner = use_runner();
    let overlay = runner.overlay;
    let status = Memo::new(move |_| {
        overlay.run.read().as_ref().filter(|_| overlay.shown.get()).map(|run| run.detail.summary.status)
    });
    let elapsed = move || overlay.run.read().as_ref().map(|run| elapsed(run, overlay.now.get())).unwrap_or_default();
    let done = move || {
        let run = overlay.run.read();
        run.as_ref()
            .map(|run| format!("{} of {} steps", run.detail.summary.steps_done, run.detail.summary.steps_total))
            .unwrap_or_default()
    };
    let href = Signal::derive(move || {
        overlay.run.read().as_ref().map(|run| format!("/runs/{}", run.detail.summary.id)).unwrap_or_default()
    });
    // The newest run in motion is shown, too, whatever has started it.
    let what = move || {
        let run = overlay.run.read();
        let is_test = run.as_ref().is_none_or(|run| run.detail.summary.trigger == TriggerKind::Test);
        if is_test { "Test run" } else { "Run" }
    };
    move || {
        let shown = status.get()?;
        let look = Signal::derive(move || StatusLook::from(status.get().unwrap_or(RunStatus::Queued)));
        Some(view! {
            <div class="runbar" role="region" aria-label=what>
                <strong>{what}</strong>
                <StatusBadge status=look shape=StatusShape::Pill />
                <span class="num dim">{elapsed}</span>
                <span class="num dim">{done}</span>
                <span class="sep"></span>
                <ButtonLink href label="Open" variant=ButtonVariant::Quiet size=ButtonSize::Small />
                {shown.allows(Command::Cancel).then(|| view! { <BarButton label="Cancel the run" icon="stop" on_press=move |()| runner.command(Command::Cancel) /> })}
                {shown.is_final().then(|| view! { <BarButton label="Take the run off the graph" icon="x" on_press=move |()| runner.hide() /> })}
            </div>
        })
    }
}

#[component]
fn BarButton(label: &'static str, icon: &'static str, #[prop(into)] on_press: Callback<()>) -> impl IntoView {
    view! {
        <Button
            label=label
            icon=icon
            variant=ButtonVariant::Quiet
            size=ButtonSize::Small
            shape=ButtonShape::IconOnly
            on_press=on_press
        />
    }
}

fn elapsed(run: &RunView, now: crate::model::Timestamp) -> String {
    let summary = &run.detail.summary;
    let from = summary.started_at.unwrap_or(summary.created_at);
    format::stopwatch(summary.ended_at.unwrap_or(now).ms_since(from).max(0))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn answers_take_the_types_of_the_schema() {
        let schema = json!({"type": "object", "required": ["path"], "properties": {
            "deep": {"type": "boolean"}, "n": {"type": "integer", "default": 3}, "path": {"type": "string"}, "tags": {"type": "array"}}});
        let asked = questions(&schema);
        assert_eq!(asked[0].name, "path");
        let typed = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let given = typed(&[("path", "."), ("deep", "true"), ("n", "4"), ("tags", "[1]")]);
        assert_eq!(answers(&asked, &given).unwrap(), json!({"path": ".", "deep": true, "n": 4, "tags": [1]}));
        assert_eq!(answers(&asked, &typed(&[("path", "x")])).unwrap(), json!({"path": "x"}));
        assert_eq!(answers(&asked, &typed(&[("n", "many"), ("path", ".")])).unwrap_err().0, "n");
        let missing = ("path".to_owned(), "This input is required.".to_owned());
        assert_eq!(answers(&asked, &typed(&[("path", "")])).unwrap_err(), missing);
    }
}
