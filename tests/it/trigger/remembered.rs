//! What a process remembers of a webhook is never what decides: every change counts for the next call.

use serde_json::json;
use weft::model::trigger::{Answer, Config, KeyKind, Outcome};
use weft::model::workflow::RunStatus;
use weft::{trigger, workflow};

use super::webhooks::{answering, count_of_runs, path, post, run_of, seconds, signed, webhook};
use super::workflow as workflow_of;
use super::{ctx, firings, long, make, outcomes, short};
use crate::auth::json_of;

on_both_engines! {
    async fn what_was_changed_since_the_last_call_counts_for_the_next(site: Site) {
        let rt = &site.runtime;
        let ctx = ctx(rt).await;
        let flow = answering(&ctx, json!({"json": {"version": 1}})).await;
        let wait = Answer::Wait { ms: 30_000 };
        let made = make(&ctx, webhook(flow, wait, false)).await;
        let (id, path) = (made.trigger.id, path(&made));
        let answer = async || json_of(post(&path).json(&json!({"n": 1})).send(rt).await).await;
        assert_eq!(answer().await, json!({"version": 1}));
        // A version that was published since.
        let mut next = workflow::definitions::get(&ctx, flow).await.unwrap();
        next.draft.steps[0].config = serde_json::from_value(json!({"json": {"version": 2}})).unwrap();
        workflow::definitions::save_draft(&ctx, flow, next.revision, &next.draft).await.unwrap();
        assert_eq!(answer().await, json!({"version": 1}), "a draft counts for nobody");
        workflow::definitions::publish(&ctx, flow).await.unwrap();
        assert_eq!(answer().await, json!({"version": 2}));
        // A template.
        let mut draft = webhook(flow, wait, false);
        draft.inputs = json!({"m": "{{ event.body.n }}"});
        trigger::update(&ctx, id, 1, draft.clone()).await.unwrap();
        answer().await;
        let newest = firings(&ctx, id).await.pop().unwrap();
        assert_eq!(workflow::get_run(&ctx, newest.run_id.unwrap()).await.unwrap().inputs, json!({"m": 1}));
        // Signing, then off.
        draft.config = Config::Webhook { answer: wait, signed: true, rate_per_minute: 600, call_id: None };
        trigger::update(&ctx, id, 2, draft.clone()).await.unwrap();
        assert_eq!(post(&path).json(&json!({"n": 1})).status(rt).await, 401);
        draft.config = Config::Webhook { answer: wait, signed: false, rate_per_minute: 600, call_id: None };
        draft.enabled = false;
        trigger::update(&ctx, id, 3, draft.clone()).await.unwrap();
        assert_eq!(post(&path).json(&json!({"n": 1})).status(rt).await, 404);
        draft.enabled = true;
        trigger::update(&ctx, id, 4, draft).await.unwrap();
        assert_eq!(post(&path).json(&json!({"n": 1})).status(rt).await, 200);
        trigger::delete(&ctx, id).await.unwrap();
        assert_eq!(post(&path).json(&json!({"n": 1})).status(rt).await, 404);
    }

    async fn calls_that_come_together_are_each_stored_whole_and_their_repeats_not_at_all(site: Site) {
        let rt = &site.runtime;
        let ctx = ctx(rt).await;
        let flow = workflow_of(&ctx, "Answers", vec![json!({"id": "say", "kind": "respond", "config": {"json": {"n": 1}}})]).await;
        let made = make(&ctx, webhook(flow, Answer::Wait { ms: 30_000 }, false)).await;
        let path = path(&made);
        let deliver = |id: String| {
            let asked = post(&path).with("webhook-id", &id).json(&json!({"n": 1}));
            async move { asked.status(rt).await.as_u16() }
        };
        // From the second on what the first made known is gone by.
        assert_eq!(deliver("first".to_owned()).await, 200);
        let statuses = futures::future::join_all((0..30).map(|n| deliver(format!("m{}", n % 10)))).await;
        assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
        let found = firings(&ctx, made.trigger.id).await;
        let of = |outcome: Outcome| found.iter().filter(move |firing| firing.outcome == outcome);
        assert_eq!((of(Outcome::Started).count(), of(Outcome::Duplicate).count()), (11, 20));
        assert_eq!(count_of_runs(&ctx).await, 11);
        for firing in of(Outcome::Started) {
            let run = firing.run_id.unwrap();
            let detail = workflow::get_run(&ctx, run).await.unwrap();
            assert_eq!((detail.summary.status, &detail.inputs), (RunStatus::Succeeded, &json!({"n": 1})));
            let events = workflow::list_events(&ctx, run, 0, 100).await.unwrap();
            let numbers: Vec<i64> = events.iter().map(|event| event.seq).collect();
            assert_eq!(numbers, (1..=detail.last_seq).collect::<Vec<_>>());
        }
        let started: std::collections::HashSet<_> = of(Outcome::Started).map(|firing| firing.run_id).collect();
        assert!(of(Outcome::Duplicate).all(|repeat| started.contains(&repeat.run_id)));
    }

    async fn a_secret_that_was_taken_away_signs_no_further_call(site: Site) {
        let rt = &site.runtime;
        let ctx = ctx(rt).await;
        let made = make(&ctx, webhook(short(&ctx, "Hook").await, Answer::Accept, true)).await;
        let (id, path, old) = (made.trigger.id, path(&made), made.secret.clone().unwrap().0);
        let call = async |secret: &str, name: &str| signed(&path, secret, name, seconds(rt), &json!({})).status(rt).await.as_u16();
        assert_eq!(call(&old, "m1").await, 202);
        let new = trigger::replace_key(&ctx, id, KeyKind::Secret).await.unwrap().secret.unwrap().0;
        assert_eq!((call(&old, "m2").await, call(&new, "m3").await), (202, 202));
        let secrets = trigger::get(&ctx, id).await.unwrap().webhook.unwrap().secrets;
        trigger::delete_key(&ctx, id, secrets[1].id).await.unwrap();
        assert_eq!((call(&old, "m4").await, call(&new, "m5").await), (401, 202));
        assert_eq!(count_of_runs(&ctx).await, 4);
    }

    async fn a_repeat_whose_first_firing_was_forgotten_learns_its_run(site: Site) {
        let rt = &site.runtime;
        let ctx = ctx(rt).await;
        let made = make(&ctx, webhook(long(&ctx, "Hook").await, Answer::Accept, false)).await;
        let deliver = || post(&path(&made)).with("webhook-id", "msg_1").json(&json!({"n": 1})).send(rt);
        let run = run_of(deliver().await).await;
        // The run waits longer than firings are kept.
        rt.clock.advance_ms(i64::from(rt.config.retention_days + 1) * 24 * 3_600_000);
        trigger::forget(rt).await.unwrap();
        assert!(firings(&ctx, made.trigger.id).await.is_empty());
        assert_eq!(run_of(deliver().await).await, run);
        assert_eq!(count_of_runs(&ctx).await, 1);
        let found = firings(&ctx, made.trigger.id).await;
        assert_eq!((outcomes(&found), found[0].run_id), (vec![Outcome::Started], Some(run)));
    }

    async fn a_run_that_has_to_be_let_in_is_started_by_its_webhook_all_the_same(site: Site) {
        let rt = &site.runtime;
        let ctx = ctx(rt).await;
        let mut definition = crate::http::definition("Limited");
        definition["flow"] = json!({"concurrency": {"key": "one", "limit": 1}});
        let flow = workflow::definitions::create(&ctx, serde_json::from_value(definition).unwrap()).await.unwrap();
        workflow::definitions::publish(&ctx, flow.id).await.unwrap();
        let made = make(&ctx, webhook(flow.id, Answer::Accept, false)).await;
        for n in 0..3 {
            let deliver = || post(&path(&made)).with("webhook-id", &format!("m{n}")).json(&json!({})).status(rt);
            assert_eq!((deliver().await.as_u16(), deliver().await.as_u16()), (202, 200));
        }
        let found = outcomes(&firings(&ctx, made.trigger.id).await);
        assert_eq!(found.iter().filter(|outcome| **outcome == Outcome::Started).count(), 3);
    }
}
