//! Walking the graph with the arrow keys: along threads down and up, between branches left and right.

use super::geometry::{self, Point};
use crate::model::workflow::{Body, Step};

/// An arrow key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Against time.
    Up,
    /// With time.
    Down,
    /// To a neighbour.
    Left,
    /// To a neighbour.
    Right,
}

/// The first step to stand on: the topmost, then leftmost one.
pub fn first(body: &Body) -> Option<&Step> {
    body.steps.iter().min_by(|a, b| {
        (a.position.y, a.position.x).partial_cmp(&(b.position.y, b.position.x)).unwrap_or(std::cmp::Ordering::Equal)
    })
}

/// The step that an arrow leads to from `from`: the nearest by a thread where there is one, else the nearest in that
/// direction. `None` at the border.
pub fn step<'a>(body: &'a Body, from: &str, to: Direction) -> Option<&'a Step> {
    let here = body.step(from)?;
    let center = geometry::node_rect(here).center();
    let linked: Vec<&str> = match to {
        Direction::Down => body.edges.iter().filter(|e| e.from == from).map(|e| e.to.as_str()).collect(),
        Direction::Up => body.edges.iter().filter(|e| e.to == from).map(|e| e.from.as_str()).collect(),
        Direction::Left | Direction::Right => Vec::new(),
    };
    let others = || body.steps.iter().filter(|s| s.id != from);
    nearest(others().filter(|s| linked.contains(&s.id.as_str())), center, to, false)
        .or_else(|| nearest(others(), center, to, true))
}

fn nearest<'a>(
    steps: impl Iterator<Item = &'a Step>,
    from: Point,
    to: Direction,
    only_ahead: bool,
) -> Option<&'a Step> {
    let cost = |step: &Step| {
        let at = geometry::node_rect(step).center();
        let (dx, dy) = (at.x - from.x, at.y - from.y);
        let (ahead, aside) = match to {
            Direction::Down => (dy, dx.abs()),
            Direction::Up => (-dy, dx.abs()),
            Direction::Right => (dx, dy.abs() * 3.0),
            Direction::Left => (-dx, dy.abs() * 3.0),
        };
        (!only_ahead || ahead > 1.0).then_some(ahead.max(0.0) + aside * 1.5)
    };
    steps.filter_map(|s| Some((cost(s)?, s))).min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, s)| s)
}

/// Steps in the order that a reader wants: by threads, top to bottom, left to right.
pub fn reading_order(body: &Body) -> Vec<&Step> {
    let mut steps: Vec<&Step> = body.steps.iter().collect();
    steps.sort_by(|a, b| a.position.y.total_cmp(&b.position.y).then(a.position.x.total_cmp(&b.position.x)));
    steps
}
