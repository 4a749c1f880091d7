//! Texts as vectors: a call like any other, for programs and for whatever in here searches by meaning.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::asking::Asking;
use super::call::{clean, cost_of};
use super::error::Result;
use super::meter::Account;
use super::record::begin_record;
use super::redact::{Mask, Rules};
use super::rollout::Asker;
use super::tokens::{self, Tokens};
use super::who::Found;
use super::{Error, key_pace, spending, who};
use crate::model::auth::Action;
use crate::model::gateway::{
    CallOutcome, CallSource, Choice, Dialect, EmbedInput, EmbedRequest, Encoding, Fault, FaultClass, Masked, TokensBy,
    Usage, Vectors,
};
use crate::model::{ProviderId, RunId, UserId};
use crate::runtime::Ctx;

/// Texts to turn into vectors, and who wants that.
#[derive(Debug)]
pub struct EmbedOrder {
    /// What is asked.
    pub request: EmbedRequest,
    /// Who caused it.
    pub source: CallSource,
    /// The run and the step's path, if a step did.
    pub step: Option<(RunId, String)>,
    /// The person for whom the program itself asks.
    pub on_behalf_of: Option<UserId>,
}

/// Vectors, and how they came.
#[derive(Debug)]
pub struct Embedded {
    /// The vectors, one for each input.
    pub vectors: Vectors,
    /// How the program wants them.
    pub encoding: Encoding,
    /// Why it was this model.
    pub choice: Choice,
    /// Millionths of a US dollar; `None` when the model has no price.
    pub cost_micros: Option<i64>,
    /// Milliseconds that were spent here and not at a provider.
    pub overhead_ms: f64,
    /// What was masked before it was asked.
    pub masked: Vec<Masked>,
}

/// Turns texts into vectors. Retries, breakers, budgets, prices and the log are those of every call; but where a route names
/// several models, only the same one of another provider stands in: vectors of two models say nothing to each other.
///
/// # Errors
/// [`super::Error::Fault`] of whoever was asked last; of the class `no_provider` or `no_model` where nobody could be asked.
pub async fn embed(ctx: &Ctx, order: EmbedOrder) -> Result<Embedded> {
    ctx.authorize(Action::UseModel)?;
    let EmbedOrder { mut request, source, step, on_behalf_of } = order;
    let mask = Mask::cover_texts(&*Rules::of(ctx).await?, &mut request);
    let mut record = begin_record(ctx, source, step, on_behalf_of, &request.model);
    record.masked = mask.map_or_else(Vec::new, |mask| mask.masked());
    let masked = record.masked.clone();
    let mut account = Account::open(ctx.runtime().clone(), ctx.workspace(), record)?;
    let mut choice = Choice { asked: clean(&request.model), ..Choice::default() };
    let (begun, mut away) = (Instant::now(), Duration::ZERO);
    let asking = Asking::new(ctx, &mut choice, &mut away);
    let answered = find(asking, &request, &mut account).await;
    let overhead_ms = begun.elapsed().saturating_sub(away).as_secs_f64() * 1000.0;
    account.note(|record| record.choice.clone_from(&choice));
    let (mut vectors, provider, model) = match answered {
        Ok(answered) => answered,
        Err(error) => {
            let fault = match &error {
                Error::Fault(fault) => fault.clone(),
                other => Fault::new(FaultClass::Upstream, other.to_string()),
            };
            account.settle(CallOutcome::Failed, Usage::default(), TokensBy::Provider, Some(&fault));
            return Err(error);
        }
    };
    let mut by = TokensBy::Provider;
    if vectors.input_tokens == 0 {
        let read = match &request.input {
            EmbedInput::Texts(texts) => tokens::of_texts(ctx, texts, &model).await,
            EmbedInput::Tokens(_) => Tokens { count: request.input.tokens(), by: TokensBy::Tokenizer },
        };
        (vectors.input_tokens, by) = (read.count, read.by);
    }
    let usage = Usage { input: vectors.input_tokens, ..Usage::default() };
    let cost_micros = cost_of(ctx, provider, &model, account.at(), usage).await?;
    account.note(|record| record.cost_micros = cost_micros);
    account.settle(CallOutcome::Complete, usage, by, None);
    Ok(Embedded { vectors, encoding: request.encoding, choice, cost_micros, overhead_ms, masked })
}

/// Asks those that could answer, in order, until one does.
async fn find(
    mut asking: Asking<'_>,
    request: &EmbedRequest,
    account: &mut Account,
) -> Result<(Vectors, ProviderId, String)> {
    let ctx = asking.ctx;
    let on_behalf_of = account.record().and_then(|record| record.user_id);
    // What memory and the cache keep is compared with what anybody asks: one model makes all of it.
    let is_fixed =
        account.record().is_some_and(|record| matches!(record.source, CallSource::Memory | CallSource::Cache));
    let asker = Asker { on_behalf_of, is_fixed, ..Asker::default() };
    let asked = (Dialect::OpenAi, CallSource::Proxy);
    let Found { rights, rows, mut candidates, rule, flags, .. } =
        who::could_answer(ctx, &request.model, asked, asker).await?;
    asking.choice.rule = rule;
    asking.choice.flags = flags;
    account.took(key_pace::enter(ctx, rights.as_ref(), request)?);
    if let Some(model) = candidates.first().map(|first| first.model.id.clone()) {
        candidates.retain(|other| other.model.id == model);
    }
    if let (Some(first), Some(record)) = (candidates.first(), account.record()) {
        let first = (rows[first.provider].id, first.model.id.as_str());
        let (held, warnings) = spending::admit(ctx, record, request, first).await?;
        drop(account.hold(held));
        asking.choice.budgets = warnings;
    }
    let mut last: Option<Fault> = None;
    let signs = Arc::default();
    account.watch(&signs);
    asking = asking.of(account.record()).watched(&signs);
    for (place, candidate) in candidates.iter().enumerate() {
        let row = &rows[candidate.provider];
        account.note(|record| {
            record.provider_id = Some(row.id);
            record.provider.clone_from(&row.name);
            record.model.clone_from(&candidate.model.id);
        });
        match asking.ask(request, row, candidate, place + 1 < candidates.len()).await {
            Ok((vectors, mut permit)) => {
                if vectors.input_tokens > 0 {
                    permit.came_to(Usage { input: vectors.input_tokens, ..Usage::default() });
                }
                permit.succeed();
                return Ok((vectors, row.id, candidate.model.id.clone()));
            }
            Err(fault) if fault.class.may_differ_elsewhere() => {
                // That somebody rests tells least.
                if last.is_none() || fault.class != FaultClass::Resting {
                    last = Some(fault);
                }
            }
            Err(fault) => return Err(fault.into()),
        }
    }
    Err(last.unwrap_or_else(|| Fault::new(FaultClass::NoProvider, "nobody could be asked")).into())
}
