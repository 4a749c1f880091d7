//! What the dashboard shows: read models over other capabilities' tables.
//!
//! Reads, and writes nothing. Every number is counted from the rows at the time of asking; nothing is estimated. The answer
//! is kept for a second for each workspace and period, so that fifty open dashboards cost one reading.

mod health;
mod store;

use std::collections::HashMap;
use std::sync::Mutex;

use crate::model::auth::Action;
use crate::model::dashboard::{Overview, Period, RunBucket};
use crate::model::workflow::{RunFilter, RunStatus, RunSummary};
use crate::model::{ApiError, PageRequest, Timestamp, WorkspaceId};
use crate::runtime::Ctx;
use crate::workflow;

/// How long an answer is kept.
const KEEP_MS: i64 = 1_000;
/// Rows of "needs me".
const MOST_NEEDS: u32 = 20;
/// Rows of "running now".
const MOST_ACTIVE: u32 = 20;
/// Rows of "recent failures".
const MOST_FAILURES: u32 = 10;

const HOUR_MS: i64 = 3_600_000;

/// Recent answers.
#[derive(Debug, Default)]
struct Recent(Mutex<HashMap<(WorkspaceId, Period), Overview>>);

/// Everything on the dashboard.
///
/// # Errors
/// [`ApiError::Forbidden`], or the database's.
pub async fn overview(ctx: &Ctx, period: Period) -> Result<Overview, ApiError> {
    ctx.authorize(Action::ViewDashboard)?;
    let recent = ctx.shared::<Recent>();
    let now = ctx.clock.now();
    let key = (ctx.workspace(), period);
    if let Some(kept) = recent.0.lock().expect("nothing panics under this lock").get(&key)
        && now.ms_since(kept.at) < KEEP_MS
    {
        return Ok(kept.clone());
    }
    let fresh = read(ctx, period, now).await?;
    recent.0.lock().expect("nothing panics under this lock").insert(key, fresh.clone());
    Ok(fresh)
}

async fn read(ctx: &Ctx, period: Period, now: Timestamp) -> Result<Overview, ApiError> {
    let frame = Frame::new(period, now);
    let ended = store::list_ended(&ctx.db, ctx.workspace(), frame.from).await?;
    let begun = store::list_active_starts(&ctx.db, ctx.workspace(), frame.from).await?;
    let entries = store::list_entry_births(&ctx.db, ctx.workspace(), frame.from).await?;
    let active = list_runs(ctx, &[RunStatus::Running, RunStatus::Waiting, RunStatus::Queued], MOST_ACTIVE, None).await?;
    let paused = list_runs(ctx, &[RunStatus::Paused], MOST_NEEDS, None).await?;
    let failures = list_runs(ctx, &[RunStatus::Failed], MOST_NEEDS, Some(frame.from)).await?;
    let mut needs_me: Vec<RunSummary> = paused.into_iter().chain(failures.iter().cloned()).collect();
    needs_me.truncate(MOST_NEEDS as usize);
    Ok(Overview {
        period,
        at: now,
        active_total: store::count_active(&ctx.db, ctx.workspace()).await?,
        active,
        needs_me,
        buckets: frame.fill(&ended, &begun),
        failures: failures.into_iter().take(MOST_FAILURES as usize).collect(),
        memory_entries: frame.growth(&entries),
        health: health::look(ctx).await?,
    })
}

async fn list_runs(
    ctx: &Ctx,
    statuses: &[RunStatus],
    limit: u32,
    since: Option<Timestamp>,
) -> Result<Vec<RunSummary>, ApiError> {
    let filter = RunFilter { statuses: statuses.to_vec(), since, ..RunFilter::default() };
    Ok(workflow::list_runs(ctx, &filter, &PageRequest { limit, cursor: None }).await?.items)
}

/// The buckets of a period, the last one holding `now`.
#[derive(Debug, Clone, Copy)]
struct Frame {
    from: Timestamp,
    width_ms: i64,
    count: usize,
}

impl Frame {
    fn new(period: Period, now: Timestamp) -> Self {
        let (width_ms, count) = match period {
            Period::Day => (HOUR_MS, 24),
            Period::Week => (24 * HOUR_MS, 7),
            Period::Month => (24 * HOUR_MS, 30),
        };
        let last = now.unix_ms().div_euclid(width_ms) * width_ms;
        let first = last - (count as i64 - 1) * width_ms;
        Self { from: Timestamp(first * 1000), width_ms, count }
    }

    fn start(self, bucket: usize) -> Timestamp {
        self.from.plus_ms(bucket as i64 * self.width_ms)
    }

    /// The bucket that holds a time; `None` before the first.
    fn bucket(self, at: Timestamp) -> Option<usize> {
        let number = at.ms_since(self.from).div_euclid(self.width_ms);
        usize::try_from(number).ok().map(|number| number.min(self.count - 1))
    }

    /// Runs that ended by when they ended, runs that haven't by when they began.
    fn fill(self, ended: &[store::Ended], active_starts: &[Timestamp]) -> Vec<RunBucket> {
        let mut durations = vec![Vec::new(); self.count];
        let mut buckets: Vec<RunBucket> = (0..self.count).map(|number| empty_bucket(self.start(number))).collect();
        for run in ended {
            let Some(number) = self.bucket(run.at) else { continue };
            let bucket = &mut buckets[number];
            match run.status {
                RunStatus::Succeeded => bucket.succeeded += 1,
                RunStatus::Failed => bucket.failed += 1,
                _ => bucket.cancelled += 1,
            }
            durations[number].push(run.duration_ms);
        }
        for &start in active_starts {
            if let Some(number) = self.bucket(start) {
                buckets[number].running += 1;
            }
        }
        for (bucket, mut durations) in buckets.iter_mut().zip(durations) {
            durations.sort_unstable();
            bucket.p50_ms = percentile(&durations, 50);
            bucket.p95_ms = percentile(&durations, 95);
            bucket.p99_ms = percentile(&durations, 99);
        }
        buckets
    }

    /// How many entries there were at the end of each bucket, of those that are still there.
    fn growth(self, entries: &store::EntryBirths) -> Vec<i64> {
        let mut counts = vec![0; self.count];
        for &born in &entries.births {
            if let Some(number) = self.bucket(born) {
                counts[number] += 1;
            }
        }
        let mut total = entries.before;
        counts.into_iter().map(|born| {
            total += born;
            total
        }).collect()
    }
}

const fn empty_bucket(from: Timestamp) -> RunBucket {
    RunBucket { from, succeeded: 0, failed: 0, cancelled: 0, running: 0, p50_ms: None, p95_ms: None, p99_ms: None }
}

/// The smallest value that at least `percent` percent of the sorted values do not exceed (nearest rank).
fn percentile(sorted: &[i64], percent: usize) -> Option<i64> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let now = Timestamp::parse("2026-11-21T08:30:00Z").expect("a time");
        let frame = Frame::new(Period::Day, now);
        assert_eq!(frame.start(23).to_string(), "2026-11-21T08:00:00Z");
        assert_eq!(frame.from.to_string(), "2026-11-20T09:00:00Z");
        assert_eq!(frame.bucket(now), Some(23));
        assert_eq!(frame.bucket(frame.from.plus_ms(-1)), None);
    }

    #[test]
    fn growth_adds_up_what_was_there_before() {
        let frame = Frame::new(Period::Week, Timestamp::parse("2026-11-21T08:30:00Z").expect("a time"));
        let births = store::EntryBirths { before: 5, births: vec![frame.start(0), frame.start(6), frame.start(6)] };
        assert_eq!(frame.growth(&births), [6, 6, 6, 6, 6, 6, 8]);
    }
}
