//! Files of other programs as entries: conversations of ChatGPT and Claude, dumps of mem0, tables as CSV. Pure.
//!
//! A conversation becomes a group, each of its messages an entry at its position. The words of people are theirs, those of models have the
//! label of models. What a file does not say in the way that is expected here is refused with its place, and nothing is guessed.

mod conversations;
mod csv;
mod mem0;

use serde_json::{Map, Value};

use super::Record;
use crate::model::memory::{ImportKind, Trust};

/// Whose file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Foreign {
    /// `conversations.json` of an export of ChatGPT.
    ChatGpt,
    /// `conversations.json` of an export of Claude.
    Claude,
    /// What mem0's `get_all` gives, or its list alone.
    Mem0,
    /// A table with a line of names.
    Csv,
}

impl Foreign {
    /// Whose file a text of JSON is, as far as its first item tells.
    pub fn detect(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        let first = mem0::items(&value)?.first()?;
        match ImportKind::of_item(first)? {
            ImportKind::ChatGpt => Some(Self::ChatGpt),
            ImportKind::Claude => Some(Self::Claude),
            ImportKind::Mem0 => Some(Self::Mem0),
            ImportKind::Jsonl | ImportKind::Csv | ImportKind::Markdown => None,
        }
    }

    /// The namespace of entries that name none.
    pub const fn namespace(self) -> &'static str {
        match self {
            Self::ChatGpt => "imports/chatgpt",
            Self::Claude => "imports/claude",
            Self::Mem0 => "imports/mem0",
            Self::Csv => "imports/csv",
        }
    }

    /// Reads a file: each record with its place in it, for messages.
    ///
    /// # Errors
    /// What is wrong, with its place.
    pub fn read(self, text: &str) -> Result<Vec<(String, Record)>, String> {
        if self == Self::Csv {
            return csv::read(text, self.namespace());
        }
        let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let items = mem0::items(&value).ok_or("expected a list")?;
        match self {
            Self::ChatGpt => conversations::chatgpt(items, self.namespace()),
            Self::Claude => conversations::claude(items, self.namespace()),
            Self::Mem0 | Self::Csv => mem0::read(items, self.namespace()),
        }
    }
}

/// A record with a text and nothing else.
fn bare(namespace: &str, key: String, content: String, trust: Option<Trust>) -> Record {
    Record {
        namespace: namespace.to_owned(),
        key,
        content,
        value: Value::Null,
        tags: Vec::new(),
        metadata: Map::new(),
        importance: None,
        expires_at: None,
        group: None,
        position: None,
        trust,
    }
}

/// A text without what no key can hold, at most so many characters.
fn plain(text: &str, most: usize) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(most).collect();
    plain.trim().to_owned()
}
