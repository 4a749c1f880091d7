//! `/runs`, and `/workflows/{id}/execute` which starts one.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::{Body, Id, Params};
use super::paging::within;
use crate::http::Caller;
use crate::http::error::{Problem, Refusal};
use crate::model::workflow::why::Why;
use crate::model::workflow::{Command, LogChunk, RunDetail, RunFilter, RunStatus, RunSummary, TriggerKind};
use crate::model::{ApiError, Page, PageRequest, RunId, Timestamp, WorkflowId};
use crate::runtime::{Ctx, Runtime};
use crate::workflow::{self, NewRun};

/// The longest that a call waits for a run to end.
const MAX_WAIT_MS: u64 = 60_000;

/// The routes of this file.
pub fn router() -> OpenApiRouter<Runtime> {
    OpenApiRouter::new()
        .routes(routes!(execute))
        .routes(routes!(list))
        .routes(routes!(get))
        .routes(routes!(events))
        .routes(routes!(logs))
        .routes(routes!(waiting))
        .routes(routes!(cancel))
        .routes(routes!(pause))
        .routes(routes!(resume))
        .routes(routes!(retry))
}

/// What to run.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Execute {
    /// They fit the definition's schema.
    #[serde(default)]
    inputs: Value,
    /// Absent: the newest.
    #[schema(minimum = 1)]
    version: Option<i64>,
    /// Runs the draft.
    #[serde(default)]
    test: bool,
    /// A step after which the run ends: what leads to it runs, the rest is skipped.
    until: Option<String>,
}

/// How long to wait for the end.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Patience {
    /// Milliseconds, 0..=60000; absent: not at all.
    #[param(minimum = 0, maximum = 60000)]
    wait_ms: Option<u64>,
}

/// A run that was started.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Started {
    /// Its id.
    pub(super) run_id: RunId,
}

/// Starts a run. Answers 202 with its id; with `wait_ms` 200 and the run, if it ended in time.
#[utoipa::path(post, path = "/workflows/{id}/execute", tag = "runs", params(
    ("id" = WorkflowId, Path,), Patience,
    ("idempotency-key" = Option<String>, Header, description = "the same key gives the same run; 1 to 200 characters"),
), request_body = Execute, responses(
    (status = 200, description = "the run, which has ended", body = RunDetail),
    (status = 202, description = "the run goes on", body = Started),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no such workflow or version", body = Problem),
    (status = 409, description = "not published, the key was used for something else, or the workflow refuses runs while its concurrency key is full", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "the inputs don't fit, or the definition has problems", body = Problem),
    (status = 429, description = "as many runs of the workspace wait as may", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn execute(
    Caller(ctx): Caller,
    Id(id): Id<WorkflowId>,
    Params(patience): Params<Patience>,
    headers: HeaderMap,
    Body(body): Body<Execute>,
) -> Result<Response, Refusal> {
    let wait_ms = patience.wait_ms;
    if wait_ms.is_some_and(|ms| ms > MAX_WAIT_MS) {
        return Err(ApiError::invalid("wait_ms", format!("expected 0 to {MAX_WAIT_MS}")).into());
    }
    let key = idempotency_key(&headers)?;
    let new = NewRun::manual(id, body.inputs, body.version, body.test);
    let run = workflow::start(&ctx, NewRun { idempotency_key: key, until: body.until, ..new }).await?;
    if let Some(ms) = wait_ms {
        let summary = workflow::wait_for_end(&ctx, run, Duration::from_millis(ms)).await?;
        if summary.status.is_final() {
            return Ok(Json(workflow::get_run(&ctx, run).await?).into_response());
        }
    }
    Ok((StatusCode::ACCEPTED, Json(Started { run_id: run })).into_response())
}

/// The key under which the same call gives the same run.
pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let key = headers.get("idempotency-key").map(|key| key.to_str().map(str::to_owned)).transpose();
    key.map_err(|_| ApiError::invalid("Idempotency-Key", "expected printable ASCII"))
}

/// What part of the runs is wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Of this workflow.
    workflow: Option<WorkflowId>,
    /// In this status.
    status: Option<RunStatus>,
    /// Set off so.
    trigger: Option<TriggerKind>,
    /// Accepted at or after.
    since: Option<Timestamp>,
    /// Accepted before.
    until: Option<Timestamp>,
    /// A part of the workflow's name, in any case.
    query: Option<String>,
    /// 1..=200.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

/// Runs, newest first.
#[utoipa::path(get, path = "/runs", tag = "runs", params(ListQuery), responses(
    (status = 200, description = "a page of runs", body = Page<RunSummary>),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 422, description = "a parameter does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn list(Caller(ctx): Caller, Params(list): Params<ListQuery>) -> Result<Json<Page<RunSummary>>, Refusal> {
    let page = PageRequest { limit: within("limit", list.limit, 50, PageRequest::MAX)?, cursor: list.cursor };
    let filter = RunFilter {
        workflow_id: list.workflow,
        statuses: list.status.into_iter().collect(),
        trigger: list.trigger,
        since: list.since,
        until: list.until,
        query: list.query.unwrap_or_default(),
    };
    Ok(Json(workflow::list_runs(&ctx, &filter, &page).await?))
}

/// The number to begin after, 0 when absent.
fn from_place(after: Option<i64>) -> Result<i64, ApiError> {
    match after.unwrap_or(0) {
        seq if seq >= 0 => Ok(seq),
        _ => Err(ApiError::invalid("after", "expected 0 or more")),
    }
}

/// A run with its steps.
#[utoipa::path(get, path = "/runs/{id}", tag = "runs", params(("id" = RunId, Path,)), responses(
    (status = 200, description = "the run", body = RunDetail),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 404, description = "no such run", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn get(Caller(ctx): Caller, Id(id): Id<RunId>) -> Result<Json<RunDetail>, Refusal> {
    Ok(Json(workflow::get_run(&ctx, id).await?))
}

/// An event of a history.
#[derive(Debug, Serialize, ToSchema)]
struct HistoryEvent {
    /// Its place, from 1 without gaps.
    seq: i64,
    /// When it was decided.
    at: Timestamp,
    /// What happened, such as `step_succeeded`.
    kind: &'static str,
    /// The step it is about.
    step: Option<String>,
    /// As the kind has it.
    data: Value,
}

/// A part of a run's history.
#[derive(Debug, Serialize, ToSchema)]
struct History {
    /// Oldest first.
    items: Vec<HistoryEvent>,
    /// Pass it as `after` to get what follows; null at the end of what there is.
    next: Option<i64>,
}

/// What part of a history is wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct After {
    /// Events or chunks with a higher number.
    #[param(minimum = 0)]
    after: Option<i64>,
    /// 1..=1000.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// The history of a run.
#[utoipa::path(get, path = "/runs/{id}/events", tag = "runs", params(("id" = RunId, Path,), After), responses(
    (status = 200, description = "a part of the history", body = History),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 404, description = "no such run", body = Problem),
    (status = 422, description = "a parameter does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn events(Caller(ctx): Caller, Id(id): Id<RunId>, Params(part): Params<After>) -> Result<Json<History>, Refusal> {
    let limit = within("limit", part.limit, 200, 1000)?;
    let events = workflow::list_events(&ctx, id, from_place(part.after)?, limit).await?;
    let next = (events.len() == limit as usize).then(|| events.last().map(|event| event.seq)).flatten();
    let items = events.into_iter().map(|event| {
        let kind = event.fact.kind();
        let mut fact = serde_json::to_value(&event.fact).unwrap_or_default();
        HistoryEvent { seq: event.seq, at: event.at, kind, step: event.step, data: fact["data"].take() }
    });
    Ok(Json(History { items: items.collect(), next }))
}

/// What part of a log is wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct LogQuery {
    /// Of this step alone.
    step: Option<String>,
    /// Chunks with a higher number.
    #[param(minimum = 0)]
    after: Option<i64>,
    /// 1..=1000.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// A part of a run's log.
#[derive(Debug, Serialize, ToSchema)]
struct Log {
    /// Oldest first.
    items: Vec<LogChunk>,
    /// Pass it as `after` to get what follows; null at the end of what there is.
    next: Option<i64>,
}

/// What the steps of a run printed.
#[utoipa::path(get, path = "/runs/{id}/logs", tag = "runs", params(("id" = RunId, Path,), LogQuery), responses(
    (status = 200, description = "a part of the log", body = Log),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 404, description = "no such run", body = Problem),
    (status = 422, description = "a parameter does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn logs(Caller(ctx): Caller, Id(id): Id<RunId>, Params(part): Params<LogQuery>) -> Result<Json<Log>, Refusal> {
    let limit = within("limit", part.limit, 200, 1000)?;
    let after = from_place(part.after)?;
    let items = workflow::list_logs(&ctx, id, part.step.as_deref(), after, limit).await?;
    let next = (items.len() == limit as usize).then(|| items.last().map(|chunk| chunk.seq)).flatten();
    Ok(Json(Log { items, next }))
}

/// Why a run, or a step of it, waits: the exact reasons and what would unblock each. Empty when nothing waits.
#[utoipa::path(get, path = "/runs/{id}/waiting", tag = "runs", params(("id" = RunId, Path,)), responses(
    (status = 200, description = "the reasons; always one page", body = Page<Why>),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 404, description = "no such run", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn waiting(Caller(ctx): Caller, Id(id): Id<RunId>) -> Result<Json<Page<Why>>, Refusal> {
    Ok(Json(Page::whole(workflow::why_waiting(&ctx, id).await?)))
}

async fn control(ctx: &Ctx, id: RunId, command: Command) -> Result<Json<RunSummary>, Refusal> {
    Ok(Json(workflow::control(ctx, id, command).await?))
}

/// Declares the route of a command.
macro_rules! command {
    ($(#[$doc:meta])* $name:ident, $path:literal, $command:expr) => {
        $(#[$doc])*
        #[utoipa::path(post, path = $path, tag = "runs", params(("id" = RunId, Path,)), responses(
            (status = 200, description = "how the run stands now", body = RunSummary),
            (status = 401, description = "not signed in", body = Problem),
            (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
            (status = 404, description = "no such run", body = Problem),
            (status = 409, description = "its status doesn't allow it", body = Problem),
            (status = 500, description = "a failure of ours", body = Problem),
            (status = 503, description = "not now", body = Problem),
        ))]
        async fn $name(Caller(ctx): Caller, Id(id): Id<RunId>) -> Result<Json<RunSummary>, Refusal> {
            control(&ctx, id, $command).await
        }
    };
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct CancelQuery {
    /// At once: what the run did is not undone, and what is being undone stays as it is.
    #[serde(default)]
    force: bool,
}

/// Stops a run for good. Where the workflow says how, what it did is undone first.
#[utoipa::path(post, path = "/runs/{id}/cancel", tag = "runs", params(("id" = RunId, Path,), CancelQuery), responses(
    (status = 200, description = "how the run stands now", body = RunSummary),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no such run", body = Problem),
    (status = 409, description = "its status doesn't allow it, or it is undoing what it did", body = Problem),
    (status = 422, description = "a parameter doesn't fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn cancel(
    Caller(ctx): Caller,
    Id(id): Id<RunId>,
    Params(asked): Params<CancelQuery>,
) -> Result<Json<RunSummary>, Refusal> {
    control(&ctx, id, if asked.force { Command::ForceCancel } else { Command::Cancel }).await
}

command!(
    /// Starts nothing new until the run is resumed.
    pause, "/runs/{id}/pause", Command::Pause
);
command!(
    /// Lets a paused run go on.
    resume, "/runs/{id}/resume", Command::Resume
);
command!(
    /// Tries the failed steps of a run again.
    retry, "/runs/{id}/retry", Command::Retry
);
