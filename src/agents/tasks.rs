//! The list of what agents did: notes of the steps that do it.

use super::error::Result;
use super::{manage, store};
use crate::model::agent::{Processes, TaskStatus, WaitsFor};
use crate::model::auth::Action;
use crate::model::{AgentId, RunId, WorkspaceId};
use crate::runtime::{Ctx, Runtime};

/// Characters of what an agent was asked that the list keeps.
const PROMPT_CHARS: usize = 300;

/// Runs that are looked at when an agent may work again.
const MAX_RUNS: i64 = 1_000;

/// How a task stands, as the step says that works at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The run.
    pub run_id: RunId,
    /// The step's path.
    pub step: String,
    /// Who works.
    pub agent: AgentId,
    /// At which version.
    pub version: i64,
    /// The workflow's name; the agent's own where it was given the task directly.
    pub workflow_name: String,
    /// What it was asked; only the first 300 characters are kept.
    pub prompt: String,
    /// How it stands.
    pub status: TaskStatus,
    /// Whether it is a trial, which no list, count or choice of an agent goes by.
    pub is_trial: bool,
    /// Calls of its model so far.
    pub turns: u32,
    /// Tokens so far, read and written.
    pub tokens: i64,
    /// Millionths of a US dollar so far.
    pub cost_micros: i64,
    /// What its scripts took so far.
    pub processes: Processes,
    /// What it waits for, where that is people or money.
    pub waits_for: Option<WaitsFor>,
}

/// Whether a run is of a task that an agent was given, whatever its name was then. That is known for 90 days.
///
/// # Errors
/// [`super::Error::Denied`], or the database's.
pub async fn has_task(ctx: &Ctx, agent: AgentId, run: RunId, step: &str) -> Result<bool> {
    ctx.authorize(Action::ReadRun)?;
    Ok(store::task::is_of(&ctx.db, ctx.workspace(), agent, run, step).await?)
}

/// What the work of a step came to, and what it had done in runs that it began: tokens read and written, and millionths of a US dollar.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spent {
    /// By the agent at the step, since its work last began.
    pub own: (i64, i64),
    /// In the runs that the step began and in those inside of them: by agents and by every other step that asks models.
    pub below: (i64, i64),
}

impl Spent {
    /// All of it together.
    pub const fn total(self) -> (i64, i64) {
        (self.own.0.saturating_add(self.below.0), self.own.1.saturating_add(self.below.1))
    }

    /// All of it together, where so much of it is known to be the agent's own: its note may be a piece of its work behind.
    pub fn with_at_least(self, own: (i64, i64)) -> (i64, i64) {
        Self { own: (self.own.0.max(own.0), self.own.1.max(own.1)), ..self }.total()
    }
}

/// What a step and the runs that it began have used of models, as far as it is stored. Where for the latter the agents' notes and the
/// log of calls differ, the larger counts: either may be behind.
///
/// # Errors
/// [`super::Error::Denied`], or the database's.
pub async fn sum_spent(ctx: &Ctx, run: RunId, step: &str) -> Result<Spent> {
    ctx.authorize(Action::ReadRun)?;
    let row = store::task::sum_spent(&ctx.db, ctx.workspace(), run, step).await?;
    Ok(Spent {
        own: (row.own_tokens, row.own_micros),
        below: (row.noted_tokens.max(row.kept_tokens), row.noted_micros.max(row.kept_micros)),
    })
}

/// Runs that are paused while the agent has something to do in them, or has them done, at most 1,000.
///
/// # Errors
/// [`super::Error::Denied`], or the database's.
pub async fn list_paused_runs(ctx: &Ctx, agent: AgentId) -> Result<Vec<RunId>> {
    ctx.authorize(Action::ReadRun)?;
    Ok(store::task::list_paused_runs(&ctx.db, ctx.workspace(), agent, MAX_RUNS).await?)
}

/// The agents that have a run done: those at work at the steps that it is inside of.
///
/// # Errors
/// [`super::Error::Denied`], or the database's.
pub async fn list_above(ctx: &Ctx, run: RunId) -> Result<Vec<AgentId>> {
    ctx.authorize(Action::ReadRun)?;
    Ok(store::task::list_above(&ctx.db, ctx.workspace(), run).await?)
}

/// Notes that an agent was given a task, which has not begun: nothing where the step that works at it has noted something already.
/// Of an agent that is gone nothing is kept.
///
/// # Errors
/// [`super::Error::Denied`], or the database's.
pub async fn note_given(ctx: &Ctx, note: &Note) -> Result<()> {
    ctx.authorize(Action::StartRun)?;
    let mut tx = ctx.db.begin().await?;
    let kept = store::task::add(&mut tx, ctx.workspace(), note, &shortened(&note.prompt), ctx.clock.now()).await?;
    tx.commit().await?;
    if kept {
        manage::publish(ctx.runtime(), ctx.workspace(), note.agent);
    }
    Ok(())
}

/// As much of a prompt as the list keeps; Postgres holds no NUL.
fn shortened(prompt: &str) -> String {
    prompt.chars().filter(|c| *c != '\0').take(PROMPT_CHARS).collect()
}

/// Notes how a task stands: the first note of a step begins it, each later one takes its place. Of an agent that is gone nothing is
/// kept, and that is no error: its step ends by itself.
///
/// # Errors
/// [`super::Error::Denied`], or the database's.
pub async fn note_task(ctx: &Ctx, note: &Note) -> Result<()> {
    ctx.authorize(Action::StartRun)?;
    let mut tx = ctx.db.begin().await?;
    let kept = store::task::put(&mut tx, ctx.workspace(), note, &shortened(&note.prompt), ctx.clock.now()).await?;
    tx.commit().await?;
    if kept {
        manage::publish(ctx.runtime(), ctx.workspace(), note.agent);
    }
    Ok(())
}

/// Notes that a task is done which somebody has done by hand. Of a step that nothing is kept of, nothing happens.
///
/// # Errors
/// [`super::Error::Denied`], or the database's.
pub async fn close_task(ctx: &Ctx, run: RunId, step: &str) -> Result<()> {
    ctx.authorize(Action::ControlRun)?;
    let mut tx = ctx.db.begin().await?;
    let closed = store::task::close(&mut tx, ctx.workspace(), run, step, ctx.clock.now()).await?;
    tx.commit().await?;
    if let Some(agent) = closed {
        manage::publish(ctx.runtime(), ctx.workspace(), agent);
    }
    Ok(())
}

/// Tells those who look at agents of all that have a task in this run, once what their tasks stand by is stored: how the run stands, or whom
/// it asks.
///
/// # Errors
/// The database's.
pub async fn tell_of_run(runtime: &Runtime, workspace: WorkspaceId, run: RunId) -> Result<()> {
    for agent in store::task::list_agents(&runtime.db, workspace, run).await? {
        manage::publish(runtime, workspace, agent);
    }
    Ok(())
}
