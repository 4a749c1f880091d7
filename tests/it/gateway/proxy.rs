//! The endpoints that speak the providers' wires, as programs meet them.

use axum::http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};
use weft::gateway;
use weft::model::auth::Role;
use weft::model::gateway::{CallOutcome, KeyDraft, ProviderKind};
use weft::model::{PageRequest, Timestamp};
use weft::runtime::{Clock, Ctx, Runtime};

use super::upstream::{Reply, Upstream};
use super::{add, answer, calls, chunks, first_chunks, process};
use crate::auth::{call, json_of, member, owner};
use crate::support::Site;

pub(super) const MESSAGES: &str = "/api/v1/gateway/anthropic/v1/messages";
pub(super) const CHAT: &str = "/api/v1/gateway/openai/v1/chat/completions";

/// An owner in a process that may reach loopback, and a key.
pub(super) async fn pointed(site: &Site) -> (Runtime, Ctx, String) {
    let rt = process(site, Clock::System);
    let (ctx, _) = owner(&rt).await;
    let secret = key(&ctx, &[]).await;
    (rt, ctx, secret)
}

pub(super) async fn key(ctx: &Ctx, models: &[&str]) -> String {
    let models = models.iter().map(|model| (*model).to_owned()).collect();
    let draft = KeyDraft {
        name: "Claude Code".into(),
        models,
        expires_at: None,
        cache: weft::model::cache::CacheMode::Auto,
        limits: Default::default(),
    };
    gateway::create_key(ctx, draft).await.unwrap().secret.0
}

pub(super) fn messages(model: &str) -> Value {
    json!({"model": model, "max_tokens": 50, "messages": [{"role": "user", "content": "What is this?"}]})
}

pub(super) fn chat(model: &str) -> Value {
    json!({"model": model, "messages": [{"role": "user", "content": "What is this?"}]})
}

pub(super) async fn send(rt: &Runtime, path: &str, key: &str, body: &Value) -> (StatusCode, HeaderMap, String) {
    let response = call(Method::POST, path).with("x-api-key", key).json(body).send(rt).await;
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    (parts.status, parts.headers, String::from_utf8(bytes.to_vec()).unwrap())
}

pub(super) fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

pub(super) fn claude(text: &str) -> Value {
    json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "clever", "stop_reason": "end_turn",
        "content": [{"type": "text", "text": text}], "usage": {"input_tokens": 3, "output_tokens": 2},
    })
}

on_both_engines! {
    async fn a_program_is_told_in_its_own_words_that_the_money_is_used_up(site: Site) {
        let (rt, ctx, key) = pointed(&site).await;
        let upstream = Upstream::start([Reply::Json(200, answer("A loom."))]).await;
        let acme = add(&ctx, "acme", ProviderKind::OpenAiCompatible, &upstream, &["big"]).await;
        let price = json!({"model": "big", "input": 1_000_000, "output": 1_000_000});
        gateway::put_price(&ctx, acme.id, serde_json::from_value(price).unwrap()).await.unwrap();
        let budget = json!({"name": "Tools", "scope": "key", "period": "day", "limit_micros": 1_100, "warn_percent": 1});
        gateway::create_budget(&ctx, serde_json::from_value(budget).unwrap()).await.unwrap();

        let (status, headers, text) = send(&rt, CHAT, &key, &json!({"model": "big", "max_tokens": 9, "messages": chat("")["messages"]})).await;
        assert_eq!((status, headers["x-weft-budget"].to_str().unwrap()), (StatusCode::OK, "Tools: 1 % of $0.0011"), "{text}");
        gateway::settled(&ctx).await;
        let (status, headers, text) = send(&rt, MESSAGES, &key, &messages("big")).await;
        assert_eq!((status, headers["x-should-retry"].to_str().unwrap()), (StatusCode::PAYMENT_REQUIRED, "false"));
        assert_eq!(read(&text)["error"]["type"], "billing_error");
        assert!(read(&text)["error"]["message"].as_str().unwrap().starts_with("the budget \"Tools\" is used up"), "{text}");
        let (status, _, text) = send(&rt, CHAT, &key, &chat("big")).await;
        assert_eq!((status, &read(&text)["error"]["code"]), (StatusCode::TOO_MANY_REQUESTS, &json!("insufficient_quota")));
        assert_eq!(upstream.count(), 1);
    }

    async fn a_program_is_answered_in_its_own_words_whoever_answers(site: Site) {
        let (rt, ctx, key) = pointed(&site).await;
        let (gpt, opus) = (Upstream::start([]).await, Upstream::start([]).await);
        let acme = add(&ctx, "acme", ProviderKind::OpenAi, &gpt, &["gpt"]).await;
        add(&ctx, "claude", ProviderKind::Anthropic, &opus, &["opus"]).await;
        let price = json!({"model": "gpt", "input": 1_000_000, "output": 2_000_000});
        gateway::put_price(&ctx, acme.id, serde_json::from_value(price).unwrap()).await.unwrap();

        gpt.then(Reply::Json(200, answer("A loom.")));
        let (status, headers, body) = send(&rt, MESSAGES, &key, &messages("gpt")).await;
        assert_eq!(status, 200, "{body}");
        assert_eq!(read(&body)["content"], json!([{"type": "text", "text": "A loom."}]));
        assert_eq!(read(&body)["usage"]["cache_read_input_tokens"], 400);
        assert_eq!(headers["x-weft-cost-usd"], "0.001200");
        assert_eq!(headers["x-weft-route"], "the providers that list gpt; acme/gpt answered");
        assert!(headers["x-weft-overhead-ms"].to_str().unwrap().parse::<f64>().is_ok());
        assert_eq!(gpt.seen()[0].body["max_completion_tokens"], 50);

        opus.then(Reply::Json(200, claude("A loom.")));
        let (status, headers, body) = send(&rt, CHAT, &key, &chat("opus")).await;
        assert_eq!((status, &read(&body)["choices"][0]["message"]["content"]), (StatusCode::OK, &json!("A loom.")));
        assert!(!headers.contains_key("x-weft-cost-usd"));
        assert_eq!(opus.seen()[0].body["max_tokens"], 8192);

        let log = calls(&ctx).await;
        assert_eq!(log.len(), 2);
        assert!(log.iter().all(|call| call.key_id.is_some() && call.user_id.is_none()));
        let keys = gateway::list_keys(&ctx, &PageRequest::default()).await.unwrap().items;
        assert_eq!(log[0].key_id, Some(keys[0].id));
    }

    async fn a_program_is_known_by_its_key_alone(site: Site) {
        let (rt, ctx, key) = pointed(&site).await;
        let upstream = Upstream::start([Reply::Json(200, answer("x")), Reply::Json(200, answer("x"))]).await;
        add(&ctx, "acme", ProviderKind::OpenAi, &upstream, &["gpt"]).await;
        let bearer = format!("Bearer {key}");
        for (status, headers) in [
            (200, vec![("x-api-key", key.as_str())]),
            (200, vec![("authorization", bearer.as_str()), ("x-api-key", key.as_str())]),
            (401, vec![]),
            (401, vec![("x-api-key", "weft_gw_unknown")]),
            (401, vec![("authorization", "Bearer sk-ant-other")]),
            (401, vec![("authorization", bearer.as_str()), ("x-api-key", "weft_gw_other")]),
            (401, vec![("authorization", "Basic Zm9v")]),
        ] {
            let mut request = call(Method::POST, CHAT).json(&chat("gpt"));
            for (name, value) in &headers {
                request = request.with(name, value);
            }
            assert_eq!(request.status(&rt).await, status, "{headers:?}");
        }
        // It opens nothing else, by either header.
        for path in ["/api/v1/me", "/api/v1/providers", "/api/v1/gateway/keys", "/api/v1/workflows"] {
            for (name, value) in [("x-api-key", &key), ("authorization", &bearer)] {
                assert_eq!(call(Method::GET, path).with(name, value).status(&rt).await, 401, "{path} {name}");
            }
        }
        // A key that has ended is none.
        let id = gateway::list_keys(&ctx, &PageRequest::default()).await.unwrap().items[0].id;
        gateway::delete_key(&ctx, id).await.unwrap();
        assert_eq!(send(&rt, CHAT, &key, &chat("gpt")).await.0, 401);
        let soon = Some(Timestamp(ctx.clock.now().0 + 1));
        let draft = KeyDraft { name: "brief".into(), models: vec![], expires_at: soon, cache: weft::model::cache::CacheMode::Auto, limits: Default::default() };
        let brief = gateway::create_key(&ctx, draft).await;
        if let Ok(brief) = brief {
            assert_eq!(send(&rt, CHAT, &brief.secret.0, &chat("gpt")).await.0, 401);
        }
        assert_eq!(upstream.count(), 2);
    }

    async fn a_key_that_asks_too_much_is_told_when_to_come_back(site: Site) {
        let (rt, ctx, _) = pointed(&site).await;
        let upstream = Upstream::start((0..3).map(|_| Reply::Json(200, answer("A loom.")))).await;
        add(&ctx, "acme", ProviderKind::OpenAiCompatible, &upstream, &["big"]).await;
        let draft = |limits: Value| -> KeyDraft { serde_json::from_value(json!({"name": "hasty", "limits": limits})).unwrap() };
        let refused = gateway::create_key(&ctx, draft(json!({"requests_per_minute": 0}))).await.unwrap_err();
        let gateway::Error::Invalid(fields) = refused else { panic!("{refused}") };
        assert_eq!(fields[0].pointer, "/limits/requests_per_minute");
        let key = gateway::create_key(&ctx, draft(json!({"requests_per_minute": 2}))).await.unwrap();
        assert_eq!(gateway::list_keys(&ctx, &PageRequest::default()).await.unwrap().items[0].limits, key.key.limits);
        for _ in 0..2 {
            assert_eq!(send(&rt, CHAT, &key.secret.0, &chat("big")).await.0, StatusCode::OK);
        }
        let (status, headers, text) = send(&rt, CHAT, &key.secret.0, &chat("big")).await;
        assert_eq!((status, headers["x-ratelimit-limit-requests"].to_str().unwrap()), (StatusCode::TOO_MANY_REQUESTS, "2"), "{text}");
        assert!(headers.contains_key("retry-after") && text.contains("the key hasty may ask for 2 calls in a minute"), "{text}");
        let (status, headers, _) = send(&rt, MESSAGES, &key.secret.0, &messages("big")).await;
        assert_eq!((status, headers["anthropic-ratelimit-requests-remaining"].to_str().unwrap()), (StatusCode::TOO_MANY_REQUESTS, "0"));
        assert_eq!(upstream.count(), 2, "nobody is asked for it");

        // 1,000 tokens were read and 100 written: the estimate was less.
        let key = gateway::create_key(&ctx, draft(json!({"tokens_per_minute": 1_050}))).await.unwrap();
        assert_eq!(send(&rt, CHAT, &key.secret.0, &chat("big")).await.0, StatusCode::OK);
        let (status, _, text) = send(&rt, CHAT, &key.secret.0, &chat("big")).await;
        assert_eq!(status, StatusCode::TOO_MANY_REQUESTS, "{text}");
        assert!(text.contains("1050 tokens in a minute"), "{text}");
    }

    async fn a_key_asks_for_what_it_may(site: Site) {
        let (rt, ctx, _) = pointed(&site).await;
        let upstream = Upstream::start([Reply::Json(200, answer("x"))]).await;
        add(&ctx, "acme", ProviderKind::OpenAi, &upstream, &["gpt", "dear"]).await;
        let key = key(&ctx, &["gpt"]).await;
        assert_eq!(send(&rt, CHAT, &key, &chat("gpt")).await.0, 200);
        for path in [CHAT, MESSAGES] {
            let (status, _, body) = send(&rt, path, &key, &messages("dear")).await;
            assert_eq!(status, 404);
            assert!(body.contains("may not ask for"), "{body}");
        }
        let list = |path| call(Method::GET, path).with("x-api-key", &key);
        let listed = json_of(list("/api/v1/gateway/openai/v1/models").send(&rt).await).await;
        assert_eq!(listed["data"], json!([{"id": "gpt", "object": "model", "created": 0, "owned_by": "weft"}]));
        let listed = json_of(list("/api/v1/gateway/anthropic/v1/models").send(&rt).await).await;
        assert_eq!((&listed["data"][0]["id"], &listed["first_id"], &listed["has_more"]), (&json!("gpt"), &json!("gpt"), &json!(false)));
        assert_eq!(upstream.count(), 1);
    }

    async fn a_stream_comes_in_the_callers_words(site: Site) {
        let (rt, ctx, key) = pointed(&site).await;
        let upstream = Upstream::start([Reply::Events(chunks(&["A ", "loom."])), Reply::Events(chunks(&["A ", "loom."]))]).await;
        add(&ctx, "acme", ProviderKind::OpenAi, &upstream, &["gpt"]).await;
        let mut body = messages("gpt");
        body["stream"] = json!(true);
        let (status, headers, text) = send(&rt, MESSAGES, &key, &body).await;
        assert_eq!((status, &headers["content-type"]), (StatusCode::OK, &"text/event-stream; charset=utf-8".parse().unwrap()));
        let names: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("event: ")).collect();
        assert_eq!(names.join(" "), "message_start content_block_start content_block_delta content_block_delta \
            content_block_stop message_delta message_stop");
        assert!(text.contains("\"output_tokens\":100"), "{text}");

        let mut body = chat("gpt");
        body["stream"] = json!(true);
        let (_, _, text) = send(&rt, CHAT, &key, &body).await;
        assert!(text.ends_with("data: [DONE]\n\n") && !text.contains("\"total_tokens\""), "{text}");
        assert_eq!(calls(&ctx).await.len(), 2);
    }

    async fn a_stream_that_breaks_says_so_in_the_callers_words(site: Site) {
        let (rt, ctx, key) = pointed(&site).await;
        let upstream = Upstream::start([Reply::Cut(first_chunks(&["A"])), Reply::Cut(first_chunks(&["A"]))]).await;
        add(&ctx, "acme", ProviderKind::OpenAi, &upstream, &["gpt"]).await;
        for (path, mut body, last) in [(MESSAGES, messages("gpt"), "event: error\ndata: {"), (CHAT, chat("gpt"), "data: {\"error\":")] {
            body["stream"] = json!(true);
            let (status, _, text) = send(&rt, path, &key, &body).await;
            assert_eq!(status, 200);
            assert!(text.contains(last) && !text.contains("[DONE]") && !text.contains("message_stop"), "{text}");
        }
        let outcomes: Vec<_> = calls(&ctx).await.iter().map(|call| call.outcome).collect();
        assert_eq!(outcomes, [CallOutcome::Partial, CallOutcome::Partial]);
    }
}

#[tokio::test]
async fn errors_have_the_callers_shape() {
    let site = Site::sqlite().await;
    let (rt, ctx, key) = pointed(&site).await;
    let (status, headers, body) = send(&rt, MESSAGES, &key, &messages("gpt")).await;
    assert_eq!((status, &headers["x-should-retry"]), (StatusCode::SERVICE_UNAVAILABLE, &"false".parse().unwrap()));
    assert_eq!(read(&body)["type"], "error");
    assert!(body.contains("no provider is set up"), "{body}");

    let upstream = Upstream::start([]).await;
    let mut draft = super::draft("acme", ProviderKind::OpenAi, &upstream, &["gpt"]);
    draft.limits.max_retries = 0;
    gateway::create_provider(&ctx, draft).await.unwrap();
    let (status, _, body) = send(&rt, CHAT, &key, &chat("claude")).await;
    assert_eq!((status, &read(&body)["error"]["code"]), (StatusCode::NOT_FOUND, &json!("model_not_found")));
    let (status, _, body) = send(&rt, MESSAGES, &key, &json!({"model": "gpt", "messages": []})).await;
    let expected = json!({"type": "error", "error": {"type": "invalid_request_error", "message": "max_tokens: expected a whole number from 1"}});
    assert_eq!((status, read(&body)), (StatusCode::BAD_REQUEST, expected));

    upstream.then(Reply::With(429, "retry-after", "7", json!({"error": {"message": "slow down"}})));
    let (status, headers, body) = send(&rt, MESSAGES, &key, &messages("gpt")).await;
    assert_eq!((status, &headers["retry-after"]), (StatusCode::TOO_MANY_REQUESTS, &"7".parse().unwrap()));
    assert_eq!(read(&body)["error"]["type"], "rate_limit_error");

    let bad = call(Method::POST, CHAT).with("x-api-key", &key).text("application/json", "{oops").send(&rt).await;
    assert_eq!(bad.status(), 400);
    assert_eq!(json_of(bad).await["error"]["type"], "invalid_request_error");
    let form = call(Method::POST, CHAT).with("x-api-key", &key).text("text/plain", "{}").send(&rt).await;
    assert_eq!(form.status(), 415);
    let nobody = call(Method::POST, MESSAGES).endless("application/json").send(&rt).await;
    assert_eq!(nobody.status(), 401);
    assert_eq!(json_of(nobody).await["error"]["type"], "authentication_error");
}

#[tokio::test]
async fn people_ask_with_their_own_sign_in_as_their_role_allows() {
    let site = Site::sqlite().await;
    let (rt, ctx, _) = pointed(&site).await;
    let upstream = Upstream::start([Reply::Json(200, answer("x"))]).await;
    add(&ctx, "acme", ProviderKind::OpenAi, &upstream, &["gpt"]).await;
    for (role, status) in [(Role::Viewer, 403), (Role::Operator, 200)] {
        let (_, cookie) = member(&ctx, role).await;
        let request =
            call(Method::POST, CHAT).with("cookie", &format!("weft={cookie}")).with("sec-fetch-site", "same-origin");
        assert_eq!(request.json(&chat("gpt")).status(&rt).await, status, "{role:?}");
    }
    assert!(calls(&ctx).await[0].user_id.is_some());
}

#[tokio::test]
async fn a_beta_of_the_caller_reaches_its_own_dialect_only() {
    let site = Site::sqlite().await;
    let (rt, ctx, key) = pointed(&site).await;
    let (gpt, opus) = (
        Upstream::start([Reply::Json(200, answer("x"))]).await,
        Upstream::start([Reply::Json(200, claude("x"))]).await,
    );
    add(&ctx, "acme", ProviderKind::OpenAi, &gpt, &["gpt"]).await;
    add(&ctx, "claude", ProviderKind::Anthropic, &opus, &["opus"]).await;
    for model in ["gpt", "opus"] {
        let request = call(Method::POST, MESSAGES).with("x-api-key", &key).with("anthropic-beta", "a-2025, b-2026");
        assert_eq!(request.json(&messages(model)).status(&rt).await, 200);
    }
    assert_eq!(opus.seen()[0].header("anthropic-beta"), "a-2025,b-2026");
    assert_eq!(gpt.seen()[0].header("anthropic-beta"), "");
}
