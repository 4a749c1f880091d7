//! What becomes of an agent's answer that goes through hooks.

use serde_json::{Value, json};

use super::super::next::Next;
use super::super::release::SENT_BACK;
use super::{after, answered, begun, spec, words, work};
use crate::model::agent::{AgentSpec, Entry, Hook, HookOutcome};
use crate::model::gateway::{Block, Role};

fn of_answer(name: &str, condition: &str, does: Value) -> Hook {
    serde_json::from_value(json!({"name": name, "when": "answer", "condition": condition, "does": does})).unwrap()
}

fn answering(hooks: Vec<Hook>, schema: Value, text: &str) -> Vec<Entry> {
    vec![begun(AgentSpec { hooks, ..spec(&[]) }, schema), words(text)]
}

/// Adds what the hooks say.
fn judge(journal: &mut Vec<Entry>) {
    let Next::Judge(calls) = after(journal) else { panic!("hooks are asked first: {:?}", after(journal)) };
    assert_eq!(calls.len(), 1);
    journal.push(Entry::Judged { calls });
}

/// What the model is told at last.
fn told(journal: &[Entry]) -> String {
    let Next::Say(request) = after(journal) else { panic!("the model is asked again: {:?}", after(journal)) };
    let last = request.messages.last().unwrap();
    assert_eq!(last.role, Role::User);
    let Some(Block::Text { text, .. }) = last.content.first() else { panic!("in words") };
    text.clone()
}

fn ask() -> Hook {
    of_answer("look", "", json!({"act": "ask", "message": "Is it polite?"}))
}

#[test]
fn an_answer_that_a_hook_denies_is_not_given_and_the_model_answers_again() {
    let deny = of_answer("no keys", "'KEY' in text", json!({"act": "deny", "message": "Leave the key away."}));
    let mut journal = answering(vec![deny], Value::Null, "The KEY is 7.");
    judge(&mut journal);
    let text = told(&journal);
    assert!(text.contains("\"no keys\"") && text.contains("Leave the key away."), "{text}");
    journal.push(words("I can't say."));
    judge(&mut journal);
    let Next::Done(output) = after(&journal) else { panic!("it is given") };
    assert_eq!((&output["text"], &output["turns"]), (&json!("I can't say."), &json!(2)));
}

#[test]
fn after_some_answers_that_could_not_be_given_the_work_ends_without_one() {
    let mut journal = answering(vec![of_answer("never", "", json!({"act": "deny"}))], Value::Null, "No.");
    for _ in 0..SENT_BACK {
        judge(&mut journal);
        told(&journal);
        journal.push(words("No."));
    }
    judge(&mut journal);
    let Next::Fail(error) = after(&journal) else { panic!("it ends") };
    assert_eq!((error.class.as_str(), error.retryable), ("hook", false));
    assert!(error.message.contains("\"never\""), "{}", error.message);
}

#[test]
fn an_answer_is_given_as_hooks_edited_it_if_it_fits_its_schema() {
    let edit = |whole: &str| of_answer("mask", "", json!({"act": "edit", "whole": whole}));
    let mut journal = answering(vec![edit("text | replace('7', '…')")], Value::Null, "The key is 7.");
    judge(&mut journal);
    let Next::Done(output) = after(&journal) else { panic!("it is given") };
    assert_eq!(output["text"], "The key is ….");

    let schema = json!({"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}});
    let mut journal = answering(vec![edit("{'n': json.n + 1}")], schema.clone(), "{\"n\": 1}");
    judge(&mut journal);
    let Next::Done(output) = after(&journal) else { panic!("it is given") };
    assert_eq!(output["json"], json!({"n": 2}));

    let mut journal = answering(vec![edit("{'m': 1}")], schema, "{\"n\": 1}");
    judge(&mut journal);
    let Next::Fail(error) = after(&journal) else { panic!("it does not fit") };
    assert_eq!(error.class, "schema");
}

#[test]
fn a_person_lets_through_just_the_answer_that_hooks_made() {
    let loud = of_answer("loud", "", json!({"act": "edit", "whole": "text | upper"}));
    let mut journal = answering(vec![loud, ask()], Value::Null, "Woven.");
    judge(&mut journal);
    assert!(matches!(after(&journal), Next::Release), "a person is asked");
    let saying = work(&journal).saying.unwrap();
    assert_eq!((saying.answer.text.as_str(), saying.judgement.unwrap().outcome), ("WOVEN.", HookOutcome::Asked));
    journal.push(answered("approved", json!({"by": "Ada"})));
    let Next::Done(output) = after(&journal) else { panic!("it is given, and not judged again") };
    assert_eq!(output["text"], "WOVEN.");
}

#[test]
fn who_does_not_let_an_answer_through_says_why_and_silence_ends_the_work() {
    let mut journal = answering(vec![ask()], Value::Null, "No!");
    judge(&mut journal);
    let asked = journal.clone();
    journal.push(answered("rejected", json!({"by": "Ada", "comment": "Be kind."})));
    let text = told(&journal);
    assert!(text.contains("Be kind."), "{text}");
    journal.push(words("No, thank you."));
    judge(&mut journal);
    assert!(matches!(after(&journal), Next::Release), "the next answer is asked about as well");

    let mut journal = asked;
    journal.push(answered("expired", Value::Null));
    let Next::Fail(error) = after(&journal) else { panic!("nobody answered") };
    assert_eq!(error.class, "hook");
}

#[test]
fn of_a_trial_nobody_is_asked() {
    let mut journal = answering(vec![ask()], Value::Null, "Yes.");
    if let Entry::Begun { is_trial, .. } = &mut journal[0] {
        *is_trial = true;
    }
    judge(&mut journal);
    assert!(matches!(after(&journal), Next::Done(_)));
}

#[test]
fn hooks_are_asked_about_an_answer_once_and_only_where_there_is_one() {
    let mut journal = answering(vec![ask()], Value::Null, "Yes.");
    judge(&mut journal);
    let again = journal.last().unwrap().clone();
    journal.push(again.clone());
    assert!(super::super::work::Work::fold(&journal).is_err(), "it was judged before");
    let early = [begun(AgentSpec { hooks: vec![ask()], ..spec(&[]) }, Value::Null), again];
    assert!(super::super::work::Work::fold(&early).is_err(), "nothing was said");
}
