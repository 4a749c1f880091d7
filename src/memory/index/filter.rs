//! What may be found at all.

use super::{Index, Light, Slot};
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
    /// Written by: `user`, `user:NAME`, `run`, `run:ID`, `import`, `import:NAME` or `cli`.
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

/// The entries that who asks may read: words are as rare, and stand for as much, as if there were no others.
pub(super) struct Seen {
    /// Whether the entry of a slot is one of them.
    pub slots: Vec<bool>,
    /// How many they are.
    pub entries: u32,
}

impl Index {
    /// The entries that are within reach; `None` where nothing is hidden.
    pub(super) fn seen(&self, reach: &Reach) -> Option<Seen> {
        if !reach.hides() {
            return None;
        }
        let namespaces: Vec<bool> = self.namespaces.names.iter().map(|name| reach.may_read(name)).collect();
        let is_seen = |(slot, light): (&Slot, &Light)| light.alive && namespaces[slot.namespace as usize];
        let slots: Vec<bool> = self.slots.iter().zip(&self.lights).map(is_seen).collect();
        let entries = slots.iter().filter(|is_seen| **is_seen).count() as u32;
        Some(Seen { slots, entries })
    }
}
