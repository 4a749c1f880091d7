//! The log of calls, and sums over it.

use std::str::FromStr;

use super::error::{Error, Result};
use super::store::call;
use crate::model::auth::Action;
use crate::model::gateway::{CallRecord, Sum, UsageFilter};
use crate::model::{Page, PageRequest, RunId};
use crate::runtime::Ctx;

/// The calls, newest first; `run` narrows to one run.
///
/// # Errors
/// [`Error::Denied`], [`Error::Invalid`] for a cursor that is none of ours.
pub async fn list_calls(ctx: &Ctx, run: Option<RunId>, page: &PageRequest) -> Result<Page<CallRecord>> {
    ctx.authorize(Action::ReadUsage)?;
    let before = cursor(page)?;
    let limit = page.limit();
    let calls = call::list(&ctx.db, ctx.workspace(), run, before, limit + 1).await?;
    Ok(Page::cut(calls, limit, |call| call.id.to_string()))
}

/// Sums over calls, the dearest first, at most 500.
///
/// # Errors
/// [`Error::Denied`].
pub async fn sum_usage(ctx: &Ctx, filter: &UsageFilter) -> Result<Vec<Sum>> {
    ctx.authorize(Action::ReadUsage)?;
    Ok(call::sum(&ctx.db, ctx.workspace(), filter).await?)
}

/// The id that a page begins after.
pub(super) fn cursor<T: FromStr>(page: &PageRequest) -> Result<Option<T>> {
    let read = |text: &String| text.parse().map_err(|_| Error::invalid("cursor", "expected the next of a page"));
    page.cursor.as_ref().map(read).transpose()
}
