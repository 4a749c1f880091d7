//! Random histories of random definitions, forked at every place.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::prefix::{Edits, Misfit, carry};
use crate::model::workflow::restart::without;
use crate::model::workflow::{Command, Definition, Event, Forked, Graph, RunStatus, State, StepError};
use crate::model::{RunId, Timestamp};
use crate::workflow::machine::{Input, Moment, advance};
use crate::workflow::steps::Outcome;

fn moment(ms: i64) -> Moment {
    Moment { now: Timestamp(1_000_000).plus_ms(ms), fraction: 0.5 }
}

pub(super) fn run(n: u128) -> RunId {
    RunId(uuid::Uuid::from_u128(n))
}

/// A graph without cycles or races, whose output tells what each step came to.
fn graphs() -> impl Strategy<Value = Definition> {
    let kinds = prop::sample::select(vec!["http", "transform", "condition", "wait"]);
    let step = (kinds, prop::sample::select(vec!["continue", "port", "fail"]), 0..8u8);
    (prop::collection::vec(step, 1..8), prop::collection::vec((0..8usize, 0..8usize, 0..4u8, any::<bool>()), 0..14)).prop_map(
        |(steps, edges)| {
            let count = steps.len();
            let steps: Vec<Value> = (0..)
                .zip(&steps)
                .map(|(n, (kind, on_error, extra))| {
                    let config = match *kind {
                        "http" => json!({"url": "http://x"}),
                        "transform" => json!({"value": if *extra == 1 { "{{ inputs.missing }}" } else { "{{ inputs.n }}" }}),
                        "condition" => json!({"when": if *extra % 2 == 0 { "inputs.n > 1" } else { "inputs.n < 1" }}),
                        _ => json!({"ms": 50}),
                    };
                    json!({"id": format!("s{n}"), "kind": kind, "config": config, "on_error": on_error, "disabled": *extra == 2,
                        "retry": {"max_attempts": 2, "initial_ms": 10, "factor": 2.0, "max_ms": 100, "jitter": true}})
                })
                .collect();
            let edges: Vec<Value> = edges
                .into_iter()
                .map(|(a, b, port, guarded)| (a % count, b % count, port, guarded))
                .filter(|(a, b, ..)| a != b)
                .map(|(a, b, port, guarded)| {
                    let port = ["out", "true", "false", "error"][port as usize];
                    let when = guarded.then_some("inputs.n == 2");
                    json!({"from": format!("s{}", a.min(b)), "to": format!("s{}", a.max(b)), "port": port, "when": when})
                })
                .collect();
            // How long a wait took is a matter of the clock.
            let word = |n: usize| if steps[n]["kind"] == "wait" { "status" } else { "output" };
            let told = |n: usize| json!([format!("{{{{ steps.s{n}.{} }}}}", word(n)), format!("{{{{ steps.s{n}.status }}}}")]);
            let output: serde_json::Map<String, Value> = (0..count).map(|n| (format!("s{n}"), told(n))).collect();
            serde_json::from_value(json!({"weft": 1, "name": "random", "steps": steps, "edges": edges, "output": output}))
                .expect("fits")
        },
    )
}

/// The same attempt always ends in the same way: every third step fails each time.
fn outcome(step: &str) -> Result<Outcome, StepError> {
    let number: u32 = step.trim_start_matches('s').parse().expect("a number");
    if number % 3 == 2 { Err(StepError::transient("x", "y")) } else { Ok(Outcome::out(json!(number))) }
}

pub(super) fn feed(state: &mut State, history: &mut Vec<Event>, input: Input, clock: i64) {
    if let Ok((events, _)) = advance(state, input, &moment(clock), 1000) {
        history.extend(events);
    }
}

fn end_one(state: &mut State, history: &mut Vec<Event>, which: usize, clock: i64) {
    let flying: Vec<crate::model::workflow::Slot> = state.in_flight().collect();
    if let Some(&step) = flying.get(which % flying.len().max(1)) {
        let (id, attempt) = (state.step_at(step).id.clone(), state.step_at(step).attempt);
        let result = outcome(&id);
        feed(state, history, Input::Done { step: id, attempt, result }, clock);
    }
}

/// Lets a run come to its end.
fn settle(state: &mut State, history: &mut Vec<Event>, clock: &mut i64) {
    for _ in 0..300 {
        if state.is_ended() {
            return;
        }
        *clock += 1000;
        feed(state, history, Input::Command { command: Command::Resume, by: None }, *clock);
        feed(state, history, Input::Wake, *clock);
        end_one(state, history, 0, *clock);
    }
    panic!("{:?}: {:#?}", state.status(), state.steps());
}

fn begin(definition: &Definition, history: &mut Vec<Event>) -> State {
    let mut state = State::new(run(1), definition);
    feed(&mut state, history, Input::Start { inputs: json!({"n": 2}), until: None }, 0);
    state
}

/// A history with pauses, take-overs, retries and cancels in it.
fn play(definition: &Definition, moves: &[(u8, u8)], clock: &mut i64) -> (State, Vec<Event>) {
    let mut history = Vec::new();
    let mut state = begin(definition, &mut history);
    let command = |command| Input::Command { command, by: None };
    for &(what, which) in moves {
        match what {
            0 => feed(&mut state, &mut history, command(Command::Cancel), *clock),
            1 => feed(&mut state, &mut history, command(Command::Pause), *clock),
            2 | 3 => feed(&mut state, &mut history, command(Command::Resume), *clock),
            4 => feed(&mut state, &mut history, command(Command::Retry), *clock),
            5 => feed(&mut state, &mut history, Input::TakeOver, *clock),
            6..=9 => {
                *clock += i64::from(which);
                feed(&mut state, &mut history, Input::Wake, *clock);
            }
            _ => end_one(&mut state, &mut history, usize::from(which), *clock),
        }
    }
    (state, history)
}

fn fork(graph: &Arc<Graph>, events: Vec<Event>, clock: &mut i64) -> State {
    let prefix = carry(run(2), graph, graph, events.clone(), &Edits::default()).expect("fits itself");
    assert_eq!(prefix.events, events, "nothing was edited");
    let mut state = prefix.state;
    let mut history = prefix.events;
    let forked = Forked { from_run: run(1), from_seq: 1, by: None, restarted: None, edited: Vec::new() };
    feed(&mut state, &mut history, Input::Fork(Box::new(forked)), *clock);
    settle(&mut state, &mut history, clock);
    let mut replayed = State::on(run(2), Arc::clone(graph));
    for event in &history {
        replayed.apply(event);
    }
    assert_eq!(replayed, state, "the fork's history replays");
    if state.status() == RunStatus::Succeeded {
        assert_eq!(state.steps_done() as usize, state.steps().len(), "each step is counted once");
    }
    state
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_fork_at_any_event_of_a_deterministic_workflow_ends_as_an_undisturbed_run_does(
        definition in graphs(),
        moves in prop::collection::vec((0..24u8, any::<u8>()), 0..40),
    ) {
        let mut clock = 0;
        let mut history = Vec::new();
        let mut calm = begin(&definition, &mut history);
        settle(&mut calm, &mut history, &mut clock);
        let (_, history) = play(&definition, &moves, &mut clock);
        let graph = Graph::new(definition);
        for cut in 1..=history.len() {
            let state = fork(&graph, history[..cut].to_vec(), &mut clock);
            prop_assert_eq!(state.status(), calm.status(), "cut at {} of {:#?}", cut, &history);
            prop_assert_eq!(state.output(), calm.output(), "cut at {} of {:#?}", cut, &history);
        }
        for step in 0..graph.len() as u32 {
            let (events, _) = without(&history, &graph, &format!("s{step}")).expect("it is there");
            let state = fork(&graph, events, &mut clock);
            prop_assert_eq!(state.status(), calm.status(), "restarted at {} of {:#?}", step, &history);
            prop_assert_eq!(state.output(), calm.output(), "restarted at {} of {:#?}", step, &history);
        }
    }
}

pub(super) fn definition(value: Value) -> Definition {
    serde_json::from_value(value).expect("fits")
}

/// `look` chooses by `when` between `a` and `b`.
fn forked_road() -> Value {
    json!({"weft": 1, "name": "road", "steps": [
            {"id": "look", "kind": "http", "config": {"url": "http://x"}},
            {"id": "a", "kind": "transform", "config": {"value": "a"}},
            {"id": "b", "kind": "transform", "config": {"value": "b"}}],
        "edges": [{"from": "look", "to": "a", "when": "steps.look.output == 1"},
            {"from": "look", "to": "b", "when": "steps.look.output == 2"}],
        "output": "{{ steps.a.output or steps.b.output }}"})
}

/// A whole run in which `look` gave 1.
fn went_by_a() -> (Arc<Graph>, Vec<Event>) {
    let graph = Graph::new(definition(forked_road()));
    let mut history = Vec::new();
    let mut state = State::on(run(1), Arc::clone(&graph));
    feed(&mut state, &mut history, Input::Start { inputs: json!({}), until: None }, 0);
    let result = Ok(Outcome::out(json!(1)));
    feed(&mut state, &mut history, Input::Done { step: "look".into(), attempt: 1, result }, 1);
    assert_eq!(state.status(), RunStatus::Succeeded);
    (graph, history)
}

fn edited(step: &str, output: Value) -> Edits {
    Edits { inputs: None, outputs: [(step.to_owned(), output)].into() }
}

#[test]
fn an_edited_output_chooses_the_edges_again() {
    let (graph, history) = went_by_a();
    // 1 started, 2 look began, 3 look ended
    let prefix = carry(run(2), &graph, &graph, history[..3].to_vec(), &edited("look", json!(2))).expect("fits");
    let (mut state, mut events) = (prefix.state, prefix.events);
    settle(&mut state, &mut events, &mut 0);
    assert_eq!(state.output(), &json!("b"));
}

#[test]
fn an_edited_output_that_leads_elsewhere_is_refused_once_what_followed_has_begun() {
    let (graph, history) = went_by_a();
    let refused = carry(run(2), &graph, &graph, history, &edited("look", json!(2))).expect_err("refused");
    let Misfit::Output { step, message } = refused else { panic!("{refused:?}") };
    assert_eq!(step, "look");
    assert!(message.contains("fork before that event"), "{message}");
}

#[test]
fn an_output_can_be_edited_only_where_there_is_one() {
    let (graph, history) = went_by_a();
    for step in ["a", "nowhere"] {
        let refused = carry(run(2), &graph, &graph, history[..3].to_vec(), &edited(step, json!(2)));
        assert!(matches!(refused, Err(Misfit::Output { .. })), "{step}");
    }
}

#[test]
fn another_definition_must_have_what_the_prefix_mentions_as_it_was() {
    let (graph, history) = went_by_a();
    let onto = |alter: &dyn Fn(&mut Value)| {
        let mut value = forked_road();
        alter(&mut value);
        carry(run(2), &graph, &Graph::new(definition(value)), history.clone(), &Edits::default())
    };
    assert!(onto(&|_| {}).is_ok());
    assert!(onto(&|d| d["steps"][1]["config"]["value"] = json!("other")).is_ok(), "what it does may change");
    assert!(
        onto(&|d| d["steps"].as_array_mut().expect("a list").push(json!({"id": "c", "kind": "transform"}))).is_ok()
    );
    for (step, alter) in [
        ("look", (&|d: &mut Value| d["steps"][0]["kind"] = json!("shell")) as &dyn Fn(&mut Value)),
        ("a", &|d| {
            d["steps"].as_array_mut().expect("a list").remove(1);
        }),
        ("a", &|d| d["edges"][0]["when"] = json!("true")),
        ("a", &|d| d["steps"][1]["join"] = json!("any")),
        ("look", &|d| d["edges"].as_array_mut().expect("a list").push(json!({"from": "b", "to": "look"}))),
    ] {
        let refused = onto(alter).expect_err("refused");
        assert!(matches!(&refused, Misfit::Definition { step: named, .. } if named == step), "{step}: {refused:?}");
    }
}

#[test]
fn edges_keep_their_choice_when_another_definition_numbers_them_otherwise() {
    let (graph, history) = went_by_a();
    let mut value = forked_road();
    value["edges"].as_array_mut().expect("a list").reverse();
    let prefix = carry(run(2), &graph, &Graph::new(definition(value)), history[..3].to_vec(), &Edits::default());
    let prefix = prefix.expect("fits");
    let (mut state, mut events) = (prefix.state, prefix.events);
    settle(&mut state, &mut events, &mut 0);
    assert_eq!(state.output(), &json!("a"));
}
