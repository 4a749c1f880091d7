//! `/budgets`: how much calls of models may cost.

use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::{Body, Id};
use super::triggers::{created, expected, tagged};
use crate::gateway;
use crate::http::Caller;
use crate::http::error::{Problem, Refusal};
use crate::model::gateway::{BudgetDraft, BudgetState};
use crate::model::{BudgetId, Page};
use crate::runtime::Runtime;

/// The routes of this file.
pub fn router() -> OpenApiRouter<Runtime> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(get, put, delete))
}

/// Every budget with what is spent of it, oldest first: one page.
#[utoipa::path(get, path = "/budgets", tag = "budgets", responses(
    (status = 200, description = "the budgets and what is spent of them", body = Page<BudgetState>),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn list(Caller(ctx): Caller) -> Result<Json<Page<BudgetState>>, Refusal> {
    Ok(Json(Page::whole(gateway::list_budgets(&ctx).await?)))
}

/// Adds a budget. What was spent in its period before counts.
#[utoipa::path(post, path = "/budgets", tag = "budgets", request_body = BudgetDraft, responses(
    (status = 201, description = "the budget and what is spent of it", body = BudgetState, headers(
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
async fn create(Caller(ctx): Caller, Body(draft): Body<BudgetDraft>) -> Result<Response, Refusal> {
    let made = gateway::create_budget(&ctx, draft).await?;
    Ok(created(&format!("/api/v1/budgets/{}", made.budget.id), made.budget.revision, made))
}

/// One budget with what is spent of it.
#[utoipa::path(get, path = "/budgets/{id}", tag = "budgets", params(("id" = BudgetId, Path,)), responses(
    (status = 200, description = "the budget and what is spent of it", body = BudgetState, headers(("etag" = String, description = "its revision, for If-Match"))),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 404, description = "no such budget", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn get(Caller(ctx): Caller, Id(id): Id<BudgetId>) -> Result<Response, Refusal> {
    let state = gateway::get_budget(&ctx, id).await?;
    Ok(tagged(StatusCode::OK, state.budget.revision, state))
}

/// Changes a budget. With `If-Match` only over that revision.
#[utoipa::path(put, path = "/budgets/{id}", tag = "budgets", params(
    ("id" = BudgetId, Path,),
    ("If-Match" = Option<String>, Header, description = "\"<revision>\": only over this revision"),
), request_body = BudgetDraft, responses(
    (status = 200, description = "the budget and what is spent of it", body = BudgetState, headers(("etag" = String, description = "its new revision"))),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no such budget", body = Problem),
    (status = 409, description = "it is at another revision, or the name is taken", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a field does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn put(
    Caller(ctx): Caller,
    Id(id): Id<BudgetId>,
    headers: HeaderMap,
    Body(draft): Body<BudgetDraft>,
) -> Result<Response, Refusal> {
    let state = gateway::update_budget(&ctx, id, expected(&headers)?, draft).await?;
    Ok(tagged(StatusCode::OK, state.budget.revision, state))
}

/// Deletes a budget: nothing is limited by it any more.
#[utoipa::path(delete, path = "/budgets/{id}", tag = "budgets", params(("id" = BudgetId, Path,)), responses(
    (status = 204, description = "deleted"),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no such budget", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn delete(Caller(ctx): Caller, Id(id): Id<BudgetId>) -> Result<StatusCode, Refusal> {
    gateway::delete_budget(&ctx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
