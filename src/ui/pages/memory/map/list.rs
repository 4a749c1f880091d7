//! The entries of the map as a list: the same choice without pointing at anything.

use std::collections::BTreeSet;

use leptos::prelude::*;

use super::State;
use super::board::toggle;
use crate::ui::components::{Button, ButtonSize, ButtonVariant, VirtualList};
use crate::ui::format;
use crate::ui::pages::memory::place::Place;

/// The height of a row, in px.
const ROW_PX: u32 = 48;

#[component]
pub(super) fn EntryList(state: State) -> impl IntoView {
    // By namespace and key; the numbers stay those of the points.
    let ordered = Memo::new(move |_| {
        state.taken.track();
        state.points.with_value(|points| {
            let mut order: Vec<usize> = (0..points.len()).collect();
            order.sort_by(|a, b| {
                let name = |at: &usize| (&points[*at].namespace, &points[*at].key);
                name(a).cmp(&name(b))
            });
            order
        })
    });
    let listed = Memo::new(move |_| {
        let mut order = ordered.get();
        if state.only_chosen.get() {
            state.chosen.with(|chosen| order.retain(|at| chosen.contains(at)));
        }
        order
    });
    let count = Signal::derive(move || listed.with(Vec::len) as u32);
    let chosen = move || state.chosen.with(BTreeSet::len);
    let none = Signal::derive(move || (chosen() == 0).then(|| "Nothing is chosen".to_owned()));
    let title = move || match chosen() {
        0 => format!("{} entries", format::count(state.count.get() as i64)),
        some => format!("{} chosen", format::count(some as i64)),
    };
    let clear = move |()| {
        state.chosen.set(BTreeSet::new());
        state.only_chosen.set(false);
    };
    view! {
        <aside class="pane" data-depth="surface" aria-label="Entries of the map">
            <div class="pane-head">
                <h2 aria-live="polite">{title}</h2>
                <div class="actions">
                    <Button
                        label="Only chosen"
                        size=ButtonSize::Small
                        refused=none
                        pressed=Signal::derive(move || Some(state.only_chosen.get()))
                        on_press=move |()| state.only_chosen.update(|only| *only = !*only)
                    />
                    <Button label="Clear" size=ButtonSize::Small variant=ButtonVariant::Quiet refused=none on_press=clear />
                </div>
            </div>
            <VirtualList label="Entries" count row_height=ROW_PX class="map-rows" row=move |index| view! { <Row index listed state /> } />
        </aside>
    }
}

#[component]
fn Row(index: Signal<u32>, listed: Memo<Vec<usize>>, state: State) -> impl IntoView {
    let at = Memo::new(move |_| listed.with(|listed| listed.get(index.get() as usize).copied()));
    let shown = Memo::new(move |_| {
        let (at, _) = (at.get()?, state.taken.get());
        state.points.with_value(|points| {
            let point = points.get(at)?;
            let href = Place { namespace: point.namespace.clone(), ..Place::default() };
            let href = href.opening(&point.namespace, &point.key).href();
            Some((href, point.key.clone(), point.namespace.clone(), point.title.clone()))
        })
    });
    let is_chosen = move || at.get().is_some_and(|at| state.chosen.with(|chosen| chosen.contains(&at)));
    let part = move |pick: fn(&(String, String, String, String)) -> &String| {
        move || shown.with(|shown| shown.as_ref().map(|shown| pick(shown).clone()).unwrap_or_default())
    };
    let label = move || format!("Choose {}", part(|shown| &shown.1)());
    view! {
        <li class="map-row row">
            <input
                type="checkbox"
                aria-label=label
                prop:checked=is_chosen
                on:change=move |_| {
                    if let Some(at) = at.get_untracked() {
                        toggle(state, at);
                    }
                }
            />
            <span class="grow">
                <a class="link over" href=part(|shown| &shown.0)>{part(|shown| &shown.1)}</a>
                " "
                <span class="path small">{part(|shown| &shown.2)}</span>
                <span class="small dim over map-title">{part(|shown| &shown.3)}</span>
            </span>
        </li>
    }
}
