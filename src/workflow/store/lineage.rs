//! What a run is inside of.

use sqlx::query_as;

use crate::db::{Db, Result};
use crate::model::{RunId, WorkspaceId};
use crate::read;

/// What a run is inside of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lineage {
    /// The run that no other is around; itself, if none is around it.
    pub root: RunId,
    /// The steps that it is inside of, the nearest first.
    pub around: Vec<(RunId, String)>,
}

/// Reads it; `None` where the workspace has no such run. Where a run further out is gone, the one inside of it is the root.
pub async fn find(db: &Db, workspace: WorkspaceId, run: RunId) -> Result<Option<Lineage>> {
    let rows: Vec<(RunId, Option<RunId>, Option<String>)> = read!(db, conn => query_as(
        "with recursive up (id, parent_run_id, parent_step, level) as (
             select id, parent_run_id, parent_step, 0
             from run
             where workspace_id = $1 and id = $2
             union all
             select r.id, r.parent_run_id, r.parent_step, up.level + 1
             from up
             join run r on r.id = up.parent_run_id
             where r.workspace_id = $1 and up.level < 100
         )
         select id, parent_run_id, parent_step from up order by level",
    )
    .bind(workspace)
    .bind(run)
    .fetch_all(conn)
    .await)?;
    let root = rows.last().map(|(id, ..)| *id);
    let around = rows.into_iter().filter_map(|(_, parent, step)| parent.zip(step)).collect();
    Ok(root.map(|root| Lineage { root, around }))
}
