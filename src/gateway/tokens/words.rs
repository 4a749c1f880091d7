//! What of a request is read as words, and what stands around them. Pure.

use serde_json::Value;

use crate::model::gateway::{Block, PICTURE_TOKENS, Request, Tool};

/// Tokens around each message: three, and its role.
///
/// Source: OpenAI's cookbook, "How to count tokens with tiktoken".
const MESSAGE_TOKENS: i64 = 4;
/// Tokens that begin the answer; the same source.
const ANSWER_TOKENS: i64 = 3;
/// Tokens around each tool. How tools are written for the model OpenAI does not say: they count as the JSON that they are.
const TOOL_TOKENS: i64 = 4;
/// Bytes of a character at most: so many tokens it has at most, since each has a byte or more.
const MOST_BYTES: i64 = 4;

/// A request as words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Words {
    /// What is read.
    pub texts: Vec<String>,
    /// Tokens of what stands around it, and of pictures.
    pub around: i64,
    /// Whether there is something in it that nobody can count: pictures, and what only one dialect knows.
    pub is_vague: bool,
}

impl Words {
    /// Of a request.
    pub fn of(request: &Request) -> Self {
        let mut words = Self { around: ANSWER_TOKENS, ..Self::default() };
        if !request.system.is_empty() {
            words.around += MESSAGE_TOKENS;
        }
        request.system.iter().for_each(|block| words.add(block));
        for message in &request.messages {
            words.around += MESSAGE_TOKENS;
            message.content.iter().for_each(|block| words.add(block));
        }
        for tool in &request.tools {
            words.around += TOOL_TOKENS;
            words.tool(tool);
        }
        words
    }

    /// How long it is, in bytes.
    pub fn bytes(&self) -> usize {
        self.texts.iter().map(String::len).sum()
    }

    /// Of an answer.
    pub fn of_blocks<'a>(blocks: impl Iterator<Item = &'a Block>) -> Self {
        let mut words = Self::default();
        blocks.for_each(|block| words.add(block));
        words
    }

    fn add(&mut self, block: &Block) {
        match block {
            Block::Text { text, .. } | Block::Thinking { text, .. } | Block::Refusal { text } => self.text(text),
            Block::ToolUse { name, input, .. } => {
                self.text(name);
                self.json(input);
            }
            Block::ToolResult { content, .. } => content.iter().for_each(|block| self.add(block)),
            Block::Image { .. } => {
                self.around += PICTURE_TOKENS;
                self.is_vague = true;
            }
            Block::RedactedThinking { .. } => self.is_vague = true,
            Block::Native { value } => {
                self.json(value);
                self.is_vague = true;
            }
        }
    }

    fn tool(&mut self, tool: &Tool) {
        match tool {
            Tool::Function { name, description, input_schema, .. } => {
                self.text(name);
                self.text(description.as_deref().unwrap_or_default());
                self.json(input_schema);
            }
            Tool::Native { value } => {
                self.json(value);
                self.is_vague = true;
            }
        }
    }

    fn text(&mut self, text: &str) {
        if !text.is_empty() {
            self.texts.push(text.to_owned());
        }
    }

    fn json(&mut self, value: &Value) {
        self.texts.push(match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        });
    }
}

/// Tokens that a request has at most, whatever its vocabulary: quick, and mostly far too many.
pub(super) fn at_most(request: &Request) -> i64 {
    let frames = (request.messages.len() + request.tools.len() + 1) as i64 * MESSAGE_TOKENS + ANSWER_TOKENS;
    let blocks = request.messages.iter().flat_map(|message| &message.content).chain(&request.system);
    let pictures: i64 = blocks.map(count_pictures).sum();
    (request.chars() as i64).saturating_mul(MOST_BYTES) + frames + pictures * PICTURE_TOKENS
}

fn count_pictures(block: &Block) -> i64 {
    match block {
        Block::Image { .. } => 1,
        Block::ToolResult { content, .. } => content.iter().map(count_pictures).sum(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::gateway::{Dialect, Extra, Message, Role};

    #[test]
    fn a_request_is_its_words_and_what_stands_around_them() {
        let mut request = Request::new(Dialect::OpenAi, "gpt-4o");
        request.system.push(Block::text("You weave."));
        request.messages.push(Message::text(Role::User, "Hello"));
        let words = Words::of(&request);
        assert_eq!((words.texts.as_slice(), words.around), (&["You weave.".to_owned(), "Hello".to_owned()][..], 11));
        assert!(!words.is_vague && at_most(&request) >= 15);
        request.messages[0].content.push(Block::Native { value: json!({"type": "input_audio"}) });
        assert!(Words::of(&request).is_vague);
    }

    #[test]
    fn tools_count_as_their_json() {
        let mut request = Request::new(Dialect::OpenAi, "gpt-4o");
        request.tools.push(Tool::Function {
            name: "look".to_owned(),
            description: None,
            input_schema: json!({"type": "object"}),
            strict: None,
            cache: None,
            extra: Extra::new(),
        });
        let words = Words::of(&request);
        assert_eq!(words.texts, ["look", r#"{"type":"object"}"#]);
        assert_eq!((words.around, words.is_vague), (7, false));
    }
}
