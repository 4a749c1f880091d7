//! What was comes back: an older version of an entry, or one that was deleted.

use super::heard::{note, written};
use super::{Error, Expect, access, store, validate};
use crate::model::auth::Action;
use crate::model::memory::{Entry, Quarantine};
use crate::runtime::Ctx;

/// Gives an entry the content of one of its kept versions again, as a new version. Works on deleted entries too.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::NoVersion`] when that version is not kept or had no content.
pub async fn restore(ctx: &Ctx, namespace: &str, key: &str, version: i64) -> Result<Entry, Error> {
    ctx.authorize(Action::WriteMemory)?;
    bring_back(ctx, (namespace, key), Some(version), (Expect::Any, false)).await
}

/// [`restore`] of an entry that is as it was seen, with its expiry and its group of then: what takes a write back.
///
/// # Errors
/// As [`restore`]; [`Error::Conflict`] and [`Error::Gone`] when it is not as expected.
pub(super) async fn restore_from(
    ctx: &Ctx,
    (namespace, key): (&str, &str),
    version: i64,
    expect: Expect,
) -> Result<Entry, Error> {
    ctx.authorize(Action::WriteMemory)?;
    bring_back(ctx, (namespace, key), Some(version), (expect, true)).await
}

/// Brings a deleted entry back as it was, as a new version.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Exists`] when it is not deleted.
pub async fn undelete(ctx: &Ctx, namespace: &str, key: &str) -> Result<Entry, Error> {
    ctx.authorize(Action::WriteMemory)?;
    bring_back(ctx, (namespace, key), None, (Expect::Any, false)).await
}

async fn bring_back(
    ctx: &Ctx,
    (namespace, key): (&str, &str),
    version: Option<i64>,
    (expect, is_whole): (Expect, bool),
) -> Result<Entry, Error> {
    validate::place(namespace, key)?;
    access::writing(ctx, namespace).await?;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin().await?;
    let begun = store::begin_write(&mut tx, ctx).await?;
    let row = store::find_within(&mut tx, ctx, namespace, key).await?.ok_or(Error::NotFound)?;
    expect.check(row.is_live(now).then_some(row.version))?;
    let old = match version {
        Some(version) => store::find_version(&mut tx, ctx, row.id, version).await?,
        None if row.is_live(now) => return Err(Error::Exists { found: row.version }),
        None => store::find_last_content(&mut tx, ctx, row.id).await?,
    };
    let (newest, expires_at) = (row.version, row.expires_at);
    let old = old.ok_or(Error::NoVersion(version.unwrap_or(newest)))?;
    let (trust, was_held) = (old.trust(), old.is_quarantined());
    if let Some(why) = old.unreadable {
        let (namespace, key) = (namespace.to_owned(), key.to_owned());
        return Err(Error::Unreadable { namespace, key, version: old.version, why });
    }
    let content = old.content.ok_or(Error::NoVersion(version.unwrap_or(newest)))?;
    let was_live = row.deleted_at.is_none() && row.unreadable().is_none();
    // What can't be decrypted is written over.
    let row = Entry { unreadable: None, ..row.shown() };
    let same_words = was_live && row.content == content && row.value == old.value.0;
    let quarantine = match row.quarantine.clone() {
        // Deleted, and back as it was.
        Some(held) if held.is_held() && was_held => Some(held),
        _ if was_held => {
            let reasons = vec!["the version that was brought back was in quarantine".to_owned()];
            Some(Quarantine { at: now, by: None, reasons, released: None })
        }
        Some(held) if held.is_held() => Some(held.released(now, super::source(ctx))),
        other => other,
    };
    let mut entry = Entry {
        content,
        trust,
        quarantine,
        value: old.value.0,
        tags: old.tags.0,
        metadata: old.metadata.0,
        importance: old.importance,
        version: newest + 1,
        source: super::source(ctx),
        updated_at: now,
        // A time that is over would take it away again at once.
        expires_at: expires_at.filter(|at| *at > now),
        ..row
    };
    if let Some(version) = version.filter(|_| is_whole)
        && let Some((expires_at, group, position)) = store::around_version(&mut tx, entry.id, version).await?
    {
        (entry.expires_at, entry.group, entry.position) = (expires_at.filter(|at| *at > now), group, position);
    }
    store::write(&mut tx, ctx, &entry, &begun).await?;
    store::append_version(&mut tx, ctx, &entry, &begun, (None, same_words)).await?;
    // Deleted and back as it was, a summary is one still.
    store::carry_summary(&mut tx, entry.id, version.unwrap_or(newest - 1), entry.version).await?;
    note(&mut tx, ctx, (namespace, key), &entry.version.to_string()).await?;
    tx.commit().await?;
    written(ctx, &entry, begun.change).await?;
    Ok(entry)
}
