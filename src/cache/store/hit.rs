//! Answers that were given to questions that only mean the same.

use sqlx::{FromRow, query, query_as, query_scalar};
use uuid::Uuid;

use super::super::canonical::Key;
use crate::db::{Db, Error, Result, Tx};
use crate::model::cache::{SemanticHit, Sharing};
use crate::model::{CacheEntryId, EmbedderId, SemanticHitId, Timestamp, UserId, WorkspaceId};
use crate::{read, within};

/// One to keep.
#[derive(Debug)]
pub struct NewHit<'a> {
    /// Its id.
    pub id: SemanticHitId,
    /// What was given.
    pub entry: CacheEntryId,
    /// What was asked, and what was asked when the answer was kept.
    pub keys: (&'a Key, &'a Key),
    /// Whose vectors were compared.
    pub embedder: EmbedderId,
    /// To whom it belongs.
    pub sharing: (Sharing, Option<Uuid>),
    /// Who answered then, and by which model.
    pub answerer: (&'a str, &'a str),
    /// Both questions, encrypted.
    pub questions: &'a [u8],
    /// A cosine.
    pub similarity: f64,
    /// How likely it was taken to be wrong.
    pub doubt: f64,
    /// When.
    pub at: Timestamp,
}

/// Adds one.
pub async fn insert(tx: &mut Tx, workspace: WorkspaceId, hit: &NewHit<'_>) -> Result<()> {
    within!(tx, conn => query(
        "insert into cache_semantic_hit (id, workspace_id, entry_id, key, kept_key, embedder_id, scope, scope_id, provider, model,
            questions, similarity, doubt, at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
    )
    .bind(hit.id)
    .bind(workspace)
    .bind(hit.entry)
    .bind(hit.keys.0.to_vec())
    .bind(hit.keys.1.to_vec())
    .bind(hit.embedder)
    .bind(hit.sharing.0.as_str())
    .bind(hit.sharing.1)
    .bind(hit.answerer.0)
    .bind(hit.answerer.1)
    .bind(hit.questions)
    .bind(hit.similarity)
    .bind(hit.doubt)
    .bind(hit.at)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// One as it is kept.
#[derive(Debug, FromRow)]
pub struct HitRow {
    /// Its id.
    pub id: SemanticHitId,
    at: Timestamp,
    entry_id: CacheEntryId,
    /// What was asked when the answer was kept.
    pub kept_key: Vec<u8>,
    /// Whose vectors were compared.
    pub embedder_id: EmbedderId,
    scope: String,
    /// Whose it is.
    pub scope_id: Option<Uuid>,
    provider: String,
    model: String,
    /// Both questions, encrypted.
    pub questions: Vec<u8>,
    /// A cosine.
    pub similarity: f64,
    doubt: f64,
    same: Option<bool>,
    wrong_at: Option<Timestamp>,
    wrong_name: Option<String>,
}

impl HitRow {
    /// Among whom it is shared.
    pub fn sharing(&self) -> Result<Sharing> {
        Sharing::parse(&self.scope).ok_or_else(|| Error::inconsistent("cache_semantic_hit", "scope", &self.scope))
    }

    /// With these words, where they may be seen.
    pub fn with(self, words: Option<(String, String)>) -> Result<SemanticHit> {
        let sharing = self.sharing()?;
        let (asked, kept) = words.unzip();
        Ok(SemanticHit {
            id: self.id,
            at: self.at,
            entry_id: self.entry_id,
            provider: self.provider,
            model: self.model,
            sharing,
            asked,
            kept,
            similarity: self.similarity,
            doubt: self.doubt,
            same: self.same,
            wrong_at: self.wrong_at,
            wrong_by: self.wrong_name,
        })
    }
}

macro_rules! select_hit {
    ($rest:literal) => {
        concat!(
            "select h.id, h.at, h.entry_id, h.kept_key, h.embedder_id, h.scope, h.scope_id, h.provider, h.model, h.questions,
                h.similarity, h.doubt, h.same, h.wrong_at, w.name as wrong_name
             from cache_semantic_hit h
             left join app_user w on w.id = h.wrong_by and w.workspace_id = h.workspace_id
             where h.workspace_id = $1 ",
            $rest
        )
    };
}

/// Newest first.
pub async fn list(db: &Db, workspace: WorkspaceId, before: Option<SemanticHitId>, limit: u32) -> Result<Vec<HitRow>> {
    Ok(read!(db, conn => query_as(select_hit!("and ($2 is null or h.id < $2) order by h.id desc limit $3"))
        .bind(workspace)
        .bind(before)
        .bind(i64::from(limit))
        .fetch_all(conn)
        .await)?)
}

/// One.
pub async fn find(db: &Db, workspace: WorkspaceId, id: SemanticHitId) -> Result<Option<HitRow>> {
    Ok(read!(db, conn => query_as(select_hit!("and h.id = $2")).bind(workspace).bind(id).fetch_optional(conn).await)?)
}

/// How many are called wrong.
pub async fn count_wrong(tx: &mut Tx, workspace: WorkspaceId) -> Result<i64> {
    Ok(within!(tx, conn => query_scalar(
        "select count(*) from cache_semantic_hit where workspace_id = $1 and wrong_at is not null",
    )
    .bind(workspace)
    .fetch_one(conn)
    .await)?)
}

/// Says that one is wrong, or takes that back; false when there is none.
pub async fn mark(
    tx: &mut Tx,
    workspace: WorkspaceId,
    id: SemanticHitId,
    wrong: Option<(Timestamp, Option<UserId>)>,
) -> Result<bool> {
    let (at, by) = wrong.unzip();
    Ok(within!(tx, conn => query(
        "update cache_semantic_hit set wrong_at = $3, wrong_by = $4 where workspace_id = $1 and id = $2",
    )
    .bind(workspace)
    .bind(id)
    .bind(at)
    .bind(by.flatten())
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))?)
}

/// Notes what the model said to the question itself.
pub async fn note_check(tx: &mut Tx, workspace: WorkspaceId, id: SemanticHitId, same: bool) -> Result<()> {
    within!(tx, conn => query("update cache_semantic_hit set same = $3 where workspace_id = $1 and id = $2")
        .bind(workspace)
        .bind(id)
        .bind(same)
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}

/// Deletes those from before `before`, and those that were wrong from before `wrong_before`.
pub async fn delete_old(tx: &mut Tx, (before, wrong_before): (Timestamp, Timestamp), limit: i64) -> Result<u64> {
    Ok(within!(tx, conn => query(
        "delete from cache_semantic_hit where id in (
            select id from cache_semantic_hit
            where at < $1 and ((wrong_at is null and coalesce(same, $4)) or at < $2)
            order by at limit $3)",
    )
    .bind(before)
    .bind(wrong_before)
    .bind(limit)
    .bind(true)
    .execute(conn)
    .await
    .map(|done| done.rows_affected()))?)
}
