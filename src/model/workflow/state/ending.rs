//! The end of a run, and its undoing for a person who asked to try again.

use super::{RunStatus, SkipReason, State, StepState, StepStatus, Timestamp, Value};

impl State {
    pub(super) fn finish(&mut self, status: RunStatus, at: Timestamp) {
        self.end = Some(status);
        self.ended_at = Some(at);
        self.paused = false;
        for step in 0..self.steps.len() as u32 {
            if !self.steps[step as usize].status.is_final() {
                self.skip_step(step, at, SkipReason::RunEnded, &[]);
                self.done -= 1;
            }
        }
    }

    /// Opens what the end of the run cut off or what ended it, for a person who asked to try again.
    pub(super) fn reopen(&mut self) {
        self.end = None;
        self.ended_at = None;
        self.error = None;
        self.failed = None;
        for step in 0..self.steps.len() {
            let not_asked = self.steps[step].skipped == Some(SkipReason::NotAsked);
            let cut_off = not_asked || self.steps[step].skipped == Some(SkipReason::RunEnded);
            if cut_off || self.tracks[step].fatal {
                if self.tracks[step].fatal || not_asked || self.steps[step].status == StepStatus::Cancelled {
                    self.done = self.done.saturating_sub(1);
                }
                let (attempt, spans) = (self.steps[step].attempt, std::mem::take(&mut self.steps[step].spans));
                let state = fresh(&self.steps[step].id);
                self.steps[step] = StepState { attempt, spans, ..state };
                self.tracks[step].base = attempt;
                self.tracks[step].fatal = false;
            }
        }
        for step in 0..self.steps.len() as u32 {
            self.consider(step);
        }
    }
}

/// A step to which nothing has happened.
pub(super) fn fresh(id: &str) -> StepState {
    StepState {
        id: id.to_owned(),
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
        spans: Vec::new(),
    }
}
