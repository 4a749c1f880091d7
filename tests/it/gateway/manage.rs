//! Providers, routes, prices and keys: who changes them, and what is refused.

use axum::http::Method;
use serde_json::{Value, json};
use weft::gateway::{self, Error};
use weft::model::auth::Role;
use weft::model::gateway::{Credential, KeyDraft, Limits, Model, ProviderKind, RouteDraft, Target};
use weft::read;
use weft::runtime::config::Seed;
use weft::runtime::outbound::{Outbound, Policy};
use weft::runtime::{Actor, Clock, Config, Ctx, Principal, Runtime};

use super::upstream::{Reply, Upstream};
use super::{add, answer, ask, ctx as other, draft, route, somebody};
use crate::auth::{call, json_of, owner};
use crate::http::NIL;
use crate::support::Site;

fn pointers(error: Error) -> Vec<String> {
    match error {
        Error::Invalid(fields) => fields.into_iter().map(|field| field.pointer).collect(),
        other => panic!("{other}"),
    }
}

on_both_engines! {
    async fn what_providers_were_asked_and_how_fast_they_were_is_told(site: Site) {
        let ctx = somebody(&site).await;
        let upstream = Upstream::start([Reply::Json(200, answer("A loom.")), Reply::Json(200, answer("A loom."))]).await;
        let acme = add(&ctx, "acme", ProviderKind::OpenAiCompatible, &upstream, &["big"]).await;
        let idle = add(&ctx, "idle", ProviderKind::OpenAiCompatible, &upstream, &["small"]).await;
        ask(&ctx, "big").await.unwrap();
        gateway::settled(&ctx).await;
        let used = gateway::list_provider_use(&ctx).await.unwrap();
        assert_eq!(used.iter().map(|one| one.provider_id).collect::<Vec<_>>(), [acme.id, idle.id]);
        assert_eq!((used[0].calls, used[0].failed, used[0].unpriced, used[0].cost_micros), (1, 0, 1, 0));
        assert!(used[0].began_p50_ms.is_some() && used[0].began_p50_ms <= used[0].began_p99_ms, "{used:?}");
        assert_eq!((used[1].calls, used[1].began_p50_ms), (0, None));
    }

    async fn a_workspace_begins_with_the_providers_that_the_settings_name(site: Site) {
        let seed = |name, kind, credential: Option<&str>| Seed {
            name,
            kind,
            base_url: String::new(),
            credential: credential.map(|key| Credential(key.to_owned())),
        };
        let mut config = Config::isolated(site.folder.path());
        config.seeds = vec![
            seed("anthropic", ProviderKind::Anthropic, Some("sk-ant-1234567890")),
            seed("openai", ProviderKind::OpenAi, None),
            seed("ollama", ProviderKind::Ollama, None),
        ];
        let old = &site.runtime;
        let outbound = Outbound::new(Policy::allowing(&["127.0.0.1/32"]).unwrap());
        let rt = Runtime::new(config, old.db.clone(), Clock::System, old.keys.clone(), outbound);
        let ctx = other(&rt).await;
        gateway::seed(&rt, ctx.workspace()).await;
        let there = gateway::list_providers(&ctx).await.unwrap();
        let told: Vec<_> = there.iter().map(|one| (one.name.as_str(), one.kind, one.base_url.as_str())).collect();
        let anthropic = ("anthropic", ProviderKind::Anthropic, "https://api.anthropic.com");
        assert_eq!(told, [anthropic, ("ollama", ProviderKind::Ollama, "http://127.0.0.1:11434")], "OpenAI answers nobody without a key");
        assert!(!serde_json::to_string(&there).unwrap().contains("sk-ant-1234"));
        gateway::seed(&rt, ctx.workspace()).await;
        assert_eq!(gateway::list_providers(&ctx).await.unwrap().len(), 2, "what is there stays as it is");
    }

    async fn a_key_is_encrypted_and_shown_to_nobody(site: Site) {
        let ctx = somebody(&site).await;
        let upstream = Upstream::start([]).await;
        let acme = add(&ctx, "acme", ProviderKind::OpenAi, &upstream, &["gpt"]).await;
        assert_eq!(acme.credential_hint.as_deref(), Some("…acme"));
        assert!(!serde_json::to_string(&acme).unwrap().contains("sk-secret"));
        assert!(!format!("{:?}", draft("acme", ProviderKind::OpenAi, &upstream, &[])).contains("sk-secret"));
        let sealed: Vec<u8> = read!(&ctx.db, conn => sqlx::query_scalar("select sealed from provider").fetch_one(conn).await).unwrap();
        assert!(!sealed.windows(9).any(|part| part == b"sk-secret"));
    }

    async fn a_key_that_is_not_given_stays_unless_the_provider_moves(site: Site) {
        let ctx = somebody(&site).await;
        let upstream = Upstream::start([Reply::Json(200, json!({"data": []}))]).await;
        let acme = add(&ctx, "acme", ProviderKind::OpenAi, &upstream, &["gpt"]).await;
        let mut change = draft("acme-2", ProviderKind::OpenAi, &upstream, &["gpt", "mini"]);
        change.credential = None;
        let changed = gateway::update_provider(&ctx, acme.id, acme.revision, change.clone()).await.unwrap();
        assert_eq!((changed.name.as_str(), changed.models.len(), changed.revision), ("acme-2", 2, 2));
        gateway::test_provider(&ctx, acme.id).await.unwrap();
        assert_eq!(upstream.seen()[0].header("authorization"), "Bearer sk-secret-of-acme");

        let late = gateway::update_provider(&ctx, acme.id, acme.revision, change.clone()).await.unwrap_err();
        assert!(matches!(late, Error::Conflict(_)), "{late}");
        change.base_url = "https://elsewhere.example/v1".into();
        let moved = gateway::update_provider(&ctx, acme.id, 2, change.clone()).await.unwrap_err();
        assert_eq!(pointers(moved), ["/credential"]);
        change.base_url = format!("{}/other", upstream.url);
        assert_eq!(gateway::update_provider(&ctx, acme.id, 2, change.clone()).await.unwrap().revision, 3);
        change.credential = Some(Credential(String::new()));
        assert_eq!(pointers(gateway::update_provider(&ctx, acme.id, 3, change).await.unwrap_err()), ["/credential"]);
    }

    async fn names_are_taken_once_in_a_workspace(site: Site) {
        let ctx = somebody(&site).await;
        let upstream = Upstream::start([]).await;
        let acme = add(&ctx, "acme", ProviderKind::OpenAi, &upstream, &["gpt"]).await;
        let again = gateway::create_provider(&ctx, draft("acme", ProviderKind::Ollama, &upstream, &[])).await;
        assert!(matches!(again, Err(Error::Conflict(_))));
        let draft_of = RouteDraft {
            name: "smart".into(), description: String::new(), targets: vec![Target::new(acme.id, "gpt")],
            policy: weft::model::gateway::Policy::default(),
            cache: weft::model::cache::CacheMode::Auto,
            context: None,
        };
        gateway::create_route(&ctx, draft_of.clone()).await.unwrap();
        assert!(matches!(gateway::create_route(&ctx, draft_of.clone()).await, Err(Error::Conflict(_))));
        let elsewhere = other(ctx.runtime()).await;
        add(&elsewhere, "acme", ProviderKind::OpenAi, &upstream, &["gpt"]).await;
        // A provider of another workspace is as unknown as none.
        assert_eq!(pointers(gateway::create_route(&elsewhere, draft_of).await.unwrap_err()), ["/targets/0/provider_id"]);
    }

    async fn what_is_deleted_is_gone(site: Site) {
        let ctx = somebody(&site).await;
        let upstream = Upstream::start([]).await;
        let acme = add(&ctx, "acme", ProviderKind::OpenAi, &upstream, &["gpt"]).await;
        let price = json!({"model": "gpt", "input": 1, "output": 2});
        let price = gateway::put_price(&ctx, acme.id, serde_json::from_value(price).unwrap()).await.unwrap();
        gateway::delete_price(&ctx, acme.id, price.id).await.unwrap();
        assert!(matches!(gateway::delete_price(&ctx, acme.id, price.id).await, Err(Error::NotFound("price"))));
        let made = route(&ctx, "smart", &[(&acme, "gpt")]).await;
        gateway::delete_provider(&ctx, acme.id).await.unwrap();
        assert!(matches!(gateway::get_provider(&ctx, acme.id).await, Err(Error::NotFound("provider"))));
        // Its routes stay, and say what is wrong when they are asked for.
        let fault = ask(&ctx, "smart").await.unwrap_err();
        assert!(fault.message.contains("no provider is set up"), "{fault}");
        gateway::delete_route(&ctx, made.id).await.unwrap();
        assert!(gateway::list_routes(&ctx).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn every_field_that_does_not_fit_is_named() {
    let site = Site::sqlite().await;
    let ctx = somebody(&site).await;
    let upstream = Upstream::start([]).await;
    let base = || draft("acme", ProviderKind::OpenAi, &upstream, &["gpt"]);
    let limits = Limits { connect_ms: 1, max_retries: 9, ..Limits::default() };
    let crowded = Limits {
        max_concurrent: Some(0),
        requests_per_minute: Some(0),
        tokens_per_minute: Some(99),
        queue: 10_001,
        queue_ms: 600_001,
        ..Limits::default()
    };
    let of_queue = ["max_concurrent", "requests_per_minute", "tokens_per_minute", "queue", "queue_ms"];
    let of_queue = of_queue.map(|field| format!("/limits/{field}"));
    for (bad, expected) in [
        (weft::model::gateway::ProviderDraft { name: "a b".into(), ..base() }, vec!["/name"]),
        (weft::model::gateway::ProviderDraft { base_url: "ftp://x".into(), ..base() }, vec!["/base_url"]),
        (weft::model::gateway::ProviderDraft { base_url: "https://u:p@x.example".into(), ..base() }, vec!["/base_url"]),
        (
            weft::model::gateway::ProviderDraft {
                base_url: String::new(),
                kind: ProviderKind::OpenAiCompatible,
                ..base()
            },
            vec!["/base_url"],
        ),
        (weft::model::gateway::ProviderDraft { credential: None, ..base() }, vec!["/credential"]),
        (
            weft::model::gateway::ProviderDraft { credential: Some(Credential("a\nb".into())), ..base() },
            vec!["/credential"],
        ),
        (
            weft::model::gateway::ProviderDraft {
                models: vec![Model::named("a"), Model::named("a"), Model::named("")],
                ..base()
            },
            vec!["/models/1/id", "/models/2/id"],
        ),
        (weft::model::gateway::ProviderDraft { limits, ..base() }, vec!["/limits/connect_ms", "/limits/max_retries"]),
        (
            weft::model::gateway::ProviderDraft { limits: crowded, ..base() },
            of_queue.iter().map(String::as_str).collect(),
        ),
    ] {
        assert_eq!(pointers(gateway::create_provider(&ctx, bad).await.unwrap_err()), expected);
    }
    let late = KeyDraft {
        name: "k".into(),
        models: vec![],
        expires_at: Some(weft::model::Timestamp(0)),
        cache: weft::model::cache::CacheMode::Auto,
        limits: Default::default(),
    };
    assert_eq!(pointers(gateway::create_key(&ctx, late).await.unwrap_err()), ["/expires_at"]);
    let price: weft::model::gateway::PriceDraft =
        serde_json::from_value(json!({"model": "m", "input": -1, "output": 0})).unwrap();
    let acme = gateway::create_provider(&ctx, base()).await.unwrap();
    assert_eq!(pointers(gateway::put_price(&ctx, acme.id, price).await.unwrap_err()), ["/input"]);
}

#[tokio::test]
async fn a_test_tells_what_was_found_or_what_is_wrong() {
    let site = Site::sqlite().await;
    let ctx = somebody(&site).await;
    let listed = json!({"object": "list", "data": [{"id": "b"}, {"id": "a"}]});
    let wrong = json!({"error": {"message": "bad key sk-secret-of-acme"}});
    let upstream =
        Upstream::start([Reply::Json(200, listed), Reply::Json(401, wrong), Reply::Text(200, "<html>")]).await;
    let acme = add(&ctx, "acme", ProviderKind::OpenAi, &upstream, &["gpt"]).await;
    let found = gateway::test_provider(&ctx, acme.id).await.unwrap();
    assert_eq!((found.ok, found.models), (true, vec!["a".to_owned(), "b".to_owned()]));
    let found = gateway::test_provider(&ctx, acme.id).await.unwrap();
    assert_eq!((found.ok, found.message.as_str()), (false, "acme: it answered 401: bad key …"));
    let found = gateway::test_provider(&ctx, acme.id).await.unwrap();
    assert!(!found.ok && found.message.contains("is the address right?"), "{found:?}");
    assert_eq!(upstream.seen()[0].path, "/v1/models");
    // Nobody calls a model to test it.
    assert!(super::calls(&ctx).await.is_empty());
}

#[tokio::test]
async fn roles_decide_who_sees_and_who_changes() {
    let site = Site::sqlite().await;
    let owner = somebody(&site).await;
    let upstream = Upstream::start([]).await;
    for (role, sees, changes, asks) in [
        (Role::Viewer, true, false, false),
        (Role::Operator, true, false, true),
        (Role::Builder, true, false, true),
        (Role::Admin, true, true, true),
    ] {
        let actor = Actor { workspace: owner.workspace(), principal: Principal::System, role };
        let ctx: Ctx = owner.runtime().as_actor(actor, String::new());
        assert_eq!(gateway::list_providers(&ctx).await.is_ok(), sees, "{role:?}");
        let made = gateway::create_provider(&ctx, draft(role.as_str(), ProviderKind::OpenAi, &upstream, &[])).await;
        assert_eq!(made.is_ok(), changes, "{role:?}");
        assert_eq!(gateway::list_models(&ctx).await.is_ok(), asks, "{role:?}");
    }
}

#[tokio::test]
async fn the_same_is_done_over_rest() {
    let site = Site::sqlite().await;
    let rt = &site.runtime;
    let (_, cookie) = owner(rt).await;
    let send = async |method: Method, path: &str, tag: Option<&str>, body: Value| {
        let path = format!("/api/v1{path}");
        let mut request =
            call(method, &path).with("cookie", &format!("weft={cookie}")).with("sec-fetch-site", "same-origin");
        if let Some(tag) = tag {
            request = request.with("if-match", tag);
        }
        let request = if body.is_null() { request } else { request.json(&body) };
        let response = request.send(rt).await;
        let status = response.status().as_u16();
        (status, json_of(response).await)
    };
    let body =
        json!({"name": "claude", "kind": "anthropic", "credential": "sk-ant-very-secret", "models": [{"id": "opus"}]});
    let (status, made) = send(Method::POST, "/providers", None, body.clone()).await;
    assert_eq!(
        (status, &made["base_url"], &made["credential_hint"]),
        (201, &json!("https://api.anthropic.com"), &json!("…cret"))
    );
    let path = format!("/providers/{}", made["id"].as_str().unwrap());
    let mut change = body.clone();
    change["enabled"] = json!(false);
    change.as_object_mut().unwrap().remove("credential");
    assert_eq!(send(Method::PUT, &path, Some("\"7\""), change.clone()).await.0, 409);
    let (status, changed) = send(Method::PUT, &path, Some("\"1\""), change).await;
    assert_eq!((status, &changed["enabled"], &changed["credential_hint"]), (200, &json!(false), &json!("…cret")));
    assert_eq!(send(Method::POST, "/providers", None, body).await.0, 409);
    let unknown = json!({"name": "x", "kind": "ollama", "colour": "red"});
    assert_eq!(send(Method::POST, "/providers", None, unknown).await.1["errors"][0]["pointer"], "/colour");
    let price = json!({"model": "opus", "input": 15_000_000, "output": 75_000_000});
    assert_eq!(send(Method::POST, &format!("{path}/prices"), None, price).await.0, 201);
    let (_, prices) = send(Method::GET, &format!("{path}/prices"), None, Value::Null).await;
    assert_eq!(prices["items"][0]["output"], 75_000_000);
    let route = json!({"name": "default", "targets": [{"provider_id": made["id"], "model": "opus"}]});
    let (status, route) = send(Method::POST, "/routes", None, route).await;
    assert_eq!((status, &route["revision"]), (201, &json!(1)));
    let lost = json!({"name": "lost", "targets": [{"provider_id": NIL, "model": "opus"}]});
    assert_eq!(send(Method::POST, "/routes", None, lost).await.1["errors"][0]["pointer"], "/targets/0/provider_id");
    let (status, key) = send(Method::POST, "/gateway/keys", None, json!({"name": "Claude Code"})).await;
    assert_eq!(status, 201);
    assert!(key["secret"].as_str().unwrap().starts_with(key["key"]["hint"].as_str().unwrap()));
    let (_, keys) = send(Method::GET, "/gateway/keys", None, Value::Null).await;
    assert!(!keys.to_string().contains(key["secret"].as_str().unwrap()));
    for path in ["/gateway/usage?by=user", "/gateway/calls?limit=5", "/routes", "/providers"] {
        assert_eq!(send(Method::GET, path, None, Value::Null).await.0, 200, "{path}");
    }
    assert_eq!(send(Method::GET, "/gateway/usage?by=colour", None, Value::Null).await.0, 422);
    let key = format!("/gateway/keys/{}", key["key"]["id"].as_str().unwrap());
    let route = format!("/routes/{}", route["id"].as_str().unwrap());
    for path in [key, route, path] {
        assert_eq!(send(Method::DELETE, &path, None, Value::Null).await.0, 204, "{path}");
        assert_eq!(send(Method::DELETE, &path, None, Value::Null).await.0, 404, "{path}");
    }
}
