//! What would answer: the same as what does answer, and nothing is called to find out.

use serde_json::json;
use weft::gateway::{self, Error};
use weft::model::gateway::{
    Dialect, ExplainRequest, Explained, Hedge, Policy, ProviderKind, RouteDraft, Standing, WouldAsk, WouldHedge,
};
use weft::runtime::Ctx;

use super::upstream::{Reply, Upstream};
use super::{add, add_hasty, answer, ask, draft, order, question, route, somebody};

async fn explain(ctx: &Ctx, model: &str) -> Explained {
    let question = ExplainRequest::about(model, Dialect::OpenAi);
    gateway::explain(ctx, &question).await.unwrap()
}

fn names(explained: &Explained) -> String {
    let name = |one: &WouldAsk| format!("{}/{}", one.provider, one.model);
    explained.candidates.iter().map(name).collect::<Vec<_>>().join(" ")
}

on_both_engines! {
    async fn what_would_answer_is_what_answers(site: Site) {
        let ctx = somebody(&site).await;
        let upstream = Upstream::start([Reply::Json(200, answer("A loom.")), Reply::Json(200, answer("A loom."))]).await;
        let acme = add(&ctx, "acme", ProviderKind::OpenAiCompatible, &upstream, &["small", "big"]).await;
        let zeta = add(&ctx, "zeta", ProviderKind::OpenAiCompatible, &upstream, &["big"]).await;
        route(&ctx, "smart", &[(&zeta, "big"), (&acme, "small")]).await;

        let smart = explain(&ctx, "smart").await;
        assert_eq!((names(&smart).as_str(), smart.rule.as_str()), ("zeta/big acme/small", "the route smart"));
        assert!(smart.candidates.iter().all(|one| one.standing == Standing::Ready));
        assert_eq!(names(&explain(&ctx, " big ").await), "acme/big zeta/big");
        assert_eq!(names(&explain(&ctx, "zeta/new").await), "zeta/new");
        let usual = explain(&ctx, "").await;
        assert_eq!(usual.rule, "the first model of acme, since no route is called default");
        assert_eq!(upstream.count(), 0, "nothing is called");

        for (asked, explained) in [("smart", smart), ("", usual)] {
            let choice = ask(&ctx, asked).await.unwrap().choice;
            assert_eq!(choice.rule, explained.rule);
            let first = &explained.candidates[0];
            assert_eq!((&choice.tried[0].provider, &choice.tried[0].model), (&first.provider, &first.model));
        }
    }

    async fn who_is_asked_as_well_where_the_first_is_slow_is_told(site: Site) {
        let ctx = somebody(&site).await;
        let (ill, well) = (Upstream::start([]).await, Upstream::start([]).await);
        let one = add_hasty(&ctx, "one", &well, &["big"]).await;
        let two = add_hasty(&ctx, "two", &ill, &["big"]).await;
        let three = add_hasty(&ctx, "three", &well, &["big"]).await;
        let plain = route(&ctx, "smart", &[(&one, "big"), (&two, "big"), (&three, "big")]).await;
        assert_eq!(explain(&ctx, "smart").await.hedge, None);
        let hedge = |after_ms| Policy { hedge: Some(Hedge { after_ms }), ..Policy::default() };
        let route = RouteDraft {
            name: "eager".into(),
            description: String::new(),
            targets: plain.targets,
            policy: hedge(800),
            cache: plain.cache,
            context: None,
        };
        gateway::create_route(&ctx, route.clone()).await.unwrap();
        let would = |also: Option<&str>| Some(WouldHedge { after_ms: 800, slow: "one/big".into(), also: also.map(str::to_owned) });
        assert_eq!(explain(&ctx, "eager").await.hedge, would(Some("two/big")));
        for _ in 0..5 {
            ask(&ctx, "two/big").await.unwrap_err();
        }
        assert_eq!(explain(&ctx, "eager").await.hedge, would(Some("three/big")), "who rests is not asked as well");
        let alone = RouteDraft { name: "alone".into(), targets: route.targets[..1].to_vec(), ..route };
        gateway::create_route(&ctx, alone).await.unwrap();
        assert_eq!(explain(&ctx, "alone").await.hedge, would(None));
        assert_eq!(well.count(), 0, "nothing is called");
    }

    async fn what_rests_is_told_with_its_reason_and_keeps_its_place(site: Site) {
        let ctx = somebody(&site).await;
        let ill = Upstream::start([]).await;
        let one = add_hasty(&ctx, "one", &ill, &["big"]).await;
        let well = Upstream::start([]).await;
        let two = add_hasty(&ctx, "two", &well, &["big"]).await;
        route(&ctx, "smart", &[(&one, "big"), (&two, "big")]).await;
        for _ in 0..5 {
            ask(&ctx, "one/big").await.unwrap_err();
        }
        for _ in 0..2 {
            let smart = explain(&ctx, "smart").await;
            assert_eq!(names(&smart), "one/big two/big");
            assert!(
                matches!(smart.candidates[0].standing, Standing::Rests { for_ms: 1..=10_000, last_failure: Some(_) }),
                "{smart:?}"
            );
            assert!(smart.candidates[1].standing.is_asked());
        }
        assert_eq!(well.count(), 0);
    }

    async fn one_that_asked_to_be_left_in_peace_is_held(site: Site) {
        let ctx = somebody(&site).await;
        let busy = Reply::With(429, "retry-after", "60", json!({"error": {"message": "too many"}}));
        let upstream = Upstream::start([busy]).await;
        add_hasty(&ctx, "one", &upstream, &["big"]).await;
        order(&ctx, question("big")).await.unwrap_err();
        let big = explain(&ctx, "big").await;
        assert!(matches!(big.candidates[0].standing, Standing::Held { for_ms: 1..=60_000 }), "{big:?}");
    }

    async fn what_is_off_is_passed_over_and_why_nobody_is_asked_is_said(site: Site) {
        let ctx = somebody(&site).await;
        assert!(explain(&ctx, "big").await.refused.unwrap().contains("no provider is set up"));
        let upstream = Upstream::start([]).await;
        let acme = add(&ctx, "acme", ProviderKind::OpenAi, &upstream, &["big"]).await;
        let zeta = add(&ctx, "zeta", ProviderKind::OpenAi, &upstream, &["big"]).await;
        route(&ctx, "smart", &[(&zeta, "big"), (&acme, "big")]).await;
        let off = weft::model::gateway::ProviderDraft { enabled: false, ..draft("zeta", ProviderKind::OpenAi, &upstream, &["big"]) };
        gateway::update_provider(&ctx, zeta.id, zeta.revision, off).await.unwrap();
        let smart = explain(&ctx, "smart").await;
        assert_eq!(names(&smart), "acme/big");
        assert_eq!((smart.passed_over[0].provider.as_str(), smart.passed_over[0].why.as_str()), ("zeta", "its provider is switched off"));
        gateway::delete_provider(&ctx, acme.id).await.unwrap();
        let smart = explain(&ctx, "smart").await;
        assert!(smart.candidates.is_empty() && smart.refused.is_some());
        assert_eq!(smart.passed_over.len(), 2);
        let long = ExplainRequest::about("m".repeat(301), Dialect::OpenAi);
        assert!(matches!(gateway::explain(&ctx, &long).await, Err(Error::Invalid(_))));
    }
}
