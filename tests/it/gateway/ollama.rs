//! Ollama by its own API: whole, in lines, broken off, tested by the button, and by an address that older providers have.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::Notify;
use weft::gateway;
use weft::model::gateway::{CallOutcome, FaultClass, ProviderDraft, ProviderKind, StopReason, Usage};

use super::proxy::{CHAT, MESSAGES, chat, messages, pointed, read, send};
use super::upstream::{Reply, Upstream};
use super::{add, ask, calls, draft, drain, somebody, stream};
use crate::engine::ctx;
use crate::support::Site;

fn piece(message: Value, done: bool) -> Value {
    let mut piece =
        json!({"model": "llama3.2", "created_at": "2026-11-21T19:22:45.1Z", "message": message, "done": done});
    if done {
        piece["done_reason"] = json!("stop");
        piece["prompt_eval_count"] = json!(26);
        piece["eval_count"] = json!(282);
    }
    piece
}

fn said(text: &str) -> Value {
    piece(json!({"role": "assistant", "content": text}), true)
}

fn lines(texts: &[&str]) -> String {
    let pieces = texts.iter().map(|text| piece(json!({"role": "assistant", "content": text}), false));
    pieces.chain([said("")]).fold(String::new(), |text, piece| text + &piece.to_string() + "\n")
}

on_both_engines! {
    async fn ollama_is_asked_by_its_own_api(site: Site) {
        let ctx = somebody(&site).await;
        let ollama = Upstream::start([Reply::Json(200, said("A loom.")), Reply::Events(lines(&["A lö", "om 🧵."]))]).await;
        // Without a key, and with the address of the endpoint that imitates OpenAI.
        let mut local = draft("local", ProviderKind::Ollama, &ollama, &["llama3.2"]);
        (local.credential, local.base_url) = (None, format!("{}/v1", ollama.url));
        gateway::create_provider(&ctx, local).await.unwrap();
        let answered = ask(&ctx, "llama3.2").await.unwrap();
        assert_eq!((answered.response.text().as_str(), &answered.response.stop), ("A loom.", &StopReason::EndTurn));
        let mut live = stream(&ctx, "llama3.2").await.unwrap();
        assert_eq!(drain(&mut live).await, ("A löom 🧵.".to_owned(), None));
        let seen = ollama.seen();
        assert_eq!((seen[0].path.as_str(), seen[0].header("authorization")), ("/api/chat", ""));
        assert_eq!(seen[0].body, json!({"model": "llama3.2", "stream": false, "messages": [{"role": "user", "content": "What is this?"}]}));
        assert_eq!(seen[1].body["stream"], true);
        let log = calls(&ctx).await;
        assert!(log.iter().all(|call| call.usage == Usage { input: 26, output: 282, ..Usage::default() } && !call.estimated));
    }

    async fn a_stream_of_lines_that_breaks_is_kept_as_partial(site: Site) {
        let (rt, ctx, key) = pointed(&site).await;
        let begun = lines(&["A"]).lines().next().unwrap().to_owned() + "\n";
        let failed = json!({"error": "an error was encountered while running the model"});
        let go_on = Arc::new(Notify::new());
        let halves = Reply::Halves(begun.clone(), Arc::clone(&go_on), format!("{failed}\n"));
        let ollama = Upstream::start([halves, Reply::Cut(begun.clone()), Reply::Events(begun)]).await;
        add(&ctx, "local", ProviderKind::Ollama, &ollama, &["llama3.2"]).await;
        let mut live = stream(&ctx, "llama3.2").await.unwrap();
        go_on.notify_one();
        let (text, fault) = drain(&mut live).await;
        drop(live);
        assert_eq!((text.as_str(), fault.unwrap().message.as_str()), ("A", "local: an error was encountered while running the model"));
        for says in ["local: ", "ended before it was complete"] {
            let mut body = messages("llama3.2");
            body["stream"] = json!(true);
            let (status, _, text) = send(&rt, MESSAGES, &key, &body).await;
            assert!(status == 200 && text.contains("event: error") && text.contains(says), "{text}");
        }
        let log = calls(&ctx).await;
        assert!(log.len() == 3 && log.iter().all(|call| call.outcome == CallOutcome::Partial));
    }

    async fn the_test_button_lists_what_ollama_has(site: Site) {
        let ctx = somebody(&site).await;
        let tags = json!({"models": [{"name": "llama3.2:latest", "model": "llama3.2:latest", "size": 1}, {"name": "all-minilm:22m"}]});
        let ollama = Upstream::start([Reply::Json(200, tags), Reply::Json(200, json!({"data": []}))]).await;
        let local = add(&ctx, "local", ProviderKind::Ollama, &ollama, &[]).await;
        let test = gateway::test_provider(&ctx, local.id).await.unwrap();
        assert_eq!((test.ok, test.models), (true, vec!["all-minilm:22m".to_owned(), "llama3.2:latest".to_owned()]));
        assert_eq!(ollama.seen()[0].path, "/api/tags");
        let test = gateway::test_provider(&ctx, local.id).await.unwrap();
        assert!(!test.ok && test.message.contains("expected a list of models"), "{}", test.message);
    }
}

#[tokio::test]
async fn tools_of_ollamas_reach_callers_and_come_back_by_name() {
    let site = Site::sqlite().await;
    let (rt, ctx, key) = pointed(&site).await;
    let call = json!({"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "look", "arguments": {"at": 1}}}]});
    let ollama = Upstream::start([Reply::Json(200, piece(call, true)), Reply::Json(200, said("Dark."))]).await;
    add(&ctx, "local", ProviderKind::Ollama, &ollama, &["llama3.2"]).await;
    let mut body = chat("llama3.2");
    body["tools"] = json!([{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]);
    let (status, _, text) = send(&rt, CHAT, &key, &body).await;
    assert_eq!(status, 200, "{text}");
    let choice = &read(&text)["choices"][0];
    assert_eq!(
        (&choice["finish_reason"], &choice["message"]["tool_calls"][0]["function"]["arguments"]),
        (&json!("tool_calls"), &json!("{\"at\":1}"))
    );
    let turns = body["messages"].as_array_mut().unwrap();
    turns.push(choice["message"].clone());
    turns.push(json!({"role": "tool", "tool_call_id": choice["message"]["tool_calls"][0]["id"], "content": "dark"}));
    assert_eq!(send(&rt, CHAT, &key, &body).await.0, 200);
    let sent = &ollama.seen()[1].body["messages"];
    assert_eq!(sent[1]["tool_calls"][0]["function"], json!({"name": "look", "arguments": {"at": 1}}));
    assert_eq!((&sent[2]["role"], &sent[2]["tool_name"]), (&json!("tool"), &json!("look")));
}

#[tokio::test]
async fn an_address_that_is_not_allowed_is_refused_with_the_setting_that_allows_it() {
    let site = Site::sqlite().await;
    let ctx = ctx(&site.runtime).await;
    let draft = ProviderDraft {
        name: "local".into(),
        kind: ProviderKind::Ollama,
        base_url: String::new(),
        credential: None,
        models: Vec::new(),
        responses: false,
        enabled: true,
        limits: weft::model::gateway::Limits::default(),
    };
    let local = gateway::create_provider(&ctx, draft.clone()).await.unwrap();
    assert_eq!(local.base_url, "http://127.0.0.1:11434");
    let test = gateway::test_provider(&ctx, local.id).await.unwrap();
    assert!(!test.ok && test.message.contains("allow_private"), "{}", test.message);
    assert_eq!(ask(&ctx, "llama3.2").await.unwrap_err().class, FaultClass::Refused);
    let wrong = ProviderDraft { name: "other".into(), responses: true, ..draft };
    let gateway::Error::Invalid(fields) = gateway::create_provider(&ctx, wrong).await.unwrap_err() else {
        panic!("it is refused")
    };
    assert_eq!(fields[0].pointer, "/responses");
}
