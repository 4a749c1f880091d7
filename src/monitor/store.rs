//! Reads of other capabilities' tables.

pub mod agent;
pub mod agent_memory;
pub mod cache;
pub mod cost;

use sqlx::{FromRow, query_as, query_scalar};

use crate::db::{Db, Error, Result};
use crate::model::workflow::{RunStatus, RunSummary, TriggerKind};
use crate::model::{RunId, Timestamp, WorkflowId, WorkspaceId};
use crate::read;

/// The most rows that one reading takes; beyond it the oldest are left out.
const MOST_ROWS: i64 = 200_000;

/// The columns of a [`Row`], and where they stand.
macro_rules! select_runs {
    ($rest:literal) => {
        concat!(
            "select id, workflow_id, workflow_name, version, status, cause, started_by, parent_run_id, created_at, started_at, ended_at,
                headline, steps_done, steps_total
            from run where workspace_id = $1 ",
            $rest
        )
    };
}

#[derive(FromRow)]
struct Row {
    id: RunId,
    workflow_id: Option<WorkflowId>,
    workflow_name: String,
    version: Option<i64>,
    status: String,
    cause: String,
    started_by: Option<String>,
    parent_run_id: Option<RunId>,
    created_at: Timestamp,
    started_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    headline: Option<String>,
    steps_done: i64,
    steps_total: i64,
}

impl TryFrom<Row> for RunSummary {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            id: row.id,
            workflow_id: row.workflow_id,
            workflow_name: row.workflow_name,
            version: row.version,
            status: status(&row.status)?,
            trigger: TriggerKind::parse(&row.cause).ok_or_else(|| Error::inconsistent("run", "cause", &row.cause))?,
            started_by: row.started_by,
            parent_run_id: row.parent_run_id,
            created_at: row.created_at,
            started_at: row.started_at,
            ended_at: row.ended_at,
            headline: row.headline,
            steps_done: u32::try_from(row.steps_done).unwrap_or(u32::MAX),
            steps_total: u32::try_from(row.steps_total).unwrap_or(u32::MAX),
        })
    }
}

fn status(text: &str) -> Result<RunStatus> {
    RunStatus::parse(text).ok_or_else(|| Error::inconsistent("run", "status", text))
}

fn summaries(rows: Vec<Row>) -> Result<Vec<RunSummary>> {
    rows.into_iter().map(RunSummary::try_from).collect()
}

/// Runs that are queued, running or waiting, newest first.
pub(super) async fn list_active(db: &Db, workspace: WorkspaceId, limit: u32) -> Result<Vec<RunSummary>> {
    summaries(read!(db, conn => query_as(select_runs!(
        "and ended_at is null and status <> 'paused' order by created_at desc, id desc limit $2"))
        .bind(workspace).bind(i64::from(limit)).fetch_all(conn).await)?)
}

/// Paused runs, newest first.
pub(super) async fn list_paused(db: &Db, workspace: WorkspaceId, limit: u32) -> Result<Vec<RunSummary>> {
    summaries(read!(db, conn => query_as(select_runs!(
        "and ended_at is null and status = 'paused' order by created_at desc, id desc limit $2"))
        .bind(workspace).bind(i64::from(limit)).fetch_all(conn).await)?)
}

/// Runs that failed at or after `from` and still stand so, newest first.
pub(super) async fn list_failed(
    db: &Db,
    workspace: WorkspaceId,
    from: Timestamp,
    limit: u32,
) -> Result<Vec<RunSummary>> {
    summaries(read!(db, conn => query_as(select_runs!(
        "and ended_at >= $2 and status = 'failed' order by ended_at desc, id desc limit $3"))
        .bind(workspace).bind(from).bind(i64::from(limit)).fetch_all(conn).await)?)
}

/// When a workflow succeeded last, tests left out.
#[derive(FromRow)]
pub(super) struct LastSuccess {
    pub workflow_id: Option<WorkflowId>,
    pub workflow_name: String,
    /// When that run was accepted.
    pub accepted_at: Timestamp,
}

/// The last success of each workflow that had one at or after `from`.
pub(super) async fn list_successes(db: &Db, workspace: WorkspaceId, from: Timestamp) -> Result<Vec<LastSuccess>> {
    Ok(read!(db, conn => query_as(
        "select workflow_id, workflow_name, max(created_at) as accepted_at from run
        where workspace_id = $1 and ended_at >= $2 and status = 'succeeded' and cause <> 'test'
        group by workflow_id, workflow_name")
        .bind(workspace).bind(from).fetch_all(conn).await)?)
}

/// A run that ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub status: RunStatus,
    pub at: Timestamp,
    pub duration_ms: i64,
}

/// Runs that ended at or after `from`.
pub(super) async fn list_ended(db: &Db, workspace: WorkspaceId, from: Timestamp) -> Result<Vec<Ended>> {
    let rows: Vec<(String, Timestamp, Timestamp)> = read!(db, conn => query_as(
        "select status, coalesce(started_at, created_at), ended_at from run
        where workspace_id = $1 and ended_at >= $2
        order by ended_at desc
        limit $3")
        .bind(workspace).bind(from).bind(MOST_ROWS).fetch_all(conn).await)?;
    rows.into_iter()
        .map(|(text, began, at)| Ok(Ended { status: status(&text)?, at, duration_ms: at.ms_since(began).max(0) }))
        .collect()
}

/// When the runs were accepted that haven't ended.
pub(super) async fn list_active_starts(db: &Db, workspace: WorkspaceId, from: Timestamp) -> Result<Vec<Timestamp>> {
    Ok(read!(db, conn => query_scalar(
        "select created_at from run where workspace_id = $1 and ended_at is null and created_at >= $2
        order by created_at desc limit $3")
        .bind(workspace).bind(from).bind(MOST_ROWS).fetch_all(conn).await)?)
}

/// How many runs haven't ended, by status.
pub(super) async fn count_active(db: &Db, workspace: WorkspaceId) -> Result<Vec<(RunStatus, i64)>> {
    let rows: Vec<(String, i64)> = read!(db, conn => query_as(
        "select status, count(*) from run where workspace_id = $1 and ended_at is null group by status")
        .bind(workspace).fetch_all(conn).await)?;
    rows.into_iter().map(|(text, count)| Ok((status(&text)?, count))).collect()
}

/// Whether the workspace has a run at all.
pub(super) async fn has_runs(db: &Db, workspace: WorkspaceId) -> Result<bool> {
    let found: Option<i64> = read!(db, conn => query_scalar("select 1 as found from run where workspace_id = $1 limit 1")
        .bind(workspace).fetch_optional(conn).await.map(|found: Option<i32>| found.map(i64::from)))?;
    Ok(found.is_some())
}

/// When the entries were born that are there now.
#[derive(Debug)]
pub(super) struct EntryBirths {
    pub before: i64,
    pub births: Vec<Timestamp>,
}

pub(super) async fn list_entry_births(
    db: &Db,
    workspace: WorkspaceId,
    from: Timestamp,
    now: Timestamp,
) -> Result<EntryBirths> {
    let before = read!(db, conn => query_scalar(
        "select count(*) from memory_entry
        where workspace_id = $1 and deleted_at is null and (expires_at is null or expires_at > $3) and created_at < $2")
        .bind(workspace).bind(from).bind(now).fetch_one(conn).await)?;
    let births = read!(db, conn => query_scalar(
        "select created_at from memory_entry
        where workspace_id = $1 and deleted_at is null and (expires_at is null or expires_at > $3) and created_at >= $2
        order by created_at desc limit $4")
        .bind(workspace).bind(from).bind(now).bind(MOST_ROWS).fetch_all(conn).await)?;
    Ok(EntryBirths { before, births })
}
