//! `/events`: what happens outside, for runs that wait for it.

use axum::Json;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::Body;
use crate::http::Caller;
use crate::http::error::{Problem, Refusal};
use crate::model::RunId;
use crate::runtime::Runtime;
use crate::workflow::events;

/// The routes of this file.
pub fn router() -> OpenApiRouter<Runtime> {
    OpenApiRouter::new().routes(routes!(send))
}

/// An event.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewEvent {
    /// What steps of the kind `event` wait for.
    #[schema(min_length = 1, max_length = 200)]
    key: String,
    /// Becomes the output of the step; at most 256 KiB.
    #[serde(default)]
    payload: Value,
    /// The sender's id of it: the same one is taken once.
    #[schema(min_length = 1, max_length = 200)]
    id: Option<String>,
}

/// Whom it reached.
#[derive(Debug, Serialize, ToSchema)]
struct Sent {
    /// The runs in which a step waited for it and takes it; none when it was sent before.
    runs: Vec<RunId>,
}

/// Sends an event to every run that waits for its key, and to running runs that will within a week. Each takes it once.
#[utoipa::path(post, path = "/events", tag = "events", request_body = NewEvent, responses(
    (status = 202, description = "it is kept", body = Sent),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not JSON", body = Problem),
    (status = 422, description = "the event does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn send(Caller(ctx): Caller, Body(event): Body<NewEvent>) -> Result<(StatusCode, Json<Sent>), Refusal> {
    let runs = events::send(&ctx, &event.key, &event.payload, event.id.as_deref()).await?;
    Ok((StatusCode::ACCEPTED, Json(Sent { runs })))
}
