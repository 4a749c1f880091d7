//! The gateway's keys, the log of calls and what they cost.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;

use crate::model::dashboard::Period;
use crate::model::gateway::{
    CallContent, CallFilter, CallLine, Endpoints, KeyDraft, KeyInUse, KeyMade, Spending, SumBy,
};
use crate::model::{ApiError, ApiKeyId, CallId, Page, PageRequest, RunId};

/// The keys, newest first.
#[server(prefix = "/rpc", endpoint = "gateway/keys", input = Json)]
pub async fn list_keys(page: PageRequest) -> Result<Page<KeyInUse>, ApiError> {
    Ok(crate::gateway::list_keys_in_use(&crate::http::request_ctx().await?, &page).await?)
}

/// Makes a key; its secret is in the answer only.
#[server(prefix = "/rpc", endpoint = "gateway/create_key", input = Json)]
pub async fn create_key(draft: KeyDraft) -> Result<KeyMade, ApiError> {
    Ok(crate::gateway::create_key(&crate::http::request_ctx().await?, draft).await?)
}

/// Ends a key.
#[server(prefix = "/rpc", endpoint = "gateway/delete_key", input = Json)]
pub async fn delete_key(id: ApiKeyId) -> Result<(), ApiError> {
    Ok(crate::gateway::delete_key(&crate::http::request_ctx().await?, id).await?)
}

/// Where programs are pointed to.
#[server(prefix = "/rpc", endpoint = "gateway/endpoints", input = Json)]
pub async fn get_endpoints() -> Result<Endpoints, ApiError> {
    Ok(crate::gateway::get_endpoints(&crate::http::request_ctx().await?)?)
}

/// The calls of a period, newest first.
#[server(prefix = "/rpc", endpoint = "gateway/calls", input = Json)]
pub async fn list_calls(filter: CallFilter, period: Period, page: PageRequest) -> Result<Page<CallLine>, ApiError> {
    let ctx = crate::http::request_ctx().await?;
    let filter = CallFilter { since: Some(period.since(ctx.clock.now())), ..filter };
    Ok(crate::gateway::list_calls(&ctx, &filter, &page).await?)
}

/// What the calls of a period cost, as a whole and by what they are summed by.
#[server(prefix = "/rpc", endpoint = "gateway/spending", input = Json)]
pub async fn get_spending(by: SumBy, period: Period, run: Option<RunId>) -> Result<Spending, ApiError> {
    let ctx = crate::http::request_ctx().await?;
    let since = Some(period.since(ctx.clock.now()));
    let filter = crate::model::gateway::UsageFilter { by, since, until: None, run_id: run };
    Ok(crate::gateway::get_spending(&ctx, &filter).await?)
}

/// What was asked and answered in a call; nothing where it was not kept.
#[server(prefix = "/rpc", endpoint = "gateway/content", input = Json)]
pub async fn get_call_content(id: CallId) -> Result<CallContent, ApiError> {
    Ok(crate::gateway::get_call_content(&crate::http::request_ctx().await?, id).await?)
}
