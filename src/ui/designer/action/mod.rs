//! What people do, as lists of changes: each opens a named mark and leaves the definition whole.
//!
//! Pure: the document is read, the changes are returned. An empty list means that there is nothing to do.

mod add;
mod dissolve;
mod nest;
mod paste;
mod pattern;
mod rename;
mod speech;
mod wrap;

pub use add::{add_step, free_port};
pub use dissolve::dissolve;
pub use nest::{go_into, go_up, toggle_folded};
pub use paste::{Fragment, copy, duplicate, paste};
pub use pattern::insert_pattern;
pub use rename::rename_id;
pub use wrap::wrap;

use serde_json::Value;

use super::change::{Change, Details};
use super::document::{Document, EdgeKey, Selection};
use super::kernel::{Point, layout};
use crate::model::workflow::{Edge, Position, Step};

/// "1 step", "3 steps".
pub fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// The step by its name, several by their number.
fn subject(document: &Document) -> String {
    let mut chosen = document.chosen();
    match (chosen.next(), chosen.next()) {
        (Some(step), None) => step.label().to_owned(),
        _ => counted(document.selection.steps.len(), "step"),
    }
}

/// Ties a port to a step. Nothing to do when they are tied already, or are the same step.
pub fn connect(document: &Document, from: &str, port: &str, to: &str) -> Vec<Change> {
    let graph = &document.graph;
    let known = graph.edges.iter().any(|e| e.from == from && e.port == port && e.to == to);
    let (Some(a), Some(b)) = (graph.step(from), graph.step(to)) else {
        return Vec::new();
    };
    if known || from == to {
        return Vec::new();
    }
    let edge = Edge { from: from.to_owned(), port: port.to_owned(), to: to.to_owned(), when: None };
    let name = format!("Connect {} to {}", a.label(), b.label());
    vec![Change::mark(name), Change::AddEdge { index: graph.edges.len(), edge }]
}

/// Removes what is chosen, and the edges at removed steps.
pub fn delete(document: &Document) -> Vec<Change> {
    let selection = &document.selection;
    if selection.is_empty() {
        return Vec::new();
    }
    let name = if selection.steps.is_empty() {
        format!("Delete {}", counted(selection.edges.len(), "edge"))
    } else {
        format!("Delete {}", subject(document))
    };
    let mut changes = vec![Change::mark(name)];
    changes.extend(document.edges_to_remove().into_iter().map(|index| Change::RemoveEdge { index }));
    changes.extend(document.chosen().map(|step| Change::RemoveStep { id: step.id.clone() }));
    changes
}

/// Disables the chosen steps, or enables them when all are disabled.
pub fn toggle_disabled(document: &Document) -> Vec<Change> {
    let on = document.chosen().all(|step| step.disabled);
    let steps: Vec<Change> = document
        .chosen()
        .filter(|step| step.disabled == on)
        .map(|step| replaced(&step.id, Step { disabled: !on, ..step.clone() }))
        .collect();
    if steps.is_empty() {
        return steps;
    }
    let name = format!("{} {}", if on { "Enable" } else { "Disable" }, subject(document));
    [vec![Change::mark(name)], steps].concat()
}

/// Moves the chosen steps a little; repeated, it is one mark.
pub fn nudge(document: &Document, dx: f64, dy: f64) -> Vec<Change> {
    let places: Vec<(String, Position)> = document
        .chosen()
        .map(|step| (step.id.clone(), Position { x: step.position.x + dx, y: step.position.y + dy }))
        .collect();
    if places.is_empty() {
        return Vec::new();
    }
    let mark = Change::Mark { name: format!("Move {}", subject(document)), key: Some("nudge".to_owned()) };
    vec![mark, Change::MoveSteps(places)]
}

/// Lays all steps out anew.
pub fn tidy(document: &Document) -> Vec<Change> {
    let origin = document.bounds().map_or(Point::default(), |all| Point::new(all.x, all.y));
    let places: Vec<(String, Position)> =
        layout::arrange(&document.graph, origin).into_iter().map(|(id, at)| (id, at.into())).collect();
    let same = |(id, at): &(String, Position)| document.graph.step(id).is_some_and(|step| step.position == *at);
    if places.iter().all(same) {
        return Vec::new();
    }
    vec![Change::mark("Tidy the layout"), Change::MoveSteps(places)]
}

/// Chooses everything.
pub fn select_all(document: &Document) -> Vec<Change> {
    vec![Change::Select(Selection::of_many(document.graph.steps.iter().map(|step| step.id.clone())))]
}

/// Puts an altered step in place; typing in one field (`key`) joins one mark.
pub fn set_step(document: &Document, step: Step, what: &str) -> Vec<Change> {
    let Some(before) = document.graph.step(&step.id) else {
        return Vec::new();
    };
    if *before == step {
        return Vec::new();
    }
    let key = Some(format!("{what} {}", step.id));
    let mark = Change::Mark { name: format!("Change {what} of {}", before.label()), key };
    vec![mark, replaced(&before.id.clone(), step)]
}

/// Sets or takes away one field of a step's config.
pub fn set_config(document: &Document, id: &str, field: &str, value: Option<Value>, label: &str) -> Vec<Change> {
    let Some(mut step) = document.graph.step(id).cloned() else {
        return Vec::new();
    };
    match value {
        Some(value) => step.config.insert(field.to_owned(), value),
        None => step.config.remove(field),
    };
    set_step(document, step, label)
}

/// Sets an edge's condition; an empty text takes it away.
pub fn set_when(document: &Document, key: &EdgeKey, when: &str) -> Vec<Change> {
    let Some(index) = document.edge_index(key) else {
        return Vec::new();
    };
    let edge = Edge { when: (!when.trim().is_empty()).then(|| when.to_owned()), ..document.graph.edges[index].clone() };
    let mark = Change::Mark { name: "Change a condition".to_owned(), key: Some(format!("when {}", key.0)) };
    vec![mark, Change::ReplaceEdge { index, edge }]
}

/// Sets name, description or inputs of the workflow.
pub fn set_details(document: &Document, details: Details, what: &str) -> Vec<Change> {
    if details == document.details {
        return Vec::new();
    }
    let mark = Change::Mark { name: format!("Change {what}"), key: Some(what.to_owned()) };
    vec![mark, Change::SetDetails(Box::new(details))]
}

/// Sets the output of the workflow, or of the body that one is in.
pub fn set_output(document: &Document, output: Value) -> Vec<Change> {
    if output == document.graph.output {
        return Vec::new();
    }
    let of = document.containers().next_back().map(|step| format!(" of {}", step.label())).unwrap_or_default();
    let mark = Change::Mark { name: format!("Change the output{of}"), key: Some(format!("output{of}")) };
    vec![mark, Change::SetOutput(output)]
}

fn replaced(id: &str, step: Step) -> Change {
    Change::ReplaceStep { id: id.to_owned(), step: Box::new(step) }
}
