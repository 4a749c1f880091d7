//! A call on its way out and back.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Mask, Reveal, Rules};
use crate::model::gateway::{
    Block, Delta, Dialect, Extra, MaskKind, MaskPattern, Masked, Message, RedactionDraft, Request, Response, Role,
    StopReason, Usage,
};

fn rules() -> Rules {
    let ticket = MaskPattern { name: "ticket".into(), pattern: "T-[0-9]+".into() };
    Rules::new(&RedactionDraft { kinds: vec![MaskKind::Email], patterns: vec![ticket], ..RedactionDraft::default() })
}

fn asked(texts: &[&str]) -> Request {
    let mut request = Request::new(Dialect::Anthropic, "m");
    request.messages = texts.iter().map(|text| Message::text(Role::User, *text)).collect();
    request
}

fn text(block: &Block) -> &str {
    match block {
        Block::Text { text, .. } => text,
        other => panic!("expected a text, found {}", other.kind()),
    }
}

fn covered(texts: &[&str]) -> (Vec<String>, Option<Mask>) {
    let mut request = asked(texts);
    let mask = Mask::cover(&rules(), &mut request);
    (request.messages.iter().map(|message| text(&message.content[0]).to_owned()).collect(), mask)
}

#[test]
fn one_value_has_one_placeholder_wherever_it_stands() {
    let (texts, mask) = covered(&["ada@example.org and T-1", "grace@example.org, ada@example.org"]);
    assert_eq!(texts, ["[[weft-email-1]] and [[weft-ticket-1]]", "[[weft-email-2]], [[weft-email-1]]"]);
    let masked = |what: &str, count| Masked { what: what.into(), count };
    assert_eq!(mask.unwrap().masked(), [masked("email", 3), masked("ticket", 1)]);
}

#[test]
fn a_conversation_that_has_grown_is_masked_as_before() {
    let (before, _) = covered(&["T-7 of ada@example.org"]);
    let (after, _) = covered(&["T-7 of ada@example.org", "T-8 of grace@example.org, T-7"]);
    assert_eq!(before[0], after[0]);
    assert_eq!(after[1], "[[weft-ticket-2]] of [[weft-email-2]], [[weft-ticket-1]]");
}

#[test]
fn what_has_nothing_to_mask_stays_as_it_is() {
    let (texts, mask) = covered(&["Hello [[weft-email-1]]"]);
    assert_eq!(texts, ["Hello [[weft-email-1]]"]);
    assert!(mask.is_none());
}

#[test]
fn what_looks_like_a_placeholder_is_not_taken_for_one() {
    let (texts, mask) = covered(&["write [[weft-email-1]] to ada@example.org"]);
    assert_eq!(texts, ["write [[weft-email-1]] to [[weft-email-2]]"]);
    assert_eq!(mask.unwrap().reveal(&texts[0], false), "write [[weft-email-1]] to ada@example.org");
}

#[test]
fn tools_and_their_results_are_masked_and_pictures_and_thoughts_are_not() {
    let thought = || Block::Thinking { text: "T-1".into(), signature: Some("T-2".into()) };
    let mut request = asked(&[]);
    request.system = vec![Block::text("You answer T-9.")];
    let call = Block::ToolUse {
        id: "T-3".into(),
        name: "find".into(),
        input: json!({"q": ["T-4"], "id": "T-5"}),
        cache: None,
        extra: Extra::new(),
    };
    let result = Block::ToolResult {
        tool_use_id: "T-3".into(),
        content: vec![Block::text("T-6")],
        is_error: false,
        cache: None,
        extra: Extra::new(),
    };
    let native = Block::Native { value: json!({"type": "document", "source": {"data": "T-7", "title": "T-8"}}) };
    let content = vec![thought(), call, result, native];
    request.messages = vec![Message { role: Role::Assistant, content, extra: Extra::new() }];
    Mask::cover(&rules(), &mut request).unwrap();
    assert_eq!(text(&request.system[0]), "You answer [[weft-ticket-1]].");
    let content = &request.messages[0].content;
    assert_eq!(content[0], thought());
    let Block::ToolUse { id, input, .. } = &content[1] else { panic!("a tool") };
    assert_eq!((id.as_str(), input), ("T-3", &json!({"q": ["[[weft-ticket-2]]"], "id": "T-5"})));
    let Block::ToolResult { content: result, .. } = &content[2] else { panic!("a result") };
    assert_eq!(text(&result[0]), "[[weft-ticket-3]]");
    let Block::Native { value } = &content[3] else { panic!("a document") };
    assert_eq!(value["source"], json!({"data": "T-7", "title": "[[weft-ticket-4]]"}));
}

/// What comes out of a stream, as one text for each block.
fn streamed(mask: Mask, pieces: Vec<Delta>) -> (String, String) {
    let mut reveal = Reveal::new(Arc::new(mask));
    let (mut words, mut input) = (String::new(), String::new());
    for piece in pieces {
        reveal.push(piece);
        while let Some(delta) = reveal.pop() {
            match delta {
                Delta::Text { text, .. } => words.push_str(&text),
                Delta::Input { json, .. } => input.push_str(&json),
                _ => {}
            }
        }
    }
    (words, input)
}

#[test]
fn a_placeholder_that_comes_in_pieces_is_put_back_wherever_it_is_cut() {
    let said = "To [[weft-email-1]] [and [[x]], [[weft-email-9]] and [[weft-email-1]]";
    let expected = "To ada@example.org [and [[x]], [[weft-email-9]] and ada@example.org";
    for size in 1..=said.len() {
        let (_, mask) = covered(&["ada@example.org"]);
        let pieces = said.as_bytes().chunks(size).map(|chunk| String::from_utf8(chunk.to_vec()).unwrap());
        let pieces = pieces.map(|text| Delta::Text { index: 0, text }).chain([Delta::Close { index: 0 }]);
        assert_eq!(streamed(mask.unwrap(), pieces.collect()).0, expected, "in pieces of {size}");
    }
}

#[test]
fn what_is_held_back_comes_out_at_the_end() {
    for end in [Delta::Close { index: 0 }, Delta::End] {
        let (_, mask) = covered(&["ada@example.org"]);
        let pieces = vec![Delta::Text { index: 0, text: "a[[weft-em".into() }, end];
        assert_eq!(streamed(mask.unwrap(), pieces).0, "a[[weft-em");
    }
}

#[test]
fn in_the_input_of_a_tool_a_value_is_written_as_json() {
    let rules = Rules::new(&RedactionDraft {
        kinds: vec![],
        patterns: vec![MaskPattern { name: "note".into(), pattern: "(?s)<<.*>>".into() }],
        ..RedactionDraft::default()
    });
    let mut request = asked(&["<<say \"hi\"\nÄ>>"]);
    let mask = Mask::cover(&rules, &mut request).unwrap();
    let pieces = ["{\"text\": \"[[weft-", "note-1]]\"}"];
    let pieces = pieces.map(|json| Delta::Input { index: 1, json: json.into() });
    let (_, input) = streamed(mask, pieces.into_iter().chain([Delta::End]).collect());
    assert_eq!(serde_json::from_str::<Value>(&input).unwrap(), json!({"text": "<<say \"hi\"\nÄ>>"}));
}

#[test]
fn what_only_one_dialect_knows_is_masked_too() {
    let mut request = asked(&["T-1"]);
    request.extra.insert("prediction".into(), json!({"type": "content", "content": "T-2 and T-1"}));
    request.messages[0].extra.insert("name".into(), json!("T-3"));
    request.tools.push(crate::model::gateway::Tool::Native { value: json!({"type": "T-4", "hint": "T-5"}) });
    Mask::cover(&rules(), &mut request).unwrap();
    assert_eq!(request.extra["prediction"]["content"], "[[weft-ticket-3]] and [[weft-ticket-1]]");
    assert_eq!(request.messages[0].extra["name"], "[[weft-ticket-4]]");
    let shown = serde_json::to_value(&request.tools[0]).unwrap();
    assert_eq!(shown["value"], json!({"type": "T-4", "hint": "[[weft-ticket-2]]"}));
}

#[test]
fn what_ends_an_answer_is_masked_and_told_as_it_was_asked_for() {
    let mut request = asked(&["Write T-7 at last."]);
    request.stop = vec!["T-7".into(), "END".into()];
    let mask = Arc::new(Mask::cover(&rules(), &mut request).unwrap());
    assert_eq!(request.stop, ["[[weft-ticket-1]]", "END"]);
    let mut response = Response {
        id: String::new(),
        model: String::new(),
        content: Vec::new(),
        stop: StopReason::StopSequence,
        stop_sequence: Some("[[weft-ticket-1]]".into()),
        usage: Usage::default(),
        extra: Extra::new(),
        others: Vec::new(),
    };
    mask.reveal_response(&mut response);
    assert_eq!(response.stop_sequence.as_deref(), Some("T-7"));
    let mut reveal = Reveal::new(mask);
    let sequence = Some("[[weft-ticket-1]]".to_owned());
    reveal.push(Delta::Stop { reason: StopReason::StopSequence, sequence, usage: Usage::default() });
    assert!(matches!(reveal.pop(), Some(Delta::Stop { sequence: Some(text), .. }) if text == "T-7"));
}

#[test]
fn a_mask_shows_nothing_of_what_it_masks() {
    let (_, mask) = covered(&["ada@example.org"]);
    assert!(!format!("{mask:?}").contains("ada"));
}
