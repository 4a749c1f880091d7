//! `/memory/map`: the entries of a namespace as points, beside a list of the same entries.
//!
//! The URL says which namespace. The points are loaded by the browser alone and drawn on a canvas; the list is the same in words, for
//! whoever does not see or point. What is chosen in one is chosen in the other.

mod board;
mod list;
mod live;
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
use super::bulk::{Bulk, BulkBar, BulkDialogs, Chosen, refused_by_role};
use super::place::Place;
use crate::api::memory::map_memory;
use crate::model::memory::{EntryName, MapBasis, MapPoint, MemoryMap};
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
    /// Goes up when points are others.
    taken: RwSignal<u32>,
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
    bulk: Bulk,
    /// Goes up when the map has to be loaded anew.
    again: RwSignal<u32>,
    /// Whether somebody has written here since it was laid out: what came since stands among its neighbours, as well as they are known.
    is_old: RwSignal<bool>,
}

impl State {
    fn new() -> Self {
        let points = StoredValue::new(Vec::<MapPoint>::new());
        let (count, by) = (RwSignal::new(0), RwSignal::new(ColourBy::Tag));
        let (moved, taken, again) = (RwSignal::new(0_u32), RwSignal::new(0_u32), RwSignal::new(0_u32));
        // Not by where the points are: that changes with each part of the refining, and colours do not.
        let colours = Memo::new(move |_| {
            taken.track();
            let now = Timestamp((browser::now_ms() * 1000.0) as i64);
            points.with_value(|points| coloured(points, by.get(), now))
        });
        Self {
            points,
            plain: StoredValue::new(Vec::new()),
            refined: StoredValue::new(Vec::new()),
            moved,
            taken,
            count,
            is_refined: RwSignal::new(true),
            by,
            camera: RwSignal::new(Camera::ALL),
            chosen: RwSignal::new(BTreeSet::new()),
            only_chosen: RwSignal::new(false),
            is_lasso: RwSignal::new(false),
            colours,
            bulk: Bulk::new(Callback::new(move |()| {
                // A change may end after the page is gone.
                again.try_update(|again| *again += 1);
            })),
            again,
            is_old: RwSignal::new(false),
        }
    }

    /// Where the points are drawn.
    fn places<T>(self, with: impl FnOnce(&[[f32; 2]]) -> T) -> Option<T> {
        let places = if self.is_refined.try_get_untracked()? { self.refined } else { self.plain };
        places.try_with_value(|places| with(places))
    }

    /// Takes the points of a map; nothing is chosen then. Where it is the same namespace, the same part of it stays in sight.
    fn take(self, points: Vec<MapPoint>, is_same: bool) {
        let plain: Vec<[f32; 2]> = points.iter().map(|point| [point.x, point.y]).collect();
        self.refined.set_value(plain.clone());
        self.plain.set_value(plain);
        self.count.set(points.len());
        self.points.set_value(points);
        self.chosen.update(BTreeSet::clear);
        self.only_chosen.set(false);
        if !is_same {
            self.camera.set(Camera::ALL);
        }
        self.is_old.set(false);
        self.taken.update(|taken| *taken += 1);
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

impl Told {
    fn of(map: &MemoryMap) -> Self {
        let MemoryMap { points, entries, without_vector, by, shares, .. } = map;
        Self {
            entries: *entries,
            shown: points.len(),
            without_vector: *without_vector,
            by: by.clone(),
            shares: *shares,
        }
    }
}

/// What the page is: what others write alters what it says and not what it is, so that nothing under a pointer is drawn anew.
#[derive(Debug, Clone, PartialEq)]
enum Face {
    Waiting,
    Failed(ApiError),
    Empty,
    Drawn,
}

/// `/memory/map`.
#[component]
pub fn MapPage() -> impl IntoView {
    let query = use_query_map();
    let place = Memo::new(move |_| query.with(Place::read));
    let namespace = Memo::new(move |_| place.with(|place| place.namespace.clone()));
    let state = State::new();
    let told = RwSignal::new(None::<Result<Told, ApiError>>);
    let work = StoredValue::new(Refining::default());
    load(state, namespace, (told, work));
    live::follow_changes(state, namespace, (told, work));
    choose_entries(state);
    let back = Signal::derive(move || place.with(|place| place.closing().href()));
    let actions = move || {
        view! { <ButtonLink href=back label="As a list" icon="list" size=ButtonSize::Small shape=ButtonShape::Collapsing /> }
    };
    let face = Memo::new(move |_| {
        told.with(|told| match told {
            None => Face::Waiting,
            Some(Err(error)) => Face::Failed(error.clone()),
            Some(Ok(told)) if told.shown == 0 => Face::Empty,
            Some(Ok(_)) => Face::Drawn,
        })
    });
    let shown = move || {
        match face.get() {
        Face::Waiting => view! { <Skeleton shape=SkeletonShape::Block(12) what="the map" /> }.into_any(),
        Face::Failed(error) => {
            let retry = Callback::new(move |()| state.again.update(|again| *again += 1));
            view! { <ErrorState error what="the map" on_retry=retry /> }.into_any()
        }
        Face::Empty => {
            view! { <EmptyState title="Nothing to draw">"There are no entries here, or none of them has its vector yet."</EmptyState> }.into_any()
        }
        Face::Drawn => view! { <Shown told state /> }.into_any(),
    }
    };
    view! {
        <PageHeader title="Map of the memory" crumbs=vec![Crumb::new("/memory", "Memory")] actions=ViewFnOnce::from(actions) />
        <div class="page-body" data-flush>
            {shown}
        </div>
        <BulkDialogs bulk=state.bulk />
    }
}

/// What is chosen on the map is what the bar changes. Which version that is, the map does not say.
fn choose_entries(state: State) {
    Effect::new(move |_| {
        let chosen: Chosen = state.chosen.with(|chosen| {
            state.points.with_value(|points| {
                let name = |point: &MapPoint| EntryName { namespace: point.namespace.clone(), key: point.key.clone() };
                chosen.iter().filter_map(|at| points.get(*at)).map(|point| (name(point), None)).collect()
            })
        });
        state.bulk.chosen.set(chosen);
    });
}

/// Loads the map of the namespace in the browser, and begins to refine it.
fn load(
    state: State,
    namespace: Memo<String>,
    (told, work): (RwSignal<Option<Result<Told, ApiError>>>, StoredValue<Refining>),
) {
    let asked = StoredValue::new(0_u32);
    Effect::new(move |before: Option<String>| {
        state.again.track();
        let namespace = namespace.get();
        let is_same = before.as_ref() == Some(&namespace);
        let asked_of = namespace.clone();
        asked.update_value(|asked| *asked += 1);
        let mine = asked.get_value();
        if !is_same || !told.with_untracked(|told| matches!(told, Some(Ok(_)))) {
            told.set(None);
        }
        spawn_local(async move {
            let answer = map_memory(asked_of).await;
            // The page may be gone, or show another namespace by now.
            if asked.try_get_value() != Some(mine) {
                return;
            }
            let answer = answer.map(|map| {
                let told = Told::of(&map);
                work.set_value(Refining::new(&map.points));
                state.take(map.points, is_same);
                go_on(state, work);
                told
            });
            told.set(Some(answer));
        });
        namespace
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
fn Shown(told: RwSignal<Option<Result<Told, ApiError>>>, state: State) -> impl IntoView {
    let about = move || told.with(|told| told.as_ref().and_then(|told| told.as_ref().ok()).map(said));
    let refused = Signal::stored(refused_by_role());
    let none = Callback::new(move |()| {
        state.chosen.set(BTreeSet::new());
        state.only_chosen.set(false);
        state.bulk.clear();
    });
    view! {
        <div class="panes memory-map">
            <div class="map-side">
                <BulkBar bulk=state.bulk refused none />
                <Tools state />
                <Board state />
                <div class="map-foot stack">
                    <Legend state />
                    <p class="small dim">{about}</p>
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
            <Show when=move || state.is_old.get()>
                <Button
                    label="Lay it out anew"
                    icon="retry"
                    size=ButtonSize::Small
                    on_press=move |()| state.again.update(|again| *again += 1)
                />
            </Show>
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
