//! `http`: calls a web address through the guarded client.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Outcome, StepCall};
use crate::model::workflow::StepError;
use crate::runtime::outbound::{self, OnBytes, Request};

#[derive(Debug, Deserialize)]
struct HttpConfig {
    #[serde(default = "get")]
    method: String,
    url: String,
    #[serde(default)]
    query: BTreeMap<String, String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    json: Value,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    expect_status: Vec<u16>,
}

fn get() -> String {
    "GET".to_owned()
}

/// Sends one request. The step's key goes along as `Idempotency-Key` where the method changes something and the headers have
/// none: each attempt sends the same, so that a retry of what did arrive does nothing twice.
pub async fn run(call: StepCall) -> Result<Outcome, StepError> {
    let config: HttpConfig = call.config()?;
    let mut request = build(&config, &call.effect_key)?;
    let progress = call.progress.clone();
    let tell = move |received: u64, length: Option<u64>| {
        let fraction = length.filter(|length| *length > 0).map(|length| received as f64 / length as f64);
        progress.tell(&format!("{} received", size(received)), fraction);
    };
    request.on_bytes = Some(OnBytes(Arc::new(tell)));
    let sending = call.ctx.http.send(request);
    let response = tokio::select! {
        response = sending => response.map_err(|error| failure(&error))?,
        () = call.cancel.cancelled() => return Err(StepError::transient("cancelled", "the request was cancelled")),
    };
    let status = response.status;
    let body = String::from_utf8_lossy(&response.body).into_owned();
    let expected = if config.expect_status.is_empty() {
        (200..300).contains(&status)
    } else {
        config.expect_status.contains(&status)
    };
    if !expected {
        let start: String = body.chars().take(200).collect();
        let message = format!("{} answered {status}: {start}", response.url);
        // Too early, too many, and the server's own faults may pass; other refusals will not.
        let may_pass = matches!(status, 408 | 425 | 429 | 500..=599);
        let error = StepError { retryable: may_pass, ..StepError::permanent("http_status", message) };
        return Err(error.with_code(status));
    }
    let mut headers = serde_json::Map::new();
    for (name, value) in &response.headers {
        headers.insert(name.to_ascii_lowercase(), json!(value));
    }
    let parsed = serde_json::from_slice::<Value>(&response.body).unwrap_or(Value::Null);
    Ok(Outcome::out(json!({
        "status": status,
        "url": response.url,
        "headers": headers,
        "body": body.replace('\0', "\u{fffd}"),
        "json": parsed,
        "took_ms": response.took_ms,
    })))
}

/// Bytes for people.
fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        1024..1_048_576 => format!("{:.1} KiB", bytes as f64 / 1024.0),
        _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
    }
}

fn build(config: &HttpConfig, key: &str) -> Result<Request, StepError> {
    let mut url = url::Url::parse(&config.url)
        .map_err(|error| StepError::permanent("config", format!("url: expected an http or https address: {error}")))?;
    if !config.query.is_empty() {
        url.query_pairs_mut().extend_pairs(&config.query);
    }
    let mut request = Request::new(config.method.as_str(), url.as_str());
    request.headers = config.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    let has = |wanted: &str| config.headers.keys().any(|name| name.eq_ignore_ascii_case(wanted));
    if !config.json.is_null() {
        request.body = Some(config.json.to_string().into_bytes());
        if !has("content-type") {
            request.headers.push(("content-type".to_owned(), "application/json".to_owned()));
        }
    } else if let Some(body) = config.body.as_ref().filter(|body| !body.is_empty()) {
        request.body = Some(body.clone().into_bytes());
    }
    if !matches!(config.method.as_str(), "GET" | "HEAD") && !has("idempotency-key") {
        request.headers.push(("idempotency-key".to_owned(), key.to_owned()));
    }
    Ok(request)
}

pub(super) fn failure(error: &outbound::Error) -> StepError {
    use outbound::Error as E;
    let class = match error {
        E::InvalidRequest { .. } => "config",
        E::Refused => "refused",
        E::Resolve { .. } => "resolve",
        E::Connect(_) => "connect",
        E::Tls(_) => "tls",
        E::Timeout(_) => "timeout",
        E::TooLarge { .. } => "too_large",
        E::TooManyRedirects(_) => "redirects",
    };
    let message = error.to_string();
    if error.is_transient() { StepError::transient(class, message) } else { StepError::permanent(class, message) }
}
