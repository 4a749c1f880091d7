//! What outlives a process.

use super::*;

on_both_engines! {
    async fn a_long_wait_survives_the_process(site: Site) {
        let first = ctx(&site.runtime).await;
        let run = start(&first, &chain(vec![wait("w", 60_000), transform("a", json!(1))]), json!({})).await;
        until(&first, run, RunStatus::Waiting).await;
        assert!(site.runtime.tasks.stop(Duration::from_secs(20)).await, "it drains");
        let second = next_process(&site, site.runtime.clock.clone());
        workflow::boot(&second).await.unwrap();
        let ctx = second.as_actor(first.actor.clone(), String::new());
        assert_eq!(workflow::get_run(&ctx, run).await.unwrap().summary.status, RunStatus::Waiting);
        second.clock.advance_ms(60_000);
        let detail = end(&ctx, run).await;
        assert_eq!(detail.summary.status, RunStatus::Succeeded);
        assert_eq!(detail.steps[0].output, json!({"waited_ms": 60_000}));
    }

    async fn a_short_wait_is_taken_over_after_a_stop(site: Site) {
        let first = ctx(&site.runtime).await;
        let run = start(&first, &chain(vec![wait("w", 3_000), transform("a", json!(1))]), json!({})).await;
        until(&first, run, RunStatus::Waiting).await;
        assert!(site.runtime.tasks.stop(Duration::from_secs(20)).await, "it drains");
        let second = next_process(&site, site.runtime.clock.clone());
        second.clock.advance_ms(3_000);
        workflow::boot(&second).await.unwrap();
        let ctx = second.as_actor(first.actor.clone(), String::new());
        assert_eq!(end(&ctx, run).await.summary.status, RunStatus::Succeeded);
    }

    async fn the_runs_of_a_dead_process_are_taken_over_when_its_lease_ends(site: Site) {
        let first = ctx(&site.runtime).await;
        let run = start(&first, &chain(vec![wait("w", 3_000), transform("a", json!(1))]), json!({})).await;
        until(&first, run, RunStatus::Waiting).await;
        // The first process is dead from here on: its clock stands still, and it renews nothing.
        let second = next_process(&site, Clock::manual(site.runtime.clock.now().plus_ms(4_000)));
        workflow::boot(&second).await.unwrap();
        let ctx = second.as_actor(first.actor.clone(), String::new());
        second.clock.advance_ms(11_001);
        assert_eq!(end(&ctx, run).await.summary.status, RunStatus::Succeeded);
    }

    async fn a_process_that_lost_its_lease_can_write_no_more(site: Site) {
        let zombie = ctx(&site.runtime).await;
        let run = start(&zombie, &chain(vec![wait("w", 3_000), transform("a", json!(1))]), json!({})).await;
        until(&zombie, run, RunStatus::Waiting).await;
        // The other process' clock shows that the lease has ended.
        let clock = Clock::manual(site.runtime.clock.now().plus_ms(120_000));
        let second = next_process(&site, clock);
        workflow::boot(&second).await.unwrap();
        let ctx = second.as_actor(zombie.actor.clone(), String::new());
        assert_eq!(end(&ctx, run).await.summary.status, RunStatus::Succeeded);
        let history = workflow::list_events(&ctx, run, 0, 100).await.unwrap();
        // Now the first process wakes and wants to go on.
        site.runtime.clock.advance_ms(3_000);
        assert!(site.runtime.tasks.stop(Duration::from_secs(20)).await, "it lets go");
        assert_eq!(workflow::list_events(&ctx, run, 0, 100).await.unwrap(), history);
    }
}

/// A process that is killed in every life as soon as the run got on by a step: the run must get to its end, no finished
/// step may begin again, and an attempt that begins again does so under the same key. Between the effects the run waits a
/// moment, so that the killer keeps up with it.
#[test]
fn a_run_survives_a_kill_after_every_step() {
    let folder = tempfile::TempDir::new().unwrap();
    let url = format!("sqlite:{}", folder.path().join("weft.db").display());
    let mut actor = None;
    let mut run = None;
    let mut lives = 0;
    let keys = Keys::ephemeral(&Ids);
    loop {
        lives += 1;
        assert!(lives < 200, "the run never ends");
        let process = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let ended = process.block_on(one_life(folder.path(), (&url, keys.clone()), &mut actor, &mut run));
        // No task sees another poll: as sudden as a kill.
        process.shutdown_timeout(Duration::from_secs(20));
        if ended {
            break;
        }
    }
    assert!(lives > 3, "{lives}");
}

const EFFECTS: usize = 12;

async fn one_life(
    folder: &std::path::Path,
    (url, keys): (&str, Keys),
    actor: &mut Option<Actor>,
    run: &mut Option<RunId>,
) -> bool {
    let db = weft::db::Db::open(&weft::db::Options::new(url)).await.unwrap();
    let runtime = Runtime::new(Config::isolated(folder), db, Clock::System, keys, Outbound::default());
    let mut changes = runtime.events.subscribe();
    let ctx = match actor {
        Some(actor) => runtime.as_actor(actor.clone(), String::new()),
        None => ctx(&runtime).await,
    };
    *actor = Some(ctx.actor.clone());
    let id = match *run {
        Some(id) => {
            workflow::boot(&runtime).await.unwrap();
            id
        }
        None => {
            let step = |n: usize| {
                json!({"id": format!("s{n}"), "kind": "memory_write", "config": {
                    "namespace": "crash", "key": format!("k{n}"), "content": format!("{n}")}})
            };
            let steps = (0..EFFECTS).flat_map(|n| [step(n), wait(&format!("w{n}"), 50)]).collect();
            *run.insert(start(&ctx, &chain(steps), json!({})).await)
        }
    };
    let begun_with = workflow::get_run(&ctx, id).await.unwrap().summary.steps_done;
    loop {
        let detail = workflow::get_run(&ctx, id).await.unwrap();
        if detail.summary.status.is_final() {
            assert_eq!(detail.summary.status, RunStatus::Succeeded, "{detail:#?}");
            check_history(&workflow::list_events(&ctx, id, 0, 1000).await.unwrap());
            return true;
        }
        if detail.summary.steps_done > begun_with {
            return false;
        }
        // Any change will do; who falls behind looks at once.
        let _ = changes.recv().await;
    }
}

fn check_history(events: &[weft::model::workflow::Event]) {
    let mut keys: std::collections::BTreeMap<(String, u32), String> = std::collections::BTreeMap::new();
    let mut done = std::collections::BTreeSet::new();
    for (index, event) in events.iter().enumerate() {
        assert_eq!(event.seq, index as i64 + 1);
        let step = event.step.clone().unwrap_or_default();
        match &event.fact {
            Fact::StepStarted { attempt, key, .. } => {
                assert!(!done.contains(&step), "{step} was done and began again");
                let known = keys.entry((step, *attempt)).or_insert_with(|| key.clone());
                assert_eq!(known, key);
            }
            Fact::StepSucceeded { .. } => assert!(done.insert(step.clone()), "{step} ended twice"),
            _ => {}
        }
    }
    assert_eq!(done.len(), 2 * EFFECTS);
}
