//! What agents have to do and how they did, for whoever decides which of them has the next task.

use sqlx::{FromRow, query_as};

use crate::db::{Db, Result};
use crate::model::{AgentId, Timestamp, WorkspaceId};
use crate::read;

/// A task that an agent has to do.
#[derive(Debug, FromRow)]
pub struct OpenRow {
    pub agent_id: AgentId,
    pub kind: String,
    pub priority: i64,
    pub run_status: String,
    pub started_at: Timestamp,
}

/// What the agents of a workspace have to do, at most `limit` tasks.
pub async fn list_open(db: &Db, workspace: WorkspaceId, limit: u32) -> Result<Vec<OpenRow>> {
    Ok(read!(db, conn => query_as(
        "select t.agent_id, coalesce(q.kind, '') as kind, coalesce(f.priority, 5) as priority, r.status as run_status, t.started_at
         from agent_task t
         join run r on r.id = t.run_id
         left join run_flow f on f.run_id = t.run_id
         left join agent_queue q on q.run_id = t.run_id
         where t.workspace_id = $1 and t.status in ('queued', 'working', 'waiting') and r.ended_at is null and not t.is_trial
         order by t.run_id, t.step
         limit $2",
    )
    .bind(workspace)
    .bind(i64::from(limit))
    .fetch_all(conn)
    .await)?)
}

/// A task that is over.
#[derive(Debug, FromRow)]
pub struct PastRow {
    pub agent_id: AgentId,
    pub kind: String,
    /// As the step noted.
    pub status: String,
    /// The run's; `None` for one that is gone.
    pub run_status: Option<String>,
    pub started_at: Timestamp,
    pub active_at: Timestamp,
}

/// What the agents of a workspace did since `from`, the newest first, at most `limit` tasks.
pub async fn list_past(db: &Db, workspace: WorkspaceId, from: Timestamp, limit: u32) -> Result<Vec<PastRow>> {
    Ok(read!(db, conn => query_as(
        "select t.agent_id, coalesce(q.kind, '') as kind, t.status, r.status as run_status, t.started_at, t.active_at
         from agent_task t
         left join run r on r.id = t.run_id
         left join agent_queue q on q.run_id = t.run_id
         where t.workspace_id = $1 and not t.is_trial and t.active_at >= $2 and (t.status in ('done', 'failed') or r.ended_at is not null)
         order by t.active_at desc, t.run_id desc, t.step desc
         limit $3",
    )
    .bind(workspace)
    .bind(from)
    .bind(i64::from(limit))
    .fetch_all(conn)
    .await)?)
}
