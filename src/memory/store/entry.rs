//! Entries as they are now.

use serde_json::{Map, Value};
use sqlx::types::Json;
use sqlx::{FromRow, query, query_as, query_scalar};

use super::then::{behind, labels};
use crate::db::{Db, Result, Tx};
use crate::model::memory::{Entry, EntryFilter, Namespace, Quarantine, Source, Trust};
use crate::model::{EntryId, Timestamp, WorkspaceId};
use crate::{read, within};

/// The columns of [`EntryRow`].
macro_rules! columns {
    ($before:literal, $after:literal) => {
        concat!(
            $before,
            " e.id, e.namespace, e.key, e.content, e.value, e.tags, e.metadata, e.importance, e.version, e.source,
              e.created_at, e.updated_at, e.expires_at, e.deleted_at, e.change, e.context_group, e.context_position,
              e.trust, e.quarantine, e.quarantined_at, e.siblings
              from memory_entry e ",
            $after
        )
    };
}

/// A stored entry, perhaps deleted or past its time.
#[derive(Debug, Clone, FromRow)]
pub(in crate::memory) struct EntryRow {
    pub id: EntryId,
    namespace: String,
    key: String,
    content: String,
    value: Json<Value>,
    tags: Json<Vec<String>>,
    metadata: Json<Map<String, Value>>,
    importance: f64,
    pub version: i64,
    source: Json<Source>,
    pub created_at: Timestamp,
    updated_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub deleted_at: Option<Timestamp>,
    pub change: i64,
    context_group: Option<String>,
    context_position: Option<i64>,
    trust: String,
    quarantine: Option<Json<Quarantine>>,
    quarantined_at: Option<Timestamp>,
    siblings: i64,
}

impl EntryRow {
    /// Whether callers may know of it.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.deleted_at.is_none() && self.expires_at.is_none_or(|at| at > now)
    }

    /// Whether searches, steps and agents may know of it.
    pub fn is_findable(&self, now: Timestamp) -> bool {
        self.is_live(now) && self.quarantined_at.is_none()
    }

    /// Whether an index has no place for it, whatever the time is.
    pub fn is_hidden(&self) -> bool {
        self.deleted_at.is_some() || self.quarantined_at.is_some()
    }

    /// How many texts stand open beside it.
    pub const fn siblings(&self) -> i64 {
        self.siblings
    }

    /// Its text.
    pub fn content(&self) -> &str {
        &self.content
    }

    /// The entry as it stood at a moment, of a row that was read for it. What was set aside later was not yet then.
    pub fn then(self, at: Timestamp) -> Entry {
        let held_since = self.quarantined_at.filter(|since| *since <= at);
        let mut entry = Entry::from(self);
        entry.quarantine = match (held_since, entry.quarantine) {
            // An older program wrote down since when, and no more.
            (Some(since), None) => {
                let reasons = vec!["why was not kept with this version".to_owned()];
                Some(Quarantine { at: since, by: None, reasons, released: None })
            }
            (_, known) => known.filter(|quarantine| quarantine.at <= at),
        };
        entry
    }
}

impl From<EntryRow> for Entry {
    fn from(row: EntryRow) -> Self {
        Self {
            id: row.id,
            namespace: row.namespace,
            key: row.key,
            content: row.content,
            value: row.value.0,
            tags: row.tags.0,
            metadata: row.metadata.0,
            importance: row.importance,
            version: row.version,
            source: row.source.0,
            trust: trust_of(&row.trust),
            quarantine: row.quarantine.map(|quarantine| quarantine.0),
            created_at: row.created_at,
            updated_at: row.updated_at,
            expires_at: row.expires_at,
            group: row.context_group,
            position: row.context_position,
            siblings: row.siblings,
        }
    }
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

/// The entry at a place, deleted or not.
pub(in crate::memory) async fn find(
    db: &Db,
    workspace: WorkspaceId,
    namespace: &str,
    key: &str,
) -> Result<Option<EntryRow>> {
    const SQL: &str = columns!("select", "where e.workspace_id = $1 and e.namespace = $2 and e.key = $3");
    Ok(read!(db, conn => query_as(SQL).bind(workspace).bind(namespace).bind(key).fetch_optional(conn).await)?)
}

/// The same inside a transaction.
pub(in crate::memory) async fn find_within(
    tx: &mut Tx,
    workspace: WorkspaceId,
    namespace: &str,
    key: &str,
) -> Result<Option<EntryRow>> {
    const SQL: &str = columns!("select", "where e.workspace_id = $1 and e.namespace = $2 and e.key = $3");
    Ok(within!(tx, conn => query_as(SQL).bind(workspace).bind(namespace).bind(key).fetch_optional(conn).await)?)
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
            " and e.change < $8 order by e.change desc limit $9"
        )
    };
}

/// Entries that callers may know of, changed last first.
pub(in crate::memory) async fn list(
    db: &Db,
    workspace: WorkspaceId,
    now: Timestamp,
    filter: &EntryFilter,
    part: Part,
) -> Result<Vec<EntryRow>> {
    const FREE: &str = listed!("is null");
    const HELD: &str = listed!("is not null");
    let sql = if filter.quarantined { HELD } else { FREE };
    let (behind_prefix, trust) = (behind(&filter.prefix), labels(filter));
    Ok(read!(db, conn => query_as(sql)
        .bind(workspace)
        .bind(now)
        .bind(filter.namespace.as_str())
        .bind(filter.prefix.as_str())
        .bind(behind_prefix.as_str())
        .bind(filter.tag.as_str())
        .bind(trust.as_str())
        .bind(part.before)
        .bind(i64::from(part.limit))
        .fetch_all(conn)
        .await)?)
}

/// How many entries one look-up by id fetches.
pub(in crate::memory) const FETCH: usize = 10;

/// Entries by id, in any order; those of other workspaces are left out. At most [`FETCH`] ids.
pub(in crate::memory) async fn fetch(db: &Db, workspace: WorkspaceId, ids: &[EntryId]) -> Result<Vec<EntryRow>> {
    const SQL: &str =
        columns!("select", "where e.workspace_id = $1 and e.id in ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11)");
    let Some(last) = ids.last() else { return Ok(Vec::new()) };
    // A fixed number of parameters keeps it one prepared statement on both engines; the spare ones repeat the last id.
    let id = |at: usize| *ids.get(at).unwrap_or(last);
    Ok(read!(db, conn => query_as(SQL)
        .bind(workspace)
        .bind(id(0)).bind(id(1)).bind(id(2)).bind(id(3)).bind(id(4))
        .bind(id(5)).bind(id(6)).bind(id(7)).bind(id(8)).bind(id(9))
        .fetch_all(conn)
        .await)?)
}

/// Entries changed after a number, in the order of their changes, deleted ones too.
pub(in crate::memory) async fn changed_after(
    db: &Db,
    workspace: WorkspaceId,
    after: i64,
    limit: i64,
) -> Result<Vec<EntryRow>> {
    const SQL: &str = columns!("select", "where e.workspace_id = $1 and e.change > $2 order by e.change limit $3");
    Ok(read!(db, conn => query_as(SQL).bind(workspace).bind(after).bind(limit).fetch_all(conn).await)?)
}

/// Namespaces that hold entries, by path; the first 10,000.
pub(in crate::memory) async fn namespaces(db: &Db, workspace: WorkspaceId, now: Timestamp) -> Result<Vec<Namespace>> {
    let rows: Vec<(String, i64)> = read!(db, conn => query_as(
        "select namespace, count(*) from memory_entry
         where workspace_id = $1 and deleted_at is null and quarantined_at is null and (expires_at is null or expires_at > $2)
         group by namespace order by namespace limit 10000",
    )
    .bind(workspace)
    .bind(now)
    .fetch_all(conn)
    .await)?;
    Ok(rows.into_iter().map(|(path, entries)| Namespace { path, entries }).collect())
}

/// Writes an entry as it is now, new or over its old state, with its tags.
pub(in crate::memory) async fn write(tx: &mut Tx, workspace: WorkspaceId, entry: &Entry, change: i64) -> Result<()> {
    within!(tx, conn => query(
        "insert into memory_entry (id, workspace_id, namespace, key, content, value, tags, metadata, importance, version, source,
             created_at, updated_at, expires_at, deleted_at, change, context_group, context_position, trust, quarantine,
             quarantined_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, null, $15, $16, $17, $18, $19, $20)
         on conflict (id) do update set content = excluded.content, value = excluded.value, tags = excluded.tags,
             metadata = excluded.metadata, importance = excluded.importance, version = excluded.version,
             source = excluded.source, updated_at = excluded.updated_at, expires_at = excluded.expires_at,
             deleted_at = null, change = excluded.change, context_group = excluded.context_group,
             context_position = excluded.context_position, trust = excluded.trust, quarantine = excluded.quarantine,
             quarantined_at = excluded.quarantined_at",
    )
    .bind(entry.id)
    .bind(workspace)
    .bind(entry.namespace.as_str())
    .bind(entry.key.as_str())
    .bind(entry.content.as_str())
    .bind(Json(&entry.value))
    .bind(Json(&entry.tags))
    .bind(Json(&entry.metadata))
    .bind(entry.importance)
    .bind(entry.version)
    .bind(Json(&entry.source))
    .bind(entry.created_at)
    .bind(entry.updated_at)
    .bind(entry.expires_at)
    .bind(change)
    .bind(entry.group.as_deref())
    .bind(entry.position)
    .bind(entry.trust.as_str())
    .bind(entry.quarantine.as_ref().map(Json))
    .bind(held_since(entry))
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

/// Marks an entry as deleted in a new version.
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
