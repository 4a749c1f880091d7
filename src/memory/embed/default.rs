//! What the settings name as embedder, for workspaces where nobody has chosen one.
//!
//! It is set as if somebody had: the model is tried first, and from then on the workspace has it, whatever the settings name later. Who
//! chooses none has chosen. One that can't be used yet, because its provider is not there, is tried again.

use std::collections::HashMap;
use std::sync::Mutex;

use super::manage::set_embedder;
use crate::memory::{Error, store};
use crate::model::memory::EmbedderDraft;
use crate::model::{Timestamp, WorkspaceId};
use crate::runtime::Runtime;

/// How long it waits after a trial that failed.
const AGAIN_MS: i64 = 600_000;
/// Workspaces that are looked at in one go.
const SOME: i64 = 100;

/// When a workspace is tried again.
#[derive(Debug, Default)]
struct Failed(Mutex<HashMap<WorkspaceId, Timestamp>>);

/// Sets what the settings name, in workspaces that have entries and have not chosen. Whoever keeps house does.
pub(super) async fn adopt(runtime: &Runtime) -> Result<(), Error> {
    let Some(model) = runtime.config.embedder.as_ref().filter(|_| runtime.keeps_house()) else { return Ok(()) };
    let failed = runtime.shared::<Failed>();
    for workspace in store::workspaces_without_choice(&runtime.db, SOME).await? {
        let now = runtime.clock.now();
        let until = failed.0.lock().expect("no code panics while it holds this lock").get(&workspace).copied();
        if until.is_some_and(|until| until > now) {
            continue;
        }
        let draft = EmbedderDraft { model: Some(model.clone()), ..EmbedderDraft::default() };
        let set = set_embedder(&runtime.system(workspace), draft).await;
        let mut failed = failed.0.lock().expect("no code panics while it holds this lock");
        match set {
            Ok(_) => _ = failed.remove(&workspace),
            Err(error) => {
                tracing::warn!(model, %workspace, %error, "the embedder of the settings can't be used; it is tried again in {} s", AGAIN_MS / 1000);
                failed.insert(workspace, now.plus_ms(AGAIN_MS));
            }
        }
    }
    Ok(())
}
