//! Schedules that are due.

use sqlx::{query, query_as, query_scalar};

use super::trigger::{TriggerRow, trigger_columns};
use crate::db::{Db, Result, Tx};
use crate::model::{RunId, Timestamp, TriggerId, WorkspaceId};
use crate::{read, within};

/// The schedules that are due, earliest first.
pub async fn list(db: &Db, now: Timestamp, limit: u32) -> Result<Vec<TriggerRow>> {
    Ok(read!(db, conn => query_as(concat!(
        "select ",
        trigger_columns!(),
        " from run_trigger t where t.next_at <= $1 order by t.next_at, t.id limit $2",
    ))
    .bind(now)
    .bind(i64::from(limit))
    .fetch_all(conn)
    .await)?)
}

/// The schedules of a workspace that fire after `now` and until `until`, earliest first.
pub async fn list_ahead(
    db: &Db,
    workspace: WorkspaceId,
    (now, until): (Timestamp, Timestamp),
    limit: u32,
) -> Result<Vec<TriggerRow>> {
    Ok(read!(db, conn => query_as(concat!(
        "select ",
        trigger_columns!(),
        " from run_trigger t
         where t.workspace_id = $1 and t.next_at > $2 and t.next_at <= $3
         order by t.next_at, t.id
         limit $4",
    ))
    .bind(workspace)
    .bind(now)
    .bind(until)
    .bind(i64::from(limit))
    .fetch_all(conn)
    .await)?)
}

/// The two newest runs that a trigger started; `None` before there are two.
pub async fn last_two_runs(db: &Db, trigger: TriggerId) -> Result<Option<(RunId, RunId)>> {
    let runs: Vec<RunId> = read!(db, conn => query_scalar(
        "select run_id from trigger_firing
         where trigger_id = $1 and outcome = 'started' and run_id is not null
         order by id desc
         limit 2",
    )
    .bind(trigger)
    .fetch_all(conn)
    .await)?;
    Ok(match runs.as_slice() {
        [last, before] => Some((*last, *before)),
        _ => None,
    })
}

/// Moves a schedule on; false when another process did, or somebody changed it since it was read.
pub async fn advance(tx: &mut Tx, trigger: &TriggerRow, next_at: Option<Timestamp>) -> Result<bool> {
    Ok(within!(tx, conn => query(
        "update run_trigger set next_at = $4 where id = $1 and next_at = $2 and revision = $3",
    )
    .bind(trigger.id)
    .bind(trigger.next_at)
    .bind(trigger.revision)
    .bind(next_at)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))?)
}

/// When the next schedule is due.
pub async fn next(db: &Db) -> Result<Option<Timestamp>> {
    Ok(read!(db, conn => query_scalar("select min(next_at) from run_trigger where next_at is not null")
        .fetch_one(conn)
        .await)?)
}

/// The newest run that a trigger started, and whether a run is just being started.
pub async fn last_run(db: &Db, trigger: TriggerId) -> Result<(Option<RunId>, bool)> {
    let run = read!(db, conn => query_scalar(
        "select run_id from trigger_firing
         where trigger_id = $1 and outcome = 'started'
         order by id desc
         limit 1",
    )
    .bind(trigger)
    .fetch_optional(conn)
    .await)?;
    let starting = read!(db, conn => query_scalar(
        "select exists (select 1 from trigger_firing where trigger_id = $1 and outcome = 'starting')",
    )
    .bind(trigger)
    .fetch_one(conn)
    .await)?;
    Ok((run.flatten(), starting))
}
