//! Whether a run can go on with a newer version, and what of it is decided with the move.

use std::sync::Arc;

use super::{Facts, Refusal};
use crate::model::workflow::expression;
use crate::model::workflow::fit::{Likeness, Misfit, misfits};
use crate::model::workflow::migration::{Migrated, new_edges};
use crate::model::workflow::{Edge, Fact, Graph, SkipReason, Slot, State, StepStatus};

/// Everything that keeps a run from going on with this definition, which the checker accepts and its inputs fit.
pub fn find_misfits(state: &State, onto: &Arc<Graph>) -> Vec<Misfit> {
    let whole = |message: &str| Misfit { step: None, message: message.to_owned() };
    let mut found = Vec::new();
    if state.undoing().is_some() {
        found.push(whole("the run undoes what it did, and ends then"));
    }
    if state.definition().flow != onto.definition().flow {
        found.push(whole("its limits (key, priority, rate) differ here, and the run was let in by the old ones"));
    }
    if let Some(until) = state.until().map(|step| &state.steps()[step as usize].id).filter(|id| onto.find(id).is_none())
    {
        found.push(Misfit::of(
            until,
            format!("the run was asked to go up to step {until}, which is not in this definition"),
        ));
    }
    found.extend(misfits(state.graph(), onto, &state.touched(), Some(&state.touched_inside()), Likeness::Whole, ""));
    if found.is_empty()
        && let Err(misfit) = choose(state, onto)
    {
        found.push(misfit);
    }
    found
}

/// Moves the run.
///
/// # Errors
/// It has ended, or differs where it already is.
pub(super) fn migrate(state: &State, facts: &mut Facts, mut migrated: Box<Migrated>) -> Result<(), Refusal> {
    if state.is_ended() {
        return Err(Refusal::Ended);
    }
    let onto = Graph::new(migrated.definition.clone());
    if !find_misfits(state, &onto).is_empty() {
        return Err(Refusal::Misfit);
    }
    migrated.taken = choose(state, &onto).map_err(|_| Refusal::Misfit)?;
    facts.push(None, Fact::RunMigrated(migrated));
    Ok(())
}

/// Of the edges that are new, by number, those that steps which have ended take.
fn choose(state: &State, onto: &Arc<Graph>) -> Result<Vec<u32>, Misfit> {
    let mut taken = Vec::new();
    for number in new_edges(state.graph(), onto) {
        let edge = onto.edge(number);
        let Some(step) = state.graph().find(&edge.from) else { continue };
        if !leaves_by(state, step, edge) {
            continue;
        }
        let holds = match edge.when.as_deref() {
            None => true,
            Some(when) => expression::eval_bool(when, state).map_err(|error| {
                let message = format!("the condition of the new edge to {}: {}", edge.to, error.message);
                Misfit::of(&edge.from, message)
            })?,
        };
        if holds {
            taken.push(number);
        }
    }
    Ok(taken)
}

/// Whether a step has ended and left by the port of this edge.
fn leaves_by(state: &State, step: u32, edge: &Edge) -> bool {
    let ended = state.step_at(Slot::root(step));
    match ended.status {
        StepStatus::Succeeded | StepStatus::Failed => ended.port.as_deref() == Some(edge.port.as_str()),
        StepStatus::Skipped => ended.skipped == Some(SkipReason::Disabled) && edge.port != Edge::ERROR,
        _ => false,
    }
}
