//! Texts beside an entry, and which writes each text has seen.

use serde_json::{Map, Value};
use sqlx::types::Json;
use sqlx::{FromRow, query, query_as, query_scalar};

use super::entry::trust_of;
use crate::db::{Db, Result, Tx};
use crate::model::memory::{EntryDraft, Seen, Sibling, Source, Trust};
use crate::model::{EntryId, Timestamp};
use crate::{read, within};

/// A stored sibling.
#[derive(Debug, Clone, FromRow)]
struct SiblingRow {
    change: i64,
    content: String,
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

/// The columns of [`SiblingRow`], of one entry.
macro_rules! siblings {
    ($and:literal) => {
        concat!(
            "select change, content, value, tags, metadata, importance, source, trust, context_group, context_position,
                expires_at, base, seen, at, merged_version, merged_change
             from memory_sibling where entry_id = $1 ",
            $and
        )
    };
}

/// All that is kept of an entry, the last written first; at most 200.
pub(in crate::memory) async fn siblings(db: &Db, id: EntryId) -> Result<Vec<Sibling>> {
    const SQL: &str = siblings!("order by change desc limit 200");
    let rows: Vec<SiblingRow> = read!(db, conn => query_as(SQL).bind(id).fetch_all(conn).await)?;
    Ok(rows.into_iter().map(Sibling::from).collect())
}

/// Those that nobody has merged into a version, oldest first: the open ones, and those that an open one has taken in.
pub(in crate::memory) async fn unmerged_siblings(tx: &mut Tx, id: EntryId) -> Result<Vec<Sibling>> {
    const SQL: &str = siblings!("and merged_version is null order by change");
    let rows: Vec<SiblingRow> = within!(tx, conn => query_as(SQL).bind(id).fetch_all(conn).await)?;
    Ok(rows.into_iter().map(Sibling::from).collect())
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
    pub change: i64,
    pub draft: &'a EntryDraft,
    pub importance: f64,
    pub trust: Trust,
    pub source: &'a Source,
    pub base: Option<i64>,
    pub seen: &'a Seen,
    pub at: Timestamp,
}

/// Keeps a text beside an entry.
pub(in crate::memory) async fn insert_sibling(tx: &mut Tx, id: EntryId, sibling: &NewSibling<'_>) -> Result<()> {
    let NewSibling { change, draft, importance, trust, source, base, seen, at } = *sibling;
    within!(tx, conn => query(
        "insert into memory_sibling (entry_id, change, content, value, tags, metadata, importance, source, trust, context_group,
             context_position, expires_at, base, seen, at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
    )
    .bind(id)
    .bind(change)
    .bind(draft.content.as_str())
    .bind(Json(&draft.value))
    .bind(Json(&draft.tags))
    .bind(Json(&draft.metadata))
    .bind(importance)
    .bind(Json(source))
    .bind(trust.as_str())
    .bind(draft.group.as_deref())
    .bind(draft.position)
    .bind(draft.expires_at)
    .bind(base)
    .bind(Json(seen))
    .bind(at)
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
