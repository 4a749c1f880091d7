//! Routes that weigh their models.

use serde_json::json;
use weft::gateway::{self, Answered, Error};
use weft::model::gateway::{
    Block, By, Dialect, ExplainRequest, Extra, FaultClass, ImageSource, Level, Message, Model, Policy, PriceDraft,
    Provider, ProviderKind, Request, Role, Route, RouteDraft, Target, TaskRules, Tool,
};
use weft::runtime::Ctx;

use super::upstream::{Reply, Upstream};
use super::{add, answer, ask, order, question, somebody};

async fn route(ctx: &Ctx, policy: Policy, targets: Vec<Target>) -> Route {
    let draft = RouteDraft {
        name: "smart".into(),
        description: String::new(),
        targets,
        policy,
        cache: weft::model::cache::CacheMode::Auto,
        context: None,
    };
    gateway::create_route(ctx, draft).await.unwrap()
}

/// A provider of the models `plain` and `best` that answers every call.
async fn acme(ctx: &Ctx) -> (Provider, Upstream) {
    let upstream = Upstream::start((0..60).map(|_| Reply::Json(200, answer("Yes.")))).await;
    (add(ctx, "acme", ProviderKind::OpenAiCompatible, &upstream, &["plain", "best"]).await, upstream)
}

fn by(by: By) -> Policy {
    Policy { by, ..Policy::default() }
}

/// Who answers, and why.
async fn who(ctx: &Ctx, request: Request) -> (String, String) {
    let Answered::Whole(answer) = order(ctx, request).await.unwrap() else { panic!("no stream was asked for") };
    (answer.choice.tried.last().unwrap().model.clone(), answer.choice.why())
}

fn task(text: &str) -> Request {
    let mut request = Request::new(Dialect::OpenAi, "smart");
    request.messages.push(Message::text(Role::User, text));
    request
}

on_both_engines! {
    async fn a_call_goes_to_a_model_that_can_take_it(site: Site) {
        let ctx = somebody(&site).await;
        let upstream = Upstream::start([Reply::Json(200, answer("Yes.")), Reply::Json(200, answer("Yes."))]).await;
        let mut draft = super::super::draft("acme", ProviderKind::OpenAiCompatible, &upstream, &["small", "large"]);
        draft.models[0] = Model { context_tokens: Some(1_000), tools: false, ..Model::named("small") };
        draft.models[1].images = false;
        let acme = gateway::create_provider(&ctx, draft).await.unwrap();
        route(&ctx, Policy::default(), vec![Target::new(acme.id, "small"), Target::new(acme.id, "large")]).await;
        assert_eq!(who(&ctx, task("Short.")).await.0, "small");
        let long = "word ".repeat(1_000);
        let (model, why) = who(&ctx, task(&long)).await;
        assert_eq!(model, "large");
        assert_eq!(why, "the route smart; acme/small holds 1000 tokens, and this takes some 1754; acme/large answered");

        let question = ExplainRequest { prompt: long, ..ExplainRequest::about("smart", Dialect::OpenAi) };
        let told = gateway::explain(&ctx, &question).await.unwrap();
        assert_eq!((told.candidates.len(), told.passed_over[0].why.as_str()), (1, "it holds 1000 tokens, and this takes some 1754"));

        let mut looks = task("What is this?");
        let source = ImageSource::Url { url: "https://example.org/a.png".into() };
        looks.messages[0].content.push(Block::Image { source, cache: None, extra: Extra::new() });
        looks.tools.push(Tool::Native { value: json!({"type": "web_search"}) });
        let error = order(&ctx, looks).await.unwrap_err();
        assert_eq!((error.class, error.message.as_str()), (FaultClass::Untranslatable, "acme/small uses no tools"));
        assert_eq!(upstream.count(), 2, "nobody was asked in vain");
    }

    async fn a_task_goes_to_the_plainest_model_that_takes_it(site: Site) {
        let ctx = somebody(&site).await;
        let (acme, _upstream) = acme(&ctx).await;
        let plain = Target { takes: Level::Simple, ..Target::new(acme.id, "plain") };
        route(&ctx, by(By::Task), vec![Target::new(acme.id, "best"), plain]).await;
        let (model, why) = who(&ctx, task("Fix the typo in README.md")).await;
        assert_eq!(model, "plain");
        assert_eq!(why, "the route smart; a simple task of 10 points: 10 for 1 file; acme/plain answered");
        let hard = "Move api.py, db.py and web.ts from Django and MySQL to Rust and Postgres";
        assert_eq!(who(&ctx, task(hard)).await.0, "best");

        let question = ExplainRequest { prompt: hard.into(), tools: 3, ..ExplainRequest::about("smart", Dialect::OpenAi) };
        let told = gateway::explain(&ctx, &question).await.unwrap();
        let score = told.task.unwrap();
        assert_eq!((score.points, score.level, score.approach.as_str()), (96, Level::Complex, "orchestrated"));
        assert_eq!(told.candidates[0].why.as_deref(), Some("takes tasks up to complex"));
    }

    async fn the_cheapest_is_asked_first(site: Site) {
        let ctx = somebody(&site).await;
        let (acme, _upstream) = acme(&ctx).await;
        for (model, input) in [("plain", 2_000_000), ("best", 1_000_000)] {
            let price: PriceDraft = serde_json::from_value(json!({"model": model, "input": input, "output": input})).unwrap();
            gateway::put_price(&ctx, acme.id, price).await.unwrap();
        }
        route(&ctx, by(By::Cost), vec![Target::new(acme.id, "plain"), Target::new(acme.id, "best")]).await;
        let (model, why) = who(&ctx, task("Hello")).await;
        assert_eq!((model.as_str(), why.contains("the cheapest first")), ("best", true), "{why}");
    }

    async fn what_was_not_asked_lately_is_asked_to_find_out_how_fast_it_is(site: Site) {
        let ctx = somebody(&site).await;
        let (acme, _upstream) = acme(&ctx).await;
        route(&ctx, by(By::Latency), vec![Target::new(acme.id, "plain"), Target::new(acme.id, "best")]).await;
        let first = who(&ctx, task("Hello")).await.0;
        let second = who(&ctx, task("Hello")).await.0;
        assert_ne!(first, second, "each is asked once");
        let told = gateway::explain(&ctx, &ExplainRequest::about("smart", Dialect::OpenAi)).await.unwrap();
        assert!(told.candidates.iter().all(|one| one.why.as_ref().unwrap().starts_with("began to answer after ")), "{told:?}");
    }

    async fn a_draw_by_weight_keeps_a_session_with_its_model(site: Site) {
        let ctx = somebody(&site).await;
        let (acme, _upstream) = acme(&ctx).await;
        let half = |model: &str| Target { weight: 50, ..Target::new(acme.id, model) };
        let policy = Policy { sticky: true, ..by(By::Weight) };
        route(&ctx, policy, vec![half("plain"), half("best"), Target { weight: 0, ..Target::new(acme.id, "off") }]).await;
        let mut seen = std::collections::BTreeSet::new();
        for session in 0..12 {
            let asked = || Request { session: Some(format!("s{session}")), ..task("Hello") };
            let (model, _) = who(&ctx, asked()).await;
            let (again, why) = who(&ctx, asked()).await;
            assert_eq!(model, again, "{why}");
            seen.insert(model);
        }
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["best", "plain"], "twelve sessions are not all on one side");
        let told = gateway::explain(&ctx, &ExplainRequest::about("smart", Dialect::OpenAi)).await.unwrap();
        assert_eq!(told.candidates[0].why.as_deref(), Some("first for 50 % of the calls"));
        assert_eq!(told.passed_over[0].why, "its weight is 0");
    }

    async fn a_session_stays_where_its_first_call_was_answered(site: Site) {
        let ctx = somebody(&site).await;
        let (acme, _upstream) = acme(&ctx).await;
        let plain = Target { takes: Level::Simple, ..Target::new(acme.id, "plain") };
        route(&ctx, Policy { sticky: true, ..by(By::Task) }, vec![Target::new(acme.id, "best"), plain]).await;
        let of_session = |text: &str| Request { session: Some("one".into()), ..task(text) };
        assert_eq!(who(&ctx, of_session("Rewrite a.rs b.rs c.rs d.rs in Python with Redis and Docker")).await.0, "best");
        let (model, why) = who(&ctx, of_session("Thanks")).await;
        assert_eq!(model, "best");
        assert!(why.contains("as in the calls of this session before"), "{why}");
        assert_eq!(who(&ctx, task("Thanks")).await.0, "plain", "another is free");
    }

    async fn a_route_says_what_of_its_policy_does_not_fit(site: Site) {
        let ctx = somebody(&site).await;
        let (acme, _upstream) = acme(&ctx).await;
        let task = TaskRules { file: 1001, medium_from: 90, ..TaskRules::default() };
        let targets = vec![Target { weight: 0, ..Target::new(acme.id, "plain") }];
        let draft = RouteDraft { name: "smart".into(), description: String::new(), targets, policy: Policy { task, ..Policy::default() }, cache: weft::model::cache::CacheMode::Auto, context: None };
        let Err(Error::Invalid(fields)) = gateway::create_route(&ctx, draft).await else { panic!("it is refused") };
        let pointers: Vec<&str> = fields.iter().map(|field| field.pointer.as_str()).collect();
        assert_eq!(pointers, ["/targets", "/policy/task/file", "/policy/task/complex_from"]);
        let long = ExplainRequest { prompt: "x".repeat(100_001), ..ExplainRequest::about("smart", Dialect::OpenAi) };
        assert!(matches!(gateway::explain(&ctx, &long).await, Err(Error::Invalid(_))));
    }

    async fn a_route_from_before_there_were_policies_goes_by_its_order(site: Site) {
        let ctx = somebody(&site).await;
        let (acme, _upstream) = acme(&ctx).await;
        let targets = serde_json::from_value(json!([{"provider_id": acme.id, "model": "plain"}])).unwrap();
        let made = route(&ctx, serde_json::from_value(json!({})).unwrap(), targets).await;
        assert_eq!((made.policy, made.targets[0].weight, made.targets[0].takes), (Policy::default(), 1, Level::Complex));
        assert_eq!(ask(&ctx, "smart").await.unwrap().choice.why(), "the route smart; acme/plain answered");
        assert_eq!(question("smart").session(), None);
    }
}
