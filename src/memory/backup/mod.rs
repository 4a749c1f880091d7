//! Backups of namespaces by themselves: lines of JSON, as the export writes them, to a folder of the server or to an object store.
//!
//! One process looks each minute which are due, makes one after the other, and notes what came of each. A backup reads what whoever
//! wrote it last may read, with the role that they have then. A copy counts once all its files are there; only then are older ones
//! removed, and what never became whole is removed before the next. Folders lie below the one that the server's operator has set, in
//! one of the workspace's own, and no link is followed there; stores are reached as everything outside, by the rules of
//! `runtime::outbound`. Copies come back through the import: what is there and says something else gets a new version.

mod copy;
mod folder;
mod object;
mod restore;
mod sign;
mod target;

pub use restore::restore_backup;

use std::time::Duration;

use url::Url;

use super::maker::Maker;
use super::store::BackupRow;
use super::{Error, access, store, validate};
use crate::model::auth::Action;
use crate::model::gateway::Credential;
use crate::model::memory::{
    Backup, BackupDraft, BackupOutcome, BackupRun, BackupSchedule, BackupTarget, MAX_BACKUPS, Reach,
};
use crate::model::trigger::zone::next_after;
use crate::model::{ApiError, BackupId, FieldError, Timestamp};
use crate::runtime::{Ctx, Runtime, zone};

/// How often it is looked which backups are due.
const EVERY: Duration = Duration::from_secs(60);
/// Backups that are made in one go; the others wait for the next.
const SOME: i64 = 20;
/// What came of a backup, as far as it shows.
const SHOWN_RUNS: i64 = 10;
const HOUR_MS: i64 = 3_600_000;

/// Wakes whoever makes backups in this process.
#[derive(Debug, Default)]
struct Bell(tokio::sync::Notify);

/// Starts what makes backups; it ends with the process' tasks.
pub(super) fn boot(runtime: &Runtime) {
    let runtime = runtime.clone();
    runtime.tasks.clone().spawn("memory backups", async move {
        let stopping = runtime.tasks.stopping().clone();
        let bell = runtime.shared::<Bell>();
        loop {
            tokio::select! {
                () = stopping.cancelled() => return,
                () = bell.0.notified() => {}
                () = tokio::time::sleep(EVERY) => {}
            }
            if !runtime.keeps_house() {
                continue;
            }
            if let Err(error) = fire_backups(&runtime).await {
                tracing::warn!(%error, "backups of the memory could not be made; it is tried again in {} s", EVERY.as_secs());
            }
        }
    });
}

/// Makes the backups that are due, one after the other, and notes what came of each. Returns how many were tried.
///
/// # Errors
/// When the database fails; what was noted before stays noted.
pub async fn fire_backups(runtime: &Runtime) -> Result<u32, Error> {
    let mut fired = 0;
    for row in store::due_backups(&runtime.db, runtime.clock.now(), SOME).await? {
        if runtime.tasks.stopping().is_cancelled() {
            break;
        }
        let next = next_at(&row.spec.schedule, runtime.clock.now());
        let mut tx = runtime.db.begin().await?;
        let is_ours = store::take_backup(&mut tx, &row, next).await?;
        tx.commit().await?;
        if is_ours {
            let run = make(runtime, &row).await?;
            fired += 1;
            if run.outcome == BackupOutcome::Failed && runtime.tasks.stopping().is_cancelled() {
                // The stop cut it short, and its next moment may be a month away: the server that comes next makes it.
                let mut tx = runtime.db.begin().await?;
                store::hasten_backup(&mut tx, row.workspace_id, row.id, runtime.clock.now()).await?;
                tx.commit().await?;
            }
        }
    }
    Ok(fired)
}

/// Makes a copy in the name of whoever wrote the backup, and notes what came of it.
async fn make(runtime: &Runtime, row: &BackupRow) -> Result<BackupRun, Error> {
    let at = runtime.clock.now();
    let mut run = BackupRun {
        at,
        outcome: BackupOutcome::Failed,
        entries: 0,
        bytes: 0,
        left_out: 0,
        removed: 0,
        took_ms: 0,
        reason: String::new(),
    };
    match row.made_by.acting(runtime, row.workspace_id, "the backup").await? {
        Err(reason) => run.reason = reason,
        Ok(ctx) => {
            if let Err(error) = copy::make(&ctx, row, &mut run).await {
                run.outcome = BackupOutcome::Failed;
                ApiError::from(error).detail().clone_into(&mut run.reason);
            }
        }
    }
    run.took_ms = runtime.clock.now().ms_since(at).max(0).unsigned_abs();
    let mut tx = runtime.db.begin().await?;
    store::add_backup_run(&mut tx, row.id, &run).await?;
    tx.commit().await?;
    let BackupRun { outcome, entries, reason, .. } = &run;
    if *outcome == BackupOutcome::Failed {
        tracing::warn!(backup = %row.id, reason, "a backup of the memory failed");
    } else {
        tracing::info!(backup = %row.id, ?outcome, entries, reason, "a backup of the memory was made");
    }
    Ok(run)
}

/// When it is due next; `None` when the expression has no further moment.
fn next_at(schedule: &BackupSchedule, now: Timestamp) -> Option<Timestamp> {
    match schedule {
        BackupSchedule::Every { hours } => Some(now.plus_ms(i64::from(*hours) * HOUR_MS)),
        BackupSchedule::Cron { cron, timezone } => {
            let (cron, zone) = zone::read(cron, timezone).ok()?;
            next_after(&cron, &zone, now)
        }
    }
}

/// The backups of the workspace, the oldest first, each with its copies and what came of it: for who administers memory.
///
/// # Errors
/// When the role doesn't allow it, or the database fails.
pub async fn list_backups(ctx: &Ctx) -> Result<Vec<Backup>, Error> {
    ctx.authorize(Action::ManageProvider)?;
    let reach = access::reading(ctx).await?;
    let mut backups = Vec::new();
    for row in store::backups(&ctx.db, ctx.workspace()).await? {
        if may_read(&reach, &row.spec.namespace) {
            backups.push(present(ctx, row).await?);
        }
    }
    Ok(backups)
}

/// The whole memory is for everybody who administers it: each reads what they may of it.
fn may_read(reach: &Reach, namespace: &str) -> bool {
    namespace.is_empty() || reach.may_read(namespace)
}

/// A backup whose namespace who asks may read.
async fn find(ctx: &Ctx, id: BackupId) -> Result<BackupRow, Error> {
    ctx.authorize(Action::ManageProvider)?;
    let reach = access::reading(ctx).await?;
    let row = store::find_backup(&ctx.db, ctx.workspace(), id).await?;
    row.filter(|row| may_read(&reach, &row.spec.namespace)).ok_or(Error::NoBackup("backup"))
}

async fn present(ctx: &Ctx, row: BackupRow) -> Result<Backup, Error> {
    let copies = store::copies(&ctx.db, row.id, true).await?;
    let runs = store::backup_runs(&ctx.db, row.id, SHOWN_RUNS).await?;
    let BackupRow { id, spec, made_by, created_at, next_at, .. } = row;
    Ok(Backup { id, spec, made_by: made_by.name, created_at, next_at, copies, runs })
}

/// Makes a backup, or writes another text of one. It reads in the name of who calls from then on. Where it writes elsewhere than before,
/// the copies there stay and are no longer counted.
///
/// # Errors
/// [`Error::NoBackup`]; [`Error::NoNamespace`]; [`Error::Invalid`] for what doesn't fit, for a folder where the operator has set none,
/// for a store without its key, and where there are 20 already.
pub async fn save_backup(ctx: &Ctx, id: Option<BackupId>, mut draft: BackupDraft) -> Result<Backup, Error> {
    ctx.authorize(Action::ManageProvider)?;
    let reach = access::reading(ctx).await?;
    let now = ctx.clock.now();
    let old = match id {
        Some(id) => Some(find(ctx, id).await?),
        None => None,
    };
    check(ctx, &mut draft)?;
    if !may_read(&reach, &draft.namespace) {
        return Err(Error::NoNamespace);
    }
    let id = old.as_ref().map_or_else(|| ctx.ids.fresh(), |old| old.id);
    let secret = draft.secret_key.take();
    let sealed = sealed(ctx, id, &draft.target, old.as_ref(), secret.as_ref())?;
    let moves = old.as_ref().is_some_and(|old| !same_place(&old.spec.target, &draft.target));
    let row = BackupRow {
        id,
        workspace_id: ctx.workspace(),
        next_at: next_at(&draft.schedule, now),
        spec: draft,
        sealed,
        made_by: Maker::of(ctx),
        created_at: old.as_ref().map_or(now, |old| old.created_at),
    };
    let mut tx = ctx.db.begin().await?;
    // Whoever makes backups takes turns, so that there are never more than may be.
    store::next_change(&mut tx, ctx.workspace()).await?;
    if old.is_none() && store::count_backups(&mut tx, ctx.workspace()).await? >= MAX_BACKUPS as i64 {
        let expected = format!("expected at most {MAX_BACKUPS} backups in a workspace; change or remove one");
        return Err(Error::Invalid(vec![FieldError::new("/namespace", expected)]));
    }
    store::put_backup(&mut tx, &row).await?;
    if moves {
        store::forget_copies(&mut tx, row.id).await?;
    }
    tx.commit().await?;
    let (enabled, target) = (row.spec.enabled, row.spec.target.phrase());
    tracing::info!(backup = %row.id, enabled, target, by = %ctx.actor.principal, "a backup of the memory was written");
    present(ctx, row).await
}

/// Whether copies that were written to one are found in the other, with whatever key.
fn same_place(one: &BackupTarget, other: &BackupTarget) -> bool {
    match (one, other) {
        (
            BackupTarget::S3 { endpoint, bucket, prefix, .. },
            BackupTarget::S3 { endpoint: to, bucket: other, prefix: under, .. },
        ) => endpoint == to && bucket == other && prefix == under,
        (one, other) => one == other,
    }
}

/// The secret key as it is kept: the new one, or the one before. That is not sent to a place that nobody meant it for.
fn sealed(
    ctx: &Ctx,
    id: BackupId,
    target: &BackupTarget,
    old: Option<&BackupRow>,
    secret: Option<&Credential>,
) -> Result<Option<Vec<u8>>, Error> {
    let BackupTarget::S3 { endpoint, access_key_id, .. } = target else { return Ok(None) };
    if let Some(Credential(secret)) = secret {
        return Ok(Some(ctx.keys.seal(&ctx.ids, &secret_place(id), secret.as_bytes())?));
    }
    let is_meant = |old: &&BackupRow| match &old.spec.target {
        BackupTarget::S3 { endpoint: known, access_key_id: key, .. } => known == endpoint && key == access_key_id,
        BackupTarget::Folder { .. } => false,
    };
    let kept = old.filter(is_meant).and_then(|old| old.sealed.clone());
    let kept = kept.map(|sealed| ctx.keys.renewed(&ctx.ids, &secret_place(id), sealed)).transpose()?;
    let expected = if old.is_some() {
        "expected the secret key again: the store or the access key is another one"
    } else {
        "expected the secret key of the access key"
    };
    kept.map(Some).ok_or_else(|| Error::Invalid(vec![FieldError::new("/secret_key", expected)]))
}

/// Where a secret key stands, for its encryption.
pub(super) fn secret_place(id: BackupId) -> String {
    format!("memory_backup/{id}/sealed")
}

/// Refuses a backup that can't be one, and trims the others.
fn check(ctx: &Ctx, draft: &mut BackupDraft) -> Result<(), Error> {
    draft.namespace = draft.namespace.trim_matches('/').to_owned();
    if let BackupTarget::S3 { endpoint, .. } = &mut draft.target {
        *endpoint = endpoint.trim_end_matches('/').to_owned();
    }
    let mut wrong = Vec::new();
    if !draft.namespace.is_empty() {
        let misfit = validate::namespace(&draft.namespace).err();
        wrong.extend(misfit.map(|field| FieldError::new("/namespace", field.message)));
    }
    wrong.extend(draft.check());
    if let BackupTarget::S3 { endpoint, .. } = &draft.target
        && Url::parse(endpoint).is_err()
        && !wrong.iter().any(|field| field.pointer == "/target/endpoint")
    {
        wrong.push(FieldError::new("/target/endpoint", "expected a host, perhaps with a port from 1 to 65535"));
    }
    if let BackupSchedule::Cron { cron, timezone } = &draft.schedule
        && let Err(field) = zone::read(cron, timezone)
    {
        wrong.push(FieldError::new(format!("/schedule{}", field.pointer), field.message));
    }
    if matches!(draft.target, BackupTarget::Folder { .. }) && ctx.config.backup_dir.is_none() {
        let expected = "expected an object store: this server's operator has set no folder for backups (backup_dir)";
        wrong.push(FieldError::new("/target/kind", expected));
    }
    if wrong.is_empty() { Ok(()) } else { Err(Error::Invalid(wrong)) }
}

/// Removes a backup. Its copies stay where they are.
///
/// # Errors
/// [`Error::NoBackup`].
pub async fn delete_backup(ctx: &Ctx, id: BackupId) -> Result<(), Error> {
    find(ctx, id).await?;
    let mut tx = ctx.db.begin().await?;
    if !store::delete_backup(&mut tx, ctx.workspace(), id).await? {
        return Err(Error::NoBackup("backup"));
    }
    tx.commit().await?;
    tracing::info!(backup = %id, by = %ctx.actor.principal, "a backup of the memory was removed; its copies stay");
    Ok(())
}

/// Has a backup made at once, within a minute; what came of it stands among its runs then.
///
/// # Errors
/// [`Error::NoBackup`]; [`Error::Invalid`] when it is switched off.
pub async fn hasten_backup(ctx: &Ctx, id: BackupId) -> Result<Backup, Error> {
    find(ctx, id).await?;
    let mut tx = ctx.db.begin().await?;
    if !store::hasten_backup(&mut tx, ctx.workspace(), id, ctx.clock.now()).await? {
        return Err(Error::Invalid(vec![FieldError::new("/enabled", "expected a backup that is switched on")]));
    }
    tx.commit().await?;
    ctx.shared::<Bell>().0.notify_one();
    present(ctx, find(ctx, id).await?).await
}

/// Makes a copy now and waits for it, whether the backup is switched on or not: for a command line without a server. When it is due next
/// stays as it is.
///
/// # Errors
/// [`Error::NoBackup`]; when the database fails. What else goes wrong is in the answer.
pub async fn run_backup(ctx: &Ctx, id: BackupId) -> Result<BackupRun, Error> {
    let row = find(ctx, id).await?;
    make(ctx.runtime(), &row).await
}
