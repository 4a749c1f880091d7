//! Conversations that are longer than their window: through the endpoints, the gateway's face and the step `agent`.

use std::collections::HashSet;

use axum::http::Method;
use serde_json::{Value, json};
use weft::agents;
use weft::gateway::{self, Answered, Order};
use weft::model::ApiError;
use weft::model::agent::{AgentDraft, AgentSpec, AgentTool, Entry};
use weft::model::cache::CacheMode;
use weft::model::gateway::{
    CallOutcome, CallSource, ContextRule, ContextWish, Dialect, FaultClass, MaskKind, Message, Model, Policy, Provider,
    ProviderKind, RedactionDraft, Request, Role, Route, RouteDraft, Target, WhenFull, estimate_request,
};
use weft::model::workflow::Fact;
use weft::runtime::Ctx;
use weft::workflow;

use super::agents::{answer_of, calling, model, spec, told, words};
use super::proxy::{CHAT, MESSAGES, claude, pointed, read, send};
use super::upstream::{Reply, Upstream};
use super::{add, answer, calls, chunks, draft, question, somebody};
use crate::auth::call;
use crate::engine::{chain, end, start};

/// A window of 2,000 tokens, of which the newest two messages stay.
fn narrow(when_full: WhenFull) -> ContextRule {
    ContextRule { when_full, window: 2_000, keep_recent: 2, summary_route: String::new() }
}

async fn route(ctx: &Ctx, context: Option<ContextRule>, targets: &[(&Provider, &str)]) -> Route {
    let draft = RouteDraft {
        name: "chat".into(),
        description: String::new(),
        targets: targets.iter().map(|(provider, model)| Target::new(provider.id, *model)).collect(),
        policy: Policy::default(),
        cache: CacheMode::Auto,
        context,
    };
    gateway::create_route(ctx, draft).await.unwrap()
}

/// A conversation of so many rounds in OpenAI's words: in each a tool is used, and gives 1,200 characters.
fn chat(rounds: usize) -> Value {
    let mut messages = vec![json!({"role": "system", "content": "You weave."})];
    for n in 0..rounds {
        let call = json!({"id": format!("call_{n}"), "type": "function", "function": {"name": "read", "arguments": "{\"path\":\"a\"}"}});
        messages.extend([
            json!({"role": "user", "content": format!("Wish {n}. {}", "w".repeat(300))}),
            json!({"role": "assistant", "content": null, "tool_calls": [call]}),
            json!({"role": "tool", "tool_call_id": format!("call_{n}"), "content": "r".repeat(1_200)}),
            json!({"role": "assistant", "content": format!("Done {n}. {}", "a".repeat(200))}),
        ]);
    }
    messages.push(json!({"role": "user", "content": "What now?"}));
    json!({"model": "chat", "max_tokens": 100, "messages": messages})
}

/// The same in Anthropic's, with what the model thought.
fn messages(rounds: usize) -> Value {
    let mut messages = Vec::new();
    for n in 0..rounds {
        let id = format!("toolu_{n}");
        messages.extend([
            json!({"role": "user", "content": format!("Wish {n}. {}", "w".repeat(300))}),
            json!({"role": "assistant", "content": [
                {"type": "thinking", "thinking": format!("I think of {n}."), "signature": "c2ln"},
                {"type": "tool_use", "id": id, "name": "read", "input": {"path": "a"}},
            ]}),
            json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "content": "r".repeat(1_200)}]}),
            json!({"role": "assistant", "content": format!("Done {n}. {}", "a".repeat(200))}),
        ]);
    }
    messages.push(json!({"role": "user", "content": "What now?"}));
    let tool = json!({"name": "read", "description": "Reads a file.", "input_schema": {"type": "object"}});
    json!({"model": "chat", "max_tokens": 100, "system": "You weave.", "messages": messages, "tools": [tool]})
}

/// Talk without tools that is far too long: so many rounds of some 100 tokens.
fn talk(rounds: usize) -> Vec<Message> {
    let round = |n: usize| {
        [
            Message::text(Role::User, format!("Wish {n}. {}", "w".repeat(300))),
            Message::text(Role::Assistant, format!("Done {n}.")),
        ]
    };
    (0..rounds).flat_map(round).chain([Message::text(Role::User, "What now?")]).collect()
}

fn asking(messages: Vec<Message>) -> Request {
    Request { messages, max_tokens: Some(100), ..question("chat") }
}

async fn ask(ctx: &Ctx, request: Request, context: ContextWish) -> gateway::Result<gateway::Answer> {
    let order = Order {
        request,
        source: CallSource::Proxy,
        step: None,
        agent: None,
        on_behalf_of: None,
        cache: Default::default(),
        context,
    };
    match gateway::call(ctx, order).await? {
        Answered::Whole(answer) => Ok(*answer),
        Answered::Live(_) => panic!("no stream was asked for"),
    }
}

/// What is sent is within the room, and each call of a tool has its result.
fn is_valid(dialect: Dialect, body: &Value) {
    let sent = gateway::read_request(dialect, body.clone()).unwrap();
    assert!(estimate_request(&sent) <= 1_900, "{} tokens", estimate_request(&sent));
    let text = body.to_string();
    let ids = |name: &str| -> HashSet<String> {
        let before = format!("\"{name}\":\"");
        let parts = text.split(&before).skip(1);
        parts.map(|part| part.split('"').next().unwrap().to_owned()).filter(|id| id.contains('_')).collect()
    };
    let (uses, results) = match dialect {
        Dialect::Anthropic => ("id", "tool_use_id"),
        _ => ("id", "tool_call_id"),
    };
    assert_eq!(ids(uses), ids(results), "{text}");
}

on_both_engines! {
    async fn a_program_of_openais_dialect_is_told_what_was_left_out(site: Site) {
        let (rt, ctx, key) = pointed(&site).await;
        let upstream = Upstream::start([Reply::Json(200, answer("A loom."))]).await;
        let acme = add(&ctx, "acme", ProviderKind::OpenAiCompatible, &upstream, &["big"]).await;
        route(&ctx, Some(narrow(WhenFull::Prune)), &[(&acme, "big")]).await;
        let (status, headers, text) = send(&rt, CHAT, &key, &chat(12)).await;
        assert_eq!(status, 200, "{text}");
        let said = headers["x-weft-context"].to_str().unwrap();
        assert!(said.starts_with("pruned; turns=") && said.ends_with("window=2000"), "{said}");
        assert!(headers["x-weft-route"].to_str().unwrap().contains("were left out, some"), "{headers:?}");

        let body = &upstream.seen()[0].body;
        is_valid(Dialect::OpenAi, body);
        let sent = body["messages"].as_array().unwrap();
        assert_eq!(sent[0], json!({"role": "system", "content": "You weave."}));
        assert_eq!(sent.last().unwrap()["content"], "What now?");
        assert!(sent.len() < 40 && body.to_string().contains("left out here to make room"), "{body}");

        let log = calls(&ctx).await;
        let left_out = log[0].choice.context.clone().unwrap();
        assert!(left_out.turns > 0 && left_out.tokens > 1_000 && !left_out.summarized, "{left_out:?}");
        assert_eq!(left_out.header(), said);
    }

    async fn a_program_of_anthropics_dialect_gets_its_thoughts_through_unaltered(site: Site) {
        let (rt, ctx, key) = pointed(&site).await;
        let upstream = Upstream::start([Reply::Json(200, claude("A loom."))]).await;
        let opus = add(&ctx, "claude", ProviderKind::Anthropic, &upstream, &["opus"]).await;
        route(&ctx, Some(narrow(WhenFull::Prune)), &[(&opus, "opus")]).await;
        let asked = messages(12);
        let (status, headers, text) = send(&rt, MESSAGES, &key, &asked).await;
        assert_eq!(status, 200, "{text}");
        assert!(headers.contains_key("x-weft-context"), "{headers:?}");
        let body = &upstream.seen()[0].body;
        is_valid(Dialect::Anthropic, body);
        let sent = body["messages"].as_array().unwrap();
        for (place, message) in sent.iter().enumerate() {
            assert_eq!(message["role"], if place % 2 == 0 { "user" } else { "assistant" }, "{body}");
            if message["role"] == "assistant" && message["content"].to_string().contains("thinking") {
                assert!(asked["messages"].as_array().unwrap().contains(message), "{message}");
            }
        }
        assert!(sent.last().unwrap()["content"].to_string().contains("What now?"));
    }

    async fn what_may_not_be_shortened_is_refused_with_its_length_before_anybody_is_asked(site: Site) {
        let (rt, ctx, key) = pointed(&site).await;
        let upstream = Upstream::start([]).await;
        let acme = add(&ctx, "acme", ProviderKind::OpenAiCompatible, &upstream, &["big"]).await;
        let made = route(&ctx, Some(narrow(WhenFull::Refuse)), &[(&acme, "big")]).await;
        let (status, _, text) = send(&rt, CHAT, &key, &chat(12)).await;
        assert!(status.is_client_error() && text.contains("may be sent 2000 tokens, and this takes some"), "{status} {text}");

        // The last turn alone is too long: there is nothing to leave out.
        let draft = RouteDraft {
            name: made.name, description: made.description, targets: made.targets, policy: made.policy, cache: made.cache,
            context: Some(narrow(WhenFull::Prune)),
        };
        gateway::update_route(&ctx, made.id, None::<i64>, draft).await.unwrap();
        let long = asking(vec![Message::text(Role::User, "x".repeat(9_000))]);
        let Err(gateway::Error::Fault(fault)) = ask(&ctx, long, ContextWish::default()).await else { panic!("it is refused") };
        assert_eq!(fault.class, FaultClass::TooLarge);
        assert!(fault.message.contains("what must stay of this takes some 23"), "{fault}");
        assert_eq!(upstream.count(), 0);
        assert!(calls(&ctx).await.iter().all(|call| call.outcome == CallOutcome::Failed));
    }

    async fn a_program_says_by_itself_what_is_done(site: Site) {
        let (rt, ctx, key) = pointed(&site).await;
        let upstream = Upstream::start([Reply::Json(200, answer("A loom.")), Reply::Json(200, answer("A loom."))]).await;
        let acme = add(&ctx, "acme", ProviderKind::OpenAiCompatible, &upstream, &["big"]).await;
        route(&ctx, None, &[(&acme, "big")]).await;
        let send = async |wish: Option<&str>| {
            let mut request = call(Method::POST, CHAT).with("x-api-key", &key);
            if let Some(wish) = wish {
                request = request.with("x-weft-context", wish);
            }
            let (parts, body) = request.json(&chat(12)).send(&rt).await.into_parts();
            let bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
            (parts.status.as_u16(), parts.headers, String::from_utf8(bytes.to_vec()).unwrap())
        };
        let (status, headers, _) = send(None).await;
        assert_eq!((status, headers.contains_key("x-weft-context")), (200, false), "nobody asked for it");
        let length = |body: &Value| body["messages"].as_array().unwrap().len();
        assert_eq!(length(&upstream.seen()[0].body), length(&chat(12)));
        let (status, headers, _) = send(Some("prune, window=2000, keep=2, pin=3")).await;
        assert_eq!((status, headers.contains_key("x-weft-context")), (200, true));
        let body = &upstream.seen()[1].body;
        is_valid(Dialect::OpenAi, body);
        let text = body.to_string();
        assert!(text.contains("Wish 2.") && !text.contains("Wish 1."), "{text}");
        let (status, _, text) = send(Some("forget")).await;
        assert_eq!(status, 400, "{text}");
        assert!(read(&text)["error"]["message"].as_str().unwrap().contains("prune"), "{text}");
    }

    async fn a_summary_is_made_once_and_taken_again_while_the_conversation_grows(site: Site) {
        let ctx = somebody(&site).await;
        gateway::update_redaction(&ctx, None, RedactionDraft { kinds: vec![MaskKind::Email], ..RedactionDraft::default() }).await.unwrap();
        let (main, cheap) = (Upstream::start([]).await, Upstream::start([Reply::Json(200, answer("They want [[weft-email-1]] to get a blue towel."))]).await);
        for _ in 0..2 {
            main.then(Reply::Json(200, answer("It is for [[weft-email-1]].")));
        }
        let acme = add(&ctx, "acme", ProviderKind::OpenAiCompatible, &main, &["big"]).await;
        add(&ctx, "small", ProviderKind::OpenAiCompatible, &cheap, &["cheap"]).await;
        let rule = ContextRule { summary_route: "small/cheap".into(), ..narrow(WhenFull::Summarize) };
        route(&ctx, Some(rule), &[(&acme, "big")]).await;
        let mut said = talk(30);
        said[20] = Message::text(Role::User, "It is for ada@example.org.");
        // What is asked so is looked up in the cache by itself.
        let cold = |said: &[Message]| {
            let mut request = asking(said.to_vec());
            request.sampling.temperature = Some(0.0);
            request
        };

        let first = ask(&ctx, cold(&said), ContextWish::default()).await.unwrap();
        assert_eq!(first.response.text(), "It is for ada@example.org.", "what is masked in a summary comes back, too");
        let used = first.choice.context.unwrap();
        assert!(used.summarized && used.turns > 20 && used.not_summarized.is_none(), "{used:?}");
        let sent = main.seen()[0].body.clone();
        is_valid(Dialect::OpenAi, &sent);
        assert!(sent.to_string().contains("They want [[weft-email-1]] to get a blue towel."), "{sent}");
        let material = cheap.seen()[0].body.to_string();
        assert!(material.contains("It is for [[weft-email-1]].") && !material.contains("ada@"), "{material}");

        said.extend([Message::text(Role::Assistant, "A towel."), Message::text(Role::User, "And then?")]);
        ask(&ctx, cold(&said), ContextWish::default()).await.unwrap();
        assert_eq!((main.count(), cheap.count()), (2, 1), "the summary was remembered");
        let start = |body: &Value| body["messages"].as_array().unwrap()[..3].to_vec();
        assert_eq!(start(&main.seen()[1].body), start(&sent), "what a provider keeps of the beginning holds");

        let log = calls(&ctx).await;
        let sources: Vec<CallSource> = log.iter().map(|call| call.source).collect();
        assert_eq!(sources.iter().filter(|source| **source == CallSource::Context).count(), 1, "{sources:?}");
        assert!(log.iter().filter(|call| call.source == CallSource::Proxy).all(|call| call.cache.is_none()), "not kept unasked");
    }

    async fn without_a_summary_the_turns_go_and_it_is_said_why(site: Site) {
        let ctx = somebody(&site).await;
        let upstream = Upstream::start([Reply::Json(200, answer("A loom."))]).await;
        let acme = add(&ctx, "acme", ProviderKind::OpenAiCompatible, &upstream, &["big"]).await;
        let rule = ContextRule { summary_route: "nobody".into(), ..narrow(WhenFull::Summarize) };
        route(&ctx, Some(rule), &[(&acme, "big")]).await;
        let answer = ask(&ctx, asking(talk(30)), ContextWish::default()).await.unwrap();
        let used = answer.choice.context.unwrap();
        assert!(!used.summarized && used.turns > 20, "{used:?}");
        assert!(used.not_summarized.unwrap().contains("no route and no provider has the model nobody"));
        is_valid(Dialect::OpenAi, &upstream.seen()[0].body);
    }

    async fn a_model_that_holds_less_than_the_window_counts_with_what_it_holds(site: Site) {
        let ctx = somebody(&site).await;
        let upstream = Upstream::start([Reply::Json(200, answer("A loom."))]).await;
        let mut provider = draft("acme", ProviderKind::OpenAiCompatible, &upstream, &[]);
        provider.models = vec![Model { context_tokens: Some(2_000), ..Model::named("small") }];
        let acme = gateway::create_provider(&ctx, provider).await.unwrap();
        route(&ctx, Some(ContextRule { keep_recent: 2, ..ContextRule::default() }), &[(&acme, "small")]).await;
        let answer = ask(&ctx, asking(talk(30)), ContextWish::default()).await.unwrap();
        assert_eq!(answer.choice.context.unwrap().window, 2_000);
        is_valid(Dialect::OpenAi, &upstream.seen()[0].body);
    }

    async fn an_agent_goes_on_without_its_old_results_and_says_so(site: Site) {
        let ctx = somebody(&site).await;
        for key in ["a", "b", "c"] {
            let draft = json!({"content": format!("Note {key}: {}", "thread ".repeat(500))});
            let (expect, source) = (weft::memory::Expect::Any, weft::model::memory::Source::Cli {});
            weft::memory::put(&ctx, "notes", key, serde_json::from_value(draft).unwrap(), expect, source).await.unwrap();
        }
        let look = |id: &'static str, key: &'static str| calling(&[(id, AgentTool::MemoryRead, json!({"namespace": "notes", "key": key}))]);
        let upstream = model(&ctx, [look("1", "a"), look("2", "b"), look("3", "c"), words("I read all.")]).await;
        let spec = AgentSpec {
            context: ContextRule { window: 3_500, keep_recent: 2, ..ContextRule::default() },
            ..spec(&[AgentTool::MemoryRead])
        };
        let id = agents::create(&ctx, AgentDraft { name: "reader".into(), spec }).await.unwrap().id;
        let run = workflow::give_task(&ctx, id, "Read the notes.".into(), None).await.unwrap();
        assert_eq!(answer_of(&end(&ctx, run).await)["text"], "I read all.");
        let last = told(&upstream, 3).join("\n");
        assert!(last.contains("Read the notes.") && last.contains("Note c") && !last.contains("Note a"), "{last}");
        assert!(last.contains("tokens of tool output left out to make room"), "{last}");
        let events = workflow::list_events(&ctx, run, 0, 1000).await.unwrap();
        let entries = events.into_iter().filter_map(|event| match event.fact {
            Fact::StepAdvanced { entry, .. } => Some(Entry::read(&entry).unwrap()),
            _ => None,
        });
        let left_out: Vec<u32> = entries
            .filter_map(|entry| match entry {
                Entry::Said { context, .. } => Some(context.map_or(0, |context| context.results)),
                _ => None,
            })
            .collect();
        assert_eq!((left_out[0], *left_out.last().unwrap() > 0), (0, true), "{left_out:?}");
    }

    async fn a_step_says_by_itself_what_is_done(site: Site) {
        let ctx = somebody(&site).await;
        let upstream = Upstream::start([]).await;
        add(&ctx, "acme", ProviderKind::OpenAiCompatible, &upstream, &["big"]).await;
        let one = |kind: &str, mut config: Value, context: Value| {
            config["context"] = context;
            let mut definition = chain(vec![json!({"id": "ask", "kind": kind, "config": config})]);
            definition.output = json!("{{ steps.ask.output }}");
            definition
        };
        let long = json!({"prompt": format!("What is this? {}", "thread ".repeat(2_000))});
        let window = json!({"when_full": "refuse", "window": "{{ inputs.n }}"});
        let run = start(&ctx, &one("prompt", long.clone(), window), json!({"n": 2_000})).await;
        let error = end(&ctx, run).await.error.unwrap();
        assert_eq!(error.class, "too_large");
        assert!(error.message.contains("2000 tokens"), "{error:?}");
        let run = start(&ctx, &one("prompt", long.clone(), json!({"window": "{{ inputs.n }}"})), json!({"n": 1})).await;
        let error = end(&ctx, run).await.error.unwrap();
        assert!(error.message.starts_with("context: window: expected a whole number from 2000"), "{error:?}");
        assert_eq!(upstream.count(), 0, "nobody was asked");
        upstream.then(Reply::Events(chunks(&["A loom."])));
        let run = start(&ctx, &one("prompt", long, json!({"window": 50_000})), json!({"n": 1})).await;
        assert_eq!(answer_of(&end(&ctx, run).await)["text"], "A loom.");
    }

    async fn a_step_narrows_what_its_agent_may_send(site: Site) {
        let ctx = somebody(&site).await;
        let upstream = model(&ctx, [words("A loom.")]).await;
        agents::create(&ctx, AgentDraft { name: "reader".into(), spec: spec(&[]) }).await.unwrap();
        let task = format!("Read this: {}", "thread ".repeat(2_000));
        let step = |context: Value| {
            let config = json!({"agent": "reader", "prompt": task, "context": context});
            chain(vec![json!({"id": "read", "kind": "agent", "config": config})])
        };
        let run = start(&ctx, &step(json!({"window": 2_000})), json!({"n": 1})).await;
        let error = end(&ctx, run).await.error.unwrap();
        assert_eq!((error.class.as_str(), upstream.count()), ("too_large", 0), "{error:?}");
        let run = start(&ctx, &step(json!({"when_full": "summarize"})), json!({"n": 1})).await;
        end(&ctx, run).await;
        assert_eq!(upstream.count(), 1);
    }

    async fn a_rule_that_does_not_fit_is_refused_by_its_field(site: Site) {
        let ctx = somebody(&site).await;
        let upstream = Upstream::start([]).await;
        let acme = add(&ctx, "acme", ProviderKind::OpenAiCompatible, &upstream, &["big"]).await;
        let context = Some(ContextRule { window: 10, keep_recent: 0, ..ContextRule::default() });
        let targets = vec![Target::new(acme.id, "big")];
        let (description, policy, cache) = (String::new(), Policy::default(), CacheMode::Auto);
        let draft = RouteDraft { name: "chat".into(), description, targets, policy, cache, context };
        let error: ApiError = gateway::create_route(&ctx, draft).await.unwrap_err().into();
        assert!(error.field("/context/window").is_some() && error.field("/context/keep_recent").is_some(), "{error:?}");
        let made = route(&ctx, Some(narrow(WhenFull::Summarize)), &[(&acme, "big")]).await;
        assert_eq!(gateway::get_route(&ctx, made.id).await.unwrap().context, Some(narrow(WhenFull::Summarize)));
    }
}
