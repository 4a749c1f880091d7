//! A run that is held because the run that waits for it is.

use serde_json::json;

use super::*;
use crate::model::RunId;
use crate::model::workflow::{Definition, RunStatus};

fn moment() -> Moment {
    Moment { now: Timestamp(1_000_000), fraction: 0.5 }
}

fn begin() -> State {
    let charge = json!({"id": "charge", "kind": "http", "config": {"url": "http://x"},
        "compensate": {"kind": "http", "config": {"url": "http://x/refund"}}});
    let definition = json!({"weft": 1, "name": "held", "edges": [{"from": "charge", "to": "nap"}],
        "steps": [charge, {"id": "nap", "kind": "wait", "config": {"ms": 60_000}}]});
    let definition: Definition = serde_json::from_value(definition).expect("fits");
    let mut state = State::new(RunId(uuid::Uuid::nil()), &definition);
    advance(&mut state, Input::Start { inputs: json!({}), until: None }, &moment(), 100).expect("begins");
    state
}

fn hear(state: &mut State, signal: Signal) -> Result<(), Refusal> {
    advance(state, Input::Signal { step: None, attempt: 0, signal }, &moment(), 100).map(drop)
}

fn tell(state: &mut State, command: Command) {
    advance(state, Input::Command { command, by: Some("Ada".to_owned()) }, &moment(), 100).expect("is allowed");
}

#[test]
fn it_is_held_and_goes_on_with_the_run_that_waits_for_it() {
    let mut state = begin();
    assert_eq!(hear(&mut state, Signal::ParentResumed {}), Err(Refusal::Stale));
    hear(&mut state, Signal::ParentPaused {}).expect("is taken in");
    assert_eq!((state.status(), state.is_held_with_parent()), (RunStatus::Paused, true));
    assert_eq!(hear(&mut state, Signal::ParentPaused {}), Err(Refusal::Stale));
    hear(&mut state, Signal::ParentResumed {}).expect("is taken in");
    assert_eq!((state.status(), state.is_held_with_parent()), (RunStatus::Running, false));
}

#[test]
fn what_a_person_holds_stays_held_and_what_a_person_lets_go_goes_on() {
    let mut state = begin();
    tell(&mut state, Command::Pause);
    assert_eq!(hear(&mut state, Signal::ParentPaused {}), Err(Refusal::Stale));
    assert_eq!(hear(&mut state, Signal::ParentResumed {}), Err(Refusal::Stale));
    assert_eq!(state.status(), RunStatus::Paused);
    tell(&mut state, Command::Resume);
    hear(&mut state, Signal::ParentPaused {}).expect("is taken in");
    tell(&mut state, Command::Resume);
    assert_eq!(state.status(), RunStatus::Running);
    assert_eq!(hear(&mut state, Signal::ParentResumed {}), Err(Refusal::Stale));
}

#[test]
fn what_undoes_while_it_is_held_goes_on_when_nobody_waits_for_it_any_more() {
    let mut state = begin();
    let result = Ok(Outcome::out(json!(1)));
    advance(&mut state, Input::Done { step: "charge".to_owned(), attempt: 1, result }, &moment(), 100).expect("runs");
    tell(&mut state, Command::Cancel);
    hear(&mut state, Signal::ParentPaused {}).expect("is taken in");
    assert!(state.undoing().is_some() && state.is_paused());
    hear(&mut state, Signal::ParentGone {}).expect("is taken in");
    assert!(state.undoing().is_some() && !state.is_paused());
    assert_eq!(hear(&mut state, Signal::ParentGone {}), Err(Refusal::Stale));
}
