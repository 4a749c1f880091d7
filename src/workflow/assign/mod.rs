//! The queue of tasks at work: each task that an agent was given gets its run, and one whose agent can't go on gets another agent.
//!
//! Promises: a task has one run at a time. Its run is started under the key `task:<id>:<attempt>`, by whoever finds the task, as
//! often as needed; a process that dies anywhere leaves what the next look takes up. Before another agent gets a task, the run of
//! the first has ended, and nothing but reading was asked for in it: what acts is never done by two agents.
//!
//! Reassigned is, at most [`queue::MAX_ATTEMPTS`] times in all, a task whose agent was stopped or deleted before the task ended, and
//! one whose agent failed at it. Not: what has acted. That stays with its agent while it is stopped, and is over when it failed.
//! A process that dies is no reason: the run goes on in another one.
//!
//! The design: what happened is read from the tables; a nudge, or the end of a run, only shortens the wait.

mod acted;

use tokio::sync::broadcast::error::RecvError;

use super::{Error, give_task, runs, store};
use crate::agents;
use crate::agents::queue::{self, Desk, Held};
use crate::model::agent::{Entry, NewTask, QueuedStatus, QueuedTask};
use crate::model::auth::Role;
use crate::model::workflow::{Command, Fact, RunStatus};
use crate::model::{ApiError, QueuedTaskId, RunId};
use crate::runtime::{Actor, Ctx, Principal, Runtime};

/// Between two looks while tasks are not over, in milliseconds: what no nudge told of, such as an agent that was stopped in
/// another process.
const ROUND_MS: i64 = 5_000;
/// The same while there are none.
const IDLE_MS: i64 = 60_000;
/// Events of a run that are read at once.
const EVENTS: u32 = 1_000;

/// Starts looking after the queue; it ends with the process' tasks.
pub fn boot(runtime: &Runtime) {
    let own = runtime.clone();
    runtime.tasks.keep("tasks of agents", move || watch(own.clone()));
}

async fn watch(runtime: Runtime) {
    let stopping = runtime.tasks.stopping().clone();
    let desk = runtime.shared::<Desk>();
    let mut endings = super::endings(&runtime);
    loop {
        let is_open = match look(&runtime).await {
            Ok(is_open) => is_open,
            Err(error) => {
                tracing::warn!(%error, "tasks of agents can't be looked after; it is tried again");
                true
            }
        };
        let ended = async {
            loop {
                match endings.recv().await {
                    Ok(_) | Err(RecvError::Lagged(_)) if is_open => return,
                    Err(RecvError::Closed) => std::future::pending().await,
                    _ => {}
                }
            }
        };
        tokio::select! {
            () = desk.nudged() => {}
            () = ended => {}
            () = runtime.clock.sleep_ms(if is_open { ROUND_MS } else { IDLE_MS }) => {}
            () = stopping.cancelled() => return,
        }
    }
}

/// Looks once: takes up what was begun, follows the runs of tasks, and gives those whose turn has come to agents. True when tasks
/// are left that are not over.
///
/// # Errors
/// The database's, where it can't even be read what there is to do.
pub async fn look(runtime: &Runtime) -> Result<bool, Error> {
    let workspaces = queue::open_workspaces(runtime).await.map_err(other)?;
    for workspace in &workspaces {
        let ctx = runtime.system(*workspace);
        for held in queue::list_assigned(&ctx).await.map_err(other)? {
            kept(&held, follow(&ctx, &held).await);
        }
        for held in queue::assign_ready(&ctx).await.map_err(other)? {
            kept(&held, begin(&ctx, &held).await);
        }
    }
    Ok(!workspaces.is_empty())
}

/// One task that can't be looked after keeps no other.
fn kept(held: &Held, done: Result<(), Error>) {
    if let Err(error) = done {
        tracing::warn!(task = %held.task.id, %error, "a task of an agent can't be looked after; it is tried again");
    }
}

/// Cancels a task that is not over, with its run.
///
/// # Errors
/// As [`queue::cancel`].
pub async fn cancel(ctx: &Ctx, id: QueuedTaskId) -> Result<QueuedTask, Error> {
    let held = queue::cancel(ctx, id).await.map_err(other)?;
    if let Some(run) = held.task.run_id {
        end_run(ctx, run).await?;
    }
    queue::get(ctx, id).await.map_err(other)
}

/// Does what follows from how the run of a task stands.
async fn follow(ctx: &Ctx, held: &Held) -> Result<(), Error> {
    let Some(run) = held.task.run_id else {
        return if held.is_leaving { give_back(ctx, held).await } else { begin(ctx, held).await };
    };
    match held.run {
        None => settle(ctx, held, QueuedStatus::Failed, "its run is gone").await,
        Some(RunStatus::Succeeded) => settle(ctx, held, QueuedStatus::Done, "").await,
        Some(RunStatus::Cancelled | RunStatus::Failed) if held.is_leaving => give_back(ctx, held).await,
        Some(RunStatus::Cancelled) => settle(ctx, held, QueuedStatus::Cancelled, "its run was cancelled").await,
        Some(RunStatus::Failed) => failed(ctx, held, run).await,
        // Whoever began this may have died before it was done.
        Some(_) if held.is_leaving => end_run(ctx, run).await,
        Some(RunStatus::Queued | RunStatus::Running | RunStatus::Waiting | RunStatus::Paused) => {
            leave_if_stopped(ctx, held, run).await
        }
    }
}

/// Gives a task its run. Where its agent can't have it any more, it waits for another.
async fn begin(ctx: &Ctx, held: &Held) -> Result<(), Error> {
    let Some(id) = held.task.agent else { return Ok(()) };
    let agent = match agents::get(ctx, id).await {
        Ok(agent) if agent.stopped_at.is_none() => agent,
        Ok(_) | Err(agents::Error::NotFound(_)) => return give_back(ctx, held).await,
        Err(error) => return Err(other(error)),
    };
    let key = format!("task:{}:{}", held.task.id, held.task.attempt);
    let (task, giver) = (&held.task.task, giver(ctx, held));
    let begun = match store::run::find_by_key(&ctx.db, ctx.workspace(), &key).await? {
        // Whoever started it died before that was noted.
        Some((run, _)) => Ok(run),
        None => {
            let task = NewTask { priority: task.priority, ..NewTask::from(task.prompt.as_str()) };
            give_task::begin(&giver, &agent, task, Some(key)).await
        }
    };
    match begun {
        Ok(run) => {
            if !queue::started(ctx, held, run).await.map_err(other)? {
                // It was cancelled at this very moment, or another process noted the same run.
                return end_if_unwanted(ctx, held, run).await;
            }
            Ok(())
        }
        Err(error) => {
            let error = ApiError::from(error);
            // As many runs wait as may, or the server is about to stop: later.
            if matches!(error.status(), 429 | 503) {
                return queue::say(ctx, held, error.detail()).await.map_err(other);
            }
            settle(ctx, held, QueuedStatus::Failed, &format!("its run could not be started: {}", error.detail())).await
        }
    }
}

/// Who gave the task, so that its run is theirs: what they may not approve, they may not approve there.
fn giver(ctx: &Ctx, held: &Held) -> Ctx {
    let Some((id, name)) = held.by.clone() else { return ctx.clone() };
    let principal = Principal::User { id, name, session: ctx.ids.fresh() };
    let actor = Actor { workspace: ctx.workspace(), principal, role: Role::Operator };
    ctx.runtime().as_actor(actor, String::new())
}

/// Ends a run of a task that does not want it.
async fn end_if_unwanted(ctx: &Ctx, held: &Held, run: RunId) -> Result<(), Error> {
    let now = queue::get(ctx, held.task.id).await.map_err(other)?;
    if now.run_id == Some(run) && !now.status.is_final() {
        return Ok(());
    }
    end_run(ctx, run).await
}

/// Takes a task from an agent that was stopped or deleted, unless it has acted already.
async fn leave_if_stopped(ctx: &Ctx, held: &Held, run: RunId) -> Result<(), Error> {
    let Some(agent) = held.task.agent else { return Ok(()) };
    if !agents::is_stopped(ctx, agent).await.map_err(other)? {
        return Ok(());
    }
    let name = held.task.agent_name.as_deref().unwrap_or("its agent");
    let stays = format!("{name} was stopped, and has acted already: the task stays with it");
    // Once it has acted it has acted.
    if held.task.reason == stays {
        return Ok(());
    }
    if held.task.attempt >= queue::MAX_ATTEMPTS {
        let why = format!("{name} was stopped, and the task was given {} times already", held.task.attempt);
        return queue::say(ctx, held, &why).await.map_err(other);
    }
    if has_acted(ctx, run).await? {
        return queue::say(ctx, held, &stays).await.map_err(other);
    }
    if queue::leave(ctx, held, &format!("{name} was stopped")).await.map_err(other)? {
        end_run(ctx, run).await?;
    }
    Ok(())
}

/// Gives a task whose agent failed at it to another, unless the first has acted or it was given often enough.
async fn failed(ctx: &Ctx, held: &Held, run: RunId) -> Result<(), Error> {
    let name = held.task.agent_name.as_deref().unwrap_or("its agent");
    let headline = runs::get_run(ctx, run).await?.summary.headline.unwrap_or_else(|| "its run failed".to_owned());
    let why = format!("{name} failed at it: {headline}");
    if held.task.attempt >= queue::MAX_ATTEMPTS || has_acted(ctx, run).await? {
        return settle(ctx, held, QueuedStatus::Failed, &why).await;
    }
    queue::give_back(ctx, held, held.task.agent, &why).await.map(drop).map_err(other)
}

/// Lets a task wait for another agent, as it is.
async fn give_back(ctx: &Ctx, held: &Held) -> Result<(), Error> {
    queue::give_back(ctx, held, None, &held.task.reason).await.map(drop).map_err(other)
}

async fn settle(ctx: &Ctx, held: &Held, status: QueuedStatus, why: &str) -> Result<(), Error> {
    queue::settle(ctx, held, status, why).await.map(drop).map_err(other)
}

/// Cancels a run; one that has ended stays as it is.
async fn end_run(ctx: &Ctx, run: RunId) -> Result<(), Error> {
    match runs::control(ctx, run, Command::Cancel).await {
        Ok(_) | Err(Error::Refused(_) | Error::NotFound(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Whether anything but reading was asked for in a run.
async fn has_acted(ctx: &Ctx, run: RunId) -> Result<bool, Error> {
    let (mut journal, mut seen) = (Vec::new(), 0);
    loop {
        let events = runs::list_events(ctx, run, seen, EVENTS).await?;
        let is_last = events.len() < EVENTS as usize;
        for event in events {
            seen = event.seq;
            if let Fact::StepAdvanced { entry, .. } = event.fact {
                match Entry::read(&entry) {
                    Ok(entry) => journal.push(entry),
                    // Nobody knows what it did.
                    Err(_) => return Ok(true),
                }
            }
        }
        if is_last {
            return Ok(acted::has_acted(&journal));
        }
    }
}

fn other(error: agents::Error) -> Error {
    Error::Other(error.into())
}
