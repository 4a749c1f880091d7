//! An agent as the board shows it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{AgentStanding, AgentTask};
use crate::model::AgentId;

/// Agents that are asked for by name at once: as many as a workspace has.
pub const MAX_BOARD: usize = 500;

/// An agent and what it is busy with, without what it is told and may do: a board is read often.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BoardAgent {
    /// Its id.
    pub id: AgentId,
    /// Unique in the workspace.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// By which name it asks for models; empty: the default.
    pub model: String,
    /// What it is busy with.
    pub busy: Busy,
    /// Tasks that it has done in the last 30 days.
    pub done: u32,
    /// Tasks that failed in the last 30 days.
    pub failed: u32,
    /// Millionths of a US dollar, of the tasks that began in the last 30 days.
    pub cost_micros: i64,
    /// The task that it last did something of.
    pub latest: Option<AgentTask>,
}

/// What processes took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Processes {
    /// Processor time of all of them, in milliseconds, as far as it was seen.
    #[serde(default)]
    pub cpu_ms: i64,
    /// The most memory that those of one script had at once, in MiB.
    #[serde(default)]
    pub memory_mb: i64,
}

impl Processes {
    /// Both, one after the other.
    #[must_use]
    pub fn plus(self, more: Self) -> Self {
        Self { cpu_ms: self.cpu_ms.saturating_add(more.cpu_ms), memory_mb: self.memory_mb.max(more.memory_mb) }
    }

    /// Whether nothing ran.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// What a task that waits waits for, where that is somebody's to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WaitsFor {
    /// People are asked.
    People,
    /// A budget is used up.
    Budget,
}

impl WaitsFor {
    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::People => "people",
            Self::Budget => "budget",
        }
    }

    /// The one of this name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::People, Self::Budget].into_iter().find(|one| one.as_str() == text)
    }
}

/// What an agent is busy with, in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Busy {
    /// Somebody stopped it.
    pub is_stopped: bool,
    /// Tasks that it has not begun.
    pub queued: u32,
    /// Tasks that it works at.
    pub working: u32,
    /// Tasks that wait.
    pub waiting: u32,
    /// Of those, the ones that wait for people.
    pub for_people: u32,
    /// Of these, the ones that whoever looks may answer.
    #[serde(default)]
    pub for_me: u32,
    /// Of those, the ones that wait for money.
    pub over_budget: u32,
}

impl AgentStanding {
    /// What it is busy with, in numbers.
    pub fn busy(&self) -> Busy {
        Busy {
            is_stopped: self.agent.stopped_at.is_some(),
            queued: self.queued,
            working: self.working,
            waiting: self.waiting,
            for_people: self.for_people,
            for_me: self.for_me,
            over_budget: self.over_budget,
        }
    }
}

impl From<AgentStanding> for BoardAgent {
    fn from(standing: AgentStanding) -> Self {
        let busy = standing.busy();
        let AgentStanding { agent, done, failed, cost_micros, latest, .. } = standing;
        Self {
            id: agent.id,
            name: agent.name,
            description: agent.spec.description,
            model: agent.spec.model,
            busy,
            done,
            failed,
            cost_micros,
            latest,
        }
    }
}
