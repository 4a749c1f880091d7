//! `/memory/{namespace}/{key}/siblings` and `related`: what stands beside an entry, and what else is about its matter.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::memory::{Place, read};
use crate::http::Caller;
use crate::http::error::{Problem, Refusal};
use crate::memory;
use crate::model::ApiError;
use crate::model::memory::{HealthEntry, Sibling};
use crate::runtime::Runtime;

/// The routes of this file.
pub fn router() -> OpenApiRouter<Runtime> {
    OpenApiRouter::new().routes(routes!(list_siblings)).routes(routes!(list_related))
}

/// The siblings of an entry.
#[derive(Debug, Serialize, ToSchema)]
struct Siblings {
    /// The last written first, open and merged ones.
    items: Vec<Sibling>,
    /// Always null: at most 200 are given.
    next: Option<String>,
}

/// Texts that were written without having seen the entry, and stand beside it or were merged.
#[utoipa::path(get, path = "/memory/{namespace}/{key}/siblings", tag = "memory", params(
    ("namespace" = String, Path, description = "a path such as code/decisions, url-encoded as one segment"),
    ("key" = String, Path, description = "url-encoded"),
), responses(
    (status = 200, description = "the siblings", body = Siblings),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 404, description = "no such entry", body = Problem),
    (status = 409, description = "a text can't be decrypted", body = Problem),
    (status = 422, description = "the namespace or the key does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn list_siblings(Caller(ctx): Caller, place: Place) -> Result<Json<Siblings>, Refusal> {
    let (namespace, key) = read(place)?;
    Ok(Json(Siblings { items: memory::siblings(&ctx, &namespace, &key).await?, next: None }))
}

/// Entries about the matter of another.
#[derive(Debug, Serialize, ToSchema)]
struct Related {
    /// The one that shares the most telling words first.
    items: Vec<HealthEntry>,
    /// Always null: at most 6 are given.
    next: Option<String>,
}

/// Entries that share the most telling words with one, from all namespaces.
#[utoipa::path(get, path = "/memory/{namespace}/{key}/related", tag = "memory", params(
    ("namespace" = String, Path, description = "a path such as code/decisions, url-encoded as one segment"),
    ("key" = String, Path, description = "url-encoded"),
), responses(
    (status = 200, description = "the entries", body = Related),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 404, description = "no such entry, or it is in quarantine", body = Problem),
    (status = 409, description = "the entry can't be decrypted", body = Problem),
    (status = 422, description = "the namespace or the key does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn list_related(Caller(ctx): Caller, place: Place) -> Result<Json<Related>, Refusal> {
    let (namespace, key) = read(place)?;
    Ok(Json(Related { items: memory::related(&ctx, &namespace, &key).await?, next: None }))
}

/// Reads numbers between commas; none of an empty text.
pub(super) fn numbers(text: &str) -> Result<Vec<i64>, ApiError> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let read = |number: &str| {
        let expected = "expected numbers of siblings, with commas between";
        number.trim().parse().map_err(|_| ApiError::invalid("merges", expected))
    };
    text.split(',').map(read).collect()
}
