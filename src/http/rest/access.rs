//! `/namespaces/access`: who may read and change the entries of which namespaces.

use axum::Json;
use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::Body;
use super::namespaces::{Segment, read};
use crate::http::Caller;
use crate::http::error::{Problem, Refusal};
use crate::memory;
use crate::model::Page;
use crate::model::memory::{Access, AccessRule};
use crate::runtime::Runtime;

/// The routes of this file.
pub fn router() -> OpenApiRouter<Runtime> {
    OpenApiRouter::new().routes(routes!(list_access)).routes(routes!(put_access, delete_access))
}

/// The rules of who may read and change what, by path: one page. Where there is none, roles alone decide.
#[utoipa::path(get, path = "/namespaces/access", tag = "memory", responses(
    (status = 200, description = "the rules", body = Page<AccessRule>),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn list_access(Caller(ctx): Caller) -> Result<Json<Page<AccessRule>>, Refusal> {
    Ok(Json(Page::whole(memory::list_access(&ctx).await?)))
}

/// Says who may read and change the entries of a namespace and all below it; where several rules do, that of the longest path holds. It
/// takes away only: nobody may what their role doesn't allow.
#[utoipa::path(put, path = "/namespaces/{namespace}/access", tag = "memory", request_body = Access, params(
    ("namespace" = String, Path, description = "a path such as code/decisions, url-encoded as one segment"),
), responses(
    (status = 200, description = "the rule", body = AccessRule),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "the namespace or the rule does not fit, or there are too many", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn put_access(
    Caller(ctx): Caller,
    path: Segment,
    Body(access): Body<Access>,
) -> Result<Json<AccessRule>, Refusal> {
    Ok(Json(memory::allow(&ctx, &read(path)?, access).await?))
}

/// Removes the rule of a namespace: what a rule above it says holds again, or roles alone decide.
#[utoipa::path(delete, path = "/namespaces/{namespace}/access", tag = "memory", params(
    ("namespace" = String, Path, description = "a path such as code/decisions, url-encoded as one segment"),
), responses(
    (status = 204, description = "removed"),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no rule was made for this namespace", body = Problem),
    (status = 422, description = "the namespace does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn delete_access(Caller(ctx): Caller, path: Segment) -> Result<StatusCode, Refusal> {
    memory::allow_by_role(&ctx, &read(path)?).await?;
    Ok(StatusCode::NO_CONTENT)
}
