//! The state of a run: the fold of its history. The server decides by it, the browser draws it.
//!
//! The run, and each item or iteration of a container that is in motion, is a *frame*: a graph with where its steps and
//! edges stand. A step is addressed by its *slot* (which frame, which step) inside, and by its *path* (`each[3].fetch`) in
//! the history. A frame is dropped when its body has ended, so that a map over a million items holds only those in motion
//! and the results.
//!
//! Each event costs the same however long the run is: steps and edges are found by index, and what may start, what is in
//! flight and what is due next are kept as sets. A replay evaluates nothing: every choice stands in the history.

mod body;
mod branch;
mod ending;
mod frame;
mod journal;
mod look;
mod migrate;
mod pages;
mod path;
mod plan;
mod scope;
mod undo;
mod watch;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::{
    Await, Definition, Event, Fact, Graph, RunStatus, SkipReason, Span, StepError, StepState, StepStatus, Waiting,
};
use crate::model::{RunId, Timestamp};
pub use body::{Cell, Tending};
use branch::Until;
use frame::Frame;
pub use pages::{Items, SOURCES, page, request};
pub use plan::{DEFAULT_CONCURRENCY, ItemErrors, MAX_CONCURRENCY, MAX_ITERATIONS, MAX_LISTED, Plan};
pub use scope::FrameScope;
use watch::Watch;
pub use watch::split_body;

/// A step of a frame. The frame of the run itself is [`Slot::RUN`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot {
    /// Which frame.
    pub frame: u32,
    /// Which step of its graph.
    pub step: u32,
}

impl Slot {
    /// The frame of the run itself.
    pub const RUN: u32 = 0;

    /// A step that is in no container.
    pub const fn root(step: u32) -> Self {
        Self { frame: Self::RUN, step }
    }
}

/// Why a run is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hold {
    /// For itself: a person did, or a failure.
    Itself,
    /// The run that waits for it was.
    WithParent,
}

/// The state of a run. Equal states behave alike.
#[derive(Debug, Clone)]
pub struct State {
    id: RunId,
    /// The run's own frame first; a place that is empty is reused.
    frames: Vec<Option<Box<Frame>>>,
    vacant: Vec<u32>,
    ready: BTreeSet<Slot>,
    doomed: BTreeSet<Slot>,
    in_flight: BTreeSet<Slot>,
    timers: BTreeSet<(Timestamp, Slot)>,
    /// Steps that wait for something else than time.
    awaiting: BTreeSet<Slot>,
    /// Bodies of which every step has ended.
    complete: BTreeSet<u32>,
    /// Containers that have a body to begin, or to end themselves.
    hungry: BTreeSet<Slot>,
    done: u32,
    started: bool,
    paused: Option<Hold>,
    end: Option<RunStatus>,
    inputs: Value,
    output: Value,
    error: Option<StepError>,
    failed: Option<String>,
    started_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    last_seq: i64,
    keeps_inputs: bool,
    watch: Watch,
    /// The step after which the run ends, and what does not lead to it.
    until: Option<Until>,
    undo: undo::Undo,
}

impl PartialEq for State {
    fn eq(&self, other: &Self) -> bool {
        self.frames == other.frames
            && self.ready == other.ready
            && self.timers == other.timers
            && self.awaiting == other.awaiting
            && self.hungry == other.hungry
            && self.complete == other.complete
            && self.undo == other.undo
            && (self.end, self.paused, self.last_seq) == (other.end, other.paused, other.last_seq)
            && (&self.inputs, &self.output, &self.error) == (&other.inputs, &other.output, &other.error)
    }
}

impl State {
    /// A run of this definition to which nothing has happened.
    pub fn new(id: RunId, definition: &Definition) -> Self {
        Self::on(id, Graph::new(definition.clone()))
    }

    /// The same for a definition that is already prepared.
    pub fn on(id: RunId, graph: Arc<Graph>) -> Self {
        Self {
            id,
            frames: vec![Some(Box::new(Frame::new(graph, None)))],
            vacant: Vec::new(),
            ready: BTreeSet::new(),
            doomed: BTreeSet::new(),
            in_flight: BTreeSet::new(),
            timers: BTreeSet::new(),
            awaiting: BTreeSet::new(),
            complete: BTreeSet::new(),
            hungry: BTreeSet::new(),
            done: 0,
            started: false,
            paused: None,
            end: None,
            inputs: Value::Null,
            output: Value::Null,
            error: None,
            failed: None,
            started_at: None,
            ended_at: None,
            last_seq: 0,
            keeps_inputs: true,
            watch: Watch::default(),
            until: None,
            undo: undo::Undo::default(),
        }
    }

    /// Lets go of a step's rendered config once the step has ended: for an owner that only decides.
    #[must_use]
    pub const fn without_old_inputs(mut self) -> Self {
        self.keeps_inputs = false;
        self
    }

    /// Folds the next event. One that was folded before is ignored, so that a watcher may overlap.
    pub fn apply(&mut self, event: &Event) {
        if event.seq <= self.last_seq {
            return;
        }
        self.last_seq = event.seq;
        match event.step.as_deref() {
            // A step that the definition doesn't have, or of a body that is over: nothing to fold.
            Some(path) => {
                if let Some(slot) = self.find_slot(path) {
                    self.apply_to_step(slot, event);
                }
            }
            None => self.apply_to_run(event),
        }
    }

    fn apply_to_run(&mut self, event: &Event) {
        match &event.fact {
            Fact::RunQueued { inputs, until } => {
                self.inputs = inputs.clone();
                self.until = until.as_deref().and_then(|id| Until::new(self.graph(), id));
            }
            Fact::RunStarted { inputs, until } => {
                self.started = true;
                self.started_at = Some(event.at);
                self.inputs = inputs.clone();
                self.until = until.as_deref().and_then(|id| Until::new(self.graph(), id));
                self.open(Slot::RUN);
            }
            Fact::RunForked(_) => self.branch(event.at),
            Fact::RunTakenOver { steps_in_flight } => {
                for slot in steps_in_flight.iter().filter_map(|path| self.find_slot(path)).collect::<Vec<_>>() {
                    self.track_mut(slot).repeats += 1;
                }
            }
            Fact::RunPaused { with_parent, .. } => {
                self.paused = Some(if *with_parent { Hold::WithParent } else { Hold::Itself });
            }
            Fact::RunResumed { .. } => self.paused = None,
            Fact::RunRetried { .. } => self.reopen(event.at),
            Fact::RunMigrated(migrated) => self.migrate(migrated),
            Fact::CompensationStarted { ending } => self.begin_undo(ending, event.at),
            Fact::RunSucceeded { output } => {
                self.output = output.clone();
                self.finish(RunStatus::Succeeded, event.at);
            }
            Fact::RunFailed { step, error } => {
                self.error = Some(error.clone());
                self.failed.clone_from(step);
                self.finish(RunStatus::Failed, event.at);
            }
            Fact::RunCancelled {} => self.finish(RunStatus::Cancelled, event.at),
            // A request changes nothing by itself; facts about a step always name it.
            Fact::CancelRequested { .. }
            | Fact::StepStarted { .. }
            | Fact::StepSucceeded { .. }
            | Fact::StepFailed { .. }
            | Fact::StepSkipped { .. }
            | Fact::StepWaiting { .. }
            | Fact::StepSignalled { .. }
            | Fact::StepAdvanced { .. }
            | Fact::StepAnswered { .. }
            | Fact::PageAsked { .. }
            | Fact::PageCame { .. }
            | Fact::BodyStarted { .. }
            | Fact::BodySucceeded { .. }
            | Fact::BodyFailed { .. }
            | Fact::RetryScheduled { .. }
            | Fact::CompensationPlanned { .. } => {}
        }
    }

    fn apply_to_step(&mut self, slot: Slot, event: &Event) {
        let at = event.at;
        match &event.fact {
            Fact::StepStarted { attempt, input, goes_on, .. } => self.start_step(slot, at, *attempt, input, *goes_on),
            Fact::StepWaiting { attempt, reason, until, on } => {
                // What a step did before it had to wait is work, where it did some.
                let did = !self.track(slot).journal.is_empty();
                self.leave(slot, at, if did { StepStatus::Succeeded } else { StepStatus::Waiting });
                self.schedule(slot, *until);
                if on.is_some() || until.is_none() {
                    self.awaiting.insert(slot);
                }
                let state = self.step_mut(slot);
                state.status = StepStatus::Waiting;
                if let Some(Await::Run { run }) = on {
                    state.sub_run = Some(*run);
                }
                state.waiting = Some(Waiting { reason: reason.clone(), until: *until, on: on.clone() });
                state.spans.push(Span { status: StepStatus::Waiting, attempt: *attempt, from: at, to: None });
            }
            Fact::StepSignalled { signal, .. } => self.track_mut(slot).signals.push(signal.clone()),
            Fact::StepAdvanced { attempt, entry } => self.note(slot, at, *attempt, entry.clone()),
            Fact::StepAnswered { attempt, port, output, error } => {
                self.note(slot, at, *attempt, journal::answered(port, output, error.as_ref()));
            }
            Fact::RetryScheduled { attempt, error, at: next, keeps } => {
                self.leave(slot, at, StepStatus::Failed);
                if *keeps {
                    self.freeze_bodies(slot, at);
                } else {
                    self.drop_bodies(slot);
                }
                self.schedule(slot, Some(*next));
                let state = self.step_mut(slot);
                state.status = StepStatus::Retrying;
                state.error = Some(error.clone());
                state.spans.push(Span { status: StepStatus::Retrying, attempt: *attempt, from: at, to: None });
            }
            Fact::StepSucceeded { port, output, untaken, given, .. } => {
                self.end_step(slot, at, StepStatus::Succeeded);
                self.list_stopped(slot, at);
                self.drop_bodies(slot);
                self.track_mut(slot).journal = Vec::new();
                let state = self.step_mut(slot);
                state.output = output.clone();
                state.port = Some(port.clone());
                state.given.clone_from(given);
                state.error = None;
                self.settle_edges(slot, |edge, number| edge.port == *port && !untaken.contains(&number));
            }
            Fact::StepFailed { error, handled, untaken, .. } => self.fail_step(slot, at, error, *handled, untaken),
            Fact::StepSkipped { reason, untaken } => self.skip_step(slot, at, *reason, untaken),
            Fact::PageAsked { .. } => self.ask_for_page(slot),
            Fact::PageCame { items, next, .. } => self.take_page(slot, items, next),
            Fact::BodyStarted { index } => self.start_body(slot, *index, at),
            Fact::BodySucceeded { index, output } => self.end_body(slot, *index, Ok(output), at),
            Fact::BodyFailed { index, error, .. } => self.end_body(slot, *index, Err(error), at),
            Fact::CompensationPlanned { config, error } => self.plan_undo(slot, config, error.as_ref()),
            _ => {}
        }
        self.go_on_undoing(slot);
    }

    fn start_step(&mut self, slot: Slot, at: Timestamp, attempt: u32, input: &Value, goes_on: bool) {
        self.leave(slot, at, StepStatus::Waiting);
        let goes_on = goes_on && self.cell(slot).is_some();
        let track = self.track_mut(slot);
        track.repeats = 0;
        track.signals.clear();
        if !goes_on {
            track.begun = attempt;
        }
        let state = self.step_mut(slot);
        state.status = StepStatus::Running;
        state.attempt = attempt;
        state.started_at.get_or_insert(at);
        if !goes_on {
            state.input = input.clone();
        }
        state.spans.push(Span { status: StepStatus::Running, attempt, from: at, to: None });
        if goes_on {
            self.thaw_container(slot, at);
        } else if self.graph_of(slot).body(slot.step).is_some() {
            self.start_container(slot, at);
        } else {
            self.in_flight.insert(slot);
        }
    }
}
