//! Who shaped what a run does: those who are named in its row, in the rows of what it comes from, and after it began.

use std::collections::{BTreeSet, HashSet};

use sqlx::{FromRow, query, query_as, query_scalar};

use crate::db::{Db, Result, Tx};
use crate::model::{RunId, UserId, WorkflowId, WorkspaceId};
use crate::{read, within};

/// A run, or one that it comes from, with one of those who had a hand in it.
#[derive(FromRow)]
struct UpRow {
    id: RunId,
    parent_run_id: Option<RunId>,
    forked_from: Option<RunId>,
    version: Option<i64>,
    started_by_id: Option<UserId>,
    drafted_by: Option<UserId>,
    published: Option<i64>,
    published_by: Option<UserId>,
    hand: Option<UserId>,
}

/// Everybody who shaped a run: of it, of the runs that it is inside of or was forked from, whoever started each, published its version or
/// saved its draft, and whoever had a hand in it since. Each once; `None` for those of whom nobody knows any more, because a run or a
/// workflow is gone.
pub async fn list(db: &Db, workspace: WorkspaceId, run: RunId) -> Result<Vec<Option<UserId>>> {
    let rows: Vec<UpRow> = read!(db, conn => query_as(
        "with recursive up (id, parent_run_id, forked_from, workflow_id, version, started_by_id, drafted_by) as (
             select id, parent_run_id, forked_from, workflow_id, version, started_by_id, drafted_by
             from run
             where workspace_id = $1 and id = $2
             union
             select r.id, r.parent_run_id, r.forked_from, r.workflow_id, r.version, r.started_by_id, r.drafted_by
             from up
             join run r on r.id = up.parent_run_id or r.id = up.forked_from
             where r.workspace_id = $1
         )
         select up.id, up.parent_run_id, up.forked_from, up.version, up.started_by_id, up.drafted_by,
             v.version as published, v.published_by, h.user_id as hand
         from up
         left join workflow_version v on v.workflow_id = up.workflow_id and v.version = up.version
         left join run_hand h on h.run_id = up.id",
    )
    .bind(workspace)
    .bind(run)
    .fetch_all(conn)
    .await)?;
    let mut people: BTreeSet<Option<uuid::Uuid>> = BTreeSet::new();
    if rows.is_empty() {
        people.insert(None);
    }
    let known: HashSet<RunId> = rows.iter().map(|row| row.id).collect();
    for row in &rows {
        let named = [row.started_by_id, row.drafted_by, row.published_by, row.hand];
        people.extend(named.into_iter().flatten().map(|user| Some(user.0)));
        let is_gone = |from: Option<RunId>| from.is_some_and(|from| !known.contains(&from));
        let lost_version = row.version.is_some() && row.published.is_none();
        if lost_version || is_gone(row.parent_run_id) || is_gone(row.forked_from) {
            people.insert(None);
        }
    }
    Ok(people.into_iter().map(|id| id.map(UserId)).collect())
}

/// Notes that somebody has a hand in a run from now on, and in those that wait for what comes of it. Told again, nothing happens.
pub async fn note(tx: &mut Tx, workspace: WorkspaceId, run: RunId, user: UserId) -> Result<()> {
    within!(tx, conn => query(
        "with recursive up (id, parent_run_id, parent_waits) as (
             select id, parent_run_id, parent_waits from run where workspace_id = $1 and id = $2
             union
             select r.id, r.parent_run_id, r.parent_waits
             from up
             join run r on r.id = up.parent_run_id
             where r.workspace_id = $1 and up.parent_waits
         )
         insert into run_hand (run_id, user_id) select id, $3 from up where true
         on conflict do nothing",
    )
    .bind(workspace)
    .bind(run)
    .bind(user)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// The same of whoever sent an event that is handed to a run.
pub(super) async fn note_sender(tx: &mut Tx, run: RunId, event: uuid::Uuid) -> Result<()> {
    within!(tx, conn => query(
        "with recursive up (id, parent_run_id, parent_waits) as (
             select id, parent_run_id, parent_waits from run where id = $1
             union
             select r.id, r.parent_run_id, r.parent_waits from up join run r on r.id = up.parent_run_id where up.parent_waits
         )
         insert into run_hand (run_id, user_id)
         select up.id, e.sent_by from up join event e on e.id = $2 where e.sent_by is not null
         on conflict do nothing",
    )
    .bind(run)
    .bind(event)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// Who published a version; `None` for the program itself, and where there is no such version.
pub async fn find_publisher(db: &Db, workspace: WorkspaceId, of: (WorkflowId, i64)) -> Result<Option<UserId>> {
    let found: Option<Option<UserId>> = read!(db, conn => query_scalar(
        "select v.published_by from workflow_version v
         join workflow w on w.id = v.workflow_id
         where w.workspace_id = $1 and v.workflow_id = $2 and v.version = $3",
    )
    .bind(workspace)
    .bind(of.0)
    .bind(of.1)
    .fetch_optional(conn)
    .await)?;
    Ok(found.flatten())
}
