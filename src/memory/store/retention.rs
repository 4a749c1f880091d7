//! How long entries are kept, and which ones have to go.

use sqlx::{FromRow, query, query_as, query_scalar};

use crate::db::{Db, Result, Tx};
use crate::model::memory::{EntryName, KeptFrom, Reach, Retention, RetentionRule};
use crate::model::{EntryId, Timestamp, WorkspaceId};
use crate::{read, within};

#[derive(FromRow)]
struct RuleRow {
    workspace_id: WorkspaceId,
    path: String,
    days: i64,
    counted_from: String,
    set_by: Option<String>,
    set_at: Timestamp,
    removed: i64,
    removed_at: Option<Timestamp>,
}

impl RuleRow {
    /// The rule; `None` for one of another program whose word this one does not know: by it nothing is removed.
    fn rule(self) -> Option<(WorkspaceId, RetentionRule)> {
        let Self { workspace_id, path, days, counted_from, set_by, set_at, removed, removed_at } = self;
        let (days, from) = (u32::try_from(days).ok()?, KeptFrom::parse(&counted_from)?);
        Some((workspace_id, RetentionRule { path, days, from, set_by, set_at, removed, removed_at }))
    }
}

/// The rules of a workspace, by path.
pub(in crate::memory) async fn retentions(db: &Db, workspace: WorkspaceId) -> Result<Vec<RetentionRule>> {
    let rows: Vec<RuleRow> = read!(db, conn => query_as(
        "select workspace_id, path, days, counted_from, set_by, set_at, removed, removed_at from memory_retention
         where workspace_id = $1 order by path",
    )
    .bind(workspace)
    .fetch_all(conn)
    .await)?;
    Ok(rows.into_iter().filter_map(RuleRow::rule).map(|(_, rule)| rule).collect())
}

/// The rules of all workspaces, for the sweeper; the first 10,000, those first whose entries went the longest ago.
pub(in crate::memory) async fn all_retentions(db: &Db) -> Result<Vec<(WorkspaceId, RetentionRule)>> {
    let rows: Vec<RuleRow> = read!(db, conn => query_as(
        "select workspace_id, path, days, counted_from, set_by, set_at, removed, removed_at from memory_retention
         order by coalesce(removed_at, set_at), workspace_id, path limit 10000",
    )
    .fetch_all(conn)
    .await)?;
    Ok(rows.into_iter().filter_map(RuleRow::rule).collect())
}

/// How many rules a workspace has for other namespaces than this one.
pub(in crate::memory) async fn count_retentions(tx: &mut Tx, workspace: WorkspaceId, but: &str) -> Result<i64> {
    Ok(within!(tx, conn => query_scalar("select count(*) from memory_retention where workspace_id = $1 and path <> $2")
        .bind(workspace)
        .bind(but)
        .fetch_one(conn)
        .await)?)
}

/// Makes a rule, or writes over the one that stands there; what went by that one stays counted.
pub(in crate::memory) async fn put_retention(
    tx: &mut Tx,
    workspace: WorkspaceId,
    path: &str,
    retention: Retention,
    (by, at): (Option<&str>, Timestamp),
) -> Result<()> {
    within!(tx, conn => query(
        "insert into memory_retention (workspace_id, path, days, counted_from, set_by, set_at, removed)
         values ($1, $2, $3, $4, $5, $6, 0)
         on conflict (workspace_id, path) do update set days = excluded.days, counted_from = excluded.counted_from,
             set_by = excluded.set_by, set_at = excluded.set_at",
    )
    .bind(workspace)
    .bind(path)
    .bind(i64::from(retention.days))
    .bind(retention.from.as_str())
    .bind(by)
    .bind(at)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// Removes a rule; false when there is none.
pub(in crate::memory) async fn delete_retention(tx: &mut Tx, workspace: WorkspaceId, path: &str) -> Result<bool> {
    Ok(within!(tx, conn => query("delete from memory_retention where workspace_id = $1 and path = $2")
        .bind(workspace)
        .bind(path)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))?)
}

/// Notes that entries went by a rule.
pub(in crate::memory) async fn note_removed(
    tx: &mut Tx,
    workspace: WorkspaceId,
    path: &str,
    (count, at): (i64, Timestamp),
) -> Result<()> {
    within!(tx, conn => query(
        "update memory_retention set removed = removed + $3, removed_at = $4 where workspace_id = $1 and path = $2",
    )
    .bind(workspace)
    .bind(path)
    .bind(count)
    .bind(at)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// What a rule removes: of its subtree what no rule of a longer path keeps, and what is not in quarantine.
macro_rules! due {
    ($before:literal, $counted:literal, $after:expr) => {
        concat!(
            $before,
            " from memory_entry e
             where e.workspace_id = $1 and (e.namespace = $2 or (e.namespace >= $2 || '/' and e.namespace < $2 || '0'))
               and e.deleted_at is null and e.quarantined_at is null and (e.expires_at is null or e.expires_at > $3)
               and ",
            $counted,
            " and not exists (select 1 from memory_retention o
                  where o.workspace_id = e.workspace_id and o.path >= $2 || '/' and o.path < $2 || '0'
                    and (e.namespace = o.path or (e.namespace >= o.path || '/' and e.namespace < o.path || '0'))) ",
            $after
        )
    };
}

/// The statement for what the days are counted from.
macro_rules! by_count {
    ($from:expr, $before:literal, $after:expr) => {
        match $from {
            KeptFrom::Created => due!($before, "e.created_at <= $4", $after),
            KeptFrom::Changed => due!($before, "e.updated_at <= $4", $after),
            KeptFrom::Read => due!(
                $before,
                "e.updated_at <= $4
                 and not exists (select 1 from memory_reader r where r.entry_id = e.id and r.last_at > $4)",
                $after
            ),
        }
    };
}

/// How many entries a rule for this namespace would remove now.
pub(in crate::memory) async fn count_due(
    db: &Db,
    workspace: WorkspaceId,
    (path, retention): (&str, Retention),
    now: Timestamp,
) -> Result<i64> {
    let sql = by_count!(retention.from, "select count(*)", "");
    Ok(read!(db, conn => query_scalar(sql)
        .bind(workspace)
        .bind(path)
        .bind(now)
        .bind(retention.until(now))
        .fetch_one(conn)
        .await)?)
}

/// The first of them within the reach, by place.
pub(in crate::memory) async fn first_due(
    db: &Db,
    workspace: WorkspaceId,
    reach: &Reach,
    (path, retention): (&str, Retention),
    (now, limit): (Timestamp, u32),
) -> Result<Vec<EntryName>> {
    let sql = by_count!(
        retention.from,
        "select e.namespace, e.key",
        concat!(reachable!("$6"), "order by e.namespace, e.key limit $5")
    );
    let rows: Vec<(String, String)> = read!(db, conn => query_as(sql)
        .bind(workspace)
        .bind(path)
        .bind(now)
        .bind(retention.until(now))
        .bind(i64::from(limit))
        .bind(reach.readable_paths())
        .fetch_all(conn)
        .await)?;
    Ok(rows.into_iter().map(|(namespace, key)| EntryName { namespace, key }).collect())
}

/// Entries that a rule removes now; the first of them.
pub(in crate::memory) async fn due(
    db: &Db,
    workspace: WorkspaceId,
    rule: &RetentionRule,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<EntryId>> {
    let sql = by_count!(rule.from, "select e.id", "order by e.change limit $5");
    Ok(read!(db, conn => query_scalar(sql)
        .bind(workspace)
        .bind(rule.path.as_str())
        .bind(now)
        .bind(rule.retention().until(now))
        .bind(limit)
        .fetch_all(conn)
        .await)?)
}

/// The place and version of an entry, if the rule stands as it did and removes it still.
pub(in crate::memory) async fn find_due(
    tx: &mut Tx,
    workspace: WorkspaceId,
    rule: &RetentionRule,
    id: EntryId,
    now: Timestamp,
) -> Result<Option<(String, String, i64)>> {
    let sql = by_count!(
        rule.from,
        "select e.namespace, e.key, e.version",
        "and e.id = $5 and exists (select 1 from memory_retention r
             where r.workspace_id = e.workspace_id and r.path = $2 and r.days = $6 and r.counted_from = $7)"
    );
    Ok(within!(tx, conn => query_as(sql)
        .bind(workspace)
        .bind(rule.path.as_str())
        .bind(now)
        .bind(rule.retention().until(now))
        .bind(id)
        .bind(i64::from(rule.days))
        .bind(rule.from.as_str())
        .fetch_optional(conn)
        .await)?)
}
