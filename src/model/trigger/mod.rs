//! Triggers: what starts runs by itself, and what became of each firing.

pub mod answer;
pub mod cron;
pub mod firing;
pub mod missed;
pub mod template;
pub mod zone;

pub use answer::Answer;
pub use firing::{Firing, Outcome};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::workflow::{RunStatus, TriggerKind};
use super::{Timestamp, TriggerId, TriggerKeyId, WorkflowId};

/// What a trigger waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A time.
    Schedule,
    /// A call from outside.
    Webhook,
    /// A change in memory.
    Memory,
    /// The end of another workflow's run.
    RunFinished,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Schedule, Self::Webhook, Self::Memory, Self::RunFinished];

    /// As stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::Webhook => "webhook",
            Self::Memory => "memory",
            Self::RunFinished => "run_finished",
        }
    }

    /// As a person reads it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Schedule => "Schedule",
            Self::Webhook => "Webhook",
            Self::Memory => "Memory change",
            Self::RunFinished => "Run finished",
        }
    }

    /// Reads [`Kind::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// What a run that it starts says about what set it off.
    pub const fn of_run(self) -> TriggerKind {
        match self {
            Self::Schedule => TriggerKind::Schedule,
            Self::Webhook => TriggerKind::Webhook,
            Self::Memory | Self::RunFinished => TriggerKind::Event,
        }
    }
}

/// What becomes of the moments of a schedule that nobody was there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Missed {
    /// They are passed over.
    Skip,
    /// One run for all of them.
    #[default]
    RunOnce,
    /// A run for each, at most the latest 100.
    RunAll,
}

/// What a schedule does when its previous run is still going.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Overlap {
    /// Starts the next beside it.
    #[default]
    Allow,
    /// Passes the moment over.
    Skip,
}

/// What may happen to a memory entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MemoryChange {
    /// It was made or got a new version.
    Written,
    /// It was deleted, or its time ran out.
    Deleted,
}

impl MemoryChange {
    /// As sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Written => "written",
            Self::Deleted => "deleted",
        }
    }
}

/// What a trigger waits for, in detail. Unknown fields are refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Config {
    /// Fires at the times of a cron expression.
    Schedule {
        /// Five fields, or six with seconds first; see [`cron`].
        cron: String,
        /// A zone of the IANA database, such as `Europe/Berlin`.
        #[serde(default = "utc")]
        timezone: String,
        /// What becomes of missed moments.
        #[serde(default)]
        missed: Missed,
        /// What to do while the previous run is still going.
        #[serde(default)]
        overlap: Overlap,
    },
    /// Fires at `POST /api/v1/hooks/{workflow}/{token}`.
    Webhook {
        /// What the caller gets.
        #[serde(default)]
        answer: Answer,
        /// Whether calls must be signed.
        #[serde(default)]
        signed: bool,
        /// Calls that are taken in a minute, 1..=6_000.
        #[serde(default = "default_rate")]
        #[schema(minimum = 1, maximum = 6000)]
        rate_per_minute: u32,
        /// A template over `event` that gives a call's id, by which a repeat is known, such as `{{ event.body.id }}`. Absent, or
        /// where it gives nothing: the header `webhook-id` or `idempotency-key`. Not for signed calls, which `webhook-id` names.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        call_id: Option<String>,
    },
    /// Fires when an entry changes, unless a run of the trigger's own workflow changed it.
    Memory {
        /// This namespace and all below it; empty means all.
        #[serde(default)]
        namespace: String,
        /// Which changes; at least one.
        on: Vec<MemoryChange>,
    },
    /// Fires when a run ends. Tests and runs from the command line don't count.
    RunFinished {
        /// Of this workflow; absent: of any other.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        of: Option<WorkflowId>,
        /// Ended so: `succeeded`, `failed`, `cancelled`; at least one.
        statuses: Vec<RunStatus>,
    },
}

fn utc() -> String {
    "UTC".to_owned()
}

const fn default_rate() -> u32 {
    600
}

impl Config {
    /// The most calls of a webhook in a minute.
    pub const MAX_RATE: u32 = 6_000;

    /// What it waits for.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Schedule { .. } => Kind::Schedule,
            Self::Webhook { .. } => Kind::Webhook,
            Self::Memory { .. } => Kind::Memory,
            Self::RunFinished { .. } => Kind::RunFinished,
        }
    }
}

/// What a person gives. Unknown fields are refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TriggerDraft {
    /// What it starts: the newest published version.
    pub workflow_id: WorkflowId,
    /// 1..=120 characters; empty: named after what it waits for.
    #[serde(default)]
    pub name: String,
    /// What it waits for.
    pub config: Config,
    /// What the run is given: JSON with templates over `event`. Null: for a schedule nothing, for a webhook the body, else the event.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub inputs: Value,
    /// Whether it fires.
    #[serde(default = "yes")]
    pub enabled: bool,
}

const fn yes() -> bool {
    true
}

/// What starts runs by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Trigger {
    /// Its id.
    pub id: TriggerId,
    /// What it starts.
    pub workflow_id: WorkflowId,
    /// That workflow's name.
    pub workflow_name: String,
    /// Its newest version; without one nothing can start.
    pub published_version: Option<i64>,
    /// 1..=120 characters.
    pub name: String,
    /// What it waits for.
    pub config: Config,
    /// In words: "At 09:00 on Monday to Friday", "entries written in code".
    pub summary: String,
    /// What the run is given.
    pub inputs: Value,
    /// Whether it fires.
    pub enabled: bool,
    /// The next moments of a schedule that is enabled, at most five.
    pub next: Vec<Moment>,
    /// How a webhook is reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<Webhook>,
    /// Its newest firing.
    pub last_firing: Option<Firing>,
    /// Goes up by one with each change; sent back as `If-Match` so that no edit is lost.
    pub revision: i64,
    /// The name of who made it, if still known.
    pub created_by: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A moment of a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Moment {
    /// When.
    pub at: Timestamp,
    /// In the schedule's zone: `Mon 23 Nov 2026, 09:00 CET`.
    pub local: String,
}

/// A cron expression, read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Preview {
    /// The expression in words.
    pub reading: String,
    /// The next five moments.
    pub next: Vec<Moment>,
}

/// How a webhook is reached. Tokens and secrets are shown once, when they are made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Webhook {
    /// The address without its last part, the token.
    pub url_base: String,
    /// The live tokens, newest first; two while one is being replaced.
    pub tokens: Vec<KeyInfo>,
    /// The live secrets that calls are signed with, newest first.
    pub secrets: Vec<KeyInfo>,
}

/// A live token or secret, without itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KeyInfo {
    /// Its id.
    pub id: TriggerKeyId,
    /// Its first characters.
    pub hint: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends; `None` while it is the newest.
    pub expires_at: Option<Timestamp>,
}

/// What can be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyKind {
    /// The last part of the address.
    Token,
    /// What calls are signed with.
    Secret,
}

impl KeyKind {
    /// As stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Secret => "secret",
        }
    }
}

/// A trigger that was just made, with what is shown this once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TriggerMade {
    /// The trigger.
    pub trigger: Trigger,
    /// A webhook's whole address, with its token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What calls must be signed with: `whsec_…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<super::credentials::Secret>,
}

/// Which triggers a list shows; `None` does not narrow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TriggerFilter {
    /// Of one kind.
    pub kind: Option<Kind>,
    /// Of one workflow.
    pub workflow_id: Option<WorkflowId>,
}
