//! Rows of runs.

use sqlx::{query, query_as, query_scalar};

use super::Moved;
use crate::db::{Db, Error, Result, Tx};
use crate::model::workflow::{Definition, RunStatus, RunSummary, TriggerKind};
use crate::model::{RunId, Timestamp, UserId, WorkflowId, WorkspaceId};
use crate::{read, within};

/// What does not change in a run.
#[derive(Debug, Clone)]
pub struct Card {
    /// Of what; `None` for a definition that was never stored.
    pub workflow_id: Option<WorkflowId>,
    /// The workflow's name when the run began.
    pub workflow_name: String,
    /// The version; `None` for the draft.
    pub version: Option<i64>,
    /// What set it off.
    pub trigger: TriggerKind,
    /// The name of who started it.
    pub started_by: Option<String>,
    /// Who started it.
    pub started_by_id: Option<UserId>,
    /// All steps of the definition.
    pub steps_total: u32,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// The step of another run that started it.
    pub parent: Option<Parent>,
    /// How many runs are around it; 0 for one that no run started.
    pub depth: u32,
}

/// The step of another run that started this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parent {
    /// Which run.
    pub run: RunId,
    /// The step's path.
    pub step: String,
    /// Its attempt.
    pub attempt: u32,
    /// Whether the step waits for the end, and takes this run with it when it ends before.
    pub waits: bool,
}

/// The columns of a [`CardRow`].
macro_rules! card_columns {
    () => {
        "workflow_id, workflow_name, version, cause, started_by, steps_total, created_at, parent_run_id, parent_step, \
         parent_attempt, parent_waits, depth, started_by_id"
    };
}
pub(super) use card_columns;

#[derive(sqlx::FromRow)]
pub(super) struct CardRow {
    workflow_id: Option<WorkflowId>,
    workflow_name: String,
    version: Option<i64>,
    cause: String,
    started_by: Option<String>,
    steps_total: i64,
    created_at: Timestamp,
    parent_run_id: Option<RunId>,
    parent_step: Option<String>,
    parent_attempt: Option<i64>,
    parent_waits: bool,
    depth: i64,
    started_by_id: Option<UserId>,
}

impl CardRow {
    pub(super) fn read(self) -> Result<Card> {
        Ok(Card {
            workflow_id: self.workflow_id,
            workflow_name: self.workflow_name,
            version: self.version,
            trigger: TriggerKind::parse(&self.cause).ok_or_else(|| Error::inconsistent("run", "cause", &self.cause))?,
            started_by: self.started_by,
            started_by_id: self.started_by_id,
            steps_total: u32::try_from(self.steps_total).unwrap_or(u32::MAX),
            created_at: self.created_at,
            parent: self.parent_run_id.zip(self.parent_step).map(|(run, step)| Parent {
                run,
                step,
                attempt: self.parent_attempt.and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
                waits: self.parent_waits,
            }),
            depth: u32::try_from(self.depth).unwrap_or(u32::MAX),
        })
    }
}

#[derive(sqlx::FromRow)]
struct SummaryRow {
    id: RunId,
    #[sqlx(flatten)]
    card: CardRow,
    status: String,
    headline: Option<String>,
    steps_done: i64,
    started_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
}

impl SummaryRow {
    fn read(self) -> Result<RunSummary> {
        let status =
            RunStatus::parse(&self.status).ok_or_else(|| Error::inconsistent("run", "status", &self.status))?;
        let card = self.card.read()?;
        Ok(RunSummary {
            id: self.id,
            workflow_id: card.workflow_id,
            workflow_name: card.workflow_name,
            version: card.version,
            status,
            trigger: card.trigger,
            started_by: card.started_by,
            parent_run_id: card.parent.map(|parent| parent.run),
            created_at: card.created_at,
            started_at: self.started_at,
            ended_at: self.ended_at,
            headline: self.headline,
            steps_done: u32::try_from(self.steps_done).unwrap_or(u32::MAX),
            steps_total: card.steps_total,
        })
    }
}

/// The row of a run and the hash of its definition.
pub async fn find(db: &Db, workspace: WorkspaceId, run: RunId) -> Result<Option<(RunSummary, Vec<u8>)>> {
    #[derive(sqlx::FromRow)]
    struct Row {
        #[sqlx(flatten)]
        summary: SummaryRow,
        definition_hash: Vec<u8>,
    }
    let row: Option<Row> = read!(db, conn => query_as(concat!(
        "select id, status, headline, steps_done, started_at, ended_at, definition_hash, ",
        card_columns!(),
        " from run where workspace_id = $1 and id = $2",
    ))
    .bind(workspace)
    .bind(run)
    .fetch_optional(conn)
    .await)?;
    row.map(|row| Ok((row.summary.read()?, row.definition_hash))).transpose()
}

/// What a list of runs is narrowed to; `None` does not narrow.
#[derive(Debug, Default)]
pub struct Filter<'a> {
    /// Of one workflow.
    pub workflow_id: Option<WorkflowId>,
    /// In one of these; empty means any.
    pub statuses: &'a [RunStatus],
    /// Set off so.
    pub trigger: Option<TriggerKind>,
    /// Accepted at or after.
    pub since: Option<Timestamp>,
    /// Accepted before.
    pub until: Option<Timestamp>,
    /// A pattern for `like`, lower case, that the workflow's name matches.
    pub name_like: Option<&'a str>,
    /// Of an older version than this one; none of the draft.
    pub older_than_version: Option<i64>,
    /// Older than this run.
    pub before: Option<RunId>,
}

/// The newest runs first, at most `limit`.
pub async fn list(db: &Db, workspace: WorkspaceId, filter: &Filter<'_>, limit: u32) -> Result<Vec<RunSummary>> {
    // `,failed,paused,`: a list in one parameter, which both engines can look into.
    let names: Vec<&str> = filter.statuses.iter().map(|status| status.as_str()).collect();
    let statuses = if names.is_empty() { String::new() } else { format!(",{},", names.join(",")) };
    let rows: Vec<SummaryRow> = read!(db, conn => query_as(concat!(
        "select id, status, headline, steps_done, started_at, ended_at, ",
        card_columns!(),
        " from run
         where workspace_id = $1
             and ($2 is null or workflow_id = $2)
             and ($3 = '' or $3 like '%,' || status || ',%')
             and ($4 is null or cause = $4)
             and ($5 is null or created_at >= $5)
             and ($6 is null or created_at < $6)
             and ($7 is null or lower(workflow_name) like $7 escape '\\')
             and ($8 is null or id < $8)
             and ($10 is null or version < $10)
         order by id desc
         limit $9",
    ))
    .bind(workspace)
    .bind(filter.workflow_id)
    .bind(statuses)
    .bind(filter.trigger.map(TriggerKind::as_str))
    .bind(filter.since)
    .bind(filter.until)
    .bind(filter.name_like)
    .bind(filter.before)
    .bind(i64::from(limit))
    .bind(filter.older_than_version)
    .fetch_all(conn)
    .await)?;
    rows.into_iter().map(SummaryRow::read).collect()
}

/// The newest run of each workflow that was last changed in this time, both ends included.
pub async fn newest_of_each(
    db: &Db,
    workspace: WorkspaceId,
    changed: std::ops::RangeInclusive<Timestamp>,
) -> Result<Vec<RunSummary>> {
    let rows: Vec<SummaryRow> = read!(db, conn => query_as(concat!(
        "select id, status, headline, steps_done, started_at, ended_at, ",
        card_columns!(),
        " from run
         where id in (
             select (select r.id from run r where r.workflow_id = w.id order by r.id desc limit 1)
             from workflow w
             where w.workspace_id = $1 and w.updated_at >= $2 and w.updated_at <= $3
         )",
    ))
    .bind(workspace)
    .bind(*changed.start())
    .bind(*changed.end())
    .fetch_all(conn)
    .await)?;
    rows.into_iter().map(SummaryRow::read).collect()
}

/// Whether what a run keeps on this machine is still of use: it goes on, or it failed after `since` and may be tried again.
pub async fn is_needed(db: &Db, run: RunId, since: Timestamp) -> Result<bool> {
    let row: Option<(String, Option<Timestamp>)> = read!(db, conn => query_as("select status, ended_at from run where id = $1").bind(run).fetch_optional(conn).await)?;
    Ok(row.is_some_and(|(status, ended_at)| match RunStatus::parse(&status) {
        Some(RunStatus::Failed) => ended_at.is_none_or(|at| at >= since),
        Some(status) => !status.is_final(),
        None => true,
    }))
}

/// The run that was started under this key, and the hash of what was asked then.
pub async fn find_by_key(db: &Db, workspace: WorkspaceId, key: &str) -> Result<Option<(RunId, Option<Vec<u8>>)>> {
    Ok(read!(db, conn => query_as("select id, request_hash from run where workspace_id = $1 and idempotency_key = $2")
        .bind(workspace)
        .bind(key)
        .fetch_optional(conn)
        .await)?)
}

/// The definition of a stored workflow: a version, or the newest one, or the draft.
pub async fn find_version(
    db: &Db,
    workspace: WorkspaceId,
    workflow: WorkflowId,
    version: Option<i64>,
) -> Result<Option<(i64, Definition)>> {
    let row: Option<(i64, sqlx::types::Json<Definition>)> = read!(db, conn => query_as(
        "select v.version, v.definition
         from workflow w
         join workflow_version v on v.workflow_id = w.id and v.version = coalesce($3, w.published_version)
         where w.workspace_id = $1 and w.id = $2",
    )
    .bind(workspace)
    .bind(workflow)
    .bind(version)
    .fetch_optional(conn)
    .await)?;
    Ok(row.map(|(version, definition)| (version, definition.0)))
}

/// The number of a workflow's newest version; `None` where none was published, or there is no such workflow.
pub async fn find_published(db: &Db, workspace: WorkspaceId, workflow: WorkflowId) -> Result<Option<i64>> {
    let version: Option<Option<i64>> = read!(db, conn =>
        query_scalar("select published_version from workflow where workspace_id = $1 and id = $2")
            .bind(workspace)
            .bind(workflow)
            .fetch_optional(conn)
            .await)?;
    Ok(version.flatten())
}

/// The draft of a stored workflow, and who saved it, where that is known.
pub async fn find_saved_draft(
    db: &Db,
    workspace: WorkspaceId,
    workflow: WorkflowId,
) -> Result<Option<(Definition, Option<UserId>)>> {
    let row: Option<(sqlx::types::Json<Definition>, Option<UserId>)> = read!(db, conn =>
        query_as("select draft, saved_by from workflow where workspace_id = $1 and id = $2")
            .bind(workspace)
            .bind(workflow)
            .fetch_optional(conn)
            .await)?;
    Ok(row.map(|(draft, saved_by)| (draft.0, saved_by)))
}

/// The draft of a stored workflow.
pub async fn find_draft(db: &Db, workspace: WorkspaceId, workflow: WorkflowId) -> Result<Option<Definition>> {
    let row: Option<(sqlx::types::Json<Definition>,)> = read!(db, conn =>
        query_as("select draft from workflow where workspace_id = $1 and id = $2")
            .bind(workspace)
            .bind(workflow)
            .fetch_optional(conn)
            .await)?;
    Ok(row.map(|(draft,)| draft.0))
}

/// The version that a run was moved to.
pub(super) async fn set_version(tx: &mut Tx, run: RunId, moved: Moved) -> Result<()> {
    within!(tx, conn => query("update run set version = $2, steps_total = $3, keep_days = $4 where id = $1")
        .bind(run)
        .bind(moved.version)
        .bind(i64::from(moved.steps_total))
        .bind(moved.keep_days.map(i64::from))
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}
