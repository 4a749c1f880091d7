//! `/memory/{namespace}/{key}/readers` and `/runs/{id}/memory`: who was given an entry, and what a run was given.

use axum::Json;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::{Id, Params};
use super::memory::{Place, read};
use crate::http::Caller;
use crate::http::error::{Problem, Refusal};
use crate::memory;
use crate::model::RunId;
use crate::model::memory::{Readers, RunRead};
use crate::runtime::Runtime;
use crate::workflow;

/// The routes of this file.
pub fn router() -> OpenApiRouter<Runtime> {
    OpenApiRouter::new().routes(routes!(list_readers)).routes(routes!(list_memory_reads))
}

/// Who was given an entry by a read or a search, the last one first, with how often. It is written about a second later.
#[utoipa::path(get, path = "/memory/{namespace}/{key}/readers", tag = "memory", params(
    ("namespace" = String, Path, description = "a path such as code/decisions, url-encoded as one segment"),
    ("key" = String, Path, description = "url-encoded"),
), responses(
    (status = 200, description = "the readers", body = Readers),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 404, description = "no such entry", body = Problem),
    (status = 422, description = "the namespace or the key does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn list_readers(Caller(ctx): Caller, place: Place) -> Result<Json<Readers>, Refusal> {
    let (namespace, key) = read(place)?;
    Ok(Json(memory::readers(&ctx, &namespace, &key).await?))
}

/// Which of a run's steps.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ReadsQuery {
    /// A step's path; absent: all of them.
    step: Option<String>,
}

/// What a run was given of the memory.
#[derive(Debug, Serialize, ToSchema)]
struct MemoryReads {
    /// The last one first.
    items: Vec<RunRead>,
    /// Always null: at most 200 are given.
    next: Option<String>,
}

/// The entries that a run's steps and their agents opened or found, with the question and the place in its answer.
#[utoipa::path(get, path = "/runs/{id}/memory", tag = "runs", params(("id" = RunId, Path,), ReadsQuery), responses(
    (status = 200, description = "the entries", body = MemoryReads),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 404, description = "no such run", body = Problem),
    (status = 422, description = "a parameter does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn list_memory_reads(
    Caller(ctx): Caller,
    Id(id): Id<RunId>,
    Params(query): Params<ReadsQuery>,
) -> Result<Json<MemoryReads>, Refusal> {
    let items = workflow::list_memory_reads(&ctx, id, query.step.as_deref()).await?;
    Ok(Json(MemoryReads { items, next: None }))
}
