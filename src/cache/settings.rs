//! What a workspace wants of its cache.

use super::error::{Error, Result};
use super::semantic;
use super::store::{asked, setting};
use crate::model::FieldError;
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
/// [`super::Error::Denied`]; [`super::Error::Invalid`] for what is out of range, and where answers are to be given by meaning and no
/// embedder is set.
pub async fn update_settings(ctx: &Ctx, settings: CacheSettings) -> Result<CacheSettings> {
    ctx.authorize(Action::ManageProvider)?;
    let faults = settings.check();
    if !faults.is_empty() {
        return Err(Error::Invalid(faults));
    }
    let before = setting::find(&ctx.db, ctx.workspace()).await?;
    if settings.semantic.enabled && !before.semantic.enabled {
        let message = match semantic::serving(ctx).await {
            Ok(Some(_)) => None,
            Ok(None) => Some("no embedder is set: set one on the page Memory, or with PUT /memory/embedder".to_owned()),
            Err(why) => Some(format!("the embedder can't be read: {why}")),
        };
        if let Some(message) = message {
            return Err(Error::Invalid(vec![FieldError::new("/semantic/enabled", message)]));
        }
    }
    let mut tx = ctx.db.begin().await?;
    setting::put(&mut tx, ctx.workspace(), settings, ctx.clock.now()).await?;
    if settings.warm_minutes == 0 {
        asked::delete_all(&mut tx, ctx.workspace()).await?;
    }
    tx.commit().await?;
    let (enabled, programs) = (settings.enabled, settings.programs.as_str());
    let semantic = settings.semantic.enabled;
    let warm_minutes = settings.warm_minutes;
    tracing::info!(enabled, programs, semantic, warm_minutes, by = %ctx.actor.principal, "the settings of the cache were changed");
    Ok(settings)
}
