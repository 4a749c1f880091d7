//! Entries as they are now.

use serde_json::{Map, Value};
use sqlx::types::Json;
use sqlx::{query, query_as, query_scalar};

use super::quarantine::Begun;
use super::row::{EntryRow, clear_of, place_of_entry, without_reasons};
use super::then::{behind, labels};
use crate::db::{self, Db, Result, Tx};
use crate::memory::Error;
use crate::memory::crypt;
use crate::model::memory::{Entry, EntryFilter, Reach, Trust};
use crate::model::{EntryId, Timestamp, WorkspaceId};
use crate::runtime::Ctx;
use crate::{read, within};

/// The columns of [`EntryRow`].
macro_rules! columns {
    ($before:literal, $after:literal) => {
        concat!(
            $before,
            " e.id, e.namespace, e.key, e.plain as content, e.sealed, e.data_key, e.value, e.tags, e.metadata, e.importance, e.version, e.source,
              e.created_at, e.updated_at, e.expires_at, e.deleted_at, e.change, e.context_group, e.context_position,
              e.trust, e.quarantine, e.quarantined_at, e.siblings, e.superseded_at
              from memory_entry e ",
            $after
        )
    };
}

/// Since when an entry is in quarantine.
pub(super) fn held_since(entry: &Entry) -> Option<Timestamp> {
    entry.quarantine.as_ref().filter(|quarantine| quarantine.is_held()).map(|quarantine| quarantine.at)
}

/// A label that this program does not know is another program's: it trusts nobody.
pub(super) fn trust_of(word: &str) -> Trust {
    Trust::parse(word).unwrap_or(Trust::Web)
}

/// Takes the workspace's next change number, and with it the workspace's write lock on memory until the commit.
///
/// It must be the first statement of every transaction that writes entries: two that lock in different orders could wait for
/// each other for ever. Because the row stays locked, numbers become visible to others in their order and without gaps, which
/// a sequence does not promise; an index that has seen number n has seen everything up to n.
pub(in crate::memory) async fn next_change(tx: &mut Tx, workspace: WorkspaceId) -> Result<i64> {
    tx.mark();
    Ok(within!(tx, conn => query_scalar(
        "insert into memory_change (workspace_id, last_change) values ($1, 1)
         on conflict (workspace_id) do update set last_change = memory_change.last_change + 1
         returning last_change",
    )
    .bind(workspace)
    .fetch_one(conn)
    .await)?)
}

/// The workspace's newest change number; 0 before the first write.
pub(in crate::memory) async fn last_change(db: &Db, workspace: WorkspaceId) -> Result<i64> {
    let found: Option<i64> = read!(db, conn => query_scalar("select last_change from memory_change where workspace_id = $1")
        .bind(workspace)
        .fetch_optional(conn)
        .await)?;
    Ok(found.unwrap_or(0))
}

/// The entry at a place, deleted or not; none beyond the reach.
pub(in crate::memory) async fn find(
    ctx: &Ctx,
    reach: &Reach,
    (namespace, key): (&str, &str),
) -> Result<Option<EntryRow>, Error> {
    const SQL: &str = columns!("select", "where e.workspace_id = $1 and e.namespace = $2 and e.key = $3");
    if !reach.may_read(namespace) {
        return Ok(None);
    }
    let rows =
        read!(&ctx.db, conn => query_as(SQL).bind(ctx.workspace()).bind(namespace).bind(key).fetch_all(conn).await);
    Ok(crypt::open_rows(ctx, rows.map_err(db::Error::from)?).await?.pop())
}

/// The same inside a transaction.
pub(in crate::memory) async fn find_within(
    tx: &mut Tx,
    ctx: &Ctx,
    namespace: &str,
    key: &str,
) -> Result<Option<EntryRow>, Error> {
    const SQL: &str = columns!("select", "where e.workspace_id = $1 and e.namespace = $2 and e.key = $3");
    let rows = within!(tx, conn => query_as(SQL).bind(ctx.workspace()).bind(namespace).bind(key).fetch_all(conn).await);
    Ok(crypt::open_within(tx, ctx, rows.map_err(db::Error::from)?).await?.pop())
}

/// Which part of what a list shows is wanted.
#[derive(Debug, Clone, Copy)]
pub(in crate::memory) struct Part {
    /// Only entries changed before this number.
    pub before: i64,
    pub limit: u32,
}

/// The list, of entries in quarantine or of all others.
macro_rules! listed {
    ($held:literal) => {
        // '0' follows '/', so the range holds exactly what begins with "namespace/"; both columns compare byte by byte.
        concat!(
            columns!(
                "select",
                "where e.workspace_id = $1 and e.deleted_at is null and (e.expires_at is null or e.expires_at > $2)
                   and ($3 = '' or e.namespace = $3 or (e.namespace >= $3 || '/' and e.namespace < $3 || '0'))
                   and ($4 = '' or (e.key >= $4 and e.key < $5))
                   and ($6 = '' or exists (select 1 from memory_tag t where t.entry_id = e.id and t.tag = $6))
                   and ($7 = '' or $7 like '%,' || e.trust || ',%')
                   and e.quarantined_at "
            ),
            $held,
            reachable!("$10"),
            " and e.change < $8 order by e.change desc limit $9"
        )
    };
}

/// Entries that callers may know of, changed last first.
pub(in crate::memory) async fn list(
    ctx: &Ctx,
    reach: &Reach,
    now: Timestamp,
    filter: &EntryFilter,
    part: Part,
) -> Result<Vec<EntryRow>, Error> {
    const FREE: &str = listed!("is null");
    const HELD: &str = listed!("is not null");
    let sql = if filter.quarantined { HELD } else { FREE };
    let (behind_prefix, trust) = (behind(&filter.prefix), labels(filter));
    let rows = read!(&ctx.db, conn => query_as(sql)
        .bind(ctx.workspace())
        .bind(now)
        .bind(filter.namespace.as_str())
        .bind(filter.prefix.as_str())
        .bind(behind_prefix.as_str())
        .bind(filter.tag.as_str())
        .bind(trust.as_str())
        .bind(part.before)
        .bind(i64::from(part.limit))
        .bind(reach.readable_paths())
        .fetch_all(conn)
        .await);
    crypt::open_rows(ctx, rows.map_err(db::Error::from)?).await
}

/// How many entries one look-up by id fetches.
pub(in crate::memory) const FETCH: usize = 10;

/// Entries by id, in any order; those of other workspaces and beyond the reach are left out. At most [`FETCH`] ids.
pub(in crate::memory) async fn fetch(ctx: &Ctx, reach: &Reach, ids: &[EntryId]) -> Result<Vec<EntryRow>, Error> {
    const SQL: &str =
        columns!("select", "where e.workspace_id = $1 and e.id in ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11)");
    let Some(last) = ids.last() else { return Ok(Vec::new()) };
    // A fixed number of parameters keeps it one prepared statement on both engines; the spare ones repeat the last id.
    let id = |at: usize| *ids.get(at).unwrap_or(last);
    let rows = read!(&ctx.db, conn => query_as(SQL)
        .bind(ctx.workspace())
        .bind(id(0)).bind(id(1)).bind(id(2)).bind(id(3)).bind(id(4))
        .bind(id(5)).bind(id(6)).bind(id(7)).bind(id(8)).bind(id(9))
        .fetch_all(conn)
        .await);
    let mut rows: Vec<EntryRow> = rows.map_err(db::Error::from)?;
    rows.retain(|row| reach.may_read(row.namespace()));
    crypt::open_rows(ctx, rows).await
}

/// Entries changed after a number, in the order of their changes, deleted ones too.
pub(in crate::memory) async fn changed_after(ctx: &Ctx, after: i64, limit: i64) -> Result<Vec<EntryRow>, Error> {
    const SQL: &str = columns!("select", "where e.workspace_id = $1 and e.change > $2 order by e.change limit $3");
    let rows =
        read!(&ctx.db, conn => query_as(SQL).bind(ctx.workspace()).bind(after).bind(limit).fetch_all(conn).await);
    crypt::open_rows(ctx, rows.map_err(db::Error::from)?).await
}

/// Writes an entry as it is now, new or over its old state, with its tags.
pub(in crate::memory) async fn write(tx: &mut Tx, ctx: &Ctx, entry: &Entry, begun: &Begun) -> Result<()> {
    let sealed = begun.key.seal(&ctx.ids, &place_of_entry(entry.id, entry.version), &clear_of(entry));
    within!(tx, conn => query(
        "insert into memory_entry (id, workspace_id, namespace, key, plain, value, tags, metadata, importance, version, source,
             created_at, updated_at, expires_at, deleted_at, change, context_group, context_position, trust, quarantine,
             quarantined_at, sealed, data_key, chars)
         values ($1, $2, $3, $4, '', $5, $6, $7, $8, $9, $10, $11, $12, $13, null, $14, $15, $16, $17, $18, $19, $20, $21, $22)
         on conflict (id) do update set plain = excluded.plain, value = excluded.value, tags = excluded.tags,
             metadata = excluded.metadata, importance = excluded.importance, version = excluded.version,
             source = excluded.source, updated_at = excluded.updated_at, expires_at = excluded.expires_at,
             deleted_at = null, change = excluded.change, context_group = excluded.context_group,
             context_position = excluded.context_position, trust = excluded.trust, quarantine = excluded.quarantine,
             quarantined_at = excluded.quarantined_at, sealed = excluded.sealed, data_key = excluded.data_key,
             chars = excluded.chars",
    )
    .bind(entry.id)
    .bind(ctx.workspace())
    .bind(entry.namespace.as_str())
    .bind(entry.key.as_str())
    .bind(Json(Value::Null))
    .bind(Json(&entry.tags))
    .bind(Json(Map::<String, Value>::new()))
    .bind(entry.importance)
    .bind(entry.version)
    .bind(Json(&entry.source))
    .bind(entry.created_at)
    .bind(entry.updated_at)
    .bind(entry.expires_at)
    .bind(begun.change)
    .bind(entry.group.as_deref())
    .bind(entry.position)
    .bind(entry.trust.as_str())
    .bind(entry.quarantine.as_ref().map(without_reasons).map(Json))
    .bind(held_since(entry))
    .bind(sealed)
    .bind(begun.key.number())
    .bind(entry.content.chars().count() as i64)
    .execute(conn)
    .await
    .map(drop))?;
    if entry.version > 1 {
        within!(tx, conn => query("delete from memory_tag where entry_id = $1").bind(entry.id).execute(conn).await.map(drop))?;
    }
    for tag in &entry.tags {
        within!(tx, conn => query("insert into memory_tag (entry_id, tag) values ($1, $2)")
            .bind(entry.id)
            .bind(tag.as_str())
            .execute(conn)
            .await
            .map(drop))?;
    }
    Ok(())
}

/// Marks an entry as deleted in a new version. What is encrypted in it stays bound to the version before.
pub(in crate::memory) async fn mark_deleted(
    tx: &mut Tx,
    id: EntryId,
    version: i64,
    at: Timestamp,
    change: i64,
) -> Result<()> {
    within!(tx, conn => query("update memory_entry set deleted_at = $2, version = $3, change = $4 where id = $1")
        .bind(id)
        .bind(at)
        .bind(version)
        .bind(change)
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}

/// Entries of a subtree in the order of their changes, behind a number: what is written meanwhile comes again at the end, and nothing
/// is passed over.
pub(in crate::memory) async fn to_back_up(
    ctx: &Ctx,
    (reach, now): (&Reach, Timestamp),
    namespace: &str,
    after: i64,
    limit: i64,
) -> Result<Vec<EntryRow>, Error> {
    const SQL: &str = concat!(
        columns!(
            "select",
            "where e.workspace_id = $1 and e.deleted_at is null and (e.expires_at is null or e.expires_at > $2)
               and ($3 = '' or e.namespace = $3 or (e.namespace >= $3 || '/' and e.namespace < $3 || '0'))
               and e.quarantined_at is null and e.change > $4 "
        ),
        reachable!("$6"),
        "order by e.change limit $5"
    );
    let rows = read!(&ctx.db, conn => query_as(SQL)
        .bind(ctx.workspace())
        .bind(now)
        .bind(namespace)
        .bind(after)
        .bind(limit)
        .bind(reach.readable_paths())
        .fetch_all(conn)
        .await);
    crypt::open_rows(ctx, rows.map_err(db::Error::from)?).await
}
