//! A field that takes an expression: the text, its value from the last run, and what is in scope here.

use leptos::html;
use leptos::prelude::*;

use super::field::{FieldContext, Notes};
use super::preview::preview;
use super::scope::{ScopeItem, in_scope};
use crate::ui::browser;
use crate::ui::components::Icon;
use crate::ui::designer::editor::use_editor;
use crate::ui::designer::overlay::use_overlay;

/// A template, or with `bare` an expression, of a step's config.
#[component]
pub fn ExpressionField(context: FieldContext, lines: u8, bare: bool) -> impl IntoView {
    let text = context.text();
    let set = Callback::new(move |text: String| {
        context.set.run((!text.is_empty()).then_some(serde_json::Value::String(text)));
    });
    let aside = match (bare, context.field.required) {
        (true, _) => Some("expression"),
        (false, true) => None,
        (false, false) => Some("optional"),
    };
    view! {
        <div class="field expression-field">
            <label for=context.control.get_value()>
                {context.field.label} {aside.map(|aside| view! { <span class="aside">{aside}</span> })}
            </label>
            <ExpressionText
                id=context.control.get_value()
                step=Some(context.step.get_value())
                text=Signal::from(text)
                set
                lines
                bare
                placeholder=context.field.placeholder
                invalid=Signal::derive(move || context.error.read().is_some())
            />
            <Notes context />
        </div>
    }
}

/// The text, its preview and the scope; for any place that takes an expression.
#[component]
pub fn ExpressionText(
    id: String,
    /// Whose expression it is; `None` for the workflow's output.
    step: Option<String>,
    text: Signal<String>,
    set: Callback<String>,
    lines: u8,
    /// An expression rather than a text with templates.
    bare: bool,
    #[prop(default = "")] placeholder: &'static str,
    #[prop(into, optional)] invalid: Signal<bool>,
    /// A name, where no label stands above it.
    #[prop(optional)]
    label: Option<&'static str>,
) -> impl IntoView {
    let element = NodeRef::<html::Textarea>::new();
    let open = RwSignal::new(false);
    let insert = Callback::new(move |path: String| {
        if let Some(field) = element.get_untracked() {
            let inserted = if bare { path } else { format!("{{{{ {path} }}}}") };
            set.run(browser::insert_text(&field, &inserted));
        }
    });
    let notes = format!("{id}-notes");
    view! {
        <div
            class="expression-box"
            on:focusin=move |_| open.set(true)
            on:focusout=move |event| if !browser::focus_stays(&event) { open.set(false) }
        >
            <textarea
                class="input"
                data-mono=""
                data-lines=lines.to_string()
                id=id
                rows=lines.to_string()
                spellcheck="false"
                placeholder=placeholder
                aria-label=label
                aria-describedby=notes
                aria-invalid=move || invalid.get().then_some("true")
                node_ref=element
                prop:value=move || text.get()
                on:input=move |event| set.run(event_target_value(&event))
            ></textarea>
            <Preview text bare />
            <Show when=move || open.get()>
                <ScopeList step=step.clone() insert />
            </Show>
        </div>
    }
}

#[component]
fn Preview(text: Signal<String>, bare: bool) -> impl IntoView {
    let overlay = use_overlay();
    let value = Memo::new(move |_| {
        let run = overlay.run.read();
        text.with(|text| preview(text, bare, run.as_ref()?))
    });
    move || {
        value.get().map(|value| {
            let tone = value.is_err().then_some("bad");
            let text = value.unwrap_or_else(|error| error);
            view! {
                <div class="preview" data-tone=tone title="Its value with the data of the last run">
                    <Icon name="eye" />
                    <code>{text}</code>
                </div>
            }
        })
    }
}

/// What may be spoken of here; a press or Enter puts it at the caret.
#[component]
fn ScopeList(step: Option<String>, insert: Callback<String>) -> impl IntoView {
    let (editor, overlay) = (use_editor(), use_overlay());
    let items = Memo::new(move |_| {
        editor.edited.track();
        let run = overlay.run.read();
        editor.with(|document| in_scope(document, step.as_deref(), run.as_ref()))
    });
    let element = NodeRef::<html::Div>::new();
    let keys = move |event: leptos::ev::KeyboardEvent| {
        let by = match event.key().as_str() {
            "ArrowDown" => 1,
            "ArrowUp" => -1,
            _ => return,
        };
        event.prevent_default();
        if let Some(element) = element.get_untracked() {
            browser::move_focus(&element, ".menu-item", by);
        }
    };
    view! {
        <div class="scope" role="group" aria-label="In scope here" node_ref=element on:keydown=keys>
            <h3>"In scope here"</h3>
            {move || items.get().into_iter().map(|item| view! { <ScopeRow item insert /> }).collect_view()}
        </div>
    }
}

#[component]
fn ScopeRow(item: ScopeItem, insert: Callback<String>) -> impl IntoView {
    let ScopeItem { path, sample } = item;
    let (shown, title) = (path.clone(), sample.clone());
    view! {
        <button
            class="menu-item"
            type="button"
            title=title
            on:pointerdown=|event| event.prevent_default()
            on:click=move |_| insert.run(path.clone())
        >
            <code class="name">{shown}</code>
            <span class="aside">{sample}</span>
        </button>
    }
}
