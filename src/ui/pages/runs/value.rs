//! What came out of a step or a run: as a tree, or its texts as they are meant to be read.

use leptos::prelude::*;
use serde_json::Value;

use crate::ui::components::{CopyButton, JsonTree, Markdown};

/// The texts of a value that are meant to be read: those of several lines, a `report` first. With their names.
pub fn readable(value: &Value) -> Vec<(String, String)> {
    let is_long = |text: &str| text.trim().contains('\n');
    match value {
        Value::String(text) if is_long(text) => vec![(String::new(), text.clone())],
        Value::Object(fields) => {
            let texts = fields.iter().filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
            let mut texts: Vec<_> = texts.filter(|(name, text)| is_long(text) || name == "report").collect();
            texts.sort_by_key(|(name, _)| name != "report");
            texts
        }
        _ => Vec::new(),
    }
}

/// A value, with a switch between reading and data where it holds texts.
#[component]
pub fn ValueView(
    /// What it is: "Output of Fetch".
    #[prop(into)]
    label: Signal<String>,
    #[prop(into)] value: Signal<Value>,
) -> impl IntoView {
    let texts = Memo::new(move |_| value.with(readable));
    // A report is there to be read; other texts are part of the data until one asks.
    let asked = RwSignal::new(None::<bool>);
    let has_report = move || texts.with(|texts| texts.first().is_some_and(|(name, _)| name == "report"));
    let reads = Memo::new(move |_| asked.get().unwrap_or_else(has_report) && texts.with(|texts| !texts.is_empty()));
    view! {
        <Show when=move || texts.with(|texts| !texts.is_empty())>
            <div class="value-bar">
                <div class="segmented" role="group" aria-label="Shown as">
                    <button type="button" aria-pressed=move || reads.get().to_string() on:click=move |_| asked.set(Some(true))>
                        "Text"
                    </button>
                    <button type="button" aria-pressed=move || (!reads.get()).to_string() on:click=move |_| asked.set(Some(false))>
                        "Data"
                    </button>
                </div>
            </div>
        </Show>
        <Show when=move || reads.get() fallback=move || view! { <JsonTree label value /> }>
            {move || texts.get().into_iter().map(|(name, text)| view! { <TextPart name text /> }).collect_view()}
        </Show>
    }
}

/// A text that is meant to be read, under its name unless it is the report. What a command printed is no Markdown.
#[component]
fn TextPart(name: String, text: String) -> impl IntoView {
    let printed = matches!(name.as_str(), "stdout" | "stderr");
    let titled = (!name.is_empty() && name != "report").then(|| view! { <h3>{name}</h3> });
    let copied = text.clone();
    let body = if printed {
        // In a `code` of its own: a browser drops the line break that a `pre` begins with, and would miss the text.
        view! { <pre class="code" tabindex="0"><code>{text}</code></pre> }.into_any()
    } else {
        view! { <Markdown text=Signal::stored(text) /> }.into_any()
    };
    view! {
        <article class="report">
            {titled}
            <div class="report-head">
                <CopyButton text=Signal::stored(copied) label="Copy the text" />
            </div>
            {body}
        </article>
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn long_texts_are_read_and_a_report_comes_first() {
        let value = json!({"body": "a\nb", "count": 1, "report": "# One line", "title": "short"});
        let names: Vec<_> = readable(&value).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["report", "body"]);
        assert!(readable(&json!({"stdout": "one\n"})).is_empty());
        assert_eq!(readable(&json!("a\nb")).len(), 1);
    }
}
