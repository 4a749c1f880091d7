//! Making, changing and deleting triggers, and replacing the keys of webhooks.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::error::Result;
use super::list::{summary, url_base};
use super::store::key::NewKey;
use super::store::trigger::{TriggerRow, Watched, Written};
use super::{Error, MAX_TRIGGERS, get, schedule, store, validate, watch};
use crate::db::Tx;
use crate::model::auth::Action;
use crate::model::credentials::Secret;
use crate::model::live::Topic;
use crate::model::trigger::{Config, KeyKind, Kind, TriggerDraft, TriggerMade};
use crate::model::{TriggerId, TriggerKeyId};
use crate::runtime::Ctx;
use crate::{memory, workflow};

/// How long a token or a secret lives on after it was replaced.
const OVERLAP_MS: i64 = 24 * 60 * 60 * 1000;
/// What secrets of the Standard Webhooks convention begin with.
const SECRET_PREFIX: &str = "whsec_";

/// Makes a trigger. A webhook's address and secret are in the answer, and nowhere ever after.
///
/// # Errors
/// [`Error::Invalid`] with pointers such as `/config/cron`; [`Error::Conflict`] when there are too many.
pub async fn create(ctx: &Ctx, draft: TriggerDraft) -> Result<TriggerMade> {
    ctx.authorize(Action::ManageTrigger)?;
    check(ctx, &draft).await?;
    let id: TriggerId = ctx.ids.fresh();
    let now = ctx.clock.now();
    let name = name(&draft);
    let written = written(ctx, &draft, &name, None).await?;
    let mut tx = ctx.db.begin().await?;
    if store::trigger::count(&mut tx, ctx.workspace()).await? >= MAX_TRIGGERS {
        return Err(Error::Conflict(format!("the workspace has {MAX_TRIGGERS} triggers; delete one first")));
    }
    store::trigger::insert(&mut tx, ctx.workspace(), id, ctx.actor.principal.user_id(), &written, now).await?;
    follow_runs(ctx, &mut tx, id, &draft).await?;
    let mut made = (None, None);
    if let Config::Webhook { signed, .. } = draft.config {
        made.0 = Some(add_token(ctx, &mut tx, id).await?);
        made.1 = if signed { Some(add_secret(ctx, &mut tx, id).await?) } else { None };
    }
    tx.commit().await?;
    tracing::info!(trigger = %id, kind = draft.config.kind().as_str(), by = %ctx.actor.principal, "a trigger was made");
    finish(ctx, id, made).await
}

/// Changes a trigger that somebody saw at `revision`; it keeps its kind. A secret that signing needs anew is in the answer.
///
/// # Errors
/// [`Error::Conflict`] when somebody changed it since, [`Error::NotFound`], [`Error::Invalid`] as for [`create`].
pub async fn update(ctx: &Ctx, id: TriggerId, revision: i64, draft: TriggerDraft) -> Result<TriggerMade> {
    ctx.authorize(Action::ManageTrigger)?;
    let before = find(ctx, id).await?;
    if before.kind() != draft.config.kind() {
        let message = format!("expected {}: a trigger keeps its kind", before.kind().as_str());
        return Err(Error::invalid("/config/kind", message));
    }
    check(ctx, &draft).await?;
    let name = name(&draft);
    let written = written(ctx, &draft, &name, Some(&before)).await?;
    let mut tx = ctx.db.begin().await?;
    if !store::trigger::update(&mut tx, ctx.workspace(), id, revision, &written, ctx.clock.now()).await? {
        return Err(Error::Conflict(format!(
            "the trigger was changed by somebody else meanwhile: it is at revision {}, yours began at {revision}",
            before.revision
        )));
    }
    follow_runs(ctx, &mut tx, id, &draft).await?;
    let mut made = (None, None);
    match (&before.config.0, &draft.config) {
        (Config::Webhook { signed: false, .. }, Config::Webhook { signed: true, .. }) => {
            made.1 = Some(add_secret(ctx, &mut tx, id).await?);
        }
        (Config::Webhook { signed: true, .. }, Config::Webhook { signed: false, .. }) => {
            store::key::delete_all(&mut tx, id, KeyKind::Secret).await?;
        }
        _ => {}
    }
    tx.commit().await?;
    tracing::info!(trigger = %id, enabled = draft.enabled, by = %ctx.actor.principal, "a trigger was changed");
    finish(ctx, id, made).await
}

/// Deletes a trigger with its firings. Its runs stay.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn delete(ctx: &Ctx, id: TriggerId) -> Result<()> {
    ctx.authorize(Action::ManageTrigger)?;
    let mut tx = ctx.db.begin().await?;
    if !store::trigger::delete(&mut tx, ctx.workspace(), id).await? {
        return Err(Error::NotFound("trigger"));
    }
    tx.commit().await?;
    tracing::info!(trigger = %id, by = %ctx.actor.principal, "a trigger was deleted");
    tell(ctx, id).await
}

/// Makes a new token or secret for a webhook. The one that it replaces lives on for a day, or until [`delete_key`].
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] for a secret of a webhook whose calls are not signed.
pub async fn replace_key(ctx: &Ctx, id: TriggerId, kind: KeyKind) -> Result<TriggerMade> {
    ctx.authorize(Action::ManageTrigger)?;
    let trigger = find(ctx, id).await?;
    let Config::Webhook { signed, .. } = trigger.config.0 else {
        return Err(Error::Conflict("only webhooks have tokens and secrets".to_owned()));
    };
    if kind == KeyKind::Secret && !signed {
        return Err(Error::Conflict("the calls of this webhook are not signed".to_owned()));
    }
    let mut tx = ctx.db.begin().await?;
    store::key::retire(&mut tx, id, kind, ctx.clock.now().plus_ms(OVERLAP_MS)).await?;
    let made = match kind {
        KeyKind::Token => (Some(add_token(ctx, &mut tx, id).await?), None),
        KeyKind::Secret => (None, Some(add_secret(ctx, &mut tx, id).await?)),
    };
    tx.commit().await?;
    tracing::info!(trigger = %id, key = kind.as_str(), by = %ctx.actor.principal, "a key of a webhook was replaced");
    finish(ctx, id, made).await
}

/// Ends a token or a secret that was replaced, at once.
///
/// # Errors
/// [`Error::NotFound`], also for the newest one.
pub async fn delete_key(ctx: &Ctx, id: TriggerId, key: TriggerKeyId) -> Result<()> {
    ctx.authorize(Action::ManageTrigger)?;
    find(ctx, id).await?;
    let mut tx = ctx.db.begin().await?;
    if !store::key::delete_replaced(&mut tx, id, key).await? {
        return Err(Error::NotFound("replaced key"));
    }
    tx.commit().await?;
    tracing::info!(trigger = %id, %key, by = %ctx.actor.principal, "a replaced key of a webhook was ended");
    tell(ctx, id).await
}

async fn find(ctx: &Ctx, id: TriggerId) -> Result<TriggerRow> {
    store::trigger::find(&ctx.db, ctx.workspace(), id).await?.ok_or(Error::NotFound("trigger"))
}

/// Checks the draft, and that the workflows it names are in the workspace.
async fn check(ctx: &Ctx, draft: &TriggerDraft) -> Result<()> {
    validate::check(draft, "/config")?;
    let of = if let Config::RunFinished { of, .. } = &draft.config { *of } else { None };
    for (pointer, id) in [("/workflow_id", Some(draft.workflow_id)), ("/config/of", of)] {
        let Some(id) = id else { continue };
        match workflow::definitions::get(ctx, id).await {
            Ok(_) => {}
            Err(workflow::Error::NotFound(_)) => return Err(Error::invalid(pointer, "no such workflow")),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn name(draft: &TriggerDraft) -> String {
    let given = draft.name.trim();
    if given.is_empty() { summary(&draft.config).chars().take(120).collect() } else { given.to_owned() }
}

/// The columns of a draft. What goes on as it was keeps its place: an edit of the name misses no moment and no change.
async fn written<'a>(
    ctx: &Ctx,
    draft: &'a TriggerDraft,
    name: &'a str,
    before: Option<&TriggerRow>,
) -> Result<Written<'a>> {
    let same = before.filter(|before| before.config.0 == draft.config);
    let next_at = match &draft.config {
        Config::Schedule { cron, timezone, .. } if draft.enabled => {
            same.and_then(|before| before.next_at).or_else(|| schedule::next_at(cron, timezone, ctx.clock.now()))
        }
        _ => None,
    };
    let seen_change = if draft.config.kind() == Kind::Memory && draft.enabled {
        match before.and_then(|before| before.seen_change) {
            Some(seen) => Some(seen),
            None => Some(memory::last_change(ctx).await?),
        }
    } else {
        None
    };
    Ok(Written {
        workflow_id: draft.workflow_id,
        name,
        config: &draft.config,
        inputs: &draft.inputs,
        enabled: draft.enabled,
        next_at,
        seen_change,
    })
}

/// Has the ends of runs told to a trigger that waits for them and is on.
async fn follow_runs(ctx: &Ctx, tx: &mut Tx, id: TriggerId, draft: &TriggerDraft) -> Result<()> {
    let watched = match &draft.config {
        Config::RunFinished { of: Some(of), .. } if draft.enabled => Watched::Workflow(*of),
        Config::RunFinished { of: None, .. } if draft.enabled => Watched::Workspace,
        _ => Watched::Nothing,
    };
    Ok(store::trigger::watch_runs(tx, ctx.workspace(), id, watched).await?)
}

/// The SHA-256 under which a token is kept.
pub(super) fn digest(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

async fn add_token(ctx: &Ctx, tx: &mut Tx, trigger: TriggerId) -> Result<String> {
    let token = ctx.ids.secret();
    let digest = digest(&token);
    let key = NewKey {
        id: ctx.ids.fresh(),
        trigger,
        kind: KeyKind::Token,
        digest: Some(&digest),
        sealed: None,
        hint: &token[..6],
        at: ctx.clock.now(),
    };
    store::key::insert(tx, &key).await?;
    Ok(token)
}

async fn add_secret(ctx: &Ctx, tx: &mut Tx, trigger: TriggerId) -> Result<Secret> {
    let bytes: [u8; 32] = ctx.ids.random_bytes();
    let id: TriggerKeyId = ctx.ids.fresh();
    let text = format!("{SECRET_PREFIX}{}", STANDARD.encode(bytes));
    let sealed = ctx.keys.seal(&ctx.ids, &place(id), &bytes)?;
    let hint = &text[..SECRET_PREFIX.len() + 4];
    let key =
        NewKey { id, trigger, kind: KeyKind::Secret, digest: None, sealed: Some(&sealed), hint, at: ctx.clock.now() };
    store::key::insert(tx, &key).await?;
    Ok(Secret(text))
}

/// Where a secret stands, so that it opens nowhere else.
pub(super) fn place(id: TriggerKeyId) -> String {
    format!("trigger_key/{id}/sealed")
}

/// The trigger as it is now, with what is shown this once.
async fn finish(ctx: &Ctx, id: TriggerId, made: (Option<String>, Option<Secret>)) -> Result<TriggerMade> {
    tell(ctx, id).await?;
    let trigger = get(ctx, id).await?;
    let url = made.0.map(|token| format!("{}{token}", url_base(ctx, &trigger.workflow_id.to_string())));
    Ok(TriggerMade { trigger, url, secret: made.1 })
}

async fn tell(ctx: &Ctx, id: TriggerId) -> Result<()> {
    watch::changed(ctx.runtime()).await?;
    ctx.events.publish(ctx.workspace(), Topic::Triggers, "trigger_changed", json!({"id": id}));
    Ok(())
}
