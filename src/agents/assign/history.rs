//! What an agent's past says about its next task: how long such tasks take it, and how often it gets them done.

use std::collections::{BTreeMap, VecDeque};

/// Durations that a median is taken of, the newest: an agent changes, and so does what it is asked.
const KEPT: usize = 31;
/// Fewer say nothing.
const FEWEST: usize = 3;
/// The results that every agent is thought to have had before its first: 3 done of 4. Four of its own weigh as much.
///
/// Source: the mean of a Beta(3, 1) prior after each result, Gelman et al., Bayesian Data Analysis, 3rd edition, section 2.4.
const PRIOR_DONE: f64 = 3.0;
const PRIOR_ALL: f64 = 4.0;

/// How an agent did so far.
#[derive(Debug, Clone, Default)]
pub struct History {
    done: u32,
    failed: u32,
    all: Durations,
    by_kind: BTreeMap<String, Durations>,
}

/// The newest of what some tasks took.
#[derive(Debug, Clone, Default)]
struct Durations {
    newest_ms: VecDeque<i64>,
    median_ms: Option<i64>,
}

impl Durations {
    fn add(&mut self, ms: i64) {
        if self.newest_ms.len() == KEPT {
            self.newest_ms.pop_front();
        }
        self.newest_ms.push_back(ms.max(0));
        if self.newest_ms.len() >= FEWEST {
            let mut sorted: Vec<i64> = self.newest_ms.iter().copied().collect();
            sorted.sort_unstable();
            self.median_ms = sorted.get(sorted.len() / 2).copied();
        }
    }
}

impl History {
    /// Adds a task that it got done, of this kind, in so many milliseconds. In the order in which they ended: the newest 31 of a
    /// kind count for what it takes.
    pub fn add_done(&mut self, kind: &str, ms: i64) {
        self.done = self.done.saturating_add(1);
        self.all.add(ms);
        if let Some(durations) = self.by_kind.get_mut(kind) {
            durations.add(ms);
        } else {
            self.by_kind.entry(kind.to_owned()).or_default().add(ms);
        }
    }

    /// Adds a task that it failed at. How long that took says nothing of the next.
    pub fn add_failed(&mut self) {
        self.failed = self.failed.saturating_add(1);
    }

    /// Tasks that it got done, and tasks in all.
    pub const fn results(&self) -> (u32, u32) {
        (self.done, self.done.saturating_add(self.failed))
    }

    /// The share of its tasks that it gets done, above 0 and below 1: three of four before anything is known.
    pub fn success(&self) -> f64 {
        (f64::from(self.done) + PRIOR_DONE) / (f64::from(self.done) + f64::from(self.failed) + PRIOR_ALL)
    }

    /// Milliseconds that a task of this kind takes it: the median of those that it got done, from three on; else that of all its
    /// tasks; `None` where fewer than three are known.
    pub fn takes_ms(&self, kind: &str) -> Option<i64> {
        self.by_kind.get(kind).and_then(|durations| durations.median_ms).or(self.all.median_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(done: &[(&str, i64)]) -> History {
        let mut history = History::default();
        for (kind, ms) in done {
            history.add_done(kind, *ms);
        }
        history
    }

    #[test]
    fn three_of_a_kind_say_what_it_takes_and_before_that_all_together_do() {
        assert_eq!(of(&[("rust", 10), ("rust", 20)]).takes_ms("rust"), None);
        let known = of(&[("rust", 10), ("rust", 20), ("sql", 600)]);
        assert_eq!((known.takes_ms("rust"), known.takes_ms("sql")), (Some(20), Some(20)));
        assert_eq!(
            of(&[("sql", 600), ("sql", 700), ("rust", 10), ("rust", 30), ("rust", 20)]).takes_ms("rust"),
            Some(20)
        );
    }

    #[test]
    fn only_the_newest_count() {
        let mut history = of(&[("rust", 1_000); 40]);
        for _ in 0..KEPT {
            history.add_done("rust", 10);
        }
        assert_eq!(history.takes_ms("rust"), Some(10));
    }

    #[test]
    fn a_clock_that_was_put_back_makes_no_time_negative() {
        assert_eq!(of(&[("rust", -5); 3]).takes_ms("rust"), Some(0));
    }

    #[test]
    fn one_failure_of_a_new_agent_does_not_condemn_it() {
        let mut history = History::default();
        let rate = |history: &History| (history.success() * 1_000.0).round() / 1_000.0;
        assert!((rate(&history) - 0.75).abs() < 1e-9);
        history.add_failed();
        assert!((rate(&history) - 0.6).abs() < 1e-9);
        for _ in 0..95 {
            history.add_done("", 1);
        }
        assert!((rate(&history) - 0.98).abs() < 1e-9);
        assert_eq!(history.results(), (95, 96));
    }
}
