//! Who was given an entry, and why.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Trust;
use crate::model::{RunId, Timestamp};

/// Readers of an entry that are listed; of those before them only the sums are kept.
pub const LISTED_READERS: u32 = 50;

/// Who reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Reader {
    /// A person, by the name that they had then.
    User { name: String },
    /// A step of a run, and the agent that worked at it.
    Run {
        run_id: RunId,
        step: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        agent: Option<String>,
    },
    /// The command line without a server.
    Cli {},
}

/// By which question a search gave an entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Sought {
    /// Its first 200 characters.
    pub query: String,
    /// The entry's place in the answer, 1 is best.
    pub rank: u32,
    /// Its score, unitless, as in the answer.
    pub score: f64,
}

/// What one reader was given of an entry. Within a minute the same counts once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Reading {
    /// Who.
    pub reader: Reader,
    /// How often they opened it.
    pub reads: i64,
    /// How often a search gave it to them.
    pub found: i64,
    /// The version that they were given last.
    pub version: i64,
    /// By which question a search gave it last; only of runs: what people type is not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sought: Option<Sought>,
    /// When first.
    pub first_at: Timestamp,
    /// When last.
    pub last_at: Timestamp,
}

/// Who was given an entry.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct Readers {
    /// The last one first.
    pub items: Vec<Reading>,
    /// Always null: at most 50 are kept.
    pub next: Option<String>,
    /// How often it was opened, also by those that are no longer listed.
    pub reads: i64,
    /// How often a search gave it, also to those that are no longer listed.
    pub found: i64,
    /// Since when that is counted; absent where nobody was given it yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}

/// An entry that a run was given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RunRead {
    /// Where it stands.
    pub namespace: String,
    /// Its key.
    pub key: String,
    /// Who its words come from now.
    pub trust: Trust,
    /// What the run's step was given of it.
    pub reading: Reading,
}
