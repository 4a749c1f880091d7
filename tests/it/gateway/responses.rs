//! OpenAI Responses: as programs meet it, and as what OpenAI is asked in.

use std::sync::Arc;

use axum::http::StatusCode;
use serde_json::{Value, json};
use tokio::sync::Notify;
use weft::gateway;
use weft::model::gateway::{CallOutcome, ProviderKind, Usage};

use super::proxy::{CHAT, MESSAGES, chat, claude, messages, pointed, read, send};
use super::upstream::{Reply, Upstream};
use super::{add, answer, calls, chunks, draft, drain, first_chunks};
use crate::support::Site;

const RESPONSES: &str = "/api/v1/gateway/openai/v1/responses";

fn ask(model: &str) -> Value {
    json!({"model": model, "input": "What is this?"})
}

/// A whole answer as OpenAI gives it.
fn response() -> Value {
    json!({
        "id": "resp_1", "object": "response", "created_at": 1, "status": "completed", "model": "gpt-real", "error": null,
        "output": [
            {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": "c2VhbGVk"},
            {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
             "content": [{"type": "output_text", "text": "A loom.", "annotations": []}]},
            {"type": "function_call", "id": "fc_1", "status": "completed", "call_id": "call_1", "name": "look", "arguments": "{}"},
        ],
        "usage": {"input_tokens": 1000, "input_tokens_details": {"cached_tokens": 400}, "output_tokens": 100,
            "output_tokens_details": {"reasoning_tokens": 60}, "total_tokens": 1100},
    })
}

fn events(list: &[Value]) -> String {
    list.iter().fold(String::new(), |text, event| {
        text + &format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap())
    })
}

/// The same as a stream.
fn stream() -> String {
    let head = json!({"id": "resp_1", "model": "gpt-real", "status": "in_progress", "output": []});
    events(&[
        json!({"type": "response.created", "sequence_number": 0, "response": head}),
        json!({"type": "response.output_item.added", "output_index": 0, "item": {"type": "message", "id": "msg_1", "role": "assistant", "content": []}}),
        json!({"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "item_id": "msg_1", "delta": "A loom."}),
        json!({"type": "response.completed", "response": {"id": "resp_1", "status": "completed", "usage": response()["usage"]}}),
    ])
}

fn kinds(text: &str) -> String {
    text.lines().filter_map(|line| line.strip_prefix("event: response.")).collect::<Vec<_>>().join(" ")
}

on_both_engines! {
    async fn responses_reaches_every_provider(site: Site) {
        let (rt, ctx, key) = pointed(&site).await;
        let replies = || [Reply::Json(200, answer("A loom.")), Reply::Events(chunks(&["A ", "loom."]))];
        let (acme, opus) = (Upstream::start(replies()).await, Upstream::start([Reply::Json(200, claude("A loom."))]).await);
        add(&ctx, "acme", ProviderKind::OpenAiCompatible, &acme, &["gpt"]).await;
        add(&ctx, "claude", ProviderKind::Anthropic, &opus, &["opus"]).await;
        for model in ["gpt", "opus"] {
            let (status, headers, body) = send(&rt, RESPONSES, &key, &ask(model)).await;
            assert_eq!(status, 200, "{body}");
            let body = read(&body);
            assert_eq!((&body["object"], &body["status"], &body["store"]), (&json!("response"), &json!("completed"), &json!(false)));
            assert_eq!(body["output"][0]["content"][0]["text"], "A loom.");
            assert!(headers.contains_key("x-weft-route") && headers.contains_key("x-weft-overhead-ms"));
        }
        assert_eq!(acme.seen()[0].path, "/v1/chat/completions");
        let mut body = ask("gpt");
        body["stream"] = json!(true);
        let (status, headers, text) = send(&rt, RESPONSES, &key, &body).await;
        assert_eq!((status, &headers["content-type"]), (StatusCode::OK, &"text/event-stream; charset=utf-8".parse().unwrap()));
        assert_eq!(
            kinds(&text),
            "created in_progress output_item.added content_part.added output_text.delta output_text.delta output_text.done \
             content_part.done output_item.done completed"
        );
        assert!(text.contains("\"total_tokens\":1100"), "{text}");
        let log = calls(&ctx).await;
        assert_eq!(log.len(), 3);
        assert!(log.iter().all(|call| call.outcome == CallOutcome::Complete && call.key_id.is_some()));
    }

    async fn openai_is_asked_in_what_the_caller_speaks_and_always_in_responses_when_set(site: Site) {
        let (rt, ctx, key) = pointed(&site).await;
        let openai = Upstream::start([Reply::Json(200, response()), Reply::Json(200, answer("A loom."))]).await;
        add(&ctx, "openai", ProviderKind::OpenAi, &openai, &["gpt"]).await;
        let asked = json!({"model": "gpt", "input": "What is this?", "tools": [{"type": "web_search"}], "reasoning": {"effort": "low"}, "store": true});
        let (status, _, body) = send(&rt, RESPONSES, &key, &asked).await;
        assert_eq!(status, 200, "{body}");
        assert_eq!(read(&body)["output"][0], response()["output"][0]);
        assert_eq!(send(&rt, CHAT, &key, &chat("gpt")).await.0, 200);
        let paths: Vec<String> = openai.seen().into_iter().map(|seen| seen.path).collect();
        assert_eq!(paths, ["/v1/responses", "/v1/chat/completions"]);
        let sent = &openai.seen()[0].body;
        assert_eq!((&sent["store"], &sent["include"]), (&json!(false), &json!(["reasoning.encrypted_content"])));
        assert_eq!(sent["tools"], json!([{"type": "web_search"}]));

        // A compatible server, told to be asked in Responses: thoughts come back to it by way of Anthropic's dialect.
        let other = Upstream::start([Reply::Json(200, response()), Reply::Events(stream())]).await;
        let mut set = draft("other", ProviderKind::OpenAiCompatible, &other, &["far"]);
        set.responses = true;
        assert!(gateway::create_provider(&ctx, set).await.unwrap().responses);
        let mut body = messages("far");
        let (status, _, said) = send(&rt, MESSAGES, &key, &body).await;
        assert_eq!(status, 200, "{said}");
        let said = read(&said);
        assert_eq!((&said["stop_reason"], &said["content"][1]["text"]), (&json!("tool_use"), &json!("A loom.")));
        let turns = body["messages"].as_array_mut().unwrap();
        turns.push(json!({"role": "assistant", "content": said["content"]}));
        turns.push(json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": "call_1", "content": "dark"}]}));
        body["stream"] = json!(true);
        let (status, _, text) = send(&rt, MESSAGES, &key, &body).await;
        assert!(status == 200 && text.contains("A loom.") && text.contains("message_stop"), "{text}");
        let back = &other.seen()[1].body["input"];
        assert_eq!(back[1], response()["output"][0]);
        assert_eq!(back[4], json!({"type": "function_call_output", "call_id": "call_1", "output": "dark"}));
        let usage = Usage { input: 600, cache_read: 400, output: 100, reasoning: 60, ..Usage::default() };
        assert_eq!(calls(&ctx).await[0].usage, usage);
    }

    async fn a_stream_in_responses_that_breaks_fails_in_its_words(site: Site) {
        let (rt, ctx, key) = pointed(&site).await;
        let failed = events(&[json!({"type": "response.failed", "response": {"error": {"code": "server_error", "message": "boom"}}})]);
        let begun: String = stream().split_inclusive("\n\n").take(3).collect();
        let go_on = Arc::new(Notify::new());
        let halves = Reply::Halves(begun.clone(), Arc::clone(&go_on), failed);
        let (acme, openai) = (Upstream::start([Reply::Cut(first_chunks(&["A"]))]).await, Upstream::start([halves, Reply::Cut(begun)]).await);
        add(&ctx, "acme", ProviderKind::OpenAiCompatible, &acme, &["gpt"]).await;
        let mut set = draft("openai", ProviderKind::OpenAi, &openai, &["far"]);
        set.responses = true;
        gateway::create_provider(&ctx, set).await.unwrap();
        let mut live = super::super::stream(&ctx, "far").await.unwrap();
        go_on.notify_one();
        let (text, fault) = drain(&mut live).await;
        drop(live);
        assert_eq!((text.as_str(), fault.unwrap().message.as_str()), ("A loom.", "openai: boom"));
        for (model, why) in [("gpt", "acme: "), ("far", "openai: ")] {
            let mut body = ask(model);
            body["stream"] = json!(true);
            let (status, _, text) = send(&rt, RESPONSES, &key, &body).await;
            assert_eq!(status, 200);
            assert!(kinds(&text).ends_with("output_text.delta failed"), "{text}");
            assert!(text.contains(why) && !text.contains("response.completed"), "{text}");
        }
        let log = calls(&ctx).await;
        assert!(log.len() == 3 && log.iter().all(|call| call.outcome == CallOutcome::Partial));
    }
}

#[tokio::test]
async fn what_would_be_kept_is_refused_with_the_field_and_what_to_do() {
    let site = Site::sqlite().await;
    let (rt, ctx, key) = pointed(&site).await;
    let acme = Upstream::start([]).await;
    add(&ctx, "acme", ProviderKind::OpenAiCompatible, &acme, &["gpt"]).await;
    for (field, value, says) in [
        ("previous_response_id", json!("resp_1"), "send the whole conversation"),
        ("background", json!(true), "stream: true"),
        ("tools", json!([{"type": "web_search"}]), "web_search"),
    ] {
        let mut body = ask("gpt");
        body[field] = value;
        let (status, headers, said) = send(&rt, RESPONSES, &key, &body).await;
        assert_eq!((status, &headers["x-should-retry"]), (StatusCode::BAD_REQUEST, &"false".parse().unwrap()));
        let error = &read(&said)["error"];
        assert!(
            error["param"].as_str().unwrap().starts_with(field) && error["message"].as_str().unwrap().contains(says),
            "{said}"
        );
    }
    assert_eq!(acme.count(), 0);
    assert_eq!(send(&rt, RESPONSES, "weft_gw_wrong", &ask("gpt")).await.0, 401);
}
