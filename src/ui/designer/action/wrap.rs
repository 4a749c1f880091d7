//! Putting chosen steps into a container: they become its body, and the edges that cross its border are tied to it.

use serde_json::{Map, Value, json};

use super::add::{bare, fresh_id, fresh_name};
use super::counted;
use super::speech::Speech;
use crate::model::workflow::kind::Kind;
use crate::model::workflow::{Body, Edge, Position, Step};
use crate::ui::designer::change::Change;
use crate::ui::designer::document::{Document, Selection};
use crate::ui::designer::kernel::snap::to_grid;
use crate::ui::designer::kernel::{NODE_W, Point, Rect, geometry, hit};

/// Puts the chosen steps into a new container of this kind. What leads to one of them leads to the container, what follows
/// one of them follows the container. Of a `group`, what follows reads their outputs through it: `steps.scan.output`
/// becomes `steps.group.output.scan`.
///
/// # Errors
/// Why it can't be, for people: nothing is chosen, a step runs between the chosen ones, or an edge leaves by a port that
/// a container does not have.
pub fn wrap(document: &Document, kind: &str) -> Result<Vec<Change>, String> {
    let Some(kind) = Kind::find(kind).filter(|kind| kind.has_body()) else {
        return Err("Only For each, Repeat and Group hold other steps.".to_owned());
    };
    let chosen: Vec<&Step> = document.chosen().collect();
    let Some(frame) = chosen.iter().map(|step| geometry::node_rect(step)).reduce(Rect::union) else {
        return Err("Choose the steps to put inside first.".to_owned());
    };
    let border = Border::of(document);
    border.refused(document)?;
    let id = fresh_id(document, kind.name);
    let spoken = if kind.name == "group" { border.spoken_of(document) } else { Vec::new() };
    let container = Step {
        name: fresh_name(document, kind.title),
        position: Point::new(to_grid(frame.center().x - NODE_W / 2.0), frame.y).into(),
        body: Some(body(document, &chosen, Point::new(frame.x, frame.y), &spoken)),
        ..bare(id.clone(), kind)
    };
    let name = format!("Put {} into {}", counted(chosen.len(), "step"), container.label());
    let mut changes = vec![Change::mark(name)];
    let gone = |edge: &Edge| border.has(&edge.from) || border.has(&edge.to);
    let edges = &document.graph.edges;
    let removed = (0..edges.len()).rev().filter(|index| gone(&edges[*index]));
    changes.extend(removed.map(|index| Change::RemoveEdge { index }));
    changes.extend(chosen.iter().map(|step| Change::RemoveStep { id: step.id.clone() }));
    changes.push(Change::AddStep { index: usize::MAX, step: Box::new(container) });
    changes.extend(border.tied(&id).into_iter().map(|edge| Change::AddEdge { index: usize::MAX, edge }));
    changes.extend(respoken(document, &id, &spoken, &border));
    changes.push(Change::Select(Selection::of(&id)));
    Ok(changes)
}

/// The chosen steps with the edges among them, moved so that the topmost and leftmost stand at the origin.
fn body(document: &Document, chosen: &[&Step], corner: Point, spoken: &[String]) -> Body {
    let moved = |step: &&Step| {
        let position = Position { x: step.position.x - corner.x, y: step.position.y - corner.y };
        Step { position, ..(*step).clone() }
    };
    let inside = |id: &str| chosen.iter().any(|step| step.id == id);
    let edges = document.graph.edges.iter().filter(|edge| inside(&edge.from) && inside(&edge.to)).cloned().collect();
    let output: Map<String, Value> =
        spoken.iter().map(|id| (id.clone(), json!(format!("{{{{ steps.{id}.output }}}}")))).collect();
    let output = if output.is_empty() { Value::Null } else { Value::Object(output) };
    Body { steps: chosen.iter().map(moved).collect(), edges, output, unfolded: false }
}

/// What is chosen, and the edges that cross its border.
struct Border<'a> {
    inside: &'a std::collections::BTreeSet<String>,
    inbound: Vec<&'a Edge>,
    outbound: Vec<&'a Edge>,
}

impl<'a> Border<'a> {
    fn of(document: &'a Document) -> Self {
        let inside = &document.selection.steps;
        let edges = || document.graph.edges.iter();
        let inbound = edges().filter(|edge| !inside.contains(&edge.from) && inside.contains(&edge.to)).collect();
        let outbound = edges().filter(|edge| inside.contains(&edge.from) && !inside.contains(&edge.to)).collect();
        Self { inside, inbound, outbound }
    }

    fn has(&self, id: &str) -> bool {
        self.inside.contains(id)
    }

    fn refused(&self, document: &Document) -> Result<(), String> {
        let label = |id: &str| document.graph.step(id).map_or(id, Step::label).to_owned();
        if let Some(edge) = self.outbound.iter().find(|edge| edge.port != Edge::OUT) {
            let (from, to) = (label(&edge.from), label(&edge.to));
            return Err(format!(
                "{from} leads to {to} by its port {}, which a container does not have. Choose {to} too.",
                edge.port
            ));
        }
        for out in &self.outbound {
            let back = |edge: &&&Edge| out.to == edge.from || leads(document, &out.to, &edge.from);
            if self.inbound.iter().any(|edge| back(&edge)) {
                return Err(format!("{} runs between the chosen steps. Choose it too.", label(&out.to)));
            }
        }
        Ok(())
    }

    /// The edges of the container: one for all that come from the same port under the same condition, and so on.
    fn tied(&self, id: &str) -> Vec<Edge> {
        let mut tied: Vec<Edge> = Vec::new();
        let inbound = self.inbound.iter().map(|edge| Edge { to: id.to_owned(), ..(*edge).clone() });
        let outbound = self.outbound.iter().map(|edge| Edge { from: id.to_owned(), ..(*edge).clone() });
        for edge in inbound.chain(outbound) {
            if !tied.contains(&edge) {
                tied.push(edge);
            }
        }
        tied
    }

    /// The chosen steps whose output others of this level speak of, in the order of the graph.
    fn spoken_of(&self, document: &Document) -> Vec<String> {
        let graph = &document.graph;
        let others = || graph.steps.iter().filter(|step| !self.has(&step.id));
        let edges = || graph.edges.iter().filter(|edge| !self.has(&edge.from) || !self.has(&edge.to));
        let spoken = |step: &&Step| {
            let speech = Speech::moved(&step.id, ".output", "");
            others().any(|other| speech.is_in_step(other))
                || edges().any(|edge| speech.in_edge(edge) != *edge)
                || speech.in_value(&graph.output) != graph.output
        };
        document.chosen().filter(spoken).map(|step| step.id.clone()).collect()
    }
}

fn leads(document: &Document, from: &str, to: &str) -> bool {
    hit::closes_circle(&document.graph, to, from)
}

/// What speaks of the outputs of steps that went into a group speaks of the group's.
fn respoken(document: &Document, id: &str, spoken: &[String], border: &Border<'_>) -> Vec<Change> {
    let speeches: Vec<Speech> =
        spoken.iter().map(|inner| Speech::moved(inner, ".output", &format!("{id}.output.{inner}"))).collect();
    let mut changes = Vec::new();
    for step in document.graph.steps.iter().filter(|step| !border.has(&step.id)) {
        let altered = speeches.iter().fold(step.clone(), |step, speech| speech.in_step(&step));
        if altered != *step {
            changes.push(super::replaced(&step.id, altered));
        }
    }
    // The edges that touched the chosen steps are gone and come last; those before keep their order.
    let kept = document.graph.edges.iter().filter(|edge| !border.has(&edge.from) && !border.has(&edge.to)).cloned();
    for (index, edge) in kept.chain(border.tied(id)).enumerate() {
        let altered = speeches.iter().fold(edge.clone(), |edge, speech| speech.in_edge(&edge));
        if altered != edge {
            changes.push(Change::ReplaceEdge { index, edge: altered });
        }
    }
    let output = speeches.iter().fold(document.graph.output.clone(), |value, speech| speech.in_value(&value));
    if output != document.graph.output {
        changes.push(Change::SetOutput(output));
    }
    changes
}

#[cfg(test)]
#[path = "wrap_tests.rs"]
mod tests;
