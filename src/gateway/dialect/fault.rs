//! Errors: a provider's into ours, ours into what programs of each dialect expect.

use serde_json::Value;

use super::{Event, anthropic, openai};
use crate::model::gateway::{Dialect, Fault, FaultClass};

/// An error as programs of this dialect read it.
pub fn write_fault(dialect: Dialect, fault: &Fault) -> Value {
    match dialect {
        Dialect::Anthropic => anthropic::write_fault(fault),
        Dialect::OpenAi | Dialect::Responses => openai::write_fault(fault),
    }
}

/// The status of an error as programs of this dialect expect it.
pub fn status_of(dialect: Dialect, class: FaultClass) -> u16 {
    match class {
        FaultClass::Invalid | FaultClass::Untranslatable => 400,
        FaultClass::TooLarge => 413,
        FaultClass::RateLimited => 429,
        FaultClass::NoModel => 404,
        // Anthropic has a status of its own for money; OpenAI's programs know a quota that is used up.
        FaultClass::Budget if dialect == Dialect::Anthropic => 402,
        FaultClass::Budget => 429,
        FaultClass::Overloaded if dialect == Dialect::Anthropic => 529,
        FaultClass::Overloaded | FaultClass::Resting | FaultClass::NoProvider => 503,
        // As RFC 9111 has it for only-if-cached.
        FaultClass::Timeout | FaultClass::Uncached => 504,
        FaultClass::Credential
        | FaultClass::Upstream
        | FaultClass::Connect
        | FaultClass::Refused
        | FaultClass::Malformed
        | FaultClass::Interrupted => 502,
        FaultClass::Cancelled => 499,
    }
}

/// What a provider's error says: the class by its status and its own words for it.
pub fn read_fault(status: u16, body: &[u8]) -> Fault {
    let value: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let error = if value["error"].is_object() { &value["error"] } else { &value };
    let word = |name: &str| error[name].as_str().unwrap_or_default();
    let text = match (word("message"), &value["error"]) {
        ("", Value::String(text)) => text.clone(),
        ("", _) => String::from_utf8_lossy(&body[..body.len().min(300)]).trim().to_owned(),
        (message, _) => message.to_owned(),
    };
    let class = class_of(status, word("type"), word("code"));
    let shown: String = text.chars().take(600).collect();
    let message =
        if shown.is_empty() { format!("it answered {status}") } else { format!("it answered {status}: {shown}") };
    let pointer = error["param"].as_str().map(|param| format!("/{}", param.replace(['.', '['], "/").replace(']', "")));
    Fault { status: Some(status), pointer, ..Fault::new(class, message) }
}

fn class_of(status: u16, kind: &str, code: &str) -> FaultClass {
    match (status, kind, code) {
        (_, "overloaded_error", _) | (529 | 503, _, _) => FaultClass::Overloaded,
        (_, "rate_limit_error", _) | (_, _, "rate_limit_exceeded") | (429, _, _) => FaultClass::RateLimited,
        (_, "authentication_error" | "permission_error", _) | (401..=403, _, _) => FaultClass::Credential,
        (_, _, "model_not_found") | (_, "not_found_error", _) | (404, _, _) => FaultClass::NoModel,
        (_, _, "context_length_exceeded") | (_, "request_too_large", _) | (413, _, _) => FaultClass::TooLarge,
        (_, _, "invalid_prompt") => FaultClass::Invalid,
        (408 | 504 | 524, _, _) => FaultClass::Timeout,
        (500..=599, _, _) | (_, "api_error" | "server_error", _) => FaultClass::Upstream,
        (300..=399, _, _) => FaultClass::Refused,
        _ => FaultClass::Invalid,
    }
}

pub(super) fn malformed(fault: Fault) -> Fault {
    Fault { class: FaultClass::Malformed, message: format!("the answer can't be read: {}", fault.message), ..fault }
}

/// The JSON of an event.
pub(super) fn event_json(event: &Event) -> Result<Value, Fault> {
    serde_json::from_str(&event.data).map_err(|_| {
        let start: String = event.data.chars().take(120).collect();
        malformed(Fault::new(FaultClass::Malformed, format!("expected JSON in an event, found {start:?}")))
    })
}

/// An error that comes inside of an answer, which has no status of its own; `error` is what says it.
pub(super) fn read_error(error: &Value) -> Fault {
    let whole = serde_json::json!({"error": error});
    let fault = read_fault(500, whole.to_string().as_bytes());
    let message = match error {
        Value::String(text) => text.clone(),
        error => error["message"].as_str().unwrap_or("the provider reported an error").to_owned(),
    };
    Fault { message, status: None, ..fault }
}
