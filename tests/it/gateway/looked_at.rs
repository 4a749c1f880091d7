//! What people see of agents at work: which of them wait for whoever looks, and what each was given of the memory, and why.

use serde_json::json;
use weft::memory::{self, Expect};
use weft::model::agent::{AgentSpec, AgentTool, Busy};
use weft::model::auth::Role;
use weft::model::memory::{AccessRule, Allowed, Asker, Reach, Reader, Source};
use weft::model::workflow::RunStatus;
use weft::model::{ApiError, PageRequest};
use weft::monitor;
use weft::runtime::Ctx;
use weft::workflow::{self, approvals};

use super::agents::{agent, answer_of, asked, calling, model, people, spec, word, words};
use super::somebody;
use crate::auth::{ctx_of, named_member};
use crate::engine::{end, until};

/// What the only agent is busy with, as this person sees it on the board.
async fn board(ctx: &Ctx) -> Busy {
    let mine = approvals::list_mine(ctx).await.unwrap();
    monitor::list_board_for(ctx, &[], &mine).await.unwrap()[0].busy
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
