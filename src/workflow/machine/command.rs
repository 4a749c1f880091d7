//! What people tell a run, and why an input may be refused.

use serde::{Deserialize, Serialize};

use super::{Facts, conclude, undo};
use crate::model::workflow::{Command, Ending, Fact, RunStatus, State};

/// Why an input changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The status does not allow the command.
    #[error("a run that is {} can't be told to {}", status.label().to_lowercase(), word(*command))]
    NotNow {
        /// Where the run stands.
        status: RunStatus,
        /// What was asked.
        command: Command,
    },
    /// It is cancelled or has failed already, and undoes what it did.
    #[error("the run is undoing what it did, and ends then; to leave the rest as it is, cancel it with force")]
    Undoing,
    /// What it did was undone: what would be tried again builds on that.
    #[error("what the run had done was undone, so that it can't go on from there; start it again")]
    Undone,
    /// It has ended.
    #[error("the run has ended")]
    Ended,
    /// The version differs where the run already is.
    #[error("the run has come to a step that differs in that version")]
    Misfit,
    /// The run has begun already.
    #[error("the run has begun already")]
    Begun,
    /// The result of an attempt that was stopped, or came twice.
    #[error("nobody waits for this result")]
    Stale,
    /// The person has answered the approval before.
    #[error("you have answered this already")]
    Answered,
    /// An output is given by hand to a step that has not failed, or will not be tried again.
    #[error("only a step that has failed and is about to be tried again takes an output by hand")]
    NotRetrying,
    /// An edge that leaves the step can't be decided with the output that is given.
    #[error("the condition of an edge that leaves the step can't be worked out with this output")]
    Unfit,
    /// The step that it is for has not come to wait for it.
    #[error("the step does not wait for it yet")]
    NotYet,
}

const fn word(command: Command) -> &'static str {
    match command {
        Command::Cancel | Command::ForceCancel => "cancel",
        Command::Pause => "pause",
        Command::Resume => "resume",
        Command::Retry => "retry",
    }
}

/// Does what a person says.
///
/// # Errors
/// The status does not allow it.
pub(super) fn obey(state: &State, facts: &mut Facts, command: Command, by: Option<String>) -> Result<(), Refusal> {
    let status = state.status();
    match (status, command) {
        (RunStatus::Queued | RunStatus::Running | RunStatus::Waiting | RunStatus::Paused, Command::Cancel) => {
            if state.undoing().is_some() {
                return Err(Refusal::Undoing);
            }
            facts.push(None, Fact::CancelRequested { by });
            conclude::cut_off(state, facts, None);
            undo::end(state, facts, Ending::Cancelled {});
        }
        (RunStatus::Queued | RunStatus::Running | RunStatus::Waiting | RunStatus::Paused, Command::ForceCancel) => {
            facts.push(None, Fact::CancelRequested { by });
            conclude::cut_off(state, facts, None);
            facts.push(None, undo::last(state.undoing().cloned().unwrap_or(Ending::Cancelled {})));
        }
        (RunStatus::Queued | RunStatus::Running | RunStatus::Waiting, Command::Pause) => {
            facts.push(None, Fact::RunPaused { by, with_parent: false });
        }
        (RunStatus::Paused, Command::Resume) => facts.push(None, Fact::RunResumed { by }),
        (RunStatus::Failed | RunStatus::Cancelled, Command::Retry) if state.has_undone() => {
            return Err(Refusal::Undone);
        }
        (RunStatus::Failed | RunStatus::Cancelled, Command::Retry) => {
            facts.push(None, Fact::RunRetried { by, steps: state.fatal_steps() });
        }
        (RunStatus::Queued | RunStatus::Running | RunStatus::Waiting, Command::Resume | Command::Retry)
        | (RunStatus::Paused, Command::Pause | Command::Retry)
        | (
            RunStatus::Failed | RunStatus::Cancelled,
            Command::Cancel | Command::ForceCancel | Command::Pause | Command::Resume,
        )
        | (RunStatus::Succeeded, _) => return Err(Refusal::NotNow { status, command }),
    }
    Ok(())
}
