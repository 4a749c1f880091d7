//! REST, `/api/v1`: one file a resource.

use axum::Router;

use crate::runtime::Runtime;

/// Every resource.
pub fn router(_runtime: &Runtime) -> Router {
    Router::new()
}
