//! Answers that a schedule will ask for, asked for anew before it fires: the very request that was kept, of who answered it then.
//!
//! A call like any other: within budgets, past the breaker, in the log with its cost. Nobody waits for it, so that one that fails is
//! not made again for the same firing; the run asks for itself then.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::ask::{Ask, EXPECTED_OUTPUT};
use super::asking::Asking;
use super::candidates::Candidate;
use super::meter::Account;
use super::record::begin_record;
use super::store::provider::{self, ProviderRow};
use super::tokens::{self, Tokens};
use super::upstream::{self, Endpoint};
use super::{Error, Result, cached, spending};
use crate::cache::{self, Firing, Question, Stale};
use crate::model::WorkspaceId;
use crate::model::gateway::{
    CallOutcome, CallSource, Choice, Dialect, Fault, FaultClass, Model, Response, TokensBy, Usage, Wire,
    estimate_tokens,
};
use crate::runtime::outbound::Outbound;
use crate::runtime::{Ctx, Runtime};

/// In which steps of workflows speak.
const STEPS: Dialect = Dialect::Anthropic;

/// The workspaces that want this, and how many minutes before a schedule fires.
///
/// # Errors
/// The database's.
pub async fn list_warming(runtime: &Runtime) -> Result<Vec<(WorkspaceId, u32)>> {
    Ok(cache::list_warming(runtime).await?)
}

/// Asks for answers anew that a firing of a schedule, which is named, will ask for: at most `limit`, one after the other. Returns how
/// many calls were made.
///
/// # Errors
/// The database's.
pub async fn warm(ctx: &Ctx, schedule: &str, firing: Firing, limit: u32) -> Result<u32> {
    let mut made = 0;
    for stale in cache::list_stale(ctx, firing, limit).await? {
        if ctx.tasks.stopping().is_cancelled() {
            break;
        }
        made += u32::from(renew(ctx, schedule, firing, &stale).await?);
    }
    Ok(made)
}

/// One of them. Returns whether somebody was asked.
async fn renew(ctx: &Ctx, schedule: &str, firing: Firing, stale: &Stale) -> Result<bool> {
    let Some(row) = provider::find(&ctx.db, ctx.workspace(), stale.provider()).await?.filter(|row| row.enabled) else {
        return Ok(false);
    };
    let wire = row.wire(STEPS)?;
    let place = cached::place(row.kind()?, wire, &row);
    let question = Question {
        provider: (row.id, &row.name),
        endpoint: &place,
        model: stale.model(),
        betas: &[],
        body: &stale.request,
    };
    let Some(lead) = cache::renew(ctx, firing, stale, question).await? else { return Ok(false) };
    let known = row.models.0.iter().find(|model| model.id == stale.model());
    let candidate = Candidate { provider: 0, model: known.cloned().unwrap_or_else(|| Model::named(stale.model())) };
    let record = begin_record(ctx, CallSource::Cache, None, None, stale.model());
    let mut account = Account::open(ctx.runtime().clone(), ctx.workspace(), record)?;
    account.note(|record| {
        record.provider_id = Some(row.id);
        record.provider.clone_from(&row.name);
        record.model.clone_from(&candidate.model.id);
    });
    let rule = format!("asked for anew before the schedule {schedule} fires");
    let mut choice = Choice { rule, ..Choice::default() };
    let written = Written::of(&stale.request, wire);
    let asked = ask(ctx, &written, (&row, &candidate), &mut account, &mut choice).await;
    account.note(|record| record.choice = choice);
    match asked {
        Ok((response, usage, by)) => {
            account.settle(CallOutcome::Complete, usage, by, None);
            lead.keep(response, wire.dialect(), usage);
        }
        Err(error) => {
            let fault = match error {
                Error::Fault(fault) => fault,
                other => Fault::new(FaultClass::Upstream, other.to_string()),
            };
            account.settle(CallOutcome::Failed, Usage::default(), TokensBy::Provider, Some(&fault));
        }
    }
    Ok(true)
}

/// The answer, with what it took and whose number that is.
async fn ask(
    ctx: &Ctx,
    written: &Written,
    (row, candidate): (&ProviderRow, &Candidate),
    account: &mut Account,
    choice: &mut Choice,
) -> Result<(Response, Usage, TokensBy)> {
    if let Some(record) = account.record() {
        let (held, warnings) = spending::admit(ctx, record, written, (row.id, &candidate.model.id)).await?;
        drop(account.hold(held));
        choice.budgets = warnings;
    }
    let mut away = Duration::ZERO;
    let signs = Arc::default();
    account.watch(&signs);
    let mut asking = Asking::new(ctx, choice, &mut away).watched(&signs);
    let (response, mut permit) = asking.ask(written, row, candidate, false).await?;
    let (usage, by) = written.counted(ctx, &response, &candidate.model.id).await;
    permit.came_to(usage);
    permit.succeed();
    Ok((response, usage, by))
}

/// A request as it is sent.
struct Written {
    wire: Wire,
    body: Value,
    chars: u64,
}

impl Written {
    fn of(request: &Value, wire: Wire) -> Self {
        let chars = request.to_string().chars().count() as u64;
        let mut body = request.clone();
        if let Some(fields) = body.as_object_mut() {
            fields.insert("stream".to_owned(), Value::Bool(false));
        }
        Self { wire, body, chars }
    }

    /// The provider's numbers, and ours where it tells none.
    async fn counted(&self, ctx: &Ctx, response: &Response, model: &str) -> (Usage, TokensBy) {
        tokens::of_answer(ctx, Tokens::estimated(self.reads()), response, model).await
    }
}

impl Ask for Written {
    type Got = Response;

    fn expected(&self) -> Usage {
        Usage { input: estimate_tokens(self.chars), output: i64::from(EXPECTED_OUTPUT), ..Usage::default() }
    }

    async fn ask(&self, http: &Outbound, endpoint: &Endpoint, _model: &Model) -> std::result::Result<Response, Fault> {
        upstream::ask_written(http, endpoint, self.wire, &self.body).await
    }
}
