//! Commands to runs that another process of a shared database has in hand.
//!
//! Whoever asks stores the command for the owner; the owner takes it before it obeys, so that it obeys once at most, and
//! stores the answer. A command that nobody has taken can be withdrawn.

use sqlx::{query, query_as, query_scalar};
use uuid::Uuid;

use crate::db::{Db, Result};
use crate::model::{RunId, Timestamp, WorkspaceId};
use crate::{read, within};

/// Commands that are taken in one go.
const BATCH: i64 = 100;

/// A command that this process is to obey.
#[derive(Debug, sqlx::FromRow)]
pub struct Taken {
    /// Its id.
    pub id: Uuid,
    /// To which run.
    pub run_id: RunId,
    /// Whose.
    pub workspace_id: WorkspaceId,
    /// What, as JSON.
    pub body: String,
}

/// Where a command stands.
#[derive(Debug, sqlx::FromRow)]
pub struct Standing {
    /// The answer as JSON.
    pub answer: Option<String>,
    /// Whether its run has the owner that it was meant for.
    pub is_theirs: bool,
}

/// Stores a command for whoever has the run in hand, and returns who that is; `None` when nobody has.
pub async fn insert(
    db: &Db,
    id: Uuid,
    workspace: WorkspaceId,
    run: RunId,
    body: &str,
    now: Timestamp,
) -> Result<Option<Uuid>> {
    let mut tx = db.begin().await?;
    let owner = within!(&mut tx, conn => query_scalar(
        "insert into run_command (id, run_id, workspace_id, owner_id, body, created_at)
         select $1, id, workspace_id, owner_id, $4, $5
         from run
         where id = $2 and workspace_id = $3 and owner_id is not null
         returning owner_id",
    )
    .bind(id)
    .bind(run)
    .bind(workspace)
    .bind(body)
    .bind(now)
    .fetch_optional(conn)
    .await)?;
    tx.commit().await?;
    Ok(owner)
}

/// Takes what this process is to obey, oldest first.
pub async fn take(db: &Db, owner: Uuid, now: Timestamp) -> Result<Vec<Taken>> {
    let mut tx = db.begin().await?;
    let taken = within!(&mut tx, conn => query_as(
        "update run_command set taken_at = $2
         where id in (
             select id from run_command where owner_id = $1 and taken_at is null order by created_at, id limit $3
         ) and taken_at is null
         returning id, run_id, workspace_id, body",
    )
    .bind(owner)
    .bind(now)
    .bind(BATCH)
    .fetch_all(conn)
    .await)?;
    tx.commit().await?;
    Ok(taken)
}

/// Stores the answer.
pub async fn answer(db: &Db, id: Uuid, answer: &str) -> Result<()> {
    let mut tx = db.begin().await?;
    within!(&mut tx, conn => query("update run_command set answer = $2 where id = $1")
        .bind(id)
        .bind(answer)
        .execute(conn)
        .await
        .map(drop))?;
    tx.commit().await
}

/// Where a command stands; `None` when its run was deleted, and it with it.
pub async fn find(db: &Db, id: Uuid) -> Result<Option<Standing>> {
    Ok(read!(db, conn => query_as(
        "select c.answer, coalesce(r.owner_id = c.owner_id, false) as is_theirs
         from run_command c join run r on r.id = c.run_id
         where c.id = $1",
    )
    .bind(id)
    .fetch_optional(conn)
    .await)?)
}

/// Takes a command back that nobody has taken. Returns whether it was there: then nobody will obey it.
pub async fn withdraw(db: &Db, id: Uuid) -> Result<bool> {
    let mut tx = db.begin().await?;
    let gone = within!(&mut tx, conn => query("delete from run_command where id = $1 and taken_at is null")
        .bind(id)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))?;
    tx.commit().await?;
    Ok(gone)
}

/// Deletes a command that was answered.
pub async fn delete(db: &Db, id: Uuid) -> Result<()> {
    let mut tx = db.begin().await?;
    within!(&mut tx, conn => query("delete from run_command where id = $1").bind(id).execute(conn).await.map(drop))?;
    tx.commit().await
}

/// Deletes what nobody waits for any more. Returns how many.
pub async fn forget(db: &Db, before: Timestamp) -> Result<u64> {
    let mut tx = db.begin().await?;
    let gone = within!(&mut tx, conn => query("delete from run_command where created_at < $1")
        .bind(before)
        .execute(conn)
        .await
        .map(|done| done.rows_affected()))?;
    tx.commit().await?;
    Ok(gone)
}
