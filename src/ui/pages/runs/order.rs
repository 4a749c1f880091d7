//! The order in which the steps of a definition run. Pure.

use std::collections::{BTreeSet, HashMap};

use crate::model::workflow::{Edge, Step};

/// The ids of the steps so that each comes after those that lead to it; where that leaves a choice, by place on the canvas.
/// Steps of a cycle come last.
pub fn running_order(steps: &[Step], edges: &[Edge]) -> Vec<String> {
    let index: HashMap<&str, usize> = (0..).zip(steps).map(|(at, step)| (step.id.as_str(), at)).collect();
    let mut before = vec![0_usize; steps.len()];
    let mut after = vec![Vec::new(); steps.len()];
    for edge in edges {
        if let (Some(&from), Some(&to)) = (index.get(edge.from.as_str()), index.get(edge.to.as_str())) {
            before[to] += 1;
            after[from].push(to);
        }
    }
    let rank = |at: usize| {
        let position = steps[at].position;
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
    order.into_iter().map(|at| steps[at].id.clone()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::workflow::Definition;

    fn definition(steps: &[(&str, f64, f64)], edges: &[(&str, &str)]) -> Definition {
        let step = |(id, x, y): &(&str, f64, f64)| json!({"id": id, "kind": "transform", "position": {"x": x, "y": y}});
        let edge = |(from, to): &(&str, &str)| json!({"from": from, "to": to});
        let steps: Vec<_> = steps.iter().map(step).collect();
        let edges: Vec<_> = edges.iter().map(edge).collect();
        serde_json::from_value(json!({"weft": 1, "name": "t", "steps": steps, "edges": edges})).expect("fits")
    }

    #[test]
    fn steps_come_after_what_leads_to_them_then_by_place() {
        let graph = definition(&[("c", 0.0, 0.0), ("b", 200.0, 0.0), ("a", 0.0, 0.0)], &[("a", "c"), ("b", "c")]);
        assert_eq!(running_order(&graph.steps, &graph.edges), ["a", "b", "c"]);
    }

    #[test]
    fn a_cycle_is_listed_all_the_same() {
        let graph = definition(&[("a", 0.0, 0.0), ("b", 0.0, 99.0)], &[("a", "b"), ("b", "a")]);
        assert_eq!(running_order(&graph.steps, &graph.edges).len(), 2);
    }
}
