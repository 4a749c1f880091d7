//! What is sent of conversations that are too long.

use proptest::prelude::*;
use serde_json::json;

use super::Long;
use super::plan::{Fate, Plan};
use super::shape::{Shaped, shape};
use super::unit::{lonely, units};
use crate::model::gateway::{Block, ContextRule, Dialect, Extra, Message, Request, Role, estimate_request};

const ROOM: u32 = 4_000;

fn request(messages: Vec<Message>) -> Request {
    let mut request = Request::new(Dialect::Anthropic, "m");
    request.system.push(Block::text("You weave."));
    request.messages = messages;
    request
}

fn said(text: impl Into<String>) -> Message {
    Message::text(Role::User, text)
}

fn answered(text: impl Into<String>) -> Message {
    Message::text(Role::Assistant, text)
}

fn calls(ids: &[&str], thought: Option<&str>) -> Message {
    let thought = thought.map(|text| Block::Thinking { text: text.into(), signature: Some("c2ln".into()) });
    let uses = ids.iter().map(|id| Block::ToolUse {
        id: (*id).into(),
        name: "read".into(),
        input: json!({"path": "a"}),
        cache: None,
        extra: Extra::new(),
    });
    Message { role: Role::Assistant, content: thought.into_iter().chain(uses).collect(), extra: Extra::new() }
}

fn result(id: &str, text: impl Into<String>) -> Block {
    Block::ToolResult {
        tool_use_id: id.into(),
        content: vec![Block::text(text)],
        is_error: false,
        cache: None,
        extra: Extra::new(),
    }
}

fn gave(results: Vec<Block>) -> Message {
    Message { role: Role::User, content: results, extra: Extra::new() }
}

fn rule(keep_recent: u32) -> ContextRule {
    ContextRule { keep_recent, ..ContextRule::default() }
}

/// What is sent, and by which plan; what it takes at least where that is too long.
fn shorten(
    whole: &Request,
    room: u32,
    keep: u32,
    pinned: &[u32],
    summary: Option<&str>,
) -> Result<(Request, Plan, Shaped), i64> {
    let long = Long::of(whole, pinned);
    let plan = long.plan(room, &rule(keep), summary.map_or(0, |text| text.chars().count()))?;
    let shaped = shape(long.messages, &long.units, &plan, summary);
    Ok((Request { messages: shaped.messages.clone(), ..whole.clone() }, plan, shaped))
}

fn texts(request: &Request) -> String {
    serde_json::to_string(&request.messages).unwrap()
}

/// Turn by turn the other side, the person's first.
fn alternates(messages: &[Message]) -> bool {
    let mut sides = messages.iter().filter(|message| message.role != Role::System).map(|message| message.role);
    let expected = [Role::User, Role::Assistant].into_iter().cycle();
    sides.by_ref().zip(expected).all(|(role, expected)| role == expected)
}

/// A piece of a conversation: what the model says or calls, with what its tools give.
#[derive(Debug, Clone)]
enum Piece {
    Words(usize),
    Calls { results: Vec<usize>, thinks: bool, speaks: bool },
}

fn any_piece() -> impl Strategy<Value = Piece> {
    prop_oneof![
        (0_usize..3_000).prop_map(Piece::Words),
        (prop::collection::vec(0_usize..6_000, 1..4), any::<bool>(), prop::bool::weighted(0.2))
            .prop_map(|(results, thinks, speaks)| Piece::Calls { results, thinks, speaks }),
    ]
}

/// Rounds, each of what the person says and of pieces.
fn any_conversation() -> impl Strategy<Value = Vec<Message>> {
    prop::collection::vec((0_usize..2_500, prop::collection::vec(any_piece(), 1..6)), 1..12).prop_map(|rounds| {
        let (mut messages, mut count) = (Vec::new(), 0);
        for (at, (length, pieces)) in rounds.into_iter().enumerate() {
            messages.push(said(format!("wish {at}. {}", "w".repeat(length))));
            for piece in pieces {
                match piece {
                    // Words end a round.
                    Piece::Words(length) => {
                        messages.push(answered(format!("answer {at}. {}", "a".repeat(length))));
                        break;
                    }
                    Piece::Calls { results, thinks, speaks } => {
                        let ids: Vec<String> = results
                            .iter()
                            .map(|_| {
                                count += 1;
                                format!("call_{count}")
                            })
                            .collect();
                        let names: Vec<&str> = ids.iter().map(String::as_str).collect();
                        messages.push(calls(&names, thinks.then_some("I think.")));
                        let mut content: Vec<Block> =
                            ids.iter().zip(&results).map(|(id, length)| result(id, "r".repeat(*length))).collect();
                        if speaks {
                            content.push(Block::text("And mind the hem."));
                        }
                        messages.push(gave(content));
                    }
                }
            }
            if messages.last().is_some_and(|last| last.role == Role::User) {
                messages.push(answered("So it is."));
            }
        }
        messages.push(said("What now?"));
        messages
    })
}

proptest! {
    #[test]
    fn what_is_sent_fits_and_is_valid_whatever_was_said(
        messages in any_conversation(), room in 1_500_u32..8_000, keep in 1_u32..8, summary in prop::option::of("[a-z ]{1,400}"),
    ) {
        let whole = request(messages);
        prop_assert!(alternates(&whole.messages) && lonely(&whole.messages) == 0, "the test's own conversation is valid");
        match shorten(&whole, room, keep, &[1], summary.as_deref()) {
            Err(takes) => prop_assert!(takes > i64::from(room)),
            Ok((sent, plan, _)) => {
                prop_assert!(estimate_request(&sent) <= i64::from(room), "{} of {room}", estimate_request(&sent));
                prop_assert_eq!(lonely(&sent.messages), 0);
                prop_assert!(alternates(&sent.messages), "{}", texts(&sent));
                // What the person asked last, and first, is there.
                prop_assert!(sent.messages.last().unwrap().content.contains(&Block::text("What now?")));
                prop_assert!(sent.messages[0].content.contains(&whole.messages[0].content[0]));
                prop_assert_eq!(&sent.system, &whole.system);
                // What a model said is never altered: it may bear a proof.
                for message in sent.messages.iter().filter(|message| message.role == Role::Assistant) {
                    prop_assert!(whole.messages.contains(message));
                }
                if plan.gone.is_empty() {
                    prop_assert_eq!(sent.messages.len(), whole.messages.len());
                } else {
                    prop_assert!(texts(&sent).contains(summary.as_deref().unwrap_or("left out here to make room")));
                }
                // Once is enough.
                let again = shorten(&sent, room, keep, &[1], summary.as_deref()).unwrap().0;
                prop_assert_eq!(again, sent);
            }
        }
    }

    #[test]
    fn what_is_short_enough_is_sent_as_it_is(messages in any_conversation(), keep in 1_u32..8) {
        let whole = request(messages);
        let room = u32::try_from(estimate_request(&whole)).unwrap();
        let (sent, _, shaped) = shorten(&whole, room, keep, &[], None).unwrap();
        prop_assert_eq!((sent, shaped.turns, shaped.results), (whole, 0, 0));
    }

    #[test]
    fn what_went_once_stays_away_while_the_conversation_grows(messages in any_conversation(), room in 1_500_u32..8_000) {
        let mut before: Option<Plan> = None;
        for end in 1..=messages.len() {
            // A call is made where the person or their tools have spoken.
            if messages[end - 1].role != Role::User {
                continue;
            }
            let Ok((_, plan, _)) = shorten(&request(messages[..end].to_vec()), room, 4, &[1], None) else { continue };
            if let Some(before) = &before {
                prop_assert!(plan.gone.starts_with(&before.gone), "{:?} after {:?}", plan.gone, before.gone);
                prop_assert!(plan.steps.starts_with(&before.steps));
                for (at, fate) in before.fates.iter().enumerate().filter(|(_, fate)| **fate != Fate::Whole) {
                    prop_assert!(plan.fates[at] == *fate || plan.fates[at] == Fate::Gone, "{at} was {fate:?}");
                }
            }
            before = Some(plan);
        }
    }
}

#[test]
fn old_results_of_tools_go_before_turns_do() {
    let mut messages = vec![said("Read the files.")];
    for n in 0..8 {
        let id = format!("call_{n}");
        messages.extend([calls(&[&id], None), gave(vec![result(&id, "r".repeat(4_000))])]);
    }
    let (sent, plan, shaped) = shorten(&request(messages.clone()), ROOM, 4, &[1], None).unwrap();
    assert!(plan.gone.is_empty() && shaped.results > 0, "{plan:?}");
    assert_eq!(sent.messages.len(), messages.len());
    assert_eq!(sent.messages[13..], messages[13..], "the newest are whole");
    let first = serde_json::to_string(&sent.messages[2]).unwrap();
    assert!(first.contains("[1000 tokens of tool output left out to make room]"), "{first}");
}

#[test]
fn a_beginning_is_shortened_in_few_steps_and_is_the_same_in_between() {
    let mut messages = vec![said("Count.")];
    let mut beginnings: Vec<String> = Vec::new();
    for n in 0..200 {
        messages.extend([answered(format!("{n} {}", "a".repeat(300))), said(format!("Go on after {n}."))]);
        let (sent, ..) = shorten(&request(messages.clone()), ROOM, 4, &[1], None).unwrap();
        if n < 10 {
            continue;
        }
        assert!(sent.messages.len() > 6, "more than what must stay is sent");
        let start = serde_json::to_string(&sent.messages[..5]).unwrap();
        if beginnings.last() != Some(&start) {
            beginnings.push(start);
        }
    }
    // 200 turns of 90 tokens are 18,000 tokens; each step makes room for 1,200.
    assert!((5..25).contains(&beginnings.len()), "{} beginnings", beginnings.len());
}

#[test]
fn what_is_pinned_stays_where_it_is() {
    let mut messages = Vec::new();
    for n in 1..=40 {
        messages.extend([said(format!("wish {n} {}", "w".repeat(600))), answered("Done.")]);
    }
    messages.push(said("What now?"));
    let (sent, _, shaped) = shorten(&request(messages), ROOM, 2, &[1, 7], None).unwrap();
    let text = texts(&sent);
    assert!(text.contains("wish 1 ") && text.contains("wish 7 ") && !text.contains("wish 8 "), "{text}");
    assert!(alternates(&sent.messages), "{text}");
    assert_eq!(text.matches("left out here").count(), 1, "it is said once");
    assert!(shaped.turns > 30, "{}", shaped.turns);
}

#[test]
fn the_task_in_the_middle_of_a_conversation_stays() {
    let mut messages = vec![said("One."), answered("x".repeat(9_000)), Message::text(Role::System, "Be brief.")];
    messages.extend([said("Two."), answered("x".repeat(9_000)), said("Three.")]);
    let (sent, ..) = shorten(&request(messages), ROOM, 1, &[], None).unwrap();
    assert!(texts(&sent).contains("Be brief."));
}

#[test]
fn a_last_turn_that_is_too_long_alone_is_refused_with_its_length() {
    let whole = request(vec![said("One."), answered("Two."), said("x".repeat(20_000))]);
    let takes = shorten(&whole, ROOM, 1, &[], None).unwrap_err();
    assert!((5_000..5_100).contains(&takes), "{takes}");
    let id = "call_1";
    let result = request(vec![said("One."), calls(&[id], None), gave(vec![result(id, "x".repeat(20_000))])]);
    assert!(shorten(&result, ROOM, 1, &[], None).is_err(), "what a tool gave last is what the model waits for");
}

#[test]
fn recent_results_go_where_nothing_else_helps() {
    let mut messages = vec![said("Read.")];
    for n in 0..3 {
        let id = format!("call_{n}");
        messages.extend([calls(&[&id], None), gave(vec![result(&id, "r".repeat(8_000))])]);
    }
    let (sent, plan, _) = shorten(&request(messages.clone()), ROOM, 6, &[1], None).unwrap();
    assert!(plan.gone.is_empty());
    assert_eq!(plan.fates, [Fate::Whole, Fate::Bare, Fate::Bare, Fate::Whole]);
    assert_eq!(sent.messages.last(), messages.last());
}

#[test]
fn calls_and_results_are_one_piece_however_they_are_told() {
    // Several results in messages of their own, and a name that each turn uses again.
    let messages = [
        said("Go."),
        calls(&["a", "b"], None),
        gave(vec![result("a", "1")]),
        gave(vec![result("b", "2")]),
        calls(&["a"], None),
        gave(vec![result("a", "3")]),
        answered("Done."),
    ];
    let ranges: Vec<(usize, usize)> = units(&messages, &[]).iter().map(|unit| (unit.at.start, unit.at.end)).collect();
    assert_eq!(ranges, [(0, 1), (1, 4), (4, 6), (6, 7)]);

    // What only one dialect knows.
    let native = |value: serde_json::Value| Block::Native { value };
    let turn = |role, block| Message { role, content: vec![block], extra: Extra::new() };
    let messages = [
        said("Go."),
        turn(Role::Assistant, native(json!({"type": "custom_tool_call", "call_id": "c", "input": "x"}))),
        turn(Role::User, native(json!({"type": "custom_tool_call_output", "call_id": "c", "output": "y"}))),
    ];
    assert_eq!(units(&messages, &[]).len(), 2);
}

#[test]
fn a_summary_stands_where_the_turns_were_and_says_what_it_is() {
    let mut messages = vec![said("Weave a towel.")];
    for n in 0..40 {
        messages.extend([answered("a".repeat(600)), said(format!("And {n}?"))]);
    }
    let (sent, ..) = shorten(&request(messages), ROOM, 4, &[1], Some("They want it blue.")).unwrap();
    let Block::Text { text, .. } = &sent.messages[0].content[1] else { panic!("{:?}", sent.messages[0]) };
    assert!(text.contains("A model wrote this summary") && text.contains("They want it blue."), "{text}");
    assert_eq!(sent.messages[0].content[0], Block::text("Weave a towel."));
}
