//! Failed runs whose workflow names another one to start: written with the failure, kept as long as the run.

use sqlx::{FromRow, query, query_as};

use super::Change;
use crate::db::{Db, Result, Tx};
use crate::model::workflow::Handler;
use crate::model::{RunId, Timestamp, UserId, WorkspaceId};
use crate::{read, within};

/// A failure whose workflow is still to be started.
#[derive(Debug, Clone, FromRow)]
pub struct Open {
    /// Which run failed.
    pub run_id: RunId,
    /// Which of its ends: a run that is retried may fail again.
    pub seq: i64,
    /// Whose.
    pub workspace_id: WorkspaceId,
    /// What to start, by name or id.
    pub handler: String,
    /// How many runs are around the one that failed.
    pub depth: i64,
    /// Who started it.
    pub started_by_id: Option<UserId>,
    /// What they were called.
    pub started_by: Option<String>,
}

/// Writes down that a run has failed, in the transaction of the end itself.
pub(super) async fn insert(tx: &mut Tx, change: &Change, now: Timestamp) -> Result<()> {
    let Some(handler) = &change.handler else { return Ok(()) };
    within!(tx, conn => query(
        "insert into run_failure (run_id, seq, workspace_id, handler, state, at) values ($1, $2, $3, $4, 'open', $5)
         on conflict do nothing",
    )
    .bind(change.run)
    .bind(change.progress.last_seq)
    .bind(change.workspace)
    .bind(handler.as_str())
    .bind(now)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// The failures whose workflow is still to be started, oldest first.
pub async fn list_open(db: &Db, limit: u32) -> Result<Vec<Open>> {
    Ok(read!(db, conn => query_as(
        "select f.run_id, f.seq, f.workspace_id, f.handler, r.depth, r.started_by_id, r.started_by
         from run_failure f
         join run r on r.id = f.run_id
         where f.state = 'open'
         order by f.at, f.run_id
         limit $1",
    )
    .bind(i64::from(limit))
    .fetch_all(conn)
    .await)?)
}

/// Writes down what came of it: the run that was started, or why none was.
pub async fn settle(db: &Db, open: &Open, outcome: std::result::Result<RunId, String>) -> Result<()> {
    let (run, refused) = match outcome {
        Ok(run) => (Some(run), None),
        Err(refused) => (None, Some(refused)),
    };
    let mut tx = db.begin().await?;
    within!(&mut tx, conn => query(
        "update run_failure set state = $3, started_id = $4, refused = $5 where run_id = $1 and seq = $2",
    )
    .bind(open.run_id)
    .bind(open.seq)
    .bind(if run.is_some() { "started" } else { "refused" })
    .bind(run)
    .bind(refused.as_deref())
    .execute(conn)
    .await
    .map(drop))?;
    tx.commit().await
}

/// What was started because a run failed, newest first.
pub async fn list(db: &Db, workspace: WorkspaceId, run: RunId, limit: u32) -> Result<Vec<Handler>> {
    let rows: Vec<(String, Option<RunId>, Option<String>)> = read!(db, conn => query_as(
        "select handler, started_id, refused
         from run_failure
         where workspace_id = $1 and run_id = $2
         order by seq desc
         limit $3",
    )
    .bind(workspace)
    .bind(run)
    .bind(i64::from(limit))
    .fetch_all(conn)
    .await)?;
    Ok(rows.into_iter().map(|(workflow, run_id, refused)| Handler { workflow, run_id, refused }).collect())
}
