//! `/routes`: ordered choices of models under one name.

use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::{Body, Id};
use super::triggers::{created, expected, tagged};
use crate::gateway;
use crate::http::Caller;
use crate::http::error::{Problem, Refusal};
use crate::model::gateway::{ExplainRequest, Explained, Route, RouteDraft};
use crate::model::{Page, RouteId};
use crate::runtime::Runtime;

/// The routes of this file.
pub fn router() -> OpenApiRouter<Runtime> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(get, put, delete)).routes(routes!(explain))
}

/// Every route, oldest first: one page.
#[utoipa::path(get, path = "/routes", tag = "routes", responses(
    (status = 200, description = "the routes", body = Page<Route>),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn list(Caller(ctx): Caller) -> Result<Json<Page<Route>>, Refusal> {
    Ok(Json(Page::whole(gateway::list_routes(&ctx).await?)))
}

/// Adds a route. Callers send its name as the model; the one called `default` is taken where nobody names one.
#[utoipa::path(post, path = "/routes", tag = "routes", request_body = RouteDraft, responses(
    (status = 201, description = "the route", body = Route, headers(
        ("etag" = String, description = "its revision, for If-Match"),
        ("location" = String, description = "its path"),
    )),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 409, description = "the name is taken, or there are too many", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a field does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn create(Caller(ctx): Caller, Body(draft): Body<RouteDraft>) -> Result<Response, Refusal> {
    let made = gateway::create_route(&ctx, draft).await?;
    Ok(created(&format!("/api/v1/routes/{}", made.id), made.revision, made))
}

/// One route.
#[utoipa::path(get, path = "/routes/{id}", tag = "routes", params(("id" = RouteId, Path,)), responses(
    (status = 200, description = "the route", body = Route, headers(("etag" = String, description = "its revision, for If-Match"))),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 404, description = "no such route", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn get(Caller(ctx): Caller, Id(id): Id<RouteId>) -> Result<Response, Refusal> {
    let route = gateway::get_route(&ctx, id).await?;
    Ok(tagged(StatusCode::OK, route.revision, route))
}

/// Changes a route. With `If-Match` only over that revision.
#[utoipa::path(put, path = "/routes/{id}", tag = "routes", params(
    ("id" = RouteId, Path,),
    ("If-Match" = Option<String>, Header, description = "\"<revision>\": only over this revision"),
), request_body = RouteDraft, responses(
    (status = 200, description = "the route", body = Route, headers(("etag" = String, description = "its new revision"))),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no such route", body = Problem),
    (status = 409, description = "it is at another revision, or the name is taken", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a field does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn put(
    Caller(ctx): Caller,
    Id(id): Id<RouteId>,
    headers: HeaderMap,
    Body(draft): Body<RouteDraft>,
) -> Result<Response, Refusal> {
    let route = gateway::update_route(&ctx, id, expected(&headers)?, draft).await?;
    Ok(tagged(StatusCode::OK, route.revision, route))
}

/// Deletes a route.
#[utoipa::path(delete, path = "/routes/{id}", tag = "routes", params(("id" = RouteId, Path,)), responses(
    (status = 204, description = "deleted"),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no such route", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn delete(Caller(ctx): Caller, Id(id): Id<RouteId>) -> Result<StatusCode, Refusal> {
    gateway::delete_route(&ctx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Which models would be asked for a name, in which order and why, and which rest at the moment. Nothing is called.
#[utoipa::path(post, path = "/routes/explain", tag = "routes", request_body = ExplainRequest, responses(
    (status = 200, description = "who would be asked", body = Explained),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a field does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn explain(Caller(ctx): Caller, Body(question): Body<ExplainRequest>) -> Result<Json<Explained>, Refusal> {
    Ok(Json(gateway::explain(&ctx, &question).await?))
}
