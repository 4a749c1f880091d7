//! `/runs/{id}/team` and `/runs/{id}/messages`: the agents of a run, and what they write to each other.

use axum::Json;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::{Id, Params};
use super::paging::within;
use crate::http::Caller;
use crate::http::error::{Problem, Refusal};
use crate::model::agent::{TeamMessage, TeamView};
use crate::model::{Page, PageRequest, RunId};
use crate::runtime::Runtime;
use crate::workflow;

/// The routes of this file.
pub fn router() -> OpenApiRouter<Runtime> {
    OpenApiRouter::new().routes(routes!(get_team)).routes(routes!(list_messages))
}

/// The agents that work under a run as one team: who may write to whom, and how many messages went from whom to whom. Of a run
/// inside of another it is the team of the outermost.
#[utoipa::path(get, path = "/runs/{id}/team", tag = "runs", params(("id" = RunId, Path,)), responses(
    (status = 200, description = "the team", body = TeamView),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 404, description = "no such run", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn get_team(Caller(ctx): Caller, Id(id): Id<RunId>) -> Result<Json<TeamView>, Refusal> {
    Ok(Json(workflow::get_team(&ctx, id).await?))
}

/// What part of the messages is wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct MessageQuery {
    /// 1..=200.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

/// What the agents of that team wrote to each other, the newest first.
#[utoipa::path(get, path = "/runs/{id}/messages", tag = "runs", params(("id" = RunId, Path,), MessageQuery), responses(
    (status = 200, description = "a page of messages", body = Page<TeamMessage>),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 404, description = "no such run", body = Problem),
    (status = 422, description = "a parameter does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn list_messages(
    Caller(ctx): Caller,
    Id(id): Id<RunId>,
    Params(query): Params<MessageQuery>,
) -> Result<Json<Page<TeamMessage>>, Refusal> {
    let page = PageRequest { limit: within("limit", query.limit, 50, PageRequest::MAX)?, cursor: query.cursor };
    Ok(Json(workflow::list_messages(&ctx, id, &page).await?))
}
