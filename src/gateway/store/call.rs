//! The log of calls.

use sqlx::types::Json;
use sqlx::{FromRow, query, query_as};

use crate::db::{Db, Error, Result, Tx};
use crate::model::cache::{CacheOutcome, CacheTier, CacheUse};
use crate::model::gateway::{
    CallFilter, CallLine, CallOutcome, CallRecord, CallSource, Choice, Masked, Sum, SumBy, TokensBy, Usage, UsageFilter,
};
use crate::model::{AgentId, ApiKeyId, CacheEntryId, CallId, ProviderId, RunId, Timestamp, UserId, WorkspaceId};
use crate::{read, within};

/// Adds a call.
pub async fn insert(tx: &mut Tx, workspace: WorkspaceId, call: &CallRecord) -> Result<()> {
    within!(tx, conn => query(
        "insert into model_call (id, workspace_id, at, source, user_id, key_id, run_id, step, provider_id, provider, model,
            choice, outcome, error, input, cache_read, cache_write, cache_write_hour, output, reasoning, estimated, cost_micros,
            first_token_ms, took_ms, cache, cache_tier, cache_entry_id, cache_us, saved_input, saved_output, saved_micros, masked,
            cache_similarity, tokens_by, agent_id, session)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24,
            $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36)",
    )
    .bind(call.id)
    .bind(workspace)
    .bind(call.at)
    .bind(call.source.as_str())
    .bind(call.user_id)
    .bind(call.key_id)
    .bind(call.run_id)
    .bind(&call.step)
    .bind(call.provider_id)
    .bind(&call.provider)
    .bind(&call.model)
    .bind(Json(&call.choice))
    .bind(call.outcome.as_str())
    .bind(&call.error)
    .bind(call.usage.input)
    .bind(call.usage.cache_read)
    .bind(call.usage.cache_write)
    .bind(call.usage.cache_write_hour)
    .bind(call.usage.output)
    .bind(call.usage.reasoning)
    .bind(call.estimated)
    .bind(call.cost_micros)
    .bind(call.first_token_ms)
    .bind(call.took_ms)
    .bind(call.cache.map(|cache| cache.outcome.as_str()))
    .bind(call.cache.and_then(|cache| cache.tier).map(CacheTier::as_str))
    .bind(call.cache.and_then(|cache| cache.entry_id))
    .bind(call.cache.map(|cache| cache.took_us))
    .bind(call.cache.map_or(0, |cache| cache.saved.prompt()))
    .bind(call.cache.map_or(0, |cache| cache.saved.output))
    .bind(call.cache.and_then(|cache| cache.saved_micros))
    .bind((!call.masked.is_empty()).then_some(Json(&call.masked)))
    .bind(call.cache.and_then(|cache| cache.similarity))
    .bind(call.tokens_by.as_str())
    .bind(call.agent_id)
    .bind(&call.session)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

#[derive(Debug, FromRow)]
struct CallRow {
    id: CallId,
    at: Timestamp,
    source: String,
    user_id: Option<UserId>,
    key_id: Option<ApiKeyId>,
    run_id: Option<RunId>,
    step: Option<String>,
    agent_id: Option<AgentId>,
    session: Option<String>,
    provider_id: Option<ProviderId>,
    provider: String,
    model: String,
    choice: Json<Choice>,
    outcome: String,
    error: Option<String>,
    input: i64,
    cache_read: i64,
    cache_write: i64,
    cache_write_hour: i64,
    output: i64,
    reasoning: i64,
    estimated: bool,
    tokens_by: Option<String>,
    cost_micros: Option<i64>,
    first_token_ms: Option<i64>,
    took_ms: i64,
    masked: Option<Json<Vec<Masked>>>,
    #[sqlx(flatten)]
    cache: CacheRow,
}

#[derive(Debug, FromRow)]
struct CacheRow {
    cache: Option<String>,
    cache_tier: Option<String>,
    cache_entry_id: Option<CacheEntryId>,
    cache_us: Option<i64>,
    saved_input: i64,
    saved_output: i64,
    saved_micros: Option<i64>,
    cache_similarity: Option<f64>,
}

impl CacheRow {
    fn read(self) -> Result<Option<CacheUse>> {
        let Some(outcome) = self.cache else { return Ok(None) };
        let unreadable = |column, found: &str| Error::inconsistent("model_call", column, found);
        let tier = |text: String| CacheTier::parse(&text).ok_or_else(|| unreadable("cache_tier", &text));
        Ok(Some(CacheUse {
            outcome: CacheOutcome::parse(&outcome).ok_or_else(|| unreadable("cache", &outcome))?,
            tier: self.cache_tier.map(tier).transpose()?,
            entry_id: self.cache_entry_id,
            saved: Usage { input: self.saved_input, output: self.saved_output, ..Usage::default() },
            saved_micros: self.saved_micros,
            took_us: self.cache_us.unwrap_or(0),
            age_ms: 0,
            similarity: self.cache_similarity,
        }))
    }
}

impl TryFrom<CallRow> for CallRecord {
    type Error = Error;

    fn try_from(row: CallRow) -> Result<Self> {
        let unreadable = |column, found: &str| Error::inconsistent("model_call", column, found);
        Ok(Self {
            id: row.id,
            at: row.at,
            source: CallSource::parse(&row.source).ok_or_else(|| unreadable("source", &row.source))?,
            user_id: row.user_id,
            key_id: row.key_id,
            run_id: row.run_id,
            step: row.step,
            agent_id: row.agent_id,
            session: row.session,
            provider_id: row.provider_id,
            provider: row.provider,
            model: row.model,
            choice: row.choice.0,
            outcome: CallOutcome::parse(&row.outcome).ok_or_else(|| unreadable("outcome", &row.outcome))?,
            error: row.error,
            usage: Usage {
                input: row.input,
                cache_read: row.cache_read,
                cache_write: row.cache_write,
                cache_write_hour: row.cache_write_hour,
                output: row.output,
                reasoning: row.reasoning,
            },
            estimated: row.estimated,
            tokens_by: match row.tokens_by {
                Some(by) => TokensBy::parse(&by).ok_or_else(|| unreadable("tokens_by", &by))?,
                None if row.estimated => TokensBy::Estimate,
                None => TokensBy::Provider,
            },
            cost_micros: row.cost_micros,
            first_token_ms: row.first_token_ms,
            took_ms: row.took_ms,
            cache: row.cache.read()?,
            masked: row.masked.map_or_else(Vec::new, |masked| masked.0),
        })
    }
}

#[derive(Debug, FromRow)]
struct LineRow {
    #[sqlx(flatten)]
    call: CallRow,
    user_name: Option<String>,
    key_name: Option<String>,
    agent_name: Option<String>,
}

/// The calls of a workspace, newest first. A model is named as [`sum`] names it.
pub async fn list(
    db: &Db,
    workspace: WorkspaceId,
    filter: &CallFilter,
    before: Option<CallId>,
    limit: u32,
) -> Result<Vec<CallLine>> {
    let rows: Vec<LineRow> = read!(db, conn => query_as(
        "select id, at, source, user_id, key_id, run_id, step, agent_id, session, provider_id, provider, model, choice, outcome, error, input,
            cache_read, cache_write, cache_write_hour, output, reasoning, estimated, tokens_by, cost_micros, first_token_ms, took_ms,
            cache, cache_tier, cache_entry_id, cache_us, saved_input, saved_output, saved_micros, cache_similarity, masked,
            (select u.name from app_user u where u.id = model_call.user_id and u.workspace_id = $1) as user_name,
            (select k.name from gateway_key k where k.id = model_call.key_id and k.workspace_id = $1) as key_name,
            (select a.name from agent a where a.id = model_call.agent_id and a.workspace_id = $1) as agent_name
         from model_call
         where workspace_id = $1 and ($2 is null or run_id = $2) and ($3 is null or id < $3)
             and ($5 is null or key_id = $5)
             and ($6 is null or case when provider = '' then model else provider || '/' || model end = $6)
             and ($7 is null or provider = $7)
             and ($8 is null or outcome = $8)
             and ($9 is null or at >= $9)
             and ($10 is null or at < $10)
             and ($11 is null or agent_id = $11)
             and ($12 is null or session = $12)
         order by id desc
         limit $4",
    )
    .bind(workspace)
    .bind(filter.run_id)
    .bind(before)
    .bind(i64::from(limit))
    .bind(filter.key_id)
    .bind(&filter.model)
    .bind(&filter.provider)
    .bind(filter.outcome.map(CallOutcome::as_str))
    .bind(filter.since)
    .bind(filter.until)
    .bind(filter.agent_id)
    .bind(&filter.session)
    .fetch_all(conn)
    .await)?;
    let line = |row: LineRow| {
        Ok(CallLine {
            call: CallRecord::try_from(row.call)?,
            user: row.user_name,
            key: row.key_name,
            agent: row.agent_name,
        })
    };
    rows.into_iter().map(line).collect()
}

#[derive(Debug, FromRow)]
struct SumRow {
    of: Option<String>,
    calls: i64,
    failed: i64,
    partial: i64,
    input: i64,
    cache_read: i64,
    cache_write: i64,
    cache_write_hour: i64,
    output: i64,
    reasoning: i64,
    cost_micros: i64,
    unpriced: i64,
}

/// The sums, with what they are over in the middle. Sums of `bigint` are `numeric` in Postgres: cast back.
macro_rules! sums {
    ($of:literal, $joined:literal) => {
        concat!(
            "select ",
            $of,
            " as of, count(*) as calls,
            sum(case when c.outcome = 'failed' then 1 else 0 end) as failed,
            sum(case when c.outcome = 'partial' then 1 else 0 end) as partial,
            cast(sum(c.input) as bigint) as input,
            cast(sum(c.cache_read) as bigint) as cache_read,
            cast(sum(c.cache_write) as bigint) as cache_write,
            cast(sum(c.cache_write_hour) as bigint) as cache_write_hour,
            cast(sum(c.output) as bigint) as output,
            cast(sum(c.reasoning) as bigint) as reasoning,
            cast(sum(coalesce(c.cost_micros, 0)) as bigint) as cost_micros,
            sum(case when c.cost_micros is null and c.outcome <> 'failed' then 1 else 0 end) as unpriced
         from model_call c ",
            $joined,
            " where c.workspace_id = $1
             and ($2 is null or c.at >= $2)
             and ($3 is null or c.at < $3)
             and ($4 is null or c.run_id = $4)
         group by 1
         order by cost_micros desc, calls desc, 1
         limit 500"
        )
    };
}

/// Sums over calls, the dearest first, at most 500.
pub async fn sum(db: &Db, workspace: WorkspaceId, filter: &UsageFilter) -> Result<Vec<Sum>> {
    let text: &'static str = match filter.by {
        SumBy::Model => sums!("case when c.provider = '' then c.model else c.provider || '/' || c.model end", ""),
        SumBy::Provider => sums!("c.provider", ""),
        SumBy::User => sums!("u.name", "left join app_user u on u.id = c.user_id and u.workspace_id = c.workspace_id"),
        SumBy::Agent => sums!("a.name", "left join agent a on a.id = c.agent_id and a.workspace_id = c.workspace_id"),
        SumBy::Session => sums!("c.session", ""),
        SumBy::Key => sums!("k.name", "left join gateway_key k on k.id = c.key_id and k.workspace_id = c.workspace_id"),
        // Ids read alike on both engines only once they are ids again: see `of_runs`.
        SumBy::Run | SumBy::Step => return of_runs(db, workspace, filter).await,
    };
    let rows: Vec<SumRow> = read!(db, conn => query_as(text)
        .bind(workspace)
        .bind(filter.since)
        .bind(filter.until)
        .bind(filter.run_id)
        .fetch_all(conn)
        .await)?;
    Ok(rows.into_iter().map(|row| sum_of(row.of.clone().unwrap_or_default(), row)).collect())
}

#[derive(Debug, FromRow)]
struct RunSumRow {
    run_id: Option<RunId>,
    #[sqlx(flatten)]
    sum: SumRow,
}

async fn of_runs(db: &Db, workspace: WorkspaceId, filter: &UsageFilter) -> Result<Vec<Sum>> {
    let by_step = filter.by == SumBy::Step;
    let rows: Vec<RunSumRow> = read!(db, conn => query_as(
        "select c.run_id, case when $5 then c.step else null end as of, count(*) as calls,
            sum(case when c.outcome = 'failed' then 1 else 0 end) as failed,
            sum(case when c.outcome = 'partial' then 1 else 0 end) as partial,
            cast(sum(c.input) as bigint) as input,
            cast(sum(c.cache_read) as bigint) as cache_read,
            cast(sum(c.cache_write) as bigint) as cache_write,
            cast(sum(c.cache_write_hour) as bigint) as cache_write_hour,
            cast(sum(c.output) as bigint) as output,
            cast(sum(c.reasoning) as bigint) as reasoning,
            cast(sum(coalesce(c.cost_micros, 0)) as bigint) as cost_micros,
            sum(case when c.cost_micros is null and c.outcome <> 'failed' then 1 else 0 end) as unpriced
         from model_call c
         where c.workspace_id = $1
             and ($2 is null or c.at >= $2)
             and ($3 is null or c.at < $3)
             and ($4 is null or c.run_id = $4)
         group by 1, 2
         order by cost_micros desc, calls desc, 1
         limit 500",
    )
    .bind(workspace)
    .bind(filter.since)
    .bind(filter.until)
    .bind(filter.run_id)
    .bind(by_step)
    .fetch_all(conn)
    .await)?;
    let name = |row: &RunSumRow| match (row.run_id, &row.sum.of) {
        (Some(run), Some(step)) => format!("{run}/{step}"),
        (Some(run), None) => run.to_string(),
        (None, _) => String::new(),
    };
    Ok(rows.into_iter().map(|row| sum_of(name(&row), row.sum)).collect())
}

fn sum_of(of: String, row: SumRow) -> Sum {
    Sum {
        of,
        calls: row.calls,
        failed: row.failed,
        partial: row.partial,
        usage: Usage {
            input: row.input,
            cache_read: row.cache_read,
            cache_write: row.cache_write,
            cache_write_hour: row.cache_write_hour,
            output: row.output,
            reasoning: row.reasoning,
        },
        cost_micros: row.cost_micros,
        unpriced: row.unpriced,
    }
}

/// Tokens that answers of a model have on average, of those among the last 1,000 calls of a workspace; `None` for fewer than five.
pub async fn find_usual_output(
    db: &Db,
    workspace: WorkspaceId,
    provider: ProviderId,
    model: &str,
) -> Result<Option<i64>> {
    let (calls, output): (i64, i64) = read!(db, conn => query_as(
        "select count(*), cast(coalesce(sum(output), 0) as bigint)
         from (
            select provider_id, model, outcome, output from model_call where workspace_id = $1 order by id desc limit 1000
         ) c
         where provider_id = $2 and model = $3 and outcome = 'complete' and output > 0",
    )
    .bind(workspace)
    .bind(provider)
    .bind(model)
    .fetch_one(conn)
    .await)?;
    Ok((calls >= 5).then(|| output / calls))
}

/// Takes away what is older, at most `limit` rows.
pub async fn delete_old(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<u64> {
    Ok(within!(tx, conn => query(
        "delete from model_call where id in (select id from model_call where at < $1 order by at limit $2)",
    )
    .bind(before)
    .bind(limit)
    .execute(conn)
    .await
    .map(|done| done.rows_affected()))?)
}
