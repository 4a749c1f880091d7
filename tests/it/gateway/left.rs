//! What is left behind at providers: calls that were sent, and whose answer nobody waits for any more. Each is billed once.

use serde_json::json;
use weft::gateway;
use weft::model::gateway::{
    BudgetDraft, CallOutcome, CallRecord, Dialect, Message, Provider, ProviderKind, Request, Role,
};
use weft::runtime::Ctx;

use super::upstream::{Gate, Reply, Upstream};
use super::{add, add_hasty, answer, ask, calls, chunks, draft, drain, order, route, somebody, stream};
use crate::support::Site;

/// The head of an answer of Anthropic's, which tells what was read.
const BEGUN: &str = concat!(
    "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",",
    "\"model\":\"opus\",\"content\":[],\"stop_reason\":null,\"usage\":{\"input_tokens\":17,\"cache_read_input_tokens\":900,",
    "\"output_tokens\":1}}}\n\n"
);

/// A provider that gives up after a second, and is asked as often as `retries` says once more.
async fn brief(ctx: &Ctx, name: &str, upstream: &Upstream, retries: u32) -> Provider {
    let mut draft = draft(name, ProviderKind::OpenAiCompatible, upstream, &["big"]);
    draft.limits.max_retries = retries;
    (draft.limits.first_token_ms, draft.limits.total_ms) = (1_000, 1_000);
    gateway::create_provider(ctx, draft).await.unwrap()
}

/// A dollar for a million tokens.
async fn price(ctx: &Ctx, provider: &Provider, model: &str) {
    let price = json!({"model": model, "input": 1_000_000, "output": 1_000_000});
    gateway::put_price(ctx, provider.id, serde_json::from_value(price).unwrap()).await.unwrap();
}

fn of<'a>(log: &'a [CallRecord], provider: &str) -> &'a CallRecord {
    log.iter().find(|call| call.provider == provider).unwrap()
}

on_both_engines! {
    async fn a_call_that_its_deadline_ends_costs_what_it_was_sent_to_read(site: Site) {
        let ctx = somebody(&site).await;
        let gate = Gate::default();
        let upstream = Upstream::start([gate.hold(Reply::Json(200, answer("Late.")))]).await;
        let acme = brief(&ctx, "acme", &upstream, 0).await;
        price(&ctx, &acme, "big").await;
        let budget = json!({"name": "Team", "scope": "workspace", "period": "month", "limit_micros": 1_000_000});
        let budget: BudgetDraft = serde_json::from_value(budget).unwrap();
        let budget = gateway::create_budget(&ctx, budget).await.unwrap();
        ask(&ctx, "big").await.unwrap_err();
        let log = calls(&ctx).await;
        assert_eq!((log.len(), log[0].outcome, log[0].estimated), (1, CallOutcome::Cancelled, true), "{log:?}");
        assert_eq!((log[0].usage.input, log[0].usage.output), (8, 0));
        assert_eq!(log[0].cost_micros, Some(8));
        let state = gateway::get_budget(&ctx, budget.budget.id).await.unwrap();
        assert_eq!(state.spenders[0].spent_micros, 8, "the budget knows");
    }

    async fn an_answer_that_breaks_off_before_its_first_token_was_read_all_the_same(site: Site) {
        let ctx = somebody(&site).await;
        let upstream = Upstream::start([Reply::Cut(BEGUN.to_owned()), Reply::Events(String::new())]).await;
        let mut draft = draft("claude", ProviderKind::Anthropic, &upstream, &["opus"]);
        draft.limits.max_retries = 0;
        gateway::create_provider(&ctx, draft).await.unwrap();
        stream(&ctx, "opus").await.unwrap_err();
        let log = calls(&ctx).await;
        assert_eq!((log.len(), log[0].outcome, log[0].estimated), (1, CallOutcome::Partial, true), "{log:?}");
        assert_eq!((log[0].usage.input, log[0].usage.cache_read, log[0].usage.output), (17, 900, 1), "its own numbers");
        assert!(log[0].error.as_ref().unwrap().starts_with("claude: "));
        // With no more than a head there are no numbers.
        stream(&ctx, "opus").await.unwrap_err();
        let log = calls(&ctx).await;
        assert_eq!((log.len(), log[0].outcome, log[0].usage.input), (2, CallOutcome::Partial, 8), "{log:?}");
    }

    async fn what_was_tried_again_elsewhere_is_billed_beside_the_answer(site: Site) {
        let ctx = somebody(&site).await;
        let (slow, fast) = (Upstream::start([Reply::Stall(String::new()), Reply::Stall(String::new())]).await, Upstream::start([Reply::Events(chunks(&["A loom."]))]).await);
        let one = brief(&ctx, "one", &slow, 0).await;
        let two = add_hasty(&ctx, "two", &fast, &["big"]).await;
        price(&ctx, &one, "big").await;
        route(&ctx, "smart", &[(&one, "big"), (&two, "big")]).await;
        let mut live = stream(&ctx, "smart").await.unwrap();
        assert_eq!(drain(&mut live).await.0, "A loom.");
        drop(live);
        let log = calls(&ctx).await;
        assert_eq!(log.len(), 2, "{log:?}");
        let (left, answered) = (of(&log, "one"), of(&log, "two"));
        assert_eq!((answered.outcome, answered.estimated, answered.usage.output), (CallOutcome::Complete, false, 100));
        assert_eq!((left.outcome, left.estimated, left.usage.input), (CallOutcome::Partial, true, 8));
        assert_eq!((left.cost_micros, left.error.as_deref()), (Some(8), Some("one: no answer within 1000 ms")));
        assert_eq!(left.choice, answered.choice, "they are one question");
    }

    async fn what_was_refused_costs_nothing(site: Site) {
        let ctx = somebody(&site).await;
        let busy = || Reply::Json(503, json!({"error": {"message": "busy"}}));
        let upstream = Upstream::start([busy(), Reply::Json(200, answer("Yes."))]).await;
        add(&ctx, "acme", ProviderKind::OpenAiCompatible, &upstream, &["big"]).await;
        ask(&ctx, "big").await.unwrap();
        assert_eq!(calls(&ctx).await.len(), 1);
    }

    async fn a_provider_that_counts_nothing_is_counted_here(site: Site) {
        let ctx = somebody(&site).await;
        let mut half = answer("A loom, I think.");
        half["usage"] = json!({"prompt_tokens": 1000});
        let silent: String = chunks(&["A loom, ", "I think."]).split_inclusive("\n\n").filter(|chunk| !chunk.contains("prompt_tokens")).collect();
        let upstream = Upstream::start([Reply::Json(200, half), Reply::Events(silent)]).await;
        add(&ctx, "acme", ProviderKind::OpenAiCompatible, &upstream, &["big"]).await;
        ask(&ctx, "big").await.unwrap();
        let mut live = stream(&ctx, "big").await.unwrap();
        drain(&mut live).await;
        drop(live);
        let log = calls(&ctx).await;
        let told: Vec<_> = log.iter().map(|call| (call.outcome, call.estimated, call.usage.input, call.usage.output)).collect();
        assert_eq!(told, [(CallOutcome::Complete, true, 8, 4), (CallOutcome::Complete, true, 1000, 4)]);
    }
}

#[tokio::test]
async fn what_another_dialect_has_no_word_for_is_told_and_kept_with_the_call() {
    let site = Site::sqlite().await;
    let ctx = somebody(&site).await;
    let upstream = Upstream::start([Reply::Json(200, super::proxy::claude("A loom."))]).await;
    add(&ctx, "claude", ProviderKind::Anthropic, &upstream, &["opus"]).await;
    let mut request = Request::new(Dialect::OpenAi, "opus");
    request.messages.push(Message::text(Role::User, "What is this?"));
    request.sampling.temperature = Some(1.5);
    let gateway::Answered::Whole(answered) = order(&ctx, request).await.unwrap() else { panic!("no stream") };
    assert_eq!(answered.choice.notices, ["temperature 1.5 became 1, the most that Anthropic takes"]);
    assert_eq!(upstream.seen()[0].body["temperature"], json!(1.0));
    assert_eq!(calls(&ctx).await[0].choice, answered.choice);
}

fn said<'a>(headers: &'a axum::http::HeaderMap, name: &str) -> &'a str {
    headers.get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn limits_are_told_to_whoever_asks_whosever_they_are() {
    use super::proxy::{CHAT, MESSAGES, chat, messages, pointed, send};
    let site = Site::sqlite().await;
    let (rt, ctx, key) = pointed(&site).await;
    let told = &[("x-ratelimit-remaining-requests", "59"), ("x-secret", "s"), ("set-cookie", "a=b")];
    let upstream = Upstream::start([Reply::Headed(told, answer("x"))]).await;
    let mut draft = draft("acme", ProviderKind::OpenAi, &upstream, &["gpt"]);
    draft.limits.max_retries = 0;
    (draft.limits.requests_per_minute, draft.limits.queue) = (Some(2), 0);
    let acme = gateway::create_provider(&ctx, draft).await.unwrap();
    let (status, headers, _) = send(&rt, CHAT, &key, &chat("gpt")).await;
    assert_eq!((status.as_u16(), said(&headers, "x-ratelimit-remaining-requests")), (200, "59"));
    assert!(!headers.contains_key("set-cookie") && !headers.contains_key("x-secret"), "{headers:?}");
    let slow = json!({"error": {"message": "slow"}});
    upstream.then(Reply::With(429, "anthropic-ratelimit-requests-remaining", "0", slow));
    let (status, headers, _) = send(&rt, CHAT, &key, &chat("gpt")).await;
    assert_eq!((status.as_u16(), said(&headers, "anthropic-ratelimit-requests-remaining")), (429, "0"));
    // The two of this minute are used up: from here on it is we who refuse.
    gateway::reset_provider(&ctx, acme.id).await.unwrap();
    let (status, headers, body) = send(&rt, CHAT, &key, &chat("gpt")).await;
    assert_eq!((status.as_u16(), upstream.count()), (429, 2), "{body}");
    assert_eq!(said(&headers, "x-ratelimit-limit-requests"), "2");
    assert_eq!(said(&headers, "x-ratelimit-remaining-requests"), "0");
    assert!(headers.contains_key("x-ratelimit-reset-requests") && headers.contains_key("retry-after"));
    let (_, headers, _) = send(&rt, MESSAGES, &key, &messages("gpt")).await;
    assert_eq!(said(&headers, "anthropic-ratelimit-requests-limit"), "2");
    assert_eq!(said(&headers, "anthropic-ratelimit-requests-remaining"), "0");
}

/// An answer of Anthropic's with a source, a search of its own and what was kept for an hour.
fn cited() -> serde_json::Value {
    let mut answer = super::proxy::claude("A loom.");
    answer["content"][0]["citations"] = json!([{"type": "char_location", "cited_text": "loom"}]);
    let search = json!({"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {"query": "loom"}});
    answer["content"].as_array_mut().unwrap().insert(0, search);
    answer["stop_reason"] = json!("stop_sequence");
    answer["stop_sequence"] = json!("END");
    answer
}

/// The same in pieces.
const CITED: &str = concat!(
    "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",",
    "\"model\":\"opus\",\"content\":[],\"stop_reason\":null,\"usage\":{\"input_tokens\":17,\"output_tokens\":1}}}\n\n",
    "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"server_tool_use\",\"id\":\"srv_1\",",
    "\"name\":\"web_search\",\"input\":{}}}\n\n",
    "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n",
    "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":1,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n",
    "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":\"text_delta\",\"text\":\"A loom.\"}}\n\n",
    "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":\"citations_delta\",\"citation\":{}}}\n\n",
    "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":1}\n\n",
    "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"stop_sequence\",\"stop_sequence\":\"END\"},",
    "\"usage\":{\"output_tokens\":9}}\n\n",
    "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"
);

#[tokio::test]
async fn what_an_answer_loses_is_told_in_its_head_or_at_its_end_and_kept_with_the_call() {
    use super::proxy::{CHAT, MESSAGES, chat, messages, pointed, send};
    let site = Site::sqlite().await;
    let (rt, ctx, key) = pointed(&site).await;
    let twice = || [Reply::Json(200, cited()), Reply::Events(CITED.to_owned())];
    let upstream = Upstream::start(twice().into_iter().chain(twice())).await;
    add(&ctx, "claude", ProviderKind::Anthropic, &upstream, &["opus"]).await;
    let lost = [
        "1 block of the type server_tool_use left out of the answer: OpenAI Chat Completions has none",
        "citations of 1 text left out of the answer: OpenAI Chat Completions has another form for them, or none",
        "why the answer ended is not told in OpenAI Chat Completions: a text that ends it",
        "which text ended the answer is not told in OpenAI Chat Completions",
    ];
    let (_, headers, body) = send(&rt, CHAT, &key, &chat("opus")).await;
    assert_eq!(said(&headers, "x-weft-notice"), lost.join("; "), "{body}");
    let mut streamed = chat("opus");
    streamed["stream"] = json!(true);
    let (_, headers, body) = send(&rt, CHAT, &key, &streamed).await;
    assert_eq!(said(&headers, "x-weft-notice"), "", "its head was gone by then");
    let comment = format!(": x-weft-notice: {}\n\n", lost.join("; "));
    assert_eq!(body.matches(&comment).count(), 1, "{body}");
    assert!(body.find(&comment) < body.find("\"finish_reason\":\"stop\""), "{body}");
    assert!(body.ends_with("data: [DONE]\n\n"), "{body}");
    let log = calls(&ctx).await;
    assert!(log.len() == 2 && log.iter().all(|call| call.choice.lost == lost), "{log:?}");

    // Who speaks the dialect of who answers loses nothing.
    let (_, headers, _) = send(&rt, MESSAGES, &key, &messages("opus")).await;
    assert_eq!(said(&headers, "x-weft-notice"), "");
    let mut streamed = messages("opus");
    streamed["stream"] = json!(true);
    let (_, _, body) = send(&rt, MESSAGES, &key, &streamed).await;
    assert!(!body.contains("x-weft-notice") && body.contains("citations_delta"), "{body}");
    assert!(calls(&ctx).await[..2].iter().all(|call| call.choice.lost.is_empty()));
}
