//! Every state with every event, of every machine of a run, as a table that stands in `snapshots/`: a cell is what becomes
//! of it, `=` where nothing changes, or why it is refused. A cell that changes is a change of what Weft promises.

use serde_json::{Value, json};

use super::tests_give::give;
use super::*;
use crate::model::workflow::{Await, Definition, RunStatus, Vote};
use crate::model::{RunId, UserId};

pub(super) const CHILD: RunId = RunId(uuid::Uuid::from_u128(7));

pub(super) fn moment(ms: i64) -> Moment {
    Moment { now: Timestamp(1_000_000).plus_ms(ms), fraction: 0.5 }
}

pub(super) fn new(steps: &Value, edges: &Value) -> State {
    let definition = json!({"weft": 1, "name": "table", "steps": steps, "edges": edges});
    let definition: Definition = serde_json::from_value(definition).expect("fits");
    State::new(RunId(uuid::Uuid::nil()), &definition)
}

pub(super) fn start() -> Input {
    Input::Start { inputs: json!({}), until: None }
}

pub(super) fn command(command: Command) -> Input {
    Input::Command { command, by: None }
}

pub(super) fn done(step: &str, attempt: u32, result: Result<Outcome, StepError>) -> Input {
    Input::Done { step: step.to_owned(), attempt, result }
}

#[expect(clippy::unnecessary_wraps, reason = "as a result comes")]
pub(super) fn fine() -> Result<Outcome, StepError> {
    Ok(Outcome::out(json!(1)))
}

pub(super) fn passing() -> Result<Outcome, StepError> {
    Err(StepError::transient("unavailable", "try again"))
}

pub(super) fn hopeless() -> Result<Outcome, StepError> {
    Err(StepError::permanent("refused", "no"))
}

pub(super) fn vote(by: u128, decision: &str) -> Signal {
    let by = UserId(uuid::Uuid::from_u128(by));
    Signal::Vote(Vote {
        by,
        name: "Ada".into(),
        decision: decision.into(),
        form: Value::Null,
        comment: String::new(),
        approval: None,
        instead_of: None,
    })
}

fn signal(step: &str, signal: Signal) -> Input {
    Input::Signal { step: Some(step.to_owned()), attempt: 1, signal }
}

pub(super) fn told(state: &mut State, ms: i64, input: Input) {
    advance(state, input, &moment(ms), 1000).expect("leads to the state of a column");
}

/// Plays each input in each state and tells by `look` what comes of it.
pub(super) fn table(
    states: &[(&str, State)],
    inputs: &[(&str, i64, Input)],
    look: impl Fn(&State) -> String,
) -> String {
    let cell = |state: &State, at: i64, input: &Input| {
        let mut after = state.clone();
        match advance(&mut after, input.clone(), &moment(at), 1000) {
            Err(Refusal::NotNow { .. }) => "refused".to_owned(),
            Err(refusal) => format!("refused: {refusal:?}").to_lowercase(),
            Ok((events, _)) if events.is_empty() => "=".to_owned(),
            Ok(_) => look(&after),
        }
    };
    let rows = inputs.iter().map(|(name, at, input)| {
        let cells = states.iter().map(|(_, state)| cell(state, *at, input));
        (*name, cells.collect())
    });
    draw(&states.iter().map(|(name, _)| *name).collect::<Vec<_>>(), rows.collect())
}

pub(super) fn draw(columns: &[&str], rows: Vec<(&str, Vec<String>)>) -> String {
    let first = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let width = |at: usize| rows.iter().map(|(_, cells)| cells[at].len()).max().unwrap_or(0).max(columns[at].len());
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let line = |name: &str, cells: Vec<&str>| {
        let cells: Vec<String> = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        format!("{name:<first$}  {}", cells.join("  ")).trim_end().to_owned()
    };
    let mut lines = vec![line("", columns.to_vec())];
    lines.extend(rows.iter().map(|(name, cells)| line(name, cells.iter().map(String::as_str).collect())));
    lines.join("\n")
}

pub(super) fn http(id: &str) -> Value {
    json!({"id": id, "kind": "http", "config": {"url": "http://x"},
        "retry": {"max_attempts": 2, "initial_ms": 100, "factor": 1.0, "max_ms": 100, "jitter": false}})
}

/// What a person, a process or time can do to any run.
pub(super) fn common() -> Vec<(&'static str, i64, Input)> {
    let forked = Forked { from_run: CHILD, from_seq: 1, by: None, restarted: None, edited: Vec::new() };
    vec![
        ("start", 10, start()),
        ("fork", 10, Input::Fork(Box::new(forked))),
        ("cancel", 10, command(Command::Cancel)),
        ("cancel at once", 10, command(Command::ForceCancel)),
        ("pause", 10, command(Command::Pause)),
        ("resume", 10, command(Command::Resume)),
        ("retry", 10, command(Command::Retry)),
        ("another process takes over", 10, Input::TakeOver),
        (
            "the run that started it is gone",
            10,
            Input::Signal { step: None, attempt: 0, signal: Signal::ParentGone {} },
        ),
        ("time passes, nothing is due", 20, Input::Wake),
        ("its time has come", 100_000, Input::Wake),
    ]
}

#[test]
fn a_run_in_each_status() {
    let begun = || {
        let mut state = new(&json!([http("a")]), &json!([]));
        told(&mut state, 0, start());
        state
    };
    let after = |input: Input| {
        let mut state = begun();
        told(&mut state, 1, input);
        state
    };
    let states = [
        ("queued", new(&json!([http("a")]), &json!([]))),
        ("running", begun()),
        ("waiting", after(done("a", 1, passing()))),
        ("paused", after(command(Command::Pause))),
        ("succeeded", after(done("a", 1, fine()))),
        ("failed", after(done("a", 1, hopeless()))),
        ("cancelled", after(command(Command::Cancel))),
    ];
    for (name, state) in &states {
        assert_eq!(state.status().as_str(), *name);
    }
    let mut inputs = common();
    inputs.extend([
        ("its attempt succeeds", 10, done("a", 1, fine())),
        ("its attempt fails and may pass", 10, done("a", 1, passing())),
        ("its attempt fails for good", 10, done("a", 1, hopeless())),
        ("an attempt that it never made ends", 10, done("a", 9, fine())),
        ("a step that it does not have ends", 10, done("b", 1, fine())),
        ("its output is given by hand", 10, give("a", json!(1))),
    ]);
    insta::assert_snapshot!(table(&states, &inputs, |state| state.status().as_str().to_owned()));
}

/// A step `a` behind a step `gate`, in each status.
pub(super) fn steps() -> Vec<(&'static str, State)> {
    let steps = json!([http("gate"), http("a")]);
    let edges = json!([{"from": "gate", "to": "a"}]);
    let mut queued = new(&steps, &edges);
    told(&mut queued, 0, start());
    let with = |state: &State, inputs: Vec<Input>| {
        let mut state = state.clone();
        for input in inputs {
            told(&mut state, 1, input);
        }
        state
    };
    let running = with(&queued, vec![done("gate", 1, fine())]);
    let timed = Outcome::Waiting { reason: "later".into(), until: Some(moment(100).now), on: None };
    let retrying = with(&running, vec![done("a", 1, passing())]);
    let mut last = retrying.clone();
    told(&mut last, 101, Input::Wake);
    let off = |id: &str| {
        let mut step = http(id);
        step["disabled"] = json!(true);
        step
    };
    let mut skipped = new(&json!([off("a"), http("gate")]), &json!([]));
    told(&mut skipped, 0, start());
    vec![
        ("queued", queued.clone()),
        ("ready", with(&queued, vec![command(Command::Pause), done("gate", 1, fine())])),
        ("running", running.clone()),
        ("running, last attempt", last),
        ("waiting for a time", with(&running, vec![done("a", 1, Ok(timed))])),
        ("retrying", retrying),
        ("succeeded", with(&running, vec![done("a", 1, fine())])),
        ("failed", with(&running, vec![done("a", 1, hopeless())])),
        ("skipped", skipped),
        ("cancelled", with(&running, vec![command(Command::Cancel)])),
    ]
}

#[test]
fn a_step_in_each_status() {
    let states = steps();
    for (name, state) in &states {
        let status = state.find_step("a").expect("there").status.as_str();
        assert!(name.starts_with(status), "{name} is {status}");
    }
    let mut inputs = common();
    let timed = Outcome::Waiting { reason: "later".into(), until: Some(moment(900).now), on: None };
    inputs.extend([
        ("its attempt succeeds", 10, done("a", 1, fine())),
        ("its attempt fails and may pass", 10, done("a", 1, passing())),
        ("its attempt fails for good", 10, done("a", 1, hopeless())),
        ("its attempt has to wait", 10, done("a", 1, Ok(timed))),
        ("its second attempt fails and may pass", 10, done("a", 2, passing())),
        ("a signal comes", 10, signal("a", Signal::Event { payload: json!({}), event: None })),
        ("its output is given by hand", 10, give("a", json!(1))),
    ]);
    insta::assert_snapshot!(table(&states, &inputs, |state| {
        format!("{} in {}", state.find_step("a").expect("there").status.as_str(), state.status().as_str())
    }));
}

/// A step that waits for what is outside.
fn waits(kind: &str, config: Value) -> State {
    let mut state = new(&json!([{"id": "a", "kind": kind, "config": config, "timeout_ms": 50_000}]), &json!([]));
    told(&mut state, 0, start());
    state
}

#[test]
fn a_step_that_waits_for_each_thing_and_each_signal() {
    let approval = || waits("approval", json!({"title": "Go?", "required": 2, "deadline_ms": 60_000}));
    let with = |mut state: State, inputs: Vec<Input>| {
        for input in inputs {
            told(&mut state, 1, input);
        }
        state
    };
    let sub_run = || {
        let begun = waits("workflow", json!({"workflow": "other"}));
        let on = Some(Await::Run { run: CHILD });
        let waiting = Outcome::Waiting { reason: "waits for the run".into(), until: None, on };
        with(begun, vec![done("a", 1, Ok(waiting))])
    };
    let states = [
        ("about to wait", waits("workflow", json!({"workflow": "other"}))),
        ("a sub-run", sub_run()),
        ("an event", waits("event", json!({"key": "paid", "match": {"n": 1}, "deadline_ms": 60_000}))),
        ("two people", approval()),
        ("one more person", with(approval(), vec![signal("a", vote(1, "approved"))])),
        ("a time", waits("wait", json!({"ms": 60_000}))),
        ("two people, paused", with(approval(), vec![command(Command::Pause)])),
        ("nothing: decided", with(approval(), vec![signal("a", vote(1, "rejected"))])),
        ("nothing: cancelled", with(approval(), vec![command(Command::Cancel)])),
    ];
    let ended = |run, status, error| Signal::RunEnded { run, status, output: json!(1), error };
    let mut inputs = common();
    inputs.extend([
        ("the sub-run succeeds", 10, signal("a", ended(CHILD, RunStatus::Succeeded, None))),
        ("the sub-run fails", 10, signal("a", ended(CHILD, RunStatus::Failed, hopeless().err()))),
        ("the sub-run is cancelled", 10, signal("a", ended(CHILD, RunStatus::Cancelled, None))),
        ("another run ends", 10, signal("a", ended(RunId(uuid::Uuid::from_u128(8)), RunStatus::Succeeded, None))),
        ("an event that fits", 10, signal("a", Signal::Event { payload: json!({"n": 1}), event: None })),
        ("an event that does not fit", 10, signal("a", Signal::Event { payload: json!({"n": 2}), event: None })),
        ("the first person approves", 10, signal("a", vote(1, "approved"))),
        ("the second person approves", 10, signal("a", vote(2, "approved"))),
        ("the second person rejects", 10, signal("a", vote(2, "rejected"))),
        ("an answer that there is not", 10, signal("a", vote(3, "maybe"))),
        (
            "it is handed on",
            10,
            signal("a", Signal::Delegated { by: "Ada".into(), to: "eve@x".into(), approval: None, voice: None }),
        ),
        (
            "a signal for another attempt",
            10,
            Input::Signal { step: Some("a".into()), attempt: 2, signal: vote(2, "approved") },
        ),
    ]);
    insta::assert_snapshot!(table(&states, &inputs, |state| {
        let step = &state.steps()[0];
        let port = step.port.as_deref().map(|port| format!(" by {port}")).unwrap_or_default();
        format!("{}{port} in {}", step.status.as_str(), state.status().as_str())
    }));
}

#[test]
fn a_container_in_each_state() {
    let call = json!({"id": "call", "kind": "http", "config": {"url": "http://x"}});
    let begun = |kind: &str, config: Value| {
        let body = json!({"steps": [call]});
        let mut state = new(
            &json!([{"id": "box", "kind": kind, "config": config, "body": body, "timeout_ms": 50_000}]),
            &json!([]),
        );
        told(&mut state, 0, start());
        state
    };
    let map = |errors: &str| begun("map", json!({"items": [1, 2, 3], "concurrency": 1, "on_item_error": errors}));
    let with = |mut state: State, input: Input| {
        told(&mut state, 1, input);
        state
    };
    let states = [
        ("map", map("fail")),
        ("map that collects", map("collect")),
        ("repeat, first", begun("repeat", json!({"until": "iteration >= 2", "max_iterations": 2}))),
        (
            "repeat, last",
            with(begun("repeat", json!({"until": "false", "max_iterations": 2})), done("box[0].call", 1, fine())),
        ),
        ("group", begun("group", json!({}))),
        ("map, paused", with(map("fail"), command(Command::Pause))),
        ("map, failed", with(map("fail"), done("box[0].call", 1, hopeless()))),
        ("map, cancelled", with(map("fail"), command(Command::Cancel))),
        ("group, succeeded", with(begun("group", json!({})), done("box[0].call", 1, fine()))),
    ];
    let mut inputs = common();
    for index in 0..2 {
        let step = format!("box[{index}].call");
        let names = [
            ["the first step inside succeeds", "the first step inside fails"],
            ["the second one succeeds", "the second one fails"],
        ];
        inputs.push((names[index][0], 10, done(&step, 1, fine())));
        inputs.push((names[index][1], 10, done(&step, 1, hopeless())));
    }
    insta::assert_snapshot!(table(&states, &inputs, |state| {
        let step = &state.steps()[0];
        let bodies = step.bodies.as_ref().map(|b| {
            format!(", {} of {:?} ended, {} failed, {} in motion", b.ended, b.total.unwrap_or(0), b.failed, b.running)
        });
        format!("{} in {}{}", step.status.as_str(), state.status().as_str(), bodies.unwrap_or_default())
    }));
}

#[test]
fn a_join_in_each_state() {
    let edges: Vec<Value> = ["a", "b", "c"].iter().map(|from| json!({"from": from, "to": "j"})).collect();
    let branch = |id: &str| json!({"id": id, "kind": "http", "config": {"url": "http://x"}, "on_error": "port"});
    let mut rows = Vec::new();
    for (name, join) in [("all", json!("all")), ("any", json!("any")), ("2 of 3", json!(2)), ("3 of 3", json!(3))] {
        let mut cells = Vec::new();
        for taken in 0..=3_usize {
            for skipped in 0..=3 - taken {
                let joined = json!({"id": "j", "kind": "http", "config": {"url": "http://x"}, "join": join});
                let mut state = new(&json!([branch("a"), branch("b"), branch("c"), joined]), &json!(edges));
                told(&mut state, 0, start());
                for (at, id) in ["a", "b", "c"].iter().enumerate().take(taken + skipped) {
                    told(&mut state, 1, done(id, 1, if at < taken { fine() } else { hopeless() }));
                }
                cells.push(state.find_step("j").expect("there").status.as_str().to_owned());
            }
        }
        rows.push((name, cells));
    }
    let columns = ["0+0", "0+1", "0+2", "0+3", "1+0", "1+1", "1+2", "2+0", "2+1", "3+0"];
    insta::assert_snapshot!(format!("branches taken + skipped, of three\n{}", draw(&columns, rows)));
}
