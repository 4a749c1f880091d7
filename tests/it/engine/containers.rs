//! Containers through the whole engine: bodies with effects, kills in their midst, what people can look into.

use super::*;

/// A map over waits, which are steps with an effect that costs nothing.
fn each(items: Value, config: Value, ms: i64) -> Definition {
    let mut config = config;
    config["items"] = items;
    let body = json!({"steps": [wait("nap", ms), transform("out", json!("{{ item }}!"))],
        "edges": [{"from": "nap", "to": "out"}]});
    let mut definition = chain(vec![json!({"id": "each", "kind": "map", "config": config, "body": body})]);
    definition.output = json!("{{ steps.each.output }}");
    definition
}

/// Whether so many bodies of the only step have ended, and the next one waits.
fn waits_after(detail: &RunDetail, ended: u32) -> bool {
    detail.summary.status == RunStatus::Waiting && detail.steps[0].bodies.is_some_and(|bodies| bodies.ended == ended)
}

on_both_engines! {
    async fn a_map_with_waits_inside_ends_and_can_be_looked_into(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let run = start(&ctx, &each(json!(["a", "b", "c"]), json!({"concurrency": 2}), 1000), json!({})).await;
        until(&ctx, run, RunStatus::Waiting).await;
        site.runtime.clock.advance_ms(1000);
        until_so(&ctx, run, |detail| waits_after(detail, 2)).await;
        let body = workflow::get_body(&ctx, run, "each[0]").await.unwrap();
        assert_eq!(body.steps.len(), 2);
        site.runtime.clock.advance_ms(1000);
        let detail = end(&ctx, run).await;
        assert_eq!((detail.summary.status, &detail.output), (RunStatus::Succeeded, &json!(["a!", "b!", "c!"])));
        let page = weft::model::PageRequest { limit: 2, cursor: None };
        let first = workflow::list_bodies(&ctx, run, "each", &page).await.unwrap();
        let rest = weft::model::PageRequest { limit: 2, cursor: first.next.clone() };
        let rest = workflow::list_bodies(&ctx, run, "each", &rest).await.unwrap();
        let indexes: Vec<u32> = first.items.iter().chain(&rest.items).map(|body| body.index).collect();
        assert_eq!((indexes, rest.next), (vec![0, 1, 2], None));
        let body = workflow::get_body(&ctx, run, "each[1]").await.unwrap();
        assert_eq!((body.summary.status, &body.steps[1].output), (StepStatus::Succeeded, &json!("b!")));
        assert!(matches!(workflow::get_body(&ctx, run, "each[7]").await, Err(workflow::Error::NotFound(_))));
        assert!(matches!(workflow::list_bodies(&ctx, run, "nobody", &page).await, Err(workflow::Error::NotFound(_))));
    }

    async fn a_map_goes_on_in_the_next_process_where_it_was(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let run = start(&ctx, &each(json!(["a", "b", "c"]), json!({"concurrency": 1}), 60_000), json!({})).await;
        until(&ctx, run, RunStatus::Waiting).await;
        // Long waits are given back: another engine on the same database takes the run in hand when it is due.
        assert!(site.runtime.tasks.stop(Duration::from_secs(20)).await, "it drains");
        let other = next_process(&site, site.runtime.clock.clone());
        workflow::boot(&other).await.unwrap();
        let ctx = other.as_actor(ctx.actor.clone(), String::new());
        for ended in 0..3 {
            until_so(&ctx, run, |detail| waits_after(detail, ended)).await;
            other.clock.advance_ms(60_000);
        }
        let detail = end(&ctx, run).await;
        assert_eq!((detail.summary.status, &detail.output), (RunStatus::Succeeded, &json!(["a!", "b!", "c!"])));
    }

    async fn ten_thousand_items_fifty_at_a_time_keep_their_order(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let body = json!({"steps": [transform("twice", json!("{{ item * 2 }}"))]});
        let each = json!({"id": "each", "kind": "map", "config": {"items": "{{ inputs.list }}", "concurrency": 50}, "body": body});
        let items: Vec<i64> = (0..10_000).collect();
        let run = start(&ctx, &chain(vec![each]), json!({"list": items})).await;
        let detail = end(&ctx, run).await;
        assert_eq!(detail.summary.status, RunStatus::Succeeded, "{:?}", detail.error);
        let output = detail.steps[0].output.as_array().unwrap();
        assert!(output.iter().zip(0_i64..).all(|(value, index)| *value == json!(index * 2)));
    }
}
