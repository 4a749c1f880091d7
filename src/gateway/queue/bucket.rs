//! How much of a limit by the minute is used. Pure: time is given.

use std::time::Duration;

/// Microseconds of a minute.
const MINUTE: i64 = 60_000_000;

/// What was used of a limit. It flows off evenly, all of the limit within a minute. In whole numbers, so that nothing is
/// lost or won by rounding.
///
/// Source: the token bucket by which Anthropic and OpenAI count their own limits.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bucket {
    /// In what is counted, times [`MINUTE`].
    used: i64,
    /// When that was.
    at: Duration,
}

impl Bucket {
    /// How long until `more` fits into `limit` a minute; zero when it does. More than the whole limit fits once nothing is used.
    pub fn wait(&self, limit: u32, more: u64, now: Duration) -> Duration {
        let full = i64::from(limit) * MINUTE;
        let more = i64::try_from(more).unwrap_or(i64::MAX).saturating_mul(MINUTE);
        let over = self.left(limit, now).saturating_add(more) - full;
        if over <= 0 { Duration::ZERO } else { Duration::from_micros(over.unsigned_abs().div_ceil(u64::from(limit))) }
    }

    /// Uses so much.
    pub fn take(&mut self, limit: u32, amount: u32, now: Duration) {
        self.used = self.left(limit, now).saturating_add(i64::from(amount) * MINUTE);
        self.at = now;
    }

    /// It was so much more than was taken, or less.
    pub fn correct(&mut self, by: i64) {
        self.used = self.used.saturating_add(by.saturating_mul(MINUTE)).max(0);
    }

    /// How much is used, rounded up.
    pub fn used(&self, limit: u32, now: Duration) -> u32 {
        u32::try_from(self.left(limit, now).unsigned_abs().div_ceil(MINUTE.unsigned_abs())).unwrap_or(u32::MAX)
    }

    /// What has not flowed off yet.
    fn left(&self, limit: u32, now: Duration) -> i64 {
        let passed = i64::try_from(now.saturating_sub(self.at).as_micros()).unwrap_or(i64::MAX);
        (self.used.saturating_sub(passed.saturating_mul(i64::from(limit)))).max(0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_full_minute_may_go_at_once_and_the_rest_as_it_flows_off() {
        let mut bucket = Bucket::default();
        for _ in 0..60 {
            assert_eq!(bucket.wait(60, 1, at(0)), Duration::ZERO);
            bucket.take(60, 1, at(0));
        }
        assert_eq!(bucket.wait(60, 1, at(0)), at(1_000));
        assert_eq!(bucket.wait(60, 1, at(999)), at(1));
        assert_eq!(bucket.wait(60, 1, at(1_000)), Duration::ZERO);
        assert_eq!(bucket.wait(60, 3, at(0)), at(3_000));
        assert_eq!((bucket.used(60, at(0)), bucket.used(60, at(1_500)), bucket.used(60, at(60_000))), (60, 59, 0));
    }

    #[test]
    fn what_was_taken_too_much_is_given_back() {
        let mut bucket = Bucket::default();
        bucket.take(1_000, 1_000, at(0));
        bucket.correct(-900);
        assert_eq!((bucket.used(1_000, at(0)), bucket.wait(1_000, 900, at(0))), (100, Duration::ZERO));
        bucket.correct(-900);
        assert_eq!(bucket.used(1_000, at(0)), 0);
    }

    #[test]
    fn an_age_without_calls_holds_no_surprise() {
        let mut bucket = Bucket::default();
        bucket.take(u32::MAX, u32::MAX, at(0));
        assert_eq!(bucket.wait(u32::MAX, 1, Duration::from_secs(1 << 40)), Duration::ZERO);
        assert!(!bucket.wait(1, u64::MAX, Duration::ZERO).is_zero());
    }

    proptest! {
        /// Whoever waits as told finds room, and not a microsecond earlier.
        #[test]
        fn a_wait_is_exact(limit in 1_u32..2_000, taken in 0_u32..2_000, more in 1_u64..2_000, passed in 0_u64..70_000) {
            let more = more.min(u64::from(limit));
            let mut bucket = Bucket::default();
            bucket.take(limit, taken, at(0));
            let now = at(passed);
            let wait = bucket.wait(limit, more, now);
            prop_assert_eq!(bucket.wait(limit, more, now + wait), Duration::ZERO);
            if let Some(before) = wait.checked_sub(Duration::from_micros(1)) {
                prop_assert!(!bucket.wait(limit, more, now + before).is_zero());
            }
        }
    }
}
