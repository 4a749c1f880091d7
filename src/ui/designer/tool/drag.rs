//! Moving steps with snapping, and dropping a kind from the palette.

use std::collections::HashSet;

use super::{Held, SLOP, Step, Tool};
use crate::model::workflow::Position;
use crate::ui::designer::action::{self, counted};
use crate::ui::designer::change::Change;
use crate::ui::designer::document::{Document, EdgeKey, Link, edge_keys};
use crate::ui::designer::kernel::route::{self, Ends};
use crate::ui::designer::kernel::{NODE_H, NODE_W, Point, Rect, geometry, snap};

/// How near, in canvas pixels, a neighbour's edge takes hold.
const REACH: f64 = 6.0;
/// How near to a thread, in world units, a dropped step goes into it.
const INTO: f64 = 20.0;

/// The press has moved far enough: the chosen steps come along.
#[expect(clippy::too_many_arguments, reason = "the parts of one press and one move")]
pub(super) fn begin(
    document: &Document,
    pointer: i32,
    id: String,
    from: Point,
    at: Point,
    sole: bool,
    held: Held,
) -> Step {
    if from.distance(at) < SLOP || !document.may_edit {
        return (Tool::PointingStep { pointer, id, from, sole }, Vec::new());
    }
    let mut start: Vec<(String, Position)> = document.chosen().map(|step| (step.id.clone(), step.position)).collect();
    if start.is_empty() {
        start.extend(document.graph.step(&id).map(|step| (id, step.position)));
    }
    let name = match (start.len(), start.first().and_then(|(id, _)| document.graph.step(id))) {
        (1, Some(step)) => format!("Move {}", step.label()),
        (count, _) => format!("Move {}", counted(count, "step")),
    };
    let from = document.view.world_from_screen(from);
    let (tool, moves) = moved(document, pointer, from, start, at, held);
    (tool, [vec![Change::mark(name)], moves].concat())
}

/// Moves the steps to where the pointer says, snapped.
pub(super) fn moved(
    document: &Document,
    pointer: i32,
    from: Point,
    start: Vec<(String, Position)>,
    at: Point,
    held: Held,
) -> Step {
    let at = document.view.world_from_screen(at);
    let (dx, dy) = (at.x - from.x, at.y - from.y);
    let frames = start.iter().filter_map(|(id, at)| Some(geometry::rect_at(document.graph.step(id)?, *at)));
    let Some(all) = frames.reduce(Rect::union) else {
        return (Tool::default(), Vec::new());
    };
    let snapped = if held.ctrl {
        snap::Snapped { dx: dx.round(), dy: dy.round(), guides: Vec::new() }
    } else {
        let moving: HashSet<&str> = start.iter().map(|(id, _)| id.as_str()).collect();
        let seen = document.view.visible(document.size).grown(200.0);
        let still = document.graph.steps.iter().filter(|step| !moving.contains(step.id.as_str()));
        let others: Vec<Rect> = still.map(geometry::node_rect).filter(|frame| frame.overlaps(seen)).collect();
        snap::snap(all, Point::new(all.x, all.y), dx, dy, &others, REACH / document.view.zoom)
    };
    let to = |at: &Position| Position { x: at.x + snapped.dx, y: at.y + snapped.dy };
    let places = start.iter().map(|(id, at)| (id.clone(), to(at))).collect();
    (Tool::Dragging { pointer, from, start, guides: snapped.guides }, vec![Change::MoveSteps(places)])
}

/// Adds the kind where it was let go: into the thread below the pointer, if there is one.
pub(super) fn dropped(document: &Document, kind: &str, at: Point) -> Vec<Change> {
    let corner = Point::new(snap::to_grid(at.x - NODE_W / 2.0), snap::to_grid(at.y - NODE_H / 2.0));
    let link = edge_near(document, at).map(Link::Between);
    action::add_step(document, kind, Some(corner.plus(NODE_W / 2.0, 0.0)), link)
}

/// The thread at a place, as it would run if nothing were in its way.
pub(crate) fn edge_near(document: &Document, at: Point) -> Option<EdgeKey> {
    let graph = &document.graph;
    let keys = edge_keys(&graph.edges);
    let near = graph.edges.iter().zip(keys).filter_map(|(edge, key)| {
        let (from, side) = geometry::out_point(graph.step(&edge.from)?, &edge.port);
        let to = geometry::in_point(graph.step(&edge.to)?);
        let ends = Ends { from, side, to, source: 0, target: 1 };
        let far = route::route(&ends, &[], &route::Lanes::default()).distance(at);
        (far <= INTO).then_some((far, key))
    });
    near.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, key)| key)
}
