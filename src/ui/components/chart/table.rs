//! The table that says what a chart shows.

use leptos::prelude::*;

use super::ChartData;
use crate::ui::components::{Column, DataTable};

/// A row for each slot, newest first, a column for each series.
#[component]
pub(super) fn ChartTable(data: Signal<ChartData>, name: Signal<String>) -> impl IntoView {
    let columns = data.with_untracked(|data| {
        let first = Column::text(data.slot_name);
        std::iter::once(first).chain(data.series.iter().map(|series| Column::number(series.name))).collect::<Vec<_>>()
    });
    let rows = move || {
        data.with(|data| {
            let row = |slot: usize| {
                let cell = |series: &super::Series| {
                    let value = series.values.get(slot).copied().flatten();
                    view! { <td class="num">{value.map_or_else(|| "–".to_owned(), |value| data.unit.say(value))}</td> }
                };
                view! {
                    <tr>
                        <th scope="row">{data.slots[slot].title.clone()}</th>
                        {data.series.iter().map(cell).collect::<Vec<_>>()}
                    </tr>
                }
            };
            (0..data.slots.len()).rev().map(row).collect::<Vec<_>>()
        })
    };
    view! { <DataTable label=name columns>{rows}</DataTable> }
}
