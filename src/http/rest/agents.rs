//! `/agents`: what they are, what they were, what they do, and giving them something to do.

use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::analytics::Span;
use super::body::{Body, Id, Params};
use super::paging::Paging;
use super::runs::idempotency_key;
use super::triggers::{created, expected, tagged};
use crate::http::Caller;
use crate::http::error::{Problem, Refusal};
use crate::model::agent::{Agent, AgentDraft, AgentResults, AgentStanding, AgentTask, AgentVersion, NewTask};
use crate::model::memory::RunRead;
use crate::model::{AgentId, Page, RunId};
use crate::runtime::Runtime;
use crate::{agents, memory, monitor, workflow};

/// The routes of this file.
pub fn router() -> OpenApiRouter<Runtime> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(list_templates))
        .routes(routes!(get, put, delete))
        .routes(routes!(list_versions))
        .routes(routes!(results))
        .routes(routes!(list_tasks, give_task))
        .routes(routes!(list_memory))
        .routes(routes!(put_stopped))
}

/// Every agent with what it is busy with, by name: one page.
#[utoipa::path(get, path = "/agents", tag = "agents", responses(
    (status = 200, description = "the agents and what they are busy with", body = Page<AgentStanding>),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn list(Caller(ctx): Caller) -> Result<Json<Page<AgentStanding>>, Refusal> {
    let mine = workflow::approvals::list_mine(&ctx).await?;
    Ok(Json(Page::whole(monitor::list_agents_for(&ctx, &mine).await?)))
}

/// Agents to begin with; what some of them need, such as hosts, is to be filled in.
#[utoipa::path(get, path = "/agents/templates", tag = "agents", responses(
    (status = 200, description = "the templates: one page", body = Page<AgentDraft>),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn list_templates(Caller(ctx): Caller) -> Result<Json<Page<AgentDraft>>, Refusal> {
    Ok(Json(Page::whole(agents::list_templates(&ctx)?)))
}

/// Adds an agent, at version 1.
#[utoipa::path(post, path = "/agents", tag = "agents", request_body = AgentDraft, responses(
    (status = 201, description = "the agent", body = Agent, headers(
        ("etag" = String, description = "its version, for If-Match"),
        ("location" = String, description = "its path"),
    )),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 409, description = "the name is taken, or there are too many", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a field does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn create(Caller(ctx): Caller, Body(draft): Body<AgentDraft>) -> Result<Response, Refusal> {
    let agent = agents::create(&ctx, draft).await?;
    Ok(created(&format!("/api/v1/agents/{}", agent.id), agent.version, agent))
}

/// One agent with what it is busy with.
#[utoipa::path(get, path = "/agents/{id}", tag = "agents", params(("id" = AgentId, Path,)), responses(
    (status = 200, description = "the agent and what it is busy with", body = AgentStanding, headers(("etag" = String, description = "its version, for If-Match"))),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 404, description = "no such agent", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn get(Caller(ctx): Caller, Id(id): Id<AgentId>) -> Result<Response, Refusal> {
    let mine = workflow::approvals::list_mine(&ctx).await?;
    let standing = monitor::get_agent_for(&ctx, id, &mine).await?;
    Ok(tagged(StatusCode::OK, standing.agent.version, standing))
}

/// Changes an agent, and so makes its next version; none where nothing differs. With `If-Match` only over that version. What it is
/// busy with goes on as it began.
#[utoipa::path(put, path = "/agents/{id}", tag = "agents", params(
    ("id" = AgentId, Path,),
    ("If-Match" = Option<String>, Header, description = "\"<version>\": only over this version"),
), request_body = AgentDraft, responses(
    (status = 200, description = "the agent", body = Agent, headers(("etag" = String, description = "its new version"))),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no such agent", body = Problem),
    (status = 409, description = "it is at another version, or the name is taken", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a field does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn put(
    Caller(ctx): Caller,
    Id(id): Id<AgentId>,
    headers: HeaderMap,
    Body(draft): Body<AgentDraft>,
) -> Result<Response, Refusal> {
    let agent = workflow::change_agent(&ctx, id, expected(&headers)?, draft).await?;
    Ok(tagged(StatusCode::OK, agent.version, agent))
}

/// Deletes an agent with its versions and the list of its tasks. What it is doing stops.
#[utoipa::path(delete, path = "/agents/{id}", tag = "agents", params(("id" = AgentId, Path,)), responses(
    (status = 204, description = "deleted"),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no such agent", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn delete(Caller(ctx): Caller, Id(id): Id<AgentId>) -> Result<StatusCode, Refusal> {
    agents::delete(&ctx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What an agent was, the newest version first: one page, of at most 100.
#[utoipa::path(get, path = "/agents/{id}/versions", tag = "agents", params(("id" = AgentId, Path,)), responses(
    (status = 200, description = "the versions", body = Page<AgentVersion>),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 404, description = "no such agent", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn list_versions(Caller(ctx): Caller, Id(id): Id<AgentId>) -> Result<Json<Page<AgentVersion>>, Refusal> {
    Ok(Json(Page::whole(agents::list_versions(&ctx, id).await?)))
}

/// How an agent did in a period: what became of its tasks over time, and the same figures for each of its versions.
#[utoipa::path(get, path = "/agents/{id}/results", tag = "agents", params(("id" = AgentId, Path,), Span), responses(
    (status = 200, description = "its tasks over time, and its versions beside each other", body = AgentResults),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 404, description = "no such agent", body = Problem),
    (status = 422, description = "a parameter does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn results(
    Caller(ctx): Caller,
    Id(id): Id<AgentId>,
    Params(span): Params<Span>,
) -> Result<Json<AgentResults>, Refusal> {
    Ok(Json(monitor::agent_results(&ctx, id, span.period).await?))
}

/// The tasks of an agent, the one that began last first.
#[utoipa::path(get, path = "/agents/{id}/tasks", tag = "agents", params(("id" = AgentId, Path,), Paging), responses(
    (status = 200, description = "a page of tasks", body = Page<AgentTask>),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 404, description = "no such agent", body = Problem),
    (status = 422, description = "a parameter does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn list_tasks(
    Caller(ctx): Caller,
    Id(id): Id<AgentId>,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<AgentTask>>, Refusal> {
    Ok(Json(monitor::list_agent_tasks(&ctx, id, &paging.into()).await?))
}

/// A task that was given.
#[derive(Debug, Serialize, ToSchema)]
struct GivenTask {
    /// Its id: its run's.
    task_id: RunId,
    /// The run in which it is done.
    run_id: RunId,
}

/// Gives an agent a task: a run of its own, which waits while the agent works at as many as it may.
#[utoipa::path(post, path = "/agents/{id}/tasks", tag = "agents", params(
    ("id" = AgentId, Path,),
    ("idempotency-key" = Option<String>, Header, description = "the same key gives the same task; 1 to 200 characters"),
), request_body = NewTask, responses(
    (status = 202, description = "the run goes on, or waits for its turn", body = GivenTask),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no such agent", body = Problem),
    (status = 409, description = "the agent is stopped, or the key was used for something else", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a field does not fit", body = Problem),
    (status = 429, description = "as many runs of the workspace wait as may", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn give_task(
    Caller(ctx): Caller,
    Id(id): Id<AgentId>,
    headers: HeaderMap,
    Body(task): Body<NewTask>,
) -> Result<(StatusCode, Json<GivenTask>), Refusal> {
    let run_id = workflow::give_task(&ctx, id, task, idempotency_key(&headers)?).await?;
    Ok((StatusCode::ACCEPTED, Json(GivenTask { task_id: run_id, run_id })))
}

/// Whether an agent may do nothing.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Stopped {
    /// True stops it, false lets it work again.
    stopped: bool,
}

/// Stops everything that an agent does, or lets it work again. Its runs are paused meanwhile, and go on then.
#[utoipa::path(put, path = "/agents/{id}/stopped", tag = "agents", params(("id" = AgentId, Path,)), request_body = Stopped, responses(
    (status = 200, description = "the agent", body = Agent, headers(("etag" = String, description = "its version, for If-Match"))),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no such agent", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a field does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn put_stopped(Caller(ctx): Caller, Id(id): Id<AgentId>, Body(body): Body<Stopped>) -> Result<Response, Refusal> {
    let agent = if body.stopped { agents::halt(&ctx, id, true).await? } else { workflow::let_work(&ctx, id).await?.0 };
    Ok(tagged(StatusCode::OK, agent.version, agent))
}

/// The entries of memory that an agent opened or found in its tasks of the last 90 days, the last first: with the question, the place in
/// its answer, and the step.
#[utoipa::path(get, path = "/agents/{id}/memory", tag = "agents", params(("id" = AgentId, Path,), Paging), responses(
    (status = 200, description = "a page of entries", body = Page<RunRead>),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 404, description = "no such agent", body = Problem),
    (status = 422, description = "a parameter does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn list_memory(
    Caller(ctx): Caller,
    Id(id): Id<AgentId>,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<RunRead>>, Refusal> {
    Ok(Json(monitor::list_agent_memory(&ctx, &memory::reading(&ctx).await?, id, &paging.into()).await?))
}
