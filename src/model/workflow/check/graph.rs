//! Whether the edges lead somewhere, and never in a circle.

use std::collections::{BTreeSet, HashMap};

use super::super::kind::Kind;
use super::super::{Definition, Edge, OnError};
use super::{Findings, config};

/// The graph, once it has no cycle.
pub(super) struct Graph {
    /// A step's place in the definition, by id.
    pub index: HashMap<String, usize>,
    /// For each step, the steps that an edge leads from.
    pub sources: Vec<Vec<usize>>,
    /// Every step after all that lead to it.
    pub order: Vec<usize>,
}

/// Checks the edges; `None` when there is a cycle, which makes "before" meaningless.
pub(super) fn check(definition: &Definition, found: &mut Findings) -> Option<Graph> {
    let index: HashMap<String, usize> =
        definition.steps.iter().enumerate().map(|(at, step)| (step.id.clone(), at)).collect();
    let mut targets = vec![Vec::new(); definition.steps.len()];
    let mut sources = vec![Vec::new(); definition.steps.len()];
    let mut seen = BTreeSet::new();
    for (number, edge) in definition.edges.iter().enumerate() {
        check_edge(definition, &index, number, edge, found);
        if !seen.insert((&edge.from, &edge.port, &edge.to)) {
            found.warning(None, format!("/edges/{number}"), format!("{} leads to {} twice", edge.from, edge.to));
        }
        if let (Some(&from), Some(&to)) = (index.get(&edge.from), index.get(&edge.to)) {
            targets[from].push(to);
            sources[to].push(from);
        }
    }
    check_error_ports(definition, found);
    match order(&targets, &sources) {
        Ok(order) => Some(Graph { index, sources, order }),
        Err(cycle) => {
            let names: Vec<&str> = cycle.iter().map(|&at| definition.steps[at].id.as_str()).collect();
            let path = format!("{} -> {}", names.join(" -> "), names[0]);
            found.error(Some(names[0]), "", format!("the steps run in a circle: {path}"));
            None
        }
    }
}

fn check_edge(
    definition: &Definition,
    index: &HashMap<String, usize>,
    number: usize,
    edge: &Edge,
    found: &mut Findings,
) {
    let at = format!("/edges/{number}");
    for (end, id) in [("from", &edge.from), ("to", &edge.to)] {
        if !index.contains_key(id) {
            found.error(None, format!("{at}/{end}"), format!("no step has the id {id:?}"));
        }
    }
    if let Some(step) = index.get(&edge.from).map(|&from| &definition.steps[from])
        && let Some(kind) = Kind::find(&step.kind)
    {
        let ports = kind.ports_of(&step.config);
        if !ports.contains(&edge.port) {
            let message = format!("{} has no port {:?}; it has {}", step.id, edge.port, ports.join(", "));
            found.error(None, format!("{at}/port"), message);
        }
    }
    if let Some(when) = &edge.when {
        config::check_expression(None, &format!("{at}/when"), when, found);
    }
}

/// An error port without an edge, and an edge at an error port that never opens.
fn check_error_ports(definition: &Definition, found: &mut Findings) {
    let used: BTreeSet<&str> =
        definition.edges.iter().filter(|edge| edge.port == Edge::ERROR).map(|edge| edge.from.as_str()).collect();
    for step in &definition.steps {
        // A kind without an error port has been reported with its step.
        if Kind::find(&step.kind).is_none_or(|kind| !kind.ports.contains(&Edge::ERROR)) {
            continue;
        }
        match (step.on_error == OnError::Port, used.contains(step.id.as_str())) {
            (true, false) => found.warning(Some(&step.id), "/on_error", "nothing follows the error port"),
            (false, true) => {
                found.warning(Some(&step.id), "/on_error", "the edge at the error port needs on_error: port");
            }
            _ => {}
        }
    }
}

/// Every step after all that lead to it (Kahn 1962), or one cycle in the order of its edges.
fn order(targets: &[Vec<usize>], sources: &[Vec<usize>]) -> Result<Vec<usize>, Vec<usize>> {
    let mut waits: Vec<usize> = sources.iter().map(Vec::len).collect();
    let mut order: Vec<usize> = (0..targets.len()).filter(|&at| waits[at] == 0).collect();
    let mut next = 0;
    while let Some(&at) = order.get(next) {
        next += 1;
        for &to in &targets[at] {
            waits[to] -= 1;
            if waits[to] == 0 {
                order.push(to);
            }
        }
    }
    if order.len() == targets.len() {
        return Ok(order);
    }
    // Every step that still waits has a source that still waits: walking back must meet itself.
    let start = waits.iter().position(|&n| n > 0).unwrap_or_default();
    let mut path = vec![start];
    let mut met = HashMap::from([(start, 0)]);
    loop {
        let at = path[path.len() - 1];
        let back = sources[at].iter().copied().find(|&from| waits[from] > 0).unwrap_or(at);
        if let Some(&first) = met.get(&back) {
            let mut cycle = path.split_off(first);
            cycle.reverse();
            return Err(cycle);
        }
        met.insert(back, path.len());
        path.push(back);
    }
}
