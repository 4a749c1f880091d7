//! Calls that have ended, and how they are written: many in one transaction, with what they cost.

use super::content::Capture;
use super::spending::Held;
use super::store;
use super::waiting::{Uncounted, Waits};
use crate::cache;
use crate::model::WorkspaceId;
use crate::model::cache::CacheOutcome;
use crate::model::gateway::{CallOutcome, CallRecord};
use crate::runtime::Runtime;

/// Tries to write a batch.
const TRIES: u32 = 20;
/// Between two tries.
const PAUSE_MS: i64 = 500;

/// A call that has ended.
#[derive(Debug)]
pub(super) struct Settled {
    pub workspace: WorkspaceId,
    pub record: Box<CallRecord>,
    /// What the budgets hold back for it.
    pub held: Option<Held>,
    /// What was asked and answered, where that is kept.
    pub content: Option<Waits<Box<Capture>>>,
    /// What of its tokens is still to be counted.
    pub later: Option<Waits<Uncounted>>,
}

impl Settled {
    /// Counts what nobody told, where that can be done: it was settled with an estimate.
    pub async fn count(&mut self, runtime: &Runtime) {
        let Some(uncounted) = self.later.take() else { return };
        uncounted.held.count(runtime, &mut self.record).await;
        if let Some(held) = &mut self.held {
            held.came_to(self.record.usage);
        }
    }
}

/// Writes them in one transaction, and tries again for a while where the database does not answer.
pub(super) async fn keep(runtime: &Runtime, calls: &mut [Settled]) {
    for attempt in 1..=TRIES {
        match store_all(runtime, calls).await {
            Ok(()) => return,
            Err(error) if error.is_transient() && attempt < TRIES => {
                tracing::warn!(%error, calls = calls.len(), "calls of models were not written; it is tried again");
                runtime.clock.sleep_until(runtime.clock.soon(PAUSE_MS)).await;
            }
            Err(error) => {
                tracing::error!(%error, calls = calls.len(), "calls of models can't be written and are lost");
                return;
            }
        }
    }
}

async fn store_all(runtime: &Runtime, calls: &mut [Settled]) -> crate::db::Result<()> {
    for Settled { record: call, .. } in calls.iter_mut() {
        if let (None, Some(provider), true) = (call.cost_micros, call.provider_id, call.outcome != CallOutcome::Failed)
        {
            let price = store::price::find(&runtime.db, provider, &call.model, call.at).await?;
            call.cost_micros = price.map(|price| price.cost_micros(call.usage));
        }
    }
    if calls.is_empty() {
        return Ok(());
    }
    for Settled { record: call, .. } in calls.iter_mut() {
        let (Some(provider), Some(cache)) = (call.provider_id, call.cache.as_mut()) else { continue };
        if cache.outcome == CacheOutcome::Hit && cache.saved_micros.is_none() {
            let price = store::price::find(&runtime.db, provider, &call.model, call.at).await?;
            cache.saved_micros = price.map(|price| price.cost_micros(cache.saved));
        }
    }
    let mut tx = runtime.db.begin().await?;
    let mut spend = store::spend::Sums::default();
    for Settled { workspace, record: call, content, .. } in calls.iter() {
        store::call::insert(&mut tx, *workspace, call).await?;
        if let Some(content) = content {
            match content.held.seal(runtime, call.id) {
                Ok(sealed) => {
                    store::content::insert(&mut tx, *workspace, call.id, &sealed).await?;
                    store::content::make_room(&mut tx, *workspace).await?;
                }
                // What was paid counts all the same.
                Err(error) => tracing::warn!(%error, call = %call.id, "what was asked and answered is not kept"),
            }
        }
        spend.add(*workspace, call);
        if let Some(cache) = &call.cache
            && let Some(entry) = cache.entry_id
        {
            let saved = (cache.saved.prompt() + cache.saved.output, cache.saved_micros.unwrap_or(0));
            cache::note_hits(&mut tx, *workspace, entry, call.at, saved).await?;
        }
    }
    spend.write(&mut tx).await?;
    tx.commit().await
}
