//! How much a key may ask for in a minute. Each process counts for itself.
//!
//! Whoever asks for more is refused at once and told when to come back: a program that is to be slowed down must notice, where a call that
//! waits for room at a provider need not. Tokens are taken by the estimate before a call, and corrected by what it took; a kept answer
//! takes none.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::ask::Ask;
use super::queue::Bucket;
use super::store::key::KeyRights;
use crate::model::gateway::{Fault, FaultClass, KeyLimits, Limited, OwnLimit, Usage};
use crate::model::{ApiKeyId, Timestamp};
use crate::runtime::{Ctx, Principal};

/// Keys that are remembered; beyond it those go that have not asked for a while.
const MOST: usize = 10_000;
/// After so long nothing worth keeping is left of what was used.
const A_WHILE: Duration = Duration::from_mins(10);

/// The keys of this process.
#[derive(Debug, Default)]
struct Paces(Mutex<HashMap<ApiKeyId, Pace>>);

/// What a key has used.
#[derive(Debug, Clone, Copy, Default)]
struct Pace {
    requests: Bucket,
    tokens: Bucket,
    /// When it asked last.
    asked: Duration,
}

impl Paces {
    fn lock(&self) -> MutexGuard<'_, HashMap<ApiKeyId, Pace>> {
        // Buckets are whole after each of their changes, whatever panicked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pace {
    /// Takes a call of so many tokens, or says what has too little left, and how long until there is enough.
    fn take(&mut self, limits: KeyLimits, tokens: u32, now: Duration) -> Result<(), (Limited, u32, Duration)> {
        self.asked = now;
        let wanted = [
            (Limited::Requests, limits.requests_per_minute, &self.requests, 1),
            // A call that is longer than a minute's worth goes once nothing is used.
            (
                Limited::Tokens,
                limits.tokens_per_minute,
                &self.tokens,
                tokens.min(limits.tokens_per_minute.unwrap_or(0)),
            ),
        ];
        for (of, limit, bucket, more) in wanted {
            let Some(limit) = limit else { continue };
            let wait = bucket.wait(limit, more.into(), now);
            if !wait.is_zero() {
                return Err((of, limit, wait));
            }
        }
        if let Some(limit) = limits.requests_per_minute {
            self.requests.take(limit, 1, now);
        }
        if let Some(limit) = limits.tokens_per_minute {
            self.tokens.take(limit, tokens, now);
        }
        Ok(())
    }

    /// What is left.
    fn left(&self, limits: KeyLimits, (now, at): (Duration, Timestamp)) -> Vec<OwnLimit> {
        let both = [
            (Limited::Requests, limits.requests_per_minute, &self.requests),
            (Limited::Tokens, limits.tokens_per_minute, &self.tokens),
        ];
        let left = |(of, limit, bucket): (Limited, Option<u32>, &Bucket)| {
            let limit = limit?;
            let used = bucket.used(limit, now);
            let reset_ms = (u64::from(used) * 60_000).div_ceil(u64::from(limit.max(1)));
            let reset_at = at.plus_ms(reset_ms as i64);
            Some(OwnLimit { of, limit, remaining: limit.saturating_sub(used), reset_ms, reset_at })
        };
        both.into_iter().filter_map(left).collect()
    }

    fn is_idle(&self, now: Duration) -> bool {
        now.saturating_sub(self.asked) >= A_WHILE
    }
}

/// Tokens that were taken for a call, by the estimate.
#[derive(Debug)]
pub(super) struct Taken {
    paces: Arc<Paces>,
    key: ApiKeyId,
    tokens: i64,
}

impl Taken {
    /// The call has ended, and took so many.
    pub fn came_to(self, usage: Usage) {
        if let Some(pace) = self.paces.lock().get_mut(&self.key) {
            pace.tokens.correct(usage.prompt() + usage.output - self.tokens);
        }
    }
}

/// Lets a call of a key through, or refuses it; `None` where whoever asks has no key, or one without limits.
///
/// # Errors
/// [`FaultClass::RateLimited`] with when to come back, and what is left of the key's limits.
pub(super) fn enter(ctx: &Ctx, rights: Option<&KeyRights>, asked: &impl Ask) -> Result<Option<Taken>, Fault> {
    let (Principal::Key { id, name }, Some(rights)) = (&ctx.actor.principal, rights) else { return Ok(None) };
    let limits = rights.limits;
    if limits == KeyLimits::default() {
        return Ok(None);
    }
    let expected = asked.expected();
    let tokens = u32::try_from(expected.prompt() + expected.output).unwrap_or(u32::MAX);
    let (paces, now) = (ctx.shared::<Paces>(), ctx.clock.steady());
    let mut known = paces.lock();
    if known.len() >= MOST && !known.contains_key(id) {
        known.retain(|_, pace| !pace.is_idle(now));
    }
    let pace = known.entry(*id).or_default();
    if let Err((of, limit, wait)) = pace.take(limits, tokens, now) {
        let own = pace.left(limits, (now, ctx.clock.now()));
        metrics::counter!("weft_gateway_key_refusals_total", "of" => of.as_str()).increment(1);
        let what = match of {
            Limited::Requests => "calls",
            Limited::Tokens => "tokens",
        };
        let message = format!("the key {name} may ask for {limit} {what} in a minute");
        let retry_after_ms = Some(wait.as_micros().div_ceil(1_000) as u64);
        return Err(Fault { retry_after_ms, own, ..Fault::new(FaultClass::RateLimited, message) });
    }
    drop(known);
    Ok(Some(Taken { paces, key: *id, tokens: tokens.into() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(requests: Option<u32>, tokens: Option<u32>) -> KeyLimits {
        KeyLimits { requests_per_minute: requests, tokens_per_minute: tokens }
    }

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_minutes_worth_goes_at_once_and_the_rest_is_told_when_to_come() {
        let mut pace = Pace::default();
        let two = limits(Some(2), None);
        assert!(pace.take(two, 500, at(0)).is_ok() && pace.take(two, 500, at(0)).is_ok());
        assert_eq!(pace.take(two, 500, at(0)), Err((Limited::Requests, 2, at(30))));
        let left = pace.left(two, (at(0), Timestamp(0)));
        assert_eq!((left.len(), left[0].remaining, left[0].reset_ms), (1, 0, 60_000));
        assert!(pace.take(two, 500, at(30)).is_ok());
    }

    #[test]
    fn tokens_count_as_they_come_and_a_long_call_goes_once_nothing_is_used() {
        let mut pace = Pace::default();
        let thousand = limits(None, Some(1_000));
        assert!(pace.take(thousand, 5_000, at(0)).is_ok());
        assert!(pace.take(thousand, 1, at(0)).is_err());
        pace.tokens.correct(-5_000);
        assert!(pace.take(thousand, 600, at(0)).is_ok());
        assert_eq!(pace.take(thousand, 600, at(0)), Err((Limited::Tokens, 1_000, at(12))));
    }

    #[test]
    fn what_is_refused_uses_nothing() {
        let mut pace = Pace::default();
        let both = limits(Some(10), Some(100));
        assert!(pace.take(both, 100, at(0)).is_ok());
        assert!(pace.take(both, 100, at(0)).is_err());
        assert_eq!(pace.left(both, (at(0), Timestamp(0)))[0].remaining, 9);
        assert!(!pace.is_idle(at(599)) && pace.is_idle(at(600)));
    }
}
