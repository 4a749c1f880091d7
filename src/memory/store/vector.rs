//! The vectors of entries, by embedder.

use sqlx::{FromRow, query, query_as, query_scalar};
use uuid::Uuid;

use crate::db::{Db, Result, Tx};
use crate::model::{EmbedderId, EntryId, Timestamp, WorkspaceId};
use crate::{read, within};

/// What is written of one entry.
#[derive(Debug, Clone)]
pub(in crate::memory) struct NewVectors {
    pub entry: EntryId,
    pub version: i64,
    pub digest: i64,
    pub passages: i64,
    pub codes: Vec<u8>,
    pub error: Option<String>,
    pub attempts: i64,
    pub retry_at: Option<Timestamp>,
}

/// The vectors of an entry, as an index takes them.
#[derive(Debug, Clone, FromRow)]
pub(in crate::memory) struct VectorRow {
    pub entry_id: EntryId,
    pub digest: i64,
    pub codes: Vec<u8>,
    pub change: i64,
}

/// Writes the vectors of an entry, if it is still there.
pub(in crate::memory) async fn put_vectors(
    tx: &mut Tx,
    embedder: EmbedderId,
    new: &NewVectors,
    change: i64,
) -> Result<()> {
    within!(tx, conn => query(
        "insert into memory_vector (embedder_id, entry_id, version, digest, passages, codes, error, attempts, retry_at, change)
         select $1, e.id, $3, $4, $5, $6, $7, $8, $9, $10 from memory_entry e
         where e.id = $2 and e.deleted_at is null and e.quarantined_at is null
         on conflict (embedder_id, entry_id) do update set version = excluded.version, digest = excluded.digest,
             passages = excluded.passages, codes = excluded.codes, error = excluded.error, attempts = excluded.attempts,
             retry_at = excluded.retry_at, change = excluded.change",
    )
    .bind(embedder)
    .bind(new.entry)
    .bind(new.version)
    .bind(new.digest)
    .bind(new.passages)
    .bind(new.codes.as_slice())
    .bind(new.error.as_deref())
    .bind(new.attempts)
    .bind(new.retry_at)
    .bind(change)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// Removes the vectors of an entry that is deleted.
pub(in crate::memory) async fn delete_vectors(tx: &mut Tx, entry: EntryId) -> Result<()> {
    within!(tx, conn => query("delete from memory_vector where entry_id = $1").bind(entry).execute(conn).await.map(drop))?;
    Ok(())
}

/// Vectors written after a place in the order of changes, at most `limit`. The place is a change number and, among those of one
/// number, the last entry that was seen.
pub(in crate::memory) async fn vectors_after(
    db: &Db,
    embedder: EmbedderId,
    after: (i64, EntryId),
    limit: i64,
) -> Result<Vec<VectorRow>> {
    Ok(read!(db, conn => query_as(
        "select entry_id, digest, codes, change from memory_vector
         where embedder_id = $1 and (change > $2 or (change = $2 and entry_id > $3))
         order by change, entry_id limit $4",
    )
    .bind(embedder)
    .bind(after.0)
    .bind(after.1)
    .bind(limit)
    .fetch_all(conn)
    .await)?)
}

/// What was embedded, or refused, of each entry that changed after a number: its id and the digest of its content then.
pub(in crate::memory) async fn embedded_heads(
    db: &Db,
    embedder: EmbedderId,
    workspace: WorkspaceId,
    after: i64,
    limit: i64,
) -> Result<Vec<(EntryId, i64)>> {
    Ok(read!(db, conn => query_as(
        "select e.id, v.digest from memory_entry e
         join memory_vector v on v.entry_id = e.id and v.embedder_id = $1
         where e.workspace_id = $2 and e.change > $3 order by e.change limit $4",
    )
    .bind(embedder)
    .bind(workspace)
    .bind(after)
    .bind(limit)
    .fetch_all(conn)
    .await)?)
}

/// Entries that failed and are to be tried again by now, with how often they failed.
pub(in crate::memory) async fn due_again(
    db: &Db,
    embedder: EmbedderId,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<(EntryId, i64)>> {
    Ok(read!(db, conn => query_as(
        "select entry_id, attempts from memory_vector
         where embedder_id = $1 and error is not null and retry_at <= $2 order by retry_at limit $3",
    )
    .bind(embedder)
    .bind(now)
    .bind(limit)
    .fetch_all(conn)
    .await)?)
}

/// When the next entry that failed is tried again; `None` when none is.
pub(in crate::memory) async fn next_retry(db: &Db, embedder: EmbedderId) -> Result<Option<Timestamp>> {
    Ok(read!(db, conn => query_scalar(
        "select min(retry_at) from memory_vector where embedder_id = $1 and error is not null and retry_at is not null",
    )
    .bind(embedder)
    .fetch_one(conn)
    .await)?)
}

/// How many entries a workspace has, how many of them an embedder has embedded as they are, and how many it gave up.
#[derive(Debug, Clone, Copy, Default, FromRow)]
pub(in crate::memory) struct Counts {
    pub entries: i64,
    pub embedded: i64,
    pub given_up: i64,
}

/// Counts what an embedder has done. An entry whose content changed since is not embedded; one that failed is tried again or
/// given up.
pub(in crate::memory) async fn count_embedded(
    db: &Db,
    workspace: WorkspaceId,
    embedder: EmbedderId,
    now: Timestamp,
) -> Result<Counts> {
    Ok(read!(db, conn => query_as(
        "select count(*) as entries,
            count(case when v.entry_id is not null and v.error is null and (v.version = e.version or e.change <= g.done_change)
                then 1 end) as embedded,
            count(case when v.error is not null and v.retry_at is null then 1 end) as given_up
         from memory_entry e
         join memory_embedder g on g.id = $2
         left join memory_vector v on v.entry_id = e.id and v.embedder_id = g.id
         where e.workspace_id = $1 and e.deleted_at is null and e.quarantined_at is null
            and (e.expires_at is null or e.expires_at > $3)",
    )
    .bind(workspace)
    .bind(embedder)
    .bind(now)
    .fetch_one(conn)
    .await)?)
}

/// How many entries a workspace has.
pub(in crate::memory) async fn count_entries(db: &Db, workspace: WorkspaceId, now: Timestamp) -> Result<i64> {
    Ok(read!(db, conn => query_scalar(
        "select count(*) from memory_entry
         where workspace_id = $1 and deleted_at is null and quarantined_at is null
            and (expires_at is null or expires_at > $2)",
    )
    .bind(workspace)
    .bind(now)
    .fetch_one(conn)
    .await)?)
}

/// An entry that could not be embedded.
#[derive(Debug, Clone, FromRow)]
pub(in crate::memory) struct FailureRow {
    pub namespace: String,
    pub key: String,
    pub error: String,
    pub retry_at: Option<Timestamp>,
}

/// Entries that could not be embedded, by place.
pub(in crate::memory) async fn failures(db: &Db, embedder: EmbedderId, limit: i64) -> Result<Vec<FailureRow>> {
    Ok(read!(db, conn => query_as(
        "select e.namespace, e.key, v.error, v.retry_at from memory_vector v join memory_entry e on e.id = v.entry_id
         where v.embedder_id = $1 and v.error is not null order by e.namespace, e.key limit $2",
    )
    .bind(embedder)
    .bind(limit)
    .fetch_all(conn)
    .await)?)
}

/// The smallest id, before every entry's.
pub(in crate::memory) const BEFORE_ALL: EntryId = EntryId(Uuid::nil());
