//! The edges that browsers and API clients meet: pages, server functions, REST, WebSocket, assets.
//!
//! Translates and nothing else: a handler reads a request, calls one face, writes the answer. Rules and SQL stay behind the faces.

pub mod error;
pub mod pages;
pub mod request_ctx;
pub mod rest;

use axum::Router;

pub use request_ctx::{Caller, request_ctx};

use crate::runtime::Runtime;

/// Every route of the program.
pub fn router(runtime: &Runtime) -> Router {
    Router::new().merge(pages::router(runtime)).nest("/api/v1", rest::router(runtime))
}
