//! The only way the document alters: one closed list of changes, and a pure function that applies one.

use serde_json::Value;

use super::document::{Ask, Document, Selection};
use super::kernel::{Size, View};
use crate::model::workflow::flow::Flow;
use crate::model::workflow::{Definition, Edge, Position, Step};

/// What people say about the workflow as a whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Details {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The JSON Schema of its inputs.
    pub inputs: Value,
    /// The template of its output.
    pub output: Value,
    /// What limits its runs.
    pub flow: Flow,
    /// Days that its ended runs are kept.
    pub retention_days: Option<u32>,
}

impl Details {
    /// As the definition has them.
    pub fn of(definition: &Definition) -> Self {
        Self {
            name: definition.name.clone(),
            description: definition.description.clone(),
            inputs: definition.inputs.clone(),
            output: definition.output.clone(),
            flow: definition.flow.clone().unwrap_or_default(),
            retention_days: definition.retention_days,
        }
    }
}

/// One alteration.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Opens a mark of the history with this name, such as "Move 3 steps": what follows is undone together. Changes with
    /// the same `key` in a row, such as the typing in one field, join the mark before.
    Mark { name: String, key: Option<String> },
    /// Puts a step at a place of the list; refused when its id is taken.
    AddStep { index: usize, step: Box<Step> },
    /// Takes a step out. Its edges stay: remove them first.
    RemoveStep { id: String },
    /// Puts another step in the place of this one; its id may differ.
    ReplaceStep { id: String, step: Box<Step> },
    /// Moves steps to new places.
    MoveSteps(Vec<(String, Position)>),
    /// Puts an edge at a place of the list.
    AddEdge { index: usize, edge: Edge },
    /// Takes the edge at a place out.
    RemoveEdge { index: usize },
    /// Puts another edge in the place of this one.
    ReplaceEdge { index: usize, edge: Edge },
    /// Sets name, description, inputs, output and limits.
    SetDetails(Box<Details>),
    /// Puts another definition in place of the whole, as it was loaded anew.
    Load(Box<Definition>),
    /// Chooses. Not undone by itself.
    Select(Selection),
    /// Moves the view. Not undone.
    Look(View),
    /// The canvas was measured. Not undone.
    Measure(Size),
    /// Asks, or takes the question back. Not undone.
    Ask(Option<Ask>),
}

impl Change {
    /// A mark that nothing joins.
    pub fn mark(name: impl Into<String>) -> Self {
        Self::Mark { name: name.into(), key: None }
    }

    /// Whether it alters the definition.
    pub const fn is_edit(&self) -> bool {
        !matches!(
            self,
            Self::Mark { .. } | Self::Select(_) | Self::Look(_) | Self::Measure(_) | Self::Ask(_) | Self::Load(_)
        )
    }
}

/// Applies one change. Returns the change that takes it back; `None` for what isn't undone, and for what could not be
/// applied because its step or edge isn't there.
pub fn apply(document: &mut Document, change: Change) -> Option<Change> {
    if change.is_edit() && !document.may_edit {
        return None;
    }
    let definition = &mut document.definition;
    match change {
        Change::Mark { .. } => None,
        Change::AddStep { index, step } => {
            if definition.step(&step.id).is_some() {
                return None;
            }
            let id = step.id.clone();
            definition.steps.insert(index.min(definition.steps.len()), *step);
            Some(Change::RemoveStep { id })
        }
        Change::RemoveStep { id } => {
            let index = definition.steps.iter().position(|step| step.id == id)?;
            let step = Box::new(definition.steps.remove(index));
            Some(Change::AddStep { index, step })
        }
        Change::ReplaceStep { id, step } => {
            if step.id != id && definition.step(&step.id).is_some() {
                return None;
            }
            let new_id = step.id.clone();
            let place = definition.steps.iter_mut().find(|step| step.id == id)?;
            let old = std::mem::replace(place, *step);
            Some(Change::ReplaceStep { id: new_id, step: Box::new(old) })
        }
        Change::MoveSteps(places) => Some(Change::MoveSteps(moved(definition, &places))),
        Change::AddEdge { index, edge } => {
            let index = index.min(definition.edges.len());
            definition.edges.insert(index, edge);
            Some(Change::RemoveEdge { index })
        }
        Change::RemoveEdge { index } => {
            if index >= definition.edges.len() {
                return None;
            }
            let edge = definition.edges.remove(index);
            Some(Change::AddEdge { index, edge })
        }
        Change::ReplaceEdge { index, edge } => {
            let old = std::mem::replace(definition.edges.get_mut(index)?, edge);
            Some(Change::ReplaceEdge { index, edge: old })
        }
        Change::SetDetails(details) => {
            let old = Details::of(definition);
            let Details { name, description, inputs, output, flow, retention_days } = *details;
            (definition.name, definition.description, definition.inputs, definition.output) =
                (name, description, inputs, output);
            definition.flow = Some(flow).filter(|flow| *flow != Flow::default());
            definition.retention_days = retention_days;
            Some(Change::SetDetails(Box::new(old)))
        }
        other => {
            look(document, other);
            None
        }
    }
}

/// Applies what isn't an edit.
fn look(document: &mut Document, change: Change) {
    match change {
        Change::Load(definition) => document.definition = *definition,
        Change::Select(selection) => document.selection = selection.pruned(&document.definition),
        Change::Look(view) => document.view = view,
        Change::Measure(size) => document.size = size,
        Change::Ask(ask) => document.ask = ask,
        _ => {}
    }
}

/// Moves steps; returns where they were. The last place given for a step wins, and the first one read is restored.
fn moved(definition: &mut Definition, places: &[(String, Position)]) -> Vec<(String, Position)> {
    let mut before = Vec::with_capacity(places.len());
    for (id, to) in places {
        if let Some(step) = definition.steps.iter_mut().find(|step| step.id == *id) {
            before.push((id.clone(), std::mem::replace(&mut step.position, *to)));
        }
    }
    before.reverse();
    before
}
