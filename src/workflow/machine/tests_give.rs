//! Outputs that people give by hand to steps that have failed and are to be tried again.

use serde_json::{Value, json};

use super::tests_table::{command, done, fine, hopeless, http, moment, new, passing, start, told};
use super::*;
use crate::model::RunId;
use crate::model::workflow::{Given, RunStatus};

/// Ada gives `step` its output, by the port `out`.
pub(super) fn give(step: &str, output: Value) -> Input {
    let given = Given { by: Some("Ada".to_owned()), reason: "Paid at the counter.".to_owned() };
    Input::Give(Box::new(GivenOutput { step: step.to_owned(), port: "out".to_owned(), output, given }))
}

fn held(id: &str) -> Value {
    json!({"id": id, "kind": "http", "config": {"url": "http://x"}, "on_error": "pause"})
}

fn after(steps: &Value, edges: &Value, inputs: Vec<Input>) -> State {
    let mut state = new(steps, edges);
    told(&mut state, 0, start());
    for input in inputs {
        told(&mut state, 1, input);
    }
    state
}

#[test]
fn a_held_step_ends_with_the_output_and_the_run_goes_on_when_it_is_let_go() {
    let edges = json!([{"from": "a", "to": "b"}]);
    let mut state = after(&json!([held("a"), http("b")]), &edges, vec![done("a", 1, hopeless())]);
    assert_eq!(state.status(), RunStatus::Paused);
    told(&mut state, 2, give("a", json!({"status": 200})));
    let step = state.find_step("a").expect("there");
    assert_eq!((step.status, &step.output, &step.error), (StepStatus::Succeeded, &json!({"status": 200}), &None));
    let given = step.given.as_deref().expect("by hand");
    assert_eq!((given.by.as_deref(), given.reason.as_str()), (Some("Ada"), "Paid at the counter."));
    assert_eq!((state.status(), state.in_flight().len()), (RunStatus::Paused, 0));
    told(&mut state, 3, command(Command::Resume));
    assert_eq!(state.in_flight().map(|slot| state.path(slot)).collect::<Vec<_>>(), ["b"]);
    assert_eq!(state.find_step("a").expect("there").attempt, 1, "it was not tried again");
}

#[test]
fn a_run_that_would_have_tried_it_again_later_goes_on_at_once() {
    let edges = json!([{"from": "a", "to": "b"}]);
    let mut state = after(&json!([http("a"), http("b")]), &edges, vec![done("a", 1, passing())]);
    assert!(state.next_due().is_some());
    told(&mut state, 2, give("a", json!(1)));
    assert_eq!((state.next_due(), state.in_flight().len()), (None, 1));
    told(&mut state, 3, done("b", 1, fine()));
    assert_eq!(state.status(), RunStatus::Succeeded);
}

#[test]
fn the_edges_are_chosen_by_the_output_that_is_given() {
    let edges = json!([
        {"from": "a", "to": "big", "when": "steps.a.output.n > 5"},
        {"from": "a", "to": "small", "when": "steps.a.output.n <= 5"},
    ]);
    let steps = json!([held("a"), http("big"), http("small")]);
    let mut state = after(&steps, &edges, vec![done("a", 1, hopeless())]);
    let refused = advance(&mut state, give("a", json!({})), &moment(2), 100).expect_err("no edge can be decided");
    assert_eq!((refused, state.find_step("a").expect("there").status), (Refusal::Unfit, StepStatus::Retrying));
    told(&mut state, 2, give("a", json!({"n": 3})));
    told(&mut state, 3, command(Command::Resume));
    let status = |id: &str| state.find_step(id).expect("there").status;
    assert_eq!((status("big"), status("small")), (StepStatus::Skipped, StepStatus::Running));
}

#[test]
fn a_step_inside_of_a_container_takes_it_by_its_path_and_so_does_the_container() {
    let body = json!({"steps": [held("call")]});
    let each = json!([{"id": "each", "kind": "map", "config": {"items": [1, 2], "concurrency": 1}, "body": body}]);
    let mut state = after(&each, &json!([]), vec![done("each[0].call", 1, hopeless())]);
    told(&mut state, 2, give("each[0].call", json!("first")));
    told(&mut state, 3, command(Command::Resume));
    told(&mut state, 4, done("each[1].call", 1, fine()));
    assert_eq!((state.status(), &state.steps()[0].output), (RunStatus::Succeeded, &json!(["first", 1])));

    let failing = json!({"steps": [http("call")]});
    let group = json!([{"id": "box", "kind": "group", "config": {}, "body": failing, "on_error": "pause"}]);
    let mut state = after(&group, &json!([]), vec![done("box[0].call", 1, hopeless())]);
    assert_eq!(state.find_step("box").expect("there").status, StepStatus::Retrying);
    told(&mut state, 2, give("box", json!("whole")));
    told(&mut state, 3, command(Command::Resume));
    assert_eq!((state.status(), &state.steps()[0].output), (RunStatus::Succeeded, &json!("whole")));
}

#[test]
fn what_was_done_by_hand_is_undone_like_what_the_step_did() {
    let mut charge = held("charge");
    charge["compensate"] = json!({"kind": "http", "config": {"url": "http://undo/{{ steps.charge.output.id }}"}});
    let edges = json!([{"from": "charge", "to": "b"}]);
    let mut state = after(&json!([charge, http("b")]), &edges, vec![done("charge", 1, hopeless())]);
    told(&mut state, 2, give("charge", json!({"id": 7})));
    told(&mut state, 3, command(Command::Resume));
    told(&mut state, 4, done("b", 1, hopeless()));
    assert_eq!(state.undo_steps()[0].input["url"], "http://undo/7");
}

#[test]
fn only_what_is_to_be_tried_again_takes_an_output() {
    let mut running = after(&json!([http("a")]), &json!([]), vec![]);
    for step in ["a", "b", "a[0].c"] {
        let refused =
            advance(&mut running, give(step, json!(1)), &moment(1), 100).expect_err("it works, or is not there");
        assert_eq!(refused, Refusal::NotRetrying, "{step}");
    }
    let mut failed = after(&json!([http("a")]), &json!([]), vec![done("a", 1, hopeless())]);
    assert_eq!(advance(&mut failed, give("a", json!(1)), &moment(1), 100).expect_err("over"), Refusal::Ended);
}

#[test]
fn a_history_with_it_reads_back_and_one_from_before_folds_as_it_did() {
    let edges = json!([{"from": "a", "to": "b"}]);
    let definition = json!({"weft": 1, "name": "table", "steps": [held("a"), http("b")], "edges": edges});
    let definition = serde_json::from_value(definition).expect("fits");
    let begin = || State::new(RunId(uuid::Uuid::nil()), &definition);
    let (mut state, mut events) = (begin(), Vec::new());
    for input in
        [start(), done("a", 1, hopeless()), give("a", json!(1)), command(Command::Resume), done("b", 1, fine())]
    {
        events.extend(advance(&mut state, input, &moment(1), 100).expect("fits").0);
    }
    let mut folded = begin();
    for event in &events {
        folded.apply(&serde_json::from_str(&serde_json::to_string(event).expect("plain data")).expect("reads back"));
    }
    assert!(folded == state);
    let old = json!({"seq": 3, "at": moment(1).now, "step": "a", "kind": "step_succeeded",
        "data": {"attempt": 1, "port": "out", "output": 1}});
    let old: Event = serde_json::from_value(old).expect("as it was written");
    assert!(matches!(old.fact, Fact::StepSucceeded { given: None, .. }));
    assert!(!serde_json::to_string(&old).expect("plain data").contains("given"), "and so it is written still");
}
