//! How long ended runs are kept.

use super::*;

on_both_engines! {
    async fn ended_runs_are_kept_as_their_workflow_their_workspace_or_the_server_says(site: Site) {
        let (ours, theirs) = (ctx(&site.runtime).await, ctx(&site.runtime).await);
        workflow::set_retention(&ours, Some(10)).await.unwrap();
        assert_eq!(workflow::get_retention(&ours).await.unwrap().days, Some(10));
        let plain = chain(vec![transform("a", json!(1))]);
        let short = Definition { retention_days: Some(2), ..plain.clone() };
        let by_workflow = start(&ours, &short, json!({})).await;
        let by_workspace = start(&ours, &plain, json!({})).await;
        let by_server = start(&theirs, &plain, json!({})).await;
        for (ctx, run) in [(&ours, by_workflow), (&ours, by_workspace), (&theirs, by_server)] {
            end(ctx, run).await;
        }
        workflow::boot(&site.runtime).await.unwrap();
        let day = 24 * 60 * 60 * 1000;
        let mut age = 0;
        for (days, gone) in [(1, 0), (3, 1), (11, 2), (91, 3)] {
            site.runtime.clock.advance_ms((days - age) * day);
            age = days;
            let mut hours = 0;
            let work = async {
                loop {
                    // It looks once an hour, and may have begun to sleep only now.
                    let by = if hours < 20 { 1 } else { -hours };
                    site.runtime.clock.advance_ms(by * 60 * 60 * 1000);
                    hours += by;
                    let left = [(&ours, by_workflow), (&ours, by_workspace), (&theirs, by_server)];
                    let found = join_all(left.map(|(ctx, run)| workflow::get_run(ctx, run))).await;
                    let is_gone = found.iter().map(Result::is_err).collect::<Vec<_>>();
                    if is_gone.iter().filter(|gone| **gone).count() == gone {
                        // The first ones go first.
                        assert!(is_gone.iter().take(gone).all(|gone| *gone), "{is_gone:?} after {days} days");
                        return;
                    }
                    tokio::task::yield_now().await;
                }
            };
            tokio::time::timeout(Duration::from_secs(60), work).await.unwrap();
            site.runtime.clock.advance_ms(-hours * 60 * 60 * 1000);
        }
    }

    async fn a_large_value_is_kept_once_and_goes_with_the_last_run_that_refers_to_it(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let kept = async || {
            weft::read!(&ctx.db, conn => sqlx::query_scalar::<_, i64>(
                "select count(*) from payload where workspace_id = $1 and size > 20000",
            )
            .bind(ctx.workspace())
            .fetch_one(conn)
            .await)
            .unwrap()
        };
        let definition =
            Definition { retention_days: Some(1), ..chain(vec![transform("same", json!("{{ inputs.n }}"))]) };
        let inputs = json!({"n": "x".repeat(30_000)});
        let first = end(&ctx, start(&ctx, &definition, inputs.clone()).await).await;
        let count = kept().await;
        assert!(count >= 2, "the inputs and the output: {count}");
        let second = end(&ctx, start(&ctx, &definition, inputs.clone()).await).await;
        assert_eq!((kept().await, &first.output), (count, &second.output), "what is the same is kept once");
        assert_eq!(workflow::get_run(&ctx, first.summary.id).await.unwrap().inputs, inputs, "it is read back whole");
        workflow::boot(&site.runtime).await.unwrap();
        site.runtime.clock.advance_ms(3 * 24 * 60 * 60 * 1000);
        let work = async {
            while kept().await > 0 {
                site.runtime.clock.advance_ms(60 * 60 * 1000);
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), work).await.unwrap();
        assert!(workflow::get_run(&ctx, second.summary.id).await.is_err());
    }

    async fn events_of_the_week_before_go_however_many_they_are(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let kept = async || {
            weft::read!(&ctx.db, conn => sqlx::query_scalar::<_, i64>("select count(*) from event where workspace_id = $1")
                .bind(ctx.workspace())
                .fetch_one(conn)
                .await)
            .unwrap()
        };
        for n in 0..420 {
            workflow::events::send(&ctx, "tick", &json!({"n": n}), None).await.unwrap();
        }
        workflow::boot(&site.runtime).await.unwrap();
        site.runtime.clock.advance_ms(8 * 24 * 60 * 60 * 1000);
        let work = async {
            while kept().await == 420 {
                site.runtime.clock.advance_ms(60 * 60 * 1000);
                tokio::task::yield_now().await;
            }
            // One round is enough: the clock stands still from here on.
            while kept().await > 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), work).await.unwrap();
    }

    async fn a_retention_that_does_not_fit_is_refused(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let error = ApiError::from(workflow::set_retention(&ctx, Some(0)).await.unwrap_err());
        assert_eq!(error.field("days"), Some("expected 1 to 3650, found 0"));
    }
}
