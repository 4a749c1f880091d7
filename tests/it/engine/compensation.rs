//! What a run does that ends badly: it undoes what it did, and another workflow is started.

use super::*;
use weft::model::workflow::{CompensationStatus, Fork};
use weft::workflow::{definitions, travel};

/// A step that writes an entry, and what undoes it.
fn book(key: &str, undo: Value) -> Value {
    json!({"id": key, "kind": "memory_write", "config": {"namespace": "saga", "key": key, "content": "booked"},
        "compensate": undo})
}

fn unbook(key: &str) -> Value {
    json!({"kind": "memory_write", "config": {"namespace": "saga", "key": key,
        "content": format!("undone, was version {{{{ steps.{key}.output.version }}}}")}})
}

fn broken() -> Value {
    transform("broken", json!("{{ inputs.n.missing }}"))
}

async fn content(ctx: &Ctx, key: &str) -> String {
    weft::memory::get(ctx, "saga", key).await.unwrap().content
}

async fn publish(ctx: &Ctx, name: &str, on_failure: &str, steps: Vec<Value>) -> weft::model::WorkflowId {
    let mut definition = chain(steps);
    name.clone_into(&mut definition.name);
    definition.on_failure = Some(on_failure.to_owned());
    let workflow = definitions::create(ctx, definition).await.unwrap();
    definitions::publish(ctx, workflow.id).await.unwrap();
    workflow.id
}

on_both_engines! {
    async fn a_failed_run_undoes_what_it_did_and_says_so(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let steps = vec![book("flight", unbook("flight")), book("hotel", unbook("hotel")), broken()];
        let run = start(&ctx, &chain(steps), json!({"n": 1})).await;
        let detail = end(&ctx, run).await;
        assert_eq!(detail.summary.status, RunStatus::Failed);
        assert!(detail.summary.headline.unwrap().starts_with("(undone) broken: "));
        let undone = detail.compensation.unwrap();
        let order: Vec<&str> = undone.steps.iter().map(|step| step.id.as_str()).collect();
        assert_eq!((undone.status, order), (CompensationStatus::Compensated, vec!["hotel", "flight"]));
        assert_eq!(content(&ctx, "flight").await, "undone, was version 1");
        // What was undone is no ground to build on; what came before is.
        let fork = travel::fork(&ctx, run, Fork::step("broken"), None).await;
        assert!(fork.unwrap_err().to_string().contains("fork before event 2"));
        assert!(travel::fork(&ctx, run, Fork::step("flight"), None).await.is_ok());
    }

    async fn a_paused_run_that_is_cancelled_undoes_what_it_did(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let run = start(&ctx, &chain(vec![book("a", unbook("a")), wait("w", 60_000)]), json!({})).await;
        until(&ctx, run, RunStatus::Waiting).await;
        assert_eq!(workflow::control(&ctx, run, Command::Pause).await.unwrap().status, RunStatus::Paused);
        assert_ne!(workflow::control(&ctx, run, Command::Cancel).await.unwrap().status, RunStatus::Paused);
        let detail = end(&ctx, run).await;
        assert_eq!(detail.summary.status, RunStatus::Cancelled);
        assert_eq!(detail.compensation.unwrap().status, CompensationStatus::Compensated);
        assert_eq!(content(&ctx, "a").await, "undone, was version 1");
    }

    async fn undoing_goes_on_in_the_next_process(site: Site) {
        let first = ctx(&site.runtime).await;
        let nap = json!({"kind": "wait", "config": {"ms": 60_000}});
        let run = start(&first, &chain(vec![book("a", unbook("a")), book("b", nap), broken()]), json!({"n": 1})).await;
        until(&first, run, RunStatus::Waiting).await;
        assert!(site.runtime.tasks.stop(Duration::from_secs(20)).await, "it drains");
        let second = next_process(&site, site.runtime.clock.clone());
        workflow::boot(&second).await.unwrap();
        let ctx = second.as_actor(first.actor.clone(), String::new());
        assert_eq!(workflow::get_run(&ctx, run).await.unwrap().compensation.unwrap().status, CompensationStatus::Running);
        assert_eq!(content(&ctx, "a").await, "booked");
        second.clock.advance_ms(60_000);
        let detail = end(&ctx, run).await;
        assert_eq!(detail.compensation.unwrap().status, CompensationStatus::Compensated);
        assert_eq!(content(&ctx, "a").await, "undone, was version 1");
    }

    async fn a_fork_undoes_only_what_it_did_itself(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let steps = vec![book("a", unbook("a")), book("b", unbook("b")), transform("end", json!("{{ inputs.n + 1 }}"))];
        let run = start(&ctx, &chain(steps), json!({"n": 1})).await;
        assert_eq!(end(&ctx, run).await.summary.status, RunStatus::Succeeded);
        let fork = Fork { inputs: Some(json!({"n": {}})), ..Fork::step("b") };
        let fork = travel::fork(&ctx, run, fork, None).await.unwrap();
        let detail = end(&ctx, fork).await;
        assert_eq!(detail.summary.status, RunStatus::Failed, "{:?}", detail.error);
        let undone: Vec<String> = detail.compensation.unwrap().steps.into_iter().map(|step| step.id).collect();
        assert_eq!(undone, ["b"]);
        assert_eq!(content(&ctx, "a").await, "booked");
    }

    async fn a_failed_run_starts_the_workflow_that_its_own_names_once(site: Site) {
        let ctx = ctx(&site.runtime).await;
        workflow::boot(&site.runtime).await.unwrap();
        let mut handler = chain(vec![transform("told", json!("{{ inputs.error.message }} in {{ inputs.run_id }}"))]);
        handler.inputs = json!({"type": "object", "properties": {"error": {}, "run_id": {}}, "additionalProperties": false});
        "Tell".clone_into(&mut handler.name);
        let handler = definitions::create(&ctx, handler).await.unwrap();
        definitions::publish(&ctx, handler.id).await.unwrap();
        let id = publish(&ctx, "Breaks", "Tell", vec![broken()]).await;
        let run = workflow::start(&ctx, NewRun::manual(id, json!({"n": 1}), None, false)).await.unwrap();
        assert_eq!(end(&ctx, run).await.summary.status, RunStatus::Failed);
        let told = until_so(&ctx, run, |detail| detail.lineage.handlers.iter().any(|handler| handler.run_id.is_some())).await;
        let told = end(&ctx, told.lineage.handlers[0].run_id.unwrap()).await;
        assert_eq!((told.summary.trigger, told.summary.parent_run_id), (TriggerKind::Failure, Some(run)));
        assert!(told.steps[0].output.as_str().unwrap().ends_with(&run.to_string()), "{:?}", told.steps[0]);
        assert_eq!(workflow::get_run(&ctx, run).await.unwrap().lineage.handlers.len(), 1);
    }

    async fn a_workflow_that_is_told_of_failures_tells_nobody_of_its_own(site: Site) {
        let ctx = ctx(&site.runtime).await;
        workflow::boot(&site.runtime).await.unwrap();
        let id = publish(&ctx, "Circle", "Circle", vec![broken()]).await;
        let run = workflow::start(&ctx, NewRun::manual(id, json!({"n": 1}), None, false)).await.unwrap();
        let detail = until_so(&ctx, run, |detail| detail.lineage.handlers.iter().any(|handler| handler.run_id.is_some())).await;
        let second = end(&ctx, detail.lineage.handlers[0].run_id.unwrap()).await;
        assert_eq!(second.summary.status, RunStatus::Failed);
        assert!(second.lineage.handlers.is_empty());
    }

    async fn a_workflow_that_can_not_be_started_is_told_on_the_failed_run(site: Site) {
        let ctx = ctx(&site.runtime).await;
        workflow::boot(&site.runtime).await.unwrap();
        let id = publish(&ctx, "Breaks", "Nobody", vec![broken()]).await;
        let run = workflow::start(&ctx, NewRun::manual(id, json!({"n": 1}), None, false)).await.unwrap();
        let detail = until_so(&ctx, run, |detail| detail.lineage.handlers.iter().any(|handler| handler.refused.is_some())).await;
        assert_eq!(detail.lineage.handlers[0].run_id, None);
    }
}
