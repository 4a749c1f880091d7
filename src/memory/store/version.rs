//! The versions of an entry: append only, the last ones kept.

use serde_json::{Map, Value};
use sqlx::types::Json;
use sqlx::{FromRow, query, query_as};

use crate::db::{Db, Result, Tx};
use crate::memory::KEPT_VERSIONS;
use crate::model::memory::{Entry, EntryVersion, Source};
use crate::model::{EntryId, Timestamp};
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
}

impl From<VersionRow> for EntryVersion {
    fn from(row: VersionRow) -> Self {
        Self {
            version: row.version,
            content: row.content,
            value: row.value.0,
            tags: row.tags.0,
            source: row.source.0,
            at: row.at,
        }
    }
}

/// Appends the version that an entry is now in, and drops those that are no longer kept.
pub(in crate::memory) async fn append_version(tx: &mut Tx, entry: &Entry) -> Result<()> {
    within!(tx, conn => query(
        "insert into memory_version (entry_id, version, content, value, tags, metadata, importance, source, at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
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
    .execute(conn)
    .await
    .map(drop))?;
    drop_old_versions(tx, entry.id, entry.version).await
}

/// Appends the version that deleted an entry.
pub(in crate::memory) async fn append_deletion(
    tx: &mut Tx,
    id: EntryId,
    version: i64,
    source: &Source,
    at: Timestamp,
) -> Result<()> {
    within!(tx, conn => query(
        "insert into memory_version (entry_id, version, content, value, tags, metadata, importance, source, at)
         values ($1, $2, null, $3, $4, $5, 0.5, $6, $7)",
    )
    .bind(id)
    .bind(version)
    .bind(Json(Value::Null))
    .bind(Json(Vec::<String>::new()))
    .bind(Json(Map::<String, Value>::new()))
    .bind(Json(source))
    .bind(at)
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
    }
    Ok(())
}

const NEWEST_FIRST: &str = "select version, content, value, tags, metadata, importance, source, at from memory_version
     where entry_id = $1 order by version desc";

/// The kept versions of an entry, newest first.
pub(in crate::memory) async fn versions(db: &Db, id: EntryId) -> Result<Vec<VersionRow>> {
    Ok(read!(db, conn => query_as(NEWEST_FIRST).bind(id).fetch_all(conn).await)?)
}

/// One version of an entry, if it is kept.
pub(in crate::memory) async fn find_version(tx: &mut Tx, id: EntryId, version: i64) -> Result<Option<VersionRow>> {
    Ok(within!(tx, conn => query_as(
        "select version, content, value, tags, metadata, importance, source, at from memory_version
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
        "select version, content, value, tags, metadata, importance, source, at from memory_version
         where entry_id = $1 and content is not null order by version desc limit 1",
    )
    .bind(id)
    .fetch_optional(conn)
    .await)?)
}
