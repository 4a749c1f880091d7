//! Streams in Responses: read, written in the documented order, broken off, and cut anywhere.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::*;
use super::{envelope, read_stream, whole, wire_of, written};
use crate::model::gateway::{Block, FaultClass, StopReason, Usage};

const STREAM: &str = r#"event: response.created
data: {"type":"response.created","sequence_number":0,"response":{"id":"resp_1","object":"response","status":"in_progress","model":"gpt-x","output":[]}}

event: response.in_progress
data: {"type":"response.in_progress","sequence_number":1,"response":{"id":"resp_1","object":"response","status":"in_progress","model":"gpt-x","output":[]}}

event: response.output_item.added
data: {"type":"response.output_item.added","sequence_number":2,"output_index":0,"item":{"id":"rs_1","type":"reasoning","summary":[]}}

event: response.reasoning_summary_part.added
data: {"type":"response.reasoning_summary_part.added","sequence_number":3,"item_id":"rs_1","output_index":0,"summary_index":0,"part":{"type":"summary_text","text":""}}

event: response.reasoning_summary_text.delta
data: {"type":"response.reasoning_summary_text.delta","sequence_number":4,"item_id":"rs_1","output_index":0,"summary_index":0,"delta":"A loöm?"}

event: response.reasoning_summary_part.done
data: {"type":"response.reasoning_summary_part.done","sequence_number":5,"item_id":"rs_1","output_index":0,"summary_index":0,"part":{"type":"summary_text","text":"A loöm?"}}

event: response.reasoning_summary_part.added
data: {"type":"response.reasoning_summary_part.added","sequence_number":6,"item_id":"rs_1","output_index":0,"summary_index":1,"part":{"type":"summary_text","text":""}}

event: response.reasoning_summary_text.delta
data: {"type":"response.reasoning_summary_text.delta","sequence_number":7,"item_id":"rs_1","output_index":0,"summary_index":1,"delta":"Yes."}

event: response.output_item.done
data: {"type":"response.output_item.done","sequence_number":8,"output_index":0,"item":{"id":"rs_1","type":"reasoning","encrypted_content":"c2VhbGVk","summary":[{"type":"summary_text","text":"A loöm?"},{"type":"summary_text","text":"Yes."}]}}

event: response.output_item.added
data: {"type":"response.output_item.added","sequence_number":9,"output_index":1,"item":{"id":"msg_1","type":"message","status":"in_progress","role":"assistant","content":[]}}

event: response.content_part.added
data: {"type":"response.content_part.added","sequence_number":10,"item_id":"msg_1","output_index":1,"content_index":0,"part":{"type":"output_text","text":"","annotations":[]}}

event: response.output_text.delta
data: {"type":"response.output_text.delta","sequence_number":11,"item_id":"msg_1","output_index":1,"content_index":0,"delta":"Hel"}

event: response.something_new
data: {"type":"response.something_new","sequence_number":12,"x":1}

event: response.output_text.delta
data: {"type":"response.output_text.delta","sequence_number":13,"item_id":"msg_1","output_index":1,"content_index":0,"delta":"lo 🧵"}

event: response.output_text.annotation.added
data: {"type":"response.output_text.annotation.added","sequence_number":14,"item_id":"msg_1","output_index":1,"content_index":0,"annotation_index":0,"annotation":{"type":"url_citation","url":"https://example.com"}}

event: response.output_text.done
data: {"type":"response.output_text.done","sequence_number":15,"item_id":"msg_1","output_index":1,"content_index":0,"text":"Hello 🧵"}

event: response.content_part.done
data: {"type":"response.content_part.done","sequence_number":16,"item_id":"msg_1","output_index":1,"content_index":0,"part":{"type":"output_text","text":"Hello 🧵","annotations":[]}}

event: response.output_item.done
data: {"type":"response.output_item.done","sequence_number":17,"output_index":1,"item":{"id":"msg_1","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","text":"Hello 🧵","annotations":[]}]}}

event: response.output_item.added
data: {"type":"response.output_item.added","sequence_number":18,"output_index":2,"item":{"id":"ws_1","type":"web_search_call","status":"in_progress"}}

event: response.output_item.done
data: {"type":"response.output_item.done","sequence_number":19,"output_index":2,"item":{"id":"ws_1","type":"web_search_call","status":"completed","action":{"type":"search","query":"loom"}}}

event: response.output_item.added
data: {"type":"response.output_item.added","sequence_number":20,"output_index":3,"item":{"id":"fc_1","type":"function_call","status":"in_progress","call_id":"call_1","name":"look","arguments":""}}

event: response.function_call_arguments.delta
data: {"type":"response.function_call_arguments.delta","sequence_number":21,"item_id":"fc_1","output_index":3,"delta":"{\"a\""}

event: response.function_call_arguments.delta
data: {"type":"response.function_call_arguments.delta","sequence_number":22,"item_id":"fc_1","output_index":3,"delta":": 1}"}

event: response.function_call_arguments.done
data: {"type":"response.function_call_arguments.done","sequence_number":23,"item_id":"fc_1","output_index":3,"arguments":"{\"a\": 1}"}

event: response.output_item.done
data: {"type":"response.output_item.done","sequence_number":24,"output_index":3,"item":{"id":"fc_1","type":"function_call","status":"completed","call_id":"call_1","name":"look","arguments":"{\"a\": 1}"}}

event: response.completed
data: {"type":"response.completed","sequence_number":25,"response":{"id":"resp_1","object":"response","status":"completed","model":"gpt-x","output":[],"usage":{"input_tokens":28,"input_tokens_details":{"cached_tokens":3},"output_tokens":89,"output_tokens_details":{"reasoning_tokens":40},"total_tokens":117}}}

"#;

fn events_of(text: &str) -> Vec<Value> {
    let events = Frames::new(Wire::Responses).push(text.as_bytes()).unwrap();
    events.iter().map(|event| serde_json::from_str(&event.data).unwrap()).collect()
}

fn kinds_of(text: &str) -> String {
    let kinds = events_of(text).into_iter().map(|event| event["type"].as_str().unwrap().replace("response.", ""));
    kinds.collect::<Vec<_>>().join(" ")
}

#[test]
fn a_stream_in_responses_is_read() {
    let answer = whole(&read_stream(Wire::Responses, &[STREAM.as_bytes()]).unwrap());
    assert_eq!((answer.id.as_str(), answer.model.as_str(), answer.text().as_str()), ("resp_1", "gpt-x", "Hello 🧵"));
    let Block::Thinking { text, signature: Some(proof) } = &answer.content[0] else { panic!("{:?}", answer.content) };
    assert_eq!(text, "A loöm?\n\nYes.");
    assert_eq!(serde_json::from_str::<Value>(proof).unwrap()["encrypted_content"], "c2VhbGVk");
    assert!(matches!(&answer.content[2], Block::Native { value } if value["action"]["query"] == "loom"));
    assert!(
        matches!(&answer.content[3], Block::ToolUse { id, input, .. } if id == "call_1" && *input == json!({"a": 1}))
    );
    assert_eq!(answer.stop, StopReason::ToolUse);
    assert_eq!(answer.usage, Usage { input: 25, cache_read: 3, output: 89, reasoning: 40, ..Usage::default() });
}

#[test]
fn events_come_in_the_documented_order_and_are_numbered() {
    let deltas = read_stream(Wire::Responses, &[STREAM.as_bytes()]).unwrap();
    let text = written(Dialect::Responses, &deltas, true);
    assert_eq!(
        kinds_of(&text),
        "created in_progress \
         output_item.added reasoning_summary_part.added reasoning_summary_text.delta reasoning_summary_text.done \
         reasoning_summary_part.done reasoning_summary_part.added reasoning_summary_text.delta reasoning_summary_text.done \
         reasoning_summary_part.done output_item.done \
         output_item.added content_part.added output_text.delta output_text.delta output_text.annotation.added \
         output_text.done content_part.done output_item.done \
         output_item.added output_item.done \
         output_item.added function_call_arguments.delta function_call_arguments.delta function_call_arguments.done \
         output_item.done completed"
    );
    let events = events_of(&text);
    let numbers: Vec<u64> = events.iter().map(|event| event["sequence_number"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (0..events.len() as u64).collect::<Vec<_>>());
    let last = &events.last().unwrap()["response"];
    let output: Vec<&str> =
        last["output"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect();
    assert_eq!(output, ["rs_1", "msg_1", "ws_1", "fc_1"]);
    assert_eq!(last["output"][1]["content"][0]["annotations"][0]["url"], "https://example.com");
    assert_eq!((&last["usage"]["total_tokens"], &last["status"]), (&json!(117), &json!("completed")));
    // Each piece says where it belongs.
    for event in events.iter().filter(|event| event.get("delta").is_some()) {
        assert!(event["item_id"].is_string() && event["output_index"].is_u64(), "{event}");
    }
}

#[test]
fn a_stream_in_responses_is_said_in_the_other_dialects() {
    let deltas = read_stream(Wire::Responses, &[STREAM.as_bytes()]).unwrap();
    let answer = whole(&deltas);
    for into in [Dialect::Anthropic, Dialect::OpenAi] {
        let said = written(into, &deltas, false);
        let again = whole(&read_stream(wire_of(into), &[said.as_bytes()]).unwrap());
        // What only OpenAI knows has no place there; the thought keeps its proof.
        assert_eq!((again.content.len(), again.text()), (3, answer.text()), "{into:?}");
        assert_eq!(again.content[0], answer.content[0], "{into:?}");
        assert_eq!((again.stop, again.usage.output), (StopReason::ToolUse, 89), "{into:?}");
    }
}

#[test]
fn what_broke_off_fails_with_what_there_is() {
    let deltas =
        read_stream(Wire::Responses, &[&STREAM.as_bytes()[..STREAM.find("event: response.something_new").unwrap()]])
            .unwrap();
    assert!(!deltas.contains(&Delta::End));
    let mut writer = Writer::new(Dialect::Responses, envelope(false));
    let before: String = deltas.iter().map(|delta| writer.write(delta)).collect();
    let failed = &events_of(&writer.fail(&Fault::new(FaultClass::Interrupted, "acme: the connection broke")))[0];
    assert_eq!(failed["sequence_number"], json!(events_of(&before).len()));
    assert_eq!((&failed["type"], &failed["response"]["status"]), (&json!("response.failed"), &json!("failed")));
    assert_eq!(failed["response"]["error"], json!({"code": "server_error", "message": "acme: the connection broke"}));
}

#[test]
fn an_answer_that_reached_its_limit_is_incomplete() {
    let stop = Delta::Stop { reason: StopReason::MaxTokens, sequence: None, usage: Usage::default() };
    let deltas = [
        Delta::Start { id: "c1".into(), model: "m".into(), usage: Usage::default() },
        Delta::Open { index: 0, block: Block::text("") },
        Delta::Text { index: 0, text: "A lo".into() },
        Delta::Close { index: 0 },
        stop,
        Delta::End,
    ];
    let text = written(Dialect::Responses, &deltas, false);
    assert!(kinds_of(&text).ends_with("output_item.done incomplete"));
    let last = events_of(&text).pop().unwrap();
    assert_eq!(last["response"]["incomplete_details"], json!({"reason": "max_output_tokens"}));
    assert_eq!(whole(&read_stream(Wire::Responses, &[text.as_bytes()]).unwrap()).stop, StopReason::MaxTokens);
}

#[test]
fn errors_in_a_stream_have_their_class() {
    let failed = "data: {\"type\":\"response.failed\",\"response\":{\"status\":\"failed\",\"error\":{\"code\":\"rate_limit_exceeded\",\"message\":\"slow down\"}}}\n\n";
    let fault = read_stream(Wire::Responses, &[failed.as_bytes()]).unwrap_err();
    assert_eq!((fault.class, fault.message.as_str()), (FaultClass::RateLimited, "slow down"));
    let error = "event: error\ndata: {\"type\":\"error\",\"code\":\"server_error\",\"message\":\"boom\",\"param\":null,\"sequence_number\":3}\n\n";
    let fault = read_stream(Wire::Responses, &[error.as_bytes()]).unwrap_err();
    assert_eq!((fault.class, fault.message.as_str()), (FaultClass::Upstream, "boom"));
    for garbage in [
        "data: <html>\n\n",
        "data: {\"type\":\"response.completed\"}\n\n",
        "data: {\"type\":\"response.output_item.added\"}\n\n",
    ] {
        assert_eq!(read_stream(Wire::Responses, &[garbage.as_bytes()]).unwrap_err().class, FaultClass::Malformed);
    }
}

#[test]
fn a_piece_of_many_megabytes_is_carried() {
    let text = "ö🧵".repeat(1 << 19);
    let event = json!({"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": text});
    let bytes = format!("data: {event}\n\n");
    let pieces: Vec<&[u8]> = bytes.as_bytes().chunks(60_001).collect();
    assert_eq!(whole(&read_stream(Wire::Responses, &pieces).unwrap()).text(), text);
}

proptest! {
    #[test]
    fn however_the_events_are_cut_the_pieces_are_the_same(cuts in prop::collection::vec(0_usize..9000, 0..40)) {
        let bytes = STREAM.as_bytes();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % bytes.len()).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
        prop_assert_eq!(read_stream(Wire::Responses, &pieces).unwrap(), read_stream(Wire::Responses, &[bytes]).unwrap());
    }

    /// Events in any order, with anything left out, are read or refused, and what is read can be written.
    #[test]
    fn events_in_any_order_break_nothing(order in prop::collection::vec(0_usize..26, 0..40)) {
        let events: Vec<&str> = STREAM.split_inclusive("\n\n").collect();
        let text: String = order.into_iter().map(|place| events[place]).collect();
        if let Ok(deltas) = read_stream(Wire::Responses, &[text.as_bytes()]) {
            for dialect in [Dialect::Anthropic, Dialect::OpenAi, Dialect::Responses] {
                let said = written(dialect, &deltas, dialect == Dialect::Responses);
                let _ = read_stream(wire_of(dialect), &[said.as_bytes()]);
            }
        }
    }
}
