//! Ollama's own wire: requests, whole answers and lines.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::*;
use super::{read_stream, to, whole, wire_of, written};
use crate::model::gateway::{Block, FaultClass, StopReason, Usage};

fn said(dialect: Dialect, body: Value, model: &str) -> Result<Value, Fault> {
    let request = read_request(dialect, body).unwrap();
    write_request(&request, to(ProviderKind::Ollama, &Model::named(model)))
}

#[test]
fn a_request_becomes_ollamas() {
    let body = json!({
        "model": "m", "max_tokens": 50, "system": "You weave.", "temperature": 0.5, "top_k": 40, "stop_sequences": ["END"], "stream": true,
        "tools": [{"name": "look", "description": "Looks.", "input_schema": {"type": "object"}}], "tool_choice": {"type": "auto"},
        "output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}},
        "messages": [
            {"role": "user", "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}},
            ]},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "hm", "signature": ""},
                {"type": "text", "text": "Let me look."},
                {"type": "tool_use", "id": "t1", "name": "look", "input": {"a": 1}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "t1", "is_error": true, "content": [
                    {"type": "text", "text": "dark"},
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
                ]},
                {"type": "text", "text": "Go on."},
            ]},
        ],
    });
    let expected = json!({
        "model": "llama3.2:1b", "stream": true, "format": {"type": "object"},
        "options": {"temperature": 0.5, "top_k": 40, "num_predict": 50, "stop": ["END"]},
        "tools": [{"type": "function", "function": {"name": "look", "description": "Looks.", "parameters": {"type": "object"}}}],
        "messages": [
            {"role": "system", "content": "You weave."},
            {"role": "user", "content": "What is this?", "images": ["iVBORw0KGgo="]},
            {"role": "assistant", "content": "Let me look.", "thinking": "hm",
             "tool_calls": [{"id": "t1", "function": {"name": "look", "arguments": {"a": 1}}}]},
            {"role": "tool", "content": "Error: dark", "images": ["AAAA"], "tool_call_id": "t1", "tool_name": "look"},
            {"role": "user", "content": "Go on."},
        ],
    });
    assert_eq!(said(Dialect::Anthropic, body, "llama3.2:1b").unwrap(), expected);
}

#[test]
fn what_ollama_alone_knows_may_be_added_by_callers_of_chat_completions() {
    let body = json!({
        "model": "m", "temperature": 0.1, "keep_alive": "10m", "think": "high", "options": {"num_ctx": 8192, "temperature": 0.7},
        "response_format": {"type": "json_object"}, "user": "u", "messages": [{"role": "user", "content": "x"}],
    });
    let out = said(Dialect::OpenAi, body, "m").unwrap();
    assert_eq!((&out["keep_alive"], &out["think"], &out["format"]), (&json!("10m"), &json!("high"), &json!("json")));
    assert_eq!(out["options"], json!({"num_ctx": 8192, "temperature": 0.7}));
    let wrong = json!({"model": "m", "options": 3, "messages": []});
    assert_eq!(said(Dialect::OpenAi, wrong, "m").unwrap_err().pointer.as_deref(), Some("/options"));
}

#[test]
fn whether_a_model_thinks_is_said_where_it_is_understood() {
    let ask = |effort: &str, model: &str| {
        let body = json!({"model": "m", "reasoning_effort": effort, "messages": [{"role": "user", "content": "x"}]});
        said(Dialect::OpenAi, body, model).unwrap().get("think").cloned()
    };
    assert_eq!(ask("none", "qwen3"), Some(json!(false)));
    assert_eq!(ask("high", "llama3"), None);
    assert_eq!(ask("high", "gpt-oss:20b"), Some(json!("high")));
    let off = json!({"model": "m", "max_tokens": 9, "thinking": {"type": "disabled"}, "messages": [{"role": "user", "content": "x"}]});
    assert_eq!(said(Dialect::Anthropic, off, "qwen3").unwrap()["think"], false);
}

#[test]
fn what_ollama_has_no_word_for_is_refused_by_name() {
    let with = |field: &str, value: Value| {
        let mut body = json!({"model": "m", "messages": [{"role": "user", "content": "x"}],
            "tools": [{"type": "function", "function": {"name": "f"}}]});
        body[field] = value;
        body
    };
    let picture = json!([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]}]);
    for (field, value, pointer) in [
        ("tool_choice", json!("required"), "/tool_choice"),
        ("tool_choice", json!({"type": "function", "function": {"name": "f"}}), "/tool_choice"),
        ("parallel_tool_calls", json!(false), "/parallel_tool_calls"),
        ("logit_bias", json!({}), "/logit_bias"),
        ("tools", json!([{"type": "custom", "custom": {}}]), "/tools/0"),
        ("messages", picture, "/messages/0/content/0"),
    ] {
        let fault = said(Dialect::OpenAi, with(field, value), "m").unwrap_err();
        assert_eq!((fault.class, fault.pointer.as_deref()), (FaultClass::Untranslatable, Some(pointer)), "{fault}");
    }
    assert!(said(Dialect::OpenAi, with("tool_choice", json!("none")), "m").unwrap().get("tools").is_none());
}

fn answer() -> Value {
    json!({
        "model": "llama3.2", "created_at": "2026-11-21T19:22:45.499127Z",
        "message": {"role": "assistant", "content": "A löom 🧵.", "thinking": "hm",
            "tool_calls": [{"function": {"name": "look", "arguments": {"a": 1}}}, {"id": "call_x", "function": {"name": "see", "arguments": {}}}]},
        "done_reason": "stop", "done": true, "total_duration": 4_883_583_458_i64, "load_duration": 1_334_875,
        "prompt_eval_count": 26, "prompt_eval_duration": 342_546_000, "eval_count": 282, "eval_duration": 4_535_599_000_i64,
    })
}

const LINES: &str = "{\"model\":\"llama3.2\",\"created_at\":\"2026-11-21T19:22:45.499127Z\",\"message\":{\"role\":\"assistant\",\"content\":\"\",\"thinking\":\"h\"},\"done\":false}\n\
{\"model\":\"llama3.2\",\"created_at\":\"2026-11-21T19:22:45.6Z\",\"message\":{\"role\":\"assistant\",\"content\":\"\",\"thinking\":\"m\"},\"done\":false}\n\
{\"model\":\"llama3.2\",\"created_at\":\"2026-11-21T19:22:45.7Z\",\"message\":{\"role\":\"assistant\",\"content\":\"A löom\"},\"done\":false}\n\
{\"model\":\"llama3.2\",\"created_at\":\"2026-11-21T19:22:45.8Z\",\"message\":{\"role\":\"assistant\",\"content\":\" 🧵.\"},\"done\":false}\n\
{\"model\":\"llama3.2\",\"created_at\":\"2026-11-21T19:22:45.9Z\",\"message\":{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[{\"function\":{\"name\":\"look\",\"arguments\":{\"a\":1}}},{\"id\":\"call_x\",\"function\":{\"name\":\"see\",\"arguments\":{}}}]},\"done\":false}\n\
{\"model\":\"llama3.2\",\"created_at\":\"2026-11-21T19:22:46Z\",\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"done_reason\":\"stop\",\"done\":true,\"total_duration\":4883583458,\"prompt_eval_count\":26,\"eval_count\":282}\n";

#[test]
fn an_answer_of_ollamas_is_read_whole_and_in_lines_alike() {
    let at_once = read_response(Wire::Ollama, answer()).unwrap();
    assert_eq!(at_once.text(), "A löom 🧵.");
    assert_eq!(at_once.content[0], Block::Thinking { text: "hm".into(), signature: None });
    assert!(matches!(&at_once.content[2], Block::ToolUse { id, name, input, .. }
        if id == "call_20261121192245499127_0" && name == "look" && *input == json!({"a": 1})));
    assert!(matches!(&at_once.content[3], Block::ToolUse { id, .. } if id == "call_x"));
    assert_eq!((&at_once.stop, at_once.id.as_str()), (&StopReason::ToolUse, "ollama-20261121192245499127"));
    assert_eq!(at_once.usage, Usage { input: 26, output: 282, ..Usage::default() });
    let streamed = whole(&read_stream(Wire::Ollama, &[LINES.as_bytes()]).unwrap());
    assert_eq!(streamed, at_once);
}

#[test]
fn ollamas_stream_is_said_in_every_dialect() {
    let deltas = read_stream(Wire::Ollama, &[LINES.as_bytes()]).unwrap();
    let answer = whole(&deltas);
    for into in [Dialect::Anthropic, Dialect::OpenAi, Dialect::Responses] {
        let text = written(into, &deltas, false);
        let again = whole(&read_stream(wire_of(into), &[text.as_bytes()]).unwrap());
        assert_eq!(
            (again.text(), again.usage, again.stop),
            (answer.text(), answer.usage, answer.stop.clone()),
            "{into:?}"
        );
        assert_eq!(again.content.len(), answer.content.len(), "{into:?}");
    }
}

#[test]
fn errors_and_cut_off_answers_are_told() {
    let early = read_response(Wire::Ollama, json!({"error": "model 'x' not found"})).unwrap_err();
    assert!(early.message.contains("model 'x' not found"), "{early}");
    let undone = json!({"model": "m", "message": {"content": "A"}, "done": false});
    assert_eq!(read_response(Wire::Ollama, undone).unwrap_err().class, FaultClass::Malformed);
    let broken = format!(
        "{}{{\"error\":\"an error was encountered while running the model\"}}\n",
        &LINES[..=LINES.find('\n').unwrap()]
    );
    let fault = read_stream(Wire::Ollama, &[broken.as_bytes()]).unwrap_err();
    assert_eq!(
        (fault.class, fault.message.as_str()),
        (FaultClass::Upstream, "an error was encountered while running the model")
    );
    assert_eq!(read_stream(Wire::Ollama, &[b"<html>\n"]).unwrap_err().class, FaultClass::Malformed);
    let cut = &LINES[..LINES.len() - 40];
    assert!(read_stream(Wire::Ollama, &[cut.as_bytes()]).is_err());
    let ended = LINES.trim_end();
    assert_eq!(read_stream(Wire::Ollama, &[ended.as_bytes()]).unwrap().last(), Some(&Delta::End));
}

proptest! {
    #[test]
    fn however_the_lines_are_cut_the_pieces_are_the_same(cuts in prop::collection::vec(0_usize..2000, 0..40)) {
        let bytes = LINES.as_bytes();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % bytes.len()).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
        prop_assert_eq!(read_stream(Wire::Ollama, &pieces).unwrap(), read_stream(Wire::Ollama, &[bytes]).unwrap());
    }
}
