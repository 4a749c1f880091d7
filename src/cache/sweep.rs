//! Forgets answers whose time is over, and things that nothing depends on any more.

use super::error::Result;
use super::hot::Hot;
use super::measure;
use super::store::{asked, entry, hit, semantic, source};
use super::warm::ASKED_MS;
use crate::runtime::Runtime;

/// Between two rounds.
const ROUND_MS: i64 = 10 * 60 * 1000;
/// How long a thing is known that nothing depends on.
const SOURCE_MS: i64 = 30 * 24 * 60 * 60 * 1000;
/// How long it is known what was given by meaning, what was observed of it, and what was wrong.
const MEANT_MS: i64 = 30 * 24 * 60 * 60 * 1000;
const WRONG_MS: i64 = 365 * 24 * 60 * 60 * 1000;
/// Rows of one transaction.
const BATCH: i64 = 1_000;

/// Starts the housekeeping.
pub fn boot(runtime: &Runtime) {
    runtime.tasks.spawn("cache housekeeping", watch(runtime.clone()));
}

async fn watch(runtime: Runtime) {
    let stopping = runtime.tasks.stopping().clone();
    loop {
        tokio::select! {
            () = runtime.clock.sleep_ms(ROUND_MS) => {}
            () = stopping.cancelled() => return,
        }
        runtime.shared::<Hot>().sweep(runtime.clock.now());
        if !runtime.keeps_house() {
            continue;
        }
        if let Err(error) = sweep(&runtime).await {
            tracing::warn!(%error, "kept answers whose time is over can't be deleted; it is tried again in 10 minutes");
        }
    }
}

/// Forgets once. Returns how many answers went.
///
/// # Errors
/// The database's.
pub async fn sweep(runtime: &Runtime) -> Result<u64> {
    let now = runtime.clock.now();
    let mut total = 0;
    loop {
        let mut tx = runtime.db.begin().await?;
        let unasked = asked::delete_old(&mut tx, now.plus_ms(-ASKED_MS), BATCH).await?;
        let deleted = entry::delete_expired(&mut tx, now, BATCH).await?;
        let forgotten = source::delete_unused(&mut tx, now.plus_ms(-SOURCE_MS), BATCH).await?;
        let old = now.plus_ms(-MEANT_MS);
        let given = hit::delete_old(&mut tx, (old, now.plus_ms(-WRONG_MS)), BATCH).await?;
        let seen = semantic::delete_old_observations(&mut tx, old, BATCH).await?;
        tx.commit().await?;
        total += deleted;
        let is_done = [deleted, forgotten, given, seen, unasked].iter().all(|count| *count < BATCH as u64);
        if is_done || runtime.tasks.stopping().is_cancelled() {
            measure::gone("expired", total);
            return Ok(total);
        }
        // Others may write in between.
        tokio::task::yield_now().await;
    }
}
