//! Several processes, one after the other or at once.

use super::*;

on_both_engines! {
    async fn the_place_of_a_dead_process_comes_free_when_its_run_has_ended_elsewhere(site: Site) {
        let first = ctx(&site.runtime).await;
        let mut definition = by_customer(1);
        definition.steps[0].config.insert("ms".into(), json!(3_000));
        let holder = start(&first, &definition, json!({"customer": "acme"})).await;
        until(&first, holder, RunStatus::Waiting).await;
        let queued = start(&first, &definition, json!({"customer": "acme"})).await;
        // The first process is dead from here on: its clock stands still, and it renews nothing.
        let second = next_process(&site, Clock::manual(site.runtime.clock.now().plus_ms(1_000)));
        workflow::boot(&second).await.unwrap();
        let ctx = second.as_actor(first.actor.clone(), String::new());
        second.clock.advance_ms(15_001);
        assert_eq!(end(&ctx, holder).await.summary.status, RunStatus::Succeeded);
        until(&ctx, queued, RunStatus::Waiting).await;
        second.clock.advance_ms(3_000);
        assert_eq!(end(&ctx, queued).await.summary.status, RunStatus::Succeeded);
    }

    async fn between_the_death_of_a_process_and_the_next_a_run_says_whose_end_it_waits_for(site: Site) {
        let first = ctx(&site.runtime).await;
        let run = start(&first, &chain(vec![wait("hold", 600_000)]), json!({"n": 1})).await;
        until(&first, run, RunStatus::Waiting).await;
        assert!(site.runtime.tasks.stop(Duration::from_secs(20)).await, "it drains");
        // As if it had been killed: the run stands under the name of a process that says nothing any more.
        let now = site.runtime.clock.now();
        let (heard, lease_until) = (now.plus_ms(-8_000), now.plus_ms(7_000));
        let mut tx = site.runtime.db.begin().await.unwrap();
        within!(&mut tx, conn => sqlx::query("update run set owner_id = $2, lease_until = $3 where id = $1")
            .bind(run).bind(first.ids.fresh::<RunId>()).bind(lease_until).execute(conn).await.map(drop))
        .unwrap();
        tx.commit().await.unwrap();
        // Whoever is asked has not begun to look for runs.
        let second = next_process(&site, site.runtime.clock.clone());
        let asking = second.as_actor(first.actor.clone(), String::new());
        let missed = workflow::why_waiting(&asking, run).await.unwrap().remove(0);
        assert_eq!((missed.code, missed.since), (Code::Server, Some(heard)));
        assert_eq!(missed.unblocks, [Unblock::Time { at: lease_until }]);
        workflow::boot(&second).await.unwrap();
        second.clock.advance_ms(15_001);
        until(&asking, run, RunStatus::Waiting).await;
        eventually(&asking, "it is in good hands", async || {
            workflow::why_waiting(&asking, run).await.unwrap().iter().all(|why| why.code == Code::Timer)
        })
        .await;
        second.clock.advance_ms(600_000);
        assert_eq!(end(&asking, run).await.summary.status, RunStatus::Succeeded);
    }

    async fn what_was_queued_begins_after_a_restart(site: Site) {
        let first = ctx(&site.runtime).await;
        let definition = by_customer(1);
        let holder = start(&first, &definition, json!({"customer": "acme"})).await;
        let queued = start(&first, &definition, json!({"customer": "acme"})).await;
        until(&first, holder, RunStatus::Waiting).await;
        assert!(site.runtime.tasks.stop(Duration::from_secs(20)).await, "it drains");
        let second = next_process(&site, site.runtime.clock.clone());
        workflow::boot(&second).await.unwrap();
        let ctx = second.as_actor(first.actor.clone(), String::new());
        assert_eq!(why(&ctx, queued).await.unblocks, [Unblock::run(holder, "chain")]);
        second.clock.advance_ms(60_000);
        assert_eq!(end(&ctx, holder).await.summary.status, RunStatus::Succeeded);
        until(&ctx, queued, RunStatus::Waiting).await;
    }

    async fn a_place_that_came_free_unseen_is_found_at_the_start(site: Site) {
        let first = ctx(&site.runtime).await;
        let definition = by_customer(1);
        let holder = start(&first, &definition, json!({"customer": "acme"})).await;
        until(&first, holder, RunStatus::Waiting).await;
        let queued = start(&first, &definition, json!({"customer": "acme"})).await;
        assert!(site.runtime.tasks.stop(Duration::from_secs(20)).await, "it drains");
        // As if the process had died after the commit of the end and before its look at the queue.
        let mut tx = site.runtime.db.begin().await.unwrap();
        within!(&mut tx, conn => sqlx::query("update run set status = 'cancelled', ended_at = created_at, wake_at = null where id = $1")
            .bind(holder).execute(conn).await.map(drop))
        .unwrap();
        tx.commit().await.unwrap();
        let second = next_process(&site, site.runtime.clock.clone());
        workflow::boot(&second).await.unwrap();
        let ctx = second.as_actor(first.actor.clone(), String::new());
        until(&ctx, queued, RunStatus::Waiting).await;
    }
}

/// Two engines start runs under the same key at once; what they end, the other's queue sees.
mod two_engines_on_one_database_never_exceed_the_limit {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn postgres() {
        let site = Site::postgres().await;
        let second = next_process(&site, site.runtime.clock.clone());
        let one = ctx(&site.runtime).await;
        let two = second.as_actor(one.actor.clone(), String::new());
        workflow::boot(&site.runtime).await.unwrap();
        workflow::boot(&second).await.unwrap();
        let definition = by_customer(4);
        let starts = (0..60).map(|n| {
            let ctx = if n % 2 == 0 { &one } else { &two };
            start(ctx, &definition, json!({"customer": "acme"}))
        });
        let started = join_all(starts).await;
        for ended in 0..started.len() {
            let goal = (started.len() - ended).min(4);
            let mut waiting = Vec::new();
            // Each process hears its own changes only: the other's are looked for.
            let work = async {
                loop {
                    waiting = runs(&one, &[RunStatus::Waiting]).await;
                    let begun = in_progress(&one).await.len();
                    assert!(begun <= 4, "{begun} are in progress");
                    if waiting.len() == goal {
                        return;
                    }
                    tokio::task::yield_now().await;
                }
            };
            tokio::time::timeout(Duration::from_secs(60), work).await.unwrap();
            // A run that is just changing hands is told again.
            let ctx = if ended % 3 == 0 { &one } else { &two };
            while workflow::control(ctx, waiting[0].id, Command::Cancel).await.is_err() {}
        }
        assert_eq!(runs(&one, &[RunStatus::Cancelled]).await.len(), started.len());
    }
}

/// The oldest run is in the other process' hand, whose next round cancels it.
mod a_newer_run_supersedes_one_of_another_process {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn postgres() {
        let site = Site::postgres().await;
        let gate = super::super::keys::Gate::open().await;
        let (first, second) = (with_config(&site, |_| ()), with_config(&site, |_| ()));
        let one = ctx(&first).await;
        let two = second.as_actor(one.actor.clone(), String::new());
        workflow::boot(&first).await.unwrap();
        workflow::boot(&second).await.unwrap();
        let mut definition = chain(vec![gate.step("hold", json!({}))]);
        let flow = json!({"concurrency": {"key": "one", "when_full": "cancel_running"}});
        definition.flow = serde_json::from_value(flow).unwrap();
        let old = start(&one, &definition, json!({})).await;
        gate.serves(1).await;
        let new = start(&two, &definition, json!({})).await;
        assert_eq!(why(&two, new).await.unblocks, [Unblock::run(old, "chain")]);
        // A process that was just begun may sleep through the first round, but not through three.
        let mut changes = first.events.subscribe();
        for _ in 0..3 {
            first.clock.advance_ms(2_000);
            let look = async {
                while workflow::get_run(&one, old).await.unwrap().summary.status != RunStatus::Cancelled {
                    let _ = changes.recv().await;
                }
            };
            if tokio::time::timeout(Duration::from_secs(5), look).await.is_ok() {
                gate.answers.add_permits(2);
                assert_eq!(end(&two, new).await.summary.status, RunStatus::Succeeded);
                return;
            }
        }
        panic!("the old run goes on");
    }
}
