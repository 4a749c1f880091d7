//! Two fingers: zoom by their distance, pan by their middle.

use super::{Change, Step, Tool};
use crate::ui::designer::kernel::{Point, View};

/// A second finger came down: a pan or a press becomes a pinch; anything else goes on.
pub(super) fn second(tool: Tool, pointer: i32, at: Point) -> Step {
    let tool = match tool {
        Tool::Panning { pointer: first, from, .. }
        | Tool::PointingStep { pointer: first, from, .. }
        | Tool::PointingGround { pointer: first, from, .. }
            if first != pointer =>
        {
            Tool::Pinching { a: (first, from), b: (pointer, at) }
        }
        other => other,
    };
    (tool, Vec::new())
}

/// A finger moved: what was under the middle stays under it.
pub(super) fn moved(a: (i32, Point), b: (i32, Point), pointer: i32, at: Point, view: View) -> Step {
    let (a2, b2) = match pointer {
        p if p == a.0 => ((a.0, at), b),
        p if p == b.0 => (a, (b.0, at)),
        _ => return (Tool::Pinching { a, b }, Vec::new()),
    };
    let (before, after) = (middle(a.1, b.1), middle(a2.1, b2.1));
    let factor = (a2.1.distance(b2.1) / a.1.distance(b.1).max(1.0)).clamp(0.2, 5.0);
    let view = view.panned(after.x - before.x, after.y - before.y).zoomed_at(after, factor);
    (Tool::Pinching { a: a2, b: b2 }, vec![Change::Look(view)])
}

/// A finger went up: the other pans on.
pub(super) fn lifted(a: (i32, Point), b: (i32, Point), pointer: i32, view: View) -> Step {
    let (pointer, from) = if pointer == a.0 { b } else { a };
    (Tool::Panning { pointer, from, view, space: false }, Vec::new())
}

fn middle(a: Point, b: Point) -> Point {
    Point::new(f64::midpoint(a.x, b.x), f64::midpoint(a.y, b.y))
}
