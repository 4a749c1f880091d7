//! Tasks that are given to no agent in particular: whoever is best for one has it, once it is its turn.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Assignment;
use crate::model::{AgentId, QueuedTaskId, RunId, Timestamp};

/// Something to do, for whichever agent is best for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskDraft {
    /// What is to be done, in words: 1 to 100,000 characters. The agent knows nothing else of what you want.
    pub prompt: String,
    /// Words for what must be known, such as `rust`: whoever knows more of them scores higher. At most 20, of 1 to 40 characters.
    #[serde(default)]
    pub expertise: Vec<String>,
    /// Agents that it may be given to, by name; empty: all. At most 50.
    #[serde(default)]
    pub among: Vec<String>,
    /// 1 to 9, 9 first; absent: 5.
    #[serde(default)]
    pub priority: Option<u8>,
    /// What it is about, at most 200 characters: whoever last worked at the same scores higher. Empty: nothing in particular.
    #[serde(default)]
    pub topic: String,
    /// The path of a repository: whoever works in it scores higher. Empty: none.
    #[serde(default)]
    pub repository: String,
    /// Tasks that must be done before it begins: ids of this queue. At most 20.
    #[serde(default)]
    pub after: Vec<QueuedTaskId>,
}

impl TaskDraft {
    /// 1..=9: what was asked for, or 5.
    pub fn level(&self) -> u8 {
        self.priority.unwrap_or(5)
    }
}

/// How a task of the queue stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum QueuedStatus {
    /// No agent has it yet.
    Waiting,
    /// An agent has it.
    Assigned,
    /// It is done.
    Done,
    /// Nobody got it done, or what it comes after was not done.
    Failed,
    /// Nobody wanted it any more.
    Cancelled,
}

impl QueuedStatus {
    /// Every status, for lists and tests.
    pub const ALL: [Self; 5] = [Self::Waiting, Self::Assigned, Self::Done, Self::Failed, Self::Cancelled];

    /// As stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Assigned => "assigned",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether it is over.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled)
    }
}

/// A task of the queue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct QueuedTask {
    /// Its id.
    pub id: QueuedTaskId,
    /// What was asked for. In a list its prompt is cut to 300 characters.
    pub task: TaskDraft,
    /// How it stands.
    pub status: QueuedStatus,
    /// Why it waits or failed, where there is more to say than that it does; else empty.
    pub reason: String,
    /// How often it was given to an agent.
    pub attempt: u32,
    /// The agent that has it, or had it last.
    pub agent: Option<AgentId>,
    /// That agent's name then.
    pub agent_name: Option<String>,
    /// The run in which it is done.
    pub run_id: Option<RunId>,
    /// Why that agent, with what every other came to.
    pub assignment: Option<Assignment>,
    /// Who gave it.
    pub given_by: Option<String>,
    /// When it was given.
    pub created_at: Timestamp,
    /// When an agent last got it.
    pub assigned_at: Option<Timestamp>,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
}
