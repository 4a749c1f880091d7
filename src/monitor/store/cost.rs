//! Reads of the log of calls by the runs of a workflow.

use sqlx::{FromRow, query_as, query_scalar};

use crate::db::{Db, Result};
use crate::model::gateway::{PREVIEW_RUNS, StepCalls, Usage};
use crate::model::{RunId, WorkflowId, WorkspaceId};
use crate::read;

/// Steps of runs that are read at most: of the dearest.
const MOST_LINES: i64 = 20_000;

/// Whether the workspace has this workflow.
pub async fn knows(db: &Db, workspace: WorkspaceId, workflow: WorkflowId) -> Result<bool> {
    let count: i64 = read!(db, conn => query_scalar("select count(*) from workflow where workspace_id = $1 and id = $2")
        .bind(workspace)
        .bind(workflow)
        .fetch_one(conn)
        .await)?;
    Ok(count > 0)
}

/// The last runs that have ended, as many as are looked at.
pub async fn count_runs(db: &Db, workspace: WorkspaceId, workflow: WorkflowId) -> Result<u32> {
    let count: i64 = read!(db, conn => query_scalar(
        "select count(*) from (
            select id from run where workspace_id = $1 and workflow_id = $2 and ended_at is not null order by id desc limit $3
         ) last",
    )
    .bind(workspace)
    .bind(workflow)
    .bind(i64::from(PREVIEW_RUNS))
    .fetch_one(conn)
    .await)?;
    Ok(count as u32)
}

#[derive(Debug, FromRow)]
struct Row {
    run_id: RunId,
    step: String,
    calls: i64,
    input: i64,
    cache_read: i64,
    cache_write: i64,
    cache_write_hour: i64,
    output: i64,
    reasoning: i64,
    cost_micros: i64,
    unpriced: i64,
}

/// What the steps of those runs called; what failed took nothing.
pub async fn list_calls(db: &Db, workspace: WorkspaceId, workflow: WorkflowId) -> Result<Vec<StepCalls>> {
    let rows: Vec<Row> = read!(db, conn => query_as(
        "select run_id, step, count(*) as calls,
            cast(sum(input) as bigint) as input,
            cast(sum(cache_read) as bigint) as cache_read,
            cast(sum(cache_write) as bigint) as cache_write,
            cast(sum(cache_write_hour) as bigint) as cache_write_hour,
            cast(sum(output) as bigint) as output,
            cast(sum(reasoning) as bigint) as reasoning,
            cast(sum(coalesce(cost_micros, 0)) as bigint) as cost_micros,
            sum(case when cost_micros is null then 1 else 0 end) as unpriced
         from model_call
         where workspace_id = $1 and step is not null and outcome <> 'failed' and run_id in (
            select id from run where workspace_id = $1 and workflow_id = $2 and ended_at is not null order by id desc limit $3
         )
         group by run_id, step
         order by cost_micros desc
         limit $4",
    )
    .bind(workspace)
    .bind(workflow)
    .bind(i64::from(PREVIEW_RUNS))
    .bind(MOST_LINES)
    .fetch_all(conn)
    .await)?;
    let line = |row: Row| StepCalls {
        run: row.run_id,
        path: row.step,
        calls: row.calls,
        usage: Usage {
            input: row.input,
            cache_read: row.cache_read,
            cache_write: row.cache_write,
            cache_write_hour: row.cache_write_hour,
            output: row.output,
            reasoning: row.reasoning,
        },
        cost_micros: row.cost_micros,
        unpriced: row.unpriced,
    };
    Ok(rows.into_iter().map(line).collect())
}
