//! Where two runs first part inside of a container.
//!
//! The page of a run keeps no steps of bodies that are over, so that these are read from the histories.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Aspect, Divergence, StepDiff, diff_of, divergence};
use crate::model::workflow::{Event, Fact, FailureHandling, Graph, Step, StepState, StepStatus, root_of};

/// What the histories of two runs say of the steps inside of a container in which they first part: the innermost step that
/// went another way first, in the order in which they began. `None` where they don't differ there, or the container was
/// given something else, which is then what came first.
pub fn first_inside(container: &StepDiff, a: (&Graph, &[Event]), b: (&Graph, &[Event])) -> Option<Divergence> {
    if !may_be_inside(container) {
        return None;
    }
    let (before, after) = (inside(a.1, &container.id), inside(b.1, &container.id));
    let order = |path: &str| {
        let began = |told: &BTreeMap<String, Told>| told.get(path).map(|told| told.began);
        (began(&before).or_else(|| began(&after)).unwrap_or(i64::MAX), path.to_owned())
    };
    let mut paths: Vec<&String> =
        before.keys().chain(after.keys().filter(|path| !before.contains_key(*path))).collect();
    paths.sort_by_cached_key(|path| order(path));
    // What the end of its run or container cut off says nothing, as long as something else does.
    let find = |is_counted: fn(&StepState) -> bool| {
        let mut found: Option<StepDiff> = None;
        for path in &paths {
            if found.as_ref().is_some_and(|outer| !may_be_inside(outer) || !is_inside(path, &outer.id)) {
                continue;
            }
            let (old, new) = (side(a.0, &before, path), side(b.0, &after, path));
            let counts = |side: Option<(&Step, &StepState)>| side.is_some_and(|(_, state)| is_counted(state));
            if !counts(old) || !counts(new) {
                continue;
            }
            let diff = diff_of(path, old, new);
            if diff.diverges() {
                found = Some(diff);
            }
        }
        found
    };
    let has_ended =
        |state: &StepState| matches!(state.status, StepStatus::Succeeded | StepStatus::Failed | StepStatus::Skipped);
    find(has_ended).or_else(|| find(|_| true)).as_ref().map(divergence)
}

fn side<'a>(graph: &'a Graph, told: &'a BTreeMap<String, Told>, path: &str) -> Option<(&'a Step, &'a StepState)> {
    Some((graph.find_path(path)?, &told.get(path)?.state))
}

/// Whether what differs of a container may come of what is inside of it.
fn may_be_inside(container: &StepDiff) -> bool {
    container.diverges() && !container.aspects.iter().any(|aspect| matches!(aspect, Aspect::Input | Aspect::Presence))
}

fn is_inside(path: &str, container: &str) -> bool {
    path.strip_prefix(container).is_some_and(|rest| rest.starts_with('['))
}

/// What a history says of a step.
struct Told {
    /// The number of the event that first named it.
    began: i64,
    state: StepState,
}

/// The steps inside of a container, by their paths: of its newest attempt.
fn inside(events: &[Event], container: &str) -> BTreeMap<String, Told> {
    let mut told = BTreeMap::<String, Told>::new();
    for event in events {
        let Some(path) = event.step.as_deref().filter(|path| root_of(path) == container) else { continue };
        if matches!(event.fact, Fact::StepStarted { .. }) {
            // What was inside of it belongs to an attempt before.
            told.retain(|other, _| !is_inside(other, path));
        }
        if path == container {
            continue;
        }
        let step = told.entry(path.to_owned()).or_insert_with(|| Told { began: event.seq, state: unknown(path) });
        note(&mut step.state, event);
    }
    told
}

fn note(state: &mut StepState, event: &Event) {
    match &event.fact {
        Fact::StepStarted { attempt, input, .. } => {
            state.status = StepStatus::Running;
            state.attempt = *attempt;
            state.started_at.get_or_insert(event.at);
            state.input = input.clone();
        }
        Fact::StepSucceeded { port, output, .. } => {
            end(state, event, StepStatus::Succeeded);
            (state.port, state.output, state.error) = (Some(port.clone()), output.clone(), None);
        }
        Fact::StepFailed { error, handled, .. } => {
            let continues = *handled == FailureHandling::Continues;
            end(state, event, if continues { StepStatus::Succeeded } else { StepStatus::Failed });
            state.error = Some(error.clone());
        }
        Fact::StepSkipped { reason, .. } => {
            end(state, event, if state.attempt > 0 { StepStatus::Cancelled } else { StepStatus::Skipped });
            state.skipped = Some(*reason);
        }
        _ => {}
    }
}

const fn end(state: &mut StepState, event: &Event, status: StepStatus) {
    state.status = status;
    state.ended_at = Some(event.at);
}

fn unknown(path: &str) -> StepState {
    StepState {
        id: path.to_owned(),
        status: StepStatus::Queued,
        attempt: 0,
        started_at: None,
        ended_at: None,
        input: Value::Null,
        output: Value::Null,
        port: None,
        error: None,
        waiting: None,
        skipped: None,
        sub_run: None,
        given: None,
        bodies: None,
        spans: Vec::new(),
    }
}
