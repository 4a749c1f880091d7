//! Runs that wait for events from outside.

use super::*;
use weft::workflow::events;

/// A context in a workspace of its own, whose runs go on when they were given back.
async fn ctx(runtime: &Runtime) -> Ctx {
    workflow::boot(runtime).await.unwrap();
    super::ctx(runtime).await
}

fn event(id: &str, config: Value) -> Value {
    json!({"id": id, "kind": "event", "config": config})
}

/// So many iterations that each wait for the key of their run, and give what the last one took.
fn taker(iterations: u32) -> Definition {
    let body = json!({"steps": [event("take", json!({"key": "loop/{{ run.id }}"}))]});
    let config = json!({"until": format!("iteration == {iterations}"), "max_iterations": 10});
    chain(vec![json!({"id": "again", "kind": "repeat", "config": config, "body": body})])
}

async fn send(ctx: &Ctx, key: &str, n: i64) -> Vec<RunId> {
    events::send(ctx, key, &json!({"n": n}), None).await.unwrap()
}

/// What the event steps of a run took, in the order in which they did.
async fn taken(ctx: &Ctx, run: RunId) -> Vec<i64> {
    let events = workflow::list_events(ctx, run, 0, 1000).await.unwrap();
    let outputs = events.iter().filter_map(|event| match (&event.fact, event.step.as_deref()) {
        (Fact::StepSucceeded { output, .. }, Some(step)) if step != "again" => output["n"].as_i64(),
        _ => None,
    });
    outputs.collect()
}

async fn until_taken(ctx: &Ctx, run: RunId, count: usize) -> Vec<i64> {
    let mut changes = ctx.events.subscribe();
    let work = async {
        loop {
            let taken = taken(ctx, run).await;
            if taken.len() >= count {
                return taken;
            }
            // A change that was missed is no loss: it is looked at again.
            let _ = changes.recv().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), work).await.unwrap()
}

on_both_engines! {
    async fn one_event_is_taken_by_one_iteration_of_a_repeat(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let run = start(&ctx, &taker(3), json!({})).await;
        until(&ctx, run, RunStatus::Waiting).await;
        let key = format!("loop/{run}");
        for n in 1..=3 {
            assert_eq!(send(&ctx, &key, n).await, [run]);
            assert_eq!(until_taken(&ctx, run, usize::try_from(n).unwrap()).await, (1..=n).collect::<Vec<_>>());
            if n < 3 {
                until(&ctx, run, RunStatus::Waiting).await;
            }
        }
        assert_eq!(end(&ctx, run).await.summary.status, RunStatus::Succeeded);
    }

    async fn events_that_come_faster_than_a_loop_are_taken_one_after_the_other(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let run = start(&ctx, &taker(3), json!({})).await;
        until(&ctx, run, RunStatus::Waiting).await;
        let key = format!("loop/{run}");
        for n in 1..=5 {
            send(&ctx, &key, n).await;
        }
        assert_eq!(end(&ctx, run).await.summary.status, RunStatus::Succeeded);
        assert_eq!(taken(&ctx, run).await, [1, 2, 3]);
    }

    async fn two_steps_in_a_row_need_two_events_and_take_the_older_first(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let steps = vec![wait("nap", 60_000), event("first", json!({"key": "k"})), event("second", json!({"key": "k"}))];
        let run = start(&ctx, &chain(steps), json!({})).await;
        until(&ctx, run, RunStatus::Waiting).await;
        assert_eq!(send(&ctx, "k", 1).await, []);
        site.runtime.clock.advance_ms(60_000);
        assert_eq!(until_taken(&ctx, run, 1).await, [1]);
        until_so(&ctx, run, |detail| detail.steps[2].status == StepStatus::Waiting).await;
        assert_eq!(send(&ctx, "k", 2).await, [run]);
        assert_eq!(end(&ctx, run).await.summary.status, RunStatus::Succeeded);
        assert_eq!(taken(&ctx, run).await, [1, 2]);
    }

    async fn each_run_takes_the_same_event_for_itself(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let definition = chain(vec![event("take", json!({"key": "k"}))]);
        let (first, second) = (start(&ctx, &definition, json!({})).await, start(&ctx, &definition, json!({})).await);
        for run in [first, second] {
            until(&ctx, run, RunStatus::Waiting).await;
        }
        let mut reached = send(&ctx, "k", 1).await;
        reached.sort();
        let mut both = vec![first, second];
        both.sort();
        assert_eq!(reached, both);
        for run in both {
            end(&ctx, run).await;
            assert_eq!(taken(&ctx, run).await, [1]);
        }
    }

    async fn of_two_steps_that_wait_at_once_each_takes_an_event_of_its_own(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let mut definition = chain(vec![event("a", json!({"key": "k"})), event("b", json!({"key": "k"}))]);
        definition.edges.clear();
        let run = start(&ctx, &definition, json!({})).await;
        until(&ctx, run, RunStatus::Waiting).await;
        assert_eq!(send(&ctx, "k", 1).await, [run]);
        assert_eq!(until_taken(&ctx, run, 1).await, [1]);
        until_so(&ctx, run, |detail| detail.summary.status == RunStatus::Waiting).await;
        assert_eq!(send(&ctx, "k", 2).await, [run]);
        let detail = end(&ctx, run).await;
        assert_eq!((&detail.steps[0].output["n"], &detail.steps[1].output["n"]), (&json!(1), &json!(2)));
    }

    async fn what_does_not_fit_lies_ready_for_a_step_that_it_fits(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let steps = vec![
            wait("nap", 60_000),
            event("two", json!({"key": "k", "match": {"n": 2}})),
            event("any", json!({"key": "k"})),
        ];
        let run = start(&ctx, &chain(steps), json!({})).await;
        until(&ctx, run, RunStatus::Waiting).await;
        for n in 1..=3 {
            send(&ctx, "k", n).await;
        }
        site.runtime.clock.advance_ms(60_000);
        assert_eq!(end(&ctx, run).await.summary.status, RunStatus::Succeeded);
        assert_eq!(taken(&ctx, run).await, [2, 1]);
    }

    async fn an_event_whose_step_had_left_by_then_is_taken_by_the_next(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let steps = vec![event("late", json!({"key": "k", "deadline_ms": 60_000})), event("next", json!({"key": "k"}))];
        let mut definition = chain(steps);
        "expired".clone_into(&mut definition.edges[0].port);
        let run = start(&ctx, &definition, json!({})).await;
        until(&ctx, run, RunStatus::Waiting).await;
        // The event is on its way to the step as its time is up: stored, and not told to whoever has the run.
        let mut tx = ctx.db.begin().await.unwrap();
        within!(&mut tx, conn => sqlx::query("update event_wait set attempt = 7 where run_id = $1")
            .bind(run).execute(conn).await.map(drop)).unwrap();
        tx.commit().await.unwrap();
        assert_eq!(send(&ctx, "k", 1).await, [run]);
        site.runtime.clock.advance_ms(60_000);
        assert_eq!(end(&ctx, run).await.summary.status, RunStatus::Succeeded);
        assert_eq!(taken(&ctx, run).await, [1]);
    }

    async fn an_event_reaches_the_runs_that_wait_for_its_key_once(site: Site) {
        let ctx = ctx(&site.runtime).await;
        workflow::boot(&site.runtime).await.unwrap();
        let wait = |key: &str| {
            let config = json!({"key": key, "match": {"paid": true}});
            chain(vec![json!({"id": "payment", "kind": "event", "config": config})])
        };
        let first = start(&ctx, &wait("order/{{ inputs.n }}"), json!({"n": 1})).await;
        let second = start(&ctx, &wait("order/2"), json!({})).await;
        until(&ctx, first, RunStatus::Waiting).await;
        until(&ctx, second, RunStatus::Waiting).await;
        let paid = json!({"paid": true, "sum": 9});
        assert_eq!(events::send(&ctx, "order/1", &json!({"paid": false}), None).await.unwrap(), []);
        assert_eq!(events::send(&ctx, "order/1", &paid, Some("e1")).await.unwrap(), [first]);
        assert_eq!(events::send(&ctx, "order/1", &paid, Some("e1")).await.unwrap(), []);
        assert_eq!(end(&ctx, first).await.steps[0].output, paid);
        assert_eq!(workflow::get_run(&ctx, second).await.unwrap().summary.status, RunStatus::Waiting);
        assert!(events::send(&ctx, " ", &paid, None).await.is_err());
    }

    async fn an_event_that_comes_before_its_step_waits_for_it(site: Site) {
        let ctx = ctx(&site.runtime).await;
        workflow::boot(&site.runtime).await.unwrap();
        let definition = chain(vec![wait("nap", 1000), json!({"id": "payment", "kind": "event", "config": {"key": "k"}})]);
        events::send(&ctx, "k", &json!("too early: before the run"), None).await.unwrap();
        site.runtime.clock.advance_ms(10);
        let run = start(&ctx, &definition, json!({})).await;
        until(&ctx, run, RunStatus::Waiting).await;
        events::send(&ctx, "k", &json!("early"), None).await.unwrap();
        site.runtime.clock.advance_ms(1000);
        assert_eq!(end(&ctx, run).await.steps[1].output, json!("early"));
    }
}
