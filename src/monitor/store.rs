//! Reads of other capabilities' tables.

use sqlx::{query_as, query_scalar};

use crate::db::{Db, Error, Result};
use crate::model::workflow::RunStatus;
use crate::model::{Timestamp, WorkspaceId};
use crate::read;

/// The most rows that one reading takes; beyond it the oldest are left out.
const MOST_ROWS: i64 = 200_000;

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
        r"select status, coalesce(started_at, created_at), ended_at from run
        where workspace_id = $1 and ended_at >= $2
        order by ended_at desc
        limit $3")
        .bind(workspace).bind(from).bind(MOST_ROWS).fetch_all(conn).await)?;
    rows.into_iter()
        .map(|(status, began, at)| {
            let status = RunStatus::parse(&status).ok_or_else(|| Error::inconsistent("run", "status", &status))?;
            Ok(Ended { status, at, duration_ms: at.ms_since(began).max(0) })
        })
        .collect()
}

/// When the runs began that haven't ended.
pub(super) async fn list_active_starts(db: &Db, workspace: WorkspaceId, from: Timestamp) -> Result<Vec<Timestamp>> {
    Ok(read!(db, conn => query_scalar(
        "select created_at from run where workspace_id = $1 and ended_at is null and created_at >= $2 limit $3")
        .bind(workspace).bind(from).bind(MOST_ROWS).fetch_all(conn).await)?)
}

/// How many runs haven't ended.
pub(super) async fn count_active(db: &Db, workspace: WorkspaceId) -> Result<i64> {
    Ok(read!(db, conn => query_scalar("select count(*) from run where workspace_id = $1 and ended_at is null")
        .bind(workspace).fetch_one(conn).await)?)
}

/// When the entries were born that are there now.
#[derive(Debug)]
pub(super) struct EntryBirths {
    pub before: i64,
    pub births: Vec<Timestamp>,
}

pub(super) async fn list_entry_births(db: &Db, workspace: WorkspaceId, from: Timestamp) -> Result<EntryBirths> {
    let before = read!(db, conn => query_scalar(
        "select count(*) from memory_entry where workspace_id = $1 and deleted_at is null and created_at < $2")
        .bind(workspace).bind(from).fetch_one(conn).await)?;
    let births = read!(db, conn => query_scalar(
        "select created_at from memory_entry where workspace_id = $1 and deleted_at is null and created_at >= $2 limit $3")
        .bind(workspace).bind(from).bind(MOST_ROWS).fetch_all(conn).await)?;
    Ok(EntryBirths { before, births })
}
