//! Where runs come from, and the regression tests of workflows.

use sqlx::query_as;

use crate::db::{Db, Error, Result};
use crate::model::workflow::{Offshoot, Origin, RunStatus};
use crate::model::{RunId, Timestamp, WorkspaceId};
use crate::read;

/// The run that this one was forked from, while it exists.
pub(super) async fn origin(db: &Db, workspace: WorkspaceId, run: RunId) -> Result<Option<Origin>> {
    let row: Option<(RunId, i64)> = read!(db, conn => query_as(
        "select forked_from, forked_seq
         from run
         where workspace_id = $1 and id = $2 and forked_from is not null and forked_seq is not null",
    )
    .bind(workspace)
    .bind(run)
    .fetch_optional(conn)
    .await)?;
    Ok(row.map(|(run_id, seq)| Origin { run_id, seq }))
}

/// The runs that were forked from this one, newest first, at most `limit`.
pub(super) async fn forks(db: &Db, workspace: WorkspaceId, run: RunId, limit: u32) -> Result<Vec<Offshoot>> {
    let rows: Vec<(RunId, i64, String, Timestamp)> = read!(db, conn => query_as(
        "select id, forked_seq, status, created_at
         from run
         where workspace_id = $1 and forked_from = $2 and forked_seq is not null
         order by id desc
         limit $3",
    )
    .bind(workspace)
    .bind(run)
    .bind(i64::from(limit))
    .fetch_all(conn)
    .await)?;
    let read = |(run_id, seq, status, created_at): (RunId, i64, String, Timestamp)| {
        let status = RunStatus::parse(&status).ok_or_else(|| Error::inconsistent("run", "status", &status))?;
        Ok(Offshoot { run_id, seq, status, created_at })
    };
    rows.into_iter().map(read).collect()
}
