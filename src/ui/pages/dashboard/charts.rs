//! Runs, durations and memory over time.

use leptos::prelude::*;

use super::{period, sums};
use crate::model::Timestamp;
use crate::model::dashboard::Overview;
use crate::ui::browser;
use crate::ui::components::chart::{Chart, ChartData, ChartKind, ChartLegend, TableToggle};
use crate::ui::components::{Card, Now};
use crate::ui::format;

/// Minutes ahead of UTC where one looks; 0 on the server and until the page is awake, so that both draw the same.
pub(in crate::ui::pages) fn use_zone() -> impl Fn(Timestamp) -> i32 + Copy + Send + Sync + 'static {
    let now = use_context::<Now>();
    let awake = Memo::new(move |_| now.is_some_and(|now| now.0.get().is_some()));
    move |at: Timestamp| {
        if awake.get() { browser::offset_minutes(at.unix_ms()) } else { 0 }
    }
}

#[component]
pub(super) fn RunsOverTime(shown: Signal<Overview>) -> impl IntoView {
    let zone = use_zone();
    let as_table = RwSignal::new(false);
    let data = Memo::new(move |_| shown.with(|shown| sums::runs_data(shown, zone)));
    let name = Memo::new(move |_| shown.with(|shown| sums::runs_sentence(shown, zone)));
    let title = Signal::derive(move || shown.with(|shown| sums::runs_title(shown.period).to_owned()));
    let sub = Signal::derive(move || {
        shown.with(|shown| {
            let total: i64 = shown.buckets.iter().map(sums::runs).sum();
            Some(format!("{} in {}", format::count(total), period::label(shown.period)))
        })
    });
    let actions = move || {
        view! {
            <ChartLegend data />
            <TableToggle as_table />
        }
    };
    view! {
        <Card id="runs-over-time" title sub span=8 actions>
            <Chart id="runs-chart" name kind=ChartKind::Bars data height=228 as_table nothing="No runs in this time" />
        </Card>
    }
}

#[component]
pub(super) fn DurationOverTime(shown: Signal<Overview>) -> impl IntoView {
    let zone = use_zone();
    let data = Memo::new(move |_| shown.with(|shown| sums::duration_data(shown, zone)));
    let name = Memo::new(move |_| shown.with(sums::duration_sentence));
    view! { <LineCard id="duration" title="Duration" shown data name span=4 height=196 nothing="No run ended in this time" /> }
}

#[component]
pub(super) fn MemoryGrowth(shown: Signal<Overview>) -> impl IntoView {
    let zone = use_zone();
    let data = Memo::new(move |_| shown.with(|shown| sums::memory_data(shown, zone)));
    let name = Memo::new(move |_| shown.with(sums::memory_sentence));
    view! { <LineCard id="memory-growth" title="Memory" shown data name span=8 height=164 nothing="No entries yet" /> }
}

/// A card with lines.
#[component]
fn LineCard(
    id: &'static str,
    title: &'static str,
    shown: Signal<Overview>,
    data: Memo<ChartData>,
    name: Memo<String>,
    span: u8,
    height: u16,
    nothing: &'static str,
) -> impl IntoView {
    let as_table = RwSignal::new(false);
    let sub = Signal::derive(move || Some(shown.with(|shown| period::label(shown.period).to_owned())));
    let actions = move || view! { <TableToggle as_table /> };
    view! {
        <Card id title sub span actions>
            <Chart id=id name kind=ChartKind::Lines data height as_table nothing />
        </Card>
    }
}
