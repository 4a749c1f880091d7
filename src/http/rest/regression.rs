//! `/workflows/{id}/tests`: runs that were kept as the regression tests of a workflow.

use axum::Json;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::{Body, Id, Segments};
use crate::http::Caller;
use crate::http::error::{Problem, Refusal};
use crate::model::workflow::{Against, Strictness, TestResult, WorkflowTest, WorkflowTests};
use crate::model::{RunId, TestId, WorkflowId};
use crate::runtime::Runtime;
use crate::workflow::travel;

/// The routes of this file.
pub fn router() -> OpenApiRouter<Runtime> {
    OpenApiRouter::new()
        .routes(routes!(list_tests, create_test))
        .routes(routes!(delete_test))
        .routes(routes!(run_tests))
        .routes(routes!(set_gate))
}

/// The regression tests of a workflow, and whether they gate publishing.
#[utoipa::path(get, path = "/workflows/{id}/tests", tag = "workflows", params(("id" = WorkflowId, Path,)), responses(
    (status = 200, description = "the tests", body = WorkflowTests),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 404, description = "no such workflow", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn list_tests(Caller(ctx): Caller, Id(id): Id<WorkflowId>) -> Result<Json<WorkflowTests>, Refusal> {
    Ok(Json(travel::list_tests(&ctx, id).await?))
}

/// A run to keep.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewTest {
    /// A run of this workflow that succeeded or failed.
    run_id: RunId,
    /// Unique in the workflow, 1 to 120 characters.
    #[schema(min_length = 1, max_length = 120)]
    name: String,
    /// How closely a replay must agree.
    #[serde(default)]
    #[schema(inline)]
    strictness: Strictness,
}

/// Keeps a run as a regression test.
#[utoipa::path(post, path = "/workflows/{id}/tests", tag = "workflows", params(("id" = WorkflowId, Path,)),
    request_body = NewTest, responses(
    (status = 201, description = "the test", body = WorkflowTest),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no such workflow or run", body = Problem),
    (status = 409, description = "the name is taken, the workflow has 50 tests, or the run did not come to an end of its own", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "the name does not fit, the run is of another workflow, or recorded too much", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn create_test(
    Caller(ctx): Caller,
    Id(id): Id<WorkflowId>,
    Body(body): Body<NewTest>,
) -> Result<(StatusCode, Json<WorkflowTest>), Refusal> {
    let test = travel::save_test(&ctx, id, body.run_id, &body.name, body.strictness).await?;
    Ok((StatusCode::CREATED, Json(test)))
}

/// Deletes a test.
#[utoipa::path(delete, path = "/workflows/{id}/tests/{test}", tag = "workflows", params(
    ("id" = WorkflowId, Path,), ("test" = TestId, Path,),
), responses(
    (status = 204, description = "it is gone"),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no such test", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn delete_test(
    Caller(ctx): Caller,
    Segments((id, test)): Segments<(WorkflowId, TestId)>,
) -> Result<StatusCode, Refusal> {
    travel::delete_test(&ctx, id, test).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What to run the tests on; with nothing said, the draft.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RunTests {
    /// A version of the workflow.
    #[schema(minimum = 1)]
    version: Option<i64>,
}

/// What the tests found.
#[derive(Debug, Serialize, ToSchema)]
struct TestResults {
    /// Whether each passed.
    passed: bool,
    /// By name.
    results: Vec<TestResult>,
}

/// Plays every test of a workflow on its draft or a version. Nothing leaves.
#[utoipa::path(post, path = "/workflows/{id}/tests/run", tag = "workflows", params(("id" = WorkflowId, Path,)),
    request_body = RunTests, responses(
    (status = 200, description = "what they found", body = TestResults),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no such workflow or version", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "the body does not fit, or the definition has problems", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn run_tests(
    Caller(ctx): Caller,
    Id(id): Id<WorkflowId>,
    Body(body): Body<RunTests>,
) -> Result<Json<TestResults>, Refusal> {
    let against = body.version.map_or(Against::Draft, Against::Version);
    let results = travel::run_tests(&ctx, id, against).await?;
    Ok(Json(TestResults { passed: results.iter().all(|result| result.replay.passed), results }))
}

/// Whether the tests gate publishing.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Gate {
    /// Publishing is refused while a test fails on the draft.
    gate: bool,
}

/// Sets whether publishing is refused while a test fails.
#[utoipa::path(put, path = "/workflows/{id}/tests/gate", tag = "workflows", params(("id" = WorkflowId, Path,)),
    request_body = Gate, responses(
    (status = 200, description = "the tests", body = WorkflowTests),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no such workflow", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "the body does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn set_gate(
    Caller(ctx): Caller,
    Id(id): Id<WorkflowId>,
    Body(body): Body<Gate>,
) -> Result<Json<WorkflowTests>, Refusal> {
    Ok(Json(travel::set_gate(&ctx, id, body.gate).await?))
}
