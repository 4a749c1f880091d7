//! Events from outside: the tables of `store::event`, and what must hold of them.

use std::collections::BTreeMap;

use serde_json::Value;
use uuid::Uuid;

use super::bugs::Bug;
use super::tables::{Row, Tables};
use crate::model::workflow::{Await, Fact, Graph, Signal};
use crate::model::{RunId, Timestamp};
use crate::workflow::machine;
use crate::workflow::store::signal::Outgoing;

/// A row of `event_wait`.
#[derive(Debug)]
pub struct Awaited {
    pub attempt: u32,
    pub key: String,
    pub fields: Value,
    /// The event that was handed to it.
    pub event: Option<Uuid>,
    /// Its place among those that began to wait.
    pub since: u64,
}

/// A row of `event`.
#[derive(Debug)]
pub struct Sent {
    pub id: Uuid,
    pub key: String,
    pub payload: Value,
    pub at: Timestamp,
}

impl Tables {
    /// `store::event::wait`.
    pub fn await_event(
        &mut self,
        run: RunId,
        (step, attempt): (&str, u32),
        (key, fields): (&str, &Value),
        signal: Uuid,
        now: Timestamp,
    ) {
        self.begun += 1;
        let known = self.waits.get(&(run, step.to_owned())).filter(|known| known.attempt == attempt);
        let (event, since) = known.map_or((None, self.begun), |known| (known.event, known.since));
        let awaited = Awaited { attempt, key: key.to_owned(), fields: fields.clone(), event, since };
        self.waits.insert((run, step.to_owned()), awaited);
        let fits = |sent: &&Sent| self.is_for(run, key, fields, sent);
        let earlier = self.sent.iter().find(fits).map(|sent| sent.id).filter(|_| event.is_none());
        if let Some(event) = earlier {
            self.hand(run, step, event, signal, now);
        }
    }

    /// `store::event::take_back`.
    pub fn take_back(&mut self, run: RunId, event: Uuid, signal: Uuid, now: Timestamp) {
        self.taken.remove(&(run, event));
        self.given_back.insert((run, event));
        if let Some(step) = self.next_waits(event).remove(&run) {
            self.hand(run, &step, event, signal, now);
        }
    }

    /// Whether an event came since the run began, was not taken by it, and fits.
    pub fn is_for(&self, run: RunId, key: &str, fields: &Value, sent: &Sent) -> bool {
        sent.key == key
            && sent.at >= self.row(run).created_at
            && !self.taken.contains(&(run, sent.id))
            && machine::fits(fields, &sent.payload)
    }

    /// The step of each run that is next to be handed an event: the one that has waited longest.
    fn next_waits(&self, event: Uuid) -> BTreeMap<RunId, String> {
        let sent = self.sent.iter().find(|sent| sent.id == event).expect("events are kept");
        let fits = |awaited: &Awaited| awaited.key == sent.key && machine::fits(&awaited.fields, &sent.payload);
        let mut waits: Vec<_> =
            self.waits.iter().filter(|(_, awaited)| awaited.event.is_none() && fits(awaited)).collect();
        waits.sort_by_key(|(_, awaited)| std::cmp::Reverse(awaited.since));
        waits.into_iter().map(|((run, step), _)| (*run, step.clone())).collect()
    }

    /// `store::event::hand`.
    fn hand(&mut self, run: RunId, step: &str, event: Uuid, signal: Uuid, now: Timestamp) -> bool {
        let payload = self.sent.iter().find(|sent| sent.id == event).expect("events are kept").payload.clone();
        let Some(attempt) = self.waits.get(&(run, step.to_owned())).map(|awaited| awaited.attempt) else {
            return false;
        };
        let (step, payload) = (step.to_owned(), Signal::Event { payload, event: Some(event) });
        let outgoing = Outgoing { id: signal, run, step: Some(step.clone()), attempt, signal: payload };
        if !self.insert_signal(&outgoing, now) {
            return false;
        }
        if self.bug != Some(Bug::EventTakenAgain) {
            self.taken.insert((run, event));
        }
        if let Some(awaited) = self.waits.get_mut(&(run, step)) {
            awaited.event = Some(event);
        }
        true
    }

    /// `store::event::send`: the runs that it reached.
    pub fn send(&mut self, key: &str, payload: &Value, fresh: impl Fn() -> Uuid, now: Timestamp) -> Vec<RunId> {
        let id = fresh();
        self.sent.push(Sent { id, key: key.to_owned(), payload: payload.clone(), at: now });
        let waits = self.next_waits(id).into_iter();
        let mut reached = Vec::new();
        for (run, step) in waits {
            if self.hand(run, &step, id, fresh(), now) {
                reached.push(run);
            }
        }
        reached
    }

    /// Each run has taken each event once at most, and of those that fit the oldest first, unless it was given back.
    pub fn check_taken(&self, run: RunId, row: &Row, graph: &Graph) {
        // What a fork has copied is another run's.
        let own = row.history.iter().rposition(|event| matches!(event.fact, Fact::RunForked(_))).unwrap_or(0);
        let mut awaited: BTreeMap<&str, (&str, &Value)> = BTreeMap::new();
        let mut taken: Vec<(usize, &str, &Value)> = Vec::new();
        for event in &row.history[own..] {
            let Some(path) = event.step.as_deref().filter(|path| graph.kind_at(path) == Some("event")) else {
                continue;
            };
            match &event.fact {
                Fact::StepWaiting { on: Some(Await::Event { key, fields }), .. } => {
                    awaited.insert(path, (key, fields));
                }
                Fact::StepSucceeded { output, .. } => {
                    let number = output.get("number").and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
                    let (Some(number), Some((key, fields))) = (number, awaited.remove(path)) else { continue };
                    for (later, other, wanted) in taken.iter().filter(|(before, ..)| *before >= number) {
                        assert_ne!(*later, number, "{run} has taken event {number} twice");
                        let sent = &self.sent[number];
                        let passed_over = *other == key && machine::fits(wanted, &sent.payload);
                        let given_back = self.given_back.contains(&(run, sent.id));
                        assert!(!passed_over || given_back, "{run} has taken event {later} before event {number}");
                    }
                    taken.push((number, key, fields));
                }
                _ => {}
            }
        }
    }
}
