//! What happens next: pure decisions over a run's state.
//!
//! Owns the one table of what a run does on each input. Promises no IO, clock or randomness: the time and the fraction for
//! jitter come in as a [`Moment`]. [`decide`] answers an input with the facts that follow from it at once; [`next`] takes
//! one thing off the state's agenda; [`advance`] folds both until the run rests. What must be done because of a fact is
//! [`effect`]'s to say. Refuses commands that the run's status doesn't allow and results that nobody waits for.

mod ask;
mod begin;
mod command;
mod conclude;
mod container;
mod give;
mod migrate;
mod signal;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_containers;
#[cfg(test)]
mod tests_fold;
#[cfg(test)]
mod tests_give;
#[cfg(test)]
mod tests_journal;
#[cfg(test)]
mod tests_migrate;
#[cfg(test)]
mod tests_pages;
#[cfg(test)]
mod tests_pause;
#[cfg(test)]
mod tests_table;
#[cfg(test)]
mod tests_table_inside;
#[cfg(test)]
mod tests_table_more;
#[cfg(test)]
mod tests_undo;
mod undo;

pub use ask::{EXPIRED, MAX_KEY_CHARS, fits};
pub use command::Refusal;
pub use migrate::find_misfits;
use serde_json::{Value, json};

use super::steps::Outcome;
use crate::model::Timestamp;
use crate::model::workflow::expression;
use crate::model::workflow::{
    Await, Command, Edge, Ending, Event, Fact, Forked, GivenOutput, Migrated, Signal, SkipReason, Slot, State,
    StepError, StepStatus,
};

/// An attempt whose process ended this often is given up: it may be what ends it. Often enough that those who are only
/// beside such a one, or live through many restarts, get to their end between two of them.
const MAX_REPEATS: u32 = 20;

/// What the world adds to a decision.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// The time.
    pub now: Timestamp,
    /// A number in 0.0..1.0 for jitter.
    pub fraction: f64,
}

/// What can happen to a run.
#[derive(Debug, Clone)]
pub enum Input {
    /// It was accepted.
    Start {
        /// They fit the schema.
        inputs: Value,
        /// The step after which it ends, when only a part is asked for.
        until: Option<String>,
    },
    /// Its history so far was copied from another run; from here on it goes its own way.
    Fork(Box<Forked>),
    /// It is to go on with another version of its workflow.
    Migrate(Box<Migrated>),
    /// A person gives a step that has failed its output by hand.
    Give(Box<GivenOutput>),
    /// An attempt ended.
    Done {
        /// The step's path.
        step: String,
        /// Which attempt.
        attempt: u32,
        /// How.
        result: Result<Outcome, StepError>,
    },
    /// Time has passed.
    Wake,
    /// Its process ended, this one goes on with it.
    TakeOver,
    /// Something from outside reached it.
    Signal {
        /// The path of the step that it is for; `None` for the run.
        step: Option<String>,
        /// Which attempt of the step.
        attempt: u32,
        /// What.
        signal: Signal,
    },
    /// A person said so.
    Command {
        /// What.
        command: Command,
        /// Their name.
        by: Option<String>,
    },
}

/// What must be done because of a fact, once it is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Run the attempt.
    Execute {
        /// The step's path.
        step: String,
        /// Which attempt.
        attempt: u32,
    },
    /// Bring a container the next page of its items.
    Pull {
        /// The container's path.
        step: String,
    },
    /// Stop the attempt in flight, and everything inside of a container; the results are no longer wanted.
    Stop {
        /// The step's path.
        step: String,
    },
    /// Stop everything inside of a body.
    StopBody {
        /// The body's path with a dot: `each[3].`.
        prefix: String,
    },
    /// The run is over: stop all that is left, tell those who wait.
    End,
}

/// The effect of a fact. Facts of pure steps name an effect too: the engine leaves out what has ended since.
pub fn effect(event: &Event) -> Option<Effect> {
    let step = || event.step.clone().unwrap_or_default();
    match &event.fact {
        Fact::StepStarted { attempt, .. } | Fact::StepAdvanced { attempt, .. } | Fact::StepAnswered { attempt, .. } => {
            Some(Effect::Execute { step: step(), attempt: *attempt })
        }
        Fact::PageAsked { .. } => Some(Effect::Pull { step: step() }),
        Fact::StepSkipped { .. } | Fact::StepFailed { .. } | Fact::RetryScheduled { .. } => {
            Some(Effect::Stop { step: step() })
        }
        Fact::BodyFailed { index, .. } => Some(Effect::StopBody { prefix: format!("{}[{index}].", step()) }),
        Fact::RunSucceeded { .. } | Fact::RunFailed { .. } | Fact::RunCancelled {} => Some(Effect::End),
        _ => None,
    }
}

/// Collects facts as events that follow the state's history.
#[derive(Debug)]
struct Facts {
    seq: i64,
    moment: Moment,
    events: Vec<Event>,
}

impl Facts {
    fn after(state: &State, moment: &Moment) -> Self {
        Self { seq: state.last_seq(), moment: *moment, events: Vec::new() }
    }

    fn push(&mut self, step: Option<String>, fact: Fact) {
        self.seq += 1;
        self.events.push(Event { seq: self.seq, at: self.moment.now, step, fact });
    }

    fn push_step(&mut self, state: &State, slot: Slot, fact: Fact) {
        self.push(Some(state.path(slot)), fact);
    }
}

/// Folds an input and everything that follows from it by thinking alone, at most about `limit` events.
///
/// Returns the events, already applied, and whether the agenda is not empty yet.
///
/// # Errors
/// The input changes nothing in this state.
pub fn advance(state: &mut State, input: Input, moment: &Moment, limit: usize) -> Result<(Vec<Event>, bool), Refusal> {
    let mut events = decide(state, input, moment)?;
    for event in &events {
        state.apply(event);
    }
    let more = go_on(state, moment, limit, &mut events);
    Ok((events, more))
}

/// Takes things off the agenda until it is empty or `limit` events have come together. Returns whether more is to do.
pub fn go_on(state: &mut State, moment: &Moment, limit: usize, events: &mut Vec<Event>) -> bool {
    loop {
        let new = next(state, moment);
        if new.is_empty() {
            return false;
        }
        for event in &new {
            state.apply(event);
        }
        events.extend(new);
        if events.len() >= limit {
            return true;
        }
    }
}

/// Decides what an input leads to at once.
///
/// # Errors
/// The input changes nothing in this state.
pub fn decide(state: &State, input: Input, moment: &Moment) -> Result<Vec<Event>, Refusal> {
    let mut facts = Facts::after(state, moment);
    match input {
        Input::Start { .. } if state.is_started() || state.is_ended() => return Err(Refusal::Begun),
        Input::Start { inputs, until } => facts.push(None, Fact::RunStarted { inputs, until }),
        Input::Fork(forked) => {
            if !state.is_ended() {
                conclude::cut_off(state, &mut facts, None);
            }
            facts.push(None, Fact::RunForked(forked));
        }
        Input::Migrate(migrated) => migrate::migrate(state, &mut facts, migrated)?,
        Input::Give(gift) => give::give(state, &mut facts, *gift)?,
        Input::Done { step, attempt, result } => {
            let slot = state.find_slot(&step).ok_or(Refusal::Stale)?;
            let current = state.step_at(slot);
            // What people and the outside decide is no attempt's to end, but a replay knows what they decided.
            let is_asked = current
                .waiting
                .as_ref()
                .is_some_and(|waiting| matches!(waiting.on, Some(Await::Approval { .. } | Await::Event { .. })));
            let is_open = current.status == StepStatus::Running || is_asked;
            if state.is_ended() || !is_open || current.attempt != attempt {
                return Err(Refusal::Stale);
            }
            match state.cell(slot).map(|cell| cell.items().is_asked()) {
                None => conclude::conclude(state, &mut facts, slot, attempt, result),
                Some(true) => container::take_page(state, &mut facts, slot, result),
                Some(false) => return Err(Refusal::Stale),
            }
        }
        Input::Signal { step, attempt, signal } => {
            signal::receive(state, &mut facts, step.as_deref(), attempt, signal)?;
        }
        // What is due is on the agenda.
        Input::Wake => {}
        Input::TakeOver => take_over(state, &mut facts),
        Input::Command { command, by } => command::obey(state, &mut facts, command, by)?,
    }
    Ok(facts.events)
}

/// Decides the next thing on the agenda: a step to skip, a body or a container to go on with, a step to begin, or the end
/// of the run. Empty when there is none.
pub fn next(state: &State, moment: &Moment) -> Vec<Event> {
    let mut facts = Facts::after(state, moment);
    if !state.is_started() || state.is_ended() {
        return facts.events;
    }
    if let Some(slot) = state.next_doomed() {
        facts.push_step(state, slot, Fact::StepSkipped { reason: SkipReason::NotReached, untaken: Vec::new() });
    } else if state.is_paused() {
        // Nothing new starts, and the run does not end, before a person lets it go on.
    } else if state.undoing().is_none()
        && state.until().is_some_and(|step| state.step_at(Slot::root(step)).status.is_final())
    {
        end_early(state, &mut facts);
    } else if let Some((_, slot)) = state.timers().next().filter(|(due, _)| *due <= moment.now) {
        go_on_with(state, &mut facts, slot);
    } else if let Some(frame) = state.next_complete() {
        container::end_body(state, &mut facts, frame);
    } else if let Some(slot) = state.next_hungry() {
        container::tend(state, &mut facts, slot);
    } else if let Some(slot) = state.next_ready() {
        begin::begin(state, &mut facts, slot);
    } else if state.undoing().is_some() {
        if state.is_undo_over() {
            undo::finish(state, &mut facts);
        }
    } else if state.is_complete(Slot::RUN) || (state.in_flight().len() == 0 && !state.is_at_rest()) {
        finish(state, &mut facts);
    }
    facts.events
}

/// Goes on with a step whose time has come.
fn go_on_with(state: &State, facts: &mut Facts, slot: Slot) {
    let current = state.step_at(slot);
    let step = state.graph_of(slot).step(slot.step);
    if current.status == StepStatus::Retrying && state.cell(slot).is_some() {
        begin::go_on(state, facts, slot, current.attempt + 1);
    } else if current.status == StepStatus::Retrying {
        begin::attempt(state, facts, slot, current.attempt + 1);
    } else if state.cell(slot).is_some() {
        let message = format!("did not end within {} ms", step.timeout_ms.unwrap_or_default());
        let error = StepError::transient("timeout", message);
        conclude::conclude(state, facts, slot, current.attempt, Err(error));
    } else if let Some(on) = current.waiting.as_ref().and_then(|waiting| waiting.on.as_ref()) {
        conclude::answer(state, facts, slot, current.attempt, ask::expired(on, step.timeout_ms));
    } else if step.kind == "wait" {
        let outcome = begin::waited(state, slot, facts.moment.now);
        conclude::conclude(state, facts, slot, current.attempt, Ok(outcome));
    } else {
        begin::attempt(state, facts, slot, current.attempt);
    }
}

/// The step that the run was asked to go up to has ended: the rest is not wanted.
fn end_early(state: &State, facts: &mut Facts) {
    for step in state.steps().iter().filter(|step| !step.status.is_final()) {
        facts.push(Some(step.id.clone()), Fact::StepSkipped { reason: SkipReason::NotAsked, untaken: Vec::new() });
    }
    facts.push(None, Fact::RunSucceeded { output: Value::Null });
}

/// Notes which attempts are begun anew, under the same keys; gives up those that were so too often.
fn take_over(state: &State, facts: &mut Facts) {
    if state.is_ended() || state.in_flight().len() == 0 {
        return;
    }
    facts.push(None, Fact::RunTakenOver { steps_in_flight: state.in_flight().map(|slot| state.path(slot)).collect() });
    // One at a time, because each may end the run; another has its turn at the next take-over.
    if let Some(slot) = state.in_flight().find(|&slot| state.repeats(slot) + 1 >= MAX_REPEATS) {
        let message = format!("the server ended {MAX_REPEATS} times while this attempt was in flight");
        let error = StepError::permanent("interrupted", message);
        conclude::conclude(state, facts, slot, state.step_at(slot).attempt, Err(error));
    }
}

/// The run has nothing left to do: renders its output.
fn finish(state: &State, facts: &mut Facts) {
    if let Some(stuck) = state.steps().iter().find(|step| !step.status.is_final()) {
        // Only a definition with a cycle gets here, and the checker refuses those.
        let error = StepError::permanent("stuck", format!("step {} waits for itself", stuck.id));
        return undo::end(state, facts, Ending::Failed { step: None, error });
    }
    let template = &state.definition().output;
    let rendered = if template.is_null() { Ok(Value::Null) } else { expression::render(template, state) };
    match rendered {
        Ok(output) => facts.push(None, Fact::RunSucceeded { output }),
        Err(error) => undo::end(state, facts, Ending::Failed { step: None, error: error.at("output") }),
    }
}

/// The numbers of a step's edges, among those chosen, whose `when` does not hold once the step ends so.
pub fn untaken(
    state: &State,
    slot: Slot,
    status: StepStatus,
    output: &Value,
    error: Option<&StepError>,
    is_chosen: impl Fn(&Edge) -> bool,
) -> Result<Vec<u32>, StepError> {
    conclude::Settling { state, slot, status, output, error }.untaken(is_chosen)
}

/// The key of an attempt: no other has it, in no container that was begun anew either. What it starts inside, such as
/// sub-runs and questions, is found again by it.
pub fn key(state: &State, slot: Slot, attempt: u32) -> String {
    format!("{}/{}/{attempt}", state.id(), state.unique_path(slot))
}

/// The key under which a step acts outside: the same for each of its attempts, also those that a person asks for and those
/// in a container that was begun anew, so that whoever knows idempotency keys does it once. Each item and each iteration
/// has one of its own.
pub fn effect_key(state: &State, slot: Slot) -> String {
    format!("{}/{}", state.id(), state.path(slot))
}

/// What a wait that has ended gives.
fn waited_output(ms: i64) -> Value {
    json!({ "waited_ms": ms })
}
