//! A definition as a picture to look at: boxes, right-angled ways, the order in which steps run. Pure.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;

use crate::model::workflow::kind::Kind;
use crate::model::workflow::{Definition, Edge, OnError, Step};

/// The width of a node on the canvas, in px at zoom 1.
pub const NODE_W: f64 = 224.0;
/// The height of a node on the canvas, in px at zoom 1.
pub const NODE_H: f64 = 52.0;
/// The radius of a corner.
const RADIUS: f64 = 9.0;
/// The length of an arrow's head; the line ends short of it.
const HEAD: f64 = 5.0;

/// The box around all steps: left, top, width, height.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// Left.
    pub x: f64,
    /// Top.
    pub y: f64,
    /// Width.
    pub w: f64,
    /// Height.
    pub h: f64,
}

/// The box around all steps; `None` for an empty graph.
pub fn bounds(definition: &Definition) -> Option<Bounds> {
    let first = definition.steps.first()?.position;
    let mut corners = (first.x, first.y, first.x, first.y);
    for at in definition.steps.iter().map(|step| step.position) {
        corners = (
            corners.0.min(at.x),
            corners.1.min(at.y),
            corners.2.max(at.x),
            corners.3.max(at.y),
        );
    }
    let (x, y, right, bottom) = corners;
    Some(Bounds {
        x,
        y,
        w: right - x + NODE_W,
        h: bottom - y + NODE_H,
    })
}

/// The output ports of a step below its node, left to right.
pub fn ports(step: &Step) -> Vec<String> {
    let mut ports: Vec<String> = Kind::find(&step.kind)
        .map(|kind| {
            kind.ports
                .iter()
                .filter(|port| **port != Edge::ERROR)
                .map(|port| (*port).to_owned())
                .collect()
        })
        .unwrap_or_default();
    let cases = step
        .config
        .get("cases")
        .and_then(|cases| cases.as_array())
        .into_iter()
        .flatten();
    let named = cases.filter_map(|case| case.get("port")?.as_str().map(str::to_owned));
    let named: Vec<String> = named.filter(|port| !ports.contains(port)).collect();
    ports.splice(0..0, named);
    if ports.is_empty() {
        ports.push(Edge::OUT.to_owned());
    }
    ports
}

/// Whether the step has a port for its failures.
pub fn has_error_port(step: &Step) -> bool {
    step.on_error == OnError::Port
}

/// The way of an edge as the `d` of a path, and of its arrow's head; `None` where an end dangles.
pub fn way(definition: &Definition, edge: &Edge) -> Option<(String, String)> {
    let (from, to) = (definition.step(&edge.from)?, definition.step(&edge.to)?);
    let end = (to.position.x + NODE_W / 2.0, to.position.y);
    let mut points = if edge.port == Edge::ERROR {
        let start = (from.position.x + NODE_W, from.position.y + NODE_H / 2.0);
        vec![start, (start.0 + 18.0, start.1)]
    } else {
        let ports = ports(from);
        let at = ports.iter().position(|port| *port == edge.port).unwrap_or(0);
        let fraction = (at as f64 + 1.0) / (ports.len() as f64 + 1.0);
        vec![(from.position.x + NODE_W * fraction, from.position.y + NODE_H)]
    };
    let (x, y) = points[points.len() - 1];
    if end.1 - y >= 28.0 {
        let lane = if end.1 - y > 120.0 {
            end.1 - 24.0
        } else {
            f64::midpoint(y, end.1)
        };
        points.extend([(x, lane), (end.0, lane)]);
    } else {
        // backwards, or with no room between: around the right side
        let aside = (from.position.x.max(to.position.x)) + NODE_W + 24.0;
        points.extend([
            (x, y + 18.0),
            (aside, y + 18.0),
            (aside, end.1 - 18.0),
            (end.0, end.1 - 18.0),
        ]);
    }
    points.push(end);
    Some((
        path(&points),
        format!(
            "M{} {}h9L{} {}Z",
            num(end.0 - 4.5),
            num(end.1 - HEAD - 3.0),
            num(end.0),
            num(end.1 - 1.0)
        ),
    ))
}

/// A line through the points with rounded corners, ending where an arrow's head begins.
fn path(points: &[(f64, f64)]) -> String {
    let mut d = String::new();
    let length = |a: (f64, f64), b: (f64, f64)| (a.0 - b.0).hypot(a.1 - b.1);
    for (at, &here) in points.iter().enumerate() {
        let neighbours = (
            at.checked_sub(1).and_then(|before| points.get(before)),
            points.get(at + 1),
        );
        let _ = match neighbours {
            (None, _) => write!(d, "M{} {}", num(here.0), num(here.1)),
            (_, None) => write!(d, "L{} {}", num(here.0), num(here.1 - HEAD)),
            (Some(&before), Some(&after)) => {
                let radius = RADIUS.min(length(before, here) / 2.0).min(length(here, after) / 2.0);
                let (a, b) = (toward(here, before, radius), toward(here, after, radius));
                write!(
                    d,
                    "L{} {}Q{} {} {} {}",
                    num(a.0),
                    num(a.1),
                    num(here.0),
                    num(here.1),
                    num(b.0),
                    num(b.1)
                )
            }
        };
    }
    d
}

fn toward(from: (f64, f64), to: (f64, f64), by: f64) -> (f64, f64) {
    let length = (to.0 - from.0).hypot(to.1 - from.1);
    if length < 0.01 {
        from
    } else {
        (
            from.0 + (to.0 - from.0) / length * by,
            from.1 + (to.1 - from.1) / length * by,
        )
    }
}

/// A number with at most one decimal.
fn num(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// The ids of the steps so that each comes after those that lead to it; where that leaves a choice, by place on the canvas.
/// Steps of a cycle come last.
pub fn running_order(definition: &Definition) -> Vec<String> {
    let index: HashMap<&str, usize> = (0..)
        .zip(&definition.steps)
        .map(|(at, step)| (step.id.as_str(), at))
        .collect();
    let mut before = vec![0_usize; definition.steps.len()];
    let mut after = vec![Vec::new(); definition.steps.len()];
    for edge in &definition.edges {
        if let (Some(&from), Some(&to)) = (index.get(edge.from.as_str()), index.get(edge.to.as_str())) {
            before[to] += 1;
            after[from].push(to);
        }
    }
    let rank = |at: usize| {
        let position = definition.steps[at].position;
        ((position.y * 10.0) as i64, (position.x * 10.0) as i64, at)
    };
    let mut free: BTreeSet<_> = (0..before.len()).filter(|at| before[*at] == 0).map(rank).collect();
    let mut order = Vec::with_capacity(before.len());
    while let Some((_, _, at)) = free.pop_first() {
        order.push(at);
        for &next in &after[at] {
            before[next] -= 1;
            if before[next] == 0 {
                free.insert(rank(next));
            }
        }
    }
    order.extend((0..before.len()).filter(|at| before[*at] > 0));
    order.into_iter().map(|at| definition.steps[at].id.clone()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn definition(steps: &[(&str, f64, f64)], edges: &[(&str, &str)]) -> Definition {
        let steps: Vec<_> = steps
            .iter()
            .map(|(id, x, y)| json!({"id": id, "kind": "transform", "position": {"x": x, "y": y}}))
            .collect();
        let edges: Vec<_> = edges.iter().map(|(from, to)| json!({"from": from, "to": to})).collect();
        serde_json::from_value(json!({"weft": 1, "name": "t", "steps": steps, "edges": edges})).expect("fits")
    }

    #[test]
    fn steps_come_after_what_leads_to_them_then_by_place() {
        let graph = definition(
            &[("c", 0.0, 0.0), ("b", 200.0, 0.0), ("a", 0.0, 0.0)],
            &[("a", "c"), ("b", "c")],
        );
        assert_eq!(running_order(&graph), ["a", "b", "c"]);
    }

    #[test]
    fn a_cycle_is_listed_all_the_same() {
        let graph = definition(&[("a", 0.0, 0.0), ("b", 0.0, 99.0)], &[("a", "b"), ("b", "a")]);
        assert_eq!(running_order(&graph).len(), 2);
    }

    #[test]
    fn a_way_starts_below_and_ends_above() {
        let graph = definition(&[("a", 0.0, 0.0), ("b", 0.0, 100.0)], &[("a", "b")]);
        let (line, head) = way(&graph, &graph.edges[0]).expect("a way");
        assert!(line.starts_with("M112 52") && line.ends_with("L112 95"), "{line}");
        assert!(head.ends_with("L112 99Z"), "{head}");
        assert_eq!(
            bounds(&graph),
            Some(Bounds {
                x: 0.0,
                y: 0.0,
                w: 224.0,
                h: 152.0
            })
        );
    }

    #[test]
    fn an_edge_to_nowhere_has_no_way() {
        let graph = definition(&[("a", 0.0, 0.0)], &[("a", "gone")]);
        assert_eq!(way(&graph, &graph.edges[0]), None);
    }
}
