//! The log of calls, and sums over it.

use std::str::FromStr;

use super::error::{Error, Result};
use super::store::call;
use crate::model::auth::Action;
use crate::model::gateway::{CallFilter, CallLine, Spending, Sum, SumBy, UsageFilter};
use crate::model::{Page, PageRequest};
use crate::runtime::Ctx;

/// The calls, newest first, with the names of who made them.
///
/// # Errors
/// [`Error::Denied`], [`Error::Invalid`] for a cursor that is none of ours, and for a text that no call has.
pub async fn list_calls(ctx: &Ctx, filter: &CallFilter, page: &PageRequest) -> Result<Page<CallLine>> {
    ctx.authorize(Action::ReadUsage)?;
    let texts = [("session", &filter.session), ("model", &filter.model), ("provider", &filter.provider)];
    // Postgres has no such text, so no call has one.
    let odd = texts.iter().find(|(_, text)| text.as_ref().is_some_and(|text| text.contains('\0')));
    if let Some((field, _)) = odd {
        return Err(Error::invalid(*field, "expected no NUL characters"));
    }
    let before = cursor(page)?;
    let limit = page.limit();
    let calls = call::list(&ctx.db, ctx.workspace(), filter, before, limit + 1).await?;
    Ok(Page::cut(calls, limit, |line| line.call.id.to_string()))
}

/// Sums over calls, the dearest first, at most 500.
///
/// # Errors
/// [`Error::Denied`].
pub async fn sum_usage(ctx: &Ctx, filter: &UsageFilter) -> Result<Vec<Sum>> {
    ctx.authorize(Action::ReadUsage)?;
    Ok(call::sum(&ctx.db, ctx.workspace(), filter).await?)
}

/// What was spent, as a whole and by what `filter` asks for.
///
/// # Errors
/// [`Error::Denied`].
pub async fn get_spending(ctx: &Ctx, filter: &UsageFilter) -> Result<Spending> {
    let by = |by| UsageFilter { by, ..filter.clone() };
    let providers = sum_usage(ctx, &by(SumBy::Provider)).await?;
    let models = sum_usage(ctx, &by(SumBy::Model)).await?;
    // A workspace has few enough providers that their sums are the whole; of people, keys and runs only the first are summed.
    let total = Sum::total(&providers);
    let names = |sums: &[Sum]| sums.iter().map(|sum| sum.of.clone()).filter(|name| !name.is_empty()).collect();
    let (models_named, providers_named) = (names(&models), names(&providers));
    let sums = match filter.by {
        SumBy::Provider => providers,
        SumBy::Model => models,
        SumBy::User | SumBy::Key | SumBy::Agent | SumBy::Session | SumBy::Run | SumBy::Step => {
            sum_usage(ctx, filter).await?
        }
    };
    Ok(Spending { total, sums, models: models_named, providers: providers_named })
}

/// The id that a page begins after.
pub(super) fn cursor<T: FromStr>(page: &PageRequest) -> Result<Option<T>> {
    let read = |text: &String| text.parse().map_err(|_| Error::invalid("cursor", "expected the next of a page"));
    page.cursor.as_ref().map(read).transpose()
}
