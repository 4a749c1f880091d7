//! What reaches a run from outside: the end of a sub-run, the loss of the run that started this one.

use super::conclude::{self, conclude};
use super::{Facts, Refusal};
use crate::model::workflow::{Await, Fact, RunStatus, Signal, State, StepError, StepStatus};
use crate::workflow::steps::Outcome;

/// Takes a signal in: for the step at `path`, or for the run where there is none.
///
/// # Errors
/// [`Refusal::NotYet`] while the step has not come to wait, [`Refusal::Stale`] when nobody waits for it any more.
pub(super) fn receive(
    state: &State,
    facts: &mut Facts,
    path: Option<&str>,
    attempt: u32,
    signal: Signal,
) -> Result<(), Refusal> {
    if state.is_ended() {
        return Err(Refusal::Stale);
    }
    let Some(path) = path else {
        return receive_for_run(state, facts, &signal);
    };
    let slot = state.find_slot(path).ok_or(Refusal::Stale)?;
    let step = state.step_at(slot);
    match step.status {
        _ if step.attempt != attempt => return Err(Refusal::Stale),
        StepStatus::Running => return Err(Refusal::NotYet),
        StepStatus::Waiting => {}
        _ => return Err(Refusal::Stale),
    }
    let awaited = step.waiting.as_ref().and_then(|waiting| waiting.on.as_ref()).ok_or(Refusal::Stale)?;
    match (awaited, signal) {
        (Await::Run { run }, Signal::RunEnded { run: ended, status, output, error }) if *run == ended => {
            conclude(state, facts, slot, attempt, outcome_of_run(status, output, error));
            Ok(())
        }
        _ => Err(Refusal::Stale),
    }
}

fn receive_for_run(state: &State, facts: &mut Facts, signal: &Signal) -> Result<(), Refusal> {
    match signal {
        Signal::ParentGone {} => {
            facts.push(None, Fact::CancelRequested { by: Some("the run that started it".to_owned()) });
            conclude::cut_off(state, facts, None);
            facts.push(None, Fact::RunCancelled {});
            Ok(())
        }
        Signal::RunEnded { .. } => Err(Refusal::Stale),
    }
}

fn outcome_of_run(
    status: RunStatus,
    output: serde_json::Value,
    error: Option<StepError>,
) -> Result<Outcome, StepError> {
    match (status, error) {
        (RunStatus::Succeeded, _) => Ok(Outcome::out(output)),
        (RunStatus::Failed, Some(error)) => {
            Err(StepError { message: format!("the sub-run failed: {}", error.message), ..error })
        }
        (RunStatus::Failed, None) => Err(StepError::permanent("run_failed", "the sub-run failed")),
        (status, _) => {
            let message = format!("the sub-run is {}", status.label().to_lowercase());
            Err(StepError::permanent("run_cancelled", message))
        }
    }
}
