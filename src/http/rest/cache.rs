//! `/cache`: answers that are kept, and what happens to them.

use axum::Json;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::{Body, Id, Params};
use super::paging::Limit;
use crate::cache;
use crate::http::Caller;
use crate::http::error::{Problem, Refusal};
use crate::model::cache::{
    CacheSettings, Invalidated, Invalidation, KeptAnswer, KeptDetail, KeptFilter, SemanticHit, SourceChange,
    SourceChanged,
};
use crate::model::{CacheEntryId, Page, PageRequest, SemanticHitId, Timestamp};
use crate::runtime::Runtime;

/// The routes of this file.
pub fn router() -> OpenApiRouter<Runtime> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get, delete))
        .routes(routes!(mark_wrong, clear_wrong))
        .routes(routes!(list_semantic))
        .routes(routes!(mark_semantic_wrong, clear_semantic_wrong))
        .routes(routes!(invalidate))
        .routes(routes!(changed))
        .routes(routes!(get_settings, put_settings))
}

/// Which kept answers are listed.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListParams {
    /// 1..=200, 50 when absent.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Option<Limit>,
    /// The `next` of the page before.
    cursor: Option<String>,
    /// Only of models whose name, as `provider/model`, has this in it.
    model: Option<String>,
    /// Only what was asked by this route.
    route: Option<String>,
    /// Only those that somebody called wrong, or only the others.
    wrong: Option<bool>,
    /// Kept from then on.
    since: Option<Timestamp>,
    /// Kept before then.
    until: Option<Timestamp>,
}

/// The kept answers, newest first; not what was said.
#[utoipa::path(get, path = "/cache/entries", tag = "cache", params(ListParams), responses(
    (status = 200, description = "a page of kept answers", body = Page<KeptAnswer>),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 422, description = "a parameter does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn list(Caller(ctx): Caller, Params(params): Params<ListParams>) -> Result<Json<Page<KeptAnswer>>, Refusal> {
    let ListParams { limit, cursor, model, route, wrong, since, until } = params;
    let usual = PageRequest::default();
    let page = PageRequest { limit: limit.map_or(usual.limit, |limit| limit.0), cursor };
    let filter = KeptFilter { model, route, wrong, since, until };
    Ok(Json(cache::list(&ctx, &filter, &page).await?))
}

/// A kept answer with what was asked and said. What belongs to one person is shown to that person, and to those who may manage
/// providers.
#[utoipa::path(get, path = "/cache/entries/{id}", tag = "cache", params(("id" = CacheEntryId, Path,)), responses(
    (status = 200, description = "the kept answer", body = KeptDetail),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 404, description = "no such answer", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn get(Caller(ctx): Caller, Id(id): Id<CacheEntryId>) -> Result<Json<KeptDetail>, Refusal> {
    Ok(Json(cache::get(&ctx, id).await?))
}

/// Throws an answer away, also one that is called wrong. The next who asks gets a new one.
#[utoipa::path(delete, path = "/cache/entries/{id}", tag = "cache", params(("id" = CacheEntryId, Path,)), responses(
    (status = 204, description = "gone"),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no such answer", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn delete(Caller(ctx): Caller, Id(id): Id<CacheEntryId>) -> Result<StatusCode, Refusal> {
    cache::delete(&ctx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Says that an answer is wrong: it is given to nobody any more, and no other is kept in its place until that is taken back.
#[utoipa::path(put, path = "/cache/entries/{id}/wrong", tag = "cache", params(("id" = CacheEntryId, Path,)), responses(
    (status = 200, description = "the answer", body = KeptAnswer),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no such answer", body = Problem),
    (status = 409, description = "too many answers are called wrong", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn mark_wrong(Caller(ctx): Caller, Id(id): Id<CacheEntryId>) -> Result<Json<KeptAnswer>, Refusal> {
    Ok(Json(cache::mark_wrong(&ctx, id).await?))
}

/// Takes back that an answer is wrong: it is given again, until its time is over.
#[utoipa::path(delete, path = "/cache/entries/{id}/wrong", tag = "cache", params(("id" = CacheEntryId, Path,)), responses(
    (status = 200, description = "the answer", body = KeptAnswer),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no such answer", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn clear_wrong(Caller(ctx): Caller, Id(id): Id<CacheEntryId>) -> Result<Json<KeptAnswer>, Refusal> {
    Ok(Json(cache::clear_wrong(&ctx, id).await?))
}

/// A page of what was given by meaning.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SemanticParams {
    /// 1..=200, 50 when absent.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Option<Limit>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

/// What was given to questions that only mean the same, newest first. The words of one person's questions are shown to that
/// person, and to those who may manage providers.
#[utoipa::path(get, path = "/cache/semantic", tag = "cache", params(SemanticParams), responses(
    (status = 200, description = "a page of what was given", body = Page<SemanticHit>),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 422, description = "a parameter does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn list_semantic(
    Caller(ctx): Caller,
    Params(SemanticParams { limit, cursor }): Params<SemanticParams>,
) -> Result<Json<Page<SemanticHit>>, Refusal> {
    let usual = PageRequest::default();
    let page = PageRequest { limit: limit.map_or(usual.limit, |limit| limit.0), cursor };
    Ok(Json(cache::list_hits(&ctx, &page).await?))
}

/// Says that an answer was wrong for the question that it was given to: it is not given to that one again, and to others less often.
#[utoipa::path(put, path = "/cache/semantic/{id}/wrong", tag = "cache", params(("id" = SemanticHitId, Path,)), responses(
    (status = 200, description = "what was given", body = SemanticHit),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no such answer", body = Problem),
    (status = 409, description = "too many answers are called wrong", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn mark_semantic_wrong(Caller(ctx): Caller, Id(id): Id<SemanticHitId>) -> Result<Json<SemanticHit>, Refusal> {
    Ok(Json(cache::mark_wrong_hit(&ctx, id).await?))
}

/// Takes back that it was wrong.
#[utoipa::path(delete, path = "/cache/semantic/{id}/wrong", tag = "cache", params(("id" = SemanticHitId, Path,)), responses(
    (status = 200, description = "what was given", body = SemanticHit),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no such answer", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn clear_semantic_wrong(Caller(ctx): Caller, Id(id): Id<SemanticHitId>) -> Result<Json<SemanticHit>, Refusal> {
    Ok(Json(cache::clear_wrong_hit(&ctx, id).await?))
}

/// Throws away all answers, or those of a model, or those that were asked by a route. Those that are called wrong stay.
#[utoipa::path(post, path = "/cache/invalidate", tag = "cache", request_body = Invalidation, responses(
    (status = 200, description = "how many are gone", body = Invalidated),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "nothing is said about which, or a field does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn invalidate(Caller(ctx): Caller, Body(which): Body<Invalidation>) -> Result<Json<Invalidated>, Refusal> {
    Ok(Json(cache::invalidate(&ctx, which).await?))
}

/// Tells that something changed that answers depend on, and what it depends on itself: those answers are gone, and no others.
#[utoipa::path(post, path = "/cache/changed", tag = "cache", request_body = SourceChange, responses(
    (status = 200, description = "what came of it", body = SourceChanged),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 409, description = "the workspace tells about too many things", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a field does not fit, or it would depend on itself", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn changed(Caller(ctx): Caller, Body(change): Body<SourceChange>) -> Result<Json<SourceChanged>, Refusal> {
    Ok(Json(cache::changed(&ctx, change).await?))
}

/// What the workspace wants of its cache.
#[utoipa::path(get, path = "/cache/settings", tag = "cache", responses(
    (status = 200, description = "the settings", body = CacheSettings),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn get_settings(Caller(ctx): Caller) -> Result<Json<CacheSettings>, Refusal> {
    Ok(Json(cache::get_settings(&ctx).await?))
}

/// Changes it; it holds from the next call on.
#[utoipa::path(put, path = "/cache/settings", tag = "cache", request_body = CacheSettings, responses(
    (status = 200, description = "the settings", body = CacheSettings),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a field does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn put_settings(
    Caller(ctx): Caller,
    Body(settings): Body<CacheSettings>,
) -> Result<Json<CacheSettings>, Refusal> {
    Ok(Json(cache::update_settings(&ctx, settings).await?))
}
