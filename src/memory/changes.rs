//! What happened in memory, in order: for those who act on it.

use std::sync::Arc;

use tokio::sync::Notify;

use super::{Error, access, store};
use crate::model::Timestamp;
use crate::model::auth::Action;
use crate::model::memory::{Source, Trust};
use crate::runtime::{Ctx, Runtime};
use serde_json::Value;

/// One change of one entry.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Its number in the workspace: goes up by one with each change.
    pub number: i64,
    /// Where.
    pub namespace: String,
    /// What.
    pub key: String,
    /// The version that it made.
    pub version: i64,
    /// The entry's text; `None` when the entry was deleted.
    pub content: Option<String>,
    /// The structured data beside it.
    pub value: Value,
    /// Its tags.
    pub tags: Vec<String>,
    /// Who changed it.
    pub source: Source,
    /// Who its words came from.
    pub trust: Trust,
    /// When.
    pub at: Timestamp,
}

/// Rung at every change in this process.
#[derive(Debug, Default)]
struct Bell(Notify);

/// Says in this process that something changed.
pub(super) fn tell(runtime: &Runtime) {
    runtime.shared::<Bell>().0.notify_one();
}

/// Returns after a change in this process, at once when there was one since the last call. For one waiter. A hint: what
/// changed is asked with [`list_changes`].
pub async fn wait_for_change(runtime: &Runtime) {
    let bell: Arc<Bell> = runtime.shared();
    bell.0.notified().await;
}

/// The number of the workspace's newest change; 0 before the first.
///
/// # Errors
/// When the role doesn't allow it, or the database fails.
pub async fn last_change(ctx: &Ctx) -> Result<i64, Error> {
    ctx.authorize(Action::ReadMemory)?;
    Ok(store::last_change(&ctx.db, ctx.workspace()).await?)
}

/// The changes after a number, oldest first, at most `limit`. Numbers without a change here belong to versions that are
/// not kept any more, to what is in quarantine, and to what who asks may not read.
///
/// # Errors
/// When the role doesn't allow it, or the database fails.
pub async fn list_changes(ctx: &Ctx, after: i64, limit: u32) -> Result<Vec<Change>, Error> {
    let reach = access::reading(ctx).await?;
    store::changes_after(ctx, &reach, after, limit).await
}
