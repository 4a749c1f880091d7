//! The first moment of a press, the box, and the wheel.

use super::{Button, Held, Hold, SLOP, Step, Target, Tool, connect};
use crate::ui::designer::change::Change;
use crate::ui::designer::document::{Document, Selection};
use crate::ui::designer::kernel::{Point, Rect, View, hit};

/// A press on an idle canvas.
#[expect(clippy::too_many_arguments, reason = "the parts of one press")]
pub(super) fn press(
    document: &Document,
    pointer: i32,
    at: Point,
    target: Target,
    button: Button,
    held: Held,
    space: bool,
) -> Step {
    let pan = Tool::Panning { pointer, from: at, view: document.view, space };
    if space || button == Button::Middle {
        return (pan, Vec::new());
    }
    match target {
        Target::Ground if button == Button::Touch => (pan, Vec::new()),
        Target::Ground => (Tool::PointingGround { pointer, from: at, held }, Vec::new()),
        Target::Step(id) => press_step(document, pointer, at, id, held),
        Target::Edge(key) => (Tool::default(), vec![Change::Select(Selection::of_edge(key))]),
        Target::Out { step, port } if document.may_edit => {
            connect::begin(document, pointer, Hold::Out { step, port }, at)
        }
        Target::In { step } if document.may_edit => connect::begin(document, pointer, Hold::In { step }, at),
        Target::Out { step, .. } | Target::In { step } => press_step(document, pointer, at, step, held),
    }
}

/// A press on a step chooses it; with a key held it adds it to what is chosen.
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

/// The press on the ground has moved far enough: a box is drawn.
pub(super) fn boxing(document: &Document, pointer: i32, from: Point, at: Point, held: Held) -> Step {
    if from.distance(at) < SLOP {
        return (Tool::PointingGround { pointer, from, held }, Vec::new());
    }
    let base = if held.shift || held.ctrl { document.selection.clone() } else { Selection::default() };
    let (from, to) = (document.view.world_from_screen(from), document.view.world_from_screen(at));
    let changes = vec![Change::Select(boxed(document, from, to, &base))];
    (Tool::Boxing { pointer, from, to, base }, changes)
}

/// What was chosen before, and the steps that the box touches.
pub(super) fn boxed(document: &Document, from: Point, to: Point, base: &Selection) -> Selection {
    let mut selection = base.clone();
    selection.steps.extend(hit::steps_in(&document.graph, Rect::between(from, to)).map(str::to_owned));
    if selection.lead.is_none() {
        selection.lead = selection.steps.first().cloned();
    }
    selection
}

/// Zooms at the pointer, or pans.
pub(super) fn wheel(view: View, at: Point, dx: f64, dy: f64, zoom: bool) -> Vec<Change> {
    // 0.0025 a pixel: one notch of 100 px zooms by about a quarter, a pinched trackpad follows the fingers.
    let view = if zoom { view.zoomed_at(at, (-dy.clamp(-240.0, 240.0) * 0.0025).exp()) } else { view.panned(-dx, -dy) };
    vec![Change::Look(view)]
}
