//! `/triggers` of every kind, their firings, and the keys of webhooks.

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::{Body, Id, Params, Segments};
use super::paging::{Limit, Paging};
use crate::http::Caller;
use crate::http::error::{Problem, Refusal};
use crate::model::trigger::{Firing, KeyKind, Kind, Trigger, TriggerDraft, TriggerFilter, TriggerMade};
use crate::model::{ApiError, Page, PageRequest, TriggerId, TriggerKeyId, WorkflowId};
use crate::runtime::Runtime;
use crate::trigger;

/// The routes of this file.
pub fn router() -> OpenApiRouter<Runtime> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, put, delete))
        .routes(routes!(fire))
        .routes(routes!(list_firings))
        .routes(routes!(list_all_firings))
        .routes(routes!(replace_key))
        .routes(routes!(delete_key))
}

/// What part of the triggers is wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Of one kind.
    #[param(inline)]
    kind: Option<Kind>,
    /// Of one workflow.
    workflow: Option<WorkflowId>,
    /// 1..=200, 50 when absent.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Option<Limit>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

/// Triggers, newest first.
#[utoipa::path(get, path = "/triggers", tag = "triggers", params(ListQuery), responses(
    (status = 200, description = "a page of triggers", body = Page<Trigger>),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 422, description = "a parameter does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn list(Caller(ctx): Caller, Params(list): Params<ListQuery>) -> Result<Json<Page<Trigger>>, Refusal> {
    let page = PageRequest { limit: list.limit.unwrap_or_default().0, cursor: list.cursor };
    let filter = TriggerFilter { kind: list.kind, workflow_id: list.workflow };
    Ok(Json(trigger::list(&ctx, &filter, &page).await?))
}

/// Makes a trigger. A webhook's address and secret are in the answer, and are never shown again.
#[utoipa::path(post, path = "/triggers", tag = "triggers", request_body = TriggerDraft, responses(
    (status = 201, description = "the trigger", body = TriggerMade, headers(
        ("etag" = String, description = "its revision, for If-Match"),
        ("location" = String, description = "its path"),
    )),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 409, description = "the workspace has too many triggers", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a field does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn create(Caller(ctx): Caller, Body(draft): Body<TriggerDraft>) -> Result<Response, Refusal> {
    let made = trigger::create(&ctx, draft).await?;
    Ok(created(&format!("/api/v1/triggers/{}", made.trigger.id), made.trigger.revision, made))
}

/// One trigger.
#[utoipa::path(get, path = "/triggers/{id}", tag = "triggers", params(("id" = TriggerId, Path,)), responses(
    (status = 200, description = "the trigger", body = Trigger, headers(("etag" = String, description = "its revision, for If-Match"))),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 404, description = "no such trigger", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn get(Caller(ctx): Caller, Id(id): Id<TriggerId>) -> Result<Response, Refusal> {
    let trigger = trigger::get(&ctx, id).await?;
    Ok(tagged(StatusCode::OK, trigger.revision, trigger))
}

/// Changes a trigger, which keeps its kind. With `If-Match` only over that revision, so that nobody's edit is lost.
#[utoipa::path(put, path = "/triggers/{id}", tag = "triggers", params(
    ("id" = TriggerId, Path,),
    ("If-Match" = Option<String>, Header, description = "\"<revision>\": only over this revision"),
), request_body = TriggerDraft, responses(
    (status = 200, description = "the trigger; with the secret, if signing was turned on", body = TriggerMade, headers(("etag" = String, description = "its new revision"))),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no such trigger", body = Problem),
    (status = 409, description = "it is at another revision", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a field does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn put(
    Caller(ctx): Caller,
    Id(id): Id<TriggerId>,
    headers: HeaderMap,
    Body(draft): Body<TriggerDraft>,
) -> Result<Response, Refusal> {
    let revision = match expected(&headers)? {
        Some(revision) => revision,
        None => trigger::get(&ctx, id).await?.revision,
    };
    let made = trigger::update(&ctx, id, revision, draft).await?;
    Ok(tagged(StatusCode::OK, made.trigger.revision, made))
}

/// Deletes a trigger with its firings. Its runs stay.
#[utoipa::path(delete, path = "/triggers/{id}", tag = "triggers", params(("id" = TriggerId, Path,)), responses(
    (status = 204, description = "deleted"),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no such trigger", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn delete(Caller(ctx): Caller, Id(id): Id<TriggerId>) -> Result<StatusCode, Refusal> {
    trigger::delete(&ctx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A firing by hand.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FireRequest {
    /// What templates see as `event`: an object, such as `{"body": {}}` for a webhook. Absent: an empty one.
    #[serde(default)]
    event: Value,
}

/// Fires a trigger by hand. Whether its run could be started is told by the firing.
#[utoipa::path(post, path = "/triggers/{id}/fire", tag = "triggers", params(("id" = TriggerId, Path,)), request_body = FireRequest, responses(
    (status = 200, description = "what became of it", body = Firing),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no such trigger", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "the event is no object", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn fire(
    Caller(ctx): Caller,
    Id(id): Id<TriggerId>,
    Body(request): Body<FireRequest>,
) -> Result<Json<Firing>, Refusal> {
    Ok(Json(trigger::fire_now(&ctx, id, request.event).await?))
}

/// The firings of a trigger, newest first.
#[utoipa::path(get, path = "/triggers/{id}/firings", tag = "triggers", params(("id" = TriggerId, Path,), Paging), responses(
    (status = 200, description = "a page of firings", body = Page<Firing>),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 404, description = "no such trigger", body = Problem),
    (status = 422, description = "a parameter does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn list_firings(
    Caller(ctx): Caller,
    Id(id): Id<TriggerId>,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<Firing>>, Refusal> {
    Ok(Json(trigger::list_firings(&ctx, Some(id), &paging.into()).await?))
}

/// The firings of all triggers, newest first.
#[utoipa::path(get, path = "/firings", tag = "triggers", params(Paging), responses(
    (status = 200, description = "a page of firings", body = Page<Firing>),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 422, description = "a parameter does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn list_all_firings(Caller(ctx): Caller, Params(paging): Params<Paging>) -> Result<Json<Page<Firing>>, Refusal> {
    Ok(Json(trigger::list_firings(&ctx, None, &paging.into()).await?))
}

/// What to replace.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct KeyRequest {
    kind: KeyKind,
}

/// Makes a new token or secret of a webhook. The one before lives on for a day.
#[utoipa::path(post, path = "/triggers/{id}/keys", tag = "triggers", params(("id" = TriggerId, Path,)), request_body = KeyRequest, responses(
    (status = 201, description = "the webhook, with what is shown this once", body = TriggerMade),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no such trigger", body = Problem),
    (status = 409, description = "no webhook, or its calls are not signed", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a field does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn replace_key(
    Caller(ctx): Caller,
    Id(id): Id<TriggerId>,
    Body(request): Body<KeyRequest>,
) -> Result<(StatusCode, Json<TriggerMade>), Refusal> {
    Ok((StatusCode::CREATED, Json(trigger::replace_key(&ctx, id, request.kind).await?)))
}

/// Ends a token or secret that was replaced, at once.
#[utoipa::path(delete, path = "/triggers/{id}/keys/{key}", tag = "triggers", params(
    ("id" = TriggerId, Path,),
    ("key" = TriggerKeyId, Path,),
), responses(
    (status = 204, description = "ended"),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no such trigger, or nothing of it was replaced under this id", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn delete_key(
    Caller(ctx): Caller,
    Segments((id, key)): Segments<(TriggerId, TriggerKeyId)>,
) -> Result<StatusCode, Refusal> {
    trigger::delete_key(&ctx, id, key).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A thing with its revision as the `ETag`.
pub(super) fn tagged(status: StatusCode, revision: i64, body: impl Serialize) -> Response {
    let tag = HeaderValue::from_str(&format!("\"{revision}\"")).expect("digits and quotes fit a header");
    (status, [(header::ETAG, tag)], Json(body)).into_response()
}

/// A thing that was made, with its path.
pub(super) fn created(path: &str, revision: i64, body: impl Serialize) -> Response {
    let mut response = tagged(StatusCode::CREATED, revision, body);
    response.headers_mut().insert(header::LOCATION, HeaderValue::from_str(path).expect("an id fits a header"));
    response
}

/// The revision that `If-Match` names; `None` without one, and for `*`.
pub(super) fn expected(headers: &HeaderMap) -> Result<Option<i64>, ApiError> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let tag = value.to_str().unwrap_or_default().trim();
    if tag == "*" {
        return Ok(None);
    }
    let revision = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).and_then(|tag| tag.parse().ok());
    revision.map(Some).ok_or_else(|| ApiError::invalid("If-Match", "expected a revision in quotes, such as \"3\""))
}
