//! What must hold of runs that undo what they did.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::panic::AssertUnwindSafe;

use crate::model::workflow::compensation::{CompensationFailure, CompensationPolicy};
use crate::model::workflow::{Ending, Event, Fact, State, UNDO};
use crate::model::{RunId, Timestamp};

/// A path with the attempts of the containers around it, where it is not their first: what its compensation
/// is called behind [`UNDO`], but for the marks that tell two of one name apart.
fn unique(path: &str, attempts: &BTreeMap<&str, u32>) -> String {
    let mut unique = String::new();
    for (at, c) in path.char_indices() {
        if let Some(attempt) = attempts.get(&path[..at]).filter(|attempt| c == '[' && **attempt > 1) {
            let _ = write!(unique, "#{attempt}");
        }
        unique.push(c);
    }
    unique
}

/// The name of a compensation without the marks that tell two of one name apart.
pub fn unmarked(path: &str) -> &str {
    path.trim_end_matches('\'')
}

/// What is undone because somebody cancelled the run is held only by who has paused it since.
pub fn check_held(history: &[Event], state: &State) {
    if state.is_paused() && state.undoing() == Some(&Ending::Cancelled {}) {
        let turned = history.iter().rposition(|event| matches!(event.fact, Fact::CompensationStarted { .. }));
        let since = &history[turned.expect("it undoes")..];
        let held = since.iter().any(|event| matches!(event.fact, Fact::RunPaused { .. }));
        assert!(held, "{} was cancelled while it was paused, and undoes nothing", state.id());
    }
}

/// A run that ended badly has undone each step that had succeeded and says how, the newest first, each once, and all of them
/// unless a failure stops the rest. Nothing else begins once it has turned round, and a run that ended well undid nothing.
pub fn check_undone(history: &[Event], policy: CompensationPolicy) {
    let own = history.iter().rposition(|event| matches!(event.fact, Fact::RunForked(_))).unwrap_or(0);
    let (mut planned, mut undone) = (Vec::new(), Vec::<&str>::new());
    let (mut turned, mut has_failed) = (false, false);
    let mut attempts = BTreeMap::new();
    for (at, event) in history.iter().enumerate() {
        let path = event.step.as_deref().unwrap_or_default();
        if let Fact::StepStarted { attempt, goes_on: false, .. } = &event.fact {
            attempts.insert(path, *attempt);
        }
        // What a fork has copied is another run's to undo.
        if at < own {
            continue;
        }
        let undoes = path.strip_prefix(UNDO);
        match &event.fact {
            Fact::CompensationPlanned { .. } => planned.push(unique(path, &attempts)),
            Fact::CompensationStarted { ending } => {
                assert!(!turned && policy.covers(ending), "the run turns round: {event:?}");
                turned = true;
            }
            Fact::StepStarted { .. } => {
                assert_eq!(undoes.is_some(), turned, "{path} begins where the run undoes, or goes forward");
                undone.extend(undoes.filter(|undoes| undone.last() != Some(undoes)));
            }
            Fact::StepFailed { .. } => has_failed |= undoes.is_some(),
            Fact::RunRetried { .. } => assert!(!turned, "what was undone is gone on from"),
            Fact::RunSucceeded { .. } => assert!(!turned, "a run that ended well has undone something"),
            Fact::RunFailed { step, error } if !turned => {
                let ending = Ending::Failed { step: step.clone(), error: error.clone() };
                assert!(planned.is_empty() || !policy.covers(&ending), "nothing is undone of {planned:?}");
            }
            Fact::RunCancelled {} if !turned => {
                let ending = Ending::Cancelled {};
                assert!(planned.is_empty() || !policy.covers(&ending), "nothing is undone of {planned:?}");
            }
            Fact::RunFailed { .. } | Fact::RunCancelled {} => {
                let wanted: Vec<&str> = planned.iter().rev().map(String::as_str).collect();
                let found: Vec<&str> = undone.iter().map(|path| unmarked(path)).collect();
                let stops = policy.on_error == CompensationFailure::Stop && has_failed;
                let whole = found.len() == wanted.len() || stops;
                assert!(whole && wanted.starts_with(&found), "undone is {found:?}, and not {wanted:?}");
            }
            _ => {}
        }
    }
}

#[test]
fn a_pause_from_before_that_holds_what_is_undone_is_noticed() {
    let definition =
        serde_json::json!({"weft": 1, "name": "saga", "edges": [], "steps": [{"id": "a", "kind": "wait"}]});
    let definition = serde_json::from_value(definition).expect("fits");
    let passes = |facts: Vec<Fact>| {
        let mut state = State::new(RunId(uuid::Uuid::nil()), &definition);
        let mut events = Vec::new();
        for (fact, seq) in facts.into_iter().zip(1..) {
            let event = Event { seq, at: Timestamp(0), step: None, fact };
            state.apply(&event);
            events.push(event);
        }
        std::panic::catch_unwind(AssertUnwindSafe(|| check_held(&events, &state))).is_ok()
    };
    let started = || Fact::RunStarted { inputs: serde_json::json!({}), until: None };
    let paused = || Fact::RunPaused { by: None, with_parent: false };
    let turned = || Fact::CompensationStarted { ending: Ending::Cancelled {} };
    assert!(!passes(vec![started(), paused(), turned()]));
    assert!(passes(vec![started(), paused(), turned(), Fact::RunResumed { by: None }]));
    assert!(passes(vec![started(), turned(), paused()]), "who pauses it later holds it");
}
