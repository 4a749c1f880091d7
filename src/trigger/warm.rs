//! Has answers that schedules will ask for asked for anew before they fire. Which, the gateway and its cache know; when, and what ran
//! before, is known here.

use super::error::Result;
use super::store::due;
use crate::gateway::{self, Firing};
use crate::runtime::Runtime;

/// Between two rounds.
const ROUND_MS: i64 = 60_000;
/// Calls of one round for a workspace: they are made one after the other, and others go on in the next.
const MOST_CALLS: u32 = 50;
/// Schedules that are looked at in one round for a workspace, the next first.
const MOST_SCHEDULES: u32 = 500;

/// Looks once a minute.
pub(super) async fn watch(runtime: Runtime) {
    let stopping = runtime.tasks.stopping().clone();
    loop {
        tokio::select! {
            () = runtime.clock.sleep_ms(ROUND_MS) => {}
            () = stopping.cancelled() => return,
        }
        if !runtime.keeps_house() {
            continue;
        }
        match warm(&runtime).await {
            Ok(0) => {}
            Ok(calls) => tracing::info!(calls, "answers were asked for anew before schedules fire"),
            Err(error) => tracing::warn!(%error, "answers can't be asked for anew; it is tried again in a minute"),
        }
    }
}

/// Looks once. Returns how many calls of models were made.
///
/// # Errors
/// The database's.
pub async fn warm(runtime: &Runtime) -> Result<u32> {
    let mut made = 0;
    for (workspace, minutes) in gateway::list_warming(runtime).await? {
        let (ctx, now, ahead_ms) = (runtime.system(workspace), runtime.clock.now(), i64::from(minutes) * 60_000);
        let mut left = MOST_CALLS;
        for trigger in due::list_ahead(&runtime.db, workspace, (now, now.plus_ms(ahead_ms)), MOST_SCHEDULES).await? {
            let (Some(at), Some(runs)) = (trigger.next_at, due::last_two_runs(&runtime.db, trigger.id).await?) else {
                continue;
            };
            if left == 0 || !trigger.enabled {
                continue;
            }
            let firing = Firing { runs, at, from: at.plus_ms(-ahead_ms) };
            let calls = gateway::warm(&ctx, &trigger.name, firing, left).await?;
            left = left.saturating_sub(calls);
            made += calls;
        }
    }
    Ok(made)
}
