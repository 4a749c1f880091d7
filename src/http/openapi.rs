//! The OpenAPI document at `/api/openapi.json`: what it says beside the routes, which describe themselves.

use utoipa::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};

/// What the document says before the routes.
#[derive(OpenApi)]
#[openapi(
    info(title = "Weft", description = "The control plane for a team's AI agents."),
    modifiers(&Credentials),
    security(("bearer" = []), ("cookie" = []))
)]
pub struct Document;

/// The two ways of saying who asks.
struct Credentials;

impl utoipa::Modify for Credentials {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
        components.add_security_scheme("cookie", SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new("weft"))));
    }
}

/// Gives every error its real media type (utoipa assumes JSON for a body, and a problem is `application/problem+json`), and
/// every operation a name of its own: its handler's, behind its tag.
pub fn finish(document: &mut utoipa::openapi::OpenApi) {
    use utoipa::openapi::RefOr;
    for (path, item) in &mut document.paths.paths {
        // The gateway speaks the providers' own wires, errors too.
        let is_foreign = path.contains("/gateway/anthropic/") || path.contains("/gateway/openai/");
        let operations = [&mut item.get, &mut item.put, &mut item.post, &mut item.delete, &mut item.patch];
        for operation in operations.into_iter().flatten() {
            if let (Some(tag), Some(name)) = (operation.tags.iter().flatten().next(), &operation.operation_id) {
                operation.operation_id = Some(format!("{tag}_{name}"));
            }
            for (status, response) in &mut operation.responses.responses {
                let RefOr::T(response) = response else { continue };
                if !is_foreign
                    && status.starts_with(['4', '5'])
                    && let Some(content) = response.content.swap_remove("application/json")
                {
                    response.content.insert("application/problem+json".to_owned(), content);
                }
            }
        }
    }
}
