//! What agents are busy with: their tasks, as their runs have them.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::store::agent as store;
use crate::model::agent::{Agent, AgentStanding, AgentTask, BoardAgent, MAX_BOARD, TaskStatus, WaitsFor};
use crate::model::auth::Action;
use crate::model::workflow::RunStatus;
use crate::model::{AgentId, ApiError, Page, PageRequest, RunId, Timestamp};
use crate::runtime::Ctx;

/// How far back tasks are counted that are over, and costs: 30 days.
const COUNTED_MS: i64 = 30 * 24 * 3_600_000;

/// Tasks that wait for people, of those that are looked at for whom they wait.
const MAX_ASKING: u32 = 10_000;

/// A step that asks people: its run and its path.
pub type Asking = (RunId, String);

/// Every agent with what it is busy with, by name.
///
/// # Errors
/// [`ApiError::Forbidden`], or the database's.
pub async fn list_agents(ctx: &Ctx) -> Result<Vec<AgentStanding>, ApiError> {
    list_agents_for(ctx, &[]).await
}

/// The same, with how many of their tasks wait for whoever asks: `mine` are the steps that ask what they may answer.
///
/// # Errors
/// As [`list_agents`].
pub async fn list_agents_for(ctx: &Ctx, mine: &[Asking]) -> Result<Vec<AgentStanding>, ApiError> {
    ctx.authorize(Action::ReadAgent)?;
    standings(ctx, store::list(&ctx.db, ctx.workspace(), None).await?, None, mine).await
}

/// Every agent as the board shows it, by name, or only those of these ids: what is gone is left out.
///
/// # Errors
/// [`ApiError::Forbidden`], [`ApiError::Invalid`] for more than 500 ids, or the database's.
pub async fn list_board(ctx: &Ctx, ids: &[AgentId]) -> Result<Vec<BoardAgent>, ApiError> {
    list_board_for(ctx, ids, &[]).await
}

/// The same, with how many of their tasks wait for whoever asks: `mine` are the steps that ask what they may answer.
///
/// # Errors
/// As [`list_board`].
pub async fn list_board_for(ctx: &Ctx, ids: &[AgentId], mine: &[Asking]) -> Result<Vec<BoardAgent>, ApiError> {
    ctx.authorize(Action::ReadAgent)?;
    if ids.len() > MAX_BOARD {
        return Err(ApiError::invalid("ids", format!("expected at most {MAX_BOARD} ids, found {}", ids.len())));
    }
    // A single one has a way of its own.
    let one = if let [id] = ids { Some(*id) } else { None };
    let wanted: BTreeSet<AgentId> = ids.iter().copied().collect();
    let agents = store::list(&ctx.db, ctx.workspace(), one).await?;
    let found = standings(ctx, agents, one, mine).await?;
    let is_wanted = |standing: &AgentStanding| wanted.is_empty() || wanted.contains(&standing.agent.id);
    Ok(found.into_iter().filter(is_wanted).map(BoardAgent::from).collect())
}

/// One agent with what it is busy with.
///
/// # Errors
/// [`ApiError::Forbidden`], [`ApiError::NotFound`], or the database's.
pub async fn get_agent(ctx: &Ctx, id: AgentId) -> Result<AgentStanding, ApiError> {
    get_agent_for(ctx, id, &[]).await
}

/// The same, with how many of its tasks wait for whoever asks: `mine` are the steps that ask what they may answer.
///
/// # Errors
/// As [`get_agent`].
pub async fn get_agent_for(ctx: &Ctx, id: AgentId, mine: &[Asking]) -> Result<AgentStanding, ApiError> {
    ctx.authorize(Action::ReadAgent)?;
    let agents = store::list(&ctx.db, ctx.workspace(), Some(id)).await?;
    standings(ctx, agents, Some(id), mine).await?.pop().ok_or_else(|| ApiError::not_found("agent"))
}

/// The tasks of an agent, the one that began last first.
///
/// # Errors
/// [`ApiError::Forbidden`], [`ApiError::NotFound`], [`ApiError::Invalid`] for a cursor that is none of ours, or the database's.
pub async fn list_agent_tasks(ctx: &Ctx, id: AgentId, page: &PageRequest) -> Result<Page<AgentTask>, ApiError> {
    ctx.authorize(Action::ReadAgent)?;
    if store::list(&ctx.db, ctx.workspace(), Some(id)).await?.is_empty() {
        return Err(ApiError::not_found("agent"));
    }
    let read =
        |text: &String| Place::read(text).ok_or_else(|| ApiError::invalid("cursor", "expected the next of a page"));
    let before = page.cursor.as_ref().map(read).transpose()?;
    let limit = page.limit();
    let tasks = store::list_tasks(&ctx.db, ctx.workspace(), id, before.as_ref(), limit + 1).await?;
    Ok(Page::cut(tasks, limit, |task| Place::of(task).to_string()))
}

/// Where a task stands among those of its agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub started_at: Timestamp,
    pub run_id: RunId,
    pub step: String,
}

impl Place {
    fn of(task: &AgentTask) -> Self {
        Self { started_at: task.started_at, run_id: task.run_id, step: task.step.clone() }
    }

    fn read(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '.');
        let started_at = Timestamp(parts.next()?.parse().ok()?);
        let run_id = parts.next()?.parse().ok()?;
        let step = parts.next().filter(|step| !step.contains('\0'))?.to_owned();
        Some(Self { started_at, run_id, step })
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.started_at.0, self.run_id, self.step)
    }
}

/// How a task stands: as its step noted last, unless the run knows better. A step that was broken off notes nothing more. A run that
/// is forgotten had ended, and where its step had not, nobody wanted it.
pub(super) const fn standing(noted: TaskStatus, run: Option<RunStatus>) -> TaskStatus {
    match (noted, run) {
        (TaskStatus::Done | TaskStatus::Failed | TaskStatus::Cancelled, _) => noted,
        // It was let in, and its step is about to begin.
        (TaskStatus::Queued, Some(RunStatus::Running)) => TaskStatus::Working,
        (_, Some(RunStatus::Succeeded)) => TaskStatus::Done,
        (_, Some(RunStatus::Failed)) => TaskStatus::Failed,
        (_, Some(RunStatus::Cancelled) | None) => TaskStatus::Cancelled,
        (_, Some(RunStatus::Paused | RunStatus::Waiting)) => TaskStatus::Waiting,
        (_, Some(RunStatus::Queued | RunStatus::Running)) => noted,
    }
}

async fn standings(
    ctx: &Ctx,
    agents: Vec<Agent>,
    one: Option<AgentId>,
    mine: &[Asking],
) -> Result<Vec<AgentStanding>, ApiError> {
    let from = ctx.clock.now().plus_ms(-COUNTED_MS);
    let counts = store::count_tasks(&ctx.db, ctx.workspace(), one, from).await?;
    let latest = store::list_latest(&ctx.db, ctx.workspace(), one).await?;
    let mut latest: HashMap<AgentId, AgentTask> = latest.into_iter().collect();
    let idle = |agent: Agent| {
        let latest = latest.remove(&agent.id);
        (
            agent.id,
            AgentStanding {
                agent,
                queued: 0,
                working: 0,
                waiting: 0,
                for_people: 0,
                for_me: 0,
                over_budget: 0,
                done: 0,
                failed: 0,
                cost_micros: 0,
                latest,
            },
        )
    };
    let mut found: Vec<(AgentId, AgentStanding)> = agents.into_iter().map(idle).collect();
    let places: HashMap<AgentId, usize> = found.iter().enumerate().map(|(place, (id, _))| (*id, place)).collect();
    for count in counts {
        let Some(place) = places.get(&count.agent_id) else { continue };
        add(&mut found[*place].1, &count);
    }
    if !mine.is_empty() {
        let mine: HashSet<&Asking> = mine.iter().collect();
        let asking = store::list_asking(&ctx.db, ctx.workspace(), one, MAX_ASKING).await?;
        for (agent, _) in asking.iter().filter(|(_, asking)| mine.contains(asking)) {
            let Some(place) = places.get(agent) else { continue };
            let standing = &mut found[*place].1;
            standing.for_me = (standing.for_me + 1).min(standing.for_people);
        }
    }
    Ok(found.into_iter().map(|(_, standing)| standing).collect())
}

/// Adds tasks that are alike to what an agent is busy with.
fn add(to: &mut AgentStanding, tasks: &store::Count) {
    let status = standing(tasks.status, tasks.run);
    let wanted = match tasks.waits_for.filter(|_| status == TaskStatus::Waiting) {
        Some(WaitsFor::People) => Some(&mut to.for_people),
        Some(WaitsFor::Budget) => Some(&mut to.over_budget),
        None => None,
    };
    if let Some(wanted) = wanted {
        *wanted = wanted.saturating_add(tasks.number);
    }
    let number = match status {
        TaskStatus::Queued => Some(&mut to.queued),
        TaskStatus::Working => Some(&mut to.working),
        TaskStatus::Waiting => Some(&mut to.waiting),
        TaskStatus::Done => tasks.is_recent.then_some(&mut to.done),
        TaskStatus::Failed => tasks.is_recent.then_some(&mut to.failed),
        TaskStatus::Cancelled => None,
    };
    if let Some(number) = number {
        *number = number.saturating_add(tasks.number);
    }
    to.cost_micros = to.cost_micros.saturating_add(tasks.cost_micros);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_run_ends_its_tasks_and_no_task_is_ended_twice() {
        for noted in [TaskStatus::Queued, TaskStatus::Working, TaskStatus::Waiting] {
            let told = |run| standing(noted, Some(run));
            assert_eq!(told(RunStatus::Succeeded), TaskStatus::Done);
            assert_eq!(told(RunStatus::Failed), TaskStatus::Failed);
            assert_eq!(told(RunStatus::Cancelled), TaskStatus::Cancelled);
            assert_eq!(standing(noted, None), TaskStatus::Cancelled);
        }
        for noted in [TaskStatus::Done, TaskStatus::Failed, TaskStatus::Cancelled] {
            for run in RunStatus::ALL {
                assert_eq!(standing(noted, Some(run)), noted);
            }
        }
    }

    #[test]
    fn nothing_works_in_a_run_that_stands_still() {
        let told = |run| standing(TaskStatus::Working, Some(run));
        assert_eq!((told(RunStatus::Paused), told(RunStatus::Waiting)), (TaskStatus::Waiting, TaskStatus::Waiting));
        assert_eq!((told(RunStatus::Running), told(RunStatus::Queued)), (TaskStatus::Working, TaskStatus::Working));
        assert_eq!(standing(TaskStatus::Waiting, Some(RunStatus::Running)), TaskStatus::Waiting);
    }

    #[test]
    fn a_task_is_queued_for_as_long_as_its_run_is() {
        let told = |run| standing(TaskStatus::Queued, Some(run));
        assert_eq!((told(RunStatus::Queued), told(RunStatus::Running)), (TaskStatus::Queued, TaskStatus::Working));
        assert_eq!(told(RunStatus::Paused), TaskStatus::Waiting);
    }

    #[test]
    fn a_place_is_read_back_whatever_the_step_is_called() {
        let place =
            Place { started_at: Timestamp(-5), run_id: RunId(uuid::Uuid::nil()), step: "each[0].a.b/c".to_owned() };
        assert_eq!(Place::read(&place.to_string()), Some(place));
        for foreign in
            ["", "5", "5.x.y", "x.00000000-0000-0000-0000-000000000000.a", "5.00000000-0000-0000-0000-000000000000"]
        {
            assert_eq!(Place::read(foreign), None, "{foreign}");
        }
    }
}
