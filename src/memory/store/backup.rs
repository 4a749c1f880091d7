//! Backups, their copies, what came of them, and the entries that they read.

use sqlx::types::Json;
use sqlx::{FromRow, query, query_as, query_scalar};

use crate::db::{Db, Result, Tx};
use crate::memory::maker::Maker;
use crate::model::auth::Role;
use crate::model::memory::{BackupCopy, BackupDraft, BackupRun, KEPT_BACKUP_RUNS};
use crate::model::{BackupId, Timestamp, UserId, WorkspaceId};
use crate::{read, within};

/// A backup. Its secret key stands beside what it says, encrypted.
#[derive(Debug, Clone)]
pub(in crate::memory) struct BackupRow {
    pub id: BackupId,
    pub workspace_id: WorkspaceId,
    pub spec: BackupDraft,
    pub sealed: Option<Vec<u8>>,
    pub made_by: Maker,
    pub created_at: Timestamp,
    pub next_at: Option<Timestamp>,
}

/// The same as it is stored.
#[derive(FromRow)]
struct StoredBackup {
    id: BackupId,
    workspace_id: WorkspaceId,
    spec: Json<BackupDraft>,
    sealed: Option<Vec<u8>>,
    made_by: Option<UserId>,
    made_by_name: Option<String>,
    made_role: String,
    created_at: Timestamp,
    next_at: Option<Timestamp>,
}

impl From<StoredBackup> for BackupRow {
    fn from(row: StoredBackup) -> Self {
        let made_by = Maker { user: row.made_by, name: row.made_by_name, role: Role::parse(&row.made_role) };
        let StoredBackup { id, workspace_id, spec, sealed, created_at, next_at, .. } = row;
        Self { id, workspace_id, spec: spec.0, sealed, made_by, created_at, next_at }
    }
}

macro_rules! backups {
    ($rest:literal) => {
        concat!(
            "select id, workspace_id, spec, sealed, made_by, made_by_name, made_role, created_at, next_at from memory_backup ",
            $rest
        )
    };
}

/// The backups of a workspace, the oldest first.
pub(in crate::memory) async fn backups(db: &Db, workspace: WorkspaceId) -> Result<Vec<BackupRow>> {
    const SQL: &str = backups!("where workspace_id = $1 order by created_at, id limit 200");
    let rows: Vec<StoredBackup> = read!(db, conn => query_as(SQL).bind(workspace).fetch_all(conn).await)?;
    Ok(rows.into_iter().map(BackupRow::from).collect())
}

/// A backup of a workspace.
pub(in crate::memory) async fn find_backup(db: &Db, workspace: WorkspaceId, id: BackupId) -> Result<Option<BackupRow>> {
    const SQL: &str = backups!("where workspace_id = $1 and id = $2");
    let row: Option<StoredBackup> =
        read!(db, conn => query_as(SQL).bind(workspace).bind(id).fetch_optional(conn).await)?;
    Ok(row.map(BackupRow::from))
}

/// Backups of all workspaces that are switched on and due, the one that waits longest first.
pub(in crate::memory) async fn due_backups(db: &Db, now: Timestamp, limit: i64) -> Result<Vec<BackupRow>> {
    const SQL: &str = backups!("where enabled and next_at <= $1 order by next_at, id limit $2");
    let rows: Vec<StoredBackup> = read!(db, conn => query_as(SQL).bind(now).bind(limit).fetch_all(conn).await)?;
    Ok(rows.into_iter().map(BackupRow::from).collect())
}

/// How many backups a workspace has.
pub(in crate::memory) async fn count_backups(tx: &mut Tx, workspace: WorkspaceId) -> Result<i64> {
    Ok(within!(tx, conn => query_scalar("select count(*) from memory_backup where workspace_id = $1")
        .bind(workspace)
        .fetch_one(conn)
        .await)?)
}

/// Makes a backup, or writes another text of it.
pub(in crate::memory) async fn put_backup(tx: &mut Tx, row: &BackupRow) -> Result<()> {
    within!(tx, conn => query(
        "insert into memory_backup (id, workspace_id, spec, sealed, enabled, made_by, made_by_name, made_role, created_at, next_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         on conflict (id) do update set spec = excluded.spec, sealed = excluded.sealed, enabled = excluded.enabled,
             made_by = excluded.made_by, made_by_name = excluded.made_by_name, made_role = excluded.made_role,
             next_at = excluded.next_at",
    )
    .bind(row.id)
    .bind(row.workspace_id)
    .bind(Json(&row.spec))
    .bind(row.sealed.as_deref())
    .bind(row.spec.enabled)
    .bind(row.made_by.user)
    .bind(row.made_by.name.as_deref())
    .bind(row.made_by.role.map_or("", Role::as_str))
    .bind(row.created_at)
    .bind(row.next_at)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// Removes a backup with what came of it; false when there is none. What was written elsewhere stays there.
pub(in crate::memory) async fn delete_backup(tx: &mut Tx, workspace: WorkspaceId, id: BackupId) -> Result<bool> {
    Ok(within!(tx, conn => query("delete from memory_backup where workspace_id = $1 and id = $2")
        .bind(workspace)
        .bind(id)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))?)
}

/// Takes a backup that is due, until `next`; false when somebody was faster.
pub(in crate::memory) async fn take_backup(tx: &mut Tx, row: &BackupRow, next: Option<Timestamp>) -> Result<bool> {
    Ok(within!(tx, conn => query(
        "update memory_backup set next_at = $3 where id = $1 and next_at = $2 and enabled",
    )
    .bind(row.id)
    .bind(row.next_at)
    .bind(next)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))?)
}

/// Has a backup made at once; false when there is none that is switched on.
pub(in crate::memory) async fn hasten_backup(
    tx: &mut Tx,
    workspace: WorkspaceId,
    id: BackupId,
    now: Timestamp,
) -> Result<bool> {
    Ok(within!(tx, conn => query(
        "update memory_backup set next_at = $3 where workspace_id = $1 and id = $2 and enabled",
    )
    .bind(workspace)
    .bind(id)
    .bind(now)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))?)
}

/// Where a backup writes now; `None` where it was removed. Whoever changes it meanwhile waits for this transaction.
pub(in crate::memory) async fn hold_backup(tx: &mut Tx, id: BackupId) -> Result<Option<BackupDraft>> {
    let spec: Option<Json<BackupDraft>> = within!(tx, conn => query_scalar(
        "update memory_backup set created_at = created_at where id = $1 returning spec",
    )
    .bind(id)
    .fetch_optional(conn)
    .await)?;
    Ok(spec.map(|spec| spec.0))
}

/// Notes a copy that begins; false where one of this name is there already.
pub(in crate::memory) async fn begin_copy(tx: &mut Tx, backup: BackupId, copy: &BackupCopy) -> Result<bool> {
    Ok(within!(tx, conn => query(
        "insert into memory_backup_copy (backup_id, name, at, whole, entries, bytes, parts)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (backup_id, name) do nothing",
    )
    .bind(backup)
    .bind(copy.name.as_str())
    .bind(copy.at)
    .bind(false)
    .bind(copy.entries)
    .bind(copy.bytes)
    .bind(copy.parts)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))?)
}

/// Notes that a copy goes on, or that it is whole; false where nothing is known of it any more.
pub(in crate::memory) async fn put_copy(tx: &mut Tx, backup: BackupId, copy: &BackupCopy, whole: bool) -> Result<bool> {
    Ok(within!(tx, conn => query(
        "update memory_backup_copy set whole = $3, entries = $4, bytes = $5, parts = $6
         where backup_id = $1 and name = $2",
    )
    .bind(backup)
    .bind(copy.name.as_str())
    .bind(whole)
    .bind(copy.entries)
    .bind(copy.bytes)
    .bind(copy.parts)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))?)
}

/// Copies of a backup, the newest first: those that are whole, or those that were begun and never were.
pub(in crate::memory) async fn copies(db: &Db, backup: BackupId, whole: bool) -> Result<Vec<BackupCopy>> {
    let rows: Vec<(String, Timestamp, i64, i64, i32)> = read!(db, conn => query_as(
        "select name, at, entries, bytes, parts from memory_backup_copy where backup_id = $1 and whole = $2
         order by at desc, name desc limit 1000",
    )
    .bind(backup)
    .bind(whole)
    .fetch_all(conn)
    .await)?;
    let copy = |(name, at, entries, bytes, parts)| BackupCopy { name, at, entries, bytes, parts };
    Ok(rows.into_iter().map(copy).collect())
}

/// Forgets a copy.
pub(in crate::memory) async fn forget_copy(tx: &mut Tx, backup: BackupId, name: &str) -> Result<()> {
    within!(tx, conn => query("delete from memory_backup_copy where backup_id = $1 and name = $2")
        .bind(backup)
        .bind(name)
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}

/// Forgets all copies of a backup: it writes elsewhere from now on.
pub(in crate::memory) async fn forget_copies(tx: &mut Tx, backup: BackupId) -> Result<()> {
    within!(tx, conn => query("delete from memory_backup_copy where backup_id = $1")
        .bind(backup)
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}

/// Notes what came of a backup, unless it was removed meanwhile, and forgets the oldest.
pub(in crate::memory) async fn add_backup_run(tx: &mut Tx, backup: BackupId, run: &BackupRun) -> Result<()> {
    within!(tx, conn => query(
        "insert into memory_backup_run (backup_id, at, report)
         select id, $2, $3 from memory_backup where id = $1
         on conflict (backup_id, at) do update set report = excluded.report",
    )
    .bind(backup)
    .bind(run.at)
    .bind(Json(run))
    .execute(conn)
    .await
    .map(drop))?;
    within!(tx, conn => query(
        "delete from memory_backup_run where backup_id = $1 and at <= (
             select at from memory_backup_run where backup_id = $1 order by at desc limit 1 offset $2)",
    )
    .bind(backup)
    .bind(KEPT_BACKUP_RUNS)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// What came of a backup, the last first.
pub(in crate::memory) async fn backup_runs(db: &Db, backup: BackupId, limit: i64) -> Result<Vec<BackupRun>> {
    let rows: Vec<(Json<BackupRun>,)> = read!(db, conn => query_as(
        "select report from memory_backup_run where backup_id = $1 order by at desc limit $2",
    )
    .bind(backup)
    .bind(limit)
    .fetch_all(conn)
    .await)?;
    Ok(rows.into_iter().map(|(report,)| report.0).collect())
}
