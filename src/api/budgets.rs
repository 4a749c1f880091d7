//! Budgets of the gateway.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;

use crate::model::gateway::{BudgetDraft, BudgetState};
use crate::model::{ApiError, BudgetId};

/// Every budget with what is spent of it, oldest first.
#[server(prefix = "/rpc", endpoint = "budgets/list", input = Json)]
pub async fn list_budgets() -> Result<Vec<BudgetState>, ApiError> {
    Ok(crate::gateway::list_budgets(&crate::http::request_ctx().await?).await?)
}

/// Adds a budget.
#[server(prefix = "/rpc", endpoint = "budgets/create", input = Json)]
pub async fn create_budget(draft: BudgetDraft) -> Result<BudgetState, ApiError> {
    Ok(crate::gateway::create_budget(&crate::http::request_ctx().await?, draft).await?)
}

/// Changes a budget that was seen at `revision`; a conflict when somebody changed it since.
#[server(prefix = "/rpc", endpoint = "budgets/update", input = Json)]
pub async fn update_budget(id: BudgetId, revision: i64, draft: BudgetDraft) -> Result<BudgetState, ApiError> {
    Ok(crate::gateway::update_budget(&crate::http::request_ctx().await?, id, revision, draft).await?)
}

/// Deletes a budget.
#[server(prefix = "/rpc", endpoint = "budgets/delete", input = Json)]
pub async fn delete_budget(id: BudgetId) -> Result<(), ApiError> {
    Ok(crate::gateway::delete_budget(&crate::http::request_ctx().await?, id).await?)
}
