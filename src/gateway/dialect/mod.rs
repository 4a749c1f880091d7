//! The providers' wires, both ways: requests and answers, whole and in pieces, between their JSON and `model::gateway`.
//!
//! Owns what a field is called where. Promises that what one dialect says is said again in the same dialect, field for field;
//! that what two dialects both know is carried from one into the other; and that what the other has no word for is either
//! without consequence there (such as `metadata`) or refused by name ([`Fault`] of the class `untranslatable`), never quietly
//! left out. Unknown events of a stream are dropped, unknown fields of requests kept for their own dialect.
//!
//! Pure: values in, values out. Who is asked, and over which connection, is decided in `call`.

mod anthropic;
mod fields;
mod openai;
mod sse;

use serde_json::Value;

pub use sse::{Event, Events};

use crate::model::Timestamp;
use crate::model::gateway::{Delta, Dialect, Fault, FaultClass, Model, ProviderKind, Request, Response};

/// Reads a request that a program sent to us.
///
/// # Errors
/// `invalid`, naming the field and what was expected.
pub fn read_request(dialect: Dialect, body: Value) -> Result<Request, Fault> {
    match dialect {
        Dialect::Anthropic => anthropic::read_request(body),
        Dialect::OpenAi => openai::read_request(body),
    }
}

/// Whom a request is written for.
#[derive(Debug, Clone, Copy)]
pub struct Addressee<'a> {
    /// What is at the other end.
    pub kind: ProviderKind,
    /// The model, as the provider calls it.
    pub model: &'a Model,
}

/// Writes a request for a provider.
///
/// # Errors
/// `untranslatable`, naming what the provider's dialect has no word for.
pub fn write_request(request: &Request, to: Addressee<'_>) -> Result<Value, Fault> {
    match to.kind.dialect() {
        Dialect::Anthropic => anthropic::write_request(request, to),
        Dialect::OpenAi => openai::write_request(request, to),
    }
}

/// Reads a provider's whole answer.
///
/// # Errors
/// `malformed`, naming the field that can't be read.
pub fn read_response(dialect: Dialect, body: Value) -> Result<Response, Fault> {
    let read = match dialect {
        Dialect::Anthropic => anthropic::read_response(body),
        Dialect::OpenAi => openai::read_response(body),
    };
    read.map_err(malformed)
}

/// What an answer to a program says beside the model's own words.
#[derive(Debug, Clone)]
pub struct Envelope {
    /// The model, as the program asked for it.
    pub model: String,
    /// When the answer was made.
    pub at: Timestamp,
    /// Whether what is `extra` and native in it belongs to the dialect that it is written in.
    pub same_dialect: bool,
    /// Whether a stream in OpenAI's dialect ends with the usage.
    pub stream_usage: bool,
}

/// Writes a whole answer to a program.
pub fn write_response(dialect: Dialect, response: &Response, envelope: &Envelope) -> Value {
    match dialect {
        Dialect::Anthropic => anthropic::write_response(response, envelope),
        Dialect::OpenAi => openai::write_response(response, envelope),
    }
}

/// Reads a provider's answer piece by piece.
#[derive(Debug)]
pub enum Reader {
    /// Anthropic's.
    Anthropic(anthropic::Reader),
    /// OpenAI's.
    OpenAi(openai::Reader),
}

impl Reader {
    /// At the beginning of an answer.
    pub fn new(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Anthropic => Self::Anthropic(anthropic::Reader::default()),
            Dialect::OpenAi => Self::OpenAi(openai::Reader::default()),
        }
    }

    /// What an event says; mostly one piece.
    ///
    /// # Errors
    /// `malformed` for what can't be read; the provider's own error when the event is one.
    pub fn read(&mut self, event: &Event) -> Result<Vec<Delta>, Fault> {
        match self {
            Self::Anthropic(reader) => reader.read(event),
            Self::OpenAi(reader) => reader.read(event),
        }
    }

    /// What is still to be said when the bytes end: some servers leave out the event that says so.
    pub fn end(&mut self) -> Vec<Delta> {
        match self {
            Self::Anthropic(_) => Vec::new(),
            Self::OpenAi(reader) => reader.end(),
        }
    }
}

/// Writes an answer piece by piece, as a stream of events.
#[derive(Debug)]
pub enum Writer {
    /// Anthropic's.
    Anthropic(anthropic::Writer),
    /// OpenAI's.
    OpenAi(openai::Writer),
}

impl Writer {
    /// At the beginning of an answer.
    pub fn new(dialect: Dialect, envelope: Envelope) -> Self {
        match dialect {
            Dialect::Anthropic => Self::Anthropic(anthropic::Writer::new(envelope)),
            Dialect::OpenAi => Self::OpenAi(openai::Writer::new(envelope)),
        }
    }

    /// The bytes that say this piece; may be none.
    pub fn write(&mut self, delta: &Delta) -> String {
        match self {
            Self::Anthropic(writer) => writer.write(delta),
            Self::OpenAi(writer) => writer.write(delta),
        }
    }

    /// The bytes that say that it broke off.
    pub fn fail(&self, fault: &Fault) -> String {
        match self {
            Self::Anthropic(_) => sse::write(Some("error"), &write_fault(Dialect::Anthropic, fault)),
            Self::OpenAi(_) => sse::write(None, &write_fault(Dialect::OpenAi, fault)),
        }
    }
}

/// An error as programs of this dialect read it.
pub fn write_fault(dialect: Dialect, fault: &Fault) -> Value {
    match dialect {
        Dialect::Anthropic => anthropic::write_fault(fault),
        Dialect::OpenAi => openai::write_fault(fault),
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
        FaultClass::Timeout => 504,
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
        (_, "rate_limit_error", _) | (429, _, _) => FaultClass::RateLimited,
        (_, "authentication_error" | "permission_error", _) | (401..=403, _, _) => FaultClass::Credential,
        (_, _, "model_not_found") | (_, "not_found_error", _) | (404, _, _) => FaultClass::NoModel,
        (_, _, "context_length_exceeded") | (_, "request_too_large", _) | (413, _, _) => FaultClass::TooLarge,
        (408 | 504 | 524, _, _) => FaultClass::Timeout,
        (500..=599, _, _) | (_, "api_error" | "server_error", _) => FaultClass::Upstream,
        (300..=399, _, _) => FaultClass::Refused,
        _ => FaultClass::Invalid,
    }
}

fn malformed(fault: Fault) -> Fault {
    Fault { class: FaultClass::Malformed, message: format!("the answer can't be read: {}", fault.message), ..fault }
}

/// The JSON of an event.
fn event_json(event: &Event) -> Result<Value, Fault> {
    serde_json::from_str(&event.data).map_err(|_| {
        let start: String = event.data.chars().take(120).collect();
        malformed(Fault::new(FaultClass::Malformed, format!("expected JSON in an event, found {start:?}")))
    })
}

#[cfg(test)]
mod tests;
