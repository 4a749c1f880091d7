//! What differs between two definitions.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::model::workflow::{Definition, Edge, Step};

/// What differs between two definitions; places on the canvas don't count.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct DefinitionDiff {
    /// Steps of the second alone.
    pub added: Vec<String>,
    /// Steps of the first alone.
    pub removed: Vec<String>,
    /// Steps of both that differ.
    pub changed: Vec<ChangedStep>,
    /// Edges of the second alone.
    pub edges_added: Vec<Edge>,
    /// Edges of the first alone.
    pub edges_removed: Vec<Edge>,
    /// What differs of the workflow as a whole: `name`, `inputs`, `output`, `flow`, `compensation`, `on_failure`, `team`.
    pub fields: Vec<String>,
}

/// A step that differs between two definitions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChangedStep {
    /// Its id.
    pub id: String,
    /// What differs: `kind`, `config.url`, `retry`, …
    pub fields: Vec<String>,
}

impl DefinitionDiff {
    /// Whether they are the same.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

pub(super) fn compare(a: &Definition, b: &Definition) -> DefinitionDiff {
    let only = |these: &Definition, others: &Definition| -> Vec<String> {
        these.steps.iter().map(|step| step.id.clone()).filter(|id| others.step(id).is_none()).collect()
    };
    let edges = |these: &Definition, others: &Definition| -> Vec<Edge> {
        these.edges.iter().filter(|edge| !others.edges.contains(edge)).cloned().collect()
    };
    let changed = a.steps.iter().filter_map(|step| {
        let fields = changed_fields(step, b.step(&step.id)?);
        (!fields.is_empty()).then(|| ChangedStep { id: step.id.clone(), fields })
    });
    let fields = [
        ("name", a.name != b.name),
        ("inputs", a.inputs != b.inputs),
        ("output", a.output != b.output),
        ("flow", a.flow != b.flow),
        ("compensation", a.compensation != b.compensation),
        ("on_failure", a.on_failure != b.on_failure),
        ("team", a.team != b.team),
    ];
    DefinitionDiff {
        added: only(b, a),
        removed: only(a, b),
        changed: changed.collect(),
        edges_added: edges(b, a),
        edges_removed: edges(a, b),
        fields: fields.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name.to_owned()).collect(),
    }
}

/// What differs between two steps of the same id, as `kind` or `config.url`; places on the canvas and names don't count.
pub fn changed_fields(a: &Step, b: &Step) -> Vec<String> {
    let written = |step: &Step| serde_json::to_value(step).unwrap_or_default();
    let (a, b) = (written(a), written(b));
    let mut changed = Vec::new();
    for name in names(&a, &b).into_iter().filter(|name| !matches!(name.as_str(), "position" | "name")) {
        let (before, after) = (a.get(&name), b.get(&name));
        if before == after {
            continue;
        }
        match (before, after) {
            (Some(before), Some(after)) if name == "config" => {
                let fields = names(before, after).into_iter().filter(|field| before.get(field) != after.get(field));
                changed.extend(fields.map(|field| format!("config.{field}")));
            }
            _ => changed.push(name),
        }
    }
    changed
}

fn names(a: &Value, b: &Value) -> BTreeSet<String> {
    let keys = |value: &Value| value.as_object().into_iter().flat_map(|map| map.keys().cloned()).collect::<Vec<_>>();
    keys(a).into_iter().chain(keys(b)).collect()
}
