//! Steps that do their work piece by piece: what is stored of it, and what goes on from there.

use serde_json::{Value, json};

use super::tests_table::{CHILD, command, done, fine, moment, new, passing, start, told, vote};
use super::*;
use crate::model::workflow::{Question, RunStatus, StepStatus, Vote};

fn agent() -> State {
    let config = json!({"agent": "helper", "prompt": "Go."});
    let mut state = new(&json!([{"id": "a", "kind": "agent", "config": config}]), &json!([]));
    told(&mut state, 0, start());
    state
}

#[expect(clippy::unnecessary_wraps, reason = "as a result comes")]
fn piece(n: i64) -> Result<Outcome, StepError> {
    Ok(Outcome::Advanced { entry: json!({"n": n}) })
}

#[expect(clippy::unnecessary_wraps, reason = "as a result comes")]
fn waits(on: Await) -> Result<Outcome, StepError> {
    Ok(Outcome::Waiting { reason: "waits".into(), until: None, on: Some(on) })
}

fn asks() -> Result<Outcome, StepError> {
    let decisions = vec!["approved".to_owned(), "rejected".to_owned()];
    let question = Question {
        title: "May it?".into(),
        text: String::new(),
        form: Value::Null,
        approvers: Vec::new(),
        required: 1,
        four_eyes: false,
        decisions,
    };
    waits(Await::Approval { id: uuid::Uuid::from_u128(9).into(), question })
}

fn signal(signal: Signal) -> Input {
    Input::Signal { step: Some("a".to_owned()), attempt: 1, signal }
}

fn journal(state: &State) -> Vec<Value> {
    state.journal(Slot::root(0)).iter().map(|entry| (**entry).clone()).collect()
}

fn effects(state: &mut State, ms: i64, input: Input) -> Vec<Effect> {
    let (events, _) = advance(state, input, &moment(ms), 1000).expect("it is not refused");
    events.iter().filter_map(effect).collect()
}

fn again() -> Effect {
    Effect::Execute { step: "a".into(), attempt: 1 }
}

#[test]
fn a_piece_is_kept_and_the_next_begins_once_it_is_stored() {
    let mut state = agent();
    assert_eq!(effects(&mut state, 1, done("a", 1, piece(1))), [again()]);
    assert_eq!(effects(&mut state, 2, done("a", 1, piece(2))), [again()]);
    assert_eq!(journal(&state), [json!({"n": 1}), json!({"n": 2})]);
    assert_eq!(state.step_at(Slot::root(0)).attempt, 1, "it is one attempt");
    told(&mut state, 3, done("a", 1, fine()));
    assert_eq!((state.status(), journal(&state)), (RunStatus::Succeeded, vec![]), "what is done is not kept in memory");
}

#[test]
fn a_process_that_takes_over_goes_on_from_the_last_piece() {
    let mut state = agent();
    told(&mut state, 1, done("a", 1, piece(1)));
    told(&mut state, 2, Input::TakeOver);
    assert_eq!((state.repeats(Slot::root(0)), journal(&state).len()), (1, 1));
    told(&mut state, 3, done("a", 1, piece(2)));
    assert_eq!(state.repeats(Slot::root(0)), 0, "another piece is no repeat");
}

#[test]
fn what_a_person_decides_is_an_entry_and_ends_nothing() {
    let mut state = agent();
    told(&mut state, 1, done("a", 1, asks()));
    assert_eq!(state.status(), RunStatus::Waiting);
    assert_eq!(effects(&mut state, 2, signal(vote(1, "rejected"))), [again()]);
    let entries = journal(&state);
    assert_eq!((&entries[0]["entry"], &entries[0]["port"]), (&json!("answered"), &json!("rejected")));
    // The vote was about that question, and counts for no other.
    told(&mut state, 3, done("a", 1, asks()));
    assert_eq!(state.signals(Slot::root(0)), []);
    assert_eq!(effects(&mut state, 4, signal(vote(1, "approved"))), [again()]);
    assert_eq!(journal(&state).len(), 2);
}

/// Two people look at the same question, and the second answer comes when the step asks the next.
#[test]
fn an_answer_to_the_question_before_is_none_to_this_one() {
    let about = |id: u128, signal: Signal| match signal {
        Signal::Vote(vote) => Signal::Vote(Vote { approval: Some(uuid::Uuid::from_u128(id).into()), ..vote }),
        other => other,
    };
    let mut state = agent();
    told(&mut state, 1, done("a", 1, asks()));
    let late = signal(about(8, vote(2, "approved")));
    assert_eq!(advance(&mut state, late, &moment(2), 1000).expect_err("refused"), Refusal::Stale);
    let handed = Signal::Delegated {
        by: "Ada".into(),
        to: "eve@x".into(),
        approval: Some(uuid::Uuid::from_u128(8).into()),
        voice: None,
    };
    assert_eq!(advance(&mut state, signal(handed), &moment(3), 1000).expect_err("refused"), Refusal::Stale);
    assert_eq!(state.signals(Slot::root(0)), []);
    assert_eq!(effects(&mut state, 4, signal(about(9, vote(2, "approved")))), [again()]);
}

#[test]
fn work_before_a_question_is_shown_as_work() {
    let mut state = agent();
    told(&mut state, 1, done("a", 1, piece(1)));
    told(&mut state, 5, done("a", 1, asks()));
    told(&mut state, 9, signal(vote(1, "approved")));
    told(&mut state, 12, done("a", 1, fine()));
    let spans = state.step_at(Slot::root(0)).spans.iter();
    let spans: Vec<_> = spans.map(|span| (span.status, span.to.expect("it has ended").ms_since(span.from))).collect();
    assert_eq!(spans, [(StepStatus::Succeeded, 5), (StepStatus::Waiting, 4), (StepStatus::Succeeded, 3)]);
}

#[test]
fn the_end_of_a_sub_run_is_an_entry_a_failed_one_too() {
    let mut state = agent();
    told(&mut state, 1, done("a", 1, waits(Await::Run { run: CHILD })));
    let ended = Signal::RunEnded {
        run: CHILD,
        status: RunStatus::Failed,
        output: Value::Null,
        error: Some(StepError::permanent("x", "broke")),
    };
    assert_eq!(effects(&mut state, 2, signal(ended)), [again()]);
    assert_eq!(journal(&state)[0]["error"]["class"], "x");
}

#[test]
fn while_a_person_holds_the_run_no_piece_begins() {
    let mut state = agent();
    told(&mut state, 1, command(Command::Pause));
    assert_eq!(effects(&mut state, 2, done("a", 1, piece(1))), [again()], "the engine leaves out what waits");
    assert_eq!(state.step_at(Slot::root(0)).status, StepStatus::Waiting);
    told(&mut state, 3, Input::Wake);
    assert_eq!(state.step_at(Slot::root(0)).status, StepStatus::Waiting);
    assert_eq!(effects(&mut state, 4, command(Command::Resume)), [again()]);
    assert_eq!((state.step_at(Slot::root(0)).attempt, journal(&state).len()), (1, 1));
}

#[test]
fn an_agent_that_was_stopped_holds_the_run_and_goes_on_with_it() {
    let mut state = agent();
    told(&mut state, 1, done("a", 1, piece(1)));
    told(&mut state, 2, done("a", 1, Err(StepError::permanent(StepError::STOPPED, "stopped"))));
    assert_eq!(state.status(), RunStatus::Paused);
    told(&mut state, 3, command(Command::Resume));
    assert_eq!((state.step_at(Slot::root(0)).attempt, journal(&state).len()), (2, 1));
}

#[test]
fn a_stop_is_no_failure_that_a_step_could_handle() {
    for on_error in ["continue", "port", "pause"] {
        let config = json!({"agent": "helper", "prompt": "Go."});
        let step = json!({"id": "a", "kind": "agent", "config": config, "on_error": on_error});
        let mut state = new(&json!([step]), &json!([]));
        told(&mut state, 0, start());
        told(&mut state, 1, done("a", 1, Err(StepError::permanent(StepError::STOPPED, "stopped"))));
        assert_eq!(state.status(), RunStatus::Paused, "{on_error}");
    }
}

#[test]
fn a_retry_goes_on_and_a_fork_begins_anew() {
    let mut state = agent();
    told(&mut state, 1, done("a", 1, piece(1)));
    told(&mut state, 2, done("a", 1, passing()));
    assert_eq!(state.status(), RunStatus::Failed);
    told(&mut state, 3, command(Command::Retry));
    assert_eq!((state.step_at(Slot::root(0)).attempt, journal(&state).len()), (2, 1));
    state.forget_journals();
    assert_eq!(journal(&state), [] as [Value; 0]);
}

#[test]
fn the_history_folds_to_the_same_state() {
    let mut state = agent();
    let mut history = Vec::new();
    let inputs = [done("a", 1, piece(1)), done("a", 1, asks()), signal(vote(1, "approved")), done("a", 1, piece(2))];
    for (ms, input) in (1..).zip(inputs) {
        history.extend(advance(&mut state, input, &moment(ms), 1000).expect("it is not refused").0);
    }
    let mut folded = agent();
    for event in &history {
        let text = serde_json::to_string(event).expect("an event is plain data");
        folded.apply(&serde_json::from_str(&text).expect("and is read back"));
    }
    assert_eq!((folded == state, journal(&folded)), (true, journal(&state)));
}
