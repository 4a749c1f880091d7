//! Writing a task for whoever is best for it.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;

use super::acts::{Acts, USUAL, priorities};
use super::form::lines;
use crate::api::agents::queue_agent_task;
use crate::model::ApiError;
use crate::model::agent::{QueuedTask, TaskDraft};
use crate::ui::components::{Button, ButtonSize, ButtonVariant, Dialog, Select, TextArea, Tone, use_toasts};

/// The form that the button of the dialog sends.
const FORM: &str = "queue-form";

/// The button, and the dialog that it opens.
#[component]
pub(super) fn QueueTask(acts: Acts) -> impl IntoView {
    let is_open = RwSignal::new(false);
    let toasts = use_toasts();
    let (prompt, expertise, priority) =
        (RwSignal::new(String::new()), RwSignal::new(String::new()), RwSignal::new(USUAL.to_owned()));
    let give = Action::new(|draft: &TaskDraft| queue_agent_task(draft.clone()));
    Effect::new(move |_| {
        if let Some(Ok(_)) = give.value().get() {
            is_open.set(false);
            acts.changed.update(|n| *n += 1);
            toasts.say(Tone::Good, "It goes to the best agent once it is its turn");
        }
    });
    Effect::new(move |_| {
        if is_open.get() {
            prompt.set(String::new());
            expertise.set(String::new());
            priority.set(USUAL.to_owned());
            give.value().set(None);
        }
    });
    let footer = move || {
        view! {
            <Button label="Cancel" on_press=move |()| is_open.set(false) />
            <Button label="Give the task" icon="play" variant=ButtonVariant::Primary submit=true busy=give.pending() attr:form=FORM />
        }
    };
    view! {
        <Button label="Task for whoever is best…" size=ButtonSize::Small on_press=move |()| is_open.set(true) />
        <Dialog id="queue-task" title=Signal::stored("A task for whoever is best".to_owned()) open=is_open footer=ViewFn::from(footer)>
            <Fields prompt expertise priority give />
        </Dialog>
    }
}

#[component]
fn Fields(
    prompt: RwSignal<String>,
    expertise: RwSignal<String>,
    priority: RwSignal<String>,
    give: Action<TaskDraft, Result<QueuedTask, ApiError>>,
) -> impl IntoView {
    let error = |pointer: &'static str| {
        Signal::derive(move || {
            let Some(Err(error)) = give.value().get() else { return None };
            let ApiError::Invalid { fields, .. } = &error else {
                return (pointer == "/prompt").then(|| error.detail().to_owned());
            };
            fields.iter().find(|field| field.pointer.starts_with(pointer)).map(|field| field.message.clone())
        })
    };
    let send = move |event: SubmitEvent| {
        event.prevent_default();
        if !give.pending().get_untracked() {
            give.dispatch(TaskDraft {
                prompt: prompt.get_untracked(),
                expertise: lines(&expertise.get_untracked()),
                among: Vec::new(),
                priority: priority.get_untracked().parse().ok(),
                topic: String::new(),
                repository: String::new(),
                after: Vec::new(),
            });
        }
    };
    view! {
        <form class="form" id=FORM novalidate on:submit=send>
            <TextArea
                id="queue-prompt" label="What is to be done?" rows=6 required=true value=prompt error=error("/prompt")
                hint=Some("Everything that the agent must know, and how one sees that it is done.".to_owned())
            />
            <TextArea
                id="queue-expertise" label="What must be known" rows=2 aside=Some("optional".to_owned()) value=expertise error=error("/expertise")
                hint=Some("Words, one on a line, as they stand under what agents know.".to_owned())
            />
            <Select id="queue-priority" label="Priority" value=priority choices=Signal::stored(priorities()) />
        </form>
    }
}
