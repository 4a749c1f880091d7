//! What becomes of the moments of a schedule that have come: fired, or passed over because nobody was there in time.

use std::collections::VecDeque;

use super::Missed;
use super::cron::Cron;
use super::zone::{Zone, next_after};
use crate::model::Timestamp;

/// A moment that is looked at later than this was missed: the server was down or the schedule could not be looked at.
pub const GRACE_MS: i64 = 60_000;
/// The most missed moments that are made up for.
pub const MOST_MADE_UP: usize = 100;
/// Missed moments that are counted one by one.
const MOST_COUNTED: u32 = 10_000;

/// What is to be done about a schedule that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The moments that start a run, in order.
    pub fire: Vec<Timestamp>,
    /// For how many missed moments the last one of `fire` stands, itself included; 0 when it was not missed.
    pub stands_for: u32,
    /// Moments that start nothing.
    pub passed: Option<Passed>,
    /// When it is due next; `None` when never.
    pub next_at: Option<Timestamp>,
}

/// Moments that start nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passed {
    /// The earliest.
    pub first: Timestamp,
    /// The latest.
    pub last: Timestamp,
    /// How many; at least so many when not `exact`.
    pub count: u32,
    /// Whether there were no more.
    pub exact: bool,
}

/// Decides about every moment from `next_at` to `now`, both included.
///
/// `skip` passes over what was missed; `run_once` fires the latest moment for all of them; `run_all` fires the latest
/// [`MOST_MADE_UP`], in order. What comes in time always fires.
pub fn due(cron: &Cron, zone: &dyn Zone, missed: Missed, next_at: Timestamp, now: Timestamp) -> Due {
    let found = collect(cron, zone, next_at, now);
    let late = now.plus_ms(-GRACE_MS);
    let (missed_moments, fresh): (Vec<_>, Vec<_>) = found.moments.into_iter().partition(|at| *at < late);
    let before = found.dropped;
    let missed_count = before + missed_moments.len() as u32;
    let next_at = next_after(cron, zone, now.max(next_at));
    let passed = |left: &[Timestamp]| {
        let count = before + left.len() as u32;
        let last = left.last().copied().or(found.last_dropped);
        last.filter(|_| count > 0).map(|last| Passed { first: found.first, last, count, exact: found.exact })
    };
    match missed {
        Missed::Skip => Due { passed: passed(&missed_moments), fire: fresh, stands_for: 0, next_at },
        Missed::RunAll => {
            Due { passed: passed(&[]), stands_for: 0, fire: missed_moments.into_iter().chain(fresh).collect(), next_at }
        }
        Missed::RunOnce if missed_count == 0 => Due { fire: fresh, stands_for: 0, passed: None, next_at },
        Missed::RunOnce => {
            let all = missed_count + fresh.len() as u32;
            let latest = fresh.last().or(missed_moments.last()).copied();
            Due { fire: latest.into_iter().collect(), stands_for: all, passed: None, next_at }
        }
    }
}

struct Found {
    first: Timestamp,
    /// The latest moments.
    moments: VecDeque<Timestamp>,
    /// How many came before these, at least.
    dropped: u32,
    last_dropped: Option<Timestamp>,
    exact: bool,
}

/// The latest moments up to `now`. After a long time of frequent moments the earliest are not counted one by one: the
/// search begins anew in the later half of what is left.
fn collect(cron: &Cron, zone: &dyn Zone, first: Timestamp, now: Timestamp) -> Found {
    let mut found = Found { first, moments: VecDeque::new(), dropped: 0, last_dropped: None, exact: true };
    let mut next = Some(first).filter(|first| *first <= now);
    let mut counted = 0;
    while let Some(at) = next {
        found.moments.push_back(at);
        if found.moments.len() > MOST_MADE_UP {
            found.last_dropped = found.moments.pop_front();
            found.dropped = found.dropped.saturating_add(1);
        }
        counted += 1;
        let mut from = at;
        if counted == MOST_COUNTED {
            counted = 0;
            let half = Timestamp(at.0 + (now.0 - at.0) / 2);
            if now.ms_since(half) > GRACE_MS {
                found.exact = false;
                from = half;
            }
        }
        next = next_after(cron, zone, from).filter(|next| *next <= now);
    }
    found
}
