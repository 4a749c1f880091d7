//! How many runs a workspace may have, where that is fewer than the server's settings say.

use sqlx::{query, query_as, query_scalar};

use super::count;
use crate::db::{Db, Result, Tx};
use crate::model::workflow::flow::DEFAULT_PRIORITY;
use crate::model::{Timestamp, WorkspaceId};
use crate::{read, within};

/// What a workspace asks for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Own {
    /// Runs that may wait.
    pub queued: Option<u32>,
    /// Runs that may be in progress.
    pub running: Option<u32>,
}

impl Own {
    /// From the columns of a workspace.
    pub fn of(queued: Option<i64>, running: Option<i64>) -> Self {
        Self { queued: queued.map(count), running: running.map(count) }
    }

    /// How many may be in progress, where the server allows so many.
    pub fn running_within(self, server: Option<u32>) -> Option<u32> {
        self.running.into_iter().chain(server).min()
    }

    /// How many may wait, where the server allows so many.
    pub fn queued_within(self, server: u32) -> u32 {
        self.queued.map_or(server, |own| own.min(server))
    }
}

/// What a workspace asks for.
pub async fn find(db: &Db, workspace: WorkspaceId) -> Result<Own> {
    let (queued, running): (Option<i64>, Option<i64>) = read!(db, conn => query_as(
        "select max_queued_runs, max_running_runs from workspace where id = $1",
    )
    .bind(workspace)
    .fetch_one(conn)
    .await)?;
    Ok(Own::of(queued, running))
}

/// How many runs of a workspace may be in progress, where the server allows so many; within a transaction.
pub async fn running_within(tx: &mut Tx, workspace: WorkspaceId, server: Option<u32>) -> Result<Option<u32>> {
    let own: Option<i64> = within!(tx, conn => query_scalar("select max_running_runs from workspace where id = $1")
        .bind(workspace)
        .fetch_one(conn)
        .await)?;
    Ok(Own::of(None, own).running_within(server))
}

/// Sets what a workspace asks for.
pub async fn set(tx: &mut Tx, workspace: WorkspaceId, own: Own) -> Result<()> {
    within!(tx, conn => query("update workspace set max_queued_runs = $2, max_running_runs = $3 where id = $1")
        .bind(workspace)
        .bind(own.queued.map(i64::from))
        .bind(own.running.map(i64::from))
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}

/// The workspaces that limit how many of their runs may be in progress.
pub async fn list_limited(db: &Db) -> Result<Vec<WorkspaceId>> {
    Ok(read!(db, conn => query_scalar("select id from workspace where max_running_runs is not null")
        .fetch_all(conn)
        .await)?)
}

/// Brings the places of a workspace in line with its runs: those that have begun without a place, while nobody counted, get
/// one, and those that have ended give theirs back.
pub async fn settle(tx: &mut Tx, workspace: WorkspaceId, now: Timestamp) -> Result<()> {
    within!(&mut *tx, conn => query(
        "update run_flow set state = 'ended'
         where workspace_id = $1 and state = 'held'
             and run_id in (select id from run where workspace_id = $1 and ended_at is not null)",
    )
    .bind(workspace)
    .execute(conn)
    .await
    .map(drop))?;
    within!(tx, conn => query(
        "insert into run_flow (run_id, workspace_id, lane, priority, state, queued_at, admitted_at)
         select r.id, r.workspace_id, 'workflow:' || r.workflow_name, $3, 'held', r.created_at, coalesce(r.started_at, $2)
         from run r
         where r.workspace_id = $1 and r.ended_at is null and r.status <> 'queued' and not r.parent_waits
             and not exists (select 1 from run_flow f where f.run_id = r.id)
         on conflict do nothing",
    )
    .bind(workspace)
    .bind(now)
    .bind(i64::from(DEFAULT_PRIORITY))
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lower_of_both_holds() {
        let own = |queued, running| Own { queued, running };
        assert_eq!(own(None, None).running_within(None), None);
        assert_eq!(own(None, Some(3)).running_within(None), Some(3));
        assert_eq!(own(None, Some(3)).running_within(Some(2)), Some(2));
        assert_eq!(own(None, None).running_within(Some(2)), Some(2));
        assert_eq!((own(None, None).queued_within(9), own(Some(4), None).queued_within(9)), (9, 4));
        assert_eq!(own(Some(40), None).queued_within(9), 9);
    }
}
