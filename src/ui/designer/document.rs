//! What is being edited: the definition, what is chosen in it, and how it is looked at.

use std::collections::{BTreeSet, HashMap};

use super::change::Details;
use super::kernel::{Point, Rect, Size, View, geometry};
use super::level::Level;
use crate::model::workflow::{Body, Definition, Edge, Step};

/// The state of the designer as plain data. [`super::change::apply`] is the only way it alters.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The format that the draft says it has.
    pub(super) weft: u32,
    /// Name, description and inputs of the workflow.
    pub details: Details,
    /// The graph that one stands in: the workflow's own, or the body of the innermost container of `levels`. With it comes
    /// the output of that level.
    pub graph: Body,
    /// The containers that one has gone into, outermost first.
    pub(super) levels: Vec<Level>,
    /// What is chosen.
    pub selection: Selection,
    /// Where one looks.
    pub view: View,
    /// The canvas, in CSS pixels; zero until it is measured.
    pub size: Size,
    /// A question that waits for an answer above the canvas.
    pub ask: Option<Ask>,
    /// Whether the reader may change the definition.
    pub may_edit: bool,
}

impl Document {
    /// A document as it opens: nothing chosen, seen from the origin.
    pub fn new(definition: Definition, may_edit: bool) -> Self {
        let (selection, view, size) = (Selection::default(), View::default(), Size::default());
        let weft = definition.weft;
        let (details, graph) = Details::split(definition);
        Self { weft, details, graph, levels: Vec::new(), selection, view, size, ask: None, may_edit }
    }

    /// The place of a step in the graph.
    pub fn index_of(&self, id: &str) -> Option<usize> {
        self.graph.steps.iter().position(|step| step.id == id)
    }

    /// The chosen steps, in the order of the graph.
    pub fn chosen(&self) -> impl Iterator<Item = &Step> {
        self.graph.steps.iter().filter(|step| self.selection.steps.contains(&step.id))
    }

    /// The places in the graph of the chosen edges and, with `inner`, of the edges at chosen steps; descending.
    pub fn edges_to_remove(&self) -> Vec<usize> {
        let keys = edge_keys(&self.graph.edges);
        let gone = |edge: &Edge| self.selection.steps.contains(&edge.from) || self.selection.steps.contains(&edge.to);
        let chosen = |index: &usize| self.selection.edges.contains(&keys[*index]) || gone(&self.graph.edges[*index]);
        (0..keys.len()).rev().filter(chosen).collect()
    }

    /// The box around all steps.
    pub fn bounds(&self) -> Option<Rect> {
        geometry::bounds(&self.graph.steps)
    }

    /// The view that shows all steps; `None` while there are none, or nothing is measured.
    pub fn fitted(&self) -> Option<View> {
        // Inside of a container the way out stands above the canvas.
        let above = if self.levels.is_empty() { 0.0 } else { 40.0 };
        let [top, right, bottom, left] = if self.size.w < 700.0 { [16.0; 4] } else { [32.0, 48.0, 72.0, 56.0] };
        let margins = [top + above, right, bottom, left];
        let all = self.bounds().filter(|_| self.size.w > 0.0);
        all.map(|all| View::fitted(all, self.size, margins))
    }

    /// The edge with this key.
    pub fn edge_index(&self, key: &EdgeKey) -> Option<usize> {
        edge_keys(&self.graph.edges).iter().position(|k| k == key)
    }
}

/// What is chosen. Every id and key in it exists in the graph that one stands in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// Chosen steps.
    pub steps: BTreeSet<String>,
    /// Chosen edges.
    pub edges: BTreeSet<EdgeKey>,
    /// The step that the inspector shows and the keys walk from: one of `steps`.
    pub lead: Option<String>,
}

impl Selection {
    /// One step.
    pub fn of(id: &str) -> Self {
        Self { steps: BTreeSet::from([id.to_owned()]), edges: BTreeSet::new(), lead: Some(id.to_owned()) }
    }

    /// One edge.
    pub fn of_edge(key: EdgeKey) -> Self {
        Self { steps: BTreeSet::new(), edges: BTreeSet::from([key]), lead: None }
    }

    /// These steps; the first leads.
    pub fn of_many(ids: impl IntoIterator<Item = String>) -> Self {
        let ids: Vec<String> = ids.into_iter().collect();
        Self { lead: ids.first().cloned(), steps: ids.into_iter().collect(), edges: BTreeSet::new() }
    }

    /// Whether nothing is chosen.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.edges.is_empty()
    }

    /// With one more step, or without it if it was chosen.
    #[must_use]
    pub fn toggled(mut self, id: &str) -> Self {
        if self.steps.remove(id) {
            if self.lead.as_deref() == Some(id) {
                self.lead = self.steps.first().cloned();
            }
        } else {
            self.steps.insert(id.to_owned());
            self.lead = Some(id.to_owned());
        }
        self
    }

    /// Without what the graph lacks.
    #[must_use]
    pub fn pruned(mut self, graph: &Body) -> Self {
        self.steps.retain(|id| graph.step(id).is_some());
        if !self.edges.is_empty() {
            let keys = edge_keys(&graph.edges);
            self.edges.retain(|key| keys.contains(key));
        }
        if self.lead.as_ref().is_some_and(|lead| !self.steps.contains(lead)) {
            self.lead = self.steps.first().cloned();
        }
        self
    }
}

/// What names an edge as long as its ends stay: `from`, `port`, `to`, and a count among equals.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EdgeKey(pub String);

/// The keys of edges, in their order.
pub fn edge_keys(edges: &[Edge]) -> Vec<EdgeKey> {
    let mut seen: HashMap<String, usize> = HashMap::with_capacity(edges.len());
    edges
        .iter()
        .map(|edge| {
            let base = format!("{} {} {}", edge.from, edge.port, edge.to);
            let count = seen.entry(base.clone()).or_insert(0);
            *count += 1;
            EdgeKey(if *count == 1 { base } else { format!("{base} {count}") })
        })
        .collect()
}

/// What a new step is tied to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// It follows this port of this step.
    After { step: String, port: String },
    /// It comes before this step.
    Before { step: String },
    /// It stands in the middle of this edge.
    Between(EdgeKey),
}

/// A question above the canvas.
#[derive(Debug, Clone, PartialEq)]
pub enum Ask {
    /// Which kind of step to add; where its top middle goes, and what it is tied to.
    AddStep { at: Option<Point>, link: Option<Link> },
    /// Which step to connect this one to.
    Connect { from: String },
}
