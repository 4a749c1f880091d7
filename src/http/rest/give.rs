//! `/runs/{id}/give-output`: a person does a step's work, and says what it gives.

use axum::Json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::{Body, Id};
use crate::http::Caller;
use crate::http::error::{Problem, Refusal};
use crate::model::RunId;
use crate::model::workflow::{GiveOutput, RunSummary};
use crate::runtime::Runtime;
use crate::workflow;

/// The routes of this file.
pub fn router() -> OpenApiRouter<Runtime> {
    OpenApiRouter::new().routes(routes!(give_output))
}

/// Ends a step that has failed and is to be tried again as succeeded, with an output that is given by hand. A paused run
/// stays paused until it is resumed.
#[utoipa::path(post, path = "/runs/{id}/give-output", tag = "runs", params(("id" = RunId, Path,)), request_body = GiveOutput, responses(
    (status = 200, description = "how the run stands now", body = RunSummary),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no such run or step", body = Problem),
    (status = 409, description = "the run has ended, or the step is not about to be tried again", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "the output is none of the step's kind, the port is none of the step's, or the reason is missing", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn give_output(
    Caller(ctx): Caller,
    Id(id): Id<RunId>,
    Body(asked): Body<GiveOutput>,
) -> Result<Json<RunSummary>, Refusal> {
    Ok(Json(workflow::give_output(&ctx, id, asked).await?))
}
