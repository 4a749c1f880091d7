//! `/gateway/redaction`: what is masked before a call leaves.

use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::Body;
use super::triggers::{expected, tagged};
use crate::gateway;
use crate::http::Caller;
use crate::http::error::{Problem, Refusal};
use crate::model::gateway::{Redaction, RedactionDraft, RedactionTrial, RedactionTried};
use crate::runtime::Runtime;

/// The routes of this file.
pub fn router() -> OpenApiRouter<Runtime> {
    OpenApiRouter::new().routes(routes!(get, put)).routes(routes!(try_out))
}

/// What is masked before a call leaves. A workspace that never said anything masks `secrets`, at revision 0.
#[utoipa::path(get, path = "/gateway/redaction", tag = "gateway", responses(
    (status = 200, description = "what is masked", body = Redaction, headers(("etag" = String, description = "its revision, for If-Match"))),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn get(Caller(ctx): Caller) -> Result<Response, Refusal> {
    let redaction = gateway::get_redaction(&ctx).await?;
    Ok(tagged(StatusCode::OK, redaction.revision, redaction))
}

/// Changes what is masked; it holds from the next call on. With `If-Match` only over that revision.
#[utoipa::path(put, path = "/gateway/redaction", tag = "gateway", params(
    ("If-Match" = Option<String>, Header, description = "\"<revision>\": only over this revision"),
), request_body = RedactionDraft, responses(
    (status = 200, description = "what is masked", body = Redaction, headers(("etag" = String, description = "its new revision"))),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 409, description = "it is at another revision", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a field does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn put(Caller(ctx): Caller, headers: HeaderMap, Body(draft): Body<RedactionDraft>) -> Result<Response, Refusal> {
    let redaction = gateway::update_redaction(&ctx, expected(&headers)?, draft).await?;
    Ok(tagged(StatusCode::OK, redaction.revision, redaction))
}

/// Shows what would leave in place of a text, by the workspace's rules or by others. Nothing is kept of it.
#[utoipa::path(post, path = "/gateway/redaction/try", tag = "gateway", request_body = RedactionTrial, responses(
    (status = 200, description = "the text as a provider would get it", body = RedactionTried),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a field does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn try_out(Caller(ctx): Caller, Body(trial): Body<RedactionTrial>) -> Result<Json<RedactionTried>, Refusal> {
    Ok(Json(gateway::try_redaction(&ctx, trial).await?))
}
