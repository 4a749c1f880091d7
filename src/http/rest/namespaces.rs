//! `/namespaces`: where entries of the memory stand, and what is said of these places.

use axum::Json;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::Body;
use crate::http::Caller;
use crate::http::error::{Problem, Refusal};
use crate::memory;
use crate::model::memory::{Namespace, NamespaceDescription, Retention, RetentionPreview, RetentionRule};
use crate::model::{ApiError, Page};
use crate::runtime::Runtime;

/// The routes of this file.
pub fn router() -> OpenApiRouter<Runtime> {
    OpenApiRouter::new()
        .routes(routes!(list_namespaces))
        .routes(routes!(describe_namespace))
        .routes(routes!(put_retention, delete_retention))
        .routes(routes!(preview_retention))
}

/// The namespaces that hold entries, are described or have a rule of their own, by path: one page.
#[utoipa::path(get, path = "/namespaces", tag = "memory", responses(
    (status = 200, description = "the namespaces", body = Page<Namespace>),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn list_namespaces(Caller(ctx): Caller) -> Result<Json<Page<Namespace>>, Refusal> {
    Ok(Json(Page::whole(memory::namespaces(&ctx).await?)))
}

/// Says what a namespace is for; it need not hold entries.
#[utoipa::path(put, path = "/namespaces/{namespace}/description", tag = "memory", request_body = NamespaceDescription, params(
    ("namespace" = String, Path, description = "a path such as code/decisions, url-encoded as one segment"),
), responses(
    (status = 200, description = "the namespace as it is told of", body = Namespace),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role or a rule of the namespace doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "a rule hides the namespace from who asks", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "the namespace or the text does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn describe_namespace(
    Caller(ctx): Caller,
    path: Segment,
    Body(said): Body<NamespaceDescription>,
) -> Result<Json<Namespace>, Refusal> {
    Ok(Json(memory::describe(&ctx, &read(path)?, &said).await?))
}

/// Says how long the entries of a namespace and all below it are kept; where several rules do, that of the longest path holds.
#[utoipa::path(put, path = "/namespaces/{namespace}/retention", tag = "memory", request_body = Retention, params(
    ("namespace" = String, Path, description = "a path such as code/decisions, url-encoded as one segment"),
), responses(
    (status = 200, description = "the rule", body = RetentionRule),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, one may only read there, or a cross-site request", body = Problem),
    (status = 404, description = "nothing there that one may read", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "the namespace or the rule does not fit, or there are too many", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn put_retention(
    Caller(ctx): Caller,
    path: Segment,
    Body(retention): Body<Retention>,
) -> Result<Json<RetentionRule>, Refusal> {
    Ok(Json(memory::keep_for(&ctx, &read(path)?, retention).await?))
}

/// Removes the rule of a namespace: what a rule above it says holds again, or its entries are kept for ever.
#[utoipa::path(delete, path = "/namespaces/{namespace}/retention", tag = "memory", params(
    ("namespace" = String, Path, description = "a path such as code/decisions, url-encoded as one segment"),
), responses(
    (status = 204, description = "removed"),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no rule was made for this namespace, or nothing is there that one may read", body = Problem),
    (status = 422, description = "the namespace does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn delete_retention(Caller(ctx): Caller, path: Segment) -> Result<StatusCode, Refusal> {
    memory::keep_for_ever(&ctx, &read(path)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What a rule would remove now. Nothing is.
#[utoipa::path(post, path = "/namespaces/{namespace}/retention/preview", tag = "memory", request_body = Retention, params(
    ("namespace" = String, Path, description = "a path such as code/decisions, url-encoded as one segment"),
), responses(
    (status = 200, description = "how many entries would go, and the first of them", body = RetentionPreview),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "the namespace or the rule does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn preview_retention(
    Caller(ctx): Caller,
    path: Segment,
    Body(retention): Body<Retention>,
) -> Result<Json<RetentionPreview>, Refusal> {
    Ok(Json(memory::preview_retention(&ctx, &read(path)?, retention).await?))
}

/// A namespace, decoded from one segment.
pub(super) type Segment = Result<Path<String>, PathRejection>;

pub(super) fn read(path: Segment) -> Result<String, ApiError> {
    let Path(path) = path.map_err(|_| ApiError::invalid("path", "expected a namespace as url-encoded UTF-8"))?;
    Ok(path)
}
