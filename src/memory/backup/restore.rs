//! A copy comes back, through the import.

use super::copy::part_name;
use super::target::Target;
use crate::memory::bulk::{compare_record, import_record, is_of_the_entry};
use crate::memory::file::Record;
use crate::memory::{Error, Imported, store};
use crate::model::BackupId;
use crate::model::auth::Action;
use crate::model::memory::{BackupRestore, RestoreReport, is_within};
use crate::runtime::Ctx;

/// Bytes of a part that are read: what one is written with, and an entry of the largest size with everything escaped.
const MOST_PART: u64 = 24 << 20;

/// Writes the entries of a copy as they were, each as its next version in the name of who asks; those that are so already stay untouched,
/// and what was written since under other keys stays too. With `preview` it says what would come of it. A line that does not fit is left
/// out and named.
///
/// # Errors
/// [`Error::NoBackup`] for both; [`Error::Backup`] when a part can't be read: what was read before it is kept.
pub async fn restore_backup(ctx: &Ctx, id: BackupId, asked: &BackupRestore) -> Result<RestoreReport, Error> {
    let row = super::find(ctx, id).await?;
    ctx.authorize(Action::WriteMemory)?;
    let copies = store::copies(&ctx.db, row.id, true).await?;
    let copy = copies.into_iter().find(|copy| copy.name == asked.copy).ok_or(Error::NoBackup("copy"))?;
    let target = Target::of(ctx, &row)?;
    let mut report = RestoreReport::default();
    for number in 1..=copy.parts {
        let part = target.get(ctx, &part_name(&copy.name, number), MOST_PART).await?;
        for (at, line) in part.split(|byte| *byte == b'\n').enumerate() {
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            match take(ctx, &row.spec.namespace, line, asked.preview).await {
                Ok(Imported::New) => report.new += 1,
                Ok(Imported::Updated) => report.updated += 1,
                Ok(Imported::Unchanged) => report.unchanged += 1,
                Err(error) if is_of_the_entry(&error) => {
                    report.refuse(format!("file {number}, line {}: {error}", at + 1));
                }
                Err(error) => return Err(error),
            }
        }
    }
    if !asked.preview {
        let RestoreReport { new, updated, .. } = report;
        let (copy, by) = (&asked.copy, &ctx.actor.principal);
        tracing::info!(backup = %id, copy, new, updated, %by, "a copy of the memory came back");
    }
    Ok(report)
}

/// Takes a line, or says what would come of it. A file that somebody has changed meanwhile leads to no other namespaces.
async fn take(ctx: &Ctx, namespace: &str, line: &[u8], preview: bool) -> Result<Imported, Error> {
    let record: Record = serde_json::from_slice(line).map_err(|error| Error::Backup(error.to_string()))?;
    if !namespace.is_empty() && !is_within(&record.namespace, namespace) {
        return Err(Error::Backup(format!("expected a namespace at or below {namespace}")));
    }
    if preview { compare_record(ctx, &record).await } else { Ok(import_record(ctx, &record).await?.0) }
}
