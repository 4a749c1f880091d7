//! What a run waits for outside, what reaches it, and what it tells the run that started it and those that it started.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{Message, Owner};
use crate::db;
use crate::model::workflow::{Await, Event, Fact, Signal, Slot, State};
use crate::model::{ApprovalId, RunId};
use crate::runtime::Runtime;
use crate::workflow::machine::{Input, Refusal};
use crate::workflow::store::ask::WaitChange;
use crate::workflow::store::signal::{Incoming, Outgoing};
use crate::workflow::store::{self, Card};

/// What an owner knows of signals.
#[derive(Debug, Default)]
pub(super) struct Signals {
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
pub(super) struct Settling {
    /// Taken in, to be deleted.
    pub(super) taken_in: Vec<Uuid>,
    /// How much of the row's count they settle.
    pub(super) settled: i64,
    /// To other runs.
    pub(super) outgoing: Vec<Outgoing>,
    /// Approvals asked, answered, closed; events awaited.
    pub(super) waits: Vec<WaitChange>,
}

impl Signals {
    /// Of a run that was just taken in hand.
    pub(super) fn unread() -> Self {
        Self { unread: true, ..Self::default() }
    }

    pub(super) const fn is_unread(&self) -> bool {
        self.unread
    }

    /// Whether something is to be said to the tables even without an event.
    pub(super) const fn have_settled(&self) -> bool {
        !self.settling.taken_in.is_empty() || (self.count > 0 && self.waiting.is_empty())
    }

    /// What goes with the next flush.
    pub(super) fn settle(&mut self) -> Settling {
        let waiting = i64::try_from(self.waiting.len()).unwrap_or(i64::MAX);
        let settled = (self.count - waiting).max(0);
        self.count -= settled;
        Settling { settled, ..std::mem::take(&mut self.settling) }
    }

    /// The run has ended: tells the step that waits for it.
    pub(super) fn tell_parent(&mut self, runtime: &Runtime, card: &Card, state: &State) {
        let Some(parent) = card.parent.as_ref().filter(|parent| parent.waits) else {
            return;
        };
        let signal = Signal::RunEnded {
            run: state.id(),
            status: state.status(),
            output: state.output().clone(),
            error: state.error().cloned(),
        };
        let (id, step) = (runtime.ids.fresh(), Some(parent.step.clone()));
        self.settling.outgoing.push(Outgoing { id, run: parent.run, step, attempt: parent.attempt, signal });
    }

    /// Notes what the run waits for anew and no more. Sub-runs that it no longer waits for are told.
    pub(super) fn compare(&mut self, runtime: &Runtime, before: Waits, state: &State, events: &[Event]) {
        let after = waits(state);
        let voted = events.iter().any(|event| matches!(event.fact, Fact::StepSignalled { .. }));
        for (path, wait) in &after {
            if voted || before.get(path) != Some(wait) {
                self.settling.waits.extend(opened(runtime, state, path, wait));
            }
        }
        for (path, wait) in before {
            if after.get(&path) == Some(&wait) {
                continue;
            }
            match wait.on {
                Await::Run { run } => {
                    let (id, signal) = (runtime.ids.fresh(), Signal::ParentGone {});
                    self.settling.outgoing.push(Outgoing { id, run, step: None, attempt: 0, signal });
                }
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

/// What the steps of a run wait for besides time, by path.
pub(super) type Waits = BTreeMap<String, Wait>;

/// What a step waits for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wait {
    slot: Slot,
    attempt: u32,
    on: Await,
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
        Fact::StepSucceeded { port, .. } => Some(port.clone()),
        _ => None,
    });
    let votes = own().filter_map(|event| match &event.fact {
        Fact::StepSignalled { signal: Signal::Vote(vote), .. } => Some(vote.clone()),
        _ => None,
    });
    WaitChange::Closed { id, outcome: outcome.unwrap_or_else(|| "cancelled".to_owned()), votes: votes.collect() }
}

fn opened(runtime: &Runtime, state: &State, path: &str, wait: &Wait) -> Option<WaitChange> {
    let (step, attempt) = (path.to_owned(), wait.attempt);
    match &wait.on {
        Await::Run { .. } => None,
        Await::Approval { id, question } => {
            let (mut votes, mut delegates) = (Vec::new(), Vec::new());
            for signal in state.signals(wait.slot) {
                match signal {
                    Signal::Vote(vote) => votes.push(vote.clone()),
                    Signal::Delegated { to, .. } => delegates.push(to.clone()),
                    _ => {}
                }
            }
            let deadline = state.step_at(wait.slot).waiting.as_ref().and_then(|waiting| waiting.until);
            Some(WaitChange::Asked { id: *id, step, attempt, question: question.clone(), votes, delegates, deadline })
        }
        Await::Event { key, fields } => {
            let signal = runtime.ids.fresh();
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
        self.signals.unread = false;
        self.signals.count = count;
        self.signals.waiting = waiting;
        Ok(())
    }

    /// Takes in what the state is ready for.
    pub(super) fn take_signals_in(&mut self, events: &mut Vec<Event>) {
        for incoming in std::mem::take(&mut self.signals.waiting) {
            let Incoming { id, step, attempt, signal } = incoming.clone();
            let ended = match signal {
                Signal::RunEnded { run, .. } => Some(run),
                _ => None,
            };
            match self.think(Input::Signal { step, attempt, signal }, events) {
                // The step is about to come to wait.
                Err(Refusal::NotYet) => self.signals.waiting.push(incoming),
                Ok(()) | Err(_) => self.signals.settling.taken_in.push(id),
            }
            // It knows.
            self.signals.settling.outgoing.retain(|told| Some(told.run) != ended || told.step.is_some());
        }
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
