//! What people see of agents at work: which of them wait for whoever looks, and what each was given of the memory, and why.

use std::sync::Arc;

use serde_json::json;
use tokio::sync::broadcast::Receiver;
use weft::memory::{self, Expect};
use weft::model::agent::{AgentSpec, AgentTool, Busy, Rule, Ruling, TaskStatus};
use weft::model::auth::Role;
use weft::model::live::Topic;
use weft::model::memory::{AccessRule, Allowed, Asker, Reach, Reader, Source};
use weft::model::workflow::RunStatus;
use weft::model::{ApiError, PageRequest};
use weft::monitor;
use weft::runtime::Ctx;
use weft::runtime::events::Change;
use weft::runtime::sandbox;
use weft::workflow::{self, approvals};

use super::agents::{agent, answer_of, asked, calling, model, people, spec, word, words};
use super::somebody;
use super::upstream::soon;
use crate::auth::{ctx_of, named_member};
use crate::engine::{end, until};

/// What the only agent is busy with, as this person sees it on the board.
async fn board(ctx: &Ctx) -> Busy {
    let mine = approvals::list_mine(ctx).await.unwrap();
    monitor::list_board_for(ctx, &[], &mine).await.unwrap()[0].busy
}

/// Reads the board with each news of agents, as the page does, until so many tasks wait for this person.
async fn waits_for(ctx: &Ctx, news: &mut Receiver<Arc<Change>>, tasks: u32) {
    let told = async {
        loop {
            let is_news = news.recv().await.unwrap().update.topic == Topic::Agents;
            if is_news && board(ctx).await.for_me == tasks {
                return;
            }
        }
    };
    soon("the board was told of nothing after it was stored", told).await;
}

async fn keep(ctx: &Ctx, key: &str, content: &str) {
    let draft = serde_json::from_value(json!({ "content": content })).unwrap();
    memory::put(ctx, "notes", key, draft, Expect::Any, Source::Cli {}).await.unwrap();
}

on_both_engines! {
    async fn a_task_waits_for_those_who_may_answer_and_for_somebody_to_all_others(site: Site) {
        let (owner, ada) = people(&site).await;
        workflow::boot(owner.runtime()).await.unwrap();
        let member = async |role, email: &str| {
            let (_, cookie) = named_member(&owner, role, email).await;
            ctx_of(owner.runtime(), &cookie).await
        };
        let (bob, vic) = (member(Role::Operator, "bob@team.example").await, member(Role::Viewer, "vic@team.example").await);
        model(&owner, [
            calling(&[("1", AgentTool::AskPerson, json!({"question": "Which colour?"}))]),
            words("Blue it is."),
        ]).await;
        let asks = AgentSpec { approvers: vec!["ada@team.example".into()], ..spec(&[AgentTool::AskPerson]) };
        let id = agent(&owner, "weaver", asks).await;
        let run = workflow::give_task(&owner, id, "Weave.".into(), None).await.unwrap();
        until(&owner, run, RunStatus::Waiting).await;
        let question = asked(&ada).await;
        for (ctx, mine) in [(&ada, 1), (&bob, 0), (&vic, 0), (&owner, 0)] {
            let busy = board(ctx).await;
            assert_eq!((busy.waiting, busy.for_people, busy.for_me), (1, 1, mine));
        }
        approvals::delegate(&ada, question.id, "bob@team.example").await.unwrap();
        assert_eq!(board(&bob).await.for_me, 1, "it was handed to him");
        let mine = approvals::list_mine(&bob).await.unwrap();
        assert_eq!(mine, [(run, "work".to_owned())]);
        let standing = monitor::get_agent_for(&bob, id, &mine).await.unwrap();
        assert_eq!((standing.for_people, standing.for_me), (1, 1));
        approvals::decide(&bob, question.id, word("answered", json!({"answer": "blue"}), "")).await.unwrap();
        answer_of(&end(&owner, run).await);
        assert_eq!((board(&bob).await.for_me, board(&ada).await.for_people), (0, 0));
    }

    async fn the_board_is_told_once_a_question_is_stored_and_handed_on(site: Site) {
        let (owner, ada) = people(&site).await;
        workflow::boot(owner.runtime()).await.unwrap();
        let (_, cookie) = named_member(&owner, Role::Operator, "bob@team.example").await;
        let bob = ctx_of(owner.runtime(), &cookie).await;
        model(&owner, [
            calling(&[("1", AgentTool::AskPerson, json!({"question": "Which colour?"}))]),
            words("Blue it is."),
        ]).await;
        let asks = AgentSpec { approvers: vec!["ada@team.example".into()], ..spec(&[AgentTool::AskPerson]) };
        let id = agent(&owner, "weaver", asks).await;
        let mut news = owner.events.subscribe();
        let run = workflow::give_task(&owner, id, "Weave.".into(), None).await.unwrap();
        waits_for(&ada, &mut news, 1).await;
        let question = asked(&ada).await;
        approvals::delegate(&ada, question.id, "bob@team.example").await.unwrap();
        waits_for(&bob, &mut news, 1).await;
        approvals::decide(&bob, question.id, word("answered", json!({"answer": "blue"}), "")).await.unwrap();
        waits_for(&bob, &mut news, 0).await;
        answer_of(&end(&owner, run).await);
    }

    async fn the_board_shows_what_a_script_uses_while_it_runs(site: Site) {
        let helper = Some(env!("CARGO_BIN_EXE_weft").into());
        sandbox::install(sandbox::Settings { helper, ..sandbox::Settings::default() });
        let ctx = somebody(&site).await;
        let folder = tempfile::tempdir().unwrap();
        model(&ctx, [
            calling(&[("1", AgentTool::Shell, json!({"script": "while [ ! -e go ]; do :; done; echo woven"}))]),
            words("Woven."),
        ]).await;
        let rule = Rule { tool: None, matching: String::new(), after_untrusted: false, ruling: Ruling::Allow };
        let weaver = AgentSpec { folder: folder.path().display().to_string(), rules: vec![rule], ..spec(&[AgentTool::Shell]) };
        let id = agent(&ctx, "weaver", weaver).await;
        let mut news = ctx.events.subscribe();
        let run = workflow::give_task(&ctx, id, "Weave.".into(), None).await.unwrap();
        let told = async {
            loop {
                let is_news = news.recv().await.unwrap().update.topic == Topic::Agents;
                let task = monitor::get_agent(&ctx, id).await.unwrap().latest;
                if is_news && task.is_some_and(|task| task.processes.cpu_ms > 0 && task.status == TaskStatus::Working) {
                    return;
                }
            }
        };
        soon("nobody was told what the script uses", told).await;
        std::fs::write(folder.path().join("go"), "").unwrap();
        answer_of(&end(&ctx, run).await);
    }

    async fn the_memory_that_an_agent_read_is_listed_with_why(site: Site) {
        let ctx = somebody(&site).await;
        keep(&ctx, "loom", "The loom is blue.").await;
        keep(&ctx, "yarn", "The yarn is red.").await;
        model(&ctx, [
            calling(&[("1", AgentTool::MemorySearch, json!({"query": "loom"}))]),
            words("Blue."),
            calling(&[("1", AgentTool::MemoryRead, json!({"namespace": "notes", "key": "yarn"}))]),
            words("Red."),
        ]).await;
        let tools = [AgentTool::MemorySearch, AgentTool::MemoryRead];
        let (id, other) = (agent(&ctx, "reader", spec(&tools)).await, agent(&ctx, "other", spec(&tools)).await);
        let mut runs = Vec::new();
        for task in ["Which colour?", "And the yarn?"] {
            let run = workflow::give_task(&ctx, id, task.into(), None).await.unwrap();
            answer_of(&end(&ctx, run).await);
            memory::write_reads(ctx.runtime()).await.unwrap();
            runs.push(run);
        }
        let page = |cursor: Option<String>, limit: u32| PageRequest { cursor, limit };
        let all = monitor::list_agent_memory(&ctx, &Reach::everything(), id, &page(None, 50)).await.unwrap().items;
        let keys: Vec<&str> = all.iter().map(|read| read.key.as_str()).collect();
        assert_eq!(keys, ["yarn", "loom"], "the last first");
        let Reader::Run { run_id, step, .. } = &all[1].reading.reader else { panic!("{:?}", all[1]) };
        assert_eq!((*run_id, step.as_str()), (runs[0], "work"));
        let sought = all[1].reading.sought.as_ref().unwrap();
        assert_eq!((sought.query.as_str(), sought.rank, all[1].reading.found), ("loom", 1, 1));
        assert_eq!((all[0].reading.sought.as_ref(), all[0].reading.reads), (None, 1), "it was opened by its key");

        let first = monitor::list_agent_memory(&ctx, &Reach::everything(), id, &page(None, 1)).await.unwrap();
        let second = monitor::list_agent_memory(&ctx, &Reach::everything(), id, &page(first.next.clone(), 1)).await.unwrap();
        assert_eq!((first.items, second.items, second.next), (all[..1].to_vec(), all[1..].to_vec(), None));
        assert!(monitor::list_agent_memory(&ctx, &Reach::everything(), other, &page(None, 50)).await.unwrap().items.is_empty());
        let closed = || Allowed { role: None, users: Vec::new() };
        let rule = AccessRule { path: "notes".into(), read: closed(), write: closed(), set_by: None, set_at: ctx.clock.now() };
        let reach = Reach::of(&[rule], Asker { role: Role::Admin, user: None });
        let none = monitor::list_agent_memory(&ctx, &reach, id, &page(None, 1)).await.unwrap();
        assert_eq!((none.items, none.next), (Vec::new(), None), "no cursor says that something is hidden");
        let foreign = monitor::list_agent_memory(&ctx, &Reach::everything(), id, &page(Some("5.x".into()), 50)).await;
        assert!(matches!(foreign, Err(ApiError::Invalid { .. })));
        let theirs = crate::engine::ctx(ctx.runtime()).await;
        let unknown = monitor::list_agent_memory(&theirs, &Reach::everything(), id, &page(None, 50)).await;
        assert!(matches!(unknown, Err(ApiError::NotFound { .. })));
    }
}
