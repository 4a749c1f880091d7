//! The overview: what part of the world it shows, and which place of the world a press on it means.

use super::geometry::{Point, Rect, Size};
use super::viewport::View;

/// The world that the overview shows: all steps and the visible part, with some air.
pub fn frame(graph: Option<Rect>, view: View, size: Size) -> Rect {
    let visible = view.visible(size);
    let all = graph.map_or(visible, |graph| graph.union(visible));
    all.grown(all.w.max(all.h) * 0.04 + 8.0)
}

/// The world's place under a pixel of an overview of the size `map`, which shows `frame` whole and in the middle.
pub fn world_from_map(frame: Rect, map: Size, at: Point) -> Point {
    let scale = (map.w / frame.w).min(map.h / frame.h);
    let (left, top) = ((map.w - frame.w * scale) / 2.0, (map.h - frame.h * scale) / 2.0);
    Point::new(frame.x + (at.x - left) / scale, frame.y + (at.y - top) / scale)
}

/// The view moved so that `world` is in the middle of the canvas.
pub fn centered(view: View, size: Size, world: Point) -> View {
    View { x: size.w / 2.0 - world.x * view.zoom, y: size.h / 2.0 - world.y * view.zoom, ..view }
}
