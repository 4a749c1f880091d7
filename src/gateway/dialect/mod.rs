//! The providers' wires, both ways: requests and answers, whole and in pieces, between their JSON and `model::gateway`.
//!
//! Owns what a field is called where. Promises that what one dialect says is said again in the same dialect, field for field;
//! that what two dialects both know is carried from one into the other; and that what the other has no word for is either
//! without consequence there (such as `metadata`) or refused by name ([`Fault`] of the class `untranslatable`), never quietly
//! left out: what is left out, or said in another way, is told to whoever asked, of a request ([`notices`]) and of an answer
//! ([`Losses`]). Unknown events of a stream are dropped, unknown fields of requests kept for their own dialect.
//!
//! What programs speak to us is a `Dialect`, what we speak to providers a `Wire`: both know Messages, Chat Completions and Responses,
//! and a provider may speak Ollama's own besides. Each folder has the two functions that read and write requests, those for whole answers,
//! and the two machines for answers that come in pieces; `model::gateway` is the only thing that they share.
//!
//! Pure: values in, values out. Who is asked, and over which connection, is decided in `call`.

mod anthropic;
mod embed;
mod fault;
mod fields;
mod foreign;
mod lines;
mod losses;
mod notices;
mod ollama;
mod openai;
mod responses;
mod sse;

use serde_json::Value;

pub use embed::{read_embed_request, read_vectors, write_embed_request, write_vectors};
use fault::{event_json, malformed, read_error};
pub use fault::{read_fault, status_of, write_fault};
pub use losses::Losses;
pub use notices::notices;
pub use sse::Event;

use crate::model::Timestamp;
use crate::model::gateway::{Delta, Dialect, Extra, Fault, Model, ProviderKind, Request, Response, Wire};

/// Reads a request that a program sent to us.
///
/// # Errors
/// `invalid`, naming the field and what was expected.
pub fn read_request(dialect: Dialect, body: Value) -> Result<Request, Fault> {
    match dialect {
        Dialect::Anthropic => anthropic::read_request(body),
        Dialect::OpenAi => openai::read_request(body),
        Dialect::Responses => responses::read_request(body),
    }
}

/// Reads a request whose tokens are to be counted: what Anthropic's Messages API takes, without a limit of the answer.
///
/// # Errors
/// `invalid`, naming the field and what was expected.
pub fn read_count_request(body: Value) -> Result<Request, Fault> {
    anthropic::read_count_request(body)
}

/// Whom a request is written for.
#[derive(Debug, Clone, Copy)]
pub struct Addressee<'a> {
    /// What is at the other end.
    pub kind: ProviderKind,
    /// What it is asked in.
    pub wire: Wire,
    /// The model, as the provider calls it.
    pub model: &'a Model,
}

/// Writes a request for a provider.
///
/// # Errors
/// `untranslatable`, naming what the provider's wire has no word for.
pub fn write_request(request: &Request, to: Addressee<'_>) -> Result<Value, Fault> {
    if request.answers > 1 && to.wire != Wire::OpenAi {
        let why = "several answers to one question can be asked for in Chat Completions alone, and who would answer this speaks something else; ask once for each";
        return Err(Fault::untranslatable("/n", why));
    }
    match to.wire {
        Wire::Anthropic => anthropic::write_request(request, to),
        Wire::OpenAi => openai::write_request(request, to),
        Wire::Responses => responses::write_request(request, to),
        Wire::Ollama => ollama::write_request(request, to),
    }
}

/// Reads a provider's whole answer.
///
/// # Errors
/// `malformed`, naming the field that can't be read; the provider's own error when the answer is one.
pub fn read_response(wire: Wire, body: Value) -> Result<Response, Fault> {
    match wire {
        Wire::Anthropic => anthropic::read_response(body).map_err(malformed),
        Wire::OpenAi => openai::read_response(body).map_err(malformed),
        Wire::Responses => responses::read_response(body),
        Wire::Ollama => ollama::read_response(body).map_err(malformed),
    }
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
    /// What an answer in Responses repeats of its request.
    pub echo: Extra,
}

impl Envelope {
    /// For the answer to this request, from whoever will give it.
    pub fn new(request: &Request, at: Timestamp) -> Self {
        let echo = if request.dialect == Dialect::Responses { responses::echo(request) } else { Extra::new() };
        let (model, stream_usage) = (request.model.clone(), request.stream_usage);
        Self { model, at, same_dialect: false, stream_usage, echo }
    }
}

/// Writes a whole answer to a program.
pub fn write_response(dialect: Dialect, response: &Response, envelope: &Envelope) -> Value {
    match dialect {
        Dialect::Anthropic => anthropic::write_response(response, envelope),
        Dialect::OpenAi => openai::write_response(response, envelope),
        Dialect::Responses => responses::write_response(response, envelope),
    }
}

/// Cuts a provider's bytes into what its reader reads.
#[derive(Debug)]
pub enum Frames {
    /// Server-sent events.
    Events(sse::Events),
    /// JSON on lines.
    Lines(lines::Lines),
}

impl Frames {
    /// At the beginning of an answer.
    pub fn new(wire: Wire) -> Self {
        match wire {
            Wire::Anthropic | Wire::OpenAi | Wire::Responses => Self::Events(sse::Events::default()),
            Wire::Ollama => Self::Lines(lines::Lines::default()),
        }
    }

    /// Takes the next bytes, and gives the events that they complete.
    ///
    /// # Errors
    /// `malformed` when an event is larger than 16 MiB.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<Event>, Fault> {
        match self {
            Self::Events(events) => events.push(bytes),
            Self::Lines(lines) => lines.push(bytes),
        }
    }

    /// What is complete by the end of the bytes alone.
    pub fn end(&mut self) -> Option<Event> {
        match self {
            // The standard has it that an event without its empty line is none.
            Self::Events(_) => None,
            Self::Lines(lines) => lines.end(),
        }
    }
}

/// Reads a provider's answer piece by piece.
#[derive(Debug)]
pub enum Reader {
    /// Anthropic's.
    Anthropic(anthropic::Reader),
    /// OpenAI's Chat Completions.
    OpenAi(openai::Reader),
    /// OpenAI's Responses.
    Responses(Box<responses::Reader>),
    /// Ollama's.
    Ollama(ollama::Reader),
}

impl Reader {
    /// At the beginning of an answer.
    pub fn new(wire: Wire) -> Self {
        match wire {
            Wire::Anthropic => Self::Anthropic(anthropic::Reader::default()),
            Wire::OpenAi => Self::OpenAi(openai::Reader::default()),
            Wire::Responses => Self::Responses(Box::default()),
            Wire::Ollama => Self::Ollama(ollama::Reader::default()),
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
            Self::Responses(reader) => reader.read(event),
            Self::Ollama(reader) => reader.read(event),
        }
    }

    /// What is still to be said when the bytes end: some servers leave out the event that says so.
    pub fn end(&mut self) -> Vec<Delta> {
        match self {
            Self::Anthropic(_) | Self::Responses(_) | Self::Ollama(_) => Vec::new(),
            Self::OpenAi(reader) => reader.end(),
        }
    }
}

/// Writes an answer piece by piece, as a stream of events.
#[derive(Debug)]
pub enum Writer {
    /// Anthropic's.
    Anthropic(anthropic::Writer),
    /// OpenAI's Chat Completions.
    OpenAi(openai::Writer),
    /// OpenAI's Responses.
    Responses(Box<responses::Writer>),
}

impl Writer {
    /// At the beginning of an answer.
    pub fn new(dialect: Dialect, envelope: Envelope) -> Self {
        match dialect {
            Dialect::Anthropic => Self::Anthropic(anthropic::Writer::new(envelope)),
            Dialect::OpenAi => Self::OpenAi(openai::Writer::new(envelope)),
            Dialect::Responses => Self::Responses(Box::new(responses::Writer::new(envelope))),
        }
    }

    /// The bytes that say this piece; may be none.
    pub fn write(&mut self, delta: &Delta) -> String {
        match self {
            Self::Anthropic(writer) => writer.write(delta),
            Self::OpenAi(writer) => writer.write(delta),
            Self::Responses(writer) => writer.write(delta),
        }
    }

    /// The bytes that say that it broke off.
    pub fn fail(&self, fault: &Fault) -> String {
        match self {
            Self::Anthropic(_) => sse::write(Some("error"), &write_fault(Dialect::Anthropic, fault)),
            Self::OpenAi(_) => sse::write(None, &write_fault(Dialect::OpenAi, fault)),
            Self::Responses(writer) => writer.fail(fault),
        }
    }
}

#[cfg(test)]
mod tests;
