//! How many tasks an agent works at: what waits, why, and in which order it begins.

use weft::model::PageRequest;
use weft::model::agent::{AgentDraft, AgentLimits, AgentSpec, NewTask, TaskStatus};
use weft::model::workflow::why::Code;
use weft::model::workflow::{Command, RunStatus};
use weft::model::{AgentId, ApiError, RunId};
use weft::runtime::Ctx;
use weft::{monitor, workflow};

use super::agents::{agent, model, spec, words};
use super::somebody;
use super::upstream::{Reply, Upstream};
use crate::engine::{end, until};

/// An agent that works at so many tasks at once.
fn at_once(tasks: u32) -> AgentSpec {
    AgentSpec { limits: AgentLimits { parallel: Some(tasks), ..AgentLimits::default() }, ..spec(&[]) }
}

/// A model that begins so many answers and ends none.
async fn stalling(ctx: &Ctx, answers: usize) -> Upstream {
    model(ctx, vec![Reply::Stall(super::first_chunks(&["I th", "ink"])); answers]).await
}

async fn give(ctx: &Ctx, id: AgentId, priority: Option<u8>) -> RunId {
    workflow::give_task(ctx, id, NewTask { priority, ..NewTask::from("Think.") }, None).await.unwrap()
}

/// Queued, and at work or waiting.
async fn standing(ctx: &Ctx, id: AgentId) -> (u32, u32) {
    let standing = monitor::get_agent(ctx, id).await.unwrap();
    (standing.queued, standing.working + standing.waiting)
}

async fn change(ctx: &Ctx, id: AgentId, spec: AgentSpec) {
    let draft = AgentDraft { name: "helper".into(), spec };
    workflow::change_agent(ctx, id, None, draft).await.unwrap();
}

on_both_engines! {
    async fn tasks_beyond_the_limit_wait_say_why_and_begin_by_priority(site: Site) {
        let ctx = somebody(&site).await;
        let _upstream = stalling(&ctx, 3).await;
        let id = agent(&ctx, "helper", at_once(1)).await;
        let first = give(&ctx, id, None).await;
        until(&ctx, first, RunStatus::Running).await;
        let (usual, urgent) = (give(&ctx, id, None).await, give(&ctx, id, Some(9)).await);
        assert_eq!(standing(&ctx, id).await, (2, 1));
        let why = workflow::why_waiting(&ctx, usual).await.unwrap().remove(0);
        assert_eq!((why.code, why.position), (Code::ConcurrencyKey, Some(2)));
        assert!(why.sentence.contains("agent:helper"), "{}", why.sentence);
        let tasks = monitor::list_agent_tasks(&ctx, id, &PageRequest::default()).await.unwrap().items;
        let queued: Vec<RunId> = tasks.iter().filter(|task| task.status == TaskStatus::Queued).map(|task| task.run_id).collect();
        assert_eq!(queued, [urgent, usual], "the one that was given last first");
        workflow::control(&ctx, first, Command::Cancel).await.unwrap();
        until(&ctx, urgent, RunStatus::Running).await;
        assert_eq!(workflow::get_run(&ctx, usual).await.unwrap().summary.status, RunStatus::Queued);
        workflow::control(&ctx, urgent, Command::Cancel).await.unwrap();
        until(&ctx, usual, RunStatus::Running).await;
    }

    async fn a_queued_task_that_nobody_wants_any_more_never_begins(site: Site) {
        let ctx = somebody(&site).await;
        let _upstream = stalling(&ctx, 1).await;
        let id = agent(&ctx, "helper", at_once(1)).await;
        let first = give(&ctx, id, None).await;
        until(&ctx, first, RunStatus::Running).await;
        let second = give(&ctx, id, None).await;
        workflow::control(&ctx, second, Command::Cancel).await.unwrap();
        end(&ctx, second).await;
        assert_eq!(standing(&ctx, id).await, (0, 1));
        let tasks = monitor::list_agent_tasks(&ctx, id, &PageRequest::default()).await.unwrap().items;
        let cancelled = tasks.iter().find(|task| task.run_id == second).unwrap();
        assert_eq!((cancelled.status, cancelled.turns), (TaskStatus::Cancelled, 0));
    }

    async fn a_limit_that_is_raised_or_lifted_lets_in_those_that_wait(site: Site) {
        let ctx = somebody(&site).await;
        let _upstream = stalling(&ctx, 4).await;
        let id = agent(&ctx, "helper", at_once(1)).await;
        let mut given = Vec::new();
        for _ in 0..4 {
            given.push(give(&ctx, id, None).await);
        }
        until(&ctx, given[0], RunStatus::Running).await;
        change(&ctx, id, at_once(2)).await;
        until(&ctx, given[1], RunStatus::Running).await;
        assert_eq!(workflow::get_run(&ctx, given[2]).await.unwrap().summary.status, RunStatus::Queued);
        change(&ctx, id, spec(&[])).await;
        for run in &given[2..] {
            until(&ctx, *run, RunStatus::Running).await;
        }
    }

    async fn the_same_request_gives_the_same_task_whatever_the_limit_is_by_then(site: Site) {
        let ctx = somebody(&site).await;
        let upstream = model(&ctx, [words("Done.")]).await;
        let id = agent(&ctx, "helper", spec(&[])).await;
        let give = async |priority| {
            let task = NewTask { priority, ..NewTask::from("Do it.") };
            workflow::give_task(&ctx, id, task, Some("monday".into())).await
        };
        let run = give(None).await.unwrap();
        change(&ctx, id, at_once(3)).await;
        assert_eq!(give(None).await.unwrap(), run);
        assert_eq!(ApiError::from(give(Some(7)).await.unwrap_err()).status(), 409, "another priority is another request");
        end(&ctx, run).await;
        assert_eq!(upstream.count(), 1);
    }
}
