//! How a step begins: passed over, computed on the spot, sent to wait, or started as an attempt.

use serde_json::Value;

use super::conclude::{self, Settling};
use super::{Facts, ask, key, undo, waited_output};
use crate::model::Timestamp;
use crate::model::workflow::expression::{self, ExprError};
use crate::model::workflow::state::Plan;
use crate::model::workflow::{Edge, Fact, SkipReason, Slot, State, StepError, StepStatus};
use crate::workflow::steps::{self, Outcome};

/// Begins a step that may start.
pub(super) fn begin(state: &State, facts: &mut Facts, slot: Slot) {
    let step = state.graph_of(slot).step(slot.step);
    let before = facts.events.len();
    if slot.frame == Slot::RUN && state.is_beyond(slot.step) {
        let fact = Fact::StepSkipped { reason: SkipReason::NotAsked, untaken: Vec::new() };
        return facts.push_step(state, slot, fact);
    }
    if step.disabled {
        let settling = Settling { state, slot, status: StepStatus::Skipped, output: &Value::Null, error: None };
        match settling.untaken(|edge| edge.port != Edge::ERROR) {
            Ok(untaken) => facts.push_step(state, slot, Fact::StepSkipped { reason: SkipReason::Disabled, untaken }),
            Err(error) => {
                start(state, facts, slot, 1, Value::Null);
                conclude::fail_scope(state, facts, slot, 1, error);
            }
        }
    } else {
        attempt(state, facts, slot, state.step_at(slot).attempt + 1);
    }
    let over = |fact: &Fact| {
        matches!(fact, Fact::RunFailed { .. } | Fact::BodyFailed { .. } | Fact::CompensationStarted { .. })
    };
    let ended = facts.events[before..].iter().any(|event| over(&event.fact));
    if step.join.needed().is_some() && step.cancel_others && !ended {
        for loser in state.graph_of(slot).only_leading_to(slot.step) {
            let loser = Slot { step: loser, ..slot };
            if !state.step_at(loser).status.is_final() {
                facts.push_step(state, loser, Fact::StepSkipped { reason: SkipReason::LostRace, untaken: Vec::new() });
            }
        }
    }
}

/// Begins an attempt: with an effect it is left in flight, a container begins its bodies, else it is concluded at once.
pub(super) fn attempt(state: &State, facts: &mut Facts, slot: Slot, attempt: u32) {
    if state.is_undo(slot) {
        return undo::attempt(state, facts, slot, attempt);
    }
    let step = state.graph_of(slot).step(slot.step);
    let scope = state.scope_of(slot);
    if let Some((port, output)) = step.pinned_outcome() {
        start(state, facts, slot, attempt, Value::Null);
        let pinned = Outcome::Done { port, output: output.clone() };
        return conclude::conclude(state, facts, slot, attempt, Ok(pinned));
    }
    let raw = || Value::Object(step.config.clone());
    match step.kind.as_str() {
        "condition" => {
            start(state, facts, slot, attempt, raw());
            conclude::conclude(state, facts, slot, attempt, steps::choose_condition(&step.config, &scope));
        }
        "switch" => {
            start(state, facts, slot, attempt, raw());
            conclude::conclude(state, facts, slot, attempt, steps::choose_switch(&step.config, &scope));
        }
        "transform" => {
            // Its output is its rendered config: keeping both would only double the history.
            start(state, facts, slot, attempt, Value::Null);
            conclude::conclude(state, facts, slot, attempt, steps::build_transform(&step.config, &scope));
        }
        "respond" => {
            // As with a transform.
            start(state, facts, slot, attempt, Value::Null);
            conclude::conclude(state, facts, slot, attempt, steps::build_response(&step.config, &scope));
        }
        kind => match expression::render_config(&step.config, &scope) {
            Err(error) => {
                start(state, facts, slot, attempt, raw());
                conclude::conclude(state, facts, slot, attempt, Err(error));
            }
            Ok(config) => begin_rendered(state, facts, slot, attempt, kind, config.into()),
        },
    }
}

/// Begins an attempt whose config is rendered.
pub(super) fn begin_rendered(state: &State, facts: &mut Facts, slot: Slot, attempt: u32, kind: &str, config: Value) {
    let refused = match (kind, config.as_object()) {
        ("wait", Some(config)) => {
            let until = steps::wait_until(config, facts.moment.now);
            start(state, facts, slot, attempt, Value::Object(config.clone()));
            return wait(state, facts, slot, attempt, until);
        }
        ("approval" | "event", Some(config)) => {
            let asked = if kind == "event" {
                ask::event(config)
            } else {
                let raw = &state.graph_of(slot).step(slot.step).config;
                ask::approval(raw, config, &key(state, slot, attempt))
            };
            let deadline = ask::deadline(config, facts.moment.now);
            start(state, facts, slot, attempt, Value::Object(config.clone()));
            return match (asked, deadline) {
                (Ok((reason, on)), Ok(until)) => {
                    facts.push_step(state, slot, Fact::StepWaiting { attempt, reason, until, on: Some(on) });
                }
                (Err(error), _) | (_, Err(error)) => conclude::conclude(state, facts, slot, attempt, Err(error)),
            };
        }
        _ if state.graph_of(slot).body(slot.step).is_some() => Plan::read(kind, &config).err(),
        _ => None,
    };
    start(state, facts, slot, attempt, config);
    if let Some(error) = refused {
        conclude::conclude(state, facts, slot, attempt, Err(error));
    }
}

/// An attempt begins.
pub(super) fn start(state: &State, facts: &mut Facts, slot: Slot, attempt: u32, input: Value) {
    let key = key(state, slot, attempt);
    facts.push_step(state, slot, Fact::StepStarted { attempt, input, key, goes_on: false });
}

/// A container that failed goes on where it was, with the items that it had.
pub(super) fn go_on(state: &State, facts: &mut Facts, slot: Slot, attempt: u32) {
    let key = key(state, slot, attempt);
    facts.push_step(state, slot, Fact::StepStarted { attempt, input: Value::Null, key, goes_on: true });
}

fn wait(state: &State, facts: &mut Facts, slot: Slot, attempt: u32, until: Result<Timestamp, StepError>) {
    match until {
        Err(error) => conclude::conclude(state, facts, slot, attempt, Err(error)),
        Ok(until) if until <= facts.moment.now => {
            conclude::conclude(state, facts, slot, attempt, Ok(Outcome::out(waited_output(0))));
        }
        Ok(until) => {
            let reason = format!("waits until {until}");
            facts.push_step(state, slot, Fact::StepWaiting { attempt, reason, until: Some(until), on: None });
        }
    }
}

/// The outcome of a `wait` whose time has come.
pub(super) fn waited(state: &State, slot: Slot, now: Timestamp) -> Outcome {
    let since = state.step_at(slot).spans.last().map_or(now, |span| span.from);
    Outcome::out(waited_output(now.ms_since(since)))
}

/// An expression's error in a field, as the failure of a step.
pub(super) fn at_field(field: &str) -> impl Fn(ExprError) -> StepError {
    move |error| error.at(field)
}
