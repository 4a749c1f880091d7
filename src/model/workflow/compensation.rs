//! What undoes a step whose run fails or is cancelled later: the compensation of a saga (H. Garcia-Molina and K. Salem,
//! "Sagas", SIGMOD 1987), attached to its step as in BPMN.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{Retry, Step, StepError, StepState};

/// What the path of a compensation begins with; the path of the step that it undoes follows.
pub const UNDO: &str = "undo:";

/// What undoes a step that has succeeded. Its templates are rendered when the step succeeds, and see its output and input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Compensation {
    /// What it does, such as `http`: any kind that works and has no body.
    pub kind: String,
    /// What people read; "Undo" and the step's name when empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The kind's own settings.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub config: Map<String, Value>,
    /// How often and how patiently to try again. Absent: one attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// The limit of one attempt, 1..=604_800_000. Absent: the kind's own default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
}

/// When a run undoes what it did, and what a failure of that means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CompensationPolicy {
    /// At which ends.
    pub when: CompensateWhen,
    /// What a failed compensation does to those that follow.
    pub on_error: CompensationFailure,
}

/// The ends of a run at which it undoes what it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CompensateWhen {
    /// When it fails, and when it is cancelled.
    #[default]
    Always,
    /// When it fails.
    Failed,
    /// When it is cancelled.
    Cancelled,
    /// Never.
    Never,
}

/// What a compensation that failed does to those that follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CompensationFailure {
    /// They still run.
    #[default]
    Continue,
    /// They do not.
    Stop,
}

/// How a run that undoes what it did will end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", tag = "status")]
pub enum Ending {
    /// Badly.
    Failed {
        /// The path of the step that failed it.
        step: Option<String>,
        /// Why.
        error: StepError,
    },
    /// Because a person, or the run that started it, wanted that.
    Cancelled {},
}

/// How far a run is with undoing what it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CompensationStatus {
    /// In motion.
    Running,
    /// Everything was undone.
    Compensated,
    /// Something could not be undone.
    Failed,
    /// A person ended it.
    Stopped,
}

impl CompensationStatus {
    /// As a person reads it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Running => "being undone",
            Self::Compensated => "undone",
            Self::Failed => "not all could be undone",
            Self::Stopped => "undoing was stopped",
        }
    }
}

/// What a run undid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CompensationDetail {
    /// How far it is.
    pub status: CompensationStatus,
    /// The compensations in the order in which they run. Each one's id is the path of the step that it undoes.
    pub steps: Vec<StepState>,
}

impl CompensationPolicy {
    /// Whether a run that ends so undoes what it did.
    pub const fn covers(self, ending: &Ending) -> bool {
        match self.when {
            CompensateWhen::Always => true,
            CompensateWhen::Failed => matches!(ending, Ending::Failed { .. }),
            CompensateWhen::Cancelled => matches!(ending, Ending::Cancelled {}),
            CompensateWhen::Never => false,
        }
    }
}

impl Compensation {
    /// The compensation of `step` as a step of its own, with a config that was rendered before.
    pub fn step(&self, step: &Step, id: String, config: Value) -> Step {
        let name = if self.name.is_empty() { format!("Undo {}", step.label()) } else { self.name.clone() };
        let config = match config {
            Value::Object(config) => config,
            _ => Map::new(),
        };
        Step {
            name,
            config,
            retry: self.retry.clone(),
            timeout_ms: self.timeout_ms,
            // A failure is told and ends nothing.
            on_error: super::OnError::Port,
            ..Step::new(&id, &self.kind)
        }
    }
}
