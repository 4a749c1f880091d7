//! Who may read and change which entries: the rules. What they hide is left out by `reachable!` in the statements.

use sqlx::types::Json;
use sqlx::{FromRow, query, query_as, query_scalar};

use crate::db::{Db, Result, Tx};
use crate::model::memory::{Access, AccessRule, Allowed};
use crate::model::{Timestamp, WorkspaceId};
use crate::{read, within};

#[derive(FromRow)]
struct RuleRow {
    path: String,
    reads: Json<Allowed>,
    writes: Json<Allowed>,
    set_by: Option<String>,
    set_at: Timestamp,
}

/// The rules of a workspace, by path.
pub(in crate::memory) async fn access_rules(db: &Db, workspace: WorkspaceId) -> Result<Vec<AccessRule>> {
    let rows: Vec<RuleRow> = read!(db, conn => query_as(
        "select path, reads, writes, set_by, set_at from memory_access where workspace_id = $1 order by path",
    )
    .bind(workspace)
    .fetch_all(conn)
    .await)?;
    let rule = |RuleRow { path, reads, writes, set_by, set_at }: RuleRow| {
        let (read, write) = (reads.0, writes.0);
        AccessRule { path, read, write, set_by, set_at }
    };
    Ok(rows.into_iter().map(rule).collect())
}

/// Whether a workspace has a rule.
pub(in crate::memory) async fn has_access_rules(db: &Db, workspace: WorkspaceId) -> Result<bool> {
    let found: Option<String> = read!(db, conn => query_scalar("select path from memory_access where workspace_id = $1 limit 1")
        .bind(workspace)
        .fetch_optional(conn)
        .await)?;
    Ok(found.is_some())
}

/// How many rules a workspace has for other namespaces than this one.
pub(in crate::memory) async fn count_access_rules(tx: &mut Tx, workspace: WorkspaceId, but: &str) -> Result<i64> {
    Ok(within!(tx, conn => query_scalar("select count(*) from memory_access where workspace_id = $1 and path <> $2")
        .bind(workspace)
        .bind(but)
        .fetch_one(conn)
        .await)?)
}

/// Makes a rule, or writes over the one that stands there.
pub(in crate::memory) async fn put_access(
    tx: &mut Tx,
    workspace: WorkspaceId,
    path: &str,
    access: &Access,
    (by, at): (Option<&str>, Timestamp),
) -> Result<()> {
    within!(tx, conn => query(
        "insert into memory_access (workspace_id, path, reads, writes, set_by, set_at) values ($1, $2, $3, $4, $5, $6)
         on conflict (workspace_id, path) do update set reads = excluded.reads, writes = excluded.writes,
             set_by = excluded.set_by, set_at = excluded.set_at",
    )
    .bind(workspace)
    .bind(path)
    .bind(Json(&access.read))
    .bind(Json(&access.write))
    .bind(by)
    .bind(at)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// Removes a rule; false when there is none.
pub(in crate::memory) async fn delete_access(tx: &mut Tx, workspace: WorkspaceId, path: &str) -> Result<bool> {
    Ok(within!(tx, conn => query("delete from memory_access where workspace_id = $1 and path = $2")
        .bind(workspace)
        .bind(path)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))?)
}
