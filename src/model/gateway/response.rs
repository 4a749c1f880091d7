//! What a model answers.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::message::{Block, Extra};

/// A whole answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Response {
    /// The provider's name for it.
    pub id: String,
    /// The model that answered, as the provider calls it.
    pub model: String,
    /// In order.
    pub content: Vec<Block>,
    /// Why it ended.
    pub stop: StopReason,
    /// The text that ended it, where the provider says.
    pub stop_sequence: Option<String>,
    /// What it took.
    pub usage: Usage,
    /// What only the answering dialect knows.
    pub extra: Extra,
    /// The answers besides this one, where several were asked for; `usage` is of all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<Other>,
}

/// One of several answers to a question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Other {
    /// In order.
    pub content: Vec<Block>,
    /// Why it ended.
    pub stop: StopReason,
}

impl Response {
    /// What all its answers are made of, one after the other.
    pub fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.content.iter().chain(self.others.iter().flat_map(|other| &other.content))
    }

    /// Its words, thoughts left out.
    pub fn text(&self) -> String {
        self.content
            .iter()
            .filter_map(|block| match block {
                Block::Text { text, .. } | Block::Refusal { text } => Some(text.as_str()),
                _ => None,
            })
            .collect()
    }
}

/// Whether the model waits for a tool.
pub fn wants_tool(content: &[Block]) -> bool {
    content.iter().any(|block| matches!(block, Block::ToolUse { .. }))
}

/// Whether the model declined, in words that its dialect marks as such.
pub fn declined(content: &[Block]) -> bool {
    content.iter().any(|block| matches!(block, Block::Refusal { .. }))
}

/// Why an answer ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum StopReason {
    /// It was complete.
    EndTurn,
    /// It reached the limit of tokens.
    MaxTokens,
    /// It came to one of the texts that end it.
    StopSequence,
    /// It waits for a tool.
    ToolUse,
    /// The model or a filter declined.
    Refusal,
    /// A long turn that the provider paused; send it back to go on.
    Pause,
    /// The model's window was full.
    WindowFull,
    /// A reason that has no name here, as it was sent.
    Other {
        /// The provider's word.
        word: String,
    },
}

/// Tokens of one call. Every token is counted in exactly one of `input`, `cache_read`, `cache_write`, `cache_write_hour` and
/// `output`; `reasoning` is a part of `output`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Usage {
    /// Read by the model and neither taken from nor put into the provider's cache.
    pub input: i64,
    /// Taken from the provider's cache.
    pub cache_read: i64,
    /// Put into the provider's cache for five minutes, or for its usual time.
    pub cache_write: i64,
    /// Put into the provider's cache for an hour.
    pub cache_write_hour: i64,
    /// Written by the model, thoughts included.
    pub output: i64,
    /// Thoughts, where the provider counts them apart.
    pub reasoning: i64,
}

impl Usage {
    /// All that was read.
    pub const fn prompt(self) -> i64 {
        self.input + self.cache_read + self.cache_write + self.cache_write_hour
    }

    /// Takes over every number that the later report has: reports of a stream are cumulative, and leave out what they don't
    /// count.
    #[must_use]
    pub fn updated(self, later: Self) -> Self {
        let pick = |old: i64, new: i64| if new > 0 { new } else { old };
        Self {
            input: pick(self.input, later.input),
            cache_read: pick(self.cache_read, later.cache_read),
            cache_write: pick(self.cache_write, later.cache_write),
            cache_write_hour: pick(self.cache_write_hour, later.cache_write_hour),
            output: pick(self.output, later.output),
            reasoning: pick(self.reasoning, later.reasoning),
        }
    }

    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            input: self.input + other.input,
            cache_read: self.cache_read + other.cache_read,
            cache_write: self.cache_write + other.cache_write,
            cache_write_hour: self.cache_write_hour + other.cache_write_hour,
            output: self.output + other.output,
            reasoning: self.reasoning + other.reasoning,
        }
    }
}

/// Tokens of a text whose real number nobody told: a quarter of its characters, rounded up.
///
/// Source: OpenAI's rule of thumb for English; other languages and code take more.
pub const fn estimate_tokens(chars: u64) -> i64 {
    chars.div_ceil(4) as i64
}
