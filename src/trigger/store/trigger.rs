//! Rows of triggers.

use serde_json::Value;
use sqlx::types::Json;
use sqlx::{FromRow, query, query_as, query_scalar};

use crate::db::{Db, Result, Tx};
use crate::model::trigger::{Config, Kind, TriggerFilter};
use crate::model::{Timestamp, TriggerId, UserId, WorkflowId, WorkspaceId};
use crate::{read, within};

/// The columns of a [`TriggerRow`].
macro_rules! trigger_columns {
    () => {
        "t.id, t.workspace_id, t.workflow_id, t.name, t.config, t.inputs, t.enabled, t.next_at, t.seen_change, t.revision,
         t.created_at, t.updated_at"
    };
}
pub(super) use trigger_columns;

/// A stored trigger.
#[derive(Debug, Clone, FromRow)]
pub struct TriggerRow {
    /// Its id.
    pub id: TriggerId,
    /// Whose.
    pub workspace_id: WorkspaceId,
    /// What it starts.
    pub workflow_id: WorkflowId,
    /// Its name.
    pub name: String,
    /// What it waits for.
    pub config: Json<Config>,
    /// The template of the inputs.
    pub inputs: Json<Value>,
    /// Whether it fires.
    pub enabled: bool,
    /// When a schedule is due.
    pub next_at: Option<Timestamp>,
    /// Up to which change of memory it has looked.
    pub seen_change: Option<i64>,
    /// Goes up with each edit.
    pub revision: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed.
    pub updated_at: Timestamp,
}

impl TriggerRow {
    /// What it waits for.
    pub const fn kind(&self) -> Kind {
        self.config.0.kind()
    }
}

/// A trigger with what a list shows beside it.
#[derive(Debug, Clone, FromRow)]
pub struct ListedRow {
    /// The trigger.
    #[sqlx(flatten)]
    pub trigger: TriggerRow,
    /// The name of what it starts.
    pub workflow_name: String,
    /// Its newest version.
    pub published_version: Option<i64>,
    /// Who made it.
    pub creator: Option<String>,
}

/// What a person can set.
#[derive(Debug)]
pub struct Written<'a> {
    /// What it starts.
    pub workflow_id: WorkflowId,
    /// Its name.
    pub name: &'a str,
    /// What it waits for.
    pub config: &'a Config,
    /// The template of the inputs.
    pub inputs: &'a Value,
    /// Whether it fires.
    pub enabled: bool,
    /// When a schedule is due.
    pub next_at: Option<Timestamp>,
    /// From which change of memory on it looks.
    pub seen_change: Option<i64>,
}

/// Adds a trigger.
pub async fn insert(
    tx: &mut Tx,
    workspace: WorkspaceId,
    id: TriggerId,
    by: Option<UserId>,
    trigger: &Written<'_>,
    now: Timestamp,
) -> Result<()> {
    within!(tx, conn => query(
        "insert into run_trigger (id, workspace_id, workflow_id, kind, name, config, inputs, enabled, next_at, seen_change,
            revision, created_by, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1, $11, $12, $12)",
    )
    .bind(id)
    .bind(workspace)
    .bind(trigger.workflow_id)
    .bind(trigger.config.kind().as_str())
    .bind(trigger.name)
    .bind(Json(trigger.config))
    .bind(Json(trigger.inputs))
    .bind(trigger.enabled)
    .bind(trigger.next_at)
    .bind(trigger.seen_change)
    .bind(by)
    .bind(now)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// Changes a trigger that is at `revision`; false when it is not any more.
pub async fn update(
    tx: &mut Tx,
    workspace: WorkspaceId,
    id: TriggerId,
    revision: i64,
    trigger: &Written<'_>,
    now: Timestamp,
) -> Result<bool> {
    Ok(within!(tx, conn => query(
        "update run_trigger set
            workflow_id = $4,
            name = $5,
            config = $6,
            inputs = $7,
            enabled = $8,
            next_at = $9,
            seen_change = $10,
            revision = revision + 1,
            updated_at = $11
         where workspace_id = $1 and id = $2 and revision = $3",
    )
    .bind(workspace)
    .bind(id)
    .bind(revision)
    .bind(trigger.workflow_id)
    .bind(trigger.name)
    .bind(Json(trigger.config))
    .bind(Json(trigger.inputs))
    .bind(trigger.enabled)
    .bind(trigger.next_at)
    .bind(trigger.seen_change)
    .bind(now)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))?)
}

/// Deletes a trigger with its firings and keys; false when there is none.
pub async fn delete(tx: &mut Tx, workspace: WorkspaceId, id: TriggerId) -> Result<bool> {
    Ok(within!(tx, conn => query("delete from run_trigger where workspace_id = $1 and id = $2")
        .bind(workspace)
        .bind(id)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))?)
}

/// How many triggers a workspace has.
pub async fn count(tx: &mut Tx, workspace: WorkspaceId) -> Result<i64> {
    Ok(within!(tx, conn => query_scalar("select count(*) from run_trigger where workspace_id = $1")
        .bind(workspace)
        .fetch_one(conn)
        .await)?)
}

/// One trigger.
pub async fn find(db: &Db, workspace: WorkspaceId, id: TriggerId) -> Result<Option<TriggerRow>> {
    Ok(read!(db, conn => query_as(concat!(
        "select ",
        trigger_columns!(),
        " from run_trigger t where t.workspace_id = $1 and t.id = $2",
    ))
    .bind(workspace)
    .bind(id)
    .fetch_optional(conn)
    .await)?)
}

/// The triggers of a workspace, newest first; `id` narrows to one.
pub async fn list(
    db: &Db,
    workspace: WorkspaceId,
    filter: &TriggerFilter,
    id: Option<TriggerId>,
    before: Option<TriggerId>,
    limit: u32,
) -> Result<Vec<ListedRow>> {
    Ok(read!(db, conn => query_as(concat!(
        "select ",
        trigger_columns!(),
        ", w.name as workflow_name, w.published_version, u.name as creator
         from run_trigger t
         join workflow w on w.id = t.workflow_id
         left join app_user u on u.id = t.created_by
         where t.workspace_id = $1
             and ($2 is null or t.kind = $2)
             and ($3 is null or t.workflow_id = $3)
             and ($4 is null or t.id = $4)
             and ($5 is null or t.id < $5)
         order by t.id desc
         limit $6",
    ))
    .bind(workspace)
    .bind(filter.kind.map(Kind::as_str))
    .bind(filter.workflow_id)
    .bind(id)
    .bind(before)
    .bind(i64::from(limit))
    .fetch_all(conn)
    .await)?)
}

/// Whose runs' ends a trigger waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watched {
    /// Nobody's.
    Nothing,
    /// One workflow's.
    Workflow(WorkflowId),
    /// Any of the workspace.
    Workspace,
}

/// Has the ends of runs told to this trigger, or no more.
pub async fn watch_runs(tx: &mut Tx, workspace: WorkspaceId, id: TriggerId, watched: Watched) -> Result<()> {
    within!(tx, conn => query("delete from run_watch where id = $1").bind(id).execute(conn).await.map(drop))?;
    let of = match watched {
        Watched::Nothing => return Ok(()),
        Watched::Workflow(workflow) => Some(workflow),
        Watched::Workspace => None,
    };
    within!(tx, conn => query("insert into run_watch (id, workspace_id, workflow_id) values ($1, $2, $3)")
        .bind(id)
        .bind(workspace)
        .bind(of)
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}

/// Whether anybody waits for changes of memory, and whether for the ends of runs.
pub async fn interests(db: &Db) -> Result<(bool, bool)> {
    Ok(read!(db, conn => query_as(
        "select exists (select 1 from run_trigger where seen_change is not null), exists (select 1 from run_watch)",
    )
    .fetch_one(conn)
    .await)?)
}

/// Those who wait for changes of memory and have not seen all.
pub async fn behind_in_memory(db: &Db) -> Result<Vec<TriggerRow>> {
    Ok(read!(db, conn => query_as(concat!(
        "select ",
        trigger_columns!(),
        " from run_trigger t
         join memory_change c on c.workspace_id = t.workspace_id
         where t.seen_change is not null and t.seen_change < c.last_change
         order by t.id",
    ))
    .fetch_all(conn)
    .await)?)
}

/// Notes how far a trigger has looked; false when somebody else was faster.
pub async fn set_seen(tx: &mut Tx, id: TriggerId, before: i64, seen: i64) -> Result<bool> {
    Ok(within!(tx, conn => query("update run_trigger set seen_change = $3 where id = $1 and seen_change = $2")
        .bind(id)
        .bind(before)
        .bind(seen)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))?)
}
