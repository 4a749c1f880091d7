//! The model of an owner: the steps of `engine::owner` between two waits, as turns that the scheduler gives. What it
//! thinks is the product's own code ([`Mind`]); only the order of asking, storing, telling and performing is repeated here.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::bugs::Bug;
use super::process::{Attempt, Message};
use super::world::Sim;
use crate::model::workflow::{Event, RunStatus, State, StepStatus};
use crate::model::{RunId, Timestamp, WorkspaceId};
use crate::workflow::engine::owner::mind::{self, Mind};
use crate::workflow::engine::owner::signals::Signals;
use crate::workflow::machine::{self, Effect, Input, Refusal};
use crate::workflow::store::ask::WaitChange;
use crate::workflow::store::{Change, Create, Keys, Parent, Place, Progress, Verdict};

/// What a new owner does first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum First {
    /// Nothing: it began the run.
    Nothing,
    /// It goes on with a run, which begins if it was let in.
    TakeOver { admitted: bool },
}

/// A change on its way to the tables.
#[derive(Debug)]
pub struct Flight {
    pub change: Rc<Change>,
    /// Its answer was lost: it is looked for before it is sent again.
    pub in_doubt: bool,
    /// The answers for those who commanded, as what they will see in the history.
    promises: Vec<super::check::Promise>,
    /// Attempts that were in flight when the run was taken over.
    again: Vec<(String, u32)>,
    /// The attempt, of a run of the same process, that starts this one.
    pub starter: Option<u64>,
}

/// An attempt in flight.
#[derive(Debug)]
pub struct Flown {
    /// The number of the event that began it.
    pub began: i64,
    pub key: String,
}

/// The owner of one run.
#[derive(Debug)]
pub struct Owner {
    pub token: i64,
    pub state: State,
    pub signals: Signals,
    pub more: bool,
    pub parent: Option<Parent>,
    pub given_back: bool,
    pub inbox: Vec<Message>,
    /// By path.
    pub attempts: BTreeMap<String, Flown>,
    pub first: First,
    pub flight: Option<Flight>,
    /// It has let go and could not say so yet.
    pub is_leaving: bool,
}

impl Owner {
    pub fn new(state: State, token: i64, parent: Option<Parent>, first: First) -> Self {
        let signals = if first == First::Nothing { Signals::default() } else { Signals::unread() };
        Self {
            token,
            state,
            signals,
            more: false,
            parent,
            given_back: false,
            inbox: Vec::new(),
            attempts: BTreeMap::new(),
            first,
            flight: None,
            is_leaving: false,
        }
    }

    /// Whether a turn would do anything.
    pub fn can_act(&self, now: Timestamp) -> bool {
        self.flight.is_none()
            && (self.is_leaving
                || self.given_back
                || self.first != First::Nothing
                || self.more
                || !self.inbox.is_empty()
                || self.signals.is_unread()
                || self.state.next_due().is_some_and(|due| due <= now)
                || mind::rests_for_long(&self.state, now))
    }

    fn progress(&self, lease_until: Timestamp) -> Progress {
        Progress {
            status: self.state.status(),
            headline: None,
            steps_done: self.state.steps_done(),
            last_seq: self.state.last_seq(),
            started_at: self.state.began_at(),
            ended_at: self.state.ended_at(),
            wake_at: self.state.next_due(),
            lease_until: (!self.given_back).then_some(lease_until),
        }
    }
}

impl Sim {
    pub fn think(&self, owner: &mut Owner, input: Input, events: &mut Vec<Event>) -> Result<(), Refusal> {
        self.mind(owner).think(input, events)
    }

    fn mind<'a>(&'a self, owner: &'a mut Owner) -> Mind<'a, super::world::Ambient> {
        Mind {
            state: &mut owner.state,
            signals: &mut owner.signals,
            more: &mut owner.more,
            parent: owner.parent.as_ref(),
            world: &self.ambient,
        }
    }

    /// One round of an owner's loop, up to where it waits.
    pub fn turn(&mut self, p: usize, run: RunId) {
        let mut owner = self.processes[p].owners.remove(&run).expect("the scheduler looked");
        if owner.is_leaving || owner.given_back {
            return self.let_go(p, run, owner);
        }
        if let First::TakeOver { admitted } = std::mem::replace(&mut owner.first, First::Nothing) {
            return self.take_over(p, run, owner, admitted);
        }
        let now = self.ambient.now();
        let is_quiet = !owner.more && owner.inbox.is_empty() && !owner.signals.is_unread();
        if is_quiet && mind::rests_for_long(&owner.state, now) {
            return self.let_go(p, run, owner);
        }
        if owner.signals.is_unread() || owner.inbox.iter().any(|message| matches!(message, Message::Signals)) {
            if self.read_fails() {
                return self.let_go(p, run, owner);
            }
            let (count, waiting) = self.tables.list_signals(run);
            owner.signals.read(count, waiting);
        }
        let (mut events, mut promises) = (Vec::new(), Vec::new());
        self.hear(&mut owner, &mut events, &mut promises);
        if events.is_empty() && !owner.signals.have_settled() {
            self.keep(promises);
            self.processes[p].owners.insert(run, owner);
            return;
        }
        self.flush(p, owner, events, None, Flying { promises, ..Flying::default() });
    }

    fn hear(&self, owner: &mut Owner, events: &mut Vec<Event>, promises: &mut Vec<super::check::Promise>) {
        for message in std::mem::take(&mut owner.inbox) {
            match message {
                Message::Done { step, attempt, began, result } => {
                    let is_awaited = owner.attempts.get(&step).is_some_and(|flown| {
                        flown.began == began && mind::awaits(&owner.state, &step, attempt, &flown.key)
                    });
                    let path = step.clone();
                    let input = Input::Done { step, attempt, result };
                    if is_awaited && self.think(owner, input, events).is_ok() {
                        owner.attempts.remove(&path);
                    }
                }
                Message::Tell { input, promise } => {
                    if self.think(owner, input, events).is_ok() {
                        promises.extend(promise);
                    }
                }
                Message::Signals => {}
            }
        }
        self.mind(owner).take_signals_in(events);
        self.mind(owner).wake(events);
    }

    fn take_over(&mut self, p: usize, run: RunId, mut owner: Owner, admitted: bool) {
        let mut events = Vec::new();
        if admitted && !owner.state.is_started() && !owner.state.is_ended() {
            let until = owner.state.until().map(|step| owner.state.steps()[step as usize].id.clone());
            let inputs = owner.state.given().clone();
            self.think(&mut owner, Input::Start { inputs, until }, &mut events).expect("it has not begun");
            return self.flush(p, owner, events, None, Flying::default());
        }
        let flying = |slot| (owner.state.path(slot), owner.state.step_at(slot).attempt);
        let again: Vec<_> = owner.state.in_flight().map(flying).collect();
        self.think(&mut owner, Input::TakeOver, &mut events).expect("a take-over is never refused");
        if events.is_empty() {
            self.processes[p].owners.insert(run, owner);
            return;
        }
        self.flush(p, owner, events, None, Flying { again, ..Flying::default() });
    }

    /// Sends what happened to the tables.
    pub fn flush(&mut self, p: usize, mut owner: Owner, events: Vec<Event>, create: Option<Create>, flying: Flying) {
        let run = owner.state.id();
        let now = self.ambient.now();
        let stored_seq = events.first().map_or(owner.state.last_seq(), |event| event.seq - 1);
        owner.given_back = !owner.more
            && owner.inbox.is_empty()
            && !owner.signals.is_unread()
            && mind::rests_for_long(&owner.state, now);
        let settling = owner.signals.settle();
        let moved = super::more::moved(&events);
        let change = Change {
            run,
            workspace: WorkspaceId(uuid::Uuid::nil()),
            token: owner.token,
            stored_seq,
            create: create.map(Box::new),
            events: events.into(),
            steady: false,
            progress: owner.progress(now.plus_ms(super::tables::LEASE_MS)),
            taken_in: settling.taken_in,
            settled: settling.settled,
            outgoing: settling.outgoing,
            unwanted: settling.unwanted,
            waits: settling.waits,
            place: Place::Keep,
            keys: Keys::Keep,
            leases: Keys::Keep,
            handler: None,
            moved,
        };
        let (Flying { promises, again, starter }, change) = (flying, Rc::new(change));
        if self.has(Bug::ToldBeforeStored) {
            self.acknowledged.push(Rc::clone(&change));
        }
        if self.has(Bug::PerformedBeforeStored) {
            for event in change.events.iter() {
                self.perform(p, &mut owner, event);
            }
        }
        owner.flight = Some(Flight { change, in_doubt: false, promises, again, starter });
        self.processes[p].owners.insert(run, owner);
    }

    /// The answer of the tables has come.
    pub fn landed(&mut self, p: usize, run: RunId, outcome: Option<Verdict>) {
        let mut owner = self.processes[p].owners.remove(&run).expect("it waits for the answer");
        let flight = owner.flight.take().expect("it waits for the answer");
        owner.given_back &= outcome == Some(Verdict::Stored);
        if let Some(starter) = flight.starter {
            self.child_begun(p, starter, run, outcome);
        }
        if outcome != Some(Verdict::Stored) {
            return match outcome {
                Some(_) if flight.change.create.is_some() => self.leave(p, owner),
                _ => self.let_go(p, run, owner),
            };
        }
        self.acknowledged.push(Rc::clone(&flight.change));
        self.keep(flight.promises);
        for event in flight.change.events.iter() {
            self.perform(p, &mut owner, event);
        }
        for (step, attempt) in flight.again {
            let began = owner.state.last_seq();
            let forgets = self.has(Bug::UndoNotGoneOn) && step.starts_with(crate::model::workflow::UNDO);
            if !forgets {
                self.execute(p, &mut owner, &step, attempt, began);
            }
            if !self.has(Bug::PageNotAskedAgain) {
                self.pull(p, &mut owner, &step, began);
            }
        }
        if !flight.change.unwanted.is_empty() {
            self.processes[p].looks_at = self.ambient.now();
        }
        self.compare_with_tables(&owner);
        self.processes[p].owners.insert(run, owner);
        let awaits = |wait: &_| matches!(wait, WaitChange::Awaited { .. } | WaitChange::GaveBack { .. });
        let own = flight.change.waits.iter().any(awaits).then_some(run);
        for told in flight.change.outgoing.iter().map(|signal| signal.run).chain(own) {
            self.poke(p, told);
        }
    }

    fn perform(&mut self, p: usize, owner: &mut Owner, event: &Event) {
        match machine::effect(event) {
            Some(Effect::Execute { step, attempt }) => self.execute(p, owner, &step, attempt, event.seq),
            Some(Effect::Stop { step }) => {
                self.stop_under(p, owner, &step);
                self.stop_under(p, owner, &format!("{step}["));
            }
            Some(Effect::StopBody { prefix }) => self.stop_under(p, owner, &prefix),
            Some(Effect::End) => self.stop_under(p, owner, ""),
            Some(Effect::Pull { step }) => self.pull(p, owner, &step, event.seq),
            None => {}
        }
    }

    /// Stops the attempts whose paths begin so; without a bracket or a dot at its end, it is the path itself.
    fn stop_under(&mut self, p: usize, owner: &mut Owner, prefix: &str) {
        let whole = prefix.is_empty() || prefix.ends_with(['[', '.']);
        let is_meant = |path: &str| if whole { path.starts_with(prefix) } else { path == prefix };
        let stopped: Vec<String> = owner.attempts.keys().filter(|path| is_meant(path)).cloned().collect();
        for path in stopped {
            let Some(flown) = owner.attempts.remove(&path) else { continue };
            let run = owner.state.id();
            let mine =
                |attempt: &&mut Attempt| (attempt.run, &attempt.step, attempt.began) == (run, &path, flown.began);
            if let Some(attempt) = self.processes[p].attempts.iter_mut().find(mine) {
                attempt.is_cancelled = true;
            }
        }
    }

    fn execute(&mut self, p: usize, owner: &mut Owner, path: &str, attempt: u32, began: i64) {
        let Some(slot) = owner.state.find_slot(path) else { return };
        let step = owner.state.step_at(slot);
        let is_container = owner.state.graph_of(slot).body(slot.step).is_some();
        let is_over = step.status != StepStatus::Running || step.attempt != attempt || owner.state.is_ended();
        if is_over || is_container {
            return;
        }
        let definition = owner.state.graph_of(slot).step(slot.step);
        let mut key = machine::key(&owner.state, slot, attempt);
        if self.has(Bug::AnotherKeyForRepeat) && owner.state.repeats(slot) > 0 {
            key += "/again";
        }
        let (kind, config) = (definition.kind.clone(), step.input.clone());
        self.check_may_begin(owner, path, attempt, &key);
        owner.attempts.insert(path.to_owned(), Flown { began, key: machine::key(&owner.state, slot, attempt) });
        let run = owner.state.id();
        let entries = owner.state.journal(slot).len();
        let attempt = Attempt { entries, ..Attempt::new(run, (path, attempt, began), key, &kind, config) };
        self.begin_attempt(p, attempt);
    }

    /// Gives the run back.
    fn let_go(&mut self, p: usize, run: RunId, mut owner: Owner) {
        self.stop_under(p, &mut owner, "");
        let was_given_back = owner.given_back;
        if !was_given_back {
            if self.write_fails() {
                owner.is_leaving = true;
                self.processes[p].owners.insert(run, owner);
                return;
            }
            self.tables.release(run, owner.token, self.ambient.now());
        }
        let due = owner.state.next_due().filter(|_| owner.state.status() == RunStatus::Waiting);
        self.leave(p, owner);
        if let Some(due) = if was_given_back { due } else { Some(self.ambient.now()) } {
            self.processes[p].set_alarm(due);
        }
    }

    /// Those who still wait in the mailbox are not answered.
    fn leave(&mut self, p: usize, owner: Owner) {
        if owner.inbox.iter().any(|message| matches!(message, Message::Signals)) {
            let now = self.ambient.now();
            self.processes[p].set_alarm(now);
        }
    }
}

/// What goes with a flush beside the change.
#[derive(Debug, Default)]
pub struct Flying {
    pub promises: Vec<super::check::Promise>,
    pub again: Vec<(String, u32)>,
    pub starter: Option<u64>,
}
