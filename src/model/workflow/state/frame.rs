//! A graph in motion: where its steps and edges stand, and what each event does to them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::super::{Edge, FailureHandling, Graph, SkipReason, StepError, StepState, StepStatus};
use super::ending::fresh;
use super::{Cell, Slot, State};
use crate::model::Timestamp;
use crate::model::workflow::Signal;

/// Where an edge stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Settled {
    Open,
    Taken,
    Skipped,
}

/// What the fold keeps of a step beside what people see.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Track {
    /// Inbound edges that aren't settled.
    pub(super) open: u32,
    /// Inbound edges that were taken.
    pub(super) taken: u32,
    /// When it goes on by itself: the end of a wait, the next attempt, a container's time limit.
    pub(super) due: Option<Timestamp>,
    /// Attempts made before a person asked to try again; the retry policy counts from here.
    pub(super) base: u32,
    /// Of a container: the attempt that began with nothing; later ones went on where it was.
    pub(super) begun: u32,
    /// How often the attempt in flight was begun anew because its process ended.
    pub(super) repeats: u32,
    /// Its failure ended the run, or its body.
    pub(super) fatal: bool,
    /// What has reached the attempt that waits.
    pub(super) signals: Vec<Signal>,
    /// What its attempts have done of their work.
    pub(super) journal: Vec<Arc<Value>>,
}

/// Whose body a frame is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Home {
    pub(super) container: Slot,
    pub(super) index: u32,
}

/// A graph in motion.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) graph: Arc<Graph>,
    /// `None` for the run itself.
    pub(super) home: Option<Home>,
    pub(super) steps: Vec<StepState>,
    pub(super) tracks: Vec<Track>,
    pub(super) edges: Vec<Settled>,
    /// Steps without an end.
    pub(super) left: u32,
    /// The containers that have begun, by step.
    pub(super) cells: BTreeMap<u32, Cell>,
}

impl PartialEq for Frame {
    fn eq(&self, other: &Self) -> bool {
        self.home == other.home
            && self.steps == other.steps
            && self.tracks == other.tracks
            && self.edges == other.edges
            && self.left == other.left
            && self.cells == other.cells
    }
}

impl Frame {
    pub(super) fn new(graph: Arc<Graph>, home: Option<Home>) -> Self {
        let steps: Vec<StepState> = graph.definition().steps.iter().map(|step| fresh(&step.id)).collect();
        let tracks = (0..graph.len() as u32).map(|step| Track {
            open: graph.inbound(step).len() as u32,
            taken: 0,
            due: None,
            base: 0,
            begun: 0,
            repeats: 0,
            fatal: false,
            signals: Vec::new(),
            journal: Vec::new(),
        });
        Self {
            home,
            tracks: tracks.collect(),
            edges: vec![Settled::Open; graph.definition().edges.len()],
            left: steps.len() as u32,
            steps,
            graph,
            cells: BTreeMap::new(),
        }
    }
}

impl State {
    /// The frame under a number that is in use.
    pub(super) fn frame(&self, frame: u32) -> &Frame {
        self.frames[frame as usize].as_ref().expect("slots of a dropped frame are forgotten with it")
    }

    pub(super) fn frame_mut(&mut self, frame: u32) -> &mut Frame {
        self.frames[frame as usize].as_mut().expect("slots of a dropped frame are forgotten with it")
    }

    pub(super) fn step_mut(&mut self, slot: Slot) -> &mut StepState {
        &mut self.frame_mut(slot.frame).steps[slot.step as usize]
    }

    pub(super) fn track(&self, slot: Slot) -> &Track {
        &self.frame(slot.frame).tracks[slot.step as usize]
    }

    pub(super) fn track_mut(&mut self, slot: Slot) -> &mut Track {
        &mut self.frame_mut(slot.frame).tracks[slot.step as usize]
    }

    /// Puts a frame where there is room for it.
    pub(super) fn place_frame(&mut self, frame: Frame) -> u32 {
        let frame = Some(Box::new(frame));
        if let Some(number) = self.vacant.pop() {
            self.frames[number as usize] = frame;
            return number;
        }
        self.frames.push(frame);
        self.frames.len() as u32 - 1
    }

    /// Looks at every step of a frame that has just begun, or was opened again.
    pub(super) fn open(&mut self, frame: u32) {
        for step in 0..self.frame(frame).steps.len() as u32 {
            self.consider(Slot { frame, step });
        }
    }

    pub(super) fn fail_step(
        &mut self,
        slot: Slot,
        at: Timestamp,
        error: &StepError,
        handled: FailureHandling,
        untaken: &[u32],
    ) {
        let status = if handled == FailureHandling::Continues { StepStatus::Succeeded } else { StepStatus::Failed };
        self.end_step(slot, at, status);
        let default = match handled {
            FailureHandling::Continues => Some(self.graph_of(slot).step(slot.step).default.clone()),
            FailureHandling::FailsRun | FailureHandling::ErrorPort => None,
        };
        let state = self.step_mut(slot);
        if let Some(span) = state.spans.last_mut() {
            span.status = StepStatus::Failed;
        }
        state.error = Some(error.clone());
        let port = match handled {
            FailureHandling::FailsRun => {
                self.track_mut(slot).fatal = true;
                self.freeze_bodies(slot, at);
                return;
            }
            FailureHandling::Continues => Edge::OUT,
            FailureHandling::ErrorPort => Edge::ERROR,
        };
        state.output = default.unwrap_or(Value::Null);
        state.port = Some(port.to_owned());
        self.drop_bodies(slot);
        self.settle_edges(slot, |edge, number| edge.port == port && !untaken.contains(&number));
    }

    pub(super) fn skip_step(&mut self, slot: Slot, at: Timestamp, reason: SkipReason, untaken: &[u32]) {
        let began =
            matches!(self.step_at(slot).status, StepStatus::Running | StepStatus::Waiting | StepStatus::Retrying);
        self.end_step(slot, at, if began { StepStatus::Cancelled } else { StepStatus::Skipped });
        self.step_mut(slot).skipped = Some(reason);
        match reason {
            SkipReason::NotReached | SkipReason::LostRace => {
                self.list_stopped(slot, at);
                self.drop_bodies(slot);
                self.settle_edges(slot, |_, _| false);
            }
            SkipReason::Disabled => {
                self.settle_edges(slot, |edge, number| edge.port != Edge::ERROR && !untaken.contains(&number));
            }
            // The run is over: what follows is not decided, and a retry may still get there.
            SkipReason::RunEnded | SkipReason::NotAsked => self.freeze_bodies(slot, at),
        }
    }

    /// Takes a step out of every set and closes its bar.
    pub(super) fn leave(&mut self, slot: Slot, at: Timestamp, span: StepStatus) {
        self.forget(slot);
        let state = self.step_mut(slot);
        state.waiting = None;
        if let Some(open) = state.spans.last_mut().filter(|open| open.to.is_none()) {
            open.to = Some(at);
            if open.status == StepStatus::Running {
                open.status = span;
            }
        }
    }

    /// Takes a step out of every set.
    pub(super) fn forget(&mut self, slot: Slot) {
        self.ready.remove(&slot);
        self.doomed.remove(&slot);
        self.in_flight.remove(&slot);
        self.awaiting.remove(&slot);
        self.hungry.remove(&slot);
        if let Some(due) = self.track_mut(slot).due.take() {
            self.timers.remove(&(due, slot));
        }
    }

    pub(super) fn end_step(&mut self, slot: Slot, at: Timestamp, status: StepStatus) {
        self.leave(slot, at, status);
        let keeps_inputs = self.keeps_inputs;
        let is_container = self.graph_of(slot).body(slot.step).is_some();
        let state = self.step_mut(slot);
        state.status = status;
        state.ended_at = Some(at);
        // What a container was given is needed again when a person retries it.
        let is_needed_again = is_container && status != StepStatus::Succeeded;
        if !keeps_inputs && !is_needed_again {
            state.input = Value::Null;
        }
        self.done += u32::from(slot.frame == Slot::RUN);
        let frame = self.frame_mut(slot.frame);
        frame.left = frame.left.saturating_sub(1);
        if frame.left == 0 && frame.home.is_some() {
            self.complete.insert(slot.frame);
        }
    }

    pub(super) fn schedule(&mut self, slot: Slot, due: Option<Timestamp>) {
        self.track_mut(slot).due = due;
        if let Some(due) = due {
            self.timers.insert((due, slot));
        }
    }

    pub(super) fn settle_edges(&mut self, slot: Slot, is_taken: impl Fn(&Edge, u32) -> bool) {
        let graph = Arc::clone(self.graph_of(slot));
        for &number in graph.outbound(slot.step) {
            let frame = self.frame_mut(slot.frame);
            if frame.edges[number as usize] != Settled::Open {
                continue;
            }
            let taken = is_taken(graph.edge(number), number);
            frame.edges[number as usize] = if taken { Settled::Taken } else { Settled::Skipped };
            let Some(target) = graph.target(number) else { continue };
            let track = &mut frame.tracks[target as usize];
            track.open -= 1;
            track.taken += u32::from(taken);
            self.consider(Slot { frame: slot.frame, step: target });
        }
    }

    /// Puts a step that has not begun where its inbound edges send it.
    pub(super) fn consider(&mut self, slot: Slot) {
        if self.step_at(slot).status != StepStatus::Queued {
            return;
        }
        let track = self.track(slot);
        let graph = self.graph_of(slot);
        let is_root = graph.inbound(slot.step).is_empty();
        let needed = graph.step(slot.step).join.needed();
        let starts = is_root
            || match needed {
                None => track.open == 0 && track.taken > 0,
                Some(needed) => track.taken >= needed.max(1),
            };
        let is_hopeless = match needed {
            None => track.open == 0,
            Some(needed) => track.open + track.taken < needed.max(1),
        };
        if starts {
            self.ready.insert(slot);
            self.step_mut(slot).status = StepStatus::Ready;
        } else if is_hopeless {
            self.doomed.insert(slot);
        }
    }
}
