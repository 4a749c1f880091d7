//! Messages on their way in and out.

use serde_json::Value;

use crate::model::agent::{MessageKind, Seat};
use crate::model::memory::Trust;
use crate::model::{AgentId, RunId, Timestamp};

/// Who writes.
#[derive(Debug, Clone, Copy)]
pub struct Sender<'a> {
    /// Where it sits.
    pub seat: &'a Seat,
    /// The run in which it works.
    pub run_id: RunId,
    /// The step that is its work.
    pub step: &'a str,
    /// Who it is.
    pub agent: AgentId,
}

/// What it writes.
#[derive(Debug, Clone, PartialEq)]
pub struct Letter {
    /// A handle, or `*` for all that it may address.
    pub to: String,
    /// What it is.
    pub kind: MessageKind,
    /// The words.
    pub body: String,
    /// What comes with them; null: nothing.
    pub data: Value,
    /// Whose words they may be: `Web` once the sender has read what strangers wrote, else `Model`.
    pub trust: Trust,
}

/// A message that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Its number in the team.
    pub number: i64,
    /// Whom it went to.
    pub receivers: Vec<String>,
}

/// A message that was taken. One whose signature does not fit says nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Taken {
    /// Its number in the team.
    pub number: i64,
    /// What it says, and who says so; `None`: somebody altered it.
    pub said: Option<Said>,
}

/// What a genuine message says.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// Who wrote it.
    pub from: String,
    /// What it is.
    pub kind: MessageKind,
    /// The words.
    pub body: String,
    /// What came with them, as JSON; empty: nothing.
    pub data: String,
    /// Whose words they may be.
    pub trust: Trust,
    /// When it was sent.
    pub sent_at: Timestamp,
}
