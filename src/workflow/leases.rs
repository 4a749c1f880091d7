//! Leases of agents at work: whoever waited for one goes on once it is theirs, or once they are refused.
//!
//! Promises: a step that waits for a lease is woken by an event that stands in the transaction which notes that it was told; so
//! no process that dies in between leaves somebody waiting. What is free is given by whoever looks first, under the workspace's
//! gate. A nudge, of whoever gave something back or ended, only shortens the wait.

use serde_json::json;

use super::Error;
use super::engine::Engine;
use super::store::event::{self, NewEvent};
use crate::agents::leases::{self, Desk};
use crate::model::{LeaseId, RunId};
use crate::runtime::{Ctx, Runtime};

/// Between two looks while somebody waits, in milliseconds: what no nudge told of, such as an end in another process, or that a
/// process is not heard of any more.
const ROUND_MS: i64 = 2_000;
/// The same while nobody does.
const IDLE_MS: i64 = 60_000;

/// Starts looking after leases; it ends with the process' tasks.
pub(super) fn boot(runtime: &Runtime) {
    let own = runtime.clone();
    runtime.tasks.keep("leases of agents", move || watch(own.clone()));
}

async fn watch(runtime: Runtime) {
    let stopping = runtime.tasks.stopping().clone();
    let desk = runtime.shared::<Desk>();
    loop {
        let is_open = look(&runtime).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "leases can't be looked after; it is tried again");
            true
        });
        tokio::select! {
            () = desk.nudged() => {}
            () = runtime.clock.sleep_ms(if is_open { ROUND_MS } else { IDLE_MS }) => {}
            () = stopping.cancelled() => return,
        }
    }
}

/// Looks once: gives what has come free, and wakes who waited for it. True while somebody waits.
///
/// # Errors
/// The database's.
pub async fn look(runtime: &Runtime) -> Result<bool, Error> {
    let workspaces = leases::open_workspaces(runtime).await.map_err(other)?;
    for workspace in &workspaces {
        let ctx = runtime.system(*workspace);
        loop {
            let untold = leases::settle(&ctx).await.map_err(other)?;
            let mut told = 0;
            for id in &untold {
                told += u32::from(wake(&ctx, *id).await?);
            }
            // What another process told meanwhile is no reason to look again.
            if told == 0 {
                break;
            }
        }
    }
    Ok(!workspaces.is_empty())
}

/// Tells the step that waits for a lease that it has come to something. False where another process did.
async fn wake(ctx: &Ctx, id: LeaseId) -> Result<bool, Error> {
    let (key, payload) = (leases::key(id), json!({ "lease": id }));
    let new = NewEvent { id: ctx.ids.fresh(), key: &key, payload: &payload, sender_id: None, sent_by: None };
    let mut tx = ctx.db.begin().await?;
    // The run's row before the lease's, as whoever stores the run's end has them.
    let reached = event::send(&mut tx, ctx.workspace(), &new, || ctx.ids.fresh(), ctx.clock.now()).await?;
    if !leases::set_told(&mut tx, id).await? {
        return Ok(false);
    }
    tx.commit().await?;
    let engine: std::sync::Arc<Engine> = Engine::of(ctx.runtime());
    let reached: Vec<RunId> = reached.unwrap_or_default();
    for run in reached {
        engine.poke(ctx.runtime(), run);
    }
    Ok(true)
}

fn other(error: crate::agents::Error) -> Error {
    Error::Other(error.into())
}
