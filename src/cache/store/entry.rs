//! Kept answers.

use sqlx::{FromRow, query, query_as, query_scalar};
use uuid::Uuid;

use super::super::canonical::Key;
use super::super::measure;
use super::super::merkle::Root;
use super::source::kind_of;
use crate::db::{Db, Result, Tx};
use crate::model::cache::{Dependency, Sharing, SourceRef};
use crate::model::{CacheEntryId, ProviderId, Timestamp, UserId, WorkspaceId};
use crate::{read, within};

/// What decides whether an answer is given.
#[derive(Debug, FromRow)]
pub struct HeadRow {
    /// Its id.
    pub id: CacheEntryId,
    /// The state of what it depends on.
    pub root: Option<Vec<u8>>,
    /// When it was kept.
    pub created_at: Timestamp,
    /// Until when it is given.
    pub expires_at: Timestamp,
    /// When it was called wrong.
    pub wrong_at: Option<Timestamp>,
}

/// An answer to keep.
#[derive(Debug)]
pub struct NewEntry<'a> {
    /// Its id.
    pub id: CacheEntryId,
    /// What was asked.
    pub key: &'a Key,
    /// Among whom it is shared.
    pub sharing: (Sharing, Option<Uuid>),
    /// Who answered.
    pub provider: (ProviderId, &'a str),
    /// The model that was asked.
    pub model: &'a str,
    /// By which route; empty for none.
    pub route: &'a str,
    /// The state of what it depends on.
    pub root: Option<Root>,
    /// Encrypted.
    pub request: &'a [u8],
    /// Encrypted.
    pub answer: &'a [u8],
    /// Bytes that stand beside it.
    pub more_bytes: usize,
    /// Tokens read and written.
    pub tokens: (i64, i64),
    /// When it is kept, and until when.
    pub span: (Timestamp, Timestamp),
    /// What it depends on.
    pub depends_on: &'a [Dependency],
    /// When it was asked for anew for a schedule, if it was.
    pub warmed_at: Option<Timestamp>,
}

const HEAD: &str = "select id, root, created_at, expires_at, wrong_at from cache_entry
     where workspace_id = $1 and key = $2";

/// What is known of the answer to this question.
pub async fn find_head(db: &Db, workspace: WorkspaceId, key: &Key) -> Result<Option<HeadRow>> {
    Ok(read!(db, conn => query_as(HEAD).bind(workspace).bind(key.to_vec()).fetch_optional(conn).await)?)
}

/// The same, within a transaction.
pub async fn find_head_within(tx: &mut Tx, workspace: WorkspaceId, key: &Key) -> Result<Option<HeadRow>> {
    Ok(within!(tx, conn => query_as(HEAD).bind(workspace).bind(key.to_vec()).fetch_optional(conn).await)?)
}

/// The encrypted answer.
pub async fn find_answer(db: &Db, workspace: WorkspaceId, id: CacheEntryId) -> Result<Option<Vec<u8>>> {
    Ok(read!(db, conn => query_scalar("select answer from cache_entry where workspace_id = $1 and id = $2")
        .bind(workspace)
        .bind(id)
        .fetch_optional(conn)
        .await)?)
}

/// Adds an answer; false when somebody else was faster.
pub async fn insert(tx: &mut Tx, workspace: WorkspaceId, entry: &NewEntry<'_>) -> Result<bool> {
    let bytes = (entry.request.len() + entry.answer.len() + entry.more_bytes) as i64;
    let added = within!(&mut *tx, conn => query(
        "insert into cache_entry (id, workspace_id, key, scope, scope_id, provider_id, provider, model, route, root, request,
            answer, bytes, read_tokens, written_tokens, hits, saved_micros, used_at, created_at, expires_at, warmed_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 0, 0, $16, $16, $17, $18)
         on conflict (workspace_id, key) do nothing",
    )
    .bind(entry.id)
    .bind(workspace)
    .bind(entry.key.to_vec())
    .bind(entry.sharing.0.as_str())
    .bind(entry.sharing.1)
    .bind(entry.provider.0)
    .bind(entry.provider.1)
    .bind(entry.model)
    .bind(entry.route)
    .bind(entry.root.map(|root| root.to_vec()))
    .bind(entry.request)
    .bind(entry.answer)
    .bind(bytes)
    .bind(entry.tokens.0)
    .bind(entry.tokens.1)
    .bind(entry.span.0)
    .bind(entry.span.1)
    .bind(entry.warmed_at)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))?;
    if !added {
        return Ok(false);
    }
    for one in entry.depends_on {
        within!(&mut *tx, conn => query(
            "insert into cache_dependency (entry_id, workspace_id, kind, source_id, fingerprint) values ($1, $2, $3, $4, $5)",
        )
        .bind(entry.id)
        .bind(workspace)
        .bind(one.kind.as_str())
        .bind(&one.id)
        .bind(&one.fingerprint)
        .execute(conn)
        .await
        .map(drop))?;
    }
    Ok(true)
}

/// Deletes an answer, one that is called wrong only if `even_wrong`; false when there is none.
pub async fn delete(tx: &mut Tx, workspace: WorkspaceId, id: CacheEntryId, even_wrong: bool) -> Result<bool> {
    Ok(within!(tx, conn => query(
        "delete from cache_entry where workspace_id = $1 and id = $2 and ($3 or wrong_at is null)",
    )
    .bind(workspace)
    .bind(id)
    .bind(even_wrong)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))?)
}

/// What a workspace keeps: answers, and their bytes.
pub async fn sum(tx: &mut Tx, workspace: WorkspaceId) -> Result<(i64, i64)> {
    Ok(within!(tx, conn => query_as(
        "select count(*), cast(coalesce(sum(bytes), 0) as bigint) from cache_entry where workspace_id = $1",
    )
    .bind(workspace)
    .fetch_one(conn)
    .await)?)
}

/// The answers that were not given for longest, with their bytes; none that is called wrong.
pub async fn list_longest_unused(tx: &mut Tx, workspace: WorkspaceId, limit: i64) -> Result<Vec<(CacheEntryId, i64)>> {
    Ok(within!(tx, conn => query_as(
        "select id, bytes from cache_entry where workspace_id = $1 and wrong_at is null order by used_at, id limit $2",
    )
    .bind(workspace)
    .bind(limit)
    .fetch_all(conn)
    .await)?)
}

/// Deletes answers whose time is over; those that are called wrong stay, and those that a schedule may ask for again.
pub async fn delete_expired(tx: &mut Tx, now: Timestamp, limit: i64) -> Result<u64> {
    Ok(within!(tx, conn => query(
        "delete from cache_entry where id in (
            select e.id from cache_entry e
            where e.expires_at <= $1
                and e.wrong_at is null
                and not exists (select 1 from cache_asked a where a.workspace_id = e.workspace_id and a.key = e.key)
            order by e.expires_at
            limit $2)",
    )
    .bind(now)
    .bind(limit)
    .execute(conn)
    .await
    .map(|done| done.rows_affected()))?)
}

/// Notes that an answer was given, and what that saved. That it is gone meanwhile does not matter.
///
/// # Errors
/// The database's.
pub async fn note_hits(
    tx: &mut Tx,
    workspace: WorkspaceId,
    id: CacheEntryId,
    at: Timestamp,
    (tokens, saved_micros): (i64, i64),
) -> Result<()> {
    measure::saved(tokens, saved_micros);
    within!(tx, conn => query(
        "update cache_entry set hits = hits + 1, saved_micros = saved_micros + $3,
            used_at = case when used_at > $4 then used_at else $4 end
         where workspace_id = $1 and id = $2",
    )
    .bind(workspace)
    .bind(id)
    .bind(saved_micros)
    .bind(at)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// The answers that name this, with their state.
pub async fn list_depending(
    db: &Db,
    workspace: WorkspaceId,
    about: &SourceRef,
) -> Result<Vec<(CacheEntryId, Vec<u8>)>> {
    let rows: Vec<(CacheEntryId, Option<Vec<u8>>)> = read!(db, conn => query_as(
        "select e.id, e.root from cache_dependency d join cache_entry e on e.id = d.entry_id
         where d.workspace_id = $1 and d.kind = $2 and d.source_id = $3",
    )
    .bind(workspace)
    .bind(about.kind.as_str())
    .bind(&about.id)
    .fetch_all(conn)
    .await)?;
    Ok(rows.into_iter().map(|(id, root)| (id, root.unwrap_or_default())).collect())
}

/// What an answer depends on.
pub async fn list_dependencies(db: &Db, workspace: WorkspaceId, id: CacheEntryId) -> Result<Vec<Dependency>> {
    let rows: Vec<(String, String, Option<String>)> = read!(db, conn => query_as(
        "select kind, source_id, fingerprint from cache_dependency where workspace_id = $1 and entry_id = $2",
    )
    .bind(workspace)
    .bind(id)
    .fetch_all(conn)
    .await)?;
    let dependency = |(kind, id, fingerprint): (String, String, Option<String>)| {
        Ok(Dependency { kind: kind_of(&kind)?, id, fingerprint })
    };
    let mut all = rows.into_iter().map(dependency).collect::<Result<Vec<Dependency>>>()?;
    all.sort();
    Ok(all)
}

/// Says that an answer is wrong, or takes that back; false when there is none.
pub async fn mark(
    tx: &mut Tx,
    workspace: WorkspaceId,
    id: CacheEntryId,
    wrong: Option<(Timestamp, Option<UserId>)>,
) -> Result<bool> {
    let (at, by) = wrong.unzip();
    Ok(within!(tx, conn => query(
        "update cache_entry set wrong_at = $3, wrong_by = $4 where workspace_id = $1 and id = $2",
    )
    .bind(workspace)
    .bind(id)
    .bind(at)
    .bind(by.flatten())
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))?)
}
