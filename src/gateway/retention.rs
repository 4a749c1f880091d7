//! Forgets old calls, what was asked and answered in them, keys that ended long ago, and what was spent on days that no budget asks for.

use super::error::Result;
use super::store;
use crate::model::gateway::BudgetPeriod;
use crate::runtime::Runtime;

/// Between two rounds.
const ROUND_MS: i64 = 60 * 60 * 1000;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// Days whose costs are kept, whatever becomes of the calls: a year and a month, to compare with.
const SPEND_DAYS: i64 = 400;
/// Rows of one transaction.
const BATCH: i64 = 1_000;

/// Starts the housekeeping.
pub fn boot(runtime: &Runtime) {
    runtime.tasks.spawn("gateway housekeeping", watch(runtime.clone()));
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
            Ok(deleted) => tracing::info!(deleted, "old calls of models were deleted"),
            Err(error) => tracing::warn!(%error, "old calls of models can't be deleted; it is tried again in an hour"),
        }
    }
}

/// Forgets once: calls that are older than runs are kept, and keys that ended as long ago. Returns how many rows went.
///
/// # Errors
/// The database's.
pub async fn forget(runtime: &Runtime) -> Result<u64> {
    let old = runtime.clock.now().plus_ms(-i64::from(runtime.config.retention_days) * DAY_MS);
    let spend_before = BudgetPeriod::Day.days(runtime.clock.now().plus_ms(-SPEND_DAYS * DAY_MS)).0;
    let mut total = 0;
    loop {
        let mut tx = runtime.db.begin().await?;
        let deleted = store::call::delete_old(&mut tx, old, BATCH).await?
            + store::spend::delete_old(&mut tx, &spend_before, BATCH).await?
            + store::content::delete_ended(&mut tx, runtime.clock.now(), BATCH).await?;
        total += deleted + store::key::delete_expired(&mut tx, old).await?;
        tx.commit().await?;
        if deleted < BATCH as u64 || runtime.tasks.stopping().is_cancelled() {
            return Ok(total);
        }
        // Others may write in between.
        tokio::task::yield_now().await;
    }
}
