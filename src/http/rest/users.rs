//! `/users`: the people of the workspace and their invitations.

use axum::Json;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth;
use crate::http::Caller;
use crate::http::error::{Problem, Refusal};
use crate::http::rest::body::{Body, Id, Params};
use crate::http::rest::paging::Paging;
use crate::model::auth::{Invite, Role, User};
use crate::model::credentials::{InviteMade, InviteRequest};
use crate::model::{InviteId, Page, UserId};
use crate::runtime::Runtime;

/// The routes of this file.
pub fn router() -> OpenApiRouter<Runtime> {
    OpenApiRouter::new()
        .routes(routes!(list, invite))
        .routes(routes!(change_role))
        .routes(routes!(disable))
        .routes(routes!(enable))
        .routes(routes!(list_invites))
        .routes(routes!(delete_invite))
}

/// The people of the workspace in the order they joined.
#[utoipa::path(get, path = "/users", tag = "users", params(Paging), responses(
    (status = 200, description = "a page of people", body = Page<User>),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 422, description = "a parameter does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn list(Caller(ctx): Caller, Params(paging): Params<Paging>) -> Result<Json<Page<User>>, Refusal> {
    Ok(Json(auth::list_users(&ctx, &paging.into()).await?))
}

/// Invites a person; the answer holds the one-time link, which is never shown again.
#[utoipa::path(post, path = "/users", tag = "users", request_body = InviteRequest, responses(
    (status = 201, description = "the invitation and its link", body = InviteMade),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 409, description = "in the workspace already, or too many open invitations", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a field does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn invite(
    Caller(ctx): Caller,
    Body(request): Body<InviteRequest>,
) -> Result<(StatusCode, Json<InviteMade>), Refusal> {
    Ok((StatusCode::CREATED, Json(auth::invite(&ctx, &request).await?)))
}

/// A new role.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RoleChange {
    role: Role,
}

/// Gives a person another role.
#[utoipa::path(put, path = "/users/{id}/role", tag = "users", params(("id" = UserId, Path,)), request_body = RoleChange, responses(
    (status = 200, description = "the person", body = User),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 404, description = "no such person in the workspace", body = Problem),
    (status = 409, description = "the last active owner", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a field does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn change_role(
    Caller(ctx): Caller,
    Id(id): Id<UserId>,
    Body(change): Body<RoleChange>,
) -> Result<Json<User>, Refusal> {
    Ok(Json(auth::change_role(&ctx, id, change.role).await?))
}

/// Shuts a person out: every sign-in and token of theirs is dead at once.
#[utoipa::path(post, path = "/users/{id}/disable", tag = "users", params(("id" = UserId, Path,)), responses(
    (status = 200, description = "the person", body = User),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 404, description = "no such person in the workspace", body = Problem),
    (status = 409, description = "oneself, or the last active owner", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn disable(Caller(ctx): Caller, Id(id): Id<UserId>) -> Result<Json<User>, Refusal> {
    Ok(Json(auth::disable_user(&ctx, id).await?))
}

/// Lets a disabled person sign in again.
#[utoipa::path(post, path = "/users/{id}/enable", tag = "users", params(("id" = UserId, Path,)), responses(
    (status = 200, description = "the person", body = User),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 404, description = "no such person in the workspace", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn enable(Caller(ctx): Caller, Id(id): Id<UserId>) -> Result<Json<User>, Refusal> {
    Ok(Json(auth::enable_user(&ctx, id).await?))
}

/// The open invitations.
#[derive(Debug, Serialize, ToSchema)]
struct Invites {
    items: Vec<Invite>,
    /// Always null: there are at most 200.
    next: Option<String>,
}

/// The open invitations, newest first.
#[utoipa::path(get, path = "/users/invites", tag = "users", responses(
    (status = 200, description = "the open invitations", body = Invites),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn list_invites(Caller(ctx): Caller) -> Result<Json<Invites>, Refusal> {
    Ok(Json(Invites { items: auth::list_invites(&ctx).await?, next: None }))
}

/// Withdraws an invitation; its link is dead.
#[utoipa::path(delete, path = "/users/invites/{id}", tag = "users", params(("id" = InviteId, Path,)), responses(
    (status = 204, description = "withdrawn"),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 404, description = "no such open invitation", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn delete_invite(Caller(ctx): Caller, Id(id): Id<InviteId>) -> Result<StatusCode, Refusal> {
    auth::delete_invite(&ctx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
