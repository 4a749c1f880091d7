//! Snapping while steps move: to the edges and middles of neighbours, else to the grid.

use super::geometry::{Point, Rect};

/// The grid that free moves keep to.
pub const GRID: f64 = 8.0;

/// A hairline that shows what a move has snapped to, in world coordinates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Guide {
    /// One end.
    pub from: Point,
    /// The other.
    pub to: Point,
}

/// Where a move ends, and why.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Snapped {
    /// To move right.
    pub dx: f64,
    /// To move down.
    pub dy: f64,
    /// At most one for each axis.
    pub guides: Vec<Guide>,
}

/// Snaps the box `moving`, dragged by `dx` and `dy`, to `others` within `reach` (world units), each axis by itself.
/// `anchor` is the corner that keeps to the grid where no neighbour is near.
pub fn snap(moving: Rect, anchor: Point, dx: f64, dy: f64, others: &[Rect], reach: f64) -> Snapped {
    let moved = moving.moved(dx, dy);
    let across = best(stops_x(moved), others.iter().map(|o| (stops_x(*o), *o)), reach);
    let down = best(stops_y(moved), others.iter().map(|o| (stops_y(*o), *o)), reach);
    let dx = across.map_or_else(|| to_grid(anchor.x + dx) - anchor.x, |(by, ..)| dx + by);
    let dy = down.map_or_else(|| to_grid(anchor.y + dy) - anchor.y, |(by, ..)| dy + by);
    let end = moving.moved(dx, dy);
    let mut guides = Vec::new();
    if let Some((_, at, other)) = across {
        let both = end.union(other);
        guides.push(Guide { from: Point::new(at, both.y - 12.0), to: Point::new(at, both.bottom() + 12.0) });
    }
    if let Some((_, at, other)) = down {
        let both = end.union(other);
        guides.push(Guide { from: Point::new(both.x - 12.0, at), to: Point::new(both.right() + 12.0, at) });
    }
    Snapped { dx, dy, guides }
}

/// The nearest multiple of the grid.
pub fn to_grid(value: f64) -> f64 {
    (value / GRID).round() * GRID
}

fn stops_x(r: Rect) -> [f64; 3] {
    [r.center().x, r.x, r.right()]
}

fn stops_y(r: Rect) -> [f64; 3] {
    [r.center().y, r.y, r.bottom()]
}

/// The smallest correction that brings like to like: middles to middles, edges to edges.
fn best(moved: [f64; 3], others: impl Iterator<Item = ([f64; 3], Rect)>, reach: f64) -> Option<(f64, f64, Rect)> {
    let mut found: Option<(f64, f64, Rect)> = None;
    for (stops, other) in others {
        for (mine, theirs) in moved.into_iter().zip(stops) {
            let by = theirs - mine;
            if by.abs() <= reach && found.is_none_or(|(least, ..)| by.abs() < least.abs()) {
                found = Some((by, theirs, other));
            }
        }
    }
    found
}
