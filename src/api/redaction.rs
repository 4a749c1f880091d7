//! What is masked before a call leaves.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;

use crate::model::ApiError;
use crate::model::gateway::{Redaction, RedactionDraft, RedactionTrial, RedactionTried};

/// What is masked.
#[server(prefix = "/rpc", endpoint = "redaction/get", input = Json)]
pub async fn get_redaction() -> Result<Redaction, ApiError> {
    Ok(crate::gateway::get_redaction(&crate::http::request_ctx().await?).await?)
}

/// Changes what somebody saw at `revision`.
#[server(prefix = "/rpc", endpoint = "redaction/update", input = Json)]
pub async fn update_redaction(revision: i64, draft: RedactionDraft) -> Result<Redaction, ApiError> {
    Ok(crate::gateway::update_redaction(&crate::http::request_ctx().await?, Some(revision), draft).await?)
}

/// Shows what would leave in place of a text.
#[server(prefix = "/rpc", endpoint = "redaction/try", input = Json)]
pub async fn try_redaction(trial: RedactionTrial) -> Result<RedactionTried, ApiError> {
    Ok(crate::gateway::try_redaction(&crate::http::request_ctx().await?, trial).await?)
}
