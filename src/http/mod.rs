//! The edges that browsers and API clients meet: pages, server functions, REST, WebSocket, assets.
//!
//! Translates and nothing else: a handler reads a request, calls one face, writes the answer. Rules and SQL stay behind the faces.

pub mod assets;
pub mod authenticate;
pub mod error;
pub mod first;
pub mod gateway;
mod gathered;
pub mod guard;
pub mod headers;
pub mod health;
pub mod live;
pub mod openapi;
pub mod pages;
pub mod request_ctx;
pub mod rest;
pub mod rpc;
pub mod sign_in;
pub mod trace;

use std::future::Future;
use std::net::SocketAddr;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tower_http::catch_panic::CatchPanicLayer;

pub use request_ctx::{Caller, request_ctx};

use crate::runtime::Runtime;

/// Every route of the program, behind its layers; the outermost layer is the last one added.
pub fn router(runtime: &Runtime) -> Router {
    Router::new()
        .merge(pages::router(runtime))
        .merge(rest::router(runtime))
        .route("/ws/updates", get(live::connect).with_state(runtime.clone()))
        .layer(from_fn_with_state(runtime.clone(), authenticate::authenticate))
        .layer(CatchPanicLayer::custom(error::panicked))
        .merge(assets::routes())
        .merge(health::router(runtime))
        .layer(from_fn_with_state(runtime.clone(), guard::guard))
        .layer(from_fn_with_state(runtime.clone(), headers::layer))
        .layer(from_fn(trace::layer))
}

/// Answers whoever connects, until it is told to stop and what is in flight has ended.
///
/// # Errors
/// The listener's.
pub async fn serve(
    runtime: &Runtime,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    // The pieces of a stream are small: none waits for the one before to be acknowledged.
    let listener = listener.tap_io(|connection| {
        if let Err(error) = connection.set_nodelay(true) {
            tracing::debug!(%error, "a connection waits to fill its packets");
        }
    });
    let app = router(runtime).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, app).with_graceful_shutdown(stop).await
}
