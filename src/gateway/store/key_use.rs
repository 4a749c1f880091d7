//! What keys were used for, and who made them.

use sqlx::{FromRow, query_as};

use crate::db::{Db, Result};
use crate::model::{ApiKeyId, Timestamp, WorkspaceId};
use crate::read;

/// Of one key.
#[derive(Debug, FromRow)]
pub struct KeyUseRow {
    /// Which.
    pub id: ApiKeyId,
    /// The name of who made it.
    pub made_by: Option<String>,
    /// Calls with it.
    pub calls: i64,
    /// What they cost, of those that have a price.
    pub cost_micros: i64,
}

/// The use of a workspace's keys since a moment: of every key, also of those that were not used.
pub async fn list(db: &Db, workspace: WorkspaceId, since: Timestamp) -> Result<Vec<KeyUseRow>> {
    Ok(read!(db, conn => query_as(
        "select k.id as id, u.name as made_by, coalesce(c.calls, 0) as calls, coalesce(c.cost_micros, 0) as cost_micros
         from gateway_key k
         left join app_user u on u.id = k.created_by and u.workspace_id = k.workspace_id
         left join (
            select key_id, count(*) as calls, cast(sum(coalesce(cost_micros, 0)) as bigint) as cost_micros
            from model_call
            where workspace_id = $1 and at >= $2 and key_id is not null
            group by key_id
         ) c on c.key_id = k.id
         where k.workspace_id = $1",
    )
    .bind(workspace)
    .bind(since)
    .fetch_all(conn)
    .await)?)
}
