//! Calls that go badly: what is tried again, where else, and what is never.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::sync::Notify;
use weft::gateway::{self, Answered};
use weft::model::gateway::{BreakerState, CallOutcome, FaultClass, ProviderKind, Request};
use weft::runtime::Ctx;

use super::upstream::{Gate, Reply, Upstream};
use super::{
    add, add_hasty, answer, ask, calls, chunks, ctx, drain, first_chunks, order, process, question, route, somebody,
    stream,
};
use crate::support::Site;

fn error(status: u16, message: &str) -> Reply {
    Reply::Json(status, json!({"error": {"message": message, "type": "x"}}))
}

on_both_engines! {
    async fn a_provider_that_repeats_its_key_in_the_middle_of_an_answer_does_not_show_it(site: Site) {
        let ctx = somebody(&site).await;
        let error = r#"data: {"error": {"message": "no more for sk-secret-of-acme", "type": "server_error"}}"#;
        let go_on = Arc::new(Notify::new());
        let halves = Reply::Halves(first_chunks(&["A"]), Arc::clone(&go_on), format!("{error}\n\n"));
        let upstream = Upstream::start([halves]).await;
        add(&ctx, "acme", ProviderKind::OpenAiCompatible, &upstream, &["big"]).await;
        let mut live = stream(&ctx, "big").await.unwrap();
        go_on.notify_one();
        let (text, fault) = drain(&mut live).await;
        drop(live);
        assert_eq!((text.as_str(), fault.unwrap().message.as_str()), ("A", "acme: no more for …"));
        assert_eq!(calls(&ctx).await[0].error.as_deref(), Some("acme: no more for …"));
    }

    async fn what_may_pass_is_tried_again_and_kept_once(site: Site) {
        let ctx = somebody(&site).await;
        let upstream = Upstream::start([error(500, "oops"), Reply::Json(200, answer("A loom."))]).await;
        add(&ctx, "acme", ProviderKind::OpenAiCompatible, &upstream, &["big"]).await;
        let answered = ask(&ctx, "big").await.unwrap();
        assert_eq!(answered.choice.why(), "the providers that list big; acme/big answered at attempt 2");
        let log = calls(&ctx).await;
        assert_eq!((log.len(), log[0].outcome), (1, CallOutcome::Complete));
    }

    async fn a_stream_that_breaks_is_partial_kept_once_and_never_asked_again(site: Site) {
        let ctx = somebody(&site).await;
        let upstream = Upstream::start([Reply::Cut(first_chunks(&["A loom ", "with"])), Reply::Events(chunks(&["x"]))]).await;
        let other = Upstream::start([]).await;
        let acme = add(&ctx, "acme", ProviderKind::OpenAiCompatible, &upstream, &["big"]).await;
        let second = add(&ctx, "second", ProviderKind::OpenAiCompatible, &other, &["big"]).await;
        route(&ctx, "smart", &[(&acme, "big"), (&second, "big")]).await;
        let mut live = stream(&ctx, "smart").await.unwrap();
        let (text, fault) = drain(&mut live).await;
        assert_eq!(text, "A loom with");
        assert_eq!(fault.unwrap().class, FaultClass::Interrupted);
        assert!(live.next().await.is_none());
        drop(live);
        assert_eq!((upstream.count(), other.count()), (1, 0));
        let log = calls(&ctx).await;
        assert_eq!((log.len(), log[0].outcome, log[0].estimated), (1, CallOutcome::Partial, true));
        assert_eq!(log[0].usage.output, 3);
        assert!(log[0].error.as_ref().unwrap().starts_with("acme: "));
    }

    async fn a_stream_that_is_held_back_is_asked_again_where_it_breaks_off(site: Site) {
        let ctx = somebody(&site).await;
        let upstream = Upstream::start([Reply::Cut(first_chunks(&["A loom ", "with"])), Reply::Events(chunks(&["A ", "loom."]))]).await;
        add(&ctx, "acme", ProviderKind::OpenAiCompatible, &upstream, &["big"]).await;
        let request = Request { stream: true, held: true, ..question("big") };
        let Answered::Live(mut live) = order(&ctx, request).await.unwrap() else { panic!("a stream was asked for") };
        assert_eq!(drain(&mut live).await, ("A loom.".to_owned(), None), "nothing of the first is in it");
        assert_eq!(live.choice().why(), "the providers that list big; acme/big answered at attempt 2");
        drop(live);
        let log = calls(&ctx).await;
        let told = |outcome| log.iter().find(|call| call.outcome == outcome).map(|call| (call.usage.output, call.estimated));
        assert_eq!(log.len(), 2, "what the first wrote is billed, too: {log:?}");
        assert_eq!(told(CallOutcome::Partial), Some((3, true)));
        assert_eq!(told(CallOutcome::Complete), Some((100, false)));
    }

    async fn a_stream_that_is_held_back_comes_from_somebody_else_where_the_first_breaks_off(site: Site) {
        let ctx = somebody(&site).await;
        let upstream = Upstream::start([Reply::Cut(first_chunks(&["A loom ", "with"]))]).await;
        let other = Upstream::start([Reply::Events(chunks(&["A ", "shuttle."]))]).await;
        let acme = add_hasty(&ctx, "acme", &upstream, &["big"]).await;
        let second = add_hasty(&ctx, "second", &other, &["big"]).await;
        route(&ctx, "smart", &[(&acme, "big"), (&second, "big")]).await;
        let request = Request { stream: true, held: true, ..question("smart") };
        let Answered::Live(mut live) = order(&ctx, request).await.unwrap() else { panic!("a stream was asked for") };
        assert_eq!(drain(&mut live).await, ("A shuttle.".to_owned(), None));
    }

    async fn a_stream_that_is_left_is_partial(site: Site) {
        let ctx = somebody(&site).await;
        let upstream = Upstream::start([Reply::Stall(first_chunks(&["A loom"]))]).await;
        add(&ctx, "acme", ProviderKind::OpenAiCompatible, &upstream, &["big"]).await;
        let mut live = stream(&ctx, "big").await.unwrap();
        assert!(live.next().await.unwrap().is_ok());
        drop(live);
        let log = calls(&ctx).await;
        assert_eq!((log.len(), log[0].outcome), (1, CallOutcome::Partial));
        assert!(log[0].error.as_ref().unwrap().contains("went away"));
        // That says nothing about the provider.
        assert_eq!(gateway::list_providers(&ctx).await.unwrap()[0].health, []);
    }

    async fn a_call_that_is_left_before_its_answer_costs_what_it_was_sent_to_read(site: Site) {
        let ctx = somebody(&site).await;
        let gate = Gate::default();
        let upstream = Upstream::start([gate.hold(Reply::Json(200, answer("A loom.")))]).await;
        let acme = add(&ctx, "acme", ProviderKind::OpenAiCompatible, &upstream, &["big"]).await;
        let price = json!({"model": "big", "input": 1_000_000, "output": 1_000_000});
        gateway::put_price(&ctx, acme.id, serde_json::from_value(price).unwrap()).await.unwrap();
        {
            let mut asking = std::pin::pin!(ask(&ctx, "big"));
            tokio::select! {
                biased;
                answered = &mut asking => panic!("nobody has answered: {answered:?}"),
                () = gate.seen() => {}
            }
        }
        gate.gone().await;
        let log = calls(&ctx).await;
        let call = &log[0];
        assert_eq!((log.len(), call.outcome, call.estimated), (1, CallOutcome::Cancelled, true), "{call:?}");
        assert!(call.usage.input > 0 && call.usage.output == 0, "{call:?}");
        assert_eq!(call.cost_micros, Some(call.usage.input), "a dollar a million");
        assert_eq!(call.choice.rule, "the providers that list big");
        // That says nothing about the provider.
        assert_eq!(gateway::list_providers(&ctx).await.unwrap()[0].health, []);
    }

    async fn a_failed_call_is_kept_with_its_reason(site: Site) {
        let ctx = somebody(&site).await;
        let upstream = Upstream::start([error(400, "too odd")]).await;
        add(&ctx, "acme", ProviderKind::OpenAiCompatible, &upstream, &["big"]).await;
        let fault = ask(&ctx, "big").await.unwrap_err();
        assert_eq!((fault.class, fault.message.as_str()), (FaultClass::Invalid, "acme: it answered 400: too odd"));
        assert_eq!(upstream.count(), 1);
        let log = calls(&ctx).await;
        assert_eq!((log[0].outcome, log[0].usage.prompt()), (CallOutcome::Failed, 0));
        assert_eq!(log[0].error.as_deref(), Some("acme: it answered 400: too odd"));
    }
}

async fn two(site: &Site, first: Vec<Reply>, second: Vec<Reply>) -> (Ctx, Upstream, Upstream) {
    let ctx = somebody(site).await;
    let (first, second) = (Upstream::start(first).await, Upstream::start(second).await);
    let one = add_hasty(&ctx, "one", &first, &["big"]).await;
    let two = add_hasty(&ctx, "two", &second, &["big"]).await;
    route(&ctx, "smart", &[(&one, "big"), (&two, "big")]).await;
    (ctx, first, second)
}

#[tokio::test]
async fn the_next_of_a_route_is_asked_where_the_first_did_not_answer() {
    let page = Reply::Text(200, "<html>not a model</html>");
    let in_stream = Reply::Events("data: {\"error\":{\"message\":\"busy\",\"type\":\"overloaded_error\"}}\n\n".into());
    for (reply, class) in [
        (error(500, "x"), "upstream"),
        (error(404, "no such model"), "no_model"),
        (error(429, "slow down"), "rate_limited"),
        (error(503, "x"), "overloaded"),
        (page, "malformed"),
    ] {
        let site = Site::sqlite().await;
        let (ctx, first, second) = two(&site, vec![reply], vec![Reply::Json(200, answer("y"))]).await;
        let answered = ask(&ctx, "smart").await.unwrap();
        assert_eq!(answered.choice.why(), format!("the route smart; one/big failed ({class}); two/big answered"));
        assert_eq!((first.count(), second.count()), (1, 1));
    }
    for (reply, class) in
        [(in_stream, "overloaded"), (Reply::Cut(String::new()), "connect"), (Reply::Events(String::new()), "connect")]
    {
        let site = Site::sqlite().await;
        let (ctx, _, _) = two(&site, vec![reply], vec![Reply::Events(chunks(&["y"]))]).await;
        let mut live = stream(&ctx, "smart").await.unwrap();
        assert_eq!(live.choice().why(), format!("the route smart; one/big failed ({class}); two/big answered"));
        assert_eq!(drain(&mut live).await.0, "y");
    }
}

#[tokio::test]
async fn what_does_not_fit_is_asked_nowhere_else() {
    let site = Site::sqlite().await;
    let (ctx, first, second) = two(&site, vec![error(400, "bad")], vec![]).await;
    assert_eq!(ask(&ctx, "smart").await.unwrap_err().class, FaultClass::Invalid);
    assert_eq!((first.count(), second.count()), (1, 0));
}

#[tokio::test]
async fn a_provider_that_says_when_is_asked_then() {
    let site = Site::sqlite().await;
    let ctx = somebody(&site).await;
    let busy = Reply::With(429, "retry-after-ms", "300", json!({"error": {"message": "slow down"}}));
    let upstream = Upstream::start([busy, Reply::Json(200, answer("x"))]).await;
    add(&ctx, "acme", ProviderKind::OpenAiCompatible, &upstream, &["big"]).await;
    let begun = Instant::now();
    ask(&ctx, "big").await.unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(300));
    assert_eq!(upstream.count(), 2);

    let long = Reply::With(429, "retry-after", "60", json!({"error": {"message": "slow down"}}));
    upstream.then(long);
    let fault = ask(&ctx, "big").await.unwrap_err();
    assert_eq!((fault.class, fault.retry_after_ms), (FaultClass::RateLimited, Some(60_000)));
    // Until then nobody asks it.
    let fault = ask(&ctx, "big").await.unwrap_err();
    assert_eq!(fault.class, FaultClass::RateLimited);
    assert!(fault.retry_after_ms.unwrap() > 50_000, "{fault:?}");
    assert_eq!(upstream.count(), 3);
}

#[tokio::test]
async fn silence_ends_a_call() {
    let site = Site::sqlite().await;
    let ctx = somebody(&site).await;
    let upstream = Upstream::start([Reply::Stall(String::new()), Reply::Stall(first_chunks(&["A"]))]).await;
    let mut draft = super::draft("acme", ProviderKind::OpenAiCompatible, &upstream, &["big"]);
    draft.limits.max_retries = 0;
    draft.limits.first_token_ms = 1_000;
    gateway::create_provider(&ctx, draft).await.unwrap();
    let fault = stream(&ctx, "big").await.unwrap_err();
    assert_eq!((fault.class, fault.message.as_str()), (FaultClass::Timeout, "acme: no answer within 1000 ms"));
    let mut live = stream(&ctx, "big").await.unwrap();
    let (text, fault) = drain(&mut live).await;
    assert_eq!((text.as_str(), fault.unwrap().message.as_str()), ("A", "acme: the answer stopped coming"));
    let outcomes: Vec<_> = calls(&ctx).await.iter().map(|call| call.outcome).collect();
    assert_eq!(
        outcomes,
        [CallOutcome::Partial, CallOutcome::Partial],
        "the first was answered too, with no more than a head"
    );
}

#[tokio::test]
async fn a_model_that_fails_too_often_is_left_in_peace_and_then_tried_by_one_call() {
    let site = Site::sqlite().await;
    let ctx = ctx(&process(&site, site.runtime.clock.clone())).await;
    let upstream = Upstream::start([]).await;
    let acme = add_hasty(&ctx, "acme", &upstream, &["big", "small"]).await;
    for _ in 0..5 {
        assert_eq!(ask(&ctx, "big").await.unwrap_err().class, FaultClass::Upstream);
    }
    let fault = ask(&ctx, "big").await.unwrap_err();
    assert_eq!((fault.class, fault.retry_after_ms), (FaultClass::Resting, Some(10_000)));
    assert_eq!(upstream.count(), 5);
    let health = &gateway::get_provider(&ctx, acme.id).await.unwrap().health;
    assert_eq!((health.len(), health[0].state, health[0].failures), (1, BreakerState::Open, 5));
    assert_eq!(health[0].last_failure, Some(FaultClass::Upstream));
    // Its other model is not to blame.
    upstream.then(Reply::Json(200, answer("x")));
    ask(&ctx, "small").await.unwrap();

    ctx.clock.advance_ms(10_000);
    upstream.then(Reply::Json(200, answer("x")));
    ask(&ctx, "big").await.unwrap();
    assert!(
        gateway::get_provider(&ctx, acme.id).await.unwrap().health.iter().all(|one| one.state == BreakerState::Closed)
    );
}

#[tokio::test]
async fn a_reset_lets_it_be_asked_at_once() {
    let site = Site::sqlite().await;
    let ctx = ctx(&process(&site, site.runtime.clock.clone())).await;
    let upstream = Upstream::start([]).await;
    let acme = add_hasty(&ctx, "acme", &upstream, &["big"]).await;
    for _ in 0..6 {
        ask(&ctx, "big").await.unwrap_err();
    }
    assert_eq!(upstream.count(), 5);
    assert_eq!(gateway::reset_provider(&ctx, acme.id).await.unwrap().health, []);
    upstream.then(Reply::Json(200, answer("x")));
    ask(&ctx, "big").await.unwrap();
}
