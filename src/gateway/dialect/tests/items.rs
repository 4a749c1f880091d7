//! Responses: requests and whole answers, of items.

use serde_json::{Value, json};

use super::super::*;
use super::{bare, envelope, to, to_responses};
use crate::model::gateway::{Block, FaultClass, Role, StopReason, Usage};

/// A request that uses what the dialect has, in the shape that it is written in again.
pub(super) fn request() -> Value {
    json!({
        "model": "gpt", "instructions": "You weave.", "max_output_tokens": 100, "temperature": 0.5, "top_p": 0.9,
        "parallel_tool_calls": false, "stream": true, "store": false,
        "input": [
            {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "Be brief."}]},
            {"type": "message", "role": "user", "content": [
                {"type": "input_text", "text": "What is this?"},
                {"type": "input_image", "image_url": "data:image/png;base64,iVBORw0KGgo=", "detail": "low"},
                {"type": "input_image", "file_id": "f1", "detail": "auto"},
                {"type": "input_file", "file_id": "f2"},
            ]},
            {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "A loom?"}, {"type": "summary_text", "text": "Yes."}],
             "encrypted_content": "c2VhbGVk", "status": "completed"},
            {"type": "message", "role": "assistant", "id": "msg_1", "status": "completed", "phase": "commentary", "content": [
                {"type": "output_text", "text": "Let me look.", "logprobs": [],
                 "annotations": [{"type": "url_citation", "url": "https://example.com", "start_index": 0, "end_index": 3, "title": "t"}]},
            ]},
            {"type": "message", "role": "assistant", "id": "msg_2", "status": "completed", "content": [
                {"type": "output_text", "text": "Twice.", "annotations": [], "logprobs": []},
                {"type": "refusal", "refusal": "Not thrice."},
            ]},
            {"type": "function_call", "id": "fc_1", "status": "completed", "call_id": "call_1", "name": "look", "arguments": "{\"at\":1}"},
            {"type": "function_call", "call_id": "call_2", "name": "look", "arguments": "{broken"},
            {"type": "custom_tool_call", "call_id": "call_3", "name": "free", "input": "x"},
            {"type": "function_call_output", "call_id": "call_1", "output": "dark"},
            {"type": "function_call_output", "call_id": "call_2", "output": [
                {"type": "input_text", "text": "bright"}, {"type": "input_image", "image_url": "https://example.com/a.png", "detail": "auto"},
            ]},
            {"type": "custom_tool_call_output", "call_id": "call_3", "output": "y"},
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Go on."}]},
        ],
        "tools": [
            {"type": "function", "name": "look", "description": "Looks.", "parameters": {"type": "object"}, "strict": true},
            {"type": "web_search", "search_context_size": "low"},
        ],
        "tool_choice": {"type": "function", "name": "look"},
        "text": {"format": {"type": "json_schema", "name": "a", "description": "d", "schema": {"type": "object"}, "strict": true}, "verbosity": "low"},
        "reasoning": {"effort": "low", "summary": "auto"}, "include": ["reasoning.encrypted_content"],
        "metadata": {"k": "v"}, "service_tier": "auto", "truncation": "auto", "user": "u", "prompt_cache_key": "p",
    })
}

fn read(body: Value) -> Request {
    read_request(Dialect::Responses, body).unwrap()
}

#[test]
fn what_responses_says_is_said_in_responses_again() {
    let model = Model::named("gpt");
    let again = write_request(&read(request()), to_responses(&model)).unwrap();
    assert_eq!(again, request());
}

#[test]
fn what_belongs_to_a_turn_is_one_turn() {
    let turns = read(request()).messages;
    let shape: Vec<(Role, usize)> = turns.iter().map(|turn| (turn.role, turn.content.len())).collect();
    let (system, user, assistant) = (Role::System, Role::User, Role::Assistant);
    assert_eq!(shape, [(system, 1), (user, 4), (assistant, 7), (user, 3), (user, 1)]);
}

#[test]
fn a_plain_request_becomes_anything() {
    let body = json!({
        "model": "m", "instructions": "You weave.", "store": true, "max_output_tokens": 50, "metadata": {"k": "v"},
        "input": [
            {"role": "user", "content": "Look twice."},
            {"type": "reasoning", "id": "rs_weft_signed_1", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": "c2ln"},
            {"type": "function_call", "id": "fc_weft_1", "call_id": "a", "name": "look", "arguments": "{\"n\":2}", "status": "completed"},
            {"type": "function_call_output", "call_id": "a", "output": "dark"},
            {"role": "system", "content": "Be brief."},
        ],
        "tools": [{"type": "function", "name": "look", "parameters": {"type": "object"}, "strict": null}], "tool_choice": "required",
        "text": {"format": {"type": "json_schema", "name": "x", "schema": {"type": "object"}}},
    });
    let request = read(body);
    let model = Model::named("m");
    let anthropic = json!({
        "model": "m", "max_tokens": 50,
        "system": [{"type": "text", "text": "You weave."}, {"type": "text", "text": "Be brief."}],
        "messages": [
            {"role": "user", "content": "Look twice."},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
                {"type": "tool_use", "id": "a", "name": "look", "input": {"n": 2}},
            ]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": "dark"}]},
        ],
        "tools": [{"name": "look", "input_schema": {"type": "object"}}], "tool_choice": {"type": "any"},
        "output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}},
    });
    assert_eq!(write_request(&request, to(ProviderKind::Anthropic, &model)).unwrap(), anthropic);
    let chat = write_request(&request, to(ProviderKind::OpenAiCompatible, &model)).unwrap();
    let roles: Vec<&str> = chat["messages"].as_array().unwrap().iter().map(|m| m["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["system", "user", "assistant", "tool", "system"]);
    assert_eq!(chat["messages"][2]["tool_calls"][0]["function"]["arguments"], "{\"n\":2}");
    assert_eq!((&chat["tool_choice"], chat.get("metadata"), chat.get("store")), (&json!("required"), None, None));
}

#[test]
fn others_are_carried_into_responses() {
    let model = Model::named("m");
    let body = json!({
        "model": "m", "max_tokens": 50, "system": "You weave.", "thinking": {"type": "adaptive"},
        "messages": [
            {"role": "user", "content": "Look."},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "hm", "signature": "anthropics"},
                {"type": "tool_use", "id": "t1", "name": "look", "input": {"a": 1}},
            ]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "is_error": true, "content": "dark"}, {"type": "text", "text": "Go on."}]},
        ],
        "tools": [{"name": "look", "input_schema": {"type": "object"}}],
    });
    let expected = json!({
        "model": "m", "max_output_tokens": 50, "instructions": "You weave.", "store": false, "include": ["reasoning.encrypted_content"],
        "input": [
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Look."}]},
            {"type": "function_call", "call_id": "t1", "name": "look", "arguments": "{\"a\":1}"},
            {"type": "function_call_output", "call_id": "t1", "output": "Error: dark"},
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Go on."}]},
        ],
        "tools": [{"type": "function", "name": "look", "parameters": {"type": "object"}, "strict": false}],
    });
    let request = read_request(Dialect::Anthropic, body).unwrap();
    assert_eq!(write_request(&request, to_responses(&model)).unwrap(), expected);
    let body = json!({
        "model": "m", "seed": 1, "user": "u", "verbosity": "low", "reasoning_effort": "high", "store": true,
        "messages": [{"role": "system", "content": "You weave."}, {"role": "user", "content": "x"}],
    });
    let expected = json!({
        "model": "m", "instructions": "You weave.", "store": false, "user": "u", "text": {"verbosity": "low"},
        "reasoning": {"effort": "high"}, "include": ["reasoning.encrypted_content"],
        "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "x"}]}],
    });
    let request = read_request(Dialect::OpenAi, body).unwrap();
    assert_eq!(write_request(&request, to_responses(&model)).unwrap(), expected);
}

#[test]
fn what_would_be_kept_or_does_not_fit_is_refused_by_name() {
    let with = |field: &str, value: Value| {
        let mut body = json!({"model": "m", "input": "x"});
        body[field] = value;
        body
    };
    for (body, pointer) in [
        (json!({"input": "x"}), "/model"),
        (json!({"model": "m"}), "/input"),
        (with("input", json!(3)), "/input"),
        (with("previous_response_id", json!("resp_1")), "/previous_response_id"),
        (with("conversation", json!({"id": "c"})), "/conversation"),
        (with("background", json!(true)), "/background"),
        (with("tool_choice", json!("sometimes")), "/tool_choice"),
        (with("text", json!({"format": {"type": "xml"}})), "/text/format/type"),
        (with("reasoning", json!({"effort": "huge"})), "/reasoning/effort"),
        (with("input", json!([{"type": "item_reference", "id": "msg_1"}])), "/input/0"),
        (with("input", json!([{"role": "judge", "content": "x"}])), "/input/0/role"),
        (with("input", json!([{"role": "user"}])), "/input/0/content"),
        (with("input", json!([{"role": "user", "content": [{"type": "input_text"}]}])), "/input/0/content/0/text"),
        (with("input", json!([{"type": "function_call_output", "output": "x"}])), "/input/0/call_id"),
        (with("tools", json!([{"type": "function"}])), "/tools/0/name"),
        (with("max_output_tokens", json!("many")), "/max_output_tokens"),
    ] {
        let fault = read_request(Dialect::Responses, body.clone()).unwrap_err();
        assert_eq!((fault.class, fault.pointer.as_deref()), (FaultClass::Invalid, Some(pointer)), "{body} {fault}");
    }
    // What OpenAI alone can do is refused where somebody else would answer.
    for (field, value, pointer) in [
        ("tools", json!([{"type": "web_search"}]), "/tools/0"),
        ("truncation", json!("auto"), "/truncation"),
        ("top_logprobs", json!(3), "/top_logprobs"),
        ("include", json!(["message.output_text.logprobs"]), "/include"),
        ("tool_choice", json!({"type": "allowed_tools", "tools": []}), "/tool_choice"),
        ("prompt", json!({"id": "pmpt_1"}), "/prompt"),
        (
            "input",
            json!([{"role": "user", "content": [{"type": "input_file", "file_id": "f"}]}]),
            "/messages/0/content/0",
        ),
    ] {
        let request = read(with(field, value));
        for kind in [ProviderKind::Anthropic, ProviderKind::OpenAiCompatible, ProviderKind::Ollama] {
            let fault = write_request(&request, to(kind, &Model::named("m"))).unwrap_err();
            assert_eq!((fault.class, fault.pointer.as_deref()), (FaultClass::Untranslatable, Some(pointer)), "{fault}");
        }
        assert!(write_request(&request, to_responses(&Model::named("m"))).is_ok(), "{field}");
    }
}

fn answer() -> Value {
    json!({
        "id": "resp_1", "object": "response", "created_at": 1_700_000_000, "status": "completed", "model": "gpt-x", "store": false,
        "background": false, "parallel_tool_calls": true, "tool_choice": "auto", "tools": [], "metadata": {}, "service_tier": "default",
        "output": [
            {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": "c2VhbGVk"},
            {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [
                {"type": "output_text", "text": "A loom.", "annotations": [], "logprobs": []},
            ]},
            {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "loom"}},
            {"type": "function_call", "id": "fc_1", "status": "completed", "call_id": "call_1", "name": "look", "arguments": "{\"a\":1}"},
        ],
        "usage": {
            "input_tokens": 30, "input_tokens_details": {"cached_tokens": 20, "cache_write_tokens": 0}, "output_tokens": 12,
            "output_tokens_details": {"reasoning_tokens": 4}, "total_tokens": 42,
        },
    })
}

#[test]
fn an_answer_in_responses_is_given_to_its_callers_as_it_is() {
    let response = read_response(Wire::Responses, answer()).unwrap();
    assert_eq!(response.stop, StopReason::ToolUse);
    assert_eq!(response.usage, Usage { input: 10, cache_read: 20, output: 12, reasoning: 4, ..Usage::default() });
    assert_eq!(bare(write_response(Dialect::Responses, &response, &envelope(true))), answer());
}

#[test]
fn an_answer_repeats_what_was_asked_and_says_that_it_is_not_stored() {
    let request = read(
        json!({"model": "m", "input": "x", "instructions": "Weave.", "store": true, "metadata": {"k": "v"},
        "max_output_tokens": 9, "tools": [{"type": "function", "name": "f", "parameters": {}}], "text": {"verbosity": "low"}}),
    );
    let response = Response {
        id: "msg_1".into(),
        model: "claude".into(),
        content: vec![Block::text("A loom.")],
        stop: StopReason::MaxTokens,
        stop_sequence: None,
        usage: Usage::default(),
        extra: Extra::new(),
        others: Vec::new(),
    };
    let said = write_response(Dialect::Responses, &response, &Envelope::new(&request, Timestamp(7_000_000)));
    assert_eq!((&said["id"], &said["created_at"], &said["store"]), (&json!("resp_msg_1"), &json!(7), &json!(false)));
    assert_eq!(
        (&said["instructions"], &said["metadata"], &said["tools"][0]["name"]),
        (&json!("Weave."), &json!({"k": "v"}), &json!("f"))
    );
    assert_eq!(said["text"], json!({"verbosity": "low", "format": {"type": "text"}}));
    assert_eq!(
        (&said["status"], &said["incomplete_details"]["reason"]),
        (&json!("incomplete"), &json!("max_output_tokens"))
    );
    assert_eq!(
        said["output"][0]["content"][0],
        json!({"type": "output_text", "text": "A loom.", "annotations": [], "logprobs": []})
    );
}

#[test]
fn thoughts_come_back_to_who_thought_them_whatever_the_caller_speaks() {
    let response = read_response(Wire::Responses, answer()).unwrap();
    // By way of Anthropic's dialect: the proof is the item.
    let said = write_response(Dialect::Anthropic, &response, &envelope(false));
    let back = json!({"model": "m", "max_tokens": 9, "messages": [{"role": "assistant", "content": said["content"]}]});
    let request = read_request(Dialect::Anthropic, back).unwrap();
    let model = Model::named("m");
    let again = write_request(&request, to_responses(&model)).unwrap();
    assert_eq!(again["input"][0], answer()["output"][0]);
    // Anthropic itself would refuse a proof that is not its own.
    let to_claude = write_request(&request, to(ProviderKind::Anthropic, &model)).unwrap();
    assert!(!to_claude.to_string().contains("thinking"), "{to_claude}");

    // And Anthropic's, by way of Responses.
    let thoughts = vec![
        Block::Thinking { text: "hm".into(), signature: Some("c2ln".into()) },
        Block::RedactedThinking { data: "b3BhcXVl".into() },
        Block::Thinking { text: "no proof".into(), signature: None },
    ];
    let response = Response { content: thoughts.clone(), ..response };
    let said = write_response(Dialect::Responses, &response, &envelope(false));
    let request = read(json!({"model": "m", "input": said["output"]}));
    assert_eq!(request.messages[0].content, thoughts);
    // None of them is OpenAI's.
    assert_eq!(write_request(&request, to_responses(&model)).unwrap()["input"], json!([]));
}

#[test]
fn an_answer_that_failed_is_an_error_with_its_class() {
    for (code, class) in [
        ("server_error", FaultClass::Upstream),
        ("rate_limit_exceeded", FaultClass::RateLimited),
        ("invalid_prompt", FaultClass::Invalid),
        ("context_length_exceeded", FaultClass::TooLarge),
    ] {
        let body =
            json!({"id": "resp_1", "status": "failed", "output": [], "error": {"code": code, "message": "boom"}});
        let fault = read_response(Wire::Responses, body).unwrap_err();
        assert_eq!((fault.class, fault.message.as_str()), (class, "boom"));
    }
    for body in
        [json!("<html>"), json!({"id": "x"}), json!({"output": [3]}), json!({"output": [{"type": "function_call"}]})]
    {
        assert_eq!(read_response(Wire::Responses, body).unwrap_err().class, FaultClass::Malformed);
    }
}
