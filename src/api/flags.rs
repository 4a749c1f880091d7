//! Flags that models of routes stand behind.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;

use crate::model::gateway::{FlagChange, FlagDraft, FlagState};
use crate::model::{ApiError, FlagId, Page, PageRequest};

/// Every flag with the routes that name it, by name.
#[server(prefix = "/rpc", endpoint = "flags/list", input = Json)]
pub async fn list_flags() -> Result<Vec<FlagState>, ApiError> {
    Ok(crate::gateway::list_flags(&crate::http::request_ctx().await?).await?)
}

/// Adds a flag.
#[server(prefix = "/rpc", endpoint = "flags/create", input = Json)]
pub async fn create_flag(draft: FlagDraft) -> Result<FlagState, ApiError> {
    Ok(crate::gateway::create_flag(&crate::http::request_ctx().await?, draft).await?)
}

/// Changes a flag that was seen at `revision`; a conflict when somebody changed it since.
#[server(prefix = "/rpc", endpoint = "flags/update", input = Json)]
pub async fn update_flag(id: FlagId, revision: i64, draft: FlagDraft) -> Result<FlagState, ApiError> {
    Ok(crate::gateway::update_flag(&crate::http::request_ctx().await?, id, revision, draft).await?)
}

/// Deletes a flag that no route names.
#[server(prefix = "/rpc", endpoint = "flags/delete", input = Json)]
pub async fn delete_flag(id: FlagId) -> Result<(), ApiError> {
    Ok(crate::gateway::delete_flag(&crate::http::request_ctx().await?, id).await?)
}

/// Who changed what of the flags, newest first.
#[server(prefix = "/rpc", endpoint = "flags/changes", input = Json)]
pub async fn list_flag_changes(page: PageRequest) -> Result<Page<FlagChange>, ApiError> {
    Ok(crate::gateway::list_flag_changes(&crate::http::request_ctx().await?, &page).await?)
}
