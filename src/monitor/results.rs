//! How an agent did, counted from its tasks.

use std::collections::BTreeMap;

use super::frame::{Frame, median};
use super::store::agent as store;
use crate::model::agent::{AgentBucket, AgentResults, AgentTask, TaskMedian, TaskStatus, VersionResults};
use crate::model::auth::Action;
use crate::model::dashboard::Period;
use crate::model::{AgentId, ApiError, Timestamp};
use crate::runtime::Ctx;

/// Tasks that are counted at most, the newest.
const MAX_TASKS: u32 = 10_000;

/// How an agent did in a period: its tasks over time, and each of its versions.
///
/// # Errors
/// [`ApiError::Forbidden`], [`ApiError::NotFound`], or the database's.
pub async fn agent_results(ctx: &Ctx, id: AgentId, period: Period) -> Result<AgentResults, ApiError> {
    ctx.authorize(Action::ReadAgent)?;
    let (db, workspace, now) = (&ctx.db, ctx.workspace(), ctx.clock.now());
    if store::list(db, workspace, Some(id)).await?.is_empty() {
        return Err(ApiError::not_found("agent"));
    }
    let frame = Frame::new(period, now);
    let tasks = store::list_tasks_since(db, workspace, id, frame.from, MAX_TASKS + 1).await?;
    Ok(count(period, now, tasks))
}

/// Counts tasks, the newest first.
fn count(period: Period, now: Timestamp, mut tasks: Vec<AgentTask>) -> AgentResults {
    let is_cut = tasks.len() > MAX_TASKS as usize;
    tasks.truncate(MAX_TASKS as usize);
    let frame = Frame::new(period, now);
    let empty = |from| AgentBucket { from, done: 0, failed: 0, cancelled: 0, open: 0, cost_micros: 0 };
    let mut buckets: Vec<AgentBucket> = frame.starts().map(empty).collect();
    for task in &tasks {
        let Some(bucket) = frame.bucket(task.started_at).and_then(|number| buckets.get_mut(number)) else { continue };
        let number = match task.status {
            TaskStatus::Done => &mut bucket.done,
            TaskStatus::Failed => &mut bucket.failed,
            TaskStatus::Cancelled => &mut bucket.cancelled,
            TaskStatus::Queued | TaskStatus::Working | TaskStatus::Waiting => &mut bucket.open,
        };
        *number += 1;
        bucket.cost_micros = bucket.cost_micros.saturating_add(task.cost_micros);
    }
    let mut versions: BTreeMap<i64, Vec<&AgentTask>> = BTreeMap::new();
    for task in &tasks {
        versions.entry(task.version).or_default().push(task);
    }
    let versions = versions.into_iter().rev().map(|(version, tasks)| results_of(version, &tasks)).collect();
    AgentResults { period, at: now, tasks: tasks.len() as i64, is_cut, buckets, versions }
}

fn results_of(version: i64, tasks: &[&AgentTask]) -> VersionResults {
    let number = |is: fn(TaskStatus) -> bool| tasks.iter().filter(|task| is(task.status)).count() as i64;
    let done: Vec<&AgentTask> = tasks.iter().filter(|task| task.status == TaskStatus::Done).copied().collect();
    let middle = |figure: fn(&AgentTask) -> i64| median(done.iter().map(|task| figure(task)).collect());
    let figures = || {
        Some(TaskMedian {
            turns: middle(|task| i64::from(task.turns))?,
            tokens: middle(|task| task.tokens)?,
            cost_micros: middle(|task| task.cost_micros)?,
            duration_ms: middle(|task| task.active_at.ms_since(task.started_at).max(0))?,
        })
    };
    VersionResults {
        version,
        done: done.len() as i64,
        failed: number(|status| status == TaskStatus::Failed),
        cancelled: number(|status| status == TaskStatus::Cancelled),
        open: number(|status| !status.is_final()),
        cost_micros: tasks.iter().fold(0, |sum: i64, task| sum.saturating_add(task.cost_micros)),
        median: figures(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RunId;
    use crate::model::agent::Processes;

    fn now() -> Timestamp {
        Timestamp::parse("2026-11-22T08:30:00Z").expect("a time")
    }

    fn task(version: i64, status: TaskStatus, days_ago: i64, turns: u32) -> AgentTask {
        let started_at = now().plus_ms(-days_ago * 86_400_000);
        AgentTask {
            run_id: RunId(uuid::Uuid::nil()),
            step: "work".to_owned(),
            workflow_name: String::new(),
            version,
            prompt: String::new(),
            status,
            turns,
            tokens: i64::from(turns) * 1_000,
            cost_micros: i64::from(turns) * 10,
            processes: Processes::default(),
            waits_for: None,
            started_at,
            active_at: started_at.plus_ms(i64::from(turns) * 500),
        }
    }

    #[test]
    fn a_version_is_judged_by_what_it_did_and_not_by_how_soon_it_failed() {
        let tasks = vec![
            task(2, TaskStatus::Failed, 0, 1),
            task(2, TaskStatus::Done, 1, 4),
            task(2, TaskStatus::Done, 1, 9),
            task(2, TaskStatus::Done, 2, 6),
            task(2, TaskStatus::Waiting, 2, 2),
            task(1, TaskStatus::Cancelled, 3, 3),
        ];
        let results = count(Period::Month, now(), tasks);
        assert_eq!((results.tasks, results.is_cut, results.versions.len()), (6, false, 2));
        let newest = &results.versions[0];
        assert_eq!((newest.version, newest.done, newest.failed, newest.open), (2, 3, 1, 1));
        assert_eq!(newest.cost_micros, 220);
        let median = TaskMedian { turns: 6, tokens: 6_000, cost_micros: 60, duration_ms: 3_000 };
        assert_eq!(newest.median, Some(median));
        assert_eq!((results.versions[1].cancelled, results.versions[1].median), (1, None));
    }

    #[test]
    fn each_day_has_what_began_in_it_and_every_day_is_there() {
        let tasks = vec![
            task(1, TaskStatus::Done, 0, 2),
            task(1, TaskStatus::Working, 0, 1),
            task(1, TaskStatus::Failed, 29, 3),
        ];
        let results = count(Period::Month, now(), tasks);
        assert_eq!(results.buckets.len(), 30);
        let (first, last) = (&results.buckets[0], &results.buckets[29]);
        assert_eq!((first.failed, first.cost_micros, last.done, last.open, last.cost_micros), (1, 30, 1, 1, 30));
        assert_eq!(results.buckets[1..29].iter().map(|day| day.cost_micros).sum::<i64>(), 0);
    }

    #[test]
    fn who_has_more_tasks_than_are_counted_is_told_so() {
        let tasks = vec![task(1, TaskStatus::Done, 0, 1); MAX_TASKS as usize + 1];
        let results = count(Period::Day, now(), tasks);
        assert_eq!((results.tasks, results.is_cut), (i64::from(MAX_TASKS), true));
    }
}
