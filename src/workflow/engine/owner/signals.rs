//! Signals: those that reach the run, and those that it sends to the run that started it and to those that it started.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::{Message, Owner};
use crate::db;
use crate::model::RunId;
use crate::model::workflow::{Await, Event, Signal, State};
use crate::runtime::Runtime;
use crate::workflow::machine::{Input, Refusal};
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
    /// Taken in; deleted with the next flush.
    taken_in: Vec<Uuid>,
    /// To be sent with the next flush.
    outgoing: Vec<Outgoing>,
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
    pub(super) fn have_settled(&self) -> bool {
        !self.taken_in.is_empty() || (self.count > 0 && self.waiting.is_empty())
    }

    /// What goes with the next flush: the signals that were taken in, how much of the count they settle, those to send.
    pub(super) fn settle(&mut self) -> (Vec<Uuid>, i64, Vec<Outgoing>) {
        let waiting = i64::try_from(self.waiting.len()).unwrap_or(i64::MAX);
        let settled = (self.count - waiting).max(0);
        self.count -= settled;
        (std::mem::take(&mut self.taken_in), settled, std::mem::take(&mut self.outgoing))
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
        self.outgoing.push(Outgoing {
            id: runtime.ids.fresh(),
            run: parent.run,
            step: Some(parent.step.clone()),
            attempt: parent.attempt,
            signal,
        });
    }

    /// Tells the runs that this one waited for and does not wait for any more. One that ended by itself is not told.
    pub(super) fn tell_the_abandoned(&mut self, runtime: &Runtime, before: BTreeSet<RunId>, state: &State) {
        if before.is_empty() {
            return;
        }
        let still = runs_waited_for(state);
        for run in before.difference(&still) {
            let (id, signal) = (runtime.ids.fresh(), Signal::ParentGone {});
            self.outgoing.push(Outgoing { id, run: *run, step: None, attempt: 0, signal });
        }
    }
}

/// The sub-runs whose end a step waits for.
pub(super) fn runs_waited_for(state: &State) -> BTreeSet<RunId> {
    let waited = state.awaiting().filter_map(|slot| match state.step_at(slot).waiting.as_ref()?.on.as_ref()? {
        Await::Run { run } => Some(*run),
    });
    waited.collect()
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
                Signal::ParentGone {} => None,
            };
            match self.think(Input::Signal { step, attempt, signal }, events) {
                // The step is about to come to wait.
                Err(Refusal::NotYet) => self.signals.waiting.push(incoming),
                Ok(()) | Err(_) => self.signals.taken_in.push(id),
            }
            // It knows.
            self.signals.outgoing.retain(|told| Some(told.run) != ended || told.step.is_some());
        }
    }
}
