//! What keeps a group together.

use serde_json::json;

use super::*;
use crate::model::workflow::Definition;
use crate::ui::designer::history::History;

/// `before`, a group of `x` and `y` side by side, `after`.
fn grouped() -> Definition {
    let step = |id: &str| json!({"id": id, "kind": "transform", "config": {"value": 1}});
    serde_json::from_value(json!({
        "weft": 1, "name": "Grouped",
        "steps": [step("before"),
            {"id": "both", "kind": "group", "body": {"steps": [step("x"), step("y")]}},
            {"id": "after", "kind": "transform", "config": {"value": "{{ steps.both.output.x }}"}}],
        "edges": [{"from": "before", "to": "both"}, {"from": "both", "to": "after"}],
    }))
    .expect("fits")
}

fn chosen(definition: Definition) -> Document {
    let mut document = Document::new(definition, true);
    document.selection = Selection::of("both");
    document
}

fn refused(alter: impl Fn(&mut Definition), expected: &str) {
    let mut definition = grouped();
    alter(&mut definition);
    let said = dissolve(&chosen(definition)).expect_err("refused");
    assert!(said.contains(expected), "expected {expected:?}, found {said:?}");
}

#[test]
fn what_led_to_a_group_leads_to_its_first_steps_and_what_followed_follows_its_last() {
    let (mut document, mut history) = (chosen(grouped()), History::default());
    let changes = dissolve(&document).expect("possible");
    history.perform(&mut document, changes);
    let mut edges: Vec<String> = document.graph.edges.iter().map(|edge| format!("{}-{}", edge.from, edge.to)).collect();
    edges.sort();
    assert_eq!(edges, ["before-x", "before-y", "x-after", "y-after"]);
    assert_eq!(document.graph.step("after").expect("there").config["value"], "{{ steps.x.output }}");
    assert_eq!(document.selection.steps.len(), 2);
    history.undo(&mut document);
    assert_eq!(document.whole(), grouped());
}

#[test]
fn what_would_be_lost_is_said() {
    refused(|d| d.steps[1].timeout_ms = Some(1), "time limit");
    refused(|d| d.steps[1].kind = "map".to_owned(), "more than once");
    refused(|d| d.steps[1].body = Some(Body::default()), "no steps inside");
    refused(|d| d.steps[2].join = Join::Any, "start earlier");
    refused(|d| d.steps[1].join = Join::Any, "first steps");
    refused(|d| d.steps[2].config["value"] = json!("{{ steps.both.output }}"), "as a whole");
    let branch = |d: &mut Definition| {
        d.steps[1].body.as_mut().expect("a body").steps[0].kind = "condition".to_owned();
    };
    refused(branch, "whichever branch");
}
