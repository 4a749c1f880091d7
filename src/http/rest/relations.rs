//! `/memory/{namespace}/{key}/relations`: what people say of an entry and another.

use axum::Json;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::{Body, Params};
use super::memory::{Place, read};
use crate::http::Caller;
use crate::http::error::{Problem, Refusal};
use crate::memory;
use crate::model::memory::{EntryName, Relation, RelationDraft};
use crate::runtime::Runtime;

/// The routes of this file.
pub fn router() -> OpenApiRouter<Runtime> {
    OpenApiRouter::new().routes(routes!(list_relations, relate, unrelate))
}

/// What is said of an entry and others.
#[derive(Debug, Serialize, ToSchema)]
struct Relations {
    /// The last said first.
    items: Vec<Relation>,
    /// Always null: at most 100 are given.
    next: Option<String>,
}

/// The other entry.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OtherQuery {
    /// Where the other stands.
    #[serde(default)]
    namespace: String,
    /// Its key.
    #[serde(default)]
    key: String,
}

/// What is said of an entry and others: which takes the place of which, which can't both be true, and which both hold.
#[utoipa::path(get, path = "/memory/{namespace}/{key}/relations", tag = "memory", params(
    ("namespace" = String, Path, description = "a path such as code/decisions, url-encoded as one segment"),
    ("key" = String, Path, description = "url-encoded"),
), responses(
    (status = 200, description = "the relations", body = Relations),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 404, description = "no such entry", body = Problem),
    (status = 422, description = "the namespace or the key does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn list_relations(Caller(ctx): Caller, place: Place) -> Result<Json<Relations>, Refusal> {
    let (namespace, key) = read(place)?;
    Ok(Json(Relations { items: memory::relations(&ctx, &namespace, &key).await?, next: None }))
}

/// Says that an entry takes the place of another (`supersedes`), that both can't be true (`contradicts`), or that both hold
/// (`agrees`), in place of what was said of the two before. An entry whose place another takes stays, and is found behind that one.
#[utoipa::path(post, path = "/memory/{namespace}/{key}/relations", tag = "memory", request_body = RelationDraft, params(
    ("namespace" = String, Path, description = "a path such as code/decisions, url-encoded as one segment"),
    ("key" = String, Path, description = "url-encoded"),
), responses(
    (status = 200, description = "what is said of the entry now", body = Relations),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "one of the entries is not there, or in quarantine", body = Problem),
    (status = 409, description = "one of the entries can't be decrypted", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a field does not fit, or the two would take each other's place", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn relate(
    Caller(ctx): Caller,
    place: Place,
    Body(draft): Body<RelationDraft>,
) -> Result<Json<Relations>, Refusal> {
    let (namespace, key) = read(place)?;
    Ok(Json(Relations { items: memory::relate(&ctx, (&namespace, &key), &draft).await?, next: None }))
}

/// Takes back what is said of an entry and another.
#[utoipa::path(delete, path = "/memory/{namespace}/{key}/relations", tag = "memory", params(
    ("namespace" = String, Path, description = "a path such as code/decisions, url-encoded as one segment"),
    ("key" = String, Path, description = "url-encoded"),
    OtherQuery,
), responses(
    (status = 204, description = "taken back"),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "one of the entries is not there, or nothing is said of them", body = Problem),
    (status = 422, description = "a namespace or a key does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn unrelate(Caller(ctx): Caller, place: Place, Params(other): Params<OtherQuery>) -> Result<StatusCode, Refusal> {
    let (namespace, key) = read(place)?;
    let other = EntryName { namespace: other.namespace, key: other.key };
    memory::unrelate(&ctx, (&namespace, &key), &other).await?;
    Ok(StatusCode::NO_CONTENT)
}
