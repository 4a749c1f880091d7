//! How an attempt ends: its edges are chosen, it is tried again, or its failure is handled.

use serde_json::Value;

use super::Facts;
use crate::model::workflow::expression::{self, Around, Scope, StepScope};
use crate::model::workflow::state::Cell;
use crate::model::workflow::{
    Edge, Ending, Fact, FailureHandling, OnError, Retry, SkipReason, Slot, State, StepError, StepStatus,
};
use crate::model::{RunId, Timestamp};
use crate::workflow::steps::Outcome;

/// Ends an attempt.
pub(super) fn conclude(state: &State, facts: &mut Facts, slot: Slot, attempt: u32, result: Result<Outcome, StepError>) {
    match result {
        Ok(Outcome::Waiting { reason, until, on }) => {
            // What is waited for outside counts against the step's time limit.
            let limit = state.graph_of(slot).step(slot.step).timeout_ms.filter(|_| on.is_some());
            let limit = limit.map(|ms| facts.moment.now.plus_ms(i64::try_from(ms).unwrap_or(i64::MAX)));
            let until = until.into_iter().chain(limit).min();
            facts.push_step(state, slot, Fact::StepWaiting { attempt, reason, until, on });
        }
        Ok(Outcome::Advanced { entry }) => {
            facts.push_step(state, slot, Fact::StepAdvanced { attempt, entry });
            hold(state, facts, slot, attempt);
        }
        Ok(Outcome::Done { port, output }) => {
            let settling = Settling { state, slot, status: StepStatus::Succeeded, output: &output, error: None };
            match settling.untaken(|edge| edge.port == port) {
                Ok(untaken) => {
                    let succeeded = Fact::StepSucceeded { attempt, port, output: output.clone(), untaken, given: None };
                    facts.push_step(state, slot, succeeded);
                    super::undo::plan(state, facts, slot, &output);
                }
                Err(error) => fail_scope(state, facts, slot, attempt, error),
            }
        }
        Err(error) => fail(state, facts, slot, attempt, error),
    }
}

/// What an attempt waited for outside has come: that ends it, or it goes on with it.
pub(super) fn answer(state: &State, facts: &mut Facts, slot: Slot, attempt: u32, result: Result<Outcome, StepError>) {
    if !state.keeps_journal(slot) {
        return conclude(state, facts, slot, attempt, result);
    }
    let (port, output, error) = match result {
        Ok(Outcome::Done { port, output }) => (port, output, None),
        Ok(outcome) => return conclude(state, facts, slot, attempt, Ok(outcome)),
        Err(error) => (Edge::ERROR.to_owned(), Value::Null, Some(error)),
    };
    facts.push_step(state, slot, Fact::StepAnswered { attempt, port, output, error });
    hold(state, facts, slot, attempt);
}

/// Nothing new begins while a person holds the run: an attempt that would go on is due once they let go.
fn hold(state: &State, facts: &mut Facts, slot: Slot, attempt: u32) {
    if state.is_paused() {
        let reason = "goes on when the run is resumed".to_owned();
        let until = Some(facts.moment.now);
        facts.push_step(state, slot, Fact::StepWaiting { attempt, reason, until, on: None });
    }
}

fn fail(state: &State, facts: &mut Facts, slot: Slot, attempt: u32, error: StepError) {
    let step = state.graph_of(slot).step(slot.step);
    // As when a person tries it again: what has ended inside of a container stays.
    let is_anew = step.retry.as_ref().is_some_and(|retry| retry.anew);
    let keeps = !is_anew && state.cell(slot).is_some_and(Cell::can_go_on);
    let made = attempt.saturating_sub(state.step_at(slot).attempt - state.attempts_counted(slot));
    if let Some(retry) = step.retry.as_ref().filter(|retry| retry.covers(&error) && made < retry.max_attempts) {
        let at = facts.moment.now.plus_ms(backoff_ms(retry, made, facts.moment.fraction));
        return facts.push_step(state, slot, Fact::RetryScheduled { attempt, error, at, keeps });
    }
    let on_error = match (step.on_error, error.class.as_str()) {
        // Money that is used up is nobody's failure: the run waits until there is more, and goes on from here.
        (OnError::Fail, StepError::BUDGET) => OnError::Pause,
        // As little is it one that somebody has stopped the agent. What stands beside it in case of failures is not meant by that.
        (_, StepError::STOPPED) => OnError::Pause,
        (on_error, _) => on_error,
    };
    let (handled, port, status, output) = match on_error {
        OnError::Fail => return fail_scope(state, facts, slot, attempt, error),
        OnError::Pause => {
            // Once a person lets the run go on, the step is due at once.
            let at = facts.moment.now;
            facts.push_step(state, slot, Fact::RetryScheduled { attempt, error, at, keeps });
            if !state.is_paused() {
                facts.push(None, Fact::RunPaused { by: None, with_parent: false });
            }
            return;
        }
        OnError::Continue => (FailureHandling::Continues, Edge::OUT, StepStatus::Succeeded, &step.default),
        OnError::Port => (FailureHandling::ErrorPort, Edge::ERROR, StepStatus::Failed, &Value::Null),
    };
    let settling = Settling { state, slot, status, output, error: Some(&error) };
    match settling.untaken(|edge| edge.port == port) {
        Ok(untaken) => facts.push_step(state, slot, Fact::StepFailed { attempt, error, handled, untaken }),
        Err(error) => fail_scope(state, facts, slot, attempt, error),
    }
}

/// The step fails and takes what it is part of with it: the run, or the body of a container.
pub(super) fn fail_scope(state: &State, facts: &mut Facts, slot: Slot, attempt: u32, error: StepError) {
    let handled = FailureHandling::FailsRun;
    facts.push_step(state, slot, Fact::StepFailed { attempt, error: error.clone(), handled, untaken: Vec::new() });
    let path = state.path(slot);
    match state.home_of(slot.frame) {
        Some((container, index)) => {
            let error = super::container::in_body(state, slot, error);
            facts.push_step(state, container, Fact::BodyFailed { index, step: Some(path), error });
        }
        None => {
            cut_off(state, facts, Some(slot));
            super::undo::end(state, facts, Ending::Failed { step: Some(path), error });
        }
    }
}

/// Ends what is in motion or waits, but for one step; containers with all that is inside.
pub(super) fn cut_off(state: &State, facts: &mut Facts, but: Option<Slot>) {
    let root = (0..state.steps().len() as u32).map(Slot::root);
    for slot in root.chain(state.undo_slots()) {
        let in_motion =
            matches!(state.step_at(slot).status, StepStatus::Running | StepStatus::Waiting | StepStatus::Retrying);
        if in_motion && Some(slot) != but {
            facts.push_step(state, slot, Fact::StepSkipped { reason: SkipReason::RunEnded, untaken: Vec::new() });
        }
    }
}

/// How long to wait before the attempt after the `made`-th, in milliseconds.
///
/// Exponential backoff; with jitter the wait is drawn from half to the whole of it ("equal jitter", M. Brooker, "Exponential
/// Backoff And Jitter", AWS Architecture Blog 2015).
pub(super) fn backoff_ms(retry: &Retry, made: u32, fraction: f64) -> i64 {
    let exponent = i32::try_from(made.saturating_sub(1)).unwrap_or(i32::MAX);
    let whole = (retry.initial_ms as f64 * retry.factor.powi(exponent)).min(retry.max_ms as f64);
    let whole = if whole.is_finite() { whole.max(0.0) } else { retry.max_ms as f64 };
    (if retry.jitter { whole * (0.5 + 0.5 * fraction.clamp(0.0, 1.0)) } else { whole }) as i64
}

/// The scope in which a step's outbound edges are chosen: the state, and the step as it is about to be.
pub(super) struct Settling<'a> {
    pub(super) state: &'a State,
    pub(super) slot: Slot,
    pub(super) status: StepStatus,
    pub(super) output: &'a Value,
    pub(super) error: Option<&'a StepError>,
}

impl Settling<'_> {
    /// The edges at the chosen ports whose `when` does not hold.
    pub(super) fn untaken(&self, is_chosen: impl Fn(&Edge) -> bool) -> Result<Vec<u32>, StepError> {
        let graph = self.state.graph_of(self.slot);
        let mut untaken = Vec::new();
        for &number in graph.outbound(self.slot.step) {
            let edge = graph.edge(number);
            let Some(when) = edge.when.as_deref().filter(|_| is_chosen(edge)) else {
                continue;
            };
            let holds = expression::eval_bool(when, self)
                .map_err(|error| error.at(&format!("the condition of the edge to {}", edge.to)))?;
            if !holds {
                untaken.push(number);
            }
        }
        Ok(untaken)
    }
}

impl Scope for Settling<'_> {
    fn inputs(&self) -> &Value {
        self.state.inputs()
    }

    fn step(&self, id: &str) -> Option<StepScope<'_>> {
        if self.state.graph_of(self.slot).find(id) == Some(self.slot.step) {
            let input = Some(&self.state.step_at(self.slot).input);
            return Some(StepScope { output: self.output, status: self.status, error: self.error, input });
        }
        // What lives as long as the state, and not only as long as the scope.
        let scope = self.state.scope_of(self.slot);
        scope.find_step(id)
    }

    fn step_ids(&self) -> Vec<String> {
        self.state.scope_of(self.slot).step_ids()
    }

    fn run_id(&self) -> RunId {
        self.state.run_id()
    }

    fn started_at(&self) -> Option<Timestamp> {
        self.state.started_at()
    }

    fn workflow_name(&self) -> &str {
        self.state.workflow_name()
    }

    fn around(&self) -> Around<'_> {
        self.state.scope_of(self.slot).shown()
    }
}
