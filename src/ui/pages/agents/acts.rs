//! What one can do with an agent: give it a task, stop it, delete it.

use std::collections::BTreeMap;

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;

use crate::api::agents::{delete_agent, get_agent, give_agent_task, halt_agent};
use crate::model::agent::{Agent, NewTask, Variable};
use crate::model::auth::{Action as May, Me};
use crate::model::{AgentId, ApiError, RunId};
use crate::ui::components::{
    Bound, Button, ButtonSize, ButtonVariant, Choice, ConfirmDialog, Dialog, Select, TextArea, TextInput, Toasts, Tone,
    use_toasts,
};
use crate::ui::format;

/// The form that the button of the dialog sends.
const FORM: &str = "task-form";
/// The priority of a task of which nothing else is said.
pub(super) const USUAL: &str = "5";

/// What the agents of a page have in common: the dialogs stand once, outside of what is drawn anew.
#[derive(Clone, Copy)]
pub(super) struct Acts {
    /// Goes up when something changed.
    pub changed: RwSignal<u32>,
    pub may_edit: bool,
    pub may_start: bool,
    pub may_control: bool,
    about: RwSignal<Option<Agent>>,
    is_giving: RwSignal<bool>,
    /// Whether what is given is only tried.
    is_trial: RwSignal<bool>,
    is_deleting: RwSignal<bool>,
    toasts: Toasts,
}

impl Acts {
    pub(super) fn new(changed: RwSignal<u32>) -> Self {
        let me = expect_context::<Me>();
        Self {
            changed,
            may_edit: me.may(May::EditAgent),
            may_start: me.may(May::StartRun),
            may_control: me.may(May::ControlRun),
            about: RwSignal::new(None),
            is_giving: RwSignal::new(false),
            is_trial: RwSignal::new(false),
            is_deleting: RwSignal::new(false),
            toasts: use_toasts(),
        }
    }

    /// The same, with something else that goes up when something changed.
    pub(super) fn counting(self, changed: RwSignal<u32>) -> Self {
        Self { changed, ..self }
    }

    /// Opens the dialog in which a task is written.
    pub(super) fn give(self, agent: Agent) {
        self.open(agent, false);
    }

    /// Opens the dialog in which a task is written that the agent only tries.
    pub(super) fn give_trial(self, agent: Agent) {
        self.open(agent, true);
    }

    fn open(self, agent: Agent, is_trial: bool) {
        self.about.set(Some(agent));
        self.is_trial.set(is_trial);
        self.is_giving.set(true);
    }

    /// As [`Acts::give`], for who knows no more of the agent than its id.
    pub(super) fn give_to(self, id: AgentId) {
        leptos::task::spawn_local(async move {
            match get_agent(id).await {
                Ok(standing) if self.is_giving.try_get_untracked().is_some() => self.give(standing.agent),
                Ok(_) => {}
                Err(error) => self.toasts.say(Tone::Bad, error.detail()),
            }
        });
    }

    /// Why it can't be given a task now.
    pub(super) fn refused(is_stopped: bool) -> Option<String> {
        is_stopped.then(|| "It is stopped: let it work first".to_owned())
    }

    /// Asks whether it is to be deleted.
    pub(super) fn delete(self, agent: Agent) {
        self.about.set(Some(agent));
        self.is_deleting.set(true);
    }

    fn name(self) -> String {
        self.about.with(|agent| agent.as_ref().map(|agent| agent.name.clone()).unwrap_or_default())
    }

    /// Stops every agent at once, and offers to take that back for those that it stopped.
    pub(super) async fn stop_all(self, agents: Vec<AgentId>) {
        let (stopped, failure) = halt_each(agents, true).await;
        self.changed.try_update(|n| *n += 1);
        if let Some(error) = failure {
            self.toasts.say(Tone::Bad, error.detail());
        }
        if stopped.is_empty() {
            return;
        }
        let said = format!("{} stopped: what they did is paused", format::plural(stopped.len() as i64, "agent"));
        let undo = Callback::new(move |()| {
            let stopped = stopped.clone();
            leptos::task::spawn_local(async move {
                if let (_, Some(error)) = halt_each(stopped, false).await {
                    self.toasts.say(Tone::Bad, error.detail());
                }
                self.changed.try_update(|n| *n += 1);
            });
        });
        self.toasts.say_with_undo(said, "Let them work", undo);
    }
}

/// Stops them, or lets them work: those where it was done, and the last that went wrong. One that fails keeps no other.
async fn halt_each(agents: Vec<AgentId>, stopped: bool) -> (Vec<AgentId>, Option<ApiError>) {
    let (mut done, mut failure) = (Vec::new(), None);
    // At once: the last of a hundred is not to wait for the others.
    let halts = agents.into_iter().map(|id| async move { (id, halt_agent(id, stopped).await) });
    for (id, halted) in futures::future::join_all(halts).await {
        match halted {
            Ok(_) => done.push(id),
            Err(error) => failure = Some(error),
        }
    }
    (done, failure)
}

/// `1 run goes`, `2 runs go`.
fn goes(runs: u32) -> String {
    format!("{} {}", format::plural(i64::from(runs), "run"), if runs == 1 { "goes" } else { "go" })
}

/// Stops an agent, or lets it work again. It keeps the focus while its word changes.
#[component]
pub(super) fn Halt(
    id: AgentId,
    #[prop(into)] is_stopped: Signal<bool>,
    /// The id of what names the agent, where several stand on the page.
    #[prop(optional)]
    named_by: Option<String>,
    acts: Acts,
) -> impl IntoView {
    let halt = Action::new(move |stopped: &bool| halt_agent(id, *stopped));
    Effect::new(move |_| match halt.value().get() {
        Some(Ok(resumed)) => {
            acts.changed.update(|n| *n += 1);
            if resumed > 0 {
                acts.toasts.say(Tone::Good, format!("{} on", goes(resumed)));
            }
        }
        Some(Err(error)) => acts.toasts.say(Tone::Bad, error.detail()),
        None => {}
    });
    let label = Signal::derive(move || if is_stopped.get() { "Let it work" } else { "Stop" }.to_owned());
    view! {
        <Button
            label size=ButtonSize::Small busy=halt.pending() attr:aria-describedby=named_by
            on_press=move |()| drop(halt.dispatch(!is_stopped.get_untracked()))
        />
    }
}

/// Where a task is written.
#[component]
pub(super) fn GiveDialog(acts: Acts) -> impl IntoView {
    let navigate = use_navigate();
    let (prompt, priority) = (RwSignal::new(String::new()), RwSignal::new(USUAL.to_owned()));
    let variables = RwSignal::new(BTreeMap::new());
    let give = Action::new(|(id, task): &(AgentId, NewTask)| give_agent_task(*id, task.clone()));
    Effect::new(move |_| {
        if let Some(Ok(run)) = give.value().get() {
            acts.is_giving.set(false);
            navigate(&format!("/runs/{run}?step=work"), NavigateOptions::default());
        }
    });
    Effect::new(move |_| {
        if acts.is_giving.get() {
            prompt.set(String::new());
            priority.set(USUAL.to_owned());
            variables.set(BTreeMap::new());
            give.value().set(None);
        }
    });
    let is_trial = acts.is_trial;
    let title = Signal::derive(move || {
        if is_trial.get() { format!("Try {}", acts.name()) } else { format!("Give {} a task", acts.name()) }
    });
    let act = Signal::derive(move || if is_trial.get() { "Try it" } else { "Give the task" }.to_owned());
    let footer = move || {
        view! {
            <Button label="Cancel" on_press=move |()| acts.is_giving.set(false) />
            <Button label=act icon="play" variant=ButtonVariant::Primary submit=true busy=give.pending() attr:form=FORM />
        }
    };
    view! {
        <Dialog id="give-task" title open=acts.is_giving footer=ViewFn::from(footer)>
            <TaskForm acts prompt priority variables give />
        </Dialog>
    }
}

#[component]
fn TaskForm(
    acts: Acts,
    prompt: RwSignal<String>,
    priority: RwSignal<String>,
    variables: RwSignal<BTreeMap<String, String>>,
    give: Action<(AgentId, NewTask), Result<RunId, ApiError>>,
) -> impl IntoView {
    let refused = Signal::derive(move || {
        give.value().with(|answer| match answer {
            Some(Err(error)) if is_about_variables(error) => None,
            Some(Err(error)) => Some(error.field("/prompt").unwrap_or_else(|| error.detail()).to_owned()),
            _ => None,
        })
    });
    let waits = Signal::derive(move || {
        let most = acts.about.with(|agent| agent.as_ref().and_then(|agent| agent.spec.limits.parallel));
        most.map(|most| {
            format!(
                "It works at {} at once; more wait, the most urgent first.",
                format::plural(i64::from(most), "task")
            )
        })
    });
    let send = move |event: SubmitEvent| {
        event.prevent_default();
        let id = acts.about.with_untracked(|agent| agent.as_ref().map(|agent| agent.id));
        if let Some(id) = id.filter(|_| !give.pending().get_untracked()) {
            let priority = priority.get_untracked().parse().ok();
            let variables = variables.get_untracked();
            let trial = acts.is_trial.get_untracked();
            give.dispatch((id, NewTask { prompt: prompt.get_untracked(), priority, variables, trial }));
        }
    };
    let what_a_trial_is = move || {
        acts.is_trial.get().then(|| {
            view! {
                <p class="dim">
                    "A trial costs what the work would, and does nothing that outlasts it: requests that may change something, memory, other \
                     agents and workflows, and whatever a person would be asked about are refused. The list of its tasks does not have it."
                </p>
            }
        })
    };
    view! {
        <form class="form" id=FORM novalidate on:submit=send>
            {what_a_trial_is}
            <TextArea
                id="task-prompt" label="What is it to do?" rows=6 required=true value=prompt error=refused
                hint=Some("Everything that it must know, and how one sees that it is done. It becomes a run of its own.".to_owned())
            />
            <VariableFields acts variables give />
            <div hidden=move || acts.is_trial.get()>
                <Select id="task-priority" label="Priority" value=priority choices=Signal::stored(priorities()) hint=waits />
            </div>
        </form>
    }
}

/// Whether nothing else was refused than values of variables.
fn is_about_variables(error: &ApiError) -> bool {
    matches!(error, ApiError::Invalid { fields, .. } if fields.iter().all(|one| one.pointer.starts_with("/variables/")))
}

/// What the agent's persona is told for this task.
#[component]
fn VariableFields(
    acts: Acts,
    variables: RwSignal<BTreeMap<String, String>>,
    give: Action<(AgentId, NewTask), Result<RunId, ApiError>>,
) -> impl IntoView {
    let of_agent =
        move || acts.about.with(|agent| agent.as_ref().map(|agent| agent.spec.variables.clone()).unwrap_or_default());
    let field = move |variable: Variable| {
        let Variable { name, default } = variable;
        let (pointer, read, written) = (format!("/variables/{name}"), name.clone(), name.clone());
        let error = Signal::derive(move || {
            give.value().with(|answer| match answer {
                Some(Err(error)) => error.field(&pointer).map(str::to_owned),
                _ => None,
            })
        });
        let usual = default.clone();
        let value = Signal::derive(move || {
            variables.with(|all| all.get(&read).cloned()).or_else(|| usual.clone()).unwrap_or_default()
        });
        let set = Callback::new(move |value| variables.update(|all| drop(all.insert(written.clone(), value))));
        view! {
            <TextInput
                id=format!("task-variable-{name}") label=name required=default.is_none() error
                value=Bound::from((value, set))
            />
        }
    };
    move || of_agent().into_iter().map(field).collect_view()
}

/// The numbers that a task's priority may be, in words.
pub(super) fn priorities() -> Vec<Choice> {
    let word = |level: u8| match level {
        9 => "9, before all others".to_owned(),
        5 => "5, as usual".to_owned(),
        1 => "1, after all others".to_owned(),
        level => level.to_string(),
    };
    (1..=9).rev().map(|level: u8| Choice::new(level.to_string(), word(level))).collect()
}

/// Asks before an agent is deleted; afterwards its page is left.
#[component]
pub(super) fn DeleteDialog(acts: Acts) -> impl IntoView {
    let navigate = use_navigate();
    let delete = Action::new(|id: &AgentId| delete_agent(*id));
    Effect::new(move |_| {
        let Some(answer) = delete.value().get() else { return };
        acts.is_deleting.set(false);
        match answer {
            Ok(()) => {
                acts.toasts.say(Tone::Good, format!("{} is deleted", untrack(|| acts.name())));
                navigate("/agents", NavigateOptions::default());
            }
            Err(error) => acts.toasts.say(Tone::Bad, error.detail()),
        }
    });
    let confirm = move |()| {
        if let Some(id) = acts.about.with_untracked(|agent| agent.as_ref().map(|agent| agent.id)) {
            delete.dispatch(id);
        }
    };
    view! {
        <ConfirmDialog
            id="delete-agent"
            title=Signal::derive(move || format!("Delete {}?", acts.name()))
            open=acts.is_deleting
            action="Delete the agent"
            busy=delete.pending()
            on_confirm=confirm
        >
            <p>"What it is doing stops, and steps that name it fail. Its runs stay, with all that it said and did."</p>
        </ConfirmDialog>
    }
}
