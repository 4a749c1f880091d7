//! The processes of a shared database that are known to live.

use sqlx::{query, query_scalar};
use uuid::Uuid;

use crate::db::{Db, Result};
use crate::model::Timestamp;
use crate::{read, within};

/// What a process holds the lock of: the part of its id that is random.
#[expect(clippy::cast_possible_wrap, reason = "a pattern of bits")]
pub const fn lock(node: Uuid) -> i64 {
    node.as_u64_pair().1 as i64
}

/// Notes that the process holds its lock.
pub async fn insert(db: &Db, node: Uuid, now: Timestamp) -> Result<()> {
    let mut tx = db.begin().await?;
    within!(&mut tx, conn => query("insert into node (id, started_at) values ($1, $2) on conflict do nothing")
        .bind(node)
        .bind(now)
        .execute(conn)
        .await
        .map(drop))?;
    tx.commit().await
}

/// The process has given everything back.
pub async fn delete(db: &Db, node: Uuid) -> Result<()> {
    let mut tx = db.begin().await?;
    within!(&mut tx, conn => query("delete from node where id = $1").bind(node).execute(conn).await.map(drop))?;
    tx.commit().await
}

/// The processes besides this one, dead or alive.
pub async fn list_others(db: &Db, me: Uuid) -> Result<Vec<Uuid>> {
    Ok(read!(db, conn => query_scalar("select id from node where id <> $1 limit 1000").bind(me).fetch_all(conn).await)?)
}

/// Whether the process does not hold its lock at this moment.
pub async fn is_free(db: &Db, node: Uuid) -> Result<bool> {
    db.begin().await?.try_lock_shared(lock(node)).await
}

/// Gives back all that a process had in hand, unless it holds its lock again; its fencing tokens are worth nothing from
/// then on. Returns how many runs that were, `None` when it lives.
pub async fn bury(db: &Db, node: Uuid, now: Timestamp) -> Result<Option<u64>> {
    let mut tx = db.begin().await?;
    if !tx.try_lock(lock(node)).await? {
        return Ok(None);
    }
    // Due at once, whatever they wait for: whoever takes one in hand sees what that is.
    let runs = within!(&mut tx, conn => query(
        "update run set owner_id = null, lease_until = null, lease_token = lease_token + 1, wake_at = $2
         where owner_id = $1",
    )
    .bind(node)
    .bind(now)
    .execute(conn)
    .await
    .map(|done| done.rows_affected()))?;
    within!(&mut tx, conn => query("delete from node where id = $1").bind(node).execute(conn).await.map(drop))?;
    tx.commit().await?;
    Ok(Some(runs))
}
