//! Forgets runs that ended long ago, each by the rule of its workflow, its workspace or the server, and payloads that nothing refers to, a bounded batch at a time.

use crate::db;
use crate::runtime::Runtime;
use crate::workflow::store::retention::{self, Whose};
use crate::workflow::store::{command, event};

/// Between two rounds.
const ROUND_MS: i64 = 60 * 60 * 1000;
/// Rows of one transaction.
const BATCH: u32 = 200;
/// A payload that was referred to anew this recently is left alone.
const FRESH_MS: i64 = 24 * 60 * 60 * 1000;
/// How long events are kept for runs that come to wait for them later.
const EVENTS_MS: i64 = 7 * DAY_MS;
/// How long commands from one process to another are kept that nobody waits for any more.
const COMMANDS_MS: i64 = 60 * 60 * 1000;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Deletes what is old, once an hour.
pub(super) async fn watch(runtime: Runtime) {
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
            Ok(deleted) => tracing::info!(deleted, "old runs and their payloads were deleted"),
            Err(error) => tracing::warn!(%error, "old runs can't be deleted; it is tried again in an hour"),
        }
    }
}

/// One round. Returns how many rows were deleted.
pub(in crate::workflow) async fn forget(runtime: &Runtime) -> db::Result<u64> {
    let now = runtime.clock.now();
    let mut rules = retention::list_rules(&runtime.db).await?;
    rules.push((Whose::Rest, i64::from(runtime.config.retention_days)));
    let mut total = command::forget(&runtime.db, now.plus_ms(-COMMANDS_MS)).await?;
    for (whose, days) in rules {
        let before = now.plus_ms(-days.max(1) * DAY_MS);
        loop {
            let deleted = retention::delete_runs(&runtime.db, whose, before, BATCH).await?;
            total += deleted;
            if deleted < u64::from(BATCH) || runtime.tasks.stopping().is_cancelled() {
                break;
            }
            // Others may write in between.
            tokio::task::yield_now().await;
        }
    }
    loop {
        let deleted = event::forget(&runtime.db, now.plus_ms(-EVENTS_MS), BATCH).await?;
        total += deleted;
        if deleted < u64::from(BATCH) || runtime.tasks.stopping().is_cancelled() {
            break;
        }
        tokio::task::yield_now().await;
    }
    loop {
        let deleted = retention::delete_payloads(&runtime.db, now.plus_ms(-FRESH_MS), BATCH).await?;
        total += deleted;
        if deleted < u64::from(BATCH) || runtime.tasks.stopping().is_cancelled() {
            return Ok(total);
        }
        tokio::task::yield_now().await;
    }
}
