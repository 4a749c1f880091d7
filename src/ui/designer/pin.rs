//! Pinning: the output of the last run stands in for a step's work while one works on the others.

use leptos::prelude::*;

use super::action;
use super::editor::use_editor;
use super::overlay::use_overlay;
use crate::model::workflow::{Step, StepState, StepStatus, port_of};
use crate::ui::components::{Button, ButtonSize, Icon};

/// Above the output of a step: pin it, or say that it is pinned.
#[component]
pub fn PinBar(id: String, step: RwSignal<Step>) -> impl IntoView {
    let editor = use_editor();
    let overlay = use_overlay();
    let ran = Memo::new(move |_| overlay.run.read().as_ref().and_then(|run| run.step(&id).cloned()));
    let pin = move |()| {
        let pinned = ran.with_untracked(|ran| ran.as_ref().and_then(|ran| pinned(&step.get_untracked(), ran)));
        if let Some(pinned) = pinned {
            editor.act(|document| action::set_step(document, pinned, "the pin"));
        }
    };
    let unpin = move |()| {
        let free = Step { pinned: None, pinned_port: None, ..step.get_untracked() };
        editor.act(|document| action::set_step(document, free, "the pin"));
    };
    let is_pinned = Memo::new(move |_| step.read().pinned.is_some());
    let offered =
        Memo::new(move |_| ran.with(|ran| ran.as_ref().is_some_and(|ran| pinned(&step.read(), ran).is_some())));
    move || {
        if is_pinned.get() {
            let button =
                editor.may_edit.then(|| view! { <Button label="Unpin" size=ButtonSize::Small on_press=unpin /> });
            return view! {
                <div class="notice run-notice" data-tone="warn">
                    <Icon name="pin" />
                    <span class="grow">"Its output is pinned: the step does nothing and ends with it."</span>
                    {button}
                </div>
            }
            .into_any();
        }
        if !editor.may_edit || !offered.get() {
            return ().into_any();
        }
        view! {
            <div class="value-bar">
                <Button label="Pin this output" icon="pin" size=ButtonSize::Small on_press=pin />
            </div>
        }
        .into_any()
    }
}

/// The step with the output of a run pinned, and the port where the output does not say it; `None` where there is none.
fn pinned(step: &Step, ran: &StepState) -> Option<Step> {
    if ran.status != StepStatus::Succeeded || ran.output.is_null() {
        return None;
    }
    let port = ran.port.clone().filter(|port| *port != port_of(&step.kind, &ran.output));
    Some(Step { pinned: Some(ran.output.clone()), pinned_port: port, ..step.clone() })
}
