//! What can be read from a state.

use std::sync::Arc;

use super::{Graph, RunId, RunStatus, Scope, State, StepError, StepScope, StepState, StepStatus, Timestamp, Value};
use crate::model::workflow::Definition;

impl State {
    /// Whose state it is.
    pub const fn id(&self) -> RunId {
        self.id
    }

    /// The prepared definition.
    pub const fn graph(&self) -> &Arc<Graph> {
        &self.graph
    }

    /// What it runs.
    pub fn definition(&self) -> &Definition {
        self.graph.definition()
    }

    /// Where the run stands.
    pub fn status(&self) -> RunStatus {
        match self.end {
            Some(end) => end,
            None if !self.started && !self.paused => RunStatus::Queued,
            None if self.paused => RunStatus::Paused,
            None if self.in_flight.is_empty() && self.ready.is_empty() && self.is_waiting() => RunStatus::Waiting,
            None => RunStatus::Running,
        }
    }

    fn is_waiting(&self) -> bool {
        !self.timers.is_empty()
    }

    /// Whether the run has begun.
    pub const fn is_started(&self) -> bool {
        self.started
    }

    /// Whether a person holds it.
    pub const fn is_paused(&self) -> bool {
        self.paused
    }

    /// Whether it has ended.
    pub const fn is_ended(&self) -> bool {
        self.end.is_some()
    }

    /// The steps as people see them, in the order of the definition.
    pub fn steps(&self) -> &[StepState] {
        &self.steps
    }

    /// A step by number.
    pub fn step_at(&self, number: u32) -> &StepState {
        &self.steps[number as usize]
    }

    /// A step by id.
    pub fn find_step(&self, id: &str) -> Option<&StepState> {
        self.graph.find(id).map(|number| self.step_at(number))
    }

    /// The first step that may start.
    pub fn next_ready(&self) -> Option<u32> {
        self.ready.first().copied()
    }

    /// The first step that nothing leads to any more.
    pub fn next_doomed(&self) -> Option<u32> {
        self.doomed.first().copied()
    }

    /// The steps with an attempt in flight.
    pub fn in_flight(&self) -> impl ExactSizeIterator<Item = u32> {
        self.in_flight.iter().copied()
    }

    /// The steps that wait for a time, or for their next attempt, and when; earliest first.
    pub fn timers(&self) -> impl ExactSizeIterator<Item = (Timestamp, u32)> {
        self.timers.iter().copied()
    }

    /// When something is due next, unless a person holds the run.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.timers.first().map(|(due, _)| *due).filter(|_| !self.paused && self.end.is_none())
    }

    /// Whether nothing is in flight, may start or is to be skipped: only time or a person moves it on.
    pub fn is_at_rest(&self) -> bool {
        self.end.is_some()
            || !self.started
            || (self.in_flight.is_empty()
                && (self.paused || (self.ready.is_empty() && self.doomed.is_empty() && self.is_waiting())))
    }

    /// Attempts of a step under its retry policy so far: those before a person's retry don't count.
    pub fn attempts_counted(&self, number: u32) -> u32 {
        self.steps[number as usize].attempt.saturating_sub(self.tracks[number as usize].base)
    }

    /// How often the attempt in flight was begun anew because its process ended.
    pub fn repeats(&self, number: u32) -> u32 {
        self.tracks[number as usize].repeats
    }

    /// The steps whose failure ended the run.
    pub fn fatal_steps(&self) -> impl Iterator<Item = u32> {
        (0..self.tracks.len() as u32).filter(|&step| self.tracks[step as usize].fatal)
    }

    /// How many steps have ended.
    pub const fn steps_done(&self) -> u32 {
        self.done
    }

    /// What came out of the run.
    pub const fn output(&self) -> &Value {
        &self.output
    }

    /// What the run was given.
    pub const fn given(&self) -> &Value {
        &self.inputs
    }

    /// Why the run failed.
    pub const fn error(&self) -> Option<&StepError> {
        self.error.as_ref()
    }

    /// When it ended.
    pub const fn ended_at(&self) -> Option<Timestamp> {
        self.ended_at
    }

    /// The number of the newest event.
    pub const fn last_seq(&self) -> i64 {
        self.last_seq
    }

    /// The step that runs, waits or failed, and what it says, at most 200 characters.
    pub fn headline(&self) -> Option<String> {
        let label = |step: u32| self.graph.step(step).label();
        let with_others = |step: u32, count: usize| match count {
            1 => label(step).to_owned(),
            count => format!("{} and {} more", label(step), count - 1),
        };
        let text = match self.status() {
            RunStatus::Failed => {
                let message = self.error.as_ref().map_or("", |error| error.message.as_str());
                self.failed.map_or_else(|| message.to_owned(), |step| format!("{}: {message}", label(step)))
            }
            RunStatus::Running => with_others(*self.in_flight.first()?, self.in_flight.len()),
            RunStatus::Waiting => {
                let (_, step) = *self.timers.first()?;
                let waits = with_others(step, self.timers.len());
                match (&self.step_at(step).waiting, self.step_at(step).status) {
                    (Some(waiting), _) => format!("{waits}: {}", waiting.reason),
                    (None, StepStatus::Retrying) => format!("{waits}: tries again"),
                    _ => waits,
                }
            }
            _ => return None,
        };
        // Postgres takes no NUL in text.
        Some(text.chars().filter(|c| *c != '\0').take(200).collect())
    }
}

impl Scope for State {
    fn inputs(&self) -> &Value {
        &self.inputs
    }

    fn step(&self, id: &str) -> Option<StepScope<'_>> {
        let step = self.find_step(id)?;
        Some(StepScope { output: &step.output, status: step.status, error: step.error.as_ref() })
    }

    fn step_ids(&self) -> Vec<String> {
        self.steps.iter().map(|step| step.id.clone()).collect()
    }

    fn run_id(&self) -> RunId {
        self.id
    }

    fn started_at(&self) -> Option<Timestamp> {
        self.started_at
    }

    fn workflow_name(&self) -> &str {
        &self.definition().name
    }
}
