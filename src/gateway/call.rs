//! A call of a model: who could answer is asked in order, until one does.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::asking::Asking;
use super::cached::{self, Looked};
use super::candidates::{Candidate, Known};
use super::content::Capture;
use super::context::{Fitted, Windows};
use super::error::Result;
use super::health::Permit;
use super::keys::rights;
use super::live::{Live, Source};
use super::meter::Account;
use super::record::{begin_record, counted};
use super::redact::{Mask, Reveal, Rules};
use super::store::{self, provider::ProviderRow};
use super::upstream::Begun;
use super::who::Found;
use super::{Error, arrange, check, spending, who};
use crate::cache::{Hit, Lead};
use crate::model::auth::Action;
use crate::model::cache::{CacheUse, CacheWish};
use crate::model::gateway::{
    CallOutcome, CallSource, Choice, ContextWish, Dialect, Fault, FaultClass, Fold, Lack, Masked, Needs, Request,
    Response, Usage,
};
use crate::model::{ProviderId, RunId, UserId};
use crate::runtime::Ctx;

/// A call to make.
#[derive(Debug)]
pub struct Order {
    /// What is asked; its `stream` decides how the answer comes.
    pub request: Request,
    /// Who caused it.
    pub source: CallSource,
    /// The run and the step's path, if a step did.
    pub step: Option<(RunId, String)>,
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
    let mut account = open(ctx, &order, &rules);
    account.note(|record| record.masked.clone_from(&masked));
    let mut answered = ask(ctx, &order, account).await?;
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
    ask(ctx, order, open(ctx, order, &rules)).await
}

fn open(ctx: &Ctx, order: &Order, rules: &Rules) -> Account {
    let record = begin_record(ctx, order.source, order.step.clone(), order.on_behalf_of, &order.request.model);
    let mut account = Account::open(ctx.runtime().clone(), ctx.workspace(), record);
    account.capture(Capture::of(rules.keep, &order.request));
    account
}

async fn ask(ctx: &Ctx, order: &Order, mut account: Account) -> Result<Answered> {
    let mut attempt = Attempt { ctx, order, request: &order.request, choice: Choice::default(), away: Duration::ZERO };
    attempt.choice.asked = clean(&order.request.model);
    let begun = Instant::now();
    let answered = attempt.run(&mut account).await;
    let Attempt { choice, away, .. } = attempt;
    let overhead_ms = begun.elapsed().saturating_sub(away).as_secs_f64() * 1000.0;
    account.note(|record| record.choice.clone_from(&choice));
    match answered {
        Ok(Answerer::Kept { hit, row, model }) => {
            Ok(cached::answer(&hit, &order.request, (&row, model), account, (choice, begun, overhead_ms)))
        }
        Ok(Answerer::Asked { begun: Begun::Whole(response), permit, row, model, lead, asked_chars }) => {
            permit.succeed();
            let (usage, estimated) = counted(asked_chars, &response);
            let cost_micros = cost_of(ctx, row.id, &model, account.at(), usage).await?;
            account.note(|record| record.cost_micros = cost_micros);
            let cache = account.record().and_then(|record| record.cache);
            account.answered(|| (*response).clone());
            account.settle(CallOutcome::Complete, usage, estimated, None);
            let (dialect, response) = (row.wire(order.request.dialect)?.dialect(), *response);
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
            })))
        }
        Ok(Answerer::Asked { begun: Begun::Pieces(pieces), permit, row, model, lead, asked_chars }) => {
            permit.begin();
            let first_token_ms = account.elapsed_ms();
            account.note(|record| record.first_token_ms = Some(first_token_ms));
            let cache = account.record().and_then(|record| record.cache);
            Ok(Answered::Live(Box::new(Live {
                pieces: Source::Upstream(pieces),
                fold: Fold::default(),
                permit: Some(permit),
                account: Some(account),
                choice,
                provider: row.id,
                model,
                dialect: row.wire(order.request.dialect)?.dialect(),
                asked_chars,
                began: begun,
                overhead_ms,
                cache,
                lead,
                masked: Vec::new(),
                reveal: None,
                broken: None,
            })))
        }
        Err(error) => {
            let fault = match &error {
                Error::Fault(fault) => fault.clone(),
                other => Fault::new(FaultClass::Upstream, other.to_string()),
            };
            account.settle(CallOutcome::Failed, Usage::default(), false, Some(&fault));
            Err(error)
        }
    }
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

/// Who answers.
enum Answerer {
    /// The cache, for this one.
    Kept { hit: Hit, row: ProviderRow, model: String },
    /// This one.
    Asked {
        begun: Begun,
        permit: Permit,
        row: ProviderRow,
        model: String,
        lead: Option<Box<Lead>>,
        /// Characters of what was sent.
        asked_chars: u64,
    },
}

/// One call while it looks for who answers.
struct Attempt<'a> {
    ctx: &'a Ctx,
    order: &'a Order,
    request: &'a Request,
    choice: Choice,
    /// Spent at providers, and waiting for them.
    away: Duration,
}

impl<'a> Attempt<'a> {
    async fn run(&mut self, account: &mut Account) -> Result<Answerer> {
        let ctx = self.ctx;
        let Found { rights, rows, route, candidates, rule } =
            who::could_answer(ctx, &self.request.model, self.request.dialect, self.order.source).await?;
        let (candidates, rule) = match &route {
            Some(route) => {
                let score = arrange::score(route, self.request);
                arrange::arrange(ctx, (route, score.as_ref()), self.request, &rows, (candidates, rule)).await?
            }
            None => (candidates, rule),
        };
        self.choice.rule = rule;
        let plan = cached::plan(ctx, self.order, rights.as_ref(), route.as_ref()).await;
        let is_wished = cached::is_wished(self.order, rights.as_ref(), route.as_ref());
        let mut last: Option<Fault> = None;
        let mut is_admitted = false;
        let mut windows = Windows::of(self.order, route.as_ref());
        for (place, candidate) in candidates.iter().enumerate() {
            let row = &rows[candidate.provider];
            let Fitted { request, used } = match self.fit(&mut windows, candidate).await {
                Ok(fitted) => fitted,
                Err(lack) => {
                    let fault = self.asking().lacks(row, candidate, lack);
                    last.get_or_insert(fault);
                    continue;
                }
            };
            if used.is_some() || self.choice.context.is_some() {
                account.asks(&request);
            }
            // A summary may be another the next time: what is asked with one is kept only where that is wished.
            let is_summarized = used.as_ref().is_some_and(|used| used.summarized);
            let plan = plan.as_ref().filter(|_| !is_summarized || is_wished);
            self.choice.context = used;
            account.note(|record| {
                record.provider_id = Some(row.id);
                record.provider.clone_from(&row.name);
                record.model.clone_from(&candidate.model.id);
            });
            let lead = match cached::look(ctx, plan, &request, row, candidate).await {
                Looked::Off => None,
                Looked::Hit(hit) => {
                    self.away += hit.waited;
                    self.asking().tried(row, candidate, 0, cached::verdict(&hit));
                    check::draw(ctx, self.order, &request, (row, candidate), &hit);
                    return Ok(Answerer::Kept { hit, row: row.clone(), model: candidate.model.id.clone() });
                }
                Looked::Miss { lead, record: missed, waited } => {
                    self.away += waited;
                    account.note(|record| record.cache = Some(missed));
                    lead
                }
            };
            // What is kept costs nothing: budgets are asked only now.
            if !std::mem::replace(&mut is_admitted, true)
                && let Some(record) = account.record()
            {
                let first = (row.id, candidate.model.id.as_str());
                let (held, warnings) = spending::admit(ctx, record, &*request, first).await?;
                account.hold(held);
                self.choice.budgets = warnings;
            }
            let has_others = place + 1 < candidates.len();
            match self.asking().ask(&*request, row, candidate, has_others).await {
                Ok((begun, permit)) => {
                    if let Some(route) = &route {
                        arrange::remember(ctx, route, self.request, (row.id, &candidate.model.id));
                    }
                    let (row, model) = (row.clone(), candidate.model.id.clone());
                    let asked_chars = request.chars();
                    return Ok(Answerer::Asked { begun, permit, row, model, lead, asked_chars });
                }
                Err(fault) if fault.class.may_differ_elsewhere() => {
                    // Of several failures, the one that tells most: that somebody rests tells least.
                    if last.is_none() || fault.class != FaultClass::Resting {
                        last = Some(fault);
                    }
                }
                Err(fault) => return Err(fault.into()),
            }
        }
        Err(last.unwrap_or_else(|| Fault::new(FaultClass::NoProvider, "nobody could be asked")).into())
    }

    /// The request for one who could answer, unless it lacks what that takes.
    async fn fit(&mut self, windows: &mut Windows<'a>, candidate: &Candidate) -> Result<Fitted<'a>, Lack> {
        let model = &candidate.model;
        // Nobody is asked for a summary on behalf of one that can't answer anyway.
        if !self.request.tools.is_empty() && !model.tools {
            return Err(Lack::Tools);
        }
        let fitted = windows.fit(self.ctx, model).await;
        self.away += std::mem::take(&mut windows.away);
        let fitted = fitted?;
        match model.lacks(&Needs::of(&fitted.request)) {
            Some(lack) => Err(lack),
            None => Ok(fitted),
        }
    }

    const fn asking(&mut self) -> Asking<'_> {
        Asking { ctx: self.ctx, choice: &mut self.choice, away: &mut self.away }
    }
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
