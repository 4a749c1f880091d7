//! Each rule with a definition that breaks it and the sentence that says so.

use serde_json::json;

use super::{check, has_errors};
use crate::model::workflow::{Definition, Severity};

/// Two steps, the second after the first, both fine.
fn sound() -> serde_json::Value {
    json!({
        "weft": 1, "name": "Check", "inputs": {"type": "object", "properties": {"path": {"type": "string"}}},
        "steps": [
            {"id": "scan", "kind": "analyze", "config": {"path": "{{ inputs.path }}"}},
            {"id": "bad", "kind": "condition", "config": {"when": "steps.scan.output.syntax_errors > 0"}},
        ],
        "edges": [{"from": "scan", "to": "bad"}],
    })
}

fn problems(definition: serde_json::Value) -> Vec<String> {
    let definition: Definition = serde_json::from_value(definition).expect("parses");
    let found = check(&definition);
    found.iter().map(|p| format!("{} {}: {}", p.step.as_deref().unwrap_or("-"), p.field, p.message)).collect()
}

/// Changes the sound definition at a pointer and expects exactly one problem that begins so.
fn refused(pointer: &str, value: serde_json::Value, expected: &str) {
    let mut definition = sound();
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
    match definition.pointer_mut(parent).expect("exists") {
        serde_json::Value::Array(items) => items.push(value),
        parent => parent[key] = value,
    }
    let found = problems(definition);
    assert!(found.len() == 1 && found[0].starts_with(expected), "{pointer}: expected {expected:?}, found {found:?}");
}

#[test]
fn a_sound_definition_has_no_problems() {
    assert_eq!(problems(sound()), Vec::<String>::new());
}

#[test]
fn each_broken_rule_is_named_with_its_place() {
    refused("/weft", json!(2), "- /weft: expected format 1");
    refused("/name", json!(" "), "- /name: expected 1 to 120");
    refused("/steps/0/config/speed", json!(1), "scan /config/speed: unknown field; analyze has path, include, exclude");
    let told = |context: serde_json::Value| json!({"id": "ask", "kind": "prompt", "config": {"prompt": "x", "context": context}});
    let in_context = |context: serde_json::Value, expected: &str| refused("/steps/-", told(context), expected);
    in_context(json!(5), "ask /config/context: expected an object");
    in_context(json!({"size": 5}), "ask /config/context/size: unknown field; there are when_full, window, keep_recent");
    in_context(json!({"window": 10}), "ask /config/context/window: expected a whole number from 2000");
    in_context(json!({"when_full": "drop"}), "ask /config/context/when_full: expected one of refuse, prune, summarize");
    let asking = |approvers: serde_json::Value, required: u32| json!({"id": "ask", "kind": "approval", "config": {"title": "Go?", "approvers": approvers, "required": required}});
    refused("/steps/-", asking(json!(["Ada"]), 1), "ask /config/approvers/0: expected an e-mail address, or a role");
    refused(
        "/steps/-",
        asking(json!(["a@x.de", "role:boss"]), 1),
        "ask /config/approvers/1: expected an e-mail address",
    );
    refused("/steps/-", asking(json!(["a@x.de", "A@x.de"]), 2), "ask /config/required: expected at most 1");
    refused("/steps/0/config/path", json!(""), "scan /config/path: path is empty");
    refused("/steps/0/config/path", json!([1]), "scan /config/path: expected text");
    refused("/steps/0/config/path", json!("{{ inputs.path "), "scan /config/path: ");
    refused("/steps/0/config/path", json!("{{ inputs.folder }}"), "scan /config/path: there is no input \"folder\"");
    refused("/steps/0/retry", json!({"max_attempts": 0}), "scan /retry/max_attempts: expected 1 to 100");
    refused("/steps/0/retry", json!({"anew": true}), "scan /retry/anew: only a container can begin");
    refused("/steps/0/timeout_ms", json!(0), "scan /timeout_ms: expected 1 to");
    refused("/steps/1/config/when", json!("steps.scan.output >"), "bad /config/when: ");
    refused("/steps/1/config/when", json!("steps.nobody.output"), "bad /config/when: no step has the id \"nobody\"");
    refused("/steps/1/on_error", json!("port"), "bad /on_error: the kind condition has no error port");
    refused("/edges/-", json!({"from": "scan", "to": "nobody"}), "- /edges/1/to: no step has the id \"nobody\"");
    refused(
        "/edges/-",
        json!({"from": "scan", "port": "side", "to": "bad"}),
        "- /edges/1/port: scan has no port \"side\"",
    );
    refused("/steps/-", json!({"id": "9", "kind": "wait", "config": {"ms": 1}}), "9 /id: expected 1 to 64 letters");
    refused("/steps/-", json!({"id": "w", "kind": "wait"}), "w /config/ms: expected either ms or until");
    refused("/steps/-", json!({"id": "x", "kind": "teleport"}), "x /kind: unknown kind \"teleport\"");
    refused("/output", json!({"a": ["{{ steps.nobody.output }}"]}), "- /output: no step has the id");
}

#[test]
fn labels_of_a_text_are_ports_and_each_is_its_own() {
    let labels = |labels: serde_json::Value| {
        let mut definition = sound();
        let step = json!({"id": "sort", "kind": "classify", "config": {"text": "x", "labels": labels}});
        definition["steps"].as_array_mut().expect("a list").push(step);
        definition["edges"].as_array_mut().expect("a list").push(json!({"from": "sort", "port": "bug", "to": "bad"}));
        definition["steps"][1]["join"] = json!("any");
        problems(definition)
    };
    assert_eq!(labels(json!(["bug: it fails: always", "praise"])), Vec::<String>::new());
    assert_eq!(labels(json!(["bug", "bug: again"])), ["sort /config/labels/1: the label \"bug\" is taken"]);
    assert_eq!(labels(json!(["bug", "other"])), ["sort /config/labels/1: the label \"other\" is taken"]);
    let spaced = "sort /config/labels/1: expected a name of letters, digits and _, not beginning with a digit";
    assert_eq!(labels(json!(["bug", "a b"])), [spaced]);
    assert!(!labels(json!(["a b"])).iter().any(|problem| problem.contains("at least one")), "there is one, a bad one");
    assert!(labels(json!([])).contains(&"sort /config/labels: expected at least one label".to_owned()));
}

#[test]
fn a_circle_is_named_step_by_step() {
    let mut definition = sound();
    definition["edges"].as_array_mut().expect("a list").push(json!({"from": "bad", "port": "true", "to": "scan"}));
    let found = problems(definition);
    assert!(found.iter().any(|p| p.contains("the steps run in a circle: ") && p.contains("scan -> bad")), "{found:?}");
}

#[test]
fn a_step_can_not_read_what_runs_after_or_beside_it() {
    let mut definition = sound();
    definition["steps"][0]["config"]["path"] = json!("{{ steps.bad.output.value }}");
    let found = problems(definition);
    assert!(found.iter().any(|p| p.contains("bad does not run before scan")), "{found:?}");
}

#[test]
fn an_edge_at_a_closed_error_port_is_a_warning_and_stops_nothing() {
    let mut definition = sound();
    definition["edges"].as_array_mut().expect("a list").push(json!({"from": "scan", "port": "error", "to": "bad"}));
    let definition: Definition = serde_json::from_value(definition).expect("parses");
    let found = check(&definition);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].severity, Severity::Warning);
    assert!(!has_errors(&found));
}

#[test]
fn ten_thousand_steps_in_a_row_are_checked() {
    let mut definition = Definition::empty("Long");
    for number in 0..10_000 {
        let step = json!({"id": format!("s{number}"), "kind": "transform", "config": {"value": number}});
        definition.steps.push(serde_json::from_value(step).expect("a step"));
        if number > 0 {
            let edge = json!({"from": format!("s{}", number - 1), "to": format!("s{number}")});
            definition.edges.push(serde_json::from_value(edge).expect("an edge"));
        }
    }
    assert_eq!(check(&definition), []);
}
