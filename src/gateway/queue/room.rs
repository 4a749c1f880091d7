//! Whether a provider has room for one more call, and who comes next. Pure: time is given.
//!
//! | what may be full | there is room again |
//! |---|---|
//! | calls underway (`max_concurrent`) | when one of them has ended |
//! | calls and tokens of a minute | as they flow off ([`Bucket`]) |
//! | what the provider told of a model ([`Gauges`]) | as it told |
//!
//! Who came first goes first: nobody overtakes whoever waits for room that all share, however little they want. Only a model of
//! which the provider wants no more calls for now stands aside, together with all that wait for the same one.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::bucket::Bucket;
use super::told::{Gauges, Told};
use crate::model::gateway::{HeldModel, Limits, QueueState};

/// Models of a provider of which it is known what the provider told.
const MOST_MODELS: usize = 200;

/// A call that wants to be made.
#[derive(Debug, Clone, Copy)]
pub struct Want<'a> {
    /// Of which model.
    pub model: &'a str,
    /// What it is expected to take, question and answer together.
    pub tokens: u32,
    /// How long it waits at most.
    pub patience: Duration,
    /// How long it waits at most for what only the provider told: somebody else may be asked sooner.
    pub told_patience: Duration,
}

/// What is said to a call that comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entered {
    /// It may be made.
    Goes,
    /// It waits, under this number.
    Waits(u64),
    /// As many wait already as may.
    Full {
        /// How many.
        waiting: u32,
        /// There is no room before then.
        least: Duration,
    },
    /// There is no room within the time that it would wait.
    TooLong {
        /// There is none before then.
        least: Duration,
    },
}

#[derive(Debug)]
struct Waiter {
    id: u64,
    model: String,
    tokens: u32,
    since: Duration,
}

/// What is seen of those who wait.
struct Looked {
    /// How long until the first of a model that stands aside may be asked.
    aside: Option<Duration>,
    /// Who comes next, by their place, and how long they wait for what all share; `None` for as long as no call ends.
    first: Option<(usize, Option<Duration>)>,
}

/// The calls of one provider, underway and waiting. A call that goes must be followed by [`Room::end`] or [`Room::give_back`].
#[derive(Debug, Default)]
pub struct Room {
    limits: Limits,
    underway: u32,
    requests: Bucket,
    tokens: Bucket,
    told: HashMap<String, Gauges>,
    waiting: VecDeque<Waiter>,
    last_id: u64,
}

impl Room {
    /// A change of the limits holds at once, for those who wait too.
    pub fn limit(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// A call comes. Those who wait are looked at first: [`Room::admit`].
    pub fn enter(&mut self, want: Want<'_>, now: Duration) -> Entered {
        let told = self.told_wait(want.model, want.tokens, now);
        let is_behind = self.is_behind(want.model, now);
        if !is_behind && told.is_zero() && self.has_place() && self.wait(want.tokens, now).is_zero() {
            self.take(want.model, want.tokens, now);
            return Entered::Goes;
        }
        let ahead: u64 = self.waiting.iter().map(|one| self.most(one.tokens)).sum();
        let calls = self.waiting.len() as u64 + 1;
        let least = told.max(self.wait_for(calls, ahead + self.most(want.tokens), now));
        let waiting = self.waiting.len() as u32;
        if waiting >= self.limits.queue {
            return Entered::Full { waiting, least };
        }
        if least > want.patience || told > want.told_patience || want.patience.is_zero() {
            return Entered::TooLong { least };
        }
        self.last_id += 1;
        let (id, model, tokens) = (self.last_id, want.model.to_owned(), want.tokens);
        self.waiting.push_back(Waiter { id, model, tokens, since: now });
        Entered::Waits(id)
    }

    /// The next of those who wait for whom there is room by now: it goes.
    pub fn admit(&mut self, now: Duration) -> Option<u64> {
        let (at, _) = self.look(now).first.filter(|(_, wait)| wait.is_some_and(|wait| wait.is_zero()))?;
        let Waiter { id, model, tokens, .. } = self.waiting.remove(at)?;
        self.take(&model, tokens, now);
        Some(id)
    }

    /// How long until time alone makes room for one of those who wait; `None` when none waits, or only for calls to end.
    pub fn nap(&self, now: Duration) -> Option<Duration> {
        let Looked { aside, first } = self.look(now);
        aside.into_iter().chain(first.and_then(|(_, wait)| wait)).min()
    }

    /// How many are underway, and how many wait.
    pub fn counts(&self) -> (u32, u32) {
        (self.underway, self.waiting.len() as u32)
    }

    /// The first of those who wait.
    pub fn front(&self) -> Option<u64> {
        self.waiting.front().map(|one| one.id)
    }

    /// One that waits does so no longer.
    pub fn leave(&mut self, id: u64) {
        self.waiting.retain(|one| one.id != id);
    }

    /// A call has ended. `more` is by how many tokens it took more than was expected, or less.
    pub fn end(&mut self, more: i64) {
        self.underway = self.underway.saturating_sub(1);
        if self.limits.tokens_per_minute.is_some() {
            self.tokens.correct(more);
        }
    }

    /// A call that was let go was not made.
    pub fn give_back(&mut self, tokens: u32) {
        self.requests.correct(-1);
        self.end(-i64::from(tokens));
    }

    /// The provider tells what it still takes of a model, in answer to a call that was made at `at`.
    pub fn hear(&mut self, model: &str, told: Told, (at, now): (Duration, Duration)) {
        if self.told.len() >= MOST_MODELS && !self.told.contains_key(model) {
            self.told.retain(|_, gauges| !gauges.is_idle(now));
            if self.told.len() >= MOST_MODELS {
                self.told.clear();
            }
        }
        self.told.entry(model.to_owned()).or_default().hear(told, at);
    }

    /// What the provider told is forgotten.
    pub fn forget(&mut self) {
        self.told.clear();
    }

    /// Whether there is nothing to be remembered.
    pub fn is_idle(&self, now: Duration) -> bool {
        self.underway == 0
            && self.waiting.is_empty()
            && self.used(now) == (0, 0)
            && self.told.values().all(|gauges| gauges.is_idle(now))
    }

    /// As people see it. `limits` are those that hold now: nobody may have come since they were changed.
    pub fn state(&self, limits: Limits, now: Duration) -> QueueState {
        let (requests, tokens) = self.used(now);
        let mut held: Vec<HeldModel> = self
            .told
            .iter()
            .map(|(model, gauges)| HeldModel { model: model.clone(), for_ms: millis(gauges.wait(1, now)) })
            .filter(|held| held.for_ms > 0)
            .collect();
        held.sort_by(|a, b| a.model.cmp(&b.model));
        QueueState {
            underway: self.underway,
            waiting: self.waiting.len() as u32,
            longest_ms: self.waiting.front().map_or(0, |one| millis(now.saturating_sub(one.since))),
            requests: limits.requests_per_minute.map(|_| requests),
            tokens: limits.tokens_per_minute.map(|_| tokens),
            held,
        }
    }

    /// What would be said to a call of a model that comes now, without letting it in.
    pub fn would_say(&self, model: &str, limits: Limits, now: Duration) -> Entered {
        let waiting = self.waiting.len() as u32;
        let told = self.told_wait(model, 1, now);
        let least = told.max(self.wait_for(u64::from(waiting) + 1, 1, now));
        let has_place = limits.max_concurrent.is_none_or(|most| self.underway < most);
        if !self.is_behind(model, now) && least.is_zero() && has_place {
            return Entered::Goes;
        }
        if waiting >= limits.queue {
            return Entered::Full { waiting, least };
        }
        if least > Duration::from_millis(limits.queue_ms.into()) {
            return Entered::TooLong { least };
        }
        Entered::Waits(u64::from(waiting))
    }

    /// Looks through those who wait.
    fn look(&self, now: Duration) -> Looked {
        let mut models: Vec<&str> = Vec::new();
        let mut aside: Option<Duration> = None;
        for (at, one) in self.waiting.iter().enumerate() {
            if models.contains(&one.model.as_str()) {
                continue;
            }
            let told = self.told_wait(&one.model, one.tokens, now);
            if told.is_zero() {
                let wait = self.has_place().then(|| self.wait(one.tokens, now));
                return Looked { aside, first: Some((at, wait)) };
            }
            models.push(&one.model);
            aside = Some(aside.map_or(told, |least| least.min(told)));
        }
        Looked { aside, first: None }
    }

    /// Whether somebody waits before whom a call of this model may not go.
    fn is_behind(&self, model: &str, now: Duration) -> bool {
        self.look(now).first.is_some() || self.waiting.iter().any(|one| one.model == model)
    }

    fn has_place(&self) -> bool {
        self.limits.max_concurrent.is_none_or(|most| self.underway < most)
    }

    /// How long one call of so many tokens waits for the limits by the minute.
    fn wait(&self, tokens: u32, now: Duration) -> Duration {
        self.wait_for(1, self.most(tokens), now)
    }

    fn wait_for(&self, calls: u64, tokens: u64, now: Duration) -> Duration {
        let of = |limit: Option<u32>, bucket: &Bucket, more| {
            limit.map_or(Duration::ZERO, |limit| bucket.wait(limit, more, now))
        };
        let requests = of(self.limits.requests_per_minute, &self.requests, calls);
        requests.max(of(self.limits.tokens_per_minute, &self.tokens, tokens))
    }

    /// What a call needs of the tokens of a minute: never more than all of them, or it would wait for ever.
    fn most(&self, tokens: u32) -> u64 {
        self.limits.tokens_per_minute.map_or(tokens, |limit| tokens.min(limit)).into()
    }

    fn told_wait(&self, model: &str, tokens: u32, now: Duration) -> Duration {
        self.told.get(model).map_or(Duration::ZERO, |gauges| gauges.wait(tokens, now))
    }

    fn take(&mut self, model: &str, tokens: u32, now: Duration) {
        self.underway += 1;
        if let Some(limit) = self.limits.requests_per_minute {
            self.requests.take(limit, 1, now);
        }
        if let Some(limit) = self.limits.tokens_per_minute {
            self.tokens.take(limit, tokens, now);
        }
        if let Some(gauges) = self.told.get_mut(model) {
            gauges.take(tokens);
        }
    }

    fn used(&self, now: Duration) -> (u32, u32) {
        let of = |limit: Option<u32>, bucket: &Bucket| limit.map_or(0, |limit| bucket.used(limit, now));
        let requests = of(self.limits.requests_per_minute, &self.requests);
        (requests, of(self.limits.tokens_per_minute, &self.tokens))
    }
}

/// Rounded up, so that what is left is never nothing.
pub fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros().div_ceil(1000)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
