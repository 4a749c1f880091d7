//! Several processes on one database.

use super::*;
use weft::runtime::Runtime;

/// A process that lives: it has booted.
async fn process(site: &Site) -> Runtime {
    let runtime = next_process(site, site.runtime.clock.clone());
    workflow::boot(&runtime).await.unwrap();
    runtime
}

fn also(runtime: &Runtime, ctx: &Ctx) -> Ctx {
    runtime.as_actor(ctx.actor.clone(), String::new())
}

/// A run that its process keeps in hand: it waits for less than a run is given back for.
async fn in_hand(ctx: &Ctx) -> RunId {
    let run = start(ctx, &chain(vec![wait("w", 3_000), transform("a", json!(1))]), json!({})).await;
    until(ctx, run, RunStatus::Waiting).await;
    run
}

mod on_postgres {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_command_for_a_run_of_another_process_is_obeyed_there() {
        let site = Site::postgres().await;
        let (owner, other) = (process(&site).await, process(&site).await);
        let ctx = ctx(&owner).await;
        let there = also(&other, &ctx);
        let run = in_hand(&ctx).await;
        assert_eq!(workflow::control(&there, run, Command::Pause).await.unwrap().status, RunStatus::Paused);
        let again = workflow::control(&there, run, Command::Pause).await.unwrap_err();
        assert!(matches!(again, workflow::Error::Refused(_)), "{again}");
        assert_eq!(workflow::control(&there, run, Command::Resume).await.unwrap().status, RunStatus::Waiting);
        assert_eq!(workflow::control(&there, run, Command::Cancel).await.unwrap().status, RunStatus::Cancelled);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn who_watches_at_one_process_sees_what_happens_at_another() {
        let site = Site::postgres().await;
        let (owner, other) = (process(&site).await, process(&site).await);
        let ctx = ctx(&owner).await;
        let mut changes = other.events.subscribe();
        let seen = async {
            loop {
                // Until the word that somebody watches has reached the other process, nothing is carried.
                let _watching = other.events.watch();
                let run = start(&ctx, &chain(vec![transform("a", json!(1))]), json!({})).await;
                end(&ctx, run).await;
                while let Ok(Ok(change)) = tokio::time::timeout(Duration::from_millis(200), changes.recv()).await {
                    assert!(change.is_relayed && change.workspace == ctx.workspace(), "{change:?}");
                    if change.update.kind == "event" && change.update.data["kind"] == "run_succeeded" {
                        return;
                    }
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(30), seen).await.expect("it is carried over");
        assert!(owner.keeps_house() != other.keeps_house(), "one of them does the housekeeping");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_command_for_a_run_of_a_dead_process_is_obeyed_by_who_takes_it_over() {
        let site = Site::postgres().await;
        let ctx = ctx(&site.runtime).await;
        let run = in_hand(&ctx).await;
        // The run's process never showed that it lives, as one of an older version: only its lease counts.
        let other = process(&site).await;
        let there = also(&other, &ctx);
        site.runtime.clock.advance_ms(15_001);
        let ended = workflow::control(&there, run, Command::Cancel).await;
        assert!(matches!(&ended, Ok(_) | Err(workflow::Error::Refused(_))), "{ended:?}");
        assert!(end(&there, run).await.summary.status.is_final());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_runs_of_a_dead_process_go_on_elsewhere_long_before_its_lease_ends() {
        let site = Site::postgres().await;
        let ctx = ctx(&site.runtime).await;
        let run = in_hand(&ctx).await;
        let owner = owner_of(&site.runtime, run).await;
        // As a process leaves it that was killed: its row is there, its lock is not.
        let mut tx = site.runtime.db.begin().await.unwrap();
        within!(&mut tx, conn => sqlx::query("insert into node (id, started_at) values ($1, $2)")
            .bind(owner).bind(site.runtime.clock.now()).execute(conn).await.map(drop))
        .unwrap();
        tx.commit().await.unwrap();
        let other = process(&site).await;
        let there = also(&other, &ctx);
        let taken = async {
            while owner_of(&other, run).await == owner {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), taken).await.expect("it is taken over by the clock on the wall");
        other.clock.advance_ms(3_000);
        assert_eq!(end(&there, run).await.summary.status, RunStatus::Succeeded);
    }
}

async fn owner_of(runtime: &Runtime, run: RunId) -> uuid::Uuid {
    let owner: Option<uuid::Uuid> = weft::read!(&runtime.db, conn =>
        sqlx::query_scalar("select owner_id from run where id = $1").bind(run).fetch_one(conn).await)
    .unwrap();
    owner.unwrap_or_default()
}

on_both_engines! {
    async fn a_run_whose_history_was_altered_is_set_aside_and_says_so(site: Site) {
        let first = ctx(&site.runtime).await;
        let sound = start(&first, &chain(vec![wait("w", 60_000), transform("a", json!(1))]), json!({})).await;
        let run = start(&first, &chain(vec![wait("w", 60_000), transform("a", json!(1))]), json!({})).await;
        until(&first, sound, RunStatus::Waiting).await;
        until(&first, run, RunStatus::Waiting).await;
        assert!(site.runtime.tasks.stop(Duration::from_secs(20)).await, "it drains");
        let mut tx = site.runtime.db.begin().await.unwrap();
        within!(&mut tx, conn => sqlx::query("update run_event set data = replace(data, '1', '2') where run_id = $1")
            .bind(run).execute(conn).await.map(drop))
        .unwrap();
        tx.commit().await.unwrap();
        let second = next_process(&site, site.runtime.clock.clone());
        workflow::boot(&second).await.unwrap();
        let ctx = second.as_actor(first.actor.clone(), String::new());
        second.clock.advance_ms(60_000);
        // The others are none the worse for it.
        assert_eq!(end(&ctx, sound).await.summary.status, RunStatus::Succeeded);
        let set_aside = async {
            loop {
                match workflow::control(&ctx, run, Command::Cancel).await {
                    Err(workflow::Error::Damaged(why)) => return why,
                    // Just being claimed.
                    Err(_) => tokio::task::yield_now().await,
                    Ok(summary) => panic!("{summary:?}"),
                }
            }
        };
        let why = tokio::time::timeout(Duration::from_secs(20), set_aside).await.unwrap();
        assert!(why.contains("checksum"), "{why}");
        assert!(workflow::get_run(&ctx, run).await.is_err());
    }

    async fn a_history_that_can_not_be_folded_is_set_aside_and_the_timer_goes_on(site: Site) {
        let ctx = ctx(&site.runtime).await;
        workflow::boot(&site.runtime).await.unwrap();
        let each = json!({"id": "each", "kind": "map", "config": {"items": [1]}, "body": {"steps": [wait("w", 60_000)]}});
        let (run, sound) = (start(&ctx, &chain(vec![each.clone()]), json!({})).await, start(&ctx, &chain(vec![each]), json!({})).await);
        for run in [run, sound] {
            until(&ctx, run, RunStatus::Waiting).await;
            while owner_of(&site.runtime, run).await != uuid::Uuid::nil() {
                tokio::task::yield_now().await;
            }
        }
        let last = workflow::get_run(&ctx, run).await.unwrap().last_seq;
        let mut tx = site.runtime.db.begin().await.unwrap();
        // The number of a body that none can have: adding one to it is more than there is.
        within!(&mut tx, conn => sqlx::query(
            "insert into run_event (run_id, seq, at, step, kind, data) values ($1, $2, $3, 'each', 'body_started', '{\"index\":4294967295}')")
            .bind(run).bind(last + 1).bind(ctx.clock.now()).execute(conn).await.map(drop))
        .unwrap();
        within!(&mut tx, conn => sqlx::query("update run set last_seq = last_seq + 1 where id = $1")
            .bind(run).execute(conn).await.map(drop))
        .unwrap();
        tx.commit().await.unwrap();
        assert!(workflow::get_run(&ctx, run).await.is_err());
        site.runtime.clock.advance_ms(60_000);
        assert_eq!(end(&ctx, sound).await.summary.status, RunStatus::Succeeded);
        let set_aside = async {
            loop {
                match workflow::control(&ctx, run, Command::Cancel).await {
                    Err(workflow::Error::Damaged(why)) => return why,
                    _ => tokio::task::yield_now().await,
                }
            }
        };
        let why = tokio::time::timeout(Duration::from_secs(20), set_aside).await.unwrap();
        assert!(why.contains("can't be folded"), "{why}");
        // Whoever comes later is woken as before.
        let later = start(&ctx, &chain(vec![wait("w", 60_000)]), json!({})).await;
        until(&ctx, later, RunStatus::Waiting).await;
        site.runtime.clock.advance_ms(60_000);
        assert_eq!(end(&ctx, later).await.summary.status, RunStatus::Succeeded);
    }
}
