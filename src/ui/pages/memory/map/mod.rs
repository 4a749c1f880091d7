//! `/memory/map`: the entries of a namespace as points, beside a list of the same entries.
//!
//! The URL says which namespace. The points are loaded by the browser alone and drawn on a canvas; the list is the same in words, for
//! whoever does not see or point. What is chosen in one is chosen in the other.

mod board;
mod list;
mod refine;
mod scene;

use std::collections::BTreeSet;

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::hooks::use_query_map;

use self::board::Board;
use self::list::EntryList;
use self::refine::Refining;
use self::scene::{Camera, ColourBy, Line, coloured};
use super::place::Place;
use crate::api::memory::map_memory;
use crate::model::memory::{MapBasis, MapPoint, MemoryMap};
use crate::model::{ApiError, Timestamp};
use crate::ui::components::{
    Button, ButtonLink, ButtonShape, ButtonSize, Crumb, EmptyState, ErrorState, PageHeader, Skeleton, SkeletonShape,
};
use crate::ui::{browser, format};

/// How long the browser may draw and answer between two parts of the refining, in ms.
const PAUSE_MS: i32 = 12;

/// What the page's parts share. Numbers of points are places in the list that was loaded.
#[derive(Clone, Copy)]
struct State {
    points: StoredValue<Vec<MapPoint>>,
    /// As the axes put them, and with neighbours brought nearer.
    plain: StoredValue<Vec<[f32; 2]>>,
    refined: StoredValue<Vec<[f32; 2]>>,
    /// Goes up when places or points are others.
    moved: RwSignal<u32>,
    count: RwSignal<usize>,
    is_refined: RwSignal<bool>,
    by: RwSignal<ColourBy>,
    camera: RwSignal<Camera>,
    chosen: RwSignal<BTreeSet<usize>>,
    /// Whether the list shows what is chosen alone.
    only_chosen: RwSignal<bool>,
    /// Whether a drag draws a lasso; else it moves the map.
    is_lasso: RwSignal<bool>,
    colours: Memo<(Vec<usize>, Vec<Line>)>,
}

impl State {
    fn new() -> Self {
        let points = StoredValue::new(Vec::<MapPoint>::new());
        let (count, by) = (RwSignal::new(0), RwSignal::new(ColourBy::Tag));
        let loaded = RwSignal::new(0_u32);
        let colours = Memo::new(move |_| {
            let _ = (count.get(), loaded.get());
            let now = Timestamp((browser::now_ms() * 1000.0) as i64);
            points.with_value(|points| coloured(points, by.get(), now))
        });
        Self {
            points,
            plain: StoredValue::new(Vec::new()),
            refined: StoredValue::new(Vec::new()),
            moved: loaded,
            count,
            is_refined: RwSignal::new(true),
            by,
            camera: RwSignal::new(Camera::ALL),
            chosen: RwSignal::new(BTreeSet::new()),
            only_chosen: RwSignal::new(false),
            is_lasso: RwSignal::new(false),
            colours,
        }
    }

    /// Where the points are drawn.
    fn places<T>(self, with: impl FnOnce(&[[f32; 2]]) -> T) -> Option<T> {
        let places = if self.is_refined.try_get_untracked()? { self.refined } else { self.plain };
        places.try_with_value(|places| with(places))
    }

    /// Takes the points of a map; nothing is chosen then.
    fn take(self, points: Vec<MapPoint>) {
        let plain: Vec<[f32; 2]> = points.iter().map(|point| [point.x, point.y]).collect();
        self.refined.set_value(plain.clone());
        self.plain.set_value(plain);
        self.count.set(points.len());
        self.points.set_value(points);
        self.chosen.update(BTreeSet::clear);
        self.only_chosen.set(false);
        self.camera.set(Camera::ALL);
        self.moved.update(|moved| *moved += 1);
    }
}

/// What is said beside the drawing.
#[derive(Debug, Clone, PartialEq)]
struct Told {
    entries: u32,
    shown: usize,
    without_vector: u32,
    by: MapBasis,
    shares: [f64; 2],
}

/// `/memory/map`.
#[component]
pub fn MapPage() -> impl IntoView {
    let query = use_query_map();
    let place = Memo::new(move |_| query.with(Place::read));
    let namespace = Memo::new(move |_| place.with(|place| place.namespace.clone()));
    let state = State::new();
    let told = RwSignal::new(None::<Result<Told, ApiError>>);
    let again = RwSignal::new(0_u32);
    load(state, namespace, told, again);
    let back = Signal::derive(move || place.with(|place| place.closing().href()));
    let actions = move || {
        view! { <ButtonLink href=back label="As a list" icon="list" size=ButtonSize::Small shape=ButtonShape::Collapsing /> }
    };
    let shown = move || {
        match told.get() {
        None => view! { <Skeleton shape=SkeletonShape::Block(12) what="the map" /> }.into_any(),
        Some(Err(error)) => {
            let retry = Callback::new(move |()| again.update(|again| *again += 1));
            view! { <ErrorState error what="the map" on_retry=retry /> }.into_any()
        }
        Some(Ok(told)) if told.shown == 0 => {
            view! { <EmptyState title="Nothing to draw">"There are no entries here, or none of them has its vector yet."</EmptyState> }.into_any()
        }
        Some(Ok(told)) => view! { <Shown told state /> }.into_any(),
    }
    };
    view! {
        <PageHeader title="Map of the memory" crumbs=vec![Crumb::new("/memory", "Memory")] actions=ViewFnOnce::from(actions) />
        <div class="page-body" data-flush>
            {shown}
        </div>
    }
}

/// Loads the map of the namespace in the browser, and begins to refine it.
fn load(state: State, namespace: Memo<String>, told: RwSignal<Option<Result<Told, ApiError>>>, again: RwSignal<u32>) {
    let asked = StoredValue::new(0_u32);
    let work = StoredValue::new(Refining::default());
    Effect::new(move |_| {
        let _ = again.get();
        let namespace = namespace.get();
        asked.update_value(|asked| *asked += 1);
        let mine = asked.get_value();
        told.set(None);
        spawn_local(async move {
            let answer = map_memory(namespace).await;
            // The page may be gone, or show another namespace by now.
            if asked.try_get_value() != Some(mine) {
                return;
            }
            let answer = answer.map(|map| {
                let MemoryMap { points, entries, without_vector, by, shares, .. } = map;
                let told = Told { entries, shown: points.len(), without_vector, by, shares };
                work.set_value(Refining::new(&points));
                state.take(points);
                go_on(state, work);
                told
            });
            told.set(Some(answer));
        });
    });
}

/// Refines a part, lets the browser draw and answer, and goes on. It ends by itself when the page is gone. After another map has come it
/// may go on twice for a while: both do the same work, and the sooner it is done.
fn go_on(state: State, work: StoredValue<Refining>) {
    let next = move || {
        let Some(more) = work.try_update_value(Refining::step) else { return };
        let is_calm = browser::matches_media("(prefers-reduced-motion: reduce)");
        if work.with_value(Refining::has_moved) && (!more || !is_calm) {
            state.refined.set_value(work.with_value(|work| work.places().to_vec()));
            state.moved.try_update(|moved| *moved += 1);
        }
        if more {
            go_on(state, work);
        }
    };
    browser::after_ms_detached(PAUSE_MS, next);
}

#[component]
fn Shown(told: Told, state: State) -> impl IntoView {
    view! {
        <div class="panes memory-map">
            <div class="map-side">
                <Tools state />
                <Board state />
                <div class="map-foot stack">
                    <Legend state />
                    <p class="small dim">{said(&told)}</p>
                </div>
            </div>
            <EntryList state />
        </div>
    }
}

/// What the drawing shows, and what it does not.
fn said(told: &Told) -> String {
    let what = match &told.by {
        MapBasis::Vectors { model } => format!("Near means alike in meaning, by the vectors of {model}."),
        MapBasis::Words {} => {
            "Near means that they share rare words: there are too few vectors to go by meaning.".to_owned()
        }
    };
    let count = format::count(i64::from(told.entries));
    let shown = if told.shown as u32 + told.without_vector < told.entries {
        format!(
            " {} of {count} entries, taken as if by lot, the same ones each time.",
            format::count(told.shown as i64)
        )
    } else {
        format!(" {count} entries.")
    };
    let without = match told.without_vector {
        0 => String::new(),
        some => format!(" {} have no vector yet and are not drawn.", format::count(i64::from(some))),
    };
    let shares = (told.shares[0] + told.shares[1]).min(1.0);
    format!("{what}{shown}{without} The two axes show {} of how they differ.", format::percent(shares))
}

#[component]
fn Tools(state: State) -> impl IntoView {
    let by = move |by: ColourBy| {
        view! {
            <button
                type="button"
                aria-pressed=move || if state.by.get() == by { "true" } else { "false" }
                on:click=move |_| state.by.set(by)
            >
                {by.label()}
            </button>
        }
    };
    view! {
        <div class="map-tools row wrap">
            <div class="segmented" role="group" aria-label="Colour by">{ColourBy::ALL.map(by).into_iter().collect_view()}</div>
            <Button
                label="Lasso"
                icon="group"
                size=ButtonSize::Small
                pressed=Signal::derive(move || Some(state.is_lasso.get()))
                on_press=move |()| state.is_lasso.update(|lasso| *lasso = !*lasso)
            />
            <Button
                label="Neighbours nearer"
                icon="tidy"
                size=ButtonSize::Small
                pressed=Signal::derive(move || Some(state.is_refined.get()))
                on_press=move |()| {
                    state.is_refined.update(|refined| *refined = !*refined);
                    state.moved.update(|moved| *moved += 1);
                }
            />
        </div>
    }
}

/// What the colours mean.
#[component]
fn Legend(state: State) -> impl IntoView {
    let line = |line: Line| {
        view! {
            <li class="row">
                <i class="map-ink" data-ink=line.ink.to_string() aria-hidden="true"></i>
                <span>{line.label} " " <span class="dimmer">{format::count(line.count as i64)}</span></span>
            </li>
        }
    };
    view! {
        <ul class="map-legend row wrap small" role="list" aria-label="Colours">
            {move || state.colours.get().1.into_iter().map(line).collect_view()}
        </ul>
    }
}
