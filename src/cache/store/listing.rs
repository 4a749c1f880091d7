//! Kept answers as people look at them.

use sqlx::{FromRow, query, query_as, query_scalar};
use uuid::Uuid;

use crate::db::{Db, Error, Result, Tx};
use crate::model::cache::{Invalidation, KeptAnswer, KeptFilter, Sharing};
use crate::model::{CacheEntryId, ProviderId, Timestamp, WorkspaceId};
use crate::{read, within};

#[derive(Debug, FromRow)]
struct KeptRow {
    id: CacheEntryId,
    scope: String,
    provider_id: ProviderId,
    provider: String,
    model: String,
    route: String,
    bytes: i64,
    read_tokens: i64,
    written_tokens: i64,
    hits: i64,
    saved_micros: i64,
    used_at: Timestamp,
    created_at: Timestamp,
    expires_at: Timestamp,
    wrong_at: Option<Timestamp>,
    owner: Option<String>,
    wrong_name: Option<String>,
}

impl TryFrom<KeptRow> for KeptAnswer {
    type Error = Error;

    fn try_from(row: KeptRow) -> Result<Self> {
        let sharing = Sharing::parse(&row.scope);
        Ok(Self {
            id: row.id,
            provider_id: row.provider_id,
            provider: row.provider,
            model: row.model,
            route: row.route,
            sharing: sharing.ok_or_else(|| Error::inconsistent("cache_entry", "scope", &row.scope))?,
            owner: row.owner,
            bytes: row.bytes,
            read_tokens: row.read_tokens,
            written_tokens: row.written_tokens,
            hits: row.hits,
            saved_micros: row.saved_micros,
            created_at: row.created_at,
            used_at: row.used_at,
            expires_at: row.expires_at,
            wrong_at: row.wrong_at,
            wrong_by: row.wrong_name,
        })
    }
}

/// The columns of a [`KeptRow`], and where they stand.
macro_rules! select_kept {
    ($rest:literal) => {
        concat!(
            "select e.id, e.scope, e.provider_id, e.provider, e.model, e.route, e.bytes, e.read_tokens, e.written_tokens, e.hits,
                e.saved_micros, e.used_at, e.created_at, e.expires_at, e.wrong_at, coalesce(u.name, k.name) as owner,
                w.name as wrong_name
             from cache_entry e
             left join app_user u on e.scope = 'user' and u.id = e.scope_id and u.workspace_id = e.workspace_id
             left join gateway_key k on e.scope = 'key' and k.id = e.scope_id and k.workspace_id = e.workspace_id
             left join app_user w on w.id = e.wrong_by and w.workspace_id = e.workspace_id
             where e.workspace_id = $1 ",
            $rest
        )
    };
}

/// Kept answers that are still given, or called wrong; newest first. A model is searched for in `provider/model`.
pub async fn list(
    db: &Db,
    workspace: WorkspaceId,
    filter: &KeptFilter,
    before: Option<CacheEntryId>,
    (now, limit): (Timestamp, u32),
) -> Result<Vec<KeptAnswer>> {
    let rows: Vec<KeptRow> = read!(db, conn => query_as(select_kept!(
        "and (e.wrong_at is not null or e.expires_at > $2)
            and ($3 is null or e.id < $3)
            and ($4 is null or lower(e.provider || '/' || e.model) like $4 escape '!')
            and ($5 is null or e.route = $5)
            and ($6 is null or (e.wrong_at is not null) = $6)
            and ($7 is null or e.created_at >= $7)
            and ($8 is null or e.created_at < $8)
         order by e.id desc
         limit $9"
    ))
    .bind(workspace)
    .bind(now)
    .bind(before)
    .bind(filter.model.as_deref().map(pattern))
    .bind(&filter.route)
    .bind(filter.wrong)
    .bind(filter.since)
    .bind(filter.until)
    .bind(i64::from(limit))
    .fetch_all(conn)
    .await)?;
    rows.into_iter().map(KeptAnswer::try_from).collect()
}

/// A text as the middle of a pattern.
fn pattern(text: &str) -> String {
    let plain = text.to_lowercase().replace('!', "!!").replace('%', "!%").replace('_', "!_");
    format!("%{plain}%")
}

/// One answer.
pub async fn find(db: &Db, workspace: WorkspaceId, id: CacheEntryId) -> Result<Option<KeptAnswer>> {
    let row: Option<KeptRow> =
        read!(db, conn => query_as(select_kept!("and e.id = $2")).bind(workspace).bind(id).fetch_optional(conn).await)?;
    row.map(KeptAnswer::try_from).transpose()
}

/// What is needed to decrypt it.
#[derive(Debug, FromRow)]
pub struct SealedRow {
    /// What was asked.
    pub key: Vec<u8>,
    /// The state of what it depends on.
    pub root: Option<Vec<u8>>,
    /// Whose.
    pub scope_id: Option<Uuid>,
    /// Encrypted.
    pub request: Vec<u8>,
    /// Encrypted.
    pub answer: Vec<u8>,
}

/// An answer with its request, encrypted.
pub async fn find_sealed(db: &Db, workspace: WorkspaceId, id: CacheEntryId) -> Result<Option<SealedRow>> {
    Ok(read!(db, conn => query_as(
        "select key, root, scope_id, request, answer from cache_entry where workspace_id = $1 and id = $2",
    )
    .bind(workspace)
    .bind(id)
    .fetch_optional(conn)
    .await)?)
}

/// How many are called wrong.
pub async fn count_wrong(tx: &mut Tx, workspace: WorkspaceId) -> Result<i64> {
    Ok(within!(tx, conn => query_scalar(
        "select count(*) from cache_entry where workspace_id = $1 and wrong_at is not null",
    )
    .bind(workspace)
    .fetch_one(conn)
    .await)?)
}

/// Deletes those that fit, but for those that are called wrong.
pub async fn delete_fitting(tx: &mut Tx, workspace: WorkspaceId, which: &Invalidation) -> Result<u64> {
    Ok(within!(tx, conn => query(
        "delete from cache_entry
         where workspace_id = $1 and wrong_at is null
            and ($2 is null or provider || '/' || model = $2)
            and ($3 is null or route = $3)",
    )
    .bind(workspace)
    .bind(&which.model)
    .bind(&which.route)
    .execute(conn)
    .await
    .map(|done| done.rows_affected()))?)
}
