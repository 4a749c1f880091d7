//! Two that are asked at once, because the first was slow to begin.

use serde_json::json;
use weft::gateway::{self, EmbedOrder};
use weft::model::cache::CacheMode;
use weft::model::gateway::{
    BudgetDraft, CallOutcome, CallSource, EmbedRequest, FaultClass, Hedge, Policy, PriceDraft, Provider, RouteDraft,
    Target,
};
use weft::runtime::Ctx;

use super::upstream::{Gate, Reply, Upstream, soon};
use super::{add_hasty, answer, ask, calls, chunks, ctx, drain, process, stream};
use crate::support::Site;

/// Two providers of one route that asks the second after 800 ms, by a clock in the test's hands.
struct Pair {
    ctx: Ctx,
    one: Upstream,
    two: Upstream,
    providers: [Provider; 2],
}

async fn pair(site: &Site, one: Vec<Reply>, two: Vec<Reply>) -> Pair {
    let ctx = ctx(&process(site, site.runtime.clock.clone())).await;
    let (one, two) = (Upstream::start(one).await, Upstream::start(two).await);
    let providers = [add_hasty(&ctx, "one", &one, &["big"]).await, add_hasty(&ctx, "two", &two, &["big"]).await];
    let draft = RouteDraft {
        name: "smart".into(),
        description: String::new(),
        targets: providers.iter().map(|provider| Target::new(provider.id, "big")).collect(),
        policy: Policy { hedge: Some(Hedge { after_ms: 800 }), ..Policy::default() },
        cache: CacheMode::Auto,
        context: None,
    };
    gateway::create_route(&ctx, draft).await.unwrap();
    Pair { ctx, one, two, providers }
}

impl Pair {
    /// Lets 800 ms pass once the first has been asked.
    async fn slow(&self, gate: &Gate) {
        gate.seen().await;
        self.ctx.clock.advance_ms(800);
    }

    /// Whether all is as if neither had anything to do, and neither had failed.
    async fn is_quiet(&self) -> bool {
        for provider in &self.providers {
            let provider = gateway::get_provider(&self.ctx, provider.id).await.unwrap();
            if provider.queue.underway > 0 || provider.health.iter().any(|one| one.failures > 0) {
                return false;
            }
        }
        true
    }
}

const BOTH: &str = "the route smart; one/big had not begun after 800 ms, two/big was asked too";

on_both_engines! {
    async fn whoever_begins_first_is_used_and_the_other_is_dropped(site: Site) {
        let gate = Gate::default();
        let pair = pair(&site, vec![gate.hold(Reply::Events(chunks(&["Slow."])))], vec![Reply::Events(chunks(&["Fast."]))]).await;
        let (live, ()) = tokio::join!(stream(&pair.ctx, "smart"), pair.slow(&gate));
        let mut live = live.unwrap();
        assert_eq!(live.choice().why(), format!("{BOTH} and answered first"));
        assert_eq!(live.answerer().0, pair.providers[1].id);
        gate.gone().await;
        assert_eq!(drain(&mut live).await, ("Fast.".to_owned(), None));
        drop(live);
        assert!(pair.is_quiet().await, "a dropped call is no failure, and takes no place");

        let mut log = calls(&pair.ctx).await;
        log.sort_by_key(|call| call.outcome.as_str());
        let [dropped, answered] = &log[..] else { panic!("{log:?}") };
        assert_eq!((answered.outcome, answered.provider.as_str()), (CallOutcome::Complete, "two"));
        assert_eq!((dropped.outcome, dropped.provider.as_str()), (CallOutcome::Cancelled, "one"));
        assert!(dropped.estimated && dropped.usage.input > 0 && dropped.usage.output == 0, "{dropped:?}");
        assert_eq!(dropped.error.as_deref(), Some("two/big began to answer first"));
        assert_eq!(dropped.choice, answered.choice);
    }

    async fn the_first_may_still_be_the_first_to_answer(site: Site) {
        let (slow, slower) = (Gate::default(), Gate::default());
        let reply = || Reply::Json(200, answer("Yes."));
        let pair = pair(&site, vec![slow.hold(reply())], vec![slower.hold(reply())]).await;
        let told = async {
            pair.slow(&slow).await;
            slower.seen().await;
            slow.open();
        };
        let (answered, ()) = tokio::join!(ask(&pair.ctx, "smart"), told);
        assert_eq!(answered.unwrap().choice.why(), format!("{BOTH}; one/big answered first"));
        slower.gone().await;
        assert!(pair.is_quiet().await);
        let outcomes: Vec<_> = calls(&pair.ctx).await.iter().map(|call| (call.provider.clone(), call.outcome)).collect();
        assert!(outcomes.contains(&("two".to_owned(), CallOutcome::Cancelled)), "{outcomes:?}");
        assert!(outcomes.contains(&("one".to_owned(), CallOutcome::Complete)) && outcomes.len() == 2, "{outcomes:?}");
    }

    async fn where_one_fails_the_other_is_waited_for(site: Site) {
        let busy = || Reply::Json(503, json!({"error": {"message": "busy"}}));
        let reply = || Reply::Json(200, answer("Yes."));
        let (slow, slower) = (Gate::default(), Gate::default());
        let pair = pair(&site, vec![slow.hold(reply())], vec![slower.hold(busy())]).await;
        let told = async {
            pair.slow(&slow).await;
            slower.seen().await;
            slower.open();
            // The first is let go only once the second has failed.
            soon("the second did not fail", failed(&pair.ctx, &pair.providers[1])).await;
            slow.open();
        };
        let (answered, ()) = tokio::join!(ask(&pair.ctx, "smart"), told);
        assert_eq!(answered.unwrap().choice.why(), format!("{BOTH}; one/big answered; two/big failed (overloaded)"));
        assert_eq!(calls(&pair.ctx).await.len(), 1, "a failure costs nothing");

        pair.one.then(slow.hold(busy()));
        pair.two.then(slower.hold(busy()));
        let told = async {
            pair.slow(&slow).await;
            slower.seen().await;
            slow.open();
            slower.open();
        };
        let (refused, ()) = tokio::join!(ask(&pair.ctx, "smart"), told);
        assert_eq!(refused.unwrap_err().class, FaultClass::Overloaded);
        assert_eq!((pair.one.count(), pair.two.count()), (2, 2), "nobody is asked twice");
    }

    async fn budgets_reckon_with_both_and_allow_the_second_only_where_there_is_money(site: Site) {
        let (slow, slower) = (Gate::default(), Gate::default());
        let reply = || Reply::Json(200, answer("Yes."));
        let pair = pair(&site, vec![slow.hold(reply())], vec![slower.hold(reply())]).await;
        for provider in &pair.providers {
            let price = json!({"model": "big", "input": 1_000_000, "output": 6_000_000});
            let price: PriceDraft = serde_json::from_value(price).unwrap();
            gateway::put_price(&pair.ctx, provider.id, price).await.unwrap();
        }
        // Some 6,150 are expected of each call; 1,600 is what it costs.
        let draft = |limit: i64| -> BudgetDraft {
            serde_json::from_value(json!({"name": "Team", "scope": "workspace", "period": "month", "limit_micros": limit})).unwrap()
        };
        let made = gateway::create_budget(&pair.ctx, draft(2 * 6_200)).await.unwrap();
        let told = async {
            pair.slow(&slow).await;
            slower.seen().await;
            assert_eq!(ask(&pair.ctx, "smart").await.unwrap_err().class, FaultClass::Budget, "both are underway");
            slow.open();
        };
        let (answered, ()) = tokio::join!(ask(&pair.ctx, "smart"), told);
        assert_eq!(answered.unwrap().cost_micros, Some(1_600));
        let log = calls(&pair.ctx).await;
        let dropped = log.iter().find(|call| call.outcome == CallOutcome::Cancelled).unwrap();
        let cost = dropped.cost_micros.unwrap();
        assert!((1..100).contains(&cost), "what it had read: {dropped:?}");
        let state = gateway::get_budget(&pair.ctx, made.budget.id).await.unwrap();
        assert_eq!(state.spenders[0].spent_micros, 1_600 + cost);

        gateway::update_budget(&pair.ctx, made.budget.id, made.budget.revision, draft(1_600 + cost + 6_200)).await.unwrap();
        pair.one.then(slow.hold(reply()));
        let told = async {
            pair.slow(&slow).await;
            // Time enough for a second one, if it were allowed.
            assert_eq!(ask(&pair.ctx, "two/big").await.unwrap_err().class, FaultClass::Budget);
            slow.open();
        };
        let (answered, ()) = tokio::join!(ask(&pair.ctx, "smart"), told);
        assert_eq!(answered.unwrap().choice.why(), "the route smart; one/big answered");
        assert_eq!(pair.two.count(), 1);
    }

    async fn a_tenth_of_the_calls_bring_a_second_one_beyond_the_first_ten(site: Site) {
        let gate = Gate::default();
        let reply = || Reply::Json(200, answer("Yes."));
        let pair = pair(&site, (0..14).map(|_| gate.hold(reply())).collect(), (0..14).map(|_| reply()).collect()).await;
        for call in 1..=14 {
            let told = async {
                pair.slow(&gate).await;
                if call > 11 {
                    gate.open();
                }
            };
            let (answered, ()) = tokio::join!(ask(&pair.ctx, "smart"), told);
            let by = answered.unwrap().choice.tried.last().unwrap().provider.clone();
            assert_eq!(by, if call > 11 { "one" } else { "two" }, "call {call}");
            if call <= 11 {
                gate.gone().await;
            }
        }
        assert_eq!((pair.one.count(), pair.two.count()), (14, 11));
    }

    async fn texts_to_embed_are_asked_of_one(site: Site) {
        let gate = Gate::default();
        let data = json!([{"object": "embedding", "index": 0, "embedding": [0.5]}]);
        let vectors = json!({"object": "list", "data": data, "model": "m", "usage": {"prompt_tokens": 1, "total_tokens": 1}});
        let pair = pair(&site, vec![gate.hold(Reply::Json(200, vectors))], vec![]).await;
        let request = EmbedRequest::texts("smart", vec!["a loom".into()]);
        let order = EmbedOrder { request, source: CallSource::Step, step: None, on_behalf_of: None };
        let told = async {
            pair.slow(&gate).await;
            gate.open();
        };
        let (embedded, ()) = tokio::join!(gateway::embed(&pair.ctx, order), told);
        assert_eq!(embedded.unwrap().choice.why(), "the route smart; one/big answered");
        assert_eq!(pair.two.count(), 0);
    }

    async fn a_span_that_makes_no_sense_is_refused(site: Site) {
        let pair = pair(&site, vec![], vec![]).await;
        let route = gateway::list_routes(&pair.ctx).await.unwrap().remove(0);
        for after_ms in [99, 60_001] {
            let draft = RouteDraft {
                name: route.name.clone(),
                description: String::new(),
                targets: route.targets.clone(),
                policy: Policy { hedge: Some(Hedge { after_ms }), ..Policy::default() },
                cache: CacheMode::Auto,
                context: None,
            };
            let refused = gateway::update_route(&pair.ctx, route.id, route.revision, draft).await.unwrap_err();
            let gateway::Error::Invalid(fields) = refused else { panic!("{refused}") };
            assert_eq!(fields[0].pointer, "/policy/hedge/after_ms");
        }
    }
}

/// Returns once a call of the provider has failed.
async fn failed(ctx: &Ctx, provider: &Provider) {
    while gateway::get_provider(ctx, provider.id).await.unwrap().health.iter().all(|one| one.failures == 0) {
        tokio::task::yield_now().await;
    }
}
