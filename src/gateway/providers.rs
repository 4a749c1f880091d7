//! Adding, changing, testing and deleting providers.

use std::time::Instant;

use super::error::{Error, Result, unless_taken};
use super::health::Health;
use super::queue::Queues;
use super::store::provider::{self, ProviderRow, Written};
use super::store::provider_use;
use super::upstream::{self, Endpoint};
use super::validate;
use crate::db::Tx;
use crate::model::ProviderId;
use crate::model::auth::Action;
use crate::model::gateway::{Credential, Provider, ProviderDraft, ProviderTest, ProviderUse};
use crate::runtime::Ctx;

/// Providers of one workspace.
const MAX_PROVIDERS: i64 = 100;

/// Every provider, oldest first.
///
/// # Errors
/// [`Error::Denied`].
pub async fn list_providers(ctx: &Ctx) -> Result<Vec<Provider>> {
    ctx.authorize(Action::ReadProvider)?;
    let rows = provider::list(&ctx.db, ctx.workspace()).await?;
    rows.into_iter().map(|row| shown(ctx, row)).collect()
}

/// What every provider was asked in the last 30 days and cost, oldest first, and how fast it began to answer on the last day.
///
/// # Errors
/// [`Error::Denied`].
pub async fn list_provider_use(ctx: &Ctx) -> Result<Vec<ProviderUse>> {
    ctx.authorize(Action::ReadUsage)?;
    let ago = |days: i64| ctx.clock.now().plus_ms(-days * 24 * 3_600_000);
    Ok(provider_use::list(&ctx.db, ctx.workspace(), ago(30), ago(1)).await?)
}

/// One provider.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get_provider(ctx: &Ctx, id: ProviderId) -> Result<Provider> {
    ctx.authorize(Action::ReadProvider)?;
    shown(ctx, find(ctx, id).await?)
}

/// Adds a provider.
///
/// # Errors
/// [`Error::Invalid`] with pointers such as `/base_url`; [`Error::Conflict`] when the name is taken or there are too many.
pub async fn create_provider(ctx: &Ctx, draft: ProviderDraft) -> Result<Provider> {
    ctx.authorize(Action::ManageProvider)?;
    let base_url = base_url(&draft);
    validate::provider(&draft, &base_url)?;
    let credential = draft.credential.as_ref().filter(|key| !key.0.is_empty());
    if draft.kind.needs_credential() && credential.is_none() {
        return Err(Error::invalid("/credential", format!("{} answers nobody without a key", draft.kind.label())));
    }
    let id: ProviderId = ctx.ids.fresh();
    let sealed = credential.map(|key| seal(ctx, id, key)).transpose()?;
    let hint = credential.map(hint);
    let written = Written {
        name: &draft.name,
        base_url: &base_url,
        sealed: sealed.as_deref(),
        hint: hint.as_deref(),
        models: &draft.models,
        limits: draft.limits,
        responses: draft.responses,
        enabled: draft.enabled,
    };
    let mut tx = ctx.db.begin().await?;
    if provider::count(&mut tx, ctx.workspace()).await? >= MAX_PROVIDERS {
        return Err(Error::Conflict(format!("the workspace has {MAX_PROVIDERS} providers; delete one first")));
    }
    let by = ctx.actor.principal.user_id();
    let inserted = provider::insert(&mut tx, ctx.workspace(), (id, draft.kind), by, &written, ctx.clock.now()).await;
    unless_taken(inserted, "provider", &draft.name)?;
    tx.commit().await?;
    tracing::info!(provider = %id, kind = draft.kind.as_str(), by = %ctx.actor.principal, "a provider was added");
    shown(ctx, find(ctx, id).await?)
}

/// Changes a provider that somebody saw at `revision` (`None`: however it is); it keeps its kind. A key that is not given stays, unless the provider
/// moves to another place: keys are not sent to where nobody meant them to go.
///
/// # Errors
/// [`Error::Conflict`] when somebody changed it since, or the name is taken; [`Error::NotFound`]; [`Error::Invalid`].
pub async fn update_provider(
    ctx: &Ctx,
    id: ProviderId,
    revision: impl Into<Option<i64>>,
    draft: ProviderDraft,
) -> Result<Provider> {
    ctx.authorize(Action::ManageProvider)?;
    let before = find(ctx, id).await?;
    let revision = revision.into().unwrap_or(before.revision);
    let kind = before.kind()?;
    if draft.kind != kind {
        return Err(Error::invalid("/kind", format!("expected {}: a provider keeps its kind", kind.as_str())));
    }
    let base_url = base_url(&draft);
    validate::provider(&draft, &base_url)?;
    let moves = origin(&base_url) != origin(&before.base_url);
    if moves && draft.credential.is_none() && before.sealed.is_some() {
        let message = "expected the key again, because the provider moves to another address";
        return Err(Error::invalid("/credential", message));
    }
    let (sealed, hint) = match &draft.credential {
        None => {
            let kept = before.sealed.map(|sealed| ctx.keys.renewed(&ctx.ids, &place(id), sealed)).transpose()?;
            (kept, before.hint)
        }
        Some(key) if key.0.is_empty() => (None, None),
        Some(key) => (Some(seal(ctx, id, key)?), Some(hint(key))),
    };
    if kind.needs_credential() && sealed.is_none() {
        return Err(Error::invalid("/credential", format!("{} answers nobody without a key", kind.label())));
    }
    let written = Written {
        name: &draft.name,
        base_url: &base_url,
        sealed: sealed.as_deref(),
        hint: hint.as_deref(),
        models: &draft.models,
        limits: draft.limits,
        responses: draft.responses,
        enabled: draft.enabled,
    };
    let mut tx = ctx.db.begin().await?;
    let changed = provider::update(&mut tx, ctx.workspace(), (id, revision), &written, ctx.clock.now()).await;
    if !unless_taken(changed, "provider", &draft.name)? {
        return Err(Error::changed_meanwhile("provider", before.revision, revision));
    }
    tx.commit().await?;
    tracing::info!(provider = %id, enabled = draft.enabled, by = %ctx.actor.principal, "a provider was changed");
    shown(ctx, find(ctx, id).await?)
}

/// Deletes a provider with its prices. The log of its calls stays.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn delete_provider(ctx: &Ctx, id: ProviderId) -> Result<()> {
    ctx.authorize(Action::ManageProvider)?;
    let mut tx: Tx = ctx.db.begin().await?;
    if !provider::delete(&mut tx, ctx.workspace(), id).await? {
        return Err(Error::NotFound("provider"));
    }
    tx.commit().await?;
    ctx.shared::<Health>().reset(id);
    tracing::info!(provider = %id, by = %ctx.actor.principal, "a provider was deleted");
    Ok(())
}

/// Asks the provider for its models, with its key: costs nothing, and shows that address, key and network are right. What is
/// wrong is in the answer.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn test_provider(ctx: &Ctx, id: ProviderId) -> Result<ProviderTest> {
    ctx.authorize(Action::ManageProvider)?;
    let row = find(ctx, id).await?;
    let begun = Instant::now();
    let listed = match endpoint(ctx, &row) {
        Ok(endpoint) => upstream::list_models(&ctx.http, &endpoint).await,
        Err(error) => return Err(error),
    };
    let took_ms = begun.elapsed().as_millis() as u64;
    Ok(match listed {
        Ok(mut models) => {
            models.sort();
            models.truncate(500);
            let message = format!("It answered, and lists {} models.", models.len());
            ProviderTest { ok: true, message, took_ms, models }
        }
        Err(fault) => ProviderTest { ok: false, message: fault.message, took_ms, models: Vec::new() },
    })
}

/// Forgets that the provider's models failed: they are asked again at once, by this process.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn reset_provider(ctx: &Ctx, id: ProviderId) -> Result<Provider> {
    ctx.authorize(Action::ManageProvider)?;
    let row = find(ctx, id).await?;
    ctx.shared::<Health>().reset(id);
    ctx.shared::<Queues>().reset(id);
    tracing::info!(provider = %id, by = %ctx.actor.principal, "the breakers of a provider were reset");
    shown(ctx, row)
}

/// A provider as it is called, with its key in clear.
pub(super) fn endpoint(ctx: &Ctx, row: &ProviderRow) -> Result<Endpoint> {
    let credential = match &row.sealed {
        None => None,
        Some(sealed) => {
            let clear = ctx.keys.unseal(&place(row.id), sealed).and_then(|bytes| String::from_utf8(bytes).ok());
            Some(clear.ok_or_else(|| {
                let message = format!(
                    "the key of the provider {} can't be decrypted with this master key; enter it again",
                    row.name
                );
                crate::model::gateway::Fault::new(crate::model::gateway::FaultClass::Credential, message)
            })?)
        }
    };
    Ok(Endpoint {
        name: row.name.clone(),
        kind: row.kind()?,
        base_url: row.base_url.clone(),
        responses: row.responses,
        credential,
        limits: row.limits.0,
        progress: None,
    })
}

async fn find(ctx: &Ctx, id: ProviderId) -> Result<ProviderRow> {
    provider::find(&ctx.db, ctx.workspace(), id).await?.ok_or(Error::NotFound("provider"))
}

fn shown(ctx: &Ctx, row: ProviderRow) -> Result<Provider> {
    let now = ctx.clock.steady();
    let health = ctx.shared::<Health>().of(row.id, now);
    let queue = ctx.shared::<Queues>().state(row.id, row.limits.0, now);
    let kind = row.kind()?;
    Ok(Provider {
        id: row.id,
        name: row.name,
        kind,
        base_url: row.base_url,
        credential_hint: row.hint,
        models: row.models.0,
        responses: row.responses,
        enabled: row.enabled,
        limits: row.limits.0,
        health,
        queue,
        revision: row.revision,
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}

fn base_url(draft: &ProviderDraft) -> String {
    let text = draft.base_url.trim().trim_end_matches('/');
    if text.is_empty() { draft.kind.usual_base_url().to_owned() } else { text.to_owned() }
}

fn origin(url: &str) -> Option<String> {
    url::Url::parse(url).ok().map(|url| url.origin().ascii_serialization())
}

fn seal(ctx: &Ctx, id: ProviderId, key: &Credential) -> Result<Vec<u8>> {
    Ok(ctx.keys.seal(&ctx.ids, &place(id), key.0.as_bytes())?)
}

/// Where a key stands, so that it opens nowhere else.
pub(super) fn place(id: ProviderId) -> String {
    format!("provider/{id}/sealed")
}

/// The last four characters; none of a short key.
fn hint(key: &Credential) -> String {
    if key.0.len() < 12 { "…".to_owned() } else { format!("…{}", &key.0[key.0.len() - 4..]) }
}
