//! What other weights would change: who has the tasks of the queue, and who would have them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{QueuedStatus, Weights};
use crate::model::{AgentId, QueuedTaskId, Timestamp};

/// The tasks of the queue beside who would have them under other weights. Nothing is given to anybody.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AssignmentPreview {
    /// What it was tried with.
    pub weights: Weights,
    /// Those that were given in the last 24 hours, the newest first, and before them those that wait, the most urgent first. At
    /// most 100 of each.
    pub tasks: Vec<PreviewedTask>,
    /// How many of them would have another agent.
    pub moved: u32,
    /// How many are not shown, of those that were looked for.
    pub omitted: u32,
}

/// A task of the queue under both weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PreviewedTask {
    /// Which.
    pub id: QueuedTaskId,
    /// What is to be done; cut to 300 characters.
    pub prompt: String,
    /// How it stands.
    pub status: QueuedStatus,
    /// When an agent got it; absent for one that waits. What was given goes by what was known then, what waits by what is known
    /// now, as if its turn had come.
    pub given_at: Option<Timestamp>,
    /// Who has it; of one that waits, who would have it under the weights that hold. Absent where nobody may.
    pub now: Option<Pick>,
    /// Who would have it under the others.
    pub then: Option<Pick>,
    /// Why nobody may have it; else empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

impl PreviewedTask {
    /// Whether another agent would have it.
    pub fn has_moved(&self) -> bool {
        self.now.as_ref().map(|pick| pick.agent) != self.then.as_ref().map(|pick| pick.agent)
    }
}

/// Who has a task, or would have it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Pick {
    /// Which.
    pub agent: AgentId,
    /// Its name then.
    pub name: String,
    /// 0 to 1, under the weights in question.
    pub score: f64,
    /// The parts of the score in words.
    pub why: String,
}
