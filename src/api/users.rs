//! The people of the workspace, for its admins.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;

use crate::model::auth::{Invite, Role, User};
use crate::model::credentials::InviteMade;
use crate::model::{ApiError, InviteId, Page, PageRequest, UserId};

/// A page of people in the order they joined.
#[server(prefix = "/rpc", endpoint = "users/list", input = Json)]
pub async fn list_users(page: PageRequest) -> Result<Page<User>, ApiError> {
    Ok(crate::auth::list_users(&crate::http::request_ctx().await?, &page).await?)
}

/// Gives a person another role.
#[server(prefix = "/rpc", endpoint = "users/change_role", input = Json)]
pub async fn change_role(id: UserId, role: Role) -> Result<User, ApiError> {
    Ok(crate::auth::change_role(&crate::http::request_ctx().await?, id, role).await?)
}

/// Shuts a person out.
#[server(prefix = "/rpc", endpoint = "users/disable", input = Json)]
pub async fn disable_user(id: UserId) -> Result<User, ApiError> {
    Ok(crate::auth::disable_user(&crate::http::request_ctx().await?, id).await?)
}

/// Lets a disabled person in again.
#[server(prefix = "/rpc", endpoint = "users/enable", input = Json)]
pub async fn enable_user(id: UserId) -> Result<User, ApiError> {
    Ok(crate::auth::enable_user(&crate::http::request_ctx().await?, id).await?)
}

/// The open invitations.
#[server(prefix = "/rpc", endpoint = "users/list_invites", input = Json)]
pub async fn list_invites() -> Result<Vec<Invite>, ApiError> {
    Ok(crate::auth::list_invites(&crate::http::request_ctx().await?).await?)
}

/// Makes an invitation; its link is shown this once.
#[server(prefix = "/rpc", endpoint = "users/create_invite", input = Json)]
pub async fn create_invite(email: String, role: Role) -> Result<InviteMade, ApiError> {
    let request = crate::model::credentials::InviteRequest { email, role };
    Ok(crate::auth::invite(&crate::http::request_ctx().await?, &request).await?)
}

/// Withdraws an invitation.
#[server(prefix = "/rpc", endpoint = "users/delete_invite", input = Json)]
pub async fn delete_invite(id: InviteId) -> Result<(), ApiError> {
    Ok(crate::auth::delete_invite(&crate::http::request_ctx().await?, id).await?)
}
