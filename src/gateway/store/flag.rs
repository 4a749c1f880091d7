//! Flags, and who changed what of them.

use sqlx::types::Json;
use sqlx::{FromRow, query, query_as, query_scalar};
use uuid::Uuid;

use crate::db::{Db, Error, Result, Tx};
use crate::model::auth::Role;
use crate::model::gateway::{Flag, FlagAudience, FlagChange, FlagDraft, StickyBy};
use crate::model::{FlagChangeId, FlagId, Timestamp, UserId, WorkspaceId};
use crate::{read, within};

#[derive(Debug, FromRow)]
struct FlagRow {
    id: FlagId,
    name: String,
    description: String,
    enabled: bool,
    percent: i64,
    sticky_by: String,
    audience: Json<FlagAudience>,
    revision: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl TryFrom<FlagRow> for Flag {
    type Error = Error;

    fn try_from(row: FlagRow) -> Result<Self> {
        let unreadable = |column, found: &str| Error::inconsistent("feature_flag", column, found);
        Ok(Self {
            id: row.id,
            name: row.name,
            description: row.description,
            enabled: row.enabled,
            percent: u32::try_from(row.percent).map_err(|_| unreadable("percent", "no percentage"))?,
            sticky_by: StickyBy::parse(&row.sticky_by).ok_or_else(|| unreadable("sticky_by", &row.sticky_by))?,
            audience: row.audience.0,
            revision: row.revision,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// Adds a flag. [`crate::db::Error::Duplicate`] when the name is taken.
pub async fn insert(tx: &mut Tx, workspace: WorkspaceId, id: FlagId, flag: &FlagDraft, now: Timestamp) -> Result<()> {
    within!(tx, conn => query(
        "insert into feature_flag (id, workspace_id, name, description, enabled, percent, sticky_by, audience, revision, created_at,
            updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9, $9)",
    )
    .bind(id)
    .bind(workspace)
    .bind(&flag.name)
    .bind(&flag.description)
    .bind(flag.enabled)
    .bind(i64::from(flag.percent))
    .bind(flag.sticky_by.as_str())
    .bind(Json(&flag.audience))
    .bind(now)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// Changes a flag that is at `revision`; false when it is not any more.
pub async fn update(
    tx: &mut Tx,
    workspace: WorkspaceId,
    (id, revision): (FlagId, i64),
    flag: &FlagDraft,
    now: Timestamp,
) -> Result<bool> {
    Ok(within!(tx, conn => query(
        "update feature_flag set name = $4, description = $5, enabled = $6, percent = $7, sticky_by = $8, audience = $9,
            revision = revision + 1, updated_at = $10
         where workspace_id = $1 and id = $2 and revision = $3",
    )
    .bind(workspace)
    .bind(id)
    .bind(revision)
    .bind(&flag.name)
    .bind(&flag.description)
    .bind(flag.enabled)
    .bind(i64::from(flag.percent))
    .bind(flag.sticky_by.as_str())
    .bind(Json(&flag.audience))
    .bind(now)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))?)
}

/// Deletes a flag, and gives it back; `None` when there is none.
pub async fn delete(tx: &mut Tx, workspace: WorkspaceId, id: FlagId) -> Result<Option<Flag>> {
    let row: Option<FlagRow> = within!(tx, conn => query_as(
        "delete from feature_flag where workspace_id = $1 and id = $2
         returning id, name, description, enabled, percent, sticky_by, audience, revision, created_at, updated_at",
    )
    .bind(workspace)
    .bind(id)
    .fetch_optional(conn)
    .await)?;
    row.map(Flag::try_from).transpose()
}

/// Keeps the flag of this name from being deleted or renamed until the transaction ends; false when there is none.
pub async fn hold(tx: &mut Tx, workspace: WorkspaceId, name: &str) -> Result<bool> {
    Ok(within!(tx, conn => query("update feature_flag set revision = revision where workspace_id = $1 and name = $2")
        .bind(workspace)
        .bind(name)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))?)
}

/// How many a workspace has.
pub async fn count(tx: &mut Tx, workspace: WorkspaceId) -> Result<i64> {
    Ok(within!(tx, conn => query_scalar("select count(*) from feature_flag where workspace_id = $1")
        .bind(workspace)
        .fetch_one(conn)
        .await)?)
}

/// All of a workspace, by name.
pub async fn list(db: &Db, workspace: WorkspaceId) -> Result<Vec<Flag>> {
    let rows: Vec<FlagRow> = read!(db, conn => query_as(
        "select id, name, description, enabled, percent, sticky_by, audience, revision, created_at, updated_at
         from feature_flag
         where workspace_id = $1
         order by name",
    )
    .bind(workspace)
    .fetch_all(conn)
    .await)?;
    rows.into_iter().map(Flag::try_from).collect()
}

/// One flag.
pub async fn find(db: &Db, workspace: WorkspaceId, id: FlagId) -> Result<Option<Flag>> {
    let row: Option<FlagRow> = read!(db, conn => query_as(
        "select id, name, description, enabled, percent, sticky_by, audience, revision, created_at, updated_at
         from feature_flag
         where workspace_id = $1 and id = $2",
    )
    .bind(workspace)
    .bind(id)
    .fetch_optional(conn)
    .await)?;
    row.map(Flag::try_from).transpose()
}

/// Those that a flag can name by their id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    User,
    Agent,
    Key,
}

/// Whether the workspace has this one.
pub async fn knows(db: &Db, workspace: WorkspaceId, named: Named, id: Uuid) -> Result<bool> {
    let text: &'static str = match named {
        Named::User => "select count(*) from app_user where workspace_id = $1 and id = $2",
        Named::Agent => "select count(*) from agent where workspace_id = $1 and id = $2",
        Named::Key => "select count(*) from gateway_key where workspace_id = $1 and id = $2",
    };
    let count: i64 = read!(db, conn => query_scalar(text).bind(workspace).bind(id).fetch_one(conn).await)?;
    Ok(count > 0)
}

/// The role of a person; `None` when they are gone.
pub async fn find_role(db: &Db, workspace: WorkspaceId, user: UserId) -> Result<Option<Role>> {
    let role: Option<String> = read!(db, conn => query_scalar(
        "select role from app_user where workspace_id = $1 and id = $2",
    )
    .bind(workspace)
    .bind(user)
    .fetch_optional(conn)
    .await)?;
    Ok(role.as_deref().and_then(Role::parse))
}

/// Notes a change, and forgets those beyond the newest `keep`.
pub async fn note(tx: &mut Tx, workspace: WorkspaceId, change: &FlagChange, keep: i64) -> Result<()> {
    within!(tx, conn => query(
        "insert into feature_flag_change (id, workspace_id, flag_id, name, at, user_id, changed_by, was, became)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(change.id)
    .bind(workspace)
    .bind(change.flag_id)
    .bind(&change.name)
    .bind(change.at)
    .bind(change.user_id)
    .bind(&change.by)
    .bind(change.before.as_ref().map(Json))
    .bind(change.after.as_ref().map(Json))
    .execute(conn)
    .await
    .map(drop))?;
    within!(tx, conn => query(
        "delete from feature_flag_change
         where workspace_id = $1 and id not in (
            select id from feature_flag_change where workspace_id = $1 order by id desc limit $2
         )",
    )
    .bind(workspace)
    .bind(keep)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

#[derive(Debug, FromRow)]
struct ChangeRow {
    id: FlagChangeId,
    flag_id: FlagId,
    name: String,
    at: Timestamp,
    user_id: Option<UserId>,
    changed_by: String,
    was: Option<Json<FlagDraft>>,
    became: Option<Json<FlagDraft>>,
}

impl From<ChangeRow> for FlagChange {
    fn from(row: ChangeRow) -> Self {
        Self {
            id: row.id,
            flag_id: row.flag_id,
            name: row.name,
            at: row.at,
            user_id: row.user_id,
            by: row.changed_by,
            before: row.was.map(|draft| draft.0),
            after: row.became.map(|draft| draft.0),
        }
    }
}

/// The changes of a workspace's flags, newest first.
pub async fn list_changes(
    db: &Db,
    workspace: WorkspaceId,
    before: Option<FlagChangeId>,
    limit: u32,
) -> Result<Vec<FlagChange>> {
    let rows: Vec<ChangeRow> = read!(db, conn => query_as(
        "select id, flag_id, name, at, user_id, changed_by, was, became
         from feature_flag_change
         where workspace_id = $1 and ($2 is null or id < $2)
         order by id desc
         limit $3",
    )
    .bind(workspace)
    .bind(before)
    .bind(i64::from(limit))
    .fetch_all(conn)
    .await)?;
    Ok(rows.into_iter().map(FlagChange::from).collect())
}
