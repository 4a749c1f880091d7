//! Runs in motion and newer versions of their workflow.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;

use crate::model::workflow::{BulkResult, Movable, MovableRuns, RunSummary};
use crate::model::{ApiError, RunId, WorkflowId};

/// What keeps a run from being moved to a version (`None`: the newest).
#[server(prefix = "/rpc", endpoint = "runs/migration", input = Json)]
pub async fn check_migration(id: RunId, version: Option<i64>) -> Result<Movable, ApiError> {
    Ok(crate::workflow::check_migration(&crate::http::request_ctx().await?, id, version).await?)
}

/// Moves a run to a version of its workflow (`None`: the newest).
#[server(prefix = "/rpc", endpoint = "runs/migrate", input = Json)]
pub async fn migrate_run(id: RunId, version: Option<i64>) -> Result<RunSummary, ApiError> {
    Ok(crate::workflow::migrate(&crate::http::request_ctx().await?, id, version).await?)
}

/// The runs in motion of older versions than the newest, and what keeps each from being moved to it.
#[server(prefix = "/rpc", endpoint = "workflows/movable_runs", input = Json)]
pub async fn list_movable_runs(id: WorkflowId) -> Result<MovableRuns, ApiError> {
    Ok(crate::workflow::list_movable(&crate::http::request_ctx().await?, id, None).await?)
}

/// Moves those of them that fit to this version.
#[server(prefix = "/rpc", endpoint = "workflows/migrate_runs", input = Json)]
pub async fn migrate_runs(id: WorkflowId, version: i64) -> Result<Vec<BulkResult>, ApiError> {
    Ok(crate::workflow::migrate_all(&crate::http::request_ctx().await?, id, Some(version)).await?)
}
