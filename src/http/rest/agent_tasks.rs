//! `/agents/tasks`: tasks for whichever agent is best for them; `/agents/assignment`: what that is decided by.

use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::{Body, Id, Params};
use super::paging::Limit;
use super::runs::idempotency_key;
use crate::agents::queue;
use crate::http::Caller;
use crate::http::error::{Problem, Refusal};
use crate::model::agent::{AssignmentPreview, QueuedStatus, QueuedTask, TaskDraft, Weights};
use crate::model::{Page, PageRequest, QueuedTaskId};
use crate::runtime::Runtime;
use crate::workflow::assign;

/// The routes of this file.
pub fn router() -> OpenApiRouter<Runtime> {
    OpenApiRouter::new()
        .routes(routes!(list_queue, queue_task))
        .routes(routes!(get_queued))
        .routes(routes!(cancel_queued))
        .routes(routes!(get_weights, put_weights, delete_weights))
        .routes(routes!(preview_weights))
}

/// What part of the queue is wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct QueueQuery {
    /// In this status.
    #[param(inline)]
    status: Option<QueuedStatus>,
    /// 1..=200, 50 when absent.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Option<Limit>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

/// The tasks of the queue, the newest first; their prompts are cut to 300 characters.
#[utoipa::path(get, path = "/agents/tasks", tag = "agents", params(QueueQuery), responses(
    (status = 200, description = "a page of tasks", body = Page<QueuedTask>),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 422, description = "a parameter does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn list_queue(Caller(ctx): Caller, Params(query): Params<QueueQuery>) -> Result<Json<Page<QueuedTask>>, Refusal> {
    let page = PageRequest { limit: query.limit.unwrap_or_default().0, cursor: query.cursor };
    Ok(Json(queue::list(&ctx, query.status, &page).await?))
}

/// Gives a task to whichever agent is best for it. It has it a moment later, or when all that the task comes after is done.
#[utoipa::path(post, path = "/agents/tasks", tag = "agents", params(
    ("idempotency-key" = Option<String>, Header, description = "the same key gives the same task; 1 to 200 characters"),
), request_body = TaskDraft, responses(
    (status = 202, description = "the task waits for its turn", body = QueuedTask),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 409, description = "too many tasks are not over, or the key was used for something else", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a field does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn queue_task(
    Caller(ctx): Caller,
    headers: HeaderMap,
    Body(draft): Body<TaskDraft>,
) -> Result<(StatusCode, Json<QueuedTask>), Refusal> {
    let key = idempotency_key(&headers)?;
    Ok((StatusCode::ACCEPTED, Json(queue::give(&ctx, draft, key.as_deref()).await?)))
}

/// One task of the queue: which agent has it and why that one, or why none has it yet.
#[utoipa::path(get, path = "/agents/tasks/{id}", tag = "agents", params(("id" = QueuedTaskId, Path,)), responses(
    (status = 200, description = "the task", body = QueuedTask),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 404, description = "no such task", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn get_queued(Caller(ctx): Caller, Id(id): Id<QueuedTaskId>) -> Result<Json<QueuedTask>, Refusal> {
    Ok(Json(queue::get(&ctx, id).await?))
}

/// Cancels a task that is not over, with its run.
#[utoipa::path(post, path = "/agents/tasks/{id}/cancel", tag = "agents", params(("id" = QueuedTaskId, Path,)), responses(
    (status = 200, description = "the task", body = QueuedTask),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no such task", body = Problem),
    (status = 409, description = "it is over already", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn cancel_queued(Caller(ctx): Caller, Id(id): Id<QueuedTaskId>) -> Result<Json<QueuedTask>, Refusal> {
    Ok(Json(assign::cancel(&ctx, id).await?))
}

/// What the parts of an agent's score count when a task of the queue is given to one.
#[utoipa::path(get, path = "/agents/assignment", tag = "agents", responses(
    (status = 200, description = "the weights", body = Weights),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn get_weights(Caller(ctx): Caller) -> Result<Json<Weights>, Refusal> {
    Ok(Json(queue::get_weights(&ctx).await?))
}

/// Says what they count, for every task that is given from then on: 0 to 1 each, and 1 together.
#[utoipa::path(put, path = "/agents/assignment", tag = "agents", request_body = Weights, responses(
    (status = 200, description = "the weights", body = Weights),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a weight does not fit, or they do not come to 1", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn put_weights(Caller(ctx): Caller, Body(weights): Body<Weights>) -> Result<Json<Weights>, Refusal> {
    Ok(Json(queue::set_weights(&ctx, weights).await?))
}

/// Lets the parts count what they do by themselves again; tells what that is.
#[utoipa::path(delete, path = "/agents/assignment", tag = "agents", responses(
    (status = 200, description = "the weights that hold now", body = Weights),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn delete_weights(Caller(ctx): Caller) -> Result<Json<Weights>, Refusal> {
    Ok(Json(queue::reset_weights(&ctx).await?))
}

/// Tells who would have the tasks of the queue under other weights: those that wait, and those that were given in the last 24 hours.
/// Nothing is given to anybody, and the weights stay.
#[utoipa::path(post, path = "/agents/assignment/preview", tag = "agents", request_body = Weights, responses(
    (status = 200, description = "the tasks under both weights", body = AssignmentPreview),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a weight does not fit, or they do not come to 1", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn preview_weights(
    Caller(ctx): Caller,
    Body(weights): Body<Weights>,
) -> Result<Json<AssignmentPreview>, Refusal> {
    Ok(Json(queue::preview_weights(&ctx, weights).await?))
}
