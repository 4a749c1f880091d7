//! What a workspace wants masked: reading, changing, trying.

use super::error::{Error, Result};
use super::redact::{Mask, Rules};
use super::{store, validate};
use crate::model::auth::Action;
use crate::model::gateway::{MAX_MASK_TRIAL, Redaction, RedactionDraft, RedactionTrial, RedactionTried};
use crate::runtime::Ctx;

/// What is masked before a call leaves.
///
/// # Errors
/// [`Error::Denied`].
pub async fn get_redaction(ctx: &Ctx) -> Result<Redaction> {
    ctx.authorize(Action::ReadProvider)?;
    Ok(store::redaction::find(&ctx.db, ctx.workspace()).await?)
}

/// Changes what somebody saw at `revision` (`None`: however it is). It holds from the next call on, everywhere.
///
/// # Errors
/// [`Error::Invalid`]; [`Error::Conflict`] when somebody changed it since.
pub async fn update_redaction(ctx: &Ctx, revision: Option<i64>, draft: RedactionDraft) -> Result<Redaction> {
    ctx.authorize(Action::ManageProvider)?;
    validate::redaction(&draft, "")?;
    let draft = sorted(draft);
    let before = store::redaction::find(&ctx.db, ctx.workspace()).await?;
    let began = revision.unwrap_or(before.revision);
    let mut tx = ctx.db.begin().await?;
    if !store::redaction::put(&mut tx, ctx.workspace(), began, &draft, ctx.clock.now()).await? {
        return Err(Error::changed_meanwhile("redaction", before.revision, began));
    }
    tx.commit().await?;
    let (kinds, patterns) = (draft.kinds.len(), draft.patterns.len());
    tracing::info!(kinds, patterns, by = %ctx.actor.principal, "what is masked was changed");
    get_redaction(ctx).await
}

/// Shows what would leave in place of a text. Nothing is kept of it.
///
/// # Errors
/// [`Error::Invalid`].
pub async fn try_redaction(ctx: &Ctx, trial: RedactionTrial) -> Result<RedactionTried> {
    ctx.authorize(Action::ReadProvider)?;
    let RedactionTrial { mut text, rules } = trial;
    if text.chars().count() > MAX_MASK_TRIAL {
        return Err(Error::invalid("/text", format!("expected at most {MAX_MASK_TRIAL} characters")));
    }
    let rules = match rules {
        Some(draft) => {
            validate::redaction(&draft, "/rules")?;
            Rules::new(&draft).into()
        }
        None => Rules::of(ctx).await?,
    };
    let masked = Mask::cover_text(&rules, &mut text);
    Ok(RedactionTried { text, masked })
}

fn sorted(mut draft: RedactionDraft) -> RedactionDraft {
    draft.kinds.sort_unstable();
    draft.kinds.dedup();
    draft
}
