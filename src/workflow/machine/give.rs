//! An output that a person gives to a step which has failed and is to be tried again.

use super::conclude::Settling;
use super::{Facts, Refusal, undo};
use crate::model::workflow::{Fact, GivenOutput, State, StepStatus};

/// Ends the step as succeeded with the output. A run that is held stays so until a person lets it go on.
///
/// What would undo the step is made ready as when it had done its work itself: whoever gives the output has done it.
///
/// # Errors
/// [`Refusal::Ended`]; [`Refusal::NotRetrying`] for a step that is not about to be tried again, or is none;
/// [`Refusal::Unfit`] where an edge that leaves the step can't be decided with this output.
pub(super) fn give(state: &State, facts: &mut Facts, gift: GivenOutput) -> Result<(), Refusal> {
    if state.is_ended() {
        return Err(Refusal::Ended);
    }
    let slot = state.find_slot(&gift.step).ok_or(Refusal::NotRetrying)?;
    let step = state.step_at(slot);
    if step.status != StepStatus::Retrying {
        return Err(Refusal::NotRetrying);
    }
    let GivenOutput { port, output, given, .. } = gift;
    let settling = Settling { state, slot, status: StepStatus::Succeeded, output: &output, error: None };
    let untaken = settling.untaken(|edge| edge.port == port).map_err(|_| Refusal::Unfit)?;
    let succeeded = Fact::StepSucceeded {
        attempt: step.attempt,
        port,
        output: output.clone(),
        untaken,
        given: Some(Box::new(given)),
    };
    facts.push_step(state, slot, succeeded);
    undo::plan(state, facts, slot, &output);
    Ok(())
}
