//! Restarts and edited outputs inside of containers: each rule with the smallest run that shows it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::prefix::{Edits, Misfit, carry};
use super::tests::{definition, feed, run};
use crate::model::workflow::restart::without;
use crate::model::workflow::{Event, Fact, Forked, Graph, RunStatus, State, StepError};
use crate::workflow::machine::Input;
use crate::workflow::steps::Outcome;

fn call(id: &str) -> Value {
    json!({"id": id, "kind": "http", "config": {"url": "http://x"}})
}

fn edge(from: &str, to: &str) -> Value {
    json!({"from": from, "to": to})
}

/// `get`, then `say` of what it gave; `aside` depends on nothing.
fn body() -> Value {
    json!({"steps": [call("get"), {"id": "say", "kind": "transform", "config": {"value": "{{ steps.get.output }}!"}}, call("aside")],
        "edges": [edge("get", "say")], "output": "{{ steps.say.output }}"})
}

fn graph(steps: &Value, edges: &Value) -> Arc<Graph> {
    Graph::new(definition(json!({"weft": 1, "name": "w", "steps": steps, "edges": edges})))
}

/// A map of three items at once, with a branch beside it.
fn each(config: &Value) -> Arc<Graph> {
    let mut all = json!({"items": ["a", "b", "c"], "concurrency": 3});
    all.as_object_mut().expect("an object").extend(config.as_object().cloned().unwrap_or_default());
    let map = json!({"id": "m", "kind": "map", "config": all, "body": body()});
    graph(
        &json!([map, call("beside"), call("later"), call("after")]),
        &json!([edge("beside", "later"), edge("m", "after")]),
    )
}

/// Ends everything that is in flight until nothing is: each step gives its path, but for those that fail.
fn play(state: &mut State, history: &mut Vec<Event>, failing: &[&str]) {
    loop {
        let next = state.in_flight().next();
        let Some(slot) = next else { return };
        let (path, attempt) = (state.path(slot), state.step_at(slot).attempt);
        let result = if failing.contains(&path.as_str()) {
            Err(StepError::permanent("refused", "no"))
        } else {
            Ok(Outcome::out(json!(path)))
        };
        feed(state, history, Input::Done { step: path, attempt, result }, 0);
    }
}

fn lived(graph: &Arc<Graph>, failing: &[&str]) -> Vec<Event> {
    let (mut state, mut history) = (State::on(run(1), Arc::clone(graph)), Vec::new());
    feed(&mut state, &mut history, Input::Start { inputs: json!({}), until: None }, 0);
    play(&mut state, &mut history, failing);
    assert!(state.is_ended(), "{:?}", state.status());
    history
}

fn edits(outputs: &[(&str, Value)]) -> Edits {
    let outputs: BTreeMap<String, Value> =
        outputs.iter().map(|(path, value)| ((*path).to_owned(), value.clone())).collect();
    Edits { inputs: None, outputs }
}

/// The end of a fork that begins with these events, and the steps that began in it, sorted.
fn forked(graph: &Arc<Graph>, events: Vec<Event>, edits: &Edits) -> (State, Vec<String>) {
    let prefix = carry(run(2), graph, graph, events, edits).unwrap_or_else(|misfit| panic!("{misfit:?}"));
    let (mut state, mut history) = (prefix.state, prefix.events);
    let copied = history.len();
    let mark = Forked { from_run: run(1), from_seq: 1, by: None, restarted: None, edited: Vec::new() };
    feed(&mut state, &mut history, Input::Fork(Box::new(mark)), 0);
    play(&mut state, &mut history, &[]);
    let mut folded = State::on(run(2), Arc::clone(graph));
    for event in &history {
        folded.apply(event);
    }
    assert!(folded == state, "the history replays");
    let began = |event: &Event| matches!(event.fact, Fact::StepStarted { .. }).then(|| event.step.clone())?;
    let mut began: Vec<String> = history[copied..].iter().filter_map(began).collect();
    began.sort();
    (state, began)
}

/// Restarts a run from a place, and says what began again.
fn again(graph: &Arc<Graph>, history: &[Event], path: &str) -> Vec<String> {
    let (kept, newest) = without(history, graph, path).expect("it is there");
    assert!(newest <= history.len() as i64);
    let (state, began) = forked(graph, kept, &Edits::default());
    assert_eq!(state.status(), RunStatus::Succeeded, "{:?}", state.error());
    assert_eq!(state.steps_done() as usize, state.steps().len(), "each step is counted once");
    began
}

#[test]
fn a_step_of_an_item_runs_again_with_what_depends_on_it_and_nothing_else() {
    let graph = each(&json!({}));
    let history = lived(&graph, &[]);
    assert_eq!(again(&graph, &history, "m[1].say"), ["after", "m[1].say"]);
    assert_eq!(again(&graph, &history, "m[1].get"), ["after", "m[1].get", "m[1].say"]);
    assert_eq!(again(&graph, &history, "m[1].aside"), ["after", "m[1].aside"]);
    assert_eq!(again(&graph, &history, "m[1]"), ["after", "m[1].aside", "m[1].get", "m[1].say"]);
    assert_eq!(again(&graph, &history, "beside"), ["beside", "later"]);
    let (kept, _) = without(&history, &graph, "m[1].get").expect("it is there");
    let (state, _) = forked(&graph, kept, &Edits::default());
    assert_eq!(state.find_step("m").expect("there").output, json!(["m[0].get!", "m[1].get!", "m[2].get!"]));
}

#[test]
fn items_that_had_not_begun_when_the_step_did_are_kept_as_well() {
    let graph = each(&json!({"concurrency": 1}));
    let history = lived(&graph, &[]);
    assert_eq!(again(&graph, &history, "m[0]"), ["after", "m[0].aside", "m[0].get", "m[0].say"]);
}

#[test]
fn what_failed_the_run_is_tried_again_and_what_it_cut_off_begins_anew() {
    for config in [json!({}), json!({"on_item_error": "tolerate", "tolerate_percent": 0})] {
        let graph = each(&config);
        let history = lived(&graph, &["m[1].get"]);
        let ended = |path: &str| {
            let is_end = |event: &&Event| matches!(event.fact, Fact::StepSucceeded { .. });
            history.iter().filter(is_end).any(|event| event.step.as_deref() == Some(path))
        };
        let began = again(&graph, &history, "m[1].get");
        assert!(began.contains(&"m[1].get".to_owned()) && began.contains(&"after".to_owned()));
        let twice: Vec<_> = began.iter().filter(|path| ended(path)).collect();
        assert!(twice.is_empty(), "{twice:?} had ended");
    }
}

#[test]
fn what_a_map_with_enough_has_stopped_goes_on_with_it() {
    let graph = each(&json!({"enough": 1}));
    let history = lived(&graph, &[]);
    let lost = history.iter().filter(|event| event.fact.kind() == "step_skipped").count();
    assert!(lost > 0, "items were stopped");
    let (kept, _) = without(&history, &graph, "m[0].say").expect("it is there");
    let (state, began) = forked(&graph, kept, &Edits::default());
    assert!(began.contains(&"m[0].say".to_owned()), "{began:?}");
    let given: Vec<_> = state.find_step("m").expect("there").output.as_array().expect("a list").clone();
    assert_eq!(given.iter().filter(|value| !value.is_null()).count(), 1, "what was stopped gave nothing: {given:?}");
}

#[test]
fn later_rounds_of_a_repeat_run_again() {
    let repeat = json!({"id": "r", "kind": "repeat", "config": {"max_iterations": 3}, "body": {"steps": [call("x"), call("y")], "edges": [edge("x", "y")]}});
    let graph = graph(&json!([repeat, call("after")]), &json!([{"from": "r", "port": "exhausted", "to": "after"}]));
    let history = lived(&graph, &[]);
    assert_eq!(again(&graph, &history, "r[1]"), ["after", "r[1].x", "r[1].y", "r[2].x", "r[2].y"]);
    assert_eq!(again(&graph, &history, "r[1].y"), ["after", "r[1].y", "r[2].x", "r[2].y"]);
    assert_eq!(again(&graph, &history, "r[2].y"), ["after", "r[2].y"]);
}

#[test]
fn of_nested_containers_each_is_open_again_on_the_way_in_only() {
    let inner = json!({"id": "n", "kind": "map", "config": {"items": [1, 2]}, "body": {"steps": [call("x")]}});
    let outer = json!({"id": "o", "kind": "map", "config": {"items": [1, 2]},
        "body": {"steps": [call("first"), inner, call("last")], "edges": [edge("first", "n"), edge("n", "last")]}});
    let graph = graph(&json!([outer, call("after")]), &json!([edge("o", "after")]));
    let history = lived(&graph, &[]);
    assert_eq!(again(&graph, &history, "o[0].n[1].x"), ["after", "o[0].last", "o[0].n[1].x"]);
    assert_eq!(again(&graph, &history, "o[1].n[0]"), ["after", "o[1].last", "o[1].n[0].x"]);
    assert_eq!(again(&graph, &history, "o[1].n"), ["after", "o[1].last", "o[1].n", "o[1].n[0].x", "o[1].n[1].x"]);
    let (kept, _) = without(&history, &graph, "o[0].n[1].x").expect("it is there");
    let failing = lived(&graph, &["o[0].n[1].x"]);
    assert!(kept.len() < history.len());
    assert!(again(&graph, &failing, "o[0].n[1].x").contains(&"o[0].n[1].x".to_owned()));
}

#[test]
fn of_a_container_that_was_tried_again_the_newest_attempt_counts() {
    let map = json!({"id": "m", "kind": "map", "config": {"items": ["a", "b"], "concurrency": 1}, "body": body(),
        "retry": {"max_attempts": 2, "initial_ms": 0, "factor": 1.0, "max_ms": 0, "jitter": false}});
    let graph = graph(&json!([map, call("after")]), &json!([edge("m", "after")]));
    let (mut state, mut history) = (State::on(run(1), Arc::clone(&graph)), Vec::new());
    feed(&mut state, &mut history, Input::Start { inputs: json!({}), until: None }, 0);
    let refused = Err(StepError::transient("refused", "no"));
    feed(&mut state, &mut history, Input::Done { step: "m[0].get".into(), attempt: 1, result: refused }, 0);
    feed(&mut state, &mut history, Input::Wake, 10);
    play(&mut state, &mut history, &[]);
    assert_eq!((state.status(), state.find_step("m").expect("there").attempt), (RunStatus::Succeeded, 2));
    assert_eq!(again(&graph, &history, "m[1].say"), ["after", "m[1].say"]);
}

#[test]
fn a_place_that_the_run_does_not_have_is_named() {
    let graph = each(&json!({}));
    let history = lived(&graph, &[]);
    for (path, said) in [
        ("m[7].get", "m[7] has not begun in this run"),
        ("m[7]", "m[7] has not begun in this run"),
        ("m[1].nowhere", "the run has no step m[1].nowhere"),
        ("beside[0].get", "the run has no step beside[0].get"),
        ("nowhere", "the run has no step nowhere"),
    ] {
        assert_eq!(without(&history, &graph, path), Err(said.to_owned()));
    }
}

#[test]
fn an_output_inside_is_edited_while_its_body_goes_on() {
    let graph = each(&json!({}));
    let history = lived(&graph, &[]);
    let (kept, _) = without(&history, &graph, "m[1].say").expect("it is there");
    let (state, began) = forked(&graph, kept, &edits(&[("m[1].get", json!("edited"))]));
    assert_eq!(began, ["after", "m[1].say"]);
    assert_eq!(state.find_step("m").expect("there").output, json!(["m[0].get!", "edited!", "m[2].get!"]));
}

#[test]
fn an_output_inside_of_a_body_that_is_over_is_refused_with_the_event_to_fork_before() {
    let graph = each(&json!({}));
    let history = lived(&graph, &[]);
    let over =
        history.iter().find(|event| matches!(event.fact, Fact::BodySucceeded { index: 1, .. })).expect("it ended").seq;
    let refused = carry(run(2), &graph, &graph, history, &edits(&[("m[1].get", json!(1))])).expect_err("refused");
    let Misfit::Output { step, message } = refused else { panic!("{refused:?}") };
    assert_eq!(step, "m[1].get");
    assert!(message.contains(&format!("fork before event {over}")), "{message}");
}

#[test]
fn the_output_of_a_step_inside_that_failed_the_run_is_given_by_hand() {
    for config in [json!({}), json!({"on_item_error": "tolerate", "tolerate_percent": 0})] {
        let graph = each(&config);
        let history = lived(&graph, &["m[1].get"]);
        let (state, began) = forked(&graph, history, &edits(&[("m[1].get", json!("by hand"))]));
        assert_eq!(state.status(), RunStatus::Succeeded, "{:?}", state.error());
        assert_eq!(state.find_step("m").expect("there").output, json!(["m[0].get!", "by hand!", "m[2].get!"]));
        assert!(!began.contains(&"m[1].get".to_owned()), "{began:?}");
    }
}

#[test]
fn an_edited_output_inside_chooses_the_edges_of_its_body_again() {
    let body = json!({"steps": [call("look"), call("a"), call("b")], "edges": [
        {"from": "look", "to": "a", "when": "steps.look.output == 1"}, {"from": "look", "to": "b", "when": "steps.look.output == 2"}]});
    let graph = graph(&json!([{"id": "g", "kind": "group", "body": body}]), &json!([]));
    let (mut state, mut history) = (State::on(run(1), Arc::clone(&graph)), Vec::new());
    feed(&mut state, &mut history, Input::Start { inputs: json!({}), until: None }, 0);
    let result = Ok(Outcome::out(json!(1)));
    feed(&mut state, &mut history, Input::Done { step: "g[0].look".into(), attempt: 1, result }, 0);
    let looked = history.iter().position(|event| event.fact.kind() == "step_succeeded").expect("it ended");
    let (_, began) = forked(&graph, history[..=looked].to_vec(), &edits(&[("g[0].look", json!(2))]));
    assert_eq!(began, ["g[0].b"]);
    let refused = carry(run(2), &graph, &graph, history, &edits(&[("g[0].look", json!(2))])).expect_err("refused");
    let Misfit::Output { step, message } = refused else { panic!("{refused:?}") };
    assert!(step == "g[0].look" && message.contains("fork before that event"), "{message}");
}

#[test]
fn an_edited_label_leaves_by_its_port() {
    let sort = json!({"id": "sort", "kind": "classify", "config": {"text": "x", "labels": ["a", "b"]}});
    let edges = json!([{"from": "sort", "port": "a", "to": "a"}, {"from": "sort", "port": "b", "to": "b"}]);
    let graph = graph(&json!([sort, call("a"), call("b")]), &edges);
    let (mut state, mut history) = (State::on(run(1), Arc::clone(&graph)), Vec::new());
    feed(&mut state, &mut history, Input::Start { inputs: json!({}), until: None }, 0);
    let result = Ok(Outcome::port("a", json!({"label": "a"})));
    feed(&mut state, &mut history, Input::Done { step: "sort".into(), attempt: 1, result }, 0);
    let (_, began) = forked(&graph, history[..3].to_vec(), &edits(&[("sort", json!({"label": "b"}))]));
    assert_eq!(began, ["b"]);
}
