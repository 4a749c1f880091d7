//! Runs that would wait for themselves, by way of those that wait for them.

use sqlx::query_scalar;

use crate::db::{Result, Tx};
use crate::model::{RunId, WorkspaceId};
use crate::within;

/// How many of a run that waits for another one, and those that wait for it in turn, are in progress in a lane.
pub async fn count_held_above(tx: &mut Tx, workspace: WorkspaceId, parent: RunId, lane: &str) -> Result<i64> {
    Ok(within!(tx, conn => query_scalar(
        "with recursive above (id, parent) as (
            select id, case when parent_waits then parent_run_id end from run where id = $1
            union
            select r.id, case when r.parent_waits then r.parent_run_id end from run r join above a on r.id = a.parent
         )
         select count(*) from above a join run_flow f on f.run_id = a.id
         where f.workspace_id = $2 and f.lane = $3 and f.state = 'held'",
    )
    .bind(parent)
    .bind(workspace)
    .bind(lane)
    .fetch_one(conn)
    .await)?)
}

/// The same of all runs that wait for one that waits in the lane, and of this one: each has a place there that it keeps until
/// another of them is in progress.
pub async fn count_held_above_all(tx: &mut Tx, workspace: WorkspaceId, parent: RunId, lane: &str) -> Result<i64> {
    Ok(within!(tx, conn => query_scalar(
        "with recursive above (id, parent) as (
            select id, case when parent_waits then parent_run_id end from run
            where id in (
                select $1
                union
                select s.parent_run_id from run_flow w join run s on s.id = w.run_id
                where w.workspace_id = $2 and w.lane = $3 and w.state = 'waiting' and w.superseded_by is null
                    and s.parent_waits
            )
            union
            select r.id, case when r.parent_waits then r.parent_run_id end from run r join above a on r.id = a.parent
         )
         select count(*) from above a join run_flow f on f.run_id = a.id
         where f.workspace_id = $2 and f.lane = $3 and f.state = 'held'",
    )
    .bind(parent)
    .bind(workspace)
    .bind(lane)
    .fetch_one(conn)
    .await)?)
}
