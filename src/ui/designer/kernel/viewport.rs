//! The viewport: how world coordinates become canvas pixels, and how to move it without losing one's place.

use super::geometry::{Point, Rect, Size};

/// The transform of the world: scaled by `zoom`, then moved by `x` and `y` canvas pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct View {
    /// Right, in canvas pixels.
    pub x: f64,
    /// Down, in canvas pixels.
    pub y: f64,
    /// [`View::MIN_ZOOM`]..=[`View::MAX_ZOOM`].
    pub zoom: f64,
}

impl Default for View {
    fn default() -> Self {
        Self { x: 0.0, y: 0.0, zoom: 1.0 }
    }
}

impl View {
    /// The farthest out.
    pub const MIN_ZOOM: f64 = 0.1;
    /// The closest in.
    pub const MAX_ZOOM: f64 = 2.5;
    /// Under this zoom only frame, icon and status are drawn.
    pub const FAR: f64 = 0.5;
    /// What one press of `+` multiplies the zoom by.
    pub const STEP: f64 = 1.25;

    /// Where a point of the world is drawn.
    pub fn screen_from_world(self, p: Point) -> Point {
        Point::new(p.x * self.zoom + self.x, p.y * self.zoom + self.y)
    }

    /// What lies under a canvas pixel.
    pub fn world_from_screen(self, p: Point) -> Point {
        Point::new((p.x - self.x) / self.zoom, (p.y - self.y) / self.zoom)
    }

    /// The part of the world that a canvas of this size shows.
    pub fn visible(self, size: Size) -> Rect {
        let corner = self.world_from_screen(Point::default());
        Rect::new(corner.x, corner.y, size.w / self.zoom, size.h / self.zoom)
    }

    /// Moved by canvas pixels.
    #[must_use]
    pub fn panned(self, dx: f64, dy: f64) -> Self {
        Self { x: self.x + dx, y: self.y + dy, ..self }
    }

    /// Zoomed by `factor` so that what is under `at` (canvas pixels) stays under it.
    #[must_use]
    pub fn zoomed_at(self, at: Point, factor: f64) -> Self {
        self.zoomed_to(at, self.zoom * factor)
    }

    /// Zoomed to `zoom` (clamped) so that what is under `at` stays under it.
    #[must_use]
    pub fn zoomed_to(self, at: Point, zoom: f64) -> Self {
        let zoom = if zoom.is_finite() { zoom.clamp(Self::MIN_ZOOM, Self::MAX_ZOOM) } else { self.zoom };
        let under = self.world_from_screen(at);
        Self { x: at.x - under.x * zoom, y: at.y - under.y * zoom, zoom }
    }

    /// Shows the whole of `bounds` in the middle, never larger than life. `margins` are canvas pixels: top, right,
    /// bottom, left.
    pub fn fitted(bounds: Rect, size: Size, margins: [f64; 4]) -> Self {
        let [top, right, bottom, left] = margins;
        let (room_w, room_h) = ((size.w - left - right).max(40.0), (size.h - top - bottom).max(40.0));
        let zoom = (room_w / bounds.w.max(1.0)).min(room_h / bounds.h.max(1.0)).clamp(Self::MIN_ZOOM, 1.0);
        let middle = bounds.center();
        Self { x: left + room_w / 2.0 - middle.x * zoom, y: top + room_h / 2.0 - middle.y * zoom, zoom }
    }

    /// Moved as little as needed so that `frame` is seen with `margin` canvas pixels around it.
    #[must_use]
    pub fn revealing(self, frame: Rect, size: Size, margin: f64) -> Self {
        let a = self.screen_from_world(Point::new(frame.x, frame.y));
        let b = self.screen_from_world(Point::new(frame.right(), frame.bottom()));
        Self { x: self.x + nudge(a.x, b.x, size.w, margin), y: self.y + nudge(a.y, b.y, size.h, margin), ..self }
    }
}

/// How far a stretch must move to lie inside `0..room` with a margin; its start wins when it does not fit.
fn nudge(from: f64, to: f64, room: f64, margin: f64) -> f64 {
    if from < margin || to - from > room - 2.0 * margin {
        margin - from
    } else if to > room - margin {
        room - margin - to
    } else {
        0.0
    }
}
