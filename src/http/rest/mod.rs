//! REST, `/api/v1`: one file a resource. The OpenAPI document is generated from the same routes.

pub mod analytics;
pub mod auth;
pub mod body;
pub mod memory;
pub mod runs;
pub mod users;

use axum::Router;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, extract::DefaultBodyLimit};
use utoipa::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;

use super::error::Refusal;
use crate::model::ApiError;
use crate::runtime::Runtime;

/// The largest body of a REST call.
const BODY_LIMIT: usize = 4 * 1024 * 1024;

/// What the document says before the routes.
#[derive(OpenApi)]
#[openapi(
    info(title = "Weft", description = "The control plane for a team's AI agents."),
    modifiers(&Credentials),
    security(("bearer" = []), ("cookie" = []))
)]
struct Document;

/// The two ways of saying who asks.
struct Credentials;

impl utoipa::Modify for Credentials {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
        components.add_security_scheme("cookie", SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new("weft"))));
    }
}

/// Every resource, with its description.
fn resources() -> OpenApiRouter<Runtime> {
    OpenApiRouter::with_openapi(Document::openapi())
        .merge(analytics::router())
        .merge(auth::router())
        .merge(memory::router())
        .merge(runs::router())
        .merge(users::router())
}

/// The OpenAPI document.
pub fn document() -> utoipa::openapi::OpenApi {
    OpenApiRouter::new().nest("/api/v1", resources()).into_openapi()
}

/// Every resource under `/api/v1`, and the document that describes them.
pub fn router(runtime: &Runtime) -> Router {
    let (routes, document) = OpenApiRouter::new().nest("/api/v1", resources()).split_for_parts();
    routes
        .route("/api/openapi.json", get(async move || Json(document)))
        .route("/api/{*rest}", axum::routing::any(unknown))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .with_state(runtime.clone())
}

async fn unknown() -> impl IntoResponse {
    Refusal(ApiError::NotFound { detail: "no such route; /api/openapi.json lists them".to_owned() })
}
