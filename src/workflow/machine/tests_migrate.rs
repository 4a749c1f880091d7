//! Runs that go on with a newer version: each rule with the smallest run that shows it.

use serde_json::{Value, json};

use super::*;
use crate::model::RunId;
use crate::model::workflow::{Definition, Graph, RunStatus};

fn moment(ms: i64) -> Moment {
    Moment { now: Timestamp(1_000_000).plus_ms(ms), fraction: 0.5 }
}

fn definition(steps: Value, edges: Value) -> Definition {
    serde_json::from_value(json!({"weft": 1, "name": "w", "steps": steps, "edges": edges})).expect("fits")
}

fn call(id: &str) -> Value {
    json!({"id": id, "kind": "http", "config": {"url": format!("http://x/{id}")}})
}

fn edge(from: &str, to: &str) -> Value {
    json!({"from": from, "to": to})
}

/// A run with its history.
struct Lived {
    first: Definition,
    state: State,
    events: Vec<Event>,
}

impl Lived {
    fn begin(first: Definition) -> Self {
        let state = State::new(RunId(uuid::Uuid::nil()), &first);
        let mut lived = Self { first, state, events: Vec::new() };
        lived.feed(Input::Start { inputs: json!({}), until: None }).expect("begins");
        lived
    }

    fn feed(&mut self, input: Input) -> Result<(), Refusal> {
        let (events, _) = advance(&mut self.state, input, &moment(5), 1000)?;
        self.events.extend(events);
        Ok(())
    }

    fn done(&mut self, path: &str, result: Result<Outcome, StepError>) {
        let attempt = self.state.find_step(path).unwrap_or_else(|| panic!("{path} is in motion")).attempt;
        self.feed(Input::Done { step: path.to_owned(), attempt, result }).expect("is waited for");
    }

    fn succeed(&mut self, path: &str) {
        self.done(path, Ok(Outcome::out(json!({"of": path}))));
    }

    fn misfits(&self, onto: &Definition) -> Vec<String> {
        find_misfits(&self.state, &Graph::new(onto.clone())).into_iter().map(|misfit| misfit.message).collect()
    }

    fn migrate(&mut self, onto: &Definition) -> Result<(), Refusal> {
        let migrated =
            Migrated { from: Some(1), version: 2, by: None, definition: onto.clone(), inputs: None, taken: Vec::new() };
        self.feed(Input::Migrate(Box::new(migrated)))
    }

    fn flying(&self) -> Vec<String> {
        self.state.in_flight().map(|slot| self.state.path(slot)).collect()
    }

    /// The history folds to the same state, also when it was written and read.
    fn check_history(&self) {
        let mut folded = State::new(RunId(uuid::Uuid::nil()), &self.first);
        for event in &self.events {
            let written = serde_json::to_string(event).expect("plain data");
            folded.apply(&serde_json::from_str(&written).expect("reads back"));
        }
        assert!(folded == self.state);
    }
}

#[test]
fn what_lies_ahead_may_be_another_and_in_another_order() {
    let mut lived =
        Lived::begin(definition(json!([call("a"), call("b"), call("c")]), json!([edge("a", "b"), edge("b", "c")])));
    lived.succeed("a");
    let onto = definition(
        json!([
            call("new"),
            json!({"id": "c", "kind": "transform", "config": {"value": "{{ steps.b.output.of }}!"}}),
            call("b"),
            call("a")
        ]),
        json!([edge("b", "c"), edge("c", "new"), edge("a", "b")]),
    );
    assert_eq!(lived.misfits(&onto), [""; 0]);
    lived.migrate(&onto).expect("fits");
    assert_eq!((lived.flying(), lived.state.steps_done()), (vec!["b".to_owned()], 1));
    lived.succeed("b");
    assert_eq!(lived.state.find_step("c").expect("there").output, json!("b!"));
    assert_eq!(lived.flying(), ["new"]);
    lived.succeed("new");
    assert_eq!((lived.state.status(), lived.state.steps_done()), (RunStatus::Succeeded, 4));
    lived.check_history();
}

#[test]
fn a_step_that_failed_and_is_tried_again_may_be_mended() {
    let step = |url: &str| json!({"id": "a", "kind": "http", "config": {"url": url}, "on_error": "pause"});
    let mut lived = Lived::begin(definition(json!([step("http://wrong"), call("b")]), json!([edge("a", "b")])));
    let onto = definition(json!([step("http://right"), call("b")]), json!([edge("a", "b")]));
    assert_eq!(lived.misfits(&onto), ["step a had begun, and its config.url differs here"], "its attempt is in flight");
    lived.done("a", Err(StepError::permanent("http_status", "404")));
    assert_eq!(lived.state.status(), RunStatus::Paused);
    assert_eq!(lived.misfits(&onto), [""; 0]);
    lived.migrate(&onto).expect("fits");
    lived.feed(Input::Command { command: Command::Resume, by: None }).expect("is paused");
    assert_eq!(lived.flying(), ["a"]);
    let again = lived.state.find_step("a").expect("there");
    assert_eq!((again.attempt, &again.input["url"]), (2, &json!("http://right")));
    lived.succeed("a");
    lived.succeed("b");
    assert_eq!(lived.state.status(), RunStatus::Succeeded);
    lived.check_history();
}

#[test]
fn what_the_run_has_come_to_must_be_the_same_and_every_difference_is_told() {
    let mut lived = Lived::begin(definition(json!([call("a"), call("b")]), json!([edge("a", "b")])));
    lived.succeed("a");
    let mut other = call("a");
    other["config"]["url"] = json!("http://y");
    let onto = definition(json!([other, call("x")]), json!([edge("a", "x")]));
    assert_eq!(
        lived.misfits(&onto),
        ["step a had begun, and its config.url differs here", "step b had begun and is not in this definition"]
    );
    assert_eq!(lived.migrate(&onto), Err(Refusal::Misfit));
    let before = lived.state.last_seq();
    assert_eq!(lived.events.last().map(|event| event.seq), Some(before), "nothing has happened");
    lived.succeed("b");
    assert_eq!(lived.migrate(&lived.first.clone()), Err(Refusal::Ended));
}

#[test]
fn new_edges_of_a_step_that_has_ended_are_chosen_with_the_move() {
    let mut lived = Lived::begin(definition(json!([call("a"), call("b")]), json!([edge("a", "b")])));
    lived.succeed("a");
    let when = |to: &str, when: &str| json!({"from": "a", "to": to, "when": when});
    let onto = definition(
        json!([call("a"), call("b"), call("yes"), call("no"), call("after")]),
        json!([
            edge("a", "b"), when("yes", "steps.a.output.of == 'a'"), when("no", "steps.a.output.of == 'z'"),
            edge("no", "after"), {"from": "a", "port": "error", "to": "after"},
        ]),
    );
    lived.migrate(&onto).expect("fits");
    assert_eq!(lived.flying(), ["b", "yes"]);
    for skipped in ["no", "after"] {
        assert_eq!(lived.state.find_step(skipped).expect("there").status, StepStatus::Skipped, "{skipped}");
    }
    lived.succeed("yes");
    lived.succeed("b");
    assert_eq!(lived.state.status(), RunStatus::Succeeded);
    lived.check_history();
}

#[test]
fn a_condition_that_can_not_be_answered_keeps_a_run_where_it_is() {
    let mut lived = Lived::begin(definition(json!([call("a"), call("b")]), json!([edge("a", "b")])));
    lived.succeed("a");
    let onto = definition(
        json!([call("a"), call("b"), call("c")]),
        json!([edge("a", "b"), {"from": "a", "to": "c", "when": "steps.a.output.not_there > 1"}]),
    );
    let found = lived.misfits(&onto);
    assert!(found.len() == 1 && found[0].starts_with("the condition of the new edge to c: "), "{found:?}");
}

fn each(body: Value, more: Value) -> Definition {
    let each = json!({"id": "each", "kind": "map", "config": {"items": [1, 2, 3], "concurrency": 2}, "body": body});
    let steps: Vec<Value> = [json!(more), each].into_iter().filter(|step| !step.is_null()).collect();
    definition(json!(steps), json!([]))
}

#[test]
fn bodies_in_motion_go_on_where_they_are_if_they_are_the_same() {
    let body = json!({"steps": [call("first"), call("second")], "edges": [edge("first", "second")]});
    let mut lived = Lived::begin(each(body.clone(), Value::Null));
    lived.succeed("each[0].first");
    let mut other = body.clone();
    other["steps"][1]["config"]["url"] = json!("http://y");
    assert_eq!(
        lived.misfits(&each(other, Value::Null)),
        ["step second inside of each had begun, and its config.url differs here"]
    );
    let mut named = body;
    named["steps"][1]["name"] = json!("The second");
    // The container has another number in the new version.
    lived.migrate(&each(named, call("beside"))).expect("fits");
    assert_eq!(lived.flying(), ["beside", "each[0].second", "each[1].first"]);
    lived.succeed("beside");
    for path in ["each[0].second", "each[1].first", "each[1].second", "each[2].first", "each[2].second"] {
        lived.succeed(path);
    }
    assert_eq!(lived.state.status(), RunStatus::Succeeded);
    lived.check_history();
}

#[test]
fn waits_and_retries_are_due_when_they_were() {
    let mut retried = call("a");
    retried["retry"] = json!({"max_attempts": 2, "initial_ms": 100, "jitter": false});
    let wait = json!({"id": "w", "kind": "wait", "config": {"ms": 50}});
    let mut lived = Lived::begin(definition(json!([retried, wait]), json!([])));
    lived.done("a", Err(StepError::transient("x", "not now")));
    assert_eq!(lived.state.next_due(), Some(moment(55).now));
    let onto = definition(json!([call("z"), wait, retried]), json!([edge("w", "z")]));
    lived.migrate(&onto).expect("fits");
    assert_eq!((lived.state.next_due(), lived.state.status()), (Some(moment(55).now), RunStatus::Waiting));
    let (events, _) = advance(&mut lived.state, Input::Wake, &moment(200), 100).expect("wakes");
    lived.events.extend(events);
    assert_eq!(lived.flying(), ["z", "a"]);
    lived.check_history();
}

#[test]
fn a_paused_run_is_moved_before_it_goes_on() {
    let mut lived = Lived::begin(definition(json!([call("a"), call("b")]), json!([edge("a", "b")])));
    lived.feed(Input::Command { command: Command::Pause, by: None }).expect("is allowed");
    lived.succeed("a");
    let mut other = call("b");
    other["config"]["url"] = json!("http://y");
    lived.migrate(&definition(json!([other, call("a")]), json!([edge("a", "b")]))).expect("b has not begun");
    assert_eq!(lived.state.status(), RunStatus::Paused);
    lived.feed(Input::Command { command: Command::Resume, by: None }).expect("is allowed");
    assert_eq!(lived.state.find_step("b").expect("runs").input["url"], "http://y");
    lived.check_history();
}

#[test]
fn a_run_that_undoes_or_was_let_in_by_other_limits_stays_as_it_is() {
    let mut undone = call("a");
    undone["compensate"] = json!({"kind": "http", "config": {"url": "http://undo"}});
    let mut lived = Lived::begin(definition(json!([undone, call("b")]), json!([edge("a", "b")])));
    let mut limited = lived.first.clone();
    limited.flow = serde_json::from_value(json!({"priority": 9})).expect("fits");
    assert!(lived.misfits(&limited)[0].starts_with("its limits"));
    lived.succeed("a");
    lived.done("b", Err(StepError::permanent("x", "no")));
    assert_eq!(lived.flying(), ["undo:a"]);
    assert!(lived.misfits(&lived.first.clone())[0].starts_with("the run undoes"));
}

fn held(url: &str) -> Value {
    json!({"id": "call", "kind": "http", "config": {"url": url}, "on_error": "pause"})
}

fn in_turn(body: &Value) -> Definition {
    let each = json!({"id": "each", "kind": "map", "config": {"items": [1, 2], "concurrency": 1}, "body": body});
    definition(json!([each]), json!([]))
}

#[test]
fn a_step_inside_of_a_container_that_failed_and_is_tried_again_may_be_mended() {
    let body = |url: &str, after: &str| {
        let after = json!({"id": "after", "kind": "http", "config": {"url": after}});
        json!({"steps": [held(url), after], "edges": [edge("call", "after")]})
    };
    let mut lived = Lived::begin(in_turn(&body("http://wrong", "http://x")));
    let onto = in_turn(&body("http://right", "http://y"));
    let differs = ["step call inside of each had begun, and its config.url differs here"];
    assert_eq!(lived.misfits(&onto), differs, "its attempt is in flight");
    lived.done("each[0].call", Err(StepError::permanent("http_status", "404")));
    assert_eq!(lived.state.status(), RunStatus::Paused);
    lived.migrate(&onto).expect("fits");
    lived.feed(Input::Command { command: Command::Resume, by: None }).expect("is paused");
    let again = lived.state.find_step("each[0].call").expect("there");
    assert_eq!((again.attempt, &again.input["url"]), (2, &json!("http://right")));
    lived.succeed("each[0].call");
    assert_eq!(lived.state.find_step("each[0].after").expect("there").input["url"], "http://y", "it lay ahead");
    lived.succeed("each[0].after");
    assert_eq!(lived.state.find_step("each[1].call").expect("there").input["url"], "http://right");
    lived.succeed("each[1].call");
    lived.succeed("each[1].after");
    assert_eq!(lived.state.status(), RunStatus::Succeeded);
    lived.check_history();
}

#[test]
fn what_a_body_that_has_ended_ran_must_be_the_same_but_for_how_patiently_it_is_tried() {
    let body = |step: Value| json!({"steps": [step]});
    let mut lived = Lived::begin(in_turn(&body(held("http://x"))));
    lived.succeed("each[0].call");
    lived.done("each[1].call", Err(StepError::permanent("http_status", "404")));
    let differs = ["step call inside of each had begun, and its config.url differs here"];
    assert_eq!(lived.misfits(&in_turn(&body(held("http://y")))), differs);
    let mut patient = held("http://x");
    patient["timeout_ms"] = json!(90_000);
    lived.migrate(&in_turn(&body(patient))).expect("fits");
    lived.feed(Input::Command { command: Command::Resume, by: None }).expect("is paused");
    lived.succeed("each[1].call");
    assert_eq!(lived.state.status(), RunStatus::Succeeded);
    lived.check_history();
}

#[test]
fn a_container_that_goes_on_where_it_was_begins_the_step_that_failed_as_the_new_version_has_it() {
    let group = |url: &str| {
        let mut inner = held(url);
        inner["on_error"] = json!("fail");
        let around = json!({"id": "loop", "kind": "repeat", "config": {"until": "true", "max_iterations": 3},
            "body": {"steps": [call("first"), inner], "edges": [edge("first", "call")]}});
        let group =
            json!({"id": "box", "kind": "group", "config": {}, "on_error": "pause", "body": {"steps": [around]}});
        definition(json!([group]), json!([]))
    };
    let mut lived = Lived::begin(group("http://wrong"));
    lived.succeed("box[0].loop[0].first");
    lived.done("box[0].loop[0].call", Err(StepError::permanent("http_status", "404")));
    assert_eq!(lived.state.status(), RunStatus::Paused);
    let mut other = group("http://right");
    let inner = other.steps[0].body.as_mut().expect("a group").steps[0].body.as_mut().expect("a loop");
    inner.steps[0].config["url"] = json!("http://other");
    assert_eq!(lived.misfits(&other), ["step first inside of loop had begun, and its config.url differs here"]);
    lived.migrate(&group("http://right")).expect("fits");
    lived.feed(Input::Command { command: Command::Resume, by: None }).expect("is paused");
    assert_eq!(lived.flying(), ["box[0].loop[0].call"]);
    assert_eq!(lived.state.find_step("box[0].loop[0].call").expect("there").input["url"], "http://right");
    lived.succeed("box[0].loop[0].call");
    assert_eq!(lived.state.status(), RunStatus::Succeeded);
    lived.check_history();
}
