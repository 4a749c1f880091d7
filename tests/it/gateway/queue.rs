//! Calls that wait for room at a provider.

use serde_json::json;
use weft::gateway;
use weft::model::gateway::{Dialect, ExplainRequest, FaultClass, Limits, Provider, ProviderKind, QueueState, Standing};
use weft::model::workflow::why::{Code, Unblock};
use weft::runtime::Ctx;
use weft::workflow;

use super::upstream::{Gate, Reply, Upstream, soon};
use super::{add_hasty, answer, ask, calls, chunks, ctx, draft, drain, process, route, stream};
use crate::engine::{chain, end, start};
use crate::support::Site;

/// Somebody whose clock is in the test's hands.
async fn somebody(site: &Site) -> Ctx {
    ctx(&process(site, site.runtime.clock.clone())).await
}

/// A provider `acme` of the model `big` with limits.
async fn acme(ctx: &Ctx, upstream: &Upstream, limits: Limits) -> Provider {
    let mut draft = draft("acme", ProviderKind::OpenAiCompatible, upstream, &["big"]);
    draft.limits = Limits { max_retries: 0, first_token_ms: 60_000, total_ms: 60_000, ..limits };
    gateway::create_provider(ctx, draft).await.unwrap()
}

fn yes() -> Reply {
    Reply::Json(200, answer("Yes."))
}

async fn state(ctx: &Ctx, provider: &Provider) -> QueueState {
    gateway::get_provider(ctx, provider.id).await.unwrap().queue
}

/// Returns once so many wait.
async fn waiting(ctx: &Ctx, provider: &Provider, count: u32) {
    let wait = async {
        while state(ctx, provider).await.waiting != count {
            tokio::task::yield_now().await;
        }
    };
    soon("not so many wait", wait).await;
}

async fn standing(ctx: &Ctx) -> Standing {
    let question = ExplainRequest::about("acme/big", Dialect::OpenAi);
    gateway::explain(ctx, &question).await.unwrap().candidates[0].standing
}

on_both_engines! {
    async fn a_call_beyond_those_that_may_be_underway_waits_for_its_turn(site: Site) {
        let ctx = somebody(&site).await;
        let (first, second) = (Gate::default(), Gate::default());
        let upstream = Upstream::start([first.hold(yes()), second.hold(yes())]).await;
        let acme = acme(&ctx, &upstream, Limits { max_concurrent: Some(1), ..Limits::default() }).await;
        assert_eq!(standing(&ctx).await, Standing::Ready);
        let told = async {
            first.seen().await;
            assert_eq!(standing(&ctx).await, Standing::Waits { ahead: 0 });
            let told = async {
                waiting(&ctx, &acme, 1).await;
                assert_eq!(standing(&ctx).await, Standing::Waits { ahead: 1 });
                ctx.clock.advance_ms(1_150);
                let now = state(&ctx, &acme).await;
                assert_eq!((now.words(acme.limits).as_str(), now.longest_ms), ("1 underway of 1, 1 waiting", 1_150));
                assert_eq!(upstream.count(), 1);
                first.open();
                second.seen().await;
                assert_eq!(state(&ctx, &acme).await.waiting, 0);
                second.open();
            };
            let (answered, ()) = tokio::join!(ask(&ctx, "acme/big"), told);
            answered.unwrap()
        };
        let (one, two) = tokio::join!(ask(&ctx, "acme/big"), told);
        assert_eq!(one.unwrap().choice.why(), "big of acme, as asked; acme/big answered");
        assert_eq!(two.choice.why(), "big of acme, as asked; waited 1.2 s for room at acme; acme/big answered");
        let log = calls(&ctx).await;
        assert!(log.iter().any(|call| call.choice == two.choice), "the log says so too");
        assert_eq!(state(&ctx, &acme).await, QueueState::default());
    }

    async fn a_step_whose_call_waits_for_room_says_so_and_no_more_once_it_is_sent(site: Site) {
        let ctx = somebody(&site).await;
        let told = || Reply::Events(chunks(&["Yes."]));
        let (first, second) = (Gate::default(), Gate::default());
        let upstream = Upstream::start([first.hold(told()), second.hold(told())]).await;
        let acme = acme(&ctx, &upstream, Limits { max_concurrent: Some(1), ..Limits::default() }).await;
        let config = json!({"model": "acme/big", "prompt": "Well?"});
        let asks = chain(vec![json!({"id": "ask", "kind": "prompt", "config": config})]);
        let one = start(&ctx, &asks, json!({"n": 1})).await;
        first.seen().await;
        let two = start(&ctx, &asks, json!({"n": 2})).await;
        waiting(&ctx, &acme, 1).await;
        assert_eq!(workflow::why_waiting(&ctx, one).await.unwrap(), [], "it is asked, and at work");
        let why = workflow::why_waiting(&ctx, two).await.unwrap().remove(0);
        assert_eq!((why.code, why.step.as_deref()), (Code::Provider, Some("ask")));
        assert_eq!(why.sentence, "Waits for room at acme to ask big: 1 call is underway.");
        assert_eq!(why.unblocks, [Unblock::Person { action: "Raise the limits of acme".into() }]);
        first.open();
        second.seen().await;
        assert_eq!(workflow::why_waiting(&ctx, two).await.unwrap(), []);
        second.open();
        end(&ctx, one).await;
        end(&ctx, two).await;
    }

    async fn a_call_without_room_goes_elsewhere_or_is_refused_with_when_to_come_again(site: Site) {
        let ctx = somebody(&site).await;
        let gate = Gate::default();
        let upstream = Upstream::start([gate.hold(yes())]).await;
        let acme = acme(&ctx, &upstream, Limits { max_concurrent: Some(1), queue: 0, ..Limits::default() }).await;
        let other = Upstream::start([yes()]).await;
        let zeta = add_hasty(&ctx, "zeta", &other, &["big"]).await;
        route(&ctx, "smart", &[(&acme, "big"), (&zeta, "big")]).await;
        let told = async {
            gate.seen().await;
            let why = "as many calls as may be are underway, and none may wait";
            let answered = ask(&ctx, "smart").await.unwrap();
            assert_eq!(answered.choice.why(), format!("the route smart; acme/big has no room: {why}; zeta/big answered"));
            let fault = ask(&ctx, "acme/big").await.unwrap_err();
            assert_eq!((fault.class, fault.retry_after_ms), (FaultClass::RateLimited, Some(1_000)));
            assert_eq!(fault.message, format!("acme: no room for a call of big: {why}"));
            assert_eq!(gateway::status_of(Dialect::Anthropic, fault.class), 429);
            assert!(matches!(standing(&ctx).await, Standing::Full { waiting: 0, .. }));
            gate.open();
        };
        let (answered, ()) = tokio::join!(ask(&ctx, "acme/big"), told);
        answered.unwrap();
        assert_eq!(upstream.count(), 1);
        // That says nothing about the provider.
        assert_eq!(gateway::get_provider(&ctx, acme.id).await.unwrap().health.iter().map(|one| one.failures).sum::<u32>(), 0);
    }

    async fn whoever_goes_away_leaves_the_line_and_a_stream_keeps_its_place_until_its_end(site: Site) {
        let ctx = somebody(&site).await;
        let upstream = Upstream::start([Reply::Events(chunks(&["One."])), yes()]).await;
        let acme = acme(&ctx, &upstream, Limits { max_concurrent: Some(1), ..Limits::default() }).await;
        let mut live = stream(&ctx, "acme/big").await.unwrap();
        {
            let gone = ask(&ctx, "acme/big");
            tokio::pin!(gone);
            tokio::select! {
                _ = &mut gone => panic!("there is no room for it"),
                () = waiting(&ctx, &acme, 1) => {}
            }
        }
        let now = state(&ctx, &acme).await;
        assert_eq!((now.underway, now.waiting), (1, 0));
        assert_eq!(drain(&mut live).await.0, "One.");
        assert_eq!(state(&ctx, &acme).await.underway, 0);
        ask(&ctx, "acme/big").await.unwrap();
        assert_eq!(upstream.count(), 2);
    }

    async fn calls_of_a_minute_are_counted_and_the_next_goes_when_there_is_room(site: Site) {
        let ctx = somebody(&site).await;
        let upstream = Upstream::start([yes(), yes(), yes()]).await;
        let limits = Limits { requests_per_minute: Some(2), tokens_per_minute: Some(1_000_000), ..Limits::default() };
        let acme = acme(&ctx, &upstream, limits).await;
        for _ in 0..2 {
            ask(&ctx, "acme/big").await.unwrap();
        }
        let now = state(&ctx, &acme).await;
        // By the provider's own count of tokens, and no longer by what was expected.
        assert_eq!((now.requests, now.tokens), (Some(2), Some(2_200)));
        let told = async {
            waiting(&ctx, &acme, 1).await;
            ctx.clock.advance_ms(29_999);
            assert_eq!(state(&ctx, &acme).await.waiting, 1);
            ctx.clock.advance_ms(1);
        };
        let (answered, ()) = tokio::join!(ask(&ctx, "acme/big"), told);
        assert!(answered.unwrap().choice.why().contains("waited 30.0 s for room at acme"));
        // The next would have to wait for longer than it may.
        let lower = Limits { queue_ms: 29_000, ..acme.limits };
        let mut changed = draft("acme", ProviderKind::OpenAiCompatible, &upstream, &["big"]);
        changed.limits = lower;
        gateway::update_provider(&ctx, acme.id, acme.revision, changed).await.unwrap();
        let fault = ask(&ctx, "acme/big").await.unwrap_err();
        assert_eq!((fault.class, fault.retry_after_ms), (FaultClass::RateLimited, Some(30_000)));
        assert_eq!(upstream.count(), 3);
    }

    async fn what_a_provider_tells_of_its_limits_is_waited_for(site: Site) {
        let ctx = somebody(&site).await;
        let headers: &[(&str, &str)] = &[
            ("x-ratelimit-limit-requests", "60"),
            ("x-ratelimit-remaining-requests", "0"),
            ("x-ratelimit-reset-requests", "1m0s"),
        ];
        let upstream = Upstream::start([Reply::Headed(headers, answer("Yes.")), yes(), yes()]).await;
        let acme = acme(&ctx, &upstream, Limits::default()).await;
        ask(&ctx, "acme/big").await.unwrap();
        assert_eq!(state(&ctx, &acme).await.held[0].for_ms, 1_000);
        assert_eq!(standing(&ctx).await, Standing::Waits { ahead: 0 });
        let told = async {
            waiting(&ctx, &acme, 1).await;
            assert_eq!(upstream.count(), 1);
            ctx.clock.advance_ms(1_000);
        };
        let (answered, ()) = tokio::join!(ask(&ctx, "acme/big"), told);
        assert!(answered.unwrap().choice.why().contains("waited 1.0 s for room at acme"));

        // With somebody else to ask it is not waited for long, since nobody has set this limit.
        let other = Upstream::start([yes()]).await;
        let zeta = add_hasty(&ctx, "zeta", &other, &["big"]).await;
        route(&ctx, "smart", &[(&acme, "big"), (&zeta, "big")]).await;
        let answered = ask(&ctx, "smart").await.unwrap();
        assert_eq!(answered.choice.tried.last().unwrap().provider, "zeta");
        // A reset forgets what was told.
        gateway::reset_provider(&ctx, acme.id).await.unwrap();
        ask(&ctx, "acme/big").await.unwrap();
        assert_eq!((upstream.count(), other.count()), (3, 1));
    }

    async fn a_provider_from_before_there_were_queues_has_the_usual_one(site: Site) {
        let ctx = somebody(&site).await;
        let body = json!({"connect_ms": 700, "first_token_ms": 2_000, "total_ms": 5_000, "max_retries": 1});
        let limits: Limits = serde_json::from_value(body).unwrap();
        assert_eq!(limits, Limits { connect_ms: 700, first_token_ms: 2_000, total_ms: 5_000, max_retries: 1, ..Limits::default() });
        let upstream = Upstream::start([yes()]).await;
        let acme = acme(&ctx, &upstream, limits).await;
        assert_eq!((acme.limits.queue, acme.limits.queue_ms, acme.limits.max_concurrent), (100, 30_000, None));
        assert_eq!(acme.queue, QueueState::default());
        ask(&ctx, "acme/big").await.unwrap();
    }
}
