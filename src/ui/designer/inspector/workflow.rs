//! The workflow as a whole: name, description, inputs, output. Shown while nothing is chosen.

use leptos::prelude::*;
use serde_json::{Map, Value, json};

use super::Close;
use super::ending::BadEnd;
use super::limits::RunLimits;
use super::lists::JsonText;
use super::team::TeamPart;
use crate::ui::components::{Button, ButtonShape, ButtonSize, ButtonVariant, Choice};
use crate::ui::designer::action;
use crate::ui::designer::change::Details;
use crate::ui::designer::costs::RunCosts;
use crate::ui::designer::editor::{Editor, use_editor};

/// The types that an input may have, with their words.
const TYPES: [(&str, &str); 6] = [
    ("string", "Text"),
    ("integer", "Whole number"),
    ("number", "Number"),
    ("boolean", "Yes or no"),
    ("array", "List"),
    ("object", "Object"),
];

pub(super) fn alter(editor: Editor, what: &str, by: impl FnOnce(&mut Details)) {
    let mut details = editor.details.get_untracked();
    by(&mut details);
    editor.act(|document| action::set_details(document, details, what));
}

/// The workflow.
#[component]
pub fn WorkflowPanel() -> impl IntoView {
    let editor = use_editor();
    let name = Memo::new(move |_| editor.details.read().name.clone());
    let description = Memo::new(move |_| editor.details.read().description.clone());
    let output = Signal::derive(move || Some(editor.output.get()).filter(|value| !value.is_null()));
    let set_output = Callback::new(move |value: Option<Value>| {
        editor.act(|document| action::set_output(document, value.unwrap_or_default()));
    });
    view! {
        <div class="pane-head">
            <h2>"Workflow"</h2>
            <div class="actions"><Close /></div>
        </div>
        <div class="pane-body">
            <fieldset class="plain-fields" disabled=!editor.may_edit>
                <div class="field">
                    <label for="workflow-name">"Name"</label>
                    <input
                        class="input"
                        id="workflow-name"
                        type="text"
                        maxlength="120"
                        prop:value=move || name.get()
                        on:input=move |event| {
                            alter(editor, "the name", |details| details.name = event_target_value(&event));
                        }
                    />
                </div>
                <div class="field">
                    <label for="workflow-description">"What it is for"<span class="aside">"optional"</span></label>
                    <textarea
                        class="input"
                        id="workflow-description"
                        rows="3"
                        prop:value=move || description.get()
                        on:input=move |event| {
                            alter(editor, "the description", |details| details.description = event_target_value(&event));
                        }
                    ></textarea>
                </div>
                <Inputs />
                <div class="field expression-field">
                    <label for="workflow-output">"Output"<span class="aside">"JSON, optional"</span></label>
                    <JsonText id="workflow-output".to_owned() step=None value=output set=set_output />
                    <span class="hint" id="workflow-output-notes">"What a run gives back. Texts may hold {{ … }}."</span>
                </div>
                <RunLimits />
                <BadEnd />
                <TeamPart />
            </fieldset>
            <RunCosts />
        </div>
    }
}

/// The properties of the inputs' schema, as an object.
fn properties(schema: &Value) -> Map<String, Value> {
    schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default()
}

fn is_required(schema: &Value, name: &str) -> bool {
    schema.get("required").and_then(Value::as_array).is_some_and(|names| names.iter().any(|n| n == name))
}

/// The schema with another property in place of `old`; everything that this form doesn't show stays.
fn with_property(schema: &Value, old: Option<&str>, new: Option<(&str, Value, bool)>) -> Value {
    let mut schema = if schema.is_object() { schema.clone() } else { json!({"type": "object"}) };
    let mut properties = properties(&schema);
    let mut required: Vec<Value> = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    if let Some(old) = old {
        properties.remove(old);
        required.retain(|name| name != old);
    }
    if let Some((name, property, needed)) = new {
        properties.insert(name.to_owned(), property);
        if needed {
            required.push(json!(name));
        }
    }
    let Some(fields) = schema.as_object_mut() else {
        return schema;
    };
    if properties.is_empty() {
        return Value::Null;
    }
    fields.insert("properties".to_owned(), Value::Object(properties));
    if required.is_empty() {
        fields.remove("required");
    } else {
        fields.insert("required".to_owned(), Value::Array(required));
    }
    schema
}

/// What a run asks for.
#[component]
fn Inputs() -> impl IntoView {
    let editor = use_editor();
    let names = Memo::new(move |_| {
        properties(&editor.details.read().inputs).into_iter().map(|(name, _)| name).collect::<Vec<_>>()
    });
    let add = move |()| {
        let taken = names.get_untracked();
        let name = (1..=u32::MAX)
            .map(|n| if n == 1 { "input".to_owned() } else { format!("input_{n}") })
            .find(|n| !taken.contains(n));
        if let Some(name) = name {
            alter(editor, "the inputs", |details| {
                details.inputs = with_property(&details.inputs, None, Some((&name, json!({"type": "string"}), true)));
            });
        }
    };
    view! {
        <div class="field" role="group" aria-labelledby="inputs-label">
            <span class="label" id="inputs-label">"Inputs"<span class="aside">"asked for when it is run"</span></span>
            <ul class="inputs">
                <For each=move || names.get() key=Clone::clone let:name>
                    <InputRow name />
                </For>
            </ul>
            <Button label="Add an input" icon="plus" size=ButtonSize::Small variant=ButtonVariant::Quiet on_press=add />
        </div>
    }
}

#[component]
fn InputRow(name: String) -> impl IntoView {
    let editor = use_editor();
    let name = StoredValue::new(name);
    let schema = Memo::new(move |_| {
        properties(&editor.details.read().inputs).get(&name.get_value()).cloned().unwrap_or_default()
    });
    let required = Memo::new(move |_| is_required(&editor.details.read().inputs, &name.get_value()));
    let put = move |new: &str, property: Value, needed: bool| {
        let old = name.get_value();
        alter(editor, "the inputs", |details| {
            details.inputs = with_property(&details.inputs, Some(&old), Some((new, property, needed)));
        });
    };
    let set = move |key: &'static str, value: Option<Value>| {
        let mut property = schema.get_untracked();
        if let Some(fields) = property.as_object_mut() {
            match value {
                Some(value) => fields.insert(key.to_owned(), value),
                None => fields.remove(key),
            };
        }
        put(&name.get_value(), property, required.get_untracked());
    };
    let text = move |key: &'static str| {
        move || match schema.read().get(key) {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        }
    };
    let kind = Memo::new(move |_| schema.read().get("type").and_then(Value::as_str).unwrap_or("string").to_owned());
    let default = move |text: String| {
        let value = match kind.get_untracked().as_str() {
            "string" => Value::String(text.clone()),
            _ => serde_json::from_str(&text).unwrap_or_else(|_| Value::String(text.clone())),
        };
        set("default", (!text.is_empty()).then_some(value));
    };
    let rename = move |event: leptos::ev::Event| {
        let new = event_target_value(&event).trim().to_owned();
        if !new.is_empty() && new != name.get_value() {
            put(&new, schema.get_untracked(), required.get_untracked());
        }
    };
    let remove = move |_| {
        alter(editor, "the inputs", |details| {
            details.inputs = with_property(&details.inputs, Some(&name.get_value()), None);
        });
    };
    let choices: Vec<Choice> = TYPES.iter().map(|(value, label)| Choice::new(*value, *label)).collect();
    let of = name.get_value();
    view! {
        <li class="input-row">
            <div class="entry" data-pair="">
                <input class="input" data-mono="" aria-label="Name of the input" prop:value=of.clone() on:change=rename />
                <select
                    class="input"
                    aria-label=format!("Type of {of}")
                    prop:value=move || kind.get()
                    on:change=move |event| set("type", Some(Value::String(event_target_value(&event))))
                >
                    {choices
                        .into_iter()
                        .map(|Choice { value, label }| {
                            let own = value.clone();
                            view! { <option value=value selected=move || kind.get() == own>{label}</option> }
                        })
                        .collect_view()}
                </select>
                <RemoveInput of=of.clone() on_press=remove />
            </div>
            <input
                class="input"
                aria-label=format!("Description of {of}")
                placeholder="Description"
                prop:value=text("description")
                on:change=move |event| {
                    let text = event_target_value(&event);
                    set("description", (!text.is_empty()).then_some(Value::String(text)));
                }
            />
            <div class="row">
                <input
                    class="input grow"
                    data-mono=""
                    aria-label=format!("Default of {of}")
                    placeholder="Default"
                    prop:value=text("default")
                    on:change=move |event| default(event_target_value(&event))
                />
                <label class="check">
                    <input
                        type="checkbox"
                        prop:checked=move || required.get()
                        on:change=move |event| put(&name.get_value(), schema.get_untracked(), event_target_checked(&event))
                    />
                    "Required"
                </label>
            </div>
        </li>
    }
}

#[component]
fn RemoveInput(of: String, on_press: impl Fn(()) + Send + Sync + 'static) -> impl IntoView {
    view! {
        <Button
            label=format!("Remove {of}")
            icon="x"
            variant=ButtonVariant::Quiet
            shape=ButtonShape::IconOnly
            on_press=Callback::new(on_press)
        />
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_is_altered_and_what_the_form_does_not_show_stays() {
        let schema = json!({"type": "object", "additionalProperties": false, "required": ["a"],
            "properties": {"a": {"type": "string", "pattern": "^x"}}});
        let renamed = with_property(&schema, Some("a"), Some(("b", properties(&schema)["a"].clone(), true)));
        assert_eq!(renamed["properties"]["b"]["pattern"], "^x");
        assert_eq!(renamed["required"], json!(["b"]));
        assert_eq!(renamed["additionalProperties"], false);
        assert_eq!(with_property(&renamed, Some("b"), None), Value::Null);
    }
}
