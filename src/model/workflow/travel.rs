//! Time travel as data: where a run was forked from, and what was edited.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::RunStatus;
use crate::model::{RunId, Timestamp};

/// Where a run was forked, and what was edited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forked {
    /// The run whose history was copied.
    pub from_run: RunId,
    /// The newest event of that run that counts here.
    pub from_seq: i64,
    /// Who forked it, if still known.
    #[serde(default)]
    pub by: Option<String>,
    /// The step that was begun again, with all that depends on it; `None` for a fork at an event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restarted: Option<String>,
    /// What was edited, as an expression names it: `inputs`, `steps.fetch.output`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edited: Vec<String>,
}

/// Which runs a run comes from, and which come from it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Lineage {
    /// The run that this one was forked from.
    pub forked_from: Option<Origin>,
    /// The newest runs that were forked from this one, newest first, at most 50.
    pub forks: Vec<Offshoot>,
    /// What was started because it failed, newest first, at most 50.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub handlers: Vec<Handler>,
    /// The step that it was asked to go up to; `None` for a whole run.
    pub until: Option<String>,
}

/// A workflow that is started because a run failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Handler {
    /// Its name or id, as the definition of the failed run has it.
    pub workflow: String,
    /// Its run, once it has begun.
    pub run_id: Option<RunId>,
    /// Why it could not be started.
    pub refused: Option<String>,
}

/// The run that another was forked from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Origin {
    /// Which.
    pub run_id: RunId,
    /// Its newest event that counts in the fork.
    pub seq: i64,
}

/// A run that was forked from another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Offshoot {
    /// Which.
    pub run_id: RunId,
    /// Where it left the source.
    pub seq: i64,
    /// Where it stands.
    pub status: RunStatus,
    /// When it was accepted.
    pub created_at: Timestamp,
}

/// What a command that was given to many runs did to one of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BulkResult {
    /// Which.
    pub run_id: RunId,
    /// Where it stands now; `None` when it was refused.
    pub status: Option<RunStatus>,
    /// Why it was refused.
    pub refused: Option<String>,
}

/// Where a fork begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ForkPoint {
    /// After this event, 1 or more.
    Seq(i64),
    /// From this step, or this item or iteration (`each[3]`): it and what depends on it run again, the rest is kept.
    Step(String),
}

/// What a fork runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ForkOnto {
    /// The definition of the source.
    #[default]
    Same,
    /// A version of the same workflow.
    Version(i64),
    /// The draft of the same workflow, as a test.
    Draft,
}

/// What to fork, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fork {
    /// Where.
    pub from: ForkPoint,
    /// Other inputs; `None` keeps those of the source.
    pub inputs: Option<Value>,
    /// Other outputs of steps that ended before the fork, by their ids.
    pub outputs: BTreeMap<String, Value>,
    /// What the fork runs.
    pub onto: ForkOnto,
}

impl Fork {
    /// At an event, with nothing edited.
    pub const fn at(seq: i64) -> Self {
        Self { from: ForkPoint::Seq(seq), inputs: None, outputs: BTreeMap::new(), onto: ForkOnto::Same }
    }

    /// From the start of a step, with nothing edited.
    pub fn step(id: &str) -> Self {
        Self { from: ForkPoint::Step(id.to_owned()), ..Self::at(1) }
    }
}

/// The step of the root that a path such as `each[3].fetch` stands in.
pub fn root_of(path: &str) -> &str {
    path.split(['[', '.']).next().unwrap_or(path)
}

/// The body that a step stands in directly: `each[3]` of `each[3].fetch`; `None` for a step of the root.
pub fn body_of(path: &str) -> Option<&str> {
    path.rfind("].").map(|at| &path[..=at])
}
