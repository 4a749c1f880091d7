//! Every status with every command, and random histories over random graphs.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::model::RunId;
use crate::model::workflow::Definition;

const STARTED: i64 = 1_000_000;

fn moment(ms: i64) -> Moment {
    Moment { now: Timestamp(STARTED).plus_ms(ms), fraction: 0.5 }
}

fn definition(value: Value) -> Definition {
    serde_json::from_value(value).expect("fits")
}

fn one_step(step: Value) -> State {
    let definition = definition(json!({"weft": 1, "name": "one", "steps": [step]}));
    State::new(RunId(uuid::Uuid::nil()), &definition)
}

fn http() -> Value {
    json!({"id": "a", "kind": "http", "config": {"url": "http://x"},
        "retry": {"max_attempts": 3, "initial_ms": 100, "factor": 2.0, "max_ms": 150, "jitter": false}})
}

fn begun() -> State {
    let mut state = one_step(http());
    advance(&mut state, Input::Start { inputs: json!({}), until: None }, &moment(0), 100).expect("begins");
    state
}

fn end_attempt(state: &mut State, attempt: u32, result: Result<Outcome, StepError>, at: i64) {
    let input = Input::Done { step: "a".into(), attempt, result };
    advance(state, input, &moment(at), 100).expect("is waited for");
}

fn tell(state: &mut State, command: Command) -> Result<(), Refusal> {
    advance(state, Input::Command { command, by: None }, &moment(1000), 100).map(drop)
}

fn in_status(status: RunStatus) -> State {
    let mut state = begun();
    match status {
        RunStatus::Queued => return one_step(http()),
        RunStatus::Running => {}
        RunStatus::Waiting => end_attempt(&mut state, 1, Err(StepError::transient("x", "y")), 1),
        RunStatus::Paused => tell(&mut state, Command::Pause).expect("is allowed"),
        RunStatus::Succeeded => end_attempt(&mut state, 1, Ok(Outcome::out(json!(1))), 1),
        RunStatus::Failed => end_attempt(&mut state, 1, Err(StepError::permanent("x", "y")), 1),
        RunStatus::Cancelled => tell(&mut state, Command::Cancel).expect("is allowed"),
    }
    assert_eq!(state.status(), status);
    state
}

#[test]
fn every_command_in_every_status_is_obeyed_or_refused_as_the_buttons_say() {
    for status in RunStatus::ALL {
        for command in [Command::Cancel, Command::Pause, Command::Resume, Command::Retry] {
            let mut state = in_status(status);
            let obeyed = tell(&mut state, command).is_ok();
            assert_eq!(obeyed, status.allows(command), "{status:?} {command:?}");
            let after = state.status();
            let expected = match (obeyed, command) {
                (false, _) => status,
                (true, Command::Cancel) => RunStatus::Cancelled,
                (true, Command::Pause) => RunStatus::Paused,
                (true, Command::Resume | Command::Retry) => RunStatus::Running,
            };
            assert_eq!(after, expected, "{status:?} {command:?}");
        }
    }
}

#[test]
fn retries_come_later_each_time_up_to_the_longest_wait_and_the_last_failure_ends_the_run() {
    let mut state = begun();
    end_attempt(&mut state, 1, Err(StepError::transient("x", "y")), 0);
    assert_eq!(state.next_due(), Some(moment(100).now));
    advance(&mut state, Input::Wake, &moment(99), 100).expect("nothing is due");
    assert_eq!(state.status(), RunStatus::Waiting);
    advance(&mut state, Input::Wake, &moment(100), 100).expect("is due");
    assert_eq!(state.step_at(Slot::root(0)).attempt, 2);
    end_attempt(&mut state, 2, Err(StepError::transient("x", "y")), 100);
    assert_eq!(state.next_due(), Some(moment(250).now));
    advance(&mut state, Input::Wake, &moment(250), 100).expect("is due");
    end_attempt(&mut state, 3, Err(StepError::transient("x", "y")), 300);
    assert_eq!(state.status(), RunStatus::Failed);
    assert_eq!(state.step_at(Slot::root(0)).spans.len(), 5, "{:?}", state.step_at(Slot::root(0)).spans);
    // A person's retry has the whole policy before it again.
    tell(&mut state, Command::Retry).expect("is allowed");
    assert_eq!((state.status(), state.step_at(Slot::root(0)).attempt), (RunStatus::Running, 4));
    end_attempt(&mut state, 4, Err(StepError::transient("x", "y")), 1100);
    assert_eq!(state.status(), RunStatus::Waiting);
}

#[test]
fn a_late_or_doubled_result_changes_nothing() {
    let mut state = in_status(RunStatus::Cancelled);
    let done = |attempt| Input::Done { step: "a".into(), attempt, result: Ok(Outcome::out(json!(1))) };
    assert_eq!(advance(&mut state, done(1), &moment(2), 9).expect_err("refused"), Refusal::Stale);
    let mut state = begun();
    assert_eq!(advance(&mut state, done(2), &moment(2), 9).expect_err("refused"), Refusal::Stale);
}

#[test]
fn an_attempt_that_takes_its_process_down_each_time_is_given_up() {
    let mut state = begun();
    for _ in 0..MAX_REPEATS {
        assert_eq!(state.status(), RunStatus::Running);
        advance(&mut state, Input::TakeOver, &moment(1), 100).expect("is never refused");
    }
    assert_eq!(state.status(), RunStatus::Failed);
    assert_eq!(state.error().expect("failed").class, "interrupted");
}

/// A graph without cycles: edges lead from lower to higher numbers.
fn graphs() -> impl Strategy<Value = Definition> {
    let kinds = prop::sample::select(vec!["http", "transform", "condition", "wait"]);
    let step = (kinds, any::<bool>(), prop::sample::select(vec!["fail", "continue", "port"]), 0..8u8);
    (prop::collection::vec(step, 1..8), prop::collection::vec((0..8usize, 0..8usize, 0..4u8), 0..16)).prop_map(
        |(steps, edges)| {
            let count = steps.len();
            let steps: Vec<Value> = steps
                .iter()
                .enumerate()
                .map(|(n, (kind, any, on_error, extra))| {
                    let config = match *kind {
                        "http" => json!({"url": "http://x"}),
                        "transform" => json!({"value": if *extra == 1 { "{{ inputs.missing }}" } else { "x" }}),
                        "condition" => json!({"when": "inputs.n > 1"}),
                        _ => json!({"ms": 50}),
                    };
                    json!({"id": format!("s{n}"), "kind": kind, "config": config, "on_error": on_error,
                        "join": if *any { "any" } else { "all" }, "cancel_others": *extra > 3, "disabled": *extra == 2,
                        "retry": {"max_attempts": 2, "initial_ms": 10, "factor": 2.0, "max_ms": 100, "jitter": true}})
                })
                .collect();
            let edges: Vec<Value> = edges
                .into_iter()
                .map(|(a, b, port)| (a % count, b % count, port))
                .filter(|(a, b, _)| a != b)
                .map(|(a, b, port)| {
                    let port = ["out", "true", "false", "error"][port as usize];
                    json!({"from": format!("s{}", a.min(b)), "to": format!("s{}", a.max(b)), "port": port})
                })
                .collect();
            definition(json!({"weft": 1, "name": "random", "steps": steps, "edges": edges}))
        },
    )
}

/// Puts a graph into a container of a graph, several deep; ids stay unique.
fn nested() -> impl Strategy<Value = Definition> {
    let container = prop::sample::select(vec!["map", "repeat", "group", "tolerant", "enough"]);
    (graphs(), prop::collection::vec((container, graphs(), any::<bool>()), 1..4)).prop_map(|(outer, inner)| {
        let mut level = outer;
        for (number, (kind, graph, limited)) in inner.into_iter().enumerate() {
            let config = match kind {
                "map" => json!({"items": [1, 2, 3], "concurrency": 2}),
                "tolerant" => json!({"items": [1, 2], "on_item_error": "tolerate", "tolerate_percent": 60}),
                "enough" => json!({"items": [1, 2, 3], "enough": 2, "on_item_error": "collect"}),
                "repeat" => json!({"until": "iteration >= 2", "max_iterations": 3}),
                _ => json!({}),
            };
            let kind = if matches!(kind, "tolerant" | "enough") { "map" } else { kind };
            let rename = |id: &str| format!("l{number}_{id}");
            let mut body = serde_json::to_value(&level).expect("plain");
            let mut step = json!({"id": format!("box{number}"), "kind": kind, "config": config,
                "body": {"steps": body["steps"].take(), "edges": body["edges"].take()}});
            if limited {
                step["timeout_ms"] = json!(40);
            }
            level = graph;
            for step in &mut level.steps {
                step.id = rename(&step.id);
            }
            for edge in &mut level.edges {
                (edge.from, edge.to) = (rename(&edge.from), rename(&edge.to));
            }
            if let Some(first) = level.steps.first() {
                let edge = json!({"from": first.id, "to": format!("box{number}")});
                level.edges.push(serde_json::from_value(edge).expect("an edge"));
            }
            level.steps.push(serde_json::from_value(step).expect("a step"));
        }
        level
    })
}

/// What the world does next: which attempt ends and how, or a command, or time.
fn inputs() -> impl Strategy<Value = Vec<(u8, u8)>> {
    prop::collection::vec((0..24u8, any::<u8>()), 0..40)
}

fn play(state: &mut State, history: &mut Vec<Event>, (what, which): (u8, u8), clock: &mut i64) {
    let flying: Vec<Slot> = state.in_flight().collect();
    let input = match what {
        0 => Input::Command { command: Command::Cancel, by: None },
        1 => Input::Command { command: Command::Pause, by: None },
        2 | 3 => Input::Command { command: Command::Resume, by: None },
        4 => Input::Command { command: Command::Retry, by: None },
        5 => Input::TakeOver,
        6..=10 => {
            *clock += i64::from(which);
            Input::Wake
        }
        11 => Input::Start { inputs: json!({}), until: None },
        _ => {
            let Some(&step) = flying.get(usize::from(which) % flying.len().max(1)) else {
                return;
            };
            let current = state.step_at(step);
            let result = match what % 4 {
                0 => Err(StepError::transient("x", "y")),
                1 => Err(StepError::permanent("x", "y")),
                _ => Ok(Outcome::out(json!(which))),
            };
            Input::Done { step: state.path(step), attempt: current.attempt, result }
        }
    };
    let was_final = state.status().is_final().then(|| state.status());
    let retried = matches!(input, Input::Command { command: Command::Retry, .. });
    if let Ok((events, _)) = advance(state, input, &moment(*clock), 1000) {
        if let Some(status) = was_final {
            assert!(retried || events.is_empty(), "left {status:?} by {events:?}");
        }
        history.extend(events);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_history_replays_to_the_live_state_and_any_run_can_be_brought_to_its_end(
        graph in prop_oneof![graphs(), nested()],
        inputs in inputs(),
    ) {
        let mut state = State::new(RunId(uuid::Uuid::nil()), &graph);
        let mut history = Vec::new();
        let mut clock = 0;
        let (events, _) = advance(&mut state, Input::Start { inputs: json!({"n": 2}), until: None }, &moment(0), 1000).expect("begins");
        history.extend(events);
        for input in inputs {
            play(&mut state, &mut history, input, &mut clock);
        }
        let mut replayed = State::new(RunId(uuid::Uuid::nil()), &graph);
        for event in &history {
            replayed.apply(event);
        }
        prop_assert_eq!(&replayed, &state);
        let numbers: Vec<i64> = history.iter().map(|event| event.seq).collect();
        prop_assert_eq!(numbers, (1..=history.len() as i64).collect::<Vec<_>>());

        // Left alone, with every attempt succeeding, it ends.
        for _ in 0..2000 {
            if state.is_ended() { break; }
            clock += 10;
            play(&mut state, &mut history, (2, 0), &mut clock);
            play(&mut state, &mut history, (6, 1), &mut clock);
            play(&mut state, &mut history, (14, 0), &mut clock);
        }
        prop_assert!(state.is_ended(), "{:?}: {:#?}", state.status(), state.steps());
        prop_assert!(state.steps().iter().all(|step| step.status.is_final()));
    }
}
