//! Which entries a list shows, and what it gives.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Entry, Trust};
use crate::model::Timestamp;

/// Which entries a list shows. Unknown fields are refused; empty texts and lists mean any.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EntryFilter {
    /// This namespace and all below it.
    pub namespace: String,
    /// Keys that begin with this.
    pub prefix: String,
    /// Entries with this tag.
    pub tag: String,
    /// Entries with one of these labels.
    pub trust: Vec<Trust>,
    /// Those in quarantine, in place of all others.
    pub quarantined: bool,
    /// As they stood then; absent means now.
    pub as_of: Option<Timestamp>,
}

/// A page of entries, changed last first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Entries {
    /// In the order of the list.
    pub items: Vec<Entry>,
    /// The cursor of the next page; `null` on the last one.
    pub next: Option<String>,
    /// With `as_of`: how many entries of the namespace changed so often since that the version of then is not kept. They are
    /// not in the list, nor is it known whether they would be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown: Option<i64>,
}
