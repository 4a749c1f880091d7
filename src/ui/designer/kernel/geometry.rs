//! Points, boxes, and where a step's box and ports stand. All in world coordinates: CSS pixels at zoom 1, y runs down.

use super::miniature;
use crate::model::workflow::kind::Kind;
use crate::model::workflow::{Edge, OnError, Position, Step};

/// The width of a node.
pub const NODE_W: f64 = 224.0;
/// The height of a node; it never changes, so that live facts don't move anything.
pub const NODE_H: f64 = 52.0;
/// The height of what a container has below its head: the steps inside in a row, and how to get in.
pub const FOOT_H: f64 = 36.0;

/// A place.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Point {
    /// Right.
    pub x: f64,
    /// Down.
    pub y: f64,
}

impl Point {
    /// A point from its coordinates.
    pub const fn new(x: f64, y: f64) -> Self {
        Self { x, y }
    }

    /// The straight distance to another.
    pub fn distance(self, other: Self) -> f64 {
        (self.x - other.x).hypot(self.y - other.y)
    }

    /// This point moved.
    #[must_use]
    pub const fn plus(self, dx: f64, dy: f64) -> Self {
        Self { x: self.x + dx, y: self.y + dy }
    }
}

impl From<Position> for Point {
    fn from(at: Position) -> Self {
        Self { x: at.x, y: at.y }
    }
}

impl From<Point> for Position {
    fn from(at: Point) -> Self {
        Self { x: at.x, y: at.y }
    }
}

/// How wide and high.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Size {
    /// Width.
    pub w: f64,
    /// Height.
    pub h: f64,
}

/// A box by its top left corner; width and height are never negative.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rect {
    /// Left.
    pub x: f64,
    /// Top.
    pub y: f64,
    /// Width.
    pub w: f64,
    /// Height.
    pub h: f64,
}

impl Rect {
    /// A box from its corner and size.
    pub const fn new(x: f64, y: f64, w: f64, h: f64) -> Self {
        Self { x, y, w, h }
    }

    /// The box between any two opposite corners.
    pub fn between(a: Point, b: Point) -> Self {
        Self { x: a.x.min(b.x), y: a.y.min(b.y), w: (a.x - b.x).abs(), h: (a.y - b.y).abs() }
    }

    /// The right edge.
    pub const fn right(self) -> f64 {
        self.x + self.w
    }

    /// The lower edge.
    pub const fn bottom(self) -> f64 {
        self.y + self.h
    }

    /// The middle.
    pub const fn center(self) -> Point {
        Point { x: self.x + self.w / 2.0, y: self.y + self.h / 2.0 }
    }

    /// Grown by `by` on each side.
    #[must_use]
    pub const fn grown(self, by: f64) -> Self {
        Self { x: self.x - by, y: self.y - by, w: self.w + 2.0 * by, h: self.h + 2.0 * by }
    }

    /// Moved.
    #[must_use]
    pub const fn moved(self, dx: f64, dy: f64) -> Self {
        Self { x: self.x + dx, y: self.y + dy, ..self }
    }

    /// Whether the point is inside or on the edge.
    pub fn contains(self, p: Point) -> bool {
        p.x >= self.x && p.x <= self.right() && p.y >= self.y && p.y <= self.bottom()
    }

    /// Whether the insides overlap; touching edges don't count.
    pub fn overlaps(self, other: Self) -> bool {
        self.x < other.right() && other.x < self.right() && self.y < other.bottom() && other.y < self.bottom()
    }

    /// The smallest box around both.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        Self { x, y, w: self.right().max(other.right()) - x, h: self.bottom().max(other.bottom()) - y }
    }

    /// Whether the axis-parallel stretch from `a` to `b` passes through the inside.
    pub fn is_crossed(self, a: Point, b: Point) -> bool {
        let (left, right) = (a.x.min(b.x), a.x.max(b.x));
        let (top, bottom) = (a.y.min(b.y), a.y.max(b.y));
        right > self.x && left < self.right() && bottom > self.y && top < self.bottom()
    }
}

/// Where on a node's frame a port stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// In, on top.
    Top,
    /// Out, below.
    Bottom,
    /// The error port, on the right.
    Right,
}

/// How large a step is drawn: a container is higher, and grows with what it shows of its body.
pub fn node_size(step: &Step) -> Size {
    match &step.body {
        None if Kind::find(&step.kind).is_some_and(Kind::has_body) => Size { w: NODE_W, h: NODE_H + FOOT_H },
        None => Size { w: NODE_W, h: NODE_H },
        Some(body) if body.unfolded => {
            let picture = miniature::size(body);
            Size { w: picture.w.max(NODE_W), h: NODE_H + picture.h + FOOT_H }
        }
        Some(_) => Size { w: NODE_W, h: NODE_H + FOOT_H },
    }
}

/// The frame of a step.
pub fn node_rect(step: &Step) -> Rect {
    rect_at(step, step.position)
}

/// The frame that a step would have there.
pub fn rect_at(step: &Step, at: Position) -> Rect {
    let Size { w, h } = node_size(step);
    Rect::new(at.x, at.y, w, h)
}

/// The box around all steps; `None` where there are none.
pub fn bounds(steps: &[Step]) -> Option<Rect> {
    steps.iter().map(node_rect).reduce(Rect::union)
}

/// The output ports that the canvas shows below a step, in their order. The error port stands apart.
pub fn out_ports(step: &Step) -> Vec<String> {
    let mut ports =
        Kind::find(&step.kind).map_or_else(|| vec![Edge::OUT.to_owned()], |kind| kind.ports_of(&step.config));
    ports.retain(|port| port != Edge::ERROR);
    ports
}

/// Whether a step shows its error port.
pub fn has_error_port(step: &Step) -> bool {
    step.on_error == OnError::Port
}

/// Where the port number `index` of `count` stands along the lower edge, as a fraction of the width.
pub fn port_fraction(index: usize, count: usize) -> f64 {
    (index as f64 + 0.5) / count.max(1) as f64
}

/// Where a step's input is.
pub fn in_point(step: &Step) -> Point {
    let frame = node_rect(step);
    Point::new(frame.center().x, frame.y)
}

/// Where an output port is; a port that the step lacks stands in the middle below.
pub fn out_point(step: &Step, port: &str) -> (Point, Side) {
    let frame = node_rect(step);
    if port == Edge::ERROR {
        return (Point::new(frame.right(), frame.y + NODE_H / 2.0), Side::Right);
    }
    let ports = out_ports(step);
    let at = ports.iter().position(|p| p == port).map_or(0.5, |index| port_fraction(index, ports.len()));
    (Point::new(frame.x + frame.w * at, frame.bottom()), Side::Bottom)
}
