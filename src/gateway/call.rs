//! A call of a model: who could answer is asked in order, until one does.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::breaker::Admission;
use super::candidates::{self, Candidate, DEFAULT_ROUTE, Known};
use super::error::Result;
use super::health::{self, Health, Permit};
use super::live::Live;
use super::meter::Account;
use super::providers::endpoint;
use super::store::{self, provider::ProviderRow};
use super::upstream::{self, Begun};
use super::{Error, retry, spending};
use crate::model::auth::Action;
use crate::model::gateway::{
    CallOutcome, CallRecord, CallSource, Choice, Dialect, Fault, FaultClass, Fold, Request, Response, Tried, Usage,
    Verdict, estimate_tokens,
};
use crate::model::{ProviderId, RunId, UserId};
use crate::runtime::{Ctx, Principal};

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
}

/// An answer.
#[derive(Debug)]
pub enum Answered {
    /// All at once.
    Whole(Box<Answer>),
    /// Piece by piece.
    Live(Box<Live>),
}

/// Calls a model. Tries again what may pass, and goes on to the next candidate where that may help; never once a token of a
/// streamed answer is there.
///
/// # Errors
/// [`Error::Fault`] of whoever was asked last; of the class `no_provider` or `no_model` where nobody could be asked.
pub async fn call(ctx: &Ctx, order: Order) -> Result<Answered> {
    ctx.authorize(Action::UseModel)?;
    let mut account = Account::open(ctx.runtime().clone(), ctx.workspace(), record(ctx, &order));
    let mut attempt = Attempt { ctx, request: &order.request, choice: Choice::default(), away: Duration::ZERO };
    attempt.choice.asked = clean(&order.request.model);
    let begun = Instant::now();
    let answered = attempt.run(&mut account).await;
    let Attempt { choice, away, .. } = attempt;
    let overhead_ms = begun.elapsed().saturating_sub(away).as_secs_f64() * 1000.0;
    account.note(|record| record.choice.clone_from(&choice));
    match answered {
        Ok(Answerer { begun: Begun::Whole(response), permit, row, model }) => {
            permit.succeed();
            let (usage, estimated) = counted(&order.request, &response);
            let cost_micros = cost_of(ctx, row.id, &model, account.at(), usage).await?;
            account.note(|record| record.cost_micros = cost_micros);
            account.settle(CallOutcome::Complete, usage, estimated, None);
            let dialect = row.kind()?.dialect();
            Ok(Answered::Whole(Box::new(Answer { response: *response, choice, dialect, cost_micros, overhead_ms })))
        }
        Ok(Answerer { begun: Begun::Pieces(pieces), permit, row, model }) => {
            permit.begin();
            let first_token_ms = account.elapsed_ms();
            account.note(|record| record.first_token_ms = Some(first_token_ms));
            Ok(Answered::Live(Box::new(Live {
                pieces,
                fold: Fold::default(),
                permit: Some(permit),
                account: Some(account),
                choice,
                provider: row.id,
                model,
                dialect: row.kind()?.dialect(),
                asked_chars: order.request.chars(),
                began: begun,
                overhead_ms,
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
    let allowed = allowed(ctx).await?;
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
struct Answerer {
    begun: Begun,
    permit: Permit,
    row: ProviderRow,
    model: String,
}

/// One call while it looks for who answers.
struct Attempt<'a> {
    ctx: &'a Ctx,
    request: &'a Request,
    choice: Choice,
    /// Spent at providers, and waiting for them.
    away: Duration,
}

impl Attempt<'_> {
    async fn run(&mut self, account: &mut Account) -> Result<Answerer> {
        let ctx = self.ctx;
        let asked = self.request.model.as_str();
        if let Some(allowed) = allowed(ctx).await?
            && !allowed.iter().any(|name| name == asked)
        {
            let message = format!("this key may not ask for {asked:?}; it may for {}", allowed.join(", "));
            return Err(Fault { pointer: Some("/model".into()), ..Fault::new(FaultClass::NoModel, message) }.into());
        }
        let rows = store::provider::list(&ctx.db, ctx.workspace()).await?;
        let name = if asked.is_empty() { DEFAULT_ROUTE } else { asked };
        let route = store::route::find_by_name(&ctx.db, ctx.workspace(), name).await?;
        let known = rows.iter().map(known).collect::<Result<Vec<Known>>>()?;
        let (candidates, rule) = candidates::find(asked, self.request.dialect, &known, route.as_ref())?;
        self.choice.rule = rule;
        if let (Some(first), Some(record)) = (candidates.first(), account.record()) {
            let first = (rows[first.provider].id, first.model.id.as_str());
            let (held, warnings) = spending::admit(ctx, record, self.request, first).await?;
            account.hold(held);
            self.choice.budgets = warnings;
        }
        let mut last: Option<Fault> = None;
        for (place, candidate) in candidates.iter().enumerate() {
            let row = &rows[candidate.provider];
            account.note(|record| {
                record.provider_id = Some(row.id);
                record.provider.clone_from(&row.name);
                record.model.clone_from(&candidate.model.id);
            });
            let has_others = place + 1 < candidates.len();
            match self.ask(row, candidate, has_others).await {
                Ok((begun, permit)) => {
                    return Ok(Answerer { begun, permit, row: row.clone(), model: candidate.model.id.clone() });
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

    /// Asks one, again and again while that may help.
    async fn ask(
        &mut self,
        row: &ProviderRow,
        candidate: &Candidate,
        has_others: bool,
    ) -> std::result::Result<(Begun, Permit), Fault> {
        let ctx = self.ctx;
        let health: Arc<Health> = ctx.shared();
        let key = (row.id, candidate.model.id.clone());
        let (mut attempts, mut waited) = (0, 0);
        loop {
            let permit = match health::admit(&health, &ctx.clock, key.clone()) {
                Ok(permit) => permit,
                Err(refused) => return Err(self.rests(row, candidate, attempts, refused)),
            };
            let endpoint = match endpoint(ctx, row) {
                Ok(endpoint) => endpoint,
                Err(Error::Fault(fault)) => return Err(self.failed(row, candidate, attempts, fault)),
                Err(error) => return Err(Fault::new(FaultClass::Upstream, error.to_string())),
            };
            attempts += 1;
            if attempts == 1 {
                health.earn(&key, ctx.clock.steady());
            }
            let since = Instant::now();
            let asked = upstream::ask(&ctx.http, &endpoint, self.request, &candidate.model).await;
            self.away += since.elapsed();
            let fault = match asked {
                Ok(begun) => {
                    self.tried(row, candidate, attempts, Verdict::Answers);
                    return Ok((begun, permit));
                }
                Err(fault) => fault,
            };
            permit.fail(&fault);
            let wait = retry::wait_ms(&fault, attempts, has_others, waited, ctx.ids.fraction());
            let may_retry = attempts <= row.limits.0.max_retries;
            match wait {
                Some(wait) if may_retry && health.pay(&key, ctx.clock.steady()) => {
                    waited += wait;
                    let since = Instant::now();
                    ctx.clock.sleep_ms(wait as i64).await;
                    self.away += since.elapsed();
                }
                _ => return Err(self.failed(row, candidate, attempts, fault)),
            }
        }
    }

    fn rests(&mut self, row: &ProviderRow, candidate: &Candidate, attempts: u32, refused: Admission) -> Fault {
        let model = &candidate.model.id;
        let (class, for_ms, why) = match refused {
            Admission::Hold { for_ms } => (FaultClass::RateLimited, for_ms, "has too many calls, and asks to wait"),
            Admission::Rest { for_ms } => (FaultClass::Resting, for_ms, "failed too often, and rests"),
            Admission::Go | Admission::Probe => (FaultClass::Resting, 0, "rests"),
        };
        self.tried(row, candidate, attempts, Verdict::Rests { for_ms });
        let message = format!("{}: {model} {why} for {} s more", row.name, for_ms.div_ceil(1000));
        Fault { retry_after_ms: Some(for_ms), ..Fault::new(class, message) }
    }

    fn failed(&mut self, row: &ProviderRow, candidate: &Candidate, attempts: u32, fault: Fault) -> Fault {
        let message: String = clean(&fault.message).chars().take(500).collect();
        self.tried(row, candidate, attempts, Verdict::Failed { class: fault.class, message });
        fault
    }

    fn tried(&mut self, row: &ProviderRow, candidate: &Candidate, attempts: u32, verdict: Verdict) {
        let model = candidate.model.id.clone();
        self.choice.tried.push(Tried { provider: row.name.clone(), model, attempts, verdict });
    }
}

/// What the key of who asks may ask for; `None` for anything.
async fn allowed(ctx: &Ctx) -> Result<Option<Vec<String>>> {
    let Principal::Key { id, .. } = &ctx.actor.principal else { return Ok(None) };
    let models = store::key::find_models(&ctx.db, ctx.workspace(), *id).await?.ok_or(Error::NotFound("key"))?;
    Ok(Some(models).filter(|models| !models.is_empty()))
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

fn record(ctx: &Ctx, order: &Order) -> CallRecord {
    let key_id = match &ctx.actor.principal {
        Principal::Key { id, .. } => Some(*id),
        Principal::User { .. } | Principal::System => None,
    };
    let (run_id, step) = order.step.clone().unzip();
    CallRecord {
        id: ctx.ids.fresh(),
        at: ctx.clock.now(),
        source: order.source,
        user_id: ctx.actor.principal.user_id().or(order.on_behalf_of),
        key_id,
        run_id,
        step,
        provider_id: None,
        provider: String::new(),
        model: clean(&order.request.model).chars().take(200).collect(),
        choice: Choice::default(),
        outcome: CallOutcome::Failed,
        error: None,
        usage: Usage::default(),
        estimated: false,
        cost_micros: None,
        first_token_ms: None,
        took_ms: 0,
    }
}

/// The provider's numbers, and ours where it tells none.
fn counted(request: &Request, response: &Response) -> (Usage, bool) {
    let mut usage = response.usage;
    if usage.prompt() > 0 || usage.output > 0 {
        return (usage, false);
    }
    usage.input = estimate_tokens(request.chars());
    usage.output = estimate_tokens(response.content.iter().map(crate::model::gateway::Block::chars).sum());
    (usage, true)
}

async fn cost_of(
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
fn clean(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
