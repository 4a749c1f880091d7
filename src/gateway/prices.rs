//! The price table. It begins empty: prices change, and a wrong one is worse than none.

use super::error::{Error, Result};
use super::store::{price, provider};
use super::validate;
use crate::model::auth::Action;
use crate::model::gateway::{Price, PriceDraft};
use crate::model::{PriceId, ProviderId};
use crate::runtime::Ctx;

/// Lines of one provider.
const MAX_PRICES: i64 = 2_000;

/// The lines of a provider, by model, newest first.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn list_prices(ctx: &Ctx, provider: ProviderId) -> Result<Vec<Price>> {
    ctx.authorize(Action::ReadProvider)?;
    exists(ctx, provider).await?;
    Ok(price::list(&ctx.db, ctx.workspace(), provider).await?)
}

/// Adds a line, in place of one of the same model and moment. Calls that were made already keep their cost.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Invalid`], [`Error::Conflict`] when there are too many.
pub async fn put_price(ctx: &Ctx, provider: ProviderId, draft: PriceDraft) -> Result<Price> {
    ctx.authorize(Action::ManageProvider)?;
    validate::price(&draft)?;
    exists(ctx, provider).await?;
    let line = Price {
        id: ctx.ids.fresh(),
        provider_id: provider,
        model: draft.model,
        from: draft.from.unwrap_or_else(|| ctx.clock.now()),
        input: draft.input,
        output: draft.output,
        cache_read: draft.cache_read,
        cache_write: draft.cache_write,
        cache_write_hour: draft.cache_write_hour,
    };
    let mut tx = ctx.db.begin().await?;
    if price::count(&mut tx, provider).await? >= MAX_PRICES {
        return Err(Error::Conflict(format!("the provider has {MAX_PRICES} prices; delete old ones first")));
    }
    price::put(&mut tx, ctx.workspace(), &line).await?;
    tx.commit().await?;
    tracing::info!(%provider, model = line.model, by = %ctx.actor.principal, "a price was set");
    Ok(line)
}

/// Takes a line away.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn delete_price(ctx: &Ctx, provider: ProviderId, id: PriceId) -> Result<()> {
    ctx.authorize(Action::ManageProvider)?;
    let mut tx = ctx.db.begin().await?;
    if !price::delete(&mut tx, ctx.workspace(), provider, id).await? {
        return Err(Error::NotFound("price"));
    }
    tx.commit().await?;
    tracing::info!(%provider, price = %id, by = %ctx.actor.principal, "a price was deleted");
    Ok(())
}

async fn exists(ctx: &Ctx, id: ProviderId) -> Result<()> {
    provider::find(&ctx.db, ctx.workspace(), id).await?.map(drop).ok_or(Error::NotFound("provider"))
}
