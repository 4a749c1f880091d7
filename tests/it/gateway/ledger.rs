//! The log of calls: what is picked from it, what it adds up to, and what keys were used for.

use axum::http::{Method, StatusCode};
use weft::gateway;
use weft::model::PageRequest;
use weft::model::gateway::{
    CallFilter, CallOutcome, CallSource, KeyDraft, PriceDraft, ProviderKind, SumBy, UsageFilter,
};
use weft::runtime::{Actor, Ctx, Principal};

use super::proxy::{CHAT, chat, pointed};
use super::upstream::{Reply, Upstream};
use super::{add, answer, ask, ctx as other, somebody};
use crate::auth::call;
use crate::support::Site;

async fn count(ctx: &Ctx, filter: CallFilter) -> usize {
    gateway::settled(ctx).await;
    gateway::list_calls(ctx, &filter, &PageRequest::default()).await.unwrap().items.len()
}

/// Somebody whose program has asked acme for `big` once, and who has asked for `small` and for what is nowhere.
async fn furnished(site: &Site) -> (Ctx, weft::model::ApiKeyId) {
    let ctx = somebody(site).await;
    let upstream = Upstream::start([Reply::Json(200, answer("x")), Reply::Json(200, answer("y"))]).await;
    let acme = add(&ctx, "acme", ProviderKind::OpenAi, &upstream, &["big", "small"]).await;
    let draft = PriceDraft {
        model: "big".into(),
        from: None,
        input: 1_000_000,
        output: 1_000_000,
        cache_read: None,
        cache_write: None,
        cache_write_hour: None,
    };
    gateway::put_price(&ctx, acme.id, draft).await.unwrap();
    let draft = KeyDraft {
        name: "a program".into(),
        models: vec![],
        expires_at: None,
        cache: weft::model::cache::CacheMode::Auto,
        limits: Default::default(),
    };
    let key = gateway::create_key(&ctx, draft).await.unwrap().key;
    let principal = Principal::Key { id: key.id, name: key.name };
    let program = ctx.runtime().as_actor(Actor { principal, ..ctx.actor.clone() }, String::new());
    ask(&program, "big").await.unwrap();
    ask(&ctx, "small").await.unwrap();
    ask(&ctx, "nowhere").await.unwrap_err();
    gateway::settled(&ctx).await;
    (ctx, key.id)
}

on_both_engines! {
    async fn calls_are_picked_by_each_filter(site: Site) {
        let (ctx, key) = furnished(&site).await;
        let all = CallFilter::default;
        assert_eq!(count(&ctx, all()).await, 3);
        assert_eq!(count(&ctx, CallFilter { model: Some("acme/big".into()), ..all() }).await, 1);
        assert_eq!(count(&ctx, CallFilter { model: Some("nowhere".into()), ..all() }).await, 1);
        assert_eq!(count(&ctx, CallFilter { provider: Some("acme".into()), ..all() }).await, 2);
        assert_eq!(count(&ctx, CallFilter { outcome: Some(CallOutcome::Failed), ..all() }).await, 1);
        assert_eq!(count(&ctx, CallFilter { key_id: Some(key), ..all() }).await, 1);
        let now = ctx.clock.now();
        assert_eq!(count(&ctx, CallFilter { since: Some(now.plus_ms(60_000)), ..all() }).await, 0);
        assert_eq!(count(&ctx, CallFilter { until: Some(now.plus_ms(-60_000)), ..all() }).await, 0);
        assert_eq!(count(&other(ctx.runtime()).await, all()).await, 0);
        let (model, provider) = (Some("acme/big".into()), Some("acme".into()));
        let found = gateway::list_calls(&ctx, &CallFilter { model, provider, ..all() }, &PageRequest::default()).await.unwrap();
        assert_eq!((found.items[0].key.as_deref(), found.items[0].user.as_deref()), (Some("a program"), None));
        assert_eq!(found.items[0].call.source, CallSource::Proxy);
        let odd = CallFilter { session: Some("a\0b".into()), ..all() };
        let refused = gateway::list_calls(&ctx, &odd, &PageRequest::default()).await;
        assert!(matches!(refused, Err(gateway::Error::Invalid(_))), "Postgres has no such text");
    }

    async fn pages_of_calls_follow_each_other(site: Site) {
        let (ctx, _) = furnished(&site).await;
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let page = gateway::list_calls(&ctx, &CallFilter::default(), &PageRequest { limit: 2, cursor }).await.unwrap();
            seen.extend(page.items.iter().map(|line| line.call.model.clone()));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, ["nowhere", "small", "big"]);
    }

    async fn the_whole_is_the_same_whatever_it_is_summed_by(site: Site) {
        let (ctx, _) = furnished(&site).await;
        for (by, parts) in [(SumBy::Model, 3), (SumBy::Provider, 2), (SumBy::User, 1), (SumBy::Key, 2), (SumBy::Run, 1)] {
            let spent = gateway::get_spending(&ctx, &UsageFilter { by, ..UsageFilter::default() }).await.unwrap();
            assert_eq!(spent.sums.len(), parts, "{by:?}");
            assert_eq!((spent.total.calls, spent.total.failed, spent.total.unpriced), (3, 1, 1));
            // 1000 read and 100 written, at a dollar for a million.
            assert_eq!(spent.total.cost_micros, 1100);
            assert_eq!(spent.providers, ["acme"]);
            assert_eq!(spent.models.len(), 3);
        }
    }

    async fn a_key_tells_who_made_it_and_what_it_was_used_for(site: Site) {
        let (ctx, key) = furnished(&site).await;
        let unused = KeyDraft { name: "unused".into(), models: vec!["big".into()], expires_at: None, cache: weft::model::cache::CacheMode::Auto, limits: Default::default() };
        gateway::create_key(&ctx, unused).await.unwrap();
        let keys = gateway::list_keys_in_use(&ctx, &PageRequest::default()).await.unwrap().items;
        let told: Vec<_> = keys.iter().map(|one| (one.key.name.as_str(), one.calls, one.cost_micros)).collect();
        assert_eq!(told, [("unused", 0, 0), ("a program", 1, 1100)]);
        assert_eq!(keys[1].key.id, key);
        assert!(gateway::list_keys_in_use(&other(ctx.runtime()).await, &PageRequest::default()).await.unwrap().items.is_empty());
    }
}

#[tokio::test]
async fn programs_are_pointed_to_the_address_of_the_server() {
    let site = Site::sqlite().await;
    let ctx = somebody(&site).await;
    let base = ctx.config.public_url.trim_end_matches('/').to_owned();
    let endpoints = gateway::get_endpoints(&ctx).unwrap();
    assert_eq!(endpoints.anthropic, format!("{base}/api/v1/gateway/anthropic"));
    assert_eq!(endpoints.openai, format!("{base}/api/v1/gateway/openai/v1"));
}

#[tokio::test]
async fn what_a_conversation_of_a_program_cost_is_summed_up_and_listed() {
    let site = Site::sqlite().await;
    let (rt, ctx, key) = pointed(&site).await;
    let upstream = Upstream::start((0..4).map(|_| Reply::Json(200, answer("x")))).await;
    add(&ctx, "acme", ProviderKind::OpenAi, &upstream, &["big"]).await;
    let long = "x".repeat(300);
    for session in [Some("tale-1"), Some("tale-1"), Some(long.as_str()), None] {
        let mut request = call(Method::POST, CHAT).with("x-api-key", &key);
        if let Some(session) = session {
            request = request.with("x-weft-session", session);
        }
        assert_eq!(request.json(&chat("big")).send(&rt).await.status(), StatusCode::OK);
    }
    gateway::settled(&ctx).await;
    let filter = UsageFilter { by: SumBy::Session, ..UsageFilter::default() };
    let mut sums: Vec<(String, i64)> =
        gateway::sum_usage(&ctx, &filter).await.unwrap().into_iter().map(|sum| (sum.of, sum.calls)).collect();
    sums.sort();
    assert_eq!(sums, [(String::new(), 1), ("tale-1".to_owned(), 2), ("x".repeat(200), 1)]);
    assert_eq!(count(&ctx, CallFilter { session: Some("tale-1".into()), ..CallFilter::default() }).await, 2);
    assert_eq!(count(&ctx, CallFilter { session: Some("tale-2".into()), ..CallFilter::default() }).await, 0);
}
