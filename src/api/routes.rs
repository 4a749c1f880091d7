//! Routes: ordered choices of models.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;

use crate::model::gateway::{ExplainRequest, Explained, Route, RouteDraft};
use crate::model::{ApiError, RouteId};

/// Every route, oldest first.
#[server(prefix = "/rpc", endpoint = "routes/list", input = Json)]
pub async fn list_routes() -> Result<Vec<Route>, ApiError> {
    Ok(crate::gateway::list_routes(&crate::http::request_ctx().await?).await?)
}

/// Adds a route.
#[server(prefix = "/rpc", endpoint = "routes/create", input = Json)]
pub async fn create_route(draft: RouteDraft) -> Result<Route, ApiError> {
    Ok(crate::gateway::create_route(&crate::http::request_ctx().await?, draft).await?)
}

/// Changes a route that was seen at `revision`; a conflict when somebody changed it since.
#[server(prefix = "/rpc", endpoint = "routes/update", input = Json)]
pub async fn update_route(id: RouteId, revision: i64, draft: RouteDraft) -> Result<Route, ApiError> {
    Ok(crate::gateway::update_route(&crate::http::request_ctx().await?, id, revision, draft).await?)
}

/// Deletes a route.
#[server(prefix = "/rpc", endpoint = "routes/delete", input = Json)]
pub async fn delete_route(id: RouteId) -> Result<(), ApiError> {
    Ok(crate::gateway::delete_route(&crate::http::request_ctx().await?, id).await?)
}

/// Which models would be asked for a name. Nothing is called.
#[server(prefix = "/rpc", endpoint = "routes/explain", input = Json)]
pub async fn explain(question: ExplainRequest) -> Result<Explained, ApiError> {
    Ok(crate::gateway::explain(&crate::http::request_ctx().await?, &question).await?)
}
