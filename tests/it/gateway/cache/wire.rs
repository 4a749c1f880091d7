//! The cache as programs and REST clients meet it: headers, streams, `/cache`.

use axum::http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use weft::cache;
use weft::runtime::{Clock, Runtime};

use super::super::{add, calls, chunks, process};
use super::*;
use crate::auth::{call, owner};
use crate::memory::meaning::{Meaning, set};

const CHAT: &str = "/api/v1/gateway/openai/v1/chat/completions";
const RESPONSES: &str = "/api/v1/gateway/openai/v1/responses";
const MESSAGES: &str = "/api/v1/gateway/anthropic/v1/messages";

struct Pointed {
    rt: Runtime,
    ctx: Ctx,
    secret: String,
    cookie: String,
}

async fn pointed(site: &Site, upstream: &Upstream) -> Pointed {
    let rt = process(site, Clock::System);
    let (ctx, cookie) = owner(&rt).await;
    add(&ctx, "acme", ProviderKind::OpenAiCompatible, upstream, &["big"]).await;
    let draft = serde_json::from_value(json!({"name": "SDK"})).unwrap();
    let secret = gateway::create_key(&ctx, draft).await.unwrap().secret.0;
    Pointed { rt, ctx, secret, cookie }
}

impl Pointed {
    async fn send(&self, path: &str, body: &Value, headers: &[(&str, &str)]) -> (StatusCode, HeaderMap, String) {
        let mut request = call(Method::POST, path).with("x-api-key", &self.secret);
        for (name, value) in headers {
            request = request.with(name, value);
        }
        let (parts, body) = request.json(body).send(&self.rt).await.into_parts();
        let bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        cache::settled(&self.rt).await;
        (parts.status, parts.headers, String::from_utf8(bytes.to_vec()).unwrap())
    }

    async fn rest(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let request = call(method, &format!("/api/v1{path}"))
            .with("cookie", &format!("weft={}", self.cookie))
            .with("sec-fetch-site", "same-origin");
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        let (parts, body) = request.send(&self.rt).await.into_parts();
        let bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        (parts.status.as_u16(), serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }
}

fn chat() -> Value {
    json!({"model": "big", "temperature": 0, "messages": [{"role": "user", "content": "What is this?"}]})
}

/// Sends a question through a real socket; gives back the answer's head, in small letters, and its body.
async fn through_a_socket(host: &str, secret: &str, question: &str) -> (String, String) {
    let mut body = chat();
    body["messages"][0]["content"] = json!(question);
    let body = body.to_string();
    let head = format!(
        "POST {CHAT} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {secret}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let mut socket = tokio::net::TcpStream::connect(host).await.unwrap();
    socket.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_lowercase(), body.to_owned())
}

fn word<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).map_or("", |value| value.to_str().unwrap())
}

on_both_engines! {
    async fn headers_say_what_the_cache_did_and_what_it_shall_do(site: Site) {
        let upstream = Upstream::start((1..9).map(|n| Reply::Json(200, answer(&format!("{n}"))))).await;
        let at = pointed(&site, &upstream).await;
        let (_, headers, first) = at.send(CHAT, &chat(), &[]).await;
        assert_eq!((word(&headers, "x-weft-cache"), headers.get("age")), ("miss", None));
        let (_, headers, again) = at.send(CHAT, &chat(), &[]).await;
        assert_eq!((word(&headers, "x-weft-cache"), word(&headers, "x-weft-cost-usd")), ("hit", "0.000000"));
        assert!(word(&headers, "age").parse::<u32>().is_ok(), "{headers:?}");
        let (first, again): (Value, Value) = (serde_json::from_str(&first).unwrap(), serde_json::from_str(&again).unwrap());
        assert_eq!((&first["choices"], &first["usage"]), (&again["choices"], &again["usage"]));
        // The order of keys and white space between them do not matter.
        let (_, headers, _) = at.send(CHAT, &json!({"messages": chat()["messages"], "temperature": 0, "model": "big"}), &[]).await;
        assert_eq!(word(&headers, "x-weft-cache"), "hit");

        let did = async |header: &str| {
            let (status, headers, text) = at.send(CHAT, &chat(), &[("x-weft-cache", header)]).await;
            (status.as_u16(), word(&headers, "x-weft-cache").to_owned(), text)
        };
        assert_eq!(did("no-store").await.1, "off");
        assert_eq!(did("no-cache").await.1, "miss");
        assert_eq!(did("max-age=600").await.1, "hit");
        let (status, _, text) = did("sometimes").await;
        assert!(status == 400 && text.contains("expected on, no-store, no-cache, exact, only-if-cached or max-age=SECONDS"), "{status} {text}");
        let warm = json!({"model": "big", "messages": chat()["messages"]});
        for expected in ["miss", "hit"] {
            let (_, headers, _) = at.send(CHAT, &warm, &[("x-weft-cache", "on")]).await;
            assert_eq!(word(&headers, "x-weft-cache"), expected);
        }
        assert_eq!(word(&at.send(CHAT, &warm, &[]).await.1, "x-weft-cache"), "off");
        assert_eq!(upstream.count(), 5);
    }

    async fn who_takes_kept_answers_only_gets_one_or_is_refused_in_their_dialect(site: Site) {
        let upstream = Upstream::start((1..9).map(|n| Reply::Json(200, answer(&format!("{n}"))))).await;
        let at = pointed(&site, &upstream).await;
        let only = [("x-weft-cache", "only-if-cached")];
        let turns = |text: &str| json!([{"role": "user", "content": text}]);
        for (path, body, code) in [
            (CHAT, json!({"model": "big", "temperature": 0, "messages": turns("One?")}), "/error/code"),
            (RESPONSES, json!({"model": "big", "temperature": 0, "input": "Two?"}), "/error/code"),
            (MESSAGES, json!({"model": "big", "temperature": 0, "max_tokens": 9, "messages": turns("Three?")}), "/error/type"),
        ] {
            let mut streamed = body.clone();
            streamed["stream"] = json!(true);
            let before = upstream.count();
            for question in [&body, &streamed] {
                let (status, headers, text) = at.send(path, question, &only).await;
                assert_eq!((status.as_u16(), upstream.count()), (504, before), "{path}: {text}");
                let error: Value = serde_json::from_str(&text).unwrap();
                let expected = if path == MESSAGES { "api_error" } else { "uncached" };
                assert_eq!(error.pointer(code), Some(&json!(expected)), "{path}: {text}");
                assert!(error["error"]["message"].as_str().unwrap().contains("only-if-cached"), "{path}: {text}");
                assert_eq!(word(&headers, "x-should-retry"), "false", "asking again helps nobody");
            }
            assert_eq!(word(&at.send(path, &body, &[]).await.1, "x-weft-cache"), "miss", "{path}");
            for question in [&body, &streamed] {
                let (status, headers, text) = at.send(path, question, &only).await;
                assert_eq!((status.as_u16(), word(&headers, "x-weft-cache")), (200, "hit"), "{path}: {text}");
            }
            assert_eq!(upstream.count(), before + 1, "{path}");
        }
        // It says `on` too: chance does not keep the cache from being asked.
        let warm = json!({"model": "big", "messages": turns("Four?")});
        at.send(CHAT, &warm, &[("x-weft-cache", "on")]).await;
        assert_eq!(word(&at.send(CHAT, &warm, &only).await.1, "x-weft-cache"), "hit");
        for both in ["only-if-cached, no-store", "only-if-cached, no-cache"] {
            let (status, _, text) = at.send(CHAT, &warm, &[("x-weft-cache", both)]).await;
            assert!(status == StatusCode::BAD_REQUEST && text.contains("can't both hold"), "{status} {text}");
        }
        let asked = upstream.count();
        at.rest(Method::PUT, "/cache/settings", Some(json!({"enabled": false}))).await;
        let (status, _, text) = at.send(CHAT, &warm, &only).await;
        assert!(status == StatusCode::GATEWAY_TIMEOUT && text.contains("switched off"), "{status} {text}");
        assert_eq!(upstream.count(), asked);
        let log = calls(&at.ctx).await;
        let refused = log.iter().filter(|call| call.error.as_ref().is_some_and(|error| error.contains("only-if-cached")));
        assert!(refused.clone().all(|call| call.provider.is_empty() && call.usage.output == 0), "nobody was asked: {log:?}");
        assert_eq!(refused.count(), 7);
    }

    async fn an_answer_given_by_meaning_says_so_on_the_wire(site: Site) {
        let upstream = Upstream::start((0..20).map(|_| Reply::Json(200, answer("The first one.")))).await;
        let at = pointed(&site, &upstream).await;
        gateway::lend_embedder(&at.rt);
        let vectors = Meaning::start().await;
        vectors.provide_as(&at.ctx, "vectors").await;
        set(&at.ctx, "vectors/vec").await;
        let semantic = json!({"enabled": true, "error_budget": 0.2, "shadow_percent": 0});
        let (status, said) = at.rest(Method::PUT, "/cache/settings", Some(json!({"enabled": true, "semantic": semantic}))).await;
        assert_eq!(status, 200, "{said}");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let app = weft::http::router(&at.rt).into_make_service_with_connect_info::<std::net::SocketAddr>();
        at.rt.tasks.spawn("a test's server", async move { axum::serve(listener, app).await.unwrap() });

        let ask = async |question: &str| {
            let answered = through_a_socket(&host, &at.secret, question).await;
            cache::settled(&at.rt).await;
            answered
        };
        let (head, _) = ask("Which car is red?").await;
        assert!(head.starts_with("http/1.1 200") && head.contains("\r\nx-weft-cache: miss\r\n"), "{head}");
        let mut given = None;
        for filler in ["please", "indeed", "really", "kindly", "perhaps", "surely", "maybe", "truly", "actually"] {
            let (head, body) = ask(&format!("Which automobile is red, {filler}?")).await;
            assert!(body.contains("The first one."), "{body}");
            if head.contains("\r\nx-weft-cache: semantic\r\n") {
                given = Some(head);
                break;
            }
            assert!(head.contains("\r\nx-weft-cache: miss\r\n") && !head.contains("similarity"), "{head}");
        }
        let head = given.expect("it is given once it was learned");
        let header = |name: &str| {
            let line = head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            line.unwrap_or_else(|| panic!("{name} is missing in {head}")).to_owned()
        };
        let similarity: f64 = header("x-weft-cache-similarity").parse().unwrap();
        assert!((0.9..=1.0).contains(&similarity), "{similarity}");
        assert_eq!((header("x-weft-cost-usd").as_str(), header("age").parse::<u32>().is_ok()), ("0.000000", true));
        // The very same words are the exact tier's.
        assert!(ask("Which car is red?").await.0.contains("\r\nx-weft-cache: hit\r\n"));
    }

    async fn one_dialect_is_given_what_the_other_asked_as_a_stream_too(site: Site) {
        let upstream = Upstream::start([Reply::Events(chunks(&["A ", "loom."]))]).await;
        let at = pointed(&site, &upstream).await;
        let mut streamed = chat();
        streamed["stream"] = json!(true);
        let (_, headers, text) = at.send(CHAT, &streamed, &[]).await;
        assert_eq!(word(&headers, "x-weft-cache"), "miss");
        assert!(text.contains("[DONE]"));
        let (_, headers, text) = at.send(CHAT, &streamed, &[]).await;
        assert_eq!((word(&headers, "x-weft-cache"), word(&headers, "content-type")), ("hit", "text/event-stream; charset=utf-8"));
        assert!(text.contains("A loom.") && text.contains("\"finish_reason\":\"stop\"") && text.ends_with("data: [DONE]\n\n"), "{text}");
        assert_eq!(word(&at.send(CHAT, &chat(), &[]).await.1, "x-weft-cache"), "hit");
        assert_eq!(upstream.count(), 1);
    }

    async fn what_an_answer_depends_on_is_told_by_a_header_and_over_rest(site: Site) {
        let upstream = Upstream::start((1..9).map(|n| Reply::Json(200, answer(&format!("{n}"))))).await;
        let at = pointed(&site, &upstream).await;
        let did = async |depends_on: &str| {
            let (status, headers, text) = at.send(CHAT, &chat(), &[("x-weft-depends-on", depends_on)]).await;
            assert_eq!(status, StatusCode::OK, "{text}");
            word(&headers, "x-weft-cache").to_owned()
        };
        let list = r#"[{"kind":"file","id":"src/a.rs"}]"#;
        assert_eq!((did(list).await, did(list).await), ("miss".to_owned(), "hit".to_owned()));
        let change = |fingerprint: &str| json!({"kind": "file", "id": "src/a.rs", "fingerprint": fingerprint});
        assert_eq!(at.rest(Method::POST, "/cache/changed", Some(change("2"))).await, (200, json!({"changed": true, "invalidated": 1})));
        assert_eq!(at.rest(Method::POST, "/cache/changed", Some(change("2"))).await, (200, json!({"changed": false, "invalidated": 0})));
        assert_eq!(did(list).await, "miss");
        let (status, text) = at.rest(Method::POST, "/cache/changed", Some(change(""))).await;
        assert_eq!((status, &text["errors"][0]["pointer"]), (422, &json!("/fingerprint")));
        let (status, _, text) = at.send(CHAT, &chat(), &[("x-weft-depends-on", "a.rs")]).await;
        assert!(status == StatusCode::BAD_REQUEST && text.contains("x-weft-depends-on"), "{text}");
    }

    async fn kept_answers_are_managed_over_rest(site: Site) {
        let upstream = Upstream::start((1..9).map(|n| Reply::Json(200, answer(&format!("{n}"))))).await;
        let at = pointed(&site, &upstream).await;
        at.send(CHAT, &chat(), &[]).await;
        at.send(CHAT, &chat(), &[]).await;
        gateway::settled(&at.rt).await;
        let (_, page) = at.rest(Method::GET, "/cache/entries?model=big", None).await;
        let id = page["items"][0]["id"].as_str().unwrap().to_owned();
        assert_eq!((&page["items"][0]["hits"], &page["items"][0]["sharing"]), (&json!(1), &json!("user")));
        assert!(!page.to_string().contains("What is this?"), "{page}");
        let (_, one) = at.rest(Method::GET, &format!("/cache/entries/{id}"), None).await;
        assert_eq!((&one["text"], &one["request"]["messages"][0]["content"]), (&json!("1"), &json!("What is this?")));
        assert_eq!(at.rest(Method::PUT, &format!("/cache/entries/{id}/wrong"), None).await.0, 200);
        assert_eq!(word(&at.send(CHAT, &chat(), &[]).await.1, "x-weft-cache"), "miss");
        let (_, back) = at.rest(Method::DELETE, &format!("/cache/entries/{id}/wrong"), None).await;
        assert_eq!(back["wrong_at"], Value::Null);
        assert_eq!(word(&at.send(CHAT, &chat(), &[]).await.1, "x-weft-cache"), "hit");
        gateway::settled(&at.rt).await;
        let (_, report) = at.rest(Method::GET, "/analytics/cache?period=day", None).await;
        assert_eq!((&report["hits"], &report["misses"], &report["entries"]), (&json!(2), &json!(2), &json!(1)), "{report}");
        assert_eq!(at.rest(Method::DELETE, &format!("/cache/entries/{id}"), None).await.0, 204);
        assert_eq!(at.rest(Method::DELETE, &format!("/cache/entries/{id}"), None).await.0, 404);
        assert_eq!(at.rest(Method::POST, "/cache/invalidate", Some(json!({}))).await.0, 422);
        assert_eq!(at.rest(Method::POST, "/cache/invalidate", Some(json!({"all": true}))).await, (200, json!({"invalidated": 0})));
        let (_, settings) = at.rest(Method::GET, "/cache/settings", None).await;
        let semantic = json!({"enabled": false, "error_budget": 0.01, "shadow_percent": 5});
        assert_eq!(settings, json!({"enabled": true, "programs": "person", "semantic": semantic, "warm_minutes": 0}));
        let (status, refused) =
            at.rest(Method::PUT, "/cache/settings", Some(json!({"enabled": true, "semantic": {"enabled": true}}))).await;
        assert_eq!((status, &refused["errors"][0]["pointer"]), (422, &json!("/semantic/enabled")), "{refused}");
        assert_eq!(at.rest(Method::GET, "/cache/semantic", None).await.1["items"], json!([]));
        let (_, settings) = at.rest(Method::PUT, "/cache/settings", Some(json!({"enabled": false}))).await;
        assert_eq!(settings["enabled"], false);
        assert_eq!(word(&at.send(CHAT, &chat(), &[]).await.1, "x-weft-cache"), "off");
    }
}
