//! The sweeper: marks entries whose time ran out or that were kept long enough, removes for good what was deleted long ago, and mends
//! marks of what took the place of what.
//!
//! Takes no input and may run in several processes at once: each entry is checked again inside its own transaction.

use std::time::Duration;

use super::{DELETED_KEPT_DAYS, Error, backup, crypt, embed, heard, reads, relation, retention, store, summary};
use crate::db::Tx;
use crate::model::memory::Source;
use crate::model::{EntryId, Timestamp};
use crate::runtime::{Ctx, Runtime};

/// How often it looks. Nobody sees an expired entry in between: every read checks the time.
const EVERY: Duration = Duration::from_secs(60);
/// Entries handled in one go.
const BATCH: i64 = 500;

/// Starts the sweeper, what makes vectors, what encrypts, what writes down who read, the rules for summaries, and backups; they end with the process' tasks.
pub fn boot(runtime: &Runtime) {
    embed::boot(runtime);
    reads::boot(runtime);
    crypt::boot(runtime);
    summary::boot_rules(runtime);
    backup::boot(runtime);
    let runtime = runtime.clone();
    runtime.tasks.clone().spawn("memory sweeper", async move {
        let stopping = runtime.tasks.stopping().clone();
        loop {
            tokio::select! {
                () = stopping.cancelled() => return,
                () = tokio::time::sleep(EVERY) => {}
            }
            if !runtime.keeps_house() {
                continue;
            }
            if let Err(error) = sweep(&runtime).await {
                tracing::warn!(%error, "memory could not be swept; it is tried again in {} s", EVERY.as_secs());
            }
        }
    });
}

/// Sweeps once. Returns how many entries ran out or were kept long enough, and how many were removed for good.
///
/// # Errors
/// When the database fails; what was swept before stays swept.
pub async fn sweep(runtime: &Runtime) -> Result<(u64, u64), Error> {
    let now = runtime.clock.now();
    let mut expired = 0;
    for (workspace, id) in store::expired(&runtime.db, now, BATCH).await? {
        expired += u64::from(expire(&runtime.system(workspace), id, now).await?);
    }
    expired += retention::enforce(runtime, now, BATCH).await?;
    let mut tx = runtime.db.begin().await?;
    let before = now.plus_ms(-DELETED_KEPT_DAYS * 86_400_000);
    let removed = store::purge(&mut tx, before, BATCH).await?;
    tx.commit().await?;
    relation::mend(runtime, BATCH).await?;
    Ok((expired, removed))
}

/// Deletes an entry whose time ran out, unless somebody was faster. Returns whether it did.
async fn expire(ctx: &Ctx, id: EntryId, now: Timestamp) -> Result<bool, Error> {
    let mut tx = ctx.db.begin().await?;
    let change = store::next_change(&mut tx, ctx.workspace()).await?;
    let Some(found) = store::find_expired(&mut tx, id, now).await? else { return Ok(false) };
    remove(ctx, tx, (id, found), now, change).await?;
    Ok(true)
}

/// Deletes an entry in this version, as one whose time is over; it can come back as any that was deleted.
pub(super) async fn remove(
    ctx: &Ctx,
    mut tx: Tx,
    (id, (namespace, key, version)): (EntryId, (String, String, i64)),
    now: Timestamp,
    change: i64,
) -> Result<(), Error> {
    store::mark_deleted(&mut tx, id, version + 1, now, change).await?;
    store::delete_vectors(&mut tx, id).await?;
    store::append_deletion(&mut tx, id, version + 1, &Source::Expiry {}, now, change).await?;
    heard::note(&mut tx, ctx, (&namespace, &key), &(version + 1).to_string()).await?;
    tx.commit().await?;
    heard::deleted(ctx, &namespace, &key, id, change).await
}
