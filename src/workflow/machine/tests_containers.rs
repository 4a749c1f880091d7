//! Containers: each rule with the smallest run that shows it.

use serde_json::{Value, json};

use super::*;
use crate::model::RunId;
use crate::model::workflow::{Definition, RunStatus, StepStatus};

fn moment(ms: i64) -> Moment {
    Moment { now: Timestamp(1_000_000).plus_ms(ms), fraction: 0.5 }
}

/// Begins a run of these steps with these inputs.
fn begin(steps: Value, inputs: Value) -> State {
    let definition = json!({"weft": 1, "name": "boxes", "steps": steps, "edges": [],
        "output": "{{ steps.box.output }}"});
    let definition: Definition = serde_json::from_value(definition).expect("fits");
    let mut state = State::new(RunId(uuid::Uuid::nil()), &definition);
    advance(&mut state, Input::Start { inputs, until: None }, &moment(0), 100_000).expect("begins");
    state
}

fn done(state: &mut State, path: &str, result: Result<Outcome, StepError>) {
    let attempt = state.find_step(path).unwrap_or_else(|| panic!("{path} is in motion")).attempt;
    let input = Input::Done { step: path.to_owned(), attempt, result };
    advance(state, input, &moment(1), 100_000).expect("is waited for");
}

fn flying(state: &State) -> Vec<String> {
    state.in_flight().map(|slot| state.path(slot)).collect()
}

fn call() -> Value {
    json!({"id": "call", "kind": "http", "config": {"url": "http://x/{{ item }}"}})
}

fn map(config: Value, body: Value) -> Value {
    let mut config = config;
    config["items"] = json!("{{ inputs.items }}");
    json!([{"id": "box", "kind": "map", "config": config, "body": body}])
}

#[test]
fn a_map_gives_what_its_body_gives_in_the_order_of_the_items() {
    let body = json!({"steps": [{"id": "twice", "kind": "transform", "config": {"value": "{{ item * 2 + index }}"}}]});
    let state = begin(map(json!({}), body), json!({"items": [10, 20, 30]}));
    assert_eq!((state.status(), state.output()), (RunStatus::Succeeded, &json!([20, 41, 62])));
    assert_eq!(state.steps()[0].bodies.expect("a container").ended, 3);
}

#[test]
fn a_map_has_no_more_bodies_in_motion_than_it_may_and_keeps_the_order() {
    let mut state =
        begin(map(json!({"concurrency": 2}), json!({"steps": [call()]})), json!({"items": ["a", "b", "c"]}));
    assert_eq!(flying(&state), ["box[0].call", "box[1].call"]);
    assert_eq!(state.find_step("box[1].call").expect("runs").input["url"], "http://x/b");
    done(&mut state, "box[1].call", Ok(Outcome::out(json!("B"))));
    assert_eq!(flying(&state), ["box[0].call", "box[2].call"]);
    done(&mut state, "box[2].call", Ok(Outcome::out(json!("C"))));
    done(&mut state, "box[0].call", Ok(Outcome::out(json!("A"))));
    assert_eq!((state.status(), state.output()), (RunStatus::Succeeded, &json!(["A", "B", "C"])));
}

#[test]
fn an_empty_list_is_a_map_that_is_done() {
    let state = begin(map(json!({}), json!({"steps": [call()]})), json!({"items": []}));
    assert_eq!((state.status(), state.output()), (RunStatus::Succeeded, &json!([])));
}

#[test]
fn what_is_no_list_fails_the_map_by_the_name_of_the_field() {
    let state = begin(map(json!({}), json!({"steps": [call()]})), json!({"items": 5}));
    assert_eq!(state.status(), RunStatus::Failed);
    assert!(state.error().expect("failed").message.contains("items: expected a list, found 5"), "{:?}", state.error());
}

#[test]
fn the_first_failed_item_fails_the_map_and_stops_the_others() {
    let mut state = begin(map(json!({}), json!({"steps": [call()]})), json!({"items": ["a", "b"]}));
    done(&mut state, "box[1].call", Err(StepError::permanent("http_status", "answered 500")));
    assert_eq!(state.status(), RunStatus::Failed);
    assert_eq!(state.error().expect("failed").message, "item 2, call: answered 500");
    assert!(flying(&state).is_empty());
    // A person's retry goes on where it was: the item in motion and the failed one, and not what has ended.
    let retry = Input::Command { command: Command::Retry, by: None };
    advance(&mut state, retry, &moment(5), 100).expect("is allowed");
    assert_eq!(flying(&state), ["box[0].call", "box[1].call"]);
    assert_eq!(state.find_step("box[1].call").expect("runs").attempt, 2);
    done(&mut state, "box[1].call", Ok(Outcome::out(json!("B"))));
    done(&mut state, "box[0].call", Ok(Outcome::out(json!("A"))));
    assert_eq!((state.status(), state.output()), (RunStatus::Succeeded, &json!(["A", "B"])));
}

#[test]
fn collected_errors_stand_in_the_list_and_too_many_of_them_fail_the_map() {
    let config = json!({"on_item_error": "tolerate", "tolerate_percent": 50, "concurrency": 1});
    let mut state = begin(map(config, json!({"steps": [call()]})), json!({"items": [1, 2, 3, 4]}));
    let error = || Err(StepError::permanent("x", "no"));
    done(&mut state, "box[0].call", error());
    done(&mut state, "box[1].call", Ok(Outcome::out(json!(2))));
    done(&mut state, "box[2].call", error());
    assert_eq!(state.status(), RunStatus::Running);
    let mut strict = state.clone();
    done(&mut state, "box[3].call", Ok(Outcome::out(json!(4))));
    let error_at = |n: u32| json!({"error": {"class": "x", "message": format!("item {n}, call: no")}});
    assert_eq!(state.output(), &json!([error_at(1), 2, error_at(3), 4]));
    done(&mut strict, "box[3].call", error());
    assert_eq!(strict.status(), RunStatus::Failed);
}

#[test]
fn a_map_that_has_enough_stops_the_items_in_motion_and_begins_no_more() {
    let config = json!({"enough": "{{ 1 + 1 }}", "concurrency": 3, "on_item_error": "collect"});
    let mut state = begin(map(config, json!({"steps": [call()]})), json!({"items": ["a", "b", "c", "d", "e"]}));
    done(&mut state, "box[1].call", Ok(Outcome::out(json!("B"))));
    // A failure is no success, and another item begins in its place.
    done(&mut state, "box[0].call", Err(StepError::permanent("x", "no")));
    let mut flies = flying(&state);
    flies.sort_unstable();
    assert_eq!(flies, ["box[2].call", "box[3].call", "box[4].call"]);
    let attempt = state.find_step("box[4].call").expect("runs").attempt;
    let input = Input::Done { step: "box[4].call".to_owned(), attempt, result: Ok(Outcome::out(json!("E"))) };
    let (events, _) = advance(&mut state, input, &moment(1), 100).expect("is waited for");
    let stopped: Vec<Effect> = events.iter().filter_map(effect).collect();
    let stop = |step: &str| Effect::Stop { step: step.to_owned() };
    assert_eq!(stopped, [stop("box[2].call"), stop("box[3].call"), Effect::End]);
    let failed = json!({"error": {"class": "x", "message": "item 1, call: no"}});
    assert_eq!((state.status(), state.output()), (RunStatus::Succeeded, &json!([failed, "B", null, null, "E"])));
    assert!(flying(&state).is_empty());
}

#[test]
fn a_repeat_sees_what_the_iteration_before_gave() {
    let steps = json!([{"id": "box", "kind": "repeat", "config": {"until": "last >= 8", "max_iterations": 10},
        "body": {"steps": [{"id": "grow", "kind": "transform",
            "config": {"value": "{{ 1 if last is none else last * 2 }}"}}]}}]);
    let state = begin(steps, json!({}));
    assert_eq!((state.status(), state.output()), (RunStatus::Succeeded, &json!(8)));
}

#[test]
fn a_repeat_that_finds_no_end_leaves_by_its_own_port() {
    let body = json!({"steps": [{"id": "count", "kind": "transform", "config": {"value": "{{ iteration }}"}}]});
    let repeat = |config: Value| json!([{"id": "box", "kind": "repeat", "config": config, "body": body}]);
    let state = begin(repeat(json!({"until": "false", "max_iterations": 4})), json!({}));
    assert_eq!((state.steps()[0].port.as_deref(), state.output()), (Some("exhausted"), &json!(4)));
    let state = begin(repeat(json!({"while": "iteration <= 3", "max_iterations": 9})), json!({}));
    assert_eq!((state.steps()[0].port.as_deref(), state.output()), (Some("out"), &json!(3)));
    let state = begin(repeat(json!({"while": "false"})), json!({}));
    assert_eq!((state.status(), state.output()), (RunStatus::Succeeded, &Value::Null));
}

#[test]
fn a_group_has_one_time_limit_and_one_error_port() {
    let steps = json!([{"id": "box", "kind": "group", "timeout_ms": 100, "on_error": "port",
        "body": {"steps": [{"id": "slow", "kind": "http", "config": {"url": "http://x"}}]}}]);
    let mut state = begin(steps, json!({}));
    assert_eq!(flying(&state), ["box[0].slow"]);
    assert_eq!(state.next_due(), Some(moment(100).now));
    let (events, _) = advance(&mut state, Input::Wake, &moment(100), 100).expect("is due");
    assert_eq!(effect(&events[0]), Some(Effect::Stop { step: "box".into() }));
    assert!(flying(&state).is_empty());
    let group = &state.steps()[0];
    assert_eq!((group.status, group.port.as_deref()), (StepStatus::Failed, Some("error")));
    assert_eq!(group.error.as_ref().expect("failed").class, "timeout");
    assert_eq!(state.status(), RunStatus::Succeeded);
}

#[test]
fn inner_steps_see_outer_ones_and_the_nearest_item() {
    let steps = json!([{"id": "box", "kind": "map", "config": {"items": [[1, 2], [3]]}, "body": {"steps": [
        {"id": "row", "kind": "map", "config": {"items": "{{ item }}"}, "body": {"steps": [
            {"id": "cell", "kind": "transform", "config": {"value": "{{ item }}/{{ index }}/{{ inputs.unit }}"}}]}}]}}]);
    let state = begin(steps, json!({"unit": "m"}));
    assert_eq!(state.output(), &json!([["1/0/m", "2/1/m"], ["3/0/m"]]), "{:?}", state.error());
}

#[test]
fn a_body_with_several_ends_gives_them_by_name() {
    let steps = json!([{"id": "box", "kind": "group", "body": {
        "steps": [{"id": "a", "kind": "transform", "config": {"value": 1}},
            {"id": "b", "kind": "transform", "config": {"value": 2}}], "edges": []}}]);
    assert_eq!(begin(steps, json!({})).output(), &json!({"a": 1, "b": 2}));
}

#[test]
fn a_retried_container_begins_anew_and_its_attempts_have_other_keys() {
    let steps = json!([{"id": "box", "kind": "group",
        "retry": {"max_attempts": 2, "initial_ms": 0, "factor": 1.0, "max_ms": 0, "jitter": false, "anew": true},
        "body": {"steps": [{"id": "call", "kind": "http", "config": {"url": "http://x"}}]}}]);
    let mut state = begin(steps, json!({}));
    let slot = state.find_slot("box[0].call").expect("runs");
    let first = key(&state, slot, 1);
    done(&mut state, "box[0].call", Err(StepError::transient("x", "y")));
    assert_eq!(flying(&state), ["box[0].call"]);
    let slot = state.find_slot("box[0].call").expect("runs again");
    assert_eq!((state.step_at(slot).attempt, state.steps()[0].attempt), (1, 2));
    assert_ne!(key(&state, slot, 1), first);
}

#[test]
fn a_million_small_items_keep_only_those_in_motion() {
    let body = json!({"steps": [{"id": "id", "kind": "transform", "config": {"value": "{{ item }}"}}]});
    let items: Vec<u32> = (0..20_000).collect();
    let state = begin(map(json!({"concurrency": 8}), body), json!({"items": items}));
    assert_eq!(state.status(), RunStatus::Succeeded);
    assert_eq!(state.output()[19_999], json!(19_999));
}

#[test]
fn n_of_m_branches_start_a_join_and_the_losers_are_stopped() {
    let http = |id: &str| json!({"id": id, "kind": "http", "config": {"url": "http://x"}, "on_error": "port"});
    let definition = json!({"weft": 1, "name": "two of three",
        "steps": [http("a"), http("b"), http("c"),
            {"id": "box", "kind": "transform", "config": {"value": 1}, "join": 2, "cancel_others": true}],
        "edges": [{"from": "a", "to": "box"}, {"from": "b", "to": "box"}, {"from": "c", "to": "box"}]});
    let definition: Definition = serde_json::from_value(definition).expect("fits");
    let begun = || {
        let mut state = State::new(RunId(uuid::Uuid::nil()), &definition);
        advance(&mut state, Input::Start { inputs: json!({}), until: None }, &moment(0), 100).expect("begins");
        state
    };
    let mut state = begun();
    done(&mut state, "b", Ok(Outcome::out(json!(1))));
    assert_eq!(state.find_step("box").expect("there").status, StepStatus::Queued);
    done(&mut state, "c", Ok(Outcome::out(json!(1))));
    assert_eq!(state.status(), RunStatus::Succeeded);
    assert_eq!(state.find_step("a").expect("there").skipped, Some(SkipReason::LostRace));
    // Once two can't come any more, the join is passed over.
    let mut state = begun();
    done(&mut state, "a", Err(StepError::permanent("x", "y")));
    done(&mut state, "b", Err(StepError::permanent("x", "y")));
    assert_eq!(state.find_step("box").expect("there").skipped, Some(SkipReason::NotReached));
}

#[test]
fn a_failure_that_pauses_waits_for_a_person_who_lets_it_try_again() {
    let steps = json!([{"id": "box", "kind": "http", "config": {"url": "http://x"}, "on_error": "pause"}]);
    let mut state = begin(steps, json!({}));
    done(&mut state, "box", Err(StepError::permanent("http_status", "answered 500")));
    assert_eq!(state.status(), RunStatus::Paused);
    assert_eq!(state.headline().as_deref(), Some("box: answered 500"));
    let resume = Input::Command { command: Command::Resume, by: Some("Ada".into()) };
    advance(&mut state, resume, &moment(9), 100).expect("is allowed");
    done(&mut state, "box", Ok(Outcome::out(json!("mended"))));
    assert_eq!((state.status(), state.output()), (RunStatus::Succeeded, &json!("mended")));
}

#[test]
fn only_the_named_classes_are_tried_again() {
    let step = |retry: Value| json!([{"id": "box", "kind": "http", "config": {"url": "http://x"}, "retry": retry}]);
    let retried = |retry: Value, error: StepError| {
        let mut state = begin(step(retry), json!({}));
        done(&mut state, "box", Err(error));
        state.status() != RunStatus::Failed
    };
    let transient = || StepError::transient("http_status", "503");
    assert!(retried(json!({"max_attempts": 2}), transient()));
    assert!(!retried(json!({"max_attempts": 2, "only": ["timeout"]}), transient()));
    assert!(!retried(json!({"max_attempts": 2, "never": ["http_status"]}), transient()));
    assert!(retried(json!({"max_attempts": 2, "only": ["exit_code"]}), StepError::permanent("exit_code", "1")));
}

/// A container of this kind that is tried again at once.
fn patient(kind: &str, config: Value, retry: Value, body: Value) -> Value {
    let mut patience = json!({"max_attempts": 3, "initial_ms": 0});
    patience.as_object_mut().expect("an object").extend(retry.as_object().expect("an object").clone());
    json!([{"id": "box", "kind": kind, "config": config, "retry": patience, "body": body}])
}

fn passing() -> Result<Outcome, StepError> {
    Err(StepError::transient("unavailable", "try again"))
}

fn wake(state: &mut State) {
    advance(state, Input::Wake, &moment(60_000), 100_000).expect("is never refused");
}

#[test]
fn a_map_that_is_tried_again_keeps_the_items_that_have_ended() {
    let config = json!({"items": "{{ inputs.items }}", "concurrency": 2});
    let steps = patient("map", config, json!({}), json!({"steps": [call()]}));
    let mut state = begin(steps, json!({"items": ["a", "b", "c"]}));
    done(&mut state, "box[0].call", Ok(Outcome::out(json!("A"))));
    done(&mut state, "box[1].call", passing());
    wake(&mut state);
    assert_eq!(state.find_step("box").expect("there").attempt, 2);
    let mut at_work = flying(&state);
    at_work.sort_unstable();
    assert_eq!(at_work, ["box[1].call", "box[2].call"]);
    let slot = state.find_slot("box[1].call").expect("there");
    assert_eq!((state.step_at(slot).attempt, state.step_at(slot).input["url"].clone()), (2, json!("http://x/b")));
    assert!(key(&state, slot, 2).ends_with("/box[1].call/2"), "no other attempt has this key");
    assert!(effect_key(&state, slot).ends_with("/box[1].call"));
    done(&mut state, "box[1].call", Ok(Outcome::out(json!("B"))));
    done(&mut state, "box[2].call", Ok(Outcome::out(json!("C"))));
    assert_eq!((state.status(), state.output()), (RunStatus::Succeeded, &json!(["A", "B", "C"])));
}

#[test]
fn a_group_and_a_repeat_that_are_tried_again_go_on_with_what_failed() {
    let two = json!({"steps": [{"id": "first", "kind": "http", "config": {"url": "http://x"}},
        {"id": "second", "kind": "http", "config": {"url": "http://x"}}], "edges": [{"from": "first", "to": "second"}]});
    let mut state = begin(patient("group", json!({}), json!({}), two.clone()), json!({}));
    done(&mut state, "box[0].first", Ok(Outcome::out(json!(1))));
    done(&mut state, "box[0].second", passing());
    wake(&mut state);
    assert_eq!(flying(&state), ["box[0].second"]);
    let mut state = begin(patient("repeat", json!({"until": "iteration == 2"}), json!({}), two), json!({}));
    for path in ["box[0].first", "box[0].second", "box[1].first"] {
        done(&mut state, path, Ok(Outcome::out(json!(1))));
    }
    done(&mut state, "box[1].second", passing());
    wake(&mut state);
    assert_eq!(flying(&state), ["box[1].second"]);
}

#[test]
fn a_container_gives_up_after_its_attempts_and_each_lets_the_steps_inside_try_as_often_as_they_may() {
    let mut inside = call();
    inside["retry"] = json!({"max_attempts": 2, "initial_ms": 0});
    let steps = patient("map", json!({"items": ["a"]}), json!({"max_attempts": 2}), json!({"steps": [inside]}));
    let mut state = begin(steps, json!({}));
    for attempt in 1..=4 {
        assert_eq!(state.find_step("box[0].call").expect("runs").attempt, attempt);
        done(&mut state, "box[0].call", passing());
        wake(&mut state);
    }
    assert_eq!(state.status(), RunStatus::Failed);
}

#[test]
fn a_container_begins_from_the_start_where_it_is_to_or_where_too_many_items_failed() {
    let config = json!({"items": ["a", "b"], "concurrency": 1});
    let mut state = begin(patient("map", config, json!({"anew": true}), json!({"steps": [call()]})), json!({}));
    done(&mut state, "box[0].call", Ok(Outcome::out(json!("A"))));
    done(&mut state, "box[1].call", passing());
    wake(&mut state);
    assert_eq!(flying(&state), ["box[0].call"]);
    let slot = state.find_slot("box[0].call").expect("there");
    assert!(key(&state, slot, 1).ends_with("/box#2[0].call/1"), "no other attempt has this key");
    assert!(effect_key(&state, slot).ends_with("/box[0].call"), "outside it is the same");
    let config = json!({"items": ["a", "b"], "concurrency": 1, "on_item_error": "tolerate", "tolerate_percent": 10});
    let only = json!({"only": ["unavailable"]});
    let mut state = begin(patient("map", config, only, json!({"steps": [call()]})), json!({}));
    done(&mut state, "box[0].call", passing());
    wake(&mut state);
    assert_eq!(state.find_step("box").expect("there").attempt, 2);
    assert_eq!(flying(&state), ["box[0].call"]);
}
