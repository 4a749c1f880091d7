//! How an attempt ends: its edges are chosen, it is tried again, or its failure is handled.

use serde_json::Value;

use super::Facts;
use crate::model::workflow::expression::{self, Scope, StepScope};
use crate::model::workflow::{Edge, Fact, FailureHandling, OnError, Retry, SkipReason, State, StepError, StepStatus};
use crate::model::{RunId, Timestamp};
use crate::workflow::steps::Outcome;

/// Ends an attempt.
pub(super) fn conclude(
    state: &State,
    facts: &mut Facts,
    number: u32,
    attempt: u32,
    result: Result<Outcome, StepError>,
) {
    let id = &state.graph().step(number).id;
    match result {
        Ok(Outcome::Waiting { reason, until }) => {
            facts.push(Some(id), Fact::StepWaiting { attempt, reason, until: Some(until) });
        }
        Ok(Outcome::Done { port, output }) => {
            let settling =
                Settling { state, step: number, status: StepStatus::Succeeded, output: &output, error: None };
            match settling.untaken(|edge| edge.port == port) {
                Ok(untaken) => facts.push(Some(id), Fact::StepSucceeded { attempt, port, output, untaken }),
                Err(error) => fail_run(state, facts, number, attempt, error),
            }
        }
        Err(error) => fail(state, facts, number, attempt, error),
    }
}

fn fail(state: &State, facts: &mut Facts, number: u32, attempt: u32, error: StepError) {
    let step = state.graph().step(number);
    let made = attempt.saturating_sub(state.step_at(number).attempt - state.attempts_counted(number));
    if let Some(retry) = step.retry.as_ref().filter(|retry| error.retryable && made < retry.max_attempts) {
        let at = facts.moment.now.plus_ms(backoff_ms(retry, made, facts.moment.fraction));
        return facts.push(Some(&step.id), Fact::RetryScheduled { attempt, error, at });
    }
    let (handled, port, status, output) = match step.on_error {
        OnError::Fail => return fail_run(state, facts, number, attempt, error),
        OnError::Continue => (FailureHandling::Continues, Edge::OUT, StepStatus::Succeeded, &step.default),
        OnError::Port => (FailureHandling::ErrorPort, Edge::ERROR, StepStatus::Failed, &Value::Null),
    };
    let settling = Settling { state, step: number, status, output, error: Some(&error) };
    match settling.untaken(|edge| edge.port == port) {
        Ok(untaken) => facts.push(Some(&step.id), Fact::StepFailed { attempt, error, handled, untaken }),
        Err(error) => fail_run(state, facts, number, attempt, error),
    }
}

/// The step fails and takes the run with it.
pub(super) fn fail_run(state: &State, facts: &mut Facts, number: u32, attempt: u32, error: StepError) {
    let id = &state.graph().step(number).id;
    let handled = FailureHandling::FailsRun;
    facts.push(Some(id), Fact::StepFailed { attempt, error: error.clone(), handled, untaken: Vec::new() });
    cut_off(state, facts, Some(number));
    facts.push(None, Fact::RunFailed { step: Some(id.clone()), error });
}

/// Ends what is in flight or waits, but for one step.
pub(super) fn cut_off(state: &State, facts: &mut Facts, but: Option<u32>) {
    let waiting = state.timers().map(|(_, step)| step);
    for step in state.in_flight().chain(waiting).filter(|&step| Some(step) != but) {
        let id = &state.graph().step(step).id;
        facts.push(Some(id), Fact::StepSkipped { reason: SkipReason::RunEnded, untaken: Vec::new() });
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
    pub(super) step: u32,
    pub(super) status: StepStatus,
    pub(super) output: &'a Value,
    pub(super) error: Option<&'a StepError>,
}

impl Settling<'_> {
    /// The edges at the chosen ports whose `when` does not hold.
    pub(super) fn untaken(&self, is_chosen: impl Fn(&Edge) -> bool) -> Result<Vec<u32>, StepError> {
        let graph = self.state.graph();
        let mut untaken = Vec::new();
        for &number in graph.outbound(self.step) {
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
        if self.state.graph().find(id) == Some(self.step) {
            return Some(StepScope { output: self.output, status: self.status, error: self.error });
        }
        self.state.step(id)
    }

    fn step_ids(&self) -> Vec<String> {
        self.state.step_ids()
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
}
