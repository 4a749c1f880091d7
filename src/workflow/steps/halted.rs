//! A stop of an agent reaches all that it has others do: steps of the runs that it began, and of those inside of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Outcome, StepCall, perform};
use crate::agents;
use crate::model::workflow::StepError;
use crate::model::{AgentId, RunId};
use crate::runtime::Ctx;

/// How often it is looked whether somebody has stopped an agent above, in milliseconds: with the time to end what is in motion, all of it
/// has stopped within two seconds.
const LOOK_MS: i64 = 1_000;
/// Runs of which it is remembered who has them done.
const MAX_REMEMBERED: usize = 4_096;

/// The agents above runs. Who began a run is fixed with the run.
#[derive(Debug, Default)]
struct Known(Mutex<HashMap<RunId, Arc<[AgentId]>>>);

/// Does the work of an attempt, as long as no agent above it is stopped.
///
/// # Errors
/// Class `stopped`, for which the run waits; else as the work.
pub(super) async fn run(kind: &str, call: StepCall) -> Result<Outcome, StepError> {
    if call.depth == 0 {
        return Box::pin(perform(kind, call)).await;
    }
    let (ctx, run) = (call.ctx.clone(), call.run_id);
    let above = agents_above(&ctx, run).await;
    if above.is_empty() {
        return Box::pin(perform(kind, call)).await;
    }
    if is_any_stopped(&ctx, &above).await {
        return Err(stopped());
    }
    tokio::select! {
        // What is done is not thrown away.
        biased;
        done = Box::pin(perform(kind, call)) => done,
        () = until_stopped(&ctx, &above) => Err(stopped()),
    }
}

fn stopped() -> StepError {
    StepError::permanent(StepError::STOPPED, "the agent that has this done was stopped")
}

async fn until_stopped(ctx: &Ctx, above: &[AgentId]) {
    loop {
        ctx.clock.sleep_ms(LOOK_MS).await;
        if is_any_stopped(ctx, above).await {
            return;
        }
    }
}

async fn is_any_stopped(ctx: &Ctx, above: &[AgentId]) -> bool {
    for agent in above {
        match agents::is_stopped(ctx, *agent).await {
            Ok(true) => return true,
            Ok(false) => {}
            // Where that can't be read, nothing of the kind is known.
            Err(error) => tracing::warn!(%agent, %error, "it can't be read whether an agent was stopped"),
        }
    }
    false
}

async fn agents_above(ctx: &Ctx, run: RunId) -> Arc<[AgentId]> {
    let known: Arc<Known> = ctx.shared();
    // The map is changed by single statements: it is whole whatever panicked.
    let found = known.0.lock().unwrap_or_else(PoisonError::into_inner).get(&run).cloned();
    if let Some(above) = found {
        return above;
    }
    let above: Arc<[AgentId]> = match agents::list_above(ctx, run).await {
        Ok(above) => above.into(),
        // A step that needs no database for itself does not fail for this; the next one asks again.
        Err(error) => {
            tracing::warn!(%run, %error, "it can't be read which agents have a run done");
            return Arc::default();
        }
    };
    let mut all = known.0.lock().unwrap_or_else(PoisonError::into_inner);
    if all.len() >= MAX_REMEMBERED {
        all.clear();
    }
    all.insert(run, Arc::clone(&above));
    above
}
