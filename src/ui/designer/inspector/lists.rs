//! The editors of fields with several values: lists, pairs, cases, limits, and any JSON.

use leptos::prelude::*;
use serde_json::{Map, Value, json};

use super::field::{FieldContext, Notes, number_or_text};
use crate::ui::components::{Button, ButtonShape, ButtonSize, ButtonVariant};

/// The label of a group of controls, and what stands under it.
#[component]
pub fn Group(context: FieldContext, children: Children) -> impl IntoView {
    let id = format!("{}-label", context.control.get_value());
    let labelled_by = id.clone();
    view! {
        <div class="field" role="group" aria-labelledby=labelled_by>
            <span class="label" id=id>
                {context.field.label} {context.aside().map(|aside| view! { <span class="aside">{aside}</span> })}
            </span>
            {children()}
            <Notes context />
        </div>
    }
}

#[component]
fn Remove(label: String, #[prop(into)] on_press: Callback<()>) -> impl IntoView {
    view! {
        <Button
            label=label
            icon="x"
            variant=ButtonVariant::Quiet
            shape=ButtonShape::IconOnly
            on_press=on_press
        />
    }
}

/// A line of a list or table: an input that sets one text.
#[component]
fn Line(
    label: String,
    value: String,
    set: Callback<String>,
    #[prop(optional)] placeholder: &'static str,
) -> impl IntoView {
    view! {
        <input
            class="input"
            data-mono=""
            type="text"
            aria-label=label
            spellcheck="false"
            placeholder=placeholder
            prop:value=value
            on:change=move |event| set.run(event_target_value(&event))
        />
    }
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A list of texts, or of whole numbers: one a line.
#[component]
pub fn TextList(context: FieldContext, whole_numbers: bool) -> impl IntoView {
    let items =
        Memo::new(move |_| context.value.read().as_ref().and_then(Value::as_array).cloned().unwrap_or_default());
    let write = move |items: Vec<Value>| context.set.run((!items.is_empty()).then_some(Value::Array(items)));
    let parse = move |text: String| {
        if whole_numbers { number_or_text(&text).unwrap_or(Value::Null) } else { Value::String(text) }
    };
    let add = move |()| {
        let mut items = items.get_untracked();
        items.push(if whole_numbers { json!(0) } else { json!("") });
        write(items);
    };
    let label = context.field.label;
    let row = move |(index, item): (usize, Value)| {
        let set = Callback::new(move |text: String| {
            let mut items = items.get_untracked();
            if let Some(place) = items.get_mut(index) {
                *place = parse(text);
            }
            write(items);
        });
        let remove = move |()| {
            let mut items = items.get_untracked();
            if index < items.len() {
                items.remove(index);
            }
            write(items);
        };
        view! {
            <div class="entry">
                <Line label=format!("{label} {}", index + 1) value=text_of(&item) set />
                <Remove label=format!("Remove {label} {}", index + 1) on_press=remove />
            </div>
        }
    };
    view! {
        <Group context>
            <div class="entries">{move || items.get().into_iter().enumerate().map(row).collect_view()}</div>
            <Button label="Add" icon="plus" size=ButtonSize::Small variant=ButtonVariant::Quiet on_press=add />
        </Group>
    }
}

/// Pairs of texts, such as headers.
#[component]
pub fn TextMap(context: FieldContext) -> impl IntoView {
    let map = Memo::new(move |_| context.value.read().as_ref().and_then(Value::as_object).cloned().unwrap_or_default());
    let write = move |map: Map<String, Value>| context.set.run((!map.is_empty()).then_some(Value::Object(map)));
    let add = move |()| {
        let mut map = map.get_untracked();
        let key = (1..).map(|n: u32| if n == 1 { "name".to_owned() } else { format!("name_{n}") });
        if let Some(key) = key.into_iter().find(|key| !map.contains_key(key)) {
            map.insert(key, json!(""));
        }
        write(map);
    };
    let row = move |(key, value): (String, Value)| {
        let (old, at, gone) = (key.clone(), key.clone(), key.clone());
        let rename = Callback::new(move |new: String| {
            let mut map = map.get_untracked();
            let value = map.remove(&old).unwrap_or(Value::Null);
            map.insert(new, value);
            write(map);
        });
        let set = Callback::new(move |text: String| {
            let mut map = map.get_untracked();
            map.insert(at.clone(), Value::String(text));
            write(map);
        });
        let remove = move |()| {
            let mut map = map.get_untracked();
            map.remove(&gone);
            write(map);
        };
        view! {
            <div class="entry" data-pair="">
                <Line label=format!("Name of {key}") value=key.clone() set=rename />
                <Line label=format!("Value of {key}") value=text_of(&value) set />
                <Remove label=format!("Remove {key}") on_press=remove />
            </div>
        }
    };
    view! {
        <Group context>
            <div class="entries">{move || map.get().into_iter().map(row).collect_view()}</div>
            <Button label="Add" icon="plus" size=ButtonSize::Small variant=ButtonVariant::Quiet on_press=add />
        </Group>
    }
}

/// The cases of a switch: a port and when it is taken, in order.
#[component]
pub fn Cases(context: FieldContext) -> impl IntoView {
    let cases =
        Memo::new(move |_| context.value.read().as_ref().and_then(Value::as_array).cloned().unwrap_or_default());
    let write = move |cases: Vec<Value>| context.set.run((!cases.is_empty()).then_some(Value::Array(cases)));
    let part = |case: &Value, name: &str| case.get(name).map(text_of).unwrap_or_default();
    let add = move |()| {
        let mut cases = cases.get_untracked();
        cases.push(json!({"port": format!("case_{}", cases.len() + 1), "when": ""}));
        write(cases);
    };
    let row = move |(index, case): (usize, Value)| {
        let setter = move |name: &'static str| {
            Callback::new(move |text: String| {
                let mut cases = cases.get_untracked();
                if let Some(case) = cases.get_mut(index).and_then(Value::as_object_mut) {
                    case.insert(name.to_owned(), Value::String(text));
                }
                write(cases);
            })
        };
        let remove = move |()| {
            let mut cases = cases.get_untracked();
            if index < cases.len() {
                cases.remove(index);
            }
            write(cases);
        };
        let number = index + 1;
        view! {
            <div class="entry" data-pair="">
                <Line label=format!("Port of case {number}") value=part(&case, "port") set=setter("port") />
                <Line
                    label=format!("Case {number} holds when")
                    value=part(&case, "when")
                    set=setter("when")
                    placeholder="inputs.size > 10"
                />
                <Remove label=format!("Remove case {number}") on_press=remove />
            </div>
        }
    };
    view! {
        <Group context>
            <div class="entries">{move || cases.get().into_iter().enumerate().map(row).collect_view()}</div>
            <Button label="Add a case" icon="plus" size=ButtonSize::Small variant=ButtonVariant::Quiet on_press=add />
        </Group>
    }
}

/// Whole numbers by fixed names.
#[component]
pub fn Limits(context: FieldContext, keys: &'static [&'static str]) -> impl IntoView {
    let map = Memo::new(move |_| context.value.read().as_ref().and_then(Value::as_object).cloned().unwrap_or_default());
    let row = move |key: &'static str| {
        let value = Memo::new(move |_| map.read().get(key).map(text_of).unwrap_or_default());
        let set = move |text: String| {
            let mut map = map.get_untracked();
            match number_or_text(&text) {
                Some(value) => map.insert(key.to_owned(), value),
                None => map.remove(key),
            };
            context.set.run((!map.is_empty()).then_some(Value::Object(map)));
        };
        view! {
            <label class="limit">
                <span>{limit_label(key)}</span>
                <input
                    class="input"
                    type="text"
                    inputmode="numeric"
                    prop:value=move || value.get()
                    on:input=move |event| set(event_target_value(&event))
                />
            </label>
        }
    };
    view! {
        <Group context>
            <div class="limits">{keys.iter().map(|key| row(key)).collect_view()}</div>
        </Group>
    }
}

fn limit_label(key: &str) -> String {
    match key {
        "cpu_ms" => "CPU time, ms".to_owned(),
        "memory_mb" => "Memory, MB".to_owned(),
        "processes" => "Processes".to_owned(),
        "file_mb" => "Largest file, MB".to_owned(),
        "time_ms" => "Time, ms".to_owned(),
        other => other.replace('_', " "),
    }
}

/// Any JSON. A text that has a template and is no JSON is kept as text, so that `{{ inputs.x }}` needs no quotes.
#[component]
pub fn JsonField(context: FieldContext) -> impl IntoView {
    let value = Signal::derive(move || context.value.get());
    view! {
        <div class="field expression-field">
            <label for=context.control.get_value()>
                {context.field.label} <span class="aside">"JSON"</span>
            </label>
            <JsonText id=context.control.get_value() step=Some(context.step.get_value()) value set=context.set />
            <Notes context />
        </div>
    }
}

/// The text of a JSON value, kept as typed while it does not parse.
#[component]
pub fn JsonText(
    id: String,
    step: Option<String>,
    value: Signal<Option<Value>>,
    set: Callback<Option<Value>>,
) -> impl IntoView {
    let draft = RwSignal::new(value.with_untracked(|value| written(value.as_ref())));
    // Undo, or another's edit: the text follows unless it already says the same.
    Effect::new(move |_| {
        let now = value.get();
        if draft.with_untracked(|draft| parsed(draft).is_ok_and(|parsed| parsed != now)) {
            draft.set(written(now.as_ref()));
        }
    });
    let error = Memo::new(move |_| parsed(&draft.read()).err());
    let set = Callback::new(move |text: String| {
        let read = parsed(&text);
        draft.set(text);
        if let Ok(value) = read {
            set.run(value);
        }
    });
    view! {
        <super::expression::ExpressionText
            id
            step
            text=Signal::from(draft)
            set
            lines=4
            bare=false
            invalid=Signal::derive(move || error.read().is_some())
        />
        {move || error.get().map(|error| view! { <span class="error">{error}</span> })}
    }
}

fn written(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) if text.contains("{{") && serde_json::from_str::<Value>(text).is_err() => {
            text.clone()
        }
        Some(value) => serde_json::to_string_pretty(value).unwrap_or_default(),
    }
}

fn parsed(text: &str) -> Result<Option<Value>, String> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    match serde_json::from_str(text) {
        Ok(value) => Ok(Some(value)),
        Err(_) if text.trim_start().starts_with("{{") => Ok(Some(Value::String(text.to_owned()))),
        Err(error) => Err(format!("This is no JSON: {error}. The last good value is kept.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_reads_back_as_it_was_written() {
        for value in [json!({"a": [1, "{{ x }}"]}), json!("{{ steps.a.output }}"), json!("plain"), json!(3)] {
            let value = Some(value);
            assert_eq!(parsed(&written(value.as_ref())), Ok(value));
        }
        assert_eq!(parsed(" "), Ok(None));
        assert!(parsed("{").is_err_and(|error| error.contains("no JSON")));
    }
}
