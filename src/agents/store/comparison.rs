//! Comparisons of versions: what is compared. What came of it stands in the runs.

use sqlx::types::Json;
use sqlx::{FromRow, query, query_as};

use crate::db::{Db, Result, Tx};
use crate::model::agent::{Comparison, ComparisonPlan};
use crate::model::{AgentId, ComparisonId, Timestamp, WorkspaceId};
use crate::{read, within};

#[derive(Debug, FromRow)]
struct ComparisonRow {
    id: ComparisonId,
    agent_id: AgentId,
    plan: Json<ComparisonPlan>,
    made_by: Option<String>,
    created_at: Timestamp,
}

impl From<ComparisonRow> for Comparison {
    fn from(row: ComparisonRow) -> Self {
        Self { id: row.id, agent_id: row.agent_id, plan: row.plan.0, made_by: row.made_by, created_at: row.created_at }
    }
}

/// Keeps a comparison, and of its agent none but the newest `kept`.
pub async fn insert(tx: &mut Tx, workspace: WorkspaceId, comparison: &Comparison, kept: i64) -> Result<()> {
    within!(tx, conn => query(
        "insert into agent_comparison (id, workspace_id, agent_id, plan, made_by, created_at) values ($1, $2, $3, $4, $5, $6)",
    )
    .bind(comparison.id)
    .bind(workspace)
    .bind(comparison.agent_id)
    .bind(Json(&comparison.plan))
    .bind(comparison.made_by.as_deref())
    .bind(comparison.created_at)
    .execute(conn)
    .await
    .map(drop))?;
    within!(tx, conn => query(
        "delete from agent_comparison
         where workspace_id = $1 and agent_id = $2 and id not in (
            select id from agent_comparison
            where workspace_id = $1 and agent_id = $2
            order by created_at desc, id desc
            limit $3
         )",
    )
    .bind(workspace)
    .bind(comparison.agent_id)
    .bind(kept)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// One of them.
pub async fn find(db: &Db, workspace: WorkspaceId, id: ComparisonId) -> Result<Option<Comparison>> {
    let row: Option<ComparisonRow> = read!(db, conn => query_as(
        "select id, agent_id, plan, made_by, created_at from agent_comparison where workspace_id = $1 and id = $2",
    )
    .bind(workspace)
    .bind(id)
    .fetch_optional(conn)
    .await)?;
    Ok(row.map(Comparison::from))
}

/// Those of an agent, the newest first.
pub async fn list(db: &Db, workspace: WorkspaceId, agent: AgentId) -> Result<Vec<Comparison>> {
    let rows: Vec<ComparisonRow> = read!(db, conn => query_as(
        "select id, agent_id, plan, made_by, created_at
         from agent_comparison
         where workspace_id = $1 and agent_id = $2
         order by created_at desc, id desc",
    )
    .bind(workspace)
    .bind(agent)
    .fetch_all(conn)
    .await)?;
    Ok(rows.into_iter().map(Comparison::from).collect())
}

/// Deletes one; false where there is none.
pub async fn delete(tx: &mut Tx, workspace: WorkspaceId, id: ComparisonId) -> Result<bool> {
    Ok(within!(tx, conn => query("delete from agent_comparison where workspace_id = $1 and id = $2")
        .bind(workspace)
        .bind(id)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() > 0))?)
}
