//! Outputs of steps inside of containers, edited: what of their failure is lifted, and whether anybody sees them.

use super::prefix::{Edits, Misfit};
use crate::model::workflow::{Event, Fact, FailureHandling, State, StepStatus, body_of};

/// The edited outputs of steps that stand in a container.
fn edited(edits: &Edits) -> impl Iterator<Item = (&String, &serde_json::Value)> {
    edits.outputs.iter().filter(|(path, _)| body_of(path).is_some())
}

/// Whether an edited output stands in the same body as this step.
pub(super) fn is_touched(path: &str, edits: &Edits) -> bool {
    edited(edits).any(|(edited, _)| body_of(edited) == body_of(path))
}

/// The history without the failures of bodies and containers that came of the failure of a step whose output is given by
/// hand: the step counts as succeeded, and the body goes on from it. Numbered anew where something is gone.
pub(super) fn lift_failures(mut events: Vec<Event>, edits: &Edits) -> Vec<Event> {
    let before = events.len();
    for (path, _) in edited(edits) {
        let mut failed = path.as_str();
        while let Some(container) = failed.rfind('[').filter(|_| body_of(failed).is_some()) {
            let container = &failed[..container];
            if !failed_last(&events, failed) || !remove_failure(&mut events, container, failed) {
                break;
            }
            if failed != path {
                // The container that failed with it is open again.
                remove_end(&mut events, failed);
            }
            failed = container;
        }
        // The outermost of them is in no body.
        if failed != path && failed_last(&events, failed) {
            remove_end(&mut events, failed);
        }
    }
    if events.len() != before {
        for (event, seq) in events.iter_mut().zip(1..) {
            event.seq = seq;
        }
    }
    events
}

/// The place of the newest event of a step that ended it.
fn end_of(events: &[Event], path: &str) -> Option<usize> {
    let is_end = |event: &Event| matches!(event.fact, Fact::StepSucceeded { .. } | Fact::StepFailed { .. });
    events.iter().rposition(|event| event.step.as_deref() == Some(path) && is_end(event))
}

/// Whether the newest end of a step was a failure that took with it what the step is part of.
fn failed_last(events: &[Event], path: &str) -> bool {
    end_of(events, path)
        .is_some_and(|at| matches!(events[at].fact, Fact::StepFailed { handled: FailureHandling::FailsRun, .. }))
}

fn remove_end(events: &mut Vec<Event>, path: &str) {
    if let Some(at) = end_of(events, path) {
        events.remove(at);
    }
}

/// Removes the newest failure of a body that came of this step; whether there was one.
fn remove_failure(events: &mut Vec<Event>, container: &str, failed: &str) -> bool {
    let is_it = |event: &Event| {
        let of_it = matches!(&event.fact, Fact::BodyFailed { step: Some(step), .. } if step == failed);
        of_it && event.step.as_deref() == Some(container)
    };
    let found = events.iter().rposition(is_it);
    if let Some(at) = found {
        events.remove(at);
    }
    found.is_some()
}

/// An output inside of a body that is over reaches nobody: what the body gave was made of the old one.
///
/// # Errors
/// Names the step, and the event that ended its body.
pub(super) fn check_seen(events: &[Event], state: &State, edits: &Edits) -> Result<(), Misfit> {
    for (path, output) in edited(edits) {
        let step = state.find_step(path);
        if step.is_some_and(|step| step.status == StepStatus::Succeeded && step.output == *output) {
            continue;
        }
        let body = body_of(path).unwrap_or_default();
        let ended = events.iter().rfind(|event| match (&event.fact, &event.step) {
            (Fact::BodySucceeded { index, .. } | Fact::BodyFailed { index, .. }, Some(container)) => {
                format!("{container}[{index}]") == body
            }
            _ => false,
        });
        let place = ended
            .map_or_else(|| "fork at an earlier event".to_owned(), |event| format!("fork before event {}", event.seq));
        let message = format!(
            "{body} was over before the fork, so that nothing would see another output of {path}: {place}, or restart \
             from a step that comes after it in {body}"
        );
        return Err(Misfit::Output { step: path.clone(), message });
    }
    Ok(())
}
