//! Looking at what was given by meaning, and calling it wrong.

use super::super::canonical::Key;
use super::super::error::{Error, Result};
use super::super::measure;
use super::super::store::hit::{self, HitRow};
use super::super::store::semantic::{self, NewObservation};
use super::near::place_of;
use super::threshold;
use crate::db;
use crate::model::auth::Action;
use crate::model::cache::{SemanticHit, is_foreign};
use crate::model::{FieldError, ObservationId, Page, PageRequest, SemanticHitId, UserId};
use crate::runtime::Ctx;

/// Answers of a workspace that may be called wrong.
const MOST_WRONG: i64 = 1_000;
const NOUN: &str = "answer that was given by meaning";

/// What was given to questions that only mean the same, newest first. The words of one person's questions are shown to that
/// person, and to those who manage providers.
///
/// # Errors
/// [`Error::Denied`]; [`Error::Invalid`] for a cursor that is none of ours.
pub async fn list_hits(ctx: &Ctx, page: &PageRequest) -> Result<Page<SemanticHit>> {
    ctx.authorize(Action::ReadUsage)?;
    let invalid = |_| Error::Invalid(vec![FieldError::new("cursor", "expected the next of a page")]);
    let before = page.cursor.as_ref().map(|text| text.parse().map_err(invalid)).transpose()?;
    let limit = page.limit();
    let rows = hit::list(&ctx.db, ctx.workspace(), before, limit + 1).await?;
    let hits = rows.into_iter().map(|row| show(ctx, row)).collect::<Result<Vec<_>>>()?;
    Ok(Page::cut(hits, limit, |one| one.id.to_string()))
}

/// Says that an answer was wrong for the question that it was given to: it is not given to that one again, and to others that
/// are like it less often. The answer itself stays.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] when too many are called wrong.
pub async fn mark_wrong_hit(ctx: &Ctx, id: SemanticHitId) -> Result<SemanticHit> {
    let row = authorize_change(ctx, id).await?;
    let key = Key::try_from(row.kept_key.as_slice())
        .map_err(|_| db::Error::inconsistent("cache_semantic_hit", "kept_key", "not 32 bytes"))?;
    let new = NewObservation {
        // One person's word counts once, and can be taken back.
        id: ObservationId(id.0),
        key: &key,
        embedder: row.embedder_id,
        similarity: row.similarity,
        same: false,
        source: "person",
        at: ctx.clock.now(),
    };
    let mut tx = ctx.db.begin().await?;
    if hit::count_wrong(&mut tx, ctx.workspace()).await? >= MOST_WRONG {
        return Err(Error::Conflict(format!("{MOST_WRONG} answers are called wrong; take some back first")));
    }
    let by = ctx.actor.principal.user_id();
    if !hit::mark(&mut tx, ctx.workspace(), id, Some((new.at, by))).await? {
        return Err(Error::NotFound(NOUN));
    }
    semantic::insert_observation(&mut tx, ctx.workspace(), &new, threshold::MOST).await?;
    tx.commit().await?;
    measure::semantic("called_wrong");
    tracing::info!(hit = %id, by = %ctx.actor.principal, "an answer that was given by meaning was called wrong");
    get(ctx, id).await
}

/// Takes back that it was wrong.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn clear_wrong_hit(ctx: &Ctx, id: SemanticHitId) -> Result<SemanticHit> {
    authorize_change(ctx, id).await?;
    let mut tx = ctx.db.begin().await?;
    if !hit::mark(&mut tx, ctx.workspace(), id, None).await? {
        return Err(Error::NotFound(NOUN));
    }
    semantic::delete_observation(&mut tx, ctx.workspace(), ObservationId(id.0)).await?;
    tx.commit().await?;
    tracing::info!(hit = %id, by = %ctx.actor.principal, "an answer that was given by meaning is called wrong no more");
    get(ctx, id).await
}

/// Who may call models may judge what is theirs or everybody's; what is another person's, who manages providers.
async fn authorize_change(ctx: &Ctx, id: SemanticHitId) -> Result<HitRow> {
    ctx.authorize(Action::UseModel)?;
    let row = hit::find(&ctx.db, ctx.workspace(), id).await?.ok_or(Error::NotFound(NOUN))?;
    if !is_theirs(ctx, &row)? {
        ctx.authorize(Action::ManageProvider)?;
    }
    Ok(row)
}

async fn get(ctx: &Ctx, id: SemanticHitId) -> Result<SemanticHit> {
    let row = hit::find(&ctx.db, ctx.workspace(), id).await?.ok_or(Error::NotFound(NOUN))?;
    show(ctx, row)
}

fn is_theirs(ctx: &Ctx, row: &HitRow) -> Result<bool> {
    let is_foreign = is_foreign(row.sharing()?, row.scope_id.map(UserId), ctx.actor.principal.user_id());
    Ok(ctx.actor.role.allows(Action::ManageProvider) || !is_foreign)
}

fn show(ctx: &Ctx, row: HitRow) -> Result<SemanticHit> {
    let clear =
        if is_theirs(ctx, &row)? { ctx.keys.unseal(&place_of(ctx.workspace(), row.id), &row.questions) } else { None };
    let words = clear.and_then(|clear| serde_json::from_slice(&clear).ok());
    Ok(row.with(words)?)
}
