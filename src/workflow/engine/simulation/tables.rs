//! The double of the database: the tables in memory, and each transaction of `workflow::store` as a method that happens
//! wholly or not at all. What goes wrong on the way to it and back is decided by [`super::faults`].

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use uuid::Uuid;

use super::bugs::Bug;
use super::events::{Awaited, Sent};
use crate::model::workflow::{Event, RunStatus, Signal, Vote};
use crate::model::{ApprovalId, RunId, Timestamp};
use crate::workflow::machine::Input;
use crate::workflow::store::ask::WaitChange;
use crate::workflow::store::signal::{Incoming, Outgoing};
use crate::workflow::store::unwanted::Told;
use crate::workflow::store::{Change, Parent, Verdict};

/// How long a process keeps a run without saying that it lives.
pub const LEASE_MS: i64 = super::super::LEASE_MS;

/// A row of `run`, with its events.
#[derive(Debug)]
pub struct Row {
    pub workflow: usize,
    pub parent: Option<Parent>,
    pub key: Option<String>,
    pub status: RunStatus,
    pub last_seq: i64,
    pub signals: i64,
    pub wake_at: Option<Timestamp>,
    pub owner: Option<Uuid>,
    pub lease_until: Option<Timestamp>,
    pub token: i64,
    pub created_at: Timestamp,
    pub is_ended: bool,
    /// The version that it runs.
    pub version: i64,
    pub history: Vec<Event>,
}

/// A row of `approval`.
#[derive(Debug)]
pub struct Asked {
    pub run: RunId,
    pub step: String,
    pub attempt: u32,
    pub votes: Vec<Vote>,
    pub outcome: Option<String>,
}

/// What was claimed.
#[derive(Debug, Clone, Copy)]
pub struct Claim {
    pub run: RunId,
    pub token: i64,
    pub admitted: bool,
}

/// Who claims.
#[derive(Debug, Clone, Copy)]
pub struct Claimant {
    pub owner: Uuid,
    pub now: Timestamp,
    pub alone: bool,
}

/// A row of `run_command`.
#[derive(Debug)]
pub struct Forwarded {
    pub run: RunId,
    /// For which process.
    pub owner: Uuid,
    pub input: Input,
    /// Who gave it.
    pub by: String,
    pub is_taken: bool,
    /// It was obeyed, and its owner says so.
    pub is_done: bool,
}

#[derive(Debug)]
pub struct Tables {
    pub runs: BTreeMap<RunId, Row>,
    /// Oldest first.
    pub signals: Vec<(RunId, Incoming)>,
    pub waits: BTreeMap<(RunId, String), Awaited>,
    pub approvals: BTreeMap<ApprovalId, Asked>,
    /// Keys of sub-runs that nobody waits for, and since when.
    pub unwanted: BTreeMap<String, Timestamp>,
    /// Commands for other processes.
    pub commands: BTreeMap<Uuid, Forwarded>,
    pub bug: Option<Bug>,
    /// Events that were sent, oldest first.
    pub sent: Vec<Sent>,
    /// Rows of `event_taken`.
    pub taken: BTreeSet<(RunId, Uuid)>,
    /// Which of them were given back at some time.
    pub given_back: BTreeSet<(RunId, Uuid)>,
    /// How many waits for events have begun.
    pub begun: u64,
}

impl Tables {
    pub fn new() -> Self {
        Self {
            runs: BTreeMap::new(),
            signals: Vec::new(),
            waits: BTreeMap::new(),
            approvals: BTreeMap::new(),
            unwanted: BTreeMap::new(),
            commands: BTreeMap::new(),
            bug: None,
            sent: Vec::new(),
            taken: BTreeSet::new(),
            given_back: BTreeSet::new(),
            begun: 0,
        }
    }

    pub fn row(&self, run: RunId) -> &Row {
        &self.runs[&run]
    }

    pub fn find_by_key(&self, key: &str) -> Option<RunId> {
        self.runs.iter().find(|(_, row)| row.key.as_deref() == Some(key)).map(|(run, _)| *run)
    }

    /// `store::flush`: appends what happened, if the fencing token and the place in the history still fit.
    pub fn store(&mut self, change: &Rc<Change>, now: Timestamp) -> Verdict {
        let verdict = match &change.create {
            Some(create) => self.insert_run(change, create),
            None => self.update_run(change, now),
        };
        if verdict == Verdict::Stored {
            let before = self.signals.len();
            self.signals.retain(|(_, incoming)| !change.taken_in.contains(&incoming.id));
            if self.signals.len() == before && change.only_settles() {
                self.runs.get_mut(&change.run).expect("it was just written").signals += change.settled;
                return verdict;
            }
            if self.bug != Some(Bug::SubRunsNotAbandoned) {
                self.unwanted.extend(change.unwanted.iter().map(|key| (key.clone(), now)));
            }
            let is_kept = |signal: &Signal| match signal {
                Signal::RunEnded { .. } => self.bug != Some(Bug::ParentNotTold),
                Signal::ParentResumed {} => self.bug != Some(Bug::SubRunsStayHeld),
                _ => true,
            };
            for outgoing in change.outgoing.iter().filter(|outgoing| is_kept(&outgoing.signal)).collect::<Vec<_>>() {
                self.insert_signal(outgoing, now);
            }
            for wait in &change.waits {
                self.apply_wait(change.run, wait, now);
            }
            let row = self.runs.get_mut(&change.run).expect("it was just written");
            let copied = change.create.iter().flat_map(|create| &create.copied);
            for event in copied.chain(change.events.iter()) {
                assert_eq!(event.seq, row.history.len() as i64 + 1, "a gap in the history of {}", change.run);
                row.history.push(event.clone());
            }
        }
        verdict
    }

    fn insert_run(&mut self, change: &Change, create: &crate::workflow::store::Create) -> Verdict {
        let taken = create.idempotency_key.as_deref().is_some_and(|key| self.find_by_key(key).is_some());
        if taken || self.runs.contains_key(&change.run) {
            return Verdict::Duplicate;
        }
        let progress = &change.progress;
        let row = Row {
            workflow: usize::from(create.definition_hash[0]),
            parent: create.card.parent.clone(),
            key: create.idempotency_key.clone(),
            status: progress.status,
            last_seq: progress.last_seq,
            signals: 0,
            wake_at: progress.wake_at,
            owner: progress.lease_until.map(|_| create.owner),
            lease_until: progress.lease_until,
            token: change.token,
            created_at: create.card.created_at,
            is_ended: progress.ended_at.is_some(),
            version: 1,
            history: Vec::new(),
        };
        self.runs.insert(change.run, row);
        Verdict::Stored
    }

    fn update_run(&mut self, change: &Change, now: Timestamp) -> Verdict {
        let Some(row) = self.runs.get_mut(&change.run) else { return Verdict::Fenced };
        let is_fenced = row.token != change.token && self.bug != Some(Bug::FenceIgnored);
        if is_fenced || row.last_seq != change.stored_seq {
            return Verdict::Fenced;
        }
        let progress = &change.progress;
        let kept = progress.lease_until.is_some();
        let nothing_left = kept || row.signals <= change.settled || progress.ended_at.is_some();
        row.wake_at = if nothing_left { progress.wake_at } else { Some(now) };
        row.status = progress.status;
        row.last_seq = progress.last_seq;
        row.is_ended = progress.ended_at.is_some();
        if let Some(moved) = change.moved.filter(|_| self.bug != Some(Bug::MoveNotNoted)) {
            row.version = moved.version;
        }
        row.signals -= change.settled;
        row.owner = row.owner.filter(|_| kept);
        row.lease_until = row.lease_until.filter(|_| kept);
        Verdict::Stored
    }

    /// `store::lease::is_stored`.
    pub fn is_stored(&self, change: &Change) -> Option<bool> {
        let row = self.runs.get(&change.run);
        if row.map(|row| (row.last_seq, row.token)) != Some((change.progress.last_seq, change.token)) {
            return Some(false);
        }
        if !change.events.is_empty() {
            return Some(true);
        }
        let id = change.taken_in.first()?;
        Some(!self.signals.iter().any(|(_, incoming)| incoming.id == *id))
    }

    /// `store::signal::insert`.
    pub fn insert_signal(&mut self, outgoing: &Outgoing, now: Timestamp) -> bool {
        let Some(row) = self.runs.get_mut(&outgoing.run).filter(|row| !row.is_ended) else { return false };
        row.signals += 1;
        if row.owner.is_none() {
            row.wake_at = Some(now);
        }
        let Outgoing { id, run, step, attempt, signal } = outgoing.clone();
        self.signals.push((run, Incoming { id, step, attempt, signal }));
        true
    }

    /// `store::unwanted::tell`.
    pub fn tell_unwanted(&mut self, key: &str, id: Uuid, now: Timestamp) -> Told {
        let Some(run) = self.find_by_key(key) else { return Told::NotThere };
        let was_there = self.unwanted.remove(key).is_some();
        let waits = self.row(run).parent.as_ref().is_some_and(|parent| parent.waits);
        let signal = Signal::ParentGone {};
        let told = was_there && waits && self.insert_signal(&Outgoing { id, run, step: None, attempt: 0, signal }, now);
        if told { Told::Run(run) } else { Told::Needless }
    }

    /// `store::signal::list`.
    pub fn list_signals(&self, run: RunId) -> (i64, Vec<Incoming>) {
        let own = self.signals.iter().filter(|(to, _)| *to == run).map(|(_, incoming)| incoming.clone());
        (self.row(run).signals, own.collect())
    }

    /// `store::ask::apply`.
    fn apply_wait(&mut self, run: RunId, change: &WaitChange, now: Timestamp) {
        match change {
            WaitChange::Asked { id, step, attempt, votes, .. } => {
                let new = Asked { run, step: step.clone(), attempt: *attempt, votes: Vec::new(), outcome: None };
                self.approvals.entry(*id).or_insert(new).votes.clone_from(votes);
            }
            WaitChange::Closed { id, outcome, votes } => {
                if let Some(asked) = self.approvals.get_mut(id).filter(|asked| asked.outcome.is_none()) {
                    asked.votes.extend_from_slice(votes);
                    asked.outcome = Some(outcome.clone());
                }
            }
            WaitChange::Awaited { step, attempt, key, fields, signal } => {
                self.await_event(run, (step, *attempt), (key, fields), *signal, now);
            }
            WaitChange::GaveBack { event, signal } => self.take_back(run, *event, *signal, now),
            WaitChange::Left { step } => drop(self.waits.remove(&(run, step.clone()))),
        }
    }

    /// `store::lease::claim_due`.
    pub fn claim_due(&mut self, by: Claimant) -> Vec<Claim> {
        self.list_due(by).into_iter().map(|run| self.take(by, run)).collect()
    }

    pub fn list_due(&self, by: Claimant) -> Vec<RunId> {
        let is_due = |row: &Row| {
            let lost = row.owner.is_some_and(|owner| owner != by.owner)
                && (by.alone || row.lease_until.is_some_and(|until| until < by.now));
            let idle = row.owner.is_none();
            let wanted = row.status == RunStatus::Running || row.wake_at.is_some_and(|at| at <= by.now);
            !row.is_ended && (lost || (idle && wanted))
        };
        self.runs.iter().filter(|(_, row)| is_due(row)).map(|(run, _)| *run).collect()
    }

    /// `store::lease::claim`.
    pub fn claim(&mut self, by: Claimant, run: RunId) -> Option<Claim> {
        let row = self.runs.get(&run)?;
        let free = row
            .owner
            .is_none_or(|owner| owner == by.owner || by.alone || row.lease_until.is_some_and(|until| until < by.now));
        free.then(|| self.take(by, run))
    }

    fn take(&mut self, by: Claimant, run: RunId) -> Claim {
        let row = self.runs.get_mut(&run).expect("it was just found");
        row.owner = Some(by.owner);
        row.lease_until = Some(by.now.plus_ms(LEASE_MS));
        row.token += 1;
        Claim { run, token: row.token, admitted: row.status == RunStatus::Running }
    }

    /// `store::lease::release`.
    pub fn release(&mut self, run: RunId, token: i64, now: Timestamp) {
        if let Some(row) = self.runs.get_mut(&run).filter(|row| row.token == token) {
            row.owner = None;
            row.lease_until = None;
            if row.signals > 0 && !row.is_ended && self.bug != Some(Bug::ReleaseForgetsSignals) {
                row.wake_at = Some(now);
            }
        }
    }

    /// `store::lease::renew`.
    pub fn renew(&mut self, owner: Uuid, until: Timestamp) -> usize {
        let own = self.runs.values_mut().filter(|row| row.owner == Some(owner));
        own.map(|row| row.lease_until = Some(until)).count()
    }

    /// `store::lease::list_owned`.
    pub fn list_owned(&self, owner: Uuid) -> Vec<(RunId, i64)> {
        let own = self.runs.iter().filter(|(_, row)| row.owner == Some(owner));
        own.map(|(run, row)| (*run, row.token)).collect()
    }

    /// `store::lease::next_due`.
    pub fn next_due(&self, owner: Uuid) -> Option<Timestamp> {
        let open = self.runs.values().filter(|row| !row.is_ended);
        open.filter_map(|row| match row.owner {
            None => row.wake_at,
            Some(other) if other != owner => row.lease_until,
            Some(_) => None,
        })
        .min()
    }

    /// Flow control lets a queued run in.
    pub fn admit(&mut self, run: RunId) {
        let row = self.runs.get_mut(&run).expect("it was listed");
        if row.status == RunStatus::Queued && row.owner.is_none() {
            row.status = RunStatus::Running;
        }
    }
}
