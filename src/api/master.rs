//! The master key of the installation, for owners of its first workspace.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;

use crate::model::ApiError;
use crate::model::master::MasterKeyReport;

/// Under which master keys everything rests, and how far a change has come. `None` where another workspace stands for the
/// installation.
#[server(prefix = "/rpc", endpoint = "master_key/get", input = Json)]
pub async fn get_master_key() -> Result<Option<MasterKeyReport>, ApiError> {
    Ok(crate::master::status_if_here(&crate::http::request_ctx().await?).await?)
}
