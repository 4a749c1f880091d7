//! What the pointer is doing: a state machine that turns inputs into changes.
//!
//! Pure: `on(self, input, &document)` returns the next state and the changes to apply. The views draw what the state says
//! (box, guides, the thread being drawn); nothing else remembers a press. Each pair of state and input that means something
//! has its line in [`Tool::on`]; all others leave the state as it is.

mod connect;
mod drag;
mod pinch;

#[cfg(test)]
mod tests;

use super::change::Change;
use super::document::{Ask, Document, EdgeKey, Link, Selection};
use super::kernel::snap::Guide;
use super::kernel::{Point, Rect, View, hit};
use crate::model::workflow::Position;

/// How far the pointer moves, in canvas pixels, before a press becomes a drag.
pub const SLOP: f64 = 4.0;
/// How near to an input, in canvas pixels, a thread is drawn to it.
pub const MAGNET: f64 = 32.0;

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
            (Self::Pinching { a, b }, Input::Move { pointer, at, .. }) => pinch::moved(a, b, pointer, at, document.view),
            (Self::Pinching { a, b }, Input::Up { pointer, .. } | Input::Lost { pointer }) => {
                pinch::lifted(a, b, pointer, document.view)
            }
            (Self::Panning { pointer, from, view, space }, Input::Move { pointer: p, at, .. }) if p == pointer => {
                let changes = vec![Change::Look(view.panned(at.x - from.x, at.y - from.y))];
                (Self::Panning { pointer, from, view, space }, changes)
            }
            (Self::Panning { pointer, space, .. }, Input::Up { pointer: p, .. } | Input::Lost { pointer: p }) if p == pointer => {
                (Self::Idle { space }, Vec::new())
            }
            (Self::PointingGround { pointer, from, held }, Input::Move { pointer: p, at, .. }) if p == pointer => {
                boxing(document, pointer, from, at, held)
            }
            (Self::PointingGround { pointer, held, .. }, Input::Up { pointer: p, .. }) if p == pointer => {
                let changes = if held.shift || held.ctrl { Vec::new() } else { vec![Change::Select(Selection::default())] };
                (Self::default(), changes)
            }
            (Self::Boxing { pointer, from, base, .. }, Input::Move { pointer: p, at, .. }) if p == pointer => {
                let to = document.view.world_from_screen(at);
                let changes = vec![Change::Select(boxed(document, from, to, &base))];
                (Self::Boxing { pointer, from, to, base }, changes)
            }
            (Self::Boxing { pointer, .. }, Input::Up { pointer: p, .. } | Input::Lost { pointer: p }) if p == pointer => {
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
            (Self::Dragging { pointer, .. }, Input::Up { pointer: p, .. }) if p == pointer => (Self::default(), Vec::new()),
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

/// A press on an idle canvas.
fn press(document: &Document, pointer: i32, at: Point, target: Target, button: Button, held: Held, space: bool) -> Step {
    let pan = Tool::Panning { pointer, from: at, view: document.view, space };
    if space || button == Button::Middle {
        return (pan, Vec::new());
    }
    match target {
        Target::Ground if button == Button::Touch => (pan, Vec::new()),
        Target::Ground => (Tool::PointingGround { pointer, from: at, held }, Vec::new()),
        Target::Step(id) => press_step(document, pointer, at, id, held),
        Target::Edge(key) => (Tool::default(), vec![Change::Select(Selection::of_edge(key))]),
        Target::Out { step, port } if document.may_edit => connect::begin(document, pointer, Hold::Out { step, port }, at),
        Target::In { step } if document.may_edit => connect::begin(document, pointer, Hold::In { step }, at),
        Target::Out { step, .. } | Target::In { step } => press_step(document, pointer, at, step, held),
    }
}

fn press_step(document: &Document, pointer: i32, at: Point, id: String, held: Held) -> Step {
    let selection = &document.selection;
    if held.shift || held.ctrl {
        let toggled = selection.clone().toggled(&id);
        return (Tool::PointingStep { pointer, id, from: at, sole: false }, vec![Change::Select(toggled)]);
    }
    if selection.steps.contains(&id) {
        let several = selection.steps.len() > 1 || !selection.edges.is_empty();
        let lead = Selection { lead: Some(id.clone()), ..selection.clone() };
        let changes = if several { Vec::new() } else { vec![Change::Select(lead)] };
        return (Tool::PointingStep { pointer, id, from: at, sole: several }, changes);
    }
    let changes = vec![Change::Select(Selection::of(&id))];
    (Tool::PointingStep { pointer, id, from: at, sole: false }, changes)
}

fn boxing(document: &Document, pointer: i32, from: Point, at: Point, held: Held) -> Step {
    if from.distance(at) < SLOP {
        return (Tool::PointingGround { pointer, from, held }, Vec::new());
    }
    let base = if held.shift || held.ctrl { document.selection.clone() } else { Selection::default() };
    let (from, to) = (document.view.world_from_screen(from), document.view.world_from_screen(at));
    let changes = vec![Change::Select(boxed(document, from, to, &base))];
    (Tool::Boxing { pointer, from, to, base }, changes)
}

/// What was chosen before, and the steps that the box touches.
fn boxed(document: &Document, from: Point, to: Point, base: &Selection) -> Selection {
    let mut selection = base.clone();
    selection.steps.extend(hit::steps_in(&document.definition, Rect::between(from, to)).map(str::to_owned));
    if selection.lead.is_none() {
        selection.lead = selection.steps.first().cloned();
    }
    selection
}

fn wheel(view: View, at: Point, dx: f64, dy: f64, zoom: bool) -> Vec<Change> {
    // 0.0025 a pixel: one notch of 100 px zooms by about a quarter, a pinched trackpad follows the fingers.
    let view = if zoom { view.zoomed_at(at, (-dy.clamp(-240.0, 240.0) * 0.0025).exp()) } else { view.panned(-dx, -dy) };
    vec![Change::Look(view)]
}

/// Escape takes back the innermost thing: a question, then what is chosen.
fn climb_out(document: &Document) -> Vec<Change> {
    if document.ask.is_some() {
        vec![Change::Ask(None)]
    } else if document.selection.is_empty() {
        Vec::new()
    } else {
        vec![Change::Select(Selection::default())]
    }
}

/// The question that a thread let go over the empty canvas asks.
fn ask_for_step(at: Point, link: Link) -> Vec<Change> {
    vec![Change::Ask(Some(Ask::AddStep { at: Some(at), link: Some(link) }))]
}
