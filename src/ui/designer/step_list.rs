//! The graph as a list: a phone's way to choose a step, and what a screen reader reads.

use leptos::prelude::*;

use super::editor::use_editor;
use super::kernel::walk;
use super::overlay::use_overlay;
use super::problems::use_problems;
use crate::model::workflow::kind::Kind;
use crate::ui::components::{Icon, StatusBadge, StatusLook, StatusShape};

/// The steps in reading order.
#[component]
pub fn StepList() -> impl IntoView {
    let editor = use_editor();
    let ids = Memo::new(move |_| {
        editor.edited.track();
        editor.order.track();
        editor
            .with(|document| walk::reading_order(&document.graph).into_iter().map(|s| s.id.clone()).collect::<Vec<_>>())
    });
    view! {
        <ol class="step-list" aria-label="Steps in order">
            <For each=move || ids.get() key=Clone::clone let:id>
                <Row id />
            </For>
        </ol>
    }
}

#[component]
fn Row(id: String) -> impl IntoView {
    let editor = use_editor();
    let step = editor.step(&id)?;
    let facts = use_overlay().facts(id.clone());
    let problems = use_problems().of_step(id.clone());
    let id = StoredValue::new(id);
    let current = move || id.with_value(|id| editor.selection.read().lead.as_deref() == Some(id)).then_some("true");
    let meta = move || {
        let kind = Kind::find(&step.read().kind).map_or_else(|| step.read().kind.clone(), |kind| kind.title.to_owned());
        match problems.get() {
            0 => kind,
            count => format!("{kind}, {}", super::action::counted(count, "problem")),
        }
    };
    let icon = Kind::find(&step.read_untracked().kind).map_or("help", |kind| kind.icon);
    let open = move |_| {
        editor.go_to(&id.get_value());
        editor.inspector.set(true);
    };
    Some(view! {
        <li>
            <button class="step-row" type="button" aria-current=current on:click=open>
                {move || match facts.get() {
                    Some(facts) => {
                        view! { <StatusBadge status=Signal::from(StatusLook::from(facts.status)) shape=StatusShape::Mark /> }.into_any()
                    }
                    None => view! { <Icon name=icon /> }.into_any(),
                }}
                <span class="grow">
                    <span class="name">{move || step.read().label().to_owned()}</span>
                    <span class="meta">{meta}</span>
                </span>
                <Icon name="right" />
            </button>
        </li>
    })
}
