//! Agents and their tasks, beside their runs.

use sqlx::types::Json;
use sqlx::{FromRow, query_as};

use super::status as run_status;
use crate::db::{Db, Error, Result};
use crate::model::agent::{Agent, AgentSpec, AgentTask, Processes, TaskStatus, WaitsFor};
use crate::model::workflow::RunStatus;
use crate::model::{AgentId, RunId, Timestamp, WorkspaceId};
use crate::monitor::agents::{Asking, Place, standing};
use crate::read;

#[derive(FromRow)]
struct AgentRow {
    id: AgentId,
    name: String,
    version: i64,
    spec: Json<AgentSpec>,
    stopped_at: Option<Timestamp>,
    stopped_by: Option<String>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

/// All agents of a workspace by name, whatever its case, or only one.
pub async fn list(db: &Db, workspace: WorkspaceId, one: Option<AgentId>) -> Result<Vec<Agent>> {
    let rows: Vec<AgentRow> = read!(db, conn => query_as(
        "select id, name, version, spec, stopped_at, stopped_by, created_at, updated_at
         from agent
         where workspace_id = $1 and ($2 is null or id = $2)
         order by lower(name), id",
    )
    .bind(workspace)
    .bind(one)
    .fetch_all(conn)
    .await)?;
    let agent = |row: AgentRow| {
        let AgentRow { id, name, version, spec, stopped_at, stopped_by, created_at, updated_at } = row;
        Agent { id, name, version, spec: spec.0, stopped_at, stopped_by, created_at, updated_at }
    };
    Ok(rows.into_iter().map(agent).collect())
}

/// Tasks of an agent that are alike.
pub struct Count {
    pub agent_id: AgentId,
    /// As the step noted.
    pub status: TaskStatus,
    /// The run's; `None` for one that is gone.
    pub run: Option<RunStatus>,
    /// Whether something was done of them since the moment that was asked for.
    pub is_recent: bool,
    pub number: u32,
    /// What they wait for, if they do.
    pub waits_for: Option<WaitsFor>,
    /// Of those that began since.
    pub cost_micros: i64,
}

#[derive(FromRow)]
struct CountRow {
    agent_id: AgentId,
    status: String,
    run_status: Option<String>,
    is_recent: bool,
    waits_for: Option<String>,
    count: i64,
    cost_micros: i64,
}

/// The tasks of all agents, or of one, that something was done of since `from`, and those that may not be over.
pub async fn count_tasks(db: &Db, workspace: WorkspaceId, one: Option<AgentId>, from: Timestamp) -> Result<Vec<Count>> {
    let rows: Vec<CountRow> = read!(db, conn => query_as(
        "select
            t.agent_id,
            t.status,
            r.status as run_status,
            t.active_at >= $2 as is_recent,
            t.waits_for,
            count(*) as count,
            cast(sum(case when t.started_at >= $2 then t.cost_micros else 0 end) as bigint) as cost_micros
         from agent_task t
         left join run r on r.id = t.run_id
         where t.workspace_id = $1 and ($3 is null or t.agent_id = $3) and not t.is_trial
            and (t.active_at >= $2 or t.status in ('working', 'waiting') or t.status = 'queued')
         group by t.agent_id, t.status, r.status, 4, t.waits_for",
    )
    .bind(workspace)
    .bind(from)
    .bind(one)
    .fetch_all(conn)
    .await)?;
    let count = |row: CountRow| {
        Ok(Count {
            agent_id: row.agent_id,
            status: task_status(&row.status)?,
            run: row.run_status.as_deref().map(run_status).transpose()?,
            is_recent: row.is_recent,
            waits_for: row.waits_for.as_deref().and_then(WaitsFor::parse),
            number: u32::try_from(row.count).unwrap_or(u32::MAX),
            cost_micros: row.cost_micros,
        })
    };
    rows.into_iter().map(count).collect()
}

/// The tasks that wait for people, by their agents.
pub async fn list_asking(
    db: &Db,
    workspace: WorkspaceId,
    one: Option<AgentId>,
    limit: u32,
) -> Result<Vec<(AgentId, Asking)>> {
    let rows: Vec<(AgentId, RunId, String)> = read!(db, conn => query_as(
        "select t.agent_id, t.run_id, t.step
         from agent_task t
         join run r on r.id = t.run_id
         where t.workspace_id = $1 and ($2 is null or t.agent_id = $2) and not t.is_trial
            and t.status = 'waiting' and t.waits_for = 'people' and r.ended_at is null
         order by t.active_at desc
         limit $3",
    )
    .bind(workspace)
    .bind(one)
    .bind(i64::from(limit))
    .fetch_all(conn)
    .await)?;
    Ok(rows.into_iter().map(|(agent, run, step)| (agent, (run, step))).collect())
}

#[derive(FromRow)]
struct TaskRow {
    agent_id: AgentId,
    run_id: RunId,
    step: String,
    workflow_name: String,
    version: i64,
    prompt: String,
    status: String,
    run_status: Option<String>,
    turns: i64,
    tokens: i64,
    cost_micros: i64,
    cpu_ms: i64,
    memory_mb: i64,
    waits_for: Option<String>,
    started_at: Timestamp,
    active_at: Timestamp,
}

impl TryFrom<TaskRow> for AgentTask {
    type Error = Error;

    fn try_from(row: TaskRow) -> Result<Self> {
        let run = row.run_status.as_deref().map(run_status).transpose()?;
        let status = standing(task_status(&row.status)?, run);
        Ok(Self {
            run_id: row.run_id,
            step: row.step,
            workflow_name: row.workflow_name,
            version: row.version,
            prompt: row.prompt,
            status,
            turns: u32::try_from(row.turns).unwrap_or(u32::MAX),
            tokens: row.tokens,
            cost_micros: row.cost_micros,
            processes: Processes { cpu_ms: row.cpu_ms, memory_mb: row.memory_mb },
            // What was noted while it waited holds for no longer than it does.
            waits_for: row.waits_for.as_deref().and_then(WaitsFor::parse).filter(|_| status == TaskStatus::Waiting),
            started_at: row.started_at,
            active_at: row.active_at,
        })
    }
}

fn task_status(text: &str) -> Result<TaskStatus> {
    TaskStatus::parse(text).ok_or_else(|| Error::inconsistent("agent_task", "status", text))
}

/// The columns of a [`TaskRow`], of the task `t` and its run `r`.
macro_rules! task_columns {
    () => {
        "t.agent_id, t.run_id, t.step, t.workflow_name, t.version, t.prompt, t.status, r.status as run_status, t.turns, t.tokens,
            t.cost_micros, t.cpu_ms, t.memory_mb, t.waits_for, t.started_at, t.active_at"
    };
}

/// The task that each agent, or one, last did something of.
pub async fn list_latest(db: &Db, workspace: WorkspaceId, one: Option<AgentId>) -> Result<Vec<(AgentId, AgentTask)>> {
    let rows: Vec<TaskRow> = read!(db, conn => query_as(concat!(
        "select ",
        task_columns!(),
        " from agent a
         join agent_task t on (t.run_id, t.step) = (
            select l.run_id, l.step
            from agent_task l
            where l.agent_id = a.id and not l.is_trial
            order by l.active_at desc, l.run_id desc, l.step desc
            limit 1
         )
         left join run r on r.id = t.run_id
         where a.workspace_id = $1 and ($2 is null or a.id = $2)",
    ))
    .bind(workspace)
    .bind(one)
    .fetch_all(conn)
    .await)?;
    rows.into_iter().map(|row| Ok((row.agent_id, row.try_into()?))).collect()
}

/// The tasks of an agent that began before a place, the last first.
pub async fn list_tasks(
    db: &Db,
    workspace: WorkspaceId,
    agent: AgentId,
    before: Option<&Place>,
    limit: u32,
) -> Result<Vec<AgentTask>> {
    let rows: Vec<TaskRow> = read!(db, conn => query_as(concat!(
        "select ",
        task_columns!(),
        " from agent_task t
         left join run r on r.id = t.run_id
         where t.workspace_id = $1 and t.agent_id = $2 and not t.is_trial
            and ($3 is null or (t.started_at, t.run_id, t.step) < ($3, $4, $5))
         order by t.started_at desc, t.run_id desc, t.step desc
         limit $6",
    ))
    .bind(workspace)
    .bind(agent)
    .bind(before.map(|place| place.started_at))
    .bind(before.map(|place| place.run_id))
    .bind(before.map(|place| place.step.as_str()))
    .bind(i64::from(limit))
    .fetch_all(conn)
    .await)?;
    rows.into_iter().map(AgentTask::try_from).collect()
}

/// The tasks of an agent that began since `from`, the last first.
pub async fn list_tasks_since(
    db: &Db,
    workspace: WorkspaceId,
    agent: AgentId,
    from: Timestamp,
    limit: u32,
) -> Result<Vec<AgentTask>> {
    let rows: Vec<TaskRow> = read!(db, conn => query_as(concat!(
        "select ",
        task_columns!(),
        " from agent_task t
         left join run r on r.id = t.run_id
         where t.workspace_id = $1 and t.agent_id = $2 and not t.is_trial and t.started_at >= $3
         order by t.started_at desc, t.run_id desc, t.step desc
         limit $4",
    ))
    .bind(workspace)
    .bind(agent)
    .bind(from)
    .bind(i64::from(limit))
    .fetch_all(conn)
    .await)?;
    rows.into_iter().map(AgentTask::try_from).collect()
}
