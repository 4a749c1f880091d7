//! What happens on the canvas: presses, moves, the wheel, a few keys.

use crate::ui::designer::document::EdgeKey;
use crate::ui::designer::kernel::Point;

/// What was pressed.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// The ground.
    Ground,
    /// A step's frame.
    Step(String),
    /// A step's output port.
    Out { step: String, port: String },
    /// A step's input port.
    In { step: String },
    /// A thread.
    Edge(EdgeKey),
}

/// Which button.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Button {
    /// The main one of a mouse or pen.
    Main,
    /// The wheel.
    Middle,
    /// A finger.
    Touch,
}

/// The keys held with a press.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Held {
    /// Shift: adds to what is chosen.
    pub shift: bool,
    /// Ctrl or Command: adds too; while dragging it turns snapping off.
    pub ctrl: bool,
}

/// What happens. Places are canvas pixels.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A button or finger went down. `pointer` tells fingers apart.
    Down { pointer: i32, at: Point, target: Target, button: Button, held: Held },
    /// A pointer moved.
    Move { pointer: i32, at: Point, held: Held },
    /// A button or finger went up.
    Up { pointer: i32, at: Point },
    /// The system took the pointer away.
    Lost { pointer: i32 },
    /// The wheel turned, in canvas pixels; `zoom` with ctrl held or a pinched trackpad.
    Wheel { at: Point, dx: f64, dy: f64, zoom: bool },
    /// The space bar went down or up.
    Space { down: bool },
    /// Escape.
    Escape,
    /// A kind is dragged from the palette; `at` is `None` while it is beside the canvas.
    Place { kind: String, at: Option<Point> },
    /// The dragged kind was let go.
    Drop,
}
