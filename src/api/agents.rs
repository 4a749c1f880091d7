//! Agents: what they are, what they do, and giving them something to do.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;

use crate::model::agent::{
    Agent, AgentDraft, AgentResults, AgentStanding, AgentTask, AgentVersion, AssignmentPreview, BoardAgent, Comparison,
    ComparisonDraft, ComparisonResult, HookTrial, HookTried, Lease, NewTask, QueuedTask, TaskDraft, Weights,
};
use crate::model::dashboard::Period;
use crate::model::memory::RunRead;
use crate::model::{AgentId, ApiError, ComparisonId, LeaseId, Page, PageRequest, QueuedTaskId, RunId};

/// Every agent with what it is busy with, by name, or only those of these ids: what is gone is left out.
#[server(prefix = "/rpc", endpoint = "agents/board", input = Json)]
pub async fn list_board(ids: Vec<AgentId>) -> Result<Vec<BoardAgent>, ApiError> {
    let ctx = crate::http::request_ctx().await?;
    let mine = crate::workflow::approvals::list_mine(&ctx).await?;
    crate::monitor::list_board_for(&ctx, &ids, &mine).await
}

/// One agent with what it is busy with.
#[server(prefix = "/rpc", endpoint = "agents/get", input = Json)]
pub async fn get_agent(id: AgentId) -> Result<AgentStanding, ApiError> {
    let ctx = crate::http::request_ctx().await?;
    let mine = crate::workflow::approvals::list_mine(&ctx).await?;
    crate::monitor::get_agent_for(&ctx, id, &mine).await
}

/// The tasks of an agent, the newest first.
#[server(prefix = "/rpc", endpoint = "agents/tasks", input = Json)]
pub async fn list_agent_tasks(id: AgentId, page: PageRequest) -> Result<Page<AgentTask>, ApiError> {
    crate::monitor::list_agent_tasks(&crate::http::request_ctx().await?, id, &page).await
}

/// The entries of memory that an agent opened or found in its tasks, the last first.
#[server(prefix = "/rpc", endpoint = "agents/memory", input = Json)]
pub async fn list_agent_memory(id: AgentId, page: PageRequest) -> Result<Page<RunRead>, ApiError> {
    let ctx = crate::http::request_ctx().await?;
    crate::monitor::list_agent_memory(&ctx, &crate::memory::reading(&ctx).await?, id, &page).await
}

/// The versions of an agent, the newest first; at most 100 are kept.
#[server(prefix = "/rpc", endpoint = "agents/versions", input = Json)]
pub async fn list_agent_versions(id: AgentId) -> Result<Vec<AgentVersion>, ApiError> {
    Ok(crate::agents::list_versions(&crate::http::request_ctx().await?, id).await?)
}

/// How an agent did in a period: its tasks over time, and each of its versions.
#[server(prefix = "/rpc", endpoint = "agents/results", input = Json)]
pub async fn get_agent_results(id: AgentId, period: Period) -> Result<AgentResults, ApiError> {
    crate::monitor::agent_results(&crate::http::request_ctx().await?, id, period).await
}

/// Adds an agent.
#[server(prefix = "/rpc", endpoint = "agents/create", input = Json)]
pub async fn create_agent(draft: AgentDraft) -> Result<Agent, ApiError> {
    Ok(crate::agents::create(&crate::http::request_ctx().await?, draft).await?)
}

/// Changes an agent that was seen at `version`; a conflict when somebody changed it since.
#[server(prefix = "/rpc", endpoint = "agents/update", input = Json)]
pub async fn update_agent(id: AgentId, version: i64, draft: AgentDraft) -> Result<Agent, ApiError> {
    Ok(crate::workflow::change_agent(&crate::http::request_ctx().await?, id, version, draft).await?)
}

/// Tells what hooks would say of a call; nothing is done, and nothing is kept.
#[server(prefix = "/rpc", endpoint = "agents/try_hooks", input = Json)]
pub async fn try_agent_hooks(trial: HookTrial) -> Result<HookTried, ApiError> {
    Ok(crate::agents::hooks::try_hooks(&crate::http::request_ctx().await?, &trial)?)
}

/// Deletes an agent. What it is doing stops.
#[server(prefix = "/rpc", endpoint = "agents/delete", input = Json)]
pub async fn delete_agent(id: AgentId) -> Result<(), ApiError> {
    Ok(crate::agents::delete(&crate::http::request_ctx().await?, id).await?)
}

/// Stops everything that an agent does, or lets it work again and its runs go on. Returns how many of them do.
#[server(prefix = "/rpc", endpoint = "agents/halt", input = Json)]
pub async fn halt_agent(id: AgentId, stopped: bool) -> Result<u32, ApiError> {
    let ctx = crate::http::request_ctx().await?;
    if stopped {
        crate::agents::halt(&ctx, id, true).await?;
        return Ok(0);
    }
    Ok(crate::workflow::let_work(&ctx, id).await?.1)
}

/// Gives an agent a task: a run of its own.
#[server(prefix = "/rpc", endpoint = "agents/give_task", input = Json)]
pub async fn give_agent_task(id: AgentId, task: NewTask) -> Result<RunId, ApiError> {
    Ok(crate::workflow::give_task(&crate::http::request_ctx().await?, id, task, None).await?)
}

/// The tasks of the queue, the newest first; their prompts are cut to 300 characters.
#[server(prefix = "/rpc", endpoint = "agents/queue", input = Json)]
pub async fn list_queued_tasks(page: PageRequest) -> Result<Page<QueuedTask>, ApiError> {
    Ok(crate::agents::queue::list(&crate::http::request_ctx().await?, None, &page).await?)
}

/// Gives a task to whichever agent is best for it.
#[server(prefix = "/rpc", endpoint = "agents/queue_task", input = Json)]
pub async fn queue_agent_task(draft: TaskDraft) -> Result<QueuedTask, ApiError> {
    Ok(crate::agents::queue::give(&crate::http::request_ctx().await?, draft, None).await?)
}

/// Cancels a task of the queue that is not over, with its run.
#[server(prefix = "/rpc", endpoint = "agents/cancel_queued", input = Json)]
pub async fn cancel_queued_task(id: QueuedTaskId) -> Result<QueuedTask, ApiError> {
    Ok(crate::workflow::assign::cancel(&crate::http::request_ctx().await?, id).await?)
}

/// What the parts of an agent's score count when a task of the queue is given to one.
#[server(prefix = "/rpc", endpoint = "agents/assignment", input = Json)]
pub async fn get_assignment_weights() -> Result<Weights, ApiError> {
    Ok(crate::agents::queue::get_weights(&crate::http::request_ctx().await?).await?)
}

/// Says what they count, for every task that is given from then on.
#[server(prefix = "/rpc", endpoint = "agents/set_assignment", input = Json)]
pub async fn set_assignment_weights(weights: Weights) -> Result<Weights, ApiError> {
    Ok(crate::agents::queue::set_weights(&crate::http::request_ctx().await?, weights).await?)
}

/// Lets them count what they do by themselves again.
#[server(prefix = "/rpc", endpoint = "agents/reset_assignment", input = Json)]
pub async fn reset_assignment_weights() -> Result<Weights, ApiError> {
    Ok(crate::agents::queue::reset_weights(&crate::http::request_ctx().await?).await?)
}

/// Tells who would have the tasks of the queue under other weights; nothing is given, and nothing is kept.
#[server(prefix = "/rpc", endpoint = "agents/preview_assignment", input = Json)]
pub async fn preview_assignment_weights(weights: Weights) -> Result<AssignmentPreview, ApiError> {
    Ok(crate::agents::queue::preview_weights(&crate::http::request_ctx().await?, weights).await?)
}

/// Who has what to itself or shares it, and who waits for what, in the order in which they asked.
#[server(prefix = "/rpc", endpoint = "agents/leases", input = Json)]
pub async fn list_agent_leases() -> Result<Vec<Lease>, ApiError> {
    Ok(crate::agents::leases::list(&crate::http::request_ctx().await?).await?)
}

/// Ends a lease, or the wait for one.
#[server(prefix = "/rpc", endpoint = "agents/end_lease", input = Json)]
pub async fn end_agent_lease(id: LeaseId) -> Result<(), ApiError> {
    Ok(crate::agents::leases::end(&crate::http::request_ctx().await?, id).await?)
}

/// What was compared of an agent, the newest first.
#[server(prefix = "/rpc", endpoint = "agents/comparisons", input = Json)]
pub async fn list_comparisons(id: AgentId) -> Result<Vec<Comparison>, ApiError> {
    Ok(crate::agents::comparisons::list(&crate::http::request_ctx().await?, id).await?)
}

/// Lets two versions of an agent do the same tasks.
#[server(prefix = "/rpc", endpoint = "agents/compare", input = Json)]
pub async fn start_comparison(id: AgentId, draft: ComparisonDraft) -> Result<ComparisonResult, ApiError> {
    Ok(crate::workflow::compare::start(&crate::http::request_ctx().await?, id, draft).await?)
}

/// A comparison with what came of it so far.
#[server(prefix = "/rpc", endpoint = "agents/comparison", input = Json)]
pub async fn get_comparison(id: ComparisonId) -> Result<ComparisonResult, ApiError> {
    Ok(crate::workflow::compare::get(&crate::http::request_ctx().await?, id).await?)
}

/// Deletes a comparison; its runs stay.
#[server(prefix = "/rpc", endpoint = "agents/delete_comparison", input = Json)]
pub async fn delete_comparison(id: ComparisonId) -> Result<(), ApiError> {
    Ok(crate::workflow::compare::delete(&crate::http::request_ctx().await?, id).await?)
}
