//! The vectors of entries, by embedder.

use sqlx::{FromRow, query, query_as, query_scalar};
use uuid::Uuid;

use super::quarantine::Begun;
use crate::db::{self, Db, Result, Tx};
use crate::memory::Error;
use crate::memory::crypt::{self, Holds, Place, Unreadable};
use crate::model::memory::Reach;
use crate::model::{EmbedderId, EntryId, Timestamp, WorkspaceId};
use crate::runtime::Ctx;
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
    embedder_id: EmbedderId,
    data_key: Option<i64>,
    #[sqlx(skip)]
    pub unreadable: Option<Unreadable>,
}

impl Holds for VectorRow {
    fn take_sealed(&mut self) -> Option<(Place, Vec<u8>)> {
        self.data_key?;
        Some((place_of_vectors(self.embedder_id, self.entry_id, self.change), std::mem::take(&mut self.codes)))
    }

    fn put_clear(&mut self, clear: Result<Vec<u8>, Unreadable>) {
        match clear.and_then(read_vectors) {
            Ok((digest, codes)) => (self.digest, self.codes) = (digest, codes),
            Err(why) => self.unreadable = Some(why),
        }
    }
}

/// Where the ciphertext of an entry's vectors stands.
pub(super) fn place_of_vectors(embedder: EmbedderId, entry: EntryId, change: i64) -> Place {
    Place::new("memory_vector/codes", format!("{embedder}/{entry}"), change)
}

/// What of vectors is encrypted: the digest of the content (eight bytes, the lowest first), which would tell equal contents, and
/// the codes.
pub(super) fn vector_bytes(digest: i64, codes: &[u8]) -> Vec<u8> {
    [digest.to_le_bytes().as_slice(), codes].concat()
}

fn read_vectors(mut bytes: Vec<u8>) -> Result<(i64, Vec<u8>), Unreadable> {
    let digest = *bytes.first_chunk::<8>().ok_or(Unreadable::Format)?;
    bytes.drain(..8);
    Ok((i64::from_le_bytes(digest), bytes))
}

/// Writes the vectors of an entry, if it is still there.
pub(in crate::memory) async fn put_vectors(
    tx: &mut Tx,
    ctx: &Ctx,
    embedder: EmbedderId,
    new: &NewVectors,
    begun: &Begun,
) -> Result<()> {
    let place = place_of_vectors(embedder, new.entry, begun.change);
    let sealed = begun.key.seal(&ctx.ids, &place, &vector_bytes(new.digest, &new.codes));
    within!(tx, conn => query(
        "insert into memory_vector (embedder_id, entry_id, version, digest, passages, codes, error, attempts, retry_at, change,
             data_key)
         select $1, e.id, $3, 0, $4, $5, $6, $7, $8, $9, $10 from memory_entry e
         where e.id = $2 and e.deleted_at is null and e.quarantined_at is null
         on conflict (embedder_id, entry_id) do update set version = excluded.version, digest = excluded.digest,
             passages = excluded.passages, codes = excluded.codes, error = excluded.error, attempts = excluded.attempts,
             retry_at = excluded.retry_at, change = excluded.change, data_key = excluded.data_key",
    )
    .bind(embedder)
    .bind(new.entry)
    .bind(new.version)
    .bind(new.passages)
    .bind(sealed)
    .bind(new.error.as_deref())
    .bind(new.attempts)
    .bind(new.retry_at)
    .bind(begun.change)
    .bind(begun.key.number())
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
    ctx: &Ctx,
    embedder: EmbedderId,
    after: (i64, EntryId),
    limit: i64,
) -> Result<Vec<VectorRow>, Error> {
    let rows = read!(&ctx.db, conn => query_as(
        "select entry_id, digest, codes, change, embedder_id, data_key from memory_vector
         where embedder_id = $1 and (change > $2 or (change = $2 and entry_id > $3))
         order by change, entry_id limit $4",
    )
    .bind(embedder)
    .bind(after.0)
    .bind(after.1)
    .bind(limit)
    .fetch_all(conn)
    .await);
    crypt::open_rows(ctx, rows.map_err(db::Error::from)?).await
}

/// What was embedded, or refused, of each entry that changed after a number: its id and the digest of its content then. What can't
/// be decrypted is left out: it is embedded anew.
pub(in crate::memory) async fn embedded_heads(
    ctx: &Ctx,
    embedder: EmbedderId,
    after: i64,
    limit: i64,
) -> Result<Vec<(EntryId, i64)>, Error> {
    let rows: sqlx::Result<Vec<VectorRow>> = read!(&ctx.db, conn => query_as(
        "select v.entry_id, v.digest, v.codes, v.change, v.embedder_id, v.data_key from memory_entry e
         join memory_vector v on v.entry_id = e.id and v.embedder_id = $1
         where e.workspace_id = $2 and e.change > $3 order by e.change limit $4",
    )
    .bind(embedder)
    .bind(ctx.workspace())
    .bind(after)
    .bind(limit)
    .fetch_all(conn)
    .await);
    let rows = crypt::open_rows(ctx, rows.map_err(db::Error::from)?).await?;
    let readable = rows.into_iter().filter(|row| row.unreadable.is_none());
    Ok(readable.map(|row| (row.entry_id, row.digest)).collect())
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

/// How many entries a workspace has within the reach.
pub(in crate::memory) async fn count_entries(
    db: &Db,
    workspace: WorkspaceId,
    reach: &Reach,
    now: Timestamp,
) -> Result<i64> {
    const SQL: &str = concat!(
        "select count(*) from memory_entry e
         where e.workspace_id = $1 and e.deleted_at is null and e.quarantined_at is null
            and (e.expires_at is null or e.expires_at > $2)",
        reachable!("$3")
    );
    Ok(read!(db, conn => query_scalar(SQL)
    .bind(workspace)
    .bind(now)
    .bind(reach.readable_paths())
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
pub(in crate::memory) async fn failures(
    db: &Db,
    reach: &Reach,
    embedder: EmbedderId,
    limit: i64,
) -> Result<Vec<FailureRow>> {
    const SQL: &str = concat!(
        "select e.namespace, e.key, v.error, v.retry_at from memory_vector v join memory_entry e on e.id = v.entry_id
         where v.embedder_id = $1 and v.error is not null",
        reachable!("$3"),
        "order by e.namespace, e.key limit $2"
    );
    Ok(read!(db, conn => query_as(SQL)
    .bind(embedder)
    .bind(limit)
    .bind(reach.readable_paths())
    .fetch_all(conn)
    .await)?)
}

/// The smallest id, before every entry's.
pub(in crate::memory) const BEFORE_ALL: EntryId = EntryId(Uuid::nil());
