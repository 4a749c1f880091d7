//! Who has what to itself or shares it, and who waits for it.

use std::collections::HashMap;

use sqlx::{query, query_as, query_scalar};

use crate::agents::leases::rule::{Claim, Party};
use crate::db::{Db, Error, Result, Tx};
use crate::model::agent::{LeaseMode, Thing, ThingKind};
use crate::model::{AgentId, LeaseId, QueuedTaskId, RunId, Timestamp, WorkspaceId};
use crate::{read, within};

/// A lease that is held or waited for, with what only the program needs to know.
#[derive(Debug, Clone)]
pub struct Kept {
    /// As the rule sees it.
    pub claim: Claim,
    /// Whose.
    pub agent: AgentId,
    /// The task of the queue that its run is of.
    pub task: Option<QueuedTaskId>,
    /// Whether a tool took it by itself.
    pub is_own: bool,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// Since when it is held.
    pub held_at: Option<Timestamp>,
    /// Whether the process that has its run in hand has not been heard of for too long.
    pub is_lost: bool,
}

#[derive(sqlx::FromRow)]
struct KeptRow {
    id: LeaseId,
    run_id: RunId,
    step: String,
    agent_id: AgentId,
    agent_name: String,
    kind: String,
    name: String,
    mode: String,
    state: String,
    is_own: bool,
    asked_at: Timestamp,
    held_at: Option<Timestamp>,
    owner_until: Option<Timestamp>,
    task_id: Option<QueuedTaskId>,
}

impl KeptRow {
    fn read(self, above: Vec<Party>, lost_before: Option<Timestamp>) -> Result<Kept> {
        let is_lost = self.owner_until.zip(lost_before).is_some_and(|(until, before)| until < before);
        Ok(Kept {
            claim: Claim {
                id: self.id,
                party: Party { run: self.run_id, step: self.step },
                agent: self.agent_name,
                above,
                thing: thing(&self.kind, self.name)?,
                mode: mode(&self.mode)?,
                is_held: self.state == "held",
            },
            agent: self.agent_id,
            task: self.task_id,
            is_own: self.is_own,
            asked_at: self.asked_at,
            held_at: self.held_at,
            is_lost,
        })
    }
}

fn thing(kind: &str, name: String) -> Result<Thing> {
    let kind = ThingKind::parse(kind).ok_or_else(|| Error::inconsistent("agent_lease", "kind", kind))?;
    Ok(Thing { kind, name })
}

fn mode(text: &str) -> Result<LeaseMode> {
    LeaseMode::parse(text).ok_or_else(|| Error::inconsistent("agent_lease", "mode", text))
}

/// The leases of a workspace that are held or waited for, of runs that have not ended, as they were asked for.
const KEPT: &str =
    "select l.id, l.run_id, l.step, l.agent_id, l.agent_name, l.kind, l.name, l.mode, l.state, l.is_own, l.asked_at,
        l.held_at, case when r.owner_id is null then null else r.lease_until end as owner_until,
        (select q.id from agent_queue q where q.run_id = l.run_id order by q.id limit 1) as task_id
     from agent_lease l
     join run r on r.id = l.run_id
     where l.workspace_id = $1 and l.state <> 'over' and r.ended_at is null
     order by l.turn, l.id";
/// Which steps wait for the runs of those, the nearest first.
const ABOVE: &str = "with recursive up (run_id, at_run, at_step, height) as (
         select r.id, r.parent_run_id, r.parent_step, 1
         from run r
         where r.id in (select l.run_id from agent_lease l where l.workspace_id = $1)
             and r.parent_run_id is not null and r.parent_waits
         union all
         select u.run_id, p.parent_run_id, p.parent_step, u.height + 1
         from up u
         join run p on p.id = u.at_run
         where p.parent_run_id is not null and p.parent_waits and u.height < 50
     )
     select run_id, at_run, at_step from up order by run_id, height";

fn join(rows: Vec<KeptRow>, above: Vec<(RunId, RunId, String)>, lost_before: Option<Timestamp>) -> Result<Vec<Kept>> {
    let mut of: HashMap<RunId, Vec<Party>> = HashMap::new();
    for (run, at, step) in above {
        of.entry(run).or_default().push(Party { run: at, step });
    }
    rows.into_iter()
        .map(|row| {
            let above = of.get(&row.run_id).cloned().unwrap_or_default();
            row.read(above, lost_before)
        })
        .collect()
}

/// Those of a workspace, in the order in which they were asked for. A process whose runs should have been prolonged before
/// `lost_before` counts as lost; `None`: none does.
pub async fn list(db: &Db, workspace: WorkspaceId, lost_before: Option<Timestamp>) -> Result<Vec<Kept>> {
    let rows: Vec<KeptRow> = read!(db, conn => query_as(KEPT).bind(workspace).fetch_all(conn).await)?;
    let above = if rows.is_empty() {
        Vec::new()
    } else {
        read!(db, conn => query_as(ABOVE).bind(workspace).fetch_all(conn).await)?
    };
    join(rows, above, lost_before)
}

/// As [`list`], under the gate.
pub async fn list_locked(tx: &mut Tx, workspace: WorkspaceId, lost_before: Option<Timestamp>) -> Result<Vec<Kept>> {
    let rows: Vec<KeptRow> = within!(&mut *tx, conn => query_as(KEPT).bind(workspace).fetch_all(conn).await)?;
    let above = within!(tx, conn => query_as(ABOVE).bind(workspace).fetch_all(conn).await)?;
    join(rows, above, lost_before)
}

/// Takes the gate of a workspace: one at a time asks and grants. Returns the next place among those who ask.
pub async fn lock(tx: &mut Tx, workspace: WorkspaceId) -> Result<i64> {
    Ok(within!(tx, conn => query_scalar(
        "insert into agent_lease_gate (workspace_id, turn) values ($1, 1)
         on conflict (workspace_id) do update set turn = agent_lease_gate.turn + 1
         returning turn",
    )
    .bind(workspace)
    .fetch_one(conn)
    .await)?)
}

/// Whoever asks.
#[derive(Debug, Clone)]
pub struct Ask<'a> {
    /// The id of what is asked for.
    pub id: LeaseId,
    /// In which workspace.
    pub workspace: WorkspaceId,
    /// Who.
    pub party: &'a Party,
    /// The fencing token of the run's owner.
    pub token: i64,
    /// The agent.
    pub agent: AgentId,
    /// Its name.
    pub agent_name: &'a str,
    /// For what.
    pub thing: &'a Thing,
    /// How much of it.
    pub mode: LeaseMode,
    /// Whether a tool asks by itself.
    pub is_own: bool,
    /// Its place.
    pub turn: i64,
    /// When.
    pub now: Timestamp,
}

/// Adds one that waits. False when its run has another owner by now, or has ended.
pub async fn insert(tx: &mut Tx, ask: &Ask<'_>) -> Result<bool> {
    Ok(within!(tx, conn => query(
        "insert into agent_lease (id, workspace_id, run_id, step, agent_id, agent_name, kind, name, mode, state, reason, is_own,
            lease_token, asked_at, turn, untold)
         select $1, r.workspace_id, r.id, $3, $4, $5, $6, $7, $8, 'waiting', '', $9, r.lease_token, $10, $11, $13
         from run r
         where r.id = $2 and r.lease_token = $12 and r.ended_at is null and r.workspace_id = $14",
    )
    .bind(ask.id)
    .bind(ask.party.run)
    .bind(&ask.party.step)
    .bind(ask.agent)
    .bind(ask.agent_name)
    .bind(ask.thing.kind.as_str())
    .bind(&ask.thing.name)
    .bind(ask.mode.as_str())
    .bind(ask.is_own)
    .bind(ask.now)
    .bind(ask.turn)
    .bind(ask.token)
    .bind(false)
    .bind(ask.workspace)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))?)
}

/// Grants one; `untold`: whoever waits for it is to be told.
pub async fn grant(tx: &mut Tx, id: LeaseId, untold: bool, now: Timestamp) -> Result<()> {
    within!(tx, conn => query("update agent_lease set state = 'held', held_at = $2, untold = $3 where id = $1")
        .bind(id)
        .bind(now)
        .bind(untold)
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}

/// Ends one, so that its holder learns why.
pub async fn end(tx: &mut Tx, id: LeaseId, reason: &str, untold: bool) -> Result<()> {
    within!(tx, conn => query("update agent_lease set state = 'over', reason = $2, untold = $3 where id = $1")
        .bind(id)
        .bind(reason)
        .bind(untold)
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}

/// Takes one out.
pub async fn delete(tx: &mut Tx, id: LeaseId) -> Result<()> {
    within!(tx, conn => query("delete from agent_lease where id = $1").bind(id).execute(conn).await.map(drop))?;
    Ok(())
}

/// Why the very same that a step asked for before is over, and whether it had it; takes that out.
pub async fn take_over(tx: &mut Tx, party: &Party, thing: &Thing, mode: LeaseMode) -> Result<Option<(String, bool)>> {
    let row: Option<(String, Option<Timestamp>)> = within!(tx, conn => query_as(
        "delete from agent_lease
         where run_id = $1 and step = $2 and kind = $3 and name = $4 and mode = $5 and state = 'over'
         returning reason, held_at",
    )
    .bind(party.run)
    .bind(&party.step)
    .bind(thing.kind.as_str())
    .bind(&thing.name)
    .bind(mode.as_str())
    .fetch_optional(conn)
    .await)?;
    Ok(row.map(|(reason, held_at)| (reason, held_at.is_some())))
}

/// Gives a thing back, in whatever mode a step has it or waits for it; how many that were.
pub async fn give_back(tx: &mut Tx, party: &Party, thing: &Thing) -> Result<u64> {
    Ok(within!(tx, conn => query(
        "delete from agent_lease where run_id = $1 and step = $2 and kind = $3 and name = $4 and state <> 'over'",
    )
    .bind(party.run)
    .bind(&party.step)
    .bind(thing.kind.as_str())
    .bind(&thing.name)
    .execute(conn)
    .await
    .map(|done| done.rows_affected()))?)
}

/// Takes out what a step has and waits for, with the steps inside of it; `None`: all of the run.
pub async fn release(tx: &mut Tx, run: RunId, step: Option<&str>) -> Result<()> {
    let Some(step) = step else {
        within!(tx, conn => query("delete from agent_lease where run_id = $1").bind(run).execute(conn).await.map(drop))?;
        return Ok(());
    };
    within!(tx, conn => query(
        "delete from agent_lease
         where run_id = $1 and (step = $2 or substr(step, 1, length($3)) = $3 or substr(step, 1, length($4)) = $4)",
    )
    .bind(run)
    .bind(step)
    .bind(format!("{step}["))
    .bind(format!("{step}."))
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// What a step has now.
pub async fn list_held(db: &Db, party: &Party) -> Result<Vec<(Thing, LeaseMode)>> {
    let rows: Vec<(String, String, String)> = read!(db, conn => query_as(
        "select kind, name, mode from agent_lease where run_id = $1 and step = $2 and state = 'held' order by turn, id",
    )
    .bind(party.run)
    .bind(&party.step)
    .fetch_all(conn)
    .await)?;
    rows.into_iter().map(|(kind, name, of)| Ok((thing(&kind, name)?, mode(&of)?))).collect()
}

/// The workspaces in which somebody waits, or is to be told.
pub async fn open_workspaces(db: &Db) -> Result<Vec<WorkspaceId>> {
    Ok(
        read!(db, conn => query_scalar("select distinct workspace_id from agent_lease where state = 'waiting' or untold")
        .fetch_all(conn)
        .await)?,
    )
}

/// Who is to be told, at most `limit`.
pub async fn list_untold(db: &Db, workspace: WorkspaceId, limit: i64) -> Result<Vec<LeaseId>> {
    Ok(read!(db, conn => query_scalar(
        "select id from agent_lease where workspace_id = $1 and (state = 'waiting' or untold) and untold order by turn, id limit $2",
    )
    .bind(workspace)
    .bind(limit)
    .fetch_all(conn)
    .await)?)
}

/// Notes that somebody was told; false when that was noted before, or nobody waits any more.
pub async fn set_told(tx: &mut Tx, id: LeaseId) -> Result<bool> {
    Ok(within!(tx, conn => query("update agent_lease set untold = $2 where id = $1 and untold")
        .bind(id)
        .bind(false)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))?)
}
