//! What of a stream is held until it has ended, so that it can be counted where its provider does not tell what it took, or it broke
//! off before it could.
//!
//! Most providers tell: so nothing is counted beforehand, and only so much is held that a thousand streams stay small. What is longer
//! is estimated, as it is for models of which no vocabulary is published.

use std::sync::Arc;

use super::words::Words;
use super::{Tokens, count};
use crate::model::gateway::{Block, Delta, Request, Vocabulary};
use crate::runtime::Runtime;

/// Bytes of a request that are held, at most.
const MOST_ASKED: usize = 256 * 1024;
/// Bytes of an answer that are held, at most.
const MOST_WRITTEN: usize = 32 * 1024;

/// What was asked and what came of it so far, as words of a model whose vocabulary is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::gateway) struct Later {
    vocabulary: Vocabulary,
    /// `None` where that is too long to be held.
    asked: Option<Arc<Words>>,
    /// `None` once it has become too long.
    written: Option<String>,
}

/// Which numbers are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::gateway) struct Lacks {
    /// What was read.
    pub input: bool,
    /// What was written.
    pub output: bool,
}

/// What was counted; `None` for what was not wanted, or could not be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::gateway) struct Counted {
    pub input: Option<Tokens>,
    pub output: Option<Tokens>,
}

impl Later {
    /// Of a stream that begins; `None` for a model whose vocabulary is not known. What is asked is copied bit by bit, with others'
    /// work in between, and no further than it may be long.
    pub async fn of(request: &Request, model: &str) -> Option<Self> {
        let vocabulary = Vocabulary::of(model)?;
        let asked = Words::of(request, MOST_ASKED).await.map(Arc::new);
        Some(Self { vocabulary, asked, written: Some(String::new()) })
    }

    /// How much it holds, in bytes: at most 288 KiB.
    pub fn bytes(&self) -> usize {
        self.asked.as_ref().map_or(0, |words| words.bytes()) + self.written.as_ref().map_or(0, String::len)
    }

    /// A piece of the answer has come.
    pub fn see(&mut self, delta: &Delta) {
        match delta {
            Delta::Text { text, .. } | Delta::Thinking { text, .. } => self.write(text),
            Delta::Input { json, .. } => self.write(json),
            Delta::Open { block, .. } => match block {
                Block::Text { text, .. } | Block::Thinking { text, .. } | Block::Refusal { text } => self.write(text),
                Block::ToolUse { name, .. } => self.write(name),
                // Nobody can count these.
                Block::Native { .. } => self.written = None,
                Block::RedactedThinking { .. } | Block::Image { .. } | Block::ToolResult { .. } => {}
            },
            Delta::Start { .. }
            | Delta::Ping
            | Delta::Signature { .. }
            | Delta::Native { .. }
            | Delta::Close { .. }
            | Delta::Stopped { .. }
            | Delta::Stop { .. }
            | Delta::End => {}
        }
    }

    fn write(&mut self, text: &str) {
        if let Some(written) = &mut self.written {
            if written.len() + text.len() > MOST_WRITTEN {
                self.written = None;
            } else {
                written.push_str(text);
            }
        }
    }

    /// Counts what is wanted.
    pub async fn count(&self, runtime: &Runtime, lacks: Lacks) -> Counted {
        let asked = self.asked.clone().filter(|_| lacks.input);
        let written = self.written.as_ref().filter(|_| lacks.output);
        let written = written.and_then(|text| Words::of_texts(std::slice::from_ref(text), MOST_WRITTEN)).map(Arc::new);
        Counted {
            input: count(runtime, self.vocabulary, asked).await,
            output: count(runtime, self.vocabulary, written).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::gateway::{Dialect, Message, Role};

    fn asked(text: &str) -> Request {
        let mut request = Request::new(Dialect::OpenAi, "gpt-4o");
        request.messages.push(Message::text(Role::User, text));
        request
    }

    #[tokio::test]
    async fn it_holds_the_words_of_a_model_whose_vocabulary_is_known() {
        assert_eq!(Later::of(&asked("hello"), "big").await, None);
        let mut later = Later::of(&asked("hello"), "gpt-4o").await.unwrap();
        assert!(later.asked.is_some());
        later.see(&Delta::Text { index: 0, text: "A ".into() });
        later.see(&Delta::Ping);
        later.see(&Delta::Text { index: 0, text: "loom.".into() });
        later.see(&Delta::Input { index: 1, json: "{}".into() });
        assert_eq!(later.written.as_deref(), Some("A loom.{}"));
        assert_eq!(later.bytes(), 14);
    }

    #[tokio::test]
    async fn what_is_too_long_is_let_go() {
        assert_eq!(Later::of(&asked(&"w".repeat(MOST_ASKED + 1)), "gpt-4o").await.unwrap().asked, None);
        let dense = "\u{1f680}".repeat(MOST_ASKED / 4 + 1);
        assert_eq!(Later::of(&asked(&dense), "gpt-4o").await.unwrap().asked, None, "its bytes count");
        let mut later = Later::of(&asked("hello"), "gpt-4o").await.unwrap();
        for _ in 0..=MOST_WRITTEN / 1024 {
            later.see(&Delta::Text { index: 0, text: "w".repeat(1024) });
        }
        assert_eq!(later.written, None);
        later.see(&Delta::Text { index: 0, text: "more".into() });
        assert_eq!(later.written, None, "what came before is gone");
    }
}
