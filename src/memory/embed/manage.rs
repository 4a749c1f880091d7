//! Setting what makes vectors, and how far it has come.

use std::time::Instant;

use super::{Waiting, ask, work};
use crate::memory::local::{self, Urgency};
use crate::memory::store::{self, EmbedderRow};
use crate::memory::{Error, access, index};
use crate::model::auth::Action;
use crate::model::memory::{
    EmbedFailure, EmbedTrial, EmbedTried, Embedder, EmbedderDraft, EmbedderReport, EmbedderState, LocalModel,
    MAX_DIMENSIONS, MAX_EMBEDDER_MODEL_CHARS, MAX_TRIAL_CHARS,
};
use crate::model::{EmbedderId, FieldError};
use crate::runtime::Ctx;

/// How long a trial may take: a model that was not asked for a while is loaded first.
const TRIAL_MS: i64 = 60_000;
/// What is embedded as a trial.
const TRIAL: &str = "Does this model make vectors?";
/// Failed entries that a report names.
const NAMED_FAILURES: i64 = 20;

/// How entries are found: what makes their vectors, and how far it has come.
///
/// # Errors
/// When the role doesn't allow it, or the database fails.
pub async fn get_embedder(ctx: &Ctx) -> Result<EmbedderReport, Error> {
    let reach = access::reading(ctx).await?;
    let rows = store::embedders(&ctx.db, ctx.workspace()).await?;
    let entries = store::count_entries(&ctx.db, ctx.workspace(), &reach, ctx.clock.now()).await?;
    let mut report = EmbedderReport { entries, serving: None, building: None, failures: Vec::new() };
    for row in rows {
        let place = if row.state == store::SERVING { &mut report.serving } else { &mut report.building };
        for failure in store::failures(&ctx.db, &reach, row.id, NAMED_FAILURES).await? {
            let store::FailureRow { namespace, key, error, retry_at } = failure;
            report.failures.push(EmbedFailure { namespace, key, reason: error, retry_at });
        }
        *place = Some(present(ctx, row).await?);
    }
    report.failures.truncate(NAMED_FAILURES as usize);
    Ok(report)
}

/// What searches make vectors of their questions with: its id, the model's name and the numbers of a vector; `None` where nothing is
/// set. Others that compare texts by meaning use the same.
///
/// # Errors
/// When the role may not call models, or the database fails.
pub async fn serving_embedder(ctx: &Ctx) -> Result<Option<(EmbedderId, String, usize)>, Error> {
    ctx.authorize(Action::UseModel)?;
    let rows = store::embedders(&ctx.db, ctx.workspace()).await?;
    let serving = rows.into_iter().find(|row| row.state == store::SERVING);
    Ok(serving.map(|row| (row.id, row.model, row.dims as usize)))
}

async fn present(ctx: &Ctx, row: EmbedderRow) -> Result<Embedder, Error> {
    let counts = store::count_embedded(&ctx.db, ctx.workspace(), row.id, ctx.clock.now()).await?;
    let state = match (&row.paused, counts.embedded + counts.given_up >= counts.entries) {
        (Some(_), _) => EmbedderState::Paused,
        (None, true) => EmbedderState::Whole,
        (None, false) => EmbedderState::Working,
    };
    Ok(Embedder {
        id: row.id,
        model: row.model,
        dimensions: row.dims as u32,
        state,
        embedded: counts.embedded,
        given_up: counts.given_up,
        retry_at: row.retry_at.filter(|_| row.paused.is_some()),
        paused: row.paused,
        created_at: row.created_at,
        whole_at: row.whole_at,
    })
}

/// Sets what makes vectors. A model is tried first. Where one serves already, it goes on until the new one has embedded every
/// entry. The model that is set already is left as it is, and tried at once if it waits; `anew` embeds everything again.
///
/// # Errors
/// [`Error::Invalid`] for a model that makes no vectors now, with what it said.
pub async fn set_embedder(ctx: &Ctx, draft: EmbedderDraft) -> Result<EmbedderReport, Error> {
    ctx.authorize(Action::ManageProvider)?;
    let model = checked(draft.model)?;
    let rows = store::embedders(&ctx.db, ctx.workspace()).await?;
    let of = |state: &str| rows.iter().find(|row| row.state == state);
    let (serving, building) = (of(store::SERVING), of(store::BUILDING));
    if model.is_empty() {
        replace(ctx, &rows.iter().collect::<Vec<_>>(), None).await?;
    } else if let Some(same) = building.or(serving).filter(|row| row.model == model && !draft.anew) {
        let mut tx = ctx.db.begin().await?;
        store::resume(&mut tx, same.id, ctx.clock.now()).await?;
        tx.commit().await?;
    } else if !draft.anew && serving.is_some_and(|row| row.model == model) {
        // Back to what serves: what was to follow it is given up.
        replace(ctx, &building.into_iter().collect::<Vec<_>>(), None).await?;
    } else {
        let dims = trial(ctx, &model).await?;
        replace(ctx, &building.into_iter().collect::<Vec<_>>(), Some((&model, dims))).await?;
    }
    let mut tx = ctx.db.begin().await?;
    store::note_choice(&mut tx, ctx.workspace(), ctx.clock.now()).await?;
    tx.commit().await?;
    tracing::info!(model, anew = draft.anew, by = %ctx.actor.principal, "what makes vectors of memory was set");
    work::wake(ctx.runtime());
    get_embedder(ctx).await
}

/// Asks the model for a vector; returns how many numbers it has.
async fn trial(ctx: &Ctx, model: &str) -> Result<usize, Error> {
    let refuse = |message: String| Error::Invalid(vec![FieldError::new("/model", message)]);
    let vectors = asked(ctx, model, TRIAL).await.map_err(refuse)?;
    let dims = vectors.first().map_or(0, Vec::len);
    if dims == 0 || dims > MAX_DIMENSIONS as usize {
        return Err(refuse(format!("expected vectors of 1 to {MAX_DIMENSIONS} numbers, it makes such of {dims}")));
    }
    if index::pack(&vectors).is_none() {
        return Err(refuse("its vector of the trial has no direction".to_owned()));
    }
    Ok(dims)
}

/// The vector of one text, or why there is none.
async fn asked(ctx: &Ctx, model: &str, text: &str) -> Result<Vec<Vec<f32>>, String> {
    let on_behalf_of = ctx.actor.principal.user_id();
    let waiting = Waiting { on_behalf_of, urgency: Urgency::Asked, patience_ms: TRIAL_MS };
    let vectors = ask(ctx, model, vec![text.to_owned()], waiting).await;
    vectors.map_err(|fault| format!("a trial failed: {}", fault.message))
}

/// The models of this machine, by name.
///
/// # Errors
/// When the role doesn't allow it.
pub async fn list_local_models(ctx: &Ctx) -> Result<Vec<LocalModel>, Error> {
    ctx.authorize(Action::ManageProvider)?;
    Ok(local::list(ctx).await)
}

/// Embeds a text as a trial; nothing is kept of it.
///
/// # Errors
/// [`Error::Invalid`] for a text that does not fit, a model that made no vector of it, with what it said, and where no model is
/// named and none serves.
pub async fn try_embedder(ctx: &Ctx, trial: EmbedTrial) -> Result<EmbedTried, Error> {
    ctx.authorize(Action::ManageProvider)?;
    let text = trial.text.trim();
    if text.is_empty() || text.chars().count() > MAX_TRIAL_CHARS {
        let expected = format!("expected a text of 1 to {MAX_TRIAL_CHARS} characters");
        return Err(Error::Invalid(vec![FieldError::new("/text", expected)]));
    }
    let refuse = |message: String| Error::Invalid(vec![FieldError::new("/model", message)]);
    let model = match checked(trial.model)? {
        model if !model.is_empty() => model,
        _ => {
            let rows = store::embedders(&ctx.db, ctx.workspace()).await?;
            let serving = rows.into_iter().find(|row| row.state == store::SERVING);
            serving.map(|row| row.model).ok_or_else(|| refuse("expected a model: none serves".to_owned()))?
        }
    };
    let began = Instant::now();
    let vectors = asked(ctx, &model, text).await.map_err(refuse)?;
    let took_ms = began.elapsed().as_millis() as u32;
    Ok(EmbedTried { model, dimensions: vectors.first().map_or(0, Vec::len) as u32, took_ms })
}

/// The name of a model, without the space around it; empty for none.
fn checked(model: Option<String>) -> Result<String, Error> {
    let model = model.unwrap_or_default().trim().to_owned();
    if model.chars().count() > MAX_EMBEDDER_MODEL_CHARS || model.contains(char::is_control) {
        let expected = format!("expected a line of at most {MAX_EMBEDDER_MODEL_CHARS} characters");
        return Err(Error::Invalid(vec![FieldError::new("/model", expected)]));
    }
    Ok(model)
}

/// Removes embedders and adds one, and tells every index by a change number.
async fn replace(ctx: &Ctx, gone: &[&EmbedderRow], added: Option<(&str, usize)>) -> Result<(), Error> {
    if gone.is_empty() && added.is_none() {
        return Ok(());
    }
    let mut tx = ctx.db.begin().await?;
    store::next_change(&mut tx, ctx.workspace()).await?;
    for row in gone {
        store::delete_embedder(&mut tx, row.id).await?;
    }
    if let Some((model, dims)) = added {
        let there = store::embedders_within(&mut tx, ctx.workspace()).await?;
        // Somebody may have set another one meanwhile: the last one counts.
        for other in there.iter().filter(|row| row.state == store::BUILDING) {
            store::delete_embedder(&mut tx, other.id).await?;
        }
        let serves = there.iter().any(|row| row.state == store::SERVING);
        let row = EmbedderRow {
            id: ctx.ids.fresh(),
            workspace_id: ctx.workspace(),
            model: model.to_owned(),
            dims: dims as i64,
            state: if serves { store::BUILDING } else { store::SERVING }.to_owned(),
            done_change: 0,
            paused: None,
            pauses: 0,
            retry_at: None,
            created_at: ctx.clock.now(),
            whole_at: None,
        };
        store::insert_embedder(&mut tx, &row).await?;
    }
    tx.commit().await?;
    Ok(())
}
