//! Workflows: drafts, versions, templates.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;

use crate::model::workflow::{Definition, Template, Version, Workflow, WorkflowSummary};
use crate::model::{ApiError, Page, PageRequest, WorkflowId};

/// Lists workflows whose name or description contains `query`, last changed first.
#[server(prefix = "/rpc", endpoint = "workflows/list", input = Json)]
pub async fn list_workflows(query: String, page: PageRequest) -> Result<Page<WorkflowSummary>, ApiError> {
    let filter = crate::workflow::definitions::Filter { query };
    Ok(crate::workflow::definitions::list(&crate::http::request_ctx().await?, &filter, &page).await?)
}

/// One workflow with its draft.
#[server(prefix = "/rpc", endpoint = "workflows/get", input = Json)]
pub async fn get_workflow(id: WorkflowId) -> Result<Workflow, ApiError> {
    Ok(crate::workflow::definitions::get(&crate::http::request_ctx().await?, id).await?)
}

/// Makes a workflow.
#[server(prefix = "/rpc", endpoint = "workflows/create", input = Json)]
pub async fn create_workflow(definition: Definition) -> Result<Workflow, ApiError> {
    Ok(crate::workflow::definitions::create(&crate::http::request_ctx().await?, definition).await?)
}

/// Makes a workflow from the text of a JSON or YAML file.
#[server(prefix = "/rpc", endpoint = "workflows/import", input = Json)]
pub async fn import_workflow(text: String) -> Result<Workflow, ApiError> {
    let definition = crate::workflow::definitions::file::parse(&text)?;
    Ok(crate::workflow::definitions::create(&crate::http::request_ctx().await?, definition).await?)
}

/// The draft as YAML text.
#[server(prefix = "/rpc", endpoint = "workflows/export", input = Json)]
pub async fn export_workflow(id: WorkflowId) -> Result<String, ApiError> {
    let workflow = crate::workflow::definitions::get(&crate::http::request_ctx().await?, id).await?;
    Ok(crate::workflow::definitions::file::to_yaml(&workflow.draft))
}

/// Saves the draft that was edited from `revision`; a conflict when somebody saved since.
#[server(prefix = "/rpc", endpoint = "workflows/save_draft", input = Json)]
pub async fn save_draft(id: WorkflowId, revision: i64, definition: Definition) -> Result<Workflow, ApiError> {
    let ctx = crate::http::request_ctx().await?;
    Ok(crate::workflow::definitions::save_draft(&ctx, id, revision, &definition).await?)
}

/// Makes an immutable version of the draft as it was seen at `revision`; returns its number.
#[server(prefix = "/rpc", endpoint = "workflows/publish", input = Json)]
pub async fn publish_workflow(id: WorkflowId, #[server(default)] revision: Option<i64>) -> Result<i64, ApiError> {
    Ok(crate::workflow::definitions::publish_seen(&crate::http::request_ctx().await?, id, revision).await?)
}

/// Deletes a workflow; its runs stay.
#[server(prefix = "/rpc", endpoint = "workflows/delete", input = Json)]
pub async fn delete_workflow(id: WorkflowId) -> Result<(), ApiError> {
    Ok(crate::workflow::definitions::delete(&crate::http::request_ctx().await?, id).await?)
}

/// Every version, newest first.
#[server(prefix = "/rpc", endpoint = "workflows/versions", input = Json)]
pub async fn list_versions(id: WorkflowId, page: PageRequest) -> Result<Page<Version>, ApiError> {
    Ok(crate::workflow::definitions::list_versions(&crate::http::request_ctx().await?, id, &page).await?)
}

/// The workflows that ship with Weft.
#[server(prefix = "/rpc", endpoint = "workflows/templates", input = Json)]
pub async fn list_templates() -> Result<Vec<Template>, ApiError> {
    Ok(crate::workflow::definitions::list_templates(&crate::http::request_ctx().await?)?)
}
