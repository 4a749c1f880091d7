//! The model of a process: the runs and attempts that it has in hand, its alarm, its claims, and its sudden end.

use std::collections::BTreeMap;

use serde_json::Value;
use uuid::Uuid;

use super::bugs::Bug;
use super::check;
use super::faults::Commit;
use super::owner::{First, Flying, Owner};
use super::tables::{Claim, Claimant};
use super::world::Sim;
use crate::model::workflow::{Event, Fact, RunStatus, State, StepError, TriggerKind};
use crate::model::{RunId, Timestamp, WorkspaceId};
use crate::workflow::engine::owner::signals::Signals;
use crate::workflow::machine::Input;
use crate::workflow::steps::Outcome;
use crate::workflow::store::{Card, Change, Create, Keys, Parent, Place, Progress};

/// How long to wait before trying again what the tables refused.
pub const RETRY_MS: i64 = 1_000;
/// How soon a process looks again at the soonest.
const SOON_MS: i64 = 10;

/// What reaches an owner.
#[derive(Debug)]
pub enum Message {
    Done { step: String, attempt: u32, began: i64, result: Result<Outcome, StepError> },
    Tell { input: Input, promise: Option<check::Promise> },
    Signals,
}

/// An attempt at work.
#[derive(Debug)]
#[expect(clippy::struct_field_names, reason = "the words of the engine")]
pub struct Attempt {
    pub id: u64,
    pub run: RunId,
    pub step: String,
    pub attempt: u32,
    pub began: i64,
    pub key: String,
    pub kind: String,
    pub config: Value,
    /// How much of its work its journal has.
    pub entries: usize,
    pub is_cancelled: bool,
    /// It waits for the sub-run that it has begun.
    pub is_parked: bool,
    pub result: Option<Result<Outcome, StepError>>,
}

impl Attempt {
    /// Of a step under a path, which attempt, and by which event it began.
    pub fn new(run: RunId, place: (&str, u32, i64), key: String, kind: &str, config: Value) -> Self {
        let (step, attempt, began) = (place.0.to_owned(), place.1, place.2);
        let kind = kind.to_owned();
        Self {
            id: 0,
            run,
            step,
            attempt,
            began,
            key,
            kind,
            entries: 0,
            config,
            is_cancelled: false,
            is_parked: false,
            result: None,
        }
    }
}

/// One life of a process.
#[derive(Debug)]
pub struct Process {
    pub id: Uuid,
    /// It stands still, and its leases end meanwhile.
    pub is_frozen: bool,
    pub owners: BTreeMap<RunId, Owner>,
    pub attempts: Vec<Attempt>,
    pub alarm: Option<Timestamp>,
    pub is_in_doubt: bool,
    /// It has claimed what was due, and is about to look when the next is.
    pub is_looking: bool,
    /// When it looks next at the sub-runs that nobody waits for.
    pub looks_at: Timestamp,
    /// What it has asked other processes for.
    pub asked: Vec<super::more::Asked>,
}

impl Process {
    pub fn new(id: Uuid, now: Timestamp) -> Self {
        let (owners, attempts) = (BTreeMap::new(), Vec::new());
        Self {
            id,
            is_frozen: false,
            owners,
            attempts,
            alarm: Some(now),
            is_in_doubt: false,
            is_looking: false,
            looks_at: now,
            asked: Vec::new(),
        }
    }

    pub fn set_alarm(&mut self, at: Timestamp) {
        self.alarm = Some(self.alarm.map_or(at, |due| due.min(at)));
    }

    pub fn doubt(&mut self, now: Timestamp) {
        self.is_in_doubt = true;
        self.set_alarm(now.plus_ms(RETRY_MS));
    }
}

impl Sim {
    pub fn claimant(&self, p: usize) -> Claimant {
        Claimant { owner: self.processes[p].id, now: self.ambient.now(), alone: !self.is_shared }
    }

    /// The first half of `timer::take_due`: claims everything that is due.
    pub fn take_due(&mut self, p: usize) {
        let now = self.ambient.now();
        self.processes[p].alarm = None;
        if std::mem::take(&mut self.processes[p].is_in_doubt) && self.give_strays_back(p).is_err() {
            self.processes[p].doubt(now);
            return self.processes[p].set_alarm(now);
        }
        let by = self.claimant(p);
        let claims = match self.commit() {
            Commit::Done => self.tables.claim_due(by),
            outcome => {
                if outcome != Commit::Lost {
                    self.tables.claim_due(by);
                }
                self.processes[p].doubt(now);
                return self.processes[p].set_alarm(now);
            }
        };
        for claim in claims {
            if self.processes[p].owners.contains_key(&claim.run) {
                // The one who gave it back has not left yet.
                self.tables.release(claim.run, claim.token, now);
                self.processes[p].set_alarm(now.plus_ms(RETRY_MS));
            } else {
                self.take(p, claim, None);
            }
        }
        self.processes[p].is_looking = true;
    }

    /// The second half: sets the alarm.
    pub fn look_ahead(&mut self, p: usize) {
        self.processes[p].is_looking = false;
        if let Some(due) = self.tables.next_due(self.processes[p].id) {
            // A lease that ends at this moment is not over yet.
            let soon = self.ambient.now().plus_ms(SOON_MS);
            self.processes[p].set_alarm(due.max(soon));
        }
    }

    fn give_strays_back(&mut self, p: usize) -> Result<(), ()> {
        if self.read_fails() {
            return Err(());
        }
        for (run, token) in self.tables.list_owned(self.processes[p].id) {
            if !self.processes[p].owners.contains_key(&run) {
                if self.write_fails() {
                    return Err(());
                }
                self.tables.release(run, token, self.ambient.now());
            }
        }
        Ok(())
    }

    /// `Owner::take`: folds the history of a claimed run.
    fn take(&mut self, p: usize, claim: Claim, message: Option<Message>) {
        if self.read_fails() {
            // `Engine::hand_back`
            let now = self.ambient.now();
            self.tables.release(claim.run, claim.token, now);
            return self.processes[p].set_alarm(now.plus_ms(RETRY_MS));
        }
        let state = self.fold(claim.run);
        let parent = self.tables.row(claim.run).parent.clone();
        let mut owner = Owner::new(state, claim.token, parent, First::TakeOver { admitted: claim.admitted });
        // Loaded with others, it says whether something waits; what comes from here on is told to the mailbox.
        let has_none = self.has_more() && self.tables.row(claim.run).signals == 0;
        if has_none || self.has(Bug::SignalsForgottenAtTakeOver) {
            owner.signals = Signals::default();
        }
        owner.inbox.extend(message);
        let before = self.processes[p].owners.insert(claim.run, owner);
        assert!(before.is_none(), "a process took a run that it had in hand");
    }

    /// The state of a run as the tables have it.
    pub fn fold(&self, run: RunId) -> State {
        let row = self.tables.row(run);
        let mut state = State::on(run, self.graphs[row.workflow].clone()).without_old_inputs();
        for event in &row.history {
            state.apply(event);
        }
        state
    }

    /// `Engine::tell`: here, or by the process that has the run in hand.
    pub fn tell(&mut self, p: usize, run: RunId, input: Input, promise: Option<check::Promise>) {
        let has_elsewhere = |row: &super::tables::Row| row.owner.is_some_and(|owner| owner != self.processes[p].id);
        let forwards = self.has_more() && self.is_shared && has_elsewhere(self.tables.row(run));
        let is_named = super::more::name_of(&input).is_some();
        if forwards && is_named && !self.processes[p].owners.contains_key(&run) && self.ambient.rng.chance(80) {
            return self.forward(p, run, input);
        }
        self.tell_here(p, run, input, promise);
    }

    /// `Engine::hand_over`: into the mailbox of the owner, or of one that takes the run for it.
    pub fn tell_here(&mut self, p: usize, run: RunId, input: Input, promise: Option<check::Promise>) {
        let message = Message::Tell { input, promise };
        if let Some(owner) = self.processes[p].owners.get_mut(&run) {
            if !owner.is_leaving {
                owner.inbox.push(message);
            }
            return;
        }
        let by = self.claimant(p);
        match self.commit() {
            Commit::Done => {
                if let Some(claim) = self.tables.claim(by, run) {
                    self.take(p, claim, Some(message));
                }
            }
            outcome => {
                if outcome != Commit::Lost {
                    self.tables.claim(by, run);
                }
                let now = self.ambient.now();
                self.processes[p].doubt(now);
            }
        }
    }

    /// `Engine::poke`.
    pub fn poke(&mut self, p: usize, run: RunId) {
        let now = self.ambient.now();
        match self.processes[p].owners.get_mut(&run) {
            Some(owner) => owner.inbox.push(Message::Signals),
            None => self.processes[p].set_alarm(now),
        }
    }

    /// `timer::listen`: looks for signals that other processes have stored.
    pub fn listen(&mut self, p: usize) {
        let id = self.processes[p].id;
        let reached = self.tables.runs.iter().filter(|(_, row)| row.owner == Some(id) && row.signals > 0);
        for run in reached.map(|(run, _)| *run).collect::<Vec<_>>() {
            self.poke(p, run);
        }
    }

    /// Begins a run: of its own, or for the attempt of another.
    pub fn begin(&mut self, p: usize, workflow: usize, inputs: Value, origin: Option<(Parent, String, u64)>) {
        let run: RunId = self.ambient.fresh_id();
        let (parent, key, starter) = match origin {
            Some((parent, key, starter)) => (Some(parent), Some(key), Some(starter)),
            None => (None, None, None),
        };
        let state = State::on(run, self.graphs[workflow].clone()).without_old_inputs();
        let create = self.create(p, workflow, parent.clone(), key);
        let mut owner = Owner::new(state, 1, parent, First::Nothing);
        let mut events = Vec::new();
        self.think(&mut owner, Input::Start { inputs, until: None }, &mut events).expect("a new run has not begun");
        self.flush(p, owner, events, Some(create), Flying { starter, ..Flying::default() });
    }

    pub fn create(&self, p: usize, workflow: usize, parent: Option<Parent>, key: Option<String>) -> Create {
        let card = Card {
            workflow_id: None,
            workflow_name: super::generate::name(workflow),
            version: None,
            trigger: TriggerKind::Manual,
            started_by: None,
            started_by_id: None,
            steps_total: self.graphs[workflow].len() as u32,
            created_at: self.ambient.now(),
            parent,
            depth: 0,
        };
        Create {
            card,
            definition: None,
            definition_hash: vec![workflow as u8],
            drafted_by: None,
            idempotency_key: key,
            request_hash: None,
            owner: self.processes[p].id,
            keep_days: None,
            forked_from: None,
            copied: Vec::new(),
            limits: None,
            occasion: None,
        }
    }

    /// The process ends without a word, and another takes its place. What was on its way may arrive.
    pub fn crash(&mut self, p: usize) {
        let new = Process::new(self.ambient.fresh_id::<Uuid>(), self.ambient.now());
        let old = std::mem::replace(&mut self.processes[p], new);
        for owner in old.owners.into_values() {
            let Some(flight) = owner.flight else { continue };
            match self.ambient.rng.below(3) {
                0 => drop(self.tables.store(&flight.change, self.ambient.now())),
                1 if self.is_shared => self.late.push(flight.change),
                _ => {}
            }
        }
    }
}

/// `engine::admit`: the change that accepts a run which has to be let in.
pub fn queued(run: RunId, now: Timestamp, inputs: Value, create: Create) -> Change {
    let fact = Fact::RunQueued { inputs, until: None };
    let progress = Progress {
        status: RunStatus::Queued,
        headline: None,
        steps_done: 0,
        last_seq: 1,
        started_at: None,
        ended_at: None,
        wake_at: None,
        lease_until: None,
    };
    Change {
        run,
        workspace: WorkspaceId(Uuid::nil()),
        token: 0,
        stored_seq: 0,
        create: Some(Box::new(create)),
        events: vec![Event { seq: 1, at: now, step: None, fact }].into(),
        steady: false,
        progress,
        taken_in: Vec::new(),
        settled: 0,
        outgoing: Vec::new(),
        unwanted: Vec::new(),
        waits: Vec::new(),
        place: Place::Keep,
        keys: Keys::Keep,
        leases: Keys::Keep,
        handler: None,
        moved: None,
    }
}
