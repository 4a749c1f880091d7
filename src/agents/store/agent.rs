//! Agents as they are.

use sqlx::types::Json;
use sqlx::{FromRow, query, query_as, query_scalar};

use crate::db::{Db, Result, Tx};
use crate::model::agent::{Agent, AgentDraft, AgentSpec};
use crate::model::{AgentId, Timestamp, WorkspaceId};
use crate::{read, within};

#[derive(Debug, FromRow)]
struct AgentRow {
    id: AgentId,
    name: String,
    version: i64,
    spec: Json<AgentSpec>,
    stopped_at: Option<Timestamp>,
    stopped_by: Option<String>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<AgentRow> for Agent {
    fn from(row: AgentRow) -> Self {
        let AgentRow { id, name, version, spec, stopped_at, stopped_by, created_at, updated_at } = row;
        Self { id, name, version, spec: spec.0, stopped_at, stopped_by, created_at, updated_at }
    }
}

/// Adds an agent at version 1. [`crate::db::Error::Duplicate`] when the name is taken.
pub async fn insert(
    tx: &mut Tx,
    workspace: WorkspaceId,
    id: AgentId,
    agent: &AgentDraft,
    now: Timestamp,
) -> Result<()> {
    within!(tx, conn => query(
        "insert into agent (id, workspace_id, name, version, spec, created_at, updated_at) values ($1, $2, $3, 1, $4, $5, $5)",
    )
    .bind(id)
    .bind(workspace)
    .bind(&agent.name)
    .bind(Json(&agent.spec))
    .bind(now)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// Changes an agent that is at `version`; false when it is not any more.
pub async fn update(
    tx: &mut Tx,
    workspace: WorkspaceId,
    (id, version): (AgentId, i64),
    agent: &AgentDraft,
    now: Timestamp,
) -> Result<bool> {
    Ok(within!(tx, conn => query(
        "update agent set name = $4, spec = $5, version = version + 1, updated_at = $6
         where workspace_id = $1 and id = $2 and version = $3",
    )
    .bind(workspace)
    .bind(id)
    .bind(version)
    .bind(&agent.name)
    .bind(Json(&agent.spec))
    .bind(now)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))?)
}

/// Stops one that is not stopped; false otherwise.
pub async fn stop(tx: &mut Tx, workspace: WorkspaceId, id: AgentId, by: Option<&str>, now: Timestamp) -> Result<bool> {
    Ok(within!(tx, conn => query(
        "update agent set stopped_at = $3, stopped_by = $4 where workspace_id = $1 and id = $2 and stopped_at is null",
    )
    .bind(workspace)
    .bind(id)
    .bind(now)
    .bind(by)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))?)
}

/// Lets one work that is stopped; false otherwise.
pub async fn release(tx: &mut Tx, workspace: WorkspaceId, id: AgentId) -> Result<bool> {
    Ok(within!(tx, conn => query(
        "update agent set stopped_at = null, stopped_by = null
         where workspace_id = $1 and id = $2 and stopped_at is not null",
    )
    .bind(workspace)
    .bind(id)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))?)
}

/// Deletes an agent with its versions and tasks; false when there is none.
pub async fn delete(tx: &mut Tx, workspace: WorkspaceId, id: AgentId) -> Result<bool> {
    Ok(within!(tx, conn => query("delete from agent where workspace_id = $1 and id = $2")
        .bind(workspace)
        .bind(id)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))?)
}

/// How many a workspace has.
pub async fn count(tx: &mut Tx, workspace: WorkspaceId) -> Result<i64> {
    Ok(within!(tx, conn => query_scalar("select count(*) from agent where workspace_id = $1")
        .bind(workspace)
        .fetch_one(conn)
        .await)?)
}

/// All of a workspace, by name, whatever its case.
pub async fn list(db: &Db, workspace: WorkspaceId) -> Result<Vec<Agent>> {
    let rows: Vec<AgentRow> = read!(db, conn => query_as(
        "select id, name, version, spec, stopped_at, stopped_by, created_at, updated_at
         from agent
         where workspace_id = $1
         order by lower(name), id",
    )
    .bind(workspace)
    .fetch_all(conn)
    .await)?;
    Ok(rows.into_iter().map(Agent::from).collect())
}

/// One agent.
pub async fn find(db: &Db, workspace: WorkspaceId, id: AgentId) -> Result<Option<Agent>> {
    let row: Option<AgentRow> = read!(db, conn => query_as(
        "select id, name, version, spec, stopped_at, stopped_by, created_at, updated_at
         from agent
         where workspace_id = $1 and id = $2",
    )
    .bind(workspace)
    .bind(id)
    .fetch_optional(conn)
    .await)?;
    Ok(row.map(Agent::from))
}

/// The agent of this name.
pub async fn find_by_name(db: &Db, workspace: WorkspaceId, name: &str) -> Result<Option<Agent>> {
    let row: Option<AgentRow> = read!(db, conn => query_as(
        "select id, name, version, spec, stopped_at, stopped_by, created_at, updated_at
         from agent
         where workspace_id = $1 and name = $2",
    )
    .bind(workspace)
    .bind(name)
    .fetch_optional(conn)
    .await)?;
    Ok(row.map(Agent::from))
}

/// Whether it is there and not stopped.
pub async fn may_work(db: &Db, workspace: WorkspaceId, id: AgentId) -> Result<bool> {
    let count: i64 = read!(db, conn => query_scalar(
        "select count(*) from agent where workspace_id = $1 and id = $2 and stopped_at is null",
    )
    .bind(workspace)
    .bind(id)
    .fetch_one(conn)
    .await)?;
    Ok(count > 0)
}
