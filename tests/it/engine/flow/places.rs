//! Places under a key: how many, whose turn, what becomes of those who find it full.

use weft::model::workflow::Fork;
use weft::workflow::travel;

use super::*;

/// Starts a run as a caller does that comes again when the database is too busy.
async fn start_in_the_end(ctx: &Ctx, definition: &Definition, inputs: Value) -> RunId {
    for _ in 0..20 {
        let source = Source::Inline(Box::new(definition.clone()));
        match workflow::start(ctx, NewRun::new(source, inputs.clone(), TriggerKind::Cli)).await {
            Err(workflow::Error::Db(weft::db::Error::Unavailable)) => {}
            started => return started.unwrap(),
        }
    }
    panic!("the database is too busy for a run");
}

on_both_engines! {
    async fn two_hundred_starts_at_once_never_exceed_the_limit_of_their_key(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let mut definition = by_customer(3);
        definition.steps[0].config.insert("ms".into(), json!(1000));
        let started = join_all((0..200).map(|_| start_in_the_end(&ctx, &definition, json!({"customer": "acme"})))).await;
        let (mut ended, mut most) = (0, 0);
        while ended < started.len() {
            let goal = (started.len() - ended).min(3);
            eventually(&ctx, "the places are taken", async || {
                let waiting = runs(&ctx, &[RunStatus::Waiting]).await.len();
                most = most.max(in_progress(&ctx).await.len());
                waiting == goal
            })
            .await;
            ctx.clock.advance_ms(1000);
            ended += goal;
            eventually(&ctx, "they end", async || {
                most = most.max(in_progress(&ctx).await.len());
                runs(&ctx, &[RunStatus::Succeeded]).await.len() == ended
            })
            .await;
        }
        assert_eq!(most, 3);
    }

    async fn another_key_does_not_wait(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let definition = by_customer(1);
        let first = start(&ctx, &definition, json!({"customer": "acme"})).await;
        let second = start(&ctx, &definition, json!({"customer": "acme"})).await;
        let other = start(&ctx, &definition, json!({"customer": 7})).await;
        until(&ctx, first, RunStatus::Waiting).await;
        until(&ctx, other, RunStatus::Waiting).await;
        let queued = workflow::get_run(&ctx, second).await.unwrap();
        assert_eq!(queued.summary.status, RunStatus::Queued);
        assert_eq!(queued.inputs, json!({"customer": "acme"}));
        assert_eq!(queued.summary.headline.as_deref(), Some("Waits for a place under the key “acme”"));
        cancel(&ctx, first).await;
        until(&ctx, second, RunStatus::Waiting).await;
        let events = workflow::list_events(&ctx, second, 0, 10).await.unwrap();
        assert!(matches!(events[0].fact, Fact::RunQueued { .. }) && matches!(events[1].fact, Fact::RunStarted { .. }));
    }

    async fn a_queued_run_says_who_holds_its_place_and_how_many_are_before_it(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let definition = by_customer(1);
        let first = start(&ctx, &definition, json!({"customer": "acme"})).await;
        let second = start(&ctx, &definition, json!({"customer": "acme"})).await;
        let third = start(&ctx, &definition, json!({"customer": "acme"})).await;
        let reason = why(&ctx, third).await;
        assert_eq!((reason.code, reason.position, reason.since), (Code::ConcurrencyKey, Some(2), Some(ctx.clock.now())));
        assert!(reason.sentence.contains("acme"), "{}", reason.sentence);
        assert_eq!(reason.unblocks, [Unblock::run(first, "chain")]);
        cancel(&ctx, second).await;
        assert_eq!(why(&ctx, third).await.position, Some(1));
        cancel(&ctx, third).await;
        assert_eq!(workflow::get_run(&ctx, third).await.unwrap().summary.status, RunStatus::Cancelled);
        assert_eq!(workflow::why_waiting(&ctx, third).await.unwrap(), []);
    }

    async fn a_paused_run_does_not_begin_before_it_is_resumed(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let definition = by_customer(1);
        let first = start(&ctx, &definition, json!({"customer": "acme"})).await;
        let held = start(&ctx, &definition, json!({"customer": "acme"})).await;
        let third = start(&ctx, &definition, json!({"customer": "acme"})).await;
        workflow::control(&ctx, held, Command::Pause).await.unwrap();
        let reason = why(&ctx, held).await;
        assert_eq!(reason.code, Code::Paused);
        assert_eq!(reason.unblocks, [Unblock::Person { action: "Resume the run".into() }]);
        cancel(&ctx, first).await;
        until(&ctx, third, RunStatus::Waiting).await;
        assert_eq!(workflow::control(&ctx, held, Command::Resume).await.unwrap().status, RunStatus::Queued);
        assert_eq!(why(&ctx, held).await.code, Code::ConcurrencyKey);
        cancel(&ctx, third).await;
        until(&ctx, held, RunStatus::Waiting).await;
    }

    async fn a_full_key_refuses_runs_where_the_workflow_says_so(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let definition = limited(json!({"concurrency": {"key": "{{ inputs.customer }}", "when_full": "reject"}}));
        let new = || NewRun {
            source: Source::Inline(Box::new(definition.clone())),
            inputs: json!({"customer": "acme"}),
            trigger: TriggerKind::Manual,
            idempotency_key: None,
            origin: None,
            started_by: None,
            until: None,
        };
        let first = workflow::start(&ctx, new()).await.unwrap();
        let error = ApiError::from(workflow::start(&ctx, new()).await.unwrap_err());
        assert_eq!(error.status(), 409);
        assert!(error.detail().contains("acme") && error.detail().contains(&first.to_string()), "{error}");
        assert_eq!(runs(&ctx, &[]).await.len(), 1, "what was refused leaves no run");
        cancel(&ctx, first).await;
        workflow::start(&ctx, new()).await.unwrap();
    }

    async fn a_newer_run_takes_the_place_of_the_oldest_once_that_has_ended(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let flow = json!({"concurrency": {"key": "{{ inputs.customer }}", "limit": 2, "when_full": "cancel_running"}});
        let definition = limited(flow);
        let mut all = Vec::new();
        for _ in 0..5 {
            all.push(start(&ctx, &definition, json!({"customer": "acme"})).await);
        }
        for old in &all[..3] {
            assert_eq!(end(&ctx, *old).await.summary.status, RunStatus::Cancelled);
        }
        for new in &all[3..] {
            until(&ctx, *new, RunStatus::Waiting).await;
        }
        let events = workflow::list_events(&ctx, all[0], 0, 100).await.unwrap();
        let by = events.iter().find_map(|event| match &event.fact {
            Fact::CancelRequested { by } => by.clone(),
            _ => None,
        });
        assert_eq!(by, Some(format!("the newer run {}", all[2])));
    }

    async fn a_newer_run_that_its_rate_keeps_waiting_cancels_nothing_until_it_can_begin(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let mut definition = limited(json!({
            "concurrency": {"key": "one", "when_full": "cancel_running"},
            "rate": {"key": "mail", "count": 1, "per_ms": 60_000},
        }));
        definition.steps[0].config["ms"] = json!(3_600_000);
        let begun = ctx.clock.now();
        let old = start(&ctx, &definition, json!({})).await;
        until(&ctx, old, RunStatus::Waiting).await;
        ctx.clock.advance_ms(10_000);
        let passed_over = start(&ctx, &definition, json!({})).await;
        let new = start(&ctx, &definition, json!({})).await;
        assert_eq!(end(&ctx, passed_over).await.summary.status, RunStatus::Cancelled, "a newer one waits");
        let reason = why(&ctx, new).await;
        assert_eq!((reason.code, reason.unblocks), (Code::Rate, vec![Unblock::Time { at: begun.plus_ms(60_000) }]));
        assert_eq!(workflow::get_run(&ctx, old).await.unwrap().summary.status, RunStatus::Waiting, "it goes on meanwhile");
        ctx.clock.advance_ms(50_000);
        until(&ctx, new, RunStatus::Waiting).await;
        assert_eq!(end(&ctx, old).await.summary.status, RunStatus::Cancelled);
    }

    async fn the_higher_priority_begins_first_and_then_the_older(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let definition = limited(json!({"concurrency": {"key": "one"}, "priority": "{{ inputs.level }}"}));
        let mut all = Vec::new();
        for level in [5, 1, 9, 5, 9] {
            all.push(start(&ctx, &definition, json!({"level": level})).await);
        }
        assert_eq!(order(&ctx, 5).await, [all[0], all[2], all[4], all[3], all[1]]);
    }

    async fn a_flood_under_one_key_does_not_keep_another_waiting(site: Site) {
        let runtime = with_config(&site, |config| config.max_running_runs = Some(1));
        let ctx = ctx(&runtime).await;
        let definition = by_customer(5);
        let mut flood = Vec::new();
        for _ in 0..10 {
            flood.push(start(&ctx, &definition, json!({"customer": "flood"})).await);
        }
        let single = start(&ctx, &definition, json!({"customer": "single"})).await;
        assert_eq!(why(&ctx, single).await.code, Code::Quota);
        let order = order(&ctx, 11).await;
        assert_eq!(order.iter().position(|run| *run == single), Some(2));
        let rest: Vec<RunId> = order.into_iter().filter(|run| *run != single).collect();
        assert_eq!(rest, flood);
    }

    async fn a_rate_lets_so_many_begin_in_any_window(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let definition = limited(json!({"rate": {"key": "mail", "count": 2, "per_ms": 60_000}}));
        let begun = ctx.clock.now();
        let first = start(&ctx, &definition, json!({})).await;
        ctx.clock.advance_ms(10_000);
        let second = start(&ctx, &definition, json!({})).await;
        let third = start(&ctx, &definition, json!({})).await;
        let fourth = start(&ctx, &definition, json!({})).await;
        until(&ctx, second, RunStatus::Waiting).await;
        let reason = why(&ctx, third).await;
        assert_eq!((reason.code, reason.position), (Code::Rate, Some(1)));
        assert_eq!(reason.unblocks, [Unblock::Time { at: begun.plus_ms(60_000) }]);
        cancel(&ctx, first).await;
        assert_eq!(why(&ctx, third).await.code, Code::Rate, "an end opens no window");
        ctx.clock.advance_ms(50_000);
        until(&ctx, third, RunStatus::Waiting).await;
        assert_eq!(why(&ctx, fourth).await.unblocks, [Unblock::Time { at: begun.plus_ms(70_000) }]);
        ctx.clock.advance_ms(10_000);
        until(&ctx, fourth, RunStatus::Waiting).await;
    }

    async fn beyond_the_queue_of_the_workspace_a_run_is_refused_with_when_to_ask_again(site: Site) {
        let runtime = with_config(&site, |config| config.max_queued_runs = 2);
        let ctx = ctx(&runtime).await;
        let definition = by_customer(1);
        for _ in 0..3 {
            start(&ctx, &definition, json!({"customer": "acme"})).await;
        }
        let new = NewRun {
            source: Source::Inline(Box::new(definition.clone())),
            inputs: json!({"customer": "acme"}),
            trigger: TriggerKind::Manual,
            idempotency_key: Some("k".into()),
            origin: None,
            started_by: None,
            until: None,
        };
        let error = ApiError::from(workflow::start(&ctx, new).await.unwrap_err());
        assert!(matches!(error, ApiError::RateLimited { retry_after_ms: 5_000, .. }), "{error:?}");
        start(&ctx, &definition, json!({"customer": "other"})).await;
    }

    async fn a_run_that_is_tried_again_needs_a_place(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let definition = by_customer(1);
        let first = start(&ctx, &definition, json!({"customer": "acme"})).await;
        until(&ctx, first, RunStatus::Waiting).await;
        let never_begun = start(&ctx, &definition, json!({"customer": "acme"})).await;
        cancel(&ctx, never_begun).await;
        cancel(&ctx, first).await;
        let second = start(&ctx, &definition, json!({"customer": "acme"})).await;
        until(&ctx, second, RunStatus::Waiting).await;
        let error = ApiError::from(workflow::control(&ctx, first, Command::Retry).await.unwrap_err());
        assert_eq!(error.status(), 409);
        assert!(error.detail().contains(&second.to_string()), "{error}");
        assert_eq!(workflow::get_run(&ctx, first).await.unwrap().summary.status, RunStatus::Cancelled);
        // One that never began goes back to the queue.
        workflow::control(&ctx, never_begun, Command::Retry).await.unwrap();
        assert_eq!(why(&ctx, never_begun).await.code, Code::ConcurrencyKey);
        cancel(&ctx, second).await;
        until(&ctx, never_begun, RunStatus::Waiting).await;
        cancel(&ctx, never_begun).await;
        workflow::control(&ctx, first, Command::Retry).await.unwrap();
        until(&ctx, first, RunStatus::Waiting).await;
    }

    async fn an_idempotency_key_gives_the_queued_run_again(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let definition = by_customer(1);
        start(&ctx, &definition, json!({"customer": "acme"})).await;
        let new = || NewRun {
            source: Source::Inline(Box::new(definition.clone())),
            inputs: json!({"customer": "acme"}),
            trigger: TriggerKind::Manual,
            idempotency_key: Some("k".into()),
            origin: None,
            started_by: None,
            until: None,
        };
        let both = join_all([workflow::start(&ctx, new()), workflow::start(&ctx, new())]).await;
        assert_eq!(both[0].as_ref().unwrap(), both[1].as_ref().unwrap());
        assert_eq!(runs(&ctx, &[]).await.len(), 2);
    }

    async fn inputs_that_give_no_key_are_refused_with_the_field(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let new = NewRun {
            source: Source::Inline(Box::new(by_customer(1))),
            inputs: json!({"customer": ""}),
            trigger: TriggerKind::Manual,
            idempotency_key: None,
            origin: None,
            started_by: None,
            until: None,
        };
        let error = ApiError::from(workflow::start(&ctx, new).await.unwrap_err());
        assert_eq!(error.status(), 422);
        assert!(error.field("/flow/concurrency/key").is_some(), "{error:?}");
    }

    async fn a_fork_takes_a_place_or_is_refused_by_the_name_of_who_has_it(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let definition = by_customer(1);
        let first = start(&ctx, &definition, json!({"customer": "acme"})).await;
        until(&ctx, first, RunStatus::Waiting).await;
        let again = || Fork::step("hold");
        let refused = ApiError::from(travel::fork(&ctx, first, again(), None).await.unwrap_err());
        assert_eq!(refused.status(), 409);
        assert!(refused.to_string().contains(&format!("the key “acme” is full: in progress is {first}")), "{refused}");
        cancel(&ctx, first).await;
        let fork = travel::fork(&ctx, first, again(), None).await.unwrap();
        until(&ctx, fork, RunStatus::Waiting).await;
        let other = start(&ctx, &definition, json!({"customer": "acme"})).await;
        assert_eq!(why(&ctx, other).await.unblocks, [Unblock::run(fork, "chain")]);
        cancel(&ctx, fork).await;
        until(&ctx, other, RunStatus::Waiting).await;
    }

    async fn a_fork_counts_for_the_quota(site: Site) {
        let ctx = ctx(&with_config(&site, |config| config.max_running_runs = Some(1))).await;
        let definition = chain(vec![wait("nap", 1000)]);
        let first = start(&ctx, &definition, json!({})).await;
        until(&ctx, first, RunStatus::Waiting).await;
        let again = || Fork::step("nap");
        let refused = ApiError::from(travel::fork(&ctx, first, again(), None).await.unwrap_err());
        assert!(refused.to_string().contains("the workspace's quota is full"), "{refused}");
        cancel(&ctx, first).await;
        let fork = travel::fork(&ctx, first, again(), None).await.unwrap();
        until(&ctx, fork, RunStatus::Waiting).await;
        let other = start(&ctx, &definition, json!({})).await;
        assert_eq!(workflow::get_run(&ctx, other).await.unwrap().summary.status, RunStatus::Queued);
    }

    async fn a_fork_from_the_start_waits_for_its_turn_as_a_new_run_does(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let definition = by_customer(1);
        let first = start(&ctx, &definition, json!({"customer": "acme"})).await;
        until(&ctx, first, RunStatus::Waiting).await;
        let fork = travel::fork(&ctx, first, Fork::at(1), None).await.unwrap();
        let queued = workflow::get_run(&ctx, fork).await.unwrap();
        assert_eq!((queued.summary.status, queued.summary.started_at), (RunStatus::Queued, None));
        assert_eq!(queued.summary.headline.as_deref(), Some("Waits for a place under the key “acme”"));
        assert_eq!(why(&ctx, fork).await.unblocks, [Unblock::run(first, "chain")]);
        let elsewhere = Fork { inputs: Some(json!({"customer": "globex"})), ..Fork::at(1) };
        let elsewhere = travel::fork(&ctx, first, elsewhere, None).await.unwrap();
        let begun = until(&ctx, elsewhere, RunStatus::Waiting).await;
        assert_eq!(begun.inputs, json!({"customer": "globex"}), "what was edited is its key and its inputs");
        cancel(&ctx, first).await;
        until(&ctx, fork, RunStatus::Waiting).await;
        let kinds: Vec<_> = workflow::list_events(&ctx, fork, 0, 10).await.unwrap().iter().map(|event| event.fact.kind()).collect();
        assert_eq!(kinds, ["run_queued", "run_forked", "run_started", "step_started", "step_waiting"]);
    }

    async fn a_run_that_never_began_is_forked_where_it_ended(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let definition = by_customer(1);
        let first = start(&ctx, &definition, json!({"customer": "acme"})).await;
        let second = start(&ctx, &definition, json!({"customer": "acme"})).await;
        until(&ctx, first, RunStatus::Waiting).await;
        cancel(&ctx, second).await;
        let last = end(&ctx, second).await.last_seq;
        let fork = travel::fork(&ctx, second, Fork::at(last), None).await.unwrap();
        assert_eq!(why(&ctx, fork).await.unblocks, [Unblock::run(first, "chain")]);
        cancel(&ctx, first).await;
        until(&ctx, fork, RunStatus::Waiting).await;
    }

    async fn a_fork_from_the_start_is_refused_where_the_workflow_refuses_runs(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let definition = limited(json!({"concurrency": {"key": "{{ inputs.customer }}", "limit": 1, "when_full": "reject"}}));
        let first = start(&ctx, &definition, json!({"customer": "acme"})).await;
        until(&ctx, first, RunStatus::Waiting).await;
        let refused = ApiError::from(travel::fork(&ctx, first, Fork::at(1), None).await.unwrap_err());
        assert_eq!(refused.status(), 409);
        assert_eq!(runs(&ctx, &[]).await.len(), 1, "nothing of it is left");
    }

    async fn a_fork_from_the_start_begins_at_once_where_nothing_limits_it_any_more(site: Site) {
        let limited = ctx(&with_config(&site, |config| config.max_running_runs = Some(1))).await;
        let first = start(&limited, &chain(vec![wait("nap", 1000)]), json!({"n": 1})).await;
        until(&limited, first, RunStatus::Waiting).await;
        let ctx = site.runtime.as_actor(limited.actor.clone(), String::new());
        let edited = Fork { inputs: Some(json!({"n": 2})), ..Fork::at(1) };
        let fork = travel::fork(&ctx, first, edited, None).await.unwrap();
        assert_eq!(until(&ctx, fork, RunStatus::Waiting).await.inputs, json!({"n": 2}));
    }
}
