//! The head of a run's page: what it is, where it stands, what one can tell it.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::clock::Elapsed;
use super::filters::trigger_label;
use super::travel::{LineageFacts, TravelMenu};
use super::undone::{HandlerFacts, StopUndoing, UndoneFacts};
use super::watch::Watch;
use crate::model::auth::{Action, Me};
use crate::model::workflow::{Command, CompensationDetail, CompensationStatus, RunStatus};
use crate::ui::components::{
    Button, ButtonShape, ButtonSize, ButtonVariant, Crumb, PageHeader, RelativeTime, StatusBadge, StatusLook,
    StatusShape, use_toasts,
};
use crate::ui::pages::workflows::start::{StartRunDialog, Target};

/// Breadcrumb, name, status, and the commands.
#[component]
pub fn Head(watch: Watch) -> impl IntoView {
    let title = watch.summary.with_untracked(|run| run.workflow_name.clone());
    let status = Signal::derive(move || StatusLook::from(watch.status().get()));
    view! {
        <PageHeader
            title
            crumbs=vec![Crumb::new("/runs", "Runs")]
            actions=ViewFnOnce::from(move || view! { <Commands watch /> })
        >
            <span role="status"><StatusBadge status shape=StatusShape::Pill /></span>
        </PageHeader>
    }
}

#[component]
fn Commands(watch: Watch) -> impl IntoView {
    let paused = Memo::new(move |_| watch.status().get() == RunStatus::Paused);
    let undoing = Memo::new(move |_| {
        let running = |undone: &CompensationDetail| undone.status == CompensationStatus::Running;
        watch.compensation.with(|undone| undone.as_ref().is_some_and(running))
    });
    view! {
        {move || {
            if paused.get() {
                view! { <CommandButton watch command=Command::Resume label="Resume" icon="play" /> }
            } else {
                view! { <CommandButton watch command=Command::Pause label="Pause" icon="pause" /> }
            }
        }}
        {move || {
            if undoing.get() {
                view! { <StopUndoing watch /> }.into_any()
            } else {
                view! { <CommandButton watch command=Command::Cancel label="Cancel" icon="stop" /> }.into_any()
            }
        }}
        <CommandButton watch command=Command::Retry label="Retry" icon="retry" />
        <RunAgain watch />
        <TravelMenu watch />
    }
}

#[component]
fn CommandButton(watch: Watch, command: Command, label: &'static str, icon: &'static str) -> impl IntoView {
    let me = use_context::<Me>();
    let toasts = use_toasts();
    let busy = RwSignal::new(false);
    let may = me.is_some_and(|me| me.may(Action::ControlRun));
    let refused = Signal::derive(move || {
        let undone = command == Command::Retry && watch.compensation.with(Option::is_some);
        let undone = undone.then(|| "What the run had done was undone: run it again instead".to_owned());
        refusal(may, watch.status().get(), command).or(undone)
    });
    let press = move |()| {
        busy.set(true);
        spawn_local(async move {
            watch.control(command, toasts).await;
            busy.try_set(false);
        });
    };
    view! {
        <Button
            label
            icon
            variant=ButtonVariant::Quiet
            size=ButtonSize::Small
            shape=ButtonShape::Collapsing
            busy
            refused
            on_press=press
        />
    }
}

/// Why a command can't be given now, by the same rule that the server obeys.
fn refusal(may: bool, status: RunStatus, command: Command) -> Option<String> {
    if !may {
        return Some(format!("Your role may not {}", Action::ControlRun.phrase()));
    }
    let stands = status.label().to_lowercase();
    (!status.allows(command)).then(|| match command {
        Command::Cancel | Command::ForceCancel => format!("The run has ended: it is {stands}"),
        Command::Pause => format!("Only a run in motion can be paused; this one is {stands}"),
        Command::Resume => format!("Only a paused run can go on; this one is {stands}"),
        Command::Retry => format!("Only a failed or cancelled run can be tried again; this one is {stands}"),
    })
}

/// Starts the same workflow with inputs that begin as this run's.
#[component]
fn RunAgain(watch: Watch) -> impl IntoView {
    let open = RwSignal::new(false);
    let may = use_context::<Me>().is_some_and(|me| me.may(Action::StartRun));
    let workflow = watch.summary.with_untracked(|run| run.workflow_id);
    let refused = match workflow {
        _ if !may => Some(format!("Your role may not {}", Action::StartRun.phrase())),
        None => Some("This run's definition was never stored".to_owned()),
        Some(_) => None,
    };
    let target =
        workflow.map(|id| Target { workflow: id, inputs: Some(watch.ends.with_untracked(|ends| ends.inputs.clone())) });
    view! {
        <Button
            label="Run again with…"
            icon="play"
            size=ButtonSize::Small
            shape=ButtonShape::Collapsing
            refused=Signal::stored(refused)
            on_press=move |()| open.set(true)
        />
        <StartRunDialog id="run-again" open target=Signal::stored(target) />
    }
}

/// One line: version, trigger, who, when, how long.
#[component]
pub fn Facts(watch: Watch, clock: Signal<Option<i64>>) -> impl IntoView {
    let run = watch.summary;
    let version =
        run.with_untracked(|run| run.version.map_or_else(|| "draft".to_owned(), |version| version.to_string()));
    let version = match run.with_untracked(|run| run.workflow_id) {
        Some(id) => view! { <a class="link" href=format!("/workflows/{id}")>{version}</a> }.into_any(),
        None => version.into_any(),
    };
    let trigger = run.with_untracked(|run| trigger_label(run.trigger));
    let by = run.with_untracked(|run| run.started_by.clone());
    let began = Signal::derive(move || run.with(|run| run.started_at.unwrap_or(run.created_at)));
    let begun = move || if run.read().started_at.is_some() { "Started" } else { "Queued" };
    let span = Signal::derive(move || run.with(|run| (run.started_at, run.ended_at)));
    let done = move || run.with(|run| format!("{} of {}", run.steps_done, run.steps_total));
    view! {
        <dl class="facts">
            <div><dt>"Version"</dt><dd>{version}</dd></div>
            <div><dt>"Trigger"</dt><dd>{trigger}</dd></div>
            {by.map(|by| view! { <div><dt>"By"</dt><dd>{by}</dd></div> })}
            <div><dt>{begun}</dt><dd><RelativeTime at=began /></dd></div>
            <div hidden=move || run.read().started_at.is_none()><dt>"Took"</dt><dd class="num"><Elapsed span clock /></dd></div>
            <div><dt>"Steps"</dt><dd class="num">{done}</dd></div>
            <UndoneFacts watch />
            <HandlerFacts watch />
            <LineageFacts watch />
        </dl>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_refused_exactly_where_the_server_refuses_it() {
        for status in RunStatus::ALL {
            for command in [Command::Cancel, Command::ForceCancel, Command::Pause, Command::Resume, Command::Retry] {
                assert_eq!(refusal(true, status, command).is_none(), status.allows(command), "{status:?} {command:?}");
                assert!(refusal(false, status, command).is_some());
            }
        }
    }
}
