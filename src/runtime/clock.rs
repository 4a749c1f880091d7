//! The clock that a test can hold.
//!
//! Processes that share a database go by its clock ([`Clock::Shared`]): they agree on the time, whatever happens to their
//! machines' clocks. A process alone goes by its machine's, and notices when that is set.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::db::Db;

use crate::model::Timestamp;

/// Where the time comes from.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// The machine's.
    #[default]
    System,
    /// A shared database's: its time when it was last asked, and what has passed since.
    Shared(Arc<Anchor>),
    /// Stands still until a test moves it.
    Manual(Arc<Held>),
}

/// A clock in a test's hands.
#[derive(Debug)]
pub struct Held {
    micros: AtomicI64,
    moved: Notify,
}

/// The time of another clock.
#[derive(Debug)]
pub struct Anchor {
    at: Mutex<(Timestamp, Instant)>,
}

impl Anchor {
    fn now(&self) -> Timestamp {
        let (at, since) = *self.at.lock().expect("no code panics while it holds this lock");
        Timestamp(at.0 + micros(since.elapsed()))
    }
}

/// Wakes every sleeper: the machine's clock was set, or the other one is not where it was thought to be.
static JUMPED: Notify = Notify::const_new();
/// A sleeper looks at the clock again after at most this.
const LONGEST_NAP: Duration = Duration::from_mins(1);
/// How often it is looked whether the machine's clock was set.
const GLANCE: Duration = Duration::from_millis(500);
/// How often a shared clock is asked.
const ASK: Duration = Duration::from_mins(1);
/// An answer that is at most so far off is taken at once.
const GOOD: Duration = Duration::from_millis(5);
/// An answer that is further off is not taken.
const FAIR: Duration = Duration::from_millis(100);
/// What counts as a jump.
const JUMP_MICROS: i64 = 250_000;

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// What the database's clock showed, when that was, and how far off that may be.
async fn ask(db: &Db) -> crate::db::Result<Option<(Timestamp, Instant, Duration)>> {
    let before = Instant::now();
    let Some(at) = db.now().await? else { return Ok(None) };
    // It looked at its clock somewhere between: half-way, as far as one can know.
    let error = before.elapsed() / 2;
    Ok(Some((at, before + error, error)))
}

/// The best of several answers.
async fn ask_well(db: &Db) -> crate::db::Result<Option<(Timestamp, Instant, Duration)>> {
    let mut best = None;
    for _ in 0..5 {
        let Some(answer) = ask(db).await? else { return Ok(None) };
        if best.is_none_or(|(_, _, error)| answer.2 < error) {
            best = Some(answer);
        }
        if answer.2 < GOOD {
            break;
        }
    }
    Ok(best)
}

impl Clock {
    /// The clock of those who share this database, else the machine's.
    ///
    /// # Errors
    /// The database's.
    pub async fn of(db: &Db) -> crate::db::Result<Self> {
        Ok(ask_well(db)
            .await?
            .map_or(Self::System, |(at, since, _)| Self::Shared(Arc::new(Anchor { at: Mutex::new((at, since)) }))))
    }

    /// Keeps the clock right, and wakes those who sleep by it when it was set, until the process stops.
    pub async fn keep(self, db: Db, stopping: CancellationToken) {
        let every = if matches!(self, Self::System) { GLANCE } else { ASK };
        let (mut known, mut since) = (self.now(), Instant::now());
        loop {
            tokio::select! {
                () = tokio::time::sleep(every) => {}
                () = stopping.cancelled() => return,
            }
            if let Self::Shared(anchor) = &self {
                match ask_well(&db).await {
                    Ok(Some((at, since, error))) if error < FAIR => {
                        *anchor.at.lock().expect("no code panics while it holds this lock") = (at, since);
                    }
                    // The database is busy: what has passed by this machine's reckoning is nearer.
                    Ok(Some(_)) => continue,
                    Ok(None) => return,
                    Err(error) => {
                        tracing::debug!(%error, "the database's clock was not read; this process' goes on from where it was");
                        continue;
                    }
                }
            }
            let expected = known.0 + micros(since.elapsed());
            (known, since) = (self.now(), Instant::now());
            let jump = known.0 - expected;
            if jump.abs() > JUMP_MICROS {
                tracing::warn!(seconds = jump / 1_000_000, "the clock was set");
                JUMPED.notify_waiters();
            }
        }
    }

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
            Self::Shared(anchor) => anchor.now(),
            Self::Manual(held) => Timestamp(held.micros.load(Ordering::SeqCst)),
        }
    }

    /// What has passed since some moment before: for limits and other spans, which no setting of a clock may stretch.
    pub fn steady(&self) -> Duration {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        match self {
            Self::System | Self::Shared(_) => START.elapsed(),
            Self::Manual(held) => {
                Duration::from_micros(u64::try_from(held.micros.load(Ordering::SeqCst)).unwrap_or_default())
            }
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
            Self::System | Self::Shared(_) => loop {
                let jumped = JUMPED.notified();
                tokio::pin!(jumped);
                jumped.as_mut().enable();
                let micros = at.0.saturating_sub(self.now().0);
                if micros <= 0 {
                    return;
                }
                let left = Duration::from_micros(u64::try_from(micros).unwrap_or(0));
                let _ = tokio::time::timeout(left.min(LONGEST_NAP), jumped).await;
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

    /// In `ms` milliseconds; at once by a held clock, which nobody may ever move.
    pub fn soon(&self, ms: i64) -> Timestamp {
        match self {
            Self::Manual(_) => self.now(),
            Self::System | Self::Shared(_) => self.now().plus_ms(ms),
        }
    }

    /// Returns after `ms` milliseconds, however the machine's clock is set meanwhile: by a held clock, or by what has passed.
    pub async fn sleep_ms(&self, ms: i64) {
        match self {
            Self::System | Self::Shared(_) => {
                tokio::time::sleep(Duration::from_millis(u64::try_from(ms).unwrap_or(0))).await;
            }
            Self::Manual(_) => self.sleep_until(self.now().plus_ms(ms)).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_clock_goes_on_from_where_the_other_one_was() {
        let an_hour_ago = Instant::now().checked_sub(Duration::from_hours(1)).expect("the machine runs for longer");
        let clock = Clock::Shared(Arc::new(Anchor { at: Mutex::new((Timestamp(5), an_hour_ago)) }));
        let first = clock.now();
        assert!(first.0 >= 5 + 3_600_000_000, "{first:?}");
        assert!(clock.now() >= first);
    }

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
