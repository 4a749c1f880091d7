//! The clock that a test can hold.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::Notify;

use crate::model::Timestamp;

/// Where the time comes from.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// The machine's.
    #[default]
    System,
    /// Stands still until a test moves it.
    Manual(Arc<Held>),
}

/// A clock in a test's hands.
#[derive(Debug)]
pub struct Held {
    micros: AtomicI64,
    moved: Notify,
}

/// A sleeper looks at the machine's clock again after at most this, so that a clock that was set back or forward is
/// noticed.
const LONGEST_NAP: Duration = Duration::from_mins(1);

impl Clock {
    /// A clock that stands at `start`.
    pub fn manual(start: Timestamp) -> Self {
        Self::Manual(Arc::new(Held { micros: AtomicI64::new(start.0), moved: Notify::new() }))
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => {
                #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
            }
            Self::Manual(held) => Timestamp(held.micros.load(Ordering::SeqCst)),
        }
    }

    /// Moves a manual clock forward and wakes those who sleep by it; the machine's clock ignores it.
    pub fn advance_ms(&self, ms: i64) {
        if let Self::Manual(held) = self {
            held.micros.fetch_add(ms * 1000, Ordering::SeqCst);
            held.moved.notify_waiters();
        }
    }

    /// Returns once this clock shows `at` or later; at once when it does already. Safe to drop.
    pub async fn sleep_until(&self, at: Timestamp) {
        match self {
            Self::System => loop {
                let micros = at.0.saturating_sub(self.now().0);
                if micros <= 0 {
                    return;
                }
                let left = Duration::from_micros(u64::try_from(micros).unwrap_or(0));
                tokio::time::sleep(left.min(LONGEST_NAP)).await;
            },
            Self::Manual(held) => loop {
                let moved = held.moved.notified();
                tokio::pin!(moved);
                // Registered before the look, so that no move falls between the two.
                moved.as_mut().enable();
                if self.now() >= at {
                    return;
                }
                moved.await;
            },
        }
    }

    /// Returns after `ms` milliseconds by this clock.
    pub async fn sleep_ms(&self, ms: i64) {
        self.sleep_until(self.now().plus_ms(ms)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sleeper_by_a_held_clock_wakes_when_it_is_moved() {
        let clock = Clock::manual(Timestamp(0));
        let sleeper = {
            let clock = clock.clone();
            async move { clock.sleep_ms(10).await }
        };
        tokio::pin!(sleeper);
        assert!(futures::poll!(&mut sleeper).is_pending());
        clock.advance_ms(9);
        assert!(futures::poll!(&mut sleeper).is_pending());
        clock.advance_ms(1);
        sleeper.await;
    }
}
