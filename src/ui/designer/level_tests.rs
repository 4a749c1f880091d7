//! Going in and out, and what stays whole meanwhile.

use serde_json::json;

use super::*;
use crate::ui::designer::action;
use crate::ui::designer::change::Change;
use crate::ui::designer::history::History;
use crate::ui::designer::kernel::{Size, geometry};

/// `scan`, then a `map` called `each` that holds `work` and a `repeat` called `again` with `try` inside.
fn nested() -> Definition {
    serde_json::from_value(json!({
        "weft": 1, "name": "Nightly report",
        "steps": [
            {"id": "scan", "kind": "analyze", "config": {"path": "/tmp"}},
            {"id": "each", "kind": "map", "name": "For each file", "config": {"items": "{{ steps.scan.output.files }}"},
             "position": {"x": 0, "y": 120}, "body": {"output": "{{ steps.work.output }}", "edges": [{"from": "work", "to": "again"}],
                "steps": [
                    {"id": "work", "kind": "transform", "config": {"value": "{{ item }}"}},
                    {"id": "again", "kind": "repeat", "position": {"x": 0, "y": 120}, "body": {"steps": [
                        {"id": "try", "kind": "transform", "config": {"value": "{{ steps.work.output }}"}}]}},
                ]}},
        ],
        "edges": [{"from": "scan", "to": "each"}],
    }))
    .expect("fits")
}

fn document() -> Document {
    let mut document = Document::new(nested(), true);
    document.size = Size { w: 1000.0, h: 800.0 };
    document
}

fn path(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|&id| id.to_owned()).collect()
}

#[test]
fn going_in_and_out_leaves_the_draft_as_it_was() {
    let mut document = document();
    for way in [&["each"][..], &["each", "again"], &["each"], &[], &["each", "again"], &["scan"], &["each", "work"]] {
        document.enter(&path(way));
        assert_eq!(document.whole(), nested(), "{way:?}");
    }
    assert_eq!(document.path(), ["each"], "a step without a body is not gone into");
}

#[test]
fn the_way_from_the_workflow_is_named() {
    let mut document = document();
    document.enter(&path(&["each", "again"]));
    let labels: Vec<String> = document.trail().into_iter().map(|crumb| crumb.label).collect();
    assert_eq!(labels, ["Nightly report", "For each file", "again"]);
    assert_eq!(document.graph.steps[0].id, "try");
}

#[test]
fn going_out_chooses_the_container_and_looks_where_one_looked() {
    let mut document = document();
    document.view.x = 77.0;
    document.enter(&path(&["each"]));
    assert!(document.selection.is_empty());
    document.enter(&[]);
    assert_eq!(document.selection, Selection::of("each"));
    assert!((document.view.x - 77.0).abs() < f64::EPSILON);
}

#[test]
fn a_step_is_found_at_whatever_level_one_stands() {
    let mut document = document();
    for way in [&[][..], &["each"], &["each", "again"]] {
        document.enter(&path(way));
        assert_eq!(document.level_of("try"), Some(path(&["each", "again"])));
        assert_eq!(document.level_of("work"), Some(path(&["each"])));
        assert_eq!(document.level_of("scan"), Some(Vec::new()));
        assert_eq!(document.level_of("nobody"), None);
        assert_eq!(document.all_steps().count(), 5, "{way:?}");
    }
}

#[test]
fn what_is_undone_brings_its_level_with_it() {
    let (mut document, mut history) = (document(), History::default());
    document.enter(&path(&["each", "again"]));
    let changes = action::add_step(&document, "transform", None, None);
    history.perform(&mut document, changes);
    let added = document.whole();
    history.perform(&mut document, vec![Change::Enter(Vec::new())]);
    let changes = action::add_step(&document, "wait", None, None);
    history.perform(&mut document, changes);

    assert_eq!(history.undo(&mut document).as_deref(), Some("Add Wait"));
    assert_eq!(document.whole(), added);
    assert_eq!(history.undo(&mut document).as_deref(), Some("Add Transform"));
    assert_eq!(document.path(), ["each", "again"]);
    assert_eq!(document.whole(), nested());
    history.perform(&mut document, vec![Change::Enter(Vec::new())]);
    assert_eq!(history.redo(&mut document).as_deref(), Some("Add Transform"));
    assert_eq!(document.path(), ["each", "again"]);
    assert_eq!(document.whole(), added);
}

#[test]
fn ids_are_unique_across_the_levels() {
    let (mut document, mut history) = (document(), History::default());
    document.enter(&path(&["each", "again"]));
    let changes = action::add_step(&document, "analyze", None, None);
    history.perform(&mut document, changes);
    let taken = action::rename_id(&document, "try", "work");
    assert_eq!(taken, Err("Another step is called work.".to_owned()));
    let step = Box::new(document.find("scan").expect("outside").clone());
    assert!(!history.perform(&mut document, vec![Change::mark("Add"), Change::AddStep { index: 0, step }]));
}

#[test]
fn a_container_is_copied_with_new_ids_inside_that_speak_of_each_other() {
    let (mut document, mut history) = (document(), History::default());
    history.perform(&mut document, vec![Change::Select(Selection::of("each"))]);
    let changes = action::duplicate(&document);
    history.perform(&mut document, changes);
    let body = document.graph.step("each_2").and_then(|step| step.body.clone()).expect("a body");
    assert_eq!(body.output, "{{ steps.work_2.output }}");
    assert_eq!((body.edges[0].from.as_str(), body.edges[0].to.as_str()), ("work_2", "again_2"));
    let inner = body.step("again_2").and_then(|step| step.body.as_ref()).expect("a body");
    assert_eq!(inner.step("try_2").expect("there").config["value"], "{{ steps.work_2.output }}");
}

#[test]
fn a_renamed_step_is_spoken_of_anew_in_the_bodies_too() {
    let (mut document, mut history) = (document(), History::default());
    document.enter(&path(&["each"]));
    let changes = action::rename_id(&document, "work", "measure").expect("free");
    history.perform(&mut document, changes);
    assert_eq!(document.graph.output, "{{ steps.measure.output }}");
    let inner = document.graph.step("again").and_then(|step| step.body.as_ref()).expect("a body");
    assert_eq!(inner.steps[0].config["value"], "{{ steps.measure.output }}");
    history.undo(&mut document);
    assert_eq!(document.whole(), nested());
}

#[test]
fn a_draft_that_is_loaded_anew_is_shown_where_one_was_as_far_as_that_is_there() {
    let mut document = document();
    document.enter(&path(&["each", "again"]));
    let mut theirs = nested();
    theirs.steps[1].body.as_mut().expect("a body").steps.pop();
    let mut history = History::default();
    history.perform(&mut document, vec![Change::Load(Box::new(theirs.clone()))]);
    assert_eq!(document.path(), ["each"]);
    assert_eq!(document.whole(), theirs);
}

#[test]
fn folding_is_an_edit_that_is_undone() {
    let (mut document, mut history) = (document(), History::default());
    let changes = action::toggle_folded(&document, ["each", "scan"]);
    history.perform(&mut document, changes);
    assert!(document.graph.step("each").and_then(|step| step.body.as_ref()).is_some_and(|body| body.unfolded));
    assert_eq!(history.undo(&mut document).as_deref(), Some("Unfold For each file"));
    assert_eq!(document.whole(), nested());
}

#[test]
fn what_is_unfolded_covers_nothing_and_all_is_back_once_it_is_folded() {
    let mut before = nested();
    for (id, x, y) in [("report", 0.0, 240.0), ("beside", 240.0, 120.0), ("below", 240.0, 208.0)] {
        let step = json!({"id": id, "kind": "transform", "config": {"value": 1}, "position": {"x": x, "y": y}});
        before.steps.push(serde_json::from_value(step).expect("fits"));
    }
    let (mut document, mut history) = (Document::new(before.clone(), true), History::default());
    for _ in ["unfold", "fold"] {
        let changes = action::toggle_folded(&document, ["each"]);
        history.perform(&mut document, changes);
        let steps = &document.graph.steps;
        for (number, one) in steps.iter().enumerate() {
            let frame = geometry::node_rect(one);
            let hidden = steps.iter().skip(number + 1).find(|other| geometry::node_rect(other).overlaps(frame));
            assert_eq!(hidden.map(|other| (&one.id, &other.id)), None);
        }
    }
    assert_eq!(document.whole(), before);
}
