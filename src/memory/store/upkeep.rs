//! What the sweeper asks and removes.

use sqlx::{query, query_as};

use crate::db::{Db, Result, Tx};
use crate::model::{EntryId, Timestamp, WorkspaceId};
use crate::{read, within};

/// An entry whose time ran out.
pub(in crate::memory) type Expired = (WorkspaceId, EntryId);

/// Entries whose time ran out and that nobody marked yet; the first of them.
pub(in crate::memory) async fn expired(db: &Db, now: Timestamp, limit: i64) -> Result<Vec<Expired>> {
    Ok(read!(db, conn => query_as(
        "select workspace_id, id from memory_entry
         where expires_at is not null and deleted_at is null and expires_at <= $1 order by expires_at limit $2",
    )
    .bind(now)
    .bind(limit)
    .fetch_all(conn)
    .await)?)
}

/// The place and version of an entry, if its time is still out and nobody marked it yet.
pub(in crate::memory) async fn find_expired(
    tx: &mut Tx,
    id: EntryId,
    now: Timestamp,
) -> Result<Option<(String, String, i64)>> {
    Ok(within!(tx, conn => query_as(
        "select namespace, key, version from memory_entry
         where id = $1 and deleted_at is null and expires_at <= $2",
    )
    .bind(id)
    .bind(now)
    .fetch_optional(conn)
    .await)?)
}

/// Removes entries deleted before a time for good, with their versions and tags; returns how many, at most `limit`.
pub(in crate::memory) async fn purge(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<u64> {
    Ok(within!(tx, conn => query(
        "delete from memory_entry where id in
            (select id from memory_entry where deleted_at is not null and deleted_at < $1 order by deleted_at limit $2)
            and deleted_at is not null and deleted_at < $1",
    )
    .bind(before)
    .bind(limit)
    .execute(conn)
    .await
    .map(|done| done.rows_affected()))?)
}
