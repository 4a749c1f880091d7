//! Entries as a table of any length: sorted by the server, loaded while one scrolls, with the columns that this browser keeps.
//!
//! It shows entries as they are now, without a search. A search has an order of its own, and the past and the quarantine say more
//! of each entry: they are lists of cards.

mod column;
mod grid;
mod lines;
mod row;

pub(super) use lines::{Asked, Lines, load_first};

use leptos::prelude::*;

use self::column::Col;
use self::grid::Grid;
use self::lines::MOST;
use super::State;
use super::results::NothingThere;
use crate::model::memory::{EntryOrder, EntrySort, EntryTable as FirstPage};
use crate::ui::components::{Button, ButtonShape, ButtonSize, Checkbox, Choice, Dialog, FilterSelect};
use crate::ui::format;

/// The table.
#[component]
pub(super) fn EntryTable(
    /// Its first page.
    first: FirstPage,
    /// With what that was asked for.
    asked: Asked,
    state: State,
) -> impl IntoView {
    let lines = state.lines;
    lines.begin(first, asked);
    Effect::new(move |_| lines.take_kept_columns());
    // What others write is loaded behind what is shown: nothing jumps, and the place in the list stays.
    Effect::new(move |seen: Option<u32>| {
        let now = state.refresh.get();
        if seen.is_some_and(|seen| seen != now) {
            lines.load_anew();
        }
        now
    });
    let is_empty = ArcMemo::new(move |_| lines.total.get() == 0);
    view! {
        <Show when=move || !is_empty.get() fallback=move || view! { <NothingThere state /> }>
            <Grid state />
        </Show>
    }
}

/// How many there are, in which order, and which columns. It stands beside what is loaded, not in it: whoever chooses an order
/// goes on to the next choice while the first is on its way.
#[component]
pub(super) fn Tools(state: State) -> impl IntoView {
    let lines = state.lines;
    let tally = move || {
        let (all, shown) = (lines.all.get(), lines.total.get());
        if all == 0 {
            String::new()
        } else if shown < all {
            format!("{} entries, the first {} of them here", format::count(all.into()), format::count(MOST.into()))
        } else {
            super::bulk::entries(all as usize)
        }
    };
    let order = move || state.place.with(|place| place.order);
    let sort_by = move |order: EntryOrder| {
        let place = state.place.get_untracked();
        state.replace.run(super::Place { order, ..place });
    };
    let choices: Vec<Choice> = EntrySort::ALL.into_iter().map(|by| Choice::new(by.as_str(), by.label())).collect();
    let choose = move |name: String| {
        if let Some(by) = EntrySort::ALL.into_iter().find(|by| by.as_str() == name) {
            sort_by(EntryOrder { by, descending: by.is_largest_first() });
        }
    };
    let turn = move |()| {
        let EntryOrder { by, descending } = state.place.with_untracked(|place| place.order);
        sort_by(EntryOrder { by, descending: !descending });
    };
    view! {
        <div class="tally row wrap" hidden=move || lines.is_empty.get()>
            <span class="small dimmer grow" role="status">{tally}</span>
            <FilterSelect
                label="Sort by"
                value=Signal::derive(move || order().by.as_str().to_owned())
                choices=Signal::stored(choices)
                on_choose=choose
            />
            <Button
                label="Largest first"
                icon="down"
                size=ButtonSize::Small
                shape=ButtonShape::IconOnly
                pressed=Signal::derive(move || Some(order().descending))
                on_press=turn
            />
            <Button
                label="Columns…"
                icon="table"
                size=ButtonSize::Small
                shape=ButtonShape::IconOnly
                on_press=move |()| lines.choosing.set(true)
            />
        </div>
        <Reaching state />
        <Stale state />
        <Failed state />
    }
}

/// That a range goes on beyond what is loaded.
#[component]
fn Reaching(state: State) -> impl IntoView {
    let lines = state.lines;
    let said = move || {
        let (_, to) = lines.reach.get()?;
        let (here, all) = (lines.here.with(Vec::len) as i64, i64::from(to) + 1);
        Some(format!("Choosing {} entries; {} are here so far.", format::count(all), format::count(here)))
    };
    view! {
        <Show when=move || lines.reach.with(Option::is_some)>
            <div class="tally row wrap">
                <span class="small grow" role="status">{said}</span>
                <Button label="Stop" size=ButtonSize::Small on_press=move |()| lines.reach.set(None) />
            </div>
        </Show>
    }
}

/// That something changed which is not shown.
#[component]
fn Stale(state: State) -> impl IntoView {
    let lines = state.lines;
    view! {
        <Show when=move || lines.is_stale.get()>
            <div class="tally row wrap">
                <span class="small grow" role="status">"Entries changed since these were loaded."</span>
                <Button label="Load them anew" size=ButtonSize::Small on_press=move |()| lines.reload() />
            </div>
        </Show>
    }
}

/// That more could not be loaded.
#[component]
fn Failed(state: State) -> impl IntoView {
    let lines = state.lines;
    view! {
        <Show when=move || lines.failed.with(Option::is_some)>
            <div class="tally row wrap">
                <span class="small grow" role="alert">{move || lines.failed.get()}</span>
                <Button label="Try again" size=ButtonSize::Small on_press=move |()| lines.ask_again() />
            </div>
        </Show>
    }
}

/// Which columns the table has; it stands at the level of the page.
#[component]
pub(super) fn ColumnsDialog(lines: Lines) -> impl IntoView {
    let boxes = move || {
        let one = move |col: Col| {
            let id = format!("memory-column-{}", col.label().to_lowercase().replace(' ', "-"));
            let on = Signal::derive(move || lines.columns.with(|columns| columns.contains(&col)));
            let set = Callback::new(move |on: bool| lines.choose_column(col, on));
            view! { <Checkbox id label=col.label() value=(on, set) /> }
        };
        Col::ALL.into_iter().map(one).collect_view()
    };
    let footer = move || view! { <Button label="Close" on_press=move |()| lines.choosing.set(false) /> };
    view! {
        <Dialog id="memory-columns" title="Columns" open=lines.choosing footer=ViewFn::from(footer)>
            <div class="form">
                <p class="small dim">"Kept in this browser. What entries say rests encrypted, so they can't be sorted by their words: search for those."</p>
                {boxes()}
            </div>
        </Dialog>
    }
}
