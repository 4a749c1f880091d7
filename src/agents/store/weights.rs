//! What the parts of an agent's score count.

use sqlx::types::Json;
use sqlx::{query, query_scalar};

use crate::db::{Db, Result, Tx};
use crate::model::agent::Weights;
use crate::model::{Timestamp, WorkspaceId};
use crate::{read, within};

/// Those of a workspace; `None` where it has said nothing.
pub async fn find(db: &Db, workspace: WorkspaceId) -> Result<Option<Weights>> {
    let weights: Option<Json<Weights>> = read!(db, conn => query_scalar(
        "select weights from agent_weights where workspace_id = $1",
    )
    .bind(workspace)
    .fetch_optional(conn)
    .await)?;
    Ok(weights.map(|weights| weights.0))
}

/// Keeps those of a workspace, in the place of what it said before.
pub async fn put(tx: &mut Tx, workspace: WorkspaceId, weights: &Weights, now: Timestamp) -> Result<()> {
    within!(tx, conn => query(
        "insert into agent_weights (workspace_id, weights, updated_at) values ($1, $2, $3)
         on conflict (workspace_id) do update set weights = excluded.weights, updated_at = excluded.updated_at",
    )
    .bind(workspace)
    .bind(Json(weights))
    .bind(now)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// Forgets those of a workspace.
pub async fn delete(tx: &mut Tx, workspace: WorkspaceId) -> Result<()> {
    within!(tx, conn => query("delete from agent_weights where workspace_id = $1")
        .bind(workspace)
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}
