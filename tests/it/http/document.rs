//! What the OpenAPI document promises is so, as far as its shape shows it.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use serde_json::Value;

use super::matrix::concrete;
use super::{call, json_of, owner};
use crate::architecture::rust_files;
use crate::support::Site;

/// Every operation: method, path, description.
fn operations() -> Vec<(String, String, Value)> {
    let document = serde_json::to_value(weft::http::rest::document()).unwrap();
    let mut found = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            found.push((method.to_uppercase(), path.clone(), operation.clone()));
        }
    }
    found
}

/// Whether the route speaks a provider's wire, errors included.
fn is_foreign(path: &str) -> bool {
    path.contains("/gateway/anthropic/") || path.contains("/gateway/openai/")
}

#[test]
fn every_operation_names_the_statuses_that_any_of_its_shape_can_have() {
    for (method, path, operation) in operations() {
        let responses = operation["responses"].as_object().unwrap();
        let mut expected = vec!["500", "503"];
        if operation["security"] != serde_json::json!([{}]) {
            expected.push("401");
        }
        if method != "GET" {
            // The guard of foreign pages.
            expected.push("403");
        }
        if !operation["requestBody"].is_null() {
            expected.extend(["413", "415", if is_foreign(&path) { "400" } else { "422" }]);
        }
        if path.contains("{id}") {
            expected.push("404");
        }
        for status in expected {
            assert!(responses.contains_key(status), "{method} {path} does not name {status}");
        }
        for (status, response) in responses {
            let media: Vec<&String> = response["content"].as_object().map(|c| c.keys().collect()).unwrap_or_default();
            if status.starts_with(['4', '5']) {
                let expected = if is_foreign(&path) { "application/json" } else { "application/problem+json" };
                assert_eq!(media, [expected], "{method} {path} {status}");
            }
        }
    }
}

#[test]
fn operations_have_names_of_their_own_and_every_schema_is_there() {
    let document = serde_json::to_value(weft::http::rest::document()).unwrap();
    let mut names: Vec<String> = operations()
        .into_iter()
        .map(|(method, path, operation)| {
            operation["operationId"].as_str().unwrap_or(&format!("{method} {path}")).to_owned()
        })
        .collect();
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count);
    let text = document.to_string();
    for reference in text.split("\"#/components/schemas/").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert!(document["components"]["schemas"].get(reference).is_some(), "{reference}");
    }
}

/// The document has one place for each name: of two types with the same name, one would be described as the other.
#[test]
fn no_two_types_share_a_name_in_the_document() {
    let mut found = BTreeMap::<String, String>::new();
    let mut offenders = Vec::new();
    for path in rust_files("src") {
        let text = std::fs::read_to_string(&path).unwrap();
        for (at, _) in text.match_indices("#[derive(") {
            let head = text[at..].split(['{', ';']).next().unwrap();
            if !head.split(")]").next().unwrap().contains("ToSchema") {
                continue;
            }
            let renamed = head.split("schema(as = ").nth(1).map(|name| name.split([')', ',']).next().unwrap());
            let own = head.split_once("struct ").or_else(|| head.split_once("enum ")).map(|(_, name)| name);
            let own = own.map(|name| name.split(|c: char| !c.is_alphanumeric()).next().unwrap());
            let Some(name) = renamed.or(own) else { continue };
            let place = path.display().to_string();
            if let Some(other) = found.insert(name.to_owned(), place.clone()) {
                offenders.push(format!("{name} is in {place} and in {other}"));
            }
        }
    }
    assert!(offenders.is_empty(), "name one of them with #[schema(as = …)]:\n  {}", offenders.join("\n  "));
    assert!(found.len() > 100, "{} types found", found.len());
}

/// Whatever is wrong with a call, the answer is a problem with the trace id of its header.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_refusal_is_a_problem_with_its_trace_id() {
    let site = Site::sqlite().await;
    let rt = &site.runtime;
    let (_, cookie) = owner(rt).await;
    let cookie = format!("weft={cookie}");
    let ours = |method, path: &str| call(method, path).with("cookie", &cookie).with("sec-fetch-site", "same-origin");
    let rows = [
        (call(Method::GET, "/api/v1/me"), 401),
        (ours(Method::POST, "/api/v1/me").with("sec-fetch-site", "cross-site"), 403),
        (ours(Method::GET, "/api/v1/nothing"), 404),
        (ours(Method::GET, "/api/v1/workflows/not-an-id"), 404),
        (ours(Method::GET, "/api/v1/workflows/%FF"), 404),
        (ours(Method::PATCH, "/api/v1/me"), 405),
        (ours(Method::DELETE, "/api/v1/login"), 405),
        (ours(Method::POST, "/api/v1/workflows").text("text/plain", "{}"), 415),
        (ours(Method::POST, "/api/v1/workflows"), 415),
        (ours(Method::POST, "/api/v1/workflows").text("application/json", "{"), 422),
        (ours(Method::POST, "/api/v1/workflows").text("application/json", r#"{"weft":1,"name":"a","extra":1}"#), 422),
        (ours(Method::POST, "/api/v1/workflows").text("application/yaml", "weft: 1\nname: [\n"), 422),
        (ours(Method::POST, "/api/v1/workflows").text("application/json", &"x".repeat(5 << 20)), 413),
        (ours(Method::GET, "/api/v1/users?limit=0"), 422),
        (ours(Method::GET, "/api/v1/users?limit=many"), 422),
        (ours(Method::GET, "/api/v1/users?unknown=1"), 422),
        (ours(Method::GET, "/api/v1/users?limit=1&limit=2"), 422),
        (ours(Method::GET, "/api/v1/workflows?cursor=mine"), 422),
        (ours(Method::GET, "/api/v1/workflows?query=%00"), 422),
        (ours(Method::GET, "/api/v1/memory/%FF/k"), 422),
    ];
    for (place, (request, status)) in rows.into_iter().enumerate() {
        let answer = request.send(rt).await;
        assert_eq!(answer.status().as_u16(), status, "row {place}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json", "row {place}");
        let trace_id = answer.headers()["x-trace-id"].to_str().unwrap().to_owned();
        if status == 405 {
            assert!(answer.headers().contains_key("allow"), "row {place}");
        }
        let problem = json_of(answer).await;
        assert_eq!(problem["status"], status, "row {place}");
        assert_eq!(problem["trace_id"], trace_id, "row {place}");
        if status == 422 {
            let message = problem["errors"][0]["message"].as_str().unwrap();
            assert!(!message.contains("src/") && !message.is_empty(), "row {place}: {message}");
        }
    }
}

/// The server functions for those who are not signed in.
const OPEN: [&str; 5] = [
    "/rpc/auth/setup_pending",
    "/rpc/auth/set_up",
    "/rpc/auth/log_in",
    "/rpc/auth/find_invite",
    "/rpc/auth/accept_invite",
];

/// Nobody's body is read, whatever its size: each call ends although its body never does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_body_of_nobody_is_not_read() {
    let site = Site::sqlite().await;
    let app = weft::http::router(&site.runtime);
    let rest = operations().into_iter().filter(|(_, _, operation)| operation["security"] != serde_json::json!([{}]));
    let rest = rest.map(|(method, path, _)| (method.parse::<Method>().unwrap(), path));
    let functions = server_fn::axum::server_fn_paths().map(|(path, method)| (method, path.to_owned()));
    for (method, path) in rest.chain(functions.filter(|(_, path)| !OPEN.contains(&path.as_str()))) {
        let request = call(method, &concrete(&path))
            .with("sec-fetch-site", "same-origin")
            .with("content-length", "10485760")
            .endless("application/json");
        let answered = tokio::time::timeout(Duration::from_secs(10), request.send_to(&app)).await;
        assert_eq!(answered.ok().map(|answer| answer.status()), Some(StatusCode::UNAUTHORIZED), "{path}");
    }
}
