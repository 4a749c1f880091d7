//! The checker: what stops a definition from running, and what is worth a look.
//!
//! The same code runs in the designer, on the command line and before every publish and run. It reports everything that
//! it finds, in the order of the definition, and never stops at the first.

mod config;
mod graph;
mod refs;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Definition, Edge, OnError, Problem, Severity, Step, kind::Kind};

/// Steps that a definition may have.
pub const MAX_STEPS: usize = 20_000;
/// Edges that a definition may have.
pub const MAX_EDGES: usize = 60_000;
/// Characters of a workflow's name.
pub const MAX_NAME_CHARS: usize = 120;
/// Characters of a step's id.
pub const MAX_ID_CHARS: usize = 64;

/// What the checker has found so far.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<Problem>);

impl Findings {
    fn error(&mut self, step: Option<&str>, field: impl Into<String>, message: impl Into<String>) {
        self.add(Severity::Error, step, field.into(), message.into());
    }

    fn warning(&mut self, step: Option<&str>, field: impl Into<String>, message: impl Into<String>) {
        self.add(Severity::Warning, step, field.into(), message.into());
    }

    fn add(&mut self, severity: Severity, step: Option<&str>, field: String, message: String) {
        self.0.push(Problem { severity, step: step.map(str::to_owned), field, message });
    }
}

/// Everything wrong with a definition, in its order; empty means that it can be published and run.
pub fn check(definition: &Definition) -> Vec<Problem> {
    let mut found = Findings::default();
    check_head(definition, &mut found);
    for step in &definition.steps {
        check_step(step, &mut found);
    }
    check_ids(definition, &mut found);
    let graph = graph::check(definition, &mut found);
    refs::check(definition, graph.as_ref(), &mut found);
    found.0
}

/// Whether one of them stops a publish or a run.
pub fn has_errors(problems: &[Problem]) -> bool {
    problems.iter().any(|problem| problem.severity == Severity::Error)
}

/// Whether `id` may name a step.
pub fn is_step_id(id: &str) -> bool {
    let mut chars = id.chars();
    let first = chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    first && id.len() <= MAX_ID_CHARS && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn check_head(definition: &Definition, found: &mut Findings) {
    if definition.weft != Definition::FORMAT {
        found.error(None, "/weft", format!("expected format 1, found {}", definition.weft));
    }
    let chars = definition.name.trim().chars().count();
    if chars == 0 || chars > MAX_NAME_CHARS {
        found.error(None, "/name", format!("expected 1 to {MAX_NAME_CHARS} characters, found {chars}"));
    }
    if definition.steps.is_empty() {
        found.error(None, "/steps", "expected at least one step");
    }
    if definition.steps.len() > MAX_STEPS {
        found.error(None, "/steps", format!("expected at most {MAX_STEPS} steps, found {}", definition.steps.len()));
    }
    if definition.edges.len() > MAX_EDGES {
        found.error(None, "/edges", format!("expected at most {MAX_EDGES} edges, found {}", definition.edges.len()));
    }
    check_inputs(&definition.inputs, found);
}

/// The types that an input may have.
const INPUT_TYPES: [&str; 6] = ["string", "integer", "number", "boolean", "array", "object"];

fn check_inputs(inputs: &Value, found: &mut Findings) {
    let schema = match inputs {
        Value::Null => return,
        Value::Object(schema) => schema,
        _ => return found.error(None, "/inputs", "expected a JSON Schema of an object"),
    };
    if schema.get("type").is_some_and(|t| t != "object") {
        found.error(None, "/inputs/type", "expected \"object\": inputs have names");
    }
    let none = serde_json::Map::new();
    let properties = match schema.get("properties") {
        None => &none,
        Some(Value::Object(properties)) => properties,
        Some(_) => return found.error(None, "/inputs/properties", "expected an object"),
    };
    for (name, property) in properties {
        let at = format!("/inputs/properties/{name}");
        if !is_step_id(name) {
            found.error(None, &at, "expected a name of letters, digits and _, not beginning with a digit");
        }
        match property.get("type") {
            None if property.is_object() => {}
            Some(Value::String(word)) if INPUT_TYPES.contains(&word.as_str()) => {
                if let Some(default) = property.get("default").filter(|default| !is_of(word, default)) {
                    found.error(
                        None,
                        format!("{at}/default"),
                        format!("expected a default of type {word}, found {default}"),
                    );
                }
            }
            _ => found.error(None, format!("{at}/type"), format!("expected one of {}", INPUT_TYPES.join(", "))),
        }
    }
    for name in schema.get("required").and_then(Value::as_array).into_iter().flatten() {
        if name.as_str().is_none_or(|name| !properties.contains_key(name)) {
            found.error(None, "/inputs/required", format!("{name} is required but not among the properties"));
        }
    }
}

fn is_of(word: &str, value: &Value) -> bool {
    match word {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        _ => value.is_object(),
    }
}

fn check_ids(definition: &Definition, found: &mut Findings) {
    let mut seen = BTreeSet::new();
    for step in &definition.steps {
        if !is_step_id(&step.id) {
            let message = format!("expected 1 to {MAX_ID_CHARS} letters, digits and _, not beginning with a digit");
            found.error(Some(&step.id), "/id", message);
        }
        if !seen.insert(step.id.as_str()) {
            found.error(Some(&step.id), "/id", format!("the id {:?} is used twice", step.id));
        }
    }
}

/// A pinned step is fine while one works on the others, and easily forgotten.
fn check_pin(step: &Step, kind: &Kind, found: &mut Findings) {
    let id = Some(step.id.as_str());
    if step.pinned.is_some() {
        found.warning(id, "/pinned", "its output is pinned: the step ends with that and does nothing");
    }
    let ports = kind.ports_of(&step.config);
    if let Some(port) = step.pinned_port.as_ref().filter(|port| !ports.contains(port)) {
        found.error(id, "/pinned_port", format!("expected one of {}, found {port:?}", ports.join(", ")));
    }
}

fn check_step(step: &Step, found: &mut Findings) {
    let id = Some(step.id.as_str());
    let Some(kind) = Kind::find(&step.kind) else {
        return found.error(id, "/kind", format!("unknown kind {:?}", step.kind));
    };
    config::check(step, kind, found);
    if let Some(retry) = &step.retry {
        if !(1..=100).contains(&retry.max_attempts) {
            found.error(id, "/retry/max_attempts", format!("expected 1 to 100, found {}", retry.max_attempts));
        }
        if !(1.0..=10.0).contains(&retry.factor) {
            found.error(id, "/retry/factor", format!("expected 1 to 10, found {}", retry.factor));
        }
        if retry.initial_ms > 86_400_000 || retry.max_ms > 86_400_000 {
            found.error(id, "/retry/max_ms", "expected at most 86400000 (a day)");
        }
    }
    check_pin(step, kind, found);
    if step.timeout_ms.is_some_and(|ms| !(1..=604_800_000).contains(&ms)) {
        found.error(id, "/timeout_ms", "expected 1 to 604800000 (a week)");
    }
    if step.on_error == OnError::Port && !kind.ports.contains(&Edge::ERROR) {
        found.error(id, "/on_error", format!("the kind {} has no error port", step.kind));
    }
    if step.on_error != OnError::Continue && !step.default.is_null() {
        found.warning(id, "/default", "a default is used only with on_error: continue");
    }
}
