//! The versions of an entry: append only, the last ones kept.

use serde_json::{Map, Value};
use sqlx::types::Json;
use sqlx::{FromRow, query, query_as};

use super::entry::{held_since, trust_of};
use crate::db::{Db, Result, Tx};
use crate::memory::{Change, KEPT_VERSIONS};
use crate::model::memory::{Entry, EntryVersion, Seen, Source, Trust};
use crate::model::{EntryId, Timestamp, WorkspaceId};
use crate::{read, within};

/// A stored version.
#[derive(Debug, Clone, FromRow)]
pub(in crate::memory) struct VersionRow {
    version: i64,
    pub content: Option<String>,
    pub value: Json<Value>,
    pub tags: Json<Vec<String>>,
    pub metadata: Json<Map<String, Value>>,
    pub importance: f64,
    source: Json<Source>,
    at: Timestamp,
    trust: String,
    quarantined_at: Option<Timestamp>,
    merged_from: Option<String>,
}

impl VersionRow {
    /// Who its words came from.
    pub fn trust(&self) -> Trust {
        trust_of(&self.trust)
    }

    /// Whether the entry was set aside while this was its newest version.
    pub const fn is_quarantined(&self) -> bool {
        self.quarantined_at.is_some()
    }
}

impl From<VersionRow> for EntryVersion {
    fn from(row: VersionRow) -> Self {
        Self {
            trust: row.trust(),
            quarantined: row.is_quarantined(),
            version: row.version,
            content: row.content,
            value: row.value.0,
            tags: row.tags.0,
            merged_from: row.merged_from,
            source: row.source.0,
            at: row.at,
        }
    }
}

/// Appends the version that an entry is now in, and drops those that are no longer kept. `seen` is which writes it has seen; where
/// nobody asks, its number says enough ([`Seen::only`]).
pub(in crate::memory) async fn append_version(
    tx: &mut Tx,
    entry: &Entry,
    change: i64,
    seen: Option<&Seen>,
) -> Result<()> {
    within!(tx, conn => query(
        "insert into memory_version (entry_id, version, content, value, tags, metadata, importance, source, at, change, trust,
             quarantined_at, quarantine, expires_at, context_group, context_position, seen)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
    )
    .bind(entry.id)
    .bind(entry.version)
    .bind(entry.content.as_str())
    .bind(Json(&entry.value))
    .bind(Json(&entry.tags))
    .bind(Json(&entry.metadata))
    .bind(entry.importance)
    .bind(Json(&entry.source))
    .bind(entry.updated_at)
    .bind(change)
    .bind(entry.trust.as_str())
    .bind(held_since(entry))
    .bind(entry.quarantine.as_ref().map(Json))
    .bind(entry.expires_at)
    .bind(entry.group.as_deref())
    .bind(entry.position)
    .bind(seen.map(Json))
    .execute(conn)
    .await
    .map(drop))?;
    drop_old_versions(tx, entry.id, entry.version).await
}

/// Notes under which key a version was to be written that became one of another entry.
pub(in crate::memory) async fn note_merged(tx: &mut Tx, id: EntryId, version: i64, key: &str) -> Result<()> {
    within!(tx, conn => query("update memory_version set merged_from = $3 where entry_id = $1 and version = $2")
        .bind(id)
        .bind(version)
        .bind(key)
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}

/// Appends the version that deleted an entry.
pub(in crate::memory) async fn append_deletion(
    tx: &mut Tx,
    id: EntryId,
    version: i64,
    source: &Source,
    at: Timestamp,
    change: i64,
) -> Result<()> {
    within!(tx, conn => query(
        "insert into memory_version (entry_id, version, content, value, tags, metadata, importance, source, at, change)
         values ($1, $2, null, $3, $4, $5, 0.5, $6, $7, $8)",
    )
    .bind(id)
    .bind(version)
    .bind(Json(Value::Null))
    .bind(Json(Vec::<String>::new()))
    .bind(Json(Map::<String, Value>::new()))
    .bind(Json(source))
    .bind(at)
    .bind(change)
    .execute(conn)
    .await
    .map(drop))?;
    drop_old_versions(tx, id, version).await
}

async fn drop_old_versions(tx: &mut Tx, id: EntryId, newest: i64) -> Result<()> {
    if newest > KEPT_VERSIONS {
        within!(tx, conn => query("delete from memory_version where entry_id = $1 and version <= $2")
            .bind(id)
            .bind(newest - KEPT_VERSIONS)
            .execute(conn)
            .await
            .map(drop))?;
        within!(tx, conn => query("delete from memory_sibling where entry_id = $1 and merged_version <= $2")
            .bind(id)
            .bind(newest - KEPT_VERSIONS)
            .execute(conn)
            .await
            .map(drop))?;
    }
    Ok(())
}

const NEWEST_FIRST: &str =
    "select version, content, value, tags, metadata, importance, source, at, trust, quarantined_at, merged_from
     from memory_version
     where entry_id = $1 order by version desc";

/// The kept versions of an entry, newest first.
pub(in crate::memory) async fn versions(db: &Db, id: EntryId) -> Result<Vec<VersionRow>> {
    Ok(read!(db, conn => query_as(NEWEST_FIRST).bind(id).fetch_all(conn).await)?)
}

/// One version of an entry, if it is kept.
pub(in crate::memory) async fn find_version(tx: &mut Tx, id: EntryId, version: i64) -> Result<Option<VersionRow>> {
    Ok(within!(tx, conn => query_as(
        "select version, content, value, tags, metadata, importance, source, at, trust, quarantined_at, merged_from
     from memory_version
         where entry_id = $1 and version = $2",
    )
    .bind(id)
    .bind(version)
    .fetch_optional(conn)
    .await)?)
}

/// The newest kept version that had a content.
pub(in crate::memory) async fn find_last_content(tx: &mut Tx, id: EntryId) -> Result<Option<VersionRow>> {
    Ok(within!(tx, conn => query_as(
        "select version, content, value, tags, metadata, importance, source, at, trust, quarantined_at, merged_from
     from memory_version
         where entry_id = $1 and content is not null order by version desc limit 1",
    )
    .bind(id)
    .fetch_optional(conn)
    .await)?)
}

#[derive(Debug, FromRow)]
struct ChangeRow {
    change: i64,
    namespace: String,
    key: String,
    #[sqlx(flatten)]
    version: VersionRow,
}

/// The changes of a workspace after a number, oldest first. An entry that changed since has a number beyond it, by which its
/// versions are found.
pub(in crate::memory) async fn changes_after(
    db: &Db,
    workspace: WorkspaceId,
    after: i64,
    limit: u32,
) -> Result<Vec<Change>> {
    let rows: Vec<ChangeRow> = read!(db, conn => query_as(
        "select v.change, e.namespace, e.key, v.version, v.content, v.value, v.tags, v.metadata, v.importance, v.source, v.at,
            v.trust, v.quarantined_at, v.merged_from
         from memory_entry e
         join memory_version v on v.entry_id = e.id
         where e.workspace_id = $1 and e.change > $2 and v.change > $2 and e.quarantined_at is null and v.quarantined_at is null
         order by v.change
         limit $3",
    )
    .bind(workspace)
    .bind(after)
    .bind(i64::from(limit))
    .fetch_all(conn)
    .await)?;
    let read = |row: ChangeRow| Change {
        trust: row.version.trust(),
        number: row.change,
        namespace: row.namespace,
        key: row.key,
        version: row.version.version,
        content: row.version.content,
        value: row.version.value.0,
        tags: row.version.tags.0,
        source: row.version.source.0,
        at: row.version.at,
    };
    Ok(rows.into_iter().map(read).collect())
}
