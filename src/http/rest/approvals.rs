//! `/approvals`: what waits for people, and their answers.

use axum::Json;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::{Body, Id, Params};
use super::paging::within;
use crate::http::Caller;
use crate::http::error::{Problem, Refusal};
use crate::model::workflow::{Approval, ApprovalFilter, Decision};
use crate::model::{ApprovalId, Page, PageRequest};
use crate::runtime::Runtime;
use crate::workflow::approvals;

/// The routes of this file.
pub fn router() -> OpenApiRouter<Runtime> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get, decide)).routes(routes!(delegate))
}

/// Which approvals are wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Absent: the open ones.
    #[serde(default)]
    #[param(inline)]
    state: ApprovalFilter,
    /// 1..=200.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

/// Open approvals oldest first, or ended ones newest first.
#[utoipa::path(get, path = "/approvals", tag = "approvals", params(ListQuery), responses(
    (status = 200, description = "a page of approvals", body = Page<Approval>),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 422, description = "a parameter does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn list(Caller(ctx): Caller, Params(list): Params<ListQuery>) -> Result<Json<Page<Approval>>, Refusal> {
    let page = PageRequest { limit: within("limit", list.limit, 50, PageRequest::MAX)?, cursor: list.cursor };
    Ok(Json(approvals::list(&ctx, list.state, &page).await?))
}

/// An approval.
#[utoipa::path(get, path = "/approvals/{id}", tag = "approvals", params(("id" = ApprovalId, Path,)), responses(
    (status = 200, description = "the approval", body = Approval),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 404, description = "no such approval", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn get(Caller(ctx): Caller, Id(id): Id<ApprovalId>) -> Result<Json<Approval>, Refusal> {
    Ok(Json(approvals::get(&ctx, id).await?))
}

/// Answers an approval.
#[utoipa::path(post, path = "/approvals/{id}", tag = "approvals", params(("id" = ApprovalId, Path,)),
    request_body = Decision, responses(
    (status = 200, description = "the approval as it stands then", body = Approval),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or it is for others", body = Problem),
    (status = 404, description = "no such approval", body = Problem),
    (status = 409, description = "it is decided, or the caller has answered", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not JSON", body = Problem),
    (status = 422, description = "there is no such decision, or the form does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn decide(
    Caller(ctx): Caller,
    Id(id): Id<ApprovalId>,
    Body(decision): Body<Decision>,
) -> Result<Json<Approval>, Refusal> {
    Ok(Json(approvals::decide(&ctx, id, decision).await?))
}

/// To whom an approval is handed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Delegation {
    /// The e-mail address of a person of the workspace.
    email: String,
}

/// Lets somebody else answer too.
#[utoipa::path(post, path = "/approvals/{id}/delegate", tag = "approvals", params(("id" = ApprovalId, Path,)),
    request_body = Delegation, responses(
    (status = 200, description = "the approval as it stands then", body = Approval),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or it is for others", body = Problem),
    (status = 404, description = "no such approval", body = Problem),
    (status = 409, description = "it is decided, or the caller has answered", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not JSON", body = Problem),
    (status = 422, description = "nobody has that address, or they may not answer", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn delegate(
    Caller(ctx): Caller,
    Id(id): Id<ApprovalId>,
    Body(to): Body<Delegation>,
) -> Result<Json<Approval>, Refusal> {
    Ok(Json(approvals::delegate(&ctx, id, &to.email).await?))
}
