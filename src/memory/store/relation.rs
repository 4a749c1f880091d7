//! What is said of two entries.

use sqlx::types::Json;
use sqlx::{FromRow, query, query_as, query_scalar};

use super::health::ShortRow;
use crate::db::{self, Db, Result, Tx};
use crate::memory::Error;
use crate::memory::crypt::{self, Holds, Place, Unreadable};
use crate::model::memory::{Contradiction, Reach, Relation, RelationKind, RelationWay, Source};
use crate::model::{EntryId, Timestamp, WorkspaceId};
use crate::runtime::Ctx;
use crate::{read, within};

/// Contradictions that are told of at once.
const MOST: i64 = 50;
/// Pairs of which it is known at once that somebody has decided; the last ones.
const MOST_PAIRS: i64 = 20_000;
/// Entries that take each other's place one behind the other, at most.
const LONGEST: i64 = 64;

/// An entry with what is said of it and another.
#[derive(Debug, FromRow)]
struct RelationRow {
    #[sqlx(flatten)]
    other: ShortRow,
    kind: String,
    from_id: EntryId,
    to_id: EntryId,
    source: Json<Source>,
    said_at: Timestamp,
}

impl Holds for RelationRow {
    fn take_sealed(&mut self) -> Option<(Place, Vec<u8>)> {
        self.other.take_sealed()
    }

    fn put_clear(&mut self, clear: Result<Vec<u8>, Unreadable>) {
        self.other.put_clear(clear);
    }
}

macro_rules! related {
    ($before:literal, $paths:literal, $after:expr) => {
        concat!(
            "select e.namespace, e.key, e.version, e.id, e.plain as content, e.sealed, e.data_key, e.deleted_at,
                cast(coalesce(e.chars, length(e.plain)) as bigint) as chars, e.trust, e.updated_at, e.expires_at,
                r.kind, r.from_id, r.to_id, r.source, r.at as said_at
             from memory_relation r ",
            $before,
            reachable!($paths),
            $after
        )
    };
}

/// Only where `o` is within reach too: pairs of which one side is hidden take no place from others.
macro_rules! other {
    ($paths:literal) => {
        concat!("and exists (select 1 from memory_entry e where e.id = o.id", reachable!($paths), ") ")
    };
}

/// Says something of two entries, in place of what was said of them before.
pub(in crate::memory) async fn relate(
    tx: &mut Tx,
    workspace: WorkspaceId,
    (from, kind, to): (EntryId, RelationKind, EntryId),
    (source, at): (&Source, Timestamp),
) -> Result<()> {
    within!(tx, conn => query(
        "insert into memory_relation (workspace_id, kind, from_id, to_id, source, at) values ($1, $2, $3, $4, $5, $6)",
    )
    .bind(workspace)
    .bind(kind.as_str())
    .bind(from)
    .bind(to)
    .bind(Json(source))
    .bind(at)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// Takes back whatever is said of two entries; gives whether anything was.
pub(in crate::memory) async fn unrelate(tx: &mut Tx, one: EntryId, other: EntryId) -> Result<bool> {
    let gone = within!(tx, conn => query(
        "delete from memory_relation where (from_id = $1 and to_id = $2) or (from_id = $2 and to_id = $1)",
    )
    .bind(one)
    .bind(other)
    .execute(conn)
    .await
    .map(|done| done.rows_affected()))?;
    Ok(gone > 0)
}

/// How much is said of an entry.
pub(in crate::memory) async fn count_relations(tx: &mut Tx, id: EntryId) -> Result<i64> {
    Ok(within!(tx, conn => query_scalar("select count(*) from memory_relation where from_id = $1 or to_id = $1")
        .bind(id)
        .fetch_one(conn)
        .await)?)
}

/// Whether an entry takes the place of another, perhaps through others between.
pub(in crate::memory) async fn supersedes(tx: &mut Tx, newer: EntryId, older: EntryId) -> Result<bool> {
    let found: i64 = within!(tx, conn => query_scalar(
        "with recursive below (id, steps) as (
             select r.to_id, 1 from memory_relation r where r.from_id = $1 and r.kind = 'supersedes'
             union
             select r.to_id, b.steps + 1 from memory_relation r join below b on r.from_id = b.id
             where r.kind = 'supersedes' and b.steps < $3)
         select count(*) from below where id = $2",
    )
    .bind(newer)
    .bind(older)
    .bind(LONGEST)
    .fetch_one(conn)
    .await)?;
    Ok(found > 0)
}

/// Since when another entry takes the place of this one, by what is said. What is deleted or in quarantine takes nobody's place.
pub(in crate::memory) async fn superseded_since(tx: &mut Tx, id: EntryId) -> Result<Option<Timestamp>> {
    Ok(within!(tx, conn => query_scalar(
        "select min(r.at) from memory_relation r join memory_entry f on f.id = r.from_id
         where r.to_id = $1 and r.kind = 'supersedes' and f.deleted_at is null and f.quarantined_at is null",
    )
    .bind(id)
    .fetch_one(conn)
    .await)?)
}

/// Notes that on the entry itself, under a change number that indexes follow.
pub(in crate::memory) async fn mark_superseded(
    tx: &mut Tx,
    id: EntryId,
    since: Option<Timestamp>,
    change: i64,
) -> Result<()> {
    within!(tx, conn => query("update memory_entry set superseded_at = $2, change = $3 where id = $1")
        .bind(id)
        .bind(since)
        .bind(change)
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}

/// Where an entry stands; `None` when it is gone for good.
pub(in crate::memory) async fn place_of(tx: &mut Tx, id: EntryId) -> Result<Option<(String, String)>> {
    Ok(within!(tx, conn => query_as("select namespace, key from memory_entry where id = $1")
        .bind(id)
        .fetch_optional(conn)
        .await)?)
}

/// Entries whose mark is not what [`superseded_since`] would say: what took their place came or went; at most `limit`.
pub(in crate::memory) async fn wrongly_marked(db: &Db, limit: i64) -> Result<Vec<(WorkspaceId, EntryId)>> {
    Ok(read!(db, conn => query_as(
        "select e.workspace_id, e.id from memory_entry e
         where e.superseded_at is not null and not exists (
             select 1 from memory_relation r join memory_entry f on f.id = r.from_id
             where r.to_id = e.id and r.kind = 'supersedes' and f.deleted_at is null and f.quarantined_at is null)
         union
         select e.workspace_id, e.id from memory_relation r
         join memory_entry f on f.id = r.from_id join memory_entry e on e.id = r.to_id
         where r.kind = 'supersedes' and f.deleted_at is null and f.quarantined_at is null and e.superseded_at is null
         limit $1",
    )
    .bind(limit)
    .fetch_all(conn)
    .await)?)
}

/// What is said of an entry and others that are there and within reach, the last said first.
pub(in crate::memory) async fn relations_of(
    ctx: &Ctx,
    reach: &Reach,
    id: EntryId,
    now: Timestamp,
) -> Result<Vec<Relation>, Error> {
    const SQL: &str = related!(
        "join memory_entry e on e.id = case when r.from_id = $1 then r.to_id else r.from_id end
         where (r.from_id = $1 or r.to_id = $1) and e.workspace_id = $2 and e.deleted_at is null
           and (e.expires_at is null or e.expires_at > $3)",
        "$4",
        "order by r.at desc, e.id limit 100"
    );
    let rows: sqlx::Result<Vec<RelationRow>> = read!(&ctx.db, conn => query_as(SQL)
        .bind(id)
        .bind(ctx.workspace())
        .bind(now)
        .bind(reach.readable_paths())
        .fetch_all(conn)
        .await);
    let rows = crypt::open_rows(ctx, rows.map_err(db::Error::from)?).await?;
    let relation = |row: RelationRow| {
        let way = match RelationKind::parse(&row.kind)? {
            RelationKind::Supersedes if row.from_id == id => RelationWay::Supersedes,
            RelationKind::Supersedes => RelationWay::SupersededBy,
            RelationKind::Contradicts => RelationWay::Contradicts,
            RelationKind::Agrees => RelationWay::Agrees,
        };
        Some(Relation { way, other: row.other.into(), by: row.source.0, at: row.said_at })
    };
    Ok(rows.into_iter().filter_map(relation).collect())
}

/// Entries that can't both be true, both of which are there and within reach; the last said first.
pub(in crate::memory) async fn contradictions(
    ctx: &Ctx,
    reach: &Reach,
    now: Timestamp,
) -> Result<Vec<Contradiction>, Error> {
    const ONE: &str = related!(
        "join memory_entry e on e.id = r.from_id join memory_entry o on o.id = r.to_id
         where r.workspace_id = $1 and r.kind = 'contradicts'
           and e.deleted_at is null and e.quarantined_at is null and (e.expires_at is null or e.expires_at > $2)
           and o.deleted_at is null and o.quarantined_at is null and (o.expires_at is null or o.expires_at > $2)",
        "$4",
        concat!(other!("$4"), "order by r.at desc, r.from_id, r.to_id limit $3")
    );
    const OTHER: &str = related!(
        "join memory_entry e on e.id = r.to_id join memory_entry o on o.id = r.from_id
         where r.workspace_id = $1 and r.kind = 'contradicts'
           and e.deleted_at is null and e.quarantined_at is null and (e.expires_at is null or e.expires_at > $2)
           and o.deleted_at is null and o.quarantined_at is null and (o.expires_at is null or o.expires_at > $2)",
        "$4",
        concat!(other!("$4"), "order by r.at desc, r.from_id, r.to_id limit $3")
    );
    let mut sides = Vec::new();
    for sql in [ONE, OTHER] {
        let rows: sqlx::Result<Vec<RelationRow>> = read!(&ctx.db, conn => query_as(sql)
            .bind(ctx.workspace())
            .bind(now)
            .bind(MOST)
            .bind(reach.readable_paths())
            .fetch_all(conn)
            .await);
        sides.push(crypt::open_rows(ctx, rows.map_err(db::Error::from)?).await?);
    }
    let mut others = sides.pop().unwrap_or_default();
    let ones = sides.pop().unwrap_or_default();
    let mut found = Vec::new();
    for one in ones {
        // Somebody may have decided between the two questions: only what both tell of is a pair.
        let pair = (one.from_id, one.to_id);
        if let Some(at) = others.iter().position(|other| (other.from_id, other.to_id) == pair) {
            let other = others.swap_remove(at).other.into();
            found.push(Contradiction { one: one.other.into(), other, by: one.source.0, at: one.said_at });
        }
    }
    Ok(found)
}

/// Every pair of which something is said, the smaller id first.
pub(in crate::memory) async fn related_pairs(db: &Db, workspace: WorkspaceId) -> Result<Vec<(EntryId, EntryId)>> {
    let rows: Vec<(EntryId, EntryId)> = read!(db, conn => query_as(
        "select from_id, to_id from memory_relation where workspace_id = $1 order by at desc limit $2",
    )
    .bind(workspace)
    .bind(MOST_PAIRS)
    .fetch_all(conn)
    .await)?;
    Ok(rows.into_iter().map(|(one, other)| (one.min(other), one.max(other))).collect())
}
