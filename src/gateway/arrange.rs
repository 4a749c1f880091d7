//! The order in which the models of a route are asked, for one call: what a route's policy needs to know is gathered here,
//! and decided by [`order`].

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::ask::Ask;
use super::candidates::{Candidate, Found};
use super::error::Result;
use super::health::Health;
use super::store::{self, provider::ProviderRow};
use crate::model::gateway::{By, Contender, Policy, Request, Route, Score, Target, format_usd, order, score_request};
use crate::model::{ProviderId, RouteId, WorkspaceId};
use crate::runtime::Ctx;

/// How long a session stays with its model after its last call.
const SESSION_FOR: Duration = Duration::from_secs(3600);
/// Sessions that are remembered; the oldest go first.
const MOST_SESSIONS: usize = 20_000;

/// A session of a route, by a hash of its name.
type Session = (WorkspaceId, RouteId, [u8; 32]);

/// Which model a session stays with. In memory: another process draws by itself.
#[derive(Debug, Default)]
struct Sessions(Mutex<HashMap<Session, (ProviderId, String, Duration)>>);

/// How hard the task of a request is, where the route goes by that.
pub(super) fn score(route: &Route, request: &Request) -> Option<Score> {
    (route.policy.by == By::Task).then(|| score_request(request, &route.policy.task))
}

/// Orders the candidates of a route, and says why.
///
/// # Errors
/// The database's.
pub(super) async fn arrange(
    ctx: &Ctx,
    (route, score): (&Route, Option<&Score>),
    request: &Request,
    rows: &[ProviderRow],
    (candidates, rule): Found,
) -> Result<Found> {
    let policy = &route.policy;
    let mut contenders = Vec::with_capacity(candidates.len());
    for candidate in &candidates {
        contenders.push(contender(ctx, route, request, (rows[candidate.provider].id, &candidate.model.id)).await?);
    }
    let session = session(ctx, route, request);
    let level = score.map(|score| score.level).unwrap_or_default();
    let places = order(policy, &contenders, level, draw(ctx, policy, session.as_ref()));
    let mut why = vec![rule];
    why.extend(match policy.by {
        By::Order => None,
        By::Weight => Some("drawn by weight".to_owned()),
        By::Cost => Some("the cheapest first".to_owned()),
        By::Latency => Some("the fastest first".to_owned()),
        By::Task => score.map(Score::why),
    });
    let mut slots: Vec<Option<Candidate>> = candidates.into_iter().map(Some).collect();
    let mut ordered: Vec<Candidate> = places.iter().filter_map(|place| slots[*place].take()).collect();
    let stays = session.as_ref().and_then(|session| {
        let (provider, model) = recall(ctx, session)?;
        ordered.iter().position(|one| rows[one.provider].id == provider && one.model.id == model)
    });
    if let Some(at) = stays {
        let first = ordered.remove(at);
        ordered.insert(0, first);
        why.push("as in the calls of this session before".to_owned());
    }
    Ok((ordered, why.join("; ")))
}

/// What speaks for a model, for people; `None` where the route goes by its list.
///
/// # Errors
/// The database's.
pub(super) async fn reason(
    ctx: &Ctx,
    route: &Route,
    request: &Request,
    (provider, model): (ProviderId, &str),
) -> Result<Option<String>> {
    let known = contender(ctx, route, request, (provider, model)).await?;
    let weights: u32 = route.targets.iter().map(|target| target.weight).sum();
    Ok(match route.policy.by {
        By::Order => None,
        By::Weight => {
            let share = f64::from(known.weight) * 100.0 / f64::from(weights.max(1));
            Some(format!("first for {share:.0} % of the calls"))
        }
        By::Cost => Some(match known.cost_micros {
            Some(micros) => format!("some ${} for this call", format_usd(micros)),
            None => "has no price".to_owned(),
        }),
        By::Latency => Some(match known.latency_ms {
            Some(ms) => format!("began to answer after {ms} ms of late"),
            None => "was not asked of late".to_owned(),
        }),
        By::Task => Some(format!("takes tasks up to {}", known.takes.as_str())),
    })
}

async fn contender(
    ctx: &Ctx,
    route: &Route,
    request: &Request,
    (provider, model): (ProviderId, &str),
) -> Result<Contender> {
    let usual = Target::new(provider, model);
    let target = route.targets.iter().find(|target| target.provider_id == provider && target.model == model);
    let target = target.unwrap_or(&usual);
    let price = match route.policy.by {
        By::Cost => store::price::find(&ctx.db, provider, model, ctx.clock.now()).await?,
        _ => None,
    };
    let health: Arc<Health> = ctx.shared();
    Ok(Contender {
        weight: target.weight,
        takes: target.takes,
        cost_micros: price.map(|price| price.cost_micros(request.expected())),
        latency_ms: health.latency_ms(&(provider, model.to_owned()), ctx.clock.steady()),
    })
}

/// A number from 0 to below 1: the same for each call of a session, in every process.
fn draw(ctx: &Ctx, policy: &Policy, session: Option<&Session>) -> f64 {
    match session.filter(|_| policy.by == By::Weight) {
        Some((_, route, hash)) => {
            let mixed = blake3::keyed_hash(hash, route.0.as_bytes());
            let mut bytes = [0_u8; 8];
            bytes.copy_from_slice(&mixed.as_bytes()[..8]);
            // The 53 bits that a double has.
            (u64::from_le_bytes(bytes) >> 11) as f64 / (1_u64 << 53) as f64
        }
        None => ctx.ids.fraction(),
    }
}

fn session(ctx: &Ctx, route: &Route, request: &Request) -> Option<Session> {
    let name = request.session().filter(|_| route.policy.sticky)?;
    Some((ctx.workspace(), route.id, *blake3::hash(name.as_bytes()).as_bytes()))
}

fn recall(ctx: &Ctx, session: &Session) -> Option<(ProviderId, String)> {
    let sessions = ctx.shared::<Sessions>();
    let known = sessions.0.lock().expect("no code panics while it holds this lock");
    let (provider, model, at) = known.get(session)?;
    (ctx.clock.steady().saturating_sub(*at) < SESSION_FOR).then(|| (*provider, model.clone()))
}

/// Notes which model answered a session.
pub(super) fn remember(ctx: &Ctx, route: &Route, request: &Request, (provider, model): (ProviderId, &str)) {
    let Some(session) = session(ctx, route, request) else { return };
    let now = ctx.clock.steady();
    let sessions = ctx.shared::<Sessions>();
    let mut known = sessions.0.lock().expect("no code panics while it holds this lock");
    if known.len() >= MOST_SESSIONS && !known.contains_key(&session) {
        known.retain(|_, (_, _, at)| now.saturating_sub(*at) < SESSION_FOR);
        if known.len() >= MOST_SESSIONS {
            let oldest = known.iter().min_by_key(|(_, (_, _, at))| *at).map(|(session, _)| *session);
            oldest.and_then(|oldest| known.remove(&oldest));
        }
    }
    known.insert(session, (provider, model.to_owned(), now));
}
