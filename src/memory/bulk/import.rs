//! A record of a file becomes an entry, or the next version of one; what is there already stays untouched.

use crate::memory::file::Record;
use crate::memory::store::EntryRow;
use crate::memory::{Error, Expect, access, store, validate, write};
use crate::model::auth::Action;
use crate::model::memory::{Entry, Source, Trust};
use crate::runtime::Ctx;

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Imported {
    /// It is a new entry.
    New,
    /// It is the next version of an entry.
    Updated,
    /// The entry says so already.
    Unchanged,
}

/// Writes an entry as a record says, unless it is so already. Gives the entry where it was written.
///
/// # Errors
/// As [`put`](crate::memory::put).
pub async fn import_record(ctx: &Ctx, record: &Record) -> Result<(Imported, Option<Entry>), Error> {
    ctx.authorize(Action::WriteMemory)?;
    validate::place(&record.namespace, &record.key)?;
    let reach = access::writing(ctx, &record.namespace).await?;
    let now = ctx.clock.now();
    let row = store::find(ctx, &reach, (&record.namespace, &record.key)).await?;
    let known = row.filter(|row| row.is_live(now)).map(EntryRow::entry).transpose()?.map(Record::from);
    if known.as_ref().is_some_and(|known| is_kept(known, record)) {
        return Ok((Imported::Unchanged, None));
    }
    let source = Source::Import { name: ctx.actor.principal.user_name().map(str::to_owned) };
    let entry = write::put(ctx, &record.namespace, &record.key, record.draft(), Expect::Any, source).await?;
    let imported = if known.is_some() { Imported::Updated } else { Imported::New };
    Ok((imported, Some(entry)))
}

/// What would become of a record; nothing is written. What the rule for duplicates and the quarantine do with an entry is decided when
/// it is written.
///
/// # Errors
/// As [`import_record`].
pub async fn compare_record(ctx: &Ctx, record: &Record) -> Result<Imported, Error> {
    crate::memory::check(&record.namespace, &record.key, &record.draft())?;
    let reach = access::writing(ctx, &record.namespace).await?;
    let now = ctx.clock.now();
    validate::expiry(record.expires_at, now, &crate::memory::source(ctx))?;
    let row = store::find(ctx, &reach, (&record.namespace, &record.key)).await?;
    let known = row.filter(|row| row.is_live(now)).map(EntryRow::entry).transpose()?.map(Record::from);
    Ok(match known {
        None => Imported::New,
        Some(known) if is_kept(&known, record) => Imported::Unchanged,
        Some(_) => Imported::Updated,
    })
}

/// Whether an entry is as a record says. A record without a label leaves the one that there is.
pub(super) fn is_kept(known: &Record, record: &Record) -> bool {
    let record = record.clone().as_kept();
    *known == Record { trust: record.trust.or(known.trust).filter(|trust| *trust != Trust::User), ..record }
}
