//! The versions of a workspace in the order in which they were written.

use serde_json::{Map, Value};
use sqlx::types::Json;
use sqlx::{FromRow, query_as};

use super::entry::{Part, trust_of};
use super::row::{place_of_version, sealed_of};
use super::then::{behind, labels, tag_in_json};
use crate::db::{self, Result};
use crate::memory::Error;
use crate::memory::crypt::{self, Body, Holds, Place, Unreadable, read_body};
use crate::model::memory::{EntryFilter, EntryName, Learned, Reach, Source, Superseded};
use crate::model::{EntryId, Timestamp};
use crate::read;
use crate::runtime::Ctx;

/// Characters of a content that are shown.
const EXCERPT_CHARS: usize = 240;

/// A version with what took its place.
#[derive(Debug, FromRow)]
pub(in crate::memory) struct LearnedRow {
    pub change: i64,
    entry_id: EntryId,
    namespace: String,
    key: String,
    version: i64,
    content: Option<String>,
    sealed: Option<Vec<u8>>,
    data_key: Option<i64>,
    #[sqlx(skip)]
    unreadable: Option<Unreadable>,
    metadata: Json<Map<String, Value>>,
    source: Json<Source>,
    at: Timestamp,
    trust: String,
    merged_from: Option<String>,
    context_group: Option<String>,
    next_version: Option<i64>,
    next_at: Option<Timestamp>,
    /// 1 when that one deleted the entry.
    next_deleted: i64,
    /// The entry that takes the place of this one, said since this version was written.
    by_namespace: Option<String>,
    by_key: Option<String>,
}

impl Holds for LearnedRow {
    fn take_sealed(&mut self) -> Option<(Place, Vec<u8>)> {
        Some((place_of_version(self.entry_id, self.version), sealed_of(&mut self.sealed, self.data_key)?))
    }

    fn put_clear(&mut self, clear: Result<Vec<u8>, Unreadable>) {
        match clear.and_then(read_body) {
            Ok(Body { content, metadata, .. }) => (self.content, self.metadata.0) = (Some(content), metadata),
            Err(why) => self.unreadable = Some(why),
        }
    }
}

impl From<LearnedRow> for Learned {
    fn from(row: LearnedRow) -> Self {
        let excerpt = row.content.map(|content| match content.char_indices().nth(EXCERPT_CHARS) {
            Some((end, _)) => format!("{}…", &content[..end]),
            None => content,
        });
        let next = row.next_version.zip(row.next_at).filter(|_| excerpt.is_some());
        let agent = row.metadata.0.get("agent").and_then(Value::as_str).map(str::to_owned);
        Self {
            namespace: row.namespace,
            key: row.key,
            version: row.version,
            at: row.at,
            agent: agent.filter(|_| matches!(row.source.0, Source::Run { .. })),
            source: row.source.0,
            trust: trust_of(&row.trust),
            excerpt,
            unreadable: row.unreadable.map(|why| why.to_string()),
            group: row.context_group,
            merged_from: row.merged_from,
            superseded_by: row.by_namespace.zip(row.by_key).map(|(namespace, key)| EntryName { namespace, key }),
            superseded: next.map(|(version, at)| Superseded { version, at, deleted: row.next_deleted == 1 }),
        }
    }
}

/// The entry within reach that takes the place of a version, the last said first; inside of this `e` is that one.
macro_rules! superseding {
    ($paths:literal) => {
        concat!(
            " from memory_relation r join memory_entry e on e.id = r.from_id
              where r.to_id = v.entry_id and r.kind = 'supersedes' and r.at >= v.at and r.at <= $2
                and e.deleted_at is null and e.quarantined_at is null",
            reachable!($paths),
            "order by r.at desc, e.id limit 1"
        )
    };
}

/// The timeline, of versions that were in quarantine or of all others.
macro_rules! timeline {
    ($held:literal) => {
        // A cross join with the versions first: SQLite goes along their numbers then and stops when the page is full.
        concat!(
            "select v.change, e.namespace, e.key, v.version, v.entry_id, v.plain as content, v.sealed, v.data_key, v.metadata, v.source, v.at, v.trust,
                v.merged_from, v.context_group, n.version as next_version, n.at as next_at,
                cast(case when n.version is not null and n.plain is null then 1 else 0 end as bigint) as next_deleted,
                (select e.namespace",
            superseding!("$10"),
            ") as by_namespace, (select e.key",
            superseding!("$10"),
            ") as by_key
             from memory_version v
             cross join memory_entry e
             left join memory_version n on n.entry_id = v.entry_id and n.version =
                 (select min(o.version) from memory_version o
                  where o.entry_id = v.entry_id and o.version > v.version and o.at <= $2
                    and (o.plain is null or coalesce(o.words_since, o.version) > v.version))
             where e.id = v.entry_id and e.workspace_id = $1 and v.at <= $2
               and ($3 = '' or e.namespace = $3 or (e.namespace >= $3 || '/' and e.namespace < $3 || '0'))
               and ($4 = '' or (e.key >= $4 and e.key < $5))
               and ($6 = '' or replace(replace(replace(cast(v.tags as text), '\\\\', '\\-'), '\\\"', '\\~'), $6, '') <> replace(replace(cast(v.tags as text), '\\\\', '\\-'), '\\\"', '\\~'))
               and ($7 = '' or $7 like '%,' || v.trust || ',%') ",
            $held,
            reachable!("$10"),
            " and v.change < $8 order by v.change desc limit $9"
        )
    };
}

/// What was written by `at`, the last first. What older programs wrote without a number is left out.
pub(in crate::memory) async fn timeline(
    ctx: &Ctx,
    reach: &Reach,
    at: Timestamp,
    filter: &EntryFilter,
    part: Part,
) -> Result<Vec<LearnedRow>, Error> {
    const FREE: &str = timeline!("and (v.quarantined_at is null or v.quarantined_at > $2)");
    const HELD: &str = timeline!("and v.quarantined_at <= $2");
    let sql = if filter.quarantined { HELD } else { FREE };
    let rows = read!(&ctx.db, conn => query_as(sql)
        .bind(ctx.workspace())
        .bind(at)
        .bind(filter.namespace.as_str())
        .bind(filter.prefix.as_str())
        .bind(behind(&filter.prefix))
        .bind(tag_in_json(&filter.tag))
        .bind(labels(filter))
        .bind(part.before)
        .bind(i64::from(part.limit))
        .bind(reach.readable_paths())
        .fetch_all(conn)
        .await);
    crypt::open_rows(ctx, rows.map_err(db::Error::from)?).await
}
