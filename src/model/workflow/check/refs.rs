//! Whether every expression mentions only what exists and has run by then.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use super::super::expression::{self, Refs};
use super::super::{Definition, Step};
use super::graph::Graph;
use super::{Around, Findings};

/// The names that a container provides to its body.
pub(super) fn names_inside(kind: &str) -> &'static [&'static str] {
    match kind {
        "map" => &["item", "index"],
        "repeat" => &["iteration", "last"],
        _ => &[],
    }
}

/// Names that are there in some bodies only, and where.
const LOCAL: [(&str, &str); 4] =
    [("item", "a For each"), ("index", "a For each"), ("iteration", "a Repeat"), ("last", "a Repeat")];

/// Where a step may speak of itself.
const OWN: &str = "/compensate";

/// Checks references of one level; with a cyclic graph only whether the steps exist. Returns what runs before what.
pub(super) fn check<'a>(
    level: &'a Definition,
    graph: Option<&Graph>,
    around: &Around,
    found: &mut Findings,
) -> Before<'a> {
    let ids: BTreeSet<&str> = level.steps.iter().map(|step| step.id.as_str()).collect();
    let inputs = declared_inputs(level);
    let before = Before::of(level, graph);
    let known = Known { ids: &ids, inputs: inputs.as_ref(), around };
    for (at, step) in level.steps.iter().enumerate() {
        for (at_field, refs) in step_refs(step) {
            known.check_inputs(Some(&step.id), &at_field, &refs, found);
            known.check_names(Some(&step.id), &at_field, &refs, names_inside(&step.kind), found);
            for name in refs.steps().filter(|name| !around.steps.contains(*name)) {
                if !ids.contains(name) {
                    found.error(Some(&step.id), &at_field, format!("no step has the id {name:?}"));
                } else if name == step.id && at_field.starts_with(OWN) {
                    // It has succeeded by then.
                } else if graph.is_some() && !before.is(name, at) {
                    let message = format!("{name} does not run before {}: no path leads from it to here", step.id);
                    found.error(Some(&step.id), &at_field, message);
                }
            }
        }
    }
    for (number, edge) in level.edges.iter().enumerate() {
        let refs = edge.when.as_deref().and_then(|when| expression::check_expression(when).ok()).unwrap_or_default();
        known.check_loose(&format!("/edges/{number}/when"), &refs, found);
    }
    match expression::check_value(&level.output) {
        Ok(refs) => known.check_loose("/output", &refs, found),
        Err((pointer, error)) => found.error(None, format!("/output{pointer}"), error.to_string()),
    }
    before
}

/// What expressions of a level may mention.
struct Known<'a> {
    ids: &'a BTreeSet<&'a str>,
    inputs: Option<&'a BTreeSet<&'a str>>,
    around: &'a Around,
}

impl Known<'_> {
    fn check_inputs(&self, step: Option<&str>, at: &str, refs: &Refs, found: &mut Findings) {
        if refs.paths.iter().any(|path| path.split('.').next() == Some("event")) {
            found.error(step, at, "event is known in the inputs of a trigger only; a run sees inputs");
        }
        let Some(inputs) = self.inputs else { return };
        for name in refs.inputs().filter(|name| !inputs.contains(name)) {
            found.error(step, at, format!("there is no input {name:?}"));
        }
    }

    fn check_names(&self, step: Option<&str>, at: &str, refs: &Refs, own: &[&str], found: &mut Findings) {
        for (name, place) in LOCAL {
            let mentioned = refs.paths.iter().any(|path| path.split('.').next() == Some(name));
            // A `repeat` asks its own condition with its own names.
            let known = self.around.names.contains(name) || (own.contains(&name) && own.contains(&"last"));
            if mentioned && !known {
                found.error(step, at, format!("{name} is known only inside of {place}"));
            }
        }
    }

    /// References outside of a step: whether they exist at all.
    fn check_loose(&self, at: &str, refs: &Refs, found: &mut Findings) {
        self.check_inputs(None, at, refs, found);
        self.check_names(None, at, refs, &[], found);
        for name in refs.steps().filter(|name| !self.ids.contains(name) && !self.around.steps.contains(*name)) {
            found.error(None, at, format!("no step has the id {name:?}"));
        }
    }
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
            ("condition", "when", Value::String(text)) | ("repeat", "until" | "while", Value::String(text)) => {
                expression::check_expression(text).unwrap_or_default()
            }
            ("switch", "cases", Value::Array(cases)) => {
                let mut all = Refs::default();
                for when in cases.iter().filter_map(|case| case.get("when")?.as_str()) {
                    all.extend(expression::check_expression(when).unwrap_or_default());
                }
                all
            }
            (_, _, value) => expression::check_value(value).unwrap_or_default(),
        };
        (format!("/config/{name}"), refs)
    });
    let key = step.concurrency.iter().map(|concurrency| {
        let refs = expression::check_template(&concurrency.key).unwrap_or_default();
        ("/concurrency/key".to_owned(), refs)
    });
    let undo = step.compensate.iter().flat_map(|compensation| &compensation.config).map(|(name, value)| {
        let refs = expression::check_value(value).unwrap_or_default();
        (format!("{OWN}/config/{name}"), refs)
    });
    fields.chain(key).chain(undo).collect()
}

/// Which steps lie before which: a row of bits for each step that some expression mentions, and for containers the other
/// way round.
pub(super) struct Before<'a> {
    level: &'a Definition,
    /// For a mentioned step, whether each step of the level comes after it.
    after: HashMap<String, Vec<bool>>,
    /// For each step, the steps that an edge leads from; none in a circle.
    sources: Vec<Vec<usize>>,
}

impl<'a> Before<'a> {
    fn of(level: &'a Definition, graph: Option<&Graph>) -> Self {
        let Some(graph) = graph else {
            return Self { level, after: HashMap::new(), sources: vec![Vec::new(); level.steps.len()] };
        };
        let mentioned: BTreeSet<String> = level
            .steps
            .iter()
            .flat_map(step_refs)
            .flat_map(|(_, refs)| refs.steps().map(str::to_owned).collect::<Vec<_>>())
            .collect();
        let after = mentioned
            .into_iter()
            .filter_map(|id| {
                let start = *graph.index.get(&id)?;
                let mut reached = vec![false; level.steps.len()];
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
        Self { level, after, sources: graph.sources.clone() }
    }

    /// Whether the step `id` lies before the step at place `at`.
    fn is(&self, id: &str, at: usize) -> bool {
        self.after.get(id).is_some_and(|after| after[at])
    }

    /// The ids of all steps before the one at place `at`.
    pub(super) fn ids_before(&self, at: usize) -> Vec<String> {
        let mut seen = vec![false; self.sources.len()];
        let mut open = vec![at];
        let mut ids = Vec::new();
        while let Some(next) = open.pop() {
            for &from in &self.sources[next] {
                if !std::mem::replace(&mut seen[from], true) {
                    ids.push(self.level.steps[from].id.clone());
                    open.push(from);
                }
            }
        }
        ids
    }
}
