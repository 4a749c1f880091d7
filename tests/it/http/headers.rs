//! The headers that protect every answer.

use axum::http::Method;

use super::{call, owner};
use crate::support::Site;

const EVERYWHERE: [(&str, &str); 5] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    ("x-frame-options", "DENY"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_carries_them_whatever_it_is() {
    let site = Site::sqlite().await;
    let rt = &site.runtime;
    let (_, cookie) = owner(rt).await;
    let paths = [
        "/",
        "/login",
        "/runs",
        "/no-such-page",
        "/api/v1/me",
        "/api/v1/nothing",
        "/api/openapi.json",
        "/assets/none.js",
        "/ws/updates",
        "/healthz",
        "/readyz",
        "/metrics",
    ];
    for path in paths {
        for caller in ["", &format!("weft={cookie}")] {
            let answer = call(Method::GET, path).with("cookie", caller).send(rt).await;
            for (name, value) in EVERYWHERE {
                assert_eq!(answer.headers().get(name).map(|v| v.to_str().unwrap()), Some(value), "{path} {name}");
            }
            let policy = answer.headers()["content-security-policy"].to_str().unwrap();
            for rule in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"] {
                assert!(policy.contains(rule), "{path}: {policy}");
            }
            assert!(
                !policy.contains("unsafe-inline'; script") && !policy.contains("'unsafe-eval'"),
                "{path}: {policy}"
            );
            assert!(answer.headers().contains_key("x-trace-id"), "{path}");
            assert!(!answer.headers().contains_key("access-control-allow-origin"), "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_scripts_of_a_page_run_by_a_nonce_that_is_never_the_same() {
    let site = Site::sqlite().await;
    let mut nonces = Vec::new();
    for _ in 0..2 {
        let answer = call(Method::GET, "/login").send(&site.runtime).await;
        let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
        let nonce = policy.split_once("'nonce-").unwrap().1.split_once('\'').unwrap().0.to_owned();
        assert!(nonce.len() >= 16, "{nonce}");
        let body = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        let page = String::from_utf8(body.to_vec()).unwrap();
        for script in page.split("<script").skip(1).map(|rest| rest.split('>').next().unwrap()) {
            assert!(script.contains(&format!("nonce=\"{nonce}\"")), "{script}");
        }
        nonces.push(nonce);
    }
    assert_ne!(nonces[0], nonces[1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_preflight_of_another_site_is_granted_nothing() {
    let site = Site::sqlite().await;
    let answer = call(Method::OPTIONS, "/api/v1/workflows")
        .with("origin", "https://evil.com")
        .with("access-control-request-method", "POST")
        .send(&site.runtime)
        .await;
    assert!(answer.headers().keys().all(|name| !name.as_str().starts_with("access-control")), "{:?}", answer.headers());
}
