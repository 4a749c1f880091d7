//! The tables of runs that undo what they did, and of runs that are moved to another version; see `tests_table`.

use serde_json::{Value, json};

use super::tests_give::give;
use super::tests_table::{command, common, done, fine, hopeless, http, new, passing, steps, table, told};
use super::*;
use crate::model::workflow::{Definition, Migrated};

/// `a` and `b` one after the other, of which `a` can be undone with two attempts, and `b` can't.
fn undoable() -> State {
    let mut a = http("a");
    a["compensate"] = json!({"kind": "http", "config": {"url": "http://undo"}, "retry": a["retry"]});
    let mut state = new(&json!([a, http("b")]), &json!([{"from": "a", "to": "b"}]));
    told(&mut state, 0, Input::Start { inputs: json!({}), until: None });
    state
}

#[test]
fn a_run_that_undoes_in_each_state() {
    let with = |inputs: Vec<Input>| {
        let mut state = undoable();
        for input in inputs {
            told(&mut state, 1, input);
        }
        state
    };
    let ready = || done("a", 1, fine());
    let fails = || vec![ready(), done("b", 1, hopeless())];
    let more = |inputs: Vec<Input>| with(fails().into_iter().chain(inputs).collect());
    let mut last = more(vec![done("undo:a", 1, passing())]);
    told(&mut last, 102, Input::Wake);
    let states = [
        ("nothing to undo", undoable()),
        ("something to undo", with(vec![ready()])),
        ("paused before", with(vec![ready(), command(Command::Pause)])),
        ("failed, undoes", more(vec![])),
        ("cancelled, undoes", with(vec![ready(), command(Command::Cancel)])),
        ("tries again later", more(vec![done("undo:a", 1, passing())])),
        ("last attempt", last),
        ("paused", more(vec![command(Command::Pause)])),
        ("undone", more(vec![done("undo:a", 1, fine())])),
        ("not undone", more(vec![done("undo:a", 1, hopeless())])),
    ];
    let mut inputs = common();
    inputs.extend([
        ("the undoing succeeds", 10, done("undo:a", 1, fine())),
        ("the undoing fails and may pass", 10, done("undo:a", 1, passing())),
        ("the undoing fails for good", 10, done("undo:a", 1, hopeless())),
        ("its second attempt succeeds", 10, done("undo:a", 2, fine())),
        ("its second attempt fails", 10, done("undo:a", 2, passing())),
        ("what failed ends after all", 10, done("b", 1, fine())),
        ("the step itself fails for good", 10, done("a", 1, hopeless())),
        ("the undoing is done by hand", 10, give("undo:a", json!(1))),
    ]);
    insta::assert_snapshot!(table(&states, &inputs, |state| {
        let undoing = state.undo_status().map(|status| format!(", {}", status.label()));
        format!("{}{}", state.status().as_str(), undoing.unwrap_or_default())
    }));
}

fn onto(steps: &Value, edges: &Value) -> Input {
    let definition = json!({"weft": 1, "name": "table", "steps": steps, "edges": edges});
    let definition: Definition = serde_json::from_value(definition).expect("fits");
    let (from, inputs, taken) = (Some(1), None, Vec::new());
    Input::Migrate(Box::new(Migrated { from, version: 2, by: None, definition, inputs, taken }))
}

#[test]
fn a_move_in_each_status_of_a_step() {
    let (gate, a) = (http("gate"), http("a"));
    let follows = json!({"from": "gate", "to": "a"});
    let mut other = a.clone();
    other["config"]["url"] = json!("http://y");
    let mut of_other_kind = a.clone();
    of_other_kind["kind"] = json!("transform");
    of_other_kind["config"] = json!({"value": 1});
    let (two, one) = (json!([follows]), json!([]));
    let then = json!([follows, {"from": "a", "to": "next"}]);
    let inputs = [
        ("the same", 10, onto(&json!([gate, a]), &two)),
        ("the step does another thing", 10, onto(&json!([gate, other]), &two)),
        ("the step is of another kind", 10, onto(&json!([gate, of_other_kind]), &two)),
        ("the step is gone", 10, onto(&json!([gate]), &one)),
        ("the step waits for nothing", 10, onto(&json!([gate, a]), &one)),
        ("a step comes after it", 10, onto(&json!([gate, a, http("next")]), &then)),
        ("a step comes beside it", 10, onto(&json!([gate, a, http("next")]), &two)),
    ];
    insta::assert_snapshot!(table(&steps(), &inputs, |state| {
        let steps = state.steps().iter().map(|step| format!("{} {}", step.id, step.status.as_str()));
        steps.collect::<Vec<_>>().join(", ")
    }));
}
