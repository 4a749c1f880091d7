//! Tokens that are counted here, by the model's own vocabulary: where somebody asks, where a provider does not tell, and for windows.

use axum::http::StatusCode;
use serde_json::{Value, json};
use weft::gateway::{self, Answered};
use weft::model::cache::CacheMode;
use weft::model::gateway::{
    BudgetDraft, CallOutcome, ContextRule, Delta, Dialect, ExplainRequest, FaultClass, Message, Policy, PriceDraft,
    ProviderKind, Request, Role, RouteDraft, Target, TokensBy, WhenFull,
};

use super::proxy::{CHAT, pointed, read, send};
use super::upstream::{Reply, Upstream};
use super::{add, answer, calls, chunks, drain, first_chunks, order, question, stream};
use crate::support::Site;

const COUNT: &str = "/api/v1/gateway/openai/v1/responses/input_tokens";
/// Ten tokens.
const FOX: &[&str] = &["The quick brown fox ", "jumps over the lazy dog."];
/// 26 characters, and 19 tokens.
const DENSE: &str = "東京は日本の首都であり、世界最大の都市のひとつです。";

on_both_engines! {
    async fn what_a_provider_does_not_tell_is_counted_and_the_log_says_so(site: Site) {
        let (rt, ctx, secret) = pointed(&site).await;
        let silent = || {
            let mut answer = answer("The quick brown fox jumps over the lazy dog.");
            answer.as_object_mut().unwrap().remove("usage");
            Reply::Json(200, answer)
        };
        let acme = Upstream::start([silent(), silent()]).await;
        add(&ctx, "acme", ProviderKind::OpenAi, &acme, &["gpt-4o", "big"]).await;
        let body = |model: &str| json!({"model": model, "messages": [{"role": "user", "content": "hello world"}]});
        for model in ["gpt-4o", "big"] {
            assert_eq!(send(&rt, CHAT, &secret, &body(model)).await.0, 200);
        }
        let log = calls(&ctx).await;
        let told = |model: &str| {
            let call = log.iter().find(|call| call.model == model).unwrap();
            (call.usage.input, call.usage.output, call.tokens_by, call.estimated)
        };
        assert_eq!(told("gpt-4o"), (9, 10, TokensBy::Tokenizer, false));
        assert_eq!(told("big"), (7, 11, TokensBy::Estimate, true));
    }

    async fn a_stream_that_breaks_off_is_counted_by_the_models_own_vocabulary(site: Site) {
        let (_, ctx, _) = pointed(&site).await;
        let cut = || Reply::Cut(first_chunks(FOX));
        let silent = Reply::Events(chunks(FOX).replace("1000", "0").replace("100", "0"));
        let acme = Upstream::start([cut(), Reply::Stall(first_chunks(FOX)), silent, cut()]).await;
        add(&ctx, "acme", ProviderKind::OpenAi, &acme, &["gpt-4o", "big"]).await;
        // It breaks off; whoever asked goes away; it ends, and its provider told nothing; and again, of a model that nobody can count.
        let (text, fault) = drain(&mut stream(&ctx, "gpt-4o").await.unwrap()).await;
        assert!(text == FOX.concat() && fault.is_some());
        let mut left = stream(&ctx, "gpt-4o").await.unwrap();
        let mut came = String::new();
        while came.len() < text.len() {
            if let Delta::Text { text: piece, .. } = left.next().await.unwrap().unwrap() {
                came.push_str(&piece);
            }
        }
        drop(left);
        let mut whole = stream(&ctx, "gpt-4o").await.unwrap();
        assert_eq!(drain(&mut whole).await, (text, None));
        assert_eq!((whole.usage_so_far().input, whole.usage_so_far().output), (11, 10), "a step tells the same as the log");
        drain(&mut stream(&ctx, "big").await.unwrap()).await;
        let log = calls(&ctx).await;
        let told: Vec<_> = log.iter().rev().map(|call| (call.outcome, call.usage.input, call.usage.output, call.tokens_by)).collect();
        let counted = |outcome| (outcome, 11, 10, TokensBy::Tokenizer);
        assert_eq!(told[..3], [counted(CallOutcome::Partial), counted(CallOutcome::Partial), counted(CallOutcome::Complete)]);
        assert_eq!((told[3].0, told[3].3), (CallOutcome::Partial, TokensBy::Estimate));
    }

    async fn a_stream_that_is_left_while_its_end_is_counted_is_whole_all_the_same(site: Site) {
        let (_, ctx, _) = pointed(&site).await;
        let silent = Reply::Events(chunks(FOX).replace("1000", "0").replace("100", "0"));
        let acme = Upstream::start([silent]).await;
        add(&ctx, "acme", ProviderKind::OpenAi, &acme, &["gpt-4o"]).await;
        let mut request = Request { stream: true, ..question("gpt-4o") };
        request.sampling.temperature = Some(0.0);
        let Answered::Live(mut live) = order(&ctx, request.clone()).await.unwrap() else { panic!("a stream was asked for") };
        while !matches!(live.next().await.unwrap().unwrap(), Delta::Stop { .. }) {}
        // The last piece is there, and its tokens are being counted: whoever reads leaves now.
        tokio::select! {
            biased;
            _ = live.next() => {}
            () = std::future::ready(()) => {}
        }
        drop(live);
        let log = calls(&ctx).await;
        let told = (log[0].outcome, log[0].usage.input, log[0].usage.output, log[0].tokens_by);
        assert_eq!(told, (CallOutcome::Complete, 11, 10, TokensBy::Tokenizer));
        weft::cache::settled(&ctx).await;
        let Answered::Live(kept) = order(&ctx, request).await.unwrap() else { panic!("a stream was asked for") };
        assert!(kept.is_kept(), "the whole answer is kept, and nobody is asked again");
        assert_eq!(acme.count(), 1);
    }

    async fn a_budget_counts_what_is_dense_by_the_models_own_vocabulary(site: Site) {
        let (_, ctx, _) = pointed(&site).await;
        let upstream = Upstream::start([Reply::Json(200, answer("好。"))]).await;
        let acme = add(&ctx, "acme", ProviderKind::OpenAi, &upstream, &["gpt-4o", "big"]).await;
        for model in ["gpt-4o", "big"] {
            let price = json!({"model": model, "input": 1_000_000, "output": 1_000_000});
            let price: PriceDraft = serde_json::from_value(price).unwrap();
            gateway::put_price(&ctx, acme.id, price).await.unwrap();
        }
        // By a quarter of its characters it reads some 650 tokens, by its vocabulary some 1,900; and 1,024 are expected to be written.
        let budget = json!({"name": "Team", "scope": "workspace", "period": "month", "limit_micros": 2_300});
        let budget: BudgetDraft = serde_json::from_value(budget).unwrap();
        gateway::create_budget(&ctx, budget).await.unwrap();
        let dense = |model: &str| {
            let messages = vec![Message::text(Role::User, DENSE.repeat(100))];
            Request { messages, ..question(model) }
        };
        assert_eq!(order(&ctx, dense("gpt-4o")).await.unwrap_err().class, FaultClass::Budget);
        assert_eq!(upstream.count(), 0, "nobody was asked");
        assert!(order(&ctx, dense("big")).await.is_ok(), "of others the estimate is all there is");
    }
}

#[tokio::test]
async fn a_model_whose_vocabulary_is_published_is_counted_by_it() {
    let site = Site::sqlite().await;
    let (rt, ctx, secret) = pointed(&site).await;
    let acme = Upstream::start([]).await;
    add(&ctx, "acme", ProviderKind::OpenAi, &acme, &["gpt-4o", "big"]).await;
    let asked = |model: &str| json!({"model": model, "instructions": "hello world", "input": "The quick brown fox jumps over the lazy dog."});
    let (status, headers, said) = send(&rt, COUNT, &secret, &asked("gpt-4o")).await;
    assert_eq!((status, &headers["x-weft-count"]), (StatusCode::OK, &"tokenizer".parse().unwrap()), "{said}");
    // 2 and 10 of the words; 4 around each of two messages, and 3 before the answer.
    assert_eq!(read(&said), json!({"object": "response.input_tokens", "input_tokens": 23}));
    let (_, headers, said) = send(&rt, COUNT, &secret, &asked("big")).await;
    // 11 and 44 characters, and one frame.
    assert_eq!((&headers["x-weft-count"], &read(&said)["input_tokens"]), (&"estimate".parse().unwrap(), &json!(18)));
    assert_eq!(send(&rt, COUNT, &secret, &json!({"model": "big"})).await.0, 400);
    // Before a call it is told, too, what each would read.
    let question =
        |model: &str| ExplainRequest { prompt: "hello world".into(), ..ExplainRequest::about(model, Dialect::OpenAi) };
    let explained = gateway::explain(&ctx, &question("gpt-4o")).await.unwrap();
    assert_eq!((explained.candidates[0].reads, explained.candidates[0].reads_by), (Some(9), TokensBy::Tokenizer));
    let explained = gateway::explain(&ctx, &question("big")).await.unwrap();
    assert_eq!((explained.candidates[0].reads, explained.candidates[0].reads_by), (Some(7), TokensBy::Estimate));
    let explained = gateway::explain(&ctx, &ExplainRequest::about("big", Dialect::OpenAi)).await.unwrap();
    assert_eq!(explained.candidates[0].reads, None, "nothing is asked");
    assert_eq!(acme.count(), 0);
}

#[tokio::test]
async fn a_dense_conversation_is_held_to_its_window_by_the_models_own_vocabulary() {
    let site = Site::sqlite().await;
    let (rt, ctx, secret) = pointed(&site).await;
    let upstream = Upstream::start([Reply::Json(200, answer("好。"))]).await;
    let acme = add(&ctx, "acme", ProviderKind::OpenAi, &upstream, &["gpt-4o"]).await;
    let rule = ContextRule { when_full: WhenFull::Prune, window: 2_000, keep_recent: 2, summary_route: String::new() };
    let draft = RouteDraft {
        name: "chat".into(),
        description: String::new(),
        targets: vec![Target::new(acme.id, "gpt-4o")],
        policy: Policy::default(),
        cache: CacheMode::Never,
        context: Some(rule),
    };
    gateway::create_route(&ctx, draft).await.unwrap();
    let turn =
        |n: usize| json!({"role": if n.is_multiple_of(2) { "user" } else { "assistant" }, "content": DENSE.repeat(6)});
    let mut messages: Vec<Value> = (0..20).map(turn).collect();
    messages.push(json!({"role": "user", "content": "What now?"}));
    // By a quarter of its characters it would fit: some 870 tokens.
    let (status, headers, said) =
        send(&rt, CHAT, &secret, &json!({"model": "chat", "max_tokens": 100, "messages": messages})).await;
    assert_eq!(status, 200, "{said}");
    assert!(headers["x-weft-context"].to_str().unwrap().starts_with("pruned; turns="), "{headers:?}");
    let sent = upstream.seen()[0].body["messages"].clone();
    assert!(sent.as_array().unwrap().len() < 21, "{sent}");
    let sent = gateway::read_request(Dialect::OpenAi, json!({"model": "gpt-4o", "messages": sent})).unwrap();
    let counted = gateway::count_tokens(&ctx, sent).await.unwrap();
    assert_eq!(counted.by, TokensBy::Tokenizer);
    assert!((100..=1_900).contains(&counted.input_tokens), "{counted:?}");
    let used = calls(&ctx).await[0].choice.context.clone().unwrap();
    assert_eq!((used.by, used.window), (TokensBy::Tokenizer, 2_000));
}
