//! What the overview adds up to, in numbers, chart data and sentences. Pure: the zone is an argument.

use crate::model::Timestamp;
use crate::model::dashboard::{Durations, Overview, Period, RunBucket};
use crate::ui::components::chart::{ChartData, Series, SeriesLook, Slot, Unit};
use crate::ui::format;

/// Minutes ahead of UTC at a time.
pub(super) trait Zone: Fn(Timestamp) -> i32 + Copy {}
impl<T: Fn(Timestamp) -> i32 + Copy> Zone for T {}

/// Runs of a bucket, in whatever state.
pub(super) const fn runs(bucket: &RunBucket) -> i64 {
    bucket.succeeded + bucket.failed + bucket.cancelled + bucket.running
}

/// The share of those that succeeded, of those that succeeded or failed; `None` when none did.
pub(super) fn share<'a>(buckets: impl IntoIterator<Item = &'a RunBucket>) -> Option<f64> {
    let sum = |(ok, bad), bucket: &RunBucket| (ok + bucket.succeeded, bad + bucket.failed);
    let (ok, bad): (i64, i64) = buckets.into_iter().fold((0, 0), sum);
    (ok + bad > 0).then(|| ok as f64 / (ok + bad) as f64)
}

/// How many percentage points the newer half of the period succeeds more often than the older; `None` when a half has
/// nothing to compare.
pub(super) fn change_in_points(buckets: &[RunBucket]) -> Option<f64> {
    let (older, newer) = buckets.split_at(buckets.len() / 2);
    Some((share(newer)? - share(older)?) * 100.0)
}

/// A clock's hour and minute in a zone.
fn clock(at: Timestamp, offset_min: i32) -> String {
    format::log_time(at, offset_min).chars().take(5).collect()
}

/// The slots of the buckets, in the zone of who looks.
pub(super) fn slots(overview: &Overview, zone: impl Zone) -> Vec<Slot> {
    slots_of(overview.period, overview.buckets.iter().map(|bucket| bucket.from), zone)
}

/// The slots that begin there, in the zone of who looks. Days are days of UTC: elsewhere their titles say from when to when.
pub(in crate::ui::pages) fn slots_of(
    period: Period,
    starts: impl Iterator<Item = Timestamp>,
    zone: impl Fn(Timestamp) -> i32 + Copy,
) -> Vec<Slot> {
    let slot = |from: Timestamp| match period {
        Period::Day => {
            let to = from.plus_ms(3_600_000);
            let (from, to) = (clock(from, zone(from)), clock(to, zone(to)));
            Slot { title: format!("{from} to {to}"), label: from }
        }
        Period::Week | Period::Month => {
            let to = from.plus_ms(24 * 3_600_000);
            let (day, begins) = (format::day(from, zone(from)), clock(from, zone(from)));
            let title = if begins == "00:00" {
                day.clone()
            } else {
                format!("{day}, {begins} to {}, {}", format::day(to, zone(to)), clock(to, zone(to)))
            };
            Slot { label: day, title }
        }
    };
    starts.map(slot).collect()
}

/// What a slot is called.
pub(in crate::ui::pages) const fn slot_name(period: Period) -> &'static str {
    match period {
        Period::Day => "Hour",
        Period::Week | Period::Month => "Day",
    }
}

fn series(name: &'static str, look: SeriesLook, values: impl Iterator<Item = Option<i64>>) -> Series {
    Series { name, look, values: values.map(|value| value.map(|value| value as f64)).collect() }
}

/// Runs over time, stacked: succeeded, cancelled, failed, running.
pub(super) fn runs_data(overview: &Overview, zone: impl Zone) -> ChartData {
    let part = |name, status, count: fn(&RunBucket) -> i64| {
        // nothing is left out of the tip, 0 is: only what happened is listed
        let values = overview.buckets.iter().map(|bucket| Some(count(bucket)).filter(|count| *count > 0));
        series(name, SeriesLook::Status(status), values)
    };
    ChartData {
        slots: slots(overview, zone),
        series: vec![
            part("Succeeded", "succeeded", |bucket| bucket.succeeded),
            part("Cancelled", "cancelled", |bucket| bucket.cancelled),
            part("Failed", "failed", |bucket| bucket.failed),
            part("Running", "running", |bucket| bucket.running),
        ],
        unit: Unit::Count,
        slot_name: slot_name(overview.period),
    }
}

/// How long runs took over time.
pub(super) fn duration_data(overview: &Overview, zone: impl Zone) -> ChartData {
    let line = |name, number, dash, area, value: fn(&Durations) -> Option<i64>| {
        let look = SeriesLook::Line { series: number, dash, area };
        series(name, look, overview.buckets.iter().map(|bucket| value(&bucket.durations)))
    };
    ChartData {
        slots: slots(overview, zone),
        series: vec![
            line("p50", 1, "", true, |durations| durations.p50_ms),
            line("p95", 2, "6 2", false, |durations| durations.p95_ms),
            line("p99", 3, "2 3", false, |durations| durations.p99_ms),
        ],
        unit: Unit::Duration,
        slot_name: slot_name(overview.period),
    }
}

/// Entries over time.
pub(super) fn memory_data(overview: &Overview, zone: impl Zone) -> ChartData {
    let look = SeriesLook::Line { series: 5, dash: "", area: true };
    ChartData {
        slots: slots(overview, zone),
        series: vec![series("Entries", look, overview.memory_entries.iter().map(|count| Some(*count)))],
        unit: Unit::Count,
        slot_name: slot_name(overview.period),
    }
}

/// "over the last 24 hours".
const fn over(period: Period) -> &'static str {
    match period {
        Period::Day => "over the last 24 hours",
        Period::Week => "over the last 7 days",
        Period::Month => "over the last 30 days",
    }
}

/// What the chart of runs shows: "Runs by hour over the last 24 hours: 823. Most in 16:00 to 17:00: 65. 15 failed."
pub(super) fn runs_sentence(overview: &Overview, zone: impl Zone) -> String {
    let total: i64 = overview.buckets.iter().map(runs).sum();
    let head = format!("{} {}: {}.", runs_title(overview.period), over(overview.period), format::count(total));
    let most = overview.buckets.iter().zip(slots(overview, zone)).max_by_key(|(bucket, _)| runs(bucket));
    let Some((bucket, slot)) = most.filter(|_| total > 0) else {
        return head;
    };
    let failed: i64 = overview.buckets.iter().map(|bucket| bucket.failed).sum();
    format!("{head} Most in {}: {}. {} failed.", slot.title, format::count(runs(bucket)), format::count(failed))
}

/// "Runs by hour", "Runs by day".
pub(super) const fn runs_title(period: Period) -> &'static str {
    match period {
        Period::Day => "Runs by hour",
        Period::Week | Period::Month => "Runs by day",
    }
}

/// What the chart of durations shows.
pub(super) fn duration_sentence(overview: &Overview) -> String {
    let Durations { p50_ms: Some(p50), p95_ms: Some(p95), p99_ms: Some(p99) } = overview.durations else {
        return format!("Duration of runs {}: none ended.", over(overview.period));
    };
    let [p50, p95, p99] = [p50, p95, p99].map(format::duration);
    format!("Duration of runs {}: median {p50}, p95 {p95}, p99 {p99}.", over(overview.period))
}

/// What the chart of memory shows.
pub(super) fn memory_sentence(overview: &Overview) -> String {
    let last = overview.memory_entries.last().copied().unwrap_or_default();
    let new = format::count(overview.memory_new);
    format!("Memory entries {}: {}, of which {new} are new.", over(overview.period), format::count(last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::dashboard::Health;

    fn bucket(hour: i64, succeeded: i64, failed: i64) -> RunBucket {
        RunBucket {
            from: Timestamp(0).plus_ms(hour * 3_600_000),
            succeeded,
            failed,
            cancelled: 0,
            running: 0,
            durations: Durations::default(),
        }
    }

    fn overview(period: Period, buckets: Vec<RunBucket>) -> Overview {
        Overview {
            period,
            at: Timestamp(0),
            active: Vec::new(),
            active_total: 0,
            active_waiting: 0,
            active_queued: 0,
            needs_me: Vec::new(),
            any_runs: true,
            memory_entries: vec![3; buckets.len()],
            memory_new: 1,
            buckets,
            durations: Durations { p50_ms: Some(40_000), p95_ms: Some(102_000), p99_ms: Some(164_000) },
            failures: Vec::new(),
            health: Health {
                database: "SQLite".to_owned(),
                database_bytes: None,
                database_ms: 0.1,
                memory_bytes: None,
                uptime_ms: None,
                disk_free_bytes: None,
                sandbox: String::new(),
                problems: Vec::new(),
            },
        }
    }

    #[test]
    fn the_change_compares_the_halves_and_is_silent_without_both() {
        let points = |buckets: &[RunBucket]| change_in_points(buckets);
        assert_eq!(points(&[bucket(0, 10, 0), bucket(1, 9, 1)]).map(f64::round), Some(-10.0));
        assert_eq!(points(&[bucket(0, 0, 0), bucket(1, 9, 1)]), None);
        assert_eq!(share(&[bucket(0, 0, 0)]), None);
        assert_eq!(share(&[bucket(0, 3, 1)]), Some(0.75));
    }

    #[test]
    fn slots_speak_the_zone_of_who_looks() {
        let day = overview(Period::Day, vec![bucket(7, 0, 0)]);
        assert_eq!(slots(&day, |_| 60)[0], Slot { label: "08:00".to_owned(), title: "08:00 to 09:00".to_owned() });
        let week = overview(Period::Week, vec![bucket(0, 0, 0)]);
        assert_eq!(slots(&week, |_| 0)[0].title, "1 Jan");
        assert_eq!(slots(&week, |_| 60)[0].title, "1 Jan, 01:00 to 2 Jan, 01:00");
    }

    #[test]
    fn a_chart_has_a_sentence_for_its_name() {
        let day = overview(Period::Day, vec![bucket(7, 41, 7), bucket(8, 3, 0)]);
        let expected = "Runs by hour over the last 24 hours: 51. Most in 07:00 to 08:00: 48. 7 failed.";
        assert_eq!(runs_sentence(&day, |_| 0), expected);
        let expected = "Duration of runs over the last 24 hours: median 40 s, p95 1 min 42 s, p99 2 min 44 s.";
        assert_eq!(duration_sentence(&day), expected);
        let empty = overview(Period::Week, vec![bucket(0, 0, 0)]);
        assert_eq!(runs_sentence(&empty, |_| 0), "Runs by day over the last 7 days: 0.");
        assert_eq!(memory_sentence(&empty), "Memory entries over the last 7 days: 3, of which 1 are new.");
    }

    #[test]
    fn only_what_happened_is_listed() {
        let data = runs_data(&overview(Period::Day, vec![bucket(7, 41, 0)]), |_| 0);
        assert_eq!(data.sentence(0), "07:00 to 08:00: Succeeded 41");
    }
}
