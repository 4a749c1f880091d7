//! The ends of runs that somebody waits for, written in the transaction of the end itself.

use sqlx::query;

use super::Change;
use crate::db::{Result, Tx};
use crate::within;

/// Writes down that a run has ended, once for each who watches its workflow or the whole workspace.
pub(super) async fn insert(tx: &mut Tx, change: &Change) -> Result<()> {
    within!(tx, conn => query(
        "insert into run_ending (run_id, seq, watch_id, workspace_id, status)
         select r.id, $2, w.id, r.workspace_id, $3
         from run_watch w
         join run r on r.id = $1
         where w.workspace_id = $4 and (w.workflow_id is null or w.workflow_id = r.workflow_id)
         on conflict do nothing",
    )
    .bind(change.run)
    .bind(change.progress.last_seq)
    .bind(change.progress.status.as_str())
    .bind(change.workspace)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}
