//! What answers lose on their way into another dialect.

use serde_json::json;

use super::super::*;
use super::{read_stream, wire_of};
use crate::model::gateway::Usage;

fn seen(deltas: &[Delta], from: Dialect, to: Dialect) -> Vec<String> {
    let mut losses = Losses::between(from, to).expect("they are not the same");
    for delta in deltas {
        losses.see(delta);
    }
    losses.words()
}

#[test]
fn nothing_is_lost_within_a_dialect() {
    for dialect in [Dialect::Anthropic, Dialect::OpenAi, Dialect::Responses] {
        assert!(Losses::between(dialect, dialect).is_none());
    }
}

#[test]
fn a_plain_answer_loses_nothing_anywhere() {
    let answer = json!({"id": "1", "model": "m", "system_fingerprint": "fp", "service_tier": "default",
        "choices": [{"index": 0, "finish_reason": "length", "message": {"role": "assistant", "content": "A loom.", "reasoning_content": "hm"}}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 1}}});
    let response = read_response(Wire::OpenAi, answer).unwrap();
    for to in [Dialect::Anthropic, Dialect::Responses] {
        assert_eq!(Losses::of(&response, Dialect::OpenAi, to), [""; 0]);
    }
}

#[test]
fn what_messages_has_no_word_for_is_told() {
    let answer = json!({"id": "1", "model": "m",
        "choices": [
            {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": null, "refusal": "I would rather not."}},
            {"index": 1, "finish_reason": "stop", "message": {"role": "assistant", "content": "Yes."}},
        ],
        "usage": {"prompt_tokens": 3, "completion_tokens": 20, "completion_tokens_details": {"reasoning_tokens": 16}}});
    let response = read_response(Wire::OpenAi, answer).unwrap();
    assert_eq!(
        Losses::of(&response, Dialect::OpenAi, Dialect::Anthropic),
        [
            "that the model declined is said as text, and by stop_reason",
            "1 more answer left out: Anthropic Messages gives one",
            "16 tokens of thoughts are within output_tokens: Anthropic Messages does not tell them apart",
        ]
    );
    assert_eq!(
        Losses::of(&response, Dialect::OpenAi, Dialect::Responses),
        ["1 more answer left out: OpenAI Responses gives one"]
    );
}

#[test]
fn what_the_provider_counted_besides_tokens_is_told() {
    let answer = json!({"id": "1", "type": "message", "role": "assistant", "model": "m", "stop_reason": "pause_turn",
        "content": [{"type": "text", "text": "A loom."}],
        "usage": {"input_tokens": 1, "output_tokens": 1, "cache_creation_input_tokens": 5,
            "cache_creation": {"ephemeral_1h_input_tokens": 5}, "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 0}}});
    let response = read_response(Wire::Anthropic, answer).unwrap();
    assert_eq!(
        Losses::of(&response, Dialect::Anthropic, Dialect::Responses),
        [
            "why the answer ended is not told in OpenAI Responses: a pause of the provider: to go on, it has to be sent back",
            "5 tokens kept by the provider for an hour are told with those for minutes",
            "2 web_search_requests of the provider's own tools are not counted in OpenAI Responses",
        ]
    );
}

#[test]
fn a_stream_loses_what_the_whole_would() {
    let event = |value: Value| format!("event: {}\ndata: {value}\n\n", value["type"].as_str().unwrap());
    let stream: String = [
        json!({"type": "response.created", "response": {"id": "resp_1", "model": "m"}}),
        json!({"type": "response.output_item.added", "output_index": 0, "item": {"type": "message", "role": "assistant", "id": "msg_1", "content": []}}),
        json!({"type": "response.content_part.added", "output_index": 0, "content_index": 0, "part": {"type": "output_text", "text": ""}}),
        json!({"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "A loom."}),
        json!({"type": "response.output_text.annotation.added", "output_index": 0, "content_index": 0, "annotation": {"type": "url_citation"}}),
        json!({"type": "response.output_text.annotation.added", "output_index": 0, "content_index": 0, "annotation": {"type": "url_citation"}}),
        json!({"type": "response.content_part.done", "output_index": 0, "content_index": 0}),
        json!({"type": "response.output_item.done", "output_index": 0, "item": {"type": "message", "role": "assistant", "id": "msg_1", "content": []}}),
        json!({"type": "response.completed", "response": {"id": "resp_1", "model": "m", "status": "completed", "output": [],
            "usage": {"input_tokens": 1, "output_tokens": 9, "output_tokens_details": {"reasoning_tokens": 4}}}}),
    ]
    .map(event)
    .concat();
    let deltas = read_stream(wire_of(Dialect::Responses), &[stream.as_bytes()]).unwrap();
    assert_eq!(
        seen(&deltas, Dialect::Responses, Dialect::Anthropic),
        [
            "annotations of 1 text left out of the answer: Anthropic Messages has another form for them, or none",
            "4 tokens of thoughts are within output_tokens: Anthropic Messages does not tell them apart",
        ]
    );
    assert_eq!(seen(&deltas, Dialect::Responses, Dialect::OpenAi).len(), 1);
}

#[test]
fn whatever_a_provider_makes_up_little_is_said_of_it() {
    let open = |index: u32| Delta::Open {
        index,
        block: crate::model::gateway::Block::Native { value: json!({"type": format!("kind_{index}")}) },
    };
    let mut deltas: Vec<Delta> = (0..1_000).map(open).collect();
    deltas.push(Delta::Stop {
        reason: crate::model::gateway::StopReason::EndTurn,
        sequence: None,
        usage: Usage::default(),
    });
    let said = seen(&deltas, Dialect::Anthropic, Dialect::OpenAi);
    assert!(said.len() <= 13 && said.iter().all(|one| one.chars().count() <= 160), "{said:?}");
}
