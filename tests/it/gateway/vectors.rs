//! Embeddings: routed, retried, priced, budgeted and kept like every call; and tokens, counted.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use weft::gateway::{self, EmbedOrder};
use weft::model::gateway::{
    BudgetDraft, CallOutcome, CallSource, EmbedRequest, FaultClass, PriceDraft, ProviderKind, Usage,
};

use super::proxy::{key, pointed, read, send};
use super::upstream::{Reply, Upstream};
use super::{add, answer, calls, draft, route, somebody};
use crate::auth::call;
use crate::support::Site;

const EMBEDDINGS: &str = "/api/v1/gateway/openai/v1/embeddings";
const COUNT: &str = "/api/v1/gateway/anthropic/v1/messages/count_tokens";

fn vectors(list: &[[f32; 2]]) -> Value {
    let data: Vec<Value> = list
        .iter()
        .enumerate()
        .map(|(index, vector)| json!({"object": "embedding", "index": index, "embedding": vector}))
        .collect();
    json!({"object": "list", "data": data, "model": "real-name", "usage": {"prompt_tokens": 1000, "total_tokens": 1000}})
}

fn price(model: &str) -> PriceDraft {
    serde_json::from_value(json!({"model": model, "input": 2_000_000, "output": 0})).unwrap()
}

fn texts(model: &str) -> EmbedOrder {
    let request = EmbedRequest::texts(model, vec!["a loom".into()]);
    EmbedOrder { request, source: CallSource::Step, step: None, on_behalf_of: None }
}

on_both_engines! {
    async fn texts_become_vectors_and_are_kept_with_what_they_cost(site: Site) {
        let (rt, ctx, key) = pointed(&site).await;
        let down = Reply::Json(503, json!({"error": {"message": "not now"}}));
        let two = vectors(&[[0.5, -0.25], [1.0, 2.0]]);
        let acme = Upstream::start([down, Reply::Json(200, two.clone()), Reply::Json(200, two)]).await;
        let provider = add(&ctx, "acme", ProviderKind::OpenAiCompatible, &acme, &["vec"]).await;
        gateway::put_price(&ctx, provider.id, price("vec")).await.unwrap();

        let body = json!({"model": "vec", "input": ["a", "b"], "dimensions": 2, "user": "u"});
        let (status, headers, said) = send(&rt, EMBEDDINGS, &key, &body).await;
        assert_eq!(status, 200, "{said}");
        assert_eq!(read(&said)["data"][1], json!({"object": "embedding", "index": 1, "embedding": [1.0, 2.0]}));
        assert_eq!(read(&said)["usage"], json!({"prompt_tokens": 1000, "total_tokens": 1000}));
        assert_eq!(headers["x-weft-cost-usd"], "0.002000");
        assert_eq!(headers["x-weft-route"], "the providers that list vec; acme/vec answered at attempt 2");
        let seen = acme.seen();
        assert_eq!((seen[1].path.as_str(), seen.len()), ("/v1/embeddings", 2));
        assert_eq!(seen[1].body, body);

        let coded = json!({"model": "vec", "input": [[1, 2], [3]], "encoding_format": "base64"});
        let (_, _, said) = send(&rt, EMBEDDINGS, &key, &coded).await;
        assert_eq!(read(&said)["data"][1]["embedding"], "AACAPwAAAEA=");
        assert_eq!(acme.seen()[2].body["input"], json!([[1, 2], [3]]));

        let log = calls(&ctx).await;
        assert_eq!((log.len(), log[0].outcome, log[0].cost_micros), (2, CallOutcome::Complete, Some(2_000)));
        assert_eq!((log[0].usage, log[0].estimated), (Usage { input: 1000, ..Usage::default() }, false));
        assert!(log[0].key_id.is_some());
    }

    async fn a_route_never_goes_on_to_another_model(site: Site) {
        let ctx = somebody(&site).await;
        let down = || Reply::Json(500, json!({"error": {"message": "on fire"}}));
        let (one, two) = (Upstream::start([down(), down()]).await, Upstream::start([Reply::Json(200, vectors(&[[1.0, 0.0]]))]).await);
        let mut hasty = draft("one", ProviderKind::OpenAiCompatible, &one, &["vec"]);
        hasty.limits.max_retries = 0;
        let first = gateway::create_provider(&ctx, hasty).await.unwrap();
        let second = add(&ctx, "two", ProviderKind::OpenAiCompatible, &two, &["vec", "other"]).await;
        route(&ctx, "apart", &[(&first, "vec"), (&second, "other")]).await;
        route(&ctx, "alike", &[(&first, "vec"), (&second, "other"), (&second, "vec")]).await;

        let error = gateway::embed(&ctx, texts("apart")).await.unwrap_err();
        assert!(matches!(error, gateway::Error::Fault(fault) if fault.class == FaultClass::Upstream));
        assert_eq!(two.count(), 0);
        let embedded = gateway::embed(&ctx, texts("alike")).await.unwrap();
        assert_eq!(embedded.vectors.vectors, [[1.0, 0.0]]);
        assert_eq!(two.seen()[0].body["model"], "vec");
        let outcomes: Vec<CallOutcome> = calls(&ctx).await.iter().map(|call| call.outcome).collect();
        assert_eq!(outcomes, [CallOutcome::Complete, CallOutcome::Failed]);
    }

    async fn ollama_makes_vectors_too(site: Site) {
        let ctx = somebody(&site).await;
        let said = json!({"model": "all-minilm", "embeddings": [[0.5, -0.25]], "total_duration": 1});
        let ollama = Upstream::start([Reply::Json(200, said)]).await;
        add(&ctx, "local", ProviderKind::Ollama, &ollama, &["all-minilm"]).await;
        let embedded = gateway::embed(&ctx, texts("all-minilm")).await.unwrap();
        assert_eq!(embedded.vectors.vectors, [[0.5, -0.25]]);
        assert_eq!((ollama.seen()[0].path.as_str(), &ollama.seen()[0].body), ("/api/embed", &json!({"model": "all-minilm", "input": ["a loom"]})));
        // It told no number of tokens.
        assert!(calls(&ctx).await[0].estimated);
    }

    async fn keys_and_budgets_hold_for_vectors(site: Site) {
        let (rt, ctx, any) = pointed(&site).await;
        let acme = Upstream::start([Reply::Json(200, vectors(&[[1.0, 0.0]]))]).await;
        let provider = add(&ctx, "acme", ProviderKind::OpenAiCompatible, &acme, &["vec", "dear"]).await;
        gateway::put_price(&ctx, provider.id, price("vec")).await.unwrap();
        let narrow = key(&ctx, &["vec"]).await;
        let body = |model: &str| json!({"model": model, "input": "a loom"});
        assert_eq!(send(&rt, EMBEDDINGS, &narrow, &body("dear")).await.0, 404);
        let limit = json!({"name": "Team", "scope": "workspace", "period": "month", "limit_micros": 1_000});
        let limit: BudgetDraft = serde_json::from_value(limit).unwrap();
        gateway::create_budget(&ctx, limit).await.unwrap();
        assert_eq!(send(&rt, EMBEDDINGS, &narrow, &body("vec")).await.0, 200);
        gateway::settled(&ctx).await;
        let (status, _, said) = send(&rt, EMBEDDINGS, &any, &body("vec")).await;
        assert_eq!((status, &read(&said)["error"]["code"]), (StatusCode::TOO_MANY_REQUESTS, &json!("insufficient_quota")));
        assert_eq!(acme.count(), 1);
    }
}

#[tokio::test]
async fn who_makes_no_vectors_is_told_apart_from_who_fails() {
    let site = Site::sqlite().await;
    let (rt, ctx, key) = pointed(&site).await;
    let upstream = Upstream::start([Reply::Json(200, vectors(&[[1.0, 0.0]])), Reply::Json(200, answer("x"))]).await;
    add(&ctx, "claude", ProviderKind::Anthropic, &upstream, &["opus"]).await;
    add(&ctx, "local", ProviderKind::Ollama, &upstream, &["minilm"]).await;
    let mut hasty = draft("acme", ProviderKind::OpenAiCompatible, &upstream, &["vec"]);
    hasty.limits.max_retries = 0;
    gateway::create_provider(&ctx, hasty).await.unwrap();
    for (body, status, says) in [
        (json!({"model": "opus", "input": "a"}), 400, "Anthropic has no model that makes vectors"),
        (json!({"model": "minilm", "input": [1, 2]}), 400, "send the texts themselves"),
        (json!({"model": "vec", "input": []}), 400, "1 to 2048"),
        (json!({"model": "none", "input": "a"}), 404, "known are"),
        (json!({"model": "vec", "input": ["a", "b"]}), 502, "expected 2 vectors, found 1"),
        (json!({"model": "vec", "input": "a"}), 502, "data: this field is required"),
    ] {
        let (found, _, said) = send(&rt, EMBEDDINGS, &key, &body).await;
        assert_eq!(found, status, "{said}");
        assert!(read(&said)["error"]["message"].as_str().unwrap().contains(says), "{said}");
    }
}

#[tokio::test]
async fn tokens_are_counted_by_anthropic_and_estimated_for_others() {
    let site = Site::sqlite().await;
    let (rt, ctx, secret) = pointed(&site).await;
    let counted = || Reply::Json(200, json!({"input_tokens": 2095}));
    let bad = Reply::Json(
        400,
        json!({"type": "error", "error": {"type": "invalid_request_error", "message": "no such tool"}}),
    );
    let broken = Reply::Json(500, json!({"type": "error", "error": {"type": "api_error", "message": "on fire"}}));
    let opus = Upstream::start([counted(), bad, broken]).await;
    let acme = Upstream::start([]).await;
    add(&ctx, "claude", ProviderKind::Anthropic, &opus, &["opus"]).await;
    add(&ctx, "acme", ProviderKind::OpenAiCompatible, &acme, &["gpt"]).await;
    let body = |model: &str| {
        json!({"model": model, "system": "You weave.", "messages": [{"role": "user", "content": "What is this?"}],
            "tools": [{"name": "look", "input_schema": {"type": "object"}}], "thinking": {"type": "enabled", "budget_tokens": 1024}})
    };
    let request =
        call(Method::POST, COUNT).with("x-api-key", &secret).with("anthropic-beta", "token-counting-2024-11-01");
    let response = request.json(&body("opus")).send(&rt).await;
    assert_eq!(
        (response.status(), &response.headers()["x-weft-count"]),
        (StatusCode::OK, &"provider".parse().unwrap())
    );
    assert_eq!(crate::auth::json_of(response).await, json!({"input_tokens": 2095}));
    let seen = &opus.seen()[0];
    assert_eq!(
        (seen.path.as_str(), seen.header("anthropic-beta")),
        ("/v1/messages/count_tokens", "token-counting-2024-11-01")
    );
    assert_eq!(seen.body, body("opus"));

    let (status, _, said) = send(&rt, COUNT, &secret, &body("opus")).await;
    assert!(status == 400 && said.contains("no such tool"), "{said}");
    for model in ["opus", "gpt"] {
        let (status, headers, said) = send(&rt, COUNT, &secret, &body(model)).await;
        assert_eq!((status, &headers["x-weft-count"]), (StatusCode::OK, &"estimate".parse().unwrap()));
        // 10 + 13 characters, and 21 of the tool; two frames.
        assert_eq!(read(&said), json!({"input_tokens": 19}));
    }
    assert_eq!((opus.count(), acme.count()), (3, 0));
    // It is no call of a model.
    assert!(calls(&ctx).await.is_empty());
    let narrow = key(&ctx, &["gpt"]).await;
    assert_eq!(send(&rt, COUNT, &narrow, &body("opus")).await.0, 404);
    assert_eq!(send(&rt, COUNT, &secret, &json!({"model": "gpt"})).await.0, 400);
}
