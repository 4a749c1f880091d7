//! What wrapping does to edges and to what is said of outputs.

use serde_json::json;

use super::*;
use crate::model::workflow::Definition;
use crate::model::workflow::check::check;
use crate::ui::designer::action::dissolve;
use crate::ui::designer::history::History;

/// `a` leads to `b` and `b` to `c`; `c` and the output speak of `b`.
fn chain() -> Definition {
    serde_json::from_value(json!({
        "weft": 1, "name": "Chain",
        "steps": [
            {"id": "a", "kind": "transform", "config": {"value": 1}},
            {"id": "b", "kind": "transform", "config": {"value": "{{ steps.a.output }}"}, "position": {"x": 40, "y": 100}},
            {"id": "c", "kind": "transform", "config": {"value": "{{ steps.b.output + 1 }}"}, "position": {"x": 40, "y": 200}},
        ],
        "edges": [{"from": "a", "to": "b"}, {"from": "b", "to": "c", "when": "steps.b.output > 0"}],
        "output": {"b": "{{ steps.b.output }}"},
    }))
    .expect("fits")
}

fn chosen(definition: Definition, ids: &[&str]) -> Document {
    let mut document = Document::new(definition, true);
    document.selection = Selection::of_many(ids.iter().map(|&id| id.to_owned()));
    document
}

#[test]
fn edges_that_cross_the_border_are_tied_to_the_group_and_outputs_are_read_through_it() {
    let (mut document, mut history) = (chosen(chain(), &["b"]), History::default());
    let changes = wrap(&document, "group").expect("possible");
    history.perform(&mut document, changes);
    let edges: Vec<String> = document.graph.edges.iter().map(|edge| format!("{}-{}", edge.from, edge.to)).collect();
    assert_eq!(edges, ["a-group", "group-c"]);
    assert_eq!(document.graph.edges[1].when.as_deref(), Some("steps.group.output.b > 0"));
    assert_eq!(document.graph.step("c").expect("there").config["value"], "{{ steps.group.output.b + 1 }}");
    assert_eq!(document.graph.output, json!({"b": "{{ steps.group.output.b }}"}));
    let body = document.graph.step("group").and_then(|step| step.body.clone()).expect("a body");
    assert_eq!(body.output, json!({"b": "{{ steps.b.output }}"}));
    assert_eq!((body.steps[0].position.x, body.steps[0].position.y), (0.0, 0.0));
    assert_eq!(check(&document.whole()), []);
    assert_eq!(history.undo_name(), Some("Put 1 step into Group"));
    history.undo(&mut document);
    assert_eq!(document.whole(), chain());
}

#[test]
fn a_group_that_is_taken_apart_is_what_it_was() {
    for ids in [&["b"][..], &["a", "b"], &["b", "c"], &["a", "b", "c"]] {
        let (mut document, mut history) = (chosen(chain(), ids), History::default());
        let changes = wrap(&document, "group").expect("possible");
        history.perform(&mut document, changes);
        assert_eq!(check(&document.whole()), [], "{ids:?}");
        let changes = dissolve(&document);
        // A condition inside may keep a last step from running.
        if ids.contains(&"b") && ids.contains(&"c") && ids.len() == 3 || changes.is_err() {
            continue;
        }
        history.perform(&mut document, changes.expect("checked"));
        let (mut after, mut before) = (document.whole(), chain());
        for definition in [&mut after, &mut before] {
            definition.steps.sort_by(|a, b| a.id.cmp(&b.id));
            definition.edges.sort_by(|a, b| a.from.cmp(&b.from));
            definition.steps.iter_mut().for_each(|step| step.position = Position::default());
        }
        assert_eq!(after, before, "{ids:?}");
    }
}

#[test]
fn what_would_run_in_a_circle_is_refused_by_name() {
    let document = chosen(chain(), &["a", "c"]);
    assert_eq!(wrap(&document, "map"), Err("b runs between the chosen steps. Choose it too.".to_owned()));
}

#[test]
fn an_edge_from_a_port_that_no_container_has_is_refused() {
    let mut definition = chain();
    definition.steps[0].kind = "condition".to_owned();
    definition.edges[0].port = "true".to_owned();
    let refused = wrap(&chosen(definition, &["a"]), "group").expect_err("refused");
    assert!(refused.starts_with("a leads to b by its port true"), "{refused}");
}

#[test]
fn nothing_chosen_is_said() {
    assert!(wrap(&chosen(chain(), &[]), "group").is_err());
    assert!(wrap(&chosen(chain(), &["a"]), "http").is_err());
}
