//! The id that ties a request's answer, its errors and its log lines together.

use crate::model::ApiError;

tokio::task_local! {
    static TRACE_ID: String;
}

/// Runs a request under its trace id.
pub async fn scope<F: Future>(trace_id: String, work: F) -> F::Output {
    TRACE_ID.scope(trace_id, work).await
}

/// The id of the request that this task serves; a fresh one outside any.
pub fn current_id() -> String {
    TRACE_ID.try_with(Clone::clone).unwrap_or_else(|_| fresh_id(&super::Ids))
}

/// A new trace id: 32 hexadecimal digits, as in W3C Trace Context.
pub fn fresh_id(ids: &super::Ids) -> String {
    format!("{:032x}", u128::from_be_bytes(ids.random_bytes()))
}

/// Turns a failure of ours into what may cross the wire, and logs it with all its causes: here and nowhere else.
pub fn internal(error: &(dyn std::error::Error + 'static)) -> ApiError {
    let trace_id = current_id();
    let mut causes = Vec::new();
    let mut source = error.source();
    while let Some(cause) = source {
        causes.push(cause.to_string());
        source = cause.source();
    }
    tracing::error!(%trace_id, %error, causes = causes.join(": "), "internal error");
    ApiError::Internal { trace_id }
}

impl From<crate::db::Error> for ApiError {
    fn from(error: crate::db::Error) -> Self {
        if error.is_transient() {
            tracing::warn!(trace_id = current_id(), %error, "database unavailable");
            Self::Unavailable { detail: format!("{error}; nothing was changed"), retry_after_ms: 1000 }
        } else {
            internal(&error)
        }
    }
}
