//! Deleting what is old, in bounded batches.

use sqlx::query;

use crate::db::{Db, Result};
use crate::model::Timestamp;
use crate::within;

/// Deletes runs that ended before `before`, with their history and log; at most `limit`. Returns how many.
pub async fn delete_runs(db: &Db, before: Timestamp, limit: u32) -> Result<u64> {
    let mut tx = db.begin().await?;
    let deleted = within!(&mut tx, conn => query(
        "delete from run where id in (select id from run where ended_at < $1 order by ended_at limit $2)",
    )
    .bind(before)
    .bind(i64::from(limit))
    .execute(conn)
    .await
    .map(|done| done.rows_affected()))?;
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
