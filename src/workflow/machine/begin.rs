//! How a step begins: passed over, computed on the spot, sent to wait, or started as an attempt.

use serde_json::Value;

use super::conclude::{self, Settling};
use super::{Effect, Facts, effect, key, waited_output};
use crate::model::Timestamp;
use crate::model::workflow::expression;
use crate::model::workflow::{Edge, Fact, Join, SkipReason, State, StepError, StepStatus};
use crate::workflow::steps::{self, Outcome};

/// Begins a step that may start.
pub(super) fn begin(state: &State, facts: &mut Facts, number: u32) {
    let step = state.graph().step(number);
    if step.disabled {
        let settling = Settling { state, step: number, status: StepStatus::Skipped, output: &Value::Null, error: None };
        match settling.untaken(|edge| edge.port != Edge::ERROR) {
            Ok(untaken) => facts.push(Some(&step.id), Fact::StepSkipped { reason: SkipReason::Disabled, untaken }),
            Err(error) => {
                start(state, facts, number, 1, Value::Null);
                conclude::fail_run(state, facts, number, 1, error);
            }
        }
    } else {
        attempt(state, facts, number, state.step_at(number).attempt + 1);
    }
    let ended = facts.events.last().is_some_and(|event| effect(event) == Some(Effect::End));
    if step.join == Join::Any && step.cancel_others && !ended {
        for loser in state.graph().only_leading_to(number) {
            if !state.step_at(loser).status.is_final() {
                let id = &state.graph().step(loser).id;
                facts.push(Some(id), Fact::StepSkipped { reason: SkipReason::LostRace, untaken: Vec::new() });
            }
        }
    }
}

/// Begins an attempt: with an effect it is left in flight, else it is concluded at once.
pub(super) fn attempt(state: &State, facts: &mut Facts, number: u32, attempt: u32) {
    let step = state.graph().step(number);
    let raw = || Value::Object(step.config.clone());
    match step.kind.as_str() {
        "condition" => {
            start(state, facts, number, attempt, raw());
            conclude::conclude(state, facts, number, attempt, steps::choose_condition(&step.config, state));
        }
        "switch" => {
            start(state, facts, number, attempt, raw());
            conclude::conclude(state, facts, number, attempt, steps::choose_switch(&step.config, state));
        }
        "transform" => {
            // Its output is its rendered config: keeping both would only double the history.
            start(state, facts, number, attempt, Value::Null);
            conclude::conclude(state, facts, number, attempt, steps::build_transform(&step.config, state));
        }
        "respond" => {
            // As with a transform.
            start(state, facts, number, attempt, Value::Null);
            conclude::conclude(state, facts, number, attempt, steps::build_response(&step.config, state));
        }
        kind => match expression::render_config(&step.config, state) {
            Err(error) => {
                start(state, facts, number, attempt, raw());
                conclude::conclude(state, facts, number, attempt, Err(error));
            }
            Ok(config) => {
                let until = (kind == "wait").then(|| steps::wait_until(&config, facts.moment.now));
                start(state, facts, number, attempt, Value::Object(config));
                if let Some(until) = until {
                    wait(state, facts, number, attempt, until);
                }
            }
        },
    }
}

fn start(state: &State, facts: &mut Facts, number: u32, attempt: u32, input: Value) {
    let id = &state.graph().step(number).id;
    facts.push(Some(id), Fact::StepStarted { attempt, input, key: key(state, id, attempt) });
}

fn wait(state: &State, facts: &mut Facts, number: u32, attempt: u32, until: Result<Timestamp, StepError>) {
    match until {
        Err(error) => conclude::conclude(state, facts, number, attempt, Err(error)),
        Ok(until) if until <= facts.moment.now => {
            conclude::conclude(state, facts, number, attempt, Ok(Outcome::out(waited_output(0))));
        }
        Ok(until) => {
            let id = &state.graph().step(number).id;
            let reason = format!("waits until {until}");
            facts.push(Some(id), Fact::StepWaiting { attempt, reason, until: Some(until) });
        }
    }
}

/// The outcome of a `wait` whose time has come.
pub(super) fn waited(state: &State, number: u32, now: Timestamp) -> Outcome {
    let since = state.step_at(number).spans.last().map_or(now, |span| span.from);
    Outcome::out(waited_output(now.ms_since(since)))
}
