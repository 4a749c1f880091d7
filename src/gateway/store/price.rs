//! The price table.

use sqlx::{FromRow, query, query_as, query_scalar};

use crate::db::{Db, Result, Tx};
use crate::model::gateway::Price;
use crate::model::{PriceId, ProviderId, Timestamp, WorkspaceId};
use crate::{read, within};

#[derive(Debug, FromRow)]
struct PriceRow {
    id: PriceId,
    provider_id: ProviderId,
    model: String,
    valid_from: Timestamp,
    input: i64,
    output: i64,
    cache_read: Option<i64>,
    cache_write: Option<i64>,
    cache_write_hour: Option<i64>,
}

impl From<PriceRow> for Price {
    fn from(row: PriceRow) -> Self {
        Self {
            id: row.id,
            provider_id: row.provider_id,
            model: row.model,
            from: row.valid_from,
            input: row.input,
            output: row.output,
            cache_read: row.cache_read,
            cache_write: row.cache_write,
            cache_write_hour: row.cache_write_hour,
        }
    }
}

/// Adds a line, in place of one of the same model and moment.
pub async fn put(tx: &mut Tx, workspace: WorkspaceId, price: &Price) -> Result<()> {
    within!(tx, conn => query("delete from model_price where provider_id = $1 and model = $2 and valid_from = $3")
        .bind(price.provider_id)
        .bind(&price.model)
        .bind(price.from)
        .execute(conn)
        .await
        .map(drop))?;
    within!(tx, conn => query(
        "insert into model_price (id, workspace_id, provider_id, model, valid_from, input, output, cache_read, cache_write,
            cache_write_hour)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(price.id)
    .bind(workspace)
    .bind(price.provider_id)
    .bind(&price.model)
    .bind(price.from)
    .bind(price.input)
    .bind(price.output)
    .bind(price.cache_read)
    .bind(price.cache_write)
    .bind(price.cache_write_hour)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// Takes a line away; false when there is none.
pub async fn delete(tx: &mut Tx, workspace: WorkspaceId, provider: ProviderId, id: PriceId) -> Result<bool> {
    Ok(within!(tx, conn => query("delete from model_price where workspace_id = $1 and provider_id = $2 and id = $3")
        .bind(workspace)
        .bind(provider)
        .bind(id)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))?)
}

/// How many lines a provider has.
pub async fn count(tx: &mut Tx, provider: ProviderId) -> Result<i64> {
    Ok(within!(tx, conn => query_scalar("select count(*) from model_price where provider_id = $1")
        .bind(provider)
        .fetch_one(conn)
        .await)?)
}

/// The lines of a provider, by model, newest first.
pub async fn list(db: &Db, workspace: WorkspaceId, provider: ProviderId) -> Result<Vec<Price>> {
    let rows: Vec<PriceRow> = read!(db, conn => query_as(
        "select id, provider_id, model, valid_from, input, output, cache_read, cache_write, cache_write_hour
         from model_price
         where workspace_id = $1 and provider_id = $2
         order by model, valid_from desc",
    )
    .bind(workspace)
    .bind(provider)
    .fetch_all(conn)
    .await)?;
    Ok(rows.into_iter().map(Price::from).collect())
}

/// The line that holds at a moment.
pub async fn find(db: &Db, provider: ProviderId, model: &str, at: Timestamp) -> Result<Option<Price>> {
    let row: Option<PriceRow> = read!(db, conn => query_as(
        "select id, provider_id, model, valid_from, input, output, cache_read, cache_write, cache_write_hour
         from model_price
         where provider_id = $1 and model = $2 and valid_from <= $3
         order by valid_from desc
         limit 1",
    )
    .bind(provider)
    .bind(model)
    .bind(at)
    .fetch_optional(conn)
    .await)?;
    Ok(row.map(Price::from))
}
