//! `/memory/map`: entries as points.

use axum::Json;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::Params;
use crate::http::Caller;
use crate::http::error::{Problem, Refusal};
use crate::memory;
use crate::model::memory::MemoryMap;
use crate::runtime::Runtime;

/// The routes of this file.
pub fn router() -> OpenApiRouter<Runtime> {
    OpenApiRouter::new().routes(routes!(get_map))
}

/// Which part of the memory.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct MapQuery {
    /// This namespace and all below it; absent means all.
    #[serde(default)]
    namespace: String,
}

/// The entries of a namespace as points: those that mean the like, or without vectors say the like, lie near each other. Of more than
/// 10,000 so many are taken, the same ones each time.
#[utoipa::path(get, path = "/memory/map", tag = "memory", params(MapQuery), responses(
    (status = 200, description = "the map", body = MemoryMap),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 422, description = "the namespace does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn get_map(Caller(ctx): Caller, Params(query): Params<MapQuery>) -> Result<Json<MemoryMap>, Refusal> {
    Ok(Json(memory::map(&ctx, &query.namespace).await?))
}
