//! Waiting for runs: how one stands, which have ended.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::broadcast;

use super::engine::{Engine, Hearing, answer_of};
use super::{Error, store};
use crate::model::auth::Action;
use crate::model::workflow::{Fact, Graph, RunStatus};
use crate::model::{RunId, WorkflowId};
use crate::runtime::{Ctx, Runtime};

/// How often a waiter looks at a run that another process may have in hand.
const LOOK: Duration = Duration::from_secs(1);
/// Events that are read at once.
const EVENTS: u32 = 1000;

/// What came of waiting for a run's answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Answered {
    /// Its first `respond` step that succeeded, and what it answered.
    Step(Value),
    /// The run ended without one: how, and its output where it succeeded.
    Ended(RunStatus, Value),
    /// Neither came in time.
    NotYet,
}

/// Waits for a run's first `respond` step that succeeds, or its end, at most `timeout`.
///
/// The owner of the run tells with the flush that makes the answer durable; what was said before anybody listened, or in
/// another process, is read from the history.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn wait_for_answer(ctx: &Ctx, mut hearing: Hearing, timeout: Duration) -> Result<Answered, Error> {
    ctx.authorize(Action::ReadRun)?;
    let until = tokio::time::Instant::now() + timeout;
    let mut history = None;
    let mut looks = hearing.is_late();
    loop {
        if looks && let Some(answer) = look(ctx, hearing.run(), &mut history).await? {
            return Ok(answer);
        }
        looks = true;
        let now = tokio::time::Instant::now();
        if now >= until {
            return Ok(Answered::NotYet);
        }
        // Out of time it is looked at once more.
        if let Ok(answer) = tokio::time::timeout_at(until.min(now + LOOK), hearing.answer()).await {
            return Ok(answer);
        }
    }
}

/// Reads on in a history, from what was read of it before: the graph and the newest event.
async fn look(ctx: &Ctx, run: RunId, read: &mut Option<(Arc<Graph>, i64)>) -> Result<Option<Answered>, Error> {
    let (mut graph, mut seen) = match read.take() {
        Some(read) => read,
        None => {
            let (_, hash) = store::run::find(&ctx.db, ctx.workspace(), run).await?.ok_or(Error::NotFound("run"))?;
            (Graph::new(store::history::definition(&ctx.db, ctx.workspace(), &hash).await?), 0)
        }
    };
    loop {
        let events = store::history::list(&ctx.db, ctx.workspace(), run, seen, EVENTS).await?;
        let is_full = events.len() == EVENTS as usize;
        for event in events {
            seen = event.seq;
            if let Some(answer) = answer_of(&event, &graph) {
                return Ok(Some(answer));
            }
            if let Fact::RunMigrated(migrated) = event.fact {
                graph = Graph::new(migrated.definition);
            }
        }
        if !is_full {
            *read = Some((graph, seen));
            return Ok(None);
        }
    }
}

/// The stored workflow that a run is of, if it is of one.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get_workflow(ctx: &Ctx, run: RunId) -> Result<Option<WorkflowId>, Error> {
    ctx.authorize(Action::ReadRun)?;
    let found = store::run::find(&ctx.db, ctx.workspace(), run).await?;
    Ok(found.ok_or(Error::NotFound("run"))?.0.workflow_id)
}

/// Where a run stands.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get_status(ctx: &Ctx, run: RunId) -> Result<RunStatus, Error> {
    ctx.authorize(Action::ReadRun)?;
    let found = store::run::find(&ctx.db, ctx.workspace(), run).await?;
    Ok(found.ok_or(Error::NotFound("run"))?.0.status)
}

/// The ids of runs of every workspace as they end in this process, from now on. A hint: the table has the truth.
pub fn endings(runtime: &Runtime) -> broadcast::Receiver<RunId> {
    Engine::of(runtime).endings()
}
