//! The model of a process: the runs and attempts that it has in hand, its alarm, its claims, and its sudden end.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use uuid::Uuid;

use super::faults::Commit;
use super::owner::{First, Flying, Owner};
use super::tables::{Claim, Claimant};
use super::world::Sim;
use super::{check, rng};
use crate::model::workflow::{Await, Signal, State, StepError, TriggerKind};
use crate::model::{RunId, Timestamp};
use crate::workflow::machine::Input;
use crate::workflow::steps::Outcome;
use crate::workflow::store::signal::Outgoing;
use crate::workflow::store::{Card, Create, Parent, Verdict};

/// How long to wait before trying again what the tables refused.
const RETRY_MS: i64 = 1_000;
/// How long the timer waits for a run whose last owner has not left yet.
const SOON_MS: i64 = 20;

/// What reaches an owner.
#[derive(Debug)]
pub enum Message {
    Done { step: String, attempt: u32, began: i64, result: Result<Outcome, StepError> },
    Tell { input: Input, promise: Option<check::Promise> },
    Signals,
}

/// An attempt at work.
#[derive(Debug)]
pub struct Attempt {
    pub id: u64,
    pub run: RunId,
    pub step: String,
    pub attempt: u32,
    pub began: i64,
    pub key: String,
    pub kind: String,
    pub config: Value,
    pub is_cancelled: bool,
    /// Nobody will begin it again.
    pub is_unwanted: bool,
    /// It waits for the sub-run that it has begun.
    pub is_parked: bool,
    /// It has ended, and is to tell its sub-run so.
    pub is_over: bool,
    pub result: Option<Result<Outcome, StepError>>,
}

impl Attempt {
    pub fn new(run: RunId, step: &str, attempt: u32, began: i64, key: String, kind: String, config: Value) -> Self {
        let step = step.to_owned();
        Self {
            id: 0,
            run,
            step,
            attempt,
            began,
            key,
            kind,
            config,
            is_cancelled: false,
            is_unwanted: false,
            is_parked: false,
            is_over: false,
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
}

impl Process {
    pub fn new(id: Uuid, now: Timestamp) -> Self {
        let (owners, attempts) = (BTreeMap::new(), Vec::new());
        Self { id, is_frozen: false, owners, attempts, alarm: Some(now), is_in_doubt: false, is_looking: false }
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
                self.processes[p].set_alarm(now.plus_ms(SOON_MS));
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
            self.processes[p].set_alarm(due);
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
            let now = self.ambient.now();
            return self.processes[p].doubt(now);
        }
        let state = self.fold(claim.run);
        let parent = self.tables.row(claim.run).parent.clone();
        let mut owner = Owner::new(state, claim.token, parent, First::TakeOver { admitted: claim.admitted });
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

    /// `Engine::hand_over`: into the mailbox of the owner, or of one that takes the run for it.
    pub fn tell(&mut self, p: usize, run: RunId, input: Input, promise: Option<check::Promise>) {
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
            definition: Vec::new(),
            definition_hash: vec![workflow as u8],
            idempotency_key: key,
            request_hash: None,
            owner: self.processes[p].id,
            keep_days: None,
            forked_from: None,
            copied: Vec::new(),
        }
    }

    pub fn begin_attempt(&mut self, p: usize, mut attempt: Attempt) {
        self.attempts_begun += 1;
        attempt.id = self.attempts_begun;
        self.processes[p].attempts.push(attempt);
    }

    /// An attempt gets on: its effect is applied, and the next time its owner hears of it.
    pub fn work(&mut self, p: usize, at: usize) {
        let working = &mut self.processes[p].attempts[at];
        if working.is_over {
            return self.abandon(p, at);
        }
        if let Some(result) = working.result.take() {
            let Attempt { run, step, attempt, began, .. } = &*working;
            let (run, step, attempt, began) = (*run, step.clone(), *attempt, *began);
            if let Some(owner) = self.processes[p].owners.get_mut(&run) {
                owner.inbox.push(Message::Done { step, attempt, began, result });
            }
            return self.abandon(p, at);
        }
        if working.is_cancelled && self.ambient.rng.chance(50) {
            return self.abandon(p, at);
        }
        let attempt = &self.processes[p].attempts[at];
        if attempt.kind == "workflow" {
            return self.start_child(p, at);
        }
        let answer = self.apply_effect(&attempt.key.clone());
        self.processes[p].attempts[at].result = Some(answer);
    }

    /// `attempt::abandon`: the end of an attempt, which tells the sub-run that it may have begun when nobody will wait for it.
    fn abandon(&mut self, p: usize, at: usize) {
        let attempt = &mut self.processes[p].attempts[at];
        attempt.is_over = true;
        if !attempt.is_unwanted || attempt.kind != "workflow" {
            self.processes[p].attempts.remove(at);
            return;
        }
        let key = format!("step:{}", attempt.key);
        let outcome = self.commit();
        if outcome == Commit::Lost {
            return;
        }
        let child = self.tables.find_by_key(&key);
        let child = child.filter(|child| self.tables.row(*child).parent.as_ref().is_some_and(|parent| parent.waits));
        if let Some(run) = child {
            let (id, signal) = (self.ambient.fresh_id(), Signal::ParentGone {});
            self.tables.insert_signal(&Outgoing { id, run, step: None, attempt: 0, signal }, self.ambient.now());
        }
        if outcome == Commit::Done {
            self.processes[p].attempts.remove(at);
            child.into_iter().for_each(|run| self.poke(p, run));
        }
    }

    /// The world outside, which knows idempotency keys: what came of the first request under a key is the answer to all.
    fn apply_effect(&mut self, key: &str) -> Result<Outcome, StepError> {
        let (seed, mends) = (self.seed, !self.faults.are_on);
        let answer = self.applied.entry(key.to_owned()).or_insert_with(|| match rng::hash(seed, key) % 100 {
            _ if mends => Ok(json!({"v": 1})),
            0..62 => Ok(json!({"v": rng::hash(seed, key) % 7})),
            62..80 => Err(StepError::transient("unavailable", "try again")),
            80..90 => Err(StepError::permanent("refused", "no")),
            _ => Err(StepError::transient("timeout", "did not end in time")),
        });
        answer.clone().map(Outcome::out)
    }

    /// `steps::workflow`: the sub-run of this attempt's key, begun if there is none.
    fn start_child(&mut self, p: usize, at: usize) {
        let Attempt { id, run, step, attempt, key, config, .. } = &self.processes[p].attempts[at];
        let key = format!("step:{key}");
        let waits = config["detached"] != json!(true);
        if let Some(child) = self.tables.find_by_key(&key) {
            self.processes[p].attempts[at].result = Some(Ok(started(child, waits)));
            return;
        }
        let name = config["workflow"].as_str().unwrap_or_default();
        let workflow = (0..self.graphs.len()).find(|&n| super::generate::name(n) == name).expect("it was generated");
        let parent = Parent { run: *run, step: step.clone(), attempt: *attempt, waits };
        let (inputs, id) = (config["inputs"].clone(), *id);
        self.processes[p].attempts[at].is_parked = true;
        self.begin(p, workflow, inputs, Some((parent, key, id)));
    }

    /// The begin of a sub-run was answered.
    pub fn child_begun(&mut self, p: usize, starter: u64, child: RunId, outcome: Option<Verdict>) {
        let Some(attempt) = self.processes[p].attempts.iter_mut().find(|attempt| attempt.id == starter) else { return };
        let waits = attempt.config["detached"] != json!(true);
        attempt.is_parked = false;
        attempt.result = match outcome {
            Some(Verdict::Stored) => Some(Ok(started(child, waits))),
            // It is looked for under its key.
            Some(_) => None,
            None => Some(Err(StepError::transient("unavailable", "the database did not answer in time"))),
        };
    }

    /// The process ends without a word, and another takes its place. What was on its way may arrive.
    pub fn crash(&mut self, p: usize) {
        let new = Process::new(self.ambient.fresh_id::<Uuid>(), self.ambient.now());
        let old = std::mem::replace(&mut self.processes[p], new);
        // The one hole: a sub-run that was just begun for a step which was just stopped, and nobody left who knows of it.
        let starting = old.attempts.iter().filter(|attempt| attempt.kind == "workflow");
        self.orphans.extend(starting.map(|attempt| format!("step:{}", attempt.key)));
        for message in old.owners.values().flat_map(|owner| &owner.inbox) {
            if let Message::Done { result: Ok(Outcome::Waiting { on: Some(Await::Run { run }), .. }), .. } = message {
                self.orphans.extend(self.tables.runs.get(run).and_then(|row| row.key.clone()));
            }
        }
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

/// What an attempt that has started a sub-run says.
fn started(child: RunId, waits: bool) -> Outcome {
    if waits {
        Outcome::Waiting { reason: "waits for the run".to_owned(), until: None, on: Some(Await::Run { run: child }) }
    } else {
        Outcome::out(json!({ "run_id": child }))
    }
}
