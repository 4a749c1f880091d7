//! What is tried again, and under which key the world outside hears of it.

use super::flow::with_config;
use super::*;
use crate::gateway::upstream::{Reply, Upstream};

/// A context whose steps may call this machine.
async fn ctx(site: &Site) -> Ctx {
    let runtime = with_config(site, |_| {});
    workflow::boot(&runtime).await.unwrap();
    super::ctx(&runtime).await
}

fn post(id: &str, outside: &Upstream, more: Value) -> Value {
    let mut step = json!({
        "id": id,
        "kind": "http",
        "config": {"url": outside.url, "method": "POST", "json": {"sum": 9}},
        "retry": {"max_attempts": 2, "initial_ms": 0},
    });
    step.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    step
}

fn answers(statuses: &[u16]) -> Vec<Reply> {
    statuses.iter().map(|status| Reply::Json(*status, json!({}))).collect()
}

/// The keys that came, in their order.
fn keys(outside: &Upstream) -> Vec<String> {
    let key = |seen: &crate::gateway::upstream::Seen| seen.headers["idempotency-key"].to_str().unwrap().to_owned();
    outside.seen().iter().map(key).collect()
}

on_both_engines! {
    async fn every_attempt_of_a_step_carries_the_same_key_also_one_that_a_person_asks_for(site: Site) {
        let ctx = ctx(&site).await;
        let outside = Upstream::start(answers(&[503, 503, 200])).await;
        let run = start(&ctx, &chain(vec![post("charge", &outside, json!({}))]), json!({})).await;
        assert_eq!(end(&ctx, run).await.summary.status, RunStatus::Failed);
        workflow::control(&ctx, run, Command::Retry).await.unwrap();
        assert_eq!(end(&ctx, run).await.summary.status, RunStatus::Succeeded);
        assert_eq!(keys(&outside), vec![format!("{run}/charge"); 3]);
    }

    async fn each_item_has_a_key_of_its_own(site: Site) {
        let ctx = ctx(&site).await;
        let outside = Upstream::start(answers(&[503, 200, 200])).await;
        let body = json!({"steps": [post("charge", &outside, json!({}))]});
        let each = json!({"id": "each", "kind": "map", "config": {"items": ["a", "b"], "concurrency": 1}, "body": body});
        let run = start(&ctx, &chain(vec![each]), json!({})).await;
        assert_eq!(end(&ctx, run).await.summary.status, RunStatus::Succeeded);
        let key = |index: usize| format!("{run}/each[{index}].charge");
        assert_eq!(keys(&outside), [key(0), key(0), key(1)]);
    }

    async fn a_header_of_the_step_stands_in_place_of_the_key(site: Site) {
        let ctx = ctx(&site).await;
        let outside = Upstream::start(answers(&[200])).await;
        let config = json!({"url": outside.url, "method": "POST", "headers": {"Idempotency-Key": "order-{{ inputs.n }}"}});
        let run = start(&ctx, &chain(vec![post("charge", &outside, json!({"config": config}))]), json!({"n": 7})).await;
        assert_eq!(end(&ctx, run).await.summary.status, RunStatus::Succeeded);
        assert_eq!(keys(&outside), ["order-7"]);
    }

    async fn a_status_of_http_can_be_named_in_what_is_tried_again(site: Site) {
        let ctx = ctx(&site).await;
        let only = |classes: Value| json!({"retry": {"max_attempts": 3, "initial_ms": 0, "only": classes}});
        for (classes, statuses, status) in [
            (json!(["http_status:5xx", "http_status:429"]), &[503, 429, 200][..], RunStatus::Succeeded),
            (json!(["http_status:5xx", "http_status:429"]), &[404][..], RunStatus::Failed),
            (json!(["http_status"]), &[404, 409, 200][..], RunStatus::Succeeded),
        ] {
            let outside = Upstream::start(answers(statuses)).await;
            let run = start(&ctx, &chain(vec![post("charge", &outside, only(classes.clone()))]), json!({})).await;
            let detail = end(&ctx, run).await;
            assert_eq!((detail.summary.status, outside.count()), (status, statuses.len()), "{classes} and {statuses:?}");
        }
        let outside = Upstream::start(answers(&[503])).await;
        let never = json!({"retry": {"max_attempts": 3, "initial_ms": 0, "never": ["http_status:503"]}});
        let run = start(&ctx, &chain(vec![post("charge", &outside, never)]), json!({})).await;
        let error = end(&ctx, run).await.error.unwrap();
        assert_eq!((error.class.as_str(), error.code.as_deref(), outside.count()), ("http_status", Some("503"), 1));
    }
}
