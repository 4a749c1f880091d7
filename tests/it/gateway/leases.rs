//! Leases: who has what, who waits for it, what a circle comes to, and what is not written over.

use std::path::Path;

use serde_json::json;
use weft::agents::leases::{self, Answer, Holder};
use weft::model::agent::{AgentSpec, AgentTool, Entry, LeaseMode, OnConflict, Rule, Ruling, Thing};
use weft::model::workflow::why::Code;
use weft::model::workflow::{Command, Fact, RunStatus};
use weft::model::{AgentId, RunId};
use weft::runtime::{Ctx, sandbox};
use weft::{read, workflow};

use super::agents::{agent, answer_of, calling, model, spec, told, words};
use super::somebody;
use super::upstream::Gate;
use crate::engine::{chain, end, start, until};

const STEP: &str = "ask";

/// Whoever works in a run that waits for people.
async fn holder(ctx: &Ctx, name: &str) -> Holder {
    let asks = chain(vec![json!({"id": STEP, "kind": "approval", "config": {"title": "Well?"}})]);
    let run = start(ctx, &asks, json!({"n": 1})).await;
    until(ctx, run, RunStatus::Waiting).await;
    let token: i64 = read!(&ctx.db, conn =>
        sqlx::query_scalar("select lease_token from run where id = $1").bind(run).fetch_one(conn).await)
    .unwrap();
    Holder { run_id: run, step: STEP.into(), token, agent: ctx.ids.fresh::<AgentId>(), agent_name: name.into() }
}

async fn take(ctx: &Ctx, holder: &Holder, name: &str) -> Answer {
    leases::take(ctx, holder, &Thing::named(name), LeaseMode::Exclusive, false).await.unwrap()
}

fn waits(answer: Answer) -> weft::model::LeaseId {
    let Answer::Waits(id, _) = answer else { panic!("it waits: {answer:?}") };
    id
}

fn release() -> serde_json::Value {
    json!({"kind": "name", "name": "the release"})
}

fn shared(folder: &Path, on_conflict: OnConflict) -> AgentSpec {
    let allow = Rule { tool: None, matching: String::new(), after_untrusted: false, ruling: Ruling::Allow };
    AgentSpec {
        folder: folder.display().to_string(),
        rules: vec![allow],
        on_conflict,
        ..spec(&[AgentTool::ReadFile, AgentTool::WriteFile])
    }
}

/// Has an agent read a file and write it again, while somebody else changes its end in between: what is in it then, and what the
/// model was told.
async fn write_over(ctx: &Ctx, on_conflict: OnConflict) -> (String, String) {
    // Files are read and written behind the walls, which the program itself builds.
    let helper = Some(env!("CARGO_BIN_EXE_weft").into());
    sandbox::install(sandbox::Settings { helper, ..sandbox::Settings::default() });
    let folder = tempfile::tempdir().unwrap();
    let notes = folder.path().join("notes.md");
    std::fs::write(&notes, "one\ntwo\nthree\nfour\n").unwrap();
    let gate = Gate::default();
    let write = json!({"path": "notes.md", "content": "ONE\ntwo\nthree\nfour\n"});
    let upstream = model(
        ctx,
        [
            calling(&[("1", AgentTool::ReadFile, json!({"path": "notes.md"}))]),
            gate.hold(calling(&[("2", AgentTool::WriteFile, write)])),
            words("Done."),
        ],
    )
    .await;
    let id = agent(ctx, "scribe", shared(folder.path(), on_conflict)).await;
    let run = workflow::give_task(ctx, id, "Write.".into(), None).await.unwrap();
    gate.seen().await;
    std::fs::write(&notes, "one\ntwo\nthree\nFOUR\n").unwrap();
    gate.open();
    answer_of(&end(ctx, run).await);
    (std::fs::read_to_string(&notes).unwrap(), told(&upstream, 2).last().unwrap().clone())
}

async fn queued(ctx: &Ctx, run: RunId) -> bool {
    let events = workflow::list_events(ctx, run, 0, 1_000).await.unwrap();
    events.iter().any(|event| match &event.fact {
        Fact::StepAdvanced { entry, .. } => matches!(Entry::read(entry), Ok(Entry::Queued { .. })),
        _ => false,
    })
}

on_both_engines! {
    async fn an_agent_waits_for_what_another_has_and_goes_on_when_that_ends(site: Site) {
        let ctx = somebody(&site).await;
        workflow::boot(ctx.runtime()).await.unwrap();
        let gate = Gate::default();
        let upstream = model(&ctx, [
            calling(&[("1", AgentTool::LeaseTake, release())]),
            gate.hold(words("Never said.")),
            calling(&[("2", AgentTool::LeaseTake, release())]),
            words("Released."),
        ]).await;
        let (anna, ben) = (agent(&ctx, "anna", spec(&[AgentTool::LeaseTake])).await, agent(&ctx, "ben", spec(&[AgentTool::LeaseTake])).await);
        let first = workflow::give_task(&ctx, anna, "Release.".into(), None).await.unwrap();
        gate.seen().await;
        let second = workflow::give_task(&ctx, ben, "Release too.".into(), None).await.unwrap();
        until(&ctx, second, RunStatus::Waiting).await;
        let why = workflow::why_waiting(&ctx, second).await.unwrap();
        assert_eq!((why.len(), why[0].code, why[0].position), (1, Code::Lease, Some(1)), "{why:?}");
        assert_eq!(why[0].sentence, "Waits for a lease on “the release”: anna has “the release”.");
        let list = leases::list(&ctx).await.unwrap();
        assert_eq!(list.iter().map(|lease| (lease.agent_name.as_str(), lease.is_held)).collect::<Vec<_>>(), [("anna", true), ("ben", false)]);
        assert_eq!((list[1].behind[0].run_id, list[1].behind[0].is_held), (first, true));
        workflow::control(&ctx, first, Command::Cancel).await.unwrap();
        assert_eq!(answer_of(&end(&ctx, second).await)["text"], "Released.");
        assert!(told(&upstream, 3).last().unwrap().contains("to yourself"), "{:?}", told(&upstream, 3));
        assert!(queued(&ctx, second).await, "the history says that it waited");
        end(&ctx, first).await;
        assert!(leases::list(&ctx).await.unwrap().is_empty(), "what ends gives back what it had");
    }

    async fn who_closes_a_circle_is_refused_and_told_who_waits_for_whom(site: Site) {
        let ctx = somebody(&site).await;
        let (anna, ben) = (holder(&ctx, "anna").await, holder(&ctx, "ben").await);
        assert_eq!(take(&ctx, &anna, "warp").await, Answer::Held);
        assert_eq!(take(&ctx, &ben, "weft").await, Answer::Held);
        let id = waits(take(&ctx, &anna, "weft").await);
        assert_eq!(waits(take(&ctx, &anna, "weft").await), id, "asked again it is the same");
        let Answer::Refused(why) = take(&ctx, &ben, "warp").await else { panic!("both would wait for ever") };
        assert!(why.contains("waits for “warp”, because anna") && why.contains("waits for “weft”, because ben"), "{why}");
        assert_eq!(leases::list(&ctx).await.unwrap().len(), 3, "who is refused does not wait");
        assert!(leases::give_back(&ctx, &ben, &Thing::named("weft")).await.unwrap());
        assert_eq!(leases::settle(&ctx).await.unwrap(), [id]);
        assert_eq!(take(&ctx, &anna, "weft").await, Answer::Held);
    }

    async fn what_a_run_had_is_free_once_it_has_ended_and_only_its_owner_asks_for_it(site: Site) {
        let ctx = somebody(&site).await;
        let (anna, ben) = (holder(&ctx, "anna").await, holder(&ctx, "ben").await);
        let old = Holder { token: ben.token - 1, ..ben.clone() };
        assert!(matches!(take(&ctx, &old, "warp").await, Answer::Refused(_)), "another process has the run");
        assert_eq!(take(&ctx, &anna, "warp").await, Answer::Held);
        let id = waits(take(&ctx, &ben, "warp").await);
        workflow::control(&ctx, anna.run_id, Command::Cancel).await.unwrap();
        end(&ctx, anna.run_id).await;
        assert_eq!(leases::settle(&ctx).await.unwrap(), [id]);
        assert!(matches!(take(&ctx, &anna, "weft").await, Answer::Refused(_)), "who has ended takes nothing");
    }

    async fn a_person_ends_a_lease_or_the_wait_for_one(site: Site) {
        let ctx = somebody(&site).await;
        let (anna, ben, eve) = (holder(&ctx, "anna").await, holder(&ctx, "ben").await, holder(&ctx, "eve").await);
        assert_eq!(take(&ctx, &anna, "warp").await, Answer::Held);
        let (second, third) = (waits(take(&ctx, &ben, "warp").await), waits(take(&ctx, &eve, "warp").await));
        leases::end(&ctx, second).await.unwrap();
        let Answer::Refused(why) = take(&ctx, &ben, "warp").await else { panic!("it was told no") };
        assert!(why.ends_with("ended it"), "{why}");
        let held = leases::list(&ctx).await.unwrap().into_iter().find(|lease| lease.is_held).unwrap();
        leases::end(&ctx, held.id).await.unwrap();
        leases::settle(&ctx).await.unwrap();
        let list = leases::list(&ctx).await.unwrap();
        assert_eq!(list.iter().map(|lease| (lease.id, lease.is_held)).collect::<Vec<_>>(), [(third, true)]);
        assert!(leases::list_held(&ctx, anna.run_id, STEP).await.unwrap().is_empty(), "who had it learns that by looking");
        assert!(leases::end(&ctx, held.id).await.is_err(), "it is over");
    }

    async fn what_somebody_else_wrote_since_an_agent_read_it_is_not_lost(site: Site) {
        let ctx = somebody(&site).await;
        let (left, told) = write_over(&ctx, OnConflict::Retry).await;
        assert_eq!(left, "one\ntwo\nthree\nFOUR\n");
        assert!(told.contains("was changed by somebody else"), "{told}");
    }

    async fn two_changes_at_different_places_are_put_together_where_the_agent_s_setting_says_so(site: Site) {
        let ctx = somebody(&site).await;
        let (left, told) = write_over(&ctx, OnConflict::Merge).await;
        assert_eq!(left, "ONE\ntwo\nthree\nFOUR\n");
        assert!(told.contains("both changes are in it now"), "{told}");
    }
}
