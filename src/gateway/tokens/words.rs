//! What of a request is read as words, and what stands around them. Pure, but that it lets others work in between.

use std::fmt::{self, Write};

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

/// Bytes that are copied and written in one go, before others may work.
const STRIDE: usize = 16 * 1024;

/// A request as words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Words {
    /// What is read.
    pub texts: Vec<String>,
    /// Tokens of what stands around it, and of pictures.
    pub around: i64,
    /// Whether there is something in it that nobody can count: pictures, and what only one dialect knows.
    pub is_vague: bool,
    /// How long the texts are, in bytes.
    bytes: usize,
}

/// It is longer than it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct TooLong;

impl Words {
    /// Of a request; `None` where its words are more than `most` bytes. What is too long is not copied beyond that, and whatever else
    /// the thread has to do gets its turn between two strides.
    pub async fn of(request: &Request, most: usize) -> Option<Self> {
        let mut words = Gathering::new(most);
        words.of.around = ANSWER_TOKENS;
        if !request.system.is_empty() {
            words.of.around += MESSAGE_TOKENS;
        }
        for block in &request.system {
            words.add(block).ok()?;
            words.breathe().await;
        }
        for message in &request.messages {
            words.of.around += MESSAGE_TOKENS;
            for block in &message.content {
                words.add(block).ok()?;
                words.breathe().await;
            }
        }
        for tool in &request.tools {
            words.of.around += TOOL_TOKENS;
            words.tool(tool).ok()?;
            words.breathe().await;
        }
        Some(words.of)
    }

    /// Of texts that are read one by one; `None` where they are more than `most` bytes.
    pub fn of_texts(texts: &[String], most: usize) -> Option<Self> {
        let mut words = Gathering::new(most);
        texts.iter().try_for_each(|text| words.text(text)).ok()?;
        Some(words.of)
    }

    /// Of an answer; `None` where it is more than `most` bytes.
    pub fn of_blocks<'a>(mut blocks: impl Iterator<Item = &'a Block>, most: usize) -> Option<Self> {
        let mut words = Gathering::new(most);
        blocks.try_for_each(|block| words.add(block)).ok()?;
        Some(words.of)
    }

    /// How long it is, in bytes.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }
}

/// Words that are being gathered.
struct Gathering {
    of: Words,
    /// Bytes that they may have at most.
    most: usize,
    /// Bytes at which others get their turn.
    stride: usize,
}

impl Gathering {
    fn new(most: usize) -> Self {
        Self { of: Words::default(), most, stride: STRIDE }
    }

    /// Lets others work, once enough has been gathered.
    async fn breathe(&mut self) {
        if self.of.bytes >= self.stride {
            self.stride = self.of.bytes + STRIDE;
            tokio::task::yield_now().await;
        }
    }

    fn add(&mut self, block: &Block) -> Result<(), TooLong> {
        match block {
            Block::Text { text, .. } | Block::Thinking { text, .. } | Block::Refusal { text } => self.text(text),
            Block::ToolUse { name, input, .. } => {
                self.text(name)?;
                self.json(input)
            }
            Block::ToolResult { content, .. } => content.iter().try_for_each(|block| self.add(block)),
            Block::Image { .. } => {
                self.of.around += PICTURE_TOKENS;
                self.of.is_vague = true;
                Ok(())
            }
            Block::RedactedThinking { .. } => {
                self.of.is_vague = true;
                Ok(())
            }
            Block::Native { value } => {
                self.of.is_vague = true;
                self.json(value)
            }
        }
    }

    fn tool(&mut self, tool: &Tool) -> Result<(), TooLong> {
        match tool {
            Tool::Function { name, description, input_schema, .. } => {
                self.text(name)?;
                self.text(description.as_deref().unwrap_or_default())?;
                self.json(input_schema)
            }
            Tool::Native { value } => {
                self.of.is_vague = true;
                self.json(value)
            }
        }
    }

    fn text(&mut self, text: &str) -> Result<(), TooLong> {
        if text.is_empty() {
            return Ok(());
        }
        if text.len() > self.room() {
            return Err(TooLong);
        }
        self.push(text.to_owned());
        Ok(())
    }

    fn json(&mut self, value: &Value) -> Result<(), TooLong> {
        if let Value::String(text) = value {
            return self.text(text);
        }
        let mut line = Line { text: String::new(), room: self.room() };
        write!(line, "{value}").map_err(|_| TooLong)?;
        self.push(line.text);
        Ok(())
    }

    fn room(&self) -> usize {
        self.most - self.of.bytes
    }

    fn push(&mut self, text: String) {
        self.of.bytes += text.len();
        self.of.texts.push(text);
    }
}

/// A text that is written until there is no room for more of it.
struct Line {
    text: String,
    room: usize,
}

impl Write for Line {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        if self.text.len() + more.len() > self.room {
            return Err(fmt::Error);
        }
        self.text.push_str(more);
        Ok(())
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

    async fn words(request: &Request) -> Words {
        Words::of(request, 1024).await.unwrap()
    }

    #[tokio::test]
    async fn a_request_is_its_words_and_what_stands_around_them() {
        let mut request = Request::new(Dialect::OpenAi, "gpt-4o");
        request.system.push(Block::text("You weave."));
        request.messages.push(Message::text(Role::User, "Hello"));
        let words = words(&request).await;
        assert_eq!(words.bytes(), 15);
        assert_eq!((words.texts.as_slice(), words.around), (&["You weave.".to_owned(), "Hello".to_owned()][..], 11));
        assert!(!words.is_vague && at_most(&request) >= 15);
        request.messages[0].content.push(Block::Native { value: json!({"type": "input_audio"}) });
        assert!(self::words(&request).await.is_vague);
    }

    #[tokio::test]
    async fn what_is_too_long_is_let_go_before_it_is_copied() {
        let mut request = Request::new(Dialect::OpenAi, "gpt-4o");
        request.messages.push(Message::text(Role::User, "Hello"));
        assert!(Words::of(&request, 5).await.is_some());
        assert_eq!(Words::of(&request, 4).await, None);
        request.messages[0].content.push(Block::Native { value: json!({"a": "1234567890"}) });
        assert_eq!(Words::of(&request, 21).await, None, "5 and 18 are more");
        assert_eq!(Words::of(&request, 23).await.unwrap().bytes(), 23);
        assert_eq!(Words::of_texts(&["ab".to_owned(), "cd".to_owned()], 3), None);
    }

    #[tokio::test]
    async fn tools_count_as_their_json() {
        let mut request = Request::new(Dialect::OpenAi, "gpt-4o");
        request.tools.push(Tool::Function {
            name: "look".to_owned(),
            description: None,
            input_schema: json!({"type": "object"}),
            strict: None,
            cache: None,
            extra: Extra::new(),
        });
        let words = words(&request).await;
        assert_eq!(words.texts, ["look", r#"{"type":"object"}"#]);
        assert_eq!((words.around, words.is_vague), (7, false));
    }
}
