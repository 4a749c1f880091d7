//! Leases: what an agent has to itself or shares with others for a while, so that two don't work at the same thing unawares.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::{AgentId, LeaseId, QueuedTaskId, RunId, Timestamp};

/// Characters of the name of a thing.
pub const MAX_THING_CHARS: usize = 1_000;

/// What sort of thing a lease is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ThingKind {
    /// A file or a folder of the server, by its path in full; a folder covers what lies below.
    File,
    /// A repository of the server, by its path in full, with all that lies below.
    Repository,
    /// Anything that agents have agreed on a name for.
    Name,
}

impl ThingKind {
    /// Every kind, for forms and tests.
    pub const ALL: [Self; 3] = [Self::File, Self::Repository, Self::Name];

    /// As stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Repository => "repository",
            Self::Name => "name",
        }
    }

    /// Reads [`ThingKind::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// What a lease is on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
pub struct Thing {
    /// What sort of thing.
    pub kind: ThingKind,
    /// A path in full without `.`, `..` and slashes too many; or a name in lower case, its blanks single.
    pub name: String,
}

impl Thing {
    /// A file or a folder, by its path in full.
    pub fn file(path: &str) -> Self {
        Self { kind: ThingKind::File, name: clean_path(path) }
    }

    /// A repository, by its path in full.
    pub fn repository(path: &str) -> Self {
        Self { kind: ThingKind::Repository, name: clean_path(path) }
    }

    /// Something that has only a name: the same whatever its case and its blanks.
    pub fn named(name: &str) -> Self {
        let name = name.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
        Self { kind: ThingKind::Name, name }
    }

    /// Whether two are the same, or one lies in the other.
    pub fn overlaps(&self, other: &Self) -> bool {
        if (self.kind == ThingKind::Name) != (other.kind == ThingKind::Name) {
            return false;
        }
        let is_path = self.kind != ThingKind::Name;
        self.name == other.name || (is_path && (is_below(&self.name, &other.name) || is_below(&other.name, &self.name)))
    }

    /// Whether who has this has the other too: it is the same, or lies in it.
    pub fn covers(&self, other: &Self) -> bool {
        let are_names = (self.kind == ThingKind::Name, other.kind == ThingKind::Name);
        match are_names {
            (true, true) => self.name == other.name,
            (false, false) => self.name == other.name || is_below(&other.name, &self.name),
            _ => false,
        }
    }
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            ThingKind::File => write!(f, "{}", self.name),
            ThingKind::Repository => write!(f, "the repository {}", self.name),
            ThingKind::Name => write!(f, "“{}”", self.name),
        }
    }
}

/// Whether a path lies below another.
fn is_below(path: &str, above: &str) -> bool {
    if above == "/" {
        return path != "/";
    }
    path.strip_prefix(above).is_some_and(|rest| rest.starts_with('/'))
}

/// A path in full without `.`, `..` and slashes too many.
fn clean_path(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// How much of a thing one has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LeaseMode {
    /// Others may have it too, who also share it.
    Shared,
    /// Nobody else has it.
    Exclusive,
}

impl LeaseMode {
    /// Both, for forms and tests.
    pub const ALL: [Self; 2] = [Self::Shared, Self::Exclusive];

    /// As stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::Exclusive => "exclusive",
        }
    }

    /// Reads [`LeaseMode::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == text)
    }
}

/// A lease that somebody has, or waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Lease {
    /// Its id.
    pub id: LeaseId,
    /// What it is on.
    pub thing: Thing,
    /// How much of it.
    pub mode: LeaseMode,
    /// Whether its holder has it; else it waits.
    pub is_held: bool,
    /// Since when it has it or, where it waits, since when it waits. It has it until its step ends, or gives it back.
    pub since: Timestamp,
    /// Whose.
    pub agent: AgentId,
    /// The agent's name when it asked.
    pub agent_name: String,
    /// The run in which it works.
    pub run_id: RunId,
    /// The step's path.
    pub step: String,
    /// The task of the queue that it works at, if it is one.
    pub task: Option<QueuedTaskId>,
    /// Whether one of its tools took it by itself.
    pub is_own: bool,
    /// Its place in the queue, 1 for the next; absent where it has it.
    pub position: Option<u32>,
    /// Who keeps it waiting, and by what; empty where it has it.
    pub behind: Vec<Behind>,
}

/// Who keeps another waiting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Behind {
    /// The lease that is in the way.
    pub id: LeaseId,
    /// What that is on.
    pub thing: Thing,
    /// How much of it.
    pub mode: LeaseMode,
    /// Whether its holder has it; else it is earlier in the queue.
    pub is_held: bool,
    /// Whose.
    pub agent_name: String,
    /// The run in which that one works.
    pub run_id: RunId,
}

/// When the tools of an agent take the leases that they need by themselves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TakesLeases {
    /// Where others can reach the same: what writes in a folder of the server has the file, what publishes has the repository.
    #[default]
    WhereShared,
    /// Never: only what the agent asks for.
    Never,
}

impl TakesLeases {
    /// Every way, for forms and tests.
    pub const ALL: [Self; 2] = [Self::WhereShared, Self::Never];

    /// As stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WhereShared => "where_shared",
            Self::Never => "never",
        }
    }

    /// Reads [`TakesLeases::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|takes| takes.as_str() == text)
    }

    /// As on a form.
    pub const fn label(self) -> &'static str {
        match self {
            Self::WhereShared => "Where others reach the same",
            Self::Never => "Only when it asks for them",
        }
    }

    /// Whether it is what an agent does about which nothing is said.
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

/// What is done where an agent would write over what somebody else changed since it read the file.
// Its name in the OpenAPI document is another: `OnConflict` is there what becomes of a write to memory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[schema(as = OnFileConflict)]
#[serde(rename_all = "snake_case")]
pub enum OnConflict {
    /// It is not written; the agent is told to read the file again, and to make its change to what is there.
    #[default]
    Retry,
    /// Both changes are put together where they touch different places; else as `retry`.
    Merge,
    /// A person is asked.
    Ask,
}

impl OnConflict {
    /// Every way, for forms and tests.
    pub const ALL: [Self; 3] = [Self::Retry, Self::Merge, Self::Ask];

    /// As stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Merge => "merge",
            Self::Ask => "ask",
        }
    }

    /// Reads [`OnConflict::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|way| way.as_str() == text)
    }

    /// As on a form.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Retry => "It reads the file again",
            Self::Merge => "Both changes are put together, where they can be",
            Self::Ask => "A person is asked",
        }
    }

    /// Whether it is what is done about which nothing is said.
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

/// What came of a lease with a call of a tool, as the journal keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseNote {
    /// On what.
    pub thing: Thing,
    /// How much of it.
    pub mode: LeaseMode,
    /// Whether the agent has it from now on, or no longer.
    pub is_held: bool,
}

/// What a file was when an agent read or wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenFile {
    /// Its path in the agent's folder, without `.` and slashes too many.
    pub path: String,
    /// BLAKE3 of its content, in hexadecimal digits.
    pub hash: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_stored_as_they_are_called() {
        for takes in TakesLeases::ALL {
            assert_eq!(serde_json::to_value(takes).unwrap(), takes.as_str());
            assert_eq!(TakesLeases::parse(takes.as_str()), Some(takes));
        }
        for way in OnConflict::ALL {
            assert_eq!(serde_json::to_value(way).unwrap(), way.as_str());
            assert_eq!(OnConflict::parse(way.as_str()), Some(way));
        }
        for mode in LeaseMode::ALL {
            assert_eq!(serde_json::to_value(mode).unwrap(), mode.as_str());
        }
        for kind in ThingKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }

    #[test]
    fn what_lies_in_a_folder_or_a_repository_is_covered_and_its_neighbours_are_not() {
        for (a, b, covers, overlaps) in [
            (Thing::file("/srv/loom"), Thing::file("/srv/loom/src/a.rs"), true, true),
            (Thing::file("/srv/loom/src/a.rs"), Thing::file("/srv/loom"), false, true),
            (Thing::file("/srv/loom"), Thing::file("/srv/looms/a.rs"), false, false),
            (Thing::repository("/srv/loom"), Thing::file("/srv/loom/a.rs"), true, true),
            (Thing::file("/srv/loom/./a//b/../c"), Thing::file("/srv/loom/a/c"), true, true),
            (Thing::file("/"), Thing::file("/srv"), true, true),
            (Thing::named("The  Release"), Thing::named("the release"), true, true),
            (Thing::named("/srv"), Thing::named("/srv/loom"), false, false),
            (Thing::named("/srv"), Thing::file("/srv"), false, false),
        ] {
            assert_eq!((a.covers(&b), a.overlaps(&b)), (covers, overlaps), "{a} {b}");
        }
    }
}
