//! What a program sends: a body of JSON, read into what it asks, or refused in its dialect.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use serde_json::Value;

use super::answer::{refuse, refuse_with};
use crate::model::gateway::{Dialect, Fault};

/// The largest request: Anthropic's own limit.
pub(super) const BODY_LIMIT: usize = 32 * 1024 * 1024;

/// Reads a body.
///
/// # Errors
/// The answer that says what does not fit.
pub(super) fn read_body<T>(
    dialect: Dialect,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
    read: impl FnOnce(Value) -> Result<T, Fault>,
) -> Result<T, Box<Response>> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/json") {
        let message = "expected a body of application/json";
        return Err(refuse_with(dialect, StatusCode::UNSUPPORTED_MEDIA_TYPE, message).into());
    }
    let body = match body {
        Ok(body) => body,
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            let message = format!("the request is over {} MiB", BODY_LIMIT >> 20);
            return Err(refuse_with(dialect, StatusCode::PAYLOAD_TOO_LARGE, &message).into());
        }
        Err(_) => return Err(refuse_with(dialect, StatusCode::BAD_REQUEST, "the body broke off").into()),
    };
    serde_json::from_slice::<Value>(&body)
        .map_err(|error| Fault::invalid("", format!("expected JSON: {error}")))
        .and_then(read)
        .map_err(|fault| refuse(dialect, fault.into()).into())
}

/// The conversation that a caller says its call belongs to.
pub(super) fn session(headers: &HeaderMap) -> Option<String> {
    headers.get("x-weft-session").and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// What a caller of Anthropic's dialect switches on by a header.
pub(super) fn betas(headers: &HeaderMap) -> Vec<String> {
    headers
        .get_all("anthropic-beta")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|word| word.trim().to_owned())
        .filter(|word| !word.is_empty())
        .collect()
}
