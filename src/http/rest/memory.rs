//! `/memory`: one entry, its versions, and searching all of them; lists of them stand in `listing`.

use axum::Json;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::{Body, Params};
use super::siblings;
use crate::http::Caller;
use crate::http::error::{Problem, Refusal};
use crate::memory::{self, Expect, Put, Stated};
use crate::model::memory::{
    Entry, EntryDraft, EntryVersion, MemoryHealth, MemorySettings, OnConflict, Search, SearchResult,
};
use crate::model::{ApiError, Timestamp};
use crate::runtime::Runtime;

/// The routes of this file.
pub fn router() -> OpenApiRouter<Runtime> {
    OpenApiRouter::new()
        .routes(routes!(search))
        .routes(routes!(get, put, delete))
        .routes(routes!(history))
        .routes(routes!(restore))
        .routes(routes!(quarantine, release))
        .routes(routes!(get_settings, put_settings))
        .routes(routes!(get_health))
}

/// Whether an entry in quarantine is read too.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct GetQuery {
    /// Also while it is in quarantine; without this it is not found then.
    #[serde(default)]
    quarantined: bool,
    /// As it stood then.
    as_of: Option<Timestamp>,
}

/// What the writer says of what they have seen.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PutQuery {
    /// What becomes of the write when something else stands there than was expected: `refuse` or `sibling`, kept beside it.
    #[serde(default)]
    #[param(inline)]
    on_conflict: OnConflict,
    /// Siblings that the writer has read and that this text replaces: their numbers, with commas between.
    #[serde(default)]
    merges: String,
}

/// Why an entry is set aside.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Suspicion {
    /// At most 500 characters; may be empty.
    #[serde(default)]
    reason: String,
}

/// Which version to go back to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Restore {
    /// Absent: the last one before the deletion.
    version: Option<i64>,
}

/// The kept versions of an entry.
#[derive(Debug, Serialize, ToSchema)]
struct Versions {
    /// Newest first.
    items: Vec<EntryVersion>,
    /// Always null: at most 100 are kept.
    next: Option<String>,
}

/// Searches entries; finds every write that was answered before.
#[utoipa::path(post, path = "/memory/search", tag = "memory", request_body = Search, responses(
    (status = 200, description = "what was found, best first", body = SearchResult),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a field does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn search(Caller(ctx): Caller, Body(search): Body<Search>) -> Result<Json<SearchResult>, Refusal> {
    Ok(Json(memory::search(&ctx, &search).await?))
}

/// Reads an entry; its version is the `ETag`.
#[utoipa::path(get, path = "/memory/{namespace}/{key}", tag = "memory", params(
    ("namespace" = String, Path, description = "a path such as code/decisions, url-encoded as one segment"),
    ("key" = String, Path, description = "url-encoded"),
    GetQuery,
), responses(
    (status = 200, description = "the entry", body = Entry, headers(("etag" = String, description = "the version, for If-Match"))),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 404, description = "no such entry (then), it is in quarantine, or its version of then is not kept", body = Problem),
    (status = 409, description = "the entry can't be decrypted", body = Problem),
    (status = 422, description = "the namespace, the key or a parameter does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn get(Caller(ctx): Caller, place: Place, Params(query): Params<GetQuery>) -> Result<Response, Refusal> {
    let (namespace, key) = read(place)?;
    let entry = match (query.as_of, query.quarantined) {
        (None, true) => memory::get_any(&ctx, &namespace, &key).await?,
        (None, false) => memory::get(&ctx, &namespace, &key).await?,
        (Some(as_of), true) => memory::get_any_as_of(&ctx, &namespace, &key, as_of).await?,
        (Some(as_of), false) => memory::get_as_of(&ctx, &namespace, &key, as_of).await?,
    };
    Ok(tagged(StatusCode::OK, entry))
}

/// Writes an entry: makes it, or gives it a new version. What the body leaves out is empty.
#[utoipa::path(put, path = "/memory/{namespace}/{key}", tag = "memory", request_body = EntryDraft, params(
    ("namespace" = String, Path, description = "a path such as code/decisions, url-encoded as one segment"),
    ("key" = String, Path, description = "url-encoded"),
    ("If-Match" = Option<String>, Header, description = "\"<version>\": only over this version"),
    ("If-None-Match" = Option<String>, Header, description = "*: only if there is none"),
    PutQuery,
), responses(
    (status = 200, description = "the entry in its new version", body = Entry),
    (status = 201, description = "the new entry", body = Entry),
    (status = 202, description = "kept as a sibling beside the entry, which is given as it stands", body = Entry),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role or a rule of the namespace doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "a rule hides the namespace from who asks", body = Problem),
    (status = 409, description = "the entry is not in the expected version", body = Problem),
    (status = 413, description = "the content or the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a field does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn put(
    Caller(ctx): Caller,
    place: Place,
    Params(query): Params<PutQuery>,
    headers: HeaderMap,
    Body(draft): Body<EntryDraft>,
) -> Result<Response, Refusal> {
    let (namespace, key) = read(place)?;
    let merges = siblings::numbers(&query.merges)?;
    let stated = Stated { expect: expected(&headers)?, on_conflict: query.on_conflict, merges };
    Ok(match memory::put_beside(&ctx, (&namespace, &key), draft, stated, memory::source(&ctx)).await? {
        Put::Written(entry) if entry.version == 1 => tagged(StatusCode::CREATED, entry),
        Put::Written(entry) => tagged(StatusCode::OK, entry),
        Put::Beside(entry, _) => tagged(StatusCode::ACCEPTED, entry),
    })
}

/// Deletes an entry. It can be restored for 30 days.
#[utoipa::path(delete, path = "/memory/{namespace}/{key}", tag = "memory", params(
    ("namespace" = String, Path, description = "a path such as code/decisions, url-encoded as one segment"),
    ("key" = String, Path, description = "url-encoded"),
    ("If-Match" = Option<String>, Header, description = "\"<version>\": only in this version"),
), responses(
    (status = 204, description = "deleted"),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no such entry", body = Problem),
    (status = 409, description = "the entry is not in the expected version", body = Problem),
    (status = 422, description = "the namespace, the key or If-Match does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn delete(Caller(ctx): Caller, place: Place, headers: HeaderMap) -> Result<StatusCode, Refusal> {
    let (namespace, key) = read(place)?;
    memory::delete(&ctx, &namespace, &key, expected(&headers)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The kept versions of an entry, newest first; also of one that was deleted.
#[utoipa::path(get, path = "/memory/{namespace}/{key}/history", tag = "memory", params(
    ("namespace" = String, Path, description = "a path such as code/decisions, url-encoded as one segment"),
    ("key" = String, Path, description = "url-encoded"),
), responses(
    (status = 200, description = "the versions", body = Versions),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 404, description = "no such entry", body = Problem),
    (status = 409, description = "a version can't be decrypted", body = Problem),
    (status = 422, description = "the namespace or the key does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn history(Caller(ctx): Caller, place: Place) -> Result<Json<Versions>, Refusal> {
    let (namespace, key) = read(place)?;
    Ok(Json(Versions { items: memory::history(&ctx, &namespace, &key).await?, next: None }))
}

/// Gives an entry the content of an older version again, or brings a deleted one back, as a new version.
#[utoipa::path(post, path = "/memory/{namespace}/{key}/restore", tag = "memory", request_body = Restore, params(
    ("namespace" = String, Path, description = "a path such as code/decisions, url-encoded as one segment"),
    ("key" = String, Path, description = "url-encoded"),
), responses(
    (status = 200, description = "the entry in its new version", body = Entry),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no such entry, or the version is not kept", body = Problem),
    (status = 409, description = "no version was named and the entry is not deleted", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a field does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn restore(Caller(ctx): Caller, place: Place, Body(body): Body<Restore>) -> Result<Response, Refusal> {
    let (namespace, key) = read(place)?;
    let entry = match body.version {
        Some(version) => memory::restore(&ctx, &namespace, &key, version).await?,
        None => memory::undelete(&ctx, &namespace, &key).await?,
    };
    Ok(tagged(StatusCode::OK, entry))
}

/// Puts an entry into quarantine: no search, step or agent finds it until somebody lets it out.
#[utoipa::path(put, path = "/memory/{namespace}/{key}/quarantine", tag = "memory", request_body = Suspicion, params(
    ("namespace" = String, Path, description = "a path such as code/decisions, url-encoded as one segment"),
    ("key" = String, Path, description = "url-encoded"),
    ("If-Match" = Option<String>, Header, description = "\"<version>\": only in this version"),
), responses(
    (status = 200, description = "the entry in quarantine", body = Entry),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no such entry", body = Problem),
    (status = 409, description = "the entry is not in the expected version", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a field does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn quarantine(
    Caller(ctx): Caller,
    place: Place,
    headers: HeaderMap,
    Body(body): Body<Suspicion>,
) -> Result<Response, Refusal> {
    let (namespace, key) = read(place)?;
    let expect = expected(&headers)?;
    Ok(tagged(StatusCode::OK, memory::quarantine(&ctx, (&namespace, &key), &body.reason, expect).await?))
}

/// Lets an entry out of quarantine, as a new version with the same words.
#[utoipa::path(delete, path = "/memory/{namespace}/{key}/quarantine", tag = "memory", params(
    ("namespace" = String, Path, description = "a path such as code/decisions, url-encoded as one segment"),
    ("key" = String, Path, description = "url-encoded"),
    ("If-Match" = Option<String>, Header, description = "\"<version>\": only in this version"),
), responses(
    (status = 200, description = "the entry in its new version", body = Entry),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no such entry", body = Problem),
    (status = 409, description = "the entry is not in quarantine, or not in the expected version", body = Problem),
    (status = 422, description = "the namespace, the key or If-Match does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn release(Caller(ctx): Caller, place: Place, headers: HeaderMap) -> Result<Response, Refusal> {
    let (namespace, key) = read(place)?;
    Ok(tagged(StatusCode::OK, memory::release(&ctx, (&namespace, &key), expected(&headers)?).await?))
}

/// What is done about what is written.
#[utoipa::path(get, path = "/memory/settings", tag = "memory", responses(
    (status = 200, description = "the settings", body = MemorySettings),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn get_settings(Caller(ctx): Caller) -> Result<Json<MemorySettings>, Refusal> {
    Ok(Json(memory::get_settings(&ctx).await?))
}

/// Changes it; it holds from the next write on. What was written before stays as it is.
#[utoipa::path(put, path = "/memory/settings", tag = "memory", request_body = MemorySettings, responses(
    (status = 200, description = "the settings as they are now", body = MemorySettings),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a field does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn put_settings(
    Caller(ctx): Caller,
    Body(settings): Body<MemorySettings>,
) -> Result<Json<MemorySettings>, Refusal> {
    Ok(Json(memory::update_settings(&ctx, settings).await?))
}

/// What in the memory may need somebody: copies, what is old, long, soon gone, or in quarantine.
#[utoipa::path(get, path = "/memory/health", tag = "memory", responses(
    (status = 200, description = "what may need somebody", body = MemoryHealth),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn get_health(Caller(ctx): Caller) -> Result<Json<MemoryHealth>, Refusal> {
    Ok(Json(memory::get_health(&ctx).await?))
}

/// The namespace and the key, each decoded from one segment: `code%2Fdecisions` is one.
pub(super) type Place = Result<Path<(String, String)>, PathRejection>;

pub(super) fn read(place: Place) -> Result<(String, String), ApiError> {
    let Path(place) =
        place.map_err(|_| ApiError::invalid("path", "expected a namespace and a key as url-encoded UTF-8"))?;
    Ok(place)
}

fn tagged(status: StatusCode, entry: Entry) -> Response {
    let tag = HeaderValue::from_str(&format!("\"{}\"", entry.version)).expect("digits and quotes fit a header");
    (status, [(header::ETAG, tag)], Json(entry)).into_response()
}

/// What the preconditions in the headers ask for.
fn expected(headers: &HeaderMap) -> Result<Expect, ApiError> {
    let text =
        |name: header::HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?").trim().to_owned());
    match (text(header::IF_MATCH), text(header::IF_NONE_MATCH)) {
        (None, None) => Ok(Expect::Any),
        (Some(tag), None) => {
            let version = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).and_then(|tag| tag.parse().ok());
            version
                .map(Expect::Version)
                .ok_or_else(|| ApiError::invalid("If-Match", "expected a version in quotes, such as \"3\""))
        }
        (None, Some(tag)) if tag == "*" => Ok(Expect::Absent),
        (None, Some(_)) => Err(ApiError::invalid("If-None-Match", "expected *")),
        (Some(_), Some(_)) => Err(ApiError::invalid("If-Match", "expected either If-Match or If-None-Match")),
    }
}
