//! What reaches a run from outside: answers, events, the end of a sub-run, the loss of the run that started this one.

use super::conclude;
use super::{Facts, Refusal, ask, undo};
use crate::model::workflow::{Await, Ending, Fact, RunStatus, Signal, State, StepError, StepStatus, Vote};
use crate::workflow::steps::Outcome;

/// Who cancels, holds and resumes a sub-run along with itself.
const PARENT: &str = "the run that started it";

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
            conclude::answer(state, facts, slot, attempt, outcome_of_run(status, output, error));
            Ok(())
        }
        (Await::Event { fields, .. }, Signal::Event { payload, .. }) if ask::fits(fields, &payload) => {
            conclude::answer(state, facts, slot, attempt, Ok(Outcome::out(payload)));
            Ok(())
        }
        // An answer to what was asked before is none to what is asked now.
        (Await::Approval { id, .. }, Signal::Vote(Vote { approval: Some(asked), .. }))
        | (Await::Approval { id, .. }, Signal::Delegated { approval: Some(asked), .. })
            if asked != *id =>
        {
            Err(Refusal::Stale)
        }
        (Await::Approval { question, .. }, Signal::Vote(vote)) => {
            let before: Vec<&Vote> = ask::votes(state.signals(slot)).collect();
            if before.iter().any(|earlier| earlier.by == vote.by || earlier.voice() == vote.voice()) {
                return Err(Refusal::Answered);
            }
            if !question.decisions.contains(&vote.decision) {
                return Err(Refusal::Stale);
            }
            let outcome = ask::decided(question, &before, &vote);
            facts.push_step(state, slot, Fact::StepSignalled { attempt, signal: Signal::Vote(vote) });
            if let Some(outcome) = outcome {
                conclude::answer(state, facts, slot, attempt, Ok(outcome));
            }
            Ok(())
        }
        (Await::Approval { .. }, signal @ Signal::Delegated { .. }) => {
            facts.push_step(state, slot, Fact::StepSignalled { attempt, signal });
            Ok(())
        }
        _ => Err(Refusal::Stale),
    }
}

fn receive_for_run(state: &State, facts: &mut Facts, signal: &Signal) -> Result<(), Refusal> {
    match signal {
        // It ends, and nobody would let it go on any more who held it.
        Signal::ParentGone {} if state.undoing().is_some() && state.is_held_with_parent() => {
            facts.push(None, Fact::RunResumed { by: None });
            Ok(())
        }
        // It is about to end already.
        Signal::ParentGone {} if state.undoing().is_some() => Err(Refusal::Stale),
        Signal::ParentGone {} => {
            facts.push(None, Fact::CancelRequested { by: Some(PARENT.to_owned()) });
            conclude::cut_off(state, facts, None);
            undo::end(state, facts, Ending::Cancelled {});
            Ok(())
        }
        // Who holds it already lets it go on.
        Signal::ParentPaused {} if !state.is_paused() => {
            facts.push(None, Fact::RunPaused { by: Some(PARENT.to_owned()), with_parent: true });
            Ok(())
        }
        Signal::ParentResumed {} if state.is_held_with_parent() => {
            facts.push(None, Fact::RunResumed { by: Some(PARENT.to_owned()) });
            Ok(())
        }
        _ => Err(Refusal::Stale),
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
