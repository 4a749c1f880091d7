//! What the fold makes of each fact in each status, also of those that no machine writes there: a history that was damaged
//! must not take the process down.

use serde_json::json;

use super::tests_table::{CHILD, draw, moment, steps, vote};
use super::*;
use crate::model::workflow::FailureHandling;

#[test]
fn the_fold_of_each_fact_in_each_status() {
    let error = || StepError::permanent("refused", "no");
    let step_failed = |handled| Fact::StepFailed { attempt: 1, error: error(), handled, untaken: vec![] };
    let facts = [
        (None, Fact::RunQueued { inputs: json!({}), until: None }),
        (None, Fact::RunStarted { inputs: json!({}), until: None }),
        (
            None,
            Fact::RunForked(Box::new(Forked {
                from_run: CHILD,
                from_seq: 1,
                by: None,
                restarted: None,
                edited: vec![],
            })),
        ),
        (None, Fact::RunTakenOver { steps_in_flight: vec!["a".into()] }),
        (None, Fact::RunPaused { by: None, with_parent: false }),
        (None, Fact::RunResumed { by: None }),
        (None, Fact::RunRetried { by: None, steps: vec!["a".into()] }),
        (None, Fact::CancelRequested { by: None }),
        (None, Fact::RunSucceeded { output: json!(1) }),
        (None, Fact::RunFailed { step: Some("a".into()), error: error() }),
        (None, Fact::RunCancelled {}),
        (Some("a"), Fact::StepStarted { attempt: 3, input: json!({}), key: "k".into(), goes_on: false }),
        (
            Some("a"),
            Fact::StepSucceeded { attempt: 1, port: "out".into(), output: json!(1), untaken: vec![], given: None },
        ),
        (Some("a"), step_failed(FailureHandling::FailsRun)),
        (Some("a"), step_failed(FailureHandling::Continues)),
        (Some("a"), step_failed(FailureHandling::ErrorPort)),
        (Some("a"), Fact::StepSkipped { reason: SkipReason::NotReached, untaken: vec![] }),
        (Some("a"), Fact::StepWaiting { attempt: 1, reason: "r".into(), until: Some(moment(500).now), on: None }),
        (Some("a"), Fact::StepSignalled { attempt: 1, signal: vote(1, "approved") }),
        (Some("a"), Fact::RetryScheduled { attempt: 1, error: error(), at: moment(500).now, keeps: false }),
        (Some("a"), Fact::CompensationPlanned { config: json!({}), error: None }),
        (Some("a"), Fact::BodyStarted { index: 0 }),
        (Some("a"), Fact::PageAsked { page: 0, cursor: json!(null) }),
        (Some("a"), Fact::PageCame { page: 0, items: vec![json!(1)], next: json!(null) }),
        (Some("b"), Fact::StepStarted { attempt: 1, input: json!({}), key: "k".into(), goes_on: false }),
    ];
    let states = steps();
    let mut rows = Vec::new();
    for (step, fact) in &facts {
        let handled = match fact {
            Fact::StepFailed { handled, .. } => format!(" {handled:?}").to_lowercase(),
            _ if *step == Some("b") => " of a step that there is not".to_owned(),
            _ => String::new(),
        };
        let cells = states.iter().map(|(_, state)| {
            let mut after = state.clone();
            let event = Event {
                seq: state.last_seq() + 1,
                at: moment(20).now,
                step: step.map(str::to_owned),
                fact: fact.clone(),
            };
            after.apply(&event);
            let look = |state: &State| {
                format!("{} in {}", state.find_step("a").expect("there").status.as_str(), state.status().as_str())
            };
            if look(&after) == look(state) { "=".to_owned() } else { look(&after) }
        });
        rows.push((format!("{}{handled}", fact.kind()), cells.collect::<Vec<_>>()));
    }
    let rows = rows.iter().map(|(name, cells)| (name.as_str(), cells.clone())).collect();
    insta::assert_snapshot!(draw(&states.iter().map(|(name, _)| *name).collect::<Vec<_>>(), rows));
}
