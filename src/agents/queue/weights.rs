//! What the parts of an agent's score count in a workspace.

use super::{nudge, store};
use crate::agents::error::{Error, Result};
use crate::model::agent::Weights;
use crate::model::auth::Action;
use crate::runtime::Ctx;

/// What they count: as the workspace said, else as they do by themselves.
///
/// # Errors
/// [`Error::Denied`], or the database's.
pub async fn get_weights(ctx: &Ctx) -> Result<Weights> {
    ctx.authorize(Action::ReadAgent)?;
    Ok(store::weights::find(&ctx.db, ctx.workspace()).await?.unwrap_or_default())
}

/// Says what they count, for every task that is given from then on.
///
/// # Errors
/// [`Error::Invalid`] for one beyond 0 to 1, and with the pointer `""` where they do not come to 1.
pub async fn set_weights(ctx: &Ctx, weights: Weights) -> Result<Weights> {
    ctx.authorize(Action::EditAgent)?;
    weights.check().map_err(Error::Invalid)?;
    let mut tx = ctx.db.begin().await?;
    store::weights::put(&mut tx, ctx.workspace(), &weights, ctx.clock.now()).await?;
    tx.commit().await?;
    tracing::info!(by = %ctx.actor.principal, "the weights of assignment were changed");
    nudge(ctx.runtime());
    Ok(weights)
}

/// Lets them count what they do by themselves again, for every task that is given from then on.
///
/// # Errors
/// [`Error::Denied`], or the database's.
pub async fn reset_weights(ctx: &Ctx) -> Result<Weights> {
    ctx.authorize(Action::EditAgent)?;
    let mut tx = ctx.db.begin().await?;
    store::weights::delete(&mut tx, ctx.workspace()).await?;
    tx.commit().await?;
    tracing::info!(by = %ctx.actor.principal, "the weights of assignment were reset");
    nudge(ctx.runtime());
    Ok(Weights::default())
}
