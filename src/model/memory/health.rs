//! What in a memory may need somebody.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Trust;
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
    /// Not changed for 180 days, the oldest change first. Whether they were read is not recorded.
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
