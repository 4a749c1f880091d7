//! Compensations: what could be undone, kept ready from the moment that its step succeeds, and how far undoing is.
//!
//! What there is to undo becomes a frame of its own, in which one step follows the other whatever comes of it. So a
//! compensation has attempts, retries, waits and logs like every step. Its path is that of its step behind `undo:`.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::super::compensation::{CompensationFailure, CompensationStatus, Ending};
use super::super::{Definition, Graph, SkipReason, StepError, StepState, StepStatus};
use super::frame::Frame;
use super::{Slot, State};
use crate::model::Timestamp;

/// What could be undone, and what is.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Undo {
    /// Oldest first.
    planned: Vec<Planned>,
    begun: Option<Begun>,
}

/// The compensation of a step that has succeeded.
#[derive(Debug, Clone)]
struct Planned {
    /// The step's path, with the attempts of containers that were begun more than once.
    path: String,
    graph: Arc<Graph>,
    step: u32,
    /// Rendered, or why that failed.
    config: Result<Value, StepError>,
}

impl PartialEq for Planned {
    fn eq(&self, other: &Self) -> bool {
        (&self.path, self.step, &self.config) == (&other.path, other.step, &other.config)
    }
}

#[derive(Debug, Clone, PartialEq)]
struct Begun {
    frame: u32,
    ending: Ending,
    /// By step of the frame: why its config could not be rendered.
    broken: Vec<Option<StepError>>,
}

impl State {
    /// The frame of what is undone.
    fn undo_frame(&self) -> Option<u32> {
        self.undo.begun.as_ref().map(|begun| begun.frame)
    }

    /// The frame of what is undone, for a path.
    pub(super) fn frame_of_undo(&self) -> Option<u32> {
        self.undo_frame()
    }

    /// Whether this is a compensation.
    pub fn is_undo(&self, slot: Slot) -> bool {
        self.undo_frame() == Some(slot.frame)
    }

    /// How the run will end once it has undone what it did; `None` while it goes forward, and when it has ended.
    pub fn undoing(&self) -> Option<&Ending> {
        self.undo.begun.as_ref().filter(|_| self.end.is_none()).map(|begun| &begun.ending)
    }

    /// Whether the run has begun to undo what it did.
    pub const fn has_undone(&self) -> bool {
        self.undo.begun.is_some()
    }

    /// Whether the run, about to end so, has something to undo and is to.
    pub fn is_to_undo(&self, ending: &Ending) -> bool {
        let policy = self.definition().compensation.unwrap_or_default();
        !self.has_undone() && !self.undo.planned.is_empty() && policy.covers(ending)
    }

    /// The compensations, in the order in which they run.
    pub fn undo_steps(&self) -> &[StepState] {
        self.undo_frame().map_or(&[], |frame| &self.frame(frame).steps)
    }

    /// The slots of the compensations.
    pub fn undo_slots(&self) -> impl Iterator<Item = Slot> + use<> {
        let frame = self.undo_frame();
        let count = self.undo_steps().len() as u32;
        frame.into_iter().flat_map(move |frame| (0..count).map(move |step| Slot { frame, step }))
    }

    /// Why the config of a compensation could not be rendered.
    pub fn undo_error(&self, slot: Slot) -> Option<&StepError> {
        self.undo.begun.as_ref().filter(|begun| begun.frame == slot.frame)?.broken.get(slot.step as usize)?.as_ref()
    }

    /// How far the run is with undoing; `None` if it never began to.
    pub fn undo_status(&self) -> Option<CompensationStatus> {
        self.undo.begun.as_ref()?;
        let any = |wanted: fn(&StepState) -> bool| self.undo_steps().iter().any(wanted);
        Some(if self.end.is_none() {
            CompensationStatus::Running
        } else if any(|step| step.status == StepStatus::Failed) {
            CompensationStatus::Failed
        } else if any(|step| step.status != StepStatus::Succeeded) {
            CompensationStatus::Stopped
        } else {
            CompensationStatus::Compensated
        })
    }

    /// Whether nothing is left to undo, or a failure stops the rest.
    pub fn is_undo_over(&self) -> bool {
        let policy = self.definition().compensation.unwrap_or_default();
        let stops = policy.on_error == CompensationFailure::Stop;
        let steps = self.undo_steps();
        let failed = || steps.iter().any(|step| step.status == StepStatus::Failed);
        steps.iter().all(|step| step.status.is_final()) || (stops && failed())
    }

    /// Keeps what undoes a step that has just succeeded.
    pub(super) fn plan_undo(&mut self, slot: Slot, config: &Value, error: Option<&StepError>) {
        let config = error.map_or_else(|| Ok(config.clone()), |error| Err(error.clone()));
        let (path, graph) = (self.unique_path(slot), Arc::clone(self.graph_of(slot)));
        self.undo.planned.push(Planned { path, graph, step: slot.step, config });
    }

    /// Stops what is in motion and turns round: from here on the run undoes what it did.
    pub(super) fn begin_undo(&mut self, ending: &Ending, at: Timestamp) {
        if self.has_undone() {
            return;
        }
        self.cut_off_root(at);
        let mut taken = BTreeSet::new();
        let (mut steps, mut broken) = (Vec::new(), Vec::new());
        for planned in std::mem::take(&mut self.undo.planned).into_iter().rev() {
            let step = planned.graph.step(planned.step);
            let Some(compensation) = &step.compensate else { continue };
            let mut path = planned.path;
            while !taken.insert(path.clone()) {
                path.push('\'');
            }
            let (config, error) = match planned.config {
                Ok(config) => (config, None),
                Err(error) => (Value::Null, Some(error)),
            };
            steps.push(compensation.step(step, path, config));
            broken.push(error);
        }
        let definition = Definition { steps, ..Definition::empty(&self.definition().name) };
        let frame = self.place_frame(Frame::new(Graph::new(definition), None));
        self.undo.begun = Some(Begun { frame, ending: ending.clone(), broken });
        self.consider_undo(frame, 0);
    }

    /// A compensation has ended, whatever came of it: the next one may begin.
    pub(super) fn go_on_undoing(&mut self, slot: Slot) {
        if self.is_undo(slot) && self.step_at(slot).status.is_final() && self.end.is_none() && !self.is_undo_over() {
            self.consider_undo(slot.frame, slot.step + 1);
        }
    }

    fn consider_undo(&mut self, frame: u32, step: u32) {
        if (step as usize) < self.frame(frame).steps.len() {
            self.consider(Slot { frame, step });
        }
    }

    /// The run has ended: what was not undone is not.
    pub(super) fn end_undo(&mut self, at: Timestamp) {
        for slot in self.undo_slots() {
            if !self.step_at(slot).status.is_final() {
                self.skip_step(slot, at, SkipReason::RunEnded, &[]);
            }
        }
    }

    /// What was copied from another run is not this one's to undo.
    pub(super) fn forget_undo(&mut self) {
        if let Some(begun) = std::mem::take(&mut self.undo).begun {
            for step in 0..self.frame(begun.frame).steps.len() as u32 {
                self.forget(Slot { frame: begun.frame, step });
            }
            self.frames[begun.frame as usize] = None;
            self.vacant.push(begun.frame);
        }
    }
}
