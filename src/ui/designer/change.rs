//! The only way the document alters: one closed list of changes, and a pure function that applies one.

use serde_json::Value;

use super::document::{Ask, Document, Selection};
use super::kernel::{Size, View};
use super::level::deep;
use crate::model::agent::Team;
use crate::model::workflow::flow::Flow;
use crate::model::workflow::{Body, CompensationPolicy, Definition, Edge, Position, Step};

/// What people say about the workflow as a whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Details {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The JSON Schema of its inputs.
    pub inputs: Value,
    /// What limits its runs.
    pub flow: Flow,
    /// When a run undoes what it did.
    pub compensation: CompensationPolicy,
    /// The workflow that is started when a run fails.
    pub on_failure: Option<String>,
    /// Who may write to whom among the agents of its runs.
    pub team: Option<Team>,
    /// Days that its ended runs are kept.
    pub retention_days: Option<u32>,
}

impl Details {
    /// A definition as its details and its graph.
    pub fn split(definition: Definition) -> (Self, Body) {
        let details = Self {
            name: definition.name,
            description: definition.description,
            inputs: definition.inputs,
            flow: definition.flow.unwrap_or_default(),
            compensation: definition.compensation.unwrap_or_default(),
            on_failure: definition.on_failure,
            team: definition.team,
            retention_days: definition.retention_days,
        };
        let Definition { steps, edges, output, .. } = definition;
        (details, Body { steps, edges, output, unfolded: false })
    }

    /// The definition of this graph, in today's format.
    pub fn joined(self, graph: Body) -> Definition {
        let Self { name, description, inputs, flow, compensation, on_failure, team, retention_days } = self;
        let Body { steps, edges, output, unfolded: _ } = graph;
        Definition {
            weft: Definition::FORMAT,
            name,
            description,
            inputs,
            steps,
            edges,
            output,
            flow: Some(flow).filter(|flow| *flow != Flow::default()),
            compensation: Some(compensation).filter(|policy| *policy != CompensationPolicy::default()),
            on_failure,
            team,
            retention_days,
        }
    }
}

/// One alteration.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Opens a mark of the history with this name, such as "Move 3 steps": what follows is undone together. Changes with
    /// the same `key` in a row, such as the typing in one field, join the mark before.
    Mark { name: String, key: Option<String> },
    /// Puts a step at a place of the list; refused when its id, or one inside of it, is taken at any level.
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
    /// Sets name, description, inputs and limits.
    SetDetails(Box<Details>),
    /// Sets the output of the graph that one stands in.
    SetOutput(Value),
    /// Puts another definition in place of the whole, as it was loaded anew.
    Load(Box<Definition>),
    /// Goes to a level: the ids of its containers, outermost first. Not undone by itself, but what is undone goes there.
    Enter(Vec<String>),
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
            Self::Mark { .. }
                | Self::Select(_)
                | Self::Look(_)
                | Self::Measure(_)
                | Self::Ask(_)
                | Self::Load(_)
                | Self::Enter(_)
        )
    }
}

/// Applies one change. Returns the change that takes it back; `None` for what isn't undone, and for what could not be
/// applied because its step or edge isn't there.
pub fn apply(document: &mut Document, change: Change) -> Option<Change> {
    if change.is_edit() && !document.may_edit {
        return None;
    }
    if !is_free(document, &change) {
        return None;
    }
    let graph = &mut document.graph;
    match change {
        Change::Mark { .. } => None,
        Change::AddStep { index, step } => {
            let id = step.id.clone();
            graph.steps.insert(index.min(graph.steps.len()), *step);
            Some(Change::RemoveStep { id })
        }
        Change::RemoveStep { id } => {
            let index = graph.steps.iter().position(|step| step.id == id)?;
            let step = Box::new(graph.steps.remove(index));
            Some(Change::AddStep { index, step })
        }
        Change::ReplaceStep { id, step } => {
            let new_id = step.id.clone();
            let place = graph.steps.iter_mut().find(|step| step.id == id)?;
            let old = std::mem::replace(place, *step);
            Some(Change::ReplaceStep { id: new_id, step: Box::new(old) })
        }
        Change::MoveSteps(places) => Some(Change::MoveSteps(moved(graph, &places))),
        Change::AddEdge { index, edge } => {
            let index = index.min(graph.edges.len());
            graph.edges.insert(index, edge);
            Some(Change::RemoveEdge { index })
        }
        Change::RemoveEdge { index } => {
            if index >= graph.edges.len() {
                return None;
            }
            let edge = graph.edges.remove(index);
            Some(Change::AddEdge { index, edge })
        }
        Change::ReplaceEdge { index, edge } => {
            let old = std::mem::replace(graph.edges.get_mut(index)?, edge);
            Some(Change::ReplaceEdge { index, edge: old })
        }
        Change::SetDetails(details) => {
            let old = std::mem::replace(&mut document.details, *details);
            Some(Change::SetDetails(Box::new(old)))
        }
        Change::SetOutput(output) => Some(Change::SetOutput(std::mem::replace(&mut graph.output, output))),
        other => {
            look(document, other);
            None
        }
    }
}

/// Whether the ids that a change brings are used nowhere else: expressions speak of steps by id across the levels.
fn is_free(document: &Document, change: &Change) -> bool {
    match change {
        Change::AddStep { step, .. } => {
            let brought = deep(std::slice::from_ref(step));
            brought.iter().all(|step| document.find(&step.id).is_none())
        }
        Change::ReplaceStep { id, step } => step.id == *id || document.find(&step.id).is_none(),
        _ => true,
    }
}

/// Applies what isn't an edit.
fn look(document: &mut Document, change: Change) {
    match change {
        Change::Load(definition) => {
            let path = document.path();
            document.weft = definition.weft;
            (document.details, document.graph) = Details::split(*definition);
            document.levels.clear();
            document.enter(&path);
        }
        Change::Enter(path) => document.enter(&path),
        Change::Select(selection) => document.selection = selection.pruned(&document.graph),
        Change::Look(view) => document.view = view,
        Change::Measure(size) => document.size = size,
        Change::Ask(ask) => document.ask = ask,
        _ => {}
    }
}

/// Moves steps; returns where they were. The last place given for a step wins, and the first one read is restored.
fn moved(graph: &mut Body, places: &[(String, Position)]) -> Vec<(String, Position)> {
    let mut before = Vec::with_capacity(places.len());
    for (id, to) in places {
        if let Some(step) = graph.steps.iter_mut().find(|step| step.id == *id) {
            before.push((id.clone(), std::mem::replace(&mut step.position, *to)));
        }
    }
    before.reverse();
    before
}
