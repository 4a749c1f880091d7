//! Signing in and out, set-up, invitations from the invited side, one's own account.
//!
//! The four that sign a browser in take a plain form, so that they work before (and without) our script. They answer with
//! the path to go to.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;

use crate::model::auth::{LoginSession, Me};
use crate::model::credentials::{InvitePreview, Password, Secret};
use crate::model::{ApiError, LoginSessionId};

/// Who is signed in.
#[server(prefix = "/rpc", endpoint = "auth/me", input = Json)]
pub async fn get_me() -> Result<Me, ApiError> {
    Ok(crate::auth::get_me(&crate::http::request_ctx().await?).await?)
}

/// Whether the first owner still has to be made. Open to all.
#[server(prefix = "/rpc", endpoint = "auth/setup_pending", input = Json)]
pub async fn is_setup_pending() -> Result<bool, ApiError> {
    Ok(crate::auth::is_setup_pending(&crate::http::sign_in::visitor().0).await?)
}

/// Makes the first owner and signs them in.
#[server(prefix = "/rpc", endpoint = "auth/set_up")]
pub async fn set_up(
    token: Secret,
    workspace: String,
    name: String,
    email: String,
    password: Password,
) -> Result<String, ApiError> {
    let request = crate::model::credentials::SetupRequest { token, email, name, password, workspace };
    let (runtime, client) = crate::http::sign_in::visitor();
    let sign_in = crate::auth::set_up_and_log_in(&runtime, &client, &request).await?;
    crate::http::first::furnish(&runtime).await;
    Ok(crate::http::sign_in::signed_in(&sign_in, "/"))
}

/// Signs a browser in; `next` is where it wanted to go.
#[server(prefix = "/rpc", endpoint = "auth/log_in")]
pub async fn log_in(email: String, password: Password, next: String) -> Result<String, ApiError> {
    let credentials = crate::model::credentials::Credentials { email, password };
    let (runtime, client) = crate::http::sign_in::visitor();
    let replaces = crate::http::sign_in::current_cookie();
    let sign_in = crate::auth::log_in(&runtime, &client, &credentials, replaces.as_deref()).await?;
    Ok(crate::http::sign_in::signed_in(&sign_in, &next))
}

/// Signs the browser out.
#[server(prefix = "/rpc", endpoint = "auth/log_out")]
pub async fn log_out() -> Result<String, ApiError> {
    crate::auth::log_out(&crate::http::request_ctx().await?).await?;
    Ok(crate::http::sign_in::signed_out())
}

/// What the invitation's link offers.
#[server(prefix = "/rpc", endpoint = "auth/find_invite", input = Json)]
pub async fn find_invite(token: Secret) -> Result<InvitePreview, ApiError> {
    let (runtime, client) = crate::http::sign_in::visitor();
    Ok(crate::auth::find_invite(&runtime, &client, &token).await?)
}

/// Makes the invited person's account and signs them in.
#[server(prefix = "/rpc", endpoint = "auth/accept_invite")]
pub async fn accept_invite(token: Secret, name: String, password: Password) -> Result<String, ApiError> {
    let acceptance = crate::model::credentials::InviteAcceptance { token, name, password };
    let (runtime, client) = crate::http::sign_in::visitor();
    let sign_in = crate::auth::accept_invite(&runtime, &client, &acceptance).await?;
    Ok(crate::http::sign_in::signed_in(&sign_in, "/"))
}

/// One's own login sessions.
#[server(prefix = "/rpc", endpoint = "auth/list_login_sessions", input = Json)]
pub async fn list_login_sessions() -> Result<Vec<LoginSession>, ApiError> {
    Ok(crate::auth::list_login_sessions(&crate::http::request_ctx().await?).await?)
}

/// Ends one of one's own login sessions.
#[server(prefix = "/rpc", endpoint = "auth/revoke_login_session", input = Json)]
pub async fn revoke_login_session(id: LoginSessionId) -> Result<(), ApiError> {
    Ok(crate::auth::revoke_login_session(&crate::http::request_ctx().await?, id).await?)
}

/// Ends all of one's own login sessions but this one; how many ended.
#[server(prefix = "/rpc", endpoint = "auth/revoke_other_login_sessions", input = Json)]
pub async fn revoke_other_login_sessions() -> Result<u32, ApiError> {
    Ok(crate::auth::revoke_other_login_sessions(&crate::http::request_ctx().await?).await?)
}

/// Changes one's own password.
#[server(prefix = "/rpc", endpoint = "auth/change_password", input = Json)]
pub async fn change_password(current: Password, new: Password) -> Result<(), ApiError> {
    let change = crate::model::credentials::PasswordChange { current, new };
    Ok(crate::auth::change_password(&crate::http::request_ctx().await?, &change).await?)
}

/// Changes one's own name.
#[server(prefix = "/rpc", endpoint = "auth/change_name", input = Json)]
pub async fn change_name(name: String) -> Result<Me, ApiError> {
    Ok(crate::auth::change_name(&crate::http::request_ctx().await?, &name).await?)
}
