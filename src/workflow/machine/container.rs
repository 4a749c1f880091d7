//! What a container does next: begins a body, ends one whose steps have ended, or ends itself.

use serde_json::{Map, Value, json};

use super::Facts;
use super::begin::at_field;
use super::conclude::conclude;
use crate::model::workflow::expression::{self, Around, Scope, StepScope};
use crate::model::workflow::state::{FrameScope, MAX_LISTED, Plan, Tending, page};
use crate::model::workflow::{Fact, SkipReason, Slot, State, StepError, StepStatus};
use crate::model::{RunId, Timestamp};
use crate::workflow::steps::Outcome;

/// Goes on with a container that has something to do.
pub(super) fn tend(state: &State, facts: &mut Facts, slot: Slot) {
    let attempt = state.step_at(slot).attempt;
    let Some(cell) = state.cell(slot) else { return };
    match cell.tending() {
        Tending::Wait => {}
        Tending::Begin(index) => facts.push_step(state, slot, Fact::BodyStarted { index }),
        Tending::Ask => {
            if let Some((page, cursor)) = cell.items().next_page() {
                facts.push_step(state, slot, Fact::PageAsked { page, cursor: cursor.clone() });
            }
        }
        Tending::Fail(error) => conclude(state, facts, slot, attempt, Err(error)),
        Tending::Finish => {
            let results = cell.results();
            let (ended, failures) = cell.counts();
            let output = match *cell.plan() {
                Plan::Map { listed: true, .. } => {
                    let mut list = results.to_vec();
                    list.resize(cell.known(), Value::Null);
                    Value::Array(list)
                }
                Plan::Map { .. } => json!({ "items": ended, "failed": failures }),
                _ => results.first().cloned().unwrap_or_default(),
            };
            // A map that has enough leaves items in motion.
            for inside in state.in_motion_inside(slot) {
                let reason = SkipReason::LostRace;
                facts.push_step(state, inside, Fact::StepSkipped { reason, untaken: Vec::new() });
            }
            conclude(state, facts, slot, attempt, Ok(Outcome::out(output)));
        }
        Tending::Decide(ended) => decide(state, facts, slot, ended),
    }
}

/// Takes in the page that a `map` asked for, or what came instead.
pub(super) fn take_page(state: &State, facts: &mut Facts, slot: Slot, result: Result<Outcome, StepError>) {
    let step = state.step_at(slot);
    let Some(cell) = state.cell(slot) else { return };
    let Some((number, cursor)) = cell.items().next_page() else { return };
    let known = cell.items().known();
    let came = result.and_then(|outcome| match outcome {
        Outcome::Done { output, .. } => page(output, known),
        Outcome::Waiting { .. } | Outcome::Advanced { .. } => {
            Err(StepError::permanent("pages", "a page can't be waited for"))
        }
    });
    let is_listed = matches!(cell.plan(), Plan::Map { listed: true, .. });
    match came {
        Ok((_, next)) if !next.is_null() && next == *cursor => {
            let message = format!("page {} leads to itself", number + 1);
            conclude(state, facts, slot, step.attempt, Err(StepError::permanent("pages", message)));
        }
        Ok((items, _)) if is_listed && known + items.len() as u32 > MAX_LISTED => {
            let message =
                format!("more than {MAX_LISTED} items: set results to count, and have the steps inside keep them");
            conclude(state, facts, slot, step.attempt, Err(StepError::permanent("too_large", message)));
        }
        Ok((items, next)) => facts.push_step(state, slot, Fact::PageCame { page: number, items, next }),
        Err(error) => conclude(state, facts, slot, step.attempt, Err(error)),
    }
}

/// A `repeat` between two iterations, of which so many have ended.
fn decide(state: &State, facts: &mut Facts, slot: Slot, ended: u32) {
    let step = state.graph_of(slot).step(slot.step);
    let attempt = state.step_at(slot).attempt;
    let Some(cell) = state.cell(slot) else { return };
    let last = cell.results().first().unwrap_or(&Value::Null);
    let Plan::Repeat { max } = *cell.plan() else { return };
    let condition = |name: &str| step.config.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
    let holds = |name: &str, text: &str, iteration: u32| {
        let scope = Between { outer: state.scope_of(slot), last, iteration };
        expression::eval_bool(text, &scope).map_err(at_field(name))
    };
    let is_over = match (condition("until"), condition("while")) {
        (Some(until), _) if ended > 0 => holds("until", until, ended),
        (None, Some(going)) => holds("while", going, ended + 1).map(|holds| !holds),
        _ => Ok(false),
    };
    match is_over {
        Err(error) => conclude(state, facts, slot, attempt, Err(error)),
        Ok(true) => conclude(state, facts, slot, attempt, Ok(Outcome::out(last.clone()))),
        Ok(false) if ended >= max => {
            conclude(state, facts, slot, attempt, Ok(Outcome::port("exhausted", last.clone())));
        }
        Ok(false) => facts.push_step(state, slot, Fact::BodyStarted { index: ended }),
    }
}

/// Ends a body of which every step has ended: renders what it gives.
pub(super) fn end_body(state: &State, facts: &mut Facts, frame: u32) {
    let Some((container, index)) = state.home_of(frame) else { return };
    let definition = state.graph_in(frame).definition();
    let output = if definition.output.is_null() {
        Ok(what_is_left(state, frame))
    } else {
        expression::render(&definition.output, &state.scope_in(frame)).map_err(at_field("the body's output"))
    };
    let is_counted = state.cell(container).is_some_and(|cell| matches!(cell.plan(), Plan::Map { listed: false, .. }));
    let fact = match output {
        // What is not kept need not be stored either; the steps of the body have it.
        Ok(_) if is_counted => Fact::BodySucceeded { index, output: Value::Null },
        Ok(output) => Fact::BodySucceeded { index, output },
        Err(error) => Fact::BodyFailed { index, step: None, error },
    };
    facts.push_step(state, container, fact);
}

/// The output of the step that nothing follows; of several such steps an object by id.
fn what_is_left(state: &State, frame: u32) -> Value {
    let graph = state.graph_in(frame);
    let last: Vec<u32> = (0..graph.len() as u32).filter(|&step| graph.outbound(step).is_empty()).collect();
    let output = |&step: &u32| state.step_at(Slot { frame, step }).output.clone();
    if let [step] = last.as_slice() {
        return output(step);
    }
    let ran = last.iter().filter(|&&step| state.step_at(Slot { frame, step }).status == StepStatus::Succeeded);
    Value::Object(ran.map(|step| (graph.step(*step).id.clone(), output(step))).collect::<Map<_, _>>())
}

/// The error of a body as the error of its container: which item, which step.
pub(super) fn in_body(state: &State, slot: Slot, error: StepError) -> StepError {
    let Some((container, index)) = state.home_of(slot.frame) else { return error };
    let label = state.graph_of(slot).step(slot.step).label();
    let place = match state.cell(container).map(|cell| cell.plan().clone()) {
        Some(Plan::Map { .. }) => format!("item {}, {label}", index + 1),
        Some(Plan::Repeat { .. }) => format!("iteration {}, {label}", index + 1),
        _ => label.to_owned(),
    };
    StepError { message: format!("{place}: {}", error.message), ..error }
}

/// What the condition of a `repeat` sees: where the step stands, and the iteration that just ended.
struct Between<'a> {
    outer: FrameScope<'a>,
    last: &'a Value,
    iteration: u32,
}

impl Scope for Between<'_> {
    fn inputs(&self) -> &Value {
        self.outer.inputs()
    }

    fn step(&self, id: &str) -> Option<StepScope<'_>> {
        self.outer.step(id)
    }

    fn step_ids(&self) -> Vec<String> {
        self.outer.step_ids()
    }

    fn run_id(&self) -> RunId {
        self.outer.run_id()
    }

    fn started_at(&self) -> Option<Timestamp> {
        self.outer.started_at()
    }

    fn workflow_name(&self) -> &str {
        self.outer.workflow_name()
    }

    fn around(&self) -> Around<'_> {
        Around { iteration: Some(self.iteration), last: Some(self.last), ..self.outer.around() }
    }
}
