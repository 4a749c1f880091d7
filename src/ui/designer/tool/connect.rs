//! Drawing a thread from a port to another, or to the empty canvas to add a step there.

use super::{Catch, Hold, MAGNET, SLOP, Step, Tool, ask_for_step};
use crate::ui::designer::action;
use crate::ui::designer::document::{Document, Link};
use crate::ui::designer::kernel::{NODE_H, Point, geometry, hit};

/// Takes hold of a port.
pub(super) fn begin(document: &Document, pointer: i32, hold: Hold, at: Point) -> Step {
    let Some(from) = port_point(document, &hold) else {
        return (Tool::default(), Vec::new());
    };
    let at = document.view.world_from_screen(at);
    (Tool::Connecting { pointer, hold, from, at, catch: None }, Vec::new())
}

/// Follows the pointer; near a fitting port the thread is drawn to it.
pub(super) fn moved(document: &Document, pointer: i32, hold: Hold, from: Point, at: Point) -> Step {
    let at = document.view.world_from_screen(at);
    let catch = catch(document, &hold, at);
    let at = match &catch {
        Some(Catch::In { step }) => document.graph.step(step).map_or(at, geometry::in_point),
        Some(Catch::Out { step, port }) => {
            document.graph.step(step).map_or(at, |step| geometry::out_point(step, port).0)
        }
        Some(Catch::Refused { .. }) | None => at,
    };
    (Tool::Connecting { pointer, hold, from, at, catch }, Vec::new())
}

/// Lets go: ties, or asks which step to add. A press that hardly moved does nothing.
pub(super) fn released(document: &Document, hold: Hold, from: Point, at: Point, catch: Option<Catch>) -> Step {
    #[expect(clippy::match_same_arms, reason = "each way to let go has its own line")]
    let changes = match (hold, catch) {
        (Hold::Out { step, port }, Some(Catch::In { step: to })) => action::connect(document, &step, &port, &to),
        (Hold::In { step: to }, Some(Catch::Out { step, port })) => action::connect(document, &step, &port, &to),
        (_, Some(_)) => Vec::new(),
        (_, None) if from.distance(at) * document.view.zoom < SLOP * 3.0 => Vec::new(),
        (Hold::Out { step, port }, None) => ask_for_step(at, Link::After { step, port }),
        (Hold::In { step }, None) => ask_for_step(at.plus(0.0, -NODE_H), Link::Before { step }),
    };
    (Tool::default(), changes)
}

fn catch(document: &Document, hold: &Hold, at: Point) -> Option<Catch> {
    let (graph, reach) = (&document.graph, MAGNET / document.view.zoom);
    let judged = |from: &str, to: &str, held: &str, catch: Catch| {
        if hit::closes_circle(graph, from, to) { Catch::Refused { step: held.to_owned() } } else { catch }
    };
    match hold {
        Hold::Out { step, .. } => {
            let to = hit::magnetic_input(graph, at, reach, step)?;
            Some(judged(step, to, to, Catch::In { step: to.to_owned() }))
        }
        Hold::In { step } => {
            let (from, port) = hit::magnetic_output(graph, at, reach, step)?;
            Some(judged(&from, step, &from, Catch::Out { step: from.clone(), port }))
        }
    }
}

fn port_point(document: &Document, hold: &Hold) -> Option<Point> {
    Some(match hold {
        Hold::Out { step, port } => geometry::out_point(document.graph.step(step)?, port).0,
        Hold::In { step } => geometry::in_point(document.graph.step(step)?),
    })
}
