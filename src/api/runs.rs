//! Runs.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use serde_json::Value;

use crate::model::agent::{TeamMessage, TeamView};
use crate::model::memory::RunRead;
use crate::model::workflow::why::Why;
use crate::model::workflow::{BodyDetail, BodySummary, Command, Event, LogChunk, RunDetail, RunFilter, RunSummary};
use crate::model::{ApiError, Page, PageRequest, RunId, WorkflowId};

/// Starts a run of a version (`None`: the newest) or, as a test, of the draft, as it was seen at `revision`; with `until` only up
/// to that step.
#[server(prefix = "/rpc", endpoint = "runs/start", input = Json)]
pub async fn start_run(
    workflow_id: WorkflowId,
    inputs: Value,
    version: Option<i64>,
    test: bool,
    #[server(default)] until: Option<String>,
    #[server(default)] revision: Option<i64>,
) -> Result<RunId, ApiError> {
    let new = crate::workflow::NewRun::manual(workflow_id, inputs, version, test);
    let new = crate::workflow::NewRun { until, ..new };
    let ctx = crate::http::request_ctx().await?;
    if test && revision.is_some() {
        let workflow = crate::workflow::definitions::get(&ctx, workflow_id).await?;
        crate::workflow::definitions::check_seen(&workflow, revision)?;
    }
    Ok(crate::workflow::start(&ctx, new).await?)
}

/// Lists runs, newest first.
#[server(prefix = "/rpc", endpoint = "runs/list", input = Json)]
pub async fn list_runs(filter: RunFilter, page: PageRequest) -> Result<Page<RunSummary>, ApiError> {
    Ok(crate::workflow::list_runs(&crate::http::request_ctx().await?, &filter, &page).await?)
}

/// One run with its steps.
#[server(prefix = "/rpc", endpoint = "runs/get", input = Json)]
pub async fn get_run(id: RunId) -> Result<RunDetail, ApiError> {
    Ok(crate::workflow::get_run(&crate::http::request_ctx().await?, id).await?)
}

/// The bodies of a container that have begun, by item or iteration.
#[server(prefix = "/rpc", endpoint = "runs/bodies", input = Json)]
pub async fn list_bodies(run: RunId, path: String, page: PageRequest) -> Result<Page<BodySummary>, ApiError> {
    Ok(crate::workflow::list_bodies(&crate::http::request_ctx().await?, run, &path, &page).await?)
}

/// One body of a container, such as `each[3]`.
#[server(prefix = "/rpc", endpoint = "runs/body", input = Json)]
pub async fn get_body(run: RunId, path: String) -> Result<BodyDetail, ApiError> {
    Ok(crate::workflow::get_body(&crate::http::request_ctx().await?, run, &path).await?)
}

/// The history after `after`, at most a thousand events.
#[server(prefix = "/rpc", endpoint = "runs/events", input = Json)]
pub async fn list_run_events(id: RunId, after: i64) -> Result<Vec<Event>, ApiError> {
    Ok(crate::workflow::list_events(&crate::http::request_ctx().await?, id, after, 1000).await?)
}

/// What the steps printed after `after`.
#[server(prefix = "/rpc", endpoint = "runs/logs", input = Json)]
pub async fn list_run_logs(id: RunId, step: Option<String>, after: i64, limit: u32) -> Result<Vec<LogChunk>, ApiError> {
    Ok(crate::workflow::list_logs(&crate::http::request_ctx().await?, id, step.as_deref(), after, limit).await?)
}

/// Why a run, or a step of it, waits.
#[server(prefix = "/rpc", endpoint = "runs/waiting", input = Json)]
pub async fn why_run_waits(id: RunId) -> Result<Vec<Why>, ApiError> {
    Ok(crate::workflow::why_waiting(&crate::http::request_ctx().await?, id).await?)
}

/// Tells a run to cancel, pause, resume or retry.
#[server(prefix = "/rpc", endpoint = "runs/control", input = Json)]
pub async fn control_run(id: RunId, command: Command) -> Result<RunSummary, ApiError> {
    Ok(crate::workflow::control(&crate::http::request_ctx().await?, id, command).await?)
}

/// Sends an event by its key. Returns the runs that take it.
#[server(prefix = "/rpc", endpoint = "runs/send_event", input = Json)]
pub async fn send_event(key: String, payload: Value) -> Result<Vec<RunId>, ApiError> {
    Ok(crate::workflow::events::send(&crate::http::request_ctx().await?, &key, &payload, None).await?)
}

/// Ends a step that has failed and is to be tried again, with an output that a person gives.
#[server(prefix = "/rpc", endpoint = "runs/give_output", input = Json)]
pub async fn give_output(id: RunId, asked: crate::model::workflow::GiveOutput) -> Result<RunSummary, ApiError> {
    Ok(crate::workflow::give_output(&crate::http::request_ctx().await?, id, asked).await?)
}

/// The agents that work under a run as one team.
#[server(prefix = "/rpc", endpoint = "runs/team", input = Json)]
pub async fn get_team(id: RunId) -> Result<TeamView, ApiError> {
    Ok(crate::workflow::get_team(&crate::http::request_ctx().await?, id).await?)
}

/// What of the memory a run's steps were given, the last first; of one step where its path is given.
#[server(prefix = "/rpc", endpoint = "runs/memory", input = Json)]
pub async fn list_memory_reads(id: RunId, step: Option<String>) -> Result<Vec<RunRead>, ApiError> {
    Ok(crate::workflow::list_memory_reads(&crate::http::request_ctx().await?, id, step.as_deref()).await?)
}

/// What they wrote to each other, the newest first.
#[server(prefix = "/rpc", endpoint = "runs/messages", input = Json)]
pub async fn list_messages(id: RunId, page: PageRequest) -> Result<Page<TeamMessage>, ApiError> {
    Ok(crate::workflow::list_messages(&crate::http::request_ctx().await?, id, &page).await?)
}
