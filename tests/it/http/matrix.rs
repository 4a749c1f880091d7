//! Every route and server function, as nobody and as each role.
//!
//! A route without a plausible call in `plan.rs`, or missing in the snapshot, fails: it was added without saying who may
//! use it. A cell is the status of the call: 401 nobody, 403 not with this role; anything else means that the caller got
//! past the door (mostly 404, since the ids name nothing).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use axum::http::Method;
use weft::model::auth::Role;
use weft::runtime::Runtime;

use super::plan::{Sent, plan};
use super::{NIL, call, member, owner};
use crate::support::Site;

/// What would end the very sign-in that walks the matrix; each has its own test.
const ENDS_THE_CALLER: [&str; 2] = ["POST /api/v1/logout", "POST /rpc/auth/log_out"];

/// Every REST operation of the OpenAPI document, and every server function.
pub fn routes() -> Vec<(Method, String)> {
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
pub fn concrete(path: &str) -> String {
    let segments = path.split('/').map(|segment| match segment {
        "{id}" => NIL,
        "{namespace}" => "team",
        segment if segment.starts_with('{') => "1",
        segment => segment,
    });
    segments.collect::<Vec<_>>().join("/")
}

async fn walk(rt: &Runtime) -> BTreeMap<String, Vec<u16>> {
    let (mara, owner_cookie) = owner(rt).await;
    let mut callers = vec![None];
    // The least first, so that what a role makes is not already there for the roles above it.
    for role in [Role::Viewer, Role::Operator, Role::Builder, Role::Admin] {
        callers.push(Some(member(&mara, role).await.1));
    }
    callers.push(Some(owner_cookie));
    let app = weft::http::router(rt);
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
            let request = match plan(&method, &path).unwrap_or_else(|| panic!("plan.rs has no call of {row}")) {
                Sent::Nothing => request,
                Sent::Json(body) => request.json(&body),
                Sent::Form(form) => request.text("application/x-www-form-urlencoded", form),
            };
            cells.push(request.send_to(&app).await.status().as_u16());
            // Past the limits of attempts, which are not what is looked at here.
            rt.clock.advance_ms(15_000);
        }
        matrix.insert(row, cells);
    }
    matrix
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_refuses_whom_it_should() {
    let site = Site::sqlite().await;
    let mut table = format!("{:<52} nobody viewer operator builder admin owner\n", "");
    for (row, cells) in walk(&site.runtime).await {
        let cells: Vec<String> = cells.iter().map(u16::to_string).collect();
        writeln!(table, "{row:<52} {}", cells.join("    ")).unwrap();
    }
    insta::assert_snapshot!(table);
}
