//! Looking for an answer: in the database whether it may be given, in memory or the database what it is.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::canonical::{self, Asked, Key};
use super::error::Result;
use super::flight::{Boarded, Flights, State};
use super::hot::Hot;
use super::keep::Lead;
use super::merkle::Root;
use super::policy::{self, Asker};
use super::semantic::Given;
use super::store::entry::{self, HeadRow};
use super::store::{setting, source};
use super::{guard, measure, sources, warm};
use crate::model::auth::Action;
use crate::model::cache::{
    CacheMode, CacheOutcome, CacheTier, CacheUse, CacheWish, Dependency, SemanticSettings, Sharing, SourceKind,
    SourceRef,
};
use crate::model::gateway::{Dialect, Request, Response, Usage};
use crate::model::{CacheEntryId, ProviderId, RunId, Timestamp, WorkspaceId};
use crate::runtime::Ctx;

/// The longest that somebody waits for an answer that somebody else asked for; then they ask themselves.
const MAX_WAIT: Duration = Duration::from_secs(60);

/// A kept answer, in clear.
#[derive(Debug)]
pub struct Kept {
    /// Its id.
    pub id: CacheEntryId,
    /// What the model said.
    pub response: Response,
    /// The dialect of who answered.
    pub dialect: Dialect,
    /// What it took then.
    pub usage: Usage,
    /// When it was kept.
    pub created_at: Timestamp,
    /// Bytes that it takes.
    pub(super) bytes: usize,
}

/// A kept answer as it is encrypted.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Body {
    pub response: Response,
    pub dialect: Dialect,
    pub usage: Usage,
}

/// How the cache is asked for one call, whoever may answer it.
#[derive(Debug, Clone)]
pub struct Plan {
    pub(super) sharing: (Sharing, Option<Uuid>),
    pub(super) refresh: bool,
    pub(super) only: bool,
    pub(super) max_age_ms: Option<i64>,
    /// Where answers to questions that mean the same may be given.
    pub(super) semantic: Option<SemanticSettings>,
    pub(super) depends_on: Vec<Dependency>,
    pub(super) root: Option<Root>,
    pub(super) route: String,
    /// The run for which it is noted what is asked, where the workspace warms its cache.
    pub(super) noted_for: Option<RunId>,
}

impl Plan {
    /// Whether an answer to a question that means the same will do.
    pub const fn seeks_meaning(&self) -> bool {
        self.semantic.is_some() && !self.refresh
    }
}

/// What one of those who could answer would be asked.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Who.
    pub provider: (ProviderId, &'a str),
    /// What is at the other end, and where: another endpoint gives other answers.
    pub endpoint: &'a str,
    /// The model, as the provider calls it.
    pub model: &'a str,
    /// What is switched on by a header.
    pub betas: &'a [String],
    /// The request as the provider would get it, without what only says how the answer comes.
    pub body: &'a Value,
}

/// What was found.
#[derive(Debug)]
pub enum Found {
    /// An answer.
    Hit(Hit),
    /// None. Whoever asks now is to keep what they get, if something may be kept.
    Miss {
        /// With which to keep it.
        lead: Option<Box<Lead>>,
        /// How long the cache was asked.
        took: Duration,
        /// Of that, how long somebody else's answer was waited for.
        waited: Duration,
    },
}

/// An answer that was found.
#[derive(Debug)]
pub struct Hit {
    /// It.
    pub kept: Arc<Kept>,
    /// Where.
    pub tier: CacheTier,
    /// How long the cache was asked.
    pub took: Duration,
    /// Of that, how long somebody else's answer was waited for.
    pub waited: Duration,
    /// How old it is, in milliseconds.
    pub age_ms: i64,
    /// Why it was given, where the question only means the same.
    pub given: Option<Box<Given>>,
}

impl Hit {
    /// As it stands in the log of calls; what it saved in money is not known here.
    pub fn record(&self) -> CacheUse {
        CacheUse {
            outcome: CacheOutcome::Hit,
            tier: Some(self.tier),
            entry_id: Some(self.kept.id),
            saved: self.kept.usage,
            saved_micros: None,
            took_us: self.took.as_micros() as i64,
            age_ms: self.age_ms,
            similarity: self.given.as_ref().map(|given| given.similarity),
        }
    }
}

/// How the cache is asked for this request; `None` where it is not: by what the call, its key, its route and the workspace say,
/// because something that the answer depends on is in another state than was heard of, or is not for who asks to read.
///
/// # Errors
/// The database's.
pub async fn plan(
    ctx: &Ctx,
    request: &Request,
    wish: &CacheWish,
    asker: Asker,
    route: Option<&str>,
) -> Result<Option<Plan>> {
    ctx.authorize(Action::UseModel)?;
    if !policy::is_asked(CacheMode::first_said(asker.modes), request) {
        return Ok(None);
    }
    let settings = setting::find(&ctx.db, ctx.workspace()).await?;
    if !settings.enabled {
        return Ok(None);
    }
    let root = match wish.depends_on.as_slice() {
        [] => None,
        depends_on => {
            let told: Vec<SourceRef> = depends_on.iter().map(Dependency::source).collect();
            if !guard::hidden(ctx, &told).await?.is_empty() {
                tracing::debug!("a dependency is not for who asks to read: the cache is not asked");
                return Ok(None);
            }
            watch_memory(ctx, depends_on).await?;
            let Some(root) = sources::root(&ctx.db, ctx.workspace(), depends_on).await? else {
                tracing::debug!("a dependency is in another state than was heard of: the cache is not asked");
                return Ok(None);
            };
            Some(root)
        }
    };
    Ok(Some(Plan {
        sharing: policy::sharing(asker.who, settings),
        refresh: wish.refresh,
        only: wish.only,
        max_age_ms: wish.max_age_ms,
        semantic: Some(settings.semantic).filter(|semantic| semantic.enabled && !wish.exact),
        depends_on: wish.depends_on.clone(),
        root,
        route: route.unwrap_or_default().to_owned(),
        noted_for: asker.run.filter(|_| settings.warm_minutes > 0),
    }))
}

/// From now on, writes to these entries of the memory are taken note of.
async fn watch_memory(ctx: &Ctx, depends_on: &[Dependency]) -> Result<()> {
    for one in depends_on.iter().filter(|one| one.kind == SourceKind::Memory) {
        if source::find(&ctx.db, ctx.workspace(), &one.source()).await?.is_none() {
            let mut tx = ctx.db.begin().await?;
            source::register(&mut tx, ctx.workspace(), &one.source(), ctx.clock.now()).await?;
            tx.commit().await?;
        }
    }
    Ok(())
}

/// Looks for an answer. Where somebody in this process asks the same, their answer is waited for; whoever is to ask the model
/// gets a [`Lead`], and holds it until the answer is whole.
///
/// # Errors
/// The database's.
pub async fn begin(ctx: &Ctx, plan: &Plan, question: Question<'_>) -> Result<Found> {
    ctx.authorize(Action::UseModel)?;
    let since = Instant::now();
    let asked = Asked {
        workspace: ctx.workspace(),
        sharing: plan.sharing,
        provider: question.provider.0,
        endpoint: question.endpoint,
        model: question.model,
        betas: question.betas,
        body: question.body,
        depends_on: &plan.depends_on,
    };
    let key = canonical::key(&ctx.keys, &asked);
    if let Some(run) = plan.noted_for {
        warm::note(ctx, run, &key).await;
    }
    let mut found = find(ctx, plan, &question, key, since).await?;
    match &mut found {
        Found::Hit(hit) => measure::asked(CacheOutcome::Hit, Some(hit.tier), hit.took),
        // It is looked for by meaning next, and counted once.
        Found::Miss { lead: Some(lead), took, .. } if plan.seeks_meaning() => lead.took = *took,
        Found::Miss { took, .. } => measure::asked(CacheOutcome::Miss, None, *took),
    }
    Ok(found)
}

async fn find(ctx: &Ctx, plan: &Plan, question: &Question<'_>, key: Key, since: Instant) -> Result<Found> {
    let mut waited = Duration::ZERO;
    let miss = |lead: Option<Lead>, waited| Found::Miss { lead: lead.map(Box::new), took: since.elapsed(), waited };
    if plan.refresh {
        return Ok(miss(Some(Lead::new(ctx, plan, question, key, None)), waited));
    }
    match look(ctx, plan, &key).await? {
        Look::Hit(kept, tier) => return Ok(Found::Hit(hit(ctx, kept, tier, since, waited))),
        Look::Wrong => return Ok(miss(None, waited)),
        // Nobody is to be asked: what is on its way is not kept yet.
        Look::Nothing if plan.only => return Ok(miss(Some(Lead::new(ctx, plan, question, key, None)), waited)),
        Look::Nothing => {}
    }
    let flights: Arc<Flights> = ctx.shared();
    let until = tokio::time::Instant::now() + MAX_WAIT;
    loop {
        let mut receiver = match flights.board((key, plan.root)) {
            Boarded::Wait(receiver) => receiver,
            Boarded::Lead(seat) => {
                // Somebody may have landed between the look and the seat.
                return Ok(match look(ctx, plan, &key).await? {
                    Look::Hit(kept, tier) => {
                        seat.land(State::Landed(Arc::clone(&kept)));
                        Found::Hit(hit(ctx, kept, tier, since, waited))
                    }
                    Look::Wrong => miss(None, waited),
                    Look::Nothing => miss(Some(Lead::new(ctx, plan, question, key, Some(seat))), waited),
                });
            }
        };
        let wait = Instant::now();
        let state = tokio::time::timeout_at(until, receiver.wait_for(|state| !matches!(state, State::Underway))).await;
        let state = match state {
            Ok(Ok(state)) => state.clone(),
            Ok(Err(_)) => State::Failed,
            // That takes too long, or is too long: each on their own.
            Err(_) => State::Unkept,
        };
        waited += wait.elapsed();
        match state {
            State::Landed(kept) => return Ok(Found::Hit(hit(ctx, kept, CacheTier::Shared, since, waited))),
            State::Unkept => return Ok(miss(Some(Lead::new(ctx, plan, question, key, None)), waited)),
            State::Failed | State::Underway => {}
        }
    }
}

fn hit(ctx: &Ctx, kept: Arc<Kept>, tier: CacheTier, since: Instant, waited: Duration) -> Hit {
    let age_ms = ctx.clock.now().ms_since(kept.created_at).max(0);
    Hit { kept, tier, took: since.elapsed(), waited, age_ms, given: None }
}

/// What is there.
enum Look {
    Hit(Arc<Kept>, CacheTier),
    Nothing,
    /// An answer that somebody called wrong.
    Wrong,
}

async fn look(ctx: &Ctx, plan: &Plan, key: &Key) -> Result<Look> {
    let now = ctx.clock.now();
    let Some(head) = entry::find_head(&ctx.db, ctx.workspace(), key).await? else { return Ok(Look::Nothing) };
    if head.wrong_at.is_some() {
        return Ok(Look::Wrong);
    }
    let is_as_it_was = head.root.as_deref() == plan.root.as_ref().map(Root::as_slice);
    let is_young = plan.max_age_ms.is_none_or(|most| now.ms_since(head.created_at) <= most);
    if head.expires_at <= now || !is_as_it_was || !is_young {
        return Ok(Look::Nothing);
    }
    Ok(fetch(ctx, &head, key).await?.map_or(Look::Nothing, |(kept, tier)| Look::Hit(kept, tier)))
}

/// The answer that was kept for this question, from memory or the database; `None` where it is gone or can't be decrypted.
pub(super) async fn fetch(ctx: &Ctx, head: &HeadRow, key: &Key) -> Result<Option<(Arc<Kept>, CacheTier)>> {
    let (now, hot) = (ctx.clock.now(), ctx.shared::<Hot>());
    if let Some(kept) = hot.get(key, head.id, now) {
        return Ok(Some((kept, CacheTier::Memory)));
    }
    let Some(sealed) = entry::find_answer(&ctx.db, ctx.workspace(), head.id).await? else { return Ok(None) };
    let Some(kept) = open(ctx, head, key, &sealed) else {
        tracing::warn!(entry = %head.id, "a kept answer can't be decrypted: it was altered, or the master key is another one; it is thrown away");
        let mut tx = ctx.db.begin().await?;
        entry::delete(&mut tx, ctx.workspace(), head.id, false).await?;
        tx.commit().await?;
        measure::gone("unreadable", 1);
        return Ok(None);
    };
    let kept = Arc::new(kept);
    let bounds = ctx.config.cache;
    let until = now.plus_ms(bounds.memory_ms).min(head.expires_at);
    hot.put(*key, Arc::clone(&kept), until, bounds.memory_bytes);
    Ok(Some((kept, CacheTier::Database)))
}

/// The answer, if it is the one that was kept for this question, in this state of what it depends on.
fn open(ctx: &Ctx, head: &HeadRow, key: &Key, sealed: &[u8]) -> Option<Kept> {
    let place =
        place(ctx.workspace(), head.id, key, head.root.as_deref(), (head.created_at, head.expires_at), "answer");
    let clear = ctx.keys.unseal(&place, sealed)?;
    let Body { response, dialect, usage } = serde_json::from_slice(&clear).ok()?;
    Some(Kept { id: head.id, response, dialect, usage, created_at: head.created_at, bytes: clear.len() })
}

/// Where an encrypted text stands, so that it opens nowhere else.
pub(super) fn place(
    workspace: WorkspaceId,
    id: CacheEntryId,
    key: &[u8],
    root: Option<&[u8]>,
    (from, until): (Timestamp, Timestamp),
    column: &str,
) -> String {
    let hex = |bytes: &[u8]| bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    let (key, root) = (hex(key), root.map(hex).unwrap_or_default());
    format!("cache_entry/{workspace}/{id}/{key}/{root}/{}/{}/{column}", from.0, until.0)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::model::gateway::{Block, Extra, StopReason};

    /// An answer of so many bytes.
    pub fn kept(n: u8, bytes: usize) -> Kept {
        let response = Response {
            id: "a".into(),
            model: "m".into(),
            content: vec![Block::text("A loom.")],
            stop: StopReason::EndTurn,
            stop_sequence: None,
            usage: Usage::default(),
            extra: Extra::new(),
            others: Vec::new(),
        };
        let id = CacheEntryId(Uuid::from_u128(n.into()));
        Kept { id, response, dialect: Dialect::OpenAi, usage: Usage::default(), created_at: Timestamp(0), bytes }
    }
}
