//! Threads: right-angled ways between ports that never enter a node, share a lane where they share an end, and keep apart
//! where they don't.

use std::fmt::Write as _;

use super::geometry::{self, Point, Rect, Side};
use super::search;
use crate::model::workflow::{Edge, Step};

/// The radius of a corner.
pub const RADIUS: f64 = 9.0;
/// How far below a port or above an input a thread turns at the earliest.
pub const STUB: f64 = 14.0;
/// How far from its end a lane lies where there is room.
const LANE: f64 = 24.0;
/// The distance of two lanes that share no end.
const TRACK: f64 = 10.0;
/// The air between a thread and a node.
const AIR: f64 = 8.0;
/// The length of an arrow's head; the line ends short of it.
const HEAD: f64 = 5.0;

/// The two ends of a thread.
#[derive(Debug, Clone, PartialEq)]
pub struct Ends {
    /// Where it leaves.
    pub from: Point,
    /// On which side of the node.
    pub side: Side,
    /// Where it enters, from above.
    pub to: Point,
    /// Equal for threads that leave the same step, so that they may share a lane.
    pub source: usize,
    /// Equal for threads that enter the same step.
    pub target: usize,
}

/// A thread: corner points from port to input; neighbours differ in one coordinate only.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Route {
    /// At least two.
    pub points: Vec<Point>,
}

/// Routes all threads, in order; each keeps clear of `boxes` and of the ones before it.
pub fn route_all(ends: &[Ends], boxes: &[Rect]) -> Vec<Route> {
    let mut routes: Vec<Route> = Vec::with_capacity(ends.len());
    let mut lanes = Lanes::default();
    for end in ends {
        let route = route(end, boxes, &lanes);
        lanes.add(end, &route);
        routes.push(route);
    }
    routes
}

/// The ways of all edges of a graph that have both their ends.
pub fn ways(steps: &[Step], edges: &[Edge]) -> Vec<(Edge, Route)> {
    let place = |id: &str| steps.iter().position(|step| step.id == id);
    let drawn = edges.iter().filter_map(|edge| {
        let (source, target) = (place(&edge.from)?, place(&edge.to)?);
        let (from, side) = geometry::out_point(&steps[source], &edge.port);
        let to = geometry::in_point(&steps[target]);
        Some((edge.clone(), Ends { from, side, to, source, target }))
    });
    let (edges, ends): (Vec<_>, Vec<_>) = drawn.unzip();
    let boxes: Vec<Rect> = steps.iter().map(geometry::node_rect).collect();
    edges.into_iter().zip(route_all(&ends, &boxes)).collect()
}

/// Horizontal stretches that are taken.
#[derive(Debug, Clone, Default)]
pub struct Lanes {
    taken: Vec<Lane>,
}

#[derive(Debug, Clone, Copy)]
struct Lane {
    a: Point,
    b: Point,
    source: usize,
    target: usize,
}

impl Lanes {
    /// Takes the stretches of a thread.
    pub fn add(&mut self, ends: &Ends, route: &Route) {
        let stretches = route.points.windows(2).map(|pair| Lane {
            a: pair[0],
            b: pair[1],
            source: ends.source,
            target: ends.target,
        });
        self.taken.extend(stretches);
    }

    /// Where a thread's inner stretches cross strangers that were taken before: short pieces of it, for the casing that
    /// makes the crossing read as over and under.
    pub fn crossings(&self, ends: &Ends, route: &Route) -> Vec<(Point, Point)> {
        let mut found = Vec::new();
        for pair in route.points.windows(2) {
            let strangers = self.taken.iter().filter(|lane| lane.source != ends.source && lane.target != ends.target);
            for lane in strangers {
                if let Some(at) = crossing(pair[0], pair[1], lane.a, lane.b) {
                    let upright = (pair[0].x - pair[1].x).abs() < 0.5;
                    let (dx, dy) = if upright { (0.0, 6.0) } else { (6.0, 0.0) };
                    found.push((at.plus(-dx, -dy), at.plus(dx, dy)));
                }
            }
        }
        found
    }

    /// What it costs to run along what strangers have taken.
    fn cost(&self, ends: &Ends, a: Point, b: Point) -> f64 {
        let strangers = self.taken.iter().filter(|lane| lane.source != ends.source && lane.target != ends.target);
        strangers.map(|lane| shared(a, b, lane.a, lane.b) * 4.0).sum()
    }
}

/// Where two stretches cross at a right angle, away from the ends of both.
fn crossing(a: Point, b: Point, c: Point, d: Point) -> Option<Point> {
    const END: f64 = RADIUS + 1.0;
    let upright = |p: Point, q: Point| (p.x - q.x).abs() < 0.5;
    let ((top, bottom), (left, right)) = match (upright(a, b), upright(c, d)) {
        (true, false) => ((a, b), (c, d)),
        (false, true) => ((c, d), (a, b)),
        _ => return None,
    };
    let at = Point::new(top.x, left.y);
    let within = |value: f64, p: f64, q: f64| value > p.min(q) + END && value < p.max(q) - END;
    (within(at.x, left.x, right.x) && within(at.y, top.y, bottom.y)).then_some(at)
}

/// How long two parallel stretches run on top of each other.
fn shared(a: Point, b: Point, c: Point, d: Point) -> f64 {
    let close = TRACK - 2.0;
    if (a.y - b.y).abs() < 0.5 && (c.y - d.y).abs() < 0.5 && (a.y - c.y).abs() < close {
        return (a.x.max(b.x).min(c.x.max(d.x)) - a.x.min(b.x).max(c.x.min(d.x))).max(0.0);
    }
    if (a.x - b.x).abs() < 0.5 && (c.x - d.x).abs() < 0.5 && (a.x - c.x).abs() < close {
        return (a.y.max(b.y).min(c.y.max(d.y)) - a.y.min(b.y).max(c.y.min(d.y))).max(0.0);
    }
    0.0
}

/// Routes one thread: the cheapest of a few natural shapes, else a search, else straight through.
pub fn route(ends: &Ends, boxes: &[Rect], lanes: &Lanes) -> Route {
    let start = match ends.side {
        Side::Right => ends.from.plus(STUB + 4.0, 0.0),
        Side::Top | Side::Bottom => ends.from,
    };
    let mut best: Option<(f64, Vec<Point>)> = None;
    let mut plain = None;
    for points in shapes(start, ends.to, boxes) {
        let points = if ends.side == Side::Right { joined(ends.from, points) } else { points };
        if let Some(cost) = cost(ends, &points, boxes, lanes)
            && best.as_ref().is_none_or(|(least, _)| cost < *least)
        {
            best = Some((cost, points.clone()));
        }
        plain.get_or_insert(points);
    }
    let found = best.map(|(_, points)| points).or_else(|| {
        let way = search::around(start.plus(0.0, STUB), ends.to.plus(0.0, -STUB), boxes)?;
        Some([vec![ends.from, start], way, vec![ends.to]].concat())
    });
    Route { points: simplified(found.or(plain).unwrap_or_else(|| vec![ends.from, ends.to])) }
}

fn joined(from: Point, mut points: Vec<Point>) -> Vec<Point> {
    points.insert(0, from);
    points
}

/// Natural shapes, the most natural first: straight; down, across, down; and with a channel beside what stands between.
fn shapes(s: Point, t: Point, boxes: &[Rect]) -> Vec<Vec<Point>> {
    let mut shapes = Vec::new();
    if (s.x - t.x).abs() < 0.5 && t.y > s.y {
        shapes.push(vec![s, t]);
    }
    let room = t.y - s.y;
    if room >= 2.0 * STUB {
        for y in lanes_between(s.y, t.y) {
            shapes.push(vec![s, Point::new(s.x, y), Point::new(t.x, y), t]);
        }
    }
    let (first, last) = (s.y + LANE.min((room / 3.0).max(STUB)), t.y - LANE.min((room / 3.0).max(STUB)));
    let (top, bottom) = (first.min(last), first.max(last));
    let (left, right) = (s.x.min(t.x) - 320.0, s.x.max(t.x) + 320.0);
    let near = boxes.iter().filter(|b| b.bottom() >= top && b.y <= bottom && b.right() >= left && b.x <= right);
    let mut channels: Vec<f64> = near.flat_map(|b| [b.x - 2.0 * AIR, b.right() + 2.0 * AIR]).collect();
    channels.sort_by(|a, b| detour(*a, s, t).total_cmp(&detour(*b, s, t)));
    channels.dedup_by(|a, b| (*a - *b).abs() < 1.0);
    for x in channels.into_iter().take(10) {
        for (extra, more) in [(0.0, 0.0), (TRACK, 0.0), (0.0, TRACK)] {
            let (y1, y2) = (first + extra, last - more);
            shapes.push(vec![s, Point::new(s.x, y1), Point::new(x, y1), Point::new(x, y2), Point::new(t.x, y2), t]);
        }
    }
    shapes
}

fn detour(x: f64, s: Point, t: Point) -> f64 {
    (x - s.x).abs() + (x - t.x).abs()
}

/// Heights for the one crossbar: the middle of a short gap; in a long one near the target, near the source; then tracks beside.
fn lanes_between(from: f64, to: f64) -> Vec<f64> {
    let middle = f64::midpoint(from, to);
    let main = if to - from <= 5.0 * LANE { vec![middle] } else { vec![to - LANE, from + LANE, middle] };
    let mut lanes = main.clone();
    for track in 1..=4_i32 {
        for sign in [-1.0, 1.0] {
            lanes.extend(main.iter().map(|y| y + sign * f64::from(track) * TRACK));
        }
    }
    lanes.retain(|y| *y >= from + STUB - 0.5 && *y <= to - STUB + 0.5);
    if lanes.is_empty() {
        lanes.push(middle);
    }
    lanes
}

/// Length, corners, closeness to nodes and sharing with strangers; `None` when it enters a node.
fn cost(ends: &Ends, points: &[Point], boxes: &[Rect], lanes: &Lanes) -> Option<f64> {
    let mut cost = points.len() as f64 * 30.0;
    for (index, pair) in points.windows(2).enumerate() {
        let (a, b) = (pair[0], pair[1]);
        cost += (a.x - b.x).abs() * 0.3 + (a.y - b.y).abs() * 0.3 + lanes.cost(ends, a, b);
        let ends_here = index == 0 || index + 2 == points.len();
        for frame in boxes {
            if frame.is_crossed(a, b) {
                return None;
            }
            if !ends_here && frame.grown(AIR).is_crossed(a, b) {
                cost += 60.0;
            }
        }
    }
    Some(cost)
}

/// Without repeated points and corners that don't turn.
fn simplified(points: Vec<Point>) -> Vec<Point> {
    let mut clean: Vec<Point> = Vec::with_capacity(points.len());
    for point in points {
        if clean.last().is_some_and(|last| last.distance(point) < 0.01) {
            continue;
        }
        if let [.., a, b] = clean[..]
            && ((a.x - b.x).abs() < 0.01 && (b.x - point.x).abs() < 0.01 && (b.y - a.y) * (point.y - b.y) >= 0.0
                || (a.y - b.y).abs() < 0.01 && (b.y - point.y).abs() < 0.01 && (b.x - a.x) * (point.x - b.x) >= 0.0)
        {
            clean.pop();
        }
        clean.push(point);
    }
    clean
}

impl Route {
    /// The `d` of the line, with rounded corners; it ends where the arrow's head begins.
    pub fn path(&self) -> String {
        let mut d = String::new();
        let Some((first, rest)) = self.points.split_first() else {
            return d;
        };
        let _ = write!(d, "M{} {}", num(first.x), num(first.y));
        let mut from = *first;
        for (index, &at) in rest.iter().enumerate() {
            let Some(&next) = rest.get(index + 1) else {
                let _ = write!(d, "L{} {}", num(at.x), num(at.y - HEAD));
                break;
            };
            let after = if index + 2 == rest.len() { next.plus(0.0, -HEAD) } else { next };
            let radius = RADIUS
                .min(from.distance(at) / 2.0)
                .min(at.distance(after) / if index + 2 == rest.len() { 1.0 } else { 2.0 });
            let (a, b) = (toward(at, from, radius), toward(at, next, radius));
            let _ = write!(d, "L{} {}Q{} {} {} {}", num(a.x), num(a.y), num(at.x), num(at.y), num(b.x), num(b.y));
            from = at;
        }
        d
    }

    /// The `d` of the arrow's head.
    pub fn head(&self) -> String {
        let Some(at) = self.points.last() else {
            return String::new();
        };
        format!("M{} {}h9L{} {}Z", num(at.x - 4.5), num(at.y - HEAD - 3.0), num(at.x), num(at.y - 1.0))
    }

    /// Where a word about the thread stands: beside its first stretch, just below the port.
    pub fn label_at(&self) -> Point {
        let Some(first) = self.points.first() else {
            return Point::default();
        };
        first.plus(0.0, 12.0)
    }

    /// The middle of its longest stretch: where its menu opens.
    pub fn middle(&self) -> Point {
        let longest = self.points.windows(2).max_by(|a, b| a[0].distance(a[1]).total_cmp(&b[0].distance(b[1])));
        longest.map_or_else(Point::default, |pair| {
            Point::new(f64::midpoint(pair[0].x, pair[1].x), f64::midpoint(pair[0].y, pair[1].y))
        })
    }

    /// How far a point is from the thread.
    pub fn distance(&self, at: Point) -> f64 {
        let to_stretch = |pair: &[Point]| {
            let box_ = Rect::between(pair[0], pair[1]);
            let dx = (box_.x - at.x).max(0.0).max(at.x - box_.right());
            let dy = (box_.y - at.y).max(0.0).max(at.y - box_.bottom());
            dx.hypot(dy)
        };
        self.points.windows(2).map(to_stretch).fold(f64::INFINITY, f64::min)
    }
}

fn toward(from: Point, to: Point, by: f64) -> Point {
    let length = from.distance(to);
    if length < 0.01 {
        return from;
    }
    from.plus((to.x - from.x) / length * by, (to.y - from.y) / length * by)
}

/// A number with at most one decimal, as short as it gets.
fn num(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// The thread that is being drawn: from a port to the pointer, around `boxes`.
pub fn draft(from: Point, side: Side, to: Point, boxes: &[Rect]) -> Route {
    let ends = Ends { from, side, to, source: 0, target: 1 };
    route(&ends, boxes, &Lanes::default())
}
