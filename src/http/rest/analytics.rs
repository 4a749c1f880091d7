//! `/analytics`: what the dashboard shows.

use axum::Json;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::Params;
use crate::http::Caller;
use crate::http::error::{Problem, Refusal};
use crate::model::cache::CacheReport;
use crate::model::dashboard::{Overview, Period};
use crate::monitor;
use crate::runtime::Runtime;

/// The routes of this file.
pub fn router() -> OpenApiRouter<Runtime> {
    OpenApiRouter::new().routes(routes!(overview)).routes(routes!(cache))
}

/// The span to look back over.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OverviewQuery {
    /// `day`: 24 buckets of an hour; `week`: 7 of a day; `month`: 30 of a day. They begin at full hours and days of UTC.
    #[serde(default)]
    #[param(inline, default = "day")]
    period: Period,
}

/// Runs over time, what runs now, what needs somebody, memory's growth and the system's health; at most a second old.
#[utoipa::path(get, path = "/analytics/overview", tag = "analytics", params(OverviewQuery), responses(
    (status = 200, description = "everything on the dashboard", body = Overview),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 422, description = "a parameter does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn overview(Caller(ctx): Caller, Params(query): Params<OverviewQuery>) -> Result<Json<Overview>, Refusal> {
    Ok(Json(monitor::overview(&ctx, query.period).await?))
}

/// What the response cache did over time, against what calls would have cost without it.
#[utoipa::path(get, path = "/analytics/cache", tag = "analytics", params(OverviewQuery), responses(
    (status = 200, description = "hits, misses and what was saved", body = CacheReport),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 422, description = "a parameter does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn cache(Caller(ctx): Caller, Params(query): Params<OverviewQuery>) -> Result<Json<CacheReport>, Refusal> {
    Ok(Json(monitor::cache(&ctx, query.period).await?))
}
