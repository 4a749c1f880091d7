//! Rate limits of everything that can be guessed: by account and by address.
//!
//! A limit is a bucket that fills at a steady pace (GCRA). Keys are digests, so a long address costs no more than a short
//! one; their number is bounded: when the table is full of busy keys, new ones share one bucket.

use std::num::NonZeroU32;
use std::sync::OnceLock;
use std::time::Duration;

use governor::clock::Clock as _;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};

use super::error::{Error, Result};
use crate::runtime::{Clock, Runtime};

/// Keys that one limit remembers.
const MAX_KEYS: usize = 20_000;

/// What is limited.
#[derive(Debug, Clone, Copy)]
pub(super) enum Limit {
    /// Passwords tried for one account: 20, then one in 15 s.
    Account,
    /// Passwords and one-time links tried from one address: 60, then one a second.
    Address,
    /// Refreshes from one address: 120, then two a second.
    Refresh,
}

impl Limit {
    /// How many at once, and how long until one more, in milliseconds.
    const fn quota(self) -> (u32, u64) {
        match self {
            Self::Account => (20, 15_000),
            Self::Address => (60, 1_000),
            Self::Refresh => (120, 500),
        }
    }
}

type Buckets = RateLimiter<u64, DefaultKeyedStateStore<u64>, Ticks, NoOpMiddleware<Duration>>;

/// Every limit's buckets.
#[derive(Debug, Default)]
pub(super) struct Limits {
    account: OnceLock<Buckets>,
    address: OnceLock<Buckets>,
    refresh: OnceLock<Buckets>,
}

/// Our clock, as the limiter reads it: one that is set back must not lock everybody out for as long.
#[derive(Debug, Clone)]
struct Ticks(Clock);

impl governor::clock::Clock for Ticks {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.steady()
    }
}

/// Counts one attempt under `key`.
///
/// # Errors
/// [`Error::Limited`] when there were too many, with the time until one more is allowed.
pub(super) fn count(runtime: &Runtime, limit: Limit, key: &str) -> Result<()> {
    let limits = runtime.shared::<Limits>();
    let cell = match limit {
        Limit::Account => &limits.account,
        Limit::Address => &limits.address,
        Limit::Refresh => &limits.refresh,
    };
    let buckets = cell.get_or_init(|| {
        let (burst, period_ms) = limit.quota();
        let quota = Quota::with_period(Duration::from_millis(period_ms))
            .expect("the period is not zero")
            .allow_burst(NonZeroU32::new(burst).expect("the burst is not zero"));
        RateLimiter::new(quota, DefaultKeyedStateStore::default(), Ticks(runtime.clock.clone()))
    });
    if buckets.len() >= MAX_KEYS {
        buckets.retain_recent();
        buckets.shrink_to_fit();
    }
    // Zero is the shared bucket of all who come while the table is full.
    let key = if buckets.len() >= MAX_KEYS { 0 } else { digest(key) };
    buckets.check_key(&key).map_err(|refused| {
        let wait = refused.wait_time_from(Ticks(runtime.clock.clone()).now());
        Error::Limited { retry_after_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).max(1) }
    })
}

fn digest(key: &str) -> u64 {
    let hash = blake3::hash(key.as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&hash.as_bytes()[..8]);
    u64::from_be_bytes(first)
}
