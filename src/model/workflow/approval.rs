//! Approvals: a run that waits for people, what they may answer, and who.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::model::auth::Role;
use crate::model::{ApprovalId, RunId, Timestamp, UserId, WorkflowId};

/// The answers where a step names none; the first is the one that several may have to give.
pub const DEFAULT_DECISIONS: [&str; 2] = ["approved", "rejected"];

/// Whether this names people who may answer: an e-mail address, or a role as `role:admin`.
pub fn is_approver(name: &str) -> bool {
    match name.strip_prefix("role:") {
        Some(role) => Role::parse(&role.to_ascii_lowercase()).is_some(),
        None => name.split_once('@').is_some_and(|(who, place)| !who.is_empty() && !place.is_empty()),
    }
}

/// What an approval step asks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Question {
    /// One line.
    pub title: String,
    /// Markdown; may be empty.
    #[serde(default)]
    pub text: String,
    /// A JSON Schema of an object that is to be filled in, or null.
    #[serde(default)]
    pub form: Value,
    /// E-mail addresses, or roles as `role:admin`; empty: everybody whose role allows it.
    #[serde(default)]
    pub approvers: Vec<String>,
    /// How many people must give the first of the decisions, 1..=20; each other decision takes one.
    pub required: u32,
    /// Whether the person who started the run may not answer.
    #[serde(default)]
    pub four_eyes: bool,
    /// The answers that there are; each is a port of the step.
    pub decisions: Vec<String>,
}

/// One person's answer, as the history keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Vote {
    /// Who.
    pub by: UserId,
    /// Their name at that time.
    pub name: String,
    /// One of the decisions.
    pub decision: String,
    /// What was filled in.
    #[serde(default)]
    pub form: Value,
    /// What they had to say; may be empty.
    #[serde(default)]
    pub comment: String,
    /// What they answered: a step may ask several things, one after the other. Absent in older histories.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalId>,
    /// In whose place, for who was handed the question: together they have one voice. Absent for one's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<UserId>,
}

impl Vote {
    /// Whose voice it is; each counts once.
    pub const fn voice(&self) -> UserId {
        match self.instead_of {
            Some(voice) => voice,
            None => self.by,
        }
    }
}

/// An approval as people see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Approval {
    /// Its id.
    pub id: ApprovalId,
    /// The run that waits.
    pub run_id: RunId,
    /// Of which workflow; `None` for one that was never stored.
    pub workflow_id: Option<WorkflowId>,
    /// Its name when the run began.
    pub workflow_name: String,
    /// The name of who started the run.
    pub started_by: Option<String>,
    /// The path of the step.
    pub step: String,
    /// What is asked.
    #[serde(flatten)]
    pub question: Question,
    /// The answers so far.
    pub votes: Vec<Vote>,
    /// When it was asked.
    pub created_at: Timestamp,
    /// When the step leaves by its port `expired`.
    pub deadline_at: Option<Timestamp>,
    /// How it ended: one of the decisions, `expired`, or `cancelled` with its run; `None` while it is open.
    pub outcome: Option<String>,
    /// When it ended.
    pub decided_at: Option<Timestamp>,
    /// Why the person who asks may not answer; `None` when they may.
    pub refusal: Option<String>,
}

/// An answer to an approval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// One of the decisions.
    pub decision: String,
    /// Fits the form.
    #[serde(default)]
    pub form: Value,
    /// At most 2,000 characters.
    #[serde(default)]
    pub comment: String,
}

/// Which approvals are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalFilter {
    /// Nobody has decided yet; oldest first.
    #[default]
    Open,
    /// Ended; newest first.
    Decided,
}
