//! `/workspace`: what holds for the workspace as a whole.

use axum::Json;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::Caller;
use crate::http::error::{Problem, Refusal};
use crate::http::rest::body::Body;
use crate::model::workflow::{Quotas, Retention};
use crate::runtime::Runtime;
use crate::workflow;

/// The routes of this file.
pub fn router() -> OpenApiRouter<Runtime> {
    OpenApiRouter::new().routes(routes!(get_retention, set_retention)).routes(routes!(get_quotas, set_quotas))
}

/// How long ended runs, their logs and payloads are kept where their workflow does not say.
#[utoipa::path(get, path = "/workspace/retention", tag = "workspace", responses(
    (status = 200, description = "the days, and the server's", body = Retention),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn get_retention(Caller(ctx): Caller) -> Result<Json<Retention>, Refusal> {
    Ok(Json(workflow::get_retention(&ctx).await?))
}

/// Other days.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RetentionChange {
    /// 1 to 3650, or null: as the server has it.
    // Absent is not null: who forgets it changes nothing.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(minimum = 1, maximum = 3650, required)]
    days: Option<u32>,
}

/// Says how long ended runs are kept where their workflow does not say.
#[utoipa::path(put, path = "/workspace/retention", tag = "workspace", request_body = RetentionChange, responses(
    (status = 200, description = "what holds now", body = Retention),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a field does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn set_retention(Caller(ctx): Caller, Body(change): Body<RetentionChange>) -> Result<Json<Retention>, Refusal> {
    Ok(Json(workflow::set_retention(&ctx, change.days).await?))
}

/// How many runs of the workspace may wait and may be in progress.
#[utoipa::path(get, path = "/workspace/quotas", tag = "workspace", responses(
    (status = 200, description = "what the workspace asks for, and what the server allows", body = Quotas),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn get_quotas(Caller(ctx): Caller) -> Result<Json<Quotas>, Refusal> {
    Ok(Json(workflow::get_quotas(&ctx).await?))
}

/// Other quotas.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct QuotasChange {
    /// 1 to the server's, or null: as the server has it.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(minimum = 1, maximum = 1_000_000, required)]
    max_queued_runs: Option<u32>,
    /// 1 to the server's, or null: as the server has it.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(minimum = 1, maximum = 1_000_000, required)]
    max_running_runs: Option<u32>,
}

/// Says how many runs of the workspace may wait and may be in progress, where that is to be fewer than the server allows.
#[utoipa::path(put, path = "/workspace/quotas", tag = "workspace", request_body = QuotasChange, responses(
    (status = 200, description = "what holds now", body = Quotas),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a field does not fit, or is more than the server allows", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn set_quotas(Caller(ctx): Caller, Body(change): Body<QuotasChange>) -> Result<Json<Quotas>, Refusal> {
    let QuotasChange { max_queued_runs, max_running_runs } = change;
    Ok(Json(workflow::set_quotas(&ctx, max_queued_runs, max_running_runs).await?))
}
