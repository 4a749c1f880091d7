//! Ends of runs that were not looked at yet. The engine writes them with the end itself.

use sqlx::{FromRow, query, query_as};

use crate::db::{Db, Result, Tx};
use crate::model::{RunId, TriggerId, WorkspaceId};
use crate::{read, within};

/// The end of a run that one trigger waits for.
#[derive(Debug, Clone, FromRow)]
pub struct Ending {
    /// Which run.
    pub run_id: RunId,
    /// Which of its ends: a run that is retried ends again.
    pub seq: i64,
    /// Who waits.
    pub watch_id: TriggerId,
    /// Whose.
    pub workspace_id: WorkspaceId,
    /// How it ended.
    pub status: String,
}

/// The ends that nobody looked at yet, oldest first.
pub async fn list(db: &Db, limit: u32) -> Result<Vec<Ending>> {
    Ok(read!(db, conn => query_as(
        "select run_id, seq, watch_id, workspace_id, status from run_ending order by run_id, seq, watch_id limit $1",
    )
    .bind(i64::from(limit))
    .fetch_all(conn)
    .await)?)
}

/// Takes an end away; false when somebody else did.
pub async fn take(tx: &mut Tx, ending: &Ending) -> Result<bool> {
    Ok(within!(tx, conn => query("delete from run_ending where run_id = $1 and seq = $2 and watch_id = $3")
        .bind(ending.run_id)
        .bind(ending.seq)
        .bind(ending.watch_id)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))?)
}

/// Takes an end away that nobody waits for any more.
pub async fn delete(db: &Db, ending: &Ending) -> Result<()> {
    let mut tx = db.begin().await?;
    take(&mut tx, ending).await?;
    tx.commit().await
}
