//! The gateway against a server that misbehaves on command: through its face, its endpoints and the step `prompt`.

pub mod agents;
mod assigned;
mod budgets;
mod cache;
mod calls;
mod changes;
mod code;
mod compared;
mod context;
mod crowd;
mod explain;
mod failures;
mod flags;
mod handed;
mod hedge;
mod hooks;
mod injected;
mod leases;
mod ledger;
mod left;
mod looked_at;
mod manage;
mod messages;
mod ollama;
mod personas;
mod policy;
mod proxy;
mod queue;
mod queued;
mod redaction;
mod responses;
mod several;
mod steps;
mod summaries;
mod summary_rules;
mod tasks;
mod teams;
mod tokens;
pub mod upstream;
mod vectors;

use serde_json::{Value, json};
use weft::gateway::{self, Answer, Answered, Order};
use weft::model::PageRequest;
use weft::model::cache::{CacheMode, CacheWish};
use weft::model::gateway::{
    CallFilter, CallRecord, CallSource, ContextWish, Credential, Delta, Dialect, Fault, Limits, Message, Model,
    Provider, ProviderDraft, ProviderKind, Request, Role, Route, RouteDraft, Target,
};
use weft::runtime::outbound::{Outbound, Policy};
use weft::runtime::{Clock, Config, Ctx, Runtime};

use crate::engine::ctx;
use crate::support::Site;
use upstream::Upstream;

/// A process that may reach loopback, by this clock.
pub fn process(site: &Site, clock: Clock) -> Runtime {
    let policy = Policy::allowing(&["127.0.0.1/32"]).unwrap();
    let config = Config::isolated(site.folder.path());
    let old = &site.runtime;
    Runtime::new(config, old.db.clone(), clock, old.keys.clone(), Outbound::new(policy))
}

/// Somebody in a workspace of their own, in a process that may reach loopback.
pub async fn somebody(site: &Site) -> Ctx {
    ctx(&process(site, Clock::System)).await
}

fn draft(name: &str, kind: ProviderKind, upstream: &Upstream, models: &[&str]) -> ProviderDraft {
    let bare = matches!(kind, ProviderKind::Anthropic | ProviderKind::Ollama);
    let base_url = if bare { upstream.url.clone() } else { format!("{}/v1", upstream.url) };
    ProviderDraft {
        name: name.into(),
        kind,
        base_url,
        credential: Some(Credential(format!("sk-secret-of-{name}"))),
        models: models.iter().map(|model| Model::named(*model)).collect(),
        responses: false,
        enabled: true,
        limits: Limits { first_token_ms: 2_000, total_ms: 5_000, ..Limits::default() },
    }
}

pub async fn add(ctx: &Ctx, name: &str, kind: ProviderKind, upstream: &Upstream, models: &[&str]) -> Provider {
    gateway::create_provider(ctx, draft(name, kind, upstream, models)).await.unwrap()
}

/// A provider that is asked once and not again.
async fn add_hasty(ctx: &Ctx, name: &str, upstream: &Upstream, models: &[&str]) -> Provider {
    let mut draft = draft(name, ProviderKind::OpenAiCompatible, upstream, models);
    draft.limits.max_retries = 0;
    gateway::create_provider(ctx, draft).await.unwrap()
}

async fn route(ctx: &Ctx, name: &str, targets: &[(&Provider, &str)]) -> Route {
    let targets = targets.iter().map(|(provider, model)| Target::new(provider.id, *model)).collect();
    gateway::create_route(
        ctx,
        RouteDraft {
            name: name.into(),
            description: String::new(),
            targets,
            policy: weft::model::gateway::Policy::default(),
            cache: CacheMode::Auto,
            context: None,
        },
    )
    .await
    .unwrap()
}

fn question(model: &str) -> Request {
    let mut request = Request::new(Dialect::OpenAi, model);
    request.messages.push(Message::text(Role::User, "What is this?"));
    request
}

async fn order(ctx: &Ctx, request: Request) -> Result<Answered, Fault> {
    let order = Order {
        request,
        source: CallSource::Proxy,
        step: None,
        agent: None,
        on_behalf_of: None,
        cache: CacheWish::default(),
        context: ContextWish::default(),
    };
    gateway::call(ctx, order).await.map_err(|error| match error {
        gateway::Error::Fault(fault) => fault,
        other => panic!("{other}"),
    })
}

async fn ask(ctx: &Ctx, model: &str) -> Result<Answer, Fault> {
    match order(ctx, question(model)).await? {
        Answered::Whole(answer) => Ok(*answer),
        Answered::Live(_) => panic!("no stream was asked for"),
    }
}

async fn stream(ctx: &Ctx, model: &str) -> Result<Box<gateway::Live>, Fault> {
    let request = Request { stream: true, ..question(model) };
    match order(ctx, request).await? {
        Answered::Live(live) => Ok(live),
        Answered::Whole(_) => panic!("a stream was asked for"),
    }
}

/// What comes, and why it broke off if it did.
async fn drain(live: &mut gateway::Live) -> (String, Option<Fault>) {
    let mut text = String::new();
    while let Some(piece) = live.next().await {
        match piece {
            Ok(Delta::Text { text: more, .. }) => text.push_str(&more),
            Ok(_) => {}
            Err(fault) => return (text, Some(fault)),
        }
    }
    (text, None)
}

/// The log of calls, newest first, once all is written.
async fn calls(ctx: &Ctx) -> Vec<CallRecord> {
    gateway::settled(ctx).await;
    let page = gateway::list_calls(ctx, &CallFilter::default(), &PageRequest::default()).await.unwrap();
    page.items.into_iter().map(|line| line.call).collect()
}

/// A whole answer as OpenAI's wire has it.
fn answer(text: &str) -> Value {
    json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "real-name",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100, "prompt_tokens_details": {"cached_tokens": 400}},
    })
}

/// The same as a stream.
fn chunks(pieces: &[&str]) -> String {
    let chunk = |choices: Value, usage: Value| {
        let chunk = json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "real-name",
            "choices": choices, "usage": usage});
        format!("data: {chunk}\n\n")
    };
    let mut text: String = pieces
        .iter()
        .map(|piece| chunk(json!([{"index": 0, "delta": {"content": piece}, "finish_reason": null}]), Value::Null))
        .collect();
    text.push_str(&chunk(json!([{"index": 0, "delta": {}, "finish_reason": "stop"}]), Value::Null));
    text.push_str(&chunk(json!([]), json!({"prompt_tokens": 1000, "completion_tokens": 100})));
    text.push_str("data: [DONE]\n\n");
    text
}

/// The beginning of a stream.
fn first_chunks(pieces: &[&str]) -> String {
    let all = chunks(pieces);
    let end = all.match_indices("\n\n").nth(pieces.len() - 1).unwrap().0 + 2;
    all[..end].to_owned()
}
