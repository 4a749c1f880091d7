//! The dashboard.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;

use crate::model::ApiError;
use crate::model::dashboard::{Overview, Period};

/// Everything on the dashboard.
#[server(prefix = "/rpc", endpoint = "dashboard/get", input = Json)]
pub async fn get_overview(period: Period) -> Result<Overview, ApiError> {
    crate::monitor::overview(&crate::http::request_ctx().await?, period).await
}
