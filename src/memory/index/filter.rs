//! What may be found at all.

use crate::model::memory::{Reach, Trust};
use crate::model::{EntryId, Timestamp};

/// What may be found at all; applied before ranking: what is left out takes no part in any signal.
#[derive(Debug, Clone, Default)]
pub(in crate::memory) struct Filter {
    /// This namespace and all below it; empty means all.
    pub namespace: String,
    /// All of these.
    pub tags: Vec<String>,
    /// All of these facts in the metadata.
    pub metadata: Vec<(String, serde_json::Value)>,
    /// Written by: `user`, `user:NAME`, `run`, `run:ID` or `cli`.
    pub source: Option<String>,
    /// With one of these labels; empty means any.
    pub trust: Vec<Trust>,
    /// In this group, of whichever namespace.
    pub group: Option<String>,
    /// Updated at or after.
    pub since: Option<Timestamp>,
    /// Updated before.
    pub until: Option<Timestamp>,
    /// None of these.
    pub without: Vec<EntryId>,
    /// Only in namespaces that who asks may read.
    pub reach: Reach,
}
