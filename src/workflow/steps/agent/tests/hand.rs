//! A task that is handed over for good.

use super::*;
use crate::model::agent::hook::Hook;

fn hands() -> Entry {
    using(&[("1", AgentTool::HandOver, json!({"agent": "writer", "task": "Write it up."}))])
}

fn handing(schema: Value) -> Vec<Entry> {
    vec![begun(spec(&[AgentTool::HandOver]), schema), hands()]
}

#[test]
fn what_the_other_agent_answers_is_the_answer() {
    let mut journal = handing(Value::Null);
    assert!(matches!(after(&journal), Next::Wait(call) if call.id == "1"));
    let long = "A loom. ".repeat(4_000);
    journal.push(answered("out", json!({"text": long, "json": null})));
    let Next::Done(output) = after(&journal) else { panic!("its work is over") };
    assert_eq!(output["text"], json!(long), "all of it, however long");
    assert_eq!((&output["turns"], &output["untrusted"]), (&json!(1), &json!(true)), "the model is not asked again");
}

#[test]
fn an_agent_that_could_not_be_handed_the_task_leaves_it_where_it_was() {
    let mut journal = handing(Value::Null);
    let error = StepError::permanent("limit", "it has spent all");
    journal.push(Entry::Answered { port: "error".into(), output: Value::Null, error: Some(error) });
    let Next::Say(request) = after(&journal) else { panic!("the model goes on") };
    let shown = serde_json::to_string(&request.messages).unwrap();
    assert!(shown.contains("It failed: it has spent all"), "{shown}");
}

#[test]
fn an_answer_that_does_not_fit_is_left_to_the_one_that_was_asked_for_it() {
    let schema = json!({"type": "object", "required": ["score"], "properties": {"score": {"type": "integer"}}});
    let mut journal = handing(schema);
    let words = journal.clone();
    journal.push(answered("out", json!({"text": "Four of five.", "json": null})));
    let Next::Say(request) = after(&journal) else { panic!("the model goes on") };
    let last = serde_json::to_string(&request.messages.last()).unwrap();
    assert!(last.contains("does not fit the JSON Schema") && last.contains("Four of five."), "{last}");
    let mut fits = words;
    fits.push(answered("out", json!({"text": "", "json": {"score": 4}})));
    let Next::Done(output) = after(&fits) else { panic!("it fits") };
    assert_eq!(output["json"], json!({"score": 4}));
}

#[test]
fn hooks_look_at_an_answer_of_another_before_it_is_given() {
    let hook: Hook = serde_json::from_value(json!({
        "name": "no keys", "when": "answer", "condition": "'KEY' in text", "does": {"act": "deny", "message": "Leave it away."},
    }))
    .unwrap();
    let spec = AgentSpec { hooks: vec![hook], ..spec(&[AgentTool::HandOver]) };
    let mut journal = vec![begun(spec, Value::Null), hands(), answered("out", json!({"text": "A KEY.", "json": null}))];
    let Next::Judge(calls) = after(&journal) else { panic!("the hooks are asked") };
    journal.push(Entry::Judged { calls });
    let Next::Say(request) = after(&journal) else { panic!("it is sent back") };
    let roles: Vec<_> = request.messages.iter().map(|message| message.role).collect();
    assert_eq!(roles.len(), 3, "what is said of it stands beside the result: {roles:?}");
    assert!(serde_json::to_string(&request.messages).unwrap().contains("Leave it away."));
}

#[test]
fn of_a_result_that_hooks_looked_at_no_more_is_given_than_they_saw() {
    let mask: Hook = serde_json::from_value(json!({
        "name": "mask", "when": "after", "does": {"act": "edit", "whole": "result | replace('KEY', '…')"},
    }))
    .unwrap();
    let spec = AgentSpec { hooks: vec![mask], ..spec(&[AgentTool::HandOver]) };
    for (text, is_whole) in
        [("A KEY.".to_owned(), true), ("loom ".repeat(2_000) + "KEY " + &"loom ".repeat(2_000), false)]
    {
        let handed = answered("out", json!({"text": text, "json": null}));
        let mut journal = vec![begun(spec.clone(), Value::Null), hands(), handed];
        let Next::Judge(calls) = after(&journal) else { panic!("the hooks are asked") };
        journal.push(Entry::Judged { calls });
        let Next::Done(output) = after(&journal) else { panic!("its work is over") };
        let given = output["text"].as_str().unwrap();
        assert!(!given.contains("KEY") && given.contains("left out") != is_whole, "{given}");
    }
}

#[test]
fn nothing_is_handed_over_to_whom_it_may_not_ask() {
    let other = json!({"agent": "stranger", "task": "Write."});
    let journal = [begun(spec(&[AgentTool::HandOver]), Value::Null), using(&[("1", AgentTool::HandOver, other)])];
    let Next::Use(none, refusals) = after(&journal) else { panic!("it is refused") };
    assert!(none.is_empty() && refusals[0].content.contains("You may not ask \"stranger\""), "{refusals:?}");
}
