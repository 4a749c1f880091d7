//! Changing many entries at once: what is done with each, what came of it, and what takes it back.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Entries that one call changes, or gives whole, at most.
pub const MAX_BULK: usize = 200;
/// Entries that are merged into another by one act, at most.
pub const MAX_MERGE: usize = 20;
/// Bytes of content after which a call gives no further entry.
pub const MAX_EXPORT_BYTES: usize = 4 << 20;

/// What is to be done with entries, one after the other. Unknown fields are refused.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EntryBulk {
    /// 1..=200.
    pub steps: Vec<EntryStep>,
}

/// What is to be done with one entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EntryStep {
    /// Where it stands.
    pub namespace: String,
    /// Its key.
    pub key: String,
    /// The version that was seen: in another one it is left as it is. Absent: whichever stands there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
    /// What is done.
    pub act: EntryAct,
}

/// What is done with an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum EntryAct {
    /// Tags are added and taken away; nothing else of it changes.
    Tag {
        /// Those that it is to have.
        #[serde(default)]
        add: Vec<String>,
        /// Those that it is not to have.
        #[serde(default)]
        remove: Vec<String>,
    },
    /// It goes to another namespace, with its versions and whoever read it.
    Move {
        /// Where it goes; its key stays.
        to: String,
    },
    /// It is set aside.
    Quarantine {
        /// Why, at most 500 characters.
        #[serde(default)]
        reason: String,
    },
    /// It says again what a kept version of it said, as a new version.
    Restore {
        /// Which version, 1 or more.
        to: i64,
    },
    /// It takes in what others say, and takes their place: their texts behind its own, their tags and facts, the highest importance, the
    /// latest expiry, the lowest label. They stay as they are, marked and found behind it.
    Merge {
        /// 1..=20 others, in the order of their texts.
        with: Vec<EntryName>,
    },
    /// What is said of it and another is taken back.
    Unrelate {
        /// The other.
        other: EntryName,
    },
    /// It is let out of quarantine.
    Release {},
    /// It is deleted, and can come back for 30 days.
    Delete {},
    /// It comes back as it was.
    Undelete {},
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct EntryBulkDone {
    /// Entries that are as they were to be.
    pub done: u32,
    /// What takes back all that was changed, in the order in which to do it.
    pub undo: Vec<EntryStep>,
    /// Entries that were left as they are.
    pub refused: Vec<EntryRefusal>,
}

impl EntryBulkDone {
    /// Adds what came of the steps behind these: what was done last is taken back first.
    pub fn join(&mut self, behind: Self) {
        self.done += behind.done;
        self.undo.splice(0..0, behind.undo);
        self.refused.extend(behind.refused);
    }
}

/// An entry that was left as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EntryRefusal {
    /// Where it stands.
    pub namespace: String,
    /// Its key.
    pub key: String,
    /// Why, in words.
    pub reason: String,
}

/// An entry by its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EntryName {
    /// Where it stands.
    pub namespace: String,
    /// Its key.
    pub key: String,
}

/// Entries as a file of lines, as far as an answer holds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct EntryExport {
    /// Lines of JSON, as `weft memory import` reads them.
    pub lines: String,
    /// How many of the asked entries were looked at: from the next one on it has to be asked again.
    pub taken: u32,
    /// Of these, how many were not there any more.
    pub missing: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(key: &str, act: EntryAct) -> EntryStep {
        EntryStep { namespace: "a".to_owned(), key: key.to_owned(), version: Some(1), act }
    }

    #[test]
    fn what_was_done_last_is_taken_back_first() {
        let done =
            |key: &str| EntryBulkDone { done: 1, undo: vec![step(key, EntryAct::Undelete {})], refused: Vec::new() };
        let mut all = done("first");
        all.join(done("second"));
        let keys: Vec<&str> = all.undo.iter().map(|step| step.key.as_str()).collect();
        assert_eq!((all.done, keys), (2, vec!["second", "first"]));
    }

    #[test]
    fn an_act_is_written_by_its_kind_and_unknown_fields_are_refused() {
        let text = serde_json::to_value(step("k", EntryAct::Move { to: "b".to_owned() })).expect("it is JSON");
        assert_eq!(
            text,
            serde_json::json!({"namespace": "a", "key": "k", "version": 1, "act": {"kind": "move", "to": "b"}})
        );
        assert!(serde_json::from_str::<EntryAct>(r#"{"kind": "move", "to": "b", "where": 1}"#).is_err());
        assert!(serde_json::from_str::<EntryAct>(r#"{"kind": "burn"}"#).is_err());
    }
}
