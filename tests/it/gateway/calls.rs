//! Calls that go well: what is sent, what comes back, what is kept.

use serde_json::json;
use weft::gateway;
use weft::model::gateway::{
    CallOutcome, CallSource, Delta, PriceDraft, ProviderKind, StopReason, SumBy, Usage, UsageFilter,
};

use super::upstream::{Reply, Upstream};
use super::{add, answer, ask, calls, chunks, ctx, drain, order, process, question, route, somebody, stream};
use crate::support::Site;

fn price(model: &str, input: i64) -> PriceDraft {
    let cache_read = Some(input / 10);
    PriceDraft {
        model: model.into(),
        from: None,
        input,
        output: 10_000_000,
        cache_read,
        cache_write: None,
        cache_write_hour: None,
    }
}

on_both_engines! {
    async fn a_call_is_answered_and_kept_with_what_it_took_and_cost(site: Site) {
        let ctx = somebody(&site).await;
        let upstream = Upstream::start([Reply::Json(200, answer("A loom."))]).await;
        let acme = add(&ctx, "acme", ProviderKind::OpenAiCompatible, &upstream, &["big"]).await;
        gateway::put_price(&ctx, acme.id, price("big", 2_000_000)).await.unwrap();

        let answered = ask(&ctx, "big").await.unwrap();
        assert_eq!(answered.response.text(), "A loom.");
        assert_eq!(answered.response.stop, StopReason::EndTurn);
        assert_eq!(answered.choice.why(), "the providers that list big; acme/big answered");
        // 600 fresh and 400 cached tokens read, 100 written.
        let cost = 1_200 + 80 + 1_000;
        assert_eq!(answered.cost_micros, Some(cost));

        let seen = &upstream.seen()[0];
        assert_eq!(seen.path, "/v1/chat/completions");
        assert_eq!(seen.header("authorization"), "Bearer sk-secret-of-acme");
        assert_eq!(seen.body, json!({"model": "big", "messages": [{"role": "user", "content": "What is this?"}]}));

        let log = calls(&ctx).await;
        let usage = Usage { input: 600, cache_read: 400, output: 100, ..Usage::default() };
        assert_eq!(log.len(), 1);
        assert_eq!((log[0].outcome, log[0].usage, log[0].cost_micros), (CallOutcome::Complete, usage, Some(cost)));
        assert_eq!((log[0].provider_id, log[0].model.as_str()), (Some(acme.id), "big"));
        assert_eq!((log[0].source, log[0].estimated), (CallSource::Proxy, false));
    }

    async fn a_stream_is_handed_on_and_kept_once(site: Site) {
        let ctx = somebody(&site).await;
        let upstream = Upstream::start([Reply::Events(chunks(&["A ", "loom."]))]).await;
        add(&ctx, "acme", ProviderKind::OpenAiCompatible, &upstream, &["big"]).await;
        let mut live = stream(&ctx, "big").await.unwrap();
        assert!(matches!(live.next().await, Some(Ok(Delta::Start { .. }))));
        assert_eq!(drain(&mut live).await, ("A loom.".to_owned(), None));
        drop(live);
        assert_eq!(upstream.seen()[0].body["stream_options"], json!({"include_usage": true}));
        let log = calls(&ctx).await;
        assert_eq!(log.len(), 1);
        assert_eq!((log[0].outcome, log[0].usage.output, log[0].estimated), (CallOutcome::Complete, 100, false));
        assert!(log[0].first_token_ms.is_some());
        // No price is known: no cost is made up.
        assert_eq!(log[0].cost_micros, None);
    }

    async fn an_answer_without_usage_is_estimated_and_says_so(site: Site) {
        let ctx = somebody(&site).await;
        let mut body = answer("A loom, I think.");
        body.as_object_mut().unwrap().remove("usage");
        let upstream = Upstream::start([Reply::Json(200, body)]).await;
        add(&ctx, "acme", ProviderKind::OpenAiCompatible, &upstream, &["big"]).await;
        ask(&ctx, "big").await.unwrap();
        let log = calls(&ctx).await;
        assert_eq!((log[0].estimated, log[0].usage.input, log[0].usage.output), (true, 8, 4));
    }

    async fn prices_hold_from_their_date_and_calls_keep_theirs(site: Site) {
        let ctx = somebody(&site).await;
        let upstream = Upstream::start([]).await;
        let acme = add(&ctx, "acme", ProviderKind::OpenAiCompatible, &upstream, &["big"]).await;
        let now = ctx.clock.now();
        let dated = |ms, input| PriceDraft { from: Some(now.plus_ms(ms)), ..price("big", input) };
        for line in [dated(-1000, 1_000_000), dated(-2000, 9_000_000), dated(3_600_000, 5_000_000)] {
            gateway::put_price(&ctx, acme.id, line).await.unwrap();
        }
        let usage = Usage { input: 1_000_000, ..Usage::default() };
        assert_eq!(gateway::cost_micros(&ctx, acme.id, "big", usage).await.unwrap(), Some(1_000_000));
        assert_eq!(gateway::cost_micros(&ctx, acme.id, "other", usage).await.unwrap(), None);
        upstream.then(Reply::Json(200, answer("x")));
        ask(&ctx, "big").await.unwrap();
        let before = calls(&ctx).await[0].cost_micros;
        gateway::put_price(&ctx, acme.id, dated(-1000, 7_000_000)).await.unwrap();
        assert_eq!(gateway::cost_micros(&ctx, acme.id, "big", usage).await.unwrap(), Some(7_000_000));
        assert_eq!(calls(&ctx).await[0].cost_micros, before);
        assert_eq!(gateway::list_prices(&ctx, acme.id).await.unwrap().len(), 3);
    }

    async fn sums_are_over_what_was_asked_for(site: Site) {
        let ctx = somebody(&site).await;
        let upstream = Upstream::start([]).await;
        let acme = add(&ctx, "acme", ProviderKind::OpenAiCompatible, &upstream, &["big", "small"]).await;
        gateway::put_price(&ctx, acme.id, price("big", 2_000_000)).await.unwrap();
        for model in ["big", "small", "big"] {
            upstream.then(Reply::Json(200, answer("x")));
            ask(&ctx, model).await.unwrap();
        }
        upstream.then(Reply::Json(400, json!({"error": {"message": "no"}})));
        ask(&ctx, "small").await.unwrap_err();
        gateway::settled(&ctx).await;
        let filter = UsageFilter::default();
        let sums = gateway::sum_usage(&ctx, &filter).await.unwrap();
        assert_eq!((sums[0].of.as_str(), sums[0].calls, sums[0].cost_micros, sums[0].unpriced), ("acme/big", 2, 4_560, 0));
        assert_eq!((sums[1].of.as_str(), sums[1].calls, sums[1].failed, sums[1].unpriced), ("acme/small", 2, 1, 1));
        assert_eq!(sums[0].usage.cache_read, 800);
        for by in
            [SumBy::Provider, SumBy::User, SumBy::Key, SumBy::Agent, SumBy::Session, SumBy::Run, SumBy::Step]
        {
            let sums = gateway::sum_usage(&ctx, &UsageFilter { by, ..filter.clone() }).await.unwrap();
            assert_eq!((sums.len(), sums[0].calls), (1, 4), "{by:?}");
        }
        let later = UsageFilter { since: Some(ctx.clock.now().plus_ms(60_000)), ..filter };
        assert!(gateway::sum_usage(&ctx, &later).await.unwrap().is_empty());
    }

    async fn a_route_asks_its_models_in_order_and_says_why(site: Site) {
        let ctx = somebody(&site).await;
        let (first, second) = (Upstream::start([]).await, Upstream::start([]).await);
        let acme = add(&ctx, "acme", ProviderKind::OpenAiCompatible, &first, &["big"]).await;
        let claude = add(&ctx, "claude", ProviderKind::Anthropic, &second, &["clever"]).await;
        route(&ctx, "default", &[(&acme, "big"), (&claude, "clever")]).await;
        first.then(Reply::Json(401, json!({"error": {"message": "Incorrect API key provided: sk-secret-of-acme"}})));
        second.then(Reply::Json(200, json!({
            "id": "msg_1", "type": "message", "role": "assistant", "model": "clever", "stop_reason": "end_turn",
            "content": [{"type": "text", "text": "A loom."}], "usage": {"input_tokens": 3, "output_tokens": 2},
        })));
        let answered = ask(&ctx, "").await.unwrap();
        assert_eq!(answered.response.text(), "A loom.");
        assert_eq!(answered.choice.why(), "the route default; acme/big failed (credential); claude/clever answered");
        let seen = &second.seen()[0];
        assert_eq!((seen.path.as_str(), seen.header("x-api-key")), ("/v1/messages", "sk-secret-of-claude"));
        assert_eq!(seen.header("anthropic-version"), "2023-06-01");
        let choice = serde_json::to_string(&calls(&ctx).await[0].choice).unwrap();
        assert!(choice.contains("Incorrect API key") && !choice.contains("sk-secret"), "{choice}");
    }

    async fn what_belongs_to_another_workspace_is_not_there(site: Site) {
        let ours = somebody(&site).await;
        let theirs = ctx(ours.runtime()).await;
        let upstream = Upstream::start([Reply::Json(200, answer("x"))]).await;
        let acme = add(&theirs, "acme", ProviderKind::OpenAiCompatible, &upstream, &["big"]).await;
        route(&theirs, "smart", &[(&acme, "big")]).await;
        ask(&theirs, "smart").await.unwrap();
        assert!(ask(&ours, "smart").await.unwrap_err().message.contains("no provider is set up"));
        assert!(gateway::list_models(&ours).await.unwrap().is_empty());
        assert_eq!(gateway::list_models(&theirs).await.unwrap(), ["smart", "big"]);
        gateway::settled(&ours).await;
        let failed = calls(&ours).await;
        assert_eq!((failed.len(), failed[0].outcome), (1, CallOutcome::Failed));
        assert_eq!(gateway::sum_usage(&ours, &UsageFilter::default()).await.unwrap().len(), 1);
        assert_eq!(upstream.count(), 1);
    }

    async fn old_calls_are_forgotten(site: Site) {
        let rt = process(&site, site.runtime.clock.clone());
        let ctx = ctx(&rt).await;
        let upstream = Upstream::start([Reply::Json(200, answer("x"))]).await;
        add(&ctx, "acme", ProviderKind::OpenAiCompatible, &upstream, &["big"]).await;
        ask(&ctx, "big").await.unwrap();
        gateway::settled(&rt).await;
        assert_eq!(gateway::forget(&rt).await.unwrap(), 0);
        rt.clock.advance_ms(91 * 24 * 60 * 60 * 1000);
        assert_eq!(gateway::forget(&rt).await.unwrap(), 1);
    }
}

#[tokio::test]
async fn a_private_address_is_asked_only_where_it_is_allowed() {
    let site = Site::sqlite().await;
    let ctx = ctx(&site.runtime).await;
    let upstream = Upstream::start([Reply::Json(200, answer("x"))]).await;
    add(&ctx, "acme", ProviderKind::OpenAiCompatible, &upstream, &["big"]).await;
    let fault = ask(&ctx, "big").await.unwrap_err();
    assert_eq!(fault.class, weft::model::gateway::FaultClass::Refused);
    assert!(fault.message.contains("allow_private"), "{fault}");
    assert_eq!(upstream.count(), 0);
}

#[tokio::test]
async fn a_provider_that_lists_nothing_takes_any_name() {
    let site = Site::sqlite().await;
    let ctx = somebody(&site).await;
    let upstream = Upstream::start([Reply::Json(200, answer("x")), Reply::Json(200, answer("y"))]).await;
    add(&ctx, "acme", ProviderKind::OpenAi, &upstream, &[]).await;
    ask(&ctx, "gpt-next").await.unwrap();
    let mut request = question("acme/gpt-other");
    request.max_tokens = Some(7);
    order(&ctx, request).await.unwrap();
    let bodies: Vec<_> = upstream.seen().into_iter().map(|seen| seen.body).collect();
    assert_eq!(bodies[0]["model"], "gpt-next");
    assert_eq!((&bodies[1]["model"], &bodies[1]["max_completion_tokens"]), (&json!("gpt-other"), &json!(7)));
}
