//! Tasks that are given to no agent in particular.
//!
//! Every change of a row that somebody else might change repeats how the row was seen: its status and how often it was given. So
//! a task that several processes look at is given by one of them.

use sqlx::types::Json;
use sqlx::{FromRow, query, query_as, query_scalar};

use crate::agents::queue::Held;
use crate::db::{Db, Error, Result, Tx};
use crate::model::agent::{Assignment, QueuedStatus, QueuedTask, TaskDraft};
use crate::model::workflow::RunStatus;
use crate::model::{AgentId, QueuedTaskId, RunId, Timestamp, UserId, WorkspaceId};
use crate::{read, within};

#[derive(FromRow)]
struct QueueRow {
    id: QueuedTaskId,
    asks: Json<TaskDraft>,
    kind: String,
    status: String,
    reason: String,
    attempt: i64,
    agent_id: Option<AgentId>,
    agent_name: Option<String>,
    run_id: Option<RunId>,
    run_status: Option<String>,
    tried: Json<Vec<AgentId>>,
    assignment: Option<Json<Assignment>>,
    given_by_id: Option<UserId>,
    given_by: Option<String>,
    created_at: Timestamp,
    assigned_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
}

/// The status of a task that is assigned, and is being taken from its agent.
const LEAVING: &str = "leaving";

impl TryFrom<QueueRow> for Held {
    type Error = Error;

    fn try_from(row: QueueRow) -> Result<Self> {
        let is_leaving = row.status == LEAVING;
        let known = QueuedStatus::ALL.into_iter().find(|status| status.as_str() == row.status);
        let status = known.or(is_leaving.then_some(QueuedStatus::Assigned));
        let run = row
            .run_status
            .as_deref()
            .map(|text| RunStatus::parse(text).ok_or_else(|| Error::inconsistent("run", "status", text)));
        Ok(Self {
            kind: row.kind,
            tried: row.tried.0,
            by: row.given_by_id.zip(row.given_by.clone()),
            is_leaving,
            run: run.transpose()?,
            task: QueuedTask {
                id: row.id,
                task: row.asks.0,
                status: status.ok_or_else(|| Error::inconsistent("agent_queue", "status", &row.status))?,
                reason: row.reason,
                attempt: u32::try_from(row.attempt).unwrap_or(u32::MAX),
                agent: row.agent_id,
                agent_name: row.agent_name,
                run_id: row.run_id,
                assignment: row.assignment.map(|assignment| assignment.0),
                given_by: row.given_by,
                created_at: row.created_at,
                assigned_at: row.assigned_at,
                ended_at: row.ended_at,
            },
        })
    }
}

/// The columns of a [`QueueRow`], of the task `q` and its run `r`.
macro_rules! columns {
    () => {
        "select q.id, q.asks, q.kind, q.status, q.reason, q.attempt, q.agent_id, q.agent_name, q.run_id, r.status as run_status,
            q.tried, q.assignment, q.given_by_id, q.given_by, q.created_at, q.assigned_at, q.ended_at
         from agent_queue q
         left join run r on r.id = q.run_id "
    };
}

/// Adds a task that waits. `key` is the caller's own: [`Error::Duplicate`] where it was used before.
pub async fn insert(tx: &mut Tx, workspace: WorkspaceId, held: &Held, key: Option<&str>) -> Result<()> {
    let (by_id, by) = held.by.clone().unzip();
    within!(&mut *tx, conn => query(
        "insert into agent_queue (id, workspace_id, asks, kind, topic, priority, status, reason, attempt, tried, given_by_id,
            given_by, created_at, idempotency_key)
         values ($1, $2, $3, $4, $5, $6, 'waiting', '', 0, $7, $8, $9, $10, $11)",
    )
    .bind(held.task.id)
    .bind(workspace)
    .bind(Json(&held.task.task))
    .bind(&held.kind)
    .bind(held.task.task.topic.trim())
    .bind(i64::from(held.task.task.level()))
    .bind(Json(&held.tried))
    .bind(by_id)
    .bind(by.or_else(|| held.task.given_by.clone()))
    .bind(held.task.created_at)
    .bind(key)
    .execute(conn)
    .await
    .map(drop))?;
    for after in &held.task.task.after {
        within!(&mut *tx, conn => query(
            "insert into agent_queue_after (task_id, after_id) values ($1, $2) on conflict do nothing",
        )
        .bind(held.task.id)
        .bind(*after)
        .execute(conn)
        .await
        .map(drop))?;
    }
    Ok(())
}

/// How many of a workspace are not over.
pub async fn count_open(tx: &mut Tx, workspace: WorkspaceId) -> Result<i64> {
    Ok(within!(tx, conn => query_scalar(
        "select count(*) from agent_queue where workspace_id = $1 and status in ('waiting', 'assigned', 'leaving')",
    )
    .bind(workspace)
    .fetch_one(conn)
    .await)?)
}

/// The workspaces in which some are not over.
pub async fn open_workspaces(db: &Db) -> Result<Vec<WorkspaceId>> {
    Ok(read!(db, conn => query_scalar(
        "select distinct workspace_id from agent_queue where status in ('waiting', 'assigned', 'leaving')",
    )
    .fetch_all(conn)
    .await)?)
}

/// The one that was given with this key.
pub async fn find_by_key(db: &Db, workspace: WorkspaceId, key: &str) -> Result<Option<Held>> {
    let row: Option<QueueRow> = read!(db, conn => query_as(concat!(columns!(), "where q.workspace_id = $1 and q.idempotency_key = $2"))
        .bind(workspace)
        .bind(key)
        .fetch_optional(conn)
        .await)?;
    row.map(Held::try_from).transpose()
}

/// One of a workspace.
pub async fn find(db: &Db, workspace: WorkspaceId, id: QueuedTaskId) -> Result<Option<Held>> {
    let row: Option<QueueRow> = read!(db, conn => query_as(concat!(columns!(), "where q.workspace_id = $1 and q.id = $2"))
        .bind(workspace)
        .bind(id)
        .fetch_optional(conn)
        .await)?;
    row.map(Held::try_from).transpose()
}

/// Those of a workspace before one of them, the newest first; those that are being taken from an agent count as assigned.
pub async fn list(
    db: &Db,
    workspace: WorkspaceId,
    status: Option<QueuedStatus>,
    before: Option<QueuedTaskId>,
    limit: u32,
) -> Result<Vec<Held>> {
    let rows: Vec<QueueRow> = read!(db, conn => query_as(concat!(
        columns!(),
        "where q.workspace_id = $1 and ($2 is null or q.id < $2)
            and ($3 is null or q.status = $3 or (q.status = 'leaving' and $3 = 'assigned'))
         order by q.id desc
         limit $4",
    ))
    .bind(workspace)
    .bind(before)
    .bind(status.map(QueuedStatus::as_str))
    .bind(i64::from(limit))
    .fetch_all(conn)
    .await)?;
    rows.into_iter().map(Held::try_from).collect()
}

/// Those that wait for an agent, the most urgent first, then the oldest; those that follow `last`, by its priority and id.
pub async fn list_waiting(
    db: &Db,
    workspace: WorkspaceId,
    last: Option<(u8, QueuedTaskId)>,
    limit: u32,
) -> Result<Vec<Held>> {
    let (level, id) = last.unzip();
    let rows: Vec<QueueRow> = read!(db, conn => query_as(concat!(
        columns!(),
        "where q.workspace_id = $1 and q.status in ('waiting', 'assigned', 'leaving') and q.status = 'waiting'
            and ($2 is null or q.priority < $2 or (q.priority = $2 and q.id > $3))
         order by q.priority desc, q.id
         limit $4",
    ))
    .bind(workspace)
    .bind(level.map(i64::from))
    .bind(id)
    .bind(i64::from(limit))
    .fetch_all(conn)
    .await)?;
    rows.into_iter().map(Held::try_from).collect()
}

/// Those that an agent has.
pub async fn list_assigned(db: &Db, workspace: WorkspaceId) -> Result<Vec<Held>> {
    let rows: Vec<QueueRow> = read!(db, conn => query_as(concat!(
        columns!(),
        "where q.workspace_id = $1 and q.status in ('waiting', 'assigned', 'leaving') and q.status <> 'waiting'
         order by q.id",
    ))
    .bind(workspace)
    .fetch_all(conn)
    .await)?;
    rows.into_iter().map(Held::try_from).collect()
}

/// Those that an agent got since `from`, the newest first.
pub async fn list_given(db: &Db, workspace: WorkspaceId, from: Timestamp, limit: u32) -> Result<Vec<Held>> {
    let rows: Vec<QueueRow> = read!(db, conn => query_as(concat!(
        columns!(),
        "where q.workspace_id = $1 and q.assignment is not null and q.assigned_at >= $2
         order by q.assigned_at desc, q.id desc
         limit $3",
    ))
    .bind(workspace)
    .bind(from)
    .bind(i64::from(limit))
    .fetch_all(conn)
    .await)?;
    rows.into_iter().map(Held::try_from).collect()
}

/// What a task that waits comes after: which task waits, how the other stands (`None`: it is forgotten), and who did it.
pub type After = (QueuedTaskId, Option<String>, Option<AgentId>);

/// What those that wait come after.
pub async fn list_after(db: &Db, workspace: WorkspaceId) -> Result<Vec<After>> {
    Ok(read!(db, conn => query_as(
        "select a.task_id, p.status, p.agent_id
         from agent_queue w
         join agent_queue_after a on a.task_id = w.id
         left join agent_queue p on p.id = a.after_id
         where w.workspace_id = $1 and w.status in ('waiting', 'assigned', 'leaving') and w.status = 'waiting'
         order by a.task_id, a.after_id",
    )
    .bind(workspace)
    .fetch_all(conn)
    .await)?)
}

/// Who was last given a task of this topic.
pub async fn find_last_at(db: &Db, workspace: WorkspaceId, topic: &str) -> Result<Option<AgentId>> {
    Ok(read!(db, conn => query_scalar(
        "select agent_id
         from agent_queue
         where workspace_id = $1 and topic = $2 and topic <> '' and assigned_at is not null and agent_id is not null
         order by assigned_at desc, id desc
         limit 1",
    )
    .bind(workspace)
    .bind(topic)
    .fetch_optional(conn)
    .await)?)
}

/// Gives one that waits to an agent; false when it does not wait any more, or was given since.
pub async fn assign(tx: &mut Tx, held: &Held, assignment: &Assignment, now: Timestamp) -> Result<bool> {
    Ok(within!(tx, conn => query(
        "update agent_queue
         set status = 'assigned', reason = '', attempt = attempt + 1, agent_id = $3, agent_name = $4, assignment = $5,
            assigned_at = $6, run_id = null
         where id = $1 and attempt = $2 and status = 'waiting'",
    )
    .bind(held.task.id)
    .bind(i64::from(held.task.attempt))
    .bind(assignment.agent)
    .bind(&assignment.name)
    .bind(Json(assignment))
    .bind(now)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))?)
}

/// Notes the run in which one is done; false when it was taken from the agent, or cancelled, since.
pub async fn set_run(tx: &mut Tx, held: &Held, run: RunId) -> Result<bool> {
    Ok(within!(tx, conn => query(
        "update agent_queue set run_id = $3 where id = $1 and attempt = $2 and status = 'assigned'",
    )
    .bind(held.task.id)
    .bind(i64::from(held.task.attempt))
    .bind(run)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))?)
}

/// Begins to take one from its agent; false when it was settled since.
pub async fn leave(tx: &mut Tx, held: &Held, reason: &str) -> Result<bool> {
    Ok(within!(tx, conn => query(
        "update agent_queue set status = 'leaving', reason = $3 where id = $1 and attempt = $2 and status = 'assigned'",
    )
    .bind(held.task.id)
    .bind(i64::from(held.task.attempt))
    .bind(reason)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))?)
}

/// Lets one wait for another agent; false when it was settled since.
pub async fn give_back(tx: &mut Tx, held: &Held, tried: &[AgentId], reason: &str) -> Result<bool> {
    Ok(within!(tx, conn => query(
        "update agent_queue set status = 'waiting', reason = $3, tried = $4, run_id = null
         where id = $1 and attempt = $2 and status in ('assigned', 'leaving')",
    )
    .bind(held.task.id)
    .bind(i64::from(held.task.attempt))
    .bind(reason)
    .bind(Json(tried))
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))?)
}

/// Ends one that is not over; false when it is, or was given since.
pub async fn settle(tx: &mut Tx, held: &Held, status: QueuedStatus, reason: &str, now: Timestamp) -> Result<bool> {
    Ok(within!(tx, conn => query(
        "update agent_queue set status = $3, reason = $4, ended_at = $5
         where id = $1 and attempt = $2 and status in ('waiting', 'assigned', 'leaving')",
    )
    .bind(held.task.id)
    .bind(i64::from(held.task.attempt))
    .bind(status.as_str())
    .bind(reason)
    .bind(now)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))?)
}

/// Says why one stands as it does; false when it says so already, or was given since.
pub async fn set_reason(tx: &mut Tx, held: &Held, reason: &str) -> Result<bool> {
    Ok(within!(tx, conn => query(
        "update agent_queue set reason = $3 where id = $1 and attempt = $2 and ended_at is null and reason <> $3",
    )
    .bind(held.task.id)
    .bind(i64::from(held.task.attempt))
    .bind(reason)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))?)
}

/// Deletes those that were over before `before` and that none comes after that waits, at most `limit`; returns how many.
pub async fn delete_old(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<u64> {
    Ok(within!(tx, conn => query(
        "delete from agent_queue
         where id in (
            select q.id
            from agent_queue q
            where q.ended_at < $1
               and not exists (
                  select 1
                  from agent_queue_after a
                  join agent_queue w on w.id = a.task_id
                  where a.after_id = q.id and w.ended_at is null
               )
            order by q.ended_at
            limit $2
         )",
    )
    .bind(before)
    .bind(limit)
    .execute(conn)
    .await
    .map(|done| done.rows_affected()))?)
}
