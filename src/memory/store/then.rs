//! Entries as they stood at a moment: of each the newest version that was written by then.

use sqlx::{query_as, query_scalar};

use super::entry::{FETCH, Part};
use super::row::EntryRow;
use crate::db::{self, Db, Result};
use crate::memory::crypt;
use crate::memory::{Error, KEPT_VERSIONS};
use crate::model::memory::{EntryFilter, Reach};
use crate::model::{EntryId, Timestamp, WorkspaceId};
use crate::read;
use crate::runtime::Ctx;

/// The columns of [`EntryRow`] as they were at `$2`, of what was there then in the workspace `$1`.
macro_rules! then {
    ($columns:literal, $and:expr) => {
        concat!(
            "select ",
            $columns,
            " from memory_entry e
              join memory_version v on v.entry_id = e.id and v.version =
                  (select max(o.version) from memory_version o where o.entry_id = e.id and o.at <= $2)
              where e.workspace_id = $1 and v.plain is not null and (v.expires_at is null or v.expires_at > $2) ",
            $and
        )
    };
    ($and:expr) => {
        then!(
            "e.id, e.namespace, e.key, v.plain as content, v.sealed, v.data_key, v.value, v.tags, v.metadata, v.importance, v.version, v.source, e.created_at,
             v.at as updated_at, v.expires_at, e.deleted_at, coalesce(v.change, 0) as change, v.context_group,
             v.context_position, v.trust, v.quarantine, v.quarantined_at, cast(0 as bigint) as siblings,
             (select min(r.at) from memory_relation r
              join memory_version s on s.entry_id = r.from_id and s.version =
                  (select max(o.version) from memory_version o where o.entry_id = r.from_id and o.at <= $2)
              where r.to_id = e.id and r.kind = 'supersedes' and r.at <= $2 and s.plain is not null
                and (s.quarantined_at is null or s.quarantined_at > $2)) as superseded_at",
            $and
        )
    };
}

/// In the namespace `$3` or below it; all where it is empty.
macro_rules! inside {
    () => {
        " and ($3 = '' or e.namespace = $3 or (e.namespace >= $3 || '/' and e.namespace < $3 || '0')) "
    };
}

/// Not in quarantine then.
macro_rules! free {
    () => {
        " and (v.quarantined_at is null or v.quarantined_at > $2) "
    };
}

/// An entry as it stood then, whatever became of it; `None` when it was not there, or its version of then is not kept.
pub(in crate::memory) async fn find_then(
    ctx: &Ctx,
    reach: &Reach,
    at: Timestamp,
    (namespace, key): (&str, &str),
) -> Result<Option<EntryRow>, Error> {
    const SQL: &str = then!("and e.namespace = $3 and e.key = $4");
    if !reach.may_read(namespace) {
        return Ok(None);
    }
    let rows = read!(&ctx.db, conn => query_as(SQL)
        .bind(ctx.workspace())
        .bind(at)
        .bind(namespace)
        .bind(key)
        .fetch_all(conn)
        .await);
    Ok(opened(ctx, rows).await?.pop())
}

/// Opens rows of versions.
async fn opened(ctx: &Ctx, rows: sqlx::Result<Vec<EntryRow>>) -> Result<Vec<EntryRow>, Error> {
    let rows = rows.map_err(db::Error::from)?;
    crypt::open_rows(ctx, rows.into_iter().map(EntryRow::of_version).collect()).await
}

/// The oldest version of an entry that is kept, and when it was written.
pub(in crate::memory) async fn oldest_version(db: &Db, id: EntryId) -> Result<Option<(i64, Timestamp)>> {
    Ok(
        read!(db, conn => query_as("select version, at from memory_version where entry_id = $1 order by version limit 1")
        .bind(id)
        .fetch_optional(conn)
        .await)?,
    )
}

/// The list, of entries that were in quarantine then or of all others.
macro_rules! listed {
    ($held:expr) => {
        then!(concat!(
            inside!(),
            "and ($4 = '' or (e.key >= $4 and e.key < $5))
             and ($6 = '' or replace(replace(replace(cast(v.tags as text), '\\\\', '\\-'), '\\\"', '\\~'), $6, '') <> replace(replace(cast(v.tags as text), '\\\\', '\\-'), '\\\"', '\\~'))
             and ($7 = '' or $7 like '%,' || v.trust || ',%') ",
            $held,
            reachable!("$10"),
            " and coalesce(v.change, 0) < $8 order by coalesce(v.change, 0) desc limit $9"
        ))
    };
}

/// Entries that callers could know of then, changed last first.
pub(in crate::memory) async fn list_then(
    ctx: &Ctx,
    reach: &Reach,
    at: Timestamp,
    filter: &EntryFilter,
    part: Part,
) -> Result<Vec<EntryRow>, Error> {
    const FREE: &str = listed!(free!());
    const HELD: &str = listed!("and v.quarantined_at <= $2");
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
    opened(ctx, rows).await
}

/// What stands behind every key with this prefix.
pub(super) fn behind(prefix: &str) -> String {
    format!("{prefix}\u{10ffff}")
}

/// The labels of a filter, each between commas; empty for any.
pub(super) fn labels(filter: &EntryFilter) -> String {
    let labels: Vec<&str> = filter.trust.iter().map(|trust| trust.as_str()).collect();
    if labels.is_empty() { String::new() } else { format!(",{},", labels.join(",,")) }
}

/// A tag as it stands in a list of tags once the escapes of backslashes and quotes are written as `\-` and `\~`, which JSON does
/// not have: then no quote stands inside of a tag, and none is found inside another. Tags of versions have no table of their
/// own. Empty for any.
pub(super) fn tag_in_json(tag: &str) -> String {
    if tag.is_empty() {
        return String::new();
    }
    let inner = serde_json::Value::from(tag).to_string();
    inner.replace("\\\\", "\\-").replace("\\\"", "\\~")
}

/// Entries by id as they stood then, in any order, but those in quarantine. At most [`FETCH`] ids.
pub(in crate::memory) async fn fetch_then(
    ctx: &Ctx,
    reach: &Reach,
    at: Timestamp,
    ids: &[EntryId],
) -> Result<Vec<EntryRow>, Error> {
    const SQL: &str = then!(concat!(free!(), "and e.id in ($3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"));
    debug_assert!(ids.len() <= FETCH, "more ids than one look-up fetches");
    let Some(last) = ids.last() else { return Ok(Vec::new()) };
    let id = |at: usize| *ids.get(at).unwrap_or(last);
    let rows = read!(&ctx.db, conn => query_as(SQL)
        .bind(ctx.workspace())
        .bind(at)
        .bind(id(0)).bind(id(1)).bind(id(2)).bind(id(3)).bind(id(4))
        .bind(id(5)).bind(id(6)).bind(id(7)).bind(id(8)).bind(id(9))
        .fetch_all(conn)
        .await);
    let reached =
        rows.map(|rows: Vec<EntryRow>| rows.into_iter().filter(|row| reach.may_read(row.namespace())).collect());
    opened(ctx, reached).await
}

/// What could be found then behind an id, by id.
pub(in crate::memory) async fn found_then(
    ctx: &Ctx,
    at: Timestamp,
    namespace: &str,
    (after, limit): (EntryId, i64),
) -> Result<Vec<EntryRow>, Error> {
    const SQL: &str = then!(concat!(inside!(), free!(), "and e.id > $4 order by e.id limit $5"));
    let rows = read!(&ctx.db, conn => query_as(SQL)
        .bind(ctx.workspace())
        .bind(at)
        .bind(namespace)
        .bind(after)
        .bind(limit)
        .fetch_all(conn)
        .await);
    opened(ctx, rows).await
}

/// How many entries could be found then, and how many characters they had together.
pub(in crate::memory) async fn weight_then(
    db: &Db,
    workspace: WorkspaceId,
    at: Timestamp,
    namespace: &str,
) -> Result<(i64, i64)> {
    const SQL: &str = then!(
        "count(*), coalesce(cast(sum(coalesce(v.chars, length(v.plain))) as bigint), 0)",
        concat!(inside!(), free!())
    );
    Ok(read!(db, conn => query_as(SQL).bind(workspace).bind(at).bind(namespace).fetch_one(conn).await)?)
}

/// How many entries of a namespace within the reach were there then and changed so often since that nobody knows what stood in them.
pub(in crate::memory) async fn unknown_then(
    db: &Db,
    workspace: WorkspaceId,
    reach: &Reach,
    at: Timestamp,
    namespace: &str,
) -> Result<i64> {
    const SQL: &str = concat!(
        "select count(*) from memory_entry e
         where e.workspace_id = $1 and e.created_at <= $2",
        inside!(),
        reachable!("$5"),
        "and e.version > $4 and not exists (select 1 from memory_version v where v.entry_id = e.id and v.at <= $2)"
    );
    Ok(read!(db, conn => query_scalar(SQL)
        .bind(workspace)
        .bind(at)
        .bind(namespace)
        .bind(KEPT_VERSIONS)
        .bind(reach.readable_paths())
        .fetch_one(conn)
        .await)?)
}
