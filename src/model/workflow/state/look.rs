//! What can be read from a state.

use std::sync::Arc;

use super::{Cell, Graph, Hold, RunId, RunStatus, Slot, State, StepError, StepState, StepStatus, Timestamp, Value};
use crate::model::workflow::{Definition, Signal};

impl State {
    /// The steps that are in motion or wait in the bodies of a container; not those in containers further inside.
    pub fn in_motion_inside(&self, container: Slot) -> Vec<Slot> {
        let frames = self.cell(container).into_iter().flat_map(Cell::frames);
        let steps = |frame: u32| (0..self.frame(frame).steps.len() as u32).map(move |step| Slot { frame, step });
        let moves = |status| matches!(status, StepStatus::Running | StepStatus::Waiting | StepStatus::Retrying);
        frames.flat_map(steps).filter(|&slot| moves(self.step_at(slot).status)).collect()
    }

    /// Whose state it is.
    pub const fn id(&self) -> RunId {
        self.id
    }

    /// The prepared definition.
    pub fn graph(&self) -> &Arc<Graph> {
        self.graph_in(Slot::RUN)
    }

    /// The graph that a step is part of.
    pub fn graph_of(&self, slot: Slot) -> &Arc<Graph> {
        self.graph_in(slot.frame)
    }

    /// What it runs.
    pub fn definition(&self) -> &Definition {
        self.graph().definition()
    }

    /// Where the run stands.
    pub fn status(&self) -> RunStatus {
        match self.end {
            Some(end) => end,
            None if !self.started && self.paused.is_none() => RunStatus::Queued,
            None if self.paused.is_some() => RunStatus::Paused,
            None if self.is_idle() && self.is_waiting() => RunStatus::Waiting,
            None => RunStatus::Running,
        }
    }

    /// Whether nothing is in flight and nothing may be done by thinking.
    fn is_idle(&self) -> bool {
        self.in_flight.is_empty()
            && self.ready.is_empty()
            && self.doomed.is_empty()
            && self.hungry.is_empty()
            && self.complete.is_empty()
    }

    fn is_waiting(&self) -> bool {
        !self.timers.is_empty() || !self.awaiting.is_empty()
    }

    /// Whether the run has begun.
    pub const fn is_started(&self) -> bool {
        self.started
    }

    /// Whether a person holds it.
    pub const fn is_paused(&self) -> bool {
        self.paused.is_some()
    }

    /// Whether it is held because the run that waits for it is.
    pub const fn is_held_with_parent(&self) -> bool {
        matches!(self.paused, Some(Hold::WithParent))
    }

    /// Whether it has ended.
    pub const fn is_ended(&self) -> bool {
        self.end.is_some()
    }

    /// The steps that are in no container as people see them, in the order of the definition.
    pub fn steps(&self) -> &[StepState] {
        &self.frame(Slot::RUN).steps
    }

    /// A step.
    pub fn step_at(&self, slot: Slot) -> &StepState {
        &self.frame(slot.frame).steps[slot.step as usize]
    }

    /// A step by its path.
    pub fn find_step(&self, path: &str) -> Option<&StepState> {
        self.find_slot(path).map(|slot| self.step_at(slot))
    }

    /// Whether every step of a frame has ended.
    pub fn is_complete(&self, frame: u32) -> bool {
        self.frame(frame).left == 0
    }

    /// The first step that may start.
    pub fn next_ready(&self) -> Option<Slot> {
        self.ready.first().copied()
    }

    /// The first step that nothing leads to any more.
    pub fn next_doomed(&self) -> Option<Slot> {
        self.doomed.first().copied()
    }

    /// The first body of which every step has ended.
    pub fn next_complete(&self) -> Option<u32> {
        self.complete.first().copied()
    }

    /// The first container that has something to do.
    pub fn next_hungry(&self) -> Option<Slot> {
        self.hungry.first().copied()
    }

    /// The steps with an attempt in flight.
    pub fn in_flight(&self) -> impl ExactSizeIterator<Item = Slot> {
        self.in_flight.iter().copied()
    }

    /// The steps that wait for a time, or for their next attempt, and containers with a time limit, and when; earliest first.
    pub fn timers(&self) -> impl ExactSizeIterator<Item = (Timestamp, Slot)> {
        self.timers.iter().copied()
    }

    /// The steps that wait for something else than time.
    pub fn awaiting(&self) -> impl ExactSizeIterator<Item = Slot> {
        self.awaiting.iter().copied()
    }

    /// When something is due next, unless a person holds the run.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.timers.first().map(|(due, _)| *due).filter(|_| self.paused.is_none() && self.end.is_none())
    }

    /// Whether nothing is in flight, may start or is to be skipped: only time, a signal or a person moves it on.
    pub fn is_at_rest(&self) -> bool {
        self.end.is_some()
            || !self.started
            || (self.in_flight.is_empty() && (self.paused.is_some() || (self.is_idle() && self.is_waiting())))
    }

    /// Attempts of a step under its retry policy so far: those before a person's retry don't count.
    pub fn attempts_counted(&self, slot: Slot) -> u32 {
        self.step_at(slot).attempt.saturating_sub(self.track(slot).base)
    }

    /// How often the attempt in flight was begun anew because its process ended.
    pub fn repeats(&self, slot: Slot) -> u32 {
        self.track(slot).repeats
    }

    /// What has reached the attempt that waits.
    pub fn signals(&self, slot: Slot) -> &[Signal] {
        &self.track(slot).signals
    }

    /// The paths of the steps whose failure ended the run.
    pub fn fatal_steps(&self) -> Vec<String> {
        let frames = self.frames.iter().enumerate().filter_map(|(at, frame)| Some((at as u32, frame.as_ref()?)));
        let fatal = frames.flat_map(|(frame, kept)| {
            let steps = (0..kept.tracks.len() as u32).filter(|&step| kept.tracks[step as usize].fatal);
            steps.map(move |step| self.path(Slot { frame, step }))
        });
        fatal.collect()
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

    /// When it began.
    pub const fn began_at(&self) -> Option<Timestamp> {
        self.started_at
    }

    /// The number of the newest event.
    pub const fn last_seq(&self) -> i64 {
        self.last_seq
    }

    /// What people call a step: its name, and which item it is for.
    fn label(&self, slot: Slot) -> String {
        let label = self.graph_of(slot).step(slot.step).label();
        match self.home_of(slot.frame) {
            Some((_, index)) => format!("{label} ({})", index + 1),
            None => label.to_owned(),
        }
    }

    /// The step that runs, waits or failed, and what it says, at most 200 characters.
    pub fn headline(&self) -> Option<String> {
        let with_others = |slot: Slot, count: usize| match count {
            0 | 1 => self.label(slot),
            count => format!("{} and {} more", self.label(slot), count - 1),
        };
        let text = match self.status() {
            RunStatus::Failed => {
                let message = self.error.as_ref().map_or("", |error| error.message.as_str());
                let failed = self.failed.as_deref().and_then(|path| self.find_slot(path));
                let said = failed.map_or_else(|| message.to_owned(), |slot| format!("{}: {message}", self.label(slot)));
                match self.undo_status() {
                    // What was done to mend it comes first: the message may be cut off.
                    Some(undone) => format!("({}) {said}", undone.label()),
                    None => said,
                }
            }
            RunStatus::Cancelled => format!("({})", self.undo_status()?.label()),
            RunStatus::Running => with_others(*self.in_flight.first()?, self.in_flight.len()),
            RunStatus::Waiting => {
                let timed = self.timers.iter().map(|(_, slot)| *slot).filter(|slot| self.cell(*slot).is_none());
                let mut waiting: Vec<Slot> = timed.collect();
                waiting.extend(self.awaiting.iter().filter(|slot| self.track(**slot).due.is_none()));
                let slot = *waiting.first()?;
                let waits = with_others(slot, waiting.len());
                match (&self.step_at(slot).waiting, self.step_at(slot).status) {
                    (Some(waiting), _) => format!("{waits}: {}", waiting.reason),
                    (None, StepStatus::Retrying) => format!("{waits}: tries again"),
                    _ => waits,
                }
            }
            RunStatus::Paused => {
                let slot = self.timers.iter().map(|(_, slot)| *slot);
                let failed = slot.filter(|slot| self.step_at(*slot).status == StepStatus::Retrying).find(|slot| {
                    self.graph_of(*slot).step(slot.step).on_error == crate::model::workflow::OnError::Pause
                })?;
                let error = self.step_at(failed).error.as_ref()?;
                format!("{}: {}", self.label(failed), error.message)
            }
            _ => return None,
        };
        // Postgres takes no NUL in text.
        Some(text.chars().filter(|c| *c != '\0').take(200).collect())
    }
}

/// A value as JSON, cut off after so many characters.
pub(super) fn short(value: &Value, chars: usize) -> String {
    let text = value.to_string();
    if text.chars().count() <= chars { text } else { text.chars().take(chars).chain(['…']).collect() }
}
