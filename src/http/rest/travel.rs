//! `/runs/{id}/fork`, `/diff`, `/replay`, `/runs/bulk`: runs that begin with, stand beside or are held against others.

use std::collections::BTreeMap;

use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::{Body, Id, Segments};
use super::runs::{Started, idempotency_key};
use crate::http::Caller;
use crate::http::error::{Problem, Refusal};
use crate::model::workflow::diff::RunDiff;
use crate::model::workflow::{Against, BulkResult, Command, Definition, Fork, ForkOnto, ForkPoint, Replay, Strictness};
use crate::model::{ApiError, RunId};
use crate::runtime::Runtime;
use crate::workflow::travel;

/// The routes of this file.
pub fn router() -> OpenApiRouter<Runtime> {
    OpenApiRouter::new().routes(routes!(fork)).routes(routes!(diff)).routes(routes!(replay)).routes(routes!(bulk))
}

/// Where to fork, and what to edit.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ForkBody {
    /// The newest event that counts; either this or `from_step`.
    #[schema(minimum = 1)]
    from_seq: Option<i64>,
    /// A step that runs again with all that depends on it, also one in a container (`each[3].fetch`), or a whole item or
    /// iteration (`each[3]`); the rest is kept.
    from_step: Option<String>,
    /// Other inputs, which fit the schema; absent: those of the run.
    inputs: Option<Value>,
    /// Other outputs of steps that had ended.
    #[serde(default)]
    state_patch: StatePatch,
    /// A version of the same workflow; absent: what the run ran.
    #[schema(minimum = 1)]
    version: Option<i64>,
    /// The draft of the same workflow, as a test.
    #[serde(default)]
    draft: bool,
}

/// What of the state is edited.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
struct StatePatch {
    /// By the ids of steps, or the paths of those in containers: `each[3].fetch`.
    steps: BTreeMap<String, StepPatch>,
}

/// What of a step is edited.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct StepPatch {
    /// What came out instead; the step then succeeded with it.
    output: Value,
}

impl ForkBody {
    fn read(self) -> Result<Fork, ApiError> {
        let from = match (self.from_seq, self.from_step) {
            (Some(seq), None) => ForkPoint::Seq(seq),
            (None, Some(step)) => ForkPoint::Step(step),
            _ => return Err(ApiError::invalid("/from_seq", "expected either from_seq or from_step")),
        };
        let onto = match (self.version, self.draft) {
            (None, false) => ForkOnto::Same,
            (Some(version), false) => ForkOnto::Version(version),
            (None, true) => ForkOnto::Draft,
            (Some(_), true) => return Err(ApiError::invalid("/version", "expected either version or draft")),
        };
        let outputs = self.state_patch.steps.into_iter().map(|(step, patch)| (step, patch.output)).collect();
        Ok(Fork { from, inputs: self.inputs, outputs, onto })
    }
}

/// Starts a run that begins with the history of this one. Steps that had ended are not run again.
#[utoipa::path(post, path = "/runs/{id}/fork", tag = "runs", params(
    ("id" = RunId, Path,),
    ("idempotency-key" = Option<String>, Header, description = "the same key gives the same run; 1 to 200 characters"),
), request_body = ForkBody, responses(
    (status = 202, description = "the fork goes on", body = Started),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no such run or version", body = Problem),
    (status = 409, description = "the key was used for something else, an approval that was answered or something undone would be kept, or there is no place", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "no such event or step, inputs or outputs that don't fit, or a definition that differs where the run already was", body = Problem),
    (status = 429, description = "as many runs of the workspace wait as may", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn fork(
    Caller(ctx): Caller,
    Id(id): Id<RunId>,
    headers: HeaderMap,
    Body(body): Body<ForkBody>,
) -> Result<Response, Refusal> {
    let run_id = travel::fork(&ctx, id, body.read()?, idempotency_key(&headers)?).await?;
    Ok((StatusCode::ACCEPTED, Json(Started { run_id })).into_response())
}

/// What differs between two runs, and where they first part.
#[utoipa::path(get, path = "/runs/{id}/diff/{other}", tag = "runs", params(
    ("id" = RunId, Path,), ("other" = RunId, Path,),
), responses(
    (status = 200, description = "the runs side by side", body = RunDiff),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 404, description = "no such run", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn diff(Caller(ctx): Caller, Segments((a, b)): Segments<(RunId, RunId)>) -> Result<Json<RunDiff>, Refusal> {
    Ok(Json(travel::compare(&ctx, a, b).await?))
}

/// What to hold a run against; with nothing said, the draft.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReplayBody {
    /// A version of the run's workflow.
    #[schema(minimum = 1)]
    version: Option<i64>,
    /// A definition that is not stored.
    definition: Option<Box<Definition>>,
    /// How closely it must agree.
    #[serde(default)]
    #[schema(inline)]
    strictness: Strictness,
}

/// Plays a run on another definition: steps with an effect end as they were recorded, and nothing leaves.
#[utoipa::path(post, path = "/runs/{id}/replay", tag = "runs", params(("id" = RunId, Path,)), request_body = ReplayBody, responses(
    (status = 200, description = "what the replay found", body = Replay),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no such run or version", body = Problem),
    (status = 409, description = "the run did not come to an end of its own", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "the body does not fit, or the definition has problems", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn replay(Caller(ctx): Caller, Id(id): Id<RunId>, Body(body): Body<ReplayBody>) -> Result<Json<Replay>, Refusal> {
    let against = match (body.version, body.definition) {
        (None, None) => Against::Draft,
        (Some(version), None) => Against::Version(version),
        (None, Some(definition)) => Against::Definition(definition),
        (Some(_), Some(_)) => {
            return Err(ApiError::invalid("/version", "expected either version or definition").into());
        }
    };
    Ok(Json(travel::replay(&ctx, id, against, body.strictness).await?))
}

/// Which runs, and what to tell them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct BulkBody {
    /// 1 to 200 runs.
    #[schema(min_items = 1, max_items = 200)]
    ids: Vec<RunId>,
    /// What each is told.
    command: Command,
}

/// What came of a command to many runs.
#[derive(Debug, Serialize, ToSchema)]
struct BulkAnswer {
    /// In the order of the ids.
    results: Vec<BulkResult>,
}

/// Gives a command to many runs. One that is refused does not keep the others from it.
#[utoipa::path(post, path = "/runs/bulk", tag = "runs", request_body = BulkBody, responses(
    (status = 200, description = "what came of it for each", body = BulkAnswer),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "no runs, or too many", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn bulk(Caller(ctx): Caller, Body(body): Body<BulkBody>) -> Result<Json<BulkAnswer>, Refusal> {
    Ok(Json(BulkAnswer { results: travel::control_many(&ctx, &body.ids, body.command).await? }))
}
