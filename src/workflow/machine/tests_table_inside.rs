//! The tables of maps over pages, of containers that are tried again, of steps that work piece by piece, and of races; see
//! `tests_table`.

use serde_json::{Value, json};

use super::tests_table::{CHILD, command, common, done, fine, hopeless, new, passing, start, table, told};
use super::*;
use crate::model::workflow::RunStatus;

fn call() -> Value {
    json!({"id": "call", "kind": "http", "config": {"url": "http://x"}})
}

fn begun(step: Value) -> State {
    let mut state = new(&json!([step]), &json!([]));
    told(&mut state, 0, start());
    state
}

fn with(state: &State, inputs: Vec<Input>) -> State {
    let mut state = state.clone();
    for input in inputs {
        told(&mut state, 1, input);
    }
    state
}

/// The container, where the run stands, and how far its bodies are.
fn look(state: &State) -> String {
    let step = &state.steps()[0];
    let bodies = step.bodies.as_ref().map(|b| {
        let total = b.total.map_or_else(|| "?".to_owned(), |total| total.to_string());
        format!(", {} of {total} ended, {} failed, {} in motion", b.ended, b.failed, b.running)
    });
    format!("{} in {}{}", step.status.as_str(), state.status().as_str(), bodies.unwrap_or_default())
}

fn page(items: Value, next: Value) -> Input {
    done("box", 1, Ok(Outcome::out(json!({"items": items, "next": next}))))
}

#[test]
fn a_map_over_pages_in_each_state() {
    let map = begun(json!({"id": "box", "kind": "map", "body": {"steps": [call()]}, "timeout_ms": 50_000,
        "config": {"file": "items.jsonl", "concurrency": 1, "on_item_error": "collect"}}));
    let states = [
        ("the first page is asked for", map.clone()),
        ("an item runs, the next page is asked for", with(&map, vec![page(json!(["a"]), json!(1))])),
        ("items wait", with(&map, vec![page(json!(["a", "b", "c"]), json!(1))])),
        ("the last page is here", with(&map, vec![page(json!(["a"]), Value::Null)])),
        ("paused", with(&map, vec![command(Command::Pause)])),
        ("failed", with(&map, vec![done("box", 1, hopeless())])),
        ("done", with(&map, vec![page(json!([]), Value::Null)])),
    ];
    let mut inputs = common();
    inputs.extend([
        ("a page comes, and more are to come", 10, page(json!(["d", "e"]), json!(2))),
        ("the last page comes", 10, page(json!(["d"]), Value::Null)),
        ("an empty page comes", 10, page(json!([]), json!(2))),
        ("what comes is no page", 10, done("box", 1, fine())),
        ("the page can't be had", 10, done("box", 1, hopeless())),
        ("the first item succeeds", 10, done("box[0].call", 1, fine())),
        ("the first item fails", 10, done("box[0].call", 1, hopeless())),
    ]);
    insta::assert_snapshot!(table(&states, &inputs, look));
}

#[test]
fn a_container_that_is_tried_again_in_each_state() {
    let retry = json!({"max_attempts": 2, "initial_ms": 100, "factor": 1.0, "max_ms": 100, "jitter": false});
    let map = |anew: bool| {
        let mut retry = retry.clone();
        retry["anew"] = json!(anew);
        begun(json!({"id": "box", "kind": "map", "body": {"steps": [call()]}, "retry": retry,
            "config": {"items": [1, 2], "concurrency": 1}}))
    };
    let failed = |anew: bool| {
        let passes = vec![done("box[0].call", 1, fine()), done("box[1].call", 1, passing())];
        with(&map(anew), passes)
    };
    let again = |anew: bool| {
        let mut state = failed(anew);
        told(&mut state, 102, Input::Wake);
        state
    };
    let states = [
        ("first attempt", map(false)),
        ("waits to go on", failed(false)),
        ("waits to begin anew", failed(true)),
        ("waits, paused", with(&failed(false), vec![command(Command::Pause)])),
        ("goes on", again(false)),
        ("begins anew", again(true)),
    ];
    let mut inputs = common();
    for (name, step, attempt, result) in [
        ("its first item succeeds", "box[0].call", 1, fine()),
        ("its second item succeeds", "box[1].call", 1, fine()),
        ("its second item succeeds at its second attempt", "box[1].call", 2, fine()),
        ("its second item fails for good", "box[1].call", 2, hopeless()),
    ] {
        inputs.push((name, 110, done(step, attempt, result)));
    }
    insta::assert_snapshot!(table(&states, &inputs, |state| {
        format!("{}, attempt {}", look(state), state.steps()[0].attempt)
    }));
}

#[test]
fn a_step_that_works_in_pieces_in_each_state() {
    let agent = begun(json!({"id": "a", "kind": "agent", "config": {"agent": "helper", "prompt": "Go."}}));
    let piece = || done("a", 1, Ok(Outcome::Advanced { entry: json!({"n": 1}) }));
    let event = || Await::Event { key: "told".into(), fields: Value::Null };
    let waits = || done("a", 1, Ok(Outcome::Waiting { reason: "waits".into(), until: None, on: Some(event()) }));
    let states = [
        ("nothing is done", agent.clone()),
        ("a piece is done", with(&agent, vec![piece()])),
        ("waits", with(&agent, vec![piece(), waits()])),
        ("waits, paused", with(&agent, vec![piece(), waits(), command(Command::Pause)])),
        ("a piece is done, paused", with(&agent, vec![piece(), command(Command::Pause)])),
        ("failed", with(&agent, vec![piece(), done("a", 1, hopeless())])),
        ("cancelled", with(&agent, vec![piece(), command(Command::Cancel)])),
    ];
    let signal = |signal: Signal| Input::Signal { step: Some("a".to_owned()), attempt: 1, signal };
    let ended = Signal::RunEnded { run: CHILD, status: RunStatus::Succeeded, output: json!(1), error: None };
    let mut inputs = common();
    inputs.extend([
        ("another piece is done", 10, piece()),
        ("it has to wait", 10, waits()),
        ("it succeeds", 10, done("a", 1, fine())),
        ("it fails for good", 10, done("a", 1, hopeless())),
        ("what it waits for comes", 10, signal(Signal::Event { payload: json!({"n": 2}), event: None })),
        ("something else comes", 10, signal(ended)),
    ]);
    insta::assert_snapshot!(table(&states, &inputs, |state| {
        let pieces = state.journal(Slot::root(0)).len();
        format!("{} in {}, {pieces} kept", state.steps()[0].status.as_str(), state.status().as_str())
    }));
}

#[test]
fn a_race_in_each_state() {
    let branch = |id: &str| json!({"id": id, "kind": "http", "config": {"url": "http://x"}, "on_error": "port"});
    let race = |join: Value| {
        let goal =
            json!({"id": "j", "kind": "http", "config": {"url": "http://x"}, "join": join, "cancel_others": true});
        let edges: Vec<Value> = ["a", "b", "c"].iter().map(|from| json!({"from": from, "to": "j"})).collect();
        let mut state = new(&json!([branch("a"), branch("b"), branch("c"), goal]), &json!(edges));
        told(&mut state, 0, start());
        state
    };
    let (any, two) = (race(json!("any")), race(json!(2)));
    let a = || done("a", 1, fine());
    let states = [
        ("any: nobody is first", any.clone()),
        ("any: one failed", with(&any, vec![done("b", 1, hopeless())])),
        ("any: won", with(&any, vec![a()])),
        ("any: paused", with(&any, vec![command(Command::Pause)])),
        ("two: nobody is first", two.clone()),
        ("two: one is there", with(&two, vec![a()])),
        ("two: one is there, one failed", with(&two, vec![a(), done("b", 1, hopeless())])),
        ("two: won", with(&two, vec![a(), done("b", 1, fine())])),
    ];
    let mut inputs = common();
    inputs.extend([
        ("the second succeeds", 10, done("b", 1, fine())),
        ("the third succeeds", 10, done("c", 1, fine())),
        ("the third fails for good", 10, done("c", 1, hopeless())),
        ("what comes after succeeds", 10, done("j", 1, fine())),
    ]);
    insta::assert_snapshot!(table(&states, &inputs, |state| {
        let steps = state.steps().iter().map(|step| format!("{} {}", step.id, step.status.as_str()));
        format!("{} in {}", steps.collect::<Vec<_>>().join(", "), state.status().as_str())
    }));
}
