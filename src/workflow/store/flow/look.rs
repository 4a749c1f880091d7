//! How queued runs stand, for whoever asks why.

use sqlx::{query_as, query_scalar};

use super::count;
use super::lane::WINDOW;
use crate::db::{Db, Result};
use crate::model::workflow::flow::admission::RateState;
use crate::model::workflow::flow::{Key, Limits, WhenFull, Window};
use crate::model::{RunId, Timestamp, WorkspaceId};
use crate::read;

/// How a queued run stands, as stored.
#[derive(Debug)]
pub struct Stand {
    /// What it was accepted with.
    pub limits: Limits,
    /// `waiting`, `held` or `ended`.
    pub state: String,
    /// When it was queued.
    pub queued_at: Timestamp,
    /// The place in its lane, 1 for the next.
    pub position: u32,
    /// Runs in progress in its lane.
    pub held: u32,
    /// Its window.
    pub window: Option<RateState>,
    /// Whether the workspace's quota counts it.
    pub counts: bool,
}

#[derive(sqlx::FromRow)]
struct StandRow {
    lane: String,
    key: Option<String>,
    key_limit: Option<i64>,
    when_full: Option<String>,
    rate_key: Option<String>,
    rate_count: Option<i64>,
    rate_ms: Option<i64>,
    priority: i64,
    state: String,
    queued_at: Timestamp,
    ahead: i64,
    held: i64,
    parent_waits: bool,
}

/// How a run's flow control stands; `None` for a run without any.
pub async fn find(db: &Db, workspace: WorkspaceId, run: RunId, now: Timestamp) -> Result<Option<Stand>> {
    let row: Option<StandRow> = read!(db, conn => query_as(
        "select f.lane, f.key, f.key_limit, f.when_full, f.rate_key, f.rate_count, f.rate_ms, f.priority, f.state,
             f.queued_at,
             (select count(*)
              from run_flow w
              join run r on r.id = w.run_id
              where w.workspace_id = f.workspace_id and w.lane = f.lane and w.state = 'waiting' and r.status = 'queued'
                  and w.superseded_by is null
                  and (w.priority > f.priority or (w.priority = f.priority and w.run_id < f.run_id))) as ahead,
             (select count(*) from run_flow h
              where h.workspace_id = f.workspace_id and h.lane = f.lane and h.state = 'held') as held,
             o.parent_waits
         from run_flow f join run o on o.id = f.run_id
         where f.workspace_id = $1 and f.run_id = $2",
    )
    .bind(workspace)
    .bind(run)
    .fetch_optional(conn)
    .await)?;
    let Some(row) = row else { return Ok(None) };
    let rate = row.rate_key.zip(row.rate_count).zip(row.rate_ms);
    let window = match &rate {
        Some(((key, most), per_ms)) => {
            let (taken, newest): (i64, Option<Timestamp>) = read!(db, conn => query_as(WINDOW)
                .bind(workspace)
                .bind(key.as_str())
                .bind(now.plus_ms(-per_ms))
                .bind(most - 1)
                .fetch_one(conn)
                .await)?;
            let opens_at = newest.map(|at| at.plus_ms(*per_ms));
            Some(RateState { key: key.clone(), count: count(*most), taken: count(taken), opens_at })
        }
        None => None,
    };
    let when_full = |word: Option<String>| {
        WhenFull::ALL.into_iter().find(|when| Some(when.as_str()) == word.as_deref()).unwrap_or_default()
    };
    let key = row.key.zip(row.key_limit);
    Ok(Some(Stand {
        limits: Limits {
            lane: row.lane,
            key: key.map(|(name, limit)| Key { name, limit: count(limit), when_full: when_full(row.when_full) }),
            rate: rate.map(|((name, most), per_ms)| Window {
                name,
                count: count(most),
                per_ms: u64::try_from(per_ms).unwrap_or_default(),
            }),
            priority: u8::try_from(row.priority).unwrap_or(1),
        },
        state: row.state,
        queued_at: row.queued_at,
        position: count(row.ahead + 1),
        held: count(row.held),
        window,
        counts: !row.parent_waits,
    }))
}

/// How many runs are in progress in a lane.
pub async fn count_in(db: &Db, workspace: WorkspaceId, lane: &str) -> Result<u32> {
    let held: i64 = read!(db, conn => query_scalar(
        "select count(*) from run_flow where workspace_id = $1 and lane = $2 and state = 'held'",
    )
    .bind(workspace)
    .bind(lane)
    .fetch_one(conn)
    .await)?;
    Ok(count(held))
}

/// Some of the runs in progress, the oldest first: in one lane, or in the whole workspace.
pub async fn list_holders(
    db: &Db,
    workspace: WorkspaceId,
    lane: Option<&str>,
    limit: u32,
) -> Result<Vec<(RunId, String)>> {
    Ok(read!(db, conn => query_as(
        "select r.id, r.workflow_name
         from run_flow f
         join run r on r.id = f.run_id
         where f.workspace_id = $1 and ($2 is null or f.lane = $2) and f.state = 'held'
         order by f.admitted_at, f.run_id
         limit $3",
    )
    .bind(workspace)
    .bind(lane)
    .bind(i64::from(limit))
    .fetch_all(conn)
    .await)?)
}

/// How many runs of the workspace with flow control are in progress, but for those that another one waits for.
pub async fn count_held(db: &Db, workspace: WorkspaceId) -> Result<u32> {
    let held: i64 = read!(db, conn => sqlx::query_scalar(
        "select count(*) from run_flow f join run r on r.id = f.run_id
         where f.workspace_id = $1 and f.state = 'held' and not r.parent_waits",
    )
    .bind(workspace)
    .fetch_one(conn)
    .await)?;
    Ok(count(held))
}
