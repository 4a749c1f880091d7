//! Chosen entries as lines of JSON.

use crate::memory::file::Record;
use crate::memory::{Error, access, reads, store, validate};
use crate::model::FieldError;
use crate::model::memory::{EntryExport, EntryName, MAX_BULK, MAX_EXPORT_BYTES};
use crate::runtime::Ctx;

/// Gives entries as `weft memory import` reads them, as many as an answer holds; also those in quarantine: a person chose them.
///
/// # Errors
/// [`Error::Invalid`] for names that none can have, and more than 200; [`Error::Unreadable`] for an entry that can't be decrypted.
pub async fn export_entries(ctx: &Ctx, names: &[EntryName]) -> Result<EntryExport, Error> {
    let reach = access::reading(ctx).await?;
    if names.is_empty() || names.len() > MAX_BULK {
        return Err(Error::Invalid(vec![FieldError::new("/names", format!("expected 1 to {MAX_BULK} entries"))]));
    }
    for EntryName { namespace, key } in names {
        validate::place(namespace, key)?;
    }
    let now = ctx.clock.now();
    let mut export = EntryExport::default();
    for EntryName { namespace, key } in names {
        if export.lines.len() >= MAX_EXPORT_BYTES {
            break;
        }
        export.taken += 1;
        let row = store::find(ctx, &reach, (namespace, key)).await?;
        let Some(row) = row.filter(|row| row.is_live(now)) else {
            export.missing += 1;
            continue;
        };
        let entry = row.entry()?;
        reads::note_person_read(ctx, &entry);
        export.lines.push_str(&String::from_utf8_lossy(&Record::from(entry).to_line()));
    }
    Ok(export)
}
