//! A run goes on with a newer version: what has happened stays, under the numbers of the new graph.
//!
//! The machine has proven that every step which was touched is the same there, or takes its config anew, and that bodies in
//! motion have the same steps and edges. So a body in motion keeps its frame, and only the run's own frame is laid out anew:
//! steps and edges are found again by what they are called.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::fit::{Far, Inside, Touch, Touched};
use super::super::migration::{Migrated, called};
use super::super::{Edge, Graph, SkipReason, Step, StepState, StepStatus};
use super::branch::Until;
use super::frame::{Frame, Settled};
use super::{Slot, State};

impl State {
    /// The steps of the run itself that it has come to, and how far.
    pub fn touched(&self) -> Touched<'_> {
        let steps = self.steps().iter().zip(0..);
        let begun = steps.filter(|(step, _)| !matches!(step.status, StepStatus::Queued | StepStatus::Ready));
        let far = |step: &StepState, number: u32| match step.status {
            StepStatus::Skipped if step.attempt == 0 => Far::Skipped,
            // What it goes on from was made with the old config.
            StepStatus::Retrying if self.journal(Slot::root(number)).is_empty() => Far::Failed,
            status if status.is_final() => Far::Ended,
            _ => Far::Begun,
        };
        let touch = |(step, number): (&StepState, u32)| Touch {
            far: far(step, number),
            inside: step.bodies.is_some() || self.cell(Slot::root(number)).is_some(),
        };
        begun.map(|(step, number)| (step.id.as_str(), touch((step, number)))).collect()
    }

    /// How far the steps inside of containers have come, in one body or another.
    pub fn touched_inside(&self) -> Inside<'_> {
        let mut inside = Inside::new();
        for (frame, number) in self.frames.iter().zip(0..) {
            let Some(frame) = frame.as_deref() else { continue };
            let ended = frame.cells.iter().filter(|(_, cell)| cell.counts().0 > 0);
            for body in ended.filter_map(|(&step, _)| frame.graph.body(step)) {
                note_ended(&body.definition().steps, &mut inside);
            }
            if frame.home.is_none() {
                continue;
            }
            for (step, place) in frame.steps.iter().zip(0..) {
                if let Some(far) = self.far_inside(step, Slot { frame: number, step: place }) {
                    inside.entry(step.id.as_str()).or_default().insert(far);
                }
            }
        }
        inside
    }

    /// How far a step of a body has come; `None` where it lies ahead.
    fn far_inside(&self, step: &StepState, slot: Slot) -> Option<Far> {
        let cut_off = matches!(step.skipped, Some(SkipReason::RunEnded | SkipReason::NotAsked));
        let is_reopened = (cut_off || self.track(slot).fatal) && self.cell(slot).is_none();
        let is_fresh = self.journal(slot).is_empty();
        match step.status {
            StepStatus::Queued | StepStatus::Ready => None,
            // Its container was stopped, and goes on: the step begins anew.
            _ if is_reopened && step.attempt == 0 => None,
            StepStatus::Retrying if is_fresh => Some(Far::Failed),
            _ if is_reopened && is_fresh => Some(Far::Failed),
            StepStatus::Skipped if step.attempt == 0 => Some(Far::Skipped),
            status if status.is_final() && !is_reopened && self.cell(slot).is_none() => Some(Far::Ended),
            _ => Some(Far::Begun),
        }
    }

    /// Lays the run's own frame out on the new graph. Nothing happens where a step that was touched is missing there: no
    /// machine of ours decides that.
    pub(super) fn migrate(&mut self, migrated: &Migrated) {
        let graph = Graph::new(migrated.definition.clone());
        if self.touched().keys().any(|id| graph.find(id).is_none()) {
            return;
        }
        if let Some(inputs) = &migrated.inputs {
            self.inputs = inputs.clone();
        }
        let until = self.until().map(|step| self.steps()[step as usize].id.clone());
        self.until = until.and_then(|id| Until::new(&graph, &id));
        let fresh = Frame::new(Arc::clone(&graph), None);
        let Some(old) = self.frames[Slot::RUN as usize].replace(Box::new(fresh)) else { return };
        let numbers: Vec<Option<u32>> = old.steps.iter().map(|step| graph.find(&step.id)).collect();
        let settled = settled_edges(&old, &graph, &migrated.taken);
        self.fill(*old, &numbers, settled);
        self.rename_slots(&numbers);
        self.give_graphs(&graph);
        self.done = self.steps().iter().filter(|step| step.status.is_final()).count() as u32;
        self.open(Slot::RUN);
    }

    /// Moves what has happened into the new frame.
    fn fill(&mut self, old: Frame, numbers: &[Option<u32>], settled: Vec<Settled>) {
        let frame = self.frame_mut(Slot::RUN);
        for ((mut step, track), number) in old.steps.into_iter().zip(old.tracks).zip(numbers) {
            let Some(number) = number.map(|number| number as usize) else { continue };
            if step.status == StepStatus::Ready {
                // Whether it may start is looked at anew.
                step.status = StepStatus::Queued;
            }
            frame.steps[number] = step;
            frame.tracks[number] = track;
        }
        frame.cells = old.cells.into_iter().filter_map(|(step, cell)| Some((numbers[step as usize]?, cell))).collect();
        frame.edges = settled;
        let graph = Arc::clone(&frame.graph);
        for step in 0..graph.len() as u32 {
            let inbound = graph.inbound(step).iter().map(|&edge| frame.edges[edge as usize]);
            let (mut open, mut taken) = (0, 0);
            for edge in inbound {
                open += u32::from(edge == Settled::Open);
                taken += u32::from(edge == Settled::Taken);
            }
            let track = &mut frame.tracks[step as usize];
            (track.open, track.taken) = (open, taken);
        }
        frame.left = frame.steps.iter().filter(|step| !step.status.is_final()).count() as u32;
    }

    /// Puts the new numbers where the old ones stand. What may start, or is not reached, is looked at anew.
    fn rename_slots(&mut self, numbers: &[Option<u32>]) {
        let renamed = |slot: Slot| match slot.frame {
            Slot::RUN => numbers.get(slot.step as usize).copied().flatten().map(Slot::root),
            _ => Some(slot),
        };
        let rename = |slots: &mut BTreeSet<Slot>| {
            *slots = std::mem::take(slots).into_iter().filter_map(renamed).collect();
        };
        self.ready.retain(|slot| slot.frame != Slot::RUN);
        self.doomed.retain(|slot| slot.frame != Slot::RUN);
        rename(&mut self.in_flight);
        rename(&mut self.awaiting);
        rename(&mut self.hungry);
        let timers = std::mem::take(&mut self.timers);
        self.timers = timers.into_iter().filter_map(|(due, slot)| Some((due, renamed(slot)?))).collect();
        for home in self.frames.iter_mut().flatten().filter_map(|frame| frame.home.as_mut()) {
            if let Some(slot) = renamed(home.container) {
                home.container = slot;
            }
        }
    }

    /// Gives bodies in motion the graphs of the new version, which are laid out the same.
    fn give_graphs(&mut self, graph: &Arc<Graph>) {
        let mut open: Vec<(u32, Arc<Graph>)> = vec![(Slot::RUN, Arc::clone(graph))];
        while let Some((frame, graph)) = open.pop() {
            let inside: BTreeMap<u32, Vec<u32>> =
                self.frame(frame).cells.iter().map(|(&step, cell)| (step, cell.frames().collect())).collect();
            for (step, frames) in inside {
                if let Some(body) = graph.body(step) {
                    open.extend(frames.into_iter().map(|frame| (frame, Arc::clone(body))));
                }
            }
            self.frame_mut(frame).graph = graph;
        }
    }
}

/// A body with these steps has ended.
fn note_ended<'a>(steps: &'a [Step], inside: &mut Inside<'a>) {
    for step in steps {
        inside.entry(step.id.as_str()).or_default().insert(Far::Ended);
        if let Some(body) = &step.body {
            note_ended(&body.steps, inside);
        }
    }
}

/// Where the edges of the new graph stand: as the same edge stood before; one that is new is open, or was chosen with the
/// move where its step has ended.
fn settled_edges(old: &Frame, graph: &Graph, taken: &[u32]) -> Vec<Settled> {
    let known: BTreeMap<String, Settled> =
        old.graph.definition().edges.iter().zip(&old.edges).map(|(edge, settled)| (called(edge), *settled)).collect();
    let has_ended = |edge: &Edge| {
        old.graph.find(&edge.from).is_some_and(|step| {
            let state = &old.steps[step as usize];
            // The end of the run decides nothing about what follows.
            state.status.is_final() && !old.tracks[step as usize].fatal
        })
    };
    let settle = |(edge, number): (&Edge, u32)| match known.get(&called(edge)) {
        Some(settled) => *settled,
        None if taken.contains(&number) => Settled::Taken,
        None if has_ended(edge) => Settled::Skipped,
        None => Settled::Open,
    };
    graph.definition().edges.iter().zip(0..).map(settle).collect()
}
