//! Four numbers, each a link to what it counts.

use leptos::prelude::*;

use super::{period, sums};
use crate::model::dashboard::Overview;
use crate::ui::components::chart::Spark;
use crate::ui::format;

/// A number and its unit: "40", " s".
type Value = (String, String);

#[component]
pub(super) fn Tiles(shown: Signal<Overview>) -> impl IntoView {
    view! {
        <div class="grid row-tiles">
            <RunningTile shown />
            <SuccessTile shown />
            <DurationTile shown />
            <MemoryTile shown />
        </div>
    }
}

#[component]
fn Tile(
    label: &'static str,
    href: Signal<String>,
    value: Signal<Value>,
    values: Signal<Vec<Option<f64>>>,
    children: Children,
) -> impl IntoView {
    view! {
        <a class="tile" href=move || href.get()>
            <span class="tile-label">{label}</span>
            <span class="tile-value">{move || value.get().0}<small>{move || value.get().1}</small></span>
            <Spark values />
            <span class="tile-note">{children()}</span>
        </a>
    }
}

/// Of something, by looking at the overview.
fn seen<T: Clone + PartialEq + Send + Sync + 'static>(
    shown: Signal<Overview>,
    look: impl Fn(&Overview) -> T + Send + Sync + 'static,
) -> Signal<T> {
    Memo::new(move |_| shown.with(&look)).into()
}

fn plain(number: String) -> Value {
    (number, String::new())
}

/// The first number large, the rest small: "2 min 24 s" is ("2", " min 24 s").
fn split(text: &str) -> Value {
    text.split_once(' ')
        .map_or_else(|| plain(text.to_owned()), |(number, unit)| (number.to_owned(), format!(" {unit}")))
}

#[component]
fn RunningTile(shown: Signal<Overview>) -> impl IntoView {
    let note = seen(shown, |shown| {
        let part = |count: i64, word: &str| (count > 0).then(|| format!("{} {word}", format::count(count)));
        let parts: Vec<String> = [part(shown.active_waiting, "waiting"), part(shown.active_queued, "queued")]
            .into_iter()
            .flatten()
            .collect();
        let total: i64 = shown.buckets.iter().map(sums::runs).sum();
        let all = format!("{} in {}", format::plural(total, "run"), period::label(shown.period));
        if parts.is_empty() { all } else { parts.join(", ") }
    });
    view! {
        <Tile
            label="Running now"
            href=Signal::stored("/runs?status=queued,running,waiting,paused".to_owned())
            value=seen(shown, |shown| plain(format::count(shown.active_total)))
            values=seen(shown, |shown| shown.buckets.iter().map(|bucket| Some(sums::runs(bucket) as f64)).collect())
        >
            {note}
        </Tile>
    }
}

#[component]
fn SuccessTile(shown: Signal<Overview>) -> impl IntoView {
    let value = seen(shown, |shown| match sums::share(&shown.buckets) {
        Some(share) => split(&format::percent(share)),
        None => plain("–".to_owned()),
    });
    let note = move || shown.with(change);
    view! {
        <Tile
            label="Succeeded"
            href=seen(shown, |shown| period::runs_href(shown.period, "succeeded"))
            value
            values=seen(shown, |shown| shown.buckets.iter().map(|bucket| sums::share([bucket])).collect())
        >
            {note}
        </Tile>
    }
}

/// "1.1 points lower in the last 12 h", from the halves of the period.
fn change(shown: &Overview) -> AnyView {
    let Some(points) = sums::change_in_points(&shown.buckets) else {
        let ended: i64 = shown.buckets.iter().map(|bucket| bucket.succeeded + bucket.failed).sum();
        return format!("{} ended in {}", format::plural(ended, "run"), period::label(shown.period)).into_any();
    };
    let tenths = (points.abs() * 10.0).round() / 10.0;
    let recently = format!("in the last {}", period::half(shown.period));
    if tenths < 0.1 {
        return format!("unchanged {recently}").into_any();
    }
    let (tone, word) = if points > 0.0 { ("good", "higher") } else { ("bad", "lower") };
    let text = format!("{tenths} {} {word}", if (tenths - 1.0).abs() < f64::EPSILON { "point" } else { "points" });
    view! {
        <span class="delta" data-tone=tone>{text}</span>
        {recently}
    }
    .into_any()
}

#[component]
fn DurationTile(shown: Signal<Overview>) -> impl IntoView {
    let value = seen(shown, |shown| match shown.durations.p50_ms {
        Some(p50) => split(&format::duration(p50)),
        None => plain("–".to_owned()),
    });
    let note = seen(shown, |shown| match shown.durations.p95_ms {
        Some(p95) => format!("p95 {}", format::duration(p95)),
        None => format!("No run ended in {}", period::label(shown.period)),
    });
    let of = |bucket: &crate::model::dashboard::RunBucket| bucket.durations.p50_ms.map(|p50| p50 as f64);
    view! {
        <Tile
            label="Typical duration"
            href=seen(shown, |shown| period::runs_href(shown.period, ""))
            value
            values=seen(shown, move |shown| shown.buckets.iter().map(of).collect())
        >
            {note}
        </Tile>
    }
}

#[component]
fn MemoryTile(shown: Signal<Overview>) -> impl IntoView {
    let note =
        seen(shown, |shown| format!("{} new in {}", format::count(shown.memory_new), period::label(shown.period)));
    view! {
        <Tile
            label="Memory entries"
            href=Signal::stored("/memory".to_owned())
            value=seen(shown, |shown| plain(format::count(shown.memory_entries.last().copied().unwrap_or_default())))
            values=seen(shown, |shown| shown.memory_entries.iter().map(|count| Some(*count as f64)).collect())
        >
            {note}
        </Tile>
    }
}
