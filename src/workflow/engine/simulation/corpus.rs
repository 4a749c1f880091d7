//! The corpus of recorded histories, `tests/fixtures/histories/VERSION/*.jsonl`: one history a line, with its definition and
//! what it came to when it was recorded. What an older binary wrote must fold to the same today, and go on from there.
//!
//! A folder that is there is never written again: a history that folds to something else is a run that would change under
//! its owner's hands. `docs/testing.md` says how to add a folder.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::check::{assert_same, check_history};
use super::generate::AGENTS;
use super::more::MORE;
use super::world::Sim;
use crate::model::workflow::{
    Await, Command, Definition, Event, Fact, Graph, RunStatus, Signal, Slot, State, StepState, Vote,
};
use crate::model::{RunId, Timestamp, UserId};
use crate::workflow::machine::{self, Input, Moment};
use crate::workflow::steps::Outcome;

/// Histories of a folder.
const WANTED: usize = 240;
/// Events of a history that brings nothing new but its length.
const SHORT: usize = 24;

/// One line.
#[derive(Debug, Serialize, Deserialize)]
struct Recorded {
    run: RunId,
    definition: Definition,
    events: Vec<Event>,
    /// Where the run stood.
    status: RunStatus,
    /// See [`digest`].
    digest: String,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/histories")
}

/// What a person and a decision see of a step, named one by one: a field that comes later does not alter it.
fn draw_step(text: &mut String, path: &str, step: &StepState) {
    let waiting = step.waiting.as_ref().map(|waiting| (waiting.until, json!(waiting.on)));
    // Bodies that were cut off counted as in motion at first.
    let bodies = step.bodies.as_ref().map(|b| (b.total, b.ended, b.failed, b.running + b.cut_off));
    let error = step.error.as_ref().map(|error| (&error.class, &error.message));
    let _ = writeln!(
        text,
        "{path} {} {} {:?} {} {error:?} {:?} {waiting:?} {:?} {bodies:?} {:?}",
        step.status.as_str(),
        step.attempt,
        step.port,
        step.output,
        step.skipped,
        step.sub_run,
        step.ended_at,
    );
}

/// The fold of a history, and a digest of every state on the way.
fn digest(run: RunId, definition: &Definition, events: &[Event]) -> (State, String) {
    let mut state = State::on(run, Graph::new(definition.clone()));
    let mut hash = blake3::Hasher::new();
    for event in events {
        state.apply(event);
        let mut text = format!("{} {} {} ", event.seq, state.status().as_str(), state.steps_done());
        if let Some(step) = event.step.as_deref().and_then(|path| state.find_step(path)) {
            draw_step(&mut text, event.step.as_deref().unwrap_or_default(), step);
        }
        let timers: Vec<_> = state.timers().map(|(due, slot)| (due.0, state.path(slot))).collect();
        let paths = |slots: Vec<Slot>| slots.into_iter().map(|slot| state.path(slot)).collect::<Vec<_>>();
        let (flying, awaiting) = (paths(state.in_flight().collect()), paths(state.awaiting().collect()));
        let _ = writeln!(text, "{timers:?} {flying:?} {awaiting:?} {:?}", state.next_due());
        hash.update(text.as_bytes());
    }
    let mut text = format!("{} {} {:?}\n", state.given(), state.output(), state.error().map(|error| &error.message));
    state.steps().iter().for_each(|step| draw_step(&mut text, &step.id, step));
    hash.update(text.as_bytes());
    (state, hash.finalize().to_hex().to_string())
}

/// What a history has that others may not have.
fn features(definition: &Definition, events: &[Event]) -> BTreeSet<String> {
    let graph = Graph::new(definition.clone());
    let mut found = BTreeSet::new();
    for event in events {
        let kind = event.step.as_deref().and_then(|path| graph.find_path(path)).map_or("", |step| step.kind.as_str());
        let more = match &event.fact {
            Fact::StepFailed { handled, .. } => format!("{handled:?}"),
            Fact::StepSkipped { reason, .. } => format!("{reason:?}"),
            Fact::StepSucceeded { port, .. } => port.clone(),
            Fact::StepWaiting { on, until, .. } => format!("{} {}", on.is_some(), until.is_some()),
            _ => String::new(),
        };
        found.insert(format!("{} {kind} {more}", event.fact.kind()));
    }
    found
}

/// Histories of simulated runs, also of those with agents, and with compensation, pages and moves: of each first those that
/// have something that no other has, then short ones.
fn record() -> Vec<Recorded> {
    let (mut recorded, mut known) = (Vec::<Recorded>::new(), BTreeSet::new());
    for (first, most) in [(0, WANTED / 2), (AGENTS, WANTED * 3 / 4), (MORE, WANTED)] {
        for seed in first..first + 20_000 {
            if recorded.len() >= most {
                break;
            }
            record_seed(seed, seed - first > 100, &mut recorded, &mut known);
        }
    }
    recorded
}

/// What a seed has that is new; with `fills` also what is short.
fn record_seed(seed: u64, fills: bool, recorded: &mut Vec<Recorded>, known: &mut BTreeSet<String>) {
    let mut sim = Sim::new(seed);
    sim.run();
    for (at, (run, row)) in sim.tables.runs.iter().enumerate() {
        // Some as they were on the way: what a flush had stored.
        let flushed: Vec<i64> =
            sim.acknowledged.iter().filter(|c| c.run == *run).map(|c| c.progress.last_seq).collect();
        let cut = match flushed.as_slice() {
            [] => continue,
            all if (seed as usize + at).is_multiple_of(3) => all[seed as usize % all.len()],
            _ => row.last_seq,
        };
        let events = row.history[..cut as usize].to_vec();
        let definition = sim.graphs[row.workflow].definition().clone();
        let new: Vec<String> = features(&definition, &events).into_iter().filter(|f| !known.contains(f)).collect();
        let fills = fills && at == 0 && (4..=SHORT).contains(&events.len());
        if (new.is_empty() || events.len() > 4 * SHORT) && !fills {
            continue;
        }
        known.extend(new);
        let (state, digest) = digest(*run, &definition, &events);
        recorded.push(Recorded { run: *run, definition, events, status: state.status(), digest });
    }
}

#[test]
#[ignore = "writes a new folder of fixtures; docs/testing.md says when"]
#[expect(clippy::disallowed_methods, reason = "a test's own settings")]
fn record_a_corpus() {
    let name = std::env::var("WEFT_CORPUS").expect("WEFT_CORPUS: expected the version that writes this format");
    let folder = folder().join(&name);
    assert!(!folder.exists(), "{name} is recorded already, and what is recorded stays as it is: choose another name");
    let lines: Vec<String> =
        record().iter().map(|recorded| serde_json::to_string(recorded).expect("plain data")).collect();
    std::fs::create_dir_all(&folder).expect("a folder can be made");
    std::fs::write(folder.join("simulated.jsonl"), lines.join("\n") + "\n").expect("a file can be written");
}

/// Every recorded history, with where it stands.
fn recorded() -> Vec<(String, Recorded)> {
    let list = |folder: PathBuf| {
        let mut found: Vec<PathBuf> =
            std::fs::read_dir(folder).expect("it is there").map(|entry| entry.expect("is readable").path()).collect();
        found.sort();
        found
    };
    let mut all = Vec::new();
    for file in list(folder()).into_iter().flat_map(list) {
        let text = std::fs::read_to_string(&file).expect("it is text");
        for (line, number) in text.lines().zip(1..) {
            let place = format!("{}:{number}", file.display());
            let read =
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{place} can't be read any more: {error}"));
            all.push((place, read));
        }
    }
    all
}

#[test]
fn every_kind_of_event_stands_in_the_corpus() {
    const KINDS: [&str; 28] = [
        "run_queued",
        "run_started",
        "run_forked",
        "step_started",
        "step_succeeded",
        "step_failed",
        "step_skipped",
        "step_waiting",
        "step_signalled",
        "step_advanced",
        "step_answered",
        "page_asked",
        "page_came",
        "body_started",
        "body_succeeded",
        "body_failed",
        "retry_scheduled",
        "compensation_planned",
        "compensation_started",
        "run_taken_over",
        "run_paused",
        "run_resumed",
        "run_retried",
        "run_migrated",
        "cancel_requested",
        "run_succeeded",
        "run_failed",
        "run_cancelled",
    ];
    let all = recorded();
    let found: BTreeSet<&str> = all.iter().flat_map(|(_, old)| &old.events).map(|event| event.fact.kind()).collect();
    let missing: Vec<&str> = KINDS.into_iter().filter(|kind| !found.contains(kind)).collect();
    assert!(missing.is_empty(), "no recorded history has {missing:?}: record a folder, as docs/testing.md says");
}

#[test]
fn histories_that_older_binaries_wrote_fold_to_what_they_were() {
    let all = recorded();
    assert!(all.len() >= 200, "the corpus has {} histories", all.len());
    for (place, old) in all {
        check_history(&old.events);
        let (state, found) = digest(old.run, &old.definition, &old.events);
        assert_eq!(state.status(), old.status, "{place}");
        assert_eq!(found, old.digest, "{place} folds to another state than when it was recorded");
    }
}

#[test]
fn runs_that_older_binaries_left_open_go_on_to_their_end() {
    for (place, old) in recorded().into_iter().filter(|(_, old)| !old.status.is_final()) {
        let (mut state, _) = digest(old.run, &old.definition, &old.events);
        let mut events = old.events.clone();
        let mut now = events.last().map_or(Timestamp(0), |event| event.at);
        for round in 0..300_u32 {
            if state.is_ended() {
                break;
            }
            now = now.max(state.next_due().unwrap_or(now)).plus_ms(1);
            let moment = Moment { now, fraction: 0.5 };
            for input in what_helps(&state, round) {
                if let Ok((new, _)) = machine::advance(&mut state, input, &moment, 1000) {
                    events.extend(new);
                }
            }
        }
        assert!(state.is_ended(), "{place} does not end: {:?}", state.headline());
        check_history(&events);
        assert_same(&digest(old.run, &old.definition, &events).0, &state);
    }
}

/// All that can be done for a run to get on; in the end it is cancelled.
fn what_helps(state: &State, round: u32) -> Vec<Input> {
    let done = |slot: Slot| {
        let result = Ok(Outcome::out(json!({"v": 1})));
        Input::Done { step: state.path(slot), attempt: state.step_at(slot).attempt, result }
    };
    let heard = |slot: Slot| -> Vec<Input> {
        let step = state.step_at(slot);
        let Some(on) = step.waiting.as_ref().and_then(|waiting| waiting.on.as_ref()) else { return Vec::new() };
        let signals = match on {
            Await::Run { run } => {
                vec![Signal::RunEnded { run: *run, status: RunStatus::Succeeded, output: json!(1), error: None }]
            }
            Await::Event { fields, .. } => vec![Signal::Event { payload: fields.clone(), event: None }],
            Await::Approval { id, question } => (1..=u128::from(question.required) + 3)
                .map(|by| {
                    let (by, decision) = (UserId(uuid::Uuid::from_u128(by)), question.decisions[0].clone());
                    let (form, comment) = (serde_json::Value::Null, String::new());
                    Signal::Vote(Vote {
                        by,
                        name: "Ada".to_owned(),
                        decision,
                        form,
                        comment,
                        approval: Some(*id),
                        instead_of: None,
                    })
                })
                .collect(),
        };
        let input = |signal| Input::Signal { step: Some(state.path(slot)), attempt: step.attempt, signal };
        signals.into_iter().map(input).collect()
    };
    let begin = !state.is_started() && !state.is_paused();
    let mut inputs = vec![Input::TakeOver];
    if round > 0 {
        inputs.clear();
    }
    inputs.extend(begin.then(|| Input::Start { inputs: state.given().clone(), until: None }));
    inputs.extend(state.is_paused().then_some(Input::Command { command: Command::Resume, by: None }));
    inputs.extend(state.in_flight().map(done));
    inputs.extend(state.awaiting().flat_map(heard));
    inputs.push(Input::Wake);
    inputs.extend((round > 200).then_some(Input::Command { command: Command::Cancel, by: None }));
    inputs
}
