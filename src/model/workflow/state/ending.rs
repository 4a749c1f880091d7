//! The end of a run, and its undoing for a person who asked to try again.

use super::super::Span;
use super::{RunStatus, SkipReason, Slot, State, StepState, StepStatus, Timestamp, Value};

impl State {
    pub(super) fn finish(&mut self, status: RunStatus, at: Timestamp) {
        self.end = Some(status);
        self.ended_at = Some(at);
        self.paused = None;
        self.cut_off_root(at);
        self.end_undo(at);
    }

    /// Ends what of the run itself has no end, with all that is inside of containers.
    pub(super) fn cut_off_root(&mut self, at: Timestamp) {
        for step in 0..self.steps().len() as u32 {
            let slot = Slot::root(step);
            if !self.step_at(slot).status.is_final() {
                self.skip_step(slot, at, SkipReason::RunEnded, &[]);
                self.done -= 1;
            }
        }
    }

    /// Opens what the end of the run cut off or what ended it, for a person who asked to try again.
    pub(super) fn reopen(&mut self, at: Timestamp) {
        self.end = None;
        self.ended_at = None;
        self.error = None;
        self.failed = None;
        self.reopen_frame(Slot::RUN, at);
        self.done = self.steps().iter().filter(|step| step.status.is_final()).count() as u32;
    }

    pub(super) fn reopen_frame(&mut self, frame: u32, at: Timestamp) {
        for step in 0..self.frame(frame).steps.len() as u32 {
            let slot = Slot { frame, step };
            let skipped = self.step_at(slot).skipped;
            let cut_off = matches!(skipped, Some(SkipReason::RunEnded | SkipReason::NotAsked));
            if !cut_off && !self.track(slot).fatal {
                continue;
            }
            self.track_mut(slot).fatal = false;
            let is_container = self.cell(slot).is_some();
            let state = self.step_mut(slot);
            let attempt = state.attempt;
            if is_container {
                state.status = StepStatus::Running;
                (state.ended_at, state.skipped, state.error) = (None, None, None);
                state.spans.push(Span { status: StepStatus::Running, attempt, from: at, to: None });
                self.thaw_container(slot, at);
            } else {
                let spans = std::mem::take(&mut state.spans);
                *state = StepState { attempt, spans, ..fresh(&state.id) };
            }
            self.track_mut(slot).base = attempt;
        }
        let left = self.frame(frame).steps.iter().filter(|step| !step.status.is_final()).count() as u32;
        self.frame_mut(frame).left = left;
        if left == 0 && frame != Slot::RUN {
            self.complete.insert(frame);
        }
        self.open(frame);
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
        sub_run: None,
        given: None,
        bodies: None,
        spans: Vec::new(),
    }
}
