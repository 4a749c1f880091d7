//! What runs asked, and the answers that are asked for anew because of it.

use sqlx::{FromRow, query, query_as};

use super::super::canonical::Key;
use crate::db::{Db, Error, Result, Tx};
use crate::model::{CacheEntryId, ProviderId, RunId, Timestamp, WorkspaceId};
use crate::{read, within};

/// Notes that a step of a run asked this.
pub async fn insert(tx: &mut Tx, workspace: WorkspaceId, run: RunId, key: &Key, at: Timestamp) -> Result<()> {
    within!(tx, conn => query(
        "insert into cache_asked (workspace_id, run_id, key, at) values ($1, $2, $3, $4) on conflict do nothing",
    )
    .bind(workspace)
    .bind(run)
    .bind(key.to_vec())
    .bind(at)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// Forgets what was asked before `before`.
pub async fn delete_old(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<u64> {
    Ok(within!(tx, conn => query(
        "delete from cache_asked where (workspace_id, run_id, key) in (
            select workspace_id, run_id, key from cache_asked where at < $1 order by at limit $2)",
    )
    .bind(before)
    .bind(limit)
    .execute(conn)
    .await
    .map(|done| done.rows_affected()))?)
}

/// Forgets all of it.
pub async fn delete_all(tx: &mut Tx, workspace: WorkspaceId) -> Result<()> {
    within!(tx, conn => query("delete from cache_asked where workspace_id = $1")
        .bind(workspace)
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}

/// The workspaces that warm their cache, and how many minutes before a schedule fires.
pub async fn list_warming(db: &Db) -> Result<Vec<(WorkspaceId, u32)>> {
    let rows: Vec<(WorkspaceId, i64)> = read!(db, conn => query_as(
        "select workspace_id, warm_minutes from cache_setting where enabled and warm_minutes > 0 order by workspace_id",
    )
    .fetch_all(conn)
    .await)?;
    let minutes = |minutes: i64| {
        u32::try_from(minutes).map_err(|_| Error::inconsistent("cache_setting", "warm_minutes", minutes.to_string()))
    };
    rows.into_iter().map(|(workspace, warm)| Ok((workspace, minutes(warm)?))).collect()
}

/// An answer that will be asked for after its time is over, or is so already.
#[derive(Debug, FromRow)]
pub struct StaleRow {
    /// Its id.
    pub id: CacheEntryId,
    /// What was asked.
    pub key: Vec<u8>,
    /// Who answered.
    pub provider_id: ProviderId,
    /// The model that was asked.
    pub model: String,
    /// By which route; empty for none.
    pub route: String,
    /// The state of what it depends on.
    pub root: Option<Vec<u8>>,
    /// Encrypted.
    pub request: Vec<u8>,
    /// When it was kept.
    pub created_at: Timestamp,
    /// Until when it is given.
    pub expires_at: Timestamp,
}

/// The answers that two runs asked for and whose time is over at `until`, the soonest first; none that was asked for anew, or for
/// which that was tried, at `tried` or later.
pub async fn list_stale(
    db: &Db,
    workspace: WorkspaceId,
    runs: (RunId, RunId),
    (until, tried): (Timestamp, Timestamp),
    limit: u32,
) -> Result<Vec<StaleRow>> {
    Ok(read!(db, conn => query_as(
        "select e.id, e.key, e.provider_id, e.model, e.route, e.root, e.request, e.created_at, e.expires_at
         from cache_asked a
         join cache_asked b on b.workspace_id = a.workspace_id and b.key = a.key and b.run_id = $3
         join cache_entry e on e.workspace_id = a.workspace_id and e.key = a.key
         where a.workspace_id = $1
            and a.run_id = $2
            and e.scope = 'workspace'
            and e.wrong_at is null
            and e.expires_at <= $4
            and (e.warmed_at is null or e.warmed_at < $5)
         order by e.expires_at, e.id
         limit $6",
    )
    .bind(workspace)
    .bind(runs.0)
    .bind(runs.1)
    .bind(until)
    .bind(tried)
    .bind(i64::from(limit))
    .fetch_all(conn)
    .await)?)
}

/// Notes that an answer is asked for anew now; false when that was tried at `tried` or later, or it is gone.
pub async fn claim(
    tx: &mut Tx,
    workspace: WorkspaceId,
    id: CacheEntryId,
    (now, tried): (Timestamp, Timestamp),
) -> Result<bool> {
    Ok(within!(tx, conn => query(
        "update cache_entry set warmed_at = $3
         where workspace_id = $1 and id = $2 and (warmed_at is null or warmed_at < $4)",
    )
    .bind(workspace)
    .bind(id)
    .bind(now)
    .bind(tried)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))?)
}
