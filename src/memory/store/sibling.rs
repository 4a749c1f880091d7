//! Texts beside an entry, and which writes each text has seen.

use serde_json::{Map, Value};
use sqlx::types::Json;
use sqlx::{FromRow, query, query_as, query_scalar};

use super::entry::trust_of;
use super::quarantine::Begun;
use super::row::sealed_of;
use crate::db::{self, Result, Tx};
use crate::memory::Error;
use crate::memory::crypt::{self, Body, Holds, Place, Unreadable, body_bytes, read_body};
use crate::model::memory::{EntryDraft, Seen, Sibling, Source, Trust};
use crate::model::{EntryId, Timestamp};
use crate::runtime::Ctx;
use crate::{read, within};

/// A stored sibling.
#[derive(Debug, Clone, FromRow)]
struct SiblingRow {
    entry_id: EntryId,
    change: i64,
    content: String,
    sealed: Option<Vec<u8>>,
    data_key: Option<i64>,
    #[sqlx(skip)]
    unreadable: Option<Unreadable>,
    value: Json<Value>,
    tags: Json<Vec<String>>,
    metadata: Json<Map<String, Value>>,
    importance: f64,
    source: Json<Source>,
    trust: String,
    context_group: Option<String>,
    context_position: Option<i64>,
    expires_at: Option<Timestamp>,
    base: Option<i64>,
    seen: Json<Seen>,
    at: Timestamp,
    merged_version: Option<i64>,
    merged_change: Option<i64>,
}

impl From<SiblingRow> for Sibling {
    fn from(row: SiblingRow) -> Self {
        Self {
            id: row.change,
            content: row.content,
            value: row.value.0,
            tags: row.tags.0,
            metadata: row.metadata.0,
            importance: row.importance,
            source: row.source.0,
            trust: trust_of(&row.trust),
            expires_at: row.expires_at,
            group: row.context_group,
            position: row.context_position,
            base: row.base,
            seen: row.seen.0,
            at: row.at,
            merged_version: row.merged_version,
            merged_by: row.merged_change,
        }
    }
}

impl Holds for SiblingRow {
    fn take_sealed(&mut self) -> Option<(Place, Vec<u8>)> {
        let sealed = sealed_of(&mut self.sealed, self.data_key)?;
        Some((place_of_sibling(self.entry_id, self.change), sealed))
    }

    fn put_clear(&mut self, clear: Result<Vec<u8>, Unreadable>) {
        match clear.and_then(read_body) {
            Ok(Body { content, value, metadata, .. }) => {
                (self.content, self.value.0, self.metadata.0) = (content, value, metadata);
            }
            Err(why) => self.unreadable = Some(why),
        }
    }
}

/// Where a sibling's ciphertext stands.
pub(super) fn place_of_sibling(id: EntryId, change: i64) -> Place {
    Place::new("memory_sibling/sealed", id, change)
}

/// The columns of [`SiblingRow`], of one entry.
macro_rules! siblings {
    ($and:literal) => {
        concat!(
            "select entry_id, change, plain as content, sealed, data_key, value, tags, metadata, importance, source, trust, context_group, context_position,
                expires_at, base, seen, at, merged_version, merged_change
             from memory_sibling where entry_id = $1 ",
            $and
        )
    };
}

/// All that is kept of an entry, the last written first; at most 200. The first that can't be decrypted is why there are none.
pub(in crate::memory) async fn siblings(ctx: &Ctx, id: EntryId) -> Result<Result<Vec<Sibling>, Unreadable>, Error> {
    const SQL: &str = siblings!("order by change desc limit 200");
    let rows: sqlx::Result<Vec<SiblingRow>> = read!(&ctx.db, conn => query_as(SQL).bind(id).fetch_all(conn).await);
    let rows = crypt::open_rows(ctx, rows.map_err(db::Error::from)?).await?;
    let read = |row: SiblingRow| row.unreadable.map_or_else(|| Ok(Sibling::from(row)), Err);
    Ok(rows.into_iter().map(read).collect())
}

/// Those that nobody has merged into a version, oldest first: the open ones, and those that an open one has taken in. What can't be
/// decrypted is left out, so that the entry can still be written: it stays where it is.
pub(in crate::memory) async fn unmerged_siblings(tx: &mut Tx, ctx: &Ctx, id: EntryId) -> Result<Vec<Sibling>, Error> {
    const SQL: &str = siblings!("and merged_version is null order by change");
    let rows: sqlx::Result<Vec<SiblingRow>> = within!(tx, conn => query_as(SQL).bind(id).fetch_all(conn).await);
    let rows = crypt::open_within(tx, ctx, rows.map_err(db::Error::from)?).await?;
    Ok(rows.into_iter().filter(|row| row.unreadable.is_none()).map(Sibling::from).collect())
}

/// Which writes a version has seen, its own among them; `None` when it is not kept.
pub(in crate::memory) async fn seen_by(tx: &mut Tx, id: EntryId, version: i64) -> Result<Option<Seen>> {
    let row: Option<(Option<Json<Seen>>, i64)> = within!(tx, conn => query_as(
        "select seen, coalesce(change, 0) from memory_version where entry_id = $1 and version = $2",
    )
    .bind(id)
    .bind(version)
    .fetch_optional(conn)
    .await)?;
    Ok(row.map(|(seen, change)| seen.map_or_else(|| Seen::only(change), |seen| seen.0)))
}

/// What a sibling is beside its draft.
#[derive(Debug)]
pub(in crate::memory) struct NewSibling<'a> {
    pub begun: &'a Begun,
    pub draft: &'a EntryDraft,
    pub importance: f64,
    pub trust: Trust,
    pub source: &'a Source,
    pub base: Option<i64>,
    pub seen: &'a Seen,
    pub at: Timestamp,
}

/// Keeps a text beside an entry.
pub(in crate::memory) async fn insert_sibling(
    tx: &mut Tx,
    ctx: &Ctx,
    id: EntryId,
    sibling: &NewSibling<'_>,
) -> Result<()> {
    let NewSibling { begun, draft, importance, trust, source, base, seen, at } = *sibling;
    let clear = body_bytes(&draft.content, &draft.value, &draft.metadata, &[]);
    let sealed = begun.key.seal(&ctx.ids, &place_of_sibling(id, begun.change), &clear);
    within!(tx, conn => query(
        "insert into memory_sibling (entry_id, change, plain, value, tags, metadata, importance, source, trust, context_group,
             context_position, expires_at, base, seen, at, sealed, data_key)
         values ($1, $2, '', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
    )
    .bind(id)
    .bind(begun.change)
    .bind(Json(Value::Null))
    .bind(Json(&draft.tags))
    .bind(Json(Map::<String, Value>::new()))
    .bind(importance)
    .bind(Json(source))
    .bind(trust.as_str())
    .bind(draft.group.as_deref())
    .bind(draft.position)
    .bind(draft.expires_at)
    .bind(base)
    .bind(Json(seen))
    .bind(at)
    .bind(sealed)
    .bind(begun.key.number())
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// Notes that a version has seen a sibling, and so all that this one had taken in.
pub(in crate::memory) async fn merge_sibling(tx: &mut Tx, id: EntryId, change: i64, version: i64) -> Result<()> {
    within!(tx, conn => query(
        "update memory_sibling set merged_version = $3
         where entry_id = $1 and merged_version is null and (change = $2 or merged_change = $2)",
    )
    .bind(id)
    .bind(change)
    .bind(version)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// Notes that a later sibling has seen another, and so all that this one had taken in.
pub(in crate::memory) async fn take_in_sibling(tx: &mut Tx, id: EntryId, change: i64, by: i64) -> Result<()> {
    within!(tx, conn => query(
        "update memory_sibling set merged_change = $3
         where entry_id = $1 and merged_version is null and (change = $2 or merged_change = $2)",
    )
    .bind(id)
    .bind(change)
    .bind(by)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// Counts the open siblings of an entry anew, and gives how many they are.
pub(in crate::memory) async fn count_siblings(tx: &mut Tx, id: EntryId) -> Result<i64> {
    Ok(within!(tx, conn => query_scalar(
        "update memory_entry set siblings = (select count(*) from memory_sibling s
             where s.entry_id = memory_entry.id and s.merged_version is null and s.merged_change is null)
         where id = $1 returning siblings",
    )
    .bind(id)
    .fetch_one(conn)
    .await)?)
}
