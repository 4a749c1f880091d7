//! What an owner thinks: its run's state and the signals on their way, without IO, clock or randomness. The simulation
//! runs this very code.

use uuid::Uuid;

use super::signals::{self, Signals};
use crate::model::Timestamp;
use crate::model::workflow::{Event, Signal, State};
use crate::runtime::Runtime;
use crate::workflow::machine::{self, Effect, Input, Moment, Refusal};
use crate::workflow::store::Parent;
use crate::workflow::store::signal::Incoming;

/// Events of one flush: thoughts beyond that are stored before the next, which bounds memory and lets watchers see.
const FLUSH: usize = 1000;
/// A wait shorter than this stays in memory; for a longer one the run is given back.
const SHORT_WAIT_MS: i64 = 5_000;

/// What thinking takes from outside.
pub(in crate::workflow::engine) trait World {
    /// The time, and a number for jitter.
    fn moment(&self) -> Moment;
    /// An id that nothing else has.
    fn fresh(&self) -> Uuid;
}

impl World for Runtime {
    fn moment(&self) -> Moment {
        Moment { now: self.clock.now(), fraction: self.ids.fraction() }
    }

    fn fresh(&self) -> Uuid {
        self.ids.fresh()
    }
}

/// The part of an owner that thinks.
#[derive(Debug)]
pub(in crate::workflow::engine) struct Mind<'a, W> {
    pub(in crate::workflow::engine) state: &'a mut State,
    pub(in crate::workflow::engine) signals: &'a mut Signals,
    /// The agenda was left before its end.
    pub(in crate::workflow::engine) more: &'a mut bool,
    /// The step of another run that started this one.
    pub(in crate::workflow::engine) parent: Option<&'a Parent>,
    pub(in crate::workflow::engine) world: &'a W,
}

impl<W: World> Mind<'_, W> {
    /// Takes an input in and adds what follows from it to `events`; what other runs are to be told waits in the signals
    /// for the next flush.
    pub(in crate::workflow::engine) fn think(&mut self, input: Input, events: &mut Vec<Event>) -> Result<(), Refusal> {
        // What a copied history waited for, or was about to begin, is the other run's to say.
        let forks = matches!(input, Input::Fork(_));
        let (waits, sub_runs) = if forks {
            (signals::Waits::new(), signals::SubRuns::new())
        } else {
            (signals::waits(self.state), signals::sub_runs(self.state))
        };
        let was_paused = self.state.is_paused();
        let (new, more) = machine::advance(self.state, input, &self.world.moment(), FLUSH)?;
        *self.more = more;
        self.signals.pass_on_pause(self.world, was_paused, &waits, self.state);
        self.signals.compare(self.world, waits, self.state, &new);
        self.signals.give_up(&sub_runs, self.state, &new);
        if new.iter().any(|event| machine::effect(event) == Some(Effect::End)) {
            self.signals.tell_parent(self.world, self.parent, self.state);
        }
        events.extend(new);
        Ok(())
    }

    /// Takes in the signals that the state is ready for.
    pub(in crate::workflow::engine) fn take_signals_in(&mut self, events: &mut Vec<Event>) {
        for incoming in self.signals.take_waiting() {
            let Incoming { id, step, attempt, signal } = incoming.clone();
            let (ended, event) = match signal {
                Signal::RunEnded { run, .. } => (Some(run), None),
                Signal::Event { event, .. } => (None, event),
                _ => (None, None),
            };
            match self.think(Input::Signal { step, attempt, signal }, events) {
                // The step is about to come to wait.
                Err(Refusal::NotYet) => self.signals.put_off(incoming),
                Ok(()) => self.signals.note_taken(id, ended),
                Err(_) => {
                    self.signals.note_taken(id, ended);
                    if let Some(event) = event {
                        self.signals.give_back(self.world, event);
                    }
                }
            }
        }
    }

    /// Goes on with what is due and what was left of the agenda. A signal that was put off for a step may have lost that step
    /// by it: nobody would look at it again once the run rests.
    pub(in crate::workflow::engine) fn wake(&mut self, events: &mut Vec<Event>) {
        // A run that has ended is refused, and has nothing to go on with.
        let _ = self.think(Input::Wake, events);
        if self.signals.are_put_off() {
            self.take_signals_in(events);
        }
    }
}

/// Whether the attempt with this key is still the one that a path names. Within one thought a container may have been
/// begun anew, and a step inside of it have an attempt of the same number.
pub(in crate::workflow::engine) fn awaits(state: &State, path: &str, attempt: u32, key: &str) -> bool {
    state.find_slot(path).is_some_and(|slot| machine::key(state, slot, attempt) == key)
}

/// Whether only something from outside, or a time that is far off, moves the run on.
pub(in crate::workflow::engine) fn rests_for_long(state: &State, now: Timestamp) -> bool {
    let soon = now.plus_ms(SHORT_WAIT_MS);
    state.is_at_rest() && state.next_due().is_none_or(|due| due > soon)
}
