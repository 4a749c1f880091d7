//! Cancel, pause, resume, retry.

use super::*;

on_both_engines! {
    async fn a_waiting_run_is_cancelled(site: Site) {
        let ctx = ctx(&site.runtime).await;
        for ms in [1000, 60_000] {
            let run = start(&ctx, &chain(vec![wait("w", ms), transform("a", json!(1))]), json!({})).await;
            until(&ctx, run, RunStatus::Waiting).await;
            let summary = workflow::control(&ctx, run, Command::Cancel).await.unwrap();
            assert_eq!(summary.status, RunStatus::Cancelled);
            let detail = end(&ctx, run).await;
            assert_eq!(statuses(&detail), [("w", StepStatus::Cancelled), ("a", StepStatus::Skipped)]);
        }
    }

    async fn cancelling_a_finished_run_is_refused(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let run = start(&ctx, &chain(vec![transform("a", json!(1))]), json!({})).await;
        end(&ctx, run).await;
        let error = weft::model::ApiError::from(workflow::control(&ctx, run, Command::Cancel).await.unwrap_err());
        assert_eq!(error.status(), 409, "{error}");
        assert_eq!(workflow::get_run(&ctx, run).await.unwrap().summary.status, RunStatus::Succeeded);
    }

    async fn a_paused_run_goes_on_when_it_is_resumed(site: Site) {
        let ctx = ctx(&site.runtime).await;
        workflow::boot(&site.runtime).await.unwrap();
        for ms in [1000, 60_000] {
            let run = start(&ctx, &chain(vec![wait("w", ms), transform("a", json!(1))]), json!({})).await;
            until(&ctx, run, RunStatus::Waiting).await;
            assert_eq!(workflow::control(&ctx, run, Command::Pause).await.unwrap().status, RunStatus::Paused);
            site.runtime.clock.advance_ms(2 * ms);
            assert_eq!(workflow::get_run(&ctx, run).await.unwrap().summary.status, RunStatus::Paused);
            workflow::control(&ctx, run, Command::Resume).await.unwrap();
            assert_eq!(end(&ctx, run).await.summary.status, RunStatus::Succeeded);
        }
    }

    async fn a_failed_run_tries_its_failed_steps_again(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let definition = chain(vec![
            transform("before", json!(1)),
            json!({"id": "shaky", "kind": "wait", "config": {"until": "{{ inputs.at }}"}}),
            transform("after", json!(2)),
        ]);
        let run = start(&ctx, &definition, json!({"at": "never"})).await;
        let detail = end(&ctx, run).await;
        assert_eq!(detail.summary.status, RunStatus::Failed);
        workflow::control(&ctx, run, Command::Retry).await.unwrap();
        let detail = end(&ctx, run).await;
        assert_eq!(detail.summary.status, RunStatus::Failed);
        let events = workflow::list_events(&ctx, run, 0, 100).await.unwrap();
        let begun = |id: &str| events.iter().filter(|event| event.step.as_deref() == Some(id) && matches!(event.fact, Fact::StepStarted { .. })).count();
        assert_eq!((begun("before"), begun("shaky"), begun("after")), (1, 2, 0));
        assert_eq!(detail.steps[1].attempt, 2);
    }

    // A run at rest is in nobody's hand: each command takes it, and must be heard before its owner finds nothing to do.
    async fn a_command_to_a_run_at_rest_is_heard_every_time(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let definition = chain(vec![json!({"id": "shaky", "kind": "wait", "config": {"until": "{{ inputs.at }}"}})]);
        let run = start(&ctx, &definition, json!({"at": "never"})).await;
        for attempt in 2..=40 {
            end(&ctx, run).await;
            workflow::control(&ctx, run, Command::Retry).await.unwrap();
            let detail = end(&ctx, run).await;
            assert_eq!((detail.summary.status, detail.steps[0].attempt), (RunStatus::Failed, attempt));
        }
    }
}
