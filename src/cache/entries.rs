//! Looking at kept answers, calling one wrong, and throwing them away.

use super::error::{Error, Result};
use super::look::{Body, place};
use super::measure;
use super::store::entry;
use super::store::listing::{self, SealedRow};
use crate::model::auth::Action;
use crate::model::cache::{Invalidated, Invalidation, KeptAnswer, KeptDetail, KeptFilter, Sharing, is_foreign};
use crate::model::{CacheEntryId, FieldError, Page, PageRequest, UserId};
use crate::runtime::Ctx;

/// Longest name that is searched for, in characters.
const MAX_NAME: usize = 300;
/// Answers of a workspace that may be called wrong.
const MOST_WRONG: i64 = 1_000;

/// The kept answers, newest first; not what was said.
///
/// # Errors
/// [`Error::Denied`], [`Error::Invalid`] for a filter that does not fit and a cursor that is none of ours.
pub async fn list(ctx: &Ctx, filter: &KeptFilter, page: &PageRequest) -> Result<Page<KeptAnswer>> {
    ctx.authorize(Action::ReadUsage)?;
    check_name("model", filter.model.as_deref())?;
    check_name("route", filter.route.as_deref())?;
    let read = |text: &String| text.parse().map_err(|_| invalid("cursor", "expected the next of a page"));
    let before = page.cursor.as_ref().map(read).transpose()?;
    let limit = page.limit();
    let now = ctx.clock.now();
    let kept = listing::list(&ctx.db, ctx.workspace(), filter, before, (now, limit + 1)).await?;
    Ok(Page::cut(kept, limit, |one| one.id.to_string()))
}

/// One of them, with what was asked and said. What belongs to one person is shown to that person, and to those who manage
/// providers.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get(ctx: &Ctx, id: CacheEntryId) -> Result<KeptDetail> {
    ctx.authorize(Action::ReadUsage)?;
    let (kept, sealed) = find(ctx, id).await?;
    let depends_on = entry::list_dependencies(&ctx.db, ctx.workspace(), id).await?;
    let mut detail = KeptDetail { kept, depends_on, request: None, text: None, answer: None, withheld: None };
    if !is_theirs(ctx, detail.kept.sharing, &sealed) {
        let why = "It was an answer to one person; they see it, and those who may manage providers.";
        detail.withheld = Some(why.to_owned());
        return Ok(detail);
    }
    let span = (detail.kept.created_at, detail.kept.expires_at);
    let open = |column, bytes: &[u8]| {
        let place = place(ctx.workspace(), id, &sealed.key, sealed.root.as_deref(), span, column);
        ctx.keys.unseal(&place, bytes)
    };
    let body = open("answer", &sealed.answer).and_then(|clear| serde_json::from_slice::<Body>(&clear).ok());
    let Some(body) = body else {
        let why = "It can't be decrypted: it was altered, or the master key is another one. It is given to nobody.";
        detail.withheld = Some(why.to_owned());
        return Ok(detail);
    };
    let request = open("request", &sealed.request).and_then(|clear| serde_json::from_slice(&clear).ok());
    detail.request = request.filter(|request: &serde_json::Value| !request.is_null());
    detail.text = Some(body.response.text());
    detail.answer = serde_json::to_value(&body.response).ok();
    Ok(detail)
}

/// Says that an answer is wrong: it is given to nobody any more, and no other is kept in its place until that is taken back.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] when too many are called wrong.
pub async fn mark_wrong(ctx: &Ctx, id: CacheEntryId) -> Result<KeptAnswer> {
    authorize_change(ctx, id).await?;
    let mut tx = ctx.db.begin().await?;
    if listing::count_wrong(&mut tx, ctx.workspace()).await? >= MOST_WRONG {
        return Err(Error::Conflict(format!("{MOST_WRONG} answers are called wrong; delete some first")));
    }
    let by = ctx.actor.principal.user_id();
    if !entry::mark(&mut tx, ctx.workspace(), id, Some((ctx.clock.now(), by))).await? {
        return Err(Error::NotFound("kept answer"));
    }
    tx.commit().await?;
    measure::gone("wrong", 1);
    tracing::info!(entry = %id, by = %ctx.actor.principal, "a kept answer was called wrong");
    Ok(find(ctx, id).await?.0)
}

/// Takes back that an answer is wrong: it is given again, until its time is over.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn clear_wrong(ctx: &Ctx, id: CacheEntryId) -> Result<KeptAnswer> {
    authorize_change(ctx, id).await?;
    let mut tx = ctx.db.begin().await?;
    if !entry::mark(&mut tx, ctx.workspace(), id, None).await? {
        return Err(Error::NotFound("kept answer"));
    }
    tx.commit().await?;
    tracing::info!(entry = %id, by = %ctx.actor.principal, "a kept answer is called wrong no more");
    Ok(find(ctx, id).await?.0)
}

/// Throws an answer away; the next who asks gets a new one. Also one that is called wrong: what was said of it is forgotten.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn delete(ctx: &Ctx, id: CacheEntryId) -> Result<()> {
    authorize_change(ctx, id).await?;
    let mut tx = ctx.db.begin().await?;
    if !entry::delete(&mut tx, ctx.workspace(), id, true).await? {
        return Err(Error::NotFound("kept answer"));
    }
    tx.commit().await?;
    measure::gone("asked", 1);
    tracing::info!(entry = %id, by = %ctx.actor.principal, "a kept answer was thrown away");
    Ok(())
}

/// Throws away what fits, but for what is called wrong.
///
/// # Errors
/// [`Error::Invalid`] when nothing is said about which.
pub async fn invalidate(ctx: &Ctx, which: Invalidation) -> Result<Invalidated> {
    ctx.authorize(Action::ManageProvider)?;
    check_name("/model", which.model.as_deref())?;
    check_name("/route", which.route.as_deref())?;
    let is_narrowed = which.model.is_some() || which.route.is_some();
    if which.all == is_narrowed {
        return Err(invalid("/all", "expected all to be true, or else a model or a route"));
    }
    let mut tx = ctx.db.begin().await?;
    let gone = listing::delete_fitting(&mut tx, ctx.workspace(), &which).await?;
    tx.commit().await?;
    measure::gone("asked", gone);
    let Invalidation { all, model, route } = which;
    tracing::info!(all, ?model, ?route, gone, by = %ctx.actor.principal, "kept answers were thrown away");
    Ok(Invalidated { invalidated: gone as i64 })
}

/// Who may call models may throw away what is theirs or everybody's; what is another person's, who manages providers.
async fn authorize_change(ctx: &Ctx, id: CacheEntryId) -> Result<()> {
    ctx.authorize(Action::UseModel)?;
    let (kept, sealed) = find(ctx, id).await?;
    if !is_theirs(ctx, kept.sharing, &sealed) {
        ctx.authorize(Action::ManageProvider)?;
    }
    Ok(())
}

fn is_theirs(ctx: &Ctx, sharing: Sharing, sealed: &SealedRow) -> bool {
    ctx.actor.role.allows(Action::ManageProvider)
        || !is_foreign(sharing, sealed.scope_id.map(UserId), ctx.actor.principal.user_id())
}

async fn find(ctx: &Ctx, id: CacheEntryId) -> Result<(KeptAnswer, SealedRow)> {
    let kept = listing::find(&ctx.db, ctx.workspace(), id).await?;
    let sealed = listing::find_sealed(&ctx.db, ctx.workspace(), id).await?;
    kept.zip(sealed).ok_or(Error::NotFound("kept answer"))
}

fn check_name(field: &str, name: Option<&str>) -> Result<()> {
    match name {
        Some(name) if name.chars().count() > MAX_NAME || name.contains('\0') => {
            Err(invalid(field, &format!("expected at most {MAX_NAME} characters")))
        }
        _ => Ok(()),
    }
}

fn invalid(pointer: &str, message: &str) -> Error {
    Error::Invalid(vec![FieldError::new(pointer, message)])
}
