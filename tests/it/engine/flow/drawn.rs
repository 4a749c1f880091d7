//! What `docs/flow-control.md` draws with keys and rates: the tests read that page.

use super::*;

/// The examples of the page, by name.
fn example(name: &str) -> Definition {
    let page = include_str!("../../../../docs/flow-control.md");
    let texts = page.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let mut all = texts.map(|text| weft::workflow::definitions::file::parse(text).unwrap());
    all.find(|definition| definition.name == name).unwrap_or_else(|| panic!("the page has no example {name:?}"))
}

async fn publish(ctx: &Ctx, definition: Definition) {
    let made = workflow::definitions::create(ctx, definition).await.unwrap();
    workflow::definitions::publish(ctx, made.id).await.unwrap();
}

on_both_engines! {
    async fn steps_that_run_a_workflow_with_a_rate_keep_it_together(site: Site) {
        let ctx = ctx(&site.runtime).await;
        workflow::boot(&site.runtime).await.unwrap();
        let mut asks = example("Ask the CRM");
        asks.flow = serde_json::from_value(json!({"rate": {"key": "crm", "count": 2, "per_ms": 60_000}})).unwrap();
        asks.steps = chain(vec![transform("ask", json!("{{ inputs.customer }}"))]).steps;
        publish(&ctx, asks).await;
        let call = json!({"id": "call", "kind": "workflow", "config": {"workflow": "Ask the CRM", "inputs": {"customer": "{{ item }}"}}});
        let each = json!({"id": "each", "kind": "map", "config": {"items": ["a", "b", "c"]}, "body": {"steps": [call]}});
        let run = start(&ctx, &chain(vec![each]), json!({})).await;
        until_so(&ctx, run, |run| run.steps[0].bodies.as_ref().is_some_and(|bodies| bodies.ended == 2)).await;
        let mut queued = Vec::new();
        eventually(&ctx, "the third waits", async || {
            queued = runs(&ctx, &[RunStatus::Queued]).await;
            !queued.is_empty()
        })
        .await;
        assert_eq!(queued.len(), 1);
        assert_eq!(why(&ctx, queued[0].id).await.code, Code::Rate);
        site.runtime.clock.advance_ms(60_001);
        assert_eq!(end(&ctx, run).await.summary.status, RunStatus::Succeeded);
    }

    async fn of_many_that_come_together_the_last_one_works_once_it_is_quiet(site: Site) {
        let ctx = ctx(&site.runtime).await;
        workflow::boot(&site.runtime).await.unwrap();
        let inputs = example("Rebuild when edits have stopped").inputs;
        let work = Definition { name: "Rebuild".into(), inputs, ..chain(vec![transform("work", json!("{{ inputs.page }}"))]) };
        publish(&ctx, work).await;
        let debounced = example("Rebuild when edits have stopped");
        let mut asked = Vec::new();
        for _ in 0..3 {
            asked.push(start(&ctx, &debounced, json!({"page": "home"})).await);
        }
        until(&ctx, asked[2], RunStatus::Waiting).await;
        for earlier in &asked[..2] {
            assert_eq!(end(&ctx, *earlier).await.summary.status, RunStatus::Cancelled);
        }
        site.runtime.clock.advance_ms(30_001);
        let last = end(&ctx, asked[2]).await;
        assert_eq!(last.summary.status, RunStatus::Succeeded);
        let worked: RunId = serde_json::from_value(last.steps[1].output["run_id"].clone()).unwrap();
        assert_eq!(end(&ctx, worked).await.inputs, json!({"page": "home"}));
        assert_eq!(runs(&ctx, &[RunStatus::Succeeded]).await.len(), 2, "the last, and its work");
    }
}
