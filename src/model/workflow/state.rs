//! The state of a run: the fold of its history. The server decides by it, the browser draws it.
//!
//! Each event costs the same however long the run is: steps and edges are found by index, and what may start, what is in
//! flight and what is due next are kept as sets. A replay evaluates nothing: every choice stands in the history.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::expression::{Scope, StepScope};
use super::{
    Definition, Edge, Event, Fact, FailureHandling, Graph, Join, RunStatus, SkipReason, Span, StepError, StepState,
    StepStatus, Waiting,
};
use crate::model::{RunId, Timestamp};

/// Where an edge stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Settled {
    Open,
    Taken,
    Skipped,
}

/// What the fold keeps of a step beside what people see.
#[derive(Debug, Clone, PartialEq)]
struct Track {
    /// Inbound edges that aren't settled.
    open: u32,
    /// Inbound edges that were taken.
    taken: u32,
    /// When it goes on by itself: the end of a wait, the next attempt.
    due: Option<Timestamp>,
    /// Attempts made before a person asked to try again; the retry policy counts from here.
    base: u32,
    /// How often the attempt in flight was begun anew because its process ended.
    repeats: u32,
    /// Its failure ended the run.
    fatal: bool,
}

/// The state of a run. Equal states behave alike.
#[derive(Debug, Clone)]
pub struct State {
    id: RunId,
    graph: Arc<Graph>,
    steps: Vec<StepState>,
    tracks: Vec<Track>,
    edges: Vec<Settled>,
    ready: BTreeSet<u32>,
    doomed: BTreeSet<u32>,
    in_flight: BTreeSet<u32>,
    timers: BTreeSet<(Timestamp, u32)>,
    done: u32,
    started: bool,
    paused: bool,
    end: Option<RunStatus>,
    inputs: Value,
    output: Value,
    error: Option<StepError>,
    failed: Option<u32>,
    started_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    last_seq: i64,
    keeps_inputs: bool,
    /// The step after which the run ends, and what does not lead to it.
    until: Option<Until>,
}

impl PartialEq for State {
    fn eq(&self, other: &Self) -> bool {
        self.steps == other.steps
            && self.tracks == other.tracks
            && self.edges == other.edges
            && self.ready == other.ready
            && self.timers == other.timers
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
        let steps = graph.definition().steps.iter().map(|step| fresh(&step.id)).collect();
        let tracks = (0..graph.len() as u32).map(|step| Track {
            open: graph.inbound(step).len() as u32,
            taken: 0,
            due: None,
            base: 0,
            repeats: 0,
            fatal: false,
        });
        Self {
            id,
            steps,
            tracks: tracks.collect(),
            edges: vec![Settled::Open; graph.definition().edges.len()],
            graph,
            ready: BTreeSet::new(),
            doomed: BTreeSet::new(),
            in_flight: BTreeSet::new(),
            timers: BTreeSet::new(),
            done: 0,
            started: false,
            paused: false,
            end: None,
            inputs: Value::Null,
            output: Value::Null,
            error: None,
            failed: None,
            started_at: None,
            ended_at: None,
            last_seq: 0,
            keeps_inputs: true,
            until: None,
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
        match event.step.as_deref().map(|id| self.graph.find(id)) {
            Some(Some(step)) => self.apply_to_step(step, event),
            // A step that the definition doesn't have: nothing to fold.
            Some(None) => {}
            None => self.apply_to_run(event),
        }
    }

    fn apply_to_run(&mut self, event: &Event) {
        match &event.fact {
            Fact::RunStarted { inputs, until } => {
                self.started = true;
                self.started_at = Some(event.at);
                self.inputs = inputs.clone();
                self.until = until.as_deref().and_then(|id| Until::new(&self.graph, id));
                for step in 0..self.graph.len() as u32 {
                    self.consider(step);
                }
            }
            Fact::RunForked(_) => self.branch(event.at),
            Fact::RunTakenOver { steps_in_flight } => {
                for step in steps_in_flight.iter().filter_map(|id| self.graph.find(id)) {
                    self.tracks[step as usize].repeats += 1;
                }
            }
            Fact::RunPaused { .. } => self.paused = true,
            Fact::RunResumed { .. } => self.paused = false,
            Fact::RunRetried { .. } => self.reopen(),
            Fact::RunSucceeded { output } => {
                self.output = output.clone();
                self.finish(RunStatus::Succeeded, event.at);
            }
            Fact::RunFailed { step, error } => {
                self.error = Some(error.clone());
                self.failed = step.as_deref().and_then(|id| self.graph.find(id));
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
            | Fact::RetryScheduled { .. } => {}
        }
    }

    fn apply_to_step(&mut self, step: u32, event: &Event) {
        let at = event.at;
        match &event.fact {
            Fact::StepStarted { attempt, input, .. } => {
                self.leave(step, at, StepStatus::Waiting);
                self.in_flight.insert(step);
                let track = &mut self.tracks[step as usize];
                track.repeats = 0;
                let state = &mut self.steps[step as usize];
                state.status = StepStatus::Running;
                state.attempt = *attempt;
                state.started_at.get_or_insert(at);
                state.input = input.clone();
                state.spans.push(Span { status: StepStatus::Running, attempt: *attempt, from: at, to: None });
            }
            Fact::StepWaiting { attempt, reason, until } => {
                self.leave(step, at, StepStatus::Waiting);
                self.schedule(step, *until);
                let state = &mut self.steps[step as usize];
                state.status = StepStatus::Waiting;
                state.waiting = Some(Waiting { reason: reason.clone(), until: *until });
                state.spans.push(Span { status: StepStatus::Waiting, attempt: *attempt, from: at, to: None });
            }
            Fact::RetryScheduled { attempt, error, at: next } => {
                self.leave(step, at, StepStatus::Failed);
                self.schedule(step, Some(*next));
                let state = &mut self.steps[step as usize];
                state.status = StepStatus::Retrying;
                state.error = Some(error.clone());
                state.spans.push(Span { status: StepStatus::Retrying, attempt: *attempt, from: at, to: None });
            }
            Fact::StepSucceeded { port, output, untaken, .. } => {
                self.end_step(step, at, StepStatus::Succeeded);
                let state = &mut self.steps[step as usize];
                state.output = output.clone();
                state.port = Some(port.clone());
                state.error = None;
                self.settle_edges(step, |edge, number| edge.port == *port && !untaken.contains(&number));
            }
            Fact::StepFailed { error, handled, untaken, .. } => self.fail_step(step, at, error, *handled, untaken),
            Fact::StepSkipped { reason, untaken } => self.skip_step(step, at, *reason, untaken),
            _ => {}
        }
    }

    fn fail_step(&mut self, step: u32, at: Timestamp, error: &StepError, handled: FailureHandling, untaken: &[u32]) {
        let status = if handled == FailureHandling::Continues { StepStatus::Succeeded } else { StepStatus::Failed };
        self.end_step(step, at, status);
        if let Some(span) = self.steps[step as usize].spans.last_mut() {
            span.status = StepStatus::Failed;
        }
        let default = &self.graph.step(step).default;
        let state = &mut self.steps[step as usize];
        state.error = Some(error.clone());
        let port = match handled {
            FailureHandling::FailsRun => {
                self.tracks[step as usize].fatal = true;
                return;
            }
            FailureHandling::Continues => {
                state.output = default.clone();
                Edge::OUT
            }
            FailureHandling::ErrorPort => Edge::ERROR,
        };
        state.port = Some(port.to_owned());
        self.settle_edges(step, |edge, number| edge.port == port && !untaken.contains(&number));
    }

    fn skip_step(&mut self, step: u32, at: Timestamp, reason: SkipReason, untaken: &[u32]) {
        let began = matches!(
            self.steps[step as usize].status,
            StepStatus::Running | StepStatus::Waiting | StepStatus::Retrying
        );
        self.end_step(step, at, if began { StepStatus::Cancelled } else { StepStatus::Skipped });
        self.steps[step as usize].skipped = Some(reason);
        match reason {
            SkipReason::NotReached | SkipReason::LostRace => self.settle_edges(step, |_, _| false),
            SkipReason::Disabled => {
                self.settle_edges(step, |edge, number| edge.port != Edge::ERROR && !untaken.contains(&number));
            }
            // The run is over: what follows is not decided, and a retry or a fork may still get there.
            SkipReason::RunEnded | SkipReason::NotAsked => {}
        }
    }

    /// Takes a step out of every set and closes its bar.
    fn leave(&mut self, step: u32, at: Timestamp, span: StepStatus) {
        self.ready.remove(&step);
        self.doomed.remove(&step);
        self.in_flight.remove(&step);
        if let Some(due) = self.tracks[step as usize].due.take() {
            self.timers.remove(&(due, step));
        }
        let state = &mut self.steps[step as usize];
        state.waiting = None;
        if let Some(open) = state.spans.last_mut().filter(|open| open.to.is_none()) {
            open.to = Some(at);
            if open.status == StepStatus::Running {
                open.status = span;
            }
        }
    }

    fn end_step(&mut self, step: u32, at: Timestamp, status: StepStatus) {
        self.leave(step, at, status);
        let keeps_inputs = self.keeps_inputs;
        let state = &mut self.steps[step as usize];
        state.status = status;
        state.ended_at = Some(at);
        if !keeps_inputs {
            state.input = Value::Null;
        }
        self.done += 1;
    }

    fn schedule(&mut self, step: u32, due: Option<Timestamp>) {
        self.tracks[step as usize].due = due;
        if let Some(due) = due {
            self.timers.insert((due, step));
        }
    }

    fn settle_edges(&mut self, step: u32, is_taken: impl Fn(&Edge, u32) -> bool) {
        let graph = Arc::clone(&self.graph);
        for &number in graph.outbound(step) {
            if self.edges[number as usize] != Settled::Open {
                continue;
            }
            let taken = is_taken(graph.edge(number), number);
            self.edges[number as usize] = if taken { Settled::Taken } else { Settled::Skipped };
            let Some(target) = graph.target(number) else { continue };
            let track = &mut self.tracks[target as usize];
            track.open -= 1;
            track.taken += u32::from(taken);
            self.consider(target);
        }
    }

    /// Puts a step that has not begun where its inbound edges send it.
    fn consider(&mut self, step: u32) {
        if self.steps[step as usize].status != StepStatus::Queued {
            return;
        }
        let track = &self.tracks[step as usize];
        let is_root = self.graph.inbound(step).is_empty();
        let starts = match self.graph.step(step).join {
            Join::All => track.open == 0 && (track.taken > 0 || is_root),
            Join::Any => track.taken > 0 || is_root,
        };
        if starts {
            self.ready.insert(step);
            self.steps[step as usize].status = StepStatus::Ready;
        } else if track.open == 0 {
            self.doomed.insert(step);
        }
    }
}

mod branch;
mod ending;
mod look;

use branch::Until;
use ending::fresh;
