//! Whole answers, and errors.

use serde_json::{Value, json};

use super::super::*;
use super::{bare, envelope};
use crate::model::gateway::{FaultClass, StopReason, Usage};

fn anthropic() -> Value {
    json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-x",
        "content": [
            {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
            {"type": "text", "text": "A loom."},
            {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"a": 1}},
            {"type": "server_tool_use", "id": "srv", "name": "web_search", "input": {"query": "q"}},
        ],
        "stop_reason": "tool_use", "container": {"id": "c"},
        "usage": {
            "input_tokens": 10, "cache_creation_input_tokens": 7, "cache_read_input_tokens": 20, "output_tokens": 30,
            "cache_creation": {"ephemeral_5m_input_tokens": 2, "ephemeral_1h_input_tokens": 5},
            "service_tier": "standard", "server_tool_use": {"web_search_requests": 1},
        },
    })
}

fn openai() -> Value {
    json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1_700_000_000, "model": "gpt-x", "system_fingerprint": "fp",
        "choices": [{"index": 0, "finish_reason": "tool_calls", "message": {
            "role": "assistant", "content": "A loom.", "reasoning_content": "hm",
            "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{\"a\":1}"}}],
        }}],
        "usage": {
            "prompt_tokens": 30, "completion_tokens": 12, "total_tokens": 42,
            "prompt_tokens_details": {"cached_tokens": 20, "cache_write_tokens": 0}, "completion_tokens_details": {"reasoning_tokens": 4},
        },
    })
}

#[test]
fn anthropics_answer_is_given_to_anthropics_callers_as_it_is() {
    let response = read_response(Wire::Anthropic, anthropic()).unwrap();
    assert_eq!(response.stop, StopReason::ToolUse);
    let usage = Usage { input: 10, cache_read: 20, cache_write: 2, cache_write_hour: 5, output: 30, reasoning: 0 };
    assert_eq!(response.usage, usage);
    assert_eq!(bare(write_response(Dialect::Anthropic, &response, &envelope(true))), anthropic());
}

#[test]
fn openais_answer_is_given_to_openais_callers_as_it_is() {
    let response = read_response(Wire::OpenAi, openai()).unwrap();
    assert_eq!(response.usage, Usage { input: 10, cache_read: 20, output: 12, reasoning: 4, ..Usage::default() });
    assert_eq!(bare(write_response(Dialect::OpenAi, &response, &envelope(true))), openai());
}

#[test]
fn an_answer_is_carried_into_the_other_dialect() {
    let response = read_response(Wire::Anthropic, anthropic()).unwrap();
    let said = bare(write_response(Dialect::OpenAi, &response, &envelope(false)));
    let message = &said["choices"][0]["message"];
    assert_eq!(message["content"], "A loom.");
    assert_eq!(message["reasoning_content"], "hm");
    assert_eq!(message["thinking_blocks"], json!([{"type": "thinking", "thinking": "hm", "signature": "c2ln"}]));
    assert_eq!(message["tool_calls"][0]["function"]["arguments"], "{\"a\":1}");
    assert_eq!(said["choices"][0]["finish_reason"], "tool_calls");
    assert_eq!((&said["usage"]["prompt_tokens"], &said["usage"]["completion_tokens"]), (&json!(37), &json!(30)));

    let response = read_response(Wire::OpenAi, openai()).unwrap();
    let said = bare(write_response(Dialect::Anthropic, &response, &envelope(false)));
    assert_eq!(
        said["content"],
        json!([
            {"type": "thinking", "thinking": "hm", "signature": ""},
            {"type": "text", "text": "A loom."},
            {"type": "tool_use", "id": "call_1", "name": "look", "input": {"a": 1}},
        ])
    );
    assert_eq!(said["stop_reason"], "tool_use");
    assert_eq!((&said["usage"]["input_tokens"], &said["usage"]["cache_read_input_tokens"]), (&json!(10), &json!(20)));
    assert!(said.get("system_fingerprint").is_none());
}

#[test]
fn an_answer_that_declines_in_words_is_a_refusal_everywhere_and_complete_to_openai() {
    let mut body = openai();
    body["choices"][0] =
        json!({"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "refusal": "No."}});
    let response = read_response(Wire::OpenAi, body.clone()).unwrap();
    assert_eq!(response.stop, StopReason::Refusal);
    assert_eq!(bare(write_response(Dialect::OpenAi, &response, &envelope(true))), body);
    assert_eq!(write_response(Dialect::Anthropic, &response, &envelope(false))["stop_reason"], "refusal");
    let said = write_response(Dialect::Responses, &response, &envelope(false));
    assert_eq!(said["status"], "completed");
    assert_eq!(read_response(Wire::Responses, said).unwrap().stop, StopReason::Refusal);
}

#[test]
fn an_answer_that_can_not_be_read_is_malformed_and_names_the_place() {
    for (wire, body) in [
        (Wire::Anthropic, json!({"id": "x", "model": "m", "content": 3})),
        (Wire::OpenAi, json!({"id": "x", "choices": []})),
        (Wire::OpenAi, json!({"id": "x", "choices": [{"message": {"tool_calls": [{"id": "a"}]}}]})),
        (Wire::OpenAi, json!("<html>")),
    ] {
        let fault = read_response(wire, body).unwrap_err();
        assert_eq!(fault.class, FaultClass::Malformed);
        assert!(fault.message.starts_with("the answer can't be read: "), "{fault}");
    }
}

#[test]
fn a_providers_error_has_a_class() {
    let openai = |kind: &str, code: &str| {
        json!({"error": {"message": "m", "type": kind, "code": code, "param": null}}).to_string()
    };
    let anthropic = |kind: &str| json!({"type": "error", "error": {"type": kind, "message": "m"}}).to_string();
    for (status, body, class) in [
        (400, anthropic("invalid_request_error"), FaultClass::Invalid),
        (401, anthropic("authentication_error"), FaultClass::Credential),
        (403, anthropic("permission_error"), FaultClass::Credential),
        (404, anthropic("not_found_error"), FaultClass::NoModel),
        (413, anthropic("request_too_large"), FaultClass::TooLarge),
        (429, anthropic("rate_limit_error"), FaultClass::RateLimited),
        (500, anthropic("api_error"), FaultClass::Upstream),
        (529, anthropic("overloaded_error"), FaultClass::Overloaded),
        (400, openai("invalid_request_error", "context_length_exceeded"), FaultClass::TooLarge),
        (404, openai("invalid_request_error", "model_not_found"), FaultClass::NoModel),
        (429, openai("insufficient_quota", "insufficient_quota"), FaultClass::RateLimited),
        (503, openai("server_error", ""), FaultClass::Overloaded),
        (502, "<html>bad gateway</html>".into(), FaultClass::Upstream),
        (302, String::new(), FaultClass::Refused),
        (404, json!({"error": "model 'x' not found"}).to_string(), FaultClass::NoModel),
    ] {
        let fault = read_fault(status, body.as_bytes());
        assert_eq!((fault.class, fault.status), (class, Some(status)), "{status} {body}");
    }
    assert_eq!(read_fault(404, br#"{"error":"model 'x' not found"}"#).message, "it answered 404: model 'x' not found");
}

#[test]
fn every_class_is_an_error_of_each_dialect() {
    let fault = Fault::new(FaultClass::RateLimited, "slow down");
    assert_eq!(
        write_fault(Dialect::Anthropic, &fault)["error"],
        json!({"type": "rate_limit_error", "message": "slow down"})
    );
    let said = write_fault(Dialect::OpenAi, &Fault::invalid("/messages/0", "expected x"));
    assert_eq!(
        (&said["error"]["type"], &said["error"]["param"]),
        (&json!("invalid_request_error"), &json!("messages.0"))
    );
}
