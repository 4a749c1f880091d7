//! Containers: which bodies are in motion, what they gave, and what a container is to do next.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::super::expression::Around;
use super::super::{Bodies, Graph, SkipReason, StepError};
use super::frame::{Frame, Home};
use super::{Slot, State};
use crate::model::Timestamp;

/// The most bodies of one container in motion at once.
pub const MAX_CONCURRENCY: u32 = 1000;
/// Bodies in motion at once where a `map` says nothing.
pub const DEFAULT_CONCURRENCY: u32 = 10;
/// The most iterations of a `repeat`.
pub const MAX_ITERATIONS: u32 = 1_000_000;

/// What a failed item does to its `map`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ItemErrors {
    /// The map fails at once; what is in motion is stopped.
    Fail,
    /// The error stands in the list in place of the item's output, for at most so many items in a hundred; more fail the
    /// map.
    Collect {
        /// 0.0..=100.0.
        percent: f64,
    },
}

/// How often a container's body runs.
#[derive(Debug, Clone, PartialEq)]
pub enum Plan {
    /// Once for each item.
    Map {
        /// How many items.
        total: u32,
        /// At once, 1..=[`MAX_CONCURRENCY`].
        concurrency: u32,
        /// What a failure does.
        errors: ItemErrors,
    },
    /// Until a condition holds.
    Repeat {
        /// Iterations at most, 1..=[`MAX_ITERATIONS`].
        max: u32,
    },
    /// Once.
    Group,
}

impl Plan {
    /// Reads a container's rendered config.
    ///
    /// # Errors
    /// Class `config`: the field and what was expected.
    pub fn read(kind: &str, config: &Value) -> Result<Self, StepError> {
        let refuse = |field: &str, expected: &str| {
            let found = config.get(field).map_or_else(|| "nothing".to_owned(), |value| super::look::short(value, 80));
            Err(StepError::permanent("config", format!("{field}: expected {expected}, found {found}")))
        };
        let number = |field: &str| {
            let value = config.get(field).filter(|value| !value.is_null() && value.as_str() != Some(""))?;
            Some(value.as_f64().or_else(|| value.as_str()?.trim().parse().ok()).unwrap_or(f64::NAN))
        };
        let whole = |field: &str, default: u32, max: u32| match number(field) {
            None => Ok(default),
            Some(n) if n.fract() == 0.0 && (1.0..=f64::from(max)).contains(&n) => Ok(n as u32),
            Some(_) => Err(format!("a whole number from 1 to {max}")),
        };
        match kind {
            "map" => {
                let Some(total) = config.get("items").and_then(Value::as_array).map(Vec::len) else {
                    return refuse("items", "a list");
                };
                let Ok(total) = u32::try_from(total) else { return refuse("items", "fewer items") };
                let concurrency = match whole("concurrency", DEFAULT_CONCURRENCY, MAX_CONCURRENCY) {
                    Ok(concurrency) => concurrency,
                    Err(expected) => return refuse("concurrency", &expected),
                };
                let errors = match config.get("on_item_error").and_then(Value::as_str) {
                    None | Some("" | "fail") => ItemErrors::Fail,
                    Some("collect") => ItemErrors::Collect { percent: 100.0 },
                    Some("tolerate") => match number("tolerate_percent").unwrap_or(0.0) {
                        percent if (0.0..=100.0).contains(&percent) => ItemErrors::Collect { percent },
                        _ => return refuse("tolerate_percent", "a number from 0 to 100"),
                    },
                    Some(_) => return refuse("on_item_error", "fail, collect or tolerate"),
                };
                Ok(Self::Map { total, concurrency, errors })
            }
            "repeat" => match whole("max_iterations", 100, MAX_ITERATIONS) {
                Ok(max) => Ok(Self::Repeat { max }),
                Err(expected) => refuse("max_iterations", &expected),
            },
            _ => Ok(Self::Group),
        }
    }
}

/// What a container is to do next.
#[derive(Debug, Clone, PartialEq)]
pub enum Tending {
    /// Wait for its bodies.
    Wait,
    /// Begin the body for this item.
    Begin(u32),
    /// Fail with this.
    Fail(StepError),
    /// Succeed: every body has ended.
    Finish,
    /// A `repeat` between two iterations: evaluate its condition. So many have ended.
    Decide(u32),
}

/// A container that has begun.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    plan: Plan,
    next: u32,
    /// Frames by index: in motion, or kept as they were when the run ended.
    live: BTreeMap<u32, u32>,
    /// By index; null where none is known yet.
    results: Vec<Value>,
    ended: u32,
    failures: u32,
    /// What fails the container.
    error: Option<StepError>,
}

impl Cell {
    const fn new(plan: Plan) -> Self {
        Self { plan, next: 0, live: BTreeMap::new(), results: Vec::new(), ended: 0, failures: 0, error: None }
    }

    pub(super) fn frame_of(&self, index: u32) -> Option<u32> {
        self.live.get(&index).copied()
    }

    /// The frames of the bodies in motion.
    pub(super) fn frames(&self) -> Vec<u32> {
        self.live.values().copied().collect()
    }

    /// How often the body runs.
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What the bodies gave, by index; a `repeat` keeps the newest only.
    pub fn results(&self) -> &[Value] {
        &self.results
    }

    /// What is to be done next.
    pub fn tending(&self) -> Tending {
        if let Some(error) = &self.error {
            return Tending::Fail(error.clone());
        }
        match self.plan {
            Plan::Map { total, concurrency, .. } => {
                if self.next < total && (self.live.len() as u32) < concurrency {
                    Tending::Begin(self.next)
                } else if self.ended == total {
                    Tending::Finish
                } else {
                    Tending::Wait
                }
            }
            _ if !self.live.is_empty() => Tending::Wait,
            Plan::Repeat { .. } => Tending::Decide(self.ended),
            Plan::Group if self.next == 0 => Tending::Begin(0),
            Plan::Group => Tending::Finish,
        }
    }

    fn is_hungry(&self) -> bool {
        self.error.is_some() || !matches!(self.tending(), Tending::Wait)
    }

    /// How far it is, for people.
    fn progress(&self) -> Bodies {
        let total = match self.plan {
            Plan::Map { total, .. } => Some(total),
            Plan::Repeat { .. } => None,
            Plan::Group => Some(1),
        };
        Bodies { total, ended: self.ended, failed: self.failures, running: self.live.len() as u32 }
    }

    /// Adds what this container shows to the expressions in its bodies, unless a nearer one has.
    pub(super) fn show<'a>(&'a self, input: &'a Value, index: u32, around: &mut Around<'a>) {
        match self.plan {
            Plan::Map { .. } => {
                around.index.get_or_insert(index);
                if around.item.is_none() {
                    around.item = input.get("items").and_then(|items| items.get(index as usize));
                }
            }
            Plan::Repeat { .. } => {
                around.iteration.get_or_insert(index + 1);
                around.last.get_or_insert(self.results.last().unwrap_or(&Value::Null));
            }
            Plan::Group => {}
        }
    }

    fn keep(&mut self, index: u32, result: Value) {
        self.ended += 1;
        if matches!(self.plan, Plan::Map { .. }) {
            let place = index as usize;
            if self.results.len() <= place {
                self.results.resize(place + 1, Value::Null);
            }
            self.results[place] = result;
        } else {
            self.results = vec![result];
        }
    }
}

impl State {
    /// The bodies of a container that has begun.
    pub fn cell(&self, slot: Slot) -> Option<&Cell> {
        self.frame(slot.frame).cells.get(&slot.step)
    }

    fn cell_mut(&mut self, slot: Slot) -> Option<&mut Cell> {
        self.frame_mut(slot.frame).cells.get_mut(&slot.step)
    }

    /// Puts a container on the agenda or takes it off, and says how far it is.
    fn look_at_container(&mut self, slot: Slot) {
        let Some(cell) = self.cell(slot) else { return };
        let (progress, is_hungry) = (cell.progress(), cell.is_hungry());
        self.step_mut(slot).bodies = Some(progress);
        if is_hungry {
            self.hungry.insert(slot);
        } else {
            self.hungry.remove(&slot);
        }
    }

    pub(super) fn start_container(&mut self, slot: Slot, at: Timestamp) {
        self.drop_bodies(slot);
        let graph = Arc::clone(self.graph_of(slot));
        let step = graph.step(slot.step);
        // The machine has refused what can't be read, in the event that follows.
        let plan = Plan::read(&step.kind, &self.step_at(slot).input);
        let Ok(plan) = plan else { return };
        self.frame_mut(slot.frame).cells.insert(slot.step, Cell::new(plan));
        self.limit_time(slot, at);
        self.look_at_container(slot);
    }

    /// Sets the time limit of a container that has just begun, or was opened again.
    fn limit_time(&mut self, slot: Slot, at: Timestamp) {
        let limit = self.graph_of(slot).step(slot.step).timeout_ms;
        self.schedule(slot, limit.map(|ms| at.plus_ms(i64::try_from(ms).unwrap_or(i64::MAX))));
    }

    pub(super) fn start_body(&mut self, slot: Slot, index: u32, at: Timestamp) {
        let Some(graph) = self.graph_of(slot).body(slot.step).map(Arc::clone) else { return };
        if self.cell(slot).is_none() {
            return;
        }
        let home = Some(Home { container: slot, index });
        let number = self.place_frame(Frame::new(graph, home));
        if let Some(cell) = self.cell_mut(slot) {
            cell.next = index + 1;
            cell.live.insert(index, number);
        }
        self.list_begun(slot, index, at);
        self.open(number);
        self.look_at_container(slot);
    }

    pub(super) fn end_body(&mut self, slot: Slot, index: u32, result: Result<&Value, &StepError>, at: Timestamp) {
        let Some(cell) = self.cell_mut(slot) else { return };
        let Some(frame) = cell.frame_of(index) else { return };
        let stays = match (result, &cell.plan) {
            (Ok(output), _) => {
                cell.keep(index, output.clone());
                false
            }
            (Err(error), Plan::Map { total, errors: ItemErrors::Collect { percent }, .. }) => {
                let (total, percent) = (f64::from(*total), *percent);
                cell.failures += 1;
                cell.keep(index, json!({ "error": { "class": error.class, "message": error.message } }));
                if f64::from(cell.failures) * 100.0 > percent * total {
                    cell.error = Some(error.clone());
                }
                false
            }
            (Err(error), _) => {
                cell.failures += 1;
                cell.error = Some(error.clone());
                true
            }
        };
        self.list_ended(slot, index, result.err(), at);
        if stays {
            self.freeze_frame(frame, at);
        } else {
            if let Some(cell) = self.cell_mut(slot) {
                cell.live.remove(&index);
            }
            self.keep_watched(slot, index, frame);
            self.drop_frame(frame);
        }
        self.look_at_container(slot);
    }

    /// Forgets the bodies of a container: it has ended, or begins anew.
    pub(super) fn drop_bodies(&mut self, slot: Slot) {
        if let Some(mut progress) = self.cell(slot).map(Cell::progress) {
            progress.running = 0;
            self.step_mut(slot).bodies = Some(progress);
        }
        let watched: Vec<(u32, u32)> =
            self.cell(slot).map(|cell| cell.live.iter().map(|(&i, &f)| (i, f)).collect()).unwrap_or_default();
        for (index, frame) in watched {
            self.keep_watched(slot, index, frame);
            self.drop_frame(frame);
        }
        self.frame_mut(slot.frame).cells.remove(&slot.step);
    }

    fn drop_frame(&mut self, frame: u32) {
        for step in 0..self.frame(frame).steps.len() as u32 {
            let slot = Slot { frame, step };
            self.forget(slot);
            self.drop_bodies(slot);
        }
        self.complete.remove(&frame);
        self.frames[frame as usize] = None;
        self.vacant.push(frame);
    }

    /// Stops what is in motion in the bodies of a container, and keeps where they stand: a person may retry.
    pub(super) fn freeze_bodies(&mut self, slot: Slot, at: Timestamp) {
        self.list_stopped(slot, at);
        let frames: Vec<u32> = self.cell(slot).map(|cell| cell.live.values().copied().collect()).unwrap_or_default();
        for frame in frames {
            self.freeze_frame(frame, at);
        }
    }

    fn freeze_frame(&mut self, frame: u32, at: Timestamp) {
        for step in 0..self.frame(frame).steps.len() as u32 {
            let slot = Slot { frame, step };
            if !self.step_at(slot).status.is_final() {
                self.skip_step(slot, at, SkipReason::RunEnded, &[]);
            }
        }
        self.complete.remove(&frame);
    }

    /// Goes on with a container that the end of the run cut off, where it was.
    pub(super) fn thaw_container(&mut self, slot: Slot, at: Timestamp) {
        let Some(cell) = self.cell_mut(slot) else { return };
        if cell.error.take().is_some() && !matches!(cell.plan, Plan::Map { errors: ItemErrors::Collect { .. }, .. }) {
            cell.failures = cell.failures.saturating_sub(1);
        }
        let frames: Vec<u32> = cell.live.values().copied().collect();
        for frame in frames {
            self.reopen_frame(frame, at);
        }
        self.limit_time(slot, at);
        self.look_at_container(slot);
    }

    /// The container and the index of a body.
    pub fn home_of(&self, frame: u32) -> Option<(Slot, u32)> {
        self.frame(frame).home.as_ref().map(|home| (home.container, home.index))
    }

    /// The graph of a frame.
    pub fn graph_in(&self, frame: u32) -> &Arc<Graph> {
        &self.frame(frame).graph
    }
}
