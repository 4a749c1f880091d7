//! Providers of models.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;

use crate::model::gateway::{Price, PriceDraft, Provider, ProviderDraft, ProviderTest, ProviderUse};
use crate::model::{ApiError, PriceId, ProviderId};

/// Every provider, oldest first.
#[server(prefix = "/rpc", endpoint = "providers/list", input = Json)]
pub async fn list_providers() -> Result<Vec<Provider>, ApiError> {
    Ok(crate::gateway::list_providers(&crate::http::request_ctx().await?).await?)
}

/// What every provider was asked of late, what that cost, and how fast it was.
#[server(prefix = "/rpc", endpoint = "providers/use", input = Json)]
pub async fn list_provider_use() -> Result<Vec<ProviderUse>, ApiError> {
    Ok(crate::gateway::list_provider_use(&crate::http::request_ctx().await?).await?)
}

/// One provider.
#[server(prefix = "/rpc", endpoint = "providers/get", input = Json)]
pub async fn get_provider(id: ProviderId) -> Result<Provider, ApiError> {
    Ok(crate::gateway::get_provider(&crate::http::request_ctx().await?, id).await?)
}

/// Adds a provider.
#[server(prefix = "/rpc", endpoint = "providers/create", input = Json)]
pub async fn create_provider(draft: ProviderDraft) -> Result<Provider, ApiError> {
    Ok(crate::gateway::create_provider(&crate::http::request_ctx().await?, draft).await?)
}

/// Changes a provider that was seen at `revision`; a conflict when somebody changed it since.
#[server(prefix = "/rpc", endpoint = "providers/update", input = Json)]
pub async fn update_provider(id: ProviderId, revision: i64, draft: ProviderDraft) -> Result<Provider, ApiError> {
    Ok(crate::gateway::update_provider(&crate::http::request_ctx().await?, id, revision, draft).await?)
}

/// Deletes a provider with its prices.
#[server(prefix = "/rpc", endpoint = "providers/delete", input = Json)]
pub async fn delete_provider(id: ProviderId) -> Result<(), ApiError> {
    Ok(crate::gateway::delete_provider(&crate::http::request_ctx().await?, id).await?)
}

/// Asks the provider for its models, with its key.
#[server(prefix = "/rpc", endpoint = "providers/test", input = Json)]
pub async fn test_provider(id: ProviderId) -> Result<ProviderTest, ApiError> {
    Ok(crate::gateway::test_provider(&crate::http::request_ctx().await?, id).await?)
}

/// Forgets that its models failed.
#[server(prefix = "/rpc", endpoint = "providers/reset", input = Json)]
pub async fn reset_provider(id: ProviderId) -> Result<Provider, ApiError> {
    Ok(crate::gateway::reset_provider(&crate::http::request_ctx().await?, id).await?)
}

/// The prices of its models, by model, newest first.
#[server(prefix = "/rpc", endpoint = "providers/prices", input = Json)]
pub async fn list_prices(id: ProviderId) -> Result<Vec<Price>, ApiError> {
    Ok(crate::gateway::list_prices(&crate::http::request_ctx().await?, id).await?)
}

/// Sets what a model costs from a moment on.
#[server(prefix = "/rpc", endpoint = "providers/put_price", input = Json)]
pub async fn put_price(id: ProviderId, draft: PriceDraft) -> Result<Price, ApiError> {
    Ok(crate::gateway::put_price(&crate::http::request_ctx().await?, id, draft).await?)
}

/// Deletes a price.
#[server(prefix = "/rpc", endpoint = "providers/delete_price", input = Json)]
pub async fn delete_price(id: ProviderId, price: PriceId) -> Result<(), ApiError> {
    Ok(crate::gateway::delete_price(&crate::http::request_ctx().await?, id, price).await?)
}
