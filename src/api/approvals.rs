//! Approvals.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;

use crate::model::workflow::{Approval, ApprovalFilter, Decision};
use crate::model::{ApiError, ApprovalId, Page, PageRequest};

/// Lists approvals: open ones oldest first, ended ones newest first.
#[server(prefix = "/rpc", endpoint = "approvals/list", input = Json)]
pub async fn list_approvals(filter: ApprovalFilter, page: PageRequest) -> Result<Page<Approval>, ApiError> {
    Ok(crate::workflow::approvals::list(&crate::http::request_ctx().await?, filter, &page).await?)
}

/// How many open approvals the caller may answer, at most 100.
#[server(prefix = "/rpc", endpoint = "approvals/count", input = Json)]
pub async fn count_approvals() -> Result<u32, ApiError> {
    Ok(crate::workflow::approvals::count_mine(&crate::http::request_ctx().await?).await?)
}

/// One approval.
#[server(prefix = "/rpc", endpoint = "approvals/get", input = Json)]
pub async fn get_approval(id: ApprovalId) -> Result<Approval, ApiError> {
    Ok(crate::workflow::approvals::get(&crate::http::request_ctx().await?, id).await?)
}

/// The open approvals of one run.
#[server(prefix = "/rpc", endpoint = "approvals/of_run", input = Json)]
pub async fn list_approvals_of_run(run: crate::model::RunId) -> Result<Vec<Approval>, ApiError> {
    Ok(crate::workflow::approvals::list_of_run(&crate::http::request_ctx().await?, run).await?)
}

/// Answers an approval.
#[server(prefix = "/rpc", endpoint = "approvals/decide", input = Json)]
pub async fn decide_approval(id: ApprovalId, decision: Decision) -> Result<Approval, ApiError> {
    Ok(crate::workflow::approvals::decide(&crate::http::request_ctx().await?, id, decision).await?)
}

/// Lets somebody else answer in the caller's place too: a person of the workspace, by e-mail address.
#[server(prefix = "/rpc", endpoint = "approvals/delegate", input = Json)]
pub async fn delegate_approval(id: ApprovalId, email: String) -> Result<Approval, ApiError> {
    Ok(crate::workflow::approvals::delegate(&crate::http::request_ctx().await?, id, &email).await?)
}
