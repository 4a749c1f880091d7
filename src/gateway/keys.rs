//! The gateway's keys, and who holds one.

use sha2::{Digest as _, Sha256};

use super::error::{Error, Result};
use super::store::key;
use super::validate;
use crate::model::auth::{Action, Role};
use crate::model::credentials::Secret;
use crate::model::gateway::{GatewayKey, KeyDraft, KeyMade};
use crate::model::{ApiKeyId, Page, PageRequest};
use crate::runtime::{Actor, Ctx, Principal, Runtime};

/// Keys of one workspace.
const MAX_KEYS: i64 = 1_000;
/// What keys begin with.
const PREFIX: &str = "weft_gw_";
/// Longest key that is looked at; ours have 51 characters.
const MAX_SECRET_BYTES: usize = 128;
/// "Last used" is noted at most this often.
const TOUCH_MS: i64 = 60 * 1000;

/// The keys, newest first. Secrets are shown to nobody.
///
/// # Errors
/// [`Error::Denied`], [`Error::Invalid`] for a cursor that is none of ours.
pub async fn list_keys(ctx: &Ctx, page: &PageRequest) -> Result<Page<GatewayKey>> {
    ctx.authorize(Action::ManageProvider)?;
    let before = super::usage::cursor(page)?;
    let limit = page.limit();
    let keys = key::list(&ctx.db, ctx.workspace(), before, limit + 1).await?;
    Ok(Page::cut(keys, limit, |key| key.id.to_string()))
}

/// Makes a key. Its secret is in the answer, and nowhere ever after.
///
/// # Errors
/// [`Error::Invalid`]; [`Error::Conflict`] when there are too many.
pub async fn create_key(ctx: &Ctx, draft: KeyDraft) -> Result<KeyMade> {
    ctx.authorize(Action::ManageProvider)?;
    validate::key(&draft)?;
    let now = ctx.clock.now();
    if draft.expires_at.is_some_and(|at| at <= now) {
        return Err(Error::invalid("/expires_at", "expected a time to come"));
    }
    let secret = format!("{PREFIX}{}", ctx.ids.secret());
    let made = GatewayKey {
        id: ctx.ids.fresh(),
        name: draft.name,
        hint: secret[..PREFIX.len() + 4].to_owned(),
        models: draft.models,
        expires_at: draft.expires_at,
        cache: draft.cache,
        limits: draft.limits,
        last_used_at: None,
        created_at: now,
    };
    let mut tx = ctx.db.begin().await?;
    if key::count(&mut tx, ctx.workspace()).await? >= MAX_KEYS {
        return Err(Error::Conflict(format!("the workspace has {MAX_KEYS} keys; delete one first")));
    }
    key::insert(&mut tx, ctx.workspace(), &made, &digest(&secret), ctx.actor.principal.user_id()).await?;
    tx.commit().await?;
    tracing::info!(key = %made.id, by = %ctx.actor.principal, "a key of the gateway was made");
    Ok(KeyMade { key: made, secret: Secret(secret) })
}

/// Ends a key, at once.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn delete_key(ctx: &Ctx, id: ApiKeyId) -> Result<()> {
    ctx.authorize(Action::ManageProvider)?;
    let mut tx = ctx.db.begin().await?;
    if !key::delete(&mut tx, ctx.workspace(), id).await? {
        return Err(Error::NotFound("key"));
    }
    tx.commit().await?;
    tracing::info!(key = %id, by = %ctx.actor.principal, "a key of the gateway was deleted");
    Ok(())
}

/// Who holds this key; `None` for any that is unknown or has ended. To be asked at the gateway's own endpoints and nowhere
/// else: the key opens nothing besides.
///
/// # Errors
/// The database's.
pub async fn authenticate(runtime: &Runtime, secret: &str) -> Result<Option<Actor>> {
    if secret.len() > MAX_SECRET_BYTES || !secret.starts_with(PREFIX) {
        return Ok(None);
    }
    let now = runtime.clock.now();
    let Some(row) = key::find_by_digest(&runtime.db, &digest(secret), now).await? else { return Ok(None) };
    if row.last_used_at.is_none_or(|at| now.ms_since(at) >= TOUCH_MS) {
        let (runtime, id) = (runtime.clone(), row.id);
        let tasks = runtime.tasks.clone();
        tasks.spawn("gateway key", async move {
            let noted = async {
                let mut tx = runtime.db.begin().await?;
                key::touch(&mut tx, id, now).await?;
                tx.commit().await
            };
            if let Err(error) = noted.await {
                tracing::warn!(%error, key = %id, "the use of a key was not noted");
            }
        });
    }
    let principal = Principal::Key { id: row.id, name: row.name };
    // The least role that may call a model.
    Ok(Some(Actor { workspace: row.workspace_id, principal, role: Role::Operator }))
}

/// What the key of who asks allows, if they have one.
pub(super) async fn rights(ctx: &Ctx) -> Result<Option<key::KeyRights>> {
    let Principal::Key { id, .. } = &ctx.actor.principal else { return Ok(None) };
    Ok(Some(key::find_rights(&ctx.db, ctx.workspace(), *id).await?.ok_or(Error::NotFound("key"))?))
}

fn digest(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}
