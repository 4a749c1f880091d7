//! What in a memory may need somebody.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Contradiction, Trust};
use crate::model::Timestamp;

/// What in a memory may need somebody. Each list has at most 50 entries; what is in quarantine stands in its own list alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MemoryHealth {
    /// Entries, without those in quarantine.
    pub entries: i64,
    /// Entries among which copies were looked for: those changed last.
    pub compared: i64,
    /// Entries of one namespace that say nearly the same, the most alike first.
    pub duplicates: Vec<Alike>,
    /// Entries of which somebody said that both can't be true, and nobody has decided yet; the last said first.
    #[serde(default)]
    pub contradictions: Vec<Contradiction>,
    /// Pairs of one namespace that say nearly the same but for a number, a date or a negation, the most alike first, among those compared.
    #[serde(default)]
    pub doubtful: Vec<Doubtful>,
    /// Entries that say little or nothing, changed last first, among those compared.
    #[serde(default)]
    pub poor: Vec<Poor>,
    /// Written more than 30 days ago, and opened by nobody nor given by any search since reads are noted; the oldest change first,
    /// among the 10,000 of them that were changed the longest ago.
    #[serde(default)]
    pub never_read: Vec<HealthEntry>,
    /// Not changed for 180 days, the oldest change first.
    pub stale: Vec<HealthEntry>,
    /// Of more than 30,000 characters, the longest first, among the 10,000 that were changed last.
    pub oversized: Vec<HealthEntry>,
    /// Gone within seven days, the first to go first.
    pub expiring: Vec<HealthEntry>,
    /// Entries that can't be decrypted, among those compared, changed last first.
    #[serde(default)]
    pub unreadable: Vec<HealthEntry>,
    /// In quarantine, changed last first.
    pub quarantined: Vec<HealthEntry>,
}

/// Entries that say nearly the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Alike {
    /// How alike the two least alike neighbours of them are, 0..=1.
    pub likeness: f64,
    /// Two or more, changed last first.
    pub entries: Vec<HealthEntry>,
}

/// Two entries that may contradict each other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Doubtful {
    /// How alike they are but for what they differ in, 0..=1.
    pub likeness: f64,
    /// What they differ in.
    pub differs: Vec<Difference>,
    /// The one that changed last.
    pub newer: HealthEntry,
    /// The other.
    pub older: HealthEntry,
}

/// What two texts that say nearly the same differ in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = DoubtfulDifference)]
pub struct Difference {
    /// In what.
    pub kind: DifferenceKind,
    /// The words that only the newer has; at most 5, without marks and in lower case.
    pub newer: Vec<String>,
    /// The words that only the older has.
    pub older: Vec<String>,
}

/// In what two texts differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DoubtfulDifferenceKind)]
pub enum DifferenceKind {
    /// A number.
    Number,
    /// A year, a month or a day of the week.
    Date,
    /// A word that turns what is said around: "not", "never", "without".
    Negation,
}

impl DifferenceKind {
    /// In a word.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Number => "a number",
            Self::Date => "a date",
            Self::Negation => "a negation",
        }
    }
}

/// An entry that says little or nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Poor {
    /// Which one.
    pub entry: HealthEntry,
    /// Why.
    pub flaw: Flaw,
}

/// Why an entry says little or nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Flaw {
    /// No text and no value.
    Empty,
    /// Fewer than 12 characters, and no value.
    Short,
    /// A link and nothing about what is behind it.
    Link,
    /// Signs that stand for lost ones, text that was read in a wrong encoding, or data in place of words.
    Garbled,
}

impl Flaw {
    /// In words, behind "it".
    pub const fn label(self) -> &'static str {
        match self {
            Self::Empty => "is empty",
            Self::Short => "is very short",
            Self::Link => "is only a link",
            Self::Garbled => "is garbled",
        }
    }
}

/// An entry, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HealthEntry {
    /// A `/`-path.
    pub namespace: String,
    /// Unique in the namespace.
    pub key: String,
    /// The value for `If-Match`.
    pub version: i64,
    /// How its content begins, at most 240 characters.
    pub excerpt: String,
    /// Characters of its content.
    pub chars: i64,
    /// Who its words came from.
    pub trust: Trust,
    /// When its newest version was written.
    pub updated_at: Timestamp,
    /// After this it is gone.
    pub expires_at: Option<Timestamp>,
    /// Why it can't be decrypted; then the excerpt is empty and nothing is known of its text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<String>,
}
