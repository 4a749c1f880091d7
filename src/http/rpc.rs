//! Server functions at `/rpc`: POST with JSON only (but for the few that sign in by a plain form), and the status of the
//! error that they answer.

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::pages;
use super::request_ctx::actor;
use crate::model::ApiError;
use crate::runtime::Runtime;

/// The largest body of a server function: a definition of a thousand steps is well under 1 MiB, an entry may hold 1 MiB.
pub const BODY_LIMIT: usize = 4 * 1024 * 1024;

/// The server functions behind plain forms, which work before our script does. The guard has seen that the form is ours.
const FORMS: [&str; 4] = ["/rpc/auth/set_up", "/rpc/auth/log_in", "/rpc/auth/log_out", "/rpc/auth/accept_invite"];

/// The server functions for those who are not signed in; every other one refuses them before its body is read.
const OPEN: [&str; 5] = [
    "/rpc/auth/setup_pending",
    "/rpc/auth/set_up",
    "/rpc/auth/log_in",
    "/rpc/auth/find_invite",
    "/rpc/auth/accept_invite",
];

/// Calls the server function named by the path.
pub async fn call(State(runtime): State<Runtime>, request: Request) -> Response {
    if !OPEN.contains(&request.uri().path())
        && let Err(error) = actor(request.extensions())
    {
        return refuse(&error);
    }
    let expected =
        if FORMS.contains(&request.uri().path()) { "application/x-www-form-urlencoded" } else { "application/json" };
    let fits = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with(expected));
    if !fits {
        return (StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("expected {expected}\n")).into_response();
    }
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_LIMIT).await else {
        return refuse(&ApiError::TooLarge { detail: format!("expected at most {BODY_LIMIT} bytes") });
    };
    let request = Request::from_parts(parts, Body::from(body));
    let answer =
        leptos_axum::handle_server_fns_with_context(move || pages::provide_page_context(&runtime), request).await;
    with_status(answer.into_response()).await
}

/// An error as the caller of a server function reads it.
fn refuse(error: &ApiError) -> Response {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, Json(error)).into_response()
}

/// Server functions answer every error with 500; the error itself knows better.
async fn with_status(response: Response) -> Response {
    if response.status() != StatusCode::INTERNAL_SERVER_ERROR {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let bytes = to_bytes(body, BODY_LIMIT).await.unwrap_or_default();
    if let Ok(error) = serde_json::from_slice::<ApiError>(&bytes) {
        parts.status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if let ApiError::RateLimited { retry_after_ms, .. } | ApiError::Unavailable { retry_after_ms, .. } = error {
            parts.headers.insert(header::RETRY_AFTER, HeaderValue::from(retry_after_ms.div_ceil(1000).max(1)));
        }
    }
    Response::from_parts(parts, Body::from(bytes))
}
