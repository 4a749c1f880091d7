//! Reads of the log of calls and of kept answers, for what the cache saves.

use sqlx::{FromRow, query_as};

use super::MOST_ROWS;
use crate::db::{Db, Error, Result};
use crate::model::cache::{CacheTier, TierReport};
use crate::model::{Timestamp, WorkspaceId};
use crate::read;

/// Sums over the calls of a span.
#[derive(Debug, FromRow)]
pub struct CallSums {
    pub calls: i64,
    pub hits: i64,
    pub misses: i64,
    pub saved_input: i64,
    pub saved_output: i64,
    pub saved_micros: i64,
    /// Hits of models without a price.
    pub unpriced: i64,
    pub spent_micros: i64,
}

/// Sums over the calls at or after `from`.
pub async fn sum_calls(db: &Db, workspace: WorkspaceId, from: Timestamp) -> Result<CallSums> {
    Ok(read!(db, conn => query_as(
        "select count(*) as calls,
            coalesce(sum(case when cache = 'hit' then 1 else 0 end), 0) as hits,
            coalesce(sum(case when cache = 'miss' then 1 else 0 end), 0) as misses,
            cast(coalesce(sum(saved_input), 0) as bigint) as saved_input,
            cast(coalesce(sum(saved_output), 0) as bigint) as saved_output,
            cast(coalesce(sum(coalesce(saved_micros, 0)), 0) as bigint) as saved_micros,
            coalesce(sum(case when cache = 'hit' and saved_micros is null then 1 else 0 end), 0) as unpriced,
            cast(coalesce(sum(coalesce(cost_micros, 0)), 0) as bigint) as spent_micros
         from model_call where workspace_id = $1 and at >= $2",
    )
    .bind(workspace)
    .bind(from)
    .fetch_one(conn)
    .await)?)
}

/// A call that asked the cache.
#[derive(Debug, FromRow)]
pub struct AskedRow {
    pub at: Timestamp,
    pub is_hit: bool,
    pub saved_micros: i64,
}

/// The calls at or after `from` that asked the cache; the newest, where there are too many.
pub async fn list_asked(db: &Db, workspace: WorkspaceId, from: Timestamp) -> Result<Vec<AskedRow>> {
    Ok(read!(db, conn => query_as(
        "select at, cache = 'hit' as is_hit, coalesce(saved_micros, 0) as saved_micros
         from model_call where workspace_id = $1 and at >= $2 and cache is not null
         order by at desc limit $3",
    )
    .bind(workspace)
    .bind(from)
    .bind(MOST_ROWS)
    .fetch_all(conn)
    .await)?)
}

#[derive(Debug, FromRow)]
struct TierRow {
    tier: String,
    hits: i64,
    p50_us: i64,
    p99_us: i64,
}

/// How fast each tier answered at or after `from`, the fastest tier first.
pub async fn list_tiers(db: &Db, workspace: WorkspaceId, from: Timestamp) -> Result<Vec<TierReport>> {
    let rows: Vec<TierRow> = read!(db, conn => query_as(
        "select tier, max(total) as hits,
            min(case when place * 100 >= total * 50 then us end) as p50_us,
            min(case when place * 100 >= total * 99 then us end) as p99_us
         from (select cache_tier as tier, cache_us as us,
                row_number() over (partition by cache_tier order by cache_us) as place,
                count(*) over (partition by cache_tier) as total
            from model_call
            where workspace_id = $1 and at >= $2 and cache = 'hit' and cache_tier is not null and cache_us is not null) ranked
         group by tier",
    )
    .bind(workspace)
    .bind(from)
    .fetch_all(conn)
    .await)?;
    let mut tiers = Vec::with_capacity(rows.len());
    for row in rows {
        let tier =
            CacheTier::parse(&row.tier).ok_or_else(|| Error::inconsistent("model_call", "cache_tier", &row.tier))?;
        tiers.push(TierReport { tier, hits: row.hits, p50_us: row.p50_us, p99_us: row.p99_us });
    }
    tiers.sort_by_key(|tier| tier.tier);
    Ok(tiers)
}

/// What is kept.
#[derive(Debug, FromRow)]
pub struct KeptSums {
    pub entries: i64,
    pub wrong: i64,
    pub bytes: i64,
    pub warmed: i64,
    pub warmed_given: i64,
}

/// What is kept now.
pub async fn sum_kept(db: &Db, workspace: WorkspaceId, now: Timestamp) -> Result<KeptSums> {
    Ok(read!(db, conn => query_as(
        "select count(*) as entries,
            coalesce(sum(case when wrong_at is not null then 1 else 0 end), 0) as wrong,
            cast(coalesce(sum(bytes), 0) as bigint) as bytes,
            coalesce(sum(case when warmed_at = created_at then 1 else 0 end), 0) as warmed,
            coalesce(sum(case when warmed_at = created_at and hits > 0 then 1 else 0 end), 0) as warmed_given
         from cache_entry where workspace_id = $1 and (wrong_at is not null or expires_at > $2)",
    )
    .bind(workspace)
    .bind(now)
    .fetch_one(conn)
    .await)?)
}

/// What was given to questions that only mean the same.
#[derive(Debug, FromRow)]
pub struct GivenSums {
    pub hits: i64,
    pub checked: i64,
    pub wrong: i64,
    pub called_wrong: i64,
}

/// Sums over what was given at or after `from`.
pub async fn sum_given(db: &Db, workspace: WorkspaceId, from: Timestamp) -> Result<GivenSums> {
    Ok(read!(db, conn => query_as(
        "select count(*) as hits,
            coalesce(sum(case when same is not null then 1 else 0 end), 0) as checked,
            coalesce(sum(case when same = $3 then 1 else 0 end), 0) as wrong,
            coalesce(sum(case when wrong_at is not null then 1 else 0 end), 0) as called_wrong
         from cache_semantic_hit where workspace_id = $1 and at >= $2",
    )
    .bind(workspace)
    .bind(from)
    .bind(false)
    .fetch_one(conn)
    .await)?)
}

/// Questions of which the model was asked to learn whether the answer is the same.
#[derive(Debug, FromRow)]
pub struct ExploredSums {
    pub explored: i64,
    pub same: i64,
}

/// Sums over what was observed so at or after `from`.
pub async fn sum_explored(db: &Db, workspace: WorkspaceId, from: Timestamp) -> Result<ExploredSums> {
    Ok(read!(db, conn => query_as(
        "select count(*) as explored, coalesce(sum(case when same = $3 then 1 else 0 end), 0) as same
         from cache_observation where workspace_id = $1 and at >= $2 and source = 'explored'",
    )
    .bind(workspace)
    .bind(from)
    .bind(true)
    .fetch_one(conn)
    .await)?)
}
