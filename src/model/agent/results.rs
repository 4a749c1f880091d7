//! How an agent did: over time, and each of its versions.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::Timestamp;
use crate::model::dashboard::Period;

/// What became of the tasks of an agent that began in a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AgentResults {
    /// The span that was asked for.
    pub period: Period,
    /// When this was counted.
    pub at: Timestamp,
    /// Tasks that were counted.
    pub tasks: i64,
    /// Whether older tasks of the period are not counted: only its newest 10,000 are.
    pub is_cut: bool,
    /// Oldest first, without gaps.
    pub buckets: Vec<AgentBucket>,
    /// Of each version that began a task in the period, the newest first.
    pub versions: Vec<VersionResults>,
}

/// What became of the tasks that began in one stretch of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AgentBucket {
    /// When it begins.
    pub from: Timestamp,
    /// Tasks that are done.
    pub done: i64,
    /// Tasks that failed.
    pub failed: i64,
    /// Tasks that nobody wanted any more.
    pub cancelled: i64,
    /// Tasks that are not over.
    pub open: i64,
    /// Millionths of a US dollar, of all of them.
    pub cost_micros: i64,
}

/// How one version of an agent did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VersionResults {
    /// Its number.
    pub version: i64,
    /// Tasks that are done.
    pub done: i64,
    /// Tasks that failed.
    pub failed: i64,
    /// Tasks that nobody wanted any more.
    pub cancelled: i64,
    /// Tasks that are not over.
    pub open: i64,
    /// Millionths of a US dollar, of all of them.
    pub cost_micros: i64,
    /// What a task takes that is done; absent where none is. One that fails early is no cheap one.
    pub median: Option<TaskMedian>,
}

/// The middle of what tasks took, each figure for itself: at least half of them took no more (nearest rank).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TaskMedian {
    /// Calls of the model.
    pub turns: i64,
    /// Tokens, read and written.
    pub tokens: i64,
    /// Millionths of a US dollar.
    pub cost_micros: i64,
    /// Milliseconds from its beginning to its last act, with the time in which it waited.
    pub duration_ms: i64,
}
