//! Containers: which bodies are in motion, what they gave, and what a container is to do next.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::super::expression::Around;
use super::super::{Bodies, Graph, SkipReason, StepError};
use super::frame::{Frame, Home};
use super::pages::{Items, Pages};
use super::plan::{ItemErrors, Plan};
use super::{Slot, State};
use crate::model::Timestamp;

/// What a container is to do next.
#[derive(Debug, Clone, PartialEq)]
pub enum Tending {
    /// Wait for its bodies.
    Wait,
    /// Begin the body for this item.
    Begin(u32),
    /// Ask for the next page of items.
    Ask,
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
    /// Of a `map`.
    items: Items,
    next: u32,
    /// Frames by index: in motion, or kept as they were when the run ended.
    live: BTreeMap<u32, u32>,
    /// By index; null where none is known yet.
    results: Vec<Value>,
    ended: u32,
    succeeded: u32,
    failures: u32,
    /// What fails the container.
    error: Option<StepError>,
}

impl Cell {
    fn new(plan: Plan, items: Items) -> Self {
        let (live, results) = (BTreeMap::new(), Vec::new());
        Self { plan, items, next: 0, live, results, ended: 0, succeeded: 0, failures: 0, error: None }
    }

    pub(super) fn frame_of(&self, index: u32) -> Option<u32> {
        self.live.get(&index).copied()
    }

    pub(super) fn frames(&self) -> impl Iterator<Item = u32> {
        self.live.values().copied()
    }

    /// How often the body runs.
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What the bodies gave, by index; a `repeat` keeps the newest only.
    pub fn results(&self) -> &[Value] {
        &self.results
    }

    /// Where the items of a `map` come from.
    pub const fn items(&self) -> &Items {
        &self.items
    }

    /// How many bodies have ended, and how many of them badly.
    pub const fn counts(&self) -> (u32, u32) {
        (self.ended, self.failures)
    }

    /// Whether another attempt can go on where it is. Not where more items failed than are tolerated: they have ended, and
    /// none of them would be tried again.
    pub const fn can_go_on(&self) -> bool {
        self.error.is_none() || !matches!(self.plan, Plan::Map { errors: ItemErrors::Collect { .. }, .. })
    }

    /// How many items are known.
    pub const fn known(&self) -> usize {
        self.items.known() as usize
    }

    /// What is to be done next.
    pub fn tending(&self) -> Tending {
        if let Some(error) = &self.error {
            return Tending::Fail(error.clone());
        }
        match self.plan {
            Plan::Map { concurrency, enough, .. } => {
                if self.succeeded >= enough {
                    Tending::Finish
                } else if self.items.wants(self.items.known() - self.next, concurrency) {
                    Tending::Ask
                } else if self.next < self.items.known() && (self.live.len() as u32) < concurrency {
                    Tending::Begin(self.next)
                } else if self.items.total() == Some(self.ended) {
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

    /// How far it is, for people.
    fn progress(&self) -> Bodies {
        let total = match self.plan {
            Plan::Map { .. } => self.items.total(),
            Plan::Repeat { .. } => None,
            Plan::Group => Some(1),
        };
        Bodies {
            total,
            ended: self.ended,
            failed: self.failures,
            running: self.live.len() as u32,
            begun: self.next,
            cut_off: 0,
        }
    }

    /// Adds what this container shows to the expressions in its bodies, unless a nearer one has.
    pub(super) fn show<'a>(&'a self, input: &'a Value, index: u32, around: &mut Around<'a>) {
        match self.plan {
            Plan::Map { .. } => {
                around.index.get_or_insert(index);
                if around.item.is_none() {
                    around.item = self.items.get(input, index);
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
        match self.plan {
            Plan::Map { listed: false, .. } => {}
            Plan::Map { listed: true, .. } => {
                let place = index as usize;
                if self.results.len() <= place {
                    self.results.resize(place + 1, Value::Null);
                }
                self.results[place] = result;
            }
            _ => self.results = vec![result],
        }
    }

    /// Fails the container when more items have failed than are tolerated, once it is known how many there are.
    fn judge(&mut self, error: &StepError) {
        if let (Plan::Map { errors: ItemErrors::Collect { percent }, .. }, Some(total)) =
            (&self.plan, self.items.total())
            && f64::from(self.failures) * 100.0 > percent * f64::from(total)
        {
            self.error = Some(error.clone());
        }
    }

    /// Every item before this one is over, and its page is not needed.
    fn forget_pages(&mut self) {
        let oldest = self.live.first_key_value().map_or(self.next, |(index, _)| *index);
        if let Some(pages) = self.items.pages() {
            pages.forget_before(oldest);
        }
    }

    pub(super) fn lose_page(&mut self) {
        self.items.pages().map(Pages::lose);
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
        let (progress, is_hungry) = (cell.progress(), cell.tending() != Tending::Wait);
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
        let Ok(plan) = Plan::read(&step.kind, &self.step_at(slot).input) else { return };
        let items = Items::read(&self.step_at(slot).input).unwrap_or(Items::List { total: 0 });
        self.frame_mut(slot.frame).cells.insert(slot.step, Cell::new(plan, items));
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

    pub(super) fn ask_for_page(&mut self, slot: Slot) {
        let Some(cell) = self.cell_mut(slot) else { return };
        cell.items.pages().map(Pages::ask);
        self.in_flight.insert(slot);
        self.look_at_container(slot);
    }

    pub(super) fn take_page(&mut self, slot: Slot, items: &[Value], next: &Value) {
        let Some(cell) = self.cell_mut(slot) else { return };
        if let Some(pages) = cell.items.pages() {
            pages.come(items, next);
        }
        if cell.failures > 0 {
            let message = format!("{} of {} items failed", cell.failures, cell.items.known());
            cell.judge(&StepError::permanent("items_failed", message));
        }
        self.in_flight.remove(&slot);
        self.track_mut(slot).repeats = 0;
        self.look_at_container(slot);
    }

    pub(super) fn end_body(&mut self, slot: Slot, index: u32, result: Result<&Value, &StepError>, at: Timestamp) {
        let Some(cell) = self.cell_mut(slot) else { return };
        let Some(&frame) = cell.live.get(&index) else { return };
        let stays = match (result, &cell.plan) {
            (Ok(output), _) => {
                cell.succeeded += 1;
                cell.keep(index, output.clone());
                false
            }
            (Err(error), Plan::Map { errors: ItemErrors::Collect { .. }, .. }) => {
                cell.failures += 1;
                cell.keep(index, json!({ "error": { "class": error.class, "message": error.message } }));
                cell.judge(error);
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
                cell.forget_pages();
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
        for frame in self.cell(slot).map(|cell| cell.frames().collect::<Vec<_>>()).unwrap_or_default() {
            self.freeze_frame(frame, at);
        }
        if let Some(progress) = &mut self.step_mut(slot).bodies {
            progress.cut_off += std::mem::take(&mut progress.running);
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

    /// Goes on with a container that failed, or that the end of the run cut off, where it was.
    pub(super) fn thaw_container(&mut self, slot: Slot, at: Timestamp) {
        let Some(cell) = self.cell_mut(slot) else { return };
        if cell.error.take().is_some() && !matches!(cell.plan, Plan::Map { errors: ItemErrors::Collect { .. }, .. }) {
            cell.failures = cell.failures.saturating_sub(1);
        }
        cell.lose_page();
        let frames: Vec<u32> = cell.frames().collect();
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
