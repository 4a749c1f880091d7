//! `/agents/{id}/comparisons`: two versions of an agent at the same tasks.

use axum::Json;
use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::{Body, Id};
use crate::agents::comparisons;
use crate::http::Caller;
use crate::http::error::{Problem, Refusal};
use crate::model::agent::{Comparison, ComparisonDraft, ComparisonResult};
use crate::model::{AgentId, ComparisonId, Page};
use crate::runtime::Runtime;
use crate::workflow::compare;

/// The routes of this file.
pub fn router() -> OpenApiRouter<Runtime> {
    OpenApiRouter::new()
        .routes(routes!(list_comparisons, start_comparison))
        .routes(routes!(get_comparison, delete_comparison))
}

/// What was compared of an agent, the newest first; at most 50.
#[utoipa::path(get, path = "/agents/{id}/comparisons", tag = "agents", params(("id" = AgentId, Path,)), responses(
    (status = 200, description = "the comparisons", body = Page<Comparison>),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 404, description = "no such agent", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn list_comparisons(Caller(ctx): Caller, Id(id): Id<AgentId>) -> Result<Json<Page<Comparison>>, Refusal> {
    Ok(Json(Page::whole(comparisons::list(&ctx, id).await?)))
}

/// Lets two versions of an agent do the same tasks, each in a run of its own: trials, in which what would act, write or ask is
/// refused.
#[utoipa::path(post, path = "/agents/{id}/comparisons", tag = "agents", params(("id" = AgentId, Path,)), request_body = ComparisonDraft, responses(
    (status = 202, description = "the runs go on", body = ComparisonResult),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no such agent", body = Problem),
    (status = 409, description = "the agent is stopped", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a field does not fit", body = Problem),
    (status = 429, description = "as many runs of the workspace wait as may", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn start_comparison(
    Caller(ctx): Caller,
    Id(id): Id<AgentId>,
    Body(draft): Body<ComparisonDraft>,
) -> Result<(StatusCode, Json<ComparisonResult>), Refusal> {
    Ok((StatusCode::ACCEPTED, Json(compare::start(&ctx, id, draft).await?)))
}

/// A comparison with what came of it so far.
#[utoipa::path(get, path = "/agents/comparisons/{id}", tag = "agents", params(("id" = ComparisonId, Path,)), responses(
    (status = 200, description = "the comparison", body = ComparisonResult),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 404, description = "no such comparison", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn get_comparison(Caller(ctx): Caller, Id(id): Id<ComparisonId>) -> Result<Json<ComparisonResult>, Refusal> {
    Ok(Json(compare::get(&ctx, id).await?))
}

/// Deletes a comparison. Its runs stay until they are forgotten like all others.
#[utoipa::path(delete, path = "/agents/comparisons/{id}", tag = "agents", params(("id" = ComparisonId, Path,)), responses(
    (status = 204, description = "it is gone"),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no such comparison", body = Problem),
    (status = 409, description = "runs of it go on", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn delete_comparison(Caller(ctx): Caller, Id(id): Id<ComparisonId>) -> Result<StatusCode, Refusal> {
    compare::delete(&ctx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
