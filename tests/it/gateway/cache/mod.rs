//! The response cache, through the gateway: what is given again and what is not.

mod bounds;
mod depend;
mod flight;
mod hits;
mod isolation;
mod manage;
mod master;
mod semantic;
mod warming;
mod wire;

use weft::cache;
use weft::gateway::{self, Answer, Answered, Order};
use weft::model::auth::Role as Rights;
use weft::model::cache::{CacheOutcome, CacheTier, CacheWish, Dependency, SourceKind};
use weft::model::gateway::{CallSource, ProviderKind, Request};
use weft::model::{LoginSessionId, UserId};
use weft::runtime::{Actor, Ctx, Principal};

use super::upstream::{Reply, Upstream};
use super::{add, answer, question, somebody};
use crate::support::Site;

/// A question at temperature 0: the cache is asked for it.
fn cold(text: &str) -> Request {
    let mut request = question("big");
    request.sampling.temperature = Some(0.0);
    request.messages.clear();
    request.messages.push(weft::model::gateway::Message::text(weft::model::gateway::Role::User, text));
    request
}

fn order(request: Request, cache: CacheWish) -> Order {
    Order {
        request,
        source: CallSource::Proxy,
        step: None,
        agent: None,
        on_behalf_of: None,
        cache,
        context: Default::default(),
    }
}

/// Asks, and waits until what is kept is stored.
async fn ask_so(ctx: &Ctx, request: Request, wish: CacheWish) -> Answer {
    let answered = gateway::call(ctx, order(request, wish)).await.unwrap();
    cache::settled(ctx).await;
    match answered {
        Answered::Whole(answer) => *answer,
        Answered::Live(_) => panic!("no stream was asked for"),
    }
}

async fn ask(ctx: &Ctx, request: Request) -> Answer {
    ask_so(ctx, request, CacheWish::default()).await
}

/// What the cache did: `hit`, `miss` or `off`.
fn did(answer: &Answer) -> &'static str {
    answer.cache.map_or("off", |cache| cache.outcome.as_str())
}

fn tier(answer: &Answer) -> Option<CacheTier> {
    answer.cache.and_then(|cache| cache.tier)
}

/// A model server that answers each question with the next number, and the provider `acme` before it.
async fn counting(ctx: &Ctx, times: usize) -> Upstream {
    let upstream = Upstream::start((1..=times).map(|n| Reply::Json(200, answer(&format!("Answer {n}."))))).await;
    add(ctx, "acme", ProviderKind::OpenAiCompatible, &upstream, &["big", "small"]).await;
    upstream
}

/// Somebody else in the same workspace, with this role.
fn person(ctx: &Ctx, role: Rights) -> Ctx {
    let (id, session): (UserId, LoginSessionId) = (ctx.ids.fresh(), ctx.ids.fresh());
    let principal = Principal::User { id, name: "Ada".into(), session };
    ctx.runtime().as_actor(Actor { workspace: ctx.workspace(), principal, role }, String::new())
}

fn on(kind: SourceKind, id: &str, fingerprint: Option<&str>) -> Dependency {
    Dependency { kind, id: id.to_owned(), fingerprint: fingerprint.map(str::to_owned) }
}

fn is_hit(answer: &Answer) -> bool {
    answer.cache.is_some_and(|cache| cache.outcome == CacheOutcome::Hit)
}
