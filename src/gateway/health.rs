//! The breakers and the retry budgets of this process, by provider and model.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::breaker::{Admission, Breaker};
use super::pace::Turn;
use super::queue::Place;
use super::retry::Budget;
use crate::model::ProviderId;
use crate::model::gateway::{Fault, FaultClass, ModelHealth, Usage};
use crate::runtime::Clock;

/// Models that are remembered; the idle ones go first.
const MOST: usize = 10_000;
/// How long it counts how fast a model was.
const LATENCY_FOR: Duration = Duration::from_secs(600);
/// The weight of the newest call in the average of latencies.
const NEWEST: f64 = 0.2;

#[derive(Debug, Default)]
struct Known {
    breaker: Breaker,
    budget: Budget,
    /// Milliseconds until answers began, averaged with a weight that halves in three calls, and when that was last.
    latency: Option<(f64, Duration)>,
}

/// What is known of each model. In memory: another process makes up its own mind.
#[derive(Debug, Default)]
pub(super) struct Health(Mutex<HashMap<(ProviderId, String), Known>>);

impl Health {
    fn with<T>(&self, key: &(ProviderId, String), now: Duration, work: impl FnOnce(&mut Known) -> T) -> T {
        let mut known = self.0.lock().expect("no code panics while it holds this lock");
        if known.len() >= MOST && !known.contains_key(key) {
            known.retain(|_, one| !one.breaker.is_idle(now));
            if known.len() >= MOST {
                known.clear();
            }
        }
        work(known.entry(key.clone()).or_default())
    }

    /// How the models of a provider are, by name; those with nothing to tell are left out.
    pub fn of(&self, provider: ProviderId, now: Duration) -> Vec<ModelHealth> {
        let known = self.0.lock().expect("no code panics while it holds this lock");
        let mut health: Vec<ModelHealth> = known
            .iter()
            .filter(|((id, _), one)| *id == provider && !one.breaker.is_idle(now))
            .map(|((_, model), one)| one.breaker.view(model, now))
            .collect();
        health.sort_by(|a, b| a.model.cmp(&b.model));
        health
    }

    /// Milliseconds until a model began to answer, of late; `None` when it was not asked for [`LATENCY_FOR`].
    pub fn latency_ms(&self, key: &(ProviderId, String), now: Duration) -> Option<u32> {
        let known = self.0.lock().expect("no code panics while it holds this lock");
        let (average, at) = known.get(key)?.latency?;
        (now.saturating_sub(at) < LATENCY_FOR).then_some(average as u32)
    }

    /// Forgets what is known of a provider's models.
    pub fn reset(&self, provider: ProviderId) {
        let mut known = self.0.lock().expect("no code panics while it holds this lock");
        known.retain(|(id, _), _| *id != provider);
    }

    /// So long it took until a model began to answer, or was given up at the least.
    pub fn took(&self, key: &(ProviderId, String), now: Duration, ms: u64) {
        self.with(key, now, |known| {
            let before = known.latency.filter(|(_, at)| now.saturating_sub(*at) < LATENCY_FOR);
            let average = before.map_or(ms as f64, |(average, _)| average + NEWEST * (ms as f64 - average));
            known.latency = Some((average, now));
        });
    }

    /// Why a model would not be asked now; asking that takes nobody's place.
    pub fn refuses(&self, key: &(ProviderId, String), now: Duration) -> Option<Admission> {
        let known = self.0.lock().expect("no code panics while it holds this lock");
        known.get(key)?.breaker.refuses(now)
    }

    /// Takes note of a first attempt, which earns a tenth of a retry.
    pub fn earn(&self, key: &(ProviderId, String), now: Duration) {
        self.with(key, now, |known| {
            known.budget.earn();
            known.breaker.arrived(now);
        });
    }

    /// When the next may ask a model, who waits for so long at most.
    pub fn turn(&self, key: &(ProviderId, String), now: Duration, patience_ms: u64) -> Turn {
        self.with(key, now, |known| known.breaker.turn(now, Duration::from_millis(patience_ms)))
    }

    /// Pays for a retry; false when there is no budget left.
    pub fn pay(&self, key: &(ProviderId, String), now: Duration) -> bool {
        self.with(key, now, |known| known.budget.pay())
    }
}

/// Asks for leave to call a model at whose provider there is room.
pub(super) fn admit(
    health: &Arc<Health>,
    clock: &Clock,
    key: (ProviderId, String),
    place: Place,
) -> Result<Permit, Admission> {
    let now = clock.steady();
    match health.with(&key, now, |known| known.breaker.admit(now)) {
        Admission::Go | Admission::Probe => {
            Ok(Permit { health: Arc::clone(health), clock: clock.clone(), key, place, told: false })
        }
        refused => Err(refused),
    }
}

/// Leave to call a model. Whatever becomes of the call is told; dropped, that it came to nothing.
#[derive(Debug)]
pub(super) struct Permit {
    health: Arc<Health>,
    clock: Clock,
    key: (ProviderId, String),
    /// Until the call has ended.
    place: Place,
    told: bool,
}

impl Permit {
    /// The answer has begun.
    pub fn begin(&self) {
        let now = self.clock.steady();
        self.health.with(&self.key, now, |known| known.breaker.begin(now));
    }

    /// So long it took until the answer began.
    pub fn took(&self, ms: u64) {
        self.health.took(&self.key, self.clock.steady(), ms);
    }

    /// The call took so many tokens.
    pub fn came_to(&mut self, usage: Usage) {
        self.place.came_to(usage);
    }

    /// The call succeeded.
    pub fn succeed(mut self) {
        self.told = true;
        let now = self.clock.steady();
        self.health.with(&self.key, now, |known| known.breaker.succeed(now));
    }

    /// The call failed.
    pub fn fail(mut self, fault: &Fault) {
        let now = self.clock.steady();
        if fault.class == FaultClass::RateLimited
            && let Some(ms) = fault.retry_after_ms
        {
            self.health.with(&self.key, now, |known| known.breaker.hold(now, ms));
        }
        if !fault.class.is_illness() {
            return;
        }
        self.told = true;
        if self.health.with(&self.key, now, |known| known.breaker.fail(now, fault.class)) {
            let (provider, model) = &self.key;
            tracing::warn!(%provider, model, class = fault.class.as_str(), "a model fails too often and is left in peace");
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if !self.told {
            let now = self.clock.steady();
            self.health.with(&self.key, now, |known| known.breaker.release());
        }
    }
}
