//! The picture of a body inside of its container's node: how large it is, and how the body's world is scaled into it.

use super::geometry::{self, Point, Rect, Size};
use super::snap::to_grid;
use crate::model::workflow::Body;

/// The air around the steps.
const AIR: f64 = 14.0;
/// The largest picture.
const MOST: Size = Size { w: 440.0, h: 320.0 };
/// Steps are never drawn larger than this: it is a picture, one works inside.
const LARGEST: f64 = 0.7;
/// Of a body without steps.
const EMPTY: Size = Size { w: 0.0, h: 48.0 };

/// How large the picture of a body is.
pub fn size(body: &Body) -> Size {
    let Some(all) = geometry::bounds(&body.steps) else { return EMPTY };
    let scale = scale(all);
    let whole = |room: f64| to_grid(room * scale + 2.0 * AIR + 7.9);
    Size { w: whole(all.w), h: whole(all.h) }
}

/// Where the origin of the body's world lies in a picture of this width, and the scale; `None` without steps.
pub fn placed(body: &Body, width: f64) -> Option<(Point, f64)> {
    let all = geometry::bounds(&body.steps)?;
    let scale = scale(all);
    let height = size(body).h;
    let left = (width - all.w * scale) / 2.0;
    let top = (height - all.h * scale) / 2.0;
    Some((Point::new(left - all.x * scale, top - all.y * scale), scale))
}

fn scale(all: Rect) -> f64 {
    LARGEST.min((MOST.w - 2.0 * AIR) / all.w.max(1.0)).min((MOST.h - 2.0 * AIR) / all.h.max(1.0))
}
