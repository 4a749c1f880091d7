//! The versions of an entry: append only, the last ones kept.

use serde_json::{Map, Value};
use sqlx::types::Json;
use sqlx::{FromRow, query, query_as};

use super::entry::{held_since, trust_of};
use super::quarantine::Begun;
use super::row::{clear_of, place_of_version, sealed_of, without_reasons};
use crate::db::{self, Result, Tx};
use crate::memory::crypt::{self, Body, Holds, Place, Unreadable, read_body};
use crate::memory::{Change, Error, KEPT_VERSIONS};
use crate::model::memory::{Entry, EntryVersion, Reach, Seen, Source, Trust};
use crate::model::{EntryId, Timestamp};
use crate::runtime::Ctx;
use crate::{read, within};

/// A stored version.
#[derive(Debug, Clone, FromRow)]
pub(in crate::memory) struct VersionRow {
    entry_id: EntryId,
    pub version: i64,
    pub content: Option<String>,
    sealed: Option<Vec<u8>>,
    data_key: Option<i64>,
    #[sqlx(skip)]
    pub unreadable: Option<Unreadable>,
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

impl Holds for VersionRow {
    fn take_sealed(&mut self) -> Option<(Place, Vec<u8>)> {
        Some((place_of_version(self.entry_id, self.version), sealed_of(&mut self.sealed, self.data_key)?))
    }

    fn put_clear(&mut self, clear: Result<Vec<u8>, Unreadable>) {
        match clear.and_then(read_body) {
            Ok(Body { content, value, metadata, .. }) => {
                (self.content, self.value.0, self.metadata.0) = (Some(content), value, metadata);
            }
            Err(why) => self.unreadable = Some(why),
        }
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
/// nobody asks, its number says enough ([`Seen::only`]). `same_words` says that the version before has the same content and value.
pub(in crate::memory) async fn append_version(
    tx: &mut Tx,
    ctx: &Ctx,
    entry: &Entry,
    begun: &Begun,
    (seen, same_words): (Option<&Seen>, bool),
) -> Result<()> {
    let sealed = begun.key.seal(&ctx.ids, &place_of_version(entry.id, entry.version), &clear_of(entry));
    within!(tx, conn => query(
        "insert into memory_version (entry_id, version, plain, value, tags, metadata, importance, source, at, change, trust,
             quarantined_at, quarantine, expires_at, context_group, context_position, seen, sealed, data_key, chars, words_since)
         values ($1, $2, '', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
             (select coalesce(p.words_since, p.version) from memory_version p where p.entry_id = $1 and p.version = $20))",
    )
    .bind(entry.id)
    .bind(entry.version)
    .bind(Json(Value::Null))
    .bind(Json(&entry.tags))
    .bind(Json(Map::<String, Value>::new()))
    .bind(entry.importance)
    .bind(Json(&entry.source))
    .bind(entry.updated_at)
    .bind(begun.change)
    .bind(entry.trust.as_str())
    .bind(held_since(entry))
    .bind(entry.quarantine.as_ref().map(without_reasons).map(Json))
    .bind(entry.expires_at)
    .bind(entry.group.as_deref())
    .bind(entry.position)
    .bind(seen.map(Json))
    .bind(sealed)
    .bind(begun.key.number())
    .bind(entry.content.chars().count() as i64)
    .bind(same_words.then_some(entry.version - 1))
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
        "insert into memory_version (entry_id, version, plain, value, tags, metadata, importance, source, at, change)
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
    "select entry_id, version, plain as content, sealed, data_key, value, tags, metadata, importance, source, at, trust, quarantined_at, merged_from
     from memory_version
     where entry_id = $1 order by version desc";

/// The kept versions of an entry, newest first.
pub(in crate::memory) async fn versions(ctx: &Ctx, id: EntryId) -> Result<Vec<VersionRow>, Error> {
    let rows = read!(&ctx.db, conn => query_as(NEWEST_FIRST).bind(id).fetch_all(conn).await);
    crypt::open_rows(ctx, rows.map_err(db::Error::from)?).await
}

/// One version of an entry, if it is kept.
pub(in crate::memory) async fn find_version(
    tx: &mut Tx,
    ctx: &Ctx,
    id: EntryId,
    version: i64,
) -> Result<Option<VersionRow>, Error> {
    let rows = within!(tx, conn => query_as(
        "select entry_id, version, plain as content, sealed, data_key, value, tags, metadata, importance, source, at, trust, quarantined_at, merged_from
     from memory_version
         where entry_id = $1 and version = $2",
    )
    .bind(id)
    .bind(version)
    .fetch_all(conn)
    .await);
    Ok(crypt::open_within(tx, ctx, rows.map_err(db::Error::from)?).await?.pop())
}

/// When a version would be gone, its group, and its place there.
pub(in crate::memory) type Around = (Option<Timestamp>, Option<String>, Option<i64>);

/// What a kept version had around its words.
pub(in crate::memory) async fn around_version(tx: &mut Tx, id: EntryId, version: i64) -> Result<Option<Around>> {
    Ok(within!(tx, conn => query_as(
        "select expires_at, context_group, context_position from memory_version where entry_id = $1 and version = $2",
    )
    .bind(id)
    .bind(version)
    .fetch_optional(conn)
    .await)?)
}

/// The newest kept version that had a content.
pub(in crate::memory) async fn find_last_content(
    tx: &mut Tx,
    ctx: &Ctx,
    id: EntryId,
) -> Result<Option<VersionRow>, Error> {
    let rows = within!(tx, conn => query_as(
        "select entry_id, version, plain as content, sealed, data_key, value, tags, metadata, importance, source, at, trust, quarantined_at, merged_from
     from memory_version
         where entry_id = $1 and plain is not null order by version desc limit 1",
    )
    .bind(id)
    .fetch_all(conn)
    .await);
    Ok(crypt::open_within(tx, ctx, rows.map_err(db::Error::from)?).await?.pop())
}

#[derive(Debug, FromRow)]
struct ChangeRow {
    change: i64,
    namespace: String,
    key: String,
    #[sqlx(flatten)]
    version: VersionRow,
}

impl Holds for ChangeRow {
    fn take_sealed(&mut self) -> Option<(Place, Vec<u8>)> {
        self.version.take_sealed()
    }

    fn put_clear(&mut self, clear: Result<Vec<u8>, Unreadable>) {
        self.version.put_clear(clear);
    }
}

/// The changes of a workspace after a number, oldest first. An entry that changed since has a number beyond it, by which its
/// versions are found. What can't be decrypted is left out, once that was logged: it must not keep others from what came behind it.
pub(in crate::memory) async fn changes_after(
    ctx: &Ctx,
    reach: &Reach,
    after: i64,
    limit: u32,
) -> Result<Vec<Change>, Error> {
    const SQL: &str = concat!(
        "select v.change, e.namespace, e.key, v.entry_id, v.version, v.plain as content, v.sealed, v.data_key, v.value, v.tags, v.metadata, v.importance, v.source, v.at,
            v.trust, v.quarantined_at, v.merged_from
         from memory_entry e
         join memory_version v on v.entry_id = e.id
         where e.workspace_id = $1 and e.change > $2 and v.change > $2 and e.quarantined_at is null and v.quarantined_at is null",
        reachable!("$4"),
        "order by v.change
         limit $3"
    );
    let rows: sqlx::Result<Vec<ChangeRow>> = read!(&ctx.db, conn => query_as(SQL)
    .bind(ctx.workspace())
    .bind(after)
    .bind(i64::from(limit))
    .bind(reach.readable_paths())
    .fetch_all(conn)
    .await);
    let rows = crypt::open_rows(ctx, rows.map_err(db::Error::from)?).await?;
    for ChangeRow { namespace, key, version, .. } in &rows {
        // A process with another master key must not pass over what its neighbours can read.
        if let Some(why @ Unreadable::Wrapped(_)) = version.unreadable {
            let (namespace, key) = (namespace.clone(), key.clone());
            return Err(Error::Unreadable { namespace, key, version: version.version, why });
        }
    }
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
    Ok(rows.into_iter().filter(|row| row.version.unreadable.is_none()).map(read).collect())
}
