//! `/flags`: who already gets what is being rolled out.

use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::{Body, Id, Params};
use super::paging::Paging;
use super::triggers::{created, expected, tagged};
use crate::gateway;
use crate::http::Caller;
use crate::http::error::{Problem, Refusal};
use crate::model::gateway::{FlagChange, FlagDraft, FlagState};
use crate::model::{FlagId, Page};
use crate::runtime::Runtime;

/// The routes of this file.
pub fn router() -> OpenApiRouter<Runtime> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(get, put, delete)).routes(routes!(changes))
}

/// Every flag with the routes that have a model behind it, by name: one page.
#[utoipa::path(get, path = "/flags", tag = "flags", responses(
    (status = 200, description = "the flags", body = Page<FlagState>),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn list(Caller(ctx): Caller) -> Result<Json<Page<FlagState>>, Refusal> {
    Ok(Json(Page::whole(gateway::list_flags(&ctx).await?)))
}

/// Adds a flag. Nothing changes until a model of a route names it.
#[utoipa::path(post, path = "/flags", tag = "flags", request_body = FlagDraft, responses(
    (status = 201, description = "the flag", body = FlagState, headers(
        ("etag" = String, description = "its revision, for If-Match"),
        ("location" = String, description = "its path"),
    )),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 409, description = "the name is taken, or there are too many", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a field does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn create(Caller(ctx): Caller, Body(draft): Body<FlagDraft>) -> Result<Response, Refusal> {
    let made = gateway::create_flag(&ctx, draft).await?;
    Ok(created(&format!("/api/v1/flags/{}", made.flag.id), made.flag.revision, made))
}

/// One flag with the routes that have a model behind it.
#[utoipa::path(get, path = "/flags/{id}", tag = "flags", params(("id" = FlagId, Path,)), responses(
    (status = 200, description = "the flag", body = FlagState, headers(("etag" = String, description = "its revision, for If-Match"))),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 404, description = "no such flag", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn get(Caller(ctx): Caller, Id(id): Id<FlagId>) -> Result<Response, Refusal> {
    let state = gateway::get_flag(&ctx, id).await?;
    Ok(tagged(StatusCode::OK, state.flag.revision, state))
}

/// Changes a flag, from the next call on. With `If-Match` only over that revision. Whoever it took stays taken while its percentage
/// grows.
#[utoipa::path(put, path = "/flags/{id}", tag = "flags", params(
    ("id" = FlagId, Path,),
    ("If-Match" = Option<String>, Header, description = "\"<revision>\": only over this revision"),
), request_body = FlagDraft, responses(
    (status = 200, description = "the flag", body = FlagState, headers(("etag" = String, description = "its new revision"))),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no such flag", body = Problem),
    (status = 409, description = "it is at another revision, the name is taken, or a route names it by the old one", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a field does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn put(
    Caller(ctx): Caller,
    Id(id): Id<FlagId>,
    headers: HeaderMap,
    Body(draft): Body<FlagDraft>,
) -> Result<Response, Refusal> {
    let state = gateway::update_flag(&ctx, id, expected(&headers)?, draft).await?;
    Ok(tagged(StatusCode::OK, state.flag.revision, state))
}

/// Deletes a flag that no route names.
#[utoipa::path(delete, path = "/flags/{id}", tag = "flags", params(("id" = FlagId, Path,)), responses(
    (status = 204, description = "deleted"),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no such flag", body = Problem),
    (status = 409, description = "a route names it", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn delete(Caller(ctx): Caller, Id(id): Id<FlagId>) -> Result<StatusCode, Refusal> {
    gateway::delete_flag(&ctx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who changed what of the flags, newest first; of a workspace the newest 1000 changes are kept.
#[utoipa::path(get, path = "/flags/changes", tag = "flags", params(Paging), responses(
    (status = 200, description = "a page of changes", body = Page<FlagChange>),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 422, description = "a parameter does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn changes(Caller(ctx): Caller, Params(paging): Params<Paging>) -> Result<Json<Page<FlagChange>>, Refusal> {
    Ok(Json(gateway::list_flag_changes(&ctx, &paging.into()).await?))
}
