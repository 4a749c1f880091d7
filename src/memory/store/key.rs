//! The wrapped keys of each workspace, and how far everything stands under the newest one.

use sqlx::{FromRow, query, query_as, query_scalar};

use crate::db::{Db, Result, Tx};
use crate::model::{Timestamp, WorkspaceId};
use crate::{read, within};

/// A wrapped key.
pub(in crate::memory) async fn find_key(db: &Db, workspace: WorkspaceId, number: i64) -> Result<Option<Vec<u8>>> {
    Ok(read!(db, conn => query_scalar("select wrapped from workspace_key where workspace_id = $1 and number = $2")
        .bind(workspace)
        .bind(number)
        .fetch_optional(conn)
        .await)?)
}

/// The same inside a transaction.
pub(in crate::memory) async fn find_key_within(
    tx: &mut Tx,
    workspace: WorkspaceId,
    number: i64,
) -> Result<Option<Vec<u8>>> {
    Ok(within!(tx, conn => query_scalar("select wrapped from workspace_key where workspace_id = $1 and number = $2")
        .bind(workspace)
        .bind(number)
        .fetch_optional(conn)
        .await)?)
}

/// Adds a key, the one for what is written from now on; everything is to be looked at again for it, but where it is the first and
/// there is nothing. The workspace's change number is locked.
pub(in crate::memory) async fn insert_key(
    tx: &mut Tx,
    workspace: WorkspaceId,
    number: i64,
    wrapped: &[u8],
    at: Timestamp,
) -> Result<()> {
    within!(tx, conn => query(
        "insert into workspace_key (workspace_id, number, wrapped, created_at) values ($1, $2, $3, $4)",
    )
    .bind(workspace)
    .bind(number)
    .bind(wrapped)
    .bind(at)
    .execute(conn)
    .await
    .map(drop))?;
    within!(tx, conn => query(
        "update memory_change set data_key = $2, reseal_after = 0, unreadable = 0, resealed_at = null,
             resealed_key = case when $2 = cast(1 as bigint) and not exists (select 1 from memory_entry where workspace_id = $1)
                 then $2 else resealed_key end
         where workspace_id = $1",
    )
    .bind(workspace)
    .bind(number)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// The keys of a workspace: their numbers and when each was made, the oldest first.
pub(in crate::memory) async fn keys(db: &Db, workspace: WorkspaceId) -> Result<Vec<(i64, Timestamp)>> {
    Ok(read!(db, conn => query_as(
        "select number, created_at from workspace_key where workspace_id = $1 order by number limit 1000",
    )
    .bind(workspace)
    .fetch_all(conn)
    .await)?)
}

/// How far everything stands under the newest key.
#[derive(Debug, Clone, Copy, FromRow)]
pub(in crate::memory) struct SealingRow {
    /// The newest key; `None` before the first.
    pub data_key: Option<i64>,
    /// Up to which change number everything was looked at for it.
    pub reseal_after: i64,
    /// Under which key everything stands.
    pub resealed_key: Option<i64>,
    /// Since when, until the keys before it are gone.
    pub resealed_at: Option<Timestamp>,
    /// Rows that could not be opened for it.
    pub unreadable: i64,
}

impl SealingRow {
    /// Whether everything was looked at.
    pub fn is_done(&self) -> bool {
        self.data_key.is_some() && self.data_key == self.resealed_key
    }
}

/// How far it is; `None` where nothing was ever written.
pub(in crate::memory) async fn sealing(db: &Db, workspace: WorkspaceId) -> Result<Option<SealingRow>> {
    Ok(read!(db, conn => query_as(
        "select data_key, reseal_after, resealed_key, resealed_at, unreadable from memory_change where workspace_id = $1",
    )
    .bind(workspace)
    .fetch_optional(conn)
    .await)?)
}

/// The same under the lock that every write of the workspace takes first. A row is made where there is none.
pub(in crate::memory) async fn lock_sealing(tx: &mut Tx, workspace: WorkspaceId) -> Result<SealingRow> {
    Ok(within!(tx, conn => query_as(
        "insert into memory_change (workspace_id, last_change) values ($1, 0)
         on conflict (workspace_id) do update set last_change = memory_change.last_change
         returning data_key, reseal_after, resealed_key, resealed_at, unreadable",
    )
    .bind(workspace)
    .fetch_one(conn)
    .await)?)
}

/// Entries up to a change number, and all, of a workspace.
pub(in crate::memory) async fn count_looked_at(db: &Db, workspace: WorkspaceId, upto: i64) -> Result<(i64, i64)> {
    Ok(read!(db, conn => query_as(
        "select count(case when change <= $2 then 1 end), count(*) from memory_entry where workspace_id = $1",
    )
    .bind(workspace)
    .bind(upto)
    .fetch_one(conn)
    .await)?)
}

/// Workspaces in which something is left to do: to encrypt under the newest key, or old keys to delete.
pub(in crate::memory) async fn unsealed_workspaces(db: &Db, limit: i64) -> Result<Vec<WorkspaceId>> {
    Ok(read!(db, conn => query_scalar(
        "select workspace_id from memory_change
         where data_key is null or resealed_key is null or resealed_key <> data_key or resealed_at is not null
         order by workspace_id limit $1",
    )
    .bind(limit)
    .fetch_all(conn)
    .await)?)
}

/// Notes up to which change number everything was looked at, and how many rows more could not be opened.
pub(in crate::memory) async fn note_looked_at(
    tx: &mut Tx,
    workspace: WorkspaceId,
    upto: i64,
    unreadable: i64,
) -> Result<()> {
    within!(tx, conn => query(
        "update memory_change set reseal_after = $2, unreadable = unreadable + $3 where workspace_id = $1",
    )
    .bind(workspace)
    .bind(upto)
    .bind(unreadable)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// Notes that everything that could be opened stands under a key.
pub(in crate::memory) async fn note_resealed(
    tx: &mut Tx,
    workspace: WorkspaceId,
    number: i64,
    at: Timestamp,
) -> Result<()> {
    within!(tx, conn => query("update memory_change set resealed_key = $2, resealed_at = $3 where workspace_id = $1")
        .bind(workspace)
        .bind(number)
        .bind(at)
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}

/// Deletes the keys before a number that no row is under any more, and notes that this was done. Returns how many.
pub(in crate::memory) async fn retire_keys(tx: &mut Tx, workspace: WorkspaceId, number: i64) -> Result<u64> {
    let retired = within!(tx, conn => query(
        "delete from workspace_key where workspace_id = $1 and number < $2
           and not exists (select 1 from memory_entry e where e.workspace_id = $1 and e.data_key = workspace_key.number)
           and not exists (select 1 from memory_entry e join memory_version v on v.entry_id = e.id
                           where e.workspace_id = $1 and v.data_key = workspace_key.number)
           and not exists (select 1 from memory_entry e join memory_sibling s on s.entry_id = e.id
                           where e.workspace_id = $1 and s.data_key = workspace_key.number)
           and not exists (select 1 from memory_entry e join memory_vector x on x.entry_id = e.id
                           where e.workspace_id = $1 and x.data_key = workspace_key.number)",
    )
    .bind(workspace)
    .bind(number)
    .execute(conn)
    .await
    .map(|done| done.rows_affected()))?;
    within!(tx, conn => query("update memory_change set resealed_at = null where workspace_id = $1")
        .bind(workspace)
        .execute(conn)
        .await
        .map(drop))?;
    Ok(retired)
}
