//! Anthropic Messages.
//!
//! Source: the API reference of `POST /v1/messages`, version 2023-06-01, and of its stream.

mod block;
mod read;
mod stream;
mod write;

use serde_json::{Value, json};

pub(super) use read::{read_count_request, read_request, read_response};
pub use stream::{Reader, Writer};
pub(super) use write::{budget_of, write_request, write_response};

use super::fields::Fields;
use crate::model::gateway::{Fault, FaultClass, StopReason, Usage};

/// Tokens of an answer where nobody says how many; the dialect wants a number.
const DEFAULT_MAX_TOKENS: u32 = 8192;

fn read_stop(word: &str) -> StopReason {
    match word {
        "end_turn" => StopReason::EndTurn,
        "max_tokens" => StopReason::MaxTokens,
        "stop_sequence" => StopReason::StopSequence,
        "tool_use" => StopReason::ToolUse,
        "refusal" => StopReason::Refusal,
        "pause_turn" => StopReason::Pause,
        "model_context_window_exceeded" => StopReason::WindowFull,
        word => StopReason::Other { word: word.to_owned() },
    }
}

fn write_stop(reason: &StopReason) -> &str {
    match reason {
        StopReason::EndTurn => "end_turn",
        StopReason::MaxTokens => "max_tokens",
        StopReason::StopSequence => "stop_sequence",
        StopReason::ToolUse => "tool_use",
        StopReason::Refusal => "refusal",
        StopReason::Pause => "pause_turn",
        StopReason::WindowFull => "model_context_window_exceeded",
        StopReason::Other { word } => word,
    }
}

/// Both the whole usage and the shorter one in a stream's `message_delta`.
fn read_usage(value: Option<Value>, at: &str) -> Result<Usage, Fault> {
    let Some(value) = value else { return Ok(Usage::default()) };
    let mut fields = Fields::of(value, at)?;
    let written = fields.tokens("cache_creation_input_tokens")?;
    let hour = match fields.object("cache_creation")? {
        Some(mut parts) => parts.tokens("ephemeral_1h_input_tokens")?.min(written),
        None => 0,
    };
    Ok(Usage {
        input: fields.tokens("input_tokens")?,
        cache_read: fields.tokens("cache_read_input_tokens")?,
        cache_write: written - hour,
        cache_write_hour: hour,
        output: fields.tokens("output_tokens")?,
        reasoning: match fields.object("output_tokens_details")? {
            Some(mut parts) => parts.tokens("thinking_tokens")?,
            None => 0,
        },
    })
}

fn write_usage(usage: Usage) -> Value {
    json!({
        "input_tokens": usage.input,
        "cache_creation_input_tokens": usage.cache_write + usage.cache_write_hour,
        "cache_read_input_tokens": usage.cache_read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write,
            "ephemeral_1h_input_tokens": usage.cache_write_hour,
        },
        "output_tokens": usage.output,
    })
}

pub(super) fn write_fault(fault: &Fault) -> Value {
    let kind = match fault.class {
        FaultClass::Invalid | FaultClass::Untranslatable => "invalid_request_error",
        FaultClass::TooLarge => "request_too_large",
        FaultClass::RateLimited => "rate_limit_error",
        FaultClass::NoModel => "not_found_error",
        FaultClass::Budget => "billing_error",
        FaultClass::Overloaded | FaultClass::Resting => "overloaded_error",
        FaultClass::Timeout => "timeout_error",
        _ => "api_error",
    };
    json!({"type": "error", "error": {"type": kind, "message": fault.message}})
}
