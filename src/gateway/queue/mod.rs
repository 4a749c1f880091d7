//! The queues of this process: a call waits for room at its provider, and goes the moment there is some.
//!
//! Who goes when is decided in [`room`], without a clock; here is who waits for that. Nobody looks again and again: whoever is let
//! go is woken, and for room that comes with time alone the first of those who wait sleeps until then, for all of them. A call
//! whose caller goes away leaves its place at once.
//!
//! In memory and for this process: with several processes each keeps the limits for itself, so that together they may use as many
//! times as much as there are processes.

mod bucket;
mod room;
mod told;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

pub(super) use bucket::Bucket;
pub(super) use room::{Entered, Want};

use self::room::{Room, millis};
use crate::model::gateway::{Limits, QueueState, Usage};
use crate::model::{ProviderId, Timestamp};
use crate::runtime::Clock;

/// Providers that are remembered; those with nothing to tell go first.
const MOST: usize = 10_000;

/// The queues of the providers. In memory: another process has its own.
#[derive(Debug, Default)]
pub(super) struct Queues(Mutex<HashMap<ProviderId, Arc<Queue>>>);

impl Queues {
    fn lock(&self) -> MutexGuard<'_, HashMap<ProviderId, Arc<Queue>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The queue of a provider.
    pub fn of(&self, provider: ProviderId, clock: &Clock) -> Arc<Queue> {
        let mut queues = self.lock();
        if queues.len() >= MOST && !queues.contains_key(&provider) {
            let now = clock.steady();
            queues.retain(|_, queue| Arc::strong_count(queue) > 1 || !queue.lock().room.is_idle(now));
        }
        let new = || Arc::new(Queue { clock: clock.clone(), state: Mutex::default() });
        Arc::clone(queues.entry(provider).or_insert_with(new))
    }

    /// The calls of a provider, underway and waiting.
    pub fn state(&self, provider: ProviderId, limits: Limits, now: Duration) -> QueueState {
        match self.lock().get(&provider) {
            Some(queue) => queue.lock().room.state(limits, now),
            None => Room::default().state(limits, now),
        }
    }

    /// How many calls of a provider are underway, and how many wait for room.
    pub fn counts(&self, provider: ProviderId) -> (u32, u32) {
        self.lock().get(&provider).map_or((0, 0), |queue| queue.lock().room.counts())
    }

    /// What would be said to a call that comes now.
    pub fn would_say(&self, (provider, model): (ProviderId, &str), limits: Limits, now: Duration) -> Entered {
        match self.lock().get(&provider) {
            Some(queue) => queue.lock().room.would_say(model, limits, now),
            None => Entered::Goes,
        }
    }

    /// Forgets what a provider told of its limits. What is underway stays so.
    pub fn reset(&self, provider: ProviderId) {
        if let Some(queue) = self.lock().get(&provider) {
            queue.change(Room::forget);
        }
    }
}

/// Why there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoRoom {
    /// As many wait already as may.
    Full { waiting: u32, least_ms: u64 },
    /// It would take too long.
    TooLong { least_ms: u64 },
    /// It waited for as long as it may.
    Waited { ms: u64 },
}

impl NoRoom {
    /// In words.
    pub fn words(self, queue_ms: u32) -> String {
        let seconds = |ms: u64| format!("{} s", ms.div_ceil(1000));
        match self {
            Self::Full { waiting: 0, .. } => "as many calls as may be are underway, and none may wait".to_owned(),
            Self::Full { waiting, .. } => format!("{waiting} calls wait already, as many as may"),
            Self::TooLong { least_ms: 0 } => "as many calls as may be are underway".to_owned(),
            Self::TooLong { least_ms } => format!("there is none for {} more", seconds(least_ms)),
            Self::Waited { .. } => format!("there was none within {}", seconds(queue_ms.into())),
        }
    }

    /// When it is worth to come again, in milliseconds.
    pub fn retry_after_ms(self) -> u64 {
        match self {
            Self::Full { least_ms, .. } | Self::TooLong { least_ms } => least_ms.max(1000),
            Self::Waited { .. } => 1000,
        }
    }
}

/// The queue of one provider.
#[derive(Debug)]
pub(super) struct Queue {
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    room: Room,
    /// Those who wait, by their number, until they have taken note that they may go.
    seats: HashMap<u64, Seat>,
}

#[derive(Debug, Default)]
struct Seat {
    /// Holds one call to wake up, so that none is lost between a look and a sleep.
    wake: Arc<Notify>,
    goes: bool,
}

impl State {
    /// Lets go whom there is room for, and has the first of the others look how long it is until there is more; unless that is
    /// `by`, who looks anyway.
    fn settle(&mut self, now: Duration, by: Option<u64>) {
        while let Some(id) = self.room.admit(now) {
            if let Some(seat) = self.seats.get_mut(&id) {
                seat.goes = true;
                seat.wake.notify_one();
            }
        }
        let front = self.room.front().filter(|front| Some(*front) != by);
        if let Some(seat) = front.and_then(|front| self.seats.get(&front)) {
            seat.wake.notify_one();
        }
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Each change is one call of the room, which does not panic half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Room)) {
        let now = self.clock.steady();
        let mut state = self.lock();
        change(&mut state.room);
        state.settle(now, None);
    }

    /// Waits for room, and how long that took, in milliseconds. Safe to drop.
    ///
    /// # Errors
    /// There is none in time.
    pub async fn enter(self: &Arc<Self>, limits: Limits, want: Want<'_>) -> Result<(Place, u64), NoRoom> {
        let since = self.clock.steady();
        let (entered, wake) = {
            let mut state = self.lock();
            state.room.limit(limits);
            state.settle(since, None);
            let entered = state.room.enter(want, since);
            let wake = match entered {
                Entered::Waits(id) => Some(Arc::clone(&state.seats.entry(id).or_default().wake)),
                _ => None,
            };
            (entered, wake)
        };
        let (id, wake) = match (entered, wake) {
            (Entered::Waits(id), Some(wake)) => (id, wake),
            (Entered::Full { waiting, least }, _) => {
                return Err(refused("full", NoRoom::Full { waiting, least_ms: millis(least) }));
            }
            (Entered::TooLong { least }, _) => {
                return Err(refused("too_long", NoRoom::TooLong { least_ms: millis(least) }));
            }
            (Entered::Goes | Entered::Waits(_), _) => return Ok((self.place(want), 0)),
        };
        // Dropped wherever this ends: by a return, or by the caller.
        let _waiting = Waiting::new(Arc::clone(self), id, want.tokens);
        let until = since + want.patience;
        loop {
            let nap = {
                let mut state = self.lock();
                let now = self.clock.steady();
                state.settle(now, Some(id));
                let waited = now.saturating_sub(since);
                if state.seats.get(&id).is_some_and(|seat| seat.goes) {
                    state.seats.remove(&id);
                    drop(state);
                    metrics::histogram!("weft_gateway_queue_waited_seconds").record(waited.as_secs_f64());
                    return Ok((self.place(want), millis(waited).max(1)));
                }
                if now >= until {
                    drop(state);
                    return Err(refused("waited", NoRoom::Waited { ms: millis(waited) }));
                }
                // The first keeps the time for all.
                let next = state.room.nap(now).filter(|_| state.room.front() == Some(id));
                let left = until.saturating_sub(now);
                next.map_or(left, |next| next.min(left))
            };
            tokio::select! {
                () = wake.notified() => {}
                () = self.clock.sleep_ms(i64::try_from(millis(nap)).unwrap_or(i64::MAX)) => {}
            }
        }
    }

    fn place(self: &Arc<Self>, want: Want<'_>) -> Place {
        metrics::gauge!("weft_gateway_queue_underway").increment(1.0);
        let asked = (self.clock.now(), self.clock.steady());
        Place { queue: Arc::clone(self), model: want.model.to_owned(), tokens: want.tokens, asked, more: 0 }
    }
}

fn refused(why: &'static str, no_room: NoRoom) -> NoRoom {
    metrics::counter!("weft_gateway_queue_refused_total", "why" => why).increment(1);
    no_room
}

/// One that waits: dropped before it was told to go, or before it took note of that, it leaves its place to the next.
struct Waiting {
    queue: Arc<Queue>,
    id: u64,
    tokens: u32,
}

impl Waiting {
    fn new(queue: Arc<Queue>, id: u64, tokens: u32) -> Self {
        metrics::gauge!("weft_gateway_queue_waiting").increment(1.0);
        Self { queue, id, tokens }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        metrics::gauge!("weft_gateway_queue_waiting").decrement(1.0);
        let mut state = self.queue.lock();
        // No seat: it has its place.
        let Some(seat) = state.seats.remove(&self.id) else { return };
        if seat.goes {
            state.room.give_back(self.tokens);
        } else {
            state.room.leave(self.id);
        }
        state.settle(self.queue.clock.steady(), None);
    }
}

/// Room for one call, from when it is made until its answer has ended.
#[derive(Debug)]
pub(super) struct Place {
    queue: Arc<Queue>,
    model: String,
    /// What it was expected to take.
    tokens: u32,
    /// When it was made.
    asked: (Timestamp, Duration),
    /// By how much more it took, or less.
    more: i64,
}

impl Place {
    /// It took so much.
    pub fn came_to(&mut self, usage: Usage) {
        self.more = usage.prompt() + usage.output - i64::from(self.tokens);
    }

    /// Through which what the provider tells is heard.
    pub fn ear(&self) -> Ear {
        Ear { queue: Arc::clone(&self.queue), model: self.model.clone(), asked: self.asked }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        metrics::gauge!("weft_gateway_queue_underway").decrement(1.0);
        self.queue.change(|room| room.end(self.more));
    }
}

/// What a provider tells about its limits is heard by this.
#[derive(Debug, Clone)]
pub(super) struct Ear {
    queue: Arc<Queue>,
    model: String,
    asked: (Timestamp, Duration),
}

impl Ear {
    /// Takes in the head of an answer.
    pub fn hear<'a>(&self, header: impl Fn(&str) -> Option<&'a str>) {
        let told = told::read(header, self.asked.0);
        if told == told::Told::default() {
            return;
        }
        let now = self.queue.clock.steady();
        self.queue.change(|room| room.hear(&self.model, told, (self.asked.1, now)));
    }
}

#[cfg(test)]
mod tests;
