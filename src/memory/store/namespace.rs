//! Namespaces: how much is in them, and what a team says of them.

use std::collections::BTreeMap;

use sqlx::{query, query_as, query_scalar};

use crate::db::{Db, Result, Tx};
use crate::model::{Timestamp, WorkspaceId};
use crate::{read, within};

/// Namespaces that hold entries, with how many are in each; the first 10,000 by path.
pub(in crate::memory) async fn counts(
    db: &Db,
    workspace: WorkspaceId,
    now: Timestamp,
) -> Result<BTreeMap<String, i64>> {
    let rows: Vec<(String, i64)> = read!(db, conn => query_as(
        "select namespace, count(*) from memory_entry
         where workspace_id = $1 and deleted_at is null and quarantined_at is null and (expires_at is null or expires_at > $2)
         group by namespace order by namespace limit 10000",
    )
    .bind(workspace)
    .bind(now)
    .fetch_all(conn)
    .await)?;
    Ok(rows.into_iter().collect())
}

/// How many entries are in a namespace, not below it.
pub(in crate::memory) async fn count_in(
    db: &Db,
    workspace: WorkspaceId,
    namespace: &str,
    now: Timestamp,
) -> Result<i64> {
    Ok(read!(db, conn => query_scalar(
        "select count(*) from memory_entry
         where workspace_id = $1 and namespace = $2 and deleted_at is null and quarantined_at is null
           and (expires_at is null or expires_at > $3)",
    )
    .bind(workspace)
    .bind(namespace)
    .bind(now)
    .fetch_one(conn)
    .await)?)
}

/// What is said of namespaces, by path.
pub(in crate::memory) async fn descriptions(db: &Db, workspace: WorkspaceId) -> Result<BTreeMap<String, String>> {
    let rows: Vec<(String, String)> = read!(db, conn => query_as(
        "select path, description from memory_namespace where workspace_id = $1 order by path",
    )
    .bind(workspace)
    .fetch_all(conn)
    .await)?;
    Ok(rows.into_iter().collect())
}

/// How many namespaces other than this one are described.
pub(in crate::memory) async fn count_described(tx: &mut Tx, workspace: WorkspaceId, but: &str) -> Result<i64> {
    Ok(within!(tx, conn => query_scalar("select count(*) from memory_namespace where workspace_id = $1 and path <> $2")
        .bind(workspace)
        .bind(but)
        .fetch_one(conn)
        .await)?)
}

/// Says something of a namespace.
pub(in crate::memory) async fn put_description(
    tx: &mut Tx,
    workspace: WorkspaceId,
    path: &str,
    description: &str,
) -> Result<()> {
    within!(tx, conn => query(
        "insert into memory_namespace (workspace_id, path, description) values ($1, $2, $3)
         on conflict (workspace_id, path) do update set description = excluded.description",
    )
    .bind(workspace)
    .bind(path)
    .bind(description)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// Takes back what was said of a namespace.
pub(in crate::memory) async fn delete_description(tx: &mut Tx, workspace: WorkspaceId, path: &str) -> Result<()> {
    within!(tx, conn => query("delete from memory_namespace where workspace_id = $1 and path = $2")
        .bind(workspace)
        .bind(path)
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}
