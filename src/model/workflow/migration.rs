//! Runs that go on with a newer version of their workflow.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::fit::Misfit;
use super::{Definition, Edge, Graph, RunSummary};

/// A run goes on with another version from here on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Migrated {
    /// The version before.
    #[serde(default)]
    pub from: Option<i64>,
    /// The version from here on.
    pub version: i64,
    /// Who wanted it, if still known.
    #[serde(default)]
    pub by: Option<String>,
    /// That version, so that the history can be read by itself.
    pub definition: Definition,
    /// The inputs, where the version fills in more of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inputs: Option<Value>,
    /// Of the edges that are new, by their places in the version, those that steps which had ended have taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taken: Vec<u32>,
}

/// A run that has not ended and runs another version, and what keeps it from being moved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Movable {
    /// The run.
    pub run: RunSummary,
    /// The version that it could be moved to.
    pub version: i64,
    /// What stands in the way; empty when it can be moved.
    pub misfits: Vec<Misfit>,
}

/// The runs of a workflow that have not ended and run another version than this one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MovableRuns {
    /// The version that they could be moved to.
    pub version: i64,
    /// Newest first, at most 200.
    pub runs: Vec<Movable>,
    /// Whether there are more.
    pub more: bool,
}

/// What tells one edge from another.
pub(super) fn called(edge: &Edge) -> String {
    format!("{}\n{}\n{}\n{}", edge.from, edge.port, edge.to, edge.when.as_deref().unwrap_or_default())
}

/// The numbers of the edges that `onto` has and `source` has not.
pub fn new_edges(source: &Graph, onto: &Graph) -> Vec<u32> {
    let known: BTreeSet<String> = source.definition().edges.iter().map(called).collect();
    let edges = onto.definition().edges.iter().zip(0..);
    edges.filter(|(edge, _)| !known.contains(&called(edge))).map(|(_, number)| number).collect()
}
