//! A template put into a workflow that is being drawn: its steps, and the inputs that they speak of.

use serde_json::{Map, Value, json};

use super::paste::{Fragment, inserted};
use crate::model::workflow::{Definition, Step, Template};
use crate::ui::designer::change::{Change, Details};
use crate::ui::designer::document::Document;
use crate::ui::designer::kernel::{Point, Rect, geometry};

/// Between what is there and a pattern below it, in px at zoom 1.
const GAP: f64 = 96.0;

/// The steps of a template beside those that are there, and its inputs beside those of the workflow; an input of the same name is taken
/// as it is there. An empty workflow takes over the output, too.
pub fn insert_pattern(document: &Document, template: &Template) -> Vec<Change> {
    let Definition { steps, edges, inputs, output, .. } = template.definition.clone();
    if steps.is_empty() {
        return Vec::new();
    }
    // Then its steps keep their ids, of which the output speaks.
    let is_first = document.all_steps().next().is_none() && document.graph.output.is_null();
    let middle = below(&document.graph.steps, &steps);
    let mut changes = inserted(document, Fragment { steps, edges }, format!("Add {}", template.name), middle);
    let inputs = with_inputs(&document.details.inputs, &inputs);
    if inputs != document.details.inputs {
        changes.push(Change::SetDetails(Box::new(Details { inputs, ..document.details.clone() })));
    }
    if is_first && !output.is_null() {
        changes.push(Change::SetOutput(output));
    }
    changes
}

/// Where the middle of new steps comes to lie so that they cover none of those that are there; `None` where there are none.
fn below(there: &[Step], new: &[Step]) -> Option<Point> {
    let around = |steps: &[Step]| steps.iter().map(geometry::node_rect).reduce(Rect::union);
    let (there, new) = (around(there)?, around(new)?);
    Some(Point::new(there.x + new.w / 2.0, there.bottom() + GAP + new.h / 2.0))
}

/// A schema of inputs with those of another one that it lacks.
fn with_inputs(old: &Value, new: &Value) -> Value {
    let none = Map::new();
    let brought = new.get("properties").and_then(Value::as_object).unwrap_or(&none);
    let known = old.get("properties").and_then(Value::as_object).unwrap_or(&none);
    let missing = || brought.iter().filter(|(name, _)| !known.contains_key(*name));
    if missing().next().is_none() {
        return old.clone();
    }
    let names = |schema: &Value| -> Vec<String> {
        let names = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        names.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let mut required = names(old);
    required.extend(names(new).into_iter().filter(|name| missing().any(|(missing, _)| missing == name)));
    let mut properties = known.clone();
    properties.extend(missing().map(|(name, schema)| (name.clone(), schema.clone())));
    let mut schema = old.as_object().cloned().unwrap_or_default();
    schema.entry("type").or_insert_with(|| json!("object"));
    schema.insert("properties".to_owned(), Value::Object(properties));
    if !required.is_empty() {
        schema.insert("required".to_owned(), json!(required));
    }
    Value::Object(schema)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::designer::action;
    use crate::ui::designer::history::History;

    fn vote() -> Template {
        let definition = serde_json::from_value(json!({
            "weft": 1, "name": "Vote",
            "inputs": {"type": "object", "required": ["question", "n"], "properties": {"question": {"type": "string"}, "n": {"type": "integer"}}},
            "steps": [
                {"id": "ask", "kind": "transform", "config": {"value": "{{ inputs.question }}"}},
                {"id": "count", "kind": "transform", "config": {"value": "{{ steps.ask.output }}"}},
            ],
            "edges": [{"from": "ask", "to": "count"}],
            "output": "{{ steps.count.output }}",
        }));
        Template {
            slug: "vote".into(),
            name: "Vote".into(),
            description: String::new(),
            definition: definition.unwrap(),
        }
    }

    #[test]
    fn an_empty_workflow_becomes_the_pattern() {
        let (mut document, mut history) = (Document::new(Definition::empty("test"), true), History::default());
        let changes = insert_pattern(&document, &vote());
        history.perform(&mut document, changes);
        assert_eq!((document.graph.steps.len(), document.graph.edges.len()), (2, 1));
        assert_eq!(document.graph.output, json!("{{ steps.count.output }}"));
        assert_eq!(document.details.inputs["required"], json!(["question", "n"]));
        assert_eq!((document.details.name.as_str(), history.undo_name()), ("test", Some("Add Vote")));
        history.undo(&mut document);
        assert!(document.graph.steps.is_empty() && document.graph.output.is_null(), "all of it is undone together");
    }

    #[test]
    fn beside_other_steps_it_has_ids_of_its_own_and_shares_inputs_of_the_same_name() {
        let (mut document, mut history) = (Document::new(Definition::empty("test"), true), History::default());
        let details = Details {
            inputs: json!({"type": "object", "properties": {"question": {"type": "string", "title": "Mine"}}}),
            ..document.details.clone()
        };
        let changes = action::set_details(&document, details, "inputs");
        history.perform(&mut document, changes);
        for _ in 0..2 {
            let changes = insert_pattern(&document, &vote());
            history.perform(&mut document, changes);
        }
        assert_eq!(document.graph.steps.len(), 4);
        let (first, second) = (document.graph.step("count").unwrap(), document.graph.step("count_2").unwrap());
        assert!(second.position.y > first.position.y, "it stands below what was there");
        assert_eq!(second.config["value"], "{{ steps.ask_2.output }}");
        let inputs = &document.details.inputs;
        assert_eq!((&inputs["properties"]["question"]["title"], &inputs["required"]), (&json!("Mine"), &json!(["n"])));
    }
}
