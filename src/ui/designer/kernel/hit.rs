//! What is at a place, and what is in a box.

use super::geometry::{self, Point, Rect};
use crate::model::workflow::Body;

/// The topmost step under a point: later steps are drawn above earlier ones.
pub fn step_at(body: &Body, at: Point) -> Option<&str> {
    body.steps.iter().rev().find(|step| geometry::node_rect(step).contains(at)).map(|step| step.id.as_str())
}

/// The steps whose frames a box touches, in the order of the definition.
pub fn steps_in(body: &Body, area: Rect) -> impl Iterator<Item = &str> {
    body.steps.iter().filter(move |step| geometry::node_rect(step).overlaps(area)).map(|step| step.id.as_str())
}

/// The step whose input a thread that is dragged to `at` would hold: the one under the pointer, else the one whose input
/// is nearest within `reach` (world units). Never `except`, the step that the thread leaves.
pub fn magnetic_input<'a>(body: &'a Body, at: Point, reach: f64, except: &str) -> Option<&'a str> {
    let others = || body.steps.iter().filter(|step| step.id != except);
    if let Some(step) = others().rev().find(|step| geometry::node_rect(step).contains(at)) {
        return Some(&step.id);
    }
    others()
        .map(|step| (geometry::in_point(step).distance(at), step))
        .filter(|(far, _)| *far <= reach)
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, step)| step.id.as_str())
}

/// The output port that a thread dragged backwards from an input would hold; as [`magnetic_input`].
pub fn magnetic_output(body: &Body, at: Point, reach: f64, except: &str) -> Option<(String, String)> {
    let mut best: Option<(f64, String, String)> = None;
    for step in body.steps.iter().filter(|step| step.id != except) {
        let inside = geometry::node_rect(step).contains(at);
        for port in geometry::out_ports(step) {
            let far = geometry::out_point(step, &port).0.distance(at);
            let near = if inside { far / 1000.0 } else { far };
            if (inside || far <= reach) && best.as_ref().is_none_or(|(least, ..)| near < *least) {
                best = Some((near, step.id.clone(), port));
            }
        }
    }
    best.map(|(_, step, port)| (step, port))
}

/// Whether an edge between the two would close a circle.
pub fn closes_circle(body: &Body, from: &str, to: &str) -> bool {
    if from == to {
        return true;
    }
    let mut seen = vec![to];
    let mut next = 0;
    while next < seen.len() {
        let at = seen[next];
        next += 1;
        for edge in body.edges.iter().filter(|edge| edge.from == at) {
            if edge.to == from {
                return true;
            }
            if !seen.contains(&edge.to.as_str()) {
                seen.push(&edge.to);
            }
        }
    }
    false
}
