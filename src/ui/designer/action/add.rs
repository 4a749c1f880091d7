//! Adding a step: a fresh id and name, a free place, and its edges.

use crate::model::workflow::kind::Kind;
use crate::model::workflow::{Body, Edge, Step};
use crate::ui::designer::change::Change;
use crate::ui::designer::document::{Document, Link, Selection};
use crate::ui::designer::kernel::snap::to_grid;
use crate::ui::designer::kernel::{NODE_H, Point, Rect, Size, geometry};

/// The air under a step before the next.
const BELOW: f64 = 60.0;

/// Adds a step of a kind. Without a place it goes below what it follows, or into the middle of the view; it never covers
/// another. `at` is where the middle of its upper edge goes. The new step is chosen.
pub fn add_step(document: &Document, kind: &str, at: Option<Point>, link: Option<Link>) -> Vec<Change> {
    let graph = &document.graph;
    let Some(known) = Kind::find(kind) else {
        return Vec::new();
    };
    let id = fresh_id(document, known.name);
    let name = fresh_name(document, known.title);
    let mut step = Step { name, ..bare(id.clone(), known) };
    let frame = place(document, geometry::node_size(&step), at, link.as_ref());
    step.position = Point::new(frame.x, frame.y).into();
    let mut changes = vec![Change::mark(format!("Add {}", known.title))];
    changes.push(Change::AddStep { index: graph.steps.len(), step: Box::new(step) });
    changes.extend(edges(document, &id, known, link));
    changes.push(Change::Select(Selection::of(&id)));
    changes
}

/// A step that says nothing but what it is.
pub(super) fn bare(id: String, kind: &Kind) -> Step {
    Step { body: kind.has_body().then(Body::default), position: Point::default().into(), ..Step::new(&id, kind.name) }
}

/// The edges that tie the new step in.
fn edges(document: &Document, id: &str, kind: &Kind, link: Option<Link>) -> Vec<Change> {
    let count = document.graph.edges.len();
    let edge = |from: &str, port: &str, to: &str, when: Option<String>| Edge {
        from: from.to_owned(),
        port: port.to_owned(),
        to: to.to_owned(),
        when,
    };
    let out = kind.ports.first().copied().unwrap_or(Edge::OUT);
    match link {
        None => Vec::new(),
        Some(Link::After { step, port }) => {
            if document.graph.step(&step).is_none() {
                return Vec::new();
            }
            vec![Change::AddEdge { index: count, edge: edge(&step, &port, id, None) }]
        }
        Some(Link::Before { step }) => vec![Change::AddEdge { index: count, edge: edge(id, out, &step, None) }],
        Some(Link::Between(key)) => {
            let Some(index) = document.edge_index(&key) else {
                return Vec::new();
            };
            let old = document.graph.edges[index].clone();
            let first = edge(&old.from, &old.port, id, old.when);
            vec![
                Change::ReplaceEdge { index, edge: first },
                Change::AddEdge { index: count, edge: edge(id, out, &old.to, None) },
            ]
        }
    }
}

/// A free place for a new step of this size.
fn place(document: &Document, size: Size, at: Option<Point>, link: Option<&Link>) -> Rect {
    let graph = &document.graph;
    let top_middle = at.unwrap_or_else(|| match link {
        Some(Link::After { step, .. }) => below(graph, step),
        Some(Link::Before { step }) => above(graph, step, size),
        Some(Link::Between(key)) => document.edge_index(key).map_or_else(Point::default, |index| {
            let edge = &graph.edges[index];
            let (a, b) = (below(graph, &edge.from), above(graph, &edge.to, size));
            Point::new(f64::midpoint(a.x, b.x), f64::midpoint(a.y, b.y))
        }),
        None => {
            let middle = document.view.visible(document.size).center();
            middle.plus(0.0, -NODE_H / 2.0)
        }
    });
    let wish = Rect::new(to_grid(top_middle.x - size.w / 2.0), to_grid(top_middle.y), size.w, size.h);
    if at.is_some() { wish } else { beside(graph, wish) }
}

fn below(graph: &Body, step: &str) -> Point {
    graph.step(step).map_or_else(Point::default, |step| {
        let frame = geometry::node_rect(step);
        Point::new(frame.center().x, frame.bottom() + BELOW)
    })
}

fn above(graph: &Body, step: &str, size: Size) -> Point {
    graph.step(step).map_or_else(Point::default, |step| {
        let frame = geometry::node_rect(step);
        Point::new(frame.center().x, frame.y - BELOW - size.h)
    })
}

/// The nearest free place in the same row, to the right first.
fn beside(graph: &Body, wish: Rect) -> Rect {
    let free = |frame: &Rect| !graph.steps.iter().any(|step| geometry::node_rect(step).grown(8.0).overlaps(*frame));
    let pitch = wish.w + 40.0;
    let tries =
        (0..40).flat_map(|n: i32| [wish.moved(f64::from(n) * pitch, 0.0), wish.moved(f64::from(-n) * pitch, 0.0)]);
    tries.into_iter().find(free).unwrap_or(wish)
}

/// The first output port of a step that nothing follows yet, else its first.
pub fn free_port(graph: &Body, step: &str) -> String {
    let ports = graph.step(step).map(geometry::out_ports).unwrap_or_default();
    let used = |port: &String| graph.edges.iter().any(|edge| edge.from == step && edge.port == *port);
    let free = ports.iter().find(|port| !used(port)).or(ports.first());
    free.cloned().unwrap_or_else(|| Edge::OUT.to_owned())
}

/// The base, or the base with the first number that makes an id of no step at any level.
pub(super) fn fresh_id(document: &Document, base: &str) -> String {
    fresh(base, |id| document.find(id).is_none(), '_')
}

pub(super) fn fresh_name(document: &Document, base: &str) -> String {
    fresh(base, |name| document.all_steps().all(|step| step.name != name), ' ')
}

pub(super) fn fresh(base: &str, is_free: impl Fn(&str) -> bool, joint: char) -> String {
    if is_free(base) {
        return base.to_owned();
    }
    (2_u32..1_000_000)
        .map(|n| format!("{base}{joint}{n}"))
        .find(|text| is_free(text))
        .unwrap_or_else(|| base.to_owned())
}
