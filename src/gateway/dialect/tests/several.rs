//! Several answers to one question, in Chat Completions.

use serde_json::{Value, json};

use super::super::*;
use super::{bare, envelope, read_stream, to, whole, written};
use crate::model::gateway::{ANSWER_BLOCKS, Block, FaultClass, Other, StopReason};

fn asked(answers: u32) -> Request {
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "Hi"}], "n": answers});
    read_request(Dialect::OpenAi, body).unwrap()
}

#[test]
fn it_is_handed_on_to_who_knows_it_and_refused_by_name_for_others() {
    let model = Model::named("m");
    let body = write_request(&asked(3), to(ProviderKind::OpenAiCompatible, &model)).unwrap();
    assert_eq!(body["n"], 3);
    assert_eq!(write_request(&asked(1), to(ProviderKind::OpenAi, &model)).unwrap().get("n"), None);
    for (kind, wire) in [
        (ProviderKind::Anthropic, Wire::Anthropic),
        (ProviderKind::Ollama, Wire::Ollama),
        (ProviderKind::OpenAi, Wire::Responses),
    ] {
        let fault = write_request(&asked(2), Addressee { kind, wire, model: &model }).unwrap_err();
        assert_eq!((fault.class, fault.pointer.as_deref()), (FaultClass::Untranslatable, Some("/n")), "{wire:?}");
        assert!(write_request(&asked(1), Addressee { kind, wire, model: &model }).is_ok());
    }
}

#[test]
fn whole_answers_come_in_the_order_of_their_numbers() {
    let choice = |index: u32, text: &str, reason: &str| json!({"index": index, "message": {"role": "assistant", "content": text}, "finish_reason": reason});
    let body = json!({"id": "c", "model": "m", "choices": [choice(1, "Two.", "length"), choice(0, "One.", "stop")],
        "usage": {"prompt_tokens": 5, "completion_tokens": 8}});
    let response = read_response(Wire::OpenAi, body).unwrap();
    assert_eq!((response.text().as_str(), &response.stop), ("One.", &StopReason::EndTurn));
    assert_eq!(response.others, [Other { content: vec![Block::text("Two.")], stop: StopReason::MaxTokens }]);
    let said = write_response(Dialect::OpenAi, &response, &envelope(true));
    let told = |index: usize| (&said["choices"][index]["index"], &said["choices"][index]["message"]["content"]);
    assert_eq!((told(0), told(1)), ((&json!(0), &json!("One.")), (&json!(1), &json!("Two."))));
    assert_eq!(said["choices"][1]["finish_reason"], "length");
    assert_eq!(said["usage"]["completion_tokens"], 8);
}

/// A stream in which two answers come by turns.
fn stream() -> String {
    let chunk = |choices: Value, usage: Value| {
        format!("data: {}\n\n", json!({"id": "c", "model": "m", "choices": choices, "usage": usage}))
    };
    let piece = |index: u32, delta: Value, reason: Value| {
        chunk(json!([{"index": index, "delta": delta, "finish_reason": reason}]), Value::Null)
    };
    let tool = json!({"tool_calls": [{"index": 0, "id": "t", "function": {"name": "look", "arguments": "{\"a\":1}"}}]});
    [
        piece(0, json!({"role": "assistant", "content": "O"}), Value::Null),
        piece(1, json!({"role": "assistant", "content": "T"}), Value::Null),
        piece(0, json!({"content": "ne."}), Value::Null),
        piece(1, tool, Value::Null),
        piece(1, json!({}), json!("tool_calls")),
        piece(0, json!({}), json!("stop")),
        chunk(json!([]), json!({"prompt_tokens": 5, "completion_tokens": 8})),
        "data: [DONE]\n\n".to_owned(),
    ]
    .concat()
}

#[test]
fn streamed_answers_keep_their_numbers_there_and_back() {
    let deltas = read_stream(Wire::OpenAi, &[stream().as_bytes()]).unwrap();
    let response = whole(&deltas);
    assert_eq!((response.text().as_str(), response.usage.output), ("One.", 8));
    assert_eq!((response.others.len(), &response.others[0].stop), (1, &StopReason::ToolUse));
    let [Block::Text { text, .. }, Block::ToolUse { name, input, .. }] = &response.others[0].content[..] else {
        panic!("{response:?}");
    };
    assert_eq!((text.as_str(), name.as_str(), input), ("T", "look", &json!({"a": 1})));
    assert!(deltas.iter().any(|delta| matches!(delta, Delta::Open { index, .. } if *index == ANSWER_BLOCKS)));

    let said = written(Dialect::OpenAi, &deltas, true);
    let again = whole(&read_stream(Wire::OpenAi, &[said.as_bytes()]).unwrap());
    assert_eq!(again, response);
    let chunks = said.lines().filter_map(|line| line.strip_prefix("data: ")).filter(|data| *data != "[DONE]");
    let choices: Vec<Value> = chunks
        .flat_map(|data| serde_json::from_str::<Value>(data).unwrap()["choices"].as_array().unwrap().clone())
        .collect();
    let words = |number: u32| -> String {
        let own = choices.iter().filter(|choice| choice["index"] == number);
        own.filter_map(|choice| choice["delta"]["content"].as_str()).collect()
    };
    assert_eq!((words(0).as_str(), words(1).as_str()), ("One.", "T"));
    let ends: Vec<_> = choices.iter().filter(|choice| !choice["finish_reason"].is_null()).collect();
    assert_eq!(ends.len(), 2, "each ends once");
    let call = choices.iter().find_map(|choice| choice["delta"]["tool_calls"].get(0)).unwrap();
    assert_eq!(call["index"], 0, "its tools are counted by themselves");
}

#[test]
fn answers_of_which_one_does_not_end_have_broken_off() {
    let cut = stream().replace("\"finish_reason\":\"stop\"", "\"finish_reason\":null");
    let deltas = read_stream(Wire::OpenAi, &[cut.as_bytes()]).unwrap();
    assert!(!deltas.iter().any(|delta| matches!(delta, Delta::Stop { .. } | Delta::End)), "{deltas:?}");
    let far = stream().replace("\"index\":1", "\"index\":128");
    assert!(read_stream(Wire::OpenAi, &[far.as_bytes()]).is_err());
}

#[test]
fn what_stands_beside_the_words_goes_through_whole_and_streamed() {
    let (one, two) = (
        json!({"token": "A", "logprob": -0.1, "bytes": [65], "top_logprobs": []}),
        json!({"token": " loom", "logprob": -0.5}),
    );
    let source = json!({"type": "url_citation", "url_citation": {"url": "https://example.org"}});
    let whole_answer = json!({"id": "1", "object": "chat.completion", "created": 1_700_000_000, "model": "m", "choices": [{
        "index": 0, "finish_reason": "stop", "logprobs": {"content": [one, two]},
        "message": {"role": "assistant", "content": "A loom", "annotations": [source]}}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5,
            "prompt_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0}, "completion_tokens_details": {"reasoning_tokens": 0}}});
    let response = read_response(Wire::OpenAi, whole_answer.clone()).unwrap();
    assert_eq!(bare(write_response(Dialect::OpenAi, &response, &envelope(true))), whole_answer);
    assert_eq!(
        Losses::of(&response, Dialect::OpenAi, Dialect::Responses)[0],
        "annotations of 1 text left out of the answer: OpenAI Responses has another form for them, or none"
    );

    let chunk = |delta: Value, logprobs: Value, reason: Value| {
        let choice = json!({"index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": reason});
        format!("data: {}\n\n", json!({"id": "1", "model": "m", "choices": [choice]}))
    };
    let stream = [
        chunk(json!({"role": "assistant", "content": ""}), Value::Null, Value::Null),
        chunk(json!({"content": "A"}), json!({"content": [one]}), Value::Null),
        chunk(json!({"content": " loom"}), json!({"content": [two]}), Value::Null),
        chunk(json!({"annotations": [source]}), Value::Null, Value::Null),
        chunk(json!({}), Value::Null, json!("stop")),
        "data: [DONE]\n\n".to_owned(),
    ]
    .concat();
    let deltas = read_stream(Wire::OpenAi, &[stream.as_bytes()]).unwrap();
    // The pieces make the same whole, and said again they are the same pieces.
    assert_eq!(whole(&deltas).content, response.content);
    let again = read_stream(Wire::OpenAi, &[written(Dialect::OpenAi, &deltas, true).as_bytes()]).unwrap();
    assert_eq!(whole(&again).content, response.content);
    // So does an answer that was kept.
    let kept = crate::model::gateway::replay(&response);
    let again = read_stream(Wire::OpenAi, &[written(Dialect::OpenAi, &kept, true).as_bytes()]).unwrap();
    assert_eq!(whole(&again).content, response.content);
    // Elsewhere there is no place for them.
    assert!(!written(Dialect::OpenAi, &deltas, false).contains("url_citation"));
    assert!(!written(Dialect::Anthropic, &deltas, false).contains("logprob"));
}

#[test]
fn likelihoods_are_asked_of_who_knows_them_and_refused_by_name_for_others() {
    let body =
        json!({"model": "m", "messages": [{"role": "user", "content": "Hello"}], "logprobs": true, "top_logprobs": 2});
    let request = read_request(Dialect::OpenAi, body).unwrap();
    let model = Model::named("m");
    let said = write_request(&request, to(ProviderKind::OpenAi, &model)).unwrap();
    assert_eq!((&said["logprobs"], &said["top_logprobs"]), (&json!(true), &json!(2)));
    let refused = write_request(&request, to(ProviderKind::Anthropic, &model)).unwrap_err();
    assert_eq!(refused.pointer.as_deref(), Some("/logprobs"));
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "Hello"}], "logprobs": false});
    let request = read_request(Dialect::OpenAi, body).unwrap();
    assert!(write_request(&request, to(ProviderKind::Anthropic, &model)).is_ok());
}
