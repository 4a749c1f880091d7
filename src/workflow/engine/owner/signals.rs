//! What a run waits for outside, what reaches it, and what it tells the run that started it and those that it started.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::mind::World;
use super::{Message, Owner};
use crate::db;
use crate::model::workflow::kind::Kind;
use crate::model::workflow::{Await, Event, Fact, Signal, Slot, State};
use crate::model::{ApprovalId, RunId};
use crate::workflow::store::ask::WaitChange;
use crate::workflow::store::signal::{Incoming, Outgoing};
use crate::workflow::store::{self, Parent};
use crate::workflow::{machine, steps};

/// What an owner knows of signals.
#[derive(Debug, Default)]
pub(in crate::workflow::engine) struct Signals {
    /// Whether there may be some in the tables that were not read.
    unread: bool,
    /// Of the count on the run's row, what was read and is not settled.
    count: i64,
    /// Read, and not taken in yet.
    waiting: Vec<Incoming>,
    /// What goes with the next flush.
    settling: Settling,
}

/// What the next flush says of signals and waits.
#[derive(Debug, Default)]
pub(in crate::workflow::engine) struct Settling {
    /// Taken in, to be deleted.
    pub(in crate::workflow::engine) taken_in: Vec<Uuid>,
    /// How much of the row's count they settle.
    pub(in crate::workflow::engine) settled: i64,
    /// To other runs.
    pub(in crate::workflow::engine) outgoing: Vec<Outgoing>,
    /// Keys of sub-runs that may have been begun and that nobody waits for.
    pub(in crate::workflow::engine) unwanted: Vec<String>,
    /// Approvals asked, answered, closed; events awaited.
    pub(in crate::workflow::engine) waits: Vec<WaitChange>,
}

impl Signals {
    /// Of a run that was just taken in hand.
    pub(in crate::workflow::engine) fn unread() -> Self {
        Self { unread: true, ..Self::default() }
    }

    pub(in crate::workflow::engine) const fn is_unread(&self) -> bool {
        self.unread
    }

    /// Whether something is to be said to the tables even without an event.
    pub(in crate::workflow::engine) const fn have_settled(&self) -> bool {
        !self.settling.taken_in.is_empty() || (self.count > 0 && self.waiting.is_empty())
    }

    /// Takes note of what the tables say: the count on the run's row, and the signals.
    pub(in crate::workflow::engine) fn read(&mut self, count: i64, waiting: Vec<Incoming>) {
        (self.unread, self.count, self.waiting) = (false, count, waiting);
    }

    /// Those that were not taken in yet.
    pub(super) fn take_waiting(&mut self) -> Vec<Incoming> {
        std::mem::take(&mut self.waiting)
    }

    /// Whether some are for later.
    pub(super) const fn are_put_off(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// One is for later.
    pub(super) fn put_off(&mut self, incoming: Incoming) {
        self.waiting.push(incoming);
    }

    /// One was taken in, or nobody waits for it. `ended` is the sub-run that it tells the end of, which needs to hear
    /// nothing any more.
    pub(super) fn note_taken(&mut self, id: Uuid, ended: Option<RunId>) {
        self.settling.taken_in.push(id);
        self.settling.outgoing.retain(|told| Some(told.run) != ended || told.step.is_some());
    }

    /// An event came for a step that waits no more: the run has not taken it.
    pub(super) fn give_back(&mut self, world: &impl World, event: Uuid) {
        self.settling.waits.push(WaitChange::GaveBack { event, signal: world.fresh() });
    }

    /// What goes with the next flush.
    pub(in crate::workflow::engine) fn settle(&mut self) -> Settling {
        let waiting = i64::try_from(self.waiting.len()).unwrap_or(i64::MAX);
        let settled = (self.count - waiting).max(0);
        self.count -= settled;
        Settling { settled, ..std::mem::take(&mut self.settling) }
    }

    /// Tells a sub-run that nobody waits for it.
    pub(super) fn abandon(&mut self, world: &impl World, run: RunId) {
        let (id, signal) = (world.fresh(), Signal::ParentGone {});
        self.settling.outgoing.push(Outgoing { id, run, step: None, attempt: 0, signal });
    }

    /// Tells the sub-runs that are waited for that the run is held, or goes on.
    pub(super) fn pass_on_pause(&mut self, world: &impl World, was_paused: bool, before: &Waits, state: &State) {
        let is_paused = state.is_paused();
        if !was_paused && !is_paused {
            return;
        }
        for (path, wait) in waits(state) {
            let Await::Run { run } = wait.on else { continue };
            let was_held = was_paused && before.get(&path).is_some_and(|before| *before == wait);
            let signal = match (was_held, is_paused) {
                (false, true) => Signal::ParentPaused {},
                (true, false) => Signal::ParentResumed {},
                _ => continue,
            };
            let id = world.fresh();
            self.settling.outgoing.push(Outgoing { id, run, step: None, attempt: 0, signal });
        }
    }

    /// Notes the sub-runs that may have been begun by attempts which are over without one to wait for.
    pub(super) fn give_up(&mut self, before: &SubRuns, state: &State, events: &[Event]) {
        if before.is_empty() {
            return;
        }
        let after = sub_runs(state);
        for (path, key) in before.iter().filter(|(path, key)| after.get(*path) != Some(key)) {
            let own = events.iter().filter(|event| event.step.as_ref() == Some(path));
            let is_known = own.map(|event| &event.fact).any(|fact| {
                // An agent that has come further, asks people, or waits for a lease has begun none.
                matches!(
                    fact,
                    Fact::StepSucceeded { .. }
                        | Fact::StepAdvanced { .. }
                        | Fact::StepWaiting {
                            on: Some(Await::Run { .. } | Await::Approval { .. } | Await::Event { .. }),
                            ..
                        }
                )
            });
            if !is_known {
                self.settling.unwanted.push(key.clone());
            }
        }
    }

    /// The run has ended: tells the step that waits for it.
    pub(super) fn tell_parent(&mut self, world: &impl World, parent: Option<&Parent>, state: &State) {
        let Some(parent) = parent.filter(|parent| parent.waits) else {
            return;
        };
        let signal = Signal::RunEnded {
            run: state.id(),
            status: state.status(),
            output: state.output().clone(),
            error: state.error().cloned(),
        };
        let (id, step) = (world.fresh(), Some(parent.step.clone()));
        self.settling.outgoing.push(Outgoing { id, run: parent.run, step, attempt: parent.attempt, signal });
    }

    /// Notes what the run waits for anew and no more. Sub-runs that it no longer waits for are told.
    pub(super) fn compare(&mut self, world: &impl World, before: Waits, state: &State, events: &[Event]) {
        let after = waits(state);
        let voted = events.iter().any(|event| matches!(event.fact, Fact::StepSignalled { .. }));
        for (path, wait) in &after {
            let is_asked = voted && matches!(wait.on, Await::Approval { .. });
            if is_asked || before.get(path) != Some(wait) {
                self.settling.waits.extend(opened(world, state, path, wait));
            }
        }
        // A sub-run may be waited for and not wanted any more within one thought.
        for event in events {
            let Fact::StepWaiting { on: Some(Await::Run { run }), .. } = &event.fact else { continue };
            let waits = event.step.as_ref().and_then(|path| after.get(path));
            if !waits.is_some_and(|wait| matches!(&wait.on, Await::Run { run: awaited } if awaited == run)) {
                self.abandon(world, *run);
            }
        }
        for (path, wait) in before {
            if after.get(&path) == Some(&wait) {
                continue;
            }
            match wait.on {
                Await::Run { run } => self.abandon(world, run),
                Await::Approval { id, .. } => {
                    self.settling.waits.push(closed(id, &path, events));
                }
                Await::Event { .. } if !after.contains_key(&path) => {
                    self.settling.waits.push(WaitChange::Left { step: path });
                }
                Await::Event { .. } => {}
            }
        }
    }
}

/// The keys of the sub-runs that attempts in flight may have begun, by path.
pub(super) type SubRuns = BTreeMap<String, String>;

/// The keys of the sub-runs that attempts in flight may have begun.
pub(super) fn sub_runs(state: &State) -> SubRuns {
    if !state.graph().starts_runs() {
        return SubRuns::new();
    }
    let starts = |slot: &Slot| state.graph_of(*slot).kind(slot.step).is_some_and(Kind::starts_runs);
    let starting = state.in_flight().filter(starts);
    let key = |slot| {
        let attempt = machine::key(state, slot, state.step_at(slot).attempt);
        steps::sub_run_key(&attempt, state.journal(slot).len())
    };
    starting.map(|slot| (state.path(slot), key(slot))).collect()
}

/// What the steps of a run wait for besides time, by path.
pub(super) type Waits = BTreeMap<String, Wait>;

/// What a step waits for.
#[derive(Debug, Clone)]
pub(super) struct Wait {
    slot: Slot,
    attempt: u32,
    on: Await,
}

impl PartialEq for Wait {
    /// The number of a step may change with the version; what it waits for stays.
    fn eq(&self, other: &Self) -> bool {
        (self.attempt, &self.on) == (other.attempt, &other.on)
    }
}

/// What the steps of a run wait for besides time.
pub(super) fn waits(state: &State) -> Waits {
    let waits = state.awaiting().filter_map(|slot| {
        let step = state.step_at(slot);
        let on = step.waiting.as_ref()?.on.clone()?;
        Some((state.path(slot), Wait { slot, attempt: step.attempt, on }))
    });
    waits.collect()
}

/// How an approval ended, by what has happened: its step may be gone already, with the body that it ended.
fn closed(id: ApprovalId, path: &str, events: &[Event]) -> WaitChange {
    let own = || events.iter().filter(|event| event.step.as_deref() == Some(path));
    let outcome = own().find_map(|event| match &event.fact {
        Fact::StepSucceeded { port, .. } | Fact::StepAnswered { port, .. } => Some(port.clone()),
        _ => None,
    });
    let votes = own().filter_map(|event| match &event.fact {
        Fact::StepSignalled { signal: Signal::Vote(vote), .. } => Some(vote.clone()),
        _ => None,
    });
    WaitChange::Closed { id, outcome: outcome.unwrap_or_else(|| "cancelled".to_owned()), votes: votes.collect() }
}

fn opened(world: &impl World, state: &State, path: &str, wait: &Wait) -> Option<WaitChange> {
    let (step, attempt) = (path.to_owned(), wait.attempt);
    match &wait.on {
        Await::Run { .. } => None,
        Await::Approval { id, question } => {
            let (mut votes, mut delegates, mut voices) = (Vec::new(), Vec::new(), BTreeMap::new());
            for signal in state.signals(wait.slot) {
                match signal {
                    Signal::Vote(vote) => votes.push(vote.clone()),
                    Signal::Delegated { to, voice, .. } => {
                        delegates.push(to.clone());
                        // Who was asked by several speaks for the first.
                        if let Some(voice) = voice {
                            voices.entry(to.to_ascii_lowercase()).or_insert(*voice);
                        }
                    }
                    _ => {}
                }
            }
            let deadline = state.step_at(wait.slot).waiting.as_ref().and_then(|waiting| waiting.until);
            let (id, question) = (*id, question.clone());
            Some(WaitChange::Asked { id, step, attempt, question, votes, delegates, voices, deadline })
        }
        Await::Event { key, fields } => {
            let signal = world.fresh();
            Some(WaitChange::Awaited { step, attempt, key: key.clone(), fields: fields.clone(), signal })
        }
    }
}

impl Owner {
    /// Reads the signals that were stored for the run, if there may be new ones.
    pub(super) async fn read_signals(&mut self, inbox: &[Message]) -> Result<(), db::Error> {
        if !self.signals.unread && !inbox.iter().any(|message| matches!(message, Message::Signals)) {
            return Ok(());
        }
        let (count, waiting) = store::signal::list(&self.runtime.db, self.state.id()).await?;
        self.signals.read(count, waiting);
        Ok(())
    }

    /// Tells those whom a flush has reached, once it is durable.
    pub(super) fn tell(&self, told: &[RunId], asked: bool) {
        for run in told {
            self.engine.poke(&self.runtime, *run);
        }
        if asked {
            let data = serde_json::json!({ "run_id": self.state.id() });
            let topic = crate::model::live::Topic::Approvals;
            self.runtime.events.publish(self.workspace, topic, "approvals_changed", data);
        }
    }
}
