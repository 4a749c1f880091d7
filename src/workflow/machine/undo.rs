//! How a run that ends badly undoes what it did: when a compensation is made ready, how it begins, and the end.

use serde_json::Value;

use super::begin::begin_rendered;
use super::conclude::{Settling, conclude};
use super::{Facts, begin};
use crate::model::workflow::expression;
use crate::model::workflow::{Ending, Fact, Slot, State, StepStatus};

/// A step is about to succeed with this output: makes ready what would undo it.
pub(super) fn plan(state: &State, facts: &mut Facts, slot: Slot, output: &Value) {
    let step = state.graph_of(slot).step(slot.step);
    // A pinned step has done nothing.
    let Some(compensation) = step.compensate.as_ref().filter(|_| step.pinned.is_none()) else { return };
    let scope = Settling { state, slot, status: StepStatus::Succeeded, output, error: None };
    let (config, error) = match expression::render_config(&compensation.config, &scope) {
        Ok(config) => (config.into(), None),
        Err(error) => (Value::Null, Some(error)),
    };
    facts.push_step(state, slot, Fact::CompensationPlanned { config, error });
}

/// The run ends badly: it turns round, if there is something to undo and it is to, else it ends at once.
///
/// Who cancels it asks for the undoing, so that a pause from before holds nothing any more. What fails while a person holds
/// the run is not undone before they let go. That it goes on stands in the history as a fact of its own: in older ones the
/// pause stayed.
pub(super) fn end(state: &State, facts: &mut Facts, ending: Ending) {
    if state.is_to_undo(&ending) {
        let goes_on = state.is_paused() && ending == Ending::Cancelled {};
        facts.push(None, Fact::CompensationStarted { ending });
        if goes_on {
            facts.push(None, Fact::RunResumed { by: None });
        }
    } else {
        facts.push(None, last(ending));
    }
}

/// Everything is undone that could be.
pub(super) fn finish(state: &State, facts: &mut Facts) {
    if let Some(ending) = state.undoing() {
        facts.push(None, last(ending.clone()));
    }
}

/// The fact that ends a run so.
pub(super) fn last(ending: Ending) -> Fact {
    match ending {
        Ending::Failed { step, error } => Fact::RunFailed { step, error },
        Ending::Cancelled {} => Fact::RunCancelled {},
    }
}

/// Begins an attempt of a compensation: its config was rendered when its step succeeded.
pub(super) fn attempt(state: &State, facts: &mut Facts, slot: Slot, attempt: u32) {
    let step = state.graph_of(slot).step(slot.step);
    match state.undo_error(slot) {
        Some(error) => {
            begin::start(state, facts, slot, attempt, Value::Null);
            conclude(state, facts, slot, attempt, Err(error.clone()));
        }
        None => begin_rendered(state, facts, slot, attempt, &step.kind, Value::Object(step.config.clone())),
    }
}
