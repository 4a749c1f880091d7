//! Requests: the same dialect says the same again, the other says what it can, and the rest is refused by name.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::*;
use super::{to, to_responses, wire_of};
use crate::model::gateway::FaultClass;

/// A request that uses what Anthropic's dialect has.
fn anthropic() -> Value {
    json!({
        "model": "claude", "max_tokens": 4096,
        "system": [
            {"type": "text", "text": "You weave.", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
            {"type": "text", "text": "Briefly."},
        ],
        "messages": [
            {"role": "user", "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}},
                {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}, "cache_control": {"type": "ephemeral"}},
                {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "x"}, "citations": {"enabled": true}},
            ]},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "A loom?", "signature": "c2ln"},
                {"type": "redacted_thinking", "data": "b3BhcXVl"},
                {"type": "text", "text": "Let me look.", "citations": [{"type": "char_location", "start": 1}]},
                {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"at": [1, 2.5, "x"]}, "caller": {"type": "direct"}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "toolu_1", "is_error": true, "content": [
                    {"type": "text", "text": "dark", "cache_control": {"type": "ephemeral"}},
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
                ]},
                {"type": "text", "text": "Go on."},
            ]},
            {"role": "assistant", "content": "It is"},
        ],
        "tools": [
            {"name": "look", "description": "Looks.", "input_schema": {"type": "object", "properties": {"at": {}}}, "strict": true,
             "cache_control": {"type": "ephemeral", "ttl": "5m"}, "eager_input_streaming": true},
            {"type": "web_search_20250305", "name": "web_search", "max_uses": 5},
        ],
        "tool_choice": {"type": "tool", "name": "look", "disable_parallel_tool_use": true},
        "temperature": 1.0, "top_p": 0.9, "top_k": 40, "stop_sequences": ["END"], "stream": true,
        "thinking": {"type": "enabled", "budget_tokens": 2048, "display": "summarized"},
        "output_config": {"effort": "max", "format": {"type": "json_schema", "schema": {"type": "object"}}, "task_budget": {"total": 9}},
        "metadata": {"user_id": "u"}, "service_tier": "auto", "container": "c1",
        "context_management": {"edits": [{"type": "clear_thinking_20251015"}]},
    })
}

fn openai() -> Value {
    json!({
        "model": "gpt", "max_completion_tokens": 100,
        "messages": [
            {"role": "system", "content": "You weave."},
            {"role": "user", "name": "mara", "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo=", "detail": "low"}},
                {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
                {"type": "file", "file": {"file_id": "f1"}},
            ]},
            {"role": "assistant", "content": "Let me look.", "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{\"at\":1}"}},
                {"id": "call_2", "type": "function", "function": {"name": "look", "arguments": "{broken"}},
            ]},
            {"role": "tool", "tool_call_id": "call_1", "content": "dark"},
            {"role": "tool", "tool_call_id": "call_2", "content": "broken"},
            {"role": "system", "content": "Be brief."},
            {"role": "assistant", "content": null, "refusal": "No."},
            {"role": "user", "content": "Go on."},
        ],
        "tools": [
            {"type": "function", "function": {"name": "look", "description": "Looks.", "parameters": {"type": "object"}, "strict": true}},
            {"type": "custom", "custom": {"name": "free"}},
        ],
        "tool_choice": {"type": "function", "function": {"name": "look"}}, "parallel_tool_calls": false,
        "response_format": {"type": "json_schema", "json_schema": {"name": "a", "description": "d", "schema": {"type": "object"}, "strict": true}},
        "temperature": 1.5, "top_p": 0.9, "seed": 7, "frequency_penalty": 0.5, "presence_penalty": -0.5,
        "stop": ["END"], "stream": true, "stream_options": {"include_usage": true}, "reasoning_effort": "low",
        "user": "u", "store": true, "metadata": {"k": "v"}, "verbosity": "low", "logit_bias": {"1": 2},
    })
}

fn again(dialect: Dialect, kind: ProviderKind, body: &Value) -> Value {
    let request = read_request(dialect, body.clone()).unwrap();
    let model = Model::named(body["model"].as_str().unwrap());
    write_request(&request, to(kind, &model)).unwrap()
}

#[test]
fn what_anthropic_says_is_said_to_anthropic_again() {
    assert_eq!(again(Dialect::Anthropic, ProviderKind::Anthropic, &anthropic()), anthropic());
}

#[test]
fn what_openai_says_is_said_to_openai_again() {
    assert_eq!(again(Dialect::OpenAi, ProviderKind::OpenAi, &openai()), openai());
}

#[test]
fn a_choice_among_several_tools_is_said_to_openai_again() {
    let choice = json!({"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": []}});
    let mut body = openai();
    body["tool_choice"] = choice.clone();
    assert_eq!(again(Dialect::OpenAi, ProviderKind::OpenAi, &body)["tool_choice"], choice);
}

#[test]
fn anthropic_becomes_openai() {
    let body = json!({
        "model": "m", "max_tokens": 50, "system": "You weave.", "stop_sequences": ["END"], "stream": true,
        "tools": [{"name": "look", "input_schema": {"type": "object"}, "cache_control": {"type": "ephemeral"}}],
        "tool_choice": {"type": "any", "disable_parallel_tool_use": true},
        "thinking": {"type": "enabled", "budget_tokens": 2048}, "metadata": {"user_id": "u"},
        "messages": [
            {"role": "user", "content": [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}]},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "hm", "signature": "s"},
                {"type": "tool_use", "id": "t1", "name": "look", "input": {"a": 1}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "t1", "is_error": true, "content": "dark"},
                {"type": "text", "text": "Go on."},
            ]},
        ],
    });
    let expected = json!({
        "model": "m", "max_tokens": 50, "stop": ["END"], "stream": true, "stream_options": {"include_usage": true},
        "tools": [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}],
        "tool_choice": "required", "parallel_tool_calls": false,
        "messages": [
            {"role": "system", "content": "You weave."},
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]},
            {"role": "assistant", "content": null, "tool_calls": [
                {"id": "t1", "type": "function", "function": {"name": "look", "arguments": "{\"a\":1}"}},
            ]},
            {"role": "tool", "tool_call_id": "t1", "content": "Error: dark"},
            {"role": "user", "content": "Go on."},
        ],
    });
    assert_eq!(again(Dialect::Anthropic, ProviderKind::OpenAiCompatible, &body), expected);
}

#[test]
fn openai_becomes_anthropic() {
    let body = json!({
        "model": "m", "temperature": 1.7, "seed": 3, "user": "u", "stop": "END",
        "messages": [
            {"role": "developer", "content": "You weave."},
            {"role": "user", "content": "Look twice."},
            {"role": "assistant", "content": "", "tool_calls": [
                {"id": "a", "type": "function", "function": {"name": "look", "arguments": ""}},
                {"id": "b", "type": "function", "function": {"name": "look", "arguments": "{\"n\":2}"}},
            ]},
            {"role": "tool", "tool_call_id": "a", "content": "dark"},
            {"role": "tool", "tool_call_id": "b", "content": [{"type": "text", "text": "bright"}]},
            {"role": "system", "content": "Be brief."},
        ],
        "tools": [{"type": "function", "function": {"name": "look"}}], "tool_choice": "auto", "parallel_tool_calls": false,
        "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}},
    });
    let expected = json!({
        "model": "m", "max_tokens": 8192, "temperature": 1.0, "stop_sequences": ["END"],
        "system": [{"type": "text", "text": "You weave."}, {"type": "text", "text": "Be brief."}],
        "messages": [
            {"role": "user", "content": "Look twice."},
            {"role": "assistant", "content": [
                {"type": "tool_use", "id": "a", "name": "look", "input": {}},
                {"type": "tool_use", "id": "b", "name": "look", "input": {"n": 2}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "a", "content": "dark"},
                {"type": "tool_result", "tool_use_id": "b", "content": "bright"},
            ]},
        ],
        "tools": [{"name": "look", "input_schema": {"type": "object", "properties": {}}}],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": true},
        "output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}},
    });
    assert_eq!(again(Dialect::OpenAi, ProviderKind::Anthropic, &body), expected);
}

#[test]
fn effort_becomes_a_budget_of_thoughts_within_the_limit_of_tokens() {
    for (effort, max_tokens, budget) in
        [("high", 32_000, Some(16_384)), ("medium", 4096, Some(3072)), ("high", 1500, None), ("minimal", 9000, None)]
    {
        let body = json!({"model": "m", "max_tokens": max_tokens, "temperature": 0.2, "reasoning_effort": effort,
            "messages": [{"role": "user", "content": "x"}]});
        let out = again(Dialect::OpenAi, ProviderKind::Anthropic, &body);
        assert_eq!(out["thinking"]["budget_tokens"].as_u64(), budget, "{effort} {max_tokens}");
        assert_eq!(out.get("temperature").is_none(), budget.is_some());
    }
}

#[test]
fn what_the_other_dialect_has_no_word_for_is_refused_by_name() {
    let user = json!([{"role": "user", "content": "x"}]);
    let anthropic = |field: &str, value: Value| json!({"model": "m", "max_tokens": 9, "messages": user, field: value});
    let openai = |field: &str, value: Value| json!({"model": "m", "messages": user, field: value});
    let document = json!([{"role": "user", "content": [{"type": "document", "source": {}}]}]);
    for (dialect, kind, body, pointer) in [
        (Dialect::Anthropic, ProviderKind::OpenAi, anthropic("top_k", json!(3)), "/top_k"),
        (Dialect::Anthropic, ProviderKind::Ollama, anthropic("container", json!("c")), "/container"),
        (
            Dialect::Anthropic,
            ProviderKind::OpenAi,
            anthropic("tools", json!([{"type": "bash_20250124", "name": "b"}])),
            "/tools/0",
        ),
        (Dialect::Anthropic, ProviderKind::OpenAi, anthropic("messages", document), "/messages/0/content/0"),
        (Dialect::OpenAi, ProviderKind::Anthropic, openai("logit_bias", json!({})), "/logit_bias"),
        (Dialect::OpenAi, ProviderKind::Anthropic, openai("presence_penalty", json!(1)), "/presence_penalty"),
        (
            Dialect::OpenAi,
            ProviderKind::Anthropic,
            openai("response_format", json!({"type": "json_object"})),
            "/response_format",
        ),
        (
            Dialect::OpenAi,
            ProviderKind::Anthropic,
            openai("tools", json!([{"type": "custom", "custom": {}}])),
            "/tools/0",
        ),
        (
            Dialect::OpenAi,
            ProviderKind::Anthropic,
            openai("tool_choice", json!({"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": []}})),
            "/tool_choice",
        ),
    ] {
        let request = read_request(dialect, body).unwrap();
        let fault = write_request(&request, to(kind, &Model::named("m"))).unwrap_err();
        assert_eq!((fault.class, fault.pointer.as_deref()), (FaultClass::Untranslatable, Some(pointer)), "{fault}");
    }
}

#[test]
fn a_request_that_does_not_fit_names_its_field() {
    let user = json!([{"role": "user", "content": "x"}]);
    for (dialect, body, pointer) in [
        (Dialect::Anthropic, json!([]), ""),
        (Dialect::Anthropic, json!({"max_tokens": 1, "messages": user}), "/model"),
        (Dialect::Anthropic, json!({"model": "m", "messages": user}), "/max_tokens"),
        (Dialect::Anthropic, json!({"model": "m", "max_tokens": 0, "messages": user}), "/max_tokens"),
        (Dialect::Anthropic, json!({"model": "m", "max_tokens": 1, "messages": "x"}), "/messages"),
        (
            Dialect::Anthropic,
            json!({"model": "m", "max_tokens": 1, "messages": [{"role": "tool", "content": "x"}]}),
            "/messages/0/role",
        ),
        (
            Dialect::Anthropic,
            json!({"model": "m", "max_tokens": 1, "messages": [{"role": "user"}]}),
            "/messages/0/content",
        ),
        (
            Dialect::Anthropic,
            json!({"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": [{"type": "text"}]}]}),
            "/messages/0/content/0/text",
        ),
        (
            Dialect::Anthropic,
            json!({"model": "m", "max_tokens": 1, "messages": user, "tool_choice": {"type": "x"}}),
            "/tool_choice/type",
        ),
        (Dialect::OpenAi, json!({"model": "m"}), "/messages"),
        (Dialect::OpenAi, json!({"model": "m", "messages": user, "n": 0}), "/n"),
        (Dialect::OpenAi, json!({"model": "m", "messages": user, "n": 129}), "/n"),
        (Dialect::OpenAi, json!({"model": "m", "messages": user, "functions": []}), "/functions"),
        (Dialect::OpenAi, json!({"model": "m", "messages": user, "stop": [1]}), "/stop/0"),
        (Dialect::OpenAi, json!({"model": "m", "messages": user, "temperature": "hot"}), "/temperature"),
        (
            Dialect::OpenAi,
            json!({"model": "m", "messages": [{"role": "tool", "content": "x"}]}),
            "/messages/0/tool_call_id",
        ),
    ] {
        let fault = read_request(dialect, body.clone()).unwrap_err();
        assert_eq!((fault.class, fault.pointer.as_deref()), (FaultClass::Invalid, Some(pointer)), "{body} {fault}");
    }
}

/// Any JSON, not too deep.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-z_]{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z_]{1,8}", inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Blocks that both dialects know, as Anthropic writes them.
fn any_block() -> impl Strategy<Value = Value> {
    prop_oneof![
        ("[a-zé ]{1,12}", any::<bool>()).prop_map(|(text, marked)| {
            let mut block = json!({"type": "text", "text": text});
            if marked {
                block["cache_control"] = json!({"type": "ephemeral"});
            }
            block
        }),
        "[A-Za-z0-9]{4}".prop_map(|data| {
            json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}})
        }),
        ("[a-z]{3}", any_json())
            .prop_map(|(id, value)| { json!({"type": "tool_use", "id": id, "name": "t", "input": {"v": value}}) }),
        ("[a-z]{3}", "[a-z]{1,9}")
            .prop_map(|(id, text)| { json!({"type": "tool_result", "tool_use_id": id, "content": text}) }),
        ("[a-z]{0,9}", "[a-z]{1,9}")
            .prop_map(|(text, proof)| { json!({"type": "thinking", "thinking": text, "signature": proof}) }),
        any_json().prop_map(|value| json!({"type": "new_kind_of_block", "v": value})),
    ]
}

proptest! {
    #[test]
    fn any_conversation_is_said_to_anthropic_again(
        turns in prop::collection::vec((any::<bool>(), prop::collection::vec(any_block(), 2..5)), 1..5),
        unknown in any_json(),
    ) {
        let messages: Vec<Value> = turns
            .into_iter()
            .map(|(user, content)| json!({"role": if user { "user" } else { "assistant" }, "content": content}))
            .collect();
        let mut body = json!({"model": "m", "max_tokens": 5, "messages": messages});
        if !unknown.is_null() {
            body["a_new_field"] = unknown;
        }
        prop_assert_eq!(again(Dialect::Anthropic, ProviderKind::Anthropic, &body), body);
    }

    #[test]
    fn no_body_breaks_the_readers(mut body in any_json(), part in any_json()) {
        if let Some(map) = body.as_object_mut() {
            map.insert("model".into(), json!("m"));
            map.insert("max_tokens".into(), json!(1));
            map.insert("messages".into(), json!([{"role": "user", "content": part}]));
            map.insert("input".into(), json!([{"type": "message", "role": "assistant", "content": part}, part]));
        }
        for dialect in [Dialect::Anthropic, Dialect::OpenAi, Dialect::Responses] {
            if let Ok(request) = read_request(dialect, body.clone()) {
                for kind in ProviderKind::ALL {
                    let _ = write_request(&request, to(kind, &Model::named("m")));
                }
                let _ = write_request(&request, to_responses(&Model::named("m")));
            }
            let _ = read_response(wire_of(dialect), body.clone());
        }
    }
}
