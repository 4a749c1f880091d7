//! How many calls a model usually has, and how fast they are let to it once it is well again. Pure: time is given.
//!
//! While a model rests, those who wait for it become more. Let in all at once, as soon as a probe is answered, they would fell it
//! again; so that for a while they come one after the other, at less than twice the usual rate, and whoever's turn is too far off is
//! told to come back then.
//!
//! Source: the generic cell rate algorithm (ITU-T I.371), with a short queue.

use std::collections::VecDeque;
use std::time::Duration;

/// How far back calls count.
const WINDOW_S: u64 = 60;
/// A usual rate is reckoned over no shorter time.
const LEAST_S: u64 = 10;
/// Times the usual rate, such that it is not twice that with what may come early.
const HEADROOM: f64 = 1.7;
/// Calls a second that are let in, however few are usual.
const LEAST_RATE: f64 = 5.0;
/// How much earlier than its turn a call may come, if nobody was before it.
const SLACK: Duration = Duration::from_millis(100);
/// Whose turn is further off stands in a crowd.
const CROWDED: Duration = Duration::from_secs(1);
/// When there was none for so long, it is gone.
const CALM: Duration = Duration::from_secs(10);
/// Longer than that it is not kept up: what is usual may have changed.
const LONGEST: Duration = Duration::from_mins(10);

/// First attempts by second, of the last minute in which there were any.
#[derive(Debug, Clone, Default)]
pub struct Arrivals(VecDeque<(u64, u32)>);

impl Arrivals {
    /// A call comes.
    pub fn arrived(&mut self, now: Duration) {
        let second = now.as_secs();
        match self.0.back_mut() {
            Some((last, calls)) if *last == second => *calls = calls.saturating_add(1),
            _ => self.0.push_back((second, 1)),
        }
        while self.0.front().is_some_and(|(first, _)| second.saturating_sub(*first) >= WINDOW_S) {
            self.0.pop_front();
        }
    }

    /// Calls a second.
    pub fn rate(&self, now: Duration) -> f64 {
        let now = now.as_secs();
        let recent = || self.0.iter().filter(|(second, _)| now.saturating_sub(*second) < WINDOW_S);
        let calls: u64 = recent().map(|(_, calls)| u64::from(*calls)).sum();
        let since = recent().next().map_or(0, |(first, _)| now.saturating_sub(*first) + 1);
        calls as f64 / since.clamp(LEAST_S, WINDOW_S) as f64
    }
}

/// When a call may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Now.
    Now,
    /// Then; the place is taken.
    In(Duration),
    /// Not sooner than then, which is too late; no place is taken.
    After(Duration),
}

/// The order in which a crowd is let in.
#[derive(Debug, Clone)]
pub struct Pace {
    /// Between two calls.
    every: Duration,
    /// The next turn.
    next: Duration,
    began: Duration,
    /// When there was a crowd last.
    crowded: Duration,
}

impl Pace {
    /// From now on; `usual` is calls a second.
    pub fn new(usual: f64, now: Duration) -> Self {
        let rate = (usual * HEADROOM).max(LEAST_RATE);
        let every = Duration::from_secs_f64(1.0 / rate);
        Self { every, next: now, began: now, crowded: now }
    }

    /// When the next may come who waits for `patience` at most.
    pub fn turn(&mut self, now: Duration, patience: Duration) -> Turn {
        let next = self.next.max(now.saturating_sub(SLACK));
        let wait = next.saturating_sub(now);
        if wait.is_zero() {
            self.next = next + self.every;
            return Turn::Now;
        }
        if wait > CROWDED {
            self.crowded = now;
        }
        if wait > patience {
            return Turn::After(wait);
        }
        self.next = next + self.every;
        Turn::In(wait)
    }

    /// Whether the crowd is gone.
    pub fn is_over(&self, now: Duration) -> bool {
        now.saturating_sub(self.crowded) > CALM || now.saturating_sub(self.began) > LONGEST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn what_is_usual_is_the_rate_of_the_last_minute() {
        let mut arrivals = Arrivals::default();
        assert!(arrivals.rate(at(0)).abs() < 1e-9);
        for call in 0..40 {
            arrivals.arrived(at(call * 50));
        }
        assert!((arrivals.rate(at(1_999)) - 4.0).abs() < 1e-9, "two seconds at 20 say little");
        for call in 40..4_000 {
            arrivals.arrived(at(call * 50));
        }
        assert!((arrivals.rate(at(199_999)) - 20.0).abs() < 1e-9);
        assert!(arrivals.rate(at(300_000)).abs() < 1e-9);
        assert!(arrivals.0.len() <= 60);
    }

    #[test]
    fn a_crowd_comes_one_after_the_other_and_who_can_not_wait_is_told_when() {
        let mut pace = Pace::new(10.0, at(0));
        let turns: Vec<Turn> = (0..1_000).map(|_| pace.turn(at(0), Duration::from_secs(20))).collect();
        let now = turns.iter().filter(|turn| **turn == Turn::Now).count();
        assert_eq!(now, 1, "nobody has come before, but nobody has been missed either");
        let places = turns.iter().filter(|turn| matches!(turn, Turn::In(_))).count();
        assert_eq!(places, 340, "17 a second for 20 s");
        assert!(matches!(turns[999], Turn::After(wait) if wait > Duration::from_secs(20)));
        // No second has more than twice the usual.
        for second in 0..20 {
            let within = |turn: &&Turn| match turn {
                Turn::Now => second == 0,
                Turn::In(wait) => wait.as_secs() == second,
                Turn::After(_) => false,
            };
            assert!(turns.iter().filter(within).count() <= 20);
        }
    }

    #[test]
    fn it_is_over_when_there_is_no_crowd_or_after_a_while() {
        let mut pace = Pace::new(1.0, at(0));
        assert!(!pace.is_over(at(10_000)));
        assert!(pace.is_over(at(10_001)));
        for second in 0..700 {
            for _ in 0..10 {
                pace.turn(at(second * 1_000), Duration::from_hours(1));
            }
        }
        assert!(!pace.is_over(at(599_000)));
        assert!(pace.is_over(at(600_001)));
        // Who waits for less than a second is no crowd.
        let mut pace = Pace::new(20.0, at(0));
        for second in 0..11 {
            for _ in 0..20 {
                pace.turn(at(second * 1_000), Duration::from_secs(20));
            }
        }
        assert!(pace.is_over(at(10_001)));
    }
}
