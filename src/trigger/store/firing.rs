//! Rows of firings.

use serde_json::Value;
use sqlx::{FromRow, query, query_as, query_scalar};

use crate::db::{Db, Error, Result, Tx};
use crate::model::trigger::{Firing, Outcome};
use crate::model::{FiringId, RunId, Timestamp, TriggerId, UserId, WorkflowId, WorkspaceId};
use crate::{read, within};

/// A firing to write down.
#[derive(Debug, Clone)]
pub struct NewFiring {
    /// Its id.
    pub id: FiringId,
    /// Whose workspace.
    pub workspace: WorkspaceId,
    /// Whose.
    pub trigger: TriggerId,
    /// Now.
    pub at: Timestamp,
    /// The moment of the schedule.
    pub scheduled_for: Option<Timestamp>,
    /// What it is about; fires once.
    pub occasion: Option<String>,
    /// How it stands.
    pub outcome: Outcome,
    /// Why.
    pub reason: String,
    /// The run of the first time, for a repeat.
    pub run_id: Option<RunId>,
    /// How many triggers led to it.
    pub depth: i64,
    /// What set it off.
    pub event: Value,
    /// What the run will be given, while it is being started.
    pub inputs: Option<Value>,
    /// Who fired by hand.
    pub fired_by: Option<(UserId, String)>,
}

#[derive(Debug, Clone, FromRow)]
struct FiringRow {
    id: FiringId,
    trigger_id: TriggerId,
    at: Timestamp,
    scheduled_for: Option<Timestamp>,
    outcome: String,
    reason: String,
    run_id: Option<RunId>,
    event: String,
}

impl FiringRow {
    fn read(self) -> Result<Firing> {
        let outcome = Outcome::parse(&self.outcome)
            .ok_or_else(|| Error::inconsistent("trigger_firing", "outcome", &self.outcome))?;
        Ok(Firing {
            id: self.id,
            trigger_id: self.trigger_id,
            at: self.at,
            scheduled_for: self.scheduled_for,
            outcome,
            reason: self.reason,
            run_id: self.run_id,
            event: serde_json::from_str(&self.event).unwrap_or_default(),
        })
    }
}

/// A firing whose run is to be started.
#[derive(Debug, Clone, PartialEq)]
pub struct Open {
    /// Its id.
    pub id: FiringId,
    /// Whose workspace.
    pub workspace: WorkspaceId,
    /// Whose.
    pub trigger: TriggerId,
    /// What kind of trigger.
    pub kind: String,
    /// What to start.
    pub workflow: WorkflowId,
    /// What it is about.
    pub occasion: String,
    /// What the run is given.
    pub inputs: Value,
    /// Who fired by hand, and counts as who started the run.
    pub fired_by: Option<(UserId, String)>,
}

#[derive(Debug, FromRow)]
struct OpenRow {
    id: FiringId,
    workspace_id: WorkspaceId,
    trigger_id: TriggerId,
    kind: String,
    workflow_id: WorkflowId,
    occasion: Option<String>,
    inputs: Option<String>,
    fired_by: Option<String>,
    fired_by_id: Option<UserId>,
}

impl OpenRow {
    fn read(self) -> Open {
        Open {
            occasion: self.occasion.unwrap_or_else(|| self.id.to_string()),
            id: self.id,
            workspace: self.workspace_id,
            trigger: self.trigger_id,
            kind: self.kind,
            workflow: self.workflow_id,
            inputs: self.inputs.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default(),
            fired_by: self.fired_by_id.zip(self.fired_by),
        }
    }
}

/// Writes a firing down; false when the trigger fired on this occasion before.
pub async fn insert(tx: &mut Tx, firing: &NewFiring) -> Result<bool> {
    // Postgres' text takes no NUL.
    let reason = firing.reason.replace('\0', "");
    Ok(within!(tx, conn => query(
        "insert into trigger_firing (id, workspace_id, trigger_id, at, scheduled_for, occasion, outcome, reason, run_id, depth,
            event, inputs, fired_by, fired_by_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
         on conflict (trigger_id, occasion) do nothing",
    )
    .bind(firing.id)
    .bind(firing.workspace)
    .bind(firing.trigger)
    .bind(firing.at)
    .bind(firing.scheduled_for)
    .bind(firing.occasion.as_deref())
    .bind(firing.outcome.as_str())
    .bind(reason.as_str())
    .bind(firing.run_id)
    .bind(firing.depth)
    .bind(firing.event.to_string())
    .bind(firing.inputs.as_ref().map(Value::to_string))
    .bind(firing.fired_by.as_ref().map(|(_, name)| name.replace('\0', "")))
    .bind(firing.fired_by.as_ref().map(|(id, _)| *id))
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))?)
}

/// How a firing whose run was to be started ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// Which.
    pub id: FiringId,
    /// How.
    pub outcome: Outcome,
    /// Why.
    pub reason: String,
    /// The run.
    pub run_id: Option<RunId>,
}

/// Writes down how a firing ended, unless somebody did.
pub async fn settle(tx: &mut Tx, settled: &Settled) -> Result<()> {
    let reason = settled.reason.replace('\0', "");
    within!(tx, conn => query(
        "update trigger_firing set
            outcome = $2,
            reason = case when $3 = '' then reason else $3 end,
            run_id = $4,
            -- Who sends a call again under the same id may have more luck.
            occasion = case when $2 = 'failed' and occasion like 'id:%' then null else occasion end,
            inputs = null
         where id = $1 and outcome = 'starting'",
    )
    .bind(settled.id)
    .bind(settled.outcome.as_str())
    .bind(reason.as_str())
    .bind(settled.run_id)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// Firings whose run was not started since `before`: whoever claimed them died or was refused for the moment.
pub async fn list_open(db: &Db, before: Timestamp, limit: u32) -> Result<Vec<Open>> {
    let rows: Vec<OpenRow> = read!(db, conn => query_as(
        "select f.id, f.workspace_id, f.trigger_id, t.kind, t.workflow_id, f.occasion, f.inputs, f.fired_by, f.fired_by_id
         from trigger_firing f
         join run_trigger t on t.id = f.trigger_id
         where f.outcome = 'starting' and f.at <= $1
         order by f.at
         limit $2",
    )
    .bind(before)
    .bind(i64::from(limit))
    .fetch_all(conn)
    .await)?;
    Ok(rows.into_iter().map(OpenRow::read).collect())
}

/// When the oldest firing was claimed whose run is not started yet.
pub async fn oldest_open(db: &Db) -> Result<Option<Timestamp>> {
    Ok(read!(db, conn => query_scalar("select min(at) from trigger_firing where outcome = 'starting'")
        .fetch_one(conn)
        .await)?)
}

/// The firing of an occasion, and what is to be started if it is not yet. Both are of one moment: read after one another,
/// a firing settled in between would be neither open nor have a run.
pub async fn find_occasion(db: &Db, trigger: TriggerId, occasion: &str) -> Result<Option<(Firing, Option<Open>)>> {
    #[derive(FromRow)]
    struct Row {
        #[sqlx(flatten)]
        firing: FiringRow,
        #[sqlx(flatten)]
        open: OpenColumns,
    }
    #[derive(FromRow)]
    struct OpenColumns {
        workspace_id: WorkspaceId,
        kind: String,
        workflow_id: WorkflowId,
        occasion: Option<String>,
        inputs: Option<String>,
        fired_by: Option<String>,
        fired_by_id: Option<UserId>,
    }
    let row: Option<Row> = read!(db, conn => query_as(
        "select f.id, f.trigger_id, f.at, f.scheduled_for, f.outcome, f.reason, f.run_id, f.event,
            f.workspace_id, t.kind, t.workflow_id, f.occasion, f.inputs, f.fired_by, f.fired_by_id
         from trigger_firing f
         join run_trigger t on t.id = f.trigger_id
         where f.trigger_id = $1 and f.occasion = $2",
    )
    .bind(trigger)
    .bind(occasion)
    .fetch_optional(conn)
    .await)?;
    let Some(Row { firing, open }) = row else { return Ok(None) };
    let firing = firing.read()?;
    let OpenColumns { workspace_id, kind, workflow_id, occasion, inputs, fired_by, fired_by_id } = open;
    let id = firing.id;
    let open =
        OpenRow { id, workspace_id, trigger_id: trigger, kind, workflow_id, occasion, inputs, fired_by, fired_by_id };
    let is_open = firing.outcome == Outcome::Starting;
    Ok(Some((firing, is_open.then(|| open.read()))))
}

/// One firing.
pub async fn find(db: &Db, id: FiringId) -> Result<Option<Firing>> {
    let row: Option<FiringRow> = read!(db, conn => query_as(
        "select id, trigger_id, at, scheduled_for, outcome, reason, run_id, event from trigger_firing where id = $1",
    )
    .bind(id)
    .fetch_optional(conn)
    .await)?;
    row.map(FiringRow::read).transpose()
}

/// The firings of one trigger, or of all in the workspace, newest first.
pub async fn list(
    db: &Db,
    workspace: WorkspaceId,
    trigger: Option<TriggerId>,
    before: Option<FiringId>,
    limit: u32,
) -> Result<Vec<Firing>> {
    let rows: Vec<FiringRow> = read!(db, conn => query_as(
        "select id, trigger_id, at, scheduled_for, outcome, reason, run_id, event
         from trigger_firing
         where workspace_id = $1 and ($2 is null or trigger_id = $2) and ($3 is null or id < $3)
         order by id desc
         limit $4",
    )
    .bind(workspace)
    .bind(trigger)
    .bind(before)
    .bind(i64::from(limit))
    .fetch_all(conn)
    .await)?;
    rows.into_iter().map(FiringRow::read).collect()
}

/// The newest firing of each trigger whose id lies in this range.
pub async fn newest_of_each(
    db: &Db,
    workspace: WorkspaceId,
    triggers: std::ops::RangeInclusive<TriggerId>,
) -> Result<Vec<Firing>> {
    let rows: Vec<FiringRow> = read!(db, conn => query_as(
        "select id, trigger_id, at, scheduled_for, outcome, reason, run_id, event
         from trigger_firing
         where id in (
             select (select f.id from trigger_firing f where f.trigger_id = t.id order by f.id desc limit 1)
             from run_trigger t
             where t.workspace_id = $1 and t.id >= $2 and t.id <= $3
         )",
    )
    .bind(workspace)
    .bind(*triggers.start())
    .bind(*triggers.end())
    .fetch_all(conn)
    .await)?;
    rows.into_iter().map(FiringRow::read).collect()
}

/// How many triggers led to a run, one by the run of the other; `None` when none did.
pub async fn depth_of(db: &Db, run: RunId) -> Result<Option<i64>> {
    Ok(read!(db, conn => query_scalar("select max(depth) from trigger_firing where run_id = $1")
        .bind(run)
        .fetch_one(conn)
        .await)?)
}

/// The workspaces that say for how many days they keep what has ended.
pub async fn list_keeping(db: &Db) -> Result<Vec<(WorkspaceId, i64)>> {
    Ok(read!(db, conn => query_as("select id, retention_days from workspace where retention_days is not null")
        .fetch_all(conn)
        .await)?)
}

/// Deletes firings from before `before`, of one workspace or of all that don't say for how long; at most `limit`. Returns how
/// many.
pub async fn delete_old(tx: &mut Tx, workspace: Option<WorkspaceId>, before: Timestamp, limit: i64) -> Result<u64> {
    Ok(within!(tx, conn => query(
        "delete from trigger_firing where id in (
            select f.id
            from trigger_firing f
            join workspace w on w.id = f.workspace_id
            where f.at < $1 and f.outcome <> 'starting' and (w.id = $3 or ($3 is null and w.retention_days is null))
            order by f.at
            limit $2
         )",
    )
    .bind(before)
    .bind(limit)
    .bind(workspace)
    .execute(conn)
    .await
    .map(|done| done.rows_affected()))?)
}

/// Deletes what a trigger has beyond its newest `keep` firings and that is from before `before`; at most `limit`.
pub async fn delete_beyond(tx: &mut Tx, keep: i64, before: Timestamp, limit: i64) -> Result<u64> {
    Ok(within!(tx, conn => query(
        // The oldest that stays is looked for once a trigger, and not once a firing.
        "with kept as materialized (
            select
                t.id as trigger_id,
                (select k.id from trigger_firing k where k.trigger_id = t.id order by k.id desc limit 1 offset $1) as oldest
            from run_trigger t
         )
         delete from trigger_firing where id in (
            select f.id
            from kept
            join trigger_firing f on f.trigger_id = kept.trigger_id and f.id < kept.oldest
            where f.at < $2 and f.outcome <> 'starting'
            limit $3
         )",
    )
    .bind(keep - 1)
    .bind(before)
    .bind(limit)
    .execute(conn)
    .await
    .map(|done| done.rows_affected()))?)
}
