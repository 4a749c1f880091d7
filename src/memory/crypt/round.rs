//! The background work: everything is brought under the newest key of its workspace, and the keys before it are deleted.
//!
//! It goes along the change numbers, as an index does: what is written meanwhile is under the newest key and has a number that is
//! still to come. Each go is one transaction that takes the lock of the workspace's writers first, so that no write is lost, and
//! notes how far it came; a process that was killed goes on from there. Entries that were there before anything was encrypted are
//! brought under the first key in the same way.

use std::time::Duration;

use tokio::sync::Notify;

use super::{Error, key_for_writing};
use crate::db::Tx;
use crate::memory::crypt::DataKey;
use crate::memory::store::{self, Rows};
use crate::model::{EntryId, Timestamp};
use crate::runtime::{Ctx, Runtime};

/// How often whoever keeps house looks whether there is something to do.
const EVERY: Duration = Duration::from_secs(20);
/// Workspaces that are worked on in one round.
const WORKSPACES: i64 = 64;
/// Entries looked at in one go, and after how many bytes that were encrypted a go ends: the workspace's writers wait meanwhile.
const ENTRIES: i64 = 32;
const BYTES: usize = 1 << 18;
/// How long keys stay after the last row went under another: somebody may have read rows just before, and ask for their key now.
const GRACE_MS: i64 = 60_000;

/// What a round came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sealed {
    /// Rows that were encrypted, or encrypted anew.
    pub rows: u64,
    /// Keys that were deleted.
    pub retired: u64,
    /// When the next keys can be deleted.
    pub next: Option<Timestamp>,
}

/// Rung when there is something to do at once.
#[derive(Debug, Default)]
struct Bell(Notify);

/// Says in this process that there is a new key.
pub(super) fn wake(runtime: &Runtime) {
    runtime.shared::<Bell>().0.notify_one();
}

/// Starts the work; it ends with the process' tasks.
pub fn boot(runtime: &Runtime) {
    let runtime = runtime.clone();
    let bell = runtime.shared::<Bell>();
    runtime.tasks.clone().spawn("memory encryption", async move {
        let stopping = runtime.tasks.stopping().clone();
        loop {
            if runtime.keeps_house()
                && let Err(error) = seal_pending(&runtime).await
            {
                let seconds = EVERY.as_secs();
                tracing::warn!(%error, "not all of the memory could be encrypted; it is tried again in {seconds} s");
            }
            tokio::select! {
                () = stopping.cancelled() => return,
                () = bell.0.notified() => {}
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    });
}

/// Brings everything under the newest key of its workspace, and deletes keys that nothing is under any more.
///
/// # Errors
/// When the database fails, or a workspace's newest key can't be opened; what was done before stays done, and other workspaces are
/// done all the same.
pub async fn seal_pending(runtime: &Runtime) -> Result<Sealed, Error> {
    let mut sealed = Sealed::default();
    let mut failed = None;
    for workspace in store::unsealed_workspaces(&runtime.db, WORKSPACES).await? {
        let ctx = runtime.system(workspace);
        while !runtime.tasks.stopping().is_cancelled() {
            match step(&ctx, &mut sealed).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    tracing::warn!(%workspace, %error, "the memory of a workspace can't be encrypted for now");
                    failed = Some(error);
                    break;
                }
            }
        }
    }
    failed.map_or(Ok(sealed), Err)
}

/// One go. False when there is nothing more to do for now.
async fn step(ctx: &Ctx, done: &mut Sealed) -> Result<bool, Error> {
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin().await?;
    let row = store::lock_sealing(&mut tx, ctx.workspace()).await?;
    let key = key_for_writing(&mut tx, ctx, row.data_key).await?;
    if row.data_key.is_none() {
        // Made just now: what is to be done begins with the next go.
        tx.commit().await?;
        return Ok(true);
    }
    if row.is_done() {
        let Some(since) = row.resealed_at else { return Ok(false) };
        let over = since.plus_ms(GRACE_MS);
        if over > now {
            done.next = Some(done.next.map_or(over, |next| next.min(over)));
            return Ok(false);
        }
        let retired = store::retire_keys(&mut tx, ctx.workspace(), key.number()).await?;
        tx.commit().await?;
        if retired > 0 {
            tracing::info!(workspace = %ctx.workspace(), retired, "keys that nothing is under any more were deleted");
        }
        done.retired += retired;
        return Ok(false);
    }
    let entries = store::entries_behind(&mut tx, ctx.workspace(), row.reseal_after, ENTRIES).await?;
    if entries.is_empty() {
        store::note_resealed(&mut tx, ctx.workspace(), key.number(), now).await?;
        tx.commit().await?;
        tracing::info!(workspace = %ctx.workspace(), key = key.number(), "all of the memory is under the newest key");
        return Ok(true);
    }
    let mut go = Go { ctx, key: &key, rows: 0, bytes: 0, unreadable: 0 };
    let mut upto = row.reseal_after;
    for (id, change) in entries {
        go.entry(&mut tx, id).await?;
        upto = change;
        if go.bytes >= BYTES {
            break;
        }
    }
    let (rows, unreadable) = (go.rows, go.unreadable);
    store::note_looked_at(&mut tx, ctx.workspace(), upto, unreadable).await?;
    tx.commit().await?;
    done.rows += rows;
    Ok(true)
}

/// What one go has done.
struct Go<'a> {
    ctx: &'a Ctx,
    key: &'a DataKey,
    rows: u64,
    bytes: usize,
    unreadable: i64,
}

impl Go<'_> {
    /// Brings all that belongs to an entry under the key. What can't be opened stays as it is, and is counted.
    async fn entry(&mut self, tx: &mut Tx, id: EntryId) -> Result<(), Error> {
        for rows in [Rows::Entry, Rows::Versions, Rows::Siblings] {
            let mut after = 0;
            loop {
                let texts = store::old_texts(tx, self.ctx, (rows, id), after, self.key.number()).await?;
                let Some(last) = texts.last() else { break };
                after = last.number;
                for text in &texts {
                    let Ok((place, clear, chars)) = text.to_seal() else {
                        self.unreadable += 1;
                        continue;
                    };
                    let sealed = self.sealed(&place, &clear);
                    store::reseal_text(tx, text, sealed, chars).await?;
                }
                if rows == Rows::Entry {
                    break;
                }
            }
        }
        for vectors in store::old_vectors(tx, self.ctx, id, self.key.number()).await? {
            let Ok((place, clear)) = vectors.to_seal() else {
                self.unreadable += 1;
                continue;
            };
            let (sealed, number) = self.sealed(&place, &clear);
            store::reseal_vectors(tx, &vectors, sealed, number).await?;
        }
        Ok(())
    }

    fn sealed(&mut self, place: &super::Place, clear: &[u8]) -> (Vec<u8>, i64) {
        self.rows += 1;
        self.bytes += clear.len();
        (self.key.seal(&self.ctx.ids, place, clear), self.key.number())
    }
}
