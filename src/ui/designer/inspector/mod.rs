//! The right pane: what the chosen step is set to, or the workflow when nothing is chosen.
//!
//! Forms come from `model::workflow::kind::KINDS`: each shape of a field has one editor here. Every edit is an action of
//! the document, so it is undone like any other.

mod body;
mod edge;
mod ending;
mod expression;
mod field;
mod inside;
mod join;
mod limits;
mod lists;
mod number;
mod preview;
mod retry;
mod scope;
mod settings;
mod step;
mod team;
mod undo;
mod workflow;

pub use field::number_or_text;

use leptos::prelude::*;

use super::editor::use_editor;
use super::{action, keys};
use crate::ui::components::{Button, ButtonShape, ButtonSize, ButtonVariant};

/// What is shown: one step, one edge, several things, or the workflow.
#[derive(Debug, Clone, PartialEq)]
enum Subject {
    Step(String),
    Edge(super::document::EdgeKey),
    Several(usize),
    /// The container that one is in.
    Body(Vec<String>),
    Workflow,
}

/// The right pane.
#[component]
pub fn Inspector() -> impl IntoView {
    let editor = use_editor();
    let subject = Memo::new(move |_| {
        let selection = editor.selection.read();
        let trail = editor.trail.read();
        match (selection.steps.len(), selection.edges.len()) {
            (1, 0) => selection.steps.first().cloned().map_or(Subject::Workflow, Subject::Step),
            (0, 1) => selection.edges.first().cloned().map_or(Subject::Workflow, Subject::Edge),
            (0, 0) => match &**trail {
                [_, .., here] => Subject::Body(here.path.clone()),
                _ => Subject::Workflow,
            },
            (steps, edges) => Subject::Several(steps + edges),
        }
    });
    view! {
        <aside class="pane inspector" data-depth="surface" aria-label="Inspector">
            {move || match subject.get() {
                Subject::Step(id) => view! { <step::StepPanel id /> }.into_any(),
                Subject::Edge(key) => view! { <edge::EdgePanel key /> }.into_any(),
                Subject::Several(count) => view! { <Several count /> }.into_any(),
                Subject::Body(_) => view! { <body::BodyPanel /> }.into_any(),
                Subject::Workflow => view! { <workflow::WorkflowPanel /> }.into_any(),
            }}
        </aside>
    }
}

#[component]
fn Several(count: usize) -> impl IntoView {
    let editor = use_editor();
    view! {
        <div class="pane-head"><h2>{format!("{count} chosen")}</h2></div>
        <div class="pane-body">
            <p class="dim">"Drag to move them together, or press Ctrl+C to copy them as JSON."</p>
            {editor.may_edit.then(|| {
                view! {
                    <div class="form-actions">
                        <Button label="Duplicate" icon="duplicate" on_press=move |()| editor.act(action::duplicate) />
                        <Button label="Put into a group" icon="group" keys="Ctrl+G" on_press=move |()| keys::wrap(editor, "group") />
                        <Button label="Put into a For each" icon="map" on_press=move |()| keys::wrap(editor, "map") />
                        <Button label="Put into a Repeat" icon="repeat" on_press=move |()| keys::wrap(editor, "repeat") />
                        <Button label="Disable or enable" icon="ban" on_press=move |()| editor.act(action::toggle_disabled) />
                        <Button
                            label="Delete"
                            icon="trash"
                            variant=ButtonVariant::Danger
                            on_press=move |()| keys::delete(editor)
                        />
                    </div>
                }
            })}
        </div>
    }
}

/// The button that leaves the inspector: closes it, or goes back to the canvas on a phone.
#[component]
fn Close() -> impl IntoView {
    let editor = use_editor();
    let close = move |()| {
        editor.inspector.set(false);
        keys::focus_canvas(editor);
    };
    view! {
        <Button
            label="Close the inspector"
            icon="x"
            variant=ButtonVariant::Quiet
            size=ButtonSize::Small
            shape=ButtonShape::IconOnly
            on_press=close
        />
    }
}
