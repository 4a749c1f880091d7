//! Writing a task for whoever is best for it.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::acts::{Acts, USUAL, priorities};
use super::card::prompt_or;
use super::form::lines;
use super::queue::newest;
use crate::api::agents::{list_board, list_queued_tasks, queue_agent_task};
use crate::model::agent::{QueuedTask, TaskDraft};
use crate::model::{ApiError, QueuedTaskId};
use crate::ui::components::{
    Bound, Button, ButtonSize, ButtonVariant, Dialog, Icon, Select, TextArea, TextInput, Tone, use_toasts,
};

/// The form that the button of the dialog sends.
const FORM: &str = "queue-form";

/// What the controls hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Form {
    prompt: String,
    /// One on a line.
    expertise: String,
    priority: String,
    topic: String,
    repository: String,
    among: Vec<String>,
    after: Vec<QueuedTaskId>,
}

impl Form {
    fn new() -> Self {
        Self { priority: USUAL.to_owned(), ..Self::default() }
    }

    fn draft(&self) -> TaskDraft {
        TaskDraft {
            prompt: self.prompt.clone(),
            expertise: lines(&self.expertise),
            among: self.among.clone(),
            priority: self.priority.parse().ok(),
            topic: self.topic.trim().to_owned(),
            repository: self.repository.trim().to_owned(),
            after: self.after.clone(),
        }
    }
}

/// What can be chosen from.
#[derive(Debug, Clone, Default, PartialEq)]
struct Offer {
    agents: Vec<String>,
    /// Those that are not over.
    tasks: Vec<QueuedTask>,
}

/// The button, and the dialog that it opens.
#[component]
pub(super) fn QueueTask(acts: Acts) -> impl IntoView {
    let is_open = RwSignal::new(false);
    let toasts = use_toasts();
    let (form, offer) = (RwSignal::new(Form::new()), RwSignal::new(Offer::default()));
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
            form.set(Form::new());
            give.value().set(None);
            spawn_local(async move {
                // What can't be had is not offered; the task can be given without it.
                let agents = list_board(Vec::new()).await.unwrap_or_default().into_iter().map(|one| one.name).collect();
                let tasks = list_queued_tasks(newest()).await.map(|page| page.items).unwrap_or_default();
                let tasks = tasks.into_iter().filter(|task| !task.status.is_final()).collect();
                offer.try_set(Offer { agents, tasks });
            });
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
            <Fields form offer give />
        </Dialog>
    }
}

#[component]
fn Fields(
    form: RwSignal<Form>,
    offer: RwSignal<Offer>,
    give: Action<TaskDraft, Result<QueuedTask, ApiError>>,
) -> impl IntoView {
    let error = move |pointer: &'static str| {
        Signal::derive(move || {
            let Some(Err(error)) = give.value().get() else { return None };
            let ApiError::Invalid { fields, .. } = &error else {
                return (pointer == "/prompt").then(|| error.detail().to_owned());
            };
            fields.iter().find(|field| field.pointer.starts_with(pointer)).map(|field| field.message.clone())
        })
    };
    let bind = move |get: fn(&Form) -> String, set: fn(&mut Form, String)| {
        let read = Memo::new(move |_| form.with(get));
        Bound::from((read.into(), Callback::new(move |value| form.update(|form| set(form, value)))))
    };
    let send = move |event: SubmitEvent| {
        event.prevent_default();
        if !give.pending().get_untracked() {
            give.dispatch(form.with_untracked(Form::draft));
        }
    };
    // What was refused among them is not hidden.
    let is_refused = move || {
        ["/among", "/topic", "/repository", "/after"].into_iter().any(|pointer| error(pointer).with(Option::is_some))
    };
    view! {
        <form class="form" id=FORM novalidate on:submit=send>
            <TextArea
                id="queue-prompt" label="What is to be done?" rows=6 required=true error=error("/prompt")
                value=bind(|form| form.prompt.clone(), |form, value| form.prompt = value)
                hint=Some("Everything that the agent must know, and how one sees that it is done.".to_owned())
            />
            <TextArea
                id="queue-expertise" label="What must be known" rows=2 aside=Some("optional".to_owned()) error=error("/expertise")
                value=bind(|form| form.expertise.clone(), |form, value| form.expertise = value)
                hint=Some("Words, one on a line, as they stand under what agents know.".to_owned())
            />
            <Select
                id="queue-priority" label="Priority" choices=Signal::stored(priorities())
                value=bind(|form| form.priority.clone(), |form, value| form.priority = value)
            />
            <details class="disclosure" prop:open=is_refused>
                <summary>
                    <span>"Who may have it, and what it comes after"</span>
                    <span class="twist" aria-hidden="true"><Icon name="right" /></span>
                </summary>
                <div class="disclosure-body form">
                    <TextInput
                        id="queue-topic" label="What it is about" error=error("/topic")
                        value=bind(|form| form.topic.clone(), |form, value| form.topic = value)
                        hint=Some("Whoever last worked at the same scores higher.".to_owned())
                    />
                    <TextInput
                        id="queue-repository" label="Repository" mono=true error=error("/repository")
                        value=bind(|form| form.repository.clone(), |form, value| form.repository = value)
                        hint=Some("Its path on the server. Whoever works in it scores higher.".to_owned())
                    />
                    <Among form offer error=error("/among") />
                    <After form offer error=error("/after") />
                </div>
            </details>
        </form>
    }
}

/// The agents that it may be given to.
#[component]
fn Among(form: RwSignal<Form>, offer: RwSignal<Offer>, error: Signal<Option<String>>) -> impl IntoView {
    let names = Memo::new(move |_| offer.with(|offer| offer.agents.clone()));
    let line = move |name: String| {
        let is_on = {
            let name = name.clone();
            move || form.with(|form| form.among.contains(&name))
        };
        let switch = {
            let name = name.clone();
            move |on| form.update(|form| switch(&mut form.among, name.clone(), on))
        };
        view! { <Line id=format!("queue-among-{name}") label=name is_on=Signal::derive(is_on) switch=Callback::new(switch) /> }
    };
    view! {
        <fieldset class="field" hidden=move || names.with(Vec::is_empty)>
            <legend>"Only these agents"</legend>
            <div class="queue-choices"><For each=move || names.get() key=Clone::clone let:name>{line(name)}</For></div>
            <span class="hint">"None ticked: any of them."</span>
            {move || error.get().map(|text| view! { <span class="error"><Icon name="s-failed" />{text}</span> })}
        </fieldset>
    }
}

/// The tasks that must be done first.
#[component]
fn After(form: RwSignal<Form>, offer: RwSignal<Offer>, error: Signal<Option<String>>) -> impl IntoView {
    let tasks = Memo::new(move |_| offer.with(|offer| offer.tasks.clone()));
    let line = move |task: QueuedTask| {
        let id = task.id;
        let is_on = Signal::derive(move || form.with(|form| form.after.contains(&id)));
        let switch = Callback::new(move |on| form.update(|form| switch(&mut form.after, id, on)));
        view! { <Line id=format!("queue-after-{id}") label=prompt_or(&task.task.prompt) is_on switch /> }
    };
    view! {
        <fieldset class="field" hidden=move || tasks.with(Vec::is_empty)>
            <legend>"After these tasks are done"</legend>
            <div class="queue-choices"><For each=move || tasks.get() key=|task| task.id let:task>{line(task)}</For></div>
            {move || error.get().map(|text| view! { <span class="error"><Icon name="s-failed" />{text}</span> })}
        </fieldset>
    }
}

#[component]
fn Line(id: String, label: String, is_on: Signal<bool>, switch: Callback<bool>) -> impl IntoView {
    view! {
        <label class="check" for=id.clone()>
            <input
                type="checkbox" id=id.clone() name=id.clone() prop:checked=move || is_on.get()
                on:change=move |event| switch.run(event_target_checked(&event))
            />
            <span class="truncate">{label}</span>
        </label>
    }
}

/// Adds one to a list, or takes it out.
fn switch<T: PartialEq>(list: &mut Vec<T>, one: T, on: bool) {
    list.retain(|other| *other != one);
    if on {
        list.push(one);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ticked_is_sent_once() {
        let mut form = Form { prompt: "Weave.".into(), topic: " looms ".into(), ..Form::new() };
        for (name, on) in [("anna", true), ("ben", true), ("anna", true), ("ben", false)] {
            switch(&mut form.among, name.to_owned(), on);
        }
        let draft = form.draft();
        assert_eq!((draft.among, draft.topic.as_str(), draft.priority), (vec!["anna".to_owned()], "looms", Some(5)));
    }
}
