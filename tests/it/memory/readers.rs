//! Who was given an entry, and what a run was given.

use serde_json::json;
use weft::memory::{self, Error, Expect};
use weft::model::RunId;
use weft::model::auth::Role;
use weft::model::memory::{LISTED_READERS, Reader, Readers, Search};
use weft::model::workflow::RunStatus;
use weft::runtime::{Actor, Ctx, Principal};
use weft::workflow;

use super::{as_role, put, workspace};
use crate::engine::{chain, end, start};

/// A person in the workspace.
fn person(ctx: &Ctx, name: &str) -> Ctx {
    let principal = Principal::User { id: ctx.ids.fresh(), name: name.to_owned(), session: ctx.ids.fresh() };
    let actor = Actor { workspace: ctx.workspace(), principal, role: Role::Viewer };
    ctx.runtime().as_actor(actor, String::new())
}

async fn readers(ctx: &Ctx, key: &str) -> Readers {
    memory::write_reads(ctx.runtime()).await.unwrap();
    memory::readers(ctx, "a", key).await.unwrap()
}

fn step(run_id: RunId) -> Reader {
    Reader::Run { run_id, step: "look".to_owned(), agent: Some("scout".to_owned()) }
}

on_both_engines! {
    async fn a_person_who_opens_or_finds_an_entry_is_one_of_its_readers(site: Site) {
        let ctx = workspace(&site).await;
        put(&ctx, "a", "pool", "The pool is 20.").await;
        assert_eq!(readers(&ctx, "pool").await, Readers::default(), "who writes does not read");
        let mara = person(&ctx, "Mara");
        memory::get(&mara, "a", "pool").await.unwrap();
        memory::search(&mara, &Search::text("pool")).await.unwrap();
        let found = readers(&ctx, "pool").await;
        assert_eq!((found.reads, found.found, found.items.len()), (1, 1, 1));
        assert_eq!(found.items[0].reader, Reader::User { name: "Mara".to_owned() });
        assert_eq!(found.items[0].sought, None, "what people type is not kept");
        assert_eq!(found.since, Some(found.items[0].first_at));
        memory::related(&mara, "a", "pool").await.unwrap();
        assert_eq!(readers(&ctx, "pool").await.reads, 1, "a page that asks what is related reads nothing");
    }

    async fn the_same_reader_counts_once_within_a_minute(site: Site) {
        let ctx = workspace(&site).await;
        put(&ctx, "a", "pool", "The pool is 20.").await;
        let mara = person(&ctx, "Mara");
        for ms in [0, 30_000, 20_000, 61_000] {
            site.runtime.clock.advance_ms(ms);
            memory::get_any(&mara, "a", "pool").await.unwrap();
            memory::write_reads(&site.runtime).await.unwrap();
        }
        let found = readers(&ctx, "pool").await;
        assert_eq!((found.reads, found.items[0].reads), (2, 2));
        assert!(found.items[0].first_at < found.items[0].last_at);
        put(&ctx, "a", "pool", "The pool is 40.").await;
        site.runtime.clock.advance_ms(1);
        memory::get(&person(&ctx, "Ivo"), "a", "pool").await.unwrap();
        let found = readers(&ctx, "pool").await;
        let versions: Vec<i64> = found.items.iter().map(|reading| reading.version).collect();
        assert_eq!(versions, [2, 1], "the last reader first, each with the version that they saw");
    }

    async fn a_run_says_by_which_question_it_was_given_what(site: Site) {
        let ctx = workspace(&site).await;
        let (run, other): (RunId, RunId) = (ctx.ids.fresh(), ctx.ids.fresh());
        let pool = put(&ctx, "a", "pool", "The pool is 20.").await;
        put(&ctx, "a", "import", "The import runs at night.").await;
        let hits = memory::search(&ctx, &Search::text("pool")).await.unwrap().hits;
        memory::note_found(&ctx, &step(run), "how large is the pool", &hits);
        memory::note_read(&ctx, &step(run), &pool);
        memory::note_read(&ctx, &step(other), &pool);
        memory::write_reads(&site.runtime).await.unwrap();
        let reads = memory::reads_of_run(&ctx, run, Some("look")).await.unwrap();
        assert_eq!(reads.len(), 1);
        assert_eq!((reads[0].key.as_str(), reads[0].reading.reads, reads[0].reading.found), ("pool", 1, 1));
        let sought = reads[0].reading.sought.as_ref().unwrap();
        assert_eq!((sought.query.as_str(), sought.rank), ("how large is the pool", 1));
        assert_eq!(memory::reads_of_run(&ctx, run, Some("other")).await.unwrap(), []);
        assert_eq!(memory::reads_of_run(&ctx, run, None).await.unwrap(), reads);
        let theirs = workspace(&site).await;
        assert_eq!(memory::reads_of_run(&theirs, run, None).await.unwrap(), []);
        memory::delete(&ctx, "a", "pool", Expect::Any).await.unwrap();
        assert_eq!(memory::reads_of_run(&ctx, run, None).await.unwrap(), [], "what is deleted is not told of");
    }

    async fn of_many_readers_the_last_are_listed_and_all_are_counted(site: Site) {
        let ctx = workspace(&site).await;
        let entry = put(&ctx, "a", "pool", "The pool is 20.").await;
        let all = LISTED_READERS + 5;
        for _ in 0..all {
            site.runtime.clock.advance_ms(10);
            memory::note_read(&ctx, &step(ctx.ids.fresh()), &entry);
        }
        let found = readers(&ctx, "pool").await;
        assert_eq!((found.items.len(), found.reads), (LISTED_READERS as usize, i64::from(all)));
        assert!(found.items.windows(2).all(|pair| pair[0].last_at > pair[1].last_at));
        memory::note_read(&ctx, &step(ctx.ids.fresh()), &entry);
        let found = readers(&ctx, "pool").await;
        assert_eq!((found.items.len(), found.reads), (LISTED_READERS as usize, i64::from(all) + 1));
    }

    async fn the_readers_of_another_workspace_s_entry_are_nobody_s_business(site: Site) {
        let ctx = workspace(&site).await;
        put(&ctx, "a", "pool", "The pool is 20.").await;
        assert!(memory::readers(&as_role(&ctx, Role::Viewer), "a", "pool").await.is_ok());
        let theirs = workspace(&site).await;
        assert!(matches!(memory::readers(&theirs, "a", "pool").await, Err(Error::NotFound)));
        memory::delete(&ctx, "a", "pool", Expect::Any).await.unwrap();
        assert!(matches!(memory::readers(&ctx, "a", "pool").await, Err(Error::NotFound)));
    }

    async fn a_step_that_searches_is_a_reader(site: Site) {
        let ctx = workspace(&site).await;
        put(&ctx, "a", "pool", "The pool is 20.").await;
        let find = json!({"id": "find", "kind": "memory_search", "config": {"query": "pool", "namespace": "a"}});
        let run = start(&ctx, &chain(vec![find]), json!({})).await;
        assert_eq!(end(&ctx, run).await.summary.status, RunStatus::Succeeded);
        let found = readers(&ctx, "pool").await;
        assert_eq!(found.items[0].reader, Reader::Run { run_id: run, step: "find".to_owned(), agent: None });
        let reads = workflow::list_memory_reads(&ctx, run, Some("find")).await.unwrap();
        assert_eq!(reads.iter().map(|read| read.key.as_str()).collect::<Vec<_>>(), ["pool"]);
        let theirs = workspace(&site).await;
        assert!(matches!(workflow::list_memory_reads(&theirs, run, None).await, Err(workflow::Error::NotFound("run"))));
    }
}
