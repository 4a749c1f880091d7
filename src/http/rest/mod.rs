//! REST, `/api/v1`: one file a resource. The OpenAPI document is generated from the same routes.

mod access;
pub mod agent_hooks;
pub mod agent_leases;
pub mod agent_tasks;
pub mod agents;
pub mod analytics;
pub mod approvals;
pub mod auth;
pub mod bodies;
pub mod body;
pub mod budgets;
pub mod cache;
pub mod comparisons;
pub mod embedder;
mod encryption;
pub mod events;
mod flags;
pub mod gateway;
pub mod give;
pub mod hooks;
mod listing;
mod map;
mod master_key;
pub mod memory;
mod memory_backups;
mod memory_bulk;
mod memory_file;
mod namespaces;
pub mod paging;
pub mod providers;
pub mod readers;
mod redaction;
pub mod regression;
mod relations;
pub mod routes;
pub mod runs;
pub mod schedules;
mod siblings;
mod summary;
mod summary_rules;
pub mod team;
pub mod travel;
pub mod triggers;
pub mod users;
pub mod versions;
pub mod workflows;
pub mod workspace;

use std::sync::OnceLock;

use axum::Router;
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use super::error::{Refusal, bare};
use super::openapi::{self, Document};
use crate::model::ApiError;
use crate::runtime::Runtime;

/// The largest body of a REST call.
const BODY_LIMIT: usize = 4 * 1024 * 1024;

/// Every resource, with its description.
fn resources() -> OpenApiRouter<Runtime> {
    OpenApiRouter::with_openapi(Document::openapi())
        .merge(access::router())
        .merge(agents::router())
        .merge(agent_hooks::router())
        .merge(agent_leases::router())
        .merge(comparisons::router())
        .merge(agent_tasks::router())
        .merge(analytics::router())
        .merge(approvals::router())
        .merge(auth::router())
        .merge(bodies::router())
        .merge(budgets::router())
        .merge(cache::router())
        .merge(events::router())
        .merge(gateway::router())
        .merge(give::router())
        .merge(crate::http::gateway::router())
        .merge(embedder::router())
        .merge(listing::router())
        .merge(encryption::router())
        .merge(map::router())
        .merge(master_key::router())
        .merge(memory::router())
        .merge(memory_backups::router())
        .merge(memory_bulk::router())
        .merge(memory_file::router())
        .merge(namespaces::router())
        .merge(hooks::router())
        .merge(providers::router())
        .merge(readers::router())
        .merge(redaction::router())
        .merge(flags::router())
        .merge(regression::router())
        .merge(routes::router())
        .merge(runs::router())
        .merge(schedules::router())
        .merge(relations::router())
        .merge(siblings::router())
        .merge(summary::router())
        .merge(summary_rules::router())
        .merge(team::router())
        .merge(travel::router())
        .merge(triggers::router())
        .merge(users::router())
        .merge(workspace::router())
        .merge(versions::router())
        .merge(workflows::router())
}

/// The OpenAPI document.
pub fn document() -> utoipa::openapi::OpenApi {
    let mut document = OpenApiRouter::new().nest("/api/v1", resources()).into_openapi();
    openapi::finish(&mut document);
    document
}

/// Every resource under `/api/v1`, and the document that describes them.
pub fn router(runtime: &Runtime) -> Router {
    // As a tree it takes megabytes for as long as the server runs. It is the same for every router of a process, and writing it down
    // takes a while.
    static TEXT: OnceLock<Bytes> = OnceLock::new();
    let (routes, mut document) = OpenApiRouter::new().nest("/api/v1", resources()).split_for_parts();
    let text = TEXT.get_or_init(|| {
        openapi::finish(&mut document);
        Bytes::from(serde_json::to_vec(&document).unwrap_or_default())
    });
    let text = text.clone();
    let described = async move || ([(header::CONTENT_TYPE, "application/json")], text);
    routes
        .route("/api/openapi.json", get(described))
        .route("/api/{*rest}", axum::routing::any(unknown))
        .method_not_allowed_fallback(other_method)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .with_state(runtime.clone())
}

async fn unknown() -> Response {
    Refusal(ApiError::NotFound { detail: "no such route; /api/openapi.json lists them".to_owned() }).into_response()
}

/// A path that exists, with a method that it doesn't have; the framework adds `Allow`.
async fn other_method(method: Method) -> Response {
    let detail = format!("{method} is not among the methods of this route");
    bare(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed", detail)
}
