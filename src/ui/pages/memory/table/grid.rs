//! The rows in sight, their keys, and what a press does.

use leptos::html;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use leptos::web_sys::Element;

use super::super::{State, keys};
use super::Lines;
use super::column::{self, Col};
use super::row::Row;
use crate::model::memory::{EntryLine, EntryName, EntrySort};
use crate::ui::browser;
use crate::ui::components::Icon;

/// Rows drawn above and below what is in sight, so that a quick scroll shows no gap.
const SPARE: u32 = 8;
/// Rows below what is in sight that are loaded already.
const AHEAD: u32 = 100;
/// The height of a row, and of the head, in px; on a phone a row is a card, and there is no head.
const ROW: u32 = 54;
const HEAD: f64 = 32.0;
const CARD: u32 = 92;
/// Where a row is a card; as in `style/pages/memory-table.css`.
const PHONE: &str = "(width <= 700px)";

/// The id of a row's element.
pub(super) fn row_id(row: u32) -> String {
    format!("memory-row-{row}")
}

/// How the grid stands in its window. It belongs to the page: while another first page is on its way the grid of the last
/// one is still there, and can be scrolled.
#[derive(Clone, Copy)]
pub(super) struct Sight {
    element: NodeRef<html::Div>,
    top: RwSignal<f64>,
    height: RwSignal<f64>,
    row_px: RwSignal<u32>,
    /// The first row that is drawn, and the one after the last.
    window: Memo<(u32, u32)>,
}

impl Sight {
    /// Of so many rows.
    pub(super) fn new(total: RwSignal<u32>) -> Self {
        let (top, height, row_px) = (RwSignal::new(0.0_f64), RwSignal::new(0.0_f64), RwSignal::new(ROW));
        let window = Memo::new(move |_| {
            let (count, px) = (total.get(), f64::from(row_px.get()));
            let pool = ((height.get() / px).ceil() as u32 + 2 * SPARE).min(count);
            let first = ((top.get() / px) as u32).saturating_sub(SPARE).min(count - pool);
            (first, first + pool)
        });
        Self { element: NodeRef::new(), top, height, row_px, window }
    }

    fn head(self) -> f64 {
        if self.row_px.get_untracked() == CARD { 0.0 } else { HEAD }
    }

    /// Rows that fit into the window.
    fn page(self) -> u32 {
        let rows = (self.height.get_untracked() - self.head()) / f64::from(self.row_px.get_untracked());
        (rows as u32).max(1)
    }

    /// Scrolls as little as brings a row into sight.
    fn reveal(self, row: u32) {
        let Some(element) = self.element.get_untracked() else { return };
        let (at, window) = browser::scroll_of(&element);
        let px = f64::from(self.row_px.get_untracked());
        let (above, below) = (f64::from(row) * px, f64::from(row + 1) * px + self.head());
        if above < at {
            browser::scroll_to(&element, above);
        } else if below > at + window {
            browser::scroll_to(&element, below - window);
        }
    }
}

/// The grid.
#[component]
pub(super) fn Grid(state: State) -> impl IntoView {
    let lines = state.lines;
    let sight = lines.sight;
    let Sight { element, top, height, row_px, window } = sight;
    Effect::new(move |_| {
        if let Some(element) = element.get() {
            // Another order begins at its first line.
            browser::scroll_to(&element, 0.0);
            let measured = element.clone();
            StoredValue::new_local(browser::on_resize(&element, move |_, px| {
                height.try_set(px);
                row_px.try_set(if browser::matches_media(PHONE) { CARD } else { ROW });
                top.try_set(browser::scroll_of(&measured).0);
            }));
        }
    });
    Effect::new(move |before: Option<u32>| {
        let now = lines.restarts.get();
        if before.is_some_and(|before| before != now)
            && let Some(element) = element.get_untracked()
        {
            browser::scroll_to(&element, 0.0);
        }
        now
    });
    Effect::new(move |_| {
        let (_, to) = window.get();
        lines.want(to.saturating_add(AHEAD));
    });
    choose_what_comes(state);
    let scrolled = move |_| {
        if let Some(element) = element.get_untracked() {
            top.try_set(browser::scroll_of(&element).0);
        }
    };
    let active = move || {
        let (from, to) = window.get();
        lines.active.get().filter(|row| (from..to).contains(row)).map(row_id)
    };
    let rows = move || {
        let (from, to) = window.get();
        from..to
    };
    view! {
        <div
            class="etable"
            role="grid"
            aria-label="Entries"
            aria-multiselectable="true"
            aria-rowcount=move || (lines.total.get() + 1).to_string()
            aria-activedescendant=active
            tabindex="0"
            style=move || lines.columns.with(|columns| column::style(columns))
            node_ref=element
            on:scroll=scrolled
            on:keydown=move |event| on_key(&event, state, sight)
        >
            <Head state />
            <div
                class="etable-space"
                role="none"
                style=move || format!("--rows: {}; --row-h: {}", lines.total.get(), row_px.get())
            >
                <div
                    class="etable-rows"
                    role="rowgroup"
                    style=move || format!("--first: {}; --row-h: {}", window.get().0, row_px.get())
                >
                    <For each=rows key=|row| *row let:row>
                        <Row row state />
                    </For>
                </div>
            </div>
        </div>
    }
}

/// The heads of the columns; each sorts, where it can.
#[component]
fn Head(state: State) -> impl IntoView {
    let columns = move || {
        let head = |col: Col| {
            let label = col.label();
            match col.sort() {
                Some(by) => view! { <HeadCell by is_number=col.is_number() state /> }.into_any(),
                None => view! { <div role="columnheader">{label}</div> }.into_any(),
            }
        };
        state.lines.columns.get().into_iter().map(head).collect_view()
    };
    view! {
        <div class="etable-head" role="rowgroup">
            <div class="eline" role="row" aria-rowindex="1">
                <div role="columnheader"><span class="visually-hidden">"Chosen"</span></div>
                <HeadCell by=EntrySort::Key is_number=false state />
                {columns}
            </div>
        </div>
    }
}

#[component]
fn HeadCell(by: EntrySort, is_number: bool, state: State) -> impl IntoView {
    let order = move || {
        let order = state.place.with(|place| place.order);
        (order.by == by).then_some(if order.descending { "descending" } else { "ascending" })
    };
    let press = move |_| {
        let mut place = state.place.get_untracked();
        place.order = place.order.pressed(by);
        state.replace.run(place);
    };
    view! {
        <div role="columnheader" class:num=is_number aria-sort=order>
            <button type="button" on:click=press>
                {by.label()}
                {move || order().map(|_| view! { <Icon name="down" /> })}
            </button>
        </div>
    }
}

/// Whether a key belongs to what it was pressed on: a button, a link, a box.
fn is_on_control(event: &leptos::ev::KeyboardEvent) -> bool {
    let element = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    element.is_some_and(|element| element.closest("button, a, input").ok().flatten().is_some())
}

/// Arrows move, with Shift they choose what they pass; Space chooses, Enter opens.
fn on_key(event: &leptos::ev::KeyboardEvent, state: State, sight: Sight) {
    let lines = state.lines;
    let last = lines.total.get_untracked().saturating_sub(1);
    let at = lines.active.get_untracked();
    let with_command = event.ctrl_key() || event.meta_key();
    let to = match event.key().as_str() {
        "ArrowDown" => at.map_or(0, |at| at.saturating_add(1)),
        "ArrowUp" => match at {
            Some(at) if at > 0 => at - 1,
            _ => {
                browser::focus_id(keys::SEARCH);
                event.prevent_default();
                event.stop_propagation();
                return;
            }
        },
        "PageDown" => at.unwrap_or(0).saturating_add(sight.page()),
        "PageUp" => at.unwrap_or(0).saturating_sub(sight.page()),
        "Home" => 0,
        "End" => last,
        " " if !is_on_control(event) => {
            if let Some(at) = at {
                choose(state, at);
            }
            event.prevent_default();
            return;
        }
        "Enter" if !is_on_control(event) => {
            if let Some(line) = at.and_then(|at| lines.at(at)) {
                state.go.run(state.place.with_untracked(|place| place.opening(&line.namespace, &line.key)));
            }
            event.prevent_default();
            return;
        }
        "a" | "A" if with_command => {
            state.bulk.add_lines(&lines.here.read_untracked());
            event.prevent_default();
            return;
        }
        _ => return,
    };
    event.prevent_default();
    event.stop_propagation();
    let to = to.min(last);
    if event.shift_key() {
        extend(state, at.unwrap_or(to), to);
    } else {
        lines.anchor.set_value(Some(to));
        lines.reach.set(None);
    }
    lines.active.set(Some(to));
    if let Some(element) = sight.element.get_untracked() {
        browser::focus(&element);
    }
    sight.reveal(to);
}

/// Chooses a row, or no longer; ranges go from it.
fn choose(state: State, row: u32) {
    state.lines.anchor.set_value(Some(row));
    if let Some(line) = state.lines.at(row) {
        let (name, version) = line_name(&line);
        let on = state.bulk.chosen.with_untracked(|chosen| !chosen.contains_key(&name));
        state.bulk.toggle(&name, version, on);
    }
}

/// Moves the end of a range from one row to another: what it leaves is no longer chosen, what it reaches is.
pub(super) fn extend(state: State, from: u32, to: u32) {
    let lines = state.lines;
    let anchor = lines.anchor.get_value().unwrap_or(from);
    lines.anchor.set_value(Some(anchor));
    let (was, is) = (span(anchor, from), span(anchor, to));
    let set = |row: u32, on: bool| {
        if let Some(line) = lines.at(row) {
            let (name, version) = line_name(&line);
            state.bulk.toggle(&name, version, on);
        }
    };
    was.filter(|row| !is.contains(row)).for_each(|row| set(row, false));
    let (first, last) = (*is.start(), *is.end());
    is.for_each(|row| set(row, true));
    let here = lines.here.with_untracked(Vec::len) as u32;
    // What is not here yet is loaded for it, and chosen then.
    lines.reach.set((last >= here).then_some((first.max(here), last)));
    if last >= here {
        lines.want(last.saturating_add(1));
    }
}

/// Chooses what a range was drawn to, as it comes.
fn choose_what_comes(state: State) {
    let lines = state.lines;
    Effect::new(move |_| {
        let here = lines.here.with(Vec::len) as u32;
        let Some((from, to)) = lines.reach.get_untracked().filter(|(from, _)| *from < here) else { return };
        let end = here.min(to.saturating_add(1));
        state.bulk.add_lines(&lines.here.read_untracked()[from as usize..end as usize]);
        lines.reach.set((end <= to).then_some((end, to)));
    });
}

/// The rows between two, with both.
fn span(one: u32, other: u32) -> std::ops::RangeInclusive<u32> {
    one.min(other)..=one.max(other)
}

fn line_name(line: &EntryLine) -> (EntryName, i64) {
    let name = EntryName { namespace: line.namespace.clone(), key: line.key.clone() };
    (name, line.version)
}

impl Lines {
    /// Chooses from the anchor to a row.
    pub(super) fn choose_range(self, state: State, to: u32) {
        let anchor = self.anchor.get_value().unwrap_or(to);
        extend(state, anchor, to);
    }
}
