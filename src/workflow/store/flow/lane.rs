//! The lanes in which runs wait to begin, and who is first in each.

use sqlx::query_as;

use super::count;
use crate::db::{Result, Tx};
use crate::model::workflow::flow::WhenFull;
use crate::model::workflow::flow::admission::{Head, RateState, Room};
use crate::model::{RunId, Timestamp, WorkspaceId};
use crate::within;

/// A lane and the first who waits in it, if anybody does.
#[derive(Debug)]
pub struct Lane {
    /// Its name.
    pub name: String,
    /// The first.
    pub head: Option<Head>,
}

#[derive(sqlx::FromRow)]
struct LaneRow {
    lane: String,
    turn: i64,
    held: i64,
    run_id: Option<RunId>,
    priority: Option<i64>,
    key_limit: Option<i64>,
    when_full: Option<String>,
    rate_key: Option<String>,
    rate_count: Option<i64>,
    rate_ms: Option<i64>,
    parent_waits: Option<bool>,
}

/// The first who waits in a lane: by priority, then who came first.
macro_rules! first_in_lane {
    ($more:literal) => {
        concat!(
            "(select w.run_id
              from run_flow w
              join run r on r.id = w.run_id
              where w.workspace_id = l.workspace_id and w.lane = l.lane and w.state = 'waiting'
                  and w.superseded_by is null and r.status = 'queued' and r.owner_id is null ",
            $more,
            " order by w.priority desc, w.run_id
              limit 1)"
        )
    };
}

/// Where the quota is used up, runs that it does not count come first. They have a key or a rate of their own: the lanes of
/// those without, which only a quota holds up and which may be long, are not searched for them.
const LANES: &str = concat!(
    "select l.lane, l.turn, f.run_id, f.priority, f.key_limit, f.when_full, f.rate_key, f.rate_count,
         f.rate_ms,
         (select count(*) from run_flow h
          where h.workspace_id = l.workspace_id and h.lane = l.lane and h.state = 'held') as held,
         (select p.parent_waits from run p where p.id = f.run_id) as parent_waits
     from flow_lane l
     left join run_flow f on f.run_id = coalesce(
         case when $3 and l.lane not like 'workflow:%' then ",
    first_in_lane!("and r.parent_waits"),
    " end, ",
    first_in_lane!(""),
    ")
     where l.workspace_id = $1 and ($2 is null or l.lane = $2)"
);

/// The lanes of a workspace, or one of them, each with its head. Runs that a person holds, or that are just in somebody's
/// hand for a command, are passed over. Where the quota is used up, those that it does not count come first: else they would
/// wait for one that waits for it.
pub async fn lanes(
    tx: &mut Tx,
    workspace: WorkspaceId,
    (lane, room): (Option<&str>, Room),
    now: Timestamp,
) -> Result<Vec<Lane>> {
    let rows: Vec<LaneRow> = within!(&mut *tx, conn => query_as(LANES)
        .bind(workspace)
        .bind(lane)
        .bind(!room.is_free())
        .fetch_all(conn)
        .await)?;
    let mut lanes = Vec::with_capacity(rows.len());
    for row in rows {
        let rate = match (row.rate_key, row.rate_count, row.rate_ms) {
            (Some(key), Some(count), Some(per_ms)) => Some(window(tx, workspace, key, count, per_ms, now).await?),
            _ => None,
        };
        let head = row.run_id.map(|run| Head {
            run,
            turn: row.turn,
            priority: row.priority.and_then(|level| u8::try_from(level).ok()).unwrap_or(1),
            limit: row.key_limit.map(count),
            supersedes: row.when_full.as_deref() == Some(WhenFull::CancelRunning.as_str()),
            held: count(row.held),
            rate,
            counts: row.parent_waits != Some(true),
        });
        lanes.push(Lane { name: row.lane, head });
    }
    Ok(lanes)
}

/// How a sliding window stands: runs that began in it, and when the next may.
pub(super) const WINDOW: &str = "select count(*), (select admitted_at from run_flow
         where workspace_id = $1 and rate_key = $2 and admitted_at > $3
         order by admitted_at desc limit 1 offset $4)
     from run_flow where workspace_id = $1 and rate_key = $2 and admitted_at > $3";

async fn window(
    tx: &mut Tx,
    workspace: WorkspaceId,
    key: String,
    most: i64,
    per_ms: i64,
    now: Timestamp,
) -> Result<RateState> {
    let (taken, newest): (i64, Option<Timestamp>) = within!(tx, conn => query_as(WINDOW)
        .bind(workspace)
        .bind(key.as_str())
        .bind(now.plus_ms(-per_ms))
        .bind(most - 1)
        .fetch_one(conn)
        .await)?;
    Ok(RateState { key, count: count(most), taken: count(taken), opens_at: newest.map(|at| at.plus_ms(per_ms)) })
}
