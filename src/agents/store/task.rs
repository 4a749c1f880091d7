//! What agents did.

use sqlx::{FromRow, query, query_as, query_scalar};

use crate::agents::tasks::Note;
use crate::db::{Db, Result, Tx};
use crate::model::agent::{TaskStatus, WaitsFor};
use crate::model::{AgentId, RunId, Timestamp, WorkspaceId};
use crate::{read, within};

/// Keeps how a task stands, in the place of what was kept of it before; what was queued begins with that. False when the workspace has no such agent.
pub async fn put(tx: &mut Tx, workspace: WorkspaceId, note: &Note, prompt: &str, now: Timestamp) -> Result<bool> {
    Ok(within!(tx, conn => query(
        "insert into agent_task (run_id, step, workspace_id, agent_id, version, workflow_name, prompt, status, turns, tokens,
            cost_micros, started_at, active_at, is_trial, cpu_ms, memory_mb, waits_for)
         select $1, $2, workspace_id, id, $5, $6, $7, $8, $9, $10, $11, $12, $12, $13, $14, $15, $16
         from agent
         where workspace_id = $3 and id = $4
         on conflict (run_id, step) do update set
            agent_id = excluded.agent_id,
            version = excluded.version,
            workflow_name = excluded.workflow_name,
            prompt = excluded.prompt,
            status = excluded.status,
            turns = excluded.turns,
            tokens = excluded.tokens,
            cost_micros = excluded.cost_micros,
            cpu_ms = excluded.cpu_ms,
            memory_mb = excluded.memory_mb,
            waits_for = excluded.waits_for,
            started_at = case when agent_task.status = 'queued' then excluded.started_at else agent_task.started_at end,
            active_at = excluded.active_at
         where agent_task.workspace_id = excluded.workspace_id",
    )
    .bind(note.run_id)
    .bind(&note.step)
    .bind(workspace)
    .bind(note.agent)
    .bind(note.version)
    .bind(&note.workflow_name)
    .bind(prompt)
    .bind(note.status.as_str())
    .bind(i64::from(note.turns))
    .bind(note.tokens)
    .bind(note.cost_micros)
    .bind(now)
    .bind(note.is_trial)
    .bind(note.processes.cpu_ms)
    .bind(note.processes.memory_mb)
    .bind(note.waits_for.map(WaitsFor::as_str))
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))?)
}

/// Keeps a task that was given and has not begun; false when something is kept of it already, or the workspace has no such agent.
pub async fn add(tx: &mut Tx, workspace: WorkspaceId, note: &Note, prompt: &str, now: Timestamp) -> Result<bool> {
    Ok(within!(tx, conn => query(
        "insert into agent_task (run_id, step, workspace_id, agent_id, version, workflow_name, prompt, status, turns, tokens,
            cost_micros, started_at, active_at)
         select $1, $2, workspace_id, id, $5, $6, $7, 'queued', 0, 0, 0, $8, $8
         from agent
         where workspace_id = $3 and id = $4
         on conflict (run_id, step) do nothing",
    )
    .bind(note.run_id)
    .bind(&note.step)
    .bind(workspace)
    .bind(note.agent)
    .bind(note.version)
    .bind(&note.workflow_name)
    .bind(prompt)
    .bind(now)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))?)
}

/// Whether a run is of a task that an agent was given.
pub async fn is_of(db: &Db, workspace: WorkspaceId, agent: AgentId, run: RunId, step: &str) -> Result<bool> {
    let found: Option<RunId> = read!(db, conn => query_scalar(
        "select run_id from agent_task
         where workspace_id = $1 and agent_id = $2 and run_id = $3 and step = $4 and not is_trial",
    )
    .bind(workspace)
    .bind(agent)
    .bind(run)
    .bind(step)
    .fetch_optional(conn)
    .await)?;
    Ok(found.is_some())
}

/// Ends a task as done; gives its agent, `None` where nothing is kept of it or it was done before.
pub async fn close(
    tx: &mut Tx,
    workspace: WorkspaceId,
    run: RunId,
    step: &str,
    now: Timestamp,
) -> Result<Option<AgentId>> {
    Ok(within!(tx, conn => query_scalar(
        "update agent_task set status = $4, active_at = $5
         where workspace_id = $1 and run_id = $2 and step = $3 and status <> $4
         returning agent_id",
    )
    .bind(workspace)
    .bind(run)
    .bind(step)
    .bind(TaskStatus::Done.as_str())
    .bind(now)
    .fetch_optional(conn)
    .await)?)
}

/// Runs that are paused while this agent has something to do in them, or inside of what it has to do, at most `limit`.
pub async fn list_paused_runs(db: &Db, workspace: WorkspaceId, agent: AgentId, limit: i64) -> Result<Vec<RunId>> {
    let rows: Vec<(RunId,)> = read!(db, conn => query_as(
        "with recursive below (id, level) as (
            select t.run_id, 0
            from agent_task t
            where t.workspace_id = $1 and t.agent_id = $2 and t.status in ('working', 'waiting')
            union all
            select r.id, 1
            from agent_task t
            join run r on r.parent_run_id = t.run_id and r.parent_step = t.step
            where t.workspace_id = $1 and t.agent_id = $2 and t.status in ('working', 'waiting') and r.workspace_id = $1
            union all
            select r.id, below.level + 1
            from below
            join run r on r.parent_run_id = below.id
            where r.workspace_id = $1 and below.level between 1 and 100
         )
         select distinct r.id
         from below
         join run r on r.id = below.id
         where r.workspace_id = $1 and r.status = 'paused'
         order by r.id
         limit $3",
    )
    .bind(workspace)
    .bind(agent)
    .bind(limit)
    .fetch_all(conn)
    .await)?;
    Ok(rows.into_iter().map(|(run,)| run).collect())
}

/// The agents at work at the steps that a run is inside of.
pub async fn list_above(db: &Db, workspace: WorkspaceId, run: RunId) -> Result<Vec<AgentId>> {
    let rows: Vec<(AgentId,)> = read!(db, conn => query_as(
        "with recursive up (parent_run_id, parent_step, level) as (
            select parent_run_id, parent_step, 0
            from run
            where workspace_id = $1 and id = $2
            union all
            select r.parent_run_id, r.parent_step, up.level + 1
            from up
            join run r on r.id = up.parent_run_id
            where r.workspace_id = $1 and up.level < 100
         )
         select distinct t.agent_id
         from up
         join agent_task t on t.run_id = up.parent_run_id and t.step = up.parent_step
         where t.workspace_id = $1
         order by t.agent_id",
    )
    .bind(workspace)
    .bind(run)
    .fetch_all(conn)
    .await)?;
    Ok(rows.into_iter().map(|(agent,)| agent).collect())
}

/// Deletes tasks that nothing was done of since `before`, at most `limit`; returns how many. What a run still waits with stays.
pub async fn delete_old(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<u64> {
    Ok(within!(tx, conn => query(
        "delete from agent_task
         where (run_id, step) in (
            select t.run_id, t.step
            from agent_task t
            where t.active_at < $1
               and not exists (select 1 from run r where r.id = t.run_id and r.ended_at is null)
            order by t.active_at
            limit $2
         )",
    )
    .bind(before)
    .bind(limit)
    .execute(conn)
    .await
    .map(|done| done.rows_affected()))?)
}

/// The agents that have a task in a run, at most a hundred.
pub async fn list_agents(db: &Db, workspace: WorkspaceId, run: RunId) -> Result<Vec<AgentId>> {
    let rows: Vec<(AgentId,)> = read!(db, conn => query_as(
        "select distinct agent_id
         from agent_task
         where workspace_id = $1 and run_id = $2
         order by agent_id
         limit 100",
    )
    .bind(workspace)
    .bind(run)
    .fetch_all(conn)
    .await)?;
    Ok(rows.into_iter().map(|(agent,)| agent).collect())
}

/// What the agent at a step noted of its own work, and what the runs that the step began came to by two counts: as agents noted it, and
/// as the calls of models were kept, which may be a moment behind and goes after a while.
#[derive(Debug, FromRow)]
pub struct SpentRow {
    pub own_tokens: i64,
    pub own_micros: i64,
    pub noted_tokens: i64,
    pub noted_micros: i64,
    pub kept_tokens: i64,
    pub kept_micros: i64,
}

/// What a step, the runs that it began, and those inside of them have used: tokens read and written, and millionths of a US dollar.
pub async fn sum_spent(db: &Db, workspace: WorkspaceId, run: RunId, step: &str) -> Result<SpentRow> {
    Ok(read!(db, conn => query_as(
        "with recursive below (id, level) as (
            select id, 1
            from run
            where workspace_id = $1 and parent_run_id = $2 and parent_step = $3
            union all
            select r.id, below.level + 1
            from below
            join run r on r.parent_run_id = below.id
            where r.workspace_id = $1 and below.level < 100
         ),
         own (tokens, micros) as (
            select tokens, cost_micros
            from agent_task
            where workspace_id = $1 and run_id = $2 and step = $3
         ),
         noted (tokens, micros) as (
            select cast(coalesce(sum(t.tokens), 0) as bigint), cast(coalesce(sum(t.cost_micros), 0) as bigint)
            from below
            join agent_task t on t.run_id = below.id
            where t.workspace_id = $1
         ),
         kept (tokens, micros) as (
            select
                cast(coalesce(sum(c.input + c.cache_read + c.cache_write + c.output), 0) as bigint),
                cast(coalesce(sum(c.cost_micros), 0) as bigint)
            from below
            join model_call c on c.run_id = below.id
            where c.workspace_id = $1
         )
         select
            coalesce((select tokens from own), 0) as own_tokens,
            coalesce((select micros from own), 0) as own_micros,
            noted.tokens as noted_tokens,
            noted.micros as noted_micros,
            kept.tokens as kept_tokens,
            kept.micros as kept_micros
         from noted
         cross join kept",
    )
    .bind(workspace)
    .bind(run)
    .bind(step)
    .fetch_one(conn)
    .await)?)
}
