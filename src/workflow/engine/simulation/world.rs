//! The scheduler: which of all that could happen next does. Clock, ids and chance come from the seed.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::rc::Rc;
use std::sync::Arc;

use serde_json::{Value, json};
use uuid::Uuid;

use super::bugs::Bug;
use super::check::Promise;
use super::faults::Faults;
use super::generate;
use super::more;
use super::owner::Owner;
use super::process::Process;
use super::rng::Rng;
use super::tables::{LEASE_MS, Tables};
use crate::model::workflow::{Graph, RunStatus, StepError};
use crate::model::{RunId, Timestamp};
use crate::workflow::engine::owner::mind::World;
use crate::workflow::machine::Moment;
use crate::workflow::store::Change;

/// When every seed begins.
const STARTED: Timestamp = Timestamp(1_700_000_000_000_000);
/// Turns in which everything must have come to rest.
const PATIENCE: usize = 20_000;
/// Runs that people start in a seed.
pub const ROOTS: usize = 3;

/// Clock, chance and ids.
#[derive(Debug)]
pub struct Ambient {
    pub rng: Rng,
    now: Cell<Timestamp>,
    ids: Cell<u128>,
}

impl Ambient {
    pub const fn now(&self) -> Timestamp {
        self.now.get()
    }

    pub fn fresh_id<T: From<Uuid>>(&self) -> T {
        T::from(World::fresh(self))
    }
}

impl World for Ambient {
    fn moment(&self) -> Moment {
        Moment { now: self.now(), fraction: self.rng.fraction() }
    }

    fn fresh(&self) -> Uuid {
        self.ids.set(self.ids.get() + 1);
        Uuid::from_u128(self.ids.get())
    }
}

/// What a process can do by itself.
#[derive(Debug, Clone, Copy)]
enum Act {
    Turn(usize, RunId),
    Write(usize, RunId),
    Work(usize, usize),
    TakeDue(usize),
    LookAhead(usize),
    LookAtUnwanted(usize),
    Serve(usize),
    LookAtAnswer(usize, usize),
}

/// A seed in motion.
#[derive(Debug)]
pub struct Sim {
    pub seed: u64,
    pub ambient: Ambient,
    pub graphs: Rc<[Arc<Graph>]>,
    pub tables: Tables,
    /// Several processes on one database, or one alone on its file.
    pub is_shared: bool,
    pub processes: Vec<Process>,
    pub faults: Faults,
    /// Transactions whose callers have given up.
    pub late: Vec<Rc<Change>>,
    /// What the world outside has done, by idempotency key.
    pub applied: BTreeMap<String, Result<Value, StepError>>,
    pub acknowledged: Vec<Rc<Change>>,
    pub promises: Vec<Promise>,
    /// Commands that were withdrawn before anybody obeyed: to which run, under which name.
    pub withdrawn: Vec<(RunId, String)>,
    /// Commands of other processes that were taken to be obeyed.
    pub served: usize,
    /// The pages that sources gave, by key.
    pub brought: BTreeMap<String, Vec<Value>>,
    pub attempts_begun: u64,
    pub roots: usize,
    acts: Vec<Act>,
    /// A bug that was planted.
    bug: Option<Bug>,
    /// What was done, for the statistics.
    pub turns: u64,
}

impl Sim {
    pub fn new(seed: u64) -> Self {
        let rng = Rng::new(seed);
        let graph = |number| {
            let mut definition = generate::workflow(&rng, number);
            if seed >= more::MORE {
                more::add(seed, number, &mut definition);
            } else if seed >= generate::AGENTS {
                generate::add_agents(seed, number, &mut definition.steps);
            }
            Graph::new(definition)
        };
        let graphs: Rc<[_]> = (0..generate::WORKFLOWS).map(graph).collect();
        let is_shared = rng.chance(60);
        let percent = *rng.pick(&[0, 2, 8, 25]);
        let ambient = Ambient { rng, now: Cell::new(STARTED), ids: Cell::new(u128::from(seed) << 64) };
        let processes = (0..=usize::from(is_shared)).map(|_| Process::new(ambient.fresh_id(), STARTED)).collect();
        Self {
            seed,
            tables: Tables::new(),
            ambient,
            graphs,
            is_shared,
            processes,
            faults: Faults { are_on: true, percent },
            late: Vec::new(),
            applied: BTreeMap::new(),
            acknowledged: Vec::new(),
            promises: Vec::new(),
            withdrawn: Vec::new(),
            served: 0,
            brought: BTreeMap::new(),
            attempts_begun: 0,
            roots: 0,
            acts: Vec::new(),
            bug: None,
            turns: 0,
        }
    }

    /// Plants a bug.
    pub const fn plant(&mut self, bug: Bug) {
        self.bug = Some(bug);
        self.tables.bug = Some(bug);
    }

    /// Whether a bug was planted.
    pub fn has(&self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }

    /// Runs the seed to its end: a time of faults, a time in which all comes to rest, and people who end what waits.
    pub fn run(&mut self) {
        self.start();
        for _ in 0..30 + self.ambient.rng.below(120) {
            if self.ambient.rng.chance(25) || !self.act() {
                self.happen();
            }
        }
        self.faults.are_on = false;
        for process in &mut self.processes {
            process.is_frozen = false;
        }
        while !self.late.is_empty() {
            self.arrive_late();
        }
        self.settle();
        self.check_rest();
        for round in 0..10 {
            self.people_act(round);
            self.settle();
            self.check_rest();
        }
        self.check_end();
    }

    /// Something that can happen inside of the processes does. False when there is nothing.
    fn act(&mut self) -> bool {
        let mut acts = std::mem::take(&mut self.acts);
        acts.clear();
        let now = self.ambient.now();
        for (p, process) in self.processes.iter().enumerate().filter(|(_, process)| !process.is_frozen) {
            for (run, owner) in &process.owners {
                if owner.flight.is_some() {
                    acts.push(Act::Write(p, *run));
                } else if owner.can_act(now) {
                    acts.push(Act::Turn(p, *run));
                }
            }
            if !self.tables.unwanted.is_empty() && process.looks_at <= now {
                acts.push(Act::LookAtUnwanted(p));
            }
            if self.tables.commands.values().any(|command| command.owner == process.id && !command.is_taken) {
                acts.push(Act::Serve(p));
            }
            acts.extend(self.to_look_at(p).map(|at| Act::LookAtAnswer(p, at)));
            let free = process.attempts.iter().enumerate().filter(|(_, attempt)| !attempt.is_parked);
            acts.extend(free.map(|(at, _)| Act::Work(p, at)));
            if process.is_looking {
                acts.push(Act::LookAhead(p));
            } else if process.alarm.is_some_and(|at| at <= now) {
                acts.push(Act::TakeDue(p));
            }
        }
        let chosen = (!acts.is_empty()).then(|| *self.ambient.rng.pick(&acts));
        self.acts = acts;
        self.turns += 1;
        match chosen {
            None => return false,
            Some(Act::Turn(p, run)) => self.turn(p, run),
            Some(Act::Write(p, run)) => self.write(p, run),
            Some(Act::Work(p, at)) => self.work(p, at),
            Some(Act::TakeDue(p)) => self.take_due(p),
            Some(Act::LookAhead(p)) => self.look_ahead(p),
            Some(Act::LookAtUnwanted(p)) => self.look_at_unwanted(p),
            Some(Act::Serve(p)) => self.serve(p),
            Some(Act::LookAtAnswer(p, at)) => self.look_at_answer(p, at),
        }
        true
    }

    /// Something happens outside.
    fn happen(&mut self) {
        let p = self.ambient.rng.below(self.processes.len());
        let is_frozen = self.processes[p].is_frozen;
        match self.ambient.rng.below(100) {
            0..38 => self.pass_time(),
            38..42 => self.crash(p),
            42..47 if self.is_shared => self.processes[p].is_frozen = !is_frozen,
            47..52 if !self.late.is_empty() => self.arrive_late(),
            _ if is_frozen => {}
            _ if self.has_given() && self.ambient.rng.chance(15) => self.give(p),
            _ if self.has_more() && self.ambient.rng.chance(8) => self.migrate(p),
            52..62 => self.command(p),
            62..74 => self.vote(p),
            74..82 => self.send(p),
            82..86 => self.start(),
            86..88 => self.fork(p),
            88..92 => self.admit(),
            92..96 if self.is_shared => self.take_due(p),
            96..100 if self.is_shared => self.listen(p),
            _ => {}
        }
    }

    fn pass_time(&mut self) {
        let ms = match self.ambient.rng.below(20) {
            0..8 => 1 + self.ambient.rng.below(100) as i64,
            8..17 => self.next_due().map_or(10, |due| due.ms_since(self.ambient.now()) + 1),
            _ => LEASE_MS + 5_000,
        };
        self.advance(self.ambient.now().plus_ms(ms.max(0)));
    }

    /// Moves the clock; processes that live say so.
    fn advance(&mut self, to: Timestamp) {
        self.ambient.now.set(to.max(self.ambient.now()));
        let now = self.ambient.now();
        for p in 0..self.processes.len() {
            let process = &self.processes[p];
            if self.is_shared && !process.is_frozen && !process.owners.is_empty() && !self.read_fails() {
                let renewed = self.tables.renew(process.id, now.plus_ms(LEASE_MS));
                if renewed > process.owners.len() {
                    self.processes[p].doubt(now);
                }
            }
        }
    }

    /// When something is due by itself: in a process, or for one that looks.
    fn next_due(&self) -> Option<Timestamp> {
        let now = self.ambient.now();
        let processes = self.processes.iter().flat_map(|process| {
            let asked = process.asked.iter().map(|asked| asked.until);
            process.owners.values().filter_map(|owner| owner.state.next_due()).chain(process.alarm).chain(asked)
        });
        let rows =
            self.processes.iter().filter(|_| self.is_shared).filter_map(|process| self.tables.next_due(process.id));
        processes.chain(rows).filter(|due| *due > now).min()
    }

    fn start(&mut self) {
        let inputs = json!({ "n": self.ambient.rng.below(3) });
        let p = self.ambient.rng.below(self.processes.len());
        if self.roots == ROOTS || self.processes[p].is_frozen {
            return;
        }
        self.roots += 1;
        if self.ambient.rng.chance(20) { self.queue(p, inputs) } else { self.begin(p, 0, inputs, None) }
    }

    /// Accepts a run that flow control has to let in.
    fn queue(&mut self, p: usize, inputs: Value) {
        let create = self.create(p, 0, None, None);
        let change = super::process::queued(self.ambient.fresh_id(), self.ambient.now(), inputs, create);
        let change = Rc::new(change);
        self.tables.store(&change, self.ambient.now());
        self.acknowledged.push(change);
    }

    /// Flow control lets the runs in that are queued; one process takes them in hand.
    fn admit(&mut self) {
        let queued: Vec<RunId> = self.runs(|status| status == RunStatus::Queued);
        for run in queued {
            self.tables.admit(run);
        }
        let now = self.ambient.now();
        let awake = self.processes.iter_mut().find(|process| !process.is_frozen);
        if let Some(process) = awake {
            process.set_alarm(now);
        }
    }

    pub fn runs(&self, is_meant: impl Fn(RunStatus) -> bool) -> Vec<RunId> {
        self.tables.runs.iter().filter(|(_, row)| is_meant(row.status)).map(|(run, _)| *run).collect()
    }

    /// Without faults and without people, goes on until nothing moves and nothing is due.
    fn settle(&mut self) {
        for _ in 0..PATIENCE {
            if self.act() {
                continue;
            }
            if self.tables.runs.values().any(|row| row.status == RunStatus::Queued && row.owner.is_none()) {
                self.admit();
                continue;
            }
            if self.is_shared && self.look_around() {
                continue;
            }
            if self.tables.unwanted.keys().any(|key| self.tables.find_by_key(key).is_some()) {
                self.look_at_unwanted(0);
                continue;
            }
            let Some(due) = self.next_due() else { return };
            // A lease that ends now is over a moment later.
            self.advance(due.plus_ms(1));
        }
        panic!("nothing comes to rest: {}", self.describe());
    }

    /// How everything stands, for a panic.
    fn describe(&self) -> String {
        let mut text = format!("it is {}", self.ambient.now());
        for (p, process) in self.processes.iter().enumerate() {
            let _ = write!(text, "; process {p} {}, alarm {:?}", process.id, process.alarm);
            for (run, owner) in &process.owners {
                let (due, token, first) = (owner.state.next_due(), owner.token, owner.first);
                let flags = (owner.is_leaving, owner.given_back, owner.more, owner.inbox.len());
                let unread = owner.signals.is_unread();
                let _ = write!(text, ", has {run} token {token} due {due:?} {first:?} {flags:?} unread {unread}");
            }
        }
        for (run, row) in self.tables.runs.iter().filter(|(_, row)| !row.is_ended) {
            let held = (row.owner, row.lease_until, row.token);
            let _ = write!(
                text,
                "; {run} is {:?}, held {held:?}, wakes {:?}, {} signals",
                row.status, row.wake_at, row.signals
            );
        }
        text
    }

    /// The rounds in which processes look for what others have stored and left behind. False when there is nothing.
    fn look_around(&mut self) -> bool {
        let mut found = false;
        for p in 0..self.processes.len() {
            self.listen(p);
            let has_mail = |owner: &Owner| !owner.inbox.is_empty();
            found |= self.processes[p].owners.values().any(has_mail);
            if !self.tables.list_due(self.claimant(p)).is_empty() {
                self.take_due(p);
                found = true;
            }
        }
        found
    }
}
