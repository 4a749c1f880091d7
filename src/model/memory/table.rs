//! Entries as lines of a table: in which order, and what a line says.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Entry, Source, Trust};
use crate::model::{EntryId, Timestamp};

/// What lines are sorted by. Content, value and metadata rest encrypted, so nothing is sorted by them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EntrySort {
    /// The key, byte by byte.
    Key,
    /// The namespace, byte by byte.
    Namespace,
    /// When it was changed last.
    #[default]
    Changed,
    /// When it was written first.
    Created,
    /// The importance.
    Importance,
    /// How often it was opened, or given by a search.
    Reads,
    /// Characters of its content.
    Size,
    /// Where its newest version came from: the command line, runs by their step, people by their name.
    Source,
}

impl EntrySort {
    /// Everything that lines can be sorted by.
    pub const ALL: [Self; 8] = [
        Self::Key,
        Self::Namespace,
        Self::Changed,
        Self::Created,
        Self::Importance,
        Self::Reads,
        Self::Size,
        Self::Source,
    ];

    /// As written in an address.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Namespace => "namespace",
            Self::Changed => "changed",
            Self::Created => "created",
            Self::Importance => "importance",
            Self::Reads => "reads",
            Self::Size => "size",
            Self::Source => "source",
        }
    }

    /// As the head of a column says it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Key => "Key",
            Self::Namespace => "Namespace",
            Self::Changed => "Changed",
            Self::Created => "Created",
            Self::Importance => "Importance",
            Self::Reads => "Reads",
            Self::Size => "Size",
            Self::Source => "Written by",
        }
    }

    /// Whether one wants the largest first: the newest, the most read.
    pub const fn is_largest_first(self) -> bool {
        matches!(self, Self::Changed | Self::Created | Self::Importance | Self::Reads | Self::Size)
    }
}

/// In which order lines stand; those that are the same by it stand by their ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub struct EntryOrder {
    /// By what.
    pub by: EntrySort,
    /// Largest first.
    pub descending: bool,
}

impl Default for EntryOrder {
    fn default() -> Self {
        Self { by: EntrySort::Changed, descending: true }
    }
}

impl EntryOrder {
    /// As written in an address: `key`, or `-key` for the largest first.
    pub fn text(self) -> String {
        format!("{}{}", if self.descending { "-" } else { "" }, self.by.as_str())
    }

    /// Reads [`EntryOrder::text`] back; changed last first where nothing is written.
    ///
    /// # Errors
    /// What was expected, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let (descending, name) = text.strip_prefix('-').map_or((false, text), |name| (true, name));
        let by = EntrySort::ALL.into_iter().find(|by| by.as_str() == name);
        by.map(|by| Self { by, descending }).ok_or_else(|| {
            let names: Vec<&str> = EntrySort::ALL.into_iter().map(EntrySort::as_str).collect();
            format!("expected one of {}, with - before it for the largest first", names.join(", "))
        })
    }

    /// What a press on the head of a column makes of this: the other way round, or that column in the way one wants it.
    #[must_use]
    pub fn pressed(self, by: EntrySort) -> Self {
        let descending = if self.by == by { !self.descending } else { by.is_largest_first() };
        Self { by, descending }
    }
}

/// An entry as a line of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EntryLine {
    /// Its id; stays through all versions.
    pub id: EntryId,
    /// A `/`-path.
    pub namespace: String,
    /// Unique in the namespace.
    pub key: String,
    /// The value for `If-Match`.
    pub version: i64,
    /// How its content begins, at most 160 characters, in one line.
    pub excerpt: String,
    /// Sorted, without repeats.
    pub tags: Vec<String>,
    /// 0..=1.
    pub importance: f64,
    /// How often it was opened, or given by a search.
    pub reads: i64,
    /// Characters of its content.
    pub chars: i64,
    /// Where its newest version came from.
    pub source: Source,
    /// Who its words came from.
    pub trust: Trust,
    /// When its first version was written.
    pub created_at: Timestamp,
    /// When its newest version was written.
    pub updated_at: Timestamp,
    /// After this it is gone.
    pub expires_at: Option<Timestamp>,
    /// How many texts stand beside it that nobody has merged.
    pub siblings: i64,
    /// Since when another entry takes its place, where one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superseded_at: Option<Timestamp>,
    /// Why it can't be decrypted; then the excerpt is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<String>,
}

/// Characters of an entry that its line shows.
const EXCERPT_CHARS: usize = 160;

impl EntryLine {
    /// The line of an entry.
    pub fn of(entry: Entry, reads: i64, chars: i64) -> Self {
        Self {
            id: entry.id,
            namespace: entry.namespace,
            key: entry.key,
            version: entry.version,
            excerpt: one_line(&entry.content),
            tags: entry.tags,
            importance: entry.importance,
            reads,
            chars,
            source: entry.source,
            trust: entry.trust,
            created_at: entry.created_at,
            updated_at: entry.updated_at,
            expires_at: entry.expires_at,
            siblings: entry.siblings,
            superseded_at: entry.superseded_at,
            unreadable: entry.unreadable,
        }
    }
}

/// How a text begins, with single spaces for whatever parts its words.
fn one_line(text: &str) -> String {
    // What is longer than this in bytes has more characters than are shown, however it is spaced in sensible texts.
    let begin: String = text.chars().take(4 * EXCERPT_CHARS).collect();
    let words: Vec<&str> = begin.split_whitespace().collect();
    words.join(" ").chars().take(EXCERPT_CHARS).collect()
}

/// A page of lines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EntryTable {
    /// In the order that was asked for.
    pub items: Vec<EntryLine>,
    /// The cursor of the next page; `null` on the last one.
    pub next: Option<String>,
    /// How many lines all pages have together; on the first page alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_reads_back_from_an_address() {
        for by in EntrySort::ALL {
            for descending in [true, false] {
                let order = EntryOrder { by, descending };
                assert_eq!(EntryOrder::parse(&order.text()), Ok(order));
            }
        }
        assert_eq!(EntryOrder::parse(""), Ok(EntryOrder::default()));
        assert!(EntryOrder::parse("content").unwrap_err().contains("expected one of key, namespace"));
    }

    #[test]
    fn a_press_turns_the_order_or_takes_the_column_as_one_wants_it() {
        let changed = EntryOrder::default();
        assert!(!changed.pressed(EntrySort::Changed).descending);
        assert_eq!(changed.pressed(EntrySort::Key), EntryOrder { by: EntrySort::Key, descending: false });
        assert_eq!(changed.pressed(EntrySort::Reads), EntryOrder { by: EntrySort::Reads, descending: true });
    }

    #[test]
    fn an_excerpt_is_one_line() {
        assert_eq!(one_line("# Title\n\n  two   words\t"), "# Title two words");
        assert_eq!(one_line(&"ä".repeat(500)).chars().count(), 160);
    }
}
