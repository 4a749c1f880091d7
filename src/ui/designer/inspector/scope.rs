//! What an expression of a step may speak of, with the values that the last run had; and its value from that run.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::model::workflow::Definition;
use crate::model::workflow::kind::Kind;
use crate::ui::designer::overlay::RunView;

/// How many entries of one output are listed.
const PER_OUTPUT: usize = 24;

/// Something that may be spoken of.
#[derive(Debug, Clone, PartialEq)]
pub struct ScopeItem {
    /// As written in an expression: `steps.scan.output.files`.
    pub path: String,
    /// Its value in the last run, shortened; empty when unknown.
    pub sample: String,
}

/// The inputs, the outputs of all steps before `step` (all steps when `None`), and what is known of the run.
pub fn in_scope(definition: &Definition, step: Option<&str>, run: Option<&RunView>) -> Vec<ScopeItem> {
    let mut items = Vec::new();
    let inputs = run.map(|run| &run.detail.inputs);
    for name in input_names(definition) {
        let sample = inputs.and_then(|inputs| inputs.get(&name)).map(shortened).unwrap_or_default();
        items.push(ScopeItem { path: format!("inputs.{name}"), sample });
    }
    for id in before(definition, step) {
        let output = run.and_then(|run| run.step(&id)).map(|state| &state.output).filter(|output| !output.is_null());
        let base = format!("steps.{id}.output");
        items.push(ScopeItem { path: base.clone(), sample: output.map(shortened).unwrap_or_default() });
        match output {
            Some(Value::Object(fields)) => items.extend(fields_of(&base, fields)),
            Some(_) => {}
            None => items.extend(
                known_fields(definition, &id)
                    .iter()
                    .map(|field| ScopeItem { path: format!("{base}.{field}"), sample: String::new() }),
            ),
        }
    }
    items.push(ScopeItem {
        path: "run.id".to_owned(),
        sample: run.map(|run| run.detail.summary.id.to_string()).unwrap_or_default(),
    });
    items.push(ScopeItem {
        path: "workflow.name".to_owned(),
        sample: shortened(&Value::String(definition.name.clone())),
    });
    items
}

/// The names of the inputs.
pub fn input_names(definition: &Definition) -> Vec<String> {
    let properties = definition.inputs.get("properties").and_then(Value::as_object);
    properties.into_iter().flatten().map(|(name, _)| name.clone()).collect()
}

fn fields_of(base: &str, fields: &Map<String, Value>) -> Vec<ScopeItem> {
    let path = |name: &str| {
        let word = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && !name.starts_with(|c: char| c.is_ascii_digit());
        if word { format!("{base}.{name}") } else { format!("{base}[{}]", Value::String(name.to_owned())) }
    };
    let items = fields.iter().map(|(name, value)| ScopeItem { path: path(name), sample: shortened(value) });
    items.take(PER_OUTPUT).collect()
}

/// What the output of a kind always has, before any run has shown it. From the contract's table of kinds.
fn known_fields(definition: &Definition, id: &str) -> &'static [&'static str] {
    match definition.step(id).and_then(|step| Kind::find(&step.kind)).map(|kind| kind.name) {
        Some("http") => &["status", "headers", "body", "json", "took_ms"],
        Some("shell") => &["exit_code", "stdout", "stderr", "took_ms", "truncated"],
        Some("analyze") => {
            &["summary", "files", "lines", "languages", "functions", "syntax_errors", "duplicates", "findings", "tests"]
        }
        Some("condition") => &["value"],
        Some("switch") => &["port"],
        Some("wait") => &["waited_ms"],
        Some("memory_search") => &["hits"],
        Some("memory_write") => &["namespace", "key", "content"],
        _ => &[],
    }
}

/// All steps that lead to `step`, the nearest first.
fn before(definition: &Definition, step: Option<&str>) -> Vec<String> {
    let Some(step) = step else {
        return definition.steps.iter().map(|step| step.id.clone()).collect();
    };
    let (mut found, mut seen) = (vec![step.to_owned()], BTreeSet::from([step.to_owned()]));
    let mut next = 0;
    while next < found.len() {
        let at = found[next].clone();
        next += 1;
        for edge in definition.edges.iter().filter(|edge| edge.to == at) {
            if seen.insert(edge.from.clone()) {
                found.push(edge.from.clone());
            }
        }
    }
    found.remove(0);
    found
}

/// A value in a few words: `"2.8.0"`, `11 items`, `1842`.
pub fn shortened(value: &Value) -> String {
    match value {
        Value::Array(items) => crate::ui::designer::action::counted(items.len(), "item"),
        Value::Object(fields) => crate::ui::designer::action::counted(fields.len(), "field"),
        Value::String(text) if text.chars().count() > 32 => {
            let head: String = text.chars().take(31).collect();
            format!("\"{}…\"", head.replace('\n', " "))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::workflow::Edge;
    use crate::ui::designer::action;
    use crate::ui::designer::document::{Document, Link};
    use crate::ui::designer::history::History;

    #[test]
    fn a_step_sees_the_inputs_and_the_steps_before_it() {
        let mut definition = Definition::empty("test");
        definition.inputs = serde_json::json!({"type": "object", "properties": {"path": {"type": "string"}}});
        let (mut document, mut history) = (Document::new(definition, true), History::default());
        let changes = action::add_step(&document, "analyze", None, None);
        history.perform(&mut document, changes);
        let link = Link::After { step: "analyze".to_owned(), port: Edge::OUT.to_owned() };
        let changes = action::add_step(&document, "condition", None, Some(link));
        history.perform(&mut document, changes);
        let paths: Vec<String> =
            in_scope(&document.definition, Some("condition"), None).into_iter().map(|item| item.path).collect();
        assert_eq!(&paths[..3], ["inputs.path", "steps.analyze.output", "steps.analyze.output.summary"]);
        assert!(!paths.iter().any(|path| path.starts_with("steps.condition")));
    }

    #[test]
    fn samples_are_short() {
        assert_eq!(shortened(&serde_json::json!([1, 2])), "2 items");
        assert_eq!(shortened(&serde_json::json!("2.8.0")), "\"2.8.0\"");
    }
}
