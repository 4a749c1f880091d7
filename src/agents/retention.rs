//! Forgets tasks and versions of agents that are old.

use super::error::Result;
use super::store;
use crate::runtime::Runtime;

/// Between two rounds.
const ROUND_MS: i64 = 60 * 60 * 1000;
/// How long a task stays in the list after the agent last did something: 90 days.
const KEEP_MS: i64 = 90 * 24 * 60 * 60 * 1000;
/// Rows of one transaction.
const BATCH: i64 = 1_000;

/// Starts the housekeeping.
pub fn boot(runtime: &Runtime) {
    runtime.tasks.spawn("agents housekeeping", watch(runtime.clone()));
}

async fn watch(runtime: Runtime) {
    let stopping = runtime.tasks.stopping().clone();
    loop {
        tokio::select! {
            () = runtime.clock.sleep_ms(ROUND_MS) => {}
            () = stopping.cancelled() => return,
        }
        if !runtime.keeps_house() {
            continue;
        }
        match forget(&runtime).await {
            Ok(0) => {}
            Ok(deleted) => tracing::info!(deleted, "old tasks and versions of agents were deleted"),
            Err(error) => {
                tracing::warn!(%error, "old tasks of agents can't be deleted; it is tried again in an hour");
            }
        }
    }
}

/// Forgets once: tasks that nothing was done of for 90 days, unless their run goes on, those of the queue that were over before, and all but the newest 100 versions of each
/// agent. Returns how many rows went.
///
/// # Errors
/// The database's.
pub async fn forget(runtime: &Runtime) -> Result<u64> {
    let old = runtime.clock.now().plus_ms(-KEEP_MS);
    let mut total = 0;
    loop {
        let mut tx = runtime.db.begin().await?;
        let tasks = store::task::delete_old(&mut tx, old, BATCH).await?;
        let versions = store::version::delete_old(&mut tx, BATCH).await?;
        let queued = store::queue::delete_old(&mut tx, old, BATCH).await?;
        tx.commit().await?;
        total += tasks + versions + queued;
        if tasks.max(versions).max(queued) < BATCH as u64 || runtime.tasks.stopping().is_cancelled() {
            return Ok(total);
        }
        // Others may write in between.
        tokio::task::yield_now().await;
    }
}
