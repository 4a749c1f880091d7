//! Wrong answers, throwing away, searching.

use weft::cache;
use weft::model::PageRequest;
use weft::model::cache::{Invalidation, KeptFilter};

use super::super::route;
use super::*;

async fn ids(ctx: &Ctx, filter: KeptFilter) -> Vec<weft::model::CacheEntryId> {
    let page = cache::list(ctx, &filter, &PageRequest::default()).await.unwrap();
    page.items.into_iter().map(|one| one.id).collect()
}

on_both_engines! {
    async fn a_wrong_answer_is_neither_given_nor_replaced_until_that_is_taken_back(site: Site) {
        let ctx = somebody(&site).await;
        let upstream = counting(&ctx, 9).await;
        ask(&ctx, cold("x")).await;
        let id = ids(&ctx, KeptFilter::default()).await[0];
        let wrong = cache::mark_wrong(&ctx, id).await.unwrap();
        assert!(wrong.wrong_at.is_some());
        for n in 2..4 {
            let answered = ask(&ctx, cold("x")).await;
            assert_eq!((did(&answered), answered.response.text()), ("miss", format!("Answer {n}.")));
        }
        let fresh = CacheWish { refresh: true, ..CacheWish::default() };
        ask_so(&ctx, cold("x"), fresh).await;
        assert_eq!(did(&ask(&ctx, cold("x")).await), "miss");
        assert_eq!(ids(&ctx, KeptFilter { wrong: Some(true), ..KeptFilter::default() }).await, [id]);
        assert!(ids(&ctx, KeptFilter { wrong: Some(false), ..KeptFilter::default() }).await.is_empty());
        // It outlives its time, being thrown away with others, and can still be looked at.
        let gone = cache::invalidate(&ctx, Invalidation { all: true, ..Invalidation::default() }).await.unwrap();
        assert_eq!(gone.invalidated, 0);
        assert_eq!(cache::get(&ctx, id).await.unwrap().text.as_deref(), Some("Answer 1."));
        assert_eq!(cache::clear_wrong(&ctx, id).await.unwrap().wrong_at, None);
        let again = ask(&ctx, cold("x")).await;
        assert_eq!((did(&again), again.response.text().as_str()), ("hit", "Answer 1."));
        assert_eq!(upstream.count(), 5);
        cache::mark_wrong(&ctx, id).await.unwrap();
        cache::delete(&ctx, id).await.unwrap();
        assert_eq!(did(&ask(&ctx, cold("x")).await), "miss");
        assert_eq!(did(&ask(&ctx, cold("x")).await), "hit");
        assert!(matches!(cache::mark_wrong(&ctx, id).await, Err(cache::Error::NotFound(_))));
    }

    async fn answers_are_thrown_away_one_by_one_by_model_by_route_and_all(site: Site) {
        let ctx = somebody(&site).await;
        counting(&ctx, 40).await;
        let acme = gateway::list_providers(&ctx).await.unwrap().remove(0);
        route(&ctx, "smart", &[(&acme, "small")]).await;
        let small = || Request { model: "small".into(), ..cold("x") };
        let smart = || Request { model: "smart".into(), ..cold("y") };
        let all = async || {
            let mut found = Vec::new();
            for request in [cold("x"), small(), smart()] {
                found.push(did(&ask(&ctx, request).await));
            }
            found
        };
        let throw = async |which| cache::invalidate(&ctx, which).await.unwrap().invalidated;
        assert_eq!(all().await, ["miss"; 3]);
        assert_eq!(all().await, ["hit"; 3]);
        assert_eq!(throw(Invalidation { model: Some("acme/big".into()), ..Default::default() }).await, 1);
        assert_eq!(all().await, ["miss", "hit", "hit"]);
        assert_eq!(throw(Invalidation { route: Some("smart".into()), ..Default::default() }).await, 1);
        assert_eq!(all().await, ["hit", "hit", "miss"]);
        assert_eq!(throw(Invalidation { model: Some("acme/small".into()), route: Some("smart".into()), all: false }).await, 1);
        assert_eq!(all().await, ["hit", "hit", "miss"]);
        assert_eq!(throw(Invalidation { all: true, ..Default::default() }).await, 3);
        assert_eq!(all().await, ["miss"; 3]);
        let newest = ids(&ctx, KeptFilter::default()).await[0];
        cache::delete(&ctx, newest).await.unwrap();
        assert_eq!(all().await, ["hit", "hit", "miss"]);
        for which in [Invalidation::default(), Invalidation { all: true, model: Some("acme/big".into()), route: None }] {
            let Err(cache::Error::Invalid(faults)) = cache::invalidate(&ctx, which).await else { panic!("taken") };
            assert_eq!(faults[0].pointer, "/all");
        }
        let operator = person(&ctx, Rights::Operator);
        let denied = cache::invalidate(&operator, Invalidation { all: true, ..Default::default() }).await;
        assert!(matches!(denied, Err(cache::Error::Denied(_))));
    }

    async fn kept_answers_are_searched_by_model_route_and_time(site: Site) {
        let rt = crate::gateway::process(&site, site.runtime.clock.clone());
        let ctx = crate::engine::ctx(&rt).await;
        counting(&ctx, 9).await;
        let acme = gateway::list_providers(&ctx).await.unwrap().remove(0);
        route(&ctx, "smart", &[(&acme, "big")]).await;
        let begun = rt.clock.now();
        ask(&ctx, cold("x")).await;
        rt.clock.advance_ms(60_000);
        ask(&ctx, Request { model: "small".into(), ..cold("x") }).await;
        ask(&ctx, Request { model: "smart".into(), ..cold("y") }).await;
        let count = async |filter| ids(&ctx, filter).await.len();
        let model = |text: &str| KeptFilter { model: Some(text.into()), ..KeptFilter::default() };
        assert_eq!(count(KeptFilter::default()).await, 3);
        assert_eq!((count(model("BIG")).await, count(model("acme/")).await, count(model("a_me")).await, count(model("%")).await), (2, 3, 0, 0));
        assert_eq!(count(KeptFilter { route: Some("smart".into()), ..Default::default() }).await, 1);
        assert_eq!(count(KeptFilter { since: Some(begun.plus_ms(1)), ..Default::default() }).await, 2);
        assert_eq!(count(KeptFilter { until: Some(begun.plus_ms(1)), ..Default::default() }).await, 1);
        let first = cache::list(&ctx, &KeptFilter::default(), &PageRequest { limit: 2, cursor: None }).await.unwrap();
        assert_eq!(first.items.len(), 2);
        let rest = cache::list(&ctx, &KeptFilter::default(), &PageRequest { limit: 2, cursor: first.next }).await.unwrap();
        assert_eq!((rest.items.len(), rest.next), (1, None));
        let bad = cache::list(&ctx, &KeptFilter::default(), &PageRequest { limit: 2, cursor: Some("x".into()) }).await;
        assert!(matches!(bad, Err(cache::Error::Invalid(_))));
    }
}
