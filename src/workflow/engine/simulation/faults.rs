//! What goes wrong between the engine and the tables.

use super::bugs::Bug;
use super::world::Sim;
use crate::model::RunId;
use crate::workflow::store::Verdict;

/// What happens to a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Commit {
    /// It is applied and answered.
    Done,
    /// It is not applied; the caller hears of an error.
    Lost,
    /// It is applied; the caller hears of an error.
    ReplyLost,
    /// The caller hears of an error; it is applied later.
    Late,
}

/// How much goes wrong in a seed.
#[derive(Debug)]
pub struct Faults {
    pub are_on: bool,
    /// Of a hundred.
    pub percent: usize,
}

impl Sim {
    /// How the next transaction fares. An engine inside the process answers or fails; what is lost on the way, and what
    /// comes late, needs a network.
    pub fn commit(&self) -> Commit {
        if !self.faults.are_on || !self.ambient.rng.chance(self.faults.percent) {
            return Commit::Done;
        }
        match self.ambient.rng.below(4) {
            1 | 2 if self.is_shared => Commit::ReplyLost,
            _ => Commit::Lost,
        }
    }

    pub fn write_fails(&self) -> bool {
        self.commit() == Commit::Lost
    }

    pub fn read_fails(&self) -> bool {
        self.faults.are_on && self.ambient.rng.chance(self.faults.percent / 2)
    }

    /// `engine::writer`: sends the change of an owner, or looks for it first when its answer was lost.
    pub fn write(&mut self, p: usize, run: RunId) {
        let flight = self.processes[p].owners.get_mut(&run).and_then(|owner| owner.flight.as_mut());
        let flight = flight.expect("the scheduler looked");
        let (change, in_doubt) = (std::rc::Rc::clone(&flight.change), flight.in_doubt);
        if in_doubt {
            if self.read_fails() {
                // Its patience is at an end.
                if self.ambient.rng.chance(30) {
                    self.landed(p, run, None);
                }
                return;
            }
            let found = if self.has(Bug::LostTakenForStored) { Some(true) } else { self.tables.is_stored(&change) };
            match found {
                Some(true) => return self.landed(p, run, Some(Verdict::Stored)),
                None => return self.landed(p, run, None),
                Some(false) => {}
            }
        }
        let outcome = match self.commit() {
            Commit::ReplyLost if self.ambient.rng.chance(30) => Commit::Late,
            outcome => outcome,
        };
        match outcome {
            Commit::Done => {
                let verdict = self.tables.store(&change, self.ambient.now());
                return self.landed(p, run, Some(verdict));
            }
            Commit::Lost => {}
            Commit::ReplyLost => drop(self.tables.store(&change, self.ambient.now())),
            // Whoever looks for the sub-run now does not find it yet.
            Commit::Late => self.late.push(change),
        }
        if let Some(flight) = self.processes[p].owners.get_mut(&run).and_then(|owner| owner.flight.as_mut()) {
            flight.in_doubt = true;
        }
    }

    /// A transaction that nobody waits for any more arrives.
    pub fn arrive_late(&mut self) {
        let at = self.ambient.rng.below(self.late.len());
        let change = self.late.swap_remove(at);
        self.tables.store(&change, self.ambient.now());
    }
}
