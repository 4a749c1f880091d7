//! Whether every expression mentions only what exists and has run by then.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::expression::{self, Refs};
use super::super::{Definition, Step};
use super::Findings;
use super::graph::Graph;

/// Checks references; with a cyclic graph only whether the steps exist.
pub(super) fn check(definition: &Definition, graph: Option<&Graph>, found: &mut Findings) {
    let ids: BTreeSet<&str> = definition.steps.iter().map(|step| step.id.as_str()).collect();
    let inputs = declared_inputs(definition);
    let before = graph.map(|graph| Before::of(definition, graph));
    for (at, step) in definition.steps.iter().enumerate() {
        for (field, refs) in step_refs(step) {
            let at_field = format!("/config/{field}");
            check_inputs(Some(&step.id), &at_field, &refs, inputs.as_ref(), found);
            for name in refs.steps() {
                if !ids.contains(name) {
                    found.error(Some(&step.id), &at_field, format!("no step has the id {name:?}"));
                } else if before.as_ref().is_some_and(|before| !before.is(name, at)) {
                    let message = format!("{name} does not run before {}: no path leads from it to here", step.id);
                    found.error(Some(&step.id), &at_field, message);
                }
            }
        }
    }
    for (number, edge) in definition.edges.iter().enumerate() {
        let refs = edge.when.as_deref().and_then(|when| expression::check_expression(when).ok()).unwrap_or_default();
        check_loose(&format!("/edges/{number}/when"), &refs, &ids, inputs.as_ref(), found);
    }
    check_output(definition, &ids, inputs.as_ref(), found);
}

/// The names of the inputs, if the definition says which there are.
fn declared_inputs(definition: &Definition) -> Option<BTreeSet<&str>> {
    let properties = definition.inputs.get("properties").and_then(Value::as_object);
    match (&definition.inputs, properties) {
        (Value::Null, _) => Some(BTreeSet::new()),
        (_, Some(properties)) => Some(properties.keys().map(String::as_str).collect()),
        _ => None,
    }
}

/// What each field of a step mentions. Fields with a syntax error have been reported already.
fn step_refs(step: &Step) -> Vec<(String, Refs)> {
    let fields = step.config.iter().map(|(name, value)| {
        let refs = match (step.kind.as_str(), name.as_str(), value) {
            ("condition", "when", Value::String(text)) => expression::check_expression(text).unwrap_or_default(),
            ("switch", "cases", Value::Array(cases)) => {
                let mut all = Refs::default();
                for when in cases.iter().filter_map(|case| case.get("when")?.as_str()) {
                    all.extend(expression::check_expression(when).unwrap_or_default());
                }
                all
            }
            (_, _, value) => expression::check_value(value).unwrap_or_default(),
        };
        (name.clone(), refs)
    });
    fields.collect()
}

fn check_inputs(step: Option<&str>, at: &str, refs: &Refs, inputs: Option<&BTreeSet<&str>>, found: &mut Findings) {
    if refs.paths.iter().any(|path| path.split('.').next() == Some("event")) {
        found.error(step, at, "event is known in the inputs of a trigger only; a run sees inputs");
    }
    let Some(inputs) = inputs else { return };
    for name in refs.inputs().filter(|name| !inputs.contains(name)) {
        found.error(step, at, format!("there is no input {name:?}"));
    }
}

/// References outside of a step: whether they exist at all.
fn check_loose(at: &str, refs: &Refs, ids: &BTreeSet<&str>, inputs: Option<&BTreeSet<&str>>, found: &mut Findings) {
    check_inputs(None, at, refs, inputs, found);
    for name in refs.steps().filter(|name| !ids.contains(name)) {
        found.error(None, at, format!("no step has the id {name:?}"));
    }
}

fn check_output(definition: &Definition, ids: &BTreeSet<&str>, inputs: Option<&BTreeSet<&str>>, found: &mut Findings) {
    match expression::check_value(&definition.output) {
        Ok(refs) => check_loose("/output", &refs, ids, inputs, found),
        Err((pointer, error)) => found.error(None, format!("/output{pointer}"), error.to_string()),
    }
}

/// Which steps lie before which: a row of bits for each step that some expression mentions.
struct Before {
    /// For a mentioned step, whether each step of the definition comes after it.
    after: std::collections::HashMap<String, Vec<bool>>,
}

impl Before {
    fn of(definition: &Definition, graph: &Graph) -> Self {
        let mentioned: BTreeSet<String> = definition
            .steps
            .iter()
            .flat_map(step_refs)
            .flat_map(|(_, refs)| refs.steps().map(str::to_owned).collect::<Vec<_>>())
            .collect();
        let after = mentioned
            .into_iter()
            .filter_map(|id| {
                let start = *graph.index.get(&id)?;
                let mut reached = vec![false; definition.steps.len()];
                reached[start] = true;
                for &at in &graph.order {
                    if graph.sources[at].iter().any(|&from| reached[from]) {
                        reached[at] = true;
                    }
                }
                reached[start] = false;
                Some((id, reached))
            })
            .collect();
        Self { after }
    }

    /// Whether the step `id` lies before the step at place `at`.
    fn is(&self, id: &str, at: usize) -> bool {
        self.after.get(id).is_some_and(|after| after[at])
    }
}
