//! `/analytics`: what the dashboard shows.

use axum::Json;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::{Id, Params};
use crate::http::Caller;
use crate::http::error::{Problem, Refusal};
use crate::model::WorkflowId;
use crate::model::cache::CacheReport;
use crate::model::dashboard::{Overview, Period};
use crate::model::gateway::{CostEstimate, CostPreview};
use crate::runtime::Runtime;
use crate::{monitor, workflow};

/// The routes of this file.
pub fn router() -> OpenApiRouter<Runtime> {
    OpenApiRouter::new()
        .routes(routes!(overview))
        .routes(routes!(cache))
        .routes(routes!(costs))
        .routes(routes!(estimate))
}

/// The span to look back over.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Span {
    /// `day`: 24 buckets of an hour; `week`: 7 of a day; `month`: 30 of a day. They begin at full hours and days of UTC.
    #[serde(default)]
    #[param(inline, default = "day")]
    pub(super) period: Period,
}

/// Runs over time, what runs now, what needs somebody, memory's growth and the system's health; at most a second old.
#[utoipa::path(get, path = "/analytics/overview", tag = "analytics", params(Span), responses(
    (status = 200, description = "everything on the dashboard", body = Overview),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 422, description = "a parameter does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn overview(Caller(ctx): Caller, Params(query): Params<Span>) -> Result<Json<Overview>, Refusal> {
    Ok(Json(monitor::overview(&ctx, query.period).await?))
}

/// What the response cache did over time, against what calls would have cost without it.
#[utoipa::path(get, path = "/analytics/cache", tag = "analytics", params(Span), responses(
    (status = 200, description = "hits, misses and what was saved", body = CacheReport),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 422, description = "a parameter does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn cache(Caller(ctx): Caller, Params(query): Params<Span>) -> Result<Json<CacheReport>, Refusal> {
    Ok(Json(monitor::cache(&ctx, query.period).await?))
}

/// What a workflow's calls of models took in its last runs that have ended, at most 50: a preview of the next.
#[utoipa::path(get, path = "/workflows/{id}/costs", tag = "workflows", params(("id" = WorkflowId, Path,)), responses(
    (status = 200, description = "what a run cost, and each step", body = CostPreview),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 404, description = "no such workflow", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn costs(Caller(ctx): Caller, Id(id): Id<WorkflowId>) -> Result<Json<CostPreview>, Refusal> {
    Ok(Json(monitor::cost(&ctx, id).await?))
}

/// What a run of a workflow's draft may cost, before there was one: a span, step by step, with how it was reckoned.
#[utoipa::path(get, path = "/workflows/{id}/costs/estimate", tag = "workflows", params(("id" = WorkflowId, Path,)), responses(
    (status = 200, description = "what a run may cost, and each step", body = CostEstimate),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 404, description = "no such workflow", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn estimate(Caller(ctx): Caller, Id(id): Id<WorkflowId>) -> Result<Json<CostEstimate>, Refusal> {
    Ok(Json(workflow::estimate_cost(&ctx, id).await?))
}
