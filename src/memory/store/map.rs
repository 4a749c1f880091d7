//! What a map says of an entry.

use serde_json::Value;
use sqlx::types::Json;
use sqlx::{FromRow, query_as};

use super::entry::trust_of;
use super::row::{place_of_entry, sealed_of};
use crate::db::{self, Result};
use crate::memory::Error;
use crate::memory::crypt::{self, Holds, Place, Unreadable, read_body};
use crate::model::memory::Trust;
use crate::model::{EntryId, Timestamp};
use crate::read;
use crate::runtime::Ctx;

/// An entry as a point.
#[derive(Debug, FromRow)]
pub(in crate::memory) struct PointRow {
    pub id: EntryId,
    pub namespace: String,
    pub key: String,
    /// Its content; empty when it can't be decrypted.
    pub title: String,
    version: i64,
    sealed: Option<Vec<u8>>,
    data_key: Option<i64>,
    pub tags: Json<Vec<String>>,
    source: Json<Value>,
    trust: String,
    pub updated_at: Timestamp,
    pub change: i64,
}

impl Holds for PointRow {
    fn take_sealed(&mut self) -> Option<(Place, Vec<u8>)> {
        // None of them is deleted.
        Some((place_of_entry(self.id, self.version), sealed_of(&mut self.sealed, self.data_key)?))
    }

    fn put_clear(&mut self, clear: Result<Vec<u8>, Unreadable>) {
        self.title = clear.and_then(read_body).map_or_else(|_| String::new(), |body| body.content);
    }
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
    ctx: &Ctx,
    namespace: &str,
    now: Timestamp,
    after: i64,
    limit: i64,
) -> Result<Vec<PointRow>, Error> {
    let rows = read!(&ctx.db, conn => query_as(
        "select id, namespace, key, plain as title, sealed, data_key, version, tags, source, trust, updated_at, change from memory_entry
         where workspace_id = $1 and change > $2 and deleted_at is null and quarantined_at is null
           and (expires_at is null or expires_at > $3)
           and ($4 = '' or namespace = $4 or (namespace >= $4 || '/' and namespace < $4 || '0'))
         order by change limit $5",
    )
    .bind(ctx.workspace())
    .bind(after)
    .bind(now)
    .bind(namespace)
    .bind(limit)
    .fetch_all(conn)
    .await);
    crypt::open_rows(ctx, rows.map_err(db::Error::from)?).await
}
