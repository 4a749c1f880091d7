//! A map whose items come in pages.

use serde_json::{Value, json};

use super::*;
use crate::model::RunId;
use crate::model::workflow::{Definition, RunStatus};

fn moment() -> Moment {
    Moment { now: Timestamp(1_000_000), fraction: 0.5 }
}

/// Begins a run of a map over a file, each item of which is called.
fn begin(config: Value) -> State {
    let mut config = config;
    config["file"] = json!("items.jsonl");
    let body = json!({"steps": [{"id": "call", "kind": "http", "config": {"url": "http://x/{{ item }}"}}]});
    let definition = json!({"weft": 1, "name": "pages", "output": "{{ steps.box.output }}",
        "steps": [{"id": "box", "kind": "map", "config": config, "body": body}]});
    let definition: Definition = serde_json::from_value(definition).expect("fits");
    let mut state = State::new(RunId(uuid::Uuid::nil()), &definition);
    advance(&mut state, Input::Start { inputs: json!({}), until: None }, &moment(), 1_000).expect("begins");
    state
}

fn done(state: &mut State, path: &str, result: Result<Outcome, StepError>) -> Vec<Event> {
    let attempt = state.find_step(path).unwrap_or_else(|| panic!("{path} is in motion")).attempt;
    let input = Input::Done { step: path.to_owned(), attempt, result };
    advance(state, input, &moment(), 1_000).expect("is waited for").0
}

fn page(state: &mut State, items: Value, next: Value) -> Vec<Event> {
    done(state, "box", Ok(Outcome::out(json!({"items": items, "next": next}))))
}

fn called(state: &mut State, index: u32) -> Vec<Event> {
    done(state, &format!("box[{index}].call"), Ok(Outcome::out(json!(index))))
}

fn flying(state: &State) -> Vec<String> {
    state.in_flight().map(|slot| state.path(slot)).collect()
}

#[test]
fn the_next_page_is_asked_for_when_few_items_are_left_and_the_order_is_kept() {
    let mut state = begin(json!({"concurrency": 2}));
    assert_eq!(flying(&state), ["box"]);
    page(&mut state, json!(["a", "b", "c", "d"]), json!(7));
    assert_eq!(flying(&state), ["box[0].call", "box[1].call"], "two items wait: enough");
    assert_eq!(state.find_step("box[1].call").expect("runs").input["url"], "http://x/b");
    let asked = called(&mut state, 1);
    let asked = asked.iter().find_map(|event| match &event.fact {
        Fact::PageAsked { page, cursor } => Some((*page, cursor.clone())),
        _ => None,
    });
    assert_eq!(asked, Some((1, json!(7))), "one is left");
    called(&mut state, 2);
    called(&mut state, 0);
    called(&mut state, 3);
    assert_eq!(flying(&state), ["box"], "it is not over before the source says so");
    page(&mut state, json!(["e"]), Value::Null);
    assert_eq!(state.find_step("box[4].call").expect("runs").input["url"], "http://x/e");
    called(&mut state, 4);
    assert_eq!((state.status(), state.output()), (RunStatus::Succeeded, &json!([0, 1, 2, 3, 4])));
}

#[test]
fn what_is_only_counted_is_not_kept() {
    let mut state = begin(json!({"results": "count", "on_item_error": "collect"}));
    page(&mut state, json!(["a", "b"]), Value::Null);
    let events = called(&mut state, 0);
    assert!(events.iter().any(|event| event.fact == Fact::BodySucceeded { index: 0, output: Value::Null }));
    done(&mut state, "box[1].call", Err(StepError::permanent("x", "no")));
    assert_eq!((state.status(), state.output()), (RunStatus::Succeeded, &json!({"items": 2, "failed": 1})));
}

#[test]
fn a_source_without_items_is_a_map_that_is_done() {
    let mut state = begin(json!({}));
    page(&mut state, json!([]), Value::Null);
    assert_eq!((state.status(), state.output()), (RunStatus::Succeeded, &json!([])));
}

#[test]
fn a_page_that_fails_fails_the_map_and_a_retry_asks_for_it_again() {
    let mut state = begin(json!({"concurrency": 3}));
    page(&mut state, json!(["a"]), json!("x"));
    done(&mut state, "box", Err(StepError::permanent("http_status", "answered 500")));
    assert_eq!(state.status(), RunStatus::Failed);
    assert!(flying(&state).is_empty());
    let retry = Input::Command { command: Command::Retry, by: None };
    advance(&mut state, retry, &moment(), 100).expect("is allowed");
    assert_eq!(flying(&state), ["box", "box[0].call"]);
    page(&mut state, json!(["b"]), Value::Null);
    called(&mut state, 0);
    called(&mut state, 1);
    assert_eq!((state.status(), state.output()), (RunStatus::Succeeded, &json!([0, 1])));
}

#[test]
fn a_source_that_turns_in_circles_or_gives_no_page_fails_the_map() {
    let mut circle = begin(json!({}));
    page(&mut circle, json!([]), json!("x"));
    page(&mut circle, json!([]), json!("x"));
    assert_eq!(circle.error().expect("failed").message, "page 2 leads to itself");
    let mut none = begin(json!({}));
    done(&mut none, "box", Ok(Outcome::out(json!({"data": []}))));
    assert_eq!(none.error().expect("failed").message, "a page came without a list of items");
}

#[test]
fn tolerated_failures_are_weighed_once_all_items_are_known() {
    let mut state = begin(json!({"on_item_error": "tolerate", "tolerate_percent": 50, "concurrency": 3}));
    page(&mut state, json!(["a", "b"]), json!("x"));
    done(&mut state, "box[0].call", Err(StepError::permanent("x", "no")));
    done(&mut state, "box[1].call", Err(StepError::permanent("x", "no")));
    assert_eq!(state.status(), RunStatus::Running, "there may be many more");
    let mut few = state.clone();
    page(&mut few, json!(["c"]), Value::Null);
    assert_eq!(few.status(), RunStatus::Failed);
    page(&mut state, json!(["c", "d"]), Value::Null);
    called(&mut state, 2);
    called(&mut state, 3);
    assert_eq!(state.status(), RunStatus::Succeeded);
}

#[test]
fn a_page_on_its_way_is_brought_anew_by_the_next_process_and_items_keep_their_pages() {
    let mut state = begin(json!({"concurrency": 2}));
    page(&mut state, json!(["a", "b"]), json!(1));
    assert_eq!(flying(&state), ["box", "box[0].call", "box[1].call"]);
    let (events, _) = advance(&mut state, Input::TakeOver, &moment(), 100).expect("is never refused");
    let again = vec!["box".to_owned(), "box[0].call".to_owned(), "box[1].call".to_owned()];
    assert_eq!(events[0].fact, Fact::RunTakenOver { steps_in_flight: again });
    page(&mut state, json!(["c"]), Value::Null);
    called(&mut state, 1);
    // The first page is still needed, for the item whose body has not ended.
    let item = state.find_slot("box[2].call").expect("runs");
    assert_eq!(state.scope_of(item).shown().item, Some(&json!("c")));
    let item = state.find_slot("box[0].call").expect("runs");
    assert_eq!(state.scope_of(item).shown().item, Some(&json!("a")));
}
