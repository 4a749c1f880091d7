//! Runs as people see them: status, summary, detail, and which commands a run allows.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{Await, Given, SkipReason, StepError};
use crate::model::{RunId, Timestamp, WorkflowId};

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Accepted, not begun.
    Queued,
    /// In motion.
    Running,
    /// All that is left waits for a time or an event.
    Waiting,
    /// Held by a person.
    Paused,
    /// Ended well.
    Succeeded,
    /// Ended badly.
    Failed,
    /// Stopped by a person.
    Cancelled,
}

impl RunStatus {
    /// Every status.
    pub const ALL: [Self; 7] =
        [Self::Queued, Self::Running, Self::Waiting, Self::Paused, Self::Succeeded, Self::Failed, Self::Cancelled];

    /// Whether nothing will happen any more, unless a person retries.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }

    /// Whether a person may give this command now. The button and the server ask the same rule.
    pub const fn allows(self, command: Command) -> bool {
        match command {
            Command::Cancel | Command::ForceCancel => !self.is_final(),
            Command::Pause => matches!(self, Self::Queued | Self::Running | Self::Waiting),
            Command::Resume => matches!(self, Self::Paused),
            Command::Retry => matches!(self, Self::Failed | Self::Cancelled),
        }
    }

    /// As stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Paused => "paused",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// As a person reads it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Queued => "Queued",
            Self::Running => "Running",
            Self::Waiting => "Waiting",
            Self::Paused => "Paused",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Cancelled => "Cancelled",
        }
    }

    /// Reads [`RunStatus::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// What a person may tell a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Stop for good, and undo what was done where the workflow says how.
    Cancel,
    /// Stop for good and at once: what was done stays, and what is being undone stays as it is.
    ForceCancel,
    /// Start nothing new.
    Pause,
    /// Go on.
    Resume,
    /// Try the failed steps again.
    Retry,
}

/// Where a step of a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepStatus {
    /// Its inbound edges aren't settled.
    Queued,
    /// It may start, and will as soon as there is room.
    Ready,
    /// An attempt is in flight.
    Running,
    /// It waits for a time or an event.
    Waiting,
    /// An attempt failed; the next is scheduled.
    Retrying,
    /// Done.
    Succeeded,
    /// Its last attempt failed.
    Failed,
    /// It did not run.
    Skipped,
    /// It was stopped.
    Cancelled,
}

impl StepStatus {
    /// Whether it has ended.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Skipped | Self::Cancelled)
    }

    /// As stored, sent, and used as `data-status`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Ready => "ready",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Retrying => "retrying",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Cancelled => "cancelled",
        }
    }

    /// As a person reads it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Queued => "Queued",
            Self::Ready => "Ready",
            Self::Running => "Running",
            Self::Waiting => "Waiting",
            Self::Retrying => "Retrying",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Skipped => "Skipped",
            Self::Cancelled => "Cancelled",
        }
    }
}

/// What set a run off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TriggerKind {
    /// A person or an API call.
    Manual,
    /// A test from the designer, of the draft.
    Test,
    /// The command line, headless.
    Cli,
    /// A step of another run.
    Workflow,
    /// A time came.
    Schedule,
    /// A call from outside.
    Webhook,
    /// Memory changed, or another run ended.
    Event,
    /// Another run failed, whose workflow names this one for that.
    Failure,
}

impl TriggerKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Manual,
        Self::Test,
        Self::Cli,
        Self::Workflow,
        Self::Schedule,
        Self::Webhook,
        Self::Event,
        Self::Failure,
    ];

    /// As stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Test => "test",
            Self::Cli => "cli",
            Self::Workflow => "workflow",
            Self::Schedule => "schedule",
            Self::Webhook => "webhook",
            Self::Event => "event",
            Self::Failure => "failure",
        }
    }

    /// Reads [`TriggerKind::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A row of the list of runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RunSummary {
    /// Its id.
    pub id: RunId,
    /// Of what; `None` for a definition that was never stored.
    pub workflow_id: Option<WorkflowId>,
    /// The workflow's name when the run began.
    pub workflow_name: String,
    /// The version; `None` for the draft.
    pub version: Option<i64>,
    /// Where it stands.
    pub status: RunStatus,
    /// What set it off.
    pub trigger: TriggerKind,
    /// The name of who started it.
    pub started_by: Option<String>,
    /// The run that started it as a step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_run_id: Option<RunId>,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// The label of the step that runs, waits or failed, and what it says.
    pub headline: Option<String>,
    /// Steps that have ended, of `steps_total`.
    pub steps_done: u32,
    /// All steps of the definition.
    pub steps_total: u32,
}

/// What a list of runs is narrowed to; `None` and empty do not narrow.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RunFilter {
    /// Of one workflow.
    pub workflow_id: Option<WorkflowId>,
    /// In one of these.
    pub statuses: Vec<RunStatus>,
    /// Set off so.
    pub trigger: Option<TriggerKind>,
    /// Accepted at or after.
    pub since: Option<Timestamp>,
    /// Accepted before.
    pub until: Option<Timestamp>,
    /// A part of the workflow's name, in any case.
    pub query: String,
}

/// A run with its steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RunDetail {
    /// The row.
    #[serde(flatten)]
    pub summary: RunSummary,
    /// What it was given.
    pub inputs: Value,
    /// What came out, once succeeded.
    pub output: Value,
    /// Why it failed.
    pub error: Option<StepError>,
    /// What it runs.
    pub definition: super::Definition,
    /// In the order of the definition.
    pub steps: Vec<StepState>,
    /// What it undid, if it began to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compensation: Option<super::CompensationDetail>,
    /// The history up to here.
    pub last_seq: i64,
    /// Which runs it comes from and which come from it.
    #[serde(default)]
    pub lineage: super::Lineage,
}

/// A step of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StepState {
    /// Its id in the definition.
    pub id: String,
    /// Where it stands.
    pub status: StepStatus,
    /// Tries begun so far.
    pub attempt: u32,
    /// When the first attempt began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// The rendered config of the newest attempt.
    pub input: Value,
    /// What came out.
    pub output: Value,
    /// The port that it left by.
    pub port: Option<String>,
    /// The newest failure.
    pub error: Option<StepError>,
    /// Why it waits, and until when.
    pub waiting: Option<Waiting>,
    /// Why it did not run.
    pub skipped: Option<SkipReason>,
    /// The sub-run that it started, once that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_run: Option<RunId>,
    /// Who gave the output by hand, if that is where it comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given: Option<Box<Given>>,
    /// How far a container is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bodies: Option<Bodies>,
    /// Every attempt and wait, for the timeline; oldest first.
    pub spans: Vec<Span>,
}

/// Why a step waits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Waiting {
    /// A sentence.
    pub reason: String,
    /// When it goes on by itself.
    pub until: Option<Timestamp>,
    /// What else it waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<Await>,
}

/// How far a container is with its bodies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Bodies {
    /// How many there will be; unknown for a `repeat`.
    pub total: Option<u32>,
    /// Ended, well or badly.
    pub ended: u32,
    /// Failed.
    pub failed: u32,
    /// In motion.
    pub running: u32,
    /// Begun: ended, in motion, or cut off by the end of the container.
    #[serde(default)]
    pub begun: u32,
    /// Of those, cut off by the end of the container.
    #[serde(default)]
    pub cut_off: u32,
}

/// A bar of the timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Span {
    /// `running`, `waiting` or `retrying` while open; how it ended when closed.
    pub status: StepStatus,
    /// The attempt.
    pub attempt: u32,
    /// When it began.
    pub from: Timestamp,
    /// When it ended; `None` while open.
    pub to: Option<Timestamp>,
}
