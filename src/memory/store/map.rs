//! What a map says of an entry.

use serde_json::Value;
use sqlx::types::Json;
use sqlx::{FromRow, query_as};

use super::entry::trust_of;
use super::row::{place_of_entry, sealed_of};
use crate::db::{self, Result};
use crate::memory::Error;
use crate::memory::crypt::{self, Holds, Place, Unreadable, read_body};
use crate::model::memory::{Reach, Trust};
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
    reach: &Reach,
    namespace: &str,
    now: Timestamp,
    after: i64,
    limit: i64,
) -> Result<Vec<PointRow>, Error> {
    const SQL: &str = concat!(
        "select e.id, e.namespace, e.key, e.plain as title, e.sealed, e.data_key, e.version, e.tags, e.source, e.trust, e.updated_at,
             e.change
         from memory_entry e
         where e.workspace_id = $1 and e.change > $2 and e.deleted_at is null and e.quarantined_at is null
           and (e.expires_at is null or e.expires_at > $3)
           and ($4 = '' or e.namespace = $4 or (e.namespace >= $4 || '/' and e.namespace < $4 || '0'))",
        reachable!("$6"),
        "order by e.change limit $5"
    );
    let rows = read!(&ctx.db, conn => query_as(SQL)
    .bind(ctx.workspace())
    .bind(after)
    .bind(now)
    .bind(namespace)
    .bind(limit)
    .bind(reach.readable_paths())
    .fetch_all(conn)
    .await);
    crypt::open_rows(ctx, rows.map_err(db::Error::from)?).await
}
