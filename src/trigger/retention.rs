//! Forgets old firings and the keys of webhooks that have ended.

use super::error::Result;
use super::store;
use crate::runtime::Runtime;

/// Between two rounds.
const ROUND_MS: i64 = 60 * 60 * 1000;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// Firings of one trigger that are kept, besides those of the last day.
const KEPT: i64 = 1_000;
/// Firings of one trigger that are kept at most: a busy webhook forgets callers' ids of the day beyond that.
const KEPT_AT_MOST: i64 = 50_000;
/// Rows of one transaction.
const BATCH: i64 = 500;

/// Forgets once an hour.
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
            Ok(deleted) => tracing::info!(deleted, "old firings of triggers were deleted"),
            Err(error) => tracing::warn!(%error, "old firings can't be deleted; it is tried again in an hour"),
        }
    }
}

/// Forgets once: what is older than its workspace, or else the server, keeps runs, what a trigger has beyond its newest
/// thousand (and from before today), and what it has beyond its newest fifty thousand. Returns how many rows went.
///
/// # Errors
/// The database's.
pub async fn forget(runtime: &Runtime) -> Result<u64> {
    let now = runtime.clock.now();
    let own = store::firing::list_keeping(&runtime.db).await?;
    let own = own.into_iter().map(|(workspace, days)| (Some(workspace), days));
    let rules: Vec<_> = own.chain([(None, i64::from(runtime.config.retention_days))]).collect();
    let mut total = 0;
    loop {
        let mut tx = runtime.db.begin().await?;
        let mut deleted = 0;
        for (workspace, days) in &rules {
            let old = now.plus_ms(-*days * DAY_MS);
            deleted += store::firing::delete_old(&mut tx, *workspace, old, BATCH).await?;
        }
        deleted += store::firing::delete_beyond(&mut tx, KEPT, now.plus_ms(-DAY_MS), BATCH).await?;
        deleted += store::firing::delete_beyond(&mut tx, KEPT_AT_MOST, now, BATCH).await?;
        deleted += store::key::delete_expired(&mut tx, now).await?;
        tx.commit().await?;
        total += deleted;
        if deleted < BATCH as u64 || runtime.tasks.stopping().is_cancelled() {
            return Ok(total);
        }
        // Others may write in between.
        tokio::task::yield_now().await;
    }
}
