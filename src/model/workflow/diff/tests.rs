//! Values, definitions and runs side by side.

use serde_json::{Value, json};

use super::*;
use crate::model::workflow::{Definition, Event, Fact, Lineage, RunStatus, State, StepError, TriggerKind};
use crate::model::{RunId, Timestamp};

fn paths(a: &Value, b: &Value) -> Vec<String> {
    compare(a, b).items.into_iter().map(|item| item.path).collect()
}

#[test]
fn values_differ_at_their_leaves() {
    assert!(compare(&json!({"a": [1, {"b": null}]}), &json!({"a": [1, {"b": null}]})).is_empty());
    let (a, b) =
        (json!({"a": 1, "b": {"c": [1, 2, 3]}, "gone": true}), json!({"a": 2, "b": {"c": [1, 9, 3]}, "n/w": 0}));
    assert_eq!(paths(&a, &b), ["/a", "/b/c/1", "/gone", "/n~1w"]);
    let kinds: Vec<_> = compare(&a, &b).items.into_iter().map(|item| item.kind).collect();
    assert_eq!(kinds[2..], [DifferenceKind::Removed, DifferenceKind::Added]);
}

#[test]
fn one_item_more_at_the_front_is_one_difference() {
    assert_eq!(paths(&json!([1, 2, 3]), &json!([0, 1, 2, 3])), ["/0"]);
    assert_eq!(paths(&json!([1, 2, 3]), &json!([1, 3])), ["/1"]);
    assert_eq!(paths(&json!([]), &json!([1])), ["/0"]);
    assert_eq!(paths(&json!([7, 7]), &json!([7])), ["/1"]);
}

#[test]
fn many_differences_are_counted_and_long_texts_cut_to_where_they_differ() {
    let numbers = |from: u32| Value::Array((from..from + 500).map(Value::from).collect());
    let found = compare(&numbers(0), &numbers(1000));
    assert_eq!((found.items.len(), found.more), (50, 450));
    let long = "x".repeat(5000);
    let found = compare(&json!(format!("{long}a{long}")), &json!(format!("{long}b{long}")));
    let Value::String(text) = &found.items[0].a else { panic!() };
    assert!(text.starts_with("…x") && text.ends_with("x…") && text.contains('a') && text.len() < 300, "{text}");
    assert_eq!(compare(&json!(1), &numbers(0)).items[0].b, json!("a list of 500"));
}

fn run(definition: &Value, facts: Vec<(Option<&str>, Fact)>) -> RunDetail {
    let definition: Definition = serde_json::from_value(definition.clone()).expect("fits");
    let id = RunId(uuid::Uuid::nil());
    let mut state = State::new(id, &definition);
    for ((step, fact), seq) in facts.into_iter().zip(1..) {
        state.apply(&Event { seq, at: Timestamp(seq * 1000), step: step.map(str::to_owned), fact });
    }
    RunDetail {
        summary: RunSummary {
            id,
            workflow_id: None,
            workflow_name: "w".into(),
            version: None,
            status: state.status(),
            trigger: TriggerKind::Manual,
            started_by: None,
            parent_run_id: None,
            created_at: Timestamp(0),
            started_at: Some(Timestamp(1000)),
            ended_at: state.ended_at(),
            headline: None,
            steps_done: 0,
            steps_total: 0,
        },
        inputs: state.given().clone(),
        output: state.output().clone(),
        error: state.error().cloned(),
        steps: state.steps().to_vec(),
        last_seq: state.last_seq(),
        compensation: None,
        lineage: Lineage::default(),
        definition,
    }
}

fn began(input: Value) -> Fact {
    Fact::StepStarted { attempt: 1, input, key: String::new(), goes_on: false }
}

fn gave(output: Value) -> Fact {
    Fact::StepSucceeded { attempt: 1, port: "out".into(), output, untaken: Vec::new(), given: None }
}

fn chain() -> Value {
    json!({"weft": 1, "name": "w", "steps": [{"id": "b", "kind": "http"}, {"id": "a", "kind": "http"}],
        "edges": [{"from": "a", "to": "b"}]})
}

fn usual(input: &Value, output: Value) -> Vec<(Option<&'static str>, Fact)> {
    vec![
        (None, Fact::RunStarted { inputs: json!({"n": 1}), until: None }),
        (Some("a"), began(json!({"url": "x"}))),
        (Some("a"), gave(output.clone())),
        (Some("b"), began(input.clone())),
        (Some("b"), gave(json!(2))),
        (None, Fact::RunSucceeded { output }),
    ]
}

#[test]
fn a_run_does_not_differ_from_itself() {
    let one = run(&chain(), usual(&json!({}), json!(1)));
    let found = diff(&one, &one);
    assert!(found.is_same() && found.first.is_none(), "{found:#?}");
    assert_eq!(
        found.steps.iter().map(|step| step.id.as_str()).collect::<Vec<_>>(),
        ["a", "b"],
        "in the order they ran"
    );
}

#[test]
fn the_first_step_that_went_another_way_is_named() {
    let one = run(&chain(), usual(&json!({"n": 1}), json!({"n": 1})));
    let other = run(&chain(), usual(&json!({"n": 2}), json!({"n": 2})));
    let found = diff(&one, &other);
    let first = found.first.expect("they part");
    assert_eq!((first.step.as_str(), first.what.as_str()), ("a", "it gave back something else"));
    assert_eq!(found.steps[1].aspects, [Aspect::Input]);
    assert_eq!(found.output.items[0].path, "/n");
}

#[test]
fn a_failure_stands_beside_the_success() {
    let error = StepError::permanent("http_status", "404");
    let failed = Fact::StepFailed {
        attempt: 1,
        error: error.clone(),
        handled: crate::model::workflow::FailureHandling::FailsRun,
        untaken: vec![],
    };
    let bad = run(
        &chain(),
        vec![
            (None, Fact::RunStarted { inputs: json!({"n": 1}), until: None }),
            (Some("a"), began(json!({"url": "x"}))),
            (Some("a"), failed),
            (None, Fact::RunFailed { step: Some("a".into()), error }),
        ],
    );
    let found = diff(&bad, &run(&chain(), usual(&json!({}), json!(1))));
    assert_eq!(found.first.expect("they part").what, "it failed in the first run and succeeded in the second");
    assert_eq!((found.a.status, found.b.status), (RunStatus::Failed, RunStatus::Succeeded));
    assert_eq!(found.steps[0].a.as_ref().and_then(|side| side.error.as_deref()), Some("404"));
}

#[test]
fn definitions_differ_by_steps_edges_and_fields() {
    let mut other = chain();
    other["steps"][1]["config"] = json!({"url": "http://y"});
    other["steps"][1]["position"] = json!({"x": 5, "y": 5});
    other["steps"].as_array_mut().expect("a list").push(json!({"id": "c", "kind": "transform"}));
    other["edges"].as_array_mut().expect("a list").push(json!({"from": "b", "to": "c"}));
    other["output"] = json!("x");
    let found = diff(&run(&chain(), usual(&json!({}), json!(1))), &run(&other, usual(&json!({}), json!(1))));
    let definition = &found.definition;
    assert_eq!(
        (definition.added.as_slice(), definition.fields.as_slice()),
        (&["c".to_owned()][..], &["output".to_owned()][..])
    );
    assert_eq!(definition.changed[0], ChangedStep { id: "a".into(), fields: vec!["config.url".into()] });
    assert_eq!(definition.edges_added.len(), 1);
    assert_eq!(found.first.expect("they part").step, "c");
}
