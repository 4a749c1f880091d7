//! What was learned when.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{EntryName, Source, Trust};
use crate::model::Timestamp;

/// Something that was learned: a version of an entry, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Learned {
    /// A `/`-path.
    pub namespace: String,
    /// Unique in the namespace.
    pub key: String,
    /// 1 is when the entry was learned first.
    pub version: i64,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub source: Source,
    /// Which agent it was, where an agent wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Who its words came from.
    pub trust: Trust,
    /// How its content begins, at most 240 characters; absent when this version deleted the entry.
    pub excerpt: Option<String>,
    /// Why this version can't be decrypted; then the excerpt is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<String>,
    /// The conversation or document that the entry belonged to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The key under which it was to be written, where it said nearly the same as this entry and became a version of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_from: Option<String>,
    /// The entry that takes the place of this one, where somebody said so since this version was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superseded_by: Option<EntryName>,
    /// What took its place; absent while its words stand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superseded: Option<Superseded>,
}

/// The version that took the place of another: the next one with other words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Superseded {
    /// Its number.
    pub version: i64,
    /// When.
    pub at: Timestamp,
    /// Whether it deleted the entry.
    pub deleted: bool,
}
