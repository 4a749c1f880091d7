//! What the pointer is doing: a state machine that turns inputs into changes.
//!
//! Pure: `on(self, input, &document)` returns the next state and the changes to apply. The views draw what the state says
//! (box, guides, the thread being drawn); nothing else remembers a press. Each pair of state and input that means something
//! has its line in [`Tool::on`]; all others leave the state as it is.

mod connect;
mod drag;
mod input;
mod pinch;
mod press;

#[cfg(test)]
mod tests;

pub use input::{Button, Held, Input, Target};
use press::{boxed, boxing, press, wheel};

use super::action;
use super::change::Change;
use super::document::{Ask, Document, Link, Selection};
use super::kernel::snap::Guide;
use super::kernel::{Point, View};
use crate::model::workflow::Position;

/// How far the pointer moves, in canvas pixels, before a press becomes a drag.
pub const SLOP: f64 = 4.0;
/// How near to an input, in canvas pixels, a thread is drawn to it.
pub const MAGNET: f64 = 32.0;

/// The end of a thread that holds while the other is drawn.
#[derive(Debug, Clone, PartialEq)]
pub enum Hold {
    /// An output port; an input is looked for.
    Out { step: String, port: String },
    /// An input; an output port is looked for.
    In { step: String },
}

/// What would hold the thread's other end if it were let go.
#[derive(Debug, Clone, PartialEq)]
pub enum Catch {
    /// This input.
    In { step: String },
    /// This output port.
    Out { step: String, port: String },
    /// It would close a circle; the step that says so.
    Refused { step: String },
}

/// What the pointer is doing.
#[derive(Debug, Clone, PartialEq)]
pub enum Tool {
    /// Nothing. With `space` held a press pans.
    Idle { space: bool },
    /// Dragging the ground: `view` is where it started.
    Panning { pointer: i32, from: Point, view: View, space: bool },
    /// Pressed on the ground, not moved yet.
    PointingGround { pointer: i32, from: Point, held: Held },
    /// Drawing a box; `base` is what was chosen before.
    Boxing { pointer: i32, from: Point, to: Point, base: Selection },
    /// Pressed on a step, not moved yet. `sole` chooses only it when let go.
    PointingStep { pointer: i32, id: String, from: Point, sole: bool },
    /// Moving steps from where they were; `from` in world coordinates.
    Dragging { pointer: i32, from: Point, start: Vec<(String, Position)>, guides: Vec<Guide> },
    /// Drawing a thread; `at` in world coordinates.
    Connecting { pointer: i32, hold: Hold, from: Point, at: Point, catch: Option<Catch> },
    /// Two fingers.
    Pinching { a: (i32, Point), b: (i32, Point) },
    /// A kind from the palette under the pointer; `at` in world coordinates.
    Placing { kind: String, at: Option<Point> },
}

impl Default for Tool {
    fn default() -> Self {
        Self::Idle { space: false }
    }
}

/// The next state, and what to apply.
pub type Step = (Tool, Vec<Change>);

impl Tool {
    /// What an input makes of this state.
    #[expect(clippy::match_same_arms, reason = "each pair of state and input has its own line")]
    pub fn on(self, input: Input, document: &Document) -> Step {
        match (self, input) {
            (tool, Input::Wheel { at, dx, dy, zoom }) => (tool, wheel(document.view, at, dx, dy, zoom)),
            (Self::Idle { .. }, Input::Space { down }) => (Self::Idle { space: down }, Vec::new()),
            (Self::Panning { pointer, from, view, .. }, Input::Space { down }) => {
                (Self::Panning { pointer, from, view, space: down }, Vec::new())
            }
            (Self::Idle { space }, Input::Down { pointer, at, target, button, held }) => {
                press(document, pointer, at, target, button, held, space)
            }
            (tool, Input::Down { pointer, at, button: Button::Touch, .. }) => pinch::second(tool, pointer, at),
            (Self::Pinching { a, b }, Input::Move { pointer, at, .. }) => {
                pinch::moved(a, b, pointer, at, document.view)
            }
            (Self::Pinching { a, b }, Input::Up { pointer, .. } | Input::Lost { pointer }) => {
                pinch::lifted(a, b, pointer, document.view)
            }
            (Self::Panning { pointer, from, view, space }, Input::Move { pointer: p, at, .. }) if p == pointer => {
                let changes = vec![Change::Look(view.panned(at.x - from.x, at.y - from.y))];
                (Self::Panning { pointer, from, view, space }, changes)
            }
            (Self::Panning { pointer, space, .. }, Input::Up { pointer: p, .. } | Input::Lost { pointer: p })
                if p == pointer =>
            {
                (Self::Idle { space }, Vec::new())
            }
            (Self::PointingGround { pointer, from, held }, Input::Move { pointer: p, at, .. }) if p == pointer => {
                boxing(document, pointer, from, at, held)
            }
            (Self::PointingGround { pointer, held, .. }, Input::Up { pointer: p, .. }) if p == pointer => {
                let changes =
                    if held.shift || held.ctrl { Vec::new() } else { vec![Change::Select(Selection::default())] };
                (Self::default(), changes)
            }
            (Self::Boxing { pointer, from, base, .. }, Input::Move { pointer: p, at, .. }) if p == pointer => {
                let to = document.view.world_from_screen(at);
                let changes = vec![Change::Select(boxed(document, from, to, &base))];
                (Self::Boxing { pointer, from, to, base }, changes)
            }
            (Self::Boxing { pointer, .. }, Input::Up { pointer: p, .. } | Input::Lost { pointer: p })
                if p == pointer =>
            {
                (Self::default(), Vec::new())
            }
            (Self::Boxing { base, .. }, Input::Escape) => (Self::default(), vec![Change::Select(base)]),
            (Self::PointingStep { pointer, id, from, sole }, Input::Move { pointer: p, at, held }) if p == pointer => {
                drag::begin(document, pointer, id, from, at, sole, held)
            }
            (Self::PointingStep { pointer, id, sole, .. }, Input::Up { pointer: p, .. }) if p == pointer => {
                let changes = if sole { vec![Change::Select(Selection::of(&id))] } else { Vec::new() };
                (Self::default(), changes)
            }
            (Self::Dragging { pointer, from, start, .. }, Input::Move { pointer: p, at, held }) if p == pointer => {
                drag::moved(document, pointer, from, start, at, held)
            }
            (Self::Dragging { pointer, .. }, Input::Up { pointer: p, .. }) if p == pointer => {
                (Self::default(), Vec::new())
            }
            (Self::Dragging { start, .. }, Input::Escape | Input::Lost { .. }) => {
                (Self::default(), vec![Change::MoveSteps(start)])
            }
            (Self::Connecting { pointer, hold, from, .. }, Input::Move { pointer: p, at, .. }) if p == pointer => {
                connect::moved(document, pointer, hold, from, at)
            }
            (Self::Connecting { pointer, hold, from, at, catch }, Input::Up { pointer: p, .. }) if p == pointer => {
                connect::released(document, hold, from, at, catch)
            }
            (
                Self::PointingGround { .. } | Self::PointingStep { .. } | Self::Connecting { .. },
                Input::Escape | Input::Lost { .. },
            ) => (Self::default(), Vec::new()),
            (Self::Idle { space }, Input::Escape) => (Self::Idle { space }, climb_out(document)),
            (Self::Idle { .. } | Self::Placing { .. }, Input::Place { kind, at }) => {
                let at = at.map(|at| document.view.world_from_screen(at));
                (Self::Placing { kind, at }, Vec::new())
            }
            (Self::Placing { kind, at }, Input::Drop) => {
                let changes = at.map(|at| drag::dropped(document, &kind, at)).unwrap_or_default();
                (Self::default(), changes)
            }
            (Self::Placing { .. }, Input::Escape | Input::Lost { .. }) => (Self::default(), Vec::new()),
            (tool, _) => (tool, Vec::new()),
        }
    }

    /// As `data-tool` of the canvas: what the cursor shows.
    pub const fn cursor(&self) -> Option<&'static str> {
        match self {
            Self::Idle { space: true } => Some("pan"),
            Self::Panning { .. } | Self::Pinching { .. } => Some("panning"),
            Self::Connecting { .. } => Some("connect"),
            _ => None,
        }
    }

    /// Whether a press is being followed.
    pub const fn is_idle(&self) -> bool {
        matches!(self, Self::Idle { .. })
    }
}

/// Escape takes back the innermost thing: a question, then what is chosen, then the container that one is in.
fn climb_out(document: &Document) -> Vec<Change> {
    if document.ask.is_some() {
        vec![Change::Ask(None)]
    } else if document.selection.is_empty() {
        action::go_up(document)
    } else {
        vec![Change::Select(Selection::default())]
    }
}

/// The question that a thread let go over the empty canvas asks.
fn ask_for_step(at: Point, link: Link) -> Vec<Change> {
    vec![Change::Ask(Some(Ask::AddStep { at: Some(at), link: Some(link) }))]
}
