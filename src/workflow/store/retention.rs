//! Deleting what is old, in bounded batches.

use sqlx::{query, query_as, query_scalar};

use crate::db::{Db, Result};
use crate::model::{Timestamp, WorkspaceId};
use crate::{read, within};

/// Which runs a rule of retention is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// Those whose workflow asks for so many days.
    Days(i64),
    /// Those of this workspace whose workflow asks for nothing.
    Workspace(WorkspaceId),
    /// Those of the workspaces that ask for nothing either.
    Rest,
}

/// The rules that workflows and workspaces ask for, in days; not the server's own.
pub async fn list_rules(db: &Db) -> Result<Vec<(Whose, i64)>> {
    let days: Vec<i64> = read!(db, conn =>
        query_scalar("select distinct keep_days from run where keep_days is not null and ended_at is not null")
            .fetch_all(conn)
            .await)?;
    let workspaces: Vec<(WorkspaceId, i64)> = read!(db, conn =>
        query_as("select id, retention_days from workspace where retention_days is not null").fetch_all(conn).await)?;
    let of_workspaces = workspaces.into_iter().map(|(id, days)| (Whose::Workspace(id), days));
    Ok(days.into_iter().map(|days| (Whose::Days(days), days)).chain(of_workspaces).collect())
}

/// The days that a workspace asks for.
pub async fn find_days(db: &Db, workspace: WorkspaceId) -> Result<Option<u32>> {
    let days: Option<i64> = read!(db, conn => query_scalar("select retention_days from workspace where id = $1")
        .bind(workspace)
        .fetch_one(conn)
        .await)?;
    Ok(days.and_then(|days| u32::try_from(days).ok()))
}

/// Sets them.
pub async fn set_days(db: &Db, workspace: WorkspaceId, days: Option<u32>) -> Result<()> {
    let mut tx = db.begin().await?;
    within!(&mut tx, conn => query("update workspace set retention_days = $2 where id = $1")
        .bind(workspace)
        .bind(days.map(i64::from))
        .execute(conn)
        .await
        .map(drop))?;
    tx.commit().await
}

/// Deletes runs that ended before `before`, with their history and log; at most `limit`. Returns how many.
pub async fn delete_runs(db: &Db, whose: Whose, before: Timestamp, limit: u32) -> Result<u64> {
    let text = match whose {
        Whose::Days(_) => {
            "delete from run where id in (
                 select id from run where keep_days = $3 and ended_at < $1 order by ended_at limit $2)"
        }
        Whose::Workspace(_) => {
            "delete from run where id in (
                 select id from run where workspace_id = $3 and keep_days is null and ended_at < $1
                 order by ended_at limit $2)"
        }
        Whose::Rest => {
            "delete from run where id in (
                 select r.id from run r join workspace w on w.id = r.workspace_id
                 where r.keep_days is null and w.retention_days is null and r.ended_at < $1
                 order by r.ended_at limit $2)"
        }
    };
    let mut tx = db.begin().await?;
    let deleted = within!(&mut tx, conn => {
        let delete = query(text).bind(before).bind(i64::from(limit));
        let delete = match whose {
            Whose::Days(days) => delete.bind(days),
            Whose::Workspace(id) => delete.bind(id),
            Whose::Rest => delete,
        };
        delete.execute(conn).await.map(|done| done.rows_affected())
    })?;
    tx.commit().await?;
    Ok(deleted)
}

/// Deletes payloads that no row refers to and that none referred to anew since `before`; at most `limit`.
pub async fn delete_payloads(db: &Db, before: Timestamp, limit: u32) -> Result<u64> {
    let mut tx = db.begin().await?;
    let deleted = within!(&mut tx, conn => query(
        "delete from payload
         where touched_at < $1
             and hash in (
                 select p.hash
                 from payload p
                 where p.touched_at < $1
                     and not exists (select 1 from run_event e where e.payload_hash = p.hash)
                     and not exists (select 1 from run r where r.definition_hash = p.hash)
                 limit $2
             )",
    )
    .bind(before)
    .bind(i64::from(limit))
    .execute(conn)
    .await
    .map(|done| done.rows_affected()))?;
    tx.commit().await?;
    Ok(deleted)
}
