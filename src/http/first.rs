//! What a workspace begins with besides its owner.

use crate::runtime::Runtime;
use crate::{auth, gateway};

/// Gives a workspace that was just made what the settings say. What fails of it is told in the log of the server.
pub async fn furnish(runtime: &Runtime) {
    match auth::find_workspace(runtime).await {
        Ok(Some(workspace)) => gateway::seed(runtime, workspace).await,
        Ok(None) => {}
        Err(error) => tracing::warn!(%error, "a new workspace did not get the providers that the settings name"),
    }
}
