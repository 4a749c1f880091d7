//! Shadow checks: what the cache gave by meaning is asked of the model too, beside the answer, to know how often it is wrong.
//!
//! A check is a call like any other: within budgets, in the log, and in what the workspace spends. Nobody waits for it.

use std::sync::Arc;
use std::time::Duration;

use super::asking::Asking;
use super::call::Order;
use super::candidates::Candidate;
use super::meter::Account;
use super::record::begin_record;
use super::spending;
use super::store::provider::ProviderRow;
use super::tokens::{self, Tokens};
use super::upstream::Begun;
use super::{Error, Result};
use crate::cache::{self, Check, Hit};
use crate::model::gateway::{CallOutcome, CallSource, Choice, Fault, FaultClass, Request, Response, TokensBy, Usage};
use crate::runtime::Ctx;

/// Draws whether the answer that is about to be given is checked, and has that done.
pub(super) fn draw(
    ctx: &Ctx,
    order: &Order,
    request: &Request,
    (row, candidate): (&ProviderRow, &Candidate),
    hit: &Hit,
) {
    let Some(check) = cache::draw_check(ctx, hit) else { return };
    let request = Request { stream: false, ..request.clone() };
    let record = begin_record(ctx, CallSource::Cache, order.step.clone(), order.on_behalf_of, &request.model);
    // Where calls can't be written as fast as they end, none is made that nobody waits for.
    let Ok(account) = Account::open(ctx.runtime().clone(), ctx.workspace(), record) else { return };
    let (ctx, row, candidate) = (ctx.clone(), row.clone(), candidate.clone());
    let tasks = ctx.runtime().tasks.clone();
    tasks.spawn("cache check", run(ctx, request, row, candidate, account, check));
}

async fn run(ctx: Ctx, request: Request, row: ProviderRow, candidate: Candidate, mut account: Account, check: Check) {
    let mut choice = Choice { rule: "a check of an answer that was given by meaning".to_owned(), ..Choice::default() };
    account.note(|record| {
        record.provider_id = Some(row.id);
        record.provider.clone_from(&row.name);
        record.model.clone_from(&candidate.model.id);
    });
    let asked = ask(&ctx, &request, (&row, &candidate), &mut account, &mut choice).await;
    account.note(|record| record.choice = choice);
    match asked {
        Ok((response, usage, by)) => {
            account.settle(CallOutcome::Complete, usage, by, None);
            check.tell(&response).await;
        }
        Err(error) => {
            let fault = match error {
                Error::Fault(fault) => fault,
                other => Fault::new(FaultClass::Upstream, other.to_string()),
            };
            account.settle(CallOutcome::Failed, Usage::default(), TokensBy::Provider, Some(&fault));
        }
    }
}

/// What it was sent to read, where the provider does not tell.
async fn reads(ctx: &Ctx, request: &Request, response: &Response, model: &str) -> Tokens {
    match response.usage.prompt() {
        0 => tokens::of_request(ctx, request, model).await,
        told => Tokens { count: told, by: TokensBy::Provider },
    }
}

/// The answer, with what it took and whose number that is.
async fn ask(
    ctx: &Ctx,
    request: &Request,
    (row, candidate): (&ProviderRow, &Candidate),
    account: &mut Account,
    choice: &mut Choice,
) -> Result<(Response, Usage, TokensBy)> {
    if let Some(record) = account.record() {
        let (held, warnings) = spending::admit(ctx, record, request, (row.id, &candidate.model.id)).await?;
        drop(account.hold(held));
        choice.budgets = warnings;
    }
    let mut away = Duration::ZERO;
    let signs = Arc::default();
    account.watch(&signs);
    let mut asking = Asking::new(ctx, choice, &mut away).watched(&signs);
    match asking.ask(request, row, candidate, false).await? {
        (Begun::Whole(response, _), mut permit) => {
            let reads = reads(ctx, request, &response, &candidate.model.id).await;
            let (usage, by) = tokens::of_answer(ctx, reads, &response, &candidate.model.id).await;
            permit.came_to(usage);
            permit.succeed();
            Ok((*response, usage, by))
        }
        (Begun::Pieces(_), _) => Err(Fault::new(FaultClass::Malformed, "a stream came that nobody asked for").into()),
    }
}
