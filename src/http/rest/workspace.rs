//! `/workspace`: what holds for the workspace as a whole.

use axum::Json;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::Caller;
use crate::http::error::{Problem, Refusal};
use crate::http::rest::body::Body;
use crate::model::workflow::Retention;
use crate::runtime::Runtime;
use crate::workflow;

/// The routes of this file.
pub fn router() -> OpenApiRouter<Runtime> {
    OpenApiRouter::new().routes(routes!(get_retention, set_retention))
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
