//! Pages as the server renders them.

use std::collections::BTreeMap;

use axum::http::{HeaderValue, Method, StatusCode, header};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tower::ServiceExt;
use weft::memory::{self, Expect};
use weft::model::memory::EntryDraft;
use weft::model::trigger::{Config, TriggerDraft};
use weft::runtime::{Ctx, Runtime};
use weft::workflow::{self, NewRun, definitions};

use super::{NIL, call, json_of, owner};
use crate::support::Site;

fn paths() -> Vec<String> {
    let fixed = [
        "/",
        "/workflows",
        "/runs",
        "/memory",
        "/memory?q=health",
        "/memory?sort=-reads",
        "/memory/embedder",
        "/memory/health",
        "/memory/timeline",
        "/memory/timeline?ns=team&from=web",
        "/memory/map",
        "/memory/summaries",
        "/memory/backups",
        "/memory/map?ns=team",
        "/providers",
        "/users",
        "/account",
    ];
    let of_one = [format!("/workflows/{NIL}"), format!("/runs/{NIL}"), format!("/runs/{NIL}?step=a")];
    fixed.into_iter().map(str::to_owned).chain(of_one).collect()
}

/// Asks for a page so many times at once.
async fn look(runtime: &Runtime, cookie: &str, path: &str, times: u32) -> Vec<(StatusCode, String)> {
    let router = weft::http::router(runtime);
    let mut asked = JoinSet::new();
    for _ in 0..times {
        let request = axum::http::Request::builder()
            .uri(path)
            .header(header::HOST, "127.0.0.1:3000")
            .header(header::COOKIE, format!("weft={cookie}"))
            .body(axum::body::Body::empty())
            .unwrap();
        let router = router.clone();
        asked.spawn(async move {
            let answer = router.oneshot(request).await.unwrap();
            let status = answer.status();
            let body = axum::body::to_bytes(answer.into_body(), 1 << 22).await.unwrap();
            (status, String::from_utf8(body.to_vec()).unwrap())
        });
    }
    asked.join_all().await
}

// Rendering runs on several threads, and what one of them disposes another must not read.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_page_is_whole_however_many_are_asked_for_at_once() {
    let site = Site::sqlite().await;
    let (_, cookie) = owner(&site.runtime).await;
    for path in paths() {
        for (status, page) in look(&site.runtime, &cookie, &path, 100).await {
            assert_eq!(status, StatusCode::OK, "{path}");
            assert!(page.contains("</html>"), "{path}");
            assert!(page.contains("Mara"), "{path} is rendered for who asks");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_not_signed_in_is_led_to_the_login_page_and_back() {
    let site = Site::sqlite().await;
    let cases = [
        ("/", "/login"),
        ("/runs?status=failed&q=a", "/login?next=/runs%3Fstatus%3Dfailed%26q%3Da"),
        ("/users", "/login?next=/users"),
    ];
    for (path, login) in cases {
        let answer = call(Method::GET, path).send(&site.runtime).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{path}");
        assert_eq!(answer.headers()[header::LOCATION], login);
    }
    for path in ["/login", "/setup?token=x", "/invite?token=x"] {
        assert_eq!(call(Method::GET, path).status(&site.runtime).await, StatusCode::OK, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_leads_nowhere_has_a_page_that_says_so() {
    let site = Site::sqlite().await;
    let (_, cookie) = owner(&site.runtime).await;
    for path in ["/nope", "/settings", "/gateway/nope?a=b"] {
        for (status, page) in look(&site.runtime, &cookie, path, 10).await {
            assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
            assert!(page.contains("No such page") && page.contains("</html>"), "{path}");
        }
        let answer = call(Method::GET, path).with("cookie", &format!("weft={cookie}")).send(&site.runtime).await;
        assert!(answer.headers()[header::CONTENT_TYPE].to_str().unwrap().starts_with("text/html"), "{path}");
        assert!(answer.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().contains("'nonce-"), "{path}");
        assert_eq!(call(Method::GET, path).status(&site.runtime).await, StatusCode::SEE_OTHER, "{path} signed out");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_asks_for_nothing_gets_no_page() {
    let site = Site::sqlite().await;
    let (_, cookie) = owner(&site.runtime).await;
    let cookie = format!("weft={cookie}");
    let ask =
        |method: Method, path: &str| call(method, path).with("cookie", &cookie).with("sec-fetch-site", "same-origin");
    let answer = ask(Method::GET, "/api/v1/nothing").send(&site.runtime).await;
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/problem+json");
    assert_eq!(json_of(answer).await["status"], 404);
    for (method, path) in [(Method::GET, "/favicon.ico"), (Method::GET, "/ws/other"), (Method::POST, "/nope")] {
        let answer = ask(method, path).send(&site.runtime).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
        assert_eq!(axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap().len(), 0, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slash_too_many_leads_to_the_page_and_never_to_another_site() {
    let site = Site::sqlite().await;
    for (path, to) in [("/runs/", "/runs"), ("/nope//", "/nope"), ("//evil/a/", "/")] {
        let answer = call(Method::GET, path).send(&site.runtime).await;
        assert_eq!(
            (answer.status(), &answer.headers()[header::LOCATION]),
            (StatusCode::SEE_OTHER, &HeaderValue::from_static(to))
        );
    }
}

/// One of each thing that has a page; the run waits for a person.
async fn paths_of_things(ctx: &Ctx) -> Vec<String> {
    let definition = json!({"weft": 1, "name": "Asks", "steps": [
        {"id": "ask", "kind": "approval", "config": {"title": "Well?"}},
    ]});
    let workflow = definitions::create(ctx, serde_json::from_value(definition).unwrap()).await.unwrap().id;
    definitions::publish(ctx, workflow).await.unwrap();
    let run = workflow::start(ctx, NewRun::manual(workflow, json!({}), None, false)).await.unwrap();
    let config: Config = serde_json::from_value(json!({"kind": "webhook"})).unwrap();
    let draft = TriggerDraft { workflow_id: workflow, name: "Hook".into(), config, inputs: Value::Null, enabled: true };
    let trigger = weft::trigger::create(ctx, draft).await.unwrap().trigger.id;
    let draft = EntryDraft { content: "A thought.".to_owned(), ..EntryDraft::default() };
    memory::put(ctx, "team", "thing", draft, Expect::Any, memory::source(ctx)).await.unwrap();
    let of_things = [
        format!("/workflows/{workflow}"),
        format!("/runs/{run}"),
        format!("/runs/{run}?step=ask"),
        format!("/runs/{run}?view=graph"),
        format!("/runs/compare?a={run}&b={run}"),
        format!("/triggers/{trigger}"),
        "/triggers?show=firings".to_owned(),
        "/memory?at=team&key=thing&q=thought".to_owned(),
        "/approvals".to_owned(),
    ];
    paths().into_iter().chain(of_things).collect()
}

/// The answers that a page carries for the browser, by their numbers.
fn answers(page: &str) -> BTreeMap<u32, &str> {
    let parts = page.split("__RESOLVED_RESOURCES[").skip(1);
    parts.filter_map(|part| part.split_once("] = ")).filter_map(|(id, rest)| Some((id.parse().ok()?, rest))).collect()
}

// Drawn twice, a part of a page would ask twice, and the browser go on with another answer than the one that was drawn.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_browser_is_told_the_answers_that_were_drawn_and_no_others() {
    let site = Site::sqlite().await;
    let (ctx, cookie) = owner(&site.runtime).await;
    for path in paths_of_things(&ctx).await {
        let pages = look(&site.runtime, &cookie, &path, 40).await;
        let numbers = |page: &str| answers(page).into_keys().collect::<Vec<_>>();
        let first = numbers(&pages[0].1);
        assert!(!first.is_empty() || path == "/account", "{path} carries no answers");
        for (status, page) in &pages {
            assert_eq!(*status, StatusCode::OK, "{path}");
            assert_eq!(numbers(page), first, "{path} asks the same each time");
        }
    }
}
