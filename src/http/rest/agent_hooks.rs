//! `/agents/hooks/try`: what the hooks of an agent would say of a call.

use axum::Json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::Body;
use crate::agents::hooks;
use crate::http::Caller;
use crate::http::error::{Problem, Refusal};
use crate::model::agent::{HookTrial, HookTried};
use crate::runtime::Runtime;

/// The routes of this file.
pub fn router() -> OpenApiRouter<Runtime> {
    OpenApiRouter::new().routes(routes!(try_hooks))
}

/// Tells, hook by hook, what hooks would say of a call, and of what it would give. Nothing is done, and nothing is kept.
#[utoipa::path(post, path = "/agents/hooks/try", tag = "agents", request_body = HookTrial, responses(
    (status = 200, description = "what each hook said, and what comes of it", body = HookTried),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a field does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn try_hooks(Caller(ctx): Caller, Body(trial): Body<HookTrial>) -> Result<Json<HookTried>, Refusal> {
    Ok(Json(hooks::try_hooks(&ctx, &trial)?))
}
