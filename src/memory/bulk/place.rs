//! An entry goes to another namespace. It stays the same entry: its versions, its readers and the ways to it go along.

use serde_json::json;

use crate::memory::heard::{note, written};
use crate::memory::{Error, Expect, access, store, summary};
use crate::model::FieldError;
use crate::model::live::Topic;
use crate::model::memory::Entry;
use crate::runtime::Ctx;

/// Moves an entry, as a new version with the same words; gives that version.
///
/// # Errors
/// [`Error::NoNamespace`] and [`Error::ReadOnly`] of either place; [`Error::NotFound`]; [`Error::Conflict`] when it is in another
/// version than expected; [`Error::Invalid`] where an entry stands in its way, be it one that was deleted and can come back.
pub(super) async fn relocate(
    ctx: &Ctx,
    (namespace, key): (&str, &str),
    to: &str,
    expect: Expect,
) -> Result<i64, Error> {
    access::writing(ctx, namespace).await?;
    access::writing(ctx, to).await?;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin().await?;
    let begun = store::begin_write(&mut tx, ctx).await?;
    let row = store::find_within(&mut tx, ctx, namespace, key).await?;
    let row = row.filter(|row| row.is_live(now)).ok_or(Error::NotFound)?;
    expect.check(Some(row.version))?;
    if let Some(other) = store::find_within(&mut tx, ctx, to, key).await? {
        let expected = if other.is_live(now) {
            format!("expected a namespace without an entry {key:?}")
        } else {
            format!("expected a namespace without an entry {key:?}; one was deleted there and can still come back")
        };
        return Err(Error::Invalid(vec![FieldError::new("/to", expected)]));
    }
    let live = row.entry()?;
    let entry = Entry {
        namespace: to.to_owned(),
        version: live.version + 1,
        updated_at: now,
        source: crate::memory::source(ctx),
        ..live.clone()
    };
    store::relocate(&mut tx, entry.id, to).await?;
    store::write(&mut tx, ctx, &entry, &begun).await?;
    store::append_version(&mut tx, ctx, &entry, &begun, (None, true)).await?;
    summary::keep_links(&mut tx, ctx, None, (Some(&live), &entry)).await?;
    note(&mut tx, ctx, (namespace, key), &format!("{} moved", entry.version)).await?;
    note(&mut tx, ctx, (to, key), &entry.version.to_string()).await?;
    tx.commit().await?;
    written(ctx, &entry, begun.change).await?;
    // Who looks at where it stood hears of it too.
    let data = json!({"namespace": namespace, "key": key, "to": to});
    ctx.events.publish(ctx.workspace(), Topic::Memory(namespace.to_owned()), "entry_moved", data);
    Ok(entry.version)
}
