//! What the dashboard shows: read models over other capabilities' tables.
//!
//! Reads, and writes nothing. Every number is counted from the rows at the time of asking; nothing is estimated. The answer
//! is kept for a second for each workspace and period, and whoever asks meanwhile waits for it: fifty open dashboards cost
//! one reading. Refuses to know why things are as they are: that is for the pages of the runs.

mod agent_memory;
mod agents;
mod cache;
mod cost;
mod frame;
mod health;
mod needs;
mod results;
mod store;

pub use agent_memory::list_agent_memory;
pub use agents::{
    Asking, get_agent, get_agent_for, list_agent_tasks, list_agents, list_agents_for, list_board, list_board_for,
};
pub use cache::cache;
pub use cost::cost;
pub use results::agent_results;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::model::auth::Action;
use crate::model::dashboard::{Overview, Period};
use crate::model::workflow::RunStatus;
use crate::model::{ApiError, Timestamp, WorkspaceId};
use crate::runtime::Ctx;
use frame::Frame;

/// How long an answer is kept.
const KEEP_MS: i64 = 1_000;
/// Answers kept at most; beyond it all are forgotten, and read anew by whoever asks.
const MOST_KEPT: usize = 1_000;
/// Rows of "needs me".
const MOST_NEEDS: usize = 20;
/// Failed runs that are looked through for "needs me".
const MOST_FAILED: u32 = 1_000;
/// Rows of "running now".
const MOST_ACTIVE: u32 = 20;
/// Rows of "recent failures".
const MOST_FAILURES: u32 = 10;
/// How far back a failed run needs somebody, whatever the period: 30 days.
const NEEDS_MS: i64 = 30 * 24 * 3_600_000;

/// The place of one answer: held by whoever reads, so that nobody reads twice.
type Place = Arc<tokio::sync::Mutex<Option<Overview>>>;

/// Recent answers.
#[derive(Debug, Default)]
struct Recent(Mutex<HashMap<(WorkspaceId, Period), Place>>);

impl Recent {
    fn place(&self, key: (WorkspaceId, Period)) -> Place {
        let mut places = self.0.lock().expect("nothing panics under this lock");
        if places.len() >= MOST_KEPT && !places.contains_key(&key) {
            places.clear();
        }
        Arc::clone(places.entry(key).or_default())
    }
}

/// Everything on the dashboard, at most a second old.
///
/// # Errors
/// [`ApiError::Forbidden`], or the database's.
pub async fn overview(ctx: &Ctx, period: Period) -> Result<Overview, ApiError> {
    ctx.authorize(Action::ViewDashboard)?;
    let place = ctx.shared::<Recent>().place((ctx.workspace(), period));
    let mut kept = place.lock().await;
    let now = ctx.clock.now();
    if let Some(kept) = kept.as_ref()
        && (0..KEEP_MS).contains(&now.ms_since(kept.at))
    {
        return Ok(kept.clone());
    }
    Ok(kept.insert(read(ctx, period, now).await?).clone())
}

async fn read(ctx: &Ctx, period: Period, now: Timestamp) -> Result<Overview, ApiError> {
    let (db, workspace) = (&ctx.db, ctx.workspace());
    let frame = Frame::new(period, now);
    let ended = store::list_ended(db, workspace, frame.from).await?;
    let starts = store::list_active_starts(db, workspace, frame.from).await?;
    let entries = store::list_entry_births(db, workspace, frame.from, now).await?;
    let counts = store::count_active(db, workspace).await?;
    let count = |wanted: RunStatus| counts.iter().filter(|(status, _)| *status == wanted).map(|(_, count)| count).sum();
    let (running, waiting, queued): (i64, i64, i64) =
        (count(RunStatus::Running), count(RunStatus::Waiting), count(RunStatus::Queued));
    let since = now.plus_ms(-NEEDS_MS);
    let paused = store::list_paused(db, workspace, MOST_NEEDS as u32).await?;
    let failed = store::list_failed(db, workspace, since, MOST_FAILED).await?;
    let mut needs_me = needs::needs(paused, failed, &store::list_successes(db, workspace, since).await?);
    needs_me.truncate(MOST_NEEDS);
    let taken = ended.iter().filter(|run| frame::ended_by_itself(run)).map(|run| run.duration_ms).collect();
    Ok(Overview {
        period,
        at: now,
        active: store::list_active(db, workspace, MOST_ACTIVE).await?,
        active_total: running + waiting + queued,
        active_waiting: waiting,
        active_queued: queued,
        needs_me,
        any_runs: store::has_runs(db, workspace).await?,
        buckets: frame.fill(&ended, &starts),
        durations: frame::durations(taken),
        failures: store::list_failed(db, workspace, frame.from, MOST_FAILURES).await?,
        memory_new: entries.births.len() as i64,
        memory_entries: frame.growth(&entries),
        health: health::look(ctx).await?,
    })
}
