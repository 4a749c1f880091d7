//! Runs that start runs.

use super::*;
use weft::model::workflow::Await;
use weft::read;
use weft::workflow::definitions;

async fn publish(ctx: &Ctx, name: &str, steps: Vec<Value>, output: Value) {
    let mut definition = chain(steps);
    definition.name = name.to_owned();
    definition.output = output;
    let workflow = definitions::create(ctx, definition).await.unwrap();
    definitions::publish(ctx, workflow.id).await.unwrap();
}

fn call(name: &str, more: Value) -> Value {
    let mut config = json!({"workflow": name, "inputs": {"n": "{{ inputs.n }}"}});
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"id": "call", "kind": "workflow", "config": config})
}

/// The run that the step `call` waits for.
async fn child(ctx: &Ctx, parent: RunId) -> RunId {
    let detail = until(ctx, parent, RunStatus::Waiting).await;
    match detail.steps[0].waiting.as_ref().and_then(|waiting| waiting.on.as_ref()) {
        Some(Await::Run { run }) => *run,
        other => panic!("{other:?}"),
    }
}

on_both_engines! {
    async fn a_sub_run_gives_its_output_to_the_step_that_waits(site: Site) {
        let ctx = ctx(&site.runtime).await;
        workflow::boot(&site.runtime).await.unwrap();
        publish(&ctx, "Twice", vec![transform("twice", json!("{{ inputs.n * 2 }}"))], json!("{{ steps.twice.output }}")).await;
        let run = start(&ctx, &chain(vec![call("Twice", json!({}))]), json!({"n": 21})).await;
        let detail = end(&ctx, run).await;
        assert_eq!((detail.summary.status, &detail.steps[0].output), (RunStatus::Succeeded, &json!(42)), "{:?}", detail.error);
        let child = workflow::get_run(&ctx, detail.steps[0].sub_run.unwrap()).await.unwrap();
        assert_eq!((child.summary.parent_run_id, child.summary.trigger), (Some(run), TriggerKind::Workflow));
    }

    async fn a_failing_sub_run_fails_the_step_with_its_error(site: Site) {
        let ctx = ctx(&site.runtime).await;
        workflow::boot(&site.runtime).await.unwrap();
        publish(&ctx, "Bad", vec![transform("bad", json!("{{ inputs.n.missing }}"))], Value::Null).await;
        let run = start(&ctx, &chain(vec![call("Bad", json!({}))]), json!({"n": 1})).await;
        let detail = end(&ctx, run).await;
        assert_eq!(detail.summary.status, RunStatus::Failed);
        assert!(detail.error.unwrap().message.starts_with("the sub-run failed: "));
    }

    async fn a_sub_run_ends_with_the_run_that_waits_for_it(site: Site) {
        let ctx = ctx(&site.runtime).await;
        publish(&ctx, "Slow", vec![wait("nap", 3_600_000)], Value::Null).await;
        workflow::boot(&site.runtime).await.unwrap();
        let run = start(&ctx, &chain(vec![call("Slow", json!({}))]), json!({"n": 1})).await;
        let child = child(&ctx, run).await;
        until(&ctx, child, RunStatus::Waiting).await;
        workflow::control(&ctx, run, Command::Cancel).await.unwrap();
        assert_eq!(end(&ctx, child).await.summary.status, RunStatus::Cancelled);
    }

    async fn sub_runs_are_held_and_go_on_with_the_run_that_waits_for_them(site: Site) {
        let ctx = ctx(&site.runtime).await;
        workflow::boot(&site.runtime).await.unwrap();
        publish(&ctx, "Inner", vec![wait("nap", 60_000), transform("a", json!(1))], Value::Null).await;
        publish(&ctx, "Outer", vec![call("Inner", json!({}))], Value::Null).await;
        let run = start(&ctx, &chain(vec![call("Outer", json!({}))]), json!({"n": 1})).await;
        let outer = child(&ctx, run).await;
        let inner = child(&ctx, outer).await;
        until(&ctx, inner, RunStatus::Waiting).await;
        workflow::control(&ctx, run, Command::Pause).await.unwrap();
        until(&ctx, outer, RunStatus::Paused).await;
        until(&ctx, inner, RunStatus::Paused).await;
        site.runtime.clock.advance_ms(60_000);
        let why = workflow::why_waiting(&ctx, inner).await.unwrap();
        assert_eq!(why[0].sentence, "Paused by the run that started it: nothing new starts.");
        workflow::control(&ctx, run, Command::Resume).await.unwrap();
        for ended in [inner, outer, run] {
            assert_eq!(end(&ctx, ended).await.summary.status, RunStatus::Succeeded);
        }
    }

    async fn a_sub_run_that_somebody_holds_is_not_let_go_with_the_run_that_waits_for_it(site: Site) {
        let ctx = ctx(&site.runtime).await;
        workflow::boot(&site.runtime).await.unwrap();
        publish(&ctx, "Slow", vec![wait("nap", 60_000)], Value::Null).await;
        let run = start(&ctx, &chain(vec![call("Slow", json!({}))]), json!({"n": 1})).await;
        let child = child(&ctx, run).await;
        until(&ctx, child, RunStatus::Waiting).await;
        workflow::control(&ctx, child, Command::Pause).await.unwrap();
        workflow::control(&ctx, run, Command::Pause).await.unwrap();
        workflow::control(&ctx, run, Command::Resume).await.unwrap();
        until(&ctx, run, RunStatus::Waiting).await;
        // What the run said is taken in before what a person says after it.
        assert!(workflow::control(&ctx, child, Command::Pause).await.is_err(), "it is paused");
        workflow::control(&ctx, child, Command::Resume).await.unwrap();
        site.runtime.clock.advance_ms(60_000);
        assert_eq!(end(&ctx, run).await.summary.status, RunStatus::Succeeded);
    }

    async fn a_detached_sub_run_goes_on_while_the_run_that_started_it_is_held(site: Site) {
        let ctx = ctx(&site.runtime).await;
        workflow::boot(&site.runtime).await.unwrap();
        publish(&ctx, "Aside", vec![wait("nap", 60_000)], Value::Null).await;
        let run = start(&ctx, &chain(vec![call("Aside", json!({"detached": true})), wait("own", 3_600_000)]), json!({"n": 1})).await;
        let detail = until(&ctx, run, RunStatus::Waiting).await;
        let aside: RunId = serde_json::from_value(detail.steps[0].output["run_id"].clone()).unwrap();
        until(&ctx, aside, RunStatus::Waiting).await;
        workflow::control(&ctx, run, Command::Pause).await.unwrap();
        site.runtime.clock.advance_ms(60_000);
        assert_eq!(end(&ctx, aside).await.summary.status, RunStatus::Succeeded);
    }

    async fn a_sub_run_of_an_attempt_that_was_given_up_is_told_by_the_process_that_starts_next(site: Site) {
        let ctx = ctx(&site.runtime).await;
        publish(&ctx, "Slow", vec![wait("nap", 3_600_000)], Value::Null).await;
        let run = start(&ctx, &chain(vec![call("Slow", json!({}))]), json!({"n": 1})).await;
        let child = child(&ctx, run).await;
        until(&ctx, child, RunStatus::Waiting).await;
        assert!(site.runtime.tasks.stop(Duration::from_secs(20)).await, "it drains");
        // What stands there when a process ends right after the parent gave the attempt up.
        let mut tx = site.runtime.db.begin().await.unwrap();
        within!(&mut tx, conn => sqlx::query(
            "insert into unwanted_run (idempotency_key, workspace_id, noted_at)
             select idempotency_key, workspace_id, $2 from run where id = $1")
            .bind(child).bind(site.runtime.clock.now()).execute(conn).await.map(drop)).unwrap();
        tx.commit().await.unwrap();
        let other = next_process(&site, site.runtime.clock.clone());
        workflow::boot(&other).await.unwrap();
        let ctx = other.as_actor(ctx.actor.clone(), String::new());
        assert_eq!(end(&ctx, child).await.summary.status, RunStatus::Cancelled);
        let notes: i64 = read!(&other.db, conn =>
            sqlx::query_scalar("select count(*) from unwanted_run").fetch_one(conn).await).unwrap();
        assert_eq!(notes, 0, "it is told once");
    }

    async fn a_sub_run_that_begins_while_its_parent_fails_does_not_go_on(site: Site) {
        let ctx = ctx(&site.runtime).await;
        workflow::boot(&site.runtime).await.unwrap();
        publish(&ctx, "Slow", vec![wait("nap", 3_600_000)], Value::Null).await;
        let mut both = chain(vec![call("Slow", json!({})), transform("bad", json!("{{ inputs.n.missing }}"))]);
        both.edges.clear();
        for _ in 0..5 {
            let run = start(&ctx, &both, json!({"n": 1})).await;
            assert_eq!(end(&ctx, run).await.summary.status, RunStatus::Failed);
        }
        let open = async || -> i64 {
            read!(&site.runtime.db, conn => sqlx::query_scalar(
                "select count(*) from run where parent_run_id is not null and ended_at is null",
            ).fetch_one(conn).await).unwrap()
        };
        // A sub-run may begin after it was looked for, and is looked for again.
        for _ in 0..3_000 {
            if open().await == 0 {
                break;
            }
            site.runtime.clock.advance_ms(100);
        }
        assert_eq!(open().await, 0, "none goes on");
    }

    async fn a_detached_sub_run_goes_on_alone(site: Site) {
        let ctx = ctx(&site.runtime).await;
        publish(&ctx, "Slow", vec![wait("nap", 1000)], Value::Null).await;
        let run = start(&ctx, &chain(vec![call("Slow", json!({"detached": true}))]), json!({"n": 1})).await;
        let detail = end(&ctx, run).await;
        assert_eq!(detail.summary.status, RunStatus::Succeeded, "{:?}", detail.error);
        let child: RunId = detail.steps[0].output["run_id"].as_str().unwrap().parse().unwrap();
        until(&ctx, child, RunStatus::Waiting).await;
        site.runtime.clock.advance_ms(1000);
        assert_eq!(end(&ctx, child).await.summary.status, RunStatus::Succeeded);
    }

    async fn the_end_of_a_sub_run_reaches_a_parent_that_another_process_has_to_wake(site: Site) {
        let ctx = ctx(&site.runtime).await;
        publish(&ctx, "Slow", vec![wait("nap", 60_000)], json!("done")).await;
        let run = start(&ctx, &chain(vec![call("Slow", json!({}))]), json!({"n": 1})).await;
        let child = child(&ctx, run).await;
        until(&ctx, child, RunStatus::Waiting).await;
        assert!(site.runtime.tasks.stop(Duration::from_secs(20)).await, "it drains");
        let other = next_process(&site, site.runtime.clock.clone());
        site.runtime.clock.advance_ms(60_000);
        workflow::boot(&other).await.unwrap();
        let ctx = other.as_actor(ctx.actor.clone(), String::new());
        let detail = end(&ctx, run).await;
        assert_eq!((detail.summary.status, &detail.steps[0].output), (RunStatus::Succeeded, &json!("done")));
    }

    async fn a_workflow_that_calls_itself_without_end_is_stopped_at_fifty(site: Site) {
        let ctx = ctx(&site.runtime).await;
        workflow::boot(&site.runtime).await.unwrap();
        publish(&ctx, "Mirror", vec![call("Mirror", json!({}))], Value::Null).await;
        let run = start(&ctx, &chain(vec![call("Mirror", json!({}))]), json!({"n": 1})).await;
        let detail = end(&ctx, run).await;
        assert_eq!(detail.summary.status, RunStatus::Failed);
        let error = detail.error.unwrap();
        assert!(error.message.ends_with("workflows may start each other at most 50 deep"), "{}", error.message);
    }

    async fn a_sub_run_of_a_workflow_that_there_is_not_fails_by_its_name(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let run = start(&ctx, &chain(vec![call("Nobody", json!({}))]), json!({"n": 1})).await;
        let error = end(&ctx, run).await.error.unwrap();
        assert_eq!((error.class.as_str(), error.message.as_str()), ("not_found", "there is no workflow \"Nobody\""));
    }
}
