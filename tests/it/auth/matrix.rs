//! Every route and server function, as nobody and as each role. One that is missing in the snapshot fails the test: it
//! was added without saying who may use it.
//!
//! A cell is the status of an empty call with an unknown id: 401 nobody, 403 not with this role; anything else means that
//! the caller got past the door (404, 415 or 422 for the missing thing or body, 200 for a list).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use axum::http::Method;

use super::*;
use crate::support::Site;

const NIL: &str = "00000000-0000-0000-0000-000000000000";

/// What would end the very sign-in that walks the matrix; each has its own test.
const ENDS_THE_CALLER: [&str; 2] = ["POST /api/v1/logout", "POST /rpc/auth/log_out"];

/// Every REST operation of the OpenAPI document, and every server function.
fn routes() -> Vec<(Method, String)> {
    let document = serde_json::to_value(weft::http::rest::document()).unwrap();
    let mut routes = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys() {
            if let Ok(method) = method.to_uppercase().parse() {
                routes.push((method, path.clone()));
            }
        }
    }
    routes.extend(server_fn::axum::server_fn_paths().map(|(path, method)| (method, path.to_owned())));
    routes.sort_by_key(|(method, path)| (path.clone(), method.to_string()));
    routes
}

/// The path with an unknown thing in each place.
fn concrete(path: &str) -> String {
    let segments = path.split('/').map(|segment| match segment {
        "{id}" => NIL,
        segment if segment.starts_with('{') => "1",
        segment => segment,
    });
    segments.collect::<Vec<_>>().join("/")
}

/// Enough for the server functions that do one thing to one person or invitation to get to their authorisation.
fn body(path: &str) -> Value {
    if path.starts_with("/rpc/users/") {
        serde_json::json!({"id": NIL, "role": "viewer", "email": "not an address", "page": {"limit": 1, "cursor": null}})
    } else {
        serde_json::json!({})
    }
}

async fn walk(rt: &Runtime) -> BTreeMap<String, Vec<u16>> {
    let (mara, owner_cookie) = owner(rt).await;
    let mut callers = vec![None, Some(owner_cookie)];
    for role in [Role::Admin, Role::Builder, Role::Operator, Role::Viewer] {
        callers.push(Some(member(&mara, role).await.1));
    }
    let mut matrix = BTreeMap::new();
    for (method, path) in routes() {
        let row = format!("{method} {path}");
        if ENDS_THE_CALLER.contains(&row.as_str()) {
            continue;
        }
        let mut cells = Vec::new();
        for caller in &callers {
            let mut request = call(method.clone(), &concrete(&path)).with("sec-fetch-site", "same-origin");
            if let Some(cookie) = caller {
                request = request.with("cookie", &format!("weft={cookie}"));
            }
            if path.starts_with("/rpc") {
                request = request.json(&body(&path));
            }
            cells.push(request.status(rt).await.as_u16());
            rt.clock.advance_ms(15_000);
        }
        matrix.insert(row, cells);
    }
    matrix
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_refuses_whom_it_should() {
    let site = Site::sqlite().await;
    let mut table = format!("{:<52} nobody owner admin builder operator viewer\n", "");
    for (row, cells) in walk(&site.runtime).await {
        let cells: Vec<String> = cells.iter().map(u16::to_string).collect();
        writeln!(table, "{row:<52} {}", cells.join("    ")).unwrap();
    }
    insta::assert_snapshot!(table);
}
