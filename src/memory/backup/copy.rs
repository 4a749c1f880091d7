//! One copy: read page by page, written part by part, and what it makes unnecessary removed.

use super::target::Target;
use crate::memory::file::Record;
use crate::memory::store::BackupRow;
use crate::memory::{Error, access, store};
use crate::model::auth::Action;
use crate::model::memory::{BackupCopy, BackupOutcome, BackupRun};
use crate::model::{BackupId, Timestamp};
use crate::runtime::Ctx;

/// Entries that are read at once.
const PAGE: i64 = 50;
/// Bytes after which a part is written and the next begun. A part is longer by one entry at most.
const PART_BYTES: usize = 8 << 20;
/// Old copies that are tried to be removed; beyond them they are forgotten, and stay where they are.
const MOST_STUCK: usize = 200;
/// The same of copies that never became whole.
const MOST_BEGUN: usize = 20;
/// Pages that are read of what was written while the copy was made: whoever writes without end does not keep it from its own.
const CHASED: u32 = 200;

/// Makes a copy in the name of `ctx`, notes in `run` what came of it, and removes older copies than are to be kept.
pub(super) async fn make(ctx: &Ctx, row: &BackupRow, run: &mut BackupRun) -> Result<(), Error> {
    ctx.authorize(Action::ManageProvider)?;
    let reach = access::reading(ctx).await?;
    if !super::may_read(&reach, &row.spec.namespace) {
        return Err(Error::NoNamespace);
    }
    let target = Target::of(ctx, row)?;
    for (number, begun) in store::copies(&ctx.db, row.id, false).await?.into_iter().enumerate() {
        // A process ended while it was written, or the place did not answer. A place where nothing can be removed gets copies all the
        // same, and what was begun stays there.
        if let Err(error) = remove(ctx, &target, row.id, &begun).await {
            tracing::warn!(backup = %row.id, copy = begun.name, %error, "a copy that is not whole could not be removed");
            if number >= MOST_BEGUN {
                forget(ctx, row.id, &begun).await?;
            }
        }
    }
    let name = name(&row.spec.namespace, run.at, row.id);
    let mut copy = BackupCopy { name, at: run.at, entries: 0, bytes: 0, parts: 0 };
    let written = write(ctx, row, &target, &mut copy, run).await;
    let is_kept = match written {
        Ok(()) if copy.entries == 0 => true,
        Ok(()) => note(ctx, row.id, &copy, true).await?,
        Err(error) => {
            // Nothing of it is of use. Where it can't be removed now, the next copy tries again.
            if copy.parts > 0 {
                let _ = remove(ctx, &target, row.id, &copy).await;
            }
            return Err(error);
        }
    };
    if !is_kept {
        let _ = remove(ctx, &target, row.id, &copy).await;
        return Err(overtaken());
    }
    if run.left_out > 0 {
        run.reason = format!("{} entries can't be decrypted and are not in the copy", run.left_out);
    }
    if copy.entries == 0 {
        run.outcome = BackupOutcome::Nothing;
        return Ok(());
    }
    run.outcome = BackupOutcome::Done;
    let old: Vec<BackupCopy> =
        store::copies(&ctx.db, row.id, true).await?.into_iter().skip(row.spec.keep as usize).collect();
    for forgotten in old.iter().skip(MOST_STUCK) {
        // It stays where it is: for long nothing could be removed there.
        forget(ctx, row.id, forgotten).await?;
    }
    for old in old.into_iter().take(MOST_STUCK) {
        match remove(ctx, &target, row.id, &old).await {
            Ok(()) => run.removed += 1,
            Err(error) => {
                run.reason = format!("the copy is whole, but {}, an old one, could not be removed: {error}", old.name);
                break;
            }
        }
    }
    Ok(())
}

/// Writes the entries. The copy's row says of each part that it is about to be there before it is.
async fn write(
    ctx: &Ctx,
    row: &BackupRow,
    target: &Target,
    copy: &mut BackupCopy,
    run: &mut BackupRun,
) -> Result<(), Error> {
    let reach = access::reading(ctx).await?;
    let until = store::last_change(&ctx.db, ctx.workspace()).await?;
    let (mut after, mut chased, mut part) = (0, 0, Vec::new());
    loop {
        if ctx.tasks.stopping().is_cancelled() {
            return Err(Error::Backup("the server stopped before the copy was whole".to_owned()));
        }
        let now = ctx.clock.now();
        let rows = store::to_back_up(ctx, (&reach, now), &row.spec.namespace, after, PAGE).await?;
        let is_last = rows.len() < PAGE as usize || chased >= CHASED;
        chased += u32::from(after > until);
        for entry in rows {
            after = entry.change;
            if entry.unreadable().is_some() {
                run.left_out += 1;
                continue;
            }
            part.extend_from_slice(&Record::from(entry.shown()).to_line());
            copy.entries += 1;
            if part.len() >= PART_BYTES {
                put(ctx, row, target, copy, std::mem::take(&mut part)).await?;
            }
        }
        if is_last {
            break;
        }
    }
    if !part.is_empty() {
        put(ctx, row, target, copy, part).await?;
    }
    (run.entries, run.bytes) = (copy.entries.unsigned_abs(), copy.bytes.unsigned_abs());
    Ok(())
}

async fn put(ctx: &Ctx, row: &BackupRow, target: &Target, copy: &mut BackupCopy, part: Vec<u8>) -> Result<(), Error> {
    copy.parts += 1;
    copy.bytes += part.len() as i64;
    if copy.parts == 1 {
        if !begin(ctx, row, copy).await? {
            // Nothing was written yet.
            copy.parts = 0;
            return Err(overtaken());
        }
    } else if !note(ctx, row.id, copy, false).await? {
        return Err(overtaken());
    }
    target.put(ctx, &part_name(&copy.name, copy.parts), part).await
}

/// Notes that a copy begins; false where the backup writes elsewhere by now, or is gone.
async fn begin(ctx: &Ctx, row: &BackupRow, copy: &BackupCopy) -> Result<bool, Error> {
    let mut tx = ctx.db.begin().await?;
    let now = store::hold_backup(&mut tx, row.id).await?;
    let is_meant = now.is_some_and(|now| super::same_place(&now.target, &row.spec.target));
    let begins = is_meant && store::begin_copy(&mut tx, row.id, copy).await?;
    tx.commit().await?;
    Ok(begins)
}

/// Notes how far a copy is; false where nothing is known of it any more: what was written of it is of no use then.
async fn note(ctx: &Ctx, id: BackupId, copy: &BackupCopy, whole: bool) -> Result<bool, Error> {
    let mut tx = ctx.db.begin().await?;
    let is_known = store::put_copy(&mut tx, id, copy, whole).await?;
    tx.commit().await?;
    Ok(is_known)
}

/// A copy counts as whole only while nobody has taken it for one that was left: another process, or whoever had the backup write elsewhere.
fn overtaken() -> Error {
    Error::Backup("the backup was changed, or made by another server, while this copy was written".to_owned())
}

/// Removes the files of a copy, then what is known of it: what fails in between is tried again.
async fn remove(ctx: &Ctx, target: &Target, id: BackupId, copy: &BackupCopy) -> Result<(), Error> {
    for number in 1..=copy.parts {
        target.remove(ctx, &part_name(&copy.name, number)).await?;
    }
    forget(ctx, id, copy).await
}

async fn forget(ctx: &Ctx, id: BackupId, copy: &BackupCopy) -> Result<(), Error> {
    let mut tx = ctx.db.begin().await?;
    store::forget_copy(&mut tx, id, &copy.name).await?;
    Ok(tx.commit().await?)
}

/// The name of a part's file.
pub(super) fn part_name(copy: &str, number: i32) -> String {
    format!("{copy}-{number}.jsonl")
}

/// The name of a copy: of what, from when, and by which backup, so that no two meet. Pure.
fn name(namespace: &str, at: Timestamp, id: BackupId) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let of: String = namespace.chars().take(60).map(plain).collect();
    let of = of.trim_matches('-');
    let of = if of.is_empty() { "memory" } else { of };
    let at: String = at.to_string().chars().filter(|c| !matches!(c, '-' | ':')).collect();
    let at = at.replace('.', "-");
    let id = id.to_string();
    let tail = id.get(id.len().saturating_sub(8)..).unwrap_or_default();
    format!("{of}-{at}-{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_named_for_what_when_and_whose_it_is() {
        let id = BackupId(uuid::Uuid::from_u128(0x1234_5678));
        let at = Timestamp::parse("2026-11-23T02:30:00Z").expect("a moment");
        assert_eq!(name("code/decisions", at, id), "code-decisions-20261123T023000Z-12345678");
        assert_eq!(name("", at, id), "memory-20261123T023000Z-12345678");
        assert_eq!(name("../ä/..", at, id), "memory-20261123T023000Z-12345678");
        assert_eq!(part_name("a", 2), "a-2.jsonl");
        let exact = Timestamp::parse("2026-11-23T02:30:00.25Z").expect("a moment");
        assert!(!name("a", exact, id).contains(['.', ':', '/']));
    }
}
