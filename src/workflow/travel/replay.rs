//! A recording played on another definition: the machine decides anew, and what had an effect ends as it was recorded.
//!
//! Pure: nothing leaves, nothing is stored, and the clock is the recording's own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use crate::model::workflow::diff::{Differences, compare};
use crate::model::workflow::{
    Graph, RecordedEnd, RecordedStep, Recording, Replay, ReplayDifference, RunStatus, Slot, State, StepStatus,
    Strictness, end_of,
};
use crate::model::{FieldError, Timestamp};
use crate::workflow::machine::{EXPIRED, Input, Moment, advance};
use crate::workflow::steps::Outcome;
use crate::workflow::{Error, inputs};

/// Differences that an answer lists.
const MAX_DIFFERENCES: usize = 200;
/// Decisions of one replay.
const MAX_TURNS: u32 = 200_000;
/// Events between two looks.
const FLUSH: usize = 10_000;

/// Plays a recording on a definition that the checker accepts.
pub(super) fn play(recording: &Recording, graph: &Arc<Graph>, strictness: Strictness) -> Replay {
    let mut player = Player {
        recording,
        strictness,
        now: recording.started_at,
        made: BTreeMap::new(),
        unrecorded: BTreeSet::new(),
        found: Vec::new(),
    };
    let mut state = State::on(recording.run_id, Arc::clone(graph));
    match inputs::fit(&graph.definition().inputs, recording.inputs.clone()) {
        Ok(inputs) => {
            player.run(&mut state, inputs);
            player.judge(&state);
        }
        Err(error) => player.refuse_inputs(&error),
    }
    let mut differences = player.found;
    differences.sort_by_key(|difference| !difference.fails);
    differences.truncate(MAX_DIFFERENCES);
    let passed = differences.iter().all(|difference| !difference.fails);
    Replay { passed, recorded: recording.status, replayed: state.status(), differences }
}

struct Player<'a> {
    recording: &'a Recording,
    strictness: Strictness,
    now: Timestamp,
    /// Recorded outcomes that were used, by step.
    made: BTreeMap<String, usize>,
    /// Steps that asked for an outcome that was never recorded.
    unrecorded: BTreeSet<String>,
    found: Vec<ReplayDifference>,
}

impl Player<'_> {
    fn run(&mut self, state: &mut State, inputs: Value) {
        self.feed(state, Input::Start { inputs, until: self.recording.until.clone() });
        for _ in 0..MAX_TURNS {
            if state.is_ended() || !self.turn(state) {
                return;
            }
        }
        self.tell(None, true, "the replay did not come to an end", Differences::default());
    }

    fn feed(&self, state: &mut State, input: Input) {
        // What the machine refuses changes nothing, and the next turn says so.
        let _ = advance(state, input, &Moment { now: self.now, fraction: 0.5 }, FLUSH);
    }

    /// Ends what was recorded to end next. False when nothing is left that could.
    fn turn(&mut self, state: &mut State) -> bool {
        let at = |slot| (state.path(slot), state.step_at(slot).attempt);
        let answered = |slot: &Slot| self.is_answered(&state.path(*slot));
        let flying = state.in_flight().chain(state.awaiting().filter(answered)).map(at);
        let flying = flying.map(|(path, attempt)| (path, attempt, None));
        let timed = state.timers().filter(|(_, slot)| {
            state.step_at(*slot).waiting.as_ref().is_none_or(|w| w.on.is_none()) || !answered(slot)
        });
        let timed = timed.map(|(due, slot)| (state.path(slot), state.step_at(slot).attempt, Some(due)));
        let open: Vec<(String, u32, Option<Timestamp>)> =
            flying.chain(timed).filter(|(id, ..)| !self.unrecorded.contains(id)).collect();
        let Some((id, attempt, due)) = open.into_iter().min_by_key(|(id, ..)| self.next_seq(id)) else {
            return false;
        };
        match due {
            Some(due) => {
                self.now = self.now.max(self.woke_at(state, &id).unwrap_or(due)).max(due);
                self.feed(state, Input::Wake);
            }
            None => self.end_attempt(state, id, attempt),
        }
        true
    }

    fn recorded(&self, id: &str) -> Option<&RecordedStep> {
        self.recording.steps.get(id)
    }

    /// Whether it was recorded how a wait for people or for an event ended, and that was no deadline.
    fn is_answered(&self, id: &str) -> bool {
        let used = self.made.get(id).copied().unwrap_or(0);
        let next = self.recorded(id).and_then(|step| step.outcomes.get(used));
        next.is_some_and(|outcome| outcome.result.as_ref().map_or(true, |(port, _)| port != EXPIRED))
    }

    fn next_seq(&self, id: &str) -> i64 {
        let used = self.made.get(id).copied().unwrap_or(0);
        self.recorded(id).and_then(|step| step.outcomes.get(used)).map_or(i64::MAX, |outcome| outcome.seq)
    }

    /// When a recorded wait was over, so that it takes as long as it did.
    fn woke_at(&self, state: &State, id: &str) -> Option<Timestamp> {
        let waited = self.recorded(id)?.end.as_ref()?.output.get("waited_ms")?.as_i64()?;
        let since = state.find_step(id)?.spans.last()?.from;
        Some(since.plus_ms(waited))
    }

    fn end_attempt(&mut self, state: &mut State, id: String, attempt: u32) {
        let used = *self.made.entry(id.clone()).and_modify(|used| *used += 1).or_insert(1) - 1;
        let kind = state.graph().kind_at(&id).unwrap_or_default().to_owned();
        let outcome =
            self.recorded(&id).filter(|step| step.kind == kind).and_then(|step| step.outcomes.get(used)).cloned();
        let Some(outcome) = outcome else {
            let message = match self.recorded(&id) {
                Some(step) if !step.kind.is_empty() && step.kind != kind => {
                    format!("it was recorded as {} and is {kind} here, so that no outcome of it is known", step.kind)
                }
                Some(step) if !step.outcomes.is_empty() => format!("its attempt {attempt} has no recorded outcome"),
                _ => "it has an effect and was never run in the recording, so that its outcome is not known".to_owned(),
            };
            self.tell(Some(&id), true, message, Differences::default());
            self.unrecorded.insert(id);
            return;
        };
        let given = state.find_step(&id).map(|step| step.input.clone()).unwrap_or_default();
        let details = compare(&outcome.input, &given);
        if !details.is_empty() {
            self.tell(Some(&id), self.strictness == Strictness::Strict, "input differs", details);
        }
        let result = outcome.result.map(|(port, output)| Outcome::Done { port, output });
        self.feed(state, Input::Done { step: id, attempt, result });
    }

    /// Holds what came of it against what was recorded.
    fn judge(&mut self, state: &State) {
        let strict = self.strictness == Strictness::Strict;
        if self.unrecorded.is_empty() {
            if state.is_ended() {
                self.judge_end(state);
            } else {
                self.tell(None, true, "the replay waits for something that was not recorded", Differences::default());
            }
        }
        for step in state.steps() {
            let before = self.recorded(&step.id).and_then(|step| step.end.clone());
            match before {
                Some(before) => self.judge_step(state, &before, &step.id),
                None if step.attempt > 0 && !self.unrecorded.contains(&step.id) => {
                    self.tell(Some(&step.id), strict, "it ran and is not in the recording", Differences::default());
                }
                None => {}
            }
        }
        let recording = self.recording;
        for (id, step) in &recording.steps {
            let ran = !step.outcomes.is_empty() && step.end.is_some();
            if ran && state.graph().find(id).is_none() {
                self.tell(
                    Some(id),
                    strict,
                    "it ran in the recording and is not in this definition",
                    Differences::default(),
                );
            }
        }
    }

    fn judge_end(&mut self, state: &State) {
        let recording = self.recording;
        if recording.status != state.status() {
            let word = |status: RunStatus| status.label().to_lowercase();
            let because = state.error().map(|error| format!(": {}", error.message)).unwrap_or_default();
            let message =
                format!("the recorded run {} and the replay {}{because}", word(recording.status), word(state.status()));
            return self.tell(None, true, message, Differences::default());
        }
        let details = compare(&recording.output, state.output());
        if !details.is_empty() {
            self.tell(None, true, "the output differs", details);
        }
        if let (Some(before), Some(after)) = (&recording.error, state.error())
            && before != after
        {
            let message = format!("it failed with {:?} instead of {:?}", after.message, before.message);
            self.tell(None, before.class != after.class, message, Differences::default());
        }
    }

    fn judge_step(&mut self, state: &State, before: &RecordedEnd, id: &str) {
        if self.unrecorded.contains(id) {
            return;
        }
        let Some(step) = state.find_step(id) else { return };
        let after = end_of(step);
        let strict = self.strictness == Strictness::Strict;
        let none = Differences::default;
        if before.status != after.status {
            // After a step without an outcome nothing else is comparable.
            let fails = self.unrecorded.is_empty();
            return self.tell(Some(id), fails, went(before.status, after.status), none());
        }
        if before.port != after.port {
            let by = |port: &Option<String>| port.clone().unwrap_or_else(|| "no port".to_owned());
            return self.tell(
                Some(id),
                true,
                format!("it left by {} instead of {}", by(&after.port), by(&before.port)),
                none(),
            );
        }
        let is_wait = state.graph().find(id).is_some_and(|step| state.graph().step(step).kind == "wait");
        let details = compare(&before.output, &after.output);
        if !details.is_empty() && !is_wait {
            self.tell(Some(id), strict, "output differs", details);
        }
    }

    fn refuse_inputs(&mut self, error: &Error) {
        let fields: &[FieldError] = if let Error::Invalid(fields) = error { fields } else { &[] };
        if fields.is_empty() {
            self.tell(None, true, error.to_string(), Differences::default());
        }
        for field in fields {
            let message = format!("the recorded inputs don't fit: {} {}", field.pointer, field.message);
            self.tell(None, true, message, Differences::default());
        }
    }

    fn tell(&mut self, step: Option<&str>, fails: bool, message: impl Into<String>, details: Differences) {
        let step = step.map(str::to_owned);
        self.found.push(ReplayDifference { step, fails, message: message.into(), details });
    }
}

fn went(before: StepStatus, after: StepStatus) -> String {
    let word = |status: StepStatus| status.label().to_lowercase();
    format!("it is {} and was {} in the recording", word(after), word(before))
}
