//! What was asked and answered, where a workspace keeps it: as it left and came, with placeholders for what was masked.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::message::{Block, ImageSource, Message, Role};
use super::request::{Request, Tool};
use super::response::Response;
use crate::model::Timestamp;

/// Bytes of JSON of a request that are kept, and of an answer.
pub const MAX_CONTENT: usize = 256 << 10;
/// Days for which contents may be kept.
pub const MAX_CONTENT_DAYS: u32 = 90;

/// Of which calls what was asked and answered is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Contents {
    /// Of none.
    #[default]
    None,
    /// Of those that failed or broke off.
    Failed,
    /// Of all.
    All,
}

impl Contents {
    /// Every choice.
    pub const ALL: [Self; 3] = [Self::None, Self::Failed, Self::All];

    /// As stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Failed => "failed",
            Self::All => "all",
        }
    }

    /// As a person reads it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::None => "Of no call",
            Self::Failed => "Of calls that failed or broke off",
            Self::All => "Of every call",
        }
    }

    /// Reads [`Contents::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|contents| contents.as_str() == text)
    }
}

/// What is kept of calls beside their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Keeping {
    /// Of which.
    pub contents: Contents,
    /// For how many days, 1 to 90.
    #[schema(minimum = 1, maximum = 90)]
    pub days: u32,
}

impl Default for Keeping {
    fn default() -> Self {
        Self { contents: Contents::None, days: 7 }
    }
}

/// What was asked: of a long conversation the end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AskedContent {
    /// The task.
    pub system: Vec<Block>,
    /// The conversation, oldest first. Pictures are there without their data.
    pub messages: Vec<Message>,
    /// The names of the tools.
    pub tools: Vec<String>,
    /// How many of the first messages were left out.
    pub dropped: u32,
}

impl AskedContent {
    /// What is kept of a request, so that its JSON is at most `limit` bytes: without the data of pictures, and without the first
    /// messages, or the task, where it is too long.
    pub fn of(request: &Request, limit: usize) -> Self {
        let mut kept = Self {
            system: request.system.clone(),
            messages: request.messages.clone(),
            tools: request.tools.iter().map(tool_name).collect(),
            dropped: 0,
        };
        let turns = kept.messages.iter_mut().flat_map(|message| &mut message.content);
        kept.system.iter_mut().chain(turns).for_each(without_data);
        let size = |of: &[Message]| of.iter().map(length).sum::<usize>();
        let mut room = limit.saturating_sub(length(&kept.tools) + 64);
        if length(&kept.system) > room / 2 {
            kept.system = vec![Block::text("(too long to be kept)")];
        }
        room = room.saturating_sub(length(&kept.system));
        let mut over = size(&kept.messages).saturating_sub(room);
        while over > 0 && !kept.messages.is_empty() {
            over = over.saturating_sub(length(&kept.messages.remove(0)));
            kept.dropped += 1;
        }
        kept
    }
}

fn length(value: &impl Serialize) -> usize {
    serde_json::to_string(value).map_or(0, |text| text.len() + 1)
}

fn tool_name(tool: &Tool) -> String {
    match tool {
        Tool::Function { name, .. } => name.clone(),
        Tool::Native { value } => value.get("type").and_then(Value::as_str).unwrap_or("unknown").to_owned(),
    }
}

fn without_data(block: &mut Block) {
    match block {
        Block::Image { source: ImageSource::Base64 { data, .. }, .. } => data.clear(),
        Block::ToolResult { content, .. } => content.iter_mut().for_each(without_data),
        _ => {}
    }
}

/// What was answered, or a part of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnswerContent {
    /// In order.
    pub content: Vec<Block>,
    /// Whether that is all.
    pub is_whole: bool,
}

impl AnswerContent {
    /// What is kept of an answer: blocks as long as there is room for them.
    pub fn of(response: &Response, limit: usize) -> Self {
        let mut room = limit.saturating_sub(64);
        let mut content = Vec::new();
        for block in response.blocks() {
            room = match room.checked_sub(length(block)) {
                Some(room) => room,
                None => return Self { content, is_whole: false },
            };
            content.push(block.clone());
        }
        Self { content, is_whole: true }
    }
}

/// What was asked and answered in a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CallContent {
    /// What was asked: `system`, `messages`, `tools` by name, and how many of the first messages were `dropped`.
    #[schema(value_type = Object)]
    pub request: AskedContent,
    /// What was answered: `content`, and whether it `is_whole`; absent where nothing came.
    #[schema(value_type = Option<Object>)]
    pub answer: Option<AnswerContent>,
    /// When it is forgotten.
    pub expires_at: Timestamp,
}

/// A block in words, for people.
pub fn block_words(block: &Block) -> String {
    match block {
        Block::Text { text, .. } | Block::Refusal { text } => text.clone(),
        Block::Thinking { text, .. } => format!("(thought) {text}"),
        Block::RedactedThinking { .. } => "(sealed thoughts)".to_owned(),
        Block::Image { .. } => "(a picture)".to_owned(),
        Block::ToolUse { name, input, .. } => format!("{name} {input}"),
        Block::ToolResult { content, is_error, .. } => {
            let words = content.iter().map(block_words).collect::<Vec<_>>().join("\n");
            if *is_error { format!("(the tool failed) {words}") } else { words }
        }
        Block::Native { value } => value.to_string(),
    }
}

/// Who speaks, in a word.
pub const fn role_word(role: Role) -> &'static str {
    match role {
        Role::User => "user",
        Role::Assistant => "assistant",
        Role::System => "system",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::gateway::{Dialect, Extra};

    fn long(turns: usize) -> Request {
        let mut request = Request::new(Dialect::OpenAi, "m");
        request.system = vec![Block::text("You weave.")];
        request.messages =
            (0..turns).map(|turn| Message::text(Role::User, format!("{turn} {}", "x".repeat(1000)))).collect();
        request
    }

    #[test]
    fn of_a_long_conversation_the_end_is_kept() {
        let request = long(20);
        let kept = AskedContent::of(&request, 5_000);
        assert!(serde_json::to_string(&kept).unwrap().len() <= 5_000);
        assert_eq!(kept.messages.last(), request.messages.last());
        assert_eq!(kept.dropped as usize + kept.messages.len(), 20);
        assert_eq!(kept.system, request.system);
        assert_eq!(AskedContent::of(&request, MAX_CONTENT).dropped, 0);
    }

    #[test]
    fn a_message_that_is_too_long_by_itself_is_left_out() {
        let kept = AskedContent::of(&long(1), 500);
        assert_eq!((kept.messages.len(), kept.dropped), (0, 1));
        let mut request = long(0);
        request.system = vec![Block::text("x".repeat(1000))];
        assert!(serde_json::to_string(&AskedContent::of(&request, 500)).unwrap().len() <= 500);
    }

    #[test]
    fn pictures_are_kept_without_their_data() {
        let mut request = long(1);
        let source = ImageSource::Base64 { media_type: "image/png".into(), data: "AAAA".into() };
        request.messages[0].content.push(Block::Image { source, cache: None, extra: Extra::new() });
        let kept = AskedContent::of(&request, MAX_CONTENT);
        assert!(!serde_json::to_string(&kept).unwrap().contains("AAAA"));
        assert_eq!(block_words(&kept.messages[0].content[1]), "(a picture)");
    }
}
