//! Waiting for runs: how one stands, which have ended.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::engine::Engine;
use super::{Error, store};
use crate::model::auth::Action;
use crate::model::live::Topic;
use crate::model::workflow::{Fact, Graph, RunStatus};
use crate::model::{RunId, WorkflowId};
use crate::runtime::events::Change;
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
    /// The run ended without one.
    Ended(RunStatus),
    /// Neither came in time.
    NotYet,
}

/// Waits for a run's first `respond` step that succeeds, or its end, at most `timeout`.
///
/// The bus says when to look; the history is what counts, so that nothing is missed that was said before the wait began
/// or in another process.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn wait_for_answer(ctx: &Ctx, run: RunId, timeout: Duration) -> Result<Answered, Error> {
    ctx.authorize(Action::ReadRun)?;
    let until = tokio::time::Instant::now() + timeout;
    let mut changes = ctx.events.subscribe();
    let (_, hash) = store::run::find(&ctx.db, ctx.workspace(), run).await?.ok_or(Error::NotFound("run"))?;
    let definition = store::history::definition(&ctx.db, ctx.workspace(), &hash).await?;
    let mut graph = Graph::new(definition);
    // Also one inside of a container.
    let answers = |graph: &Graph, path: &str| graph.find_path(path).is_some_and(|step| step.kind == "respond");
    let mut seen = 0;
    loop {
        let events = store::history::list(&ctx.db, ctx.workspace(), run, seen, EVENTS).await?;
        let is_full = events.len() == EVENTS as usize;
        for event in events {
            seen = event.seq;
            match event.fact {
                Fact::StepSucceeded { output, .. }
                    if event.step.as_deref().is_some_and(|path| answers(&graph, path)) =>
                {
                    return Ok(Answered::Step(output));
                }
                Fact::RunMigrated(migrated) => graph = Graph::new(migrated.definition),
                Fact::RunSucceeded { .. } => return Ok(Answered::Ended(RunStatus::Succeeded)),
                Fact::RunFailed { .. } => return Ok(Answered::Ended(RunStatus::Failed)),
                Fact::RunCancelled {} => return Ok(Answered::Ended(RunStatus::Cancelled)),
                _ => {}
            }
        }
        if is_full {
            continue;
        }
        let now = tokio::time::Instant::now();
        if now >= until {
            return Ok(Answered::NotYet);
        }
        // Out of time to wait for a message: then it is looked at once more.
        let _ = tokio::time::timeout_at(until.min(now + LOOK), moved(&mut changes, run, seen)).await;
    }
}

/// Returns when the history of a run goes on behind `seen`, or a message was missed.
async fn moved(changes: &mut broadcast::Receiver<Arc<Change>>, run: RunId, seen: i64) {
    loop {
        match changes.recv().await {
            Ok(change) => {
                let update = &change.update;
                if update.topic == Topic::Run(run) && update.kind == "event" && update.seq > seen {
                    return;
                }
            }
            Err(RecvError::Lagged(_)) => return,
            Err(RecvError::Closed) => std::future::pending().await,
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
