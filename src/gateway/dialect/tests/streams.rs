//! Streams: in any pieces the same, and from one dialect into the other.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::*;
use super::{read_stream, whole, wire_of, written};
use crate::model::gateway::{Block, FaultClass, StopReason, Usage};

const ANTHROPIC: &str = r#"event: message_start
data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":25,"cache_read_input_tokens":3,"output_tokens":1}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}

event: ping
data: {"type": "ping"}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm, a loöm"}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"c2ln"}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: content_block_start
data: {"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Hel"}}

event: something_new
data: {"type":"something_new","x":1}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"lo 🧵"}}

event: content_block_stop
data: {"type":"content_block_stop","index":1}

event: content_block_start
data: {"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"toolu_1","name":"look","input":{}}}

event: content_block_delta
data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"a\""}}

event: content_block_delta
data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":": 1}"}}

event: content_block_stop
data: {"type":"content_block_stop","index":2}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":89}}

event: message_stop
data: {"type":"message_stop"}

"#;

const OPENAI: &str = r#"data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-x","choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}],"usage":null}

data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-x","choices":[{"index":0,"delta":{"reasoning_content":"hm"},"finish_reason":null}]}

data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-x","choices":[{"index":0,"delta":{"content":"Hel"},"finish_reason":null}]}

: a comment

data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-x","choices":[{"index":0,"delta":{"content":"lo 🧵"},"finish_reason":null}]}

data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-x","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"look","arguments":""}}]},"finish_reason":null}]}

data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-x","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\""}}]},"finish_reason":null}]}

data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-x","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":": 1}"}}]},"finish_reason":null}]}

data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-x","choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"call_2","type":"function","function":{"name":"see","arguments":"{}"}}]},"finish_reason":null}]}

data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-x","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"tool_calls"}]}

data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-x","choices":[],"usage":{"prompt_tokens":28,"completion_tokens":89,"total_tokens":117,"prompt_tokens_details":{"cached_tokens":3}}}

data: [DONE]

"#;

fn events_of(text: &str) -> Vec<Value> {
    let events = Frames::new(Wire::OpenAi).push(text.as_bytes()).unwrap();
    events.iter().filter_map(|event| serde_json::from_str(&event.data).ok()).collect()
}

#[test]
fn anthropics_stream_is_read() {
    let answer = whole(&read_stream(Wire::Anthropic, &[ANTHROPIC.as_bytes()]).unwrap());
    assert_eq!((answer.id.as_str(), answer.model.as_str()), ("msg_1", "claude-x"));
    assert_eq!(answer.text(), "Hello 🧵");
    assert_eq!(answer.content[0], Block::Thinking { text: "hm, a loöm".into(), signature: Some("c2ln".into()) });
    assert!(matches!(&answer.content[2], Block::ToolUse { input, .. } if *input == json!({"a": 1})));
    assert_eq!(answer.stop, StopReason::ToolUse);
    assert_eq!(answer.usage, Usage { input: 25, cache_read: 3, output: 89, ..Usage::default() });
}

#[test]
fn openais_stream_is_read() {
    let answer = whole(&read_stream(Wire::OpenAi, &[OPENAI.as_bytes()]).unwrap());
    assert_eq!(answer.text(), "Hello 🧵");
    assert_eq!(answer.content.len(), 4);
    assert!(
        matches!(&answer.content[2], Block::ToolUse { id, input, .. } if id == "call_1" && *input == json!({"a": 1}))
    );
    assert!(matches!(&answer.content[3], Block::ToolUse { name, .. } if name == "see"));
    assert_eq!(answer.stop, StopReason::ToolUse);
    assert_eq!(answer.usage, Usage { input: 25, cache_read: 3, output: 89, ..Usage::default() });
}

#[test]
fn a_stream_is_written_so_that_it_is_read_the_same() {
    for (from, text) in [(Dialect::Anthropic, ANTHROPIC), (Dialect::OpenAi, OPENAI)] {
        let deltas = read_stream(wire_of(from), &[text.as_bytes()]).unwrap();
        let answer = whole(&deltas);
        for into in [Dialect::Anthropic, Dialect::OpenAi] {
            let said = written(into, &deltas, from == into);
            let again = whole(&read_stream(wire_of(into), &[said.as_bytes()]).unwrap());
            assert_eq!(again.content, answer.content, "{from:?} -> {into:?}");
            assert_eq!((again.usage, &again.stop), (answer.usage, &answer.stop), "{from:?} -> {into:?}");
        }
    }
}

#[test]
fn events_for_anthropics_clients_come_in_the_documented_order() {
    let deltas = read_stream(Wire::OpenAi, &[OPENAI.as_bytes()]).unwrap();
    let kinds: Vec<String> = events_of(&written(Dialect::Anthropic, &deltas, false))
        .iter()
        .map(|event| event["type"].as_str().unwrap().replace("content_block_", ""))
        .collect();
    assert_eq!(
        kinds.join(" "),
        "message_start start delta stop start delta delta stop start delta delta stop start delta stop message_delta message_stop"
    );
}

#[test]
fn chunks_for_openais_clients_number_the_tools() {
    let deltas = read_stream(Wire::OpenAi, &[OPENAI.as_bytes()]).unwrap();
    let text = written(Dialect::OpenAi, &deltas, true);
    assert!(text.ends_with("data: [DONE]\n\n"));
    let chunks = events_of(&text);
    let numbers: Vec<u64> =
        chunks.iter().filter_map(|chunk| chunk["choices"][0]["delta"]["tool_calls"][0]["index"].as_u64()).collect();
    assert_eq!(numbers, [0, 0, 0, 1, 1]);
    let last = chunks.last().unwrap();
    assert_eq!((&last["choices"], &last["usage"]["total_tokens"]), (&json!([]), &json!(117)));
}

/// The chunks of a stream, each with a part of its choice.
fn chunks(deltas: &[Value], reason: &str) -> String {
    let chunk = |delta: &Value, reason: Value| {
        let choice = json!({"index": 0, "delta": delta, "finish_reason": reason});
        format!("data: {}\n\n", json!({"id": "c", "model": "m", "choices": [choice]}))
    };
    let said: String = deltas.iter().map(|delta| chunk(delta, Value::Null)).collect();
    format!("{said}{}data: [DONE]\n\n", chunk(&json!({}), json!(reason)))
}

/// A piece of the use of a tool: its beginning, or a part of its input.
fn piece(number: u32, begins: bool, arguments: &str) -> Value {
    let mut call = json!({"index": number, "function": {"arguments": arguments}});
    if begins {
        (call["id"], call["function"]["name"]) = (json!(format!("call_{number}")), json!("look"));
    }
    json!({"tool_calls": [call]})
}

#[test]
fn tools_whose_input_comes_in_turns_reach_every_caller_one_after_the_other() {
    let text = chunks(
        &[
            piece(0, true, ""),
            piece(1, true, "{\"at\""),
            piece(0, false, "{\"at\":"),
            piece(1, false, ":2}"),
            piece(2, true, ""),
            piece(0, false, "1}"),
        ],
        "tool_calls",
    );
    let deltas = read_stream(Wire::OpenAi, &[text.as_bytes()]).unwrap();
    let mut open = None;
    for delta in &deltas {
        match delta {
            Delta::Open { index, .. } => assert_eq!(open.replace(*index), None, "{deltas:?}"),
            Delta::Input { index, .. } => assert_eq!(open, Some(*index), "{deltas:?}"),
            Delta::Close { index } => assert_eq!(open.take(), Some(*index), "{deltas:?}"),
            _ => {}
        }
    }
    let inputs = |answer: &Response| -> Vec<Value> {
        let input = |block: &Block| if let Block::ToolUse { input, .. } = block { input.clone() } else { Value::Null };
        answer.content.iter().map(input).collect()
    };
    let expected = [json!({"at": 1}), json!({"at": 2}), json!({})];
    assert_eq!(inputs(&whole(&deltas)), expected);
    for into in [Dialect::Anthropic, Dialect::OpenAi, Dialect::Responses] {
        let said = written(into, &deltas, into == Dialect::OpenAi);
        let again = whole(&read_stream(wire_of(into), &[said.as_bytes()]).unwrap());
        assert_eq!(inputs(&again), expected, "{into:?}: {said}");
    }
}

#[test]
fn a_tool_that_takes_nothing_is_called_with_an_empty_object() {
    let start = json!({"type": "message_start", "message": {"id": "m", "model": "m", "usage": {"input_tokens": 1, "output_tokens": 1}}});
    let call = json!({"type": "tool_use", "id": "t", "name": "list", "input": {}});
    let events = [
        start,
        json!({"type": "content_block_start", "index": 0, "content_block": call}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 2}}),
        json!({"type": "message_stop"}),
    ];
    let text: String = events.iter().map(|event| format!("data: {event}\n\n")).collect::<Vec<_>>().concat();
    let deltas = read_stream(Wire::Anthropic, &[text.as_bytes()]).unwrap();
    let pieces = events_of(&written(Dialect::OpenAi, &deltas, false));
    let arguments: String = pieces
        .iter()
        .filter_map(|chunk| chunk["choices"][0]["delta"]["tool_calls"][0]["function"]["arguments"].as_str())
        .collect();
    assert_eq!(arguments, "{}", "programs read it as JSON");
}

#[test]
fn words_that_decline_are_a_refusal_to_those_who_have_a_word_for_it() {
    let text = chunks(&[json!({"refusal": "I will "}), json!({"refusal": "not."})], "stop");
    let deltas = read_stream(Wire::OpenAi, &[text.as_bytes()]).unwrap();
    assert_eq!(whole(&deltas).stop, StopReason::Refusal);
    let last = |dialect: Dialect| events_of(&written(dialect, &deltas, dialect == Dialect::OpenAi));
    assert!(last(Dialect::Anthropic).iter().any(|event| event["delta"]["stop_reason"] == "refusal"));
    assert!(last(Dialect::OpenAi).iter().any(|chunk| chunk["choices"][0]["finish_reason"] == "stop"));
    assert!(last(Dialect::Responses).iter().any(|event| event["type"] == "response.completed"));
    let again = written(Dialect::Responses, &deltas, false);
    assert_eq!(whole(&read_stream(Wire::Responses, &[again.as_bytes()]).unwrap()).stop, StopReason::Refusal);
}

#[test]
fn a_block_that_only_anthropic_knows_is_given_to_its_own_callers_only() {
    let stream = "data: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"model\":\"c\"}}\n\n\
        data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"server_tool_use\",\"id\":\"s\",\"name\":\"w\",\"input\":{}}}\n\n\
        data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"{}\"}}\n\n\
        data: {\"type\":\"content_block_stop\",\"index\":0}\n\n";
    let deltas = read_stream(Wire::Anthropic, &[stream.as_bytes()]).unwrap();
    assert_eq!(events_of(&written(Dialect::Anthropic, &deltas, true)).len(), 4);
    assert_eq!(events_of(&written(Dialect::Anthropic, &deltas, false)).len(), 1);
    assert_eq!(events_of(&written(Dialect::OpenAi, &deltas, false)).len(), 1);
}

#[test]
fn an_error_in_a_stream_has_its_class() {
    let overloaded = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n";
    let fault = read_stream(Wire::Anthropic, &[overloaded.as_bytes()]).unwrap_err();
    assert_eq!((fault.class, fault.message.as_str()), (FaultClass::Overloaded, "Overloaded"));
    let broken = "data: {\"error\":{\"message\":\"boom\",\"type\":\"server_error\"}}\n\n";
    assert_eq!(read_stream(Wire::OpenAi, &[broken.as_bytes()]).unwrap_err().class, FaultClass::Upstream);
    let garbage = "data: <html>\n\n";
    for dialect in [Dialect::Anthropic, Dialect::OpenAi] {
        assert_eq!(read_stream(wire_of(dialect), &[garbage.as_bytes()]).unwrap_err().class, FaultClass::Malformed);
    }
}

#[test]
fn a_stream_without_its_last_event_ends_all_the_same_if_it_gave_a_reason() {
    let cut = OPENAI.replace("data: [DONE]\n\n", "");
    let deltas = read_stream(Wire::OpenAi, &[cut.as_bytes()]).unwrap();
    assert_eq!(deltas.last(), Some(&Delta::End));
    let deltas = read_stream(Wire::OpenAi, &[&OPENAI.as_bytes()[..400]]).unwrap();
    assert!(!deltas.contains(&Delta::End));
}

proptest! {
    #[test]
    fn however_the_bytes_are_cut_the_pieces_are_the_same(cuts in prop::collection::vec(0_usize..4000, 0..40), crlf in any::<bool>()) {
        for (dialect, text) in [(Dialect::Anthropic, ANTHROPIC), (Dialect::OpenAi, OPENAI)] {
            let text = if crlf { text.replace('\n', "\r\n") } else { text.to_owned() };
            let bytes = text.as_bytes();
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % bytes.len()).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
            prop_assert_eq!(read_stream(wire_of(dialect), &pieces).unwrap(), read_stream(wire_of(dialect), &[bytes]).unwrap());
        }
    }

    #[test]
    fn no_event_breaks_the_readers(name in "[a-z_]{0,12}", data in "[\\x00-\\x7f]{0,60}") {
        for wire in [Wire::Anthropic, Wire::OpenAi, Wire::Responses, Wire::Ollama] {
            let _ = Reader::new(wire).read(&Event { name: name.clone(), data: data.clone() });
        }
    }
}
