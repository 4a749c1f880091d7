//! The dashboard's numbers on both engines, counted from rows that stand for a few days of work.

use weft::memory::{self, Expect};
use weft::model::auth::Role;
use weft::model::dashboard::{Durations, Overview, Period};
use weft::model::memory::{EntryDraft, Source};
use weft::model::workflow::RunStatus;
use weft::model::{ApiError, RunId, Timestamp, WorkspaceId};
use weft::monitor;
use weft::runtime::{Actor, Ctx, Principal};
use weft::within;

use crate::support::Site;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

async fn workspace(site: &Site) -> Ctx {
    let rt = &site.runtime;
    let id: WorkspaceId = rt.ids.fresh();
    let mut tx = rt.db.begin().await.unwrap();
    within!(&mut tx, conn => sqlx::query("insert into workspace (id, name, created_at) values ($1, 'Team', $2)")
        .bind(id).bind(rt.clock.now()).execute(conn).await.map(drop))
    .unwrap();
    tx.commit().await.unwrap();
    rt.system(id)
}

/// A run as its row is.
struct Row {
    name: &'static str,
    status: RunStatus,
    cause: &'static str,
    /// How long ago it was accepted.
    ago_ms: i64,
    /// How long it took, if it ended.
    took_ms: Option<i64>,
}

const fn row(name: &'static str, status: RunStatus, ago_ms: i64, took_ms: i64) -> Row {
    let took_ms = if status.is_final() { Some(took_ms) } else { None };
    Row { name, status, cause: "manual", ago_ms, took_ms }
}

async fn insert(ctx: &Ctx, row: Row) -> RunId {
    let id: RunId = ctx.ids.fresh();
    let began = ctx.clock.now().plus_ms(-row.ago_ms);
    let ended: Option<Timestamp> = row.took_ms.map(|took| began.plus_ms(took));
    let mut tx = ctx.db.begin().await.unwrap();
    within!(&mut tx, conn => sqlx::query(
        "insert into run (id, workspace_id, workflow_name, cause, definition_hash, status, headline, steps_done,
            steps_total, created_at, started_at, ended_at)
        values ($1, $2, $3, $4, $5, $6, 'Fetch: 503', 2, 3, $7, $7, $8)")
        .bind(id).bind(ctx.workspace()).bind(row.name).bind(row.cause).bind(vec![0_u8]).bind(row.status.as_str())
        .bind(began).bind(ended).execute(conn).await.map(drop))
    .unwrap();
    tx.commit().await.unwrap();
    id
}

async fn overview(ctx: &Ctx, period: Period) -> Overview {
    monitor::overview(ctx, period).await.unwrap()
}

on_both_engines! {
    async fn an_empty_workspace_says_so_and_has_every_bucket(site: Site) {
        let ctx = workspace(&site).await;
        let day = overview(&ctx, Period::Day).await;
        assert!(!day.any_runs);
        assert_eq!((day.buckets.len(), day.memory_entries), (24, vec![0; 24]));
        assert_eq!(overview(&ctx, Period::Week).await.buckets.len(), 7);
        let month = overview(&ctx, Period::Month).await;
        assert_eq!((month.buckets.len(), month.durations), (30, Durations::default()));
    }

    async fn runs_are_counted_where_they_ended(site: Site) {
        let ctx = workspace(&site).await;
        insert(&ctx, row("a", RunStatus::Succeeded, 90 * MINUTE_MS, MINUTE_MS)).await;
        insert(&ctx, row("a", RunStatus::Failed, 80 * MINUTE_MS, 3 * MINUTE_MS)).await;
        insert(&ctx, row("a", RunStatus::Cancelled, 70 * MINUTE_MS, 9 * MINUTE_MS)).await;
        insert(&ctx, row("a", RunStatus::Succeeded, 3 * 24 * HOUR_MS, MINUTE_MS)).await;
        let day = overview(&ctx, Period::Day).await;
        // The clock stands at 08:00: these ended between 06:31 and 06:59.
        let bucket = &day.buckets[21];
        assert_eq!(bucket.from.to_string(), "2026-11-21T06:00:00Z");
        assert_eq!((bucket.succeeded, bucket.failed, bucket.cancelled, bucket.running), (1, 1, 1, 0));
        assert_eq!(day.durations.p50_ms, Some(MINUTE_MS));
        assert_eq!(day.durations.p99_ms, Some(3 * MINUTE_MS), "a cancelled run has no duration to tell");
        assert_eq!(day.buckets.iter().map(|bucket| bucket.succeeded).sum::<i64>(), 1);
        let week = overview(&ctx, Period::Week).await;
        assert_eq!(week.buckets.iter().map(|bucket| bucket.succeeded).collect::<Vec<_>>(), [0, 0, 0, 1, 0, 0, 1]);
    }

    async fn what_has_not_ended_is_active_and_a_paused_run_needs_somebody(site: Site) {
        let ctx = workspace(&site).await;
        insert(&ctx, row("a", RunStatus::Queued, MINUTE_MS, 0)).await;
        insert(&ctx, row("b", RunStatus::Running, 2 * MINUTE_MS, 0)).await;
        insert(&ctx, row("c", RunStatus::Waiting, 3 * MINUTE_MS, 0)).await;
        let paused = insert(&ctx, row("d", RunStatus::Paused, 4 * MINUTE_MS, 0)).await;
        let day = overview(&ctx, Period::Day).await;
        assert_eq!((day.active_total, day.active_waiting, day.active_queued), (3, 1, 1));
        assert_eq!(day.active.iter().map(|run| run.workflow_name.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(day.needs_me.iter().map(|need| (need.run.id, need.failures)).collect::<Vec<_>>(), [(paused, 0)]);
        assert_eq!(day.buckets.iter().map(|bucket| bucket.running).sum::<i64>(), 4);
    }

    async fn a_failed_run_needs_somebody_until_its_workflow_succeeds(site: Site) {
        let ctx = workspace(&site).await;
        insert(&ctx, row("broken", RunStatus::Failed, 5 * 24 * HOUR_MS, 1)).await;
        let newest = insert(&ctx, row("broken", RunStatus::Failed, HOUR_MS, 1)).await;
        insert(&ctx, row("mended", RunStatus::Failed, 2 * HOUR_MS, 1)).await;
        insert(&ctx, row("mended", RunStatus::Succeeded, HOUR_MS, 1)).await;
        insert(&ctx, Row { cause: "test", ..row("draft", RunStatus::Failed, HOUR_MS, 1) }).await;
        let day = overview(&ctx, Period::Day).await;
        assert_eq!(day.needs_me.iter().map(|need| (need.run.id, need.failures)).collect::<Vec<_>>(), [(newest, 2)]);
        assert_eq!(day.failures.len(), 3, "every failed run of the day is listed, tests and mended ones too");
        assert_eq!(day.failures[0].headline.as_deref(), Some("Fetch: 503"));
    }

    async fn memory_grows_by_what_is_still_there(site: Site) {
        let ctx = workspace(&site).await;
        let put = |key: &'static str| {
            let draft = EntryDraft { content: "x".to_owned(), ..EntryDraft::default() };
            memory::put(&ctx, "notes", key, draft, Expect::Any, Source::Cli {})
        };
        put("first").await.unwrap();
        put("second").await.unwrap();
        ctx.clock.advance_ms(2 * HOUR_MS);
        put("third").await.unwrap();
        memory::delete(&ctx, "notes", "second", Expect::Any).await.unwrap();
        let day = overview(&ctx, Period::Day).await;
        assert_eq!((day.memory_entries[20], day.memory_entries[21], day.memory_entries[22], day.memory_entries[23]), (0, 1, 1, 2));
        assert_eq!(day.memory_new, 2);
        ctx.clock.advance_ms(48 * HOUR_MS);
        let later = overview(&ctx, Period::Day).await;
        assert_eq!((later.memory_entries[0], later.memory_new), (2, 0));
    }

    async fn an_answer_is_kept_for_a_second_and_stays_in_its_workspace(site: Site) {
        let (ctx, other) = (workspace(&site).await, workspace(&site).await);
        let failed = || row("a", RunStatus::Failed, HOUR_MS, 1);
        insert(&ctx, failed()).await;
        assert_eq!(overview(&ctx, Period::Day).await.failures.len(), 1);
        insert(&ctx, failed()).await;
        assert_eq!(overview(&ctx, Period::Day).await.failures.len(), 1);
        assert_eq!(overview(&ctx, Period::Week).await.failures.len(), 2, "another period is another answer");
        ctx.clock.advance_ms(1_000);
        assert_eq!(overview(&ctx, Period::Day).await.failures.len(), 2);
        let foreign = overview(&other, Period::Day).await;
        assert!(!foreign.any_runs && foreign.failures.is_empty() && foreign.needs_me.is_empty());
    }

    async fn the_system_says_how_it_is(site: Site) {
        let ctx = workspace(&site).await;
        let health = overview(&ctx, Period::Day).await.health;
        assert_eq!(health.database, ctx.db.engine());
        assert!(health.database_bytes.is_some_and(|bytes| bytes > 0));
        assert!(health.database_ms >= 0.0);
        assert!(health.memory_bytes.is_some_and(|bytes| bytes > 1_000_000));
        assert!(health.uptime_ms.is_some());
    }

    async fn every_role_may_look(site: Site) {
        let ctx = workspace(&site).await;
        for role in [Role::Owner, Role::Admin, Role::Builder, Role::Operator, Role::Viewer] {
            let actor = Actor { workspace: ctx.workspace(), principal: Principal::System, role };
            let answer = monitor::overview(&ctx.runtime().as_actor(actor, String::new()), Period::Day).await;
            assert!(!matches!(answer, Err(ApiError::Forbidden { .. })), "{role:?}");
        }
    }
}
