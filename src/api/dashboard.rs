//! The dashboard, and what workflows cost.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;

use crate::model::dashboard::{Overview, Period};
use crate::model::gateway::{CostEstimate, CostPreview};
use crate::model::{ApiError, WorkflowId};

/// Everything on the dashboard.
#[server(prefix = "/rpc", endpoint = "dashboard/get", input = Json)]
pub async fn get_overview(period: Period) -> Result<Overview, ApiError> {
    crate::monitor::overview(&crate::http::request_ctx().await?, period).await
}

/// What a workflow's calls of models took in past runs.
#[server(prefix = "/rpc", endpoint = "workflows/costs", input = Json)]
pub async fn get_costs(id: WorkflowId) -> Result<CostPreview, ApiError> {
    crate::monitor::cost(&crate::http::request_ctx().await?, id).await
}

/// What a run of a workflow's draft may cost, before there was one.
#[server(prefix = "/rpc", endpoint = "workflows/estimate", input = Json)]
pub async fn get_estimate(id: WorkflowId) -> Result<CostEstimate, ApiError> {
    Ok(crate::workflow::estimate_cost(&crate::http::request_ctx().await?, id).await?)
}
