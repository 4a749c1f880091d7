//! A body: what one run of it gives, and the way to its container's own settings. Shown inside of a container while
//! nothing is chosen.

use leptos::prelude::*;
use serde_json::Value;

use super::Close;
use super::lists::JsonText;
use crate::model::workflow::kind::Kind;
use crate::ui::components::{Button, Icon};
use crate::ui::designer::editor::use_editor;
use crate::ui::designer::problems::{sentence, use_problems};
use crate::ui::designer::{action, keys};

/// The body that one is in.
#[component]
pub fn BodyPanel() -> impl IntoView {
    let editor = use_editor();
    let container = editor.with(|document| document.containers().next_back().cloned())?;
    let kind = Kind::find(&container.kind);
    let (title, words) = words(&container.kind);
    let output = Signal::derive(move || Some(editor.output.get()).filter(|value| !value.is_null()));
    let set_output = Callback::new(move |value: Option<Value>| {
        editor.act(|document| action::set_output(document, value.unwrap_or_default()));
    });
    let error = use_problems().at(container.id.clone(), "/body/output");
    let settings = move |()| {
        editor.inspector.set(true);
        keys::go_up(editor);
    };
    let label = format!("Settings of {}", container.label());
    Some(view! {
        <div class="pane-head">
            <Icon name=kind.map_or("group", |kind| kind.icon) />
            <h2>{format!("Inside {}", container.label())}</h2>
            <div class="actions"><Close /></div>
        </div>
        <div class="pane-body">
            <p class="dim small">{words}</p>
            <fieldset class="plain-fields" disabled=!editor.may_edit>
                <div class="field expression-field">
                    <label for="body-output">{title}<span class="aside">"JSON, optional"</span></label>
                    <JsonText id="body-output".to_owned() step=None value=output set=set_output />
                    <span class="hint" id="body-output-notes">
                        "Empty: what the last step gives, or an object by id where there are several last steps."
                        {move || error.get().map(|error| view! { <span class="error">{sentence(&error)}</span> })}
                    </span>
                </div>
            </fieldset>
            <div class="form-actions">
                <Button label icon="up-level" keys="U" on_press=settings />
            </div>
        </div>
    })
}

/// What the output is called, and what runs here.
fn words(kind: &str) -> (&'static str, &'static str) {
    match kind {
        "map" => (
            "What an item gives",
            "These steps run once for each item. They read it as item, and its place in the list, from 0, as index.",
        ),
        "repeat" => (
            "What an iteration gives",
            "These steps run again and again. They read the number of the iteration, from 1, as iteration, and what the \
             one before gave as last.",
        ),
        _ => ("What the group gives", "These steps run once, under the limits of the group."),
    }
}
