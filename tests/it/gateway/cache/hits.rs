//! What a hit is: the same answer, whole or in pieces, for nothing, and metered.

use serde_json::json;
use weft::cache;
use weft::gateway::{self, Answered};
use weft::model::cache::{CacheMode, CacheOutcome, CacheTier, CacheWish};
use weft::model::dashboard::Period;
use weft::model::gateway::{BudgetDraft, PriceDraft, ProviderKind, Request, StopReason, SumBy, Tool, UsageFilter};
use weft::monitor;

use super::super::{add, calls, chunks, drain, first_chunks, process, route};
use super::*;

fn price() -> PriceDraft {
    serde_json::from_value(json!({"model": "big", "input": 1_000_000, "output": 10_000_000})).unwrap()
}

async fn live(ctx: &Ctx, request: Request) -> Box<gateway::Live> {
    match gateway::call(ctx, order(Request { stream: true, ..request }, CacheWish::default())).await.unwrap() {
        Answered::Live(live) => live,
        Answered::Whole(_) => panic!("a stream was asked for"),
    }
}

on_both_engines! {
    async fn the_same_question_is_asked_once_and_its_answer_costs_nothing_again(site: Site) {
        let ctx = somebody(&site).await;
        let upstream = counting(&ctx, 2).await;
        let acme = gateway::list_providers(&ctx).await.unwrap()[0].id;
        gateway::put_price(&ctx, acme, price()).await.unwrap();
        let first = ask(&ctx, cold("What is a loom?")).await;
        let again = ask(&ctx, cold("What is a loom?")).await;
        let third = ask(&ctx, cold("What is a loom?")).await;
        assert_eq!((did(&first), did(&again), did(&third)), ("miss", "hit", "hit"));
        assert_eq!(upstream.count(), 1);
        for hit in [&again, &third] {
            assert_eq!(hit.response.text(), "Answer 1.");
            assert_eq!(hit.response.usage, first.response.usage, "programs reckon with what the context takes");
            assert_eq!((hit.cost_micros, tier(hit)), (Some(0), Some(CacheTier::Memory)));
        }
        assert_eq!(again.choice.why(), "the providers that list big; an answer of acme/big was kept");

        let log = calls(&ctx).await;
        assert_eq!(log.len(), 3);
        let (hit, miss) = (&log[0], &log[2]);
        assert_eq!((hit.cost_micros, hit.usage.prompt(), hit.usage.output), (Some(0), 0, 0));
        let used = hit.cache.unwrap();
        assert_eq!((used.outcome, used.saved.prompt(), used.saved.output), (CacheOutcome::Hit, 1000, 100));
        // 600 fresh and 400 cached tokens at $1, 100 written at $10 for a million.
        assert_eq!((used.saved_micros, miss.cost_micros), (Some(2_000), Some(2_000)));
        assert_eq!(miss.cache.unwrap().outcome, CacheOutcome::Miss);
        let sums = gateway::sum_usage(&ctx, &UsageFilter { by: SumBy::Model, ..UsageFilter::default() }).await.unwrap();
        assert_eq!((sums[0].calls, sums[0].cost_micros, sums[0].unpriced), (3, 2_000, 0));

        let report = monitor::cache(&ctx, Period::Day).await.unwrap();
        assert_eq!((report.hits, report.misses, report.unasked, report.entries), (2, 1, 0, 1));
        assert_eq!((report.saved_micros, report.spent_micros, report.saved_input, report.saved_output), (4_000, 2_000, 2_000, 200));
        assert_eq!(report.buckets.iter().map(|bucket| bucket.hits).sum::<i64>(), 2);
        assert_eq!((report.buckets.len(), report.tiers.len(), report.tiers[0].hits), (24, 1, 2));
        assert!(report.tiers[0].p50_us <= report.tiers[0].p99_us && report.tiers[0].p99_us > 0, "{report:?}");
        let kept = cache::list(&ctx, &Default::default(), &Default::default()).await.unwrap();
        assert_eq!((kept.items[0].hits, kept.items[0].saved_micros), (2, 4_000));
    }

    async fn another_process_finds_it_in_the_database(site: Site) {
        let ctx = somebody(&site).await;
        let upstream = counting(&ctx, 1).await;
        ask(&ctx, cold("x")).await;
        let other = process(&site, weft::runtime::Clock::System).as_actor(ctx.actor.clone(), String::new());
        let first = ask(&other, cold("x")).await;
        assert_eq!((first.response.text().as_str(), tier(&first)), ("Answer 1.", Some(CacheTier::Database)));
        assert_eq!(tier(&ask(&other, cold("x")).await), Some(CacheTier::Memory));
        assert_eq!(upstream.count(), 1);
    }

    async fn a_stream_is_kept_when_it_is_whole_and_given_as_a_stream_or_whole(site: Site) {
        let ctx = somebody(&site).await;
        let upstream = Upstream::start([Reply::Events(chunks(&["A ", "loom 織機."]))]).await;
        add(&ctx, "acme", ProviderKind::OpenAiCompatible, &upstream, &["big"]).await;
        let mut first = live(&ctx, cold("x")).await;
        assert_eq!(drain(&mut first).await, ("A loom 織機.".to_owned(), None));
        drop(first);
        cache::settled(&ctx).await;
        let mut again = live(&ctx, cold("x")).await;
        assert!(again.is_kept());
        assert_eq!(drain(&mut again).await, ("A loom 織機.".to_owned(), None));
        let response = again.finish();
        assert_eq!((response.stop, response.usage.output), (StopReason::EndTurn, 100));
        assert_eq!(ask(&ctx, cold("x")).await.response.text(), "A loom 織機.");
        assert_eq!(upstream.count(), 1);
        let log = calls(&ctx).await;
        assert!(log.iter().take(2).all(|call| call.cost_micros == Some(0)), "{log:?}");
    }

    async fn what_is_no_whole_answer_is_not_kept(site: Site) {
        let ctx = somebody(&site).await;
        let cut = |reason: &str| {
            let mut body = answer("A loo");
            body["choices"][0]["finish_reason"] = json!(reason);
            Reply::Json(200, body)
        };
        let mut refusal = answer("");
        refusal["choices"][0]["message"] = json!({"role": "assistant", "content": null, "refusal": "No."});
        let replies = [cut("length"), cut("content_filter"), Reply::Json(200, refusal), Reply::Json(200, answer("")), Reply::Json(200, answer("A loom."))];
        let upstream = Upstream::start(replies).await;
        add(&ctx, "acme", ProviderKind::OpenAiCompatible, &upstream, &["big"]).await;
        for _ in 0..5 {
            assert_eq!(did(&ask(&ctx, cold("x")).await), "miss");
        }
        assert_eq!(did(&ask(&ctx, cold("x")).await), "hit");
        assert_eq!(upstream.count(), 5);
    }

    async fn a_stream_that_breaks_off_and_one_that_is_left_are_not_kept(site: Site) {
        let ctx = somebody(&site).await;
        let replies = [Reply::Cut(first_chunks(&["A"])), Reply::Stall(first_chunks(&["B"])), Reply::Events(chunks(&["C"]))];
        let upstream = Upstream::start(replies).await;
        add(&ctx, "acme", ProviderKind::OpenAiCompatible, &upstream, &["big"]).await;
        let mut broken = live(&ctx, cold("x")).await;
        assert!(drain(&mut broken).await.1.is_some());
        drop(broken);
        let mut left = live(&ctx, cold("x")).await;
        left.next().await;
        drop(left);
        let mut whole = live(&ctx, cold("x")).await;
        assert_eq!(drain(&mut whole).await, ("C".to_owned(), None));
        assert_eq!(upstream.count(), 3);
    }

    async fn a_kept_answer_is_given_when_the_budget_is_used_up(site: Site) {
        let ctx = somebody(&site).await;
        let upstream = counting(&ctx, 1).await;
        let acme = gateway::list_providers(&ctx).await.unwrap()[0].id;
        gateway::put_price(&ctx, acme, price()).await.unwrap();
        ask(&ctx, cold("x")).await;
        gateway::settled(&ctx).await;
        let budget: BudgetDraft = serde_json::from_value(
            json!({"name": "Team", "scope": "workspace", "period": "day", "limit_micros": 1_000}),
        ).unwrap();
        gateway::create_budget(&ctx, budget).await.unwrap();
        assert!(is_hit(&ask(&ctx, cold("x")).await));
        assert!(gateway::call(&ctx, order(cold("y"), CacheWish::default())).await.is_err());
        assert_eq!(upstream.count(), 1);
        gateway::settled(&ctx).await;
        let spent = gateway::list_budgets(&ctx).await.unwrap()[0].spenders[0].spent_micros;
        assert_eq!(spent, 2_000, "hits cost nothing");
    }

    async fn tools_and_chance_are_kept_only_where_it_is_asked_for(site: Site) {
        let ctx = somebody(&site).await;
        counting(&ctx, 20).await;
        let warm = question("big");
        let mut tools = cold("x");
        tools.tools.push(Tool::Function {
            name: "look".into(), description: None, input_schema: json!({"type": "object"}), strict: None, cache: None,
            extra: Default::default(),
        });
        for request in [warm.clone(), tools.clone()] {
            for _ in 0..2 {
                assert_eq!(did(&ask(&ctx, request.clone()).await), "off");
            }
            let wish = |mode| CacheWish { mode, ..CacheWish::default() };
            assert_eq!(did(&ask_so(&ctx, request.clone(), wish(CacheMode::Always)).await), "miss");
            assert_eq!(did(&ask_so(&ctx, request.clone(), wish(CacheMode::Always)).await), "hit");
            assert_eq!(did(&ask(&ctx, request.clone()).await), "off");
        }
        assert_eq!(did(&ask_so(&ctx, cold("x"), CacheWish { mode: CacheMode::Never, ..CacheWish::default() }).await), "off");

        // By its route: every answer, or none.
        let acme = gateway::list_providers(&ctx).await.unwrap().remove(0);
        let smart = route(&ctx, "smart", &[(&acme, "small")]).await;
        let set = async |cache| {
            let draft = weft::model::gateway::RouteDraft {
                name: smart.name.clone(), description: String::new(), targets: smart.targets.clone(), policy: Default::default(), cache, context: None,
            };
            gateway::update_route(&ctx, smart.id, None::<i64>, draft).await.unwrap();
        };
        set(CacheMode::Always).await;
        let by_route = || Request { model: "smart".into(), ..question("smart") };
        assert_eq!(did(&ask(&ctx, by_route()).await), "miss");
        assert_eq!(did(&ask(&ctx, by_route()).await), "hit");
        let never = CacheWish { mode: CacheMode::Never, ..CacheWish::default() };
        assert_eq!(did(&ask_so(&ctx, by_route(), never).await), "off", "the call comes first");
        set(CacheMode::Never).await;
        assert_eq!(did(&ask(&ctx, Request { model: "smart".into(), ..cold("x") }).await), "off");
    }

    async fn a_call_may_ask_for_a_new_answer_or_a_young_one(site: Site) {
        let rt = process(&site, site.runtime.clock.clone());
        let ctx = crate::engine::ctx(&rt).await;
        let upstream = counting(&ctx, 4).await;
        let fresh = || CacheWish { refresh: true, ..CacheWish::default() };
        let young = |seconds: i64| CacheWish { max_age_ms: Some(seconds * 1000), ..CacheWish::default() };
        assert_eq!(ask(&ctx, cold("x")).await.response.text(), "Answer 1.");
        let renewed = ask_so(&ctx, cold("x"), fresh()).await;
        assert_eq!((did(&renewed), renewed.response.text().as_str()), ("miss", "Answer 2."));
        assert_eq!(ask(&ctx, cold("x")).await.response.text(), "Answer 2.", "the new one took the place of the old one");
        rt.clock.advance_ms(60_000);
        let old = ask_so(&ctx, cold("x"), young(60)).await;
        assert_eq!((did(&old), old.cache.unwrap().age_ms), ("hit", 60_000));
        assert_eq!(ask_so(&ctx, cold("x"), young(59)).await.response.text(), "Answer 3.");
        assert_eq!(upstream.count(), 3);
    }

    async fn a_step_asks_as_it_says_and_tells_what_was_kept(site: Site) {
        let ctx = somebody(&site).await;
        let upstream = Upstream::start([Reply::Events(chunks(&["Four."])), Reply::Events(chunks(&["Five."]))]).await;
        add(&ctx, "acme", ProviderKind::OpenAiCompatible, &upstream, &["big"]).await;
        let run = async |config: serde_json::Value| {
            let mut definition = crate::engine::chain(vec![json!({"id": "ask", "kind": "prompt", "config": config})]);
            definition.output = json!("{{ steps.ask.output }}");
            let run = crate::engine::start(&ctx, &definition, json!({})).await;
            let detail = serde_json::to_value(crate::engine::end(&ctx, run).await).unwrap();
            cache::settled(&ctx).await;
            detail["output"].clone()
        };
        let always = json!({"prompt": "How many?", "cache": "always"});
        let first = run(always.clone()).await;
        assert_eq!((&first["text"], &first["cached"], &first["calls"]), (&json!("Four."), &json!(0), &json!(1)));
        let again = run(always).await;
        assert_eq!((&again["text"], &again["cached"], &again["cost_usd"]), (&json!("Four."), &json!(1), &json!(0.0)));
        assert_eq!(again["usage"]["input"], json!(0));
        assert_eq!(run(json!({"prompt": "How many?"})).await["text"], json!("Five."), "above temperature 0 nothing is kept by itself");
        assert_eq!(upstream.count(), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_answer_that_does_not_fit_a_schema_is_asked_for_anew() {
    let site = Site::sqlite().await;
    let ctx = somebody(&site).await;
    let answers = ["no json", "{\"n\":1}", "still none", "{\"n\":2}"];
    let upstream = Upstream::start(answers.map(|text| Reply::Events(chunks(&[text])))).await;
    add(&ctx, "acme", ProviderKind::OpenAiCompatible, &upstream, &["big"]).await;
    let schema = json!({"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}});
    let config = json!({"prompt": "How many?", "temperature": 0, "schema": schema, "repairs": 1});
    let mut outputs = Vec::new();
    for _ in 0..2 {
        let mut definition = crate::engine::chain(vec![json!({"id": "ask", "kind": "prompt", "config": config})]);
        definition.output = json!("{{ steps.ask.output }}");
        let run = crate::engine::start(&ctx, &definition, json!({})).await;
        outputs.push(serde_json::to_value(crate::engine::end(&ctx, run).await).unwrap()["output"].clone());
        cache::settled(&ctx).await;
    }
    assert_eq!(outputs[0]["json"], json!({"n": 1}));
    assert_eq!((&outputs[1]["json"], &outputs[1]["cached"]), (&json!({"n": 2}), &json!(1)), "{outputs:?}");
    assert_eq!(upstream.count(), 4);
}
