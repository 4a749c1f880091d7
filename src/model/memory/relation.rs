//! What people say of two entries: that one takes the place of the other, that both can't be true, or that both hold.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{HealthEntry, Source};
use crate::model::Timestamp;

/// Relations that an entry has at most.
pub const MAX_RELATIONS: usize = 64;

/// What is said of two entries. One thing at a time: what is said later replaces it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RelationKind {
    /// The first takes the place of the second, which stays and is found behind it.
    #[default]
    Supersedes,
    /// Both can't be true; somebody has to decide.
    Contradicts,
    /// Both hold, however alike they look.
    Agrees,
}

impl RelationKind {
    /// As stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Supersedes => "supersedes",
            Self::Contradicts => "contradicts",
            Self::Agrees => "agrees",
        }
    }

    /// Reads [`RelationKind::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Supersedes, Self::Contradicts, Self::Agrees].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// What is to be said of an entry and another. Unknown fields are refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RelationDraft {
    /// What.
    pub kind: RelationKind,
    /// Where the other stands.
    pub namespace: String,
    /// Its key.
    pub key: String,
}

/// How an entry stands to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RelationWay {
    /// It takes the place of the other.
    Supersedes,
    /// The other takes its place.
    SupersededBy,
    /// Both can't be true.
    Contradicts,
    /// Both hold.
    Agrees,
}

/// What is said of an entry and another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Relation {
    /// How the entry stands to the other.
    pub way: RelationWay,
    /// The other.
    pub other: HealthEntry,
    /// Who said it.
    pub by: Source,
    /// When.
    pub at: Timestamp,
}

/// Two entries that can't both be true.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Contradiction {
    /// One of them.
    pub one: HealthEntry,
    /// The other.
    pub other: HealthEntry,
    /// Who said it.
    pub by: Source,
    /// When.
    pub at: Timestamp,
}
