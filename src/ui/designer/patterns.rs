//! Templates that are put into the workflow that is being drawn: how agents work together, and what else comes with the program.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::action;
use super::editor::{Editor, use_editor};
use super::keys;
use crate::api::workflows::list_templates;
use crate::model::ApiError;
use crate::model::workflow::Template;
use crate::ui::browser;
use crate::ui::components::Icon;
use crate::ui::format;

/// The patterns, read once somebody wants to see them.
#[component]
pub fn Patterns() -> impl IntoView {
    let editor = use_editor();
    let known = RwSignal::new(None::<Result<Vec<Template>, ApiError>>);
    let is_asked = StoredValue::new(false);
    let open = move |_| {
        if is_asked.get_value() {
            return;
        }
        is_asked.set_value(true);
        spawn_local(async move {
            let answer = list_templates().await;
            // Whoever opens it again asks again.
            is_asked.try_set_value(answer.is_ok());
            known.try_set(Some(answer));
        });
    };
    let shown = move || match known.get() {
        None => view! { <p class="palette-none">"Reading the patterns…"</p> }.into_any(),
        Some(Err(error)) => view! { <p class="palette-none">{format::sentence(error.detail())}</p> }.into_any(),
        Some(Ok(list)) => {
            list.into_iter().map(|template| view! { <Pattern template editor /> }).collect_view().into_any()
        }
    };
    view! {
        <section>
            <details class="palette-patterns" on:toggle=open>
                <summary>"Patterns"</summary>
                {shown}
            </details>
        </section>
    }
}

#[component]
fn Pattern(template: Template, editor: Editor) -> impl IntoView {
    let (title, name) = (template.description.clone(), template.name.clone());
    view! {
        <button class="menu-item" type="button" title=title on:click=move |_| add(editor, &template)>
            <Icon name="template" />
            <span class="name">{name}</span>
        </button>
    }
}

/// Adds a pattern, brings it into sight and gives it the focus.
fn add(editor: Editor, template: &Template) {
    editor.act(|document| action::insert_pattern(document, template));
    editor.palette.set(false);
    if let Some(id) = editor.with(|document| document.selection.lead.clone()) {
        editor.go_to(&id);
    }
    browser::next_frame(move || keys::focus_canvas(editor));
}
