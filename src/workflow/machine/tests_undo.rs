//! Compensations: each rule with the smallest run that shows it.

use serde_json::{Value, json};

use super::*;
use crate::model::RunId;
use crate::model::workflow::{CompensationStatus, Definition, RunStatus};

fn moment(ms: i64) -> Moment {
    Moment { now: Timestamp(1_000_000).plus_ms(ms), fraction: 0.5 }
}

/// A step that calls, and what undoes it by what it gave.
fn call(id: &str, retry: Value) -> Value {
    let url = format!("http://undo/{{{{ steps.{id}.output.id }}}}?was={{{{ steps.{id}.input.url }}}}");
    json!({"id": id, "kind": "http", "config": {"url": format!("http://do/{id}")},
        "compensate": {"kind": "http", "config": {"url": url}, "retry": retry}})
}

/// Begins a run of these steps, one after the other.
fn begin(steps: Vec<Value>, policy: Value) -> State {
    let edges: Vec<Value> = steps.windows(2).map(|pair| json!({"from": pair[0]["id"], "to": pair[1]["id"]})).collect();
    let definition = json!({"weft": 1, "name": "saga", "steps": steps, "edges": edges, "compensation": policy});
    let definition: Definition = serde_json::from_value(definition).expect("fits");
    let mut state = State::new(RunId(uuid::Uuid::nil()), &definition);
    advance(&mut state, Input::Start { inputs: json!({}), until: None }, &moment(0), 100_000).expect("begins");
    state
}

fn done(state: &mut State, path: &str, result: Result<Outcome, StepError>) -> Vec<Event> {
    let attempt = state.find_step(path).unwrap_or_else(|| panic!("{path} is in motion")).attempt;
    let input = Input::Done { step: path.to_owned(), attempt, result };
    advance(state, input, &moment(1), 100_000).expect("is waited for").0
}

fn succeed(state: &mut State, path: &str, id: u32) {
    done(state, path, Ok(Outcome::out(json!({"id": id}))));
}

fn fail(state: &mut State, path: &str) {
    done(state, path, Err(StepError::permanent("x", "no")));
}

fn tell(state: &mut State, command: Command) -> Result<(), Refusal> {
    advance(state, Input::Command { command, by: None }, &moment(2), 100_000).map(drop)
}

fn flying(state: &State) -> Vec<String> {
    state.in_flight().map(|slot| state.path(slot)).collect()
}

/// Three steps of which two have succeeded.
fn two_of_three(policy: Value) -> State {
    let mut state = begin(["a", "b", "c"].map(|id| call(id, Value::Null)).into(), policy);
    succeed(&mut state, "a", 1);
    succeed(&mut state, "b", 2);
    assert_eq!(flying(&state), ["c"]);
    state
}

#[test]
fn a_failed_run_undoes_what_succeeded_the_newest_first() {
    let mut state = two_of_three(Value::Null);
    fail(&mut state, "c");
    assert_eq!((state.status(), flying(&state)), (RunStatus::Running, vec!["undo:b".to_owned()]));
    assert_eq!(state.headline().as_deref(), Some("Undo b"));
    assert_eq!(state.find_step("undo:b").expect("runs").input["url"], "http://undo/2?was=http://do/b");
    let slot = state.find_slot("undo:b").expect("runs");
    assert!(key(&state, slot, 1).ends_with("/undo:b/1"), "it has a key of its own: {}", key(&state, slot, 1));
    done(&mut state, "undo:b", Ok(Outcome::out(json!(null))));
    assert_eq!(flying(&state), ["undo:a"]);
    done(&mut state, "undo:a", Ok(Outcome::out(json!(null))));
    assert_eq!((state.status(), state.undo_status()), (RunStatus::Failed, Some(CompensationStatus::Compensated)));
    assert_eq!(state.headline().as_deref(), Some("(undone) c: no"));
    assert_eq!(tell(&mut state, Command::Retry), Err(Refusal::Undone));
}

#[test]
fn a_cancelled_run_undoes_too_and_stops_what_was_in_flight() {
    let mut state = two_of_three(Value::Null);
    tell(&mut state, Command::Cancel).expect("is allowed");
    assert_eq!(flying(&state), ["undo:b"]);
    assert_eq!(state.find_step("c").expect("is there").status, StepStatus::Cancelled);
    assert_eq!(tell(&mut state, Command::Cancel), Err(Refusal::Undoing), "a second one is no stop by mistake");
    succeed(&mut state, "undo:b", 0);
    succeed(&mut state, "undo:a", 0);
    assert_eq!((state.status(), state.undo_status()), (RunStatus::Cancelled, Some(CompensationStatus::Compensated)));
}

#[test]
fn a_workflow_says_at_which_ends_it_undoes() {
    for (when, failed, cancelled) in
        [("always", true, true), ("failed", true, false), ("cancelled", false, true), ("never", false, false)]
    {
        let mut state = two_of_three(json!({"when": when}));
        let mut other = state.clone();
        fail(&mut state, "c");
        assert_eq!(state.undoing().is_some(), failed, "{when}");
        tell(&mut other, Command::Cancel).expect("is allowed");
        assert_eq!(other.undoing().is_some(), cancelled, "{when}");
    }
}

#[test]
fn a_compensation_that_fails_keeps_the_others_from_nothing_unless_it_is_to() {
    let mut state = two_of_three(Value::Null);
    fail(&mut state, "c");
    fail(&mut state, "undo:b");
    assert_eq!(flying(&state), ["undo:a"]);
    succeed(&mut state, "undo:a", 0);
    assert_eq!((state.status(), state.undo_status()), (RunStatus::Failed, Some(CompensationStatus::Failed)));
    let mut state = two_of_three(json!({"on_error": "stop"}));
    fail(&mut state, "c");
    fail(&mut state, "undo:b");
    assert_eq!((state.status(), state.undo_status()), (RunStatus::Failed, Some(CompensationStatus::Failed)));
    assert_eq!(state.undo_steps()[1].status, StepStatus::Skipped);
}

#[test]
fn a_compensation_is_tried_again_by_its_own_policy() {
    let retry = json!({"max_attempts": 2, "initial_ms": 100, "jitter": false});
    let mut state = begin(vec![call("a", retry), call("b", Value::Null)], Value::Null);
    succeed(&mut state, "a", 1);
    fail(&mut state, "b");
    done(&mut state, "undo:a", Err(StepError::transient("x", "not now")));
    assert_eq!(state.status(), RunStatus::Waiting);
    assert_eq!(state.next_due(), Some(moment(101).now));
    advance(&mut state, Input::Wake, &moment(200), 100).expect("wakes");
    assert_eq!((flying(&state), state.undo_steps()[0].attempt), (vec!["undo:a".to_owned()], 2));
    succeed(&mut state, "undo:a", 0);
    assert_eq!(state.undo_status(), Some(CompensationStatus::Compensated));
}

#[test]
fn force_ends_a_run_at_once_also_while_it_undoes() {
    let mut state = two_of_three(Value::Null);
    let mut other = state.clone();
    tell(&mut other, Command::ForceCancel).expect("is allowed");
    assert_eq!((other.status(), other.undo_status()), (RunStatus::Cancelled, None));
    fail(&mut state, "c");
    succeed(&mut state, "undo:b", 0);
    tell(&mut state, Command::ForceCancel).expect("is allowed");
    assert_eq!((state.status(), state.undo_status()), (RunStatus::Failed, Some(CompensationStatus::Stopped)));
    assert!(flying(&state).is_empty());
}

#[test]
fn what_bodies_did_is_undone_with_what_they_saw() {
    let body = json!({"steps": [{"id": "book", "kind": "http", "config": {"url": "http://do/{{ item }}"},
        "compensate": {"kind": "http", "config": {"url": "http://undo/{{ item }}/{{ steps.book.output.id }}"}}}]});
    let each = json!({"id": "each", "kind": "map", "config": {"items": ["x", "y", "z"]}, "body": body});
    let mut state = begin(vec![each], Value::Null);
    succeed(&mut state, "each[2].book", 9);
    succeed(&mut state, "each[0].book", 7);
    fail(&mut state, "each[1].book");
    assert_eq!(flying(&state), ["undo:each[0].book"]);
    assert_eq!(state.find_step("undo:each[0].book").expect("runs").input["url"], "http://undo/x/7");
    succeed(&mut state, "undo:each[0].book", 0);
    assert_eq!(state.find_step("undo:each[2].book").expect("runs").input["url"], "http://undo/z/9");
    succeed(&mut state, "undo:each[2].book", 0);
    assert_eq!((state.status(), state.undo_status()), (RunStatus::Failed, Some(CompensationStatus::Compensated)));
}

#[test]
fn each_iteration_and_each_attempt_of_a_container_is_undone_by_itself() {
    let body = json!({"steps": [call("book", Value::Null)]});
    let turns = json!({"id": "turns", "kind": "repeat", "config": {"until": "false", "max_iterations": 9}, "body": body,
        "retry": {"max_attempts": 2, "initial_ms": 0, "jitter": false, "anew": true}});
    let mut state = begin(vec![turns], Value::Null);
    succeed(&mut state, "turns[0].book", 1);
    done(&mut state, "turns[1].book", Err(StepError::transient("x", "not now")));
    succeed(&mut state, "turns[0].book", 2);
    fail(&mut state, "turns[1].book");
    let undone: Vec<&str> = state.undo_steps().iter().map(|step| step.id.as_str()).collect();
    assert_eq!(undone, ["turns#2[0].book", "turns[0].book"]);
    assert_eq!(state.undo_steps()[0].input["url"], "http://undo/2?was=http://do/book");
}

#[test]
fn what_a_compensation_can_not_say_fails_it_and_not_its_step() {
    let mut step = call("a", Value::Null);
    step["compensate"]["config"]["url"] = json!("{{ steps.a.output.id.deeper.still }}");
    let mut state = begin(vec![step, call("b", Value::Null)], Value::Null);
    succeed(&mut state, "a", 1);
    assert_eq!(flying(&state), ["b"]);
    fail(&mut state, "b");
    assert_eq!((state.status(), state.undo_status()), (RunStatus::Failed, Some(CompensationStatus::Failed)));
    assert_eq!(state.undo_steps()[0].error.as_ref().expect("failed").class, "expression");
}

#[test]
fn templates_in_what_a_step_gave_stay_text() {
    let mut state = begin(vec![call("a", Value::Null), call("b", Value::Null)], Value::Null);
    done(&mut state, "a", Ok(Outcome::out(json!({"id": "{{ run.id }}"}))));
    fail(&mut state, "b");
    assert_eq!(state.find_step("undo:a").expect("runs").input["url"], "http://undo/{{ run.id }}?was=http://do/a");
}

#[test]
fn a_pinned_step_has_done_nothing_to_undo() {
    let mut pinned = call("a", Value::Null);
    pinned["pinned"] = json!({"id": 1});
    let mut state = begin(vec![pinned, call("b", Value::Null)], Value::Null);
    fail(&mut state, "b");
    assert_eq!((state.status(), state.undo_status()), (RunStatus::Failed, None));
}

#[test]
fn a_pause_holds_undoing_and_a_take_over_goes_on_with_it() {
    let mut state = two_of_three(Value::Null);
    fail(&mut state, "c");
    tell(&mut state, Command::Pause).expect("is allowed");
    succeed(&mut state, "undo:b", 0);
    assert_eq!((state.status(), flying(&state).len()), (RunStatus::Paused, 0));
    tell(&mut state, Command::Resume).expect("is allowed");
    let (events, _) = advance(&mut state, Input::TakeOver, &moment(3), 100).expect("is never refused");
    assert!(matches!(&events[0].fact, Fact::RunTakenOver { steps_in_flight } if *steps_in_flight == ["undo:a"]));
    succeed(&mut state, "undo:a", 0);
    assert_eq!(state.status(), RunStatus::Failed);
}

#[test]
fn a_paused_run_that_is_cancelled_undoes_at_once() {
    let told = |state: &mut State, by_person: bool| {
        let signal = Input::Signal { step: None, attempt: 0, signal: Signal::ParentGone {} };
        let cancel = Input::Command { command: Command::Cancel, by: None };
        advance(state, if by_person { cancel } else { signal }, &moment(2), 100_000).expect("is allowed").0
    };
    for by_person in [true, false] {
        let mut state = two_of_three(Value::Null);
        tell(&mut state, Command::Pause).expect("is allowed");
        let mut folded = state.clone();
        let events = told(&mut state, by_person);
        assert_eq!((state.status(), flying(&state)), (RunStatus::Running, vec!["undo:b".to_owned()]));
        for event in &events {
            folded.apply(event);
        }
        assert!(folded == state, "the history says that it goes on");
        assert_eq!(tell(&mut state, Command::Cancel), Err(Refusal::Undoing));
        // Who pauses it once more holds the undoing, as that of any run.
        tell(&mut state, Command::Pause).expect("is allowed");
        succeed(&mut state, "undo:b", 0);
        assert_eq!((state.status(), flying(&state).len()), (RunStatus::Paused, 0));
        tell(&mut state, Command::Resume).expect("is allowed");
        succeed(&mut state, "undo:a", 0);
        assert_eq!(
            (state.status(), state.undo_status()),
            (RunStatus::Cancelled, Some(CompensationStatus::Compensated))
        );
    }
}

#[test]
fn what_fails_while_a_person_holds_the_run_is_undone_once_they_let_go() {
    let mut state = two_of_three(Value::Null);
    tell(&mut state, Command::Pause).expect("is allowed");
    fail(&mut state, "c");
    assert_eq!((state.status(), flying(&state).len()), (RunStatus::Paused, 0));
    tell(&mut state, Command::Resume).expect("is allowed");
    assert_eq!(flying(&state), ["undo:b"]);
}

/// A paused run that was cancelled used to stay paused: what was stored then means what it meant.
#[test]
fn an_older_history_in_which_the_cancelled_run_stayed_paused_folds_as_it_did() {
    let mut state = two_of_three(Value::Null);
    tell(&mut state, Command::Pause).expect("is allowed");
    let skipped = Fact::StepSkipped { reason: SkipReason::RunEnded, untaken: Vec::new() };
    let turned = Fact::CompensationStarted { ending: Ending::Cancelled {} };
    for (step, fact) in [(None, Fact::CancelRequested { by: None }), (Some("c".to_owned()), skipped), (None, turned)] {
        state.apply(&Event { seq: state.last_seq() + 1, at: moment(2).now, step, fact });
    }
    assert!(next(&state, &moment(3)).is_empty());
    assert_eq!((state.status(), flying(&state).len()), (RunStatus::Paused, 0));
    tell(&mut state, Command::Resume).expect("is allowed");
    assert_eq!(flying(&state), ["undo:b"]);
}

#[test]
fn the_history_of_an_undone_run_folds_to_its_state() {
    let steps: Vec<Value> = ["a", "b"].map(|id| call(id, Value::Null)).into();
    let mut state = begin(steps, Value::Null);
    let definition = state.definition().clone();
    let mut again = State::new(RunId(uuid::Uuid::nil()), &definition);
    let start = Fact::RunStarted { inputs: json!({}), until: None };
    let mut events = vec![Event { seq: 1, at: moment(0).now, step: None, fact: start }];
    again.apply(&events[0]);
    go_on(&mut again, &moment(0), 100, &mut events);
    let ok = || Ok(Outcome::out(json!({"id": 1})));
    let no = || Err(StepError::permanent("x", "no"));
    for (path, result) in [("a", ok()), ("b", no()), ("undo:a", no())] {
        events.extend(done(&mut state, path, result));
    }
    let mut folded = State::new(RunId(uuid::Uuid::nil()), &definition);
    for event in &events {
        let written = serde_json::to_string(event).expect("plain data");
        folded.apply(&serde_json::from_str(&written).expect("reads back"));
    }
    assert!(folded == state);
    assert_eq!(folded.status(), RunStatus::Failed);
}

#[test]
fn an_output_that_can_not_be_rendered_undoes_as_well() {
    let definition = json!({"weft": 1, "name": "saga", "steps": [call("a", Value::Null)], "edges": [],
        "output": "{{ steps.a.output.id.deeper.still }}"});
    let definition: Definition = serde_json::from_value(definition).expect("fits");
    let mut state = State::new(RunId(uuid::Uuid::nil()), &definition);
    advance(&mut state, Input::Start { inputs: json!({}), until: None }, &moment(0), 100_000).expect("begins");
    succeed(&mut state, "a", 1);
    assert_eq!(flying(&state), ["undo:a"]);
}
