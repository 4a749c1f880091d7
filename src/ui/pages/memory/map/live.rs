//! What others write while the map is open: new points appear and those that went away are gone, while what one looks at stays where
//! it is.
//!
//! A map that is made anew has other axes. So what is known keeps its place, and a new point is put among those of its neighbours that
//! are known: the ones that the new map says are nearest. To lay all of it out anew stays a press of a button. Bounded: changes are
//! gathered, the pause grows with the time that a map takes, and of very many entries it is only said that something changed.

use std::collections::{BTreeSet, HashMap};

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::refine::Refining;
use super::{State, Told};
use crate::api::memory::map_memory;
use crate::model::live::{ServerMessage, Topic};
use crate::model::memory::MapPoint;
use crate::model::{ApiError, EntryId};
use crate::ui::browser;
use crate::ui::state::live::follow;

/// Entries of a map that follows by itself; of more, a person says when.
const MOST: u32 = 5_000;
/// Changes that arrive within this time are taken together, in ms.
const GATHER_MS: i32 = 1_500;
/// The pause behind a map, in times of how long it took, and the longest one in ms.
const PAUSE_TIMES: f64 = 8.0;
const LONGEST_PAUSE_MS: f64 = 60_000.0;
/// Known points among which a new one is put.
const NEAR: usize = 4;
/// How far beside its neighbours a new point lies, in the unit of the map, so that none hides another.
const BESIDE: f32 = 0.015;

/// Follows the changes of a namespace.
pub(super) fn follow_changes(
    state: State,
    namespace: Memo<String>,
    (told, work): (RwSignal<Option<Result<Told, ApiError>>>, StoredValue<Refining>),
) {
    let topic = Signal::derive(move || Some(Topic::Memory(namespace.get())));
    let (seen, timer) = (StoredValue::new(0_i64), browser::GuardSlot::new());
    let (busy, missed, is_due) = (StoredValue::new(false), StoredValue::new(false), StoredValue::new(false));
    let soon = move || {
        state.is_old.set(true);
        if busy.get_value() {
            missed.set_value(true);
            return;
        }
        // The first change says when, however many come behind it.
        if is_due.get_value() {
            return;
        }
        is_due.set_value(true);
        timer.keep(Some(browser::after_ms(GATHER_MS, move || {
            is_due.set_value(false);
            catch_up(state, namespace, (told, work), (busy, missed));
        })));
    };
    follow(
        topic,
        move || seen.get_value(),
        move |message| match message {
            ServerMessage::Update(update) => {
                seen.set_value(update.seq);
                soon();
            }
            ServerMessage::Snapshot { seq, .. } => {
                // The first one only says where the topic stands.
                if seen.get_value() > 0 {
                    soon();
                }
                seen.set_value(seq);
            }
            ServerMessage::Pong { .. } | ServerMessage::Error { .. } => {}
        },
    );
}

/// Asks for the map as it is now, and takes what is new and what is gone. What comes meanwhile is caught up with behind a pause.
fn catch_up(
    state: State,
    namespace: Memo<String>,
    (told, work): (RwSignal<Option<Result<Told, ApiError>>>, StoredValue<Refining>),
    (busy, missed): (StoredValue<bool>, StoredValue<bool>),
) {
    let shown = told.try_with_untracked(|told| match told {
        Some(Ok(told)) => Some((told.shown, told.entries)),
        _ => None,
    });
    match shown.flatten() {
        // Nothing stands there that could move away.
        Some((0, _)) => return state.again.update(|again| *again += 1),
        Some((_, entries)) if entries <= MOST => {}
        _ => return,
    }
    busy.set_value(true);
    let (of, round, begun) = (namespace.get_untracked(), state.taken.get_untracked(), browser::now_ms());
    spawn_local(async move {
        let answer = map_memory(of.clone()).await;
        // The page may be gone, show another namespace or be about to, or have been laid out anew.
        let is_here = namespace.try_get_untracked() == Some(of) && state.taken.try_get_untracked() == Some(round);
        if is_here && let Ok(map) = answer {
            let now = Told::of(&map);
            work.set_value(Refining::default());
            state.join(map.points);
            told.set(Some(Ok(now)));
        }
        let pause = ((browser::now_ms() - begun) * PAUSE_TIMES).min(LONGEST_PAUSE_MS);
        browser::after_ms_detached(pause as i32, move || {
            if busy.try_get_value().is_none() {
                return;
            }
            busy.set_value(false);
            if missed.try_update_value(|missed| std::mem::replace(missed, false)) == Some(true) {
                catch_up(state, namespace, (told, work), (busy, missed));
            }
        });
    });
}

impl State {
    /// Takes the points of a newer map of the same namespace: what is known stays where it is, and chosen.
    fn join(self, points: Vec<MapPoint>) {
        let before = self.points.with_value(|points| points.iter().map(|point| point.id).collect::<Vec<_>>());
        let (plain, refined) = (self.plain.get_value(), self.refined.get_value());
        let chosen = self.chosen.with_untracked(|chosen| {
            let chosen: BTreeSet<EntryId> = chosen.iter().filter_map(|at| before.get(*at).copied()).collect();
            (0..points.len()).filter(|at| chosen.contains(&points[*at].id)).collect::<BTreeSet<usize>>()
        });
        self.plain.set_value(settled(&before, &plain, &points));
        self.refined.set_value(settled(&before, &refined, &points));
        self.count.set(points.len());
        self.points.set_value(points);
        self.only_chosen.update(|only| *only &= !chosen.is_empty());
        self.chosen.set(chosen);
        self.taken.update(|taken| *taken += 1);
        self.moved.update(|moved| *moved += 1);
    }
}

/// Where the points of a newer map lie on an older one: those that it knows where they were, each other among the known ones that are
/// nearest to it in the newer. Pure.
fn settled(known: &[EntryId], places: &[[f32; 2]], points: &[MapPoint]) -> Vec<[f32; 2]> {
    let old: HashMap<EntryId, [f32; 2]> = known.iter().copied().zip(places.iter().copied()).collect();
    let there: Vec<(&MapPoint, [f32; 2])> =
        points.iter().filter_map(|point| Some((point, *old.get(&point.id)?))).collect();
    let place = |(number, point): (usize, &MapPoint)| {
        if let Some(place) = old.get(&point.id) {
            return *place;
        }
        let mut near: Vec<(f32, [f32; 2])> =
            there.iter().map(|(other, place)| (distance(point, other), *place)).collect();
        if near.is_empty() {
            return [point.x, point.y];
        }
        let count = near.len().min(NEAR);
        near.select_nth_unstable_by(count - 1, |a, b| a.0.total_cmp(&b.0));
        let (mut sum, mut weights) = ([0.0_f32; 2], 0.0_f32);
        for (far, place) in &near[..count] {
            let weight = 1.0 / (far + 1e-4);
            weights += weight;
            sum[0] += place[0] * weight;
            sum[1] += place[1] * weight;
        }
        // Several that are new in the same place lie around it.
        let turn = number as f32 * 2.4;
        [sum[0] / weights + BESIDE * turn.cos(), sum[1] / weights + BESIDE * turn.sin()]
    };
    points.iter().enumerate().map(place).collect()
}

/// How far two points lie from each other along all axes, squared.
fn distance(one: &MapPoint, other: &MapPoint) -> f32 {
    let drawn = (one.x - other.x).powi(2) + (one.y - other.y).powi(2);
    let along = |(a, b): (&i8, &i8)| (f32::from(*a) - f32::from(*b)).powi(2) / 10_000.0;
    drawn + one.detail.iter().zip(&other.detail).map(along).sum::<f32>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;
    use crate::model::memory::{MAP_DETAIL, Trust};

    fn point(id: u128, x: f32, y: f32) -> MapPoint {
        MapPoint {
            id: EntryId(uuid::Uuid::from_u128(id)),
            namespace: "a".to_owned(),
            key: id.to_string(),
            title: String::new(),
            tag: None,
            source: "user".to_owned(),
            trust: Trust::User,
            updated_at: Timestamp(0),
            x,
            y,
            detail: [0; MAP_DETAIL],
        }
    }

    #[test]
    fn what_is_known_stays_and_what_is_new_comes_among_its_neighbours() {
        let known: Vec<EntryId> = (1..=4).map(|id| EntryId(uuid::Uuid::from_u128(id))).collect();
        // Two of them left, two on the right; the newer map has turned around.
        let places = [[-0.9, 0.0], [-0.8, 0.0], [0.8, 0.0], [0.9, 0.0]];
        let newer = [point(1, 0.9, 0.0), point(2, 0.8, 0.0), point(4, -0.9, 0.0), point(5, 0.85, 0.01)];
        let settled = settled(&known, &places, &newer);
        assert_eq!(&settled[..3], &[[-0.9, 0.0], [-0.8, 0.0], [0.9, 0.0]], "what went away is gone");
        assert!(settled[3][0] < -0.6, "the new one is where its neighbours are: {:?}", settled[3]);
    }

    #[test]
    fn where_nothing_is_known_the_newer_map_holds() {
        assert_eq!(settled(&[], &[], &[point(1, 0.5, -0.5)]), [[0.5, -0.5]]);
    }
}
