//! `/setup`, `/login`, `/token/refresh`, `/logout`, `/me`, `/invites/accept`: identity over REST. Sets no cookie.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{self, Client};
use crate::http::error::{Problem, Refusal};
use crate::http::rest::body::{Body, Id};
use crate::http::{Caller, first};
use crate::model::auth::{LoginSession, Me};
use crate::model::credentials::{Credentials, InviteAcceptance, PasswordChange, RefreshRequest, SetupRequest, Tokens};
use crate::model::{LoginSessionId, UserId};
use crate::runtime::Runtime;

/// The routes of this file.
pub fn router() -> OpenApiRouter<Runtime> {
    OpenApiRouter::new()
        .routes(routes!(set_up))
        .routes(routes!(log_in))
        .routes(routes!(refresh))
        .routes(routes!(log_out))
        .routes(routes!(get_me, update_me))
        .routes(routes!(change_password))
        .routes(routes!(list_login_sessions))
        .routes(routes!(revoke_login_session))
        .routes(routes!(accept_invite))
}

/// The person that was made.
#[derive(Debug, Serialize, ToSchema)]
struct Created {
    id: UserId,
}

/// Makes the first owner and the workspace with the printed one-time token.
#[utoipa::path(post, path = "/setup", tag = "auth", request_body = SetupRequest, security(()), responses(
    (status = 201, description = "the owner was made; log in now", body = Created),
    (status = 401, description = "the token is wrong", body = Problem),
    (status = 403, description = "a cross-site request", body = Problem),
    (status = 409, description = "set up already", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a field does not fit", body = Problem),
    (status = 429, description = "too many attempts", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn set_up(
    State(runtime): State<Runtime>,
    Extension(client): Extension<Client>,
    Body(request): Body<SetupRequest>,
) -> Result<(StatusCode, Json<Created>), Refusal> {
    let id = auth::set_up(&runtime, &client, &request).await?;
    first::furnish(&runtime).await;
    Ok((StatusCode::CREATED, Json(Created { id })))
}

/// Gives tokens for an e-mail address and a password.
#[utoipa::path(post, path = "/login", tag = "auth", request_body = Credentials, security(()), responses(
    (status = 200, description = "an access token and a refresh token", body = Tokens),
    (status = 401, description = "the address or the password is wrong", body = Problem),
    (status = 403, description = "a cross-site request", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a field does not fit", body = Problem),
    (status = 429, description = "too many attempts", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn log_in(
    State(runtime): State<Runtime>,
    Extension(client): Extension<Client>,
    Body(credentials): Body<Credentials>,
) -> Result<Json<Tokens>, Refusal> {
    Ok(Json(auth::issue_tokens(&runtime, &client, &credentials).await?))
}

/// Exchanges the newest refresh token for new tokens; an older one ends them all.
#[utoipa::path(post, path = "/token/refresh", tag = "auth", request_body = RefreshRequest, security(()), responses(
    (status = 200, description = "new tokens; the old refresh token is used up", body = Tokens),
    (status = 401, description = "the refresh token is not valid any more", body = Problem),
    (status = 403, description = "a cross-site request", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a field does not fit", body = Problem),
    (status = 429, description = "too many attempts", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn refresh(
    State(runtime): State<Runtime>,
    Extension(client): Extension<Client>,
    Body(request): Body<RefreshRequest>,
) -> Result<Json<Tokens>, Refusal> {
    Ok(Json(auth::refresh(&runtime, &client, &request.refresh_token).await?))
}

/// Ends the login session that asks, with its tokens.
#[utoipa::path(post, path = "/logout", tag = "auth", responses(
    (status = 204, description = "ended"),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "a cross-site request", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn log_out(Caller(ctx): Caller) -> Result<StatusCode, Refusal> {
    auth::log_out(&ctx).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who asks, and what they may do.
#[utoipa::path(get, path = "/me", tag = "auth", responses(
    (status = 200, description = "the person", body = Me),
    (status = 401, description = "not signed in", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn get_me(Caller(ctx): Caller) -> Result<Json<Me>, Refusal> {
    Ok(Json(auth::get_me(&ctx).await?))
}

/// What one may change of oneself.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MeUpdate {
    /// 1 to 100 characters.
    name: String,
}

/// Changes one's own name.
#[utoipa::path(put, path = "/me", tag = "auth", request_body = MeUpdate, responses(
    (status = 200, description = "the person", body = Me),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "a cross-site request", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a field does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn update_me(Caller(ctx): Caller, Body(update): Body<MeUpdate>) -> Result<Json<Me>, Refusal> {
    Ok(Json(auth::change_name(&ctx, &update.name).await?))
}

/// Changes one's own password; every other login session ends.
#[utoipa::path(post, path = "/me/password", tag = "auth", request_body = PasswordChange, responses(
    (status = 204, description = "changed; refresh the access token now"),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "a cross-site request", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a field does not fit", body = Problem),
    (status = 429, description = "too many attempts", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn change_password(Caller(ctx): Caller, Body(change): Body<PasswordChange>) -> Result<StatusCode, Refusal> {
    auth::change_password(&ctx, &change).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Every login session of the person who asks.
#[derive(Debug, Serialize, ToSchema)]
struct LoginSessions {
    items: Vec<LoginSession>,
    /// Always null: there are at most 50.
    next: Option<String>,
}

/// One's own login sessions, most recently used first.
#[utoipa::path(get, path = "/me/sessions", tag = "auth", responses(
    (status = 200, description = "the login sessions that hold", body = LoginSessions),
    (status = 401, description = "not signed in", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn list_login_sessions(Caller(ctx): Caller) -> Result<Json<LoginSessions>, Refusal> {
    Ok(Json(LoginSessions { items: auth::list_login_sessions(&ctx).await?, next: None }))
}

/// Ends one of one's own login sessions.
#[utoipa::path(delete, path = "/me/sessions/{id}", tag = "auth", params(("id" = LoginSessionId, Path,)), responses(
    (status = 204, description = "ended"),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "a cross-site request", body = Problem),
    (status = 404, description = "no such login session of yours", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn revoke_login_session(Caller(ctx): Caller, Id(id): Id<LoginSessionId>) -> Result<StatusCode, Refusal> {
    auth::revoke_login_session(&ctx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes the invited person's account and gives them tokens.
#[utoipa::path(post, path = "/invites/accept", tag = "auth", request_body = InviteAcceptance, security(()), responses(
    (status = 201, description = "the account was made", body = Tokens),
    (status = 401, description = "the invitation is not valid any more", body = Problem),
    (status = 403, description = "a cross-site request", body = Problem),
    (status = 409, description = "the address has an account", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a field does not fit", body = Problem),
    (status = 429, description = "too many attempts", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn accept_invite(
    State(runtime): State<Runtime>,
    Extension(client): Extension<Client>,
    Body(acceptance): Body<InviteAcceptance>,
) -> Result<(StatusCode, Json<Tokens>), Refusal> {
    let tokens = auth::accept_invite_for_tokens(&runtime, &client, &acceptance).await?;
    Ok((StatusCode::CREATED, Json(tokens)))
}
