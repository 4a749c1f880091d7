//! What agents were.

use sqlx::types::Json;
use sqlx::{FromRow, query, query_as};

use crate::db::{Db, Result, Tx};
use crate::model::agent::{AgentSpec, AgentVersion};
use crate::model::{AgentId, Timestamp, WorkspaceId};
use crate::{read, within};

/// Versions that are kept of each agent, the newest.
const KEPT: i64 = 100;

#[derive(Debug, FromRow)]
struct VersionRow {
    version: i64,
    spec: Json<AgentSpec>,
    made_by: Option<String>,
    created_at: Timestamp,
}

impl From<VersionRow> for AgentVersion {
    fn from(row: VersionRow) -> Self {
        Self { version: row.version, spec: row.spec.0, by: row.made_by, created_at: row.created_at }
    }
}

/// Keeps a version.
pub async fn insert(
    tx: &mut Tx,
    workspace: WorkspaceId,
    (id, version): (AgentId, i64),
    spec: &AgentSpec,
    by: Option<&str>,
    now: Timestamp,
) -> Result<()> {
    within!(tx, conn => query(
        "insert into agent_version (agent_id, version, workspace_id, spec, made_by, created_at)
         values ($1, $2, $3, $4, $5, $6)",
    )
    .bind(id)
    .bind(version)
    .bind(workspace)
    .bind(Json(spec))
    .bind(by)
    .bind(now)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// Those of an agent, the newest first.
pub async fn list(db: &Db, workspace: WorkspaceId, id: AgentId) -> Result<Vec<AgentVersion>> {
    let rows: Vec<VersionRow> = read!(db, conn => query_as(
        "select version, spec, made_by, created_at
         from agent_version
         where workspace_id = $1 and agent_id = $2
         order by version desc
         limit $3",
    )
    .bind(workspace)
    .bind(id)
    .bind(KEPT)
    .fetch_all(conn)
    .await)?;
    Ok(rows.into_iter().map(AgentVersion::from).collect())
}

/// One of them.
pub async fn find(db: &Db, workspace: WorkspaceId, id: AgentId, version: i64) -> Result<Option<AgentVersion>> {
    let row: Option<VersionRow> = read!(db, conn => query_as(
        "select version, spec, made_by, created_at
         from agent_version
         where workspace_id = $1 and agent_id = $2 and version = $3",
    )
    .bind(workspace)
    .bind(id)
    .bind(version)
    .fetch_optional(conn)
    .await)?;
    Ok(row.map(AgentVersion::from))
}

/// Deletes those that are not kept any more, at most `limit`; returns how many. Their numbers have no gaps.
pub async fn delete_old(tx: &mut Tx, limit: i64) -> Result<u64> {
    Ok(within!(tx, conn => query(
        "delete from agent_version
         where (agent_id, version) in (
            select v.agent_id, v.version
            from agent_version v
            join agent a on a.id = v.agent_id
            where v.version <= a.version - $1
            limit $2
         )",
    )
    .bind(KEPT)
    .bind(limit)
    .execute(conn)
    .await
    .map(|done| done.rows_affected()))?)
}
