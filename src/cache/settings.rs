//! What a workspace wants of its cache.

use super::error::Result;
use super::store::setting;
use crate::model::auth::Action;
use crate::model::cache::CacheSettings;
use crate::runtime::Ctx;

/// The settings; those of a workspace that never said anything are the usual ones.
///
/// # Errors
/// [`super::Error::Denied`].
pub async fn get_settings(ctx: &Ctx) -> Result<CacheSettings> {
    ctx.authorize(Action::ReadProvider)?;
    Ok(setting::find(&ctx.db, ctx.workspace()).await?)
}

/// Changes them; it holds from the next call on, everywhere.
///
/// # Errors
/// [`super::Error::Denied`].
pub async fn update_settings(ctx: &Ctx, settings: CacheSettings) -> Result<CacheSettings> {
    ctx.authorize(Action::ManageProvider)?;
    let mut tx = ctx.db.begin().await?;
    setting::put(&mut tx, ctx.workspace(), settings, ctx.clock.now()).await?;
    tx.commit().await?;
    let (enabled, programs) = (settings.enabled, settings.programs.as_str());
    tracing::info!(enabled, programs, by = %ctx.actor.principal, "the settings of the cache were changed");
    Ok(settings)
}
