//! What became of one occasion of a trigger.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::model::{FiringId, RunId, Timestamp, TriggerId};

/// How a firing ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is claimed, and its run is being started.
    Starting,
    /// It started a run.
    Started,
    /// It was not let through: not signed, too often, a loop.
    Refused,
    /// It should have started a run and could not.
    Failed,
    /// It was passed over, as its settings ask.
    Skipped,
    /// It came before; the run is that of the first time.
    Duplicate,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 6] =
        [Self::Starting, Self::Started, Self::Refused, Self::Failed, Self::Skipped, Self::Duplicate];

    /// As stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Started => "started",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Duplicate => "duplicate",
        }
    }

    /// As a person reads it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Starting => "Starting",
            Self::Started => "Started",
            Self::Refused => "Refused",
            Self::Failed => "Failed",
            Self::Skipped => "Skipped",
            Self::Duplicate => "Duplicate",
        }
    }

    /// Reads [`Outcome::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == text)
    }
}

/// What became of one occasion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Firing {
    /// Its id.
    pub id: FiringId,
    /// Whose.
    pub trigger_id: TriggerId,
    /// When it was handled.
    pub at: Timestamp,
    /// The moment of the schedule that it is about.
    pub scheduled_for: Option<Timestamp>,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, in a sentence; empty when there is nothing to say.
    pub reason: String,
    /// The run, while it is kept.
    pub run_id: Option<RunId>,
    /// What set it off, without secrets: who called, what changed, which run ended.
    pub event: Value,
}
