//! A call of a model: who could answer is asked in order, until one does.

use std::sync::Arc;
use std::time::Instant;

use super::Error;
use super::attempt::{Answerer, Attempt};
use super::cached;
use super::candidates::Known;
use super::content::Capture;
use super::dialect::Losses;
use super::error::Result;
use super::keys::rights;
use super::live::{Live, Source};
use super::meter::Account;
use super::record::begin_record;
use super::redact::{Mask, Reveal, Rules};
use super::store::{self, provider::ProviderRow};
use super::tokens::{self, Counted};
use super::upstream::Begun;
use crate::model::auth::Action;
use crate::model::cache::{CacheUse, CacheWish};
use crate::model::gateway::{
    CallOutcome, CallSource, Choice, ContextWish, Dialect, Fault, FaultClass, Fold, Masked, Request, Response,
    TokensBy, ToldLimits, Usage,
};
use crate::model::{AgentId, ProviderId, RunId, UserId};
use crate::runtime::Ctx;

/// Characters of a session that are kept.
const MAX_SESSION: usize = 200;

/// A call to make.
#[derive(Debug)]
pub struct Order {
    /// What is asked; its `stream` decides how the answer comes.
    pub request: Request,
    /// Who caused it.
    pub source: CallSource,
    /// The run and the step's path, if a step did.
    pub step: Option<(RunId, String)>,
    /// The agent, if one asks.
    pub agent: Option<AgentId>,
    /// The person for whom the program itself asks, such as who started the run.
    pub on_behalf_of: Option<UserId>,
    /// What is wished of the cache.
    pub cache: CacheWish,
    /// What is done where the conversation is too long; by default, what the route says.
    pub context: ContextWish,
}

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    /// What the model says.
    pub response: Response,
    /// Why it was this one.
    pub choice: Choice,
    /// The dialect of who answered.
    pub dialect: Dialect,
    /// Millionths of a US dollar; `None` when the model has no price.
    pub cost_micros: Option<i64>,
    /// Milliseconds that were spent here and not at a provider.
    pub overhead_ms: f64,
    /// What the cache did; `None` when it was not asked.
    pub cache: Option<CacheUse>,
    /// What was masked before it was asked.
    pub masked: Vec<Masked>,
    /// What the provider that answered says of its limits; nothing of a kept answer.
    pub told: ToldLimits,
}

/// An answer.
#[derive(Debug)]
pub enum Answered {
    /// All at once.
    Whole(Box<Answer>),
    /// Piece by piece.
    Live(Box<Live>),
}

impl Answered {
    /// Puts back what was masked.
    fn reveal(&mut self, mask: Option<Arc<Mask>>, masked: Vec<Masked>) {
        match (self, mask) {
            (Self::Whole(answer), Some(mask)) => {
                mask.reveal_response(&mut answer.response);
                answer.masked = masked;
            }
            (Self::Live(live), Some(mask)) => {
                live.reveal = Some(Reveal::new(mask));
                live.masked = masked;
            }
            (_, None) => {}
        }
    }
}

/// Calls a model. Tries again what may pass, and goes on to the next candidate where that may help; never once a token of a
/// streamed answer is there. What the workspace wants masked is so on the way out, and put back on the way in.
///
/// # Errors
/// [`Error::Fault`] of whoever was asked last; of the class `no_provider` or `no_model` where nobody could be asked.
pub async fn call(ctx: &Ctx, mut order: Order) -> Result<Answered> {
    ctx.authorize(Action::UseModel)?;
    let rules = Rules::of(ctx).await?;
    let mask = Mask::cover(&rules, &mut order.request).map(Arc::new);
    let masked = mask.as_ref().map_or_else(Vec::new, |mask| mask.masked());
    let mut account = open(ctx, &order, &rules)?;
    account.note(|record| record.masked.clone_from(&masked));
    // What every step that calls a model would hold else is kept apart.
    let mut answered = Box::pin(ask(ctx, &order, account)).await?;
    answered.reveal(mask, masked);
    Ok(answered)
}

/// Calls a model with what is masked already, for a call that is underway: by the rules of all others, with an entry of its own
/// in the log.
///
/// # Errors
/// As [`call`].
pub(super) async fn call_masked(ctx: &Ctx, order: &Order) -> Result<Answered> {
    let rules = Rules::of(ctx).await?;
    Box::pin(ask(ctx, order, open(ctx, order, &rules)?)).await
}

fn open(ctx: &Ctx, order: &Order, rules: &Rules) -> Result<Account> {
    let mut record = begin_record(ctx, order.source, order.step.clone(), order.on_behalf_of, &order.request.model);
    record.agent_id = order.agent;
    if order.source == CallSource::Proxy {
        let session = order.request.session();
        record.session = session.map(|session| clean(session).chars().take(MAX_SESSION).collect());
    }
    let mut account = Account::open(ctx.runtime().clone(), ctx.workspace(), record)?;
    account.capture(Capture::of(rules.keep, &order.request));
    Ok(account)
}

async fn ask(ctx: &Ctx, order: &Order, mut account: Account) -> Result<Answered> {
    let mut attempt = Attempt::new(ctx, order);
    let begun = Instant::now();
    let answered = attempt.run(&mut account).await;
    let Attempt { mut choice, away, .. } = attempt;
    let overhead_ms = begun.elapsed().saturating_sub(away).as_secs_f64() * 1000.0;
    account.note(|record| record.choice.clone_from(&choice));
    match answered {
        Ok(Answerer::Kept { hit, row, model }) => {
            Ok(cached::answer(&hit, order, (&row, model), account, (choice, begun, overhead_ms)))
        }
        Ok(Answerer::Asked { begun: Begun::Whole(response, told), mut permit, row, model, lead, reads, .. }) => {
            let (usage, by) = tokens::of_answer(ctx, reads, &response, &model).await;
            permit.came_to(usage);
            permit.succeed();
            let cost_micros = cost_of(ctx, row.id, &model, account.at(), usage).await?;
            account.note(|record| record.cost_micros = cost_micros);
            let cache = account.record().and_then(|record| record.cache);
            let dialect = row.wire(order.request.dialect)?.dialect();
            choice.lost = lost(order.source, &response, (dialect, order.request.dialect));
            account.note(|record| record.choice.lost.clone_from(&choice.lost));
            account.answered(|| (*response).clone());
            account.settle(CallOutcome::Complete, usage, by, None);
            let response = *response;
            if let Some(lead) = lead {
                lead.keep(response.clone(), dialect, usage);
            }
            Ok(Answered::Whole(Box::new(Answer {
                response,
                choice,
                dialect,
                cost_micros,
                overhead_ms,
                cache,
                masked: Vec::new(),
                told,
            })))
        }
        Ok(Answerer::Asked { begun: Begun::Pieces(pieces), permit, row, model, lead, reads, later }) => {
            permit.begin();
            let first_token_ms = account.elapsed_ms();
            account.note(|record| record.first_token_ms = Some(first_token_ms));
            let cache = account.record().and_then(|record| record.cache);
            let dialect = row.wire(order.request.dialect)?.dialect();
            Ok(Answered::Live(Box::new(Live {
                told: pieces.told.clone(),
                losses: losses(order.source, (dialect, order.request.dialect)),
                pieces: Source::Upstream(pieces),
                fold: Fold::default(),
                permit: Some(permit),
                account: Some(account),
                choice,
                provider: row.id,
                model,
                dialect,
                reads,
                later,
                counted: Counted::default(),
                began: begun,
                overhead_ms,
                cache,
                lead,
                masked: Vec::new(),
                reveal: None,
                broken: None,
                ended: None,
            })))
        }
        Err(error) => {
            let fault = match &error {
                Error::Fault(fault) => fault.clone(),
                other => Fault::new(FaultClass::Upstream, other.to_string()),
            };
            account.settle(CallOutcome::Failed, Usage::default(), TokensBy::Provider, Some(&fault));
            Err(error)
        }
    }
}

/// What an answer loses on its way to who asked, in sentences. Who speaks no dialect, such as a step, gets all of it.
pub(super) fn lost(source: CallSource, response: &Response, (from, to): (Dialect, Dialect)) -> Vec<String> {
    if source == CallSource::Proxy { Losses::of(response, from, to) } else { Vec::new() }
}

/// The same of an answer that comes.
pub(super) fn losses(source: CallSource, (from, to): (Dialect, Dialect)) -> Option<Losses> {
    Losses::between(from, to).filter(|_| source == CallSource::Proxy)
}

/// What a call took costs at this moment, in millionths of a US dollar; `None` when the model has no price.
///
/// # Errors
/// The database's.
pub async fn cost_micros(ctx: &Ctx, provider: ProviderId, model: &str, usage: Usage) -> Result<Option<i64>> {
    ctx.authorize(Action::UseModel)?;
    cost_of(ctx, provider, model, ctx.clock.now(), usage).await
}

/// The names that may be asked for: routes first, then the models that providers list.
///
/// # Errors
/// [`Error::Denied`].
pub async fn list_models(ctx: &Ctx) -> Result<Vec<String>> {
    ctx.authorize(Action::UseModel)?;
    let allowed = rights(ctx).await?.map(|rights| rights.models).filter(|models| !models.is_empty());
    let routes = store::route::list(&ctx.db, ctx.workspace()).await?.into_iter().map(|route| route.name);
    let providers = store::provider::list(&ctx.db, ctx.workspace()).await?.into_iter().filter(|row| row.enabled);
    let mut names: Vec<String> = Vec::new();
    for name in routes.chain(providers.flat_map(|row| row.models.0.into_iter().map(|model| model.id))) {
        if !names.contains(&name) && allowed.as_ref().is_none_or(|allowed| allowed.contains(&name)) {
            names.push(name);
        }
    }
    Ok(names)
}

pub(super) fn known(row: &ProviderRow) -> Result<Known> {
    Ok(Known {
        id: row.id,
        name: row.name.clone(),
        kind: row.kind()?,
        models: row.models.0.clone(),
        enabled: row.enabled,
    })
}

pub(super) async fn cost_of(
    ctx: &Ctx,
    provider: ProviderId,
    model: &str,
    at: crate::model::Timestamp,
    usage: Usage,
) -> Result<Option<i64>> {
    let price = store::price::find(&ctx.db, provider, model, at).await?;
    Ok(price.map(|price| price.cost_micros(usage)))
}

/// Without what a database does not take.
pub(super) fn clean(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
