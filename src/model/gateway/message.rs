//! What a conversation is made of.

use std::fmt::{self, Write};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// Fields that only the dialect they were written in knows, as they were sent.
pub type Extra = Map<String, Value>;

/// What programs speak to the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// Anthropic Messages.
    Anthropic,
    /// OpenAI Chat Completions, which many others speak too.
    OpenAi,
    /// OpenAI Responses.
    Responses,
}

impl Dialect {
    /// As people call it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Anthropic => "Anthropic Messages",
            Self::OpenAi => "OpenAI Chat Completions",
            Self::Responses => "OpenAI Responses",
        }
    }
}

/// What the gateway speaks to a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wire {
    /// Anthropic Messages.
    Anthropic,
    /// OpenAI Chat Completions.
    OpenAi,
    /// OpenAI Responses.
    Responses,
    /// Ollama's own.
    Ollama,
}

impl Wire {
    /// The dialect that what only this wire knows belongs to. Of Ollama's answers nothing is kept beside what all know, so that
    /// they are as good as Chat Completions.
    pub const fn dialect(self) -> Dialect {
        match self {
            Self::Anthropic => Dialect::Anthropic,
            Self::OpenAi | Self::Ollama => Dialect::OpenAi,
            Self::Responses => Dialect::Responses,
        }
    }
}

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The person, or the program in their place; also what tools gave.
    User,
    /// The model.
    Assistant,
    /// Whoever set the task, in the middle of the conversation. What stands before it is [`super::Request::system`].
    System,
}

/// One turn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// In order; may be empty.
    pub content: Vec<Block>,
    /// What only its own dialect knows, such as a participant's name.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub extra: Extra,
}

impl Message {
    /// A turn of one text.
    pub fn text(role: Role, text: impl Into<String>) -> Self {
        Self { role, content: vec![Block::text(text)], extra: Extra::new() }
    }
}

/// How long a marked prefix is kept by the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CacheTtl {
    /// Five minutes.
    Minutes5,
    /// An hour.
    Hour,
}

/// A mark: the provider may keep everything up to here for the next call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CacheMark {
    /// `None` is the provider's default.
    pub ttl: Option<CacheTtl>,
}

/// Where a picture is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum ImageSource {
    /// In the message.
    Base64 {
        /// Such as `image/png`.
        media_type: String,
        /// Standard base64.
        data: String,
    },
    /// Fetched by the provider.
    Url {
        /// An https URL.
        url: String,
    },
}

/// A piece of a turn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum Block {
    /// Words.
    Text {
        /// The words.
        text: String,
        /// Whether the prefix up to here is worth keeping.
        cache: Option<CacheMark>,
        /// Such as citations.
        extra: Extra,
    },
    /// A picture.
    Image {
        /// Where it is.
        source: ImageSource,
        /// Whether the prefix up to here is worth keeping.
        cache: Option<CacheMark>,
        /// Such as `detail`.
        extra: Extra,
    },
    /// The model wants a tool used.
    ToolUse {
        /// By which the result refers to it.
        id: String,
        /// Which tool.
        name: String,
        /// An object. A text is what the model wrote where that is not JSON.
        input: Value,
        /// Whether the prefix up to here is worth keeping.
        cache: Option<CacheMark>,
        /// Such as who called.
        extra: Extra,
    },
    /// What a tool gave.
    ToolResult {
        /// Of which use.
        tool_use_id: String,
        /// Texts and pictures.
        content: Vec<Self>,
        /// Whether the tool failed.
        is_error: bool,
        /// Whether the prefix up to here is worth keeping.
        cache: Option<CacheMark>,
        /// What only its own dialect knows.
        extra: Extra,
    },
    /// What the model thought before it answered.
    Thinking {
        /// The thoughts.
        text: String,
        /// The provider's proof that they are its own, needed to send them back.
        signature: Option<String>,
    },
    /// Thoughts that the provider keeps to itself, to be sent back as they are.
    RedactedThinking {
        /// Opaque.
        data: String,
    },
    /// The model declined, in words.
    Refusal {
        /// The words.
        text: String,
    },
    /// A kind of block that only the dialect it came in knows.
    Native {
        /// As it was sent.
        value: Value,
    },
}

impl Block {
    /// Words, and nothing beside them.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into(), cache: None, extra: Extra::new() }
    }

    /// As errors name it.
    pub fn kind(&self) -> &str {
        match self {
            Self::Text { .. } => "text",
            Self::Image { .. } => "image",
            Self::ToolUse { .. } => "tool_use",
            Self::ToolResult { .. } => "tool_result",
            Self::Thinking { .. } => "thinking",
            Self::RedactedThinking { .. } => "redacted_thinking",
            Self::Refusal { .. } => "refusal",
            Self::Native { value } => value.get("type").and_then(Value::as_str).unwrap_or("unknown"),
        }
    }

    /// Characters of text in it, for estimates.
    pub fn chars(&self) -> u64 {
        match self {
            Self::Text { text, .. } | Self::Thinking { text, .. } | Self::Refusal { text } => count(text),
            Self::ToolUse { name, input, .. } => count(name) + json_chars(input),
            Self::ToolResult { content, .. } => content.iter().map(Self::chars).sum(),
            Self::Native { value } => json_chars(value),
            Self::Image { .. } | Self::RedactedThinking { .. } => 0,
        }
    }
}

fn count(text: &str) -> u64 {
    text.chars().count() as u64
}

/// Characters of a value's JSON, which is not kept: a request may have megabytes of it, and is weighed more than once.
fn json_chars(value: &Value) -> u64 {
    struct Chars(u64);
    impl Write for Chars {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0 += count(text);
            Ok(())
        }
    }
    let mut chars = Chars(0);
    // Counting takes everything.
    let _ = write!(chars, "{value}");
    chars.0
}
