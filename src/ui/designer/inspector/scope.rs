//! What an expression of a step may speak of, with the values that the last run had; and its value from that run.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::model::workflow::Body;
use crate::model::workflow::expression::Scope;
use crate::model::workflow::kind::Kind;
use crate::ui::designer::document::Document;
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

/// What the containers around show, the inputs, the outputs of all steps before `step` (all steps of the level when
/// `None`) and before the containers around it, and what is known of the run.
pub fn in_scope(document: &Document, step: Option<&str>, run: Option<&RunView>) -> Vec<ScopeItem> {
    let mut items = local(document, step, run);
    let inputs = run.map(|run| &run.detail.inputs);
    for name in input_names(&document.details.inputs) {
        let sample = inputs.and_then(|inputs| inputs.get(&name)).map(shortened).unwrap_or_default();
        items.push(ScopeItem { path: format!("inputs.{name}"), sample });
    }
    let here = before(&document.graph, step);
    let outside = document.around().rev().flat_map(|(graph, container)| before(graph, Some(container)));
    for id in here.into_iter().chain(outside) {
        let output = run.and_then(|run| run.step(&id)).map(|state| &state.output).filter(|output| !output.is_null());
        let base = format!("steps.{id}.output");
        items.push(ScopeItem { path: base.clone(), sample: output.map(shortened).unwrap_or_default() });
        match output {
            Some(Value::Object(fields)) => items.extend(fields_of(&base, fields)),
            Some(_) => {}
            None => items.extend(
                known_fields(document, &id)
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
        sample: shortened(&Value::String(document.details.name.clone())),
    });
    items
}

/// `item` and `index`, `iteration` and `last`: of the containers around, the nearest of each kind. A `repeat` asks its own
/// conditions with the latter.
fn local(document: &Document, step: Option<&str>, run: Option<&RunView>) -> Vec<ScopeItem> {
    let own = step.and_then(|id| document.graph.step(id)).filter(|step| step.kind == "repeat");
    let mut names: Vec<&'static str> = Vec::new();
    for container in own.into_iter().chain(document.containers().rev()) {
        let shown: &[&'static str] = match container.kind.as_str() {
            "map" => &["item", "index"],
            "repeat" => &["iteration", "last"],
            _ => &[],
        };
        names.extend(shown.iter().filter(|name| !names.contains(name)).copied().collect::<Vec<_>>());
    }
    let around = run.map(Scope::around).unwrap_or_default();
    let mut items = Vec::new();
    for name in names {
        let value = match name {
            "item" => around.item.cloned(),
            "index" => around.index.map(Value::from),
            "iteration" => around.iteration.map(Value::from),
            _ => around.last.cloned(),
        };
        items.push(ScopeItem { path: name.to_owned(), sample: value.as_ref().map(shortened).unwrap_or_default() });
        if let Some(Value::Object(fields)) = &value {
            items.extend(fields_of(name, fields));
        }
    }
    items
}

/// The names of the inputs.
pub fn input_names(inputs: &Value) -> Vec<String> {
    let properties = inputs.get("properties").and_then(Value::as_object);
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
fn known_fields(document: &Document, id: &str) -> &'static [&'static str] {
    match document.find(id).and_then(|step| Kind::find(&step.kind)).map(|kind| kind.name) {
        Some("http") => &["status", "headers", "body", "json", "took_ms"],
        Some("shell") => &["exit_code", "stdout", "stderr", "took_ms", "truncated"],
        Some("analyze") => {
            &["summary", "files", "lines", "languages", "functions", "syntax_errors", "duplicates", "findings", "tests"]
        }
        Some("prompt") => &["text", "json", "usage", "cost_usd", "model", "stop"],
        Some("classify") => &["label", "reason", "usage", "cost_usd", "model"],
        Some("extract") => &["json", "usage", "cost_usd", "model"],
        Some("summarize") => &["text", "parts", "usage", "cost_usd", "model"],
        Some("agent") => &["text", "json", "turns", "tool_calls", "usage", "cost_usd", "untrusted"],
        Some("condition") => &["value"],
        Some("switch") => &["port"],
        Some("wait") => &["waited_ms"],
        Some("memory_search") => &["hits", "matched", "text"],
        Some("memory_write") => &["namespace", "key", "content", "trust"],
        _ => &[],
    }
}

/// All steps that lead to `step`, the nearest first.
fn before(graph: &Body, step: Option<&str>) -> Vec<String> {
    let Some(step) = step else {
        return graph.steps.iter().map(|step| step.id.clone()).collect();
    };
    let (mut found, mut seen) = (vec![step.to_owned()], BTreeSet::from([step.to_owned()]));
    let mut next = 0;
    while next < found.len() {
        let at = found[next].clone();
        next += 1;
        for edge in graph.edges.iter().filter(|edge| edge.to == at) {
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
    use crate::model::workflow::{Definition, Edge};
    use crate::ui::designer::action;
    use crate::ui::designer::document::Link;
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
            in_scope(&document, Some("condition"), None).into_iter().map(|item| item.path).collect();
        assert_eq!(&paths[..3], ["inputs.path", "steps.analyze.output", "steps.analyze.output.summary"]);
        assert!(!paths.iter().any(|path| path.starts_with("steps.condition")));
    }

    #[test]
    fn samples_are_short() {
        assert_eq!(shortened(&serde_json::json!([1, 2])), "2 items");
        assert_eq!(shortened(&serde_json::json!("2.8.0")), "\"2.8.0\"");
    }
}
