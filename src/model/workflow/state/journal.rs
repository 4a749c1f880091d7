//! What a step has done of its work so far: kept in the history entry by entry, and never done again.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::{Span, StepError, StepStatus};
use super::{Slot, State};
use crate::model::Timestamp;

impl State {
    /// What the attempts of a step have done so far, oldest first. Empty for kinds that do their work in one go.
    pub fn journal(&self, slot: Slot) -> &[Arc<Value>] {
        &self.track(slot).journal
    }

    /// Whether steps of this kind go on from what they did before.
    pub fn keeps_journal(&self, slot: Slot) -> bool {
        self.graph_of(slot).kind(slot.step).is_some_and(super::super::kind::Kind::keeps_journal)
    }

    /// Adds an entry. A step that waited is in motion again, and what it waited for is behind it.
    pub(super) fn note(&mut self, slot: Slot, at: Timestamp, attempt: u32, entry: Value) {
        if self.step_at(slot).status == StepStatus::Waiting {
            self.leave(slot, at, StepStatus::Waiting);
            self.in_flight.insert(slot);
            self.track_mut(slot).signals.clear();
            let state = self.step_mut(slot);
            state.status = StepStatus::Running;
            state.spans.push(Span { status: StepStatus::Running, attempt, from: at, to: None });
        }
        let track = self.track_mut(slot);
        track.repeats = 0;
        track.journal.push(Arc::new(entry));
    }

    /// A run that goes its own way does the unfinished work itself, from its beginning: what people answered there was
    /// answered for the other run.
    pub(crate) fn forget_journals(&mut self) {
        for frame in self.frames.iter_mut().flatten() {
            frame.tracks.iter_mut().for_each(|track| track.journal.clear());
        }
    }
}

/// The entry of an answer: what a step waited for has come.
pub(super) fn answered(port: &str, output: &Value, error: Option<&StepError>) -> Value {
    let mut entry = json!({"entry": "answered", "port": port, "output": output});
    if let Some(error) = error {
        entry["error"] = json!(error);
    }
    entry
}
