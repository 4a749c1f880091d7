//! What outlives a process.

use super::*;

on_both_engines! {
    async fn a_long_wait_survives_the_process(site: Site) {
        let first = ctx(&site.runtime).await;
        let run = start(&first, &chain(vec![wait("w", 60_000), transform("a", json!(1))]), json!({})).await;
        until(&first, run, RunStatus::Waiting).await;
        assert!(site.runtime.tasks.stop(Duration::from_secs(20)).await, "it drains");
        let second = next_process(&site);
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
        let second = next_process(&site);
        second.clock.advance_ms(3_000);
        workflow::boot(&second).await.unwrap();
        let ctx = second.as_actor(first.actor.clone(), String::new());
        assert_eq!(end(&ctx, run).await.summary.status, RunStatus::Succeeded);
    }
}
