//! How much was written where in the last seven days.

use super::{Error, access, store};
use crate::model::Timestamp;
use crate::model::memory::{ACTIVE_DAYS, NamespaceActivity};
use crate::runtime::Ctx;

const DAY_MS: i64 = 86_400_000;

/// The namespaces in which something was written in the last seven times 24 hours, by path. What was deleted or set aside since does
/// not count.
///
/// # Errors
/// When the role doesn't allow it, or the database fails.
pub async fn activity(ctx: &Ctx) -> Result<Vec<NamespaceActivity>, Error> {
    let reach = access::reading(ctx).await?;
    let now = ctx.clock.now();
    let since: [Timestamp; ACTIVE_DAYS] = std::array::from_fn(|at| now.plus_ms(-DAY_MS * (ACTIVE_DAYS - at) as i64));
    Ok(store::activity(&ctx.db, ctx.workspace(), &reach, since).await?)
}
