//! Time travel: forks, comparisons, replays and the regression tests of workflows.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;

use crate::model::workflow::diff::RunDiff;
use crate::model::workflow::{
    Against, BulkResult, Command, Fork, Replay, Strictness, TestResult, WorkflowTest, WorkflowTests,
};
use crate::model::{ApiError, RunId, TestId, WorkflowId};

/// Starts a run that begins with the history of another.
#[server(prefix = "/rpc", endpoint = "runs/fork", input = Json)]
pub async fn fork_run(id: RunId, fork: Fork) -> Result<RunId, ApiError> {
    Ok(crate::workflow::travel::fork(&crate::http::request_ctx().await?, id, fork, None).await?)
}

/// What differs between two runs.
#[server(prefix = "/rpc", endpoint = "runs/diff", input = Json)]
pub async fn diff_runs(a: RunId, b: RunId) -> Result<RunDiff, ApiError> {
    Ok(crate::workflow::travel::compare(&crate::http::request_ctx().await?, a, b).await?)
}

/// Plays a run on another definition; nothing leaves.
#[server(prefix = "/rpc", endpoint = "runs/replay", input = Json)]
pub async fn replay_run(id: RunId, against: Against, strictness: Strictness) -> Result<Replay, ApiError> {
    Ok(crate::workflow::travel::replay(&crate::http::request_ctx().await?, id, against, strictness).await?)
}

/// Gives a command to many runs.
#[server(prefix = "/rpc", endpoint = "runs/bulk", input = Json)]
pub async fn control_runs(ids: Vec<RunId>, command: Command) -> Result<Vec<BulkResult>, ApiError> {
    Ok(crate::workflow::travel::control_many(&crate::http::request_ctx().await?, &ids, command).await?)
}

/// Keeps a run as a regression test of its workflow.
#[server(prefix = "/rpc", endpoint = "workflows/save_test", input = Json)]
pub async fn save_test(
    id: WorkflowId,
    run: RunId,
    name: String,
    strictness: Strictness,
) -> Result<WorkflowTest, ApiError> {
    Ok(crate::workflow::travel::save_test(&crate::http::request_ctx().await?, id, run, &name, strictness).await?)
}

/// The regression tests of a workflow.
#[server(prefix = "/rpc", endpoint = "workflows/tests", input = Json)]
pub async fn list_tests(id: WorkflowId) -> Result<WorkflowTests, ApiError> {
    Ok(crate::workflow::travel::list_tests(&crate::http::request_ctx().await?, id).await?)
}

/// Plays every test of a workflow on its draft.
#[server(prefix = "/rpc", endpoint = "workflows/run_tests", input = Json)]
pub async fn run_tests(id: WorkflowId) -> Result<Vec<TestResult>, ApiError> {
    Ok(crate::workflow::travel::run_tests(&crate::http::request_ctx().await?, id, Against::Draft).await?)
}

/// Deletes a test.
#[server(prefix = "/rpc", endpoint = "workflows/delete_test", input = Json)]
pub async fn delete_test(id: WorkflowId, test: TestId) -> Result<(), ApiError> {
    Ok(crate::workflow::travel::delete_test(&crate::http::request_ctx().await?, id, test).await?)
}

/// Sets whether publishing is refused while a test fails.
#[server(prefix = "/rpc", endpoint = "workflows/gate", input = Json)]
pub async fn set_gate(id: WorkflowId, gate: bool) -> Result<WorkflowTests, ApiError> {
    Ok(crate::workflow::travel::set_gate(&crate::http::request_ctx().await?, id, gate).await?)
}
