//! `/providers`: endpoints of models, their keys and their prices.

use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::{Body, Id, Segments};
use super::triggers::{created, expected, tagged};
use crate::gateway;
use crate::http::Caller;
use crate::http::error::{Problem, Refusal};
use crate::model::gateway::{Price, PriceDraft, Provider, ProviderDraft, ProviderTest, ProviderUse};
use crate::model::{ApiError, Page, PriceId, ProviderId};
use crate::runtime::Runtime;

/// The routes of this file.
pub fn router() -> OpenApiRouter<Runtime> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, put, delete))
        .routes(routes!(list_use))
        .routes(routes!(test))
        .routes(routes!(reset))
        .routes(routes!(list_prices, put_price))
        .routes(routes!(delete_price))
}

/// Every provider, oldest first: one page.
#[utoipa::path(get, path = "/providers", tag = "providers", responses(
    (status = 200, description = "the providers", body = Page<Provider>),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn list(Caller(ctx): Caller) -> Result<Json<Page<Provider>>, Refusal> {
    Ok(Json(Page::whole(gateway::list_providers(&ctx).await?)))
}

/// What every provider was asked in the last 30 days and cost, oldest first, and how fast it began to answer on the last day: one page.
#[utoipa::path(get, path = "/providers/use", tag = "providers", responses(
    (status = 200, description = "their use", body = Page<ProviderUse>),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn list_use(Caller(ctx): Caller) -> Result<Json<Page<ProviderUse>>, Refusal> {
    Ok(Json(Page::whole(gateway::list_provider_use(&ctx).await?)))
}

/// Adds a provider. Its key is encrypted and shown to nobody again.
#[utoipa::path(post, path = "/providers", tag = "providers", request_body = ProviderDraft, responses(
    (status = 201, description = "the provider", body = Provider, headers(
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
async fn create(Caller(ctx): Caller, Body(draft): Body<ProviderDraft>) -> Result<Response, Refusal> {
    let made = gateway::create_provider(&ctx, draft).await?;
    Ok(created(&format!("/api/v1/providers/{}", made.id), made.revision, made))
}

/// One provider.
#[utoipa::path(get, path = "/providers/{id}", tag = "providers", params(("id" = ProviderId, Path,)), responses(
    (status = 200, description = "the provider", body = Provider, headers(("etag" = String, description = "its revision, for If-Match"))),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 404, description = "no such provider", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn get(Caller(ctx): Caller, Id(id): Id<ProviderId>) -> Result<Response, Refusal> {
    let provider = gateway::get_provider(&ctx, id).await?;
    Ok(tagged(StatusCode::OK, provider.revision, provider))
}

/// Changes a provider. A key that is absent stays as it is. With `If-Match` only over that revision.
#[utoipa::path(put, path = "/providers/{id}", tag = "providers", params(
    ("id" = ProviderId, Path,),
    ("If-Match" = Option<String>, Header, description = "\"<revision>\": only over this revision"),
), request_body = ProviderDraft, responses(
    (status = 200, description = "the provider", body = Provider, headers(("etag" = String, description = "its new revision"))),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no such provider", body = Problem),
    (status = 409, description = "it is at another revision, or the name is taken", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a field does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn put(
    Caller(ctx): Caller,
    Id(id): Id<ProviderId>,
    headers: HeaderMap,
    Body(draft): Body<ProviderDraft>,
) -> Result<Response, Refusal> {
    let provider = gateway::update_provider(&ctx, id, expected(&headers)?, draft).await?;
    Ok(tagged(StatusCode::OK, provider.revision, provider))
}

/// Deletes a provider with its prices. The log of its calls stays.
#[utoipa::path(delete, path = "/providers/{id}", tag = "providers", params(("id" = ProviderId, Path,)), responses(
    (status = 204, description = "deleted"),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no such provider", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn delete(Caller(ctx): Caller, Id(id): Id<ProviderId>) -> Result<StatusCode, Refusal> {
    gateway::delete_provider(&ctx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Asks the provider for its models, with its key. Costs nothing. What is wrong is in the answer.
#[utoipa::path(post, path = "/providers/{id}/test", tag = "providers", params(("id" = ProviderId, Path,)), responses(
    (status = 200, description = "what was found", body = ProviderTest),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no such provider", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn test(Caller(ctx): Caller, Id(id): Id<ProviderId>) -> Result<Json<ProviderTest>, Refusal> {
    Ok(Json(gateway::test_provider(&ctx, id).await?))
}

/// Forgets that the provider's models failed: this process asks them again at once.
#[utoipa::path(post, path = "/providers/{id}/reset", tag = "providers", params(("id" = ProviderId, Path,)), responses(
    (status = 200, description = "the provider", body = Provider),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no such provider", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn reset(Caller(ctx): Caller, Id(id): Id<ProviderId>) -> Result<Json<Provider>, Refusal> {
    Ok(Json(gateway::reset_provider(&ctx, id).await?))
}

/// The prices of a provider's models, by model, newest first.
#[utoipa::path(get, path = "/providers/{id}/prices", tag = "providers", params(("id" = ProviderId, Path,)), responses(
    (status = 200, description = "the prices", body = Page<Price>),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 404, description = "no such provider", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn list_prices(Caller(ctx): Caller, Id(id): Id<ProviderId>) -> Result<Json<Page<Price>>, Refusal> {
    Ok(Json(Page::whole(gateway::list_prices(&ctx, id).await?)))
}

/// Sets what a model costs from a moment on. Calls that were made already keep their cost.
#[utoipa::path(post, path = "/providers/{id}/prices", tag = "providers", params(("id" = ProviderId, Path,)), request_body = PriceDraft, responses(
    (status = 201, description = "the price", body = Price),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no such provider", body = Problem),
    (status = 409, description = "there are too many", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a field does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn put_price(
    Caller(ctx): Caller,
    Id(id): Id<ProviderId>,
    Body(draft): Body<PriceDraft>,
) -> Result<(StatusCode, Json<Price>), Refusal> {
    Ok((StatusCode::CREATED, Json(gateway::put_price(&ctx, id, draft).await?)))
}

/// Deletes a price.
#[utoipa::path(delete, path = "/providers/{id}/prices/{price}", tag = "providers", params(
    ("id" = ProviderId, Path,),
    ("price" = PriceId, Path,),
), responses(
    (status = 204, description = "deleted"),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no such price", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn delete_price(
    Caller(ctx): Caller,
    Segments((id, price)): Segments<(ProviderId, PriceId)>,
) -> Result<StatusCode, Refusal> {
    gateway::delete_price(&ctx, id, price).await.map_err(ApiError::from)?;
    Ok(StatusCode::NO_CONTENT)
}
