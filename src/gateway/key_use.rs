//! Keys with what they were used for, and where the programs that hold them are pointed to.

use std::collections::HashMap;

use super::error::Result;
use super::keys;
use super::store::key_use::{self, KeyUseRow};
use crate::model::auth::Action;
use crate::model::gateway::{Endpoints, KeyInUse};
use crate::model::{ApiKeyId, Page, PageRequest};
use crate::runtime::Ctx;

/// How far back uses are counted.
const LOOK_BACK_MS: i64 = 30 * 24 * 3_600_000;

/// The keys, newest first, with what they were used for in the last 30 days. Secrets are shown to nobody.
///
/// # Errors
/// [`super::Error::Denied`], [`super::Error::Invalid`] for a cursor that is none of ours.
pub async fn list_keys_in_use(ctx: &Ctx, page: &PageRequest) -> Result<Page<KeyInUse>> {
    let Page { items, next } = keys::list_keys(ctx, page).await?;
    let since = ctx.clock.now().plus_ms(-LOOK_BACK_MS);
    let uses = key_use::list(&ctx.db, ctx.workspace(), since).await?;
    let mut uses: HashMap<ApiKeyId, KeyUseRow> = uses.into_iter().map(|row| (row.id, row)).collect();
    let items = items.into_iter().map(|key| {
        let (made_by, calls, cost_micros) =
            uses.remove(&key.id).map_or((None, 0, 0), |row| (row.made_by, row.calls, row.cost_micros));
        KeyInUse { key, made_by, calls, cost_micros }
    });
    Ok(Page { items: items.collect(), next })
}

/// Where programs are pointed to, at the address by which this server is reached.
///
/// # Errors
/// [`super::Error::Denied`].
pub fn get_endpoints(ctx: &Ctx) -> Result<Endpoints> {
    ctx.authorize(Action::ReadProvider)?;
    let base = ctx.config.public_url.trim_end_matches('/');
    Ok(Endpoints {
        anthropic: format!("{base}/api/v1/gateway/anthropic"),
        openai: format!("{base}/api/v1/gateway/openai/v1"),
    })
}
