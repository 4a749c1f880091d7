//! Sub-runs that nobody waits for, by the keys under which they were or would have been started.
//!
//! An attempt that starts a sub-run may be stopped between the two: the run that stops it can't know whether there is one.
//! So it notes the key in the transaction that says the attempt is over, and whoever looks at the notes tells the sub-run.
//! A note stays for a while, for the transaction that begins the sub-run may still be on its way.

use sqlx::{query, query_as, query_scalar};
use uuid::Uuid;

use super::signal::{self, Outgoing};
use crate::db::{Db, Result, Tx};
use crate::model::workflow::Signal;
use crate::model::{RunId, Timestamp, WorkspaceId};
use crate::{read, within};

/// A note.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Unwanted {
    /// The idempotency key of the sub-run.
    pub idempotency_key: String,
    /// Its workspace.
    pub workspace_id: WorkspaceId,
    /// Since when nobody waits for it.
    pub noted_at: Timestamp,
}

/// Notes a key.
pub(super) async fn note(tx: &mut Tx, workspace: WorkspaceId, key: &str, now: Timestamp) -> Result<()> {
    Ok(within!(tx, conn => query(
        "insert into unwanted_run (idempotency_key, workspace_id, noted_at) values ($1, $2, $3) on conflict do nothing",
    )
    .bind(key)
    .bind(workspace)
    .bind(now)
    .execute(conn)
    .await
    .map(drop))?)
}

/// At most `limit` notes behind a key, by key.
pub async fn list(db: &Db, after: &str, limit: u32) -> Result<Vec<Unwanted>> {
    Ok(read!(db, conn => query_as(
        "select idempotency_key, workspace_id, noted_at from unwanted_run
         where idempotency_key > $1 order by idempotency_key limit $2",
    )
    .bind(after)
    .bind(i64::from(limit))
    .fetch_all(conn)
    .await)?)
}

/// What became of a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// There is no such run, up to now: the note stays.
    NotThere,
    /// It was told, under its id.
    Run(RunId),
    /// It has ended, was started to go on by itself, or somebody else has told it.
    Needless,
}

/// Tells the sub-run of a note that nobody waits for it, and deletes the note.
pub async fn tell(db: &Db, unwanted: &Unwanted, id: Uuid, now: Timestamp) -> Result<Told> {
    let found: Option<(RunId, bool)> = read!(db, conn => query_as(
        "select id, parent_waits from run where workspace_id = $1 and idempotency_key = $2",
    )
    .bind(unwanted.workspace_id)
    .bind(unwanted.idempotency_key.as_str())
    .fetch_optional(conn)
    .await)?;
    let Some((run, waits)) = found else { return Ok(Told::NotThere) };
    let mut tx = db.begin().await?;
    let was_there = delete(&mut tx, unwanted).await?;
    let outgoing = Outgoing { id, run, step: None, attempt: 0, signal: Signal::ParentGone {} };
    let is_told = was_there && waits && signal::insert(&mut tx, &outgoing, now).await?;
    tx.commit().await?;
    Ok(if is_told { Told::Run(run) } else { Told::Needless })
}

async fn delete(tx: &mut Tx, unwanted: &Unwanted) -> Result<bool> {
    let gone: Option<Timestamp> = within!(tx, conn => query_scalar(
        "delete from unwanted_run where idempotency_key = $1 and workspace_id = $2 returning noted_at",
    )
    .bind(unwanted.idempotency_key.as_str())
    .bind(unwanted.workspace_id)
    .fetch_optional(conn)
    .await)?;
    Ok(gone.is_some())
}

/// Deletes the notes from before a time.
pub async fn forget(db: &Db, before: Timestamp) -> Result<()> {
    let mut tx = db.begin().await?;
    within!(&mut tx, conn => query("delete from unwanted_run where noted_at < $1")
        .bind(before)
        .execute(conn)
        .await
        .map(drop))?;
    tx.commit().await
}
