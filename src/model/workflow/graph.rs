//! A definition with its indexes: which step is which, what leads where.

use std::collections::HashMap;
use std::sync::Arc;

use super::kind::Kind;
use super::{Body, Definition, Edge, Step};

/// A definition prepared for folding: steps and edges by number, in the order of the definition.
#[derive(Debug)]
pub struct Graph {
    definition: Definition,
    index: HashMap<String, u32>,
    kinds: Vec<Option<&'static Kind>>,
    /// The graphs inside of containers.
    bodies: Vec<Option<Arc<Self>>>,
    outbound: Vec<Vec<u32>>,
    inbound: Vec<Vec<u32>>,
    /// From and to of each edge; `None` where an end dangles.
    ends: Vec<Option<(u32, u32)>>,
    /// Whether a step in it, or inside of its containers, starts runs.
    starts_runs: bool,
    /// Whether an agent works in it, or inside of its containers.
    has_agents: bool,
    /// Whether a step in it, or inside of its containers, has a key.
    has_keys: bool,
}

impl Graph {
    /// Prepares a definition. Edges that dangle are left out; the checker has refused them.
    pub fn new(definition: Definition) -> Arc<Self> {
        let index: HashMap<String, u32> =
            definition.steps.iter().enumerate().map(|(number, step)| (step.id.clone(), number as u32)).collect();
        let ends: Vec<Option<(u32, u32)>> =
            definition.edges.iter().map(|edge| Some((*index.get(&edge.from)?, *index.get(&edge.to)?))).collect();
        let mut outbound = vec![Vec::new(); definition.steps.len()];
        let mut inbound = outbound.clone();
        for (number, ends) in ends.iter().enumerate() {
            if let Some((from, to)) = ends {
                outbound[*from as usize].push(number as u32);
                inbound[*to as usize].push(number as u32);
            }
        }
        let kinds: Vec<Option<&'static Kind>> = definition.steps.iter().map(|step| Kind::find(&step.kind)).collect();
        let bodies = definition.steps.iter().map(|step| Some(Self::new(whole(&definition.name, step.body.as_ref()?))));
        let bodies: Vec<Option<Arc<Self>>> = bodies.collect();
        let starts_runs = kinds.iter().flatten().any(|kind| kind.starts_runs())
            || bodies.iter().flatten().any(|body| body.starts_runs);
        let has_agents = definition.steps.iter().any(|step| step.kind == "agent")
            || bodies.iter().flatten().any(|body| body.has_agents);
        let has_keys = definition.steps.iter().any(|step| step.concurrency.is_some())
            || bodies.iter().flatten().any(|body| body.has_keys);
        Arc::new(Self { definition, index, kinds, bodies, outbound, inbound, ends, starts_runs, has_agents, has_keys })
    }

    /// Whether a step in it, or inside of its containers, waits for a key before it begins.
    pub const fn has_keys(&self) -> bool {
        self.has_keys
    }

    /// Whether an agent works in it, or inside of its containers.
    pub const fn has_agents(&self) -> bool {
        self.has_agents
    }

    /// Whether a step in it, or inside of its containers, starts runs.
    pub const fn starts_runs(&self) -> bool {
        self.starts_runs
    }

    /// The step that a path such as `each[3].fetch` names, whatever the indexes.
    pub fn find_path(&self, path: &str) -> Option<&Step> {
        let mut graph = self;
        let mut rest = path;
        while let Some((id, inside)) = rest.split_once('[') {
            // Which attempt of the container is no matter.
            let id = id.split('#').next().unwrap_or(id);
            graph = graph.body(graph.find(id)?)?;
            rest = inside.split_once("].")?.1;
        }
        graph.find(rest).map(|step| graph.step(step))
    }

    /// The kind of what a path names, also that of a compensation.
    pub fn kind_at(&self, path: &str) -> Option<&str> {
        match path.strip_prefix(super::UNDO) {
            Some(undone) => Some(&self.find_path(undone.trim_end_matches('\''))?.compensate.as_ref()?.kind),
            None => self.find_path(path).map(|step| step.kind.as_str()),
        }
    }

    /// The graph inside of a container.
    pub fn body(&self, step: u32) -> Option<&Arc<Self>> {
        self.bodies[step as usize].as_ref()
    }

    /// What was prepared.
    pub const fn definition(&self) -> &Definition {
        &self.definition
    }

    /// How many steps there are.
    pub const fn len(&self) -> usize {
        self.definition.steps.len()
    }

    /// Whether there are no steps.
    pub const fn is_empty(&self) -> bool {
        self.definition.steps.is_empty()
    }

    /// The number of the step with this id.
    pub fn find(&self, id: &str) -> Option<u32> {
        self.index.get(id).copied()
    }

    /// A step by number.
    pub fn step(&self, number: u32) -> &Step {
        &self.definition.steps[number as usize]
    }

    /// The kind of a step; `None` for one that this program does not know.
    pub fn kind(&self, number: u32) -> Option<&'static Kind> {
        self.kinds[number as usize]
    }

    /// An edge by number.
    pub fn edge(&self, number: u32) -> &Edge {
        &self.definition.edges[number as usize]
    }

    /// The numbers of the edges that leave a step.
    pub fn outbound(&self, step: u32) -> &[u32] {
        &self.outbound[step as usize]
    }

    /// The numbers of the edges that enter a step.
    pub fn inbound(&self, step: u32) -> &[u32] {
        &self.inbound[step as usize]
    }

    /// The step that an edge enters.
    pub fn target(&self, edge: u32) -> Option<u32> {
        self.ends[edge as usize].map(|(_, to)| to)
    }

    /// The steps that lead to `step` and nowhere else: what loses when another branch of a race was first.
    ///
    /// Linear in what lies before `step`; `step` itself is not among them.
    pub fn only_leading_to(&self, step: u32) -> Vec<u32> {
        // How many edges of each candidate lead into what was already found; all of them must.
        let mut inside: HashMap<u32, usize> = HashMap::new();
        let mut found = Vec::new();
        let mut open = vec![step];
        while let Some(next) = open.pop() {
            for &edge in self.inbound(next) {
                let Some((from, _)) = self.ends[edge as usize] else {
                    continue;
                };
                let count = inside.entry(from).or_default();
                *count += 1;
                if *count == self.outbound(from).len() {
                    found.push(from);
                    open.push(from);
                }
            }
        }
        found.sort_unstable();
        found
    }
}

/// A body as a definition of its own, which is how it is folded.
fn whole(name: &str, body: &Body) -> Definition {
    let Body { steps, edges, output, .. } = body.clone();
    Definition { steps, edges, output, ..Definition::empty(name) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_race_takes_down_only_what_leads_nowhere_else() {
        let steps = ["start", "a", "a2", "b", "aside", "join"].map(|id| json!({"id": id, "kind": "transform"}));
        let definition: Definition = serde_json::from_value(json!({
            "weft": 1, "name": "race",
            "steps": steps,
            "edges": [
                {"from": "start", "to": "a"}, {"from": "a", "to": "a2"}, {"from": "a2", "to": "join"},
                {"from": "start", "to": "b"}, {"from": "b", "to": "join"}, {"from": "b", "to": "aside"},
            ],
        }))
        .expect("fits");
        let graph = Graph::new(definition);
        let join = graph.find("join").expect("there");
        let losers: Vec<&str> = graph.only_leading_to(join).into_iter().map(|n| graph.step(n).id.as_str()).collect();
        assert_eq!(losers, ["a", "a2"]);
    }
}
