//! What a run reads reaches no further than anybody who shaped it, and what starts by itself tells nobody what they may not read.

use serde_json::{Value, json};
use weft::auth;
use weft::cache;
use weft::memory::{self, Error};
use weft::model::auth::Role;
use weft::model::cache::{SourceChange, SourceKind, SourceRef};
use weft::model::memory::{Access, Allowed, KeptFrom, Retention};
use weft::model::trigger::{Config, MemoryChange, TriggerDraft};
use weft::model::workflow::{Decision, Definition, Fork, GiveOutput, RunStatus};
use weft::model::{PageRequest, RunId, UserId, WorkflowId};
use weft::runtime::{Ctx, Runtime};
use weft::trigger;
use weft::workflow::{self, NewRun, approvals, definitions, events, travel};

use super::put;
use crate::auth::{ctx_of, member, named_member, owner};
use crate::engine::{chain, end, transform, until, until_so, wait};

/// Words that only the hidden entry has.
const SECRET: &str = "quetzal";
const CLOSED: &str = "people/pay";

fn from(role: Role) -> Allowed {
    Allowed { role: Some(role), users: Vec::new() }
}

async fn open_to(ctx: &Ctx, role: Role, users: Vec<UserId>) {
    let who = Allowed { role: Some(role), users };
    memory::allow(ctx, "people", Access { read: who.clone(), write: who }).await.unwrap();
}

/// An owner and a builder, with an entry that only admins may read.
async fn governed(rt: &Runtime) -> (Ctx, Ctx) {
    workflow::boot(rt).await.unwrap();
    let (mara, _) = owner(rt).await;
    let (tomas, _) = member(&mara, Role::Builder).await;
    put(&mara, CLOSED, "k", "The quetzal earns more than the loom").await;
    open_to(&mara, Role::Admin, Vec::new()).await;
    (mara, tomas)
}

fn user(ctx: &Ctx) -> UserId {
    ctx.actor.principal.user_id().unwrap()
}

fn find() -> Value {
    json!({"id": "find", "kind": "memory_search", "config": {"query": SECRET}})
}

async fn make(who: &Ctx, name: &str, steps: Vec<Value>) -> WorkflowId {
    definitions::create(who, Definition { name: name.to_owned(), ..chain(steps) }).await.unwrap().id
}

async fn publish(who: &Ctx, name: &str, steps: Vec<Value>) -> WorkflowId {
    let id = make(who, name, steps).await;
    definitions::publish(who, id).await.unwrap();
    id
}

async fn publish_next(who: &Ctx, id: WorkflowId, steps: Vec<Value>) {
    save(who, id, steps).await;
    definitions::publish(who, id).await.unwrap();
}

async fn save(who: &Ctx, id: WorkflowId, steps: Vec<Value>) {
    let now = definitions::get(who, id).await.unwrap();
    let definition = Definition { name: now.name, ..chain(steps) };
    definitions::save_draft(who, id, now.revision, &definition).await.unwrap();
}

async fn begin(who: &Ctx, id: WorkflowId) -> RunId {
    workflow::start(who, NewRun::manual(id, json!({}), None, false)).await.unwrap()
}

/// How much of what is hidden a run found.
async fn found(ctx: &Ctx, run: RunId) -> usize {
    let detail = end(ctx, run).await;
    let find = detail.steps.iter().find(|step| step.id == "find").unwrap();
    assert!(find.output["hits"].is_array(), "{detail:#?}");
    find.output["hits"].as_array().map_or(0, Vec::len)
}

/// A run of the owner's own version that has come to what it waits for.
async fn waiting(mara: &Ctx, name: &str, first: Value) -> RunId {
    let run = begin(mara, publish(mara, name, vec![first, find()]).await).await;
    until(mara, run, RunStatus::Waiting).await;
    run
}

on_both_engines! {
    async fn a_run_reaches_no_further_than_whoever_published_its_version(site: Site) {
        let (mara, tomas) = governed(&site.runtime).await;
        let (hers, his) = (publish(&mara, "Hers", vec![find()]).await, publish(&tomas, "His", vec![find()]).await);
        for (who, flow, finds) in [(&mara, hers, 1), (&mara, his, 0), (&tomas, hers, 0), (&tomas, his, 0)] {
            assert_eq!(found(&mara, begin(who, flow).await).await, finds);
        }
        // What he may read now counts, and once he is gone what anybody may who starts runs.
        open_to(&mara, Role::Admin, vec![user(&tomas)]).await;
        assert_eq!(found(&mara, begin(&mara, his).await).await, 1);
        auth::disable_user(&mara, user(&tomas)).await.unwrap();
        assert_eq!(found(&mara, begin(&mara, his).await).await, 0);
        open_to(&mara, Role::Operator, Vec::new()).await;
        assert_eq!(found(&mara, begin(&mara, his).await).await, 1);
        // Nobody knows any more who published it.
        open_to(&mara, Role::Builder, Vec::new()).await;
        let gone = publish(&mara, "Gone", vec![wait("nap", 60_000), find()]).await;
        let run = begin(&mara, gone).await;
        until(&mara, run, RunStatus::Waiting).await;
        definitions::delete(&mara, gone).await.unwrap();
        site.runtime.clock.advance_ms(60_000);
        assert_eq!(found(&mara, run).await, 0);
    }

    async fn a_test_of_a_draft_reaches_no_further_than_whoever_saved_it(site: Site) {
        let (mara, tomas) = governed(&site.runtime).await;
        let flow = make(&tomas, "Draft", vec![find()]).await;
        let test = || workflow::start(&mara, NewRun::manual(flow, json!({}), None, true));
        assert_eq!(found(&mara, test().await.unwrap()).await, 0);
        save(&mara, flow, vec![transform("before", json!(1)), find()]).await;
        assert_eq!(found(&mara, test().await.unwrap()).await, 1);
    }

    async fn whoever_has_a_hand_in_a_run_that_goes_on_narrows_it(site: Site) {
        let (mara, tomas) = governed(&site.runtime).await;
        let event = |key: &str| json!({"id": "take", "kind": "event", "config": {"key": key}});
        for (key, who, finds) in [("hers", &mara, 1), ("his", &tomas, 0)] {
            // An event that the run waits for.
            let run = waiting(&mara, key, event(key)).await;
            assert_eq!(events::send(who, key, &json!({}), None).await.unwrap(), [run]);
            assert_eq!(found(&mara, run).await, finds, "event: {key}");
            // One that was there before it waited.
            let steps = vec![wait("nap", 60_000), event(key), find()];
            let run = begin(&mara, publish(&mara, &format!("Later {key}"), steps).await).await;
            until(&mara, run, RunStatus::Waiting).await;
            assert!(events::send(who, key, &json!({}), None).await.unwrap().is_empty());
            site.runtime.clock.advance_ms(60_000);
            assert_eq!(found(&mara, run).await, finds, "an event that lay ready: {key}");
            // An output by hand.
            let broken = json!({"id": "odd", "kind": "wait", "config": {"until": "never"}, "on_error": "pause"});
            let run = begin(&mara, publish(&mara, &format!("Odd {key}"), vec![broken, find()]).await).await;
            until(&mara, run, RunStatus::Paused).await;
            let (output, reason) = (json!({"waited_ms": 1}), "done".to_owned());
            let given = GiveOutput { step: "odd".to_owned(), output, port: None, reason };
            workflow::give_output(who, run, given).await.unwrap();
            workflow::control(&mara, run, weft::model::workflow::Command::Resume).await.unwrap();
            assert_eq!(found(&mara, run).await, finds, "an output: {key}");
            // A move to another version.
            let nap = wait("nap", 60_000);
            let flow = publish(&mara, &format!("Moved {key}"), vec![nap.clone(), find()]).await;
            let run = begin(&mara, flow).await;
            until(&mara, run, RunStatus::Waiting).await;
            publish_next(&mara, flow, vec![nap, transform("more", json!(1)), find()]).await;
            workflow::migrate(who, run, None).await.unwrap();
            site.runtime.clock.advance_ms(60_000);
            assert_eq!(found(&mara, run).await, finds, "a move: {key}");
        }
    }

    async fn whoever_answers_a_run_narrows_it(site: Site) {
        let (mara, tomas) = governed(&site.runtime).await;
        for (who, finds) in [(&mara, 1), (&tomas, 0)] {
            let ask = json!({"id": "ask", "kind": "approval", "config": {"title": "Go?"}});
            let mut asks = chain(vec![ask, find()]);
            asks.edges[0].port = String::from("approved");
            let flow = definitions::create(&mara, asks).await.unwrap().id;
            definitions::publish(&mara, flow).await.unwrap();
            let run = begin(&mara, flow).await;
            until(&mara, run, RunStatus::Waiting).await;
            let open = approvals::list_of_run(&mara, run).await.unwrap();
            let yes = Decision { decision: "approved".to_owned(), form: Value::Null, comment: String::new() };
            approvals::decide(who, open[0].id, yes).await.unwrap();
            assert_eq!(found(&mara, run).await, finds);
        }
    }

    async fn both_versions_of_a_run_that_was_moved_count(site: Site) {
        let (mara, tomas) = governed(&site.runtime).await;
        let steps = |more: bool| {
            let more = more.then(|| transform("more", json!(1)));
            [Some(wait("nap", 60_000)), more, Some(find())].into_iter().flatten().collect::<Vec<_>>()
        };
        for (name, first, second) in [("To his", &mara, &tomas), ("From his", &tomas, &mara)] {
            let flow = publish(first, name, steps(false)).await;
            let run = begin(&mara, flow).await;
            until(&mara, run, RunStatus::Waiting).await;
            publish_next(second, flow, steps(true)).await;
            workflow::migrate(&mara, run, None).await.unwrap();
            site.runtime.clock.advance_ms(60_000);
            assert_eq!(found(&mara, run).await, 0, "{name}");
        }
    }

    async fn what_a_run_comes_from_counts(site: Site) {
        let (mara, tomas) = governed(&site.runtime).await;
        let flow = publish(&mara, "Hers", vec![transform("before", json!(1)), find()]).await;
        for (who, finds) in [(&mara, 1), (&tomas, 0)] {
            let run = begin(who, flow).await;
            end(&mara, run).await;
            let fork = travel::fork(&mara, run, Fork::step("find"), None).await.unwrap();
            assert_eq!(found(&mara, fork).await, finds, "a fork of another's run");
            let call = json!({"id": "call", "kind": "workflow", "config": {"workflow": "Hers", "inputs": {}}});
            let outer = publish(who, "Outer", vec![call]).await;
            let outer = end(&mara, begin(&mara, outer).await).await;
            assert_eq!(found(&mara, outer.steps[0].sub_run.unwrap()).await, finds, "what another's version calls");
        }
    }

    async fn whoever_published_what_a_run_calls_narrows_it(site: Site) {
        let (mara, tomas) = governed(&site.runtime).await;
        let call = |name: &str| json!({"id": "call", "kind": "workflow", "config": {"workflow": name, "inputs": {}}});
        publish(&mara, "Her word", vec![transform("say", json!("loom"))]).await;
        publish(&tomas, "His word", vec![transform("say", json!("loom"))]).await;
        publish(&mara, "Between", vec![call("His word")]).await;
        for (called, finds) in [("Her word", 1), ("His word", 0), ("Between", 0)] {
            let flow = publish(&mara, &format!("Calls {called}"), vec![call(called), find()]).await;
            assert_eq!(found(&mara, begin(&mara, flow).await).await, finds, "{called}");
        }
    }

    async fn what_a_failed_run_starts_reaches_no_further_than_its_starter(site: Site) {
        let (mara, tomas) = governed(&site.runtime).await;
        let (_, ada) = named_member(&mara, Role::Operator, "ada@team.example").await;
        let ada = ctx_of(&site.runtime, &ada).await;
        open_to(&mara, Role::Builder, Vec::new()).await;
        publish(&mara, "Handler", vec![find()]).await;
        let mut fails = chain(vec![transform("bad", json!("{{ inputs.n.missing }}"))]);
        fails.on_failure = Some("Handler".to_owned());
        let flow = definitions::create(&mara, fails).await.unwrap().id;
        definitions::publish(&mara, flow).await.unwrap();
        for (who, finds) in [(&tomas, 1), (&ada, 0)] {
            let run = begin(who, flow).await;
            let started = until_so(&mara, run, |run| run.lineage.handlers.iter().any(|one| one.run_id.is_some())).await;
            let handler = started.lineage.handlers[0].run_id.unwrap();
            assert_eq!(found(&mara, handler).await, finds);
            let by = workflow::get_run(&mara, handler).await.unwrap().summary.started_by;
            assert_eq!(by.as_deref(), who.actor.principal.user_name());
        }
    }

    async fn what_not_everybody_may_read_starts_nothing_and_firings_do_not_name_it(site: Site) {
        let (mara, tomas) = governed(&site.runtime).await;
        let flow = publish(&mara, "Heard", vec![transform("a", json!(1))]).await;
        let config = Config::Memory { namespace: String::new(), on: vec![MemoryChange::Written] };
        let draft = TriggerDraft { workflow_id: flow, name: "Ours".into(), config, inputs: Value::Null, enabled: true };
        let made = trigger::create(&mara, draft).await.unwrap().trigger;
        let page = PageRequest { limit: 50, cursor: None };
        // Builders may read it, viewers not; a run's inputs are there for both.
        open_to(&mara, Role::Builder, Vec::new()).await;
        put(&mara, CLOSED, "two", "more of the quetzal").await;
        trigger::look(&site.runtime).await.unwrap();
        assert!(trigger::list_firings(&mara, Some(made.id), &page).await.unwrap().items.is_empty());
        // What was told before it was hidden is told no more.
        put(&mara, "plans/x", "k", "the loom").await;
        trigger::look(&site.runtime).await.unwrap();
        let admins = from(Role::Admin);
        memory::allow(&mara, "plans", Access { read: admins.clone(), write: admins }).await.unwrap();
        for (who, shows) in [(&mara, true), (&tomas, false)] {
            let listed = trigger::list_firings(who, Some(made.id), &page).await.unwrap().items;
            let last = trigger::get(who, made.id).await.unwrap().last_firing.unwrap();
            assert_eq!(listed.len(), 1);
            for event in [&listed[0].event, &last.event] {
                assert_eq!(event.get("key").is_some(), shows, "{event}");
                assert_eq!(event.to_string().contains("plans"), shows, "{event}");
            }
        }
    }

    async fn nobody_learns_from_the_cache_what_they_may_not_read(site: Site) {
        let (mara, tomas) = governed(&site.runtime).await;
        memory::lend_guard(&site.runtime);
        let on = |id: &str| SourceRef { kind: SourceKind::Memory, id: id.to_owned() };
        let told = |id: &str, needs: Option<Vec<SourceRef>>| SourceChange {
            kind: if needs.is_some() { SourceKind::File } else { SourceKind::Memory },
            id: id.to_owned(),
            fingerprint: "1".to_owned(),
            depends_on: needs,
        };
        for (change, pointer) in [
            (told("people/pay/k", None), "/id"),
            (told("people/pay/nothing", None), "/id"),
            (told("a.rs", Some(vec![on("code/k"), on("people/pay/k")])), "/depends_on/1"),
        ] {
            match cache::changed(&tomas, change.clone()).await {
                Err(cache::Error::Invalid(fields)) => assert_eq!(fields[0].pointer, pointer),
                other => panic!("{other:?}"),
            }
            cache::changed(&mara, change).await.unwrap();
        }
        cache::changed(&tomas, told("code/k", None)).await.unwrap();
        let needs = [on("people/pay/k")];
        assert!(!memory::may_depend(&tomas, &needs).await.unwrap());
        assert!(memory::may_depend(&mara, &needs).await.unwrap());
        assert!(memory::may_depend(&tomas, &[on("code/k")]).await.unwrap());
    }

    async fn how_long_entries_are_kept_is_for_those_who_may_change_them(site: Site) {
        let (mara, _) = governed(&site.runtime).await;
        let (_, ada) = named_member(&mara, Role::Admin, "ada@team.example").await;
        let ada = ctx_of(&site.runtime, &ada).await;
        let week = Retention { days: 7, from: KeptFrom::default() };
        memory::keep_for(&ada, CLOSED, week).await.unwrap();
        let looks = Access { read: from(Role::Admin), write: Allowed::default() };
        memory::allow(&mara, "people", looks).await.unwrap();
        assert!(matches!(memory::keep_for(&ada, CLOSED, week).await, Err(Error::ReadOnly { .. })));
        assert!(matches!(memory::keep_for_ever(&ada, CLOSED).await, Err(Error::ReadOnly { .. })));
        memory::allow(&mara, "people", Access::default()).await.unwrap();
        assert!(matches!(memory::keep_for(&ada, CLOSED, week).await, Err(Error::NoNamespace)));
        memory::keep_for_ever(&mara, CLOSED).await.unwrap();
    }
}
