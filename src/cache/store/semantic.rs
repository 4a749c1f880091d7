//! Questions of kept answers as vectors, and what was observed of those that are like them.

use sqlx::{FromRow, query, query_as, query_scalar};

use super::super::canonical::Key;
use super::entry::HeadRow;
use crate::db::{Db, Result, Tx};
use crate::model::{CacheEntryId, EmbedderId, ObservationId, Timestamp, WorkspaceId};
use crate::{read, within};

/// A kept answer whose question may mean the same.
#[derive(Debug, FromRow)]
pub struct CandidateRow {
    /// What decides whether it is given.
    #[sqlx(flatten)]
    pub head: HeadRow,
    /// What was asked.
    pub key: Vec<u8>,
    /// Its words and their vector, encrypted.
    pub question: Vec<u8>,
}

/// The answers to the same request but for its last words, newest first, that are given at `now`.
pub async fn list_candidates(
    db: &Db,
    workspace: WorkspaceId,
    context: &Key,
    embedder: EmbedderId,
    (now, limit): (Timestamp, i64),
) -> Result<Vec<CandidateRow>> {
    Ok(read!(db, conn => query_as(
        "select e.id, e.root, e.created_at, e.expires_at, e.wrong_at, e.key, v.question
         from cache_vector v join cache_entry e on e.id = v.entry_id
         where v.workspace_id = $1 and v.context = $2 and v.embedder_id = $3 and e.wrong_at is null and e.expires_at > $4
         order by v.created_at desc, e.id desc
         limit $5",
    )
    .bind(workspace)
    .bind(context.to_vec())
    .bind(embedder)
    .bind(now)
    .bind(limit)
    .fetch_all(conn)
    .await)?)
}

/// Adds the vector of an answer's question.
pub async fn insert_vector(
    tx: &mut Tx,
    workspace: WorkspaceId,
    (entry, context, embedder): (CacheEntryId, &Key, EmbedderId),
    question: &[u8],
    at: Timestamp,
) -> Result<()> {
    within!(tx, conn => query(
        "insert into cache_vector (entry_id, workspace_id, context, embedder_id, question, created_at)
         values ($1, $2, $3, $4, $5, $6)",
    )
    .bind(entry)
    .bind(workspace)
    .bind(context.to_vec())
    .bind(embedder)
    .bind(question)
    .bind(at)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// What was observed once.
#[derive(Debug, FromRow)]
pub struct ObservationRow {
    /// Its id.
    pub id: ObservationId,
    /// A cosine.
    pub similarity: f64,
    /// Whether the answer was the same.
    pub same: bool,
}

const OBSERVATIONS: &str = "select id, similarity, same from cache_observation
     where workspace_id = $1 and key = $2 and embedder_id = $3 order by at, id limit $4";

/// What was observed of a kept question, oldest first.
pub async fn list_observations(
    db: &Db,
    workspace: WorkspaceId,
    (key, embedder): (&Key, EmbedderId),
    limit: i64,
) -> Result<Vec<ObservationRow>> {
    Ok(read!(db, conn => query_as(OBSERVATIONS)
        .bind(workspace)
        .bind(key.to_vec())
        .bind(embedder)
        .bind(limit)
        .fetch_all(conn)
        .await)?)
}

/// A new observation.
#[derive(Debug)]
pub struct NewObservation<'a> {
    /// Its id; that of the answer that somebody called wrong, so that it can be taken back.
    pub id: ObservationId,
    /// Of the kept question.
    pub key: &'a Key,
    /// Whose vectors were compared.
    pub embedder: EmbedderId,
    /// A cosine.
    pub similarity: f64,
    /// Whether the answer was the same.
    pub same: bool,
    /// Who noticed: explored, checked or person.
    pub source: &'static str,
    /// When.
    pub at: Timestamp,
}

/// Adds an observation, and makes room for it: of more than `most` the oldest of the same answer goes, or the oldest.
pub async fn insert_observation(
    tx: &mut Tx,
    workspace: WorkspaceId,
    new: &NewObservation<'_>,
    most: usize,
) -> Result<()> {
    let there: Vec<ObservationRow> = within!(&mut *tx, conn => query_as(OBSERVATIONS)
        .bind(workspace)
        .bind(new.key.to_vec())
        .bind(new.embedder)
        .bind(most as i64 + 1)
        .fetch_all(conn)
        .await)?;
    if there.len() >= most
        && let Some(gone) = there.iter().find(|row| row.same).or(there.first())
    {
        delete_observation(tx, workspace, gone.id).await?;
    }
    within!(tx, conn => query(
        "insert into cache_observation (id, workspace_id, key, embedder_id, similarity, same, source, at)
         values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (id) do nothing",
    )
    .bind(new.id)
    .bind(workspace)
    .bind(new.key.to_vec())
    .bind(new.embedder)
    .bind(new.similarity)
    .bind(new.same)
    .bind(new.source)
    .bind(new.at)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// Takes an observation back.
pub async fn delete_observation(tx: &mut Tx, workspace: WorkspaceId, id: ObservationId) -> Result<()> {
    within!(tx, conn => query("delete from cache_observation where workspace_id = $1 and id = $2")
        .bind(workspace)
        .bind(id)
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}

/// Deletes observations from before then.
pub async fn delete_old_observations(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<u64> {
    Ok(within!(tx, conn => query(
        "delete from cache_observation where id in (select id from cache_observation where at < $1 order by at limit $2)",
    )
    .bind(before)
    .bind(limit)
    .execute(conn)
    .await
    .map(|done| done.rows_affected()))?)
}

/// The kept questions whose answers are not to be given to this one: somebody, or the model, said that they are wrong for it.
pub async fn list_refused(db: &Db, workspace: WorkspaceId, key: &Key) -> Result<Vec<Vec<u8>>> {
    Ok(read!(db, conn => query_scalar(
        "select kept_key from cache_semantic_hit
         where workspace_id = $1 and key = $2 and (wrong_at is not null or same = $3)",
    )
    .bind(workspace)
    .bind(key.to_vec())
    .bind(false)
    .fetch_all(conn)
    .await)?)
}
