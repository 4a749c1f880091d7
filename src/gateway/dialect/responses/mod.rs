//! OpenAI Responses: a conversation of items instead of turns. What belongs to one turn stands in one message here, and what is
//! an item's own is kept beside its first block (`item`).
//!
//! Nothing is kept at OpenAI or here between two calls: a conversation comes whole each time, and what the model thought comes back
//! sealed ([`proof`]). What would need a kept answer is refused by name.
//!
//! Source: the API reference of `POST /v1/responses`, and of its streaming events.

mod content;
mod item;
mod proof;
mod read;
mod reader;
mod write;
mod writer;

use serde_json::{Value, json};

pub(super) use proof::{is_proof, write_back};
pub(super) use read::{read_request, read_response};
pub use reader::Reader;
pub(super) use write::{SHARED, echo, write_request, write_response};
pub use writer::Writer;

use super::fields::Fields;
use crate::model::gateway::{Fault, StopReason, Usage};

/// What is to be included so that thoughts can be sent back.
pub(super) const SEALED: &str = "reasoning.encrypted_content";
/// Where a block keeps what its item says of itself.
pub(super) const ITEM: &str = "item";
/// What the ids of items have in them that were made here; no provider knows those.
const OURS: &str = "_weft_";

/// An answer that the model declined in words is complete to this dialect.
fn read_stop(status: &str, reason: Option<&str>, wants_tool: bool, declined: bool) -> StopReason {
    match (status, reason) {
        ("incomplete", Some("max_output_tokens")) => StopReason::MaxTokens,
        ("incomplete", Some("content_filter")) => StopReason::Refusal,
        ("incomplete", word) => StopReason::Other { word: word.unwrap_or("incomplete").to_owned() },
        _ if wants_tool => StopReason::ToolUse,
        _ if declined => StopReason::Refusal,
        _ => StopReason::EndTurn,
    }
}

/// The status of an answer, and why it is incomplete. One that the model declined in words is complete.
fn write_stop(reason: &StopReason, declined: bool) -> (&'static str, Value) {
    let incomplete = |reason: &str| ("incomplete", json!({"reason": reason}));
    match reason {
        StopReason::MaxTokens | StopReason::WindowFull => incomplete("max_output_tokens"),
        StopReason::Refusal if !declined => incomplete("content_filter"),
        StopReason::Other { word } if word == "interrupted" => incomplete("interrupted"),
        _ => ("completed", Value::Null),
    }
}

fn read_usage(value: Option<Value>, at: &str) -> Result<Usage, Fault> {
    let Some(value) = value else { return Ok(Usage::default()) };
    let mut fields = Fields::of(value, at)?;
    let prompt = fields.tokens("input_tokens")?;
    let (read, written) = match fields.object("input_tokens_details")? {
        Some(mut details) => (details.tokens("cached_tokens")?, details.tokens("cache_write_tokens")?),
        None => (0, 0),
    };
    let cache_read = read.min(prompt);
    let cache_write = written.min(prompt - cache_read);
    let reasoning = match fields.object("output_tokens_details")? {
        Some(mut details) => details.tokens("reasoning_tokens")?,
        None => 0,
    };
    Ok(Usage {
        input: prompt - cache_read - cache_write,
        cache_read,
        cache_write,
        cache_write_hour: 0,
        output: fields.tokens("output_tokens")?,
        reasoning,
    })
}

fn write_usage(usage: Usage) -> Value {
    json!({
        "input_tokens": usage.prompt(),
        "input_tokens_details": {
            "cached_tokens": usage.cache_read,
            "cache_write_tokens": usage.cache_write + usage.cache_write_hour,
        },
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.prompt() + usage.output,
    })
}
