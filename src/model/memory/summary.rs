//! Summaries of entries by a model: what is asked, what it would cost, and the ways between a summary and its originals.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Entry, Trust};
use crate::model::Timestamp;

/// Entries that one summary is made of, at most.
pub const MAX_SUMMARY_SOURCES: usize = 200;

/// Which entries are to be summarized, by whom, and where the summary goes. Unknown fields are refused.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SummaryDraft {
    /// The entries of this namespace and all below it; the summary stands in it.
    pub namespace: String,
    /// Only those of this group.
    #[serde(default)]
    pub group: Option<String>,
    /// Only these keys of the namespace itself; empty means all. At most 200.
    #[serde(default)]
    pub keys: Vec<String>,
    /// Only what was not changed since.
    #[serde(default)]
    pub unchanged_since: Option<Timestamp>,
    /// A route or `provider/model`; empty means the default route.
    #[serde(default)]
    pub model: String,
    /// The summary's key; absent: `summary`, or `summary-` and the group.
    #[serde(default)]
    pub key: Option<String>,
}

/// An entry that a summary is made of, or a summary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SummaryLink {
    /// Where it stands.
    pub namespace: String,
    /// Its key.
    pub key: String,
    /// The version that the summary was made of.
    pub version: i64,
    /// Whether that is the newest still.
    pub is_current: bool,
}

/// What a summary would be made of, and what it would cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SummaryEstimate {
    /// The entries, in the order in which they are read.
    pub sources: Vec<SummaryLink>,
    /// The summary's key.
    pub key: String,
    /// Characters that are read.
    pub chars: u64,
    /// Calls of the model.
    pub calls: u32,
    /// Tokens that are read and written at most, as far as they can be told before.
    pub read_tokens: i64,
    pub written_tokens: i64,
    /// Who would be asked, as `provider/model`; absent when nobody can be.
    pub model: Option<String>,
    /// Millionths of a US dollar; absent when the model has no price.
    pub cost_micros: Option<i64>,
    /// Why nobody can be asked.
    pub refused: Option<String>,
    /// The label that the summary gets: that of a model, or the lowest of its sources.
    pub trust: Trust,
    /// Whether these versions have a summary by this name already, which would be given without a call.
    pub exists: bool,
}

/// A summary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Summarized {
    /// What the model wrote.
    pub text: String,
    /// The entry, where the summary is kept.
    pub entry: Option<Entry>,
    /// Whether a model was asked for it now.
    pub is_new: bool,
    /// What that cost, in millionths of a US dollar; absent when nobody was asked or the model has no price.
    pub cost_micros: Option<i64>,
}

/// The ways between an entry and its summaries.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct SummaryLinks {
    /// What the entry was made of, if it is a summary.
    pub sources: Vec<SummaryLink>,
    /// The summaries that were made of it; `version` is that of the entry.
    pub summaries: Vec<SummaryLink>,
}
