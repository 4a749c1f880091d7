//! What a map says of an entry.

use serde_json::Value;
use sqlx::types::Json;
use sqlx::{FromRow, query_as};

use super::entry::trust_of;
use crate::db::{Db, Result};
use crate::model::memory::Trust;
use crate::model::{EntryId, Timestamp, WorkspaceId};
use crate::read;

/// An entry as a point.
#[derive(Debug, FromRow)]
pub(in crate::memory) struct PointRow {
    pub id: EntryId,
    pub namespace: String,
    pub key: String,
    /// How its content begins.
    pub title: String,
    pub tags: Json<Vec<String>>,
    source: Json<Value>,
    trust: String,
    pub updated_at: Timestamp,
    pub change: i64,
}

impl PointRow {
    /// The kind of its source.
    pub fn source(&self) -> String {
        self.source.get("kind").and_then(Value::as_str).unwrap_or("cli").to_owned()
    }

    /// Its label.
    pub fn trust(&self) -> Trust {
        trust_of(&self.trust)
    }
}

/// Entries of a namespace and all below it that searches may know of, in the order of their changes.
pub(in crate::memory) async fn points_after(
    db: &Db,
    workspace: WorkspaceId,
    namespace: &str,
    now: Timestamp,
    after: i64,
    limit: i64,
) -> Result<Vec<PointRow>> {
    Ok(read!(db, conn => query_as(
        "select id, namespace, key, substr(content, 1, 200) as title, tags, source, trust, updated_at, change from memory_entry
         where workspace_id = $1 and change > $2 and deleted_at is null and quarantined_at is null
           and (expires_at is null or expires_at > $3)
           and ($4 = '' or namespace = $4 or (namespace >= $4 || '/' and namespace < $4 || '0'))
         order by change limit $5",
    )
    .bind(workspace)
    .bind(after)
    .bind(now)
    .bind(namespace)
    .bind(limit)
    .fetch_all(conn)
    .await)?)
}
