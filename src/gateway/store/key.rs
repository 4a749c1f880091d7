//! Keys of programs that are pointed at the gateway.

use sqlx::types::Json;
use sqlx::{FromRow, query, query_as, query_scalar};

use crate::db::{Db, Error, Result, Tx};
use crate::model::cache::CacheMode;
use crate::model::gateway::{GatewayKey, KeyLimits};
use crate::model::{ApiKeyId, Timestamp, UserId, WorkspaceId};
use crate::{read, within};

/// A stored key.
#[derive(Debug, FromRow)]
pub struct KeyRow {
    /// Its id.
    pub id: ApiKeyId,
    /// Whose.
    pub workspace_id: WorkspaceId,
    /// Who or what uses it.
    pub name: String,
    hint: String,
    /// What it may ask for; empty for anything.
    pub models: Json<Vec<String>>,
    cache: String,
    requests_per_minute: Option<i64>,
    tokens_per_minute: Option<i64>,
    expires_at: Option<Timestamp>,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
    created_at: Timestamp,
}

impl TryFrom<KeyRow> for GatewayKey {
    type Error = Error;

    fn try_from(row: KeyRow) -> Result<Self> {
        Ok(Self {
            cache: mode(&row.cache)?,
            limits: limits(row.requests_per_minute, row.tokens_per_minute)?,
            id: row.id,
            name: row.name,
            hint: row.hint,
            models: row.models.0,
            expires_at: row.expires_at,
            last_used_at: row.last_used_at,
            created_at: row.created_at,
        })
    }
}

fn mode(text: &str) -> Result<CacheMode> {
    CacheMode::parse(text).ok_or_else(|| Error::inconsistent("gateway_key", "cache", text))
}

fn limits(requests: Option<i64>, tokens: Option<i64>) -> Result<KeyLimits> {
    let number = |column, value: Option<i64>| {
        let read = |value: i64| u32::try_from(value).map_err(|_| Error::inconsistent("gateway_key", column, value));
        value.map(read).transpose()
    };
    Ok(KeyLimits {
        requests_per_minute: number("requests_per_minute", requests)?,
        tokens_per_minute: number("tokens_per_minute", tokens)?,
    })
}

/// Adds a key.
pub async fn insert(
    tx: &mut Tx,
    workspace: WorkspaceId,
    key: &GatewayKey,
    digest: &[u8],
    by: Option<UserId>,
) -> Result<()> {
    within!(tx, conn => query(
        "insert into gateway_key (id, workspace_id, name, digest, hint, models, expires_at, created_by, created_at, cache,
            requests_per_minute, tokens_per_minute)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(key.id)
    .bind(workspace)
    .bind(&key.name)
    .bind(digest)
    .bind(&key.hint)
    .bind(Json(&key.models))
    .bind(key.expires_at)
    .bind(by)
    .bind(key.created_at)
    .bind(key.cache.as_str())
    .bind(key.limits.requests_per_minute.map(i64::from))
    .bind(key.limits.tokens_per_minute.map(i64::from))
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// Ends a key; false when there is none.
pub async fn delete(tx: &mut Tx, workspace: WorkspaceId, id: ApiKeyId) -> Result<bool> {
    Ok(within!(tx, conn => query("delete from gateway_key where workspace_id = $1 and id = $2")
        .bind(workspace)
        .bind(id)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))?)
}

/// Takes away what has ended a while ago.
pub async fn delete_expired(tx: &mut Tx, before: Timestamp) -> Result<u64> {
    Ok(within!(tx, conn => query("delete from gateway_key where expires_at <= $1")
        .bind(before)
        .execute(conn)
        .await
        .map(|done| done.rows_affected()))?)
}

/// How many a workspace has.
pub async fn count(tx: &mut Tx, workspace: WorkspaceId) -> Result<i64> {
    Ok(within!(tx, conn => query_scalar("select count(*) from gateway_key where workspace_id = $1")
        .bind(workspace)
        .fetch_one(conn)
        .await)?)
}

/// The keys of a workspace, newest first.
pub async fn list(db: &Db, workspace: WorkspaceId, before: Option<ApiKeyId>, limit: u32) -> Result<Vec<GatewayKey>> {
    let rows: Vec<KeyRow> = read!(db, conn => query_as(
        "select id, workspace_id, name, hint, models, cache, requests_per_minute, tokens_per_minute, expires_at, last_used_at,
            created_at
         from gateway_key
         where workspace_id = $1 and ($2 is null or id < $2)
         order by id desc
         limit $3",
    )
    .bind(workspace)
    .bind(before)
    .bind(i64::from(limit))
    .fetch_all(conn)
    .await)?;
    rows.into_iter().map(GatewayKey::try_from).collect()
}

/// The key with this digest, if it holds now.
pub async fn find_by_digest(db: &Db, digest: &[u8], now: Timestamp) -> Result<Option<KeyRow>> {
    Ok(read!(db, conn => query_as(
        "select id, workspace_id, name, hint, models, cache, requests_per_minute, tokens_per_minute, expires_at, last_used_at,
            created_at
         from gateway_key
         where digest = $1 and (expires_at is null or expires_at > $2)",
    )
    .bind(digest)
    .bind(now)
    .fetch_optional(conn)
    .await)?)
}

/// What a key allows.
#[derive(Debug)]
pub struct KeyRights {
    /// What may be asked for; empty for anything.
    pub models: Vec<String>,
    /// Who made it; `None` when they are gone.
    pub owner: Option<UserId>,
    /// Which answers are kept for it.
    pub cache: CacheMode,
    /// How much it may ask for in a minute.
    pub limits: KeyLimits,
}

#[derive(Debug, FromRow)]
struct RightsRow {
    models: Json<Vec<String>>,
    created_by: Option<UserId>,
    cache: String,
    requests_per_minute: Option<i64>,
    tokens_per_minute: Option<i64>,
}

/// What a key allows; `None` when it is gone.
pub async fn find_rights(db: &Db, workspace: WorkspaceId, id: ApiKeyId) -> Result<Option<KeyRights>> {
    let row: Option<RightsRow> = read!(db, conn => query_as(
        "select models, created_by, cache, requests_per_minute, tokens_per_minute
         from gateway_key
         where workspace_id = $1 and id = $2",
    )
    .bind(workspace)
    .bind(id)
    .fetch_optional(conn)
    .await)?;
    let rights = |row: RightsRow| {
        Ok(KeyRights {
            models: row.models.0,
            owner: row.created_by,
            cache: mode(&row.cache)?,
            limits: limits(row.requests_per_minute, row.tokens_per_minute)?,
        })
    };
    row.map(rights).transpose()
}

/// Notes a use.
pub async fn touch(tx: &mut Tx, id: ApiKeyId, now: Timestamp) -> Result<()> {
    within!(tx, conn => query("update gateway_key set last_used_at = $2 where id = $1")
        .bind(id)
        .bind(now)
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}
