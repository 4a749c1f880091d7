//! The response cache: what it saves, what is kept, and its settings.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;

use crate::model::cache::{
    CacheReport, CacheSettings, Invalidated, Invalidation, KeptAnswer, KeptDetail, KeptFilter, SemanticHit,
};
use crate::model::dashboard::Period;
use crate::model::{ApiError, CacheEntryId, Page, PageRequest, SemanticHitId};

/// What the cache did in a period.
#[server(prefix = "/rpc", endpoint = "cache/report", input = Json)]
pub async fn get_cache_report(period: Period) -> Result<CacheReport, ApiError> {
    crate::monitor::cache(&crate::http::request_ctx().await?, period).await
}

/// The kept answers, newest first; with `hours`, those that were kept in the last hours.
#[server(prefix = "/rpc", endpoint = "cache/list", input = Json)]
pub async fn list_kept(
    filter: KeptFilter,
    hours: Option<u32>,
    page: PageRequest,
) -> Result<Page<KeptAnswer>, ApiError> {
    let ctx = crate::http::request_ctx().await?;
    let since = hours.map(|hours| ctx.clock.now().plus_ms(-i64::from(hours) * 3_600_000));
    Ok(crate::cache::list(&ctx, &KeptFilter { since: since.or(filter.since), ..filter }, &page).await?)
}

/// A kept answer with what was asked and said.
#[server(prefix = "/rpc", endpoint = "cache/get", input = Json)]
pub async fn get_kept(id: CacheEntryId) -> Result<KeptDetail, ApiError> {
    Ok(crate::cache::get(&crate::http::request_ctx().await?, id).await?)
}

/// Says that an answer is wrong, or takes that back.
#[server(prefix = "/rpc", endpoint = "cache/wrong", input = Json)]
pub async fn set_wrong(id: CacheEntryId, wrong: bool) -> Result<KeptAnswer, ApiError> {
    let ctx = crate::http::request_ctx().await?;
    Ok(if wrong { crate::cache::mark_wrong(&ctx, id).await? } else { crate::cache::clear_wrong(&ctx, id).await? })
}

/// What was given to questions that only mean the same, newest first.
#[server(prefix = "/rpc", endpoint = "cache/semantic", input = Json)]
pub async fn list_semantic(page: PageRequest) -> Result<Page<SemanticHit>, ApiError> {
    Ok(crate::cache::list_hits(&crate::http::request_ctx().await?, &page).await?)
}

/// Says that an answer was wrong for the question that it was given to, or takes that back.
#[server(prefix = "/rpc", endpoint = "cache/semantic_wrong", input = Json)]
pub async fn set_semantic_wrong(id: SemanticHitId, wrong: bool) -> Result<SemanticHit, ApiError> {
    let ctx = crate::http::request_ctx().await?;
    Ok(if wrong {
        crate::cache::mark_wrong_hit(&ctx, id).await?
    } else {
        crate::cache::clear_wrong_hit(&ctx, id).await?
    })
}

/// Throws an answer away.
#[server(prefix = "/rpc", endpoint = "cache/delete", input = Json)]
pub async fn delete_kept(id: CacheEntryId) -> Result<(), ApiError> {
    Ok(crate::cache::delete(&crate::http::request_ctx().await?, id).await?)
}

/// Throws away all answers, or those of a model or a route.
#[server(prefix = "/rpc", endpoint = "cache/invalidate", input = Json)]
pub async fn invalidate_kept(which: Invalidation) -> Result<Invalidated, ApiError> {
    Ok(crate::cache::invalidate(&crate::http::request_ctx().await?, which).await?)
}

/// What the workspace wants of its cache.
#[server(prefix = "/rpc", endpoint = "cache/settings", input = Json)]
pub async fn get_cache_settings() -> Result<CacheSettings, ApiError> {
    Ok(crate::cache::get_settings(&crate::http::request_ctx().await?).await?)
}

/// Changes that.
#[server(prefix = "/rpc", endpoint = "cache/update_settings", input = Json)]
pub async fn update_cache_settings(settings: CacheSettings) -> Result<CacheSettings, ApiError> {
    Ok(crate::cache::update_settings(&crate::http::request_ctx().await?, settings).await?)
}
