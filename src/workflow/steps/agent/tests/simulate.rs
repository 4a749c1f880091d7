//! Whole tasks, with whatever a model asks for, and a process that ends at any moment: before a piece, after it was done and before
//! it was stored, and in the middle of a provider's failure. Nothing is paid for or done twice.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::next::{Next, next};
use super::super::outcome;
use super::super::work::{Call, Work};
use super::{answered, begun, script, spec, using, words, work};
use crate::model::agent::{AgentLimits, AgentSpec, AgentTool, Entry, Hook, Rule, Ruling};

/// What becomes of one piece of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It is done and stored.
    Stored,
    /// The process ends before anything of it was done.
    EndsBefore,
    /// The process ends once it was done, and nothing of it is stored.
    EndsAfter,
    /// It fails, and the step is tried again.
    Fails,
}

/// What the model asks for in a turn, if it has one left.
#[derive(Debug, Clone)]
enum Wish {
    Words,
    Calls(Vec<AgentTool>),
}

/// What happened outside of the journal: what can't be taken back.
#[derive(Debug, Default)]
struct Outside {
    /// Calls of the model.
    asked: u32,
    /// Those whose answer was lost or never came.
    lost: u32,
    /// How often each script ran, by the id of its call.
    ran: BTreeMap<String, u32>,
    /// What people agreed to, by the id of the call.
    agreed: BTreeMap<String, Value>,
}

fn fates() -> impl Strategy<Value = Vec<Fate>> {
    let fate = prop_oneof![
        6 => Just(Fate::Stored), 1 => Just(Fate::EndsBefore), 1 => Just(Fate::EndsAfter), 1 => Just(Fate::Fails),
    ];
    prop::collection::vec(fate, 1..80)
}

fn wishes() -> impl Strategy<Value = Vec<Wish>> {
    let tool = prop_oneof![
        Just(AgentTool::Shell),
        Just(AgentTool::MemorySearch),
        Just(AgentTool::MemoryWrite),
        Just(AgentTool::AskPerson),
        Just(AgentTool::PublishChanges),
    ];
    let wish = prop_oneof![1 => Just(Wish::Words), 4 => prop::collection::vec(tool, 1..4).prop_map(Wish::Calls)];
    prop::collection::vec(wish, 1..8)
}

fn hooks() -> impl Strategy<Value = Vec<Hook>> {
    let hook = |value: Value| -> Hook { serde_json::from_value(value).unwrap() };
    let loud = hook(json!({"name": "a", "when": "before", "tools": ["shell"],
        "does": {"act": "edit", "set": [{"path": "script", "value": "{{ arguments.script }}!"}]}}));
    let look = hook(json!({"name": "b", "when": "before", "tools": ["shell"], "does": {"act": "ask"}}));
    let answer = hook(json!({"name": "c", "when": "answer", "does": {"act": "ask"}}));
    prop::sample::subsequence(vec![loud, look, answer], 0..=3)
}

fn arguments(tool: AgentTool, number: usize) -> Value {
    match tool {
        AgentTool::Shell => script(&format!("echo {number}")),
        AgentTool::MemorySearch => json!({"query": format!("looms {number}")}),
        AgentTool::MemoryWrite => json!({"namespace": "notes", "key": format!("k{number}"), "content": "x"}),
        _ => json!({"question": format!("Which of {number}?")}),
    }
}

/// What the model says in its turn of this number.
fn say(wish: Option<&Wish>, turn: usize) -> Entry {
    let Some(Wish::Calls(tools)) = wish else { return words("Done.") };
    let calls: Vec<(String, AgentTool, Value)> = tools
        .iter()
        .enumerate()
        .map(|(at, tool)| (format!("{turn}-{at}"), *tool, arguments(*tool, turn * 10 + at)))
        .collect();
    let calls: Vec<(&str, AgentTool, Value)> =
        calls.iter().map(|(id, tool, input)| (id.as_str(), *tool, input.clone())).collect();
    using(&calls)
}

/// A person's word, the same for the same call.
fn word(id: &str) -> &'static str {
    match id.bytes().map(u32::from).sum::<u32>() % 3 {
        0 => "rejected",
        _ => "approved",
    }
}

fn run(outside: &mut Outside, call: &Call) {
    *outside.ran.entry(call.id.clone()).or_default() += 1;
    if let Some(agreed) = outside.agreed.get(&call.id) {
        assert_eq!(agreed, &call.arguments, "what is done is what somebody agreed to");
    }
}

/// Does the next piece: what is stored of it, if it is not its end.
fn piece(work: &Work, what: Next, wishes: &[Wish], attempt: u32, outside: &mut Outside) -> Option<Entry> {
    Some(match what {
        Next::Say(_) => {
            assert!(work.totals.turns < work.spec.limits.turns, "no turn beyond the limit is paid for");
            assert!(work.totals.tokens < work.spec.limits.tokens, "nor one once the tokens are used");
            outside.asked += 1;
            let turn = work.totals.turns as usize;
            say(wishes.get(turn), turn)
        }
        Next::Judge(calls) => Entry::Judged { calls },
        Next::Use(calls, mut results) => {
            for call in &calls {
                assert_ne!(call.tool, Some(AgentTool::Shell), "what acts is noted first");
            }
            results.extend(calls.iter().map(|call| outcome::result(call, "It is so.", false)));
            Entry::Used { results, ms: 1 }
        }
        Next::Start(call) => Entry::Started { id: call.id, attempt },
        Next::Act(call) => {
            run(outside, &call);
            Entry::Used { results: vec![outcome::result(&call, "Exit code 0", false)], ms: 1 }
        }
        Next::Unknown(call) => Entry::Used { results: vec![outcome::refused(&call, "Nobody knows.")], ms: 0 },
        Next::Consent(call) => {
            if word(&call.id) == "approved" {
                outside.agreed.insert(call.id.clone(), call.arguments.clone());
            }
            answered(word(&call.id), json!({"by": "Ada"}))
        }
        Next::Wait(call) => {
            assert_eq!(call.tool, Some(AgentTool::AskPerson));
            answered("answered", json!({"by": "Ada", "form": {"answer": "The blue one."}}))
        }
        Next::Release => answered("approved", json!({"by": "Ada"})),
        Next::Queue(_) => panic!("nobody else is there to wait for"),
        Next::Done(_) | Next::Fail(_) => return None,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn whenever_a_process_ends_nothing_is_paid_for_or_done_twice(
        fates in fates(),
        wishes in wishes(),
        hooks in hooks(),
        ruling in prop_oneof![Just(Ruling::Allow), Just(Ruling::Ask), Just(Ruling::Deny)],
        turns in 1_u32..6,
        tokens in 100_i64..700,
    ) {
        let rule = Rule { tool: Some(AgentTool::Shell), matching: String::new(), after_untrusted: false, ruling };
        let tools = [AgentTool::Shell, AgentTool::MemorySearch, AgentTool::MemoryWrite, AgentTool::AskPerson];
        let limits = AgentLimits { turns, tokens, ..AgentLimits::default() };
        let mut journal = vec![begun(AgentSpec { rules: vec![rule], hooks, limits, ..spec(&tools) }, Value::Null)];
        let mut outside = Outside::default();
        // The attempt of the step, and whether it was begun before in a process that ended.
        let (mut attempt, mut is_repeat) = (1, false);
        // In the end nothing goes wrong any more: every task comes to an end.
        for fate in fates.into_iter().chain(std::iter::repeat_n(Fate::Stored, 200)) {
            let now = work(&journal);
            let what = next(&now, attempt, is_repeat);
            prop_assert_eq!(
                format!("{what:?}"), format!("{:?}", next(&work(&journal), attempt, is_repeat)), "the same journal, the same piece"
            );
            if fate == Fate::EndsBefore {
                is_repeat = true;
                continue;
            }
            // A provider fails before it answers; a script that fails has a result.
            if fate == Fate::Fails && matches!(what, Next::Say(_)) {
                outside.asked += 1;
                outside.lost += 1;
                (attempt, is_repeat) = (attempt + 1, false);
                continue;
            }
            let is_asking = matches!(what, Next::Say(_));
            let Some(entry) = piece(&now, what, &wishes, attempt, &mut outside) else { break };
            if fate == Fate::EndsAfter {
                outside.lost += u32::from(is_asking);
                // What people said is not asked of them again: it is stored where they said it.
                if !matches!(entry, Entry::Answered { .. }) {
                    is_repeat = true;
                    continue;
                }
            }
            journal.push(entry);
            is_repeat = false;
        }
        let end = work(&journal);
        prop_assert!(matches!(next(&end, attempt, is_repeat), Next::Done(_) | Next::Fail(_)), "it ends");
        let said = journal.iter().filter(|entry| matches!(entry, Entry::Said { .. })).count() as u32;
        prop_assert_eq!(outside.asked, said + outside.lost, "an answer that is stored is not asked for again");
        prop_assert_eq!(end.totals.turns, said);
        prop_assert!(said <= turns);
        prop_assert!(outside.ran.values().all(|times| *times == 1), "{:?}", outside.ran);
        for id in outside.ran.keys() {
            prop_assert!(ruling != Ruling::Deny, "{id} was forbidden");
            prop_assert!(ruling != Ruling::Ask || outside.agreed.contains_key(id), "nobody agreed to {id}");
        }
        // A result that comes twice is no second result.
        for (at, entry) in journal.iter().enumerate().filter(|(_, entry)| matches!(entry, Entry::Used { .. })) {
            let mut twice = journal.clone();
            twice.insert(at + 1, entry.clone());
            prop_assert!(Work::fold(&twice).is_err());
        }
    }
}
