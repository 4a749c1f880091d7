//! The list of what agents did: notes of the steps that do it.

use super::error::Result;
use super::{manage, store};
use crate::model::agent::{Processes, TaskStatus, WaitsFor};
use crate::model::auth::Action;
use crate::model::{AgentId, RunId};
use crate::runtime::Ctx;

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

/// What agents have used in the runs that a step began, and in those inside of them, as they noted it: tokens, and millionths of a US
/// dollar.
///
/// # Errors
/// [`super::Error::Denied`], or the database's.
pub async fn sum_below(ctx: &Ctx, run: RunId, step: &str) -> Result<(i64, i64)> {
    ctx.authorize(Action::ReadRun)?;
    Ok(store::task::sum_below(&ctx.db, ctx.workspace(), run, step).await?)
}

/// Runs that are paused while the agent has something to do in them, at most 1,000.
///
/// # Errors
/// [`super::Error::Denied`], or the database's.
pub async fn list_paused_runs(ctx: &Ctx, agent: AgentId) -> Result<Vec<RunId>> {
    ctx.authorize(Action::ReadRun)?;
    Ok(store::task::list_paused_runs(&ctx.db, ctx.workspace(), agent, MAX_RUNS).await?)
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
        manage::publish(ctx, note.agent);
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
        manage::publish(ctx, note.agent);
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
        manage::publish(ctx, agent);
    }
    Ok(())
}
