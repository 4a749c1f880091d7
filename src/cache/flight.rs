//! Of those who ask the same at the same moment one asks the model; the others wait for what it gets.
//!
//! The seat of the one is given up when it is dropped, however that comes: then the next of the others takes it. Whoever waits
//! may go away without a trace.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::canonical::Key;
use super::look::Kept;
use super::merkle::Root;

/// A question, with the state of what its answer depends on: who asks after a change does not wait for who asked before.
pub(super) type Route = (Key, Option<Root>);

/// Answers on their way to this process.
#[derive(Debug, Default)]
pub(super) struct Flights(Mutex<HashMap<Route, watch::Receiver<State>>>);

/// How far an answer is.
#[derive(Debug, Clone)]
pub(super) enum State {
    /// Not there.
    Underway,
    /// There.
    Landed(Arc<Kept>),
    /// There, and none that is kept: each asks on its own.
    Unkept,
    /// Not coming.
    Failed,
}

/// Whether one leads or waits.
#[derive(Debug)]
pub(super) enum Boarded {
    Lead(Seat),
    Wait(watch::Receiver<State>),
}

/// The place of the one who asks.
#[derive(Debug)]
pub(super) struct Seat {
    flights: Arc<Flights>,
    route: Route,
    sender: watch::Sender<State>,
}

impl Flights {
    fn lock(&self) -> MutexGuard<'_, HashMap<Route, watch::Receiver<State>>> {
        // Entries are put in and taken out by one statement each.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the seat, or waits for who has it.
    pub fn board(self: &Arc<Self>, route: Route) -> Boarded {
        match self.lock().entry(route) {
            Entry::Occupied(there) => Boarded::Wait(there.get().clone()),
            Entry::Vacant(free) => {
                let (sender, receiver) = watch::channel(State::Underway);
                free.insert(receiver);
                Boarded::Lead(Seat { flights: Arc::clone(self), route, sender })
            }
        }
    }
}

impl Seat {
    /// Tells the others what came.
    pub fn land(&self, state: State) {
        self.sender.send_replace(state);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        // First the place is free, then it is told: the next finds it so.
        self.flights.lock().remove(&self.route);
        self.sender.send_if_modified(|state| {
            let is_open = matches!(state, State::Underway);
            if is_open {
                *state = State::Failed;
            }
            is_open
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::look::tests::kept;
    use super::*;

    const HERE: Route = ([1; 32], None);

    fn waits(boarded: Boarded) -> watch::Receiver<State> {
        match boarded {
            Boarded::Wait(receiver) => receiver,
            Boarded::Lead(_) => panic!("the seat was free"),
        }
    }

    #[test]
    fn one_leads_and_the_others_are_told() {
        let flights = Arc::new(Flights::default());
        let Boarded::Lead(seat) = flights.board(HERE) else { panic!("it is free") };
        let others = [waits(flights.board(HERE)), waits(flights.board(HERE))];
        assert!(matches!(flights.board(([1; 32], Some([7; 32]))), Boarded::Lead(_)), "after a change");
        drop(waits(flights.board(HERE)));
        seat.land(State::Landed(Arc::new(kept(1, 1))));
        drop(seat);
        assert!(others.iter().all(|one| matches!(&*one.borrow(), State::Landed(_))));
        assert!(matches!(flights.board(HERE), Boarded::Lead(_)));
    }

    #[test]
    fn when_the_one_fails_exactly_one_of_the_others_leads() {
        let flights = Arc::new(Flights::default());
        let Boarded::Lead(seat) = flights.board(HERE) else { panic!("it is free") };
        let others: Vec<_> = (0..5).map(|_| waits(flights.board(HERE))).collect();
        drop(seat);
        assert!(others.iter().all(|one| matches!(&*one.borrow(), State::Failed)));
        let again: Vec<Boarded> = (0..5).map(|_| flights.board(HERE)).collect();
        assert_eq!(again.iter().filter(|one| matches!(one, Boarded::Lead(_))).count(), 1);
    }
}
