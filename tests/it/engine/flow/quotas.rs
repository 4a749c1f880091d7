//! How many runs a workspace may have, where that is fewer than the server's settings say.

use super::*;

fn plain() -> Definition {
    chain(vec![wait("hold", 60_000)])
}

async fn waits_for_quota(ctx: &Ctx, run: RunId) -> String {
    let whys = workflow::why_waiting(ctx, run).await.unwrap();
    let found = whys.iter().find(|why| why.code == Code::Quota);
    found.unwrap_or_else(|| panic!("{whys:?}")).sentence.clone()
}

async fn publish(ctx: &Ctx, definition: Definition) {
    let made = workflow::definitions::create(ctx, definition).await.unwrap();
    workflow::definitions::publish(ctx, made.id).await.unwrap();
}

async fn has_begun(ctx: &Ctx, run: RunId) {
    until(ctx, run, RunStatus::Waiting).await;
}

on_both_engines! {
    async fn runs_beyond_the_limit_of_their_workspace_wait_and_say_which_number_holds(site: Site) {
        let (ours, theirs) = (ctx(&site.runtime).await, ctx(&site.runtime).await);
        let set = workflow::set_quotas(&ours, None, Some(1)).await.unwrap();
        assert_eq!((set.max_running_runs, set.running_in_force(), set.queued_in_force()), (Some(1), Some(1), ours.config.max_queued_runs));
        let first = start(&ours, &plain(), json!({})).await;
        has_begun(&ours, first).await;
        let second = start(&ours, &plain(), json!({})).await;
        assert_eq!(workflow::get_status(&ours, second).await.unwrap(), RunStatus::Queued);
        let sentence = waits_for_quota(&ours, second).await;
        assert_eq!(sentence, "Waits for the workspace's quota: 1 in progress, and the workspace's own limit is 1.");
        for _ in 0..2 {
            let run = start(&theirs, &plain(), json!({})).await;
            has_begun(&theirs, run).await;
        }
        cancel(&ours, first).await;
        has_begun(&ours, second).await;
    }

    async fn runs_that_had_begun_before_count_and_a_higher_limit_lets_in_who_waits(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let (first, second) = (start(&ctx, &plain(), json!({})).await, start(&ctx, &plain(), json!({})).await);
        for run in [first, second] {
            has_begun(&ctx, run).await;
        }
        workflow::set_quotas(&ctx, None, Some(2)).await.unwrap();
        let (third, fourth) = (start(&ctx, &plain(), json!({})).await, start(&ctx, &plain(), json!({})).await);
        waits_for_quota(&ctx, third).await;
        cancel(&ctx, first).await;
        has_begun(&ctx, third).await;
        waits_for_quota(&ctx, fourth).await;
        workflow::set_quotas(&ctx, None, None).await.unwrap();
        has_begun(&ctx, fourth).await;
        let fifth = start(&ctx, &plain(), json!({})).await;
        has_begun(&ctx, fifth).await;
        // What had a place gives it back, also where nobody counts any more: set again, it counts those in progress alone.
        for run in [second, third] {
            cancel(&ctx, run).await;
        }
        workflow::set_quotas(&ctx, None, Some(3)).await.unwrap();
        let sixth = start(&ctx, &plain(), json!({})).await;
        has_begun(&ctx, sixth).await;
        let sentence = waits_for_quota(&ctx, start(&ctx, &plain(), json!({})).await).await;
        assert_eq!(sentence, "Waits for the workspace's quota: 3 in progress, and the workspace's own limit is 3.");
    }

    async fn the_limit_holds_for_forks_and_for_runs_that_are_tried_again(site: Site) {
        let ctx = ctx(&site.runtime).await;
        workflow::set_quotas(&ctx, None, Some(1)).await.unwrap();
        let first = start(&ctx, &plain(), json!({})).await;
        has_begun(&ctx, first).await;
        let fork = weft::model::workflow::Fork::step("hold");
        let refused = ApiError::from(weft::workflow::travel::fork(&ctx, first, fork, None).await.unwrap_err());
        assert!(refused.status() == 409 && refused.to_string().contains("quota is full"), "{refused}");
        cancel(&ctx, first).await;
        let second = start(&ctx, &plain(), json!({})).await;
        has_begun(&ctx, second).await;
        let refused = ApiError::from(workflow::control(&ctx, first, Command::Retry).await.unwrap_err());
        assert_eq!(refused.status(), 409, "{refused}");
    }

    async fn runs_that_wait_for_sub_runs_do_not_keep_them_from_beginning(site: Site) {
        let ctx = ctx(&site.runtime).await;
        workflow::boot(&site.runtime).await.unwrap();
        workflow::set_quotas(&ctx, None, Some(1)).await.unwrap();
        for (name, flow) in [("Plain", Value::Null), ("Keyed", json!({"concurrency": {"key": "crm"}}))] {
            let flow = serde_json::from_value(flow).unwrap();
            let sub = Definition { name: name.into(), flow, ..chain(vec![transform("a", json!("{{ inputs.n }}"))]) };
            publish(&ctx, sub).await;
            let calls = json!({"id": "call", "kind": "workflow", "config": {"workflow": name, "inputs": {"n": "{{ item }}"}}});
            let each = json!({"id": "each", "kind": "map", "config": {"items": [1, 2, 3]}, "body": {"steps": [calls]}});
            let (first, second) = (start(&ctx, &chain(vec![each.clone()]), json!({})).await, start(&ctx, &chain(vec![each]), json!({})).await);
            for run in [first, second] {
                assert_eq!(end(&ctx, run).await.summary.status, RunStatus::Succeeded, "{name}");
            }
        }
    }

    async fn a_sub_run_passes_by_who_waits_for_the_quota_under_its_key(site: Site) {
        let ctx = ctx(&site.runtime).await;
        workflow::boot(&site.runtime).await.unwrap();
        workflow::set_quotas(&ctx, None, Some(1)).await.unwrap();
        let flow = || serde_json::from_value(json!({"concurrency": {"key": "crm"}})).unwrap();
        let keyed = |name: &str| Definition { name: name.into(), flow: flow(), ..chain(vec![transform("a", json!(1))]) };
        publish(&ctx, keyed("Keyed")).await;
        let event = json!({"id": "go", "kind": "event", "config": {"key": "go"}});
        let call = json!({"id": "call", "kind": "workflow", "config": {"workflow": "Keyed"}});
        let outer = start(&ctx, &chain(vec![event, call]), json!({})).await;
        has_begun(&ctx, outer).await;
        let alone = start(&ctx, &keyed("Alone"), json!({})).await;
        waits_for_quota(&ctx, alone).await;
        workflow::events::send(&ctx, "go", &json!({}), None).await.unwrap();
        for run in [outer, alone] {
            assert_eq!(end(&ctx, run).await.summary.status, RunStatus::Succeeded);
        }
    }

    async fn a_run_whose_key_is_with_the_one_that_waits_for_it_is_refused(site: Site) {
        let ctx = ctx(&site.runtime).await;
        workflow::boot(&site.runtime).await.unwrap();
        let flow = || serde_json::from_value(json!({"concurrency": {"key": "crm"}})).unwrap();
        let inner = Definition { name: "Inner".into(), flow: flow(), ..chain(vec![transform("a", json!(1))]) };
        publish(&ctx, inner).await;
        let call = |name: &str| chain(vec![json!({"id": "call", "kind": "workflow", "config": {"workflow": name}})]);
        publish(&ctx, Definition { name: "Between".into(), ..call("Inner") }).await;
        for name in ["Inner", "Between"] {
            let run = start(&ctx, &Definition { flow: flow(), ..call(name) }, json!({})).await;
            let error = end(&ctx, run).await.error.unwrap();
            assert!(error.class == "refused" && error.message.contains("wait for itself"), "{name}: {error:?}");
        }
        // Without the key above it, it begins.
        let run = start(&ctx, &call("Inner"), json!({})).await;
        assert_eq!(end(&ctx, run).await.summary.status, RunStatus::Succeeded);
    }

    async fn runs_that_share_a_key_with_the_sub_runs_that_they_wait_for_do_not_all_wait_for_ever(site: Site) {
        let ctx = ctx(&site.runtime).await;
        workflow::boot(&site.runtime).await.unwrap();
        let flow = || serde_json::from_value(json!({"concurrency": {"key": "crm", "limit": 2}})).unwrap();
        let inner = Definition { name: "Inner".into(), flow: flow(), ..chain(vec![transform("a", json!(1))]) };
        publish(&ctx, inner).await;
        let event = json!({"id": "both", "kind": "event", "config": {"key": "both have begun"}});
        let call = json!({"id": "call", "kind": "workflow", "config": {"workflow": "Inner"}});
        let outer = Definition { flow: flow(), ..chain(vec![event, call]) };
        let (first, second) = (start(&ctx, &outer, json!({})).await, start(&ctx, &outer, json!({})).await);
        for run in [first, second] {
            has_begun(&ctx, run).await;
        }
        workflow::events::send(&ctx, "both have begun", &json!({}), None).await.unwrap();
        let (first, second) = (end(&ctx, first).await, end(&ctx, second).await);
        // Whichever asks second is refused, and with its end the other goes on.
        let mut ended = [&first, &second].map(|run| run.summary.status);
        ended.sort_by_key(|status| *status == RunStatus::Failed);
        assert_eq!(ended, [RunStatus::Succeeded, RunStatus::Failed]);
        let error = first.error.or(second.error).unwrap();
        assert!(error.class == "refused" && error.message.contains("wait for each other"), "{error:?}");
    }

    async fn more_than_may_wait_are_refused_with_the_number_that_holds(site: Site) {
        let ctx = ctx(&site.runtime).await;
        workflow::set_quotas(&ctx, Some(1), None).await.unwrap();
        let definition = by_customer(1);
        for _ in 0..2 {
            start(&ctx, &definition, json!({"customer": "acme"})).await;
        }
        let new = NewRun::new(Source::Inline(Box::new(definition)), json!({"customer": "acme"}), TriggerKind::Manual);
        let refused = ApiError::from(workflow::start(&ctx, new).await.unwrap_err());
        assert!(matches!(refused, ApiError::RateLimited { .. }), "{refused:?}");
        assert!(refused.to_string().starts_with("1 runs of this workspace wait"), "{refused}");
    }

    async fn the_lower_of_both_holds_and_more_than_the_server_allows_is_refused(site: Site) {
        let runtime = with_config(&site, |config| (config.max_running_runs, config.max_queued_runs) = (Some(1), 5));
        let ctx = ctx(&runtime).await;
        for (queued, running, field) in
            [(None, Some(2), "max_running_runs"), (None, Some(0), "max_running_runs"), (Some(6), None, "max_queued_runs")]
        {
            let error = ApiError::from(workflow::set_quotas(&ctx, queued, running).await.unwrap_err());
            assert!(error.field(field).is_some_and(|said| said.starts_with("expected 1 to")), "{error:?}");
        }
        assert_eq!(workflow::get_quotas(&ctx).await.unwrap().running_in_force(), Some(1));
        has_begun(&ctx, start(&ctx, &plain(), json!({})).await).await;
        let sentence = waits_for_quota(&ctx, start(&ctx, &plain(), json!({})).await).await;
        assert_eq!(sentence, "Waits for the workspace's quota: 1 in progress, and the server's limit is 1.");
    }

    async fn another_process_holds_to_a_limit_that_was_set_here(site: Site) {
        let first = ctx(&site.runtime).await;
        workflow::set_quotas(&first, None, Some(1)).await.unwrap();
        has_begun(&first, start(&first, &plain(), json!({})).await).await;
        assert!(site.runtime.tasks.stop(Duration::from_secs(20)).await, "it drains");
        let second = next_process(&site, site.runtime.clock.clone());
        workflow::boot(&second).await.unwrap();
        let there = second.as_actor(first.actor.clone(), String::new());
        let run = start(&there, &plain(), json!({})).await;
        waits_for_quota(&there, run).await;
        second.clock.advance_ms(60_000);
        until_so(&there, run, |run| run.summary.started_at.is_some()).await;
    }

    async fn only_who_looks_after_the_workspace_sets_it(site: Site) {
        let (owner, _) = crate::auth::owner(&site.runtime).await;
        let (_, ada) = crate::auth::named_member(&owner, Role::Operator, "ada@team.example").await;
        let ada = crate::auth::ctx_of(&site.runtime, &ada).await;
        let denied = ApiError::from(workflow::set_quotas(&ada, None, Some(1)).await.unwrap_err());
        assert_eq!(denied.status(), 403);
        assert_eq!(workflow::get_quotas(&ada).await.unwrap().max_running_runs, None);
    }
}
