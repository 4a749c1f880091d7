//! What is drawn inside a plot: the grid, bars, lines.

use leptos::prelude::*;

use super::scale::{self, Plot};
use super::{ChartData, Series, SeriesLook};

/// A number as an attribute: a tenth of a px is enough.
fn px(value: f64) -> String {
    format!("{value:.1}")
}

/// Horizontal lines with their values, and the labels of the slots under the axis.
pub(super) fn grid(data: &ChartData, plot: Plot, ticks: &[f64]) -> impl IntoView + use<> {
    let lines = ticks
        .iter()
        .enumerate()
        .map(|(number, value)| {
            let y = plot.y(*value);
            let class = if number == 0 { "axis" } else { "grid" };
            view! {
                <line class=class x1=px(plot.left) x2=px(plot.right) y1=px(y) y2=px(y)></line>
                <text x=px(plot.left - 8.0) y=px(y + 4.0) text-anchor="end">{data.unit.tick(*value)}</text>
            }
        })
        .collect::<Vec<_>>();
    let longest = data.slots.iter().map(|slot| slot.label.chars().count()).max().unwrap_or(0);
    let every = plot.label_every(longest);
    let newest = data.slots.len().saturating_sub(1);
    let labels = data
        .slots
        .iter()
        .enumerate()
        .filter(|(slot, _)| (newest - slot).is_multiple_of(every))
        .map(|(slot, text)| {
            // a label is wider than its slot: at the edges it leans inwards
            let half = text.label.chars().count() as f64 * 3.5;
            let x = plot.x(slot).clamp(plot.left.min(half), plot.right - half.min(plot.band() / 2.0));
            view! { <text x=px(x) y=px(plot.base + 18.0) text-anchor="middle">{text.label.clone()}</text> }
        })
        .collect::<Vec<_>>();
    view! {
        {lines}
        {labels}
    }
}

/// A stack of parts for each slot, the first series at the bottom. `hatch` is the id of the pattern for what failed.
pub(super) fn bars(data: &ChartData, plot: Plot, hatch: &str) -> impl IntoView + use<> {
    let stack = |slot: usize| {
        let (x, width) = plot.bar(slot);
        let value = |series: &Series| series.values.get(slot).copied().flatten().unwrap_or(0.0);
        let values: Vec<f64> = data.series.iter().map(value).collect();
        plot.stack(&values)
            .into_iter()
            .zip(&data.series)
            .map(|((y, height), series)| {
                let (class, fill) = match series.look {
                    SeriesLook::Status("failed") => ("hatched", Some(format!("url(#{hatch})"))),
                    SeriesLook::Status("cancelled") => ("stopped", None),
                    SeriesLook::Status("running") => ("live", None),
                    _ => ("ok", None),
                };
                view! { <rect class=class fill=fill x=px(x) y=px(y) width=px(width) height=px(height)></rect> }
            })
            .collect::<Vec<_>>()
    };
    (0..data.slots.len()).map(stack).collect::<Vec<_>>()
}

/// A line for each series, with its name at the end.
pub(super) fn lines(data: &ChartData, plot: Plot) -> impl IntoView + use<> {
    const LABEL_GAP: f64 = 14.0;
    let drawn = data
        .series
        .iter()
        .map(|series| {
            let points = plot.points(&series.values);
            let (number, dash, area) = match series.look {
                SeriesLook::Line { series, dash, area } => (series, dash, area),
                SeriesLook::Status(_) => (1, "", false),
            };
            let colour = format!("--c: var(--series-{number})");
            let ground = area.then(|| {
                view! { <path class="area" style=colour.clone() d=scale::area_path(&points, plot.base)></path> }
            });
            view! {
                {ground}
                <path class="line" style=colour d=scale::line_path(&points) stroke-dasharray=(!dash.is_empty()).then_some(dash)></path>
            }
        })
        .collect::<Vec<_>>();
    let ends: Vec<(&str, f64)> =
        data.series.iter().filter_map(|series| Some((series.name, plot.y(series.last()?.1)))).collect();
    let wanted: Vec<f64> = ends.iter().map(|(_, y)| *y).collect();
    let named = data.series.len() > 1;
    let labels = scale::spread(&wanted, LABEL_GAP, plot.upper, plot.base)
        .into_iter()
        .zip(ends)
        .filter(|_| named)
        .map(|(y, (name, _))| view! { <text class="strong" x=px(plot.right + 6.0) y=px(y + 4.0)>{name}</text> })
        .collect::<Vec<_>>();
    view! {
        {drawn}
        {labels}
    }
}
