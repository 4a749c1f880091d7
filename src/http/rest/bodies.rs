//! `/runs/{id}/bodies`: the items and iterations of containers.

use axum::Json;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::{Id, Params};
use super::paging::within;
use crate::http::Caller;
use crate::http::error::{Problem, Refusal};
use crate::model::workflow::{BodyDetail, BodySummary};
use crate::model::{Page, PageRequest, RunId};
use crate::runtime::Runtime;
use crate::workflow;

/// The routes of this file.
pub fn router() -> OpenApiRouter<Runtime> {
    OpenApiRouter::new().routes(routes!(list_bodies)).routes(routes!(get_body))
}

/// Of which container, and what part.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// The path of the container: `each`, or `outer[2].each`.
    #[serde(default)]
    path: String,
    /// 1..=200.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

/// The bodies of a container that have begun, by item or iteration.
#[utoipa::path(get, path = "/runs/{id}/bodies", tag = "runs", params(("id" = RunId, Path,), ListQuery), responses(
    (status = 200, description = "a page of bodies", body = Page<BodySummary>),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 404, description = "no such run or container", body = Problem),
    (status = 422, description = "a parameter does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn list_bodies(
    Caller(ctx): Caller,
    Id(id): Id<RunId>,
    Params(list): Params<ListQuery>,
) -> Result<Json<Page<BodySummary>>, Refusal> {
    let page = PageRequest { limit: within("limit", list.limit, 50, PageRequest::MAX)?, cursor: list.cursor };
    Ok(Json(workflow::list_bodies(&ctx, id, &list.path, &page).await?))
}

/// Which body.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct BodyQuery {
    /// Its path: `each[3]`.
    #[serde(default)]
    path: String,
}

/// One body with its steps.
#[utoipa::path(get, path = "/runs/{id}/body", tag = "runs", params(("id" = RunId, Path,), BodyQuery), responses(
    (status = 200, description = "the body", body = BodyDetail),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 404, description = "no such run, or the body has not begun", body = Problem),
    (status = 422, description = "a parameter does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn get_body(
    Caller(ctx): Caller,
    Id(id): Id<RunId>,
    Params(query): Params<BodyQuery>,
) -> Result<Json<BodyDetail>, Refusal> {
    Ok(Json(workflow::get_body(&ctx, id, &query.path).await?))
}
