//! What makes vectors of the entries of each workspace, and who works on it.

use sqlx::{FromRow, query, query_as, query_scalar};
use uuid::Uuid;

use crate::db::{Db, Result, Tx};
use crate::model::{EmbedderId, Timestamp, WorkspaceId};
use crate::{read, within};

/// Used by searches.
pub(in crate::memory) const SERVING: &str = "serving";
/// Takes over once it is whole.
pub(in crate::memory) const BUILDING: &str = "building";

macro_rules! columns {
    ($rest:literal) => {
        concat!(
            "select g.id, g.workspace_id, g.model, g.dims, g.state, g.done_change, g.paused, g.pauses, g.retry_at, g.created_at,
                g.whole_at from memory_embedder g ",
            $rest
        )
    };
}

/// An embedder.
#[derive(Debug, Clone, FromRow)]
pub(in crate::memory) struct EmbedderRow {
    pub id: EmbedderId,
    pub workspace_id: WorkspaceId,
    pub model: String,
    pub dims: i64,
    pub state: String,
    pub done_change: i64,
    pub paused: Option<String>,
    pub pauses: i64,
    pub retry_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub whole_at: Option<Timestamp>,
}

/// Every embedder of every workspace, the serving ones first.
pub(in crate::memory) async fn all_embedders(db: &Db) -> Result<Vec<EmbedderRow>> {
    const SQL: &str = columns!("order by g.state desc, g.id");
    Ok(read!(db, conn => query_as(SQL).fetch_all(conn).await)?)
}

/// The embedders of a workspace.
pub(in crate::memory) async fn embedders(db: &Db, workspace: WorkspaceId) -> Result<Vec<EmbedderRow>> {
    const SQL: &str = columns!("where g.workspace_id = $1");
    Ok(read!(db, conn => query_as(SQL).bind(workspace).fetch_all(conn).await)?)
}

/// The same inside a transaction.
pub(in crate::memory) async fn embedders_within(tx: &mut Tx, workspace: WorkspaceId) -> Result<Vec<EmbedderRow>> {
    const SQL: &str = columns!("where g.workspace_id = $1");
    Ok(within!(tx, conn => query_as(SQL).bind(workspace).fetch_all(conn).await)?)
}

/// Adds one.
pub(in crate::memory) async fn insert_embedder(tx: &mut Tx, row: &EmbedderRow) -> Result<()> {
    within!(tx, conn => query(
        "insert into memory_embedder (id, workspace_id, model, dims, state, done_change, pauses, created_at)
         values ($1, $2, $3, $4, $5, $6, 0, $7)",
    )
    .bind(row.id)
    .bind(row.workspace_id)
    .bind(row.model.as_str())
    .bind(row.dims)
    .bind(row.state.as_str())
    .bind(row.done_change)
    .bind(row.created_at)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// Removes one, with its vectors.
pub(in crate::memory) async fn delete_embedder(tx: &mut Tx, id: EmbedderId) -> Result<()> {
    within!(tx, conn => query("delete from memory_embedder where id = $1").bind(id).execute(conn).await.map(drop))?;
    Ok(())
}

/// Workspaces with a memory where nobody has said what makes vectors, be it nothing.
pub(in crate::memory) async fn workspaces_without_choice(db: &Db, limit: i64) -> Result<Vec<WorkspaceId>> {
    Ok(read!(db, conn => query_scalar(
        "select c.workspace_id from memory_change c
         where not exists (select 1 from memory_embedder_choice h where h.workspace_id = c.workspace_id)
         order by c.workspace_id limit $1",
    )
    .bind(limit)
    .fetch_all(conn)
    .await)?)
}

/// Notes that somebody has said what makes vectors.
pub(in crate::memory) async fn note_choice(tx: &mut Tx, workspace: WorkspaceId, now: Timestamp) -> Result<()> {
    within!(tx, conn => query(
        "insert into memory_embedder_choice (workspace_id, at) values ($1, $2) on conflict (workspace_id) do nothing",
    )
    .bind(workspace)
    .bind(now)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// Takes or keeps the lease of an embedder; false while another process has one that ends after `over`.
pub(in crate::memory) async fn lease(
    tx: &mut Tx,
    id: EmbedderId,
    owner: Uuid,
    over: Timestamp,
    until: Timestamp,
) -> Result<bool> {
    Ok(within!(tx, conn => query(
        "update memory_embedder set lease_owner = $2, lease_until = $4
         where id = $1 and (lease_owner is null or lease_owner = $2 or lease_until is null or lease_until <= $3)",
    )
    .bind(id)
    .bind(owner)
    .bind(over)
    .bind(until)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))?)
}

/// Notes how far an embedder has come, if this process still has its lease; whatever it waited for is over.
pub(in crate::memory) async fn advance(tx: &mut Tx, id: EmbedderId, owner: Uuid, done_change: i64) -> Result<bool> {
    Ok(within!(tx, conn => query(
        "update memory_embedder set done_change = $3, paused = null, pauses = 0, retry_at = null
         where id = $1 and lease_owner = $2",
    )
    .bind(id)
    .bind(owner)
    .bind(done_change)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))?)
}

/// Notes why an embedder waits, how often it had to in a row, and until when.
pub(in crate::memory) async fn pause(
    tx: &mut Tx,
    id: EmbedderId,
    owner: Uuid,
    reason: &str,
    pauses: i64,
    retry_at: Timestamp,
) -> Result<()> {
    within!(tx, conn => query(
        "update memory_embedder set paused = $3, pauses = $4, retry_at = $5 where id = $1 and lease_owner = $2",
    )
    .bind(id)
    .bind(owner)
    .bind(reason)
    .bind(pauses)
    .bind(retry_at)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// Gives the lease back.
pub(in crate::memory) async fn release(tx: &mut Tx, id: EmbedderId, owner: Uuid) -> Result<()> {
    within!(tx, conn => query(
        "update memory_embedder set lease_owner = null, lease_until = null where id = $1 and lease_owner = $2",
    )
    .bind(id)
    .bind(owner)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// Says that every entry has its vector, and that searches use them from now on.
pub(in crate::memory) async fn serve(tx: &mut Tx, id: EmbedderId, now: Timestamp) -> Result<()> {
    within!(tx, conn => query(
        "update memory_embedder set state = 'serving', whole_at = coalesce(whole_at, $2) where id = $1",
    )
    .bind(id)
    .bind(now)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// Lets an embedder that waits be tried at once.
pub(in crate::memory) async fn resume(tx: &mut Tx, id: EmbedderId, now: Timestamp) -> Result<()> {
    within!(tx, conn => query("update memory_embedder set retry_at = $2 where id = $1 and paused is not null")
        .bind(id)
        .bind(now)
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}
