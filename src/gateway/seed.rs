//! The providers that a workspace begins with: those that the settings name.

use crate::model::WorkspaceId;
use crate::model::gateway::{Limits, ProviderDraft};
use crate::runtime::Runtime;

/// Adds the providers that the settings name to a workspace that was just made; whoever deletes one later does not get it back. One that
/// does not fit is left out and told in the log of the server: a workspace is there without it, too. Nobody is asked.
pub async fn seed(runtime: &Runtime, workspace: WorkspaceId) {
    let ctx = runtime.system(workspace);
    for seed in &runtime.config.seeds {
        let draft = ProviderDraft {
            name: seed.name.to_owned(),
            kind: seed.kind,
            base_url: seed.base_url.clone(),
            credential: seed.credential.clone(),
            models: Vec::new(),
            responses: false,
            enabled: true,
            limits: Limits::default(),
        };
        match super::create_provider(&ctx, draft).await {
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(provider = seed.name, %error, "a provider that the settings name was not added");
            }
        }
    }
}
