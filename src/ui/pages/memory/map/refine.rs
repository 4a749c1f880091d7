//! Bringing neighbours of a map nearer to each other, a little at a time, so that nothing waits for it. Pure.
//!
//! Two axes show a part of how entries differ. Eight say better which entries are each other's neighbours; points are drawn towards
//! these, pushed from others, and held to where the two axes put them, so that the map stays the one that was seen first.

use crate::model::memory::{MAP_DETAIL, MapPoint};

/// Numbers by which neighbours are known.
const DIMS: usize = 2 + MAP_DETAIL;
/// Neighbours of a point.
const NEAR: usize = 6;
/// Points before and behind one along each axis that may be its neighbours.
const WINDOW: usize = 6;
/// Points whose neighbours are looked for in one step.
const SOME: usize = 1_000;
/// Rounds of moving.
const ROUNDS: u32 = 30;
/// Others that a point is pushed from in a round.
const OTHERS: usize = 4;
/// How far a push reaches, in the unit of the map.
const REACH: f32 = 0.12;
/// No point goes farther out.
const EDGE: f32 = 1.2;

/// The work, and how far it has come.
#[derive(Debug, Clone, Default)]
pub(super) struct Refining {
    rows: Vec<[f32; DIMS]>,
    /// The points along each axis, and where each stands in that order.
    orders: Vec<Vec<u32>>,
    ranks: Vec<Vec<u32>>,
    near: Vec<[u32; NEAR]>,
    places: Vec<[f32; 2]>,
    rounds: u32,
    state: u64,
}

impl Refining {
    /// Begins with where the axes put the points.
    pub fn new(points: &[MapPoint]) -> Self {
        let row = |point: &MapPoint| {
            let mut row = [point.x, point.y, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
            row[2..].iter_mut().zip(point.detail).for_each(|(number, detail)| *number = f32::from(detail) / 100.0);
            row
        };
        let rows: Vec<[f32; DIMS]> = points.iter().map(row).collect();
        let order = |axis: usize| {
            let mut order: Vec<u32> = (0..rows.len() as u32).collect();
            order.sort_by(|a, b| rows[*a as usize][axis].total_cmp(&rows[*b as usize][axis]).then(a.cmp(b)));
            order
        };
        let orders: Vec<Vec<u32>> = (0..DIMS).map(order).collect();
        let rank = |order: &Vec<u32>| {
            let mut ranks = vec![0; order.len()];
            (0_u32..).zip(order).for_each(|(rank, at)| ranks[*at as usize] = rank);
            ranks
        };
        let ranks = orders.iter().map(rank).collect();
        let places = rows.iter().map(|row| [row[0], row[1]]).collect();
        Self { rows, orders, ranks, near: Vec::new(), places, rounds: 0, state: 0x9e37_79b9_7f4a_7c15 }
    }

    /// Where the points are by now.
    pub fn places(&self) -> &[[f32; 2]] {
        &self.places
    }

    /// Whether points have moved, and not only neighbours been found.
    pub const fn has_moved(&self) -> bool {
        self.rounds > 0
    }

    /// Does a part of the work, some milliseconds of it; `false` when it was the last.
    pub fn step(&mut self) -> bool {
        if self.rows.len() < 3 {
            return false;
        }
        if self.near.len() < self.rows.len() {
            let end = (self.near.len() + SOME).min(self.rows.len());
            for at in self.near.len()..end {
                let near = self.neighbours(at);
                self.near.push(near);
            }
            return true;
        }
        self.round();
        self.rounds += 1;
        self.rounds < ROUNDS
    }

    fn distance(&self, a: usize, b: usize) -> f32 {
        self.rows[a].iter().zip(&self.rows[b]).map(|(a, b)| (a - b) * (a - b)).sum()
    }

    /// The nearest of those that stand beside a point along any axis. Where there are fewer, the point itself fills up.
    fn neighbours(&self, at: usize) -> [u32; NEAR] {
        let mut found: Vec<(f32, u32)> = Vec::with_capacity(DIMS * 2 * WINDOW);
        for (order, ranks) in self.orders.iter().zip(&self.ranks) {
            let rank = ranks[at] as usize;
            let beside = &order[rank.saturating_sub(WINDOW)..(rank + WINDOW + 1).min(order.len())];
            let others = beside.iter().filter(|other| **other as usize != at);
            found.extend(others.map(|other| (self.distance(at, *other as usize), *other)));
        }
        found.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        found.dedup();
        let mut near = [at as u32; NEAR];
        near.iter_mut().zip(found).for_each(|(near, (_, other))| *near = other);
        near
    }

    /// A number that looks random, and is the same each time.
    fn lot(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state >> 11
    }

    fn round(&mut self) {
        let count = self.places.len();
        for at in 0..count {
            let [x, y] = self.places[at];
            let (mut sum, mut push) = ([0.0_f32; 2], [0.0_f32; 2]);
            for near in self.near[at] {
                let [nx, ny] = self.places[near as usize];
                sum = [sum[0] + nx, sum[1] + ny];
            }
            for _ in 0..OTHERS {
                let lot = self.lot();
                let other = (lot % count as u64) as usize;
                if other == at {
                    continue;
                }
                let [ox, oy] = self.places[other];
                let (dx, dy) = (x - ox, y - oy);
                let far = dx.hypot(dy);
                if far >= REACH {
                    continue;
                }
                let strength = 0.1 * (REACH - far);
                // Two in one place part in a direction by lot.
                let angle = lot as f32 * 1e-4;
                let (ux, uy) = if far > 1e-6 { (dx / far, dy / far) } else { (angle.cos(), angle.sin()) };
                push = [push[0] + strength * ux, push[1] + strength * uy];
            }
            let home = self.rows[at];
            let moved = |axis: usize, from: f32| {
                let pull = 0.15 * (sum[axis] / NEAR as f32 - from);
                let hold = 0.04 * (home[axis] - from);
                (from + pull + hold + push[axis]).clamp(-EDGE, EDGE)
            };
            self.places[at] = [moved(0, x), moved(1, y)];
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::model::memory::Trust;
    use crate::model::{EntryId, Timestamp};

    fn point(number: u128, x: f32, y: f32, third: i8) -> MapPoint {
        MapPoint {
            id: EntryId(Uuid::from_u128(number)),
            namespace: "a".to_owned(),
            key: number.to_string(),
            title: String::new(),
            tag: None,
            source: "cli".to_owned(),
            trust: Trust::User,
            updated_at: Timestamp(0),
            x,
            y,
            detail: [third, 0, 0, 0, 0, 0],
        }
    }

    fn refined(points: &[MapPoint]) -> Vec<[f32; 2]> {
        let mut work = Refining::new(points);
        while work.step() {}
        work.places().to_vec()
    }

    fn distance(a: [f32; 2], b: [f32; 2]) -> f32 {
        (a[0] - b[0]).hypot(a[1] - b[1])
    }

    #[test]
    fn what_two_axes_can_not_part_is_parted_by_its_neighbours() {
        // Two clouds that lie over each other in the drawing, and apart along the third axis.
        let cloud = |n: u128| (((n * 7) % 40) as f32 / 40.0 - 0.5, ((n * 11) % 40) as f32 / 40.0 - 0.5);
        let points: Vec<MapPoint> = (0..200_u128)
            .map(|n| {
                let (x, y) = cloud(n);
                point(n, x, y, if n % 2 == 0 { 90 } else { -90 })
            })
            .collect();
        let work = {
            let mut work = Refining::new(&points);
            while work.step() {}
            work
        };
        let same = |at: usize| work.near[at].iter().filter(|near| **near as usize % 2 == at % 2).count();
        let all: usize = (0..200).map(same).sum();
        assert!(all > 200 * NEAR * 9 / 10, "neighbours are those of eight axes: {all}");
        assert!(work.places().iter().flatten().all(|number| number.is_finite() && number.abs() <= EDGE));
    }

    #[test]
    fn the_map_stays_the_one_that_was_seen_first() {
        let points: Vec<MapPoint> = (0..100_u128)
            .map(|n| point(n, if n < 50 { -0.8 } else { 0.8 } + (n % 7) as f32 * 0.01, (n % 5) as f32 * 0.01, 0))
            .collect();
        let places = refined(&points);
        assert!(places[..50].iter().all(|place| place[0] < -0.3));
        assert!(places[50..].iter().all(|place| place[0] > 0.3));
        assert_eq!(places, refined(&points), "the same each time");
    }

    #[test]
    fn points_in_one_place_part_and_stay_on_the_map() {
        let points: Vec<MapPoint> = (0..30).map(|n| point(n, 0.0, 0.0, 0)).collect();
        let places = refined(&points);
        assert!(places.windows(2).any(|pair| distance(pair[0], pair[1]) > 1e-4));
        assert!(places.iter().flatten().all(|number| number.abs() <= EDGE));
    }

    #[test]
    fn few_points_are_left_where_they_are() {
        for count in 0..3 {
            let points: Vec<MapPoint> = (0..count).map(|n| point(n, n as f32, 0.5, 0)).collect();
            let mut work = Refining::new(&points);
            assert!(!work.step() && !work.has_moved());
            assert_eq!(work.places().len(), points.len());
        }
    }
}
