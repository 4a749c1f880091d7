//! The limits of those that wait, where what they were accepted with has changed.

use sqlx::query;

use crate::db::{Result, Tx};
use crate::model::WorkspaceId;
use crate::within;

/// Sets how many runs its key admits at a time for all that wait in a lane; `None` for any number. Returns how many wait.
pub async fn set(tx: &mut Tx, workspace: WorkspaceId, lane: &str, limit: Option<u32>) -> Result<u64> {
    Ok(within!(tx, conn => query(
        "update run_flow set key_limit = $3 where workspace_id = $1 and lane = $2 and state = 'waiting'",
    )
    .bind(workspace)
    .bind(lane)
    .bind(limit.map(i64::from))
    .execute(conn)
    .await
    .map(|done| done.rows_affected()))?)
}
