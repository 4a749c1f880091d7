//! Where runs come from, and the regression tests of workflows.

use sqlx::{query, query_as, query_scalar};

use crate::db::{Db, Error, Result};
use crate::model::workflow::{Offshoot, Origin, RunStatus, Strictness, WorkflowTest};
use crate::model::{RunId, TestId, Timestamp, WorkflowId, WorkspaceId};
use crate::{read, within};

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

/// What came of keeping a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keeping {
    /// It is durable.
    Done,
    /// The workflow has as many as it may.
    Full,
    /// The name is taken.
    Taken,
}

/// Keeps a test with its recording.
pub(super) async fn insert_test(
    db: &Db,
    workspace: WorkspaceId,
    test: &WorkflowTest,
    recording: &str,
    most: usize,
) -> Result<Keeping> {
    let mut tx = db.begin().await?;
    // The update takes the workflow's row, so that two who keep a test at once count one after the other.
    within!(&mut tx, conn => query("update workflow set tests_gate = tests_gate where workspace_id = $1 and id = $2")
        .bind(workspace)
        .bind(test.workflow_id)
        .execute(conn)
        .await
        .map(drop))?;
    let count: i64 = within!(&mut tx, conn =>
        query_scalar("select count(*) from workflow_test where workspace_id = $1 and workflow_id = $2")
            .bind(workspace)
            .bind(test.workflow_id)
            .fetch_one(conn)
            .await)?;
    if count >= most as i64 {
        return Ok(Keeping::Full);
    }
    let done = within!(&mut tx, conn => query(
        "insert into workflow_test (id, workspace_id, workflow_id, name, strictness, run_id, recording, created_by,
            created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         on conflict (workflow_id, name) do nothing",
    )
    .bind(test.id)
    .bind(workspace)
    .bind(test.workflow_id)
    .bind(test.name.as_str())
    .bind(test.strictness.as_str())
    .bind(test.run_id)
    .bind(recording)
    .bind(test.created_by.as_deref())
    .bind(test.created_at)
    .execute(conn)
    .await
    .map(|done| done.rows_affected()))?;
    tx.commit().await?;
    Ok(if done == 1 { Keeping::Done } else { Keeping::Taken })
}

#[derive(sqlx::FromRow)]
struct TestRow {
    id: TestId,
    workflow_id: WorkflowId,
    name: String,
    strictness: String,
    run_id: RunId,
    recording: String,
    created_by: Option<String>,
    created_at: Timestamp,
}

/// The tests of a workflow with their recordings, by name.
pub(super) async fn list_tests(
    db: &Db,
    workspace: WorkspaceId,
    workflow: WorkflowId,
) -> Result<Vec<(WorkflowTest, String)>> {
    let rows: Vec<TestRow> = read!(db, conn => query_as(
        "select id, workflow_id, name, strictness, run_id, recording, created_by, created_at
         from workflow_test
         where workspace_id = $1 and workflow_id = $2
         order by name, id",
    )
    .bind(workspace)
    .bind(workflow)
    .fetch_all(conn)
    .await)?;
    let read = |row: TestRow| {
        let strictness = Strictness::parse(&row.strictness)
            .ok_or_else(|| Error::inconsistent("workflow_test", "strictness", &row.strictness))?;
        let test = WorkflowTest {
            id: row.id,
            workflow_id: row.workflow_id,
            name: row.name,
            strictness,
            run_id: row.run_id,
            created_by: row.created_by,
            created_at: row.created_at,
        };
        Ok((test, row.recording))
    };
    rows.into_iter().map(read).collect()
}

/// Deletes a test; whether there was one.
pub(super) async fn delete_test(db: &Db, workspace: WorkspaceId, workflow: WorkflowId, test: TestId) -> Result<bool> {
    let mut tx = db.begin().await?;
    let done = within!(&mut tx, conn => query(
        "delete from workflow_test where workspace_id = $1 and workflow_id = $2 and id = $3",
    )
    .bind(workspace)
    .bind(workflow)
    .bind(test)
    .execute(conn)
    .await
    .map(|done| done.rows_affected()))?;
    tx.commit().await?;
    Ok(done == 1)
}

/// Whether the tests of a workflow gate its publishing; `None` for a workflow that is not there.
pub(super) async fn gate(db: &Db, workspace: WorkspaceId, workflow: WorkflowId) -> Result<Option<bool>> {
    Ok(read!(db, conn => query_scalar("select tests_gate from workflow where workspace_id = $1 and id = $2")
        .bind(workspace)
        .bind(workflow)
        .fetch_optional(conn)
        .await)?)
}

/// Sets whether the tests of a workflow gate its publishing; whether there is such a workflow.
pub(super) async fn set_gate(db: &Db, workspace: WorkspaceId, workflow: WorkflowId, gate: bool) -> Result<bool> {
    let mut tx = db.begin().await?;
    let done = within!(&mut tx, conn => query(
        "update workflow set tests_gate = $3 where workspace_id = $1 and id = $2",
    )
    .bind(workspace)
    .bind(workflow)
    .bind(gate)
    .execute(conn)
    .await
    .map(|done| done.rows_affected()))?;
    tx.commit().await?;
    Ok(done == 1)
}
