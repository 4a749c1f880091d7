//! What providers were asked of late, and how fast they began to answer.

use sqlx::{FromRow, query_as};

use crate::db::{Db, Result};
use crate::model::gateway::ProviderUse;
use crate::model::{ProviderId, Timestamp, WorkspaceId};
use crate::read;

#[derive(Debug, FromRow)]
struct UseRow {
    id: ProviderId,
    calls: i64,
    failed: i64,
    cost_micros: i64,
    unpriced: i64,
    p50_ms: Option<i64>,
    p99_ms: Option<i64>,
}

impl From<UseRow> for ProviderUse {
    fn from(row: UseRow) -> Self {
        Self {
            provider_id: row.id,
            calls: row.calls,
            failed: row.failed,
            cost_micros: row.cost_micros,
            unpriced: row.unpriced,
            began_p50_ms: row.p50_ms,
            began_p99_ms: row.p99_ms,
        }
    }
}

/// Of every provider of a workspace, oldest first: its calls since a moment, and since a later one how long it took until answers that
/// it gave itself began.
pub async fn list(
    db: &Db,
    workspace: WorkspaceId,
    since: Timestamp,
    fast_since: Timestamp,
) -> Result<Vec<ProviderUse>> {
    let rows: Vec<UseRow> = read!(db, conn => query_as(
        "select p.id as id, coalesce(c.calls, 0) as calls, coalesce(c.failed, 0) as failed,
            coalesce(c.cost_micros, 0) as cost_micros, coalesce(c.unpriced, 0) as unpriced, l.p50_ms as p50_ms, l.p99_ms as p99_ms
         from provider p
         left join (
            select provider_id, count(*) as calls,
                cast(sum(case when outcome = 'failed' then 1 else 0 end) as bigint) as failed,
                cast(sum(coalesce(cost_micros, 0)) as bigint) as cost_micros,
                cast(sum(case when cost_micros is null and outcome <> 'failed' then 1 else 0 end) as bigint) as unpriced
            from model_call
            where workspace_id = $1 and at >= $2 and provider_id is not null
            group by provider_id
         ) c on c.provider_id = p.id
         left join (
            select provider_id,
                min(case when place * 100 >= total * 50 then ms end) as p50_ms,
                min(case when place * 100 >= total * 99 then ms end) as p99_ms
            from (select provider_id, coalesce(first_token_ms, took_ms) as ms,
                    row_number() over (partition by provider_id order by coalesce(first_token_ms, took_ms)) as place,
                    count(*) over (partition by provider_id) as total
                from model_call
                where workspace_id = $1 and at >= $3 and provider_id is not null and outcome in ('complete', 'partial')
                    and (cache is null or cache <> 'hit')) ranked
            group by provider_id
         ) l on l.provider_id = p.id
         where p.workspace_id = $1
         order by p.id",
    )
    .bind(workspace)
    .bind(since)
    .bind(fast_since)
    .fetch_all(conn)
    .await)?;
    Ok(rows.into_iter().map(ProviderUse::from).collect())
}
