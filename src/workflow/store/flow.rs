//! Who waits to begin, who is in progress, and under which key.
//!
//! Whoever lets a run begin holds the workspace's gate ([`lock`]) until the commit, so that two processes never give the same place
//! away. A place that comes free needs no gate: it can only be seen too late, and whoever freed it looks again after the commit.

pub mod circle;
mod lane;
pub mod left;
pub mod limit;
pub mod look;
pub mod quota;
pub mod supersede;

use sqlx::{query, query_as, query_scalar};

pub use self::lane::{Lane, lanes};
use self::quota::Own;
use super::append;
use super::flush::{self, Change, Verdict};
use crate::db::{Db, Result, Tx};
use crate::model::workflow::flow::Limits;
use crate::model::workflow::flow::admission::Room;
use crate::model::{RunId, Timestamp, WorkspaceId};
use crate::{read, within};

/// Takes the gate of a workspace until the transaction ends. Returns its number, which goes up by one.
pub async fn lock(tx: &mut Tx, workspace: WorkspaceId) -> Result<i64> {
    raise(tx, workspace, 1).await
}

/// A gate that was taken.
#[derive(Debug, Clone, Copy)]
pub struct Gate {
    /// Its number.
    pub turn: i64,
    /// What the workspace asks for itself.
    pub own: Own,
}

/// Takes the gate of a workspace to let its runs begin: with it comes how many there may be.
pub async fn enter(tx: &mut Tx, workspace: WorkspaceId) -> Result<Gate> {
    let (turn, queued, running): (i64, Option<i64>, Option<i64>) = within!(tx, conn => query_as(
        "insert into flow_gate (workspace_id, turn) values ($1, 1)
         on conflict (workspace_id) do update set turn = flow_gate.turn + excluded.turn
         returning turn,
             (select max_queued_runs from workspace where id = $1),
             (select max_running_runs from workspace where id = $1)",
    )
    .bind(workspace)
    .fetch_one(conn)
    .await)?;
    Ok(Gate { turn, own: Own::of(queued, running) })
}

/// Raises the number of a gate.
pub async fn raise(tx: &mut Tx, workspace: WorkspaceId, by: i64) -> Result<i64> {
    Ok(within!(tx, conn => query_scalar(
        "insert into flow_gate (workspace_id, turn) values ($1, $2)
         on conflict (workspace_id) do update set turn = flow_gate.turn + excluded.turn
         returning turn",
    )
    .bind(workspace)
    .bind(by)
    .fetch_one(conn)
    .await)?)
}

/// Stores a new run as queued: its row, its first event, its limits.
pub async fn enqueue(tx: &mut Tx, change: &Change, limits: &Limits, turn: i64, now: Timestamp) -> Result<Verdict> {
    let verdict = flush::insert(tx, change, now).await?;
    if verdict != Verdict::Stored {
        return Ok(verdict);
    }
    insert_limits(tx, change, limits, None, now).await?;
    open_lane(tx, change.workspace, &limits.lane, turn).await?;
    Ok(Verdict::Stored)
}

/// Stores what limits a run: one that waits, or, with the time of its beginning, one that has its place.
async fn insert_limits(
    tx: &mut Tx,
    change: &Change,
    limits: &Limits,
    admitted_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<()> {
    let (key, rate) = (limits.key.as_ref(), limits.rate.as_ref());
    within!(tx, conn => query(
        "insert into run_flow (run_id, workspace_id, lane, key, key_limit, when_full, rate_key, rate_count, rate_ms,
            priority, state, queued_at, admitted_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(change.run)
    .bind(change.workspace)
    .bind(limits.lane.as_str())
    .bind(key.map(|key| key.name.as_str()))
    .bind(key.map(|key| i64::from(key.limit)))
    .bind(key.map(|key| key.when_full.as_str()))
    .bind(rate.map(|rate| rate.name.as_str()))
    .bind(rate.map(|rate| i64::from(rate.count)))
    .bind(rate.map(|rate| i64::try_from(rate.per_ms).unwrap_or(i64::MAX)))
    .bind(i64::from(limits.priority))
    .bind(if admitted_at.is_some() { "held" } else { "waiting" })
    .bind(now)
    .bind(admitted_at)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

async fn open_lane(tx: &mut Tx, workspace: WorkspaceId, lane: &str, turn: i64) -> Result<()> {
    within!(tx, conn => query("insert into flow_lane (workspace_id, lane, turn) values ($1, $2, $3) on conflict do nothing")
        .bind(workspace)
        .bind(lane)
        .bind(turn)
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}

/// Opens the lanes of all that wait: for runs that came back to the queue.
pub async fn open_lanes(tx: &mut Tx, workspace: WorkspaceId, turn: i64) -> Result<()> {
    within!(tx, conn => query(
        "insert into flow_lane (workspace_id, lane, turn)
         select distinct workspace_id, lane, $2 from run_flow where workspace_id = $1 and state = 'waiting'
         on conflict do nothing",
    )
    .bind(workspace)
    .bind(turn)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

fn count(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// How the workspace's quota stands; without a limit nothing is counted. A run that another one waits for takes no place.
pub async fn room(tx: &mut Tx, workspace: WorkspaceId, limit: Option<u32>) -> Result<Room> {
    let running = match limit {
        None => 0,
        Some(_) => within!(tx, conn => query_scalar(
            "select count(*) from run_flow f join run r on r.id = f.run_id
             where f.workspace_id = $1 and f.state = 'held' and not r.parent_waits",
        )
        .bind(workspace)
        .fetch_one(conn)
        .await)?,
    };
    Ok(Room { running: count(running), limit })
}

/// Lets a run begin: from here on whoever claims it starts it. False when somebody has it in hand for a command.
pub async fn admit(tx: &mut Tx, run: RunId, now: Timestamp) -> Result<bool> {
    let done = within!(&mut *tx, conn => query(
        "update run set status = 'running', headline = null where id = $1 and status = 'queued' and owner_id is null",
    )
    .bind(run)
    .execute(conn)
    .await
    .map(|done| done.rows_affected()))?;
    if done == 0 {
        return Ok(false);
    }
    within!(tx, conn => query("update run_flow set state = 'held', admitted_at = $2 where run_id = $1")
        .bind(run)
        .bind(now)
        .execute(conn)
        .await
        .map(drop))?;
    Ok(true)
}

/// Notes that a lane was served.
pub async fn serve_lane(tx: &mut Tx, workspace: WorkspaceId, lane: &str, turn: i64) -> Result<()> {
    within!(tx, conn => query("update flow_lane set turn = $3 where workspace_id = $1 and lane = $2")
        .bind(workspace)
        .bind(lane)
        .bind(turn)
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}

/// Forgets a lane in which nobody waits.
pub async fn close_lane(tx: &mut Tx, workspace: WorkspaceId, lane: &str) -> Result<()> {
    within!(tx, conn => query("delete from flow_lane where workspace_id = $1 and lane = $2")
        .bind(workspace)
        .bind(lane)
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}

/// What people read beside a queued run.
pub async fn set_headline(tx: &mut Tx, run: RunId, headline: &str) -> Result<()> {
    within!(tx, conn => query("update run set headline = $2 where id = $1")
        .bind(run)
        .bind(headline)
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}

/// How many runs of the workspace wait.
pub async fn count_waiting(tx: &mut Tx, workspace: WorkspaceId) -> Result<i64> {
    Ok(within!(tx, conn => query_scalar(
        "select count(*) from run_flow where workspace_id = $1 and state = 'waiting'",
    )
    .bind(workspace)
    .fetch_one(conn)
    .await)?)
}

/// The workspaces in which somebody waits.
pub async fn waiting_workspaces(db: &Db) -> Result<Vec<WorkspaceId>> {
    Ok(read!(db, conn => query_scalar("select distinct workspace_id from run_flow where state = 'waiting'")
        .fetch_all(conn)
        .await)?)
}

/// Moves a run between waiting, held and ended, along with the change of its row.
pub(super) async fn set_state(tx: &mut Tx, run: RunId, state: &'static str) -> Result<()> {
    within!(tx, conn => query("update run_flow set state = $2, superseded_by = null where run_id = $1")
        .bind(run)
        .bind(state)
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}

/// Whether a run that ended may be in progress again: asked under the gate.
pub(super) async fn has_place(tx: &mut Tx, workspace: WorkspaceId, run: RunId, limit: Option<u32>) -> Result<bool> {
    let row: Option<(String, Option<i64>, i64)> = within!(&mut *tx, conn => query_as(
        "select f.state, f.key_limit,
             (select count(*) from run_flow h
              where h.workspace_id = f.workspace_id and h.lane = f.lane and h.state = 'held')
         from run_flow f where f.run_id = $1",
    )
    .bind(run)
    .fetch_optional(conn)
    .await)?;
    match row {
        None => Ok(true),
        Some((state, ..)) if state == "held" => Ok(true),
        Some((_, key_limit, held)) if key_limit.is_some_and(|limit| held >= limit) => Ok(false),
        Some(_) => {
            let limit = quota::running_within(tx, workspace, limit).await?;
            Ok(room(tx, workspace, limit).await?.is_free())
        }
    }
}

/// Stores a new run that has begun elsewhere, in the place that it takes; nothing when there is none. Asked under the gate.
pub(super) async fn insert_held(
    tx: &mut Tx,
    change: &Change,
    limits: &Limits,
    quota: Option<u32>,
    now: Timestamp,
) -> Result<Verdict> {
    let held: i64 = within!(&mut *tx, conn => query_scalar(
        "select count(*) from run_flow where workspace_id = $1 and lane = $2 and state = 'held'",
    )
    .bind(change.workspace)
    .bind(limits.lane.as_str())
    .fetch_one(conn)
    .await)?;
    let full = limits.key.as_ref().is_some_and(|key| held >= i64::from(key.limit));
    if full {
        return Ok(Verdict::Full);
    }
    let limit = quota::running_within(tx, change.workspace, quota).await?;
    if !room(tx, change.workspace, limit).await?.is_free() {
        return Ok(Verdict::Full);
    }
    if append::insert_runs(tx, &[change]).await?.is_empty() {
        return Ok(Verdict::Duplicate);
    }
    insert_limits(tx, change, limits, Some(now), now).await?;
    Ok(Verdict::Stored)
}
