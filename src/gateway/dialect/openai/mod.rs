//! OpenAI Chat Completions, and what those who speak it too have added: thoughts as `reasoning_content` or `reasoning`, with
//! their proof as `thinking_blocks`, and `cache_control` on parts of a message.
//!
//! Source: the API reference of `POST /v1/chat/completions`, and of its stream.

mod block;
mod read;
mod reader;
mod write;
mod writer;

use serde_json::{Value, json};

pub(super) use read::{read_request, read_response};
pub use reader::Reader;
pub(super) use write::{effort_of, write_request, write_response};
pub use writer::Writer;

use super::fields::Fields;
use crate::model::gateway::{Fault, FaultClass, StopReason, Usage};

fn read_stop(word: &str) -> StopReason {
    match word {
        "stop" => StopReason::EndTurn,
        "length" => StopReason::MaxTokens,
        "tool_calls" | "function_call" => StopReason::ToolUse,
        "content_filter" => StopReason::Refusal,
        word => StopReason::Other { word: word.to_owned() },
    }
}

/// One that the model declined in words has come to its end for this dialect.
fn write_stop(reason: &StopReason, declined: bool) -> &'static str {
    match reason {
        StopReason::MaxTokens | StopReason::WindowFull => "length",
        StopReason::ToolUse => "tool_calls",
        StopReason::Refusal if !declined => "content_filter",
        StopReason::EndTurn
        | StopReason::StopSequence
        | StopReason::Refusal
        | StopReason::Pause
        | StopReason::Other { .. } => "stop",
    }
}

fn read_usage(value: Option<Value>, at: &str) -> Result<Usage, Fault> {
    let Some(value) = value else { return Ok(Usage::default()) };
    let mut fields = Fields::of(value, at)?;
    let prompt = fields.tokens("prompt_tokens")?;
    let (read, written) = match fields.object("prompt_tokens_details")? {
        Some(mut details) => (details.tokens("cached_tokens")?, details.tokens("cache_write_tokens")?),
        None => (0, 0),
    };
    let reasoning = match fields.object("completion_tokens_details")? {
        Some(mut details) => details.tokens("reasoning_tokens")?,
        None => 0,
    };
    let cache_read = read.min(prompt);
    let cache_write = written.min(prompt - cache_read);
    Ok(Usage {
        input: prompt - cache_read - cache_write,
        cache_read,
        cache_write,
        cache_write_hour: 0,
        output: fields.tokens("completion_tokens")?,
        reasoning,
    })
}

fn write_usage(usage: Usage) -> Value {
    json!({
        "prompt_tokens": usage.prompt(),
        "completion_tokens": usage.output,
        "total_tokens": usage.prompt() + usage.output,
        "prompt_tokens_details": {
            "cached_tokens": usage.cache_read,
            "cache_write_tokens": usage.cache_write + usage.cache_write_hour,
        },
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
    })
}

pub(super) fn write_fault(fault: &Fault) -> Value {
    let (kind, code) = match fault.class {
        FaultClass::Invalid | FaultClass::Untranslatable => ("invalid_request_error", Value::Null),
        FaultClass::TooLarge => ("invalid_request_error", json!("context_length_exceeded")),
        FaultClass::RateLimited => ("rate_limit_error", json!("rate_limit_exceeded")),
        FaultClass::Budget => ("insufficient_quota", json!("insufficient_quota")),
        FaultClass::NoModel => ("invalid_request_error", json!("model_not_found")),
        FaultClass::Overloaded | FaultClass::Resting => ("server_error", json!("overloaded")),
        class => ("server_error", json!(class.as_str())),
    };
    let param = fault.pointer.as_ref().map(|pointer| pointer.trim_start_matches('/').replace('/', "."));
    json!({"error": {"message": fault.message, "type": kind, "param": param, "code": code}})
}
