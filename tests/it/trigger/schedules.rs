//! Schedules: when they fire, what becomes of missed moments, and that each fires once.

use serde_json::json;
use weft::model::ApiError;
use weft::model::trigger::{Config, Missed, Outcome, Overlap, TriggerDraft, TriggerFilter};
use weft::model::workflow::{RunFilter, RunStatus, TriggerKind};
use weft::model::{PageRequest, WorkflowId};
use weft::runtime::Clock;
use weft::trigger;
use weft::workflow::{self, definitions};

use super::{at, ctx, end, firings, long, make, next_process, outcomes, schedule, short, to};

on_both_engines! {
    async fn a_schedule_fires_at_its_moment_and_not_before(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let flow = short(&ctx, "Nightly").await;
        let mut draft = schedule(flow, "30 9 * * *", Missed::RunOnce, Overlap::Allow);
        draft.inputs = json!({"day": "{{ event.scheduled_for }}", "who": "Mara"});
        let made = make(&ctx, draft).await.trigger;
        assert_eq!(made.summary, "At 09:30 every day, Europe/Berlin");
        assert_eq!(made.next[0].local, "Sat 21 Nov 2026, 09:30 CET");
        assert_eq!(made.next.len(), 5);
        trigger::look(&site.runtime).await.unwrap();
        to(&site.runtime, "2026-11-21T08:29:59Z");
        trigger::look(&site.runtime).await.unwrap();
        assert!(firings(&ctx, made.id).await.is_empty());
        to(&site.runtime, "2026-11-21T08:30:00Z");
        trigger::look(&site.runtime).await.unwrap();
        trigger::look(&site.runtime).await.unwrap();
        let found = firings(&ctx, made.id).await;
        assert_eq!(outcomes(&found), [Outcome::Started]);
        assert_eq!(found[0].scheduled_for, Some(at("2026-11-21T08:30:00Z")));
        let run = end(&ctx, found[0].run_id.unwrap()).await;
        assert_eq!(run.summary.trigger, TriggerKind::Schedule);
        assert_eq!(run.inputs, json!({"day": "2026-11-21T08:30:00Z", "who": "Mara"}));
        let listed = trigger::get(&ctx, made.id).await.unwrap();
        assert_eq!(listed.next[0].at, at("2026-11-22T08:30:00Z"));
        assert_eq!(listed.last_firing, Some(found[0].clone()));
    }

    async fn the_timer_wakes_by_itself(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let flow = short(&ctx, "Nightly").await;
        trigger::boot(&site.runtime).await.unwrap();
        let mut changes = site.runtime.events.subscribe();
        let made = make(&ctx, schedule(flow, "30 9 * * *", Missed::RunOnce, Overlap::Allow)).await.trigger;
        to(&site.runtime, "2026-11-21T08:30:00Z");
        while outcomes(&firings(&ctx, made.id).await) != [Outcome::Started] {
            tokio::time::timeout(std::time::Duration::from_secs(30), changes.recv()).await.unwrap().unwrap();
        }
    }

    async fn a_schedule_that_is_off_does_not_fire_and_makes_nothing_up(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let flow = short(&ctx, "Nightly").await;
        let draft = schedule(flow, "0 * * * *", Missed::RunAll, Overlap::Allow);
        let made = make(&ctx, TriggerDraft { enabled: false, ..draft.clone() }).await.trigger;
        assert!(made.next.is_empty());
        site.runtime.clock.advance_ms(5 * 3_600_000);
        trigger::look(&site.runtime).await.unwrap();
        let on = trigger::update(&ctx, made.id, made.revision, draft).await.unwrap().trigger;
        trigger::look(&site.runtime).await.unwrap();
        assert!(firings(&ctx, made.id).await.is_empty());
        assert_eq!(on.next[0].at, at("2026-11-21T14:00:00Z"));
    }

    async fn after_a_downtime_one_run_stands_for_all_missed_moments(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let flow = short(&ctx, "Nightly").await;
        let made = make(&ctx, schedule(flow, "0 * * * *", Missed::RunOnce, Overlap::Allow)).await.trigger;
        to(&site.runtime, "2026-11-21T12:20:00Z");
        trigger::look(&site.runtime).await.unwrap();
        let found = firings(&ctx, made.id).await;
        assert_eq!(outcomes(&found), [Outcome::Started]);
        assert_eq!(found[0].scheduled_for, Some(at("2026-11-21T12:00:00Z")));
        assert_eq!(found[0].reason, "stands for 4 moments, since the earlier ones were missed");
    }

    async fn missed_moments_are_passed_over_where_asked_and_a_row_says_so(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let flow = short(&ctx, "Nightly").await;
        let made = make(&ctx, schedule(flow, "0 * * * *", Missed::Skip, Overlap::Allow)).await.trigger;
        to(&site.runtime, "2026-11-21T12:20:00Z");
        trigger::look(&site.runtime).await.unwrap();
        let found = firings(&ctx, made.id).await;
        assert_eq!(outcomes(&found), [Outcome::Skipped]);
        assert!(found[0].reason.starts_with("4 moments from Sat 21 Nov 2026, 10:00 CET to"), "{}", found[0].reason);
    }

    async fn each_missed_moment_runs_where_asked_up_to_a_hundred(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let flow = short(&ctx, "Nightly").await;
        let made = make(&ctx, schedule(flow, "*/2 * * * *", Missed::RunAll, Overlap::Allow)).await.trigger;
        to(&site.runtime, "2026-11-21T14:00:00Z");
        trigger::look(&site.runtime).await.unwrap();
        let found = firings(&ctx, made.id).await;
        assert_eq!(found.len(), 101);
        let passed: Vec<_> = found.iter().filter(|firing| firing.outcome == Outcome::Skipped).collect();
        assert_eq!(passed.len(), 1);
        assert!(passed[0].reason.starts_with("80 moments") && passed[0].reason.contains("latest 100"), "{}", passed[0].reason);
        let runs: std::collections::HashSet<_> = found.iter().filter_map(|firing| firing.run_id).collect();
        assert_eq!(runs.len(), 100);
    }

    async fn a_moment_is_passed_over_while_the_previous_run_is_still_going(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let flow = long(&ctx, "Slow").await;
        let made = make(&ctx, schedule(flow, "*/20 * * * *", Missed::RunOnce, Overlap::Skip)).await.trigger;
        for _ in 0..2 {
            site.runtime.clock.advance_ms(20 * 60_000);
            trigger::look(&site.runtime).await.unwrap();
        }
        let found = firings(&ctx, made.id).await;
        assert_eq!(outcomes(&found), [Outcome::Started, Outcome::Skipped]);
        assert!(found[1].reason.contains("still going"));
        workflow::control(&ctx, found[0].run_id.unwrap(), weft::model::workflow::Command::Cancel).await.unwrap();
        site.runtime.clock.advance_ms(20 * 60_000);
        trigger::look(&site.runtime).await.unwrap();
        assert_eq!(firings(&ctx, made.id).await[2].outcome, Outcome::Started);
    }

    async fn two_processes_fire_a_moment_once(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let flow = short(&ctx, "Nightly").await;
        let mut made = Vec::new();
        for _ in 0..20 {
            made.push(make(&ctx, schedule(flow, "0 * * * *", Missed::RunOnce, Overlap::Allow)).await.trigger.id);
        }
        to(&site.runtime, "2026-11-21T09:00:00Z");
        let others: Vec<_> = (0..3).map(|_| next_process(&site, site.runtime.clock.clone())).collect();
        let looks = others.iter().chain([&site.runtime]).map(trigger::look);
        for look in futures::future::join_all(looks).await {
            look.unwrap();
        }
        for id in made {
            assert_eq!(outcomes(&firings(&ctx, id).await), [Outcome::Started]);
        }
        let runs = workflow::list_runs(&ctx, &RunFilter::default(), &PageRequest { limit: 200, cursor: None }).await.unwrap();
        assert_eq!(runs.items.len(), 20);
    }

    async fn a_process_that_died_between_claim_and_start_has_its_run_started_once(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let flow = short(&ctx, "Nightly").await;
        let made = make(&ctx, schedule(flow, "0 * * * *", Missed::RunOnce, Overlap::Allow)).await.trigger;
        to(&site.runtime, "2026-11-21T09:00:00Z");
        // It claims, and dies: a process that is stopping starts no run.
        let dying = next_process(&site, site.runtime.clock.clone());
        dying.tasks.stop(std::time::Duration::ZERO).await;
        trigger::look(&dying).await.unwrap();
        assert_eq!(outcomes(&firings(&ctx, made.id).await), [Outcome::Starting]);
        trigger::look(&site.runtime).await.unwrap();
        assert_eq!(outcomes(&firings(&ctx, made.id).await), [Outcome::Starting], "it may still be at it");
        site.runtime.clock.advance_ms(10_000);
        let other = next_process(&site, site.runtime.clock.clone());
        let (one, two) = tokio::join!(trigger::look(&site.runtime), trigger::look(&other));
        one.and(two).unwrap();
        assert_eq!(outcomes(&firings(&ctx, made.id).await), [Outcome::Started]);
        let runs = workflow::list_runs(&ctx, &RunFilter::default(), &PageRequest::default()).await.unwrap();
        assert_eq!(runs.items.len(), 1);
    }

    async fn a_clock_that_is_set_back_fires_nothing_twice(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let flow = short(&ctx, "Nightly").await;
        let made = make(&ctx, schedule(flow, "0 * * * *", Missed::RunAll, Overlap::Allow)).await.trigger;
        to(&site.runtime, "2026-11-21T09:00:00Z");
        trigger::look(&site.runtime).await.unwrap();
        let behind = next_process(&site, Clock::manual(at("2026-11-21T07:00:00Z")));
        trigger::look(&behind).await.unwrap();
        to(&behind, "2026-11-21T09:00:30Z");
        trigger::look(&behind).await.unwrap();
        assert_eq!(outcomes(&firings(&ctx, made.id).await), [Outcome::Started]);
    }

    async fn a_run_that_can_not_start_is_a_failed_firing_with_its_reason(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let definition = serde_json::from_value(json!({"weft": 1, "name": "Draft", "steps": []})).unwrap();
        let flow = definitions::create(&ctx, definition).await.unwrap().id;
        let made = make(&ctx, schedule(flow, "0 * * * *", Missed::RunOnce, Overlap::Allow)).await.trigger;
        to(&site.runtime, "2026-11-21T09:00:00Z");
        trigger::look(&site.runtime).await.unwrap();
        let found = firings(&ctx, made.id).await;
        assert_eq!(outcomes(&found), [Outcome::Failed]);
        assert!(found[0].reason.contains("no published version"), "{}", found[0].reason);
    }

    async fn many_schedules_due_at_once_are_taken_in_batches(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let flow = short(&ctx, "Nightly").await;
        for _ in 0..450 {
            make(&ctx, schedule(flow, "0 * * * *", Missed::RunOnce, Overlap::Allow)).await;
        }
        to(&site.runtime, "2026-11-21T09:00:00Z");
        trigger::look(&site.runtime).await.unwrap();
        let mut page = PageRequest { limit: 200, cursor: None };
        let mut started = 0;
        loop {
            let found = trigger::list_firings(&ctx, None, &page).await.unwrap();
            started += found.items.iter().filter(|firing| firing.outcome == Outcome::Started).count();
            page.cursor = found.next;
            if page.cursor.is_none() {
                break;
            }
        }
        assert_eq!(started, 450);
    }

    async fn what_does_not_fit_is_refused_with_its_field(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let flow = short(&ctx, "Nightly").await;
        let good = schedule(flow, "0 9 * * *", Missed::RunOnce, Overlap::Allow);
        let with = |cron: &str, timezone: &str| {
            let config = Config::Schedule {
                cron: cron.into(), timezone: timezone.into(), missed: Missed::Skip, overlap: Overlap::Allow,
            };
            TriggerDraft { config, ..good.clone() }
        };
        let nobody = TriggerDraft { workflow_id: WorkflowId(uuid::Uuid::nil()), ..good.clone() };
        for (draft, pointer) in [
            (with("0 25 * * *", "UTC"), "/config/cron"),
            (with("0 9 * * *", "Mars/Olympus"), "/config/timezone"),
            (TriggerDraft { inputs: json!({"a": "{{ inputs.x }}"}), ..good.clone() }, "/inputs"),
            (TriggerDraft { inputs: json!({"a": "\0"}), ..good.clone() }, "/inputs"),
            (TriggerDraft { name: "x".repeat(121), ..good.clone() }, "/name"),
            (nobody, "/workflow_id"),
        ] {
            let error = ApiError::from(trigger::create(&ctx, draft).await.unwrap_err());
            assert!(error.field(pointer).is_some(), "{pointer}: {error:?}");
        }
        assert!(trigger::list(&ctx, &TriggerFilter::default(), &PageRequest::default()).await.unwrap().items.is_empty());
    }

    async fn an_edit_from_an_old_revision_is_refused(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let flow = short(&ctx, "Nightly").await;
        let draft = schedule(flow, "0 9 * * *", Missed::RunOnce, Overlap::Allow);
        let made = make(&ctx, draft.clone()).await.trigger;
        trigger::update(&ctx, made.id, 1, draft.clone()).await.unwrap();
        let error = ApiError::from(trigger::update(&ctx, made.id, 1, draft).await.unwrap_err());
        assert_eq!(error.status(), 409);
    }

    async fn fired_by_hand_a_trigger_runs_now_also_when_it_is_off(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let flow = short(&ctx, "Nightly").await;
        let mut draft = schedule(flow, "0 9 * * *", Missed::RunOnce, Overlap::Allow);
        draft.enabled = false;
        let made = make(&ctx, draft).await.trigger;
        let firing = trigger::fire_now(&ctx, made.id, serde_json::Value::Null).await.unwrap();
        assert_eq!(firing.outcome, Outcome::Started);
        assert_eq!(end(&ctx, firing.run_id.unwrap()).await.summary.status, RunStatus::Succeeded);
        assert!(firing.reason.starts_with("fired by hand"));
    }

    async fn deleting_a_workflow_deletes_its_triggers_and_a_trigger_its_firings(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let (one, two) = (short(&ctx, "One").await, short(&ctx, "Two").await);
        let gone = make(&ctx, schedule(one, "0 9 * * *", Missed::RunOnce, Overlap::Allow)).await.trigger.id;
        let stays = make(&ctx, schedule(two, "0 9 * * *", Missed::RunOnce, Overlap::Allow)).await.trigger.id;
        trigger::fire_now(&ctx, gone, serde_json::Value::Null).await.unwrap();
        trigger::fire_now(&ctx, stays, serde_json::Value::Null).await.unwrap();
        definitions::delete(&ctx, one).await.unwrap();
        assert!(matches!(trigger::get(&ctx, gone).await, Err(trigger::Error::NotFound(_))));
        trigger::delete(&ctx, stays).await.unwrap();
        assert!(trigger::list_firings(&ctx, None, &PageRequest::default()).await.unwrap().items.is_empty());
    }
}
