//! A period cut into buckets, and what falls into them. Pure.

use super::store::{Ended, EntryBirths};
use crate::model::Timestamp;
use crate::model::dashboard::{Durations, Period, RunBucket};
use crate::model::workflow::RunStatus;

const HOUR_MS: i64 = 3_600_000;

/// The buckets of a period, the last one holding now. They begin at full hours and days of UTC.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    /// Where the first bucket begins.
    pub from: Timestamp,
    width_ms: i64,
    count: usize,
}

impl Frame {
    pub(super) fn new(period: Period, now: Timestamp) -> Self {
        let (width_ms, count) = match period {
            Period::Day => (HOUR_MS, 24),
            Period::Week => (24 * HOUR_MS, 7),
            Period::Month => (24 * HOUR_MS, 30),
        };
        let last = now.unix_ms().div_euclid(width_ms) * width_ms;
        let first = last - (count as i64 - 1) * width_ms;
        Self { from: Timestamp(first * 1000), width_ms, count }
    }

    /// Where each bucket begins.
    pub(super) fn starts(self) -> impl Iterator<Item = Timestamp> {
        (0..self.count).map(move |bucket| self.start(bucket))
    }

    fn start(self, bucket: usize) -> Timestamp {
        self.from.plus_ms(bucket as i64 * self.width_ms)
    }

    /// The bucket that holds a time; `None` before the first. What came after the last counts to it.
    pub(super) fn bucket(self, at: Timestamp) -> Option<usize> {
        let number = at.ms_since(self.from).div_euclid(self.width_ms);
        usize::try_from(number).ok().map(|number| number.min(self.count - 1))
    }

    /// Runs that ended by when they ended, runs that haven't by when they were accepted.
    pub(super) fn fill(self, ended: &[Ended], active_starts: &[Timestamp]) -> Vec<RunBucket> {
        let mut taken = vec![Vec::new(); self.count];
        let mut buckets: Vec<RunBucket> = (0..self.count).map(|number| empty_bucket(self.start(number))).collect();
        for run in ended {
            let Some(number) = self.bucket(run.at) else { continue };
            let bucket = &mut buckets[number];
            match run.status {
                RunStatus::Succeeded => bucket.succeeded += 1,
                RunStatus::Failed => bucket.failed += 1,
                _ => bucket.cancelled += 1,
            }
            if ended_by_itself(run) {
                taken[number].push(run.duration_ms);
            }
        }
        for &start in active_starts {
            if let Some(number) = self.bucket(start) {
                buckets[number].running += 1;
            }
        }
        for (bucket, taken) in buckets.iter_mut().zip(taken) {
            bucket.durations = durations(taken);
        }
        buckets
    }

    /// How many entries there were at the end of each bucket, of those that are still there.
    pub(super) fn growth(self, entries: &EntryBirths) -> Vec<i64> {
        let mut counts = vec![0; self.count];
        for &born in &entries.births {
            if let Some(number) = self.bucket(born) {
                counts[number] += 1;
            }
        }
        let mut total = entries.before;
        let add = |born| {
            total += born;
            total
        };
        counts.into_iter().map(add).collect()
    }
}

/// A cancelled run says nothing about how long it takes.
pub(super) fn ended_by_itself(run: &Ended) -> bool {
    matches!(run.status, RunStatus::Succeeded | RunStatus::Failed)
}

/// The percentiles of how long runs took, in ms.
pub(super) fn durations(mut taken_ms: Vec<i64>) -> Durations {
    taken_ms.sort_unstable();
    Durations {
        p50_ms: percentile(&taken_ms, 50),
        p95_ms: percentile(&taken_ms, 95),
        p99_ms: percentile(&taken_ms, 99),
    }
}

fn empty_bucket(from: Timestamp) -> RunBucket {
    RunBucket { from, succeeded: 0, failed: 0, cancelled: 0, running: 0, durations: Durations::default() }
}

/// The middle value (nearest rank); none of none.
pub(super) fn median(mut values: Vec<i64>) -> Option<i64> {
    values.sort_unstable();
    percentile(&values, 50)
}

/// The smallest value that at least `percent` percent of the sorted values do not exceed (nearest rank).
fn percentile(sorted: &[i64], percent: usize) -> Option<i64> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::parse("2026-11-21T08:30:00Z").expect("a time")
    }

    #[test]
    fn a_percentile_is_a_value_that_was_seen() {
        let hundred: Vec<i64> = (1..=100).collect();
        assert_eq!(percentile(&hundred, 50), Some(50));
        assert_eq!(percentile(&hundred, 99), Some(99));
        assert_eq!(percentile(&[7], 95), Some(7));
        assert_eq!(percentile(&[], 50), None);
    }

    #[test]
    fn the_last_bucket_holds_now_and_the_first_is_a_period_before() {
        let frame = Frame::new(Period::Day, now());
        assert_eq!(frame.start(23).to_string(), "2026-11-21T08:00:00Z");
        assert_eq!(frame.from.to_string(), "2026-11-20T09:00:00Z");
        assert_eq!(frame.bucket(now()), Some(23));
        assert_eq!(frame.bucket(frame.from.plus_ms(-1)), None);
    }

    #[test]
    fn a_cancelled_run_is_counted_and_its_duration_is_not() {
        let ended = |status, duration_ms| Ended { status, at: now(), duration_ms };
        let frame = Frame::new(Period::Week, now());
        let runs = [ended(RunStatus::Succeeded, 40), ended(RunStatus::Failed, 60), ended(RunStatus::Cancelled, 9_000)];
        let buckets = frame.fill(&runs, &[now(), frame.from.plus_ms(-1)]);
        let last = &buckets[6];
        assert_eq!((last.succeeded, last.failed, last.cancelled, last.running), (1, 1, 1, 1));
        assert_eq!(last.durations, Durations { p50_ms: Some(40), p95_ms: Some(60), p99_ms: Some(60) });
        assert_eq!(buckets.iter().map(|bucket| bucket.running).sum::<i64>(), 1);
    }

    #[test]
    fn growth_adds_up_what_was_there_before() {
        let frame = Frame::new(Period::Week, now());
        let births = EntryBirths { before: 5, births: vec![frame.start(0), frame.start(6), frame.start(6)] };
        assert_eq!(frame.growth(&births), [6, 6, 6, 6, 6, 6, 8]);
    }
}
