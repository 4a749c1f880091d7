//! `/runs/{id}/migration`, `/runs/{id}/migrate`, `/workflows/{id}/movable-runs`, `/migrate-runs`: runs in motion that go on
//! with a newer version.

use axum::Json;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::{Body, Id, Params};
use crate::http::Caller;
use crate::http::error::{Problem, Refusal};
use crate::model::workflow::{BulkResult, Movable, MovableRuns, RunSummary};
use crate::model::{RunId, WorkflowId};
use crate::runtime::Runtime;
use crate::workflow;

/// The routes of this file.
pub fn router() -> OpenApiRouter<Runtime> {
    OpenApiRouter::new()
        .routes(routes!(check))
        .routes(routes!(migrate))
        .routes(routes!(movable))
        .routes(routes!(migrate_all))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ToVersion {
    /// A published version; absent: the newest.
    #[param(minimum = 1)]
    version: Option<i64>,
}

/// Where to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MigrateBody {
    /// A published version; absent: the newest.
    #[schema(minimum = 1)]
    version: Option<i64>,
}

/// What keeps a run from being moved to a version of its workflow; with no misfits it can be.
#[utoipa::path(get, path = "/runs/{id}/migration", tag = "runs", params(("id" = RunId, Path,), ToVersion), responses(
    (status = 200, description = "what stands in the way", body = Movable),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 404, description = "no such run or version", body = Problem),
    (status = 409, description = "the run has ended, or runs that version", body = Problem),
    (status = 422, description = "a parameter doesn't fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn check(
    Caller(ctx): Caller,
    Id(id): Id<RunId>,
    Params(to): Params<ToVersion>,
) -> Result<Json<Movable>, Refusal> {
    Ok(Json(workflow::check_migration(&ctx, id, to.version).await?))
}

/// Moves a run to a version of its workflow that agrees with everything which the run has come to.
#[utoipa::path(post, path = "/runs/{id}/migrate", tag = "runs", params(("id" = RunId, Path,)), request_body = MigrateBody, responses(
    (status = 200, description = "how the run stands now", body = RunSummary),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no such run or version", body = Problem),
    (status = 409, description = "the run has ended, or runs that version, or has just come further", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "the version differs where the run already is; every difference is named", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn migrate(
    Caller(ctx): Caller,
    Id(id): Id<RunId>,
    Body(to): Body<MigrateBody>,
) -> Result<Json<RunSummary>, Refusal> {
    Ok(Json(workflow::migrate(&ctx, id, to.version).await?))
}

/// The runs in motion of older versions, at most 200, and what keeps each from being moved.
#[utoipa::path(get, path = "/workflows/{id}/movable-runs", tag = "workflows", params(("id" = WorkflowId, Path,), ToVersion), responses(
    (status = 200, description = "the runs, newest first", body = MovableRuns),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 404, description = "no such workflow or version", body = Problem),
    (status = 409, description = "the workflow was never published", body = Problem),
    (status = 422, description = "a parameter doesn't fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn movable(
    Caller(ctx): Caller,
    Id(id): Id<WorkflowId>,
    Params(to): Params<ToVersion>,
) -> Result<Json<MovableRuns>, Refusal> {
    Ok(Json(workflow::list_movable(&ctx, id, to.version).await?))
}

/// What came of moving many runs.
#[derive(Debug, Serialize, ToSchema)]
struct Moves {
    /// Newest run first.
    results: Vec<BulkResult>,
}

/// Moves the runs in motion of older versions, those that fit. One that is refused does not keep the others from it.
#[utoipa::path(post, path = "/workflows/{id}/migrate-runs", tag = "workflows", params(("id" = WorkflowId, Path,)), request_body = MigrateBody, responses(
    (status = 200, description = "what came of it for each", body = Moves),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no such workflow or version", body = Problem),
    (status = 409, description = "the workflow was never published", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "the body doesn't fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn migrate_all(
    Caller(ctx): Caller,
    Id(id): Id<WorkflowId>,
    Body(to): Body<MigrateBody>,
) -> Result<Json<Moves>, Refusal> {
    Ok(Json(Moves { results: workflow::migrate_all(&ctx, id, to.version).await? }))
}
