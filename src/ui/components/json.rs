//! Data as a tree: branches open and close, long things are cut and can be shown, every value can be copied.

use leptos::html;
use leptos::prelude::*;
use serde_json::Value;

use super::CopyButton;
use crate::ui::{browser, format};

/// Branches open at first, down to this depth.
const OPEN_TO: u32 = 2;
/// Items of a branch that are drawn before one asks for more.
const PAGE: usize = 100;
/// Characters of a text that are drawn before one asks for the rest.
const TEXT_CHARS: usize = 1_000;
/// Below this depth the value is drawn as one line of JSON.
const DEEPEST: u32 = 60;

/// A value as a tree. ↑ and ↓ move between rows, → opens, ← closes.
#[component]
pub fn JsonTree(
    /// What it is: "Output of Fetch".
    #[prop(into)]
    label: Signal<String>,
    #[prop(into)] value: Signal<Value>,
) -> impl IntoView {
    let element = NodeRef::<html::Div>::new();
    let keys = move |event: leptos::ev::KeyboardEvent| {
        let step = match event.key().as_str() {
            "ArrowDown" => 1,
            "ArrowUp" => -1,
            _ => return,
        };
        event.prevent_default();
        if let Some(element) = element.get() {
            browser::move_focus(&element, ".json-toggle, .leaf, .json-more", step);
        }
    };
    view! {
        <div class="json-bar">
            <span class="grow">{move || value.with(|value| format::bytes(value.to_string().len() as u64))}</span>
            <CopyButton
                text=Signal::derive(move || value.with(pretty))
                label="Copy all"
                shape=super::ButtonShape::Labelled
            />
        </div>
        <div class="json" role="group" aria-label=move || label.get() node_ref=element on:keydown=keys>
            {move || node(None, value.get(), 0)}
        </div>
    }
}

/// The name of a value within its branch.
#[derive(Debug, Clone)]
enum Key {
    Field(String),
    Index(usize),
}

fn key_view(key: Option<&Key>) -> Option<impl IntoView + use<>> {
    let (class, text) = match key? {
        Key::Field(name) => ("k", name.clone()),
        Key::Index(at) => ("p", at.to_string()),
    };
    Some(view! { <span class=class>{text}</span><span class="p">": "</span> })
}

fn node(key: Option<Key>, value: Value, depth: u32) -> AnyView {
    let is_branch = match &value {
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        _ => false,
    };
    if is_branch && depth < DEEPEST {
        view! { <Branch key value depth /> }.into_any()
    } else {
        view! { <Leaf key value /> }.into_any()
    }
}

#[component]
fn Leaf(key: Option<Key>, value: Value) -> impl IntoView {
    let (class, text) = leaf_text(&value);
    let cut = cut_at(&text, TEXT_CHARS);
    let whole = RwSignal::new(cut.is_none());
    let rest = cut.map(|at| text[at..].chars().count());
    let shown = {
        let text = text.clone();
        move || match cut {
            Some(at) if !whole.get() => format!("{}…", &text[..at]),
            _ => text.clone(),
        }
    };
    view! {
        <div class="json-row">
            <span class="leaf" tabindex="-1">
                {key_view(key.as_ref())}
                <span class=class>{shown}</span>
            </span>
            <JsonCopy value />
        </div>
        <Show when=move || !whole.get()>
            <button class="json-more" type="button" on:click=move |_| whole.set(true)>
                {format!("{} more characters", format::count(rest.unwrap_or_default() as i64))}
            </button>
        </Show>
    }
}

#[component]
fn Branch(key: Option<Key>, value: Value, depth: u32) -> impl IntoView {
    let open = RwSignal::new(depth < OPEN_TO);
    let shown = RwSignal::new(PAGE);
    let summary = branch_summary(&value);
    let value = StoredValue::new(value);
    let len = value.with_value(|value| match value {
        Value::Array(items) => items.len(),
        Value::Object(fields) => fields.len(),
        _ => 0,
    });
    let keys = move |event: leptos::ev::KeyboardEvent| match event.key().as_str() {
        "ArrowRight" => open.set(true),
        "ArrowLeft" => open.set(false),
        _ => {}
    };
    let items = move || value.with_value(|value| items(value, shown.get(), depth));
    let left = move || len.saturating_sub(shown.get());
    view! {
        <div class="json-row">
            <button
                class="json-toggle"
                type="button"
                aria-expanded=move || open.get().to_string()
                on:click=move |_| open.update(|open| *open = !*open)
                on:keydown=keys
            >
                {key_view(key.as_ref())}
                <span class="p">{summary}</span>
            </button>
            <JsonCopy value=value.get_value() />
        </div>
        <Show when=move || open.get()>
            <div class="json-children">
                {items}
                <Show when=move || { left() > 0 }>
                    <button class="json-more" type="button" on:click=move |_| shown.update(|shown| *shown += PAGE)>
                        {move || format!("{} of {} more", left().min(PAGE), left())}
                    </button>
                </Show>
            </div>
        </Show>
    }
}

#[component]
fn JsonCopy(value: Value) -> impl IntoView {
    let value = StoredValue::new(value);
    view! { <span class="json-copy"><CopyButton text=Signal::derive(move || value.with_value(copied)) label="Copy this value" /></span> }
}

/// The first `most` items of a branch, drawn.
fn items(value: &Value, most: usize, depth: u32) -> Vec<AnyView> {
    match value {
        Value::Array(items) => items
            .iter()
            .take(most)
            .enumerate()
            .map(|(at, item)| node(Some(Key::Index(at)), item.clone(), depth + 1))
            .collect(),
        Value::Object(fields) => fields
            .iter()
            .take(most)
            .map(|(name, item)| node(Some(Key::Field(name.clone())), item.clone(), depth + 1))
            .collect(),
        _ => Vec::new(),
    }
}

/// "list, 3 items", "object, 1 field".
fn branch_summary(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("list, {}", format::plural(items.len() as i64, "item")),
        Value::Object(fields) => format!("object, {}", format::plural(fields.len() as i64, "field")),
        _ => String::new(),
    }
}

/// The class and the text of a value on one line.
fn leaf_text(value: &Value) -> (&'static str, String) {
    let class = match value {
        Value::String(_) => "s",
        Value::Number(_) => "n",
        Value::Bool(_) | Value::Null => "w",
        Value::Array(_) | Value::Object(_) => "p",
    };
    (class, value.to_string())
}

/// Where a text is cut so that `chars` characters stay; `None` if it is not longer.
fn cut_at(text: &str, chars: usize) -> Option<usize> {
    text.char_indices().nth(chars).map(|(at, _)| at)
}

/// What copying a value gives: a text as it is, anything else as JSON.
fn copied(value: &Value) -> String {
    value.as_str().map_or_else(|| pretty(value), str::to_owned)
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).expect("a JSON value is always written")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(cut_at("äöü", 2), Some(4));
        assert_eq!(cut_at("äöü", 3), None);
    }

    #[test]
    fn a_branch_says_what_it_holds() {
        assert_eq!(branch_summary(&json!([1])), "list, 1 item");
        assert_eq!(branch_summary(&json!({"a": 1, "b": 2})), "object, 2 fields");
    }

    #[test]
    fn a_text_is_copied_without_its_quotes() {
        assert_eq!(copied(&json!("a \"b\"")), "a \"b\"");
        assert_eq!(copied(&json!([1])), "[\n  1\n]");
        assert_eq!(leaf_text(&json!(null)), ("w", "null".to_owned()));
    }
}
