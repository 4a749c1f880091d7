//! The rows of workflows and their versions.

use sqlx::types::Json;
use sqlx::{FromRow, query, query_as, query_scalar};

use super::Filter;
use crate::db::{Db, Error as DbError, Tx};
use crate::model::workflow::check::MAX_NAME_CHARS;
use crate::model::workflow::{Definition, Version, Workflow, WorkflowSummary};
use crate::model::{Page, PageRequest, Timestamp, UserId, WorkflowId, WorkspaceId};
use crate::workflow::Error;
use crate::{read, within};

#[derive(FromRow)]
struct WorkflowRow {
    id: WorkflowId,
    name: String,
    description: String,
    draft: Json<Definition>,
    revision: i64,
    published_version: Option<i64>,
    published: Option<Json<Definition>>,
    owner_id: Option<UserId>,
    owner_name: Option<String>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl WorkflowRow {
    fn draft_changed(&self) -> bool {
        self.published.as_ref().is_none_or(|published| published.0 != self.draft.0)
    }
}

impl From<WorkflowRow> for Workflow {
    fn from(row: WorkflowRow) -> Self {
        Self {
            draft_changed: row.draft_changed(),
            id: row.id,
            name: row.name,
            description: row.description,
            draft: row.draft.0,
            revision: row.revision,
            published_version: row.published_version,
            owner: row.owner_id,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

impl From<WorkflowRow> for WorkflowSummary {
    fn from(row: WorkflowRow) -> Self {
        Self {
            draft_changed: row.draft_changed(),
            id: row.id,
            name: row.name,
            description: row.description,
            steps: u32::try_from(row.draft.steps.len()).unwrap_or(u32::MAX),
            published_version: row.published_version,
            owner_name: row.owner_name,
            updated_at: row.updated_at,
            last_run: None,
        }
    }
}

/// Last changed first; the cursor is the place in that order, so a page never repeats a row that did not move.
pub(super) async fn list(
    db: &Db,
    workspace: WorkspaceId,
    filter: &Filter,
    page: &PageRequest,
) -> Result<Page<WorkflowSummary>, Error> {
    let (before, before_id) = match &page.cursor {
        None => (Timestamp(i64::MAX / 2), WorkflowId(uuid::Uuid::max())),
        Some(cursor) => read_cursor(cursor).ok_or_else(|| Error::invalid("cursor", "expected the `next` of a page"))?,
    };
    let pattern = format!("%{}%", escape_like(&filter.query.to_lowercase()));
    let rows: Vec<WorkflowRow> = read!(db, conn => query_as(
        r"select w.id, w.name, w.description, w.draft, w.revision, w.published_version, v.definition as published,
            w.owner_id, u.name as owner_name, w.created_at, w.updated_at
        from workflow w
        left join workflow_version v on v.workflow_id = w.id and v.version = w.published_version
        left join app_user u on u.id = w.owner_id
        where w.workspace_id = $1
          and (lower(w.name) like $2 escape '\' or lower(w.description) like $2 escape '\')
          and (w.updated_at < $3 or (w.updated_at = $3 and w.id < $4))
        order by w.updated_at desc, w.id desc
        limit $5")
        .bind(workspace).bind(&pattern).bind(before).bind(before_id).bind(i64::from(page.limit()) + 1)
        .fetch_all(conn).await)
    .map_err(DbError::from)?;
    let rows = rows.into_iter().map(WorkflowSummary::from).collect();
    Ok(Page::cut(rows, page.limit(), |row| format!("{}.{}", row.updated_at.0, row.id)))
}

fn read_cursor(cursor: &str) -> Option<(Timestamp, WorkflowId)> {
    let (at, id) = cursor.split_once('.')?;
    // Beyond it Postgres has no time.
    let at = at.parse().ok().filter(|at| (0..=i64::MAX / 2).contains(at))?;
    Some((Timestamp(at), id.parse().ok()?))
}

/// Makes a person's words literal inside a `like` pattern.
fn escape_like(words: &str) -> String {
    words.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

pub(super) async fn get(db: &Db, workspace: WorkspaceId, id: WorkflowId) -> Result<Option<Workflow>, Error> {
    let row: Option<WorkflowRow> = read!(db, conn => query_as(
        r"select w.id, w.name, w.description, w.draft, w.revision, w.published_version, v.definition as published,
            w.owner_id, u.name as owner_name, w.created_at, w.updated_at
        from workflow w
        left join workflow_version v on v.workflow_id = w.id and v.version = w.published_version
        left join app_user u on u.id = w.owner_id
        where w.workspace_id = $1 and w.id = $2")
        .bind(workspace).bind(id).fetch_optional(conn).await)
    .map_err(DbError::from)?;
    Ok(row.map(Workflow::from))
}

pub(super) async fn find_by_name(db: &Db, workspace: WorkspaceId, name: &str) -> Result<Option<WorkflowId>, Error> {
    let id = read!(db, conn => query_scalar(
        "select id from workflow where workspace_id = $1 and name = $2")
        .bind(workspace).bind(name).fetch_optional(conn).await);
    Ok(id.map_err(DbError::from)?)
}

/// `name`, or the first of "name 2", "name 3", … that nobody has. A long name is cut, so that it fits with its number.
pub(super) async fn free_name(tx: &mut Tx, workspace: WorkspaceId, name: &str) -> Result<String, Error> {
    for number in 1..10_000 {
        let candidate = if number == 1 { name.to_owned() } else { numbered(name, number) };
        let taken: i64 = within!(&mut *tx, conn => query_scalar(
            "select count(*) from workflow where workspace_id = $1 and name = $2")
            .bind(workspace).bind(&candidate).fetch_one(conn).await)
        .map_err(DbError::from)?;
        if taken == 0 {
            return Ok(candidate);
        }
    }
    Err(Error::Conflict(format!("the name {name:?} is taken ten thousand times")))
}

fn numbered(name: &str, number: u32) -> String {
    let number = format!(" {number}");
    let kept: String = name.chars().take(MAX_NAME_CHARS - number.len()).collect();
    format!("{}{number}", kept.trim_end())
}

pub(super) async fn insert(
    tx: &mut Tx,
    id: WorkflowId,
    workspace: WorkspaceId,
    owner: Option<UserId>,
    definition: &Definition,
    now: Timestamp,
) -> Result<(), Error> {
    within!(tx, conn => query(
        r"insert into workflow (id, workspace_id, name, description, draft, revision, owner_id, saved_by, created_at, updated_at)
        values ($1, $2, $3, $4, $5, 1, $6, $6, $7, $7)")
        .bind(id).bind(workspace).bind(&definition.name).bind(&definition.description).bind(Json(definition))
        .bind(owner).bind(now).execute(conn).await.map(drop))
    .map_err(DbError::from)?;
    Ok(())
}

/// The draft's revision; the row stays locked until the transaction ends.
pub(super) async fn revision(tx: &mut Tx, workspace: WorkspaceId, id: WorkflowId) -> Result<Option<i64>, Error> {
    // An update that changes nothing is the row lock that both engines know.
    let revision = within!(tx, conn => query_scalar(
        r"update workflow set revision = revision where workspace_id = $1 and id = $2
        returning revision")
        .bind(workspace).bind(id).fetch_optional(conn).await);
    Ok(revision.map_err(DbError::from)?)
}

pub(super) async fn update_draft(
    tx: &mut Tx,
    id: WorkflowId,
    definition: &Definition,
    by: Option<UserId>,
    now: Timestamp,
) -> Result<(), Error> {
    let saved = within!(tx, conn => query(
        r"update workflow set name = $2, description = $3, draft = $4, revision = revision + 1, updated_at = $5,
            saved_by = $6
        where id = $1")
        .bind(id).bind(definition.name.trim()).bind(&definition.description).bind(Json(definition)).bind(now)
        .bind(by).execute(conn).await.map(drop));
    match saved.map_err(DbError::from) {
        Err(DbError::Duplicate(_)) => {
            Err(Error::invalid("/name", format!("another workflow is called {:?}", definition.name.trim())))
        }
        other => Ok(other?),
    }
}

pub(super) async fn insert_version(
    tx: &mut Tx,
    id: WorkflowId,
    definition: &Definition,
    by: Option<UserId>,
    now: Timestamp,
) -> Result<i64, Error> {
    let version: i64 = within!(&mut *tx, conn => query_scalar(
        r"insert into workflow_version (workflow_id, version, definition, published_by, published_at)
        select $1, coalesce(max(version), 0) + 1, $2, $3, $4 from workflow_version where workflow_id = $1
        returning version")
        .bind(id).bind(Json(definition)).bind(by).bind(now).fetch_one(conn).await)
    .map_err(DbError::from)?;
    within!(tx, conn => query("update workflow set published_version = $2 where id = $1")
        .bind(id).bind(version).execute(conn).await.map(drop))
    .map_err(DbError::from)?;
    Ok(version)
}

#[derive(FromRow)]
struct VersionRow {
    workflow_id: WorkflowId,
    version: i64,
    definition: Json<Definition>,
    published_by: Option<String>,
    published_at: Timestamp,
}

impl From<VersionRow> for Version {
    fn from(row: VersionRow) -> Self {
        Self {
            workflow_id: row.workflow_id,
            version: row.version,
            definition: row.definition.0,
            published_by: row.published_by,
            published_at: row.published_at,
        }
    }
}

pub(super) async fn list_versions(db: &Db, id: WorkflowId, page: &PageRequest) -> Result<Page<Version>, Error> {
    let before = match &page.cursor {
        None => i64::MAX,
        Some(cursor) => cursor.parse().map_err(|_| Error::invalid("cursor", "expected the `next` of a page"))?,
    };
    let rows: Vec<VersionRow> = read!(db, conn => query_as(
        r"select v.workflow_id, v.version, v.definition, u.name as published_by, v.published_at
        from workflow_version v
        left join app_user u on u.id = v.published_by
        where v.workflow_id = $1 and v.version < $2
        order by v.version desc
        limit $3")
        .bind(id).bind(before).bind(i64::from(page.limit()) + 1).fetch_all(conn).await)
    .map_err(DbError::from)?;
    let rows = rows.into_iter().map(Version::from).collect();
    Ok(Page::cut(rows, page.limit(), |row: &Version| row.version.to_string()))
}

pub(super) async fn get_version(db: &Db, id: WorkflowId, version: i64) -> Result<Option<Version>, Error> {
    let row: Option<VersionRow> = read!(db, conn => query_as(
        r"select v.workflow_id, v.version, v.definition, u.name as published_by, v.published_at
        from workflow_version v
        left join app_user u on u.id = v.published_by
        where v.workflow_id = $1 and v.version = $2")
        .bind(id).bind(version).fetch_optional(conn).await)
    .map_err(DbError::from)?;
    Ok(row.map(Version::from))
}

/// Deletes the workflow with its versions; its runs lose the reference and keep the rest.
pub(super) async fn delete(tx: &mut Tx, workspace: WorkspaceId, id: WorkflowId) -> Result<bool, Error> {
    let done = within!(tx, conn => query("delete from workflow where workspace_id = $1 and id = $2")
        .bind(workspace).bind(id).execute(conn).await.map(|done| done.rows_affected()));
    Ok(done.map_err(DbError::from)? == 1)
}
