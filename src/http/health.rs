//! For machines that watch: alive, ready, measurements.

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;

use crate::runtime::{Runtime, telemetry};

/// `/healthz`, `/readyz`, `/metrics`.
pub fn router(runtime: &Runtime) -> Router {
    Router::new()
        .route("/healthz", get(async || "alive\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(measurements))
        .with_state(runtime.clone())
}

/// Ready means: the database answers, what it holds can be sealed, and the process is not stopping.
async fn ready(State(runtime): State<Runtime>) -> impl IntoResponse {
    if runtime.tasks.stopping().is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n");
    }
    if let Some(why) = runtime.keys.lack() {
        tracing::warn!("not ready: {why}");
        return (StatusCode::SERVICE_UNAVAILABLE, "the master key of this database is not in this server's file\n");
    }
    match runtime.db.ping().await {
        Ok(_) => (StatusCode::OK, "ready\n"),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n")
        }
    }
}

async fn measurements() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], telemetry::metrics().render())
}
