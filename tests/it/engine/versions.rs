//! Runs that are moved to a newer version of their workflow.

use super::*;
use crate::auth::{ctx_of, named_member, owner};
use weft::model::workflow::{ApprovalFilter, Decision, Fork, ForkOnto};
use weft::model::{ApiError, WorkflowId};
use weft::workflow::{approvals, definitions, travel};

/// A workflow whose first version waits and then says `said`.
async fn publish(ctx: &Ctx, said: &str) -> WorkflowId {
    let mut definition = chain(vec![wait("nap", 60_000), transform("say", json!(said))]);
    definition.output = json!("{{ steps.say.output }}");
    let workflow = definitions::create(ctx, definition).await.unwrap();
    definitions::publish(ctx, workflow.id).await.unwrap();
    workflow.id
}

async fn publish_next(ctx: &Ctx, id: WorkflowId, definition: Definition) {
    let workflow = definitions::get(ctx, id).await.unwrap();
    let definition = Definition { name: workflow.name.clone(), ..definition };
    definitions::save_draft(ctx, id, workflow.revision, &definition).await.unwrap();
    definitions::publish(ctx, id).await.unwrap();
}

/// What comes after the nap is another, and there is more of it.
fn next(said: &str) -> Definition {
    let steps = vec![wait("nap", 60_000), transform("before", json!(1)), transform("say", json!(said))];
    Definition { output: json!("{{ steps.say.output }}"), ..chain(steps) }
}

async fn napping(ctx: &Ctx, id: WorkflowId) -> RunId {
    let run = workflow::start(ctx, NewRun::manual(id, json!({"n": 1}), None, false)).await.unwrap();
    until(ctx, run, RunStatus::Waiting).await;
    run
}

on_both_engines! {
    async fn a_waiting_run_goes_on_with_the_version_that_it_was_moved_to_in_any_process(site: Site) {
        let first = ctx(&site.runtime).await;
        let id = publish(&first, "old").await;
        let run = napping(&first, id).await;
        publish_next(&first, id, next("new")).await;
        let listed = workflow::list_movable(&first, id, None).await.unwrap();
        assert_eq!((listed.version, listed.runs.len(), listed.runs[0].misfits.len()), (2, 1, 0));
        let moved = workflow::migrate(&first, run, None).await.unwrap();
        assert_eq!((moved.version, moved.status, moved.steps_total), (Some(2), RunStatus::Waiting, 3));
        assert!(matches!(workflow::migrate(&first, run, Some(2)).await, Err(workflow::Error::Conflict(_))));
        assert!(site.runtime.tasks.stop(Duration::from_secs(20)).await, "it drains");
        let second = next_process(&site, site.runtime.clock.clone());
        workflow::boot(&second).await.unwrap();
        let ctx = second.as_actor(first.actor.clone(), String::new());
        assert!(workflow::list_movable(&ctx, id, None).await.unwrap().runs.is_empty());
        second.clock.advance_ms(60_000);
        let detail = end(&ctx, run).await;
        assert_eq!((detail.summary.status, detail.output, detail.summary.version), (RunStatus::Succeeded, json!("new"), Some(2)));
        assert_eq!(detail.definition.steps.len(), 3);
        // A fork of it begins with what it had done, before and after the move, without the move.
        for fork in [Fork::step("say"), Fork::step("nap"), Fork::at(2)] {
            let fork = travel::fork(&ctx, run, fork, None).await.unwrap();
            until_so(&ctx, fork, |fork| fork.summary.status != RunStatus::Running).await;
            second.clock.advance_ms(60_000);
            assert_eq!(end(&ctx, fork).await.output, json!("new"));
            let events = workflow::list_events(&ctx, fork, 0, 100).await.unwrap();
            assert_eq!(events.iter().map(|event| event.seq).collect::<Vec<_>>(), (1..=events.len() as i64).collect::<Vec<_>>());
            assert!(!events.iter().any(|event| matches!(event.fact, Fact::RunMigrated(_))));
        }
    }

    async fn a_version_that_differs_where_the_run_is_is_refused_with_every_difference(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let id = publish(&ctx, "old").await;
        let run = napping(&ctx, id).await;
        publish_next(&ctx, id, chain(vec![wait("nap", 5), transform("say", json!("new"))])).await;
        let error = ApiError::from(workflow::migrate(&ctx, run, None).await.unwrap_err());
        assert_eq!((error.status(), error.field("/steps/nap")), (422, Some("step nap had begun, and its config.ms differs here")));
        let mut asks = next("new");
        asks.inputs = json!({"type": "object", "required": ["who"], "properties": {"who": {"type": "string"}}});
        publish_next(&ctx, id, asks).await;
        let found = workflow::check_migration(&ctx, run, None).await.unwrap();
        assert_eq!(found.misfits[0].message, "inputs/who is required");
        assert!(workflow::list_events(&ctx, run, 0, 100).await.unwrap().iter().all(|event| !matches!(event.fact, Fact::RunMigrated(_))));
    }

    async fn a_sub_run_goes_on_when_the_run_that_waits_for_it_is_moved(site: Site) {
        let ctx = ctx(&site.runtime).await;
        workflow::boot(&site.runtime).await.unwrap();
        let mut slow = chain(vec![wait("nap", 60_000)]);
        "Slow".clone_into(&mut slow.name);
        slow.output = json!("slept");
        let slow = definitions::create(&ctx, slow).await.unwrap();
        definitions::publish(&ctx, slow.id).await.unwrap();
        let call = json!({"id": "call", "kind": "workflow", "config": {"workflow": "Slow", "inputs": {}}});
        let outer = definitions::create(&ctx, chain(vec![call.clone(), transform("say", json!("old"))])).await.unwrap();
        definitions::publish(&ctx, outer.id).await.unwrap();
        let run = napping(&ctx, outer.id).await;
        let child = workflow::get_run(&ctx, run).await.unwrap().steps[0].sub_run.unwrap();
        until(&ctx, child, RunStatus::Waiting).await;
        // The step that waits has another number in the new version.
        let mut next = chain(vec![call, transform("say", json!("{{ steps.call.output }} new"))]);
        next.steps.reverse();
        next.output = json!("{{ steps.say.output }}");
        publish_next(&ctx, outer.id, next).await;
        workflow::migrate(&ctx, run, None).await.unwrap();
        site.runtime.clock.advance_ms(60_000);
        assert_eq!(end(&ctx, run).await.output, json!("slept new"));
    }

    async fn all_waiting_runs_are_moved_that_fit_and_of_the_others_it_is_told_why(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let id = publish(&ctx, "old").await;
        let (a, b) = (napping(&ctx, id).await, napping(&ctx, id).await);
        workflow::control(&ctx, b, Command::Pause).await.unwrap();
        let mut asks = next("new");
        asks.inputs = json!({"type": "object", "properties": {"n": {}, "who": {"type": "string", "default": "you"}}});
        asks.output = json!("{{ inputs.who }}");
        publish_next(&ctx, id, asks).await;
        let test = workflow::start(&ctx, NewRun::manual(id, json!({"n": 1}), None, true)).await.unwrap();
        until(&ctx, test, RunStatus::Waiting).await;
        let results = workflow::migrate_all(&ctx, id, None).await.unwrap();
        let told: Vec<_> = results.iter().map(|result| (result.run_id, result.status)).collect();
        assert_eq!(told, [(b, Some(RunStatus::Paused)), (a, Some(RunStatus::Waiting))]);
        workflow::boot(&site.runtime).await.unwrap();
        site.runtime.clock.advance_ms(60_000);
        assert_eq!(end(&ctx, a).await.output, json!("you"), "the default of a new input is filled in");
        publish_next(&ctx, id, chain(vec![transform("say", json!("x"))])).await;
        let results = workflow::migrate_all(&ctx, id, None).await.unwrap();
        assert!(results.len() == 1 && results[0].refused.as_ref().unwrap().contains("nap"), "{results:?}");
    }

    async fn a_run_that_is_paused_at_a_failed_step_goes_on_with_the_version_that_mends_it(site: Site) {
        let (owner, _) = owner(&site.runtime).await;
        let (_, ada) = named_member(&owner, Role::Operator, "ada@team.example").await;
        let ada = ctx_of(&site.runtime, &ada).await;
        let mut shaky = json!({"id": "shaky", "kind": "wait", "config": {"until": "never"}, "on_error": "pause"});
        let ask = json!({"id": "ask", "kind": "approval", "config": {"title": "Go?"}});
        let mut first = chain(vec![ask.clone(), shaky.clone(), transform("say", json!("mended"))]);
        first.output = json!("{{ steps.say.output }}");
        "approved".clone_into(&mut first.edges[0].port);
        let workflow = definitions::create(&owner, first.clone()).await.unwrap();
        definitions::publish(&owner, workflow.id).await.unwrap();
        let run = napping(&owner, workflow.id).await;
        let asked = approvals::list(&ada, ApprovalFilter::Open, &weft::model::PageRequest::default()).await.unwrap();
        let yes = Decision { decision: "approved".into(), form: Value::Null, comment: String::new() };
        approvals::decide(&ada, asked.items[0].id, yes).await.unwrap();
        until(&owner, run, RunStatus::Paused).await;
        shaky["config"] = json!({"ms": 0});
        let mended = chain(vec![ask, shaky, transform("say", json!("mended"))]);
        publish_next(&owner, workflow.id, Definition { output: first.output.clone(), edges: first.edges.clone(), ..mended }).await;
        // Nobody has agreed to what a fork would do.
        let onto = Fork { onto: ForkOnto::Version(2), ..Fork::step("shaky") };
        let refused = ApiError::from(travel::fork(&owner, run, onto, None).await.unwrap_err());
        assert!(refused.status() == 409 && refused.to_string().contains("move this run to another version"), "{refused}");
        let moved = workflow::migrate(&owner, run, None).await.unwrap();
        assert_eq!((moved.version, moved.status), (Some(2), RunStatus::Paused));
        workflow::control(&owner, run, Command::Resume).await.unwrap();
        let detail = end(&owner, run).await;
        assert_eq!((detail.summary.status, detail.output), (RunStatus::Succeeded, json!("mended")));
    }
}
