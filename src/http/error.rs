//! Errors as RFC 9457 `application/problem+json`.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::model::{ApiError, FieldError};
use crate::runtime::trace;

/// What a REST error looks like.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// Always `about:blank`: the status says it all.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// A short title for the status.
    pub title: &'static str,
    /// The status again.
    pub status: u16,
    /// The sentence for a person.
    pub detail: String,
    /// Find it in the log under this.
    pub trace_id: String,
    /// What was wrong with which field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

/// An [`ApiError`] on its way out of a REST handler.
#[derive(Debug)]
pub struct Refusal(pub ApiError);

impl<E: Into<ApiError>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let error = self.0;
        let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after_ms = match &error {
            ApiError::RateLimited { retry_after_ms, .. } | ApiError::Unavailable { retry_after_ms, .. } => {
                Some(*retry_after_ms)
            }
            _ => None,
        };
        let trace_id = match &error {
            ApiError::Internal { trace_id } => trace_id.clone(),
            _ => trace::current_id(),
        };
        let detail = error.detail().to_owned();
        let title = error.title();
        let errors = if let ApiError::Invalid { fields, .. } = error { fields } else { Vec::new() };
        let problem = Problem { kind: "about:blank", title, status: status.as_u16(), detail, trace_id, errors };
        let mut response = (status, Json(problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(ms) = retry_after_ms {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(ms.div_ceil(1000).max(1)));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// A problem of HTTP itself, which no use-case knows: 405, 415.
pub fn bare(status: StatusCode, title: &'static str, detail: String) -> Response {
    let trace_id = trace::current_id();
    let problem = Problem { kind: "about:blank", title, status: status.as_u16(), detail, trace_id, errors: Vec::new() };
    let content_type = HeaderValue::from_static("application/problem+json");
    (status, [(header::CONTENT_TYPE, content_type)], Json(problem)).into_response()
}

/// What a handler's panic becomes: one answer, a log line, and the next request as if nothing had happened.
pub fn panicked(_panic: Box<dyn std::any::Any + Send>) -> Response {
    let trace_id = trace::current_id();
    tracing::error!(%trace_id, "a handler panicked");
    Refusal(ApiError::Internal { trace_id }).into_response()
}
