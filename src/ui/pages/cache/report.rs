//! What the cache saves: tiles, the hit rate over time, how fast each tier answers.

use leptos::prelude::*;

use crate::model::Timestamp;
use crate::model::cache::{CacheReport, CacheTier};
use crate::ui::components::chart::{Chart, ChartData, ChartKind, Series, SeriesLook, TableToggle, Unit};
use crate::ui::components::{Card, Column, DataTable};
use crate::ui::format;
use crate::ui::pages::dashboard::{slot_name, slots_of, use_zone};
use crate::ui::pages::gateway::period_label;

/// Everything that was counted.
#[component]
pub(super) fn Report(report: CacheReport) -> impl IntoView {
    let was_asked = report.hits + report.misses > 0;
    let chart = was_asked.then(|| {
        let report = report.clone();
        view! { <HitRate report /> }
    });
    let tiers = (!report.tiers.is_empty()).then(|| {
        let report = report.clone();
        view! { <Tiers report /> }
    });
    view! {
        <Tiles report />
        {chart}
        {tiers}
    }
}

#[component]
fn Tiles(report: CacheReport) -> impl IntoView {
    let without = report.spent_micros + report.saved_micros;
    let saved_note = match (report.unpriced, without) {
        (0, 0) => "nothing was spent".to_owned(),
        (0, without) => {
            let share = format::percent(report.saved_micros as f64 / without as f64);
            format!("{share} of {} without a cache", format::dollars(without))
        }
        (count, _) => format!("{} without a price", format::plural(count, "hit")),
    };
    let rate = report.hit_rate.map_or_else(|| "–".to_owned(), format::percent);
    let asked = report.hits + report.misses;
    let rate_note = match asked {
        0 => format!("asked by none of {}", format::plural(report.unasked, "call")),
        _ => format!("{} of {}", format::count(report.hits), format::plural(asked, "question")),
    };
    let tokens = report.saved_input + report.saved_output;
    let tokens_note = format!("{} of them written", format::short_count(report.saved_output));
    let bytes = format::bytes(report.bytes.max(0) as u64);
    let mut kept_note = match report.wrong {
        0 => bytes,
        wrong => format!("{bytes}, {} called wrong", format::count(wrong)),
    };
    if report.warmed > 0 {
        let (warmed, given) = (format::count(report.warmed), format::count(report.warmed_given));
        kept_note.push_str(&format!(", {warmed} asked anew for schedules ({given} given since)"));
    }
    view! {
        <div class="grid tiles-4">
            <Tile label="Saved" value=format::dollars(report.saved_micros) note=saved_note />
            <Tile label="Hit rate" value=rate note=rate_note />
            <Tile label="Tokens saved" value=format::short_count(tokens) note=tokens_note />
            <Tile label="Kept answers" value=format::count(report.entries) note=kept_note />
        </div>
    }
}

#[component]
fn Tile(label: &'static str, value: String, note: String) -> impl IntoView {
    view! {
        <div class="tile">
            <span class="tile-label">{label}</span>
            <span class="tile-value">{value}</span>
            <span class="tile-note">{note}</span>
        </div>
    }
}

#[component]
fn HitRate(report: CacheReport) -> impl IntoView {
    let zone = use_zone();
    let as_table = RwSignal::new(false);
    let (name, sub) = (sentence(&report), format!("hits of what was asked, {}", period_label(report.period)));
    let data = Memo::new(move |_| chart(&report, zone));
    let actions = move || view! { <TableToggle as_table /> };
    view! {
        <Card id="hit-rate" title="Hit rate" sub=Some(sub) actions>
            <Chart id="hit-rate-chart" name kind=ChartKind::Lines data height=196 as_table nothing="No hits in this time" />
        </Card>
    }
}

/// The hit rate of each stretch of time; none where nothing was asked.
fn chart(report: &CacheReport, zone: impl Fn(Timestamp) -> i32 + Copy) -> ChartData {
    let rates = report.buckets.iter().map(|bucket| {
        let asked = bucket.hits + bucket.misses;
        (asked > 0).then(|| bucket.hits as f64 * 100.0 / asked as f64)
    });
    ChartData {
        slots: slots_of(report.period, report.buckets.iter().map(|bucket| bucket.from), zone),
        series: vec![Series {
            name: "Hit rate",
            look: SeriesLook::Line { series: 1, dash: "", area: true },
            values: rates.collect(),
        }],
        unit: Unit::Percent,
        slot_name: slot_name(report.period),
    }
}

fn sentence(report: &CacheReport) -> String {
    let asked = report.hits + report.misses;
    let rate = report.hit_rate.map_or_else(|| "none".to_owned(), format::percent);
    format!(
        "Hit rate over time: {rate}, {} of {} in {}.",
        format::count(report.hits),
        format::plural(asked, "question"),
        period_label(report.period)
    )
}

#[component]
fn Tiers(report: CacheReport) -> impl IntoView {
    let columns = vec![
        Column::text("Where"),
        Column::number("Hits"),
        Column::number("Median"),
        Column::number("99th percentile"),
    ];
    let rows = report.tiers.into_iter().map(|tier| {
        view! {
            <tr>
                <td data-wrap="">{tier_label(tier.tier)}</td>
                <td class="num">{format::count(tier.hits)}</td>
                <td class="num">{micros(tier.p50_us)}</td>
                <td class="num">{micros(tier.p99_us)}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    view! {
        <Card id="tiers" title="Time to find an answer" flush=true>
            <DataTable label="Time to find an answer" columns>{rows}</DataTable>
        </Card>
    }
}

const fn tier_label(tier: CacheTier) -> &'static str {
    match tier {
        CacheTier::Memory => "In memory",
        CacheTier::Database => "In the database",
        CacheTier::Shared => "On its way to somebody who asked the same",
        CacheTier::Semantic => "By meaning, with the time of the embedder",
    }
}

/// Microseconds, as milliseconds with what is worth telling.
fn micros(us: i64) -> String {
    match us {
        0..10_000 => format!("{:.1} ms", us as f64 / 1000.0),
        us => format::duration(us / 1000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::cache::{CacheBucket, SemanticReport};
    use crate::model::dashboard::Period;

    #[test]
    fn where_nothing_was_asked_there_is_no_rate() {
        let bucket = |hour: i64, hits, misses| CacheBucket {
            from: Timestamp(0).plus_ms(hour * 3_600_000),
            hits,
            misses,
            saved_micros: 0,
        };
        let report = CacheReport {
            period: Period::Day,
            at: Timestamp(0),
            hits: 3,
            misses: 1,
            unasked: 0,
            hit_rate: Some(0.75),
            saved_input: 0,
            saved_output: 0,
            saved_micros: 0,
            unpriced: 0,
            spent_micros: 0,
            entries: 0,
            wrong: 0,
            bytes: 0,
            warmed: 0,
            warmed_given: 0,
            tiers: Vec::new(),
            semantic: SemanticReport {
                hits: 0,
                explored: 0,
                explored_same: 0,
                checked: 0,
                wrong: 0,
                false_hit_rate: None,
                false_hit_low: 0.0,
                false_hit_high: 1.0,
                called_wrong: 0,
            },
            buckets: vec![bucket(0, 0, 0), bucket(1, 3, 1), bucket(2, 0, 2)],
        };
        assert_eq!(chart(&report, |_| 0).series[0].values, [None, Some(75.0), Some(0.0)]);
        assert_eq!((micros(80).as_str(), micros(1_250).as_str()), ("0.1 ms", "1.2 ms"));
    }
}
