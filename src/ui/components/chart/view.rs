//! The chart as a component: measured, pointed at, walked by keys, or read as a table.

use leptos::ev::KeyboardEvent;
use leptos::html;
use leptos::prelude::*;

use super::scale::{self, Plot};
use super::table::ChartTable;
use super::{ASSUMED_WIDTH, ChartData, SeriesLook, marks};
use crate::ui::browser;
use crate::ui::components::{Button, ButtonSize, ButtonVariant};

/// How values are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChartKind {
    /// Stacked, from the bottom up.
    Bars,
    /// A line for each series.
    Lines,
}

/// A chart over time. Its columns show their values beside the pointer; with the focus in it, arrow keys walk them.
#[component]
pub fn Chart(
    /// Unique on the page.
    id: &'static str,
    /// A sentence that says what there is to see.
    #[prop(into)]
    name: Signal<String>,
    kind: ChartKind,
    /// The series must stay the same; their values may change.
    #[prop(into)]
    data: Signal<ChartData>,
    /// Of the drawing, px; the table that replaces it is as high.
    height: u16,
    /// Whether the table stands in its place.
    #[prop(into, optional)]
    as_table: Signal<bool>,
    /// Said in the middle when there is nothing to draw.
    #[prop(default = "Nothing in this time")]
    nothing: &'static str,
) -> impl IntoView {
    let field = NodeRef::<html::Div>::new();
    let width = RwSignal::new(None::<f64>);
    Effect::new(move |_| {
        if let Some(field) = field.get() {
            let measure = move |measured: f64, _| {
                if measured > 0.0 {
                    width.try_set(Some(measured));
                }
            };
            StoredValue::new_local(browser::on_resize(&field, measure));
        }
    });
    view! {
        <div class="chart-box" node_ref=field style=format!("--chart-h: {height}px")>
            <Show
                when=move || as_table.get()
                fallback=move || view! { <Drawing id name kind data width height nothing /> }
            >
                <ChartTable data name />
            </Show>
        </div>
    }
}

/// Everything about where the parts of a drawing stand.
fn plot_of(data: &ChartData, kind: ChartKind, width: f64, height: f64) -> (Plot, Vec<f64>) {
    let stacked = |slot: usize| data.at(slot).iter().map(|(_, value)| value).sum::<f64>();
    let highest = match kind {
        ChartKind::Bars => (0..data.slots.len()).map(stacked).fold(0.0, f64::max),
        ChartKind::Lines => {
            data.series.iter().flat_map(|series| series.values.iter().flatten()).copied().fold(0.0, f64::max)
        }
    };
    let ticks = scale::ticks(highest, data.unit);
    let labels: Vec<String> = ticks.iter().map(|tick| data.unit.tick(*tick)).collect();
    let top = ticks.last().copied().unwrap_or(1.0);
    let tail = if kind == ChartKind::Lines && data.series.len() > 1 { 34.0 } else { 4.0 };
    (Plot::new(width, height, &labels, tail, top, data.slots.len()), ticks)
}

#[component]
fn Drawing(
    id: &'static str,
    name: Signal<String>,
    kind: ChartKind,
    data: Signal<ChartData>,
    width: RwSignal<Option<f64>>,
    height: u16,
    nothing: &'static str,
) -> impl IntoView {
    let high = f64::from(height);
    let wide = move || width.get().unwrap_or(ASSUMED_WIDTH);
    let plot = Memo::new(move |_| data.with(|data| plot_of(data, kind, wide(), high)));
    let pointed = RwSignal::new(None::<usize>);
    let walked = RwSignal::new(None::<usize>);
    let shown = Signal::derive(move || pointed.get().or_else(|| walked.get()));
    let on_key = move |event: KeyboardEvent| {
        let count = data.with_untracked(|data| data.slots.len());
        if let Some(next) = walk(&event.key(), walked.get_untracked(), count) {
            walked.set(next);
            pointed.set(None);
            event.prevent_default();
        }
    };
    let drawn = move || {
        let (plot, ticks) = plot.get();
        data.with(|data| {
            let hatch = format!("{id}-hatch");
            let marks = match kind {
                ChartKind::Bars => marks::bars(data, plot, &hatch).into_any(),
                ChartKind::Lines => marks::lines(data, plot).into_any(),
            };
            let nothing = data.is_empty().then(|| {
                let (x, y) = (plot.left.midpoint(plot.right), plot.upper.midpoint(plot.base));
                view! { <text x=x.to_string() y=y.to_string() text-anchor="middle">{nothing}</text> }
            });
            view! {
                {marks::grid(data, plot, &ticks)}
                {marks}
                {nothing}
            }
        })
    };
    view! {
        <div
            class="chart-field"
            role="group"
            tabindex="0"
            aria-label=move || name.get()
            aria-keyshortcuts="ArrowLeft ArrowRight"
            on:keydown=on_key
            on:pointerleave=move |_| pointed.set(None)
            on:focusout=move |_| walked.set(None)
        >
            <svg class="chart" viewBox=move || format!("0 0 {:.0} {height}", wide()) height=height.to_string() aria-hidden="true">
                <Hatch id=format!("{id}-hatch") />
                {drawn}
                <Columns plot=Signal::derive(move || plot.get().0) shown pointed />
            </svg>
            <Tip data plot=Signal::derive(move || plot.get().0) shown />
        </div>
        <p class="visually-hidden" role="status">
            {move || walked.get().map(|slot| data.with(|data| data.sentence(slot)))}
        </p>
    }
}

#[expect(clippy::option_option, reason = "no move, or a move to no column")]
/// Where a key leads from a column: `None` for a key that means nothing here, `Some(None)` away from all columns.
fn walk(key: &str, from: Option<usize>, count: usize) -> Option<Option<usize>> {
    let last = count.checked_sub(1)?;
    Some(match (key, from) {
        ("ArrowRight", Some(at)) => Some((at + 1).min(last)),
        ("ArrowLeft", Some(at)) => Some(at.saturating_sub(1)),
        ("ArrowLeft" | "End", _) => Some(last),
        ("ArrowRight" | "Home", _) => Some(0),
        ("Escape", Some(_)) => None,
        _ => return None,
    })
}

/// The pattern of what failed: told apart from the rest without colour.
#[component]
fn Hatch(id: String) -> impl IntoView {
    view! {
        <defs>
            <pattern id=id width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
                <rect class="bad" width="5" height="5"></rect>
                <path class="hatch" d="M0 0v5"></path>
            </pattern>
        </defs>
    }
}

/// What the pointer meets: a full column for each slot, and the line through the one that is shown.
#[component]
fn Columns(plot: Signal<Plot>, shown: Signal<Option<usize>>, pointed: RwSignal<Option<usize>>) -> impl IntoView {
    let count = Memo::new(move |_| plot.get().slots);
    let cursor = move || {
        let (plot, slot) = (plot.get(), shown.get()?);
        let x = format!("{:.1}", plot.x(slot));
        Some(
            view! { <line class="cursor" x1=x.clone() x2=x y1=plot.upper.to_string() y2=plot.base.to_string()></line> },
        )
    };
    let column = move |slot: usize| {
        view! {
            <rect
                class="hit"
                x=move || format!("{:.1}", plot.get().slot_left(slot))
                y=move || plot.get().upper.to_string()
                width=move || format!("{:.1}", plot.get().band())
                height=move || (plot.get().base - plot.get().upper).to_string()
                on:pointerenter=move |_| pointed.set(Some(slot))
            ></rect>
        }
    };
    view! {
        {move || (0..count.get()).map(column).collect::<Vec<_>>()}
        {cursor}
    }
}

/// The values of the column that is shown, beside it and never over it.
#[component]
fn Tip(data: Signal<ChartData>, plot: Signal<Plot>, shown: Signal<Option<usize>>) -> impl IntoView {
    const GAP: f64 = 10.0;
    move || {
        let slot = shown.get()?;
        let plot = plot.get();
        let (middle, half) = (plot.x(slot), plot.band().min(48.0) / 2.0);
        // percentages of the measured width, so that the tip stands right while the drawing is still scaled
        let place = if middle > plot.left.midpoint(plot.right) {
            format!("right: calc(100% - {:.0}px)", middle - half - GAP)
        } else {
            format!("left: {:.0}px", middle + half + GAP)
        };
        data.with(|data| {
            let title = data.slots.get(slot)?.title.clone();
            let rows = data
                .at(slot)
                .into_iter()
                .map(|(series, value)| {
                    view! {
                        <dt><Mark look=series.look />{series.name}</dt>
                        <dd>{data.unit.say(value)}</dd>
                    }
                })
                .collect::<Vec<_>>();
            let empty = rows.is_empty().then_some("Nothing");
            Some(view! {
                <div class="tip" style=place aria-hidden="true">
                    <strong>{title}</strong>
                    <dl>{rows}</dl>
                    {empty}
                </div>
            })
        })
    }
}

/// The mark of a series in legend and tip: a square or a diamond of its status, a piece of its line.
#[component]
fn Mark(look: SeriesLook) -> impl IntoView {
    match look {
        SeriesLook::Status(status) => {
            let shape = if status == "failed" { "diamond" } else { "square" };
            view! { <span class="dot" data-status=status data-shape=shape></span> }.into_any()
        }
        SeriesLook::Line { series, dash, .. } => {
            let dashed = (!dash.is_empty()).then_some("");
            view! { <span class="stroke" data-dashed=dashed style=format!("--c: var(--series-{series})")></span> }
                .into_any()
        }
    }
}

/// The names of the series with their marks.
#[component]
pub fn ChartLegend(#[prop(into)] data: Signal<ChartData>) -> impl IntoView {
    let entries = data.with_untracked(|data| {
        data.series.iter().map(|series| view! { <li><Mark look=series.look />{series.name}</li> }).collect::<Vec<_>>()
    });
    view! { <ul class="legend wide-only">{entries}</ul> }
}

/// Switches between the drawing and the table.
#[component]
pub fn TableToggle(as_table: RwSignal<bool>) -> impl IntoView {
    let label = move || if as_table.get() { "As chart" } else { "As table" };
    view! {
        <Button
            label=Signal::derive(move || label().to_owned())
            variant=ButtonVariant::Quiet
            size=ButtonSize::Small
            on_press=move |()| as_table.update(|on| *on = !*on)
        />
    }
}

#[cfg(test)]
mod tests {
    use super::walk;

    #[test]
    fn arrows_enter_at_the_near_end_and_stop_at_the_far_one() {
        let check = |key, from, expected| assert_eq!(walk(key, from, 24), expected, "{key} {from:?}");
        check("ArrowLeft", None, Some(Some(23)));
        check("ArrowLeft", Some(0), Some(Some(0)));
        check("ArrowRight", Some(23), Some(Some(23)));
        check("Home", Some(7), Some(Some(0)));
        check("Escape", Some(7), Some(None));
        check("Escape", None, None);
        check("Tab", Some(7), None);
        assert_eq!(walk("Home", None, 0), None);
    }
}
