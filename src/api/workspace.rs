//! What holds for the workspace as a whole.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;

use crate::model::ApiError;
use crate::model::workflow::{Quotas, Retention};

/// How long ended runs are kept where their workflow does not say.
#[server(prefix = "/rpc", endpoint = "workspace/retention", input = Json)]
pub async fn get_retention() -> Result<Retention, ApiError> {
    Ok(crate::workflow::get_retention(&crate::http::request_ctx().await?).await?)
}

/// Sets it, in days; `None` for as the server has it.
#[server(prefix = "/rpc", endpoint = "workspace/set_retention", input = Json)]
pub async fn set_retention(days: Option<u32>) -> Result<Retention, ApiError> {
    Ok(crate::workflow::set_retention(&crate::http::request_ctx().await?, days).await?)
}

/// How many of the workspace's runs may wait and may be in progress.
#[server(prefix = "/rpc", endpoint = "workspace/quotas", input = Json)]
pub async fn get_quotas() -> Result<Quotas, ApiError> {
    Ok(crate::workflow::get_quotas(&crate::http::request_ctx().await?).await?)
}

/// Sets it; `None` for as the server has it.
#[server(prefix = "/rpc", endpoint = "workspace/set_quotas", input = Json)]
pub async fn set_quotas(max_queued_runs: Option<u32>, max_running_runs: Option<u32>) -> Result<Quotas, ApiError> {
    Ok(crate::workflow::set_quotas(&crate::http::request_ctx().await?, max_queued_runs, max_running_runs).await?)
}
