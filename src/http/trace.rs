//! A trace id, a log line and a measurement for every request.

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;

use crate::runtime::{Ids, trace};

/// Where the answer carries its trace id.
pub const TRACE_HEADER: HeaderName = HeaderName::from_static("x-trace-id");

/// Runs a request under a fresh trace id, which its answer, its errors and its log lines carry.
pub async fn layer(request: Request, next: Next) -> Response {
    let trace_id = trace::fresh_id(&Ids);
    let method = request.method().clone();
    // Never the path itself: it may hold ids and tokens, and would make a label without bound.
    let route =
        request.extensions().get::<MatchedPath>().map_or_else(|| "unmatched".to_owned(), |p| p.as_str().to_owned());
    let span = tracing::info_span!("request", %trace_id, %method, route);
    let begun = std::time::Instant::now();
    let mut response = trace::scope(trace_id.clone(), next.run(request).instrument(span.clone())).await;
    let took = begun.elapsed();
    let status = response.status().as_u16();
    span.in_scope(|| tracing::debug!(status, took_ms = took.as_secs_f64() * 1000.0, "answered"));
    metrics::histogram!("weft_http_request_duration_seconds", "method" => method.to_string(), "route" => route.clone())
        .record(took.as_secs_f64());
    metrics::counter!("weft_http_requests_total", "method" => method.to_string(), "route" => route, "status" => status.to_string())
        .increment(1);
    if let Ok(value) = HeaderValue::from_str(&trace_id) {
        response.headers_mut().insert(TRACE_HEADER, value);
    }
    response
}
