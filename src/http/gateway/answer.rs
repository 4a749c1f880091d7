//! What a program gets: answers, streams and errors of its own dialect.

use std::collections::VecDeque;

use axum::Json;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::{Value, json};

use super::limits;
use crate::gateway::{self, Answered, Counted, Embedded, Envelope, Error, Live, Writer};
use crate::model::ApiError;
use crate::model::cache::{CacheOutcome, CacheTier, CacheUse};
use crate::model::gateway::{Choice, Delta, Dialect, Fault, FaultClass, Masked, format_usd};

/// Tells the official SDKs whether asking again may help: retries were made here already.
const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

/// An answer.
pub(super) fn give(dialect: Dialect, answered: Answered, envelope: Envelope) -> Response {
    match answered {
        Answered::Whole(answer) => {
            let same_dialect = answer.dialect == dialect;
            let envelope = Envelope { same_dialect, ..envelope };
            let mut response = Json(gateway::write_response(dialect, &answer.response, &envelope)).into_response();
            limits::hand_on(response.headers_mut(), &answer.told);
            describe(response.headers_mut(), &answer.choice, answer.overhead_ms, answer.cache, &answer.masked);
            if let Some(cost) = answer.cost_micros {
                put(response.headers_mut(), "x-weft-cost-usd", &format_usd(cost));
            }
            response
        }
        Answered::Live(mut live) => {
            live.hand_on();
            let same_dialect = live.dialect() == dialect;
            let writer = Writer::new(dialect, Envelope { same_dialect, ..envelope });
            let (choice, overhead_ms, cache) = (live.choice().clone(), live.overhead_ms(), live.cache());
            let (masked, told) = (live.masked().to_vec(), live.told().to_vec());
            let mut response = Body::from_stream(stream(*live, writer)).into_response();
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
            limits::hand_on(headers, &told);
            describe(headers, &choice, overhead_ms, cache, &masked);
            response
        }
    }
}

/// Vectors.
pub(super) fn give_vectors(embedded: &Embedded) -> Response {
    let mut response = Json(gateway::write_vectors(&embedded.vectors, embedded.encoding)).into_response();
    describe(response.headers_mut(), &embedded.choice, embedded.overhead_ms, None, &embedded.masked);
    if let Some(cost) = embedded.cost_micros {
        put(response.headers_mut(), "x-weft-cost-usd", &format_usd(cost));
    }
    response
}

/// The number of tokens, and where it is from, in Anthropic's words.
pub(super) fn give_count(counted: Counted) -> Response {
    with_count(json!({"input_tokens": counted.input_tokens}), counted)
}

/// The same in OpenAI's.
pub(super) fn give_input_count(counted: Counted) -> Response {
    with_count(json!({"object": "response.input_tokens", "input_tokens": counted.input_tokens}), counted)
}

fn with_count(body: Value, counted: Counted) -> Response {
    let mut response = Json(body).into_response();
    put(response.headers_mut(), "x-weft-count", counted.by.as_str());
    response
}

/// The answer's bytes, as fast as they are read: nothing is gathered for a slow reader but one piece.
fn stream(live: Live, writer: Writer) -> impl futures::Stream<Item = Result<Bytes, std::convert::Infallible>> {
    futures::stream::unfold(
        (live, writer, VecDeque::new(), false),
        async |(mut live, mut writer, mut ready, mut told)| {
            loop {
                if let Some(bytes) = ready.pop_front() {
                    return Some((Ok(bytes), (live, writer, ready, told)));
                }
                let said = match live.next().await? {
                    Ok(delta) => {
                        let mut said = String::new();
                        // Before what ends the answer, after which nobody reads on.
                        if matches!(delta, Delta::Stop { .. }) && !std::mem::replace(&mut told, true) {
                            said.push_str(&notice_comment(&live.lost()));
                        }
                        said.push_str(&writer.write(&delta));
                        said
                    }
                    Err(fault) => writer.fail(&fault),
                };
                if !said.is_empty() {
                    ready.push_back(Bytes::from(said));
                }
            }
        },
    )
}

/// What a stream lost, as a comment of its events: by then the head is gone. Every reader of events passes comments over.
fn notice_comment(lost: &[String]) -> String {
    if lost.is_empty() { String::new() } else { format!(": x-weft-notice: {}\n\n", plain(&lost.join("; "))) }
}

fn describe(headers: &mut HeaderMap, choice: &Choice, overhead_ms: f64, cache: Option<CacheUse>, masked: &[Masked]) {
    put(headers, "x-weft-route", &choice.why());
    if !choice.budgets.is_empty() {
        put(headers, "x-weft-budget", &choice.budgets.join("; "));
    }
    if let Some(left_out) = &choice.context {
        put(headers, "x-weft-context", &left_out.header());
    }
    let notices: Vec<&str> = choice.notices.iter().chain(&choice.lost).map(String::as_str).collect();
    if !notices.is_empty() {
        put(headers, "x-weft-notice", &notices.join("; "));
    }
    if !masked.is_empty() {
        put(headers, "x-weft-masked", &Masked::words(masked));
    }
    put(headers, "x-weft-overhead-ms", &format!("{overhead_ms:.2}"));
    put(
        headers,
        "x-weft-cache",
        cache.map_or("off", |cache| match cache.tier {
            Some(CacheTier::Semantic) => "semantic",
            _ => cache.outcome.as_str(),
        }),
    );
    if let Some(similarity) = cache.and_then(|cache| cache.similarity) {
        put(headers, "x-weft-cache-similarity", &format!("{similarity:.3}"));
    }
    if let Some(hit) = cache.filter(|cache| cache.outcome == CacheOutcome::Hit) {
        headers.insert(header::AGE, HeaderValue::from(hit.age_ms / 1000));
    }
}

/// Adds a header; what no header can carry becomes a question mark.
fn put(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(&plain(value)) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

fn plain(value: &str) -> String {
    value.chars().take(1000).map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).collect()
}

/// An error of the gateway.
pub(super) fn refuse(dialect: Dialect, error: Error) -> Response {
    let Error::Fault(fault) = error else {
        let error = ApiError::from(error);
        let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        return refuse_with(dialect, status, error.detail());
    };
    let status = gateway::status_of(dialect, fault.class);
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    let mut response = (status, Json(gateway::write_fault(dialect, &fault))).into_response();
    let headers = response.headers_mut();
    limits::hand_on(headers, &fault.told);
    limits::tell(headers, dialect, &fault.own);
    retry_headers(headers, &fault);
    response
}

fn retry_headers(headers: &mut HeaderMap, fault: &Fault) {
    if let Some(ms) = fault.retry_after_ms {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(ms.div_ceil(1000).max(1)));
    }
    let again = fault.class.may_pass() || fault.class == FaultClass::Resting;
    headers.insert(SHOULD_RETRY, HeaderValue::from_static(if again { "true" } else { "false" }));
}

/// An error that no model caused.
pub(super) fn refuse_with(dialect: Dialect, status: StatusCode, message: &str) -> Response {
    let mut response = (status, Json(error_body(dialect, status, message))).into_response();
    if status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

fn error_body(dialect: Dialect, status: StatusCode, message: &str) -> Value {
    match dialect {
        Dialect::Anthropic => {
            let kind = match status.as_u16() {
                401 => "authentication_error",
                403 => "permission_error",
                404 => "not_found_error",
                413 => "request_too_large",
                429 => "rate_limit_error",
                500.. => "api_error",
                _ => "invalid_request_error",
            };
            json!({"type": "error", "error": {"type": kind, "message": message}})
        }
        Dialect::OpenAi | Dialect::Responses => {
            let (kind, code) = match status.as_u16() {
                401 => ("invalid_request_error", json!("invalid_api_key")),
                403 => ("permission_error", Value::Null),
                500.. => ("server_error", Value::Null),
                _ => ("invalid_request_error", Value::Null),
            };
            json!({"error": {"message": message, "type": kind, "param": null, "code": code}})
        }
    }
}
