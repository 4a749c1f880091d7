//! Runs whose place a newer one takes: which they are, and those that are not cancelled yet.

use sqlx::{query_as, query_scalar};

use crate::db::{Db, Result, Tx};
use crate::model::{RunId, WorkspaceId};
use crate::{read, within};

/// Of the oldest runs of a lane, so many that with the new one at most `limit` are left, marks those that wait. Those in
/// progress go on until the new one can begin. Returns them.
pub async fn mark_waiting(
    tx: &mut Tx,
    workspace: WorkspaceId,
    lane: &str,
    limit: u32,
    by: RunId,
) -> Result<Vec<RunId>> {
    let others: i64 = within!(&mut *tx, conn => query_scalar(
        "select count(*) from run_flow
         where workspace_id = $1 and lane = $2 and state in ('waiting', 'held') and superseded_by is null and run_id <> $3",
    )
    .bind(workspace)
    .bind(lane)
    .bind(by)
    .fetch_one(conn)
    .await)?;
    let many = others - (i64::from(limit) - 1);
    if many <= 0 {
        return Ok(Vec::new());
    }
    Ok(within!(tx, conn => query_scalar(
        "update run_flow set superseded_by = $3
         where state = 'waiting' and run_id in (
             select run_id from run_flow
             where workspace_id = $1 and lane = $2 and state in ('waiting', 'held') and superseded_by is null
                 and run_id <> $3
             order by run_id
             limit $4
         )
         returning run_id",
    )
    .bind(workspace)
    .bind(lane)
    .bind(by)
    .bind(many)
    .fetch_all(conn)
    .await)?)
}

/// Marks the oldest runs in progress under a lane, so many that there is a place for one that could begin at once. Returns
/// them; none where those that are marked already make the place.
pub async fn mark_held(tx: &mut Tx, workspace: WorkspaceId, lane: &str, limit: u32, by: RunId) -> Result<Vec<RunId>> {
    let held: i64 = within!(&mut *tx, conn => query_scalar(
        "select count(*) from run_flow
         where workspace_id = $1 and lane = $2 and state = 'held' and superseded_by is null",
    )
    .bind(workspace)
    .bind(lane)
    .fetch_one(conn)
    .await)?;
    let many = held - (i64::from(limit) - 1);
    if many <= 0 {
        return Ok(Vec::new());
    }
    Ok(within!(tx, conn => query_scalar(
        "update run_flow set superseded_by = $3
         where run_id in (
             select run_id from run_flow
             where workspace_id = $1 and lane = $2 and state = 'held' and superseded_by is null
             order by run_id
             limit $4
         )
         returning run_id",
    )
    .bind(workspace)
    .bind(lane)
    .bind(by)
    .bind(many)
    .fetch_all(conn)
    .await)?)
}

/// The runs that a newer one supersedes and that this process, or nobody, has in hand.
pub async fn list_superseded(db: &Db, owner: uuid::Uuid) -> Result<Vec<(WorkspaceId, RunId, RunId)>> {
    Ok(read!(db, conn => query_as(
        "select f.workspace_id, f.run_id, f.superseded_by
         from run_flow f
         join run r on r.id = f.run_id
         where f.superseded_by is not null and f.state <> 'ended' and (r.owner_id = $1 or r.owner_id is null)
         limit 1000",
    )
    .bind(owner)
    .fetch_all(conn)
    .await)?)
}
