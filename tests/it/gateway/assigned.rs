//! The queue of tasks: who gets one, why, when its turn comes, and what becomes of it where its agent can't go on.

use serde_json::json;
use weft::agents::{self, queue};
use weft::model::agent::{AgentLimits, AgentSpec, AgentTool, KeptOut, QueuedStatus, QueuedTask, TaskDraft, Weights};
use weft::model::workflow::{Command, RunFilter, RunStatus};
use weft::model::{ApiError, PageRequest, QueuedTaskId, RunId};
use weft::runtime::{Clock, Ctx};
use weft::workflow::{self, assign};

use super::agents::{agent, calling, model, spec, words};
use super::upstream::Reply;
use super::{first_chunks, process, somebody};
use crate::engine::{end, until, until_so};

fn task(prompt: &str) -> TaskDraft {
    serde_json::from_value(json!({ "prompt": prompt })).unwrap()
}

fn knowing(words: &[&str]) -> AgentSpec {
    AgentSpec { expertise: words.iter().map(|word| (*word).to_owned()).collect(), ..spec(&[]) }
}

fn stall() -> Reply {
    Reply::Stall(first_chunks(&["I th", "ink"]))
}

async fn give(ctx: &Ctx, draft: TaskDraft) -> QueuedTaskId {
    queue::give(ctx, draft, None).await.unwrap().id
}

async fn look(ctx: &Ctx) {
    assign::look(ctx.runtime()).await.unwrap();
}

async fn stands(ctx: &Ctx, id: QueuedTaskId) -> QueuedTask {
    queue::get(ctx, id).await.unwrap()
}

/// Who has it, by name, and its run.
async fn given(ctx: &Ctx, id: QueuedTaskId) -> (String, RunId) {
    let task = stands(ctx, id).await;
    assert_eq!(task.status, QueuedStatus::Assigned, "{}", task.reason);
    (task.agent_name.unwrap(), task.run_id.unwrap())
}

on_both_engines! {
    async fn a_task_goes_to_who_knows_what_it_asks_for_and_says_why(site: Site) {
        let ctx = somebody(&site).await;
        let _upstream = model(&ctx, [words("Joined.")]).await;
        agent(&ctx, "anna", knowing(&["rust"])).await;
        agent(&ctx, "ben", knowing(&["SQL", "rust"])).await;
        let id = give(&ctx, TaskDraft { expertise: vec!["sql".into()], ..task("Join them.") }).await;
        assert_eq!(stands(&ctx, id).await.status, QueuedStatus::Waiting);
        look(&ctx).await;
        let (name, run) = given(&ctx, id).await;
        let why = stands(&ctx, id).await.assignment.unwrap();
        assert_eq!((name.as_str(), why.candidates.len(), why.left_out.len()), ("ben", 2, 0));
        assert!(why.why.starts_with("ben (") && why.why.contains("knows 1 of 1 word") && why.why.contains("Next is anna"), "{}", why.why);
        end(&ctx, run).await;
        look(&ctx).await;
        let done = stands(&ctx, id).await;
        assert_eq!((done.status, done.attempt, done.run_id), (QueuedStatus::Done, 1, Some(run)));
        assert!(done.ended_at.is_some());
        assert!(!assign::look(ctx.runtime()).await.unwrap(), "nothing is left to do");
    }

    async fn the_same_request_with_the_same_key_is_the_same_task(site: Site) {
        let ctx = somebody(&site).await;
        let first = queue::give(&ctx, task("Join them."), Some("k")).await.unwrap();
        let again = queue::give(&ctx, task("Join them."), Some("k")).await.unwrap();
        assert_eq!(again, first);
        assert_ne!(queue::give(&ctx, task("Join them."), None).await.unwrap().id, first.id);
        let (one, two) = tokio::join!(queue::give(&ctx, task("At once."), Some("l")), queue::give(&ctx, task("At once."), Some("l")));
        assert_eq!(one.unwrap().id, two.unwrap().id);
        let refused = queue::give(&ctx, task("Cut them."), Some("k")).await.unwrap_err();
        assert!(matches!(ApiError::from(refused), ApiError::Conflict { detail } if detail.contains("different request")));
        let refused = queue::give(&ctx, task("Join them."), Some("")).await.unwrap_err();
        assert!(matches!(ApiError::from(refused), ApiError::Invalid { fields, .. } if fields[0].pointer == "Idempotency-Key"));
        // It is as it is by now.
        assign::cancel(&ctx, first.id).await.unwrap();
        let again = queue::give(&ctx, task("Join them."), Some("k")).await.unwrap();
        assert_eq!((again.id, again.status), (first.id, QueuedStatus::Cancelled));
        // Another workspace has keys of its own.
        let other = crate::engine::ctx(ctx.runtime()).await;
        assert_ne!(queue::give(&other, task("Cut them."), Some("k")).await.unwrap().id, first.id);
        assert_eq!(queue::list(&ctx, None, &PageRequest::default()).await.unwrap().items.len(), 3);
    }

    async fn what_comes_after_waits_and_goes_to_who_did_what_it_comes_after(site: Site) {
        let ctx = somebody(&site).await;
        let _upstream = model(&ctx, [words("First."), words("Second.")]).await;
        agent(&ctx, "anna", spec(&[])).await;
        agent(&ctx, "ben", spec(&[])).await;
        let first = give(&ctx, TaskDraft { among: vec!["ben".into()], ..task("First.") }).await;
        let second = give(&ctx, TaskDraft { after: vec![first], priority: Some(9), ..task("Second.") }).await;
        look(&ctx).await;
        assert_eq!(stands(&ctx, second).await.status, QueuedStatus::Waiting, "however urgent it is");
        end(&ctx, given(&ctx, first).await.1).await;
        look(&ctx).await;
        let (name, _) = given(&ctx, second).await;
        let why = stands(&ctx, second).await.assignment.unwrap();
        assert_eq!(name, "ben", "{}", why.why);
        assert!(why.candidates[0].parts.affinity > 0.99 && why.candidates[1].parts.affinity < 0.01);
    }

    async fn what_comes_after_something_that_was_not_done_never_begins(site: Site) {
        let ctx = somebody(&site).await;
        let first = give(&ctx, task("First.")).await;
        let second = give(&ctx, TaskDraft { after: vec![first], ..task("Second.") }).await;
        let third = give(&ctx, TaskDraft { after: vec![second], ..task("Third.") }).await;
        assign::cancel(&ctx, first).await.unwrap();
        look(&ctx).await;
        look(&ctx).await;
        for id in [second, third] {
            let task = stands(&ctx, id).await;
            assert_eq!((task.status, task.reason.as_str()), (QueuedStatus::Failed, "a task that it comes after was not done"));
        }
    }

    async fn a_workspace_says_what_counts(site: Site) {
        let ctx = somebody(&site).await;
        let _upstream = model(&ctx, [stall(), stall(), stall()]).await;
        let one_at_once = AgentSpec { limits: AgentLimits { parallel: Some(1), ..AgentLimits::default() }, ..knowing(&["rust"]) };
        agent(&ctx, "anna", one_at_once).await;
        agent(&ctx, "ben", spec(&[])).await;
        let asks = || TaskDraft { expertise: vec!["rust".into()], ..task("Mend it.") };
        let nothing = Weights { availability: 0.0, expertise: 0.0, workload: 0.0, success: 0.0, affinity: 0.0 };
        queue::set_weights(&ctx, Weights { expertise: 1.0, ..nothing }).await.unwrap();
        let (first, second) = (give(&ctx, asks()).await, give(&ctx, asks()).await);
        look(&ctx).await;
        for id in [first, second] {
            assert_eq!(given(&ctx, id).await.0, "anna", "who knows it, however long it takes");
        }
        queue::set_weights(&ctx, Weights { availability: 1.0, ..nothing }).await.unwrap();
        let third = give(&ctx, asks()).await;
        look(&ctx).await;
        assert_eq!(given(&ctx, third).await.0, "ben", "who is free");
    }

    async fn other_weights_are_tried_on_what_was_given_and_on_what_waits_and_change_nothing(site: Site) {
        let ctx = somebody(&site).await;
        let _upstream = model(&ctx, [stall(), stall()]).await;
        let one_at_once = AgentSpec { limits: AgentLimits { parallel: Some(1), ..AgentLimits::default() }, ..knowing(&["rust"]) };
        agent(&ctx, "anna", one_at_once).await;
        agent(&ctx, "ben", spec(&[])).await;
        let nothing = Weights { availability: 0.0, expertise: 0.0, workload: 0.0, success: 0.0, affinity: 0.0 };
        let (expert, soon) = (Weights { expertise: 1.0, ..nothing }, Weights { availability: 1.0, ..nothing });
        queue::set_weights(&ctx, expert).await.unwrap();
        let asks = || TaskDraft { expertise: vec!["rust".into()], ..task("Mend it.") };
        let (first, second) = (give(&ctx, asks()).await, give(&ctx, asks()).await);
        look(&ctx).await;
        // It waits for the second, and is tried as if its turn had come.
        let third = give(&ctx, TaskDraft { after: vec![second], ..asks() }).await;
        look(&ctx).await;
        let names = |preview: &weft::model::agent::AssignmentPreview, id: QueuedTaskId| {
            let task = preview.tasks.iter().find(|task| task.id == id).unwrap();
            (task.now.clone().unwrap().name, task.then.clone().unwrap().name, task.given_at.is_some())
        };
        let same = queue::preview_weights(&ctx, expert).await.unwrap();
        assert_eq!((same.moved, same.tasks.len(), same.omitted), (0, 3, 0));
        let tried = queue::preview_weights(&ctx, soon).await.unwrap();
        let of = |now: &str, then: &str, given: bool| (now.to_owned(), then.to_owned(), given);
        assert_eq!(names(&tried, first), of("anna", "anna", true), "both were free when it was given");
        assert_eq!(names(&tried, second), of("anna", "ben", true), "anna had the first by then");
        assert_eq!(names(&tried, third), of("anna", "ben", false));
        assert_eq!((tried.moved, tried.tasks[0].id), (2, third), "what waits stands first");
        assert_eq!(queue::get_weights(&ctx).await.unwrap(), expert);
        assert_eq!(stands(&ctx, third).await.status, QueuedStatus::Waiting);
        let refused = queue::preview_weights(&ctx, nothing).await.unwrap_err();
        assert!(matches!(ApiError::from(refused), ApiError::Invalid { .. }));
        assert_eq!(queue::reset_weights(&ctx).await.unwrap(), Weights::default());
        assert_eq!(queue::get_weights(&ctx).await.unwrap(), Weights::default());
    }

    async fn where_nobody_may_take_it_a_task_waits_and_says_why(site: Site) {
        let ctx = somebody(&site).await;
        let _upstream = model(&ctx, [words("Done.")]).await;
        let id = give(&ctx, task("Look.")).await;
        look(&ctx).await;
        assert_eq!(stands(&ctx, id).await.reason, "there is no agent that it may be given to");
        let anna = agent(&ctx, "anna", spec(&[])).await;
        agents::halt(&ctx, anna, true).await.unwrap();
        look(&ctx).await;
        assert_eq!(stands(&ctx, id).await.reason, "nobody may take it: anna is stopped");
        agents::halt(&ctx, anna, false).await.unwrap();
        look(&ctx).await;
        assert_eq!((given(&ctx, id).await.0.as_str(), stands(&ctx, id).await.reason.as_str()), ("anna", ""));
    }

    async fn a_task_of_an_agent_that_was_stopped_goes_to_another(site: Site) {
        let ctx = somebody(&site).await;
        let _upstream = model(&ctx, [stall(), stall()]).await;
        let anna = agent(&ctx, "anna", spec(&[])).await;
        agent(&ctx, "ben", spec(&[])).await;
        let id = give(&ctx, task("Think.")).await;
        look(&ctx).await;
        let (name, first) = given(&ctx, id).await;
        assert_eq!(name, "anna");
        until(&ctx, first, RunStatus::Running).await;
        agents::halt(&ctx, anna, true).await.unwrap();
        look(&ctx).await;
        assert_eq!(end(&ctx, first).await.summary.status, RunStatus::Cancelled, "no two agents work at one task");
        look(&ctx).await;
        let (name, second) = given(&ctx, id).await;
        let task = stands(&ctx, id).await;
        assert_eq!((name.as_str(), task.attempt), ("ben", 2));
        assert_ne!(first, second);
        let out = &task.assignment.unwrap().left_out;
        assert_eq!((out[0].name.as_str(), out[0].because), ("anna", KeptOut::Stopped));
    }

    async fn a_task_at_which_its_agent_has_acted_stays_with_it(site: Site) {
        let ctx = somebody(&site).await;
        let write = json!({"namespace": "notes", "key": "a", "content": "b"});
        let upstream = model(&ctx, [calling(&[("1", AgentTool::MemoryWrite, write)]), stall()]).await;
        let anna = agent(&ctx, "anna", spec(&[AgentTool::MemoryWrite])).await;
        agent(&ctx, "ben", spec(&[])).await;
        let id = give(&ctx, TaskDraft { among: vec!["anna".into()], ..task("Keep it.") }).await;
        look(&ctx).await;
        let (_, run) = given(&ctx, id).await;
        while upstream.count() < 2 {
            tokio::task::yield_now().await;
        }
        agents::halt(&ctx, anna, true).await.unwrap();
        until(&ctx, run, RunStatus::Paused).await;
        look(&ctx).await;
        let task = stands(&ctx, id).await;
        assert_eq!((task.status, task.run_id, task.attempt), (QueuedStatus::Assigned, Some(run), 1));
        assert_eq!(task.reason, "anna was stopped, and has acted already: the task stays with it");
    }

    async fn a_task_that_an_agent_failed_at_goes_to_the_next_and_never_back(site: Site) {
        let ctx = somebody(&site).await;
        let _upstream = model(&ctx, [words("Done.")]).await;
        agent(&ctx, "anna", AgentSpec { model: "nobody/none".into(), ..spec(&[]) }).await;
        let id = give(&ctx, task("Look.")).await;
        let lost = give(&ctx, task("Look again.")).await;
        look(&ctx).await;
        for id in [id, lost] {
            assert_eq!(end(&ctx, given(&ctx, id).await.1).await.summary.status, RunStatus::Failed);
        }
        // Its first look takes them back, and nobody else is there for one of them.
        let draft = TaskDraft { among: vec!["anna".into()], ..task("Only she.") };
        let only = give(&ctx, draft).await;
        agent(&ctx, "ben", spec(&[])).await;
        look(&ctx).await;
        let again = stands(&ctx, id).await;
        assert_eq!((again.agent_name.as_deref(), again.attempt), (Some("ben"), 2), "{}", again.reason);
        assert_eq!(again.assignment.unwrap().left_out[0].because, KeptOut::Tried);
        end(&ctx, given(&ctx, only).await.1).await;
        look(&ctx).await;
        look(&ctx).await;
        let over = stands(&ctx, only).await;
        assert_eq!((over.status, over.reason.as_str()), (QueuedStatus::Failed, "nobody may take it: anna had it already"));
    }

    async fn processes_that_look_at_once_give_each_task_once(site: Site) {
        let ctx = somebody(&site).await;
        let _upstream = model(&ctx, vec![stall(); 12]).await;
        agent(&ctx, "anna", spec(&[])).await;
        agent(&ctx, "ben", spec(&[])).await;
        let mut ids = Vec::new();
        for n in 0..12 {
            ids.push(give(&ctx, task(&format!("Task {n}"))).await);
        }
        let other = process(&site, Clock::System);
        let (one, two) = tokio::join!(assign::look(ctx.runtime()), assign::look(&other));
        one.and(two).unwrap();
        look(&ctx).await;
        let mut runs = Vec::new();
        for id in &ids {
            assert_eq!(stands(&ctx, *id).await.attempt, 1);
            runs.push(given(&ctx, *id).await.1);
        }
        runs.sort();
        runs.dedup();
        assert_eq!(runs.len(), 12, "each has a run of its own");
        let all = workflow::list_runs(&ctx, &RunFilter::default(), &PageRequest { limit: 200, cursor: None }).await.unwrap();
        assert_eq!(all.items.len(), 12, "and no run is left that belongs to none");
    }

    async fn a_task_that_nobody_wants_any_more_ends_with_its_run(site: Site) {
        let ctx = somebody(&site).await;
        let _upstream = model(&ctx, [stall()]).await;
        agent(&ctx, "anna", spec(&[])).await;
        let (waits, works) = (give(&ctx, TaskDraft { among: vec!["zoe".into()], ..task("Wait.") }).await, give(&ctx, task("Work.")).await);
        look(&ctx).await;
        let (_, run) = given(&ctx, works).await;
        for id in [waits, works] {
            assert_eq!(assign::cancel(&ctx, id).await.unwrap().status, QueuedStatus::Cancelled);
            assert_eq!(ApiError::from(assign::cancel(&ctx, id).await.unwrap_err()).status(), 409);
        }
        assert_eq!(end(&ctx, run).await.summary.status, RunStatus::Cancelled);
        look(&ctx).await;
        let listed = queue::list(&ctx, Some(QueuedStatus::Cancelled), &PageRequest::default()).await.unwrap().items;
        assert_eq!(listed.iter().map(|task| task.id).collect::<Vec<_>>(), [works, waits], "the newest first");
    }

    async fn a_run_that_a_person_cancelled_ends_its_task(site: Site) {
        let ctx = somebody(&site).await;
        let _upstream = model(&ctx, [stall()]).await;
        agent(&ctx, "anna", spec(&[])).await;
        let id = give(&ctx, task("Work.")).await;
        look(&ctx).await;
        let (_, run) = given(&ctx, id).await;
        until_so(&ctx, run, |detail| !detail.summary.status.is_final()).await;
        workflow::control(&ctx, run, Command::Cancel).await.unwrap();
        end(&ctx, run).await;
        look(&ctx).await;
        let task = stands(&ctx, id).await;
        assert_eq!((task.status, task.reason.as_str()), (QueuedStatus::Cancelled, "its run was cancelled"));
    }
}
