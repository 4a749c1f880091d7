//! What calls cost, by day: of a workspace, of a person, of a key. Written with the calls, in one transaction.

use std::collections::BTreeMap;

use sqlx::{FromRow, query, query_as};
use uuid::Uuid;

use crate::db::{Db, Result, Tx};
use crate::model::gateway::{BudgetPeriod, BudgetScope, CallOutcome, CallRecord, Spender};
use crate::model::{RunId, Timestamp, WorkspaceId};
use crate::{read, within};

/// Spenders of a list.
const MOST: i64 = 5;

/// Sums of calls that are about to be written, by whom and when. In order, so that two processes that write wait for each
/// other instead of locking each other out.
#[derive(Debug, Default)]
pub struct Sums(BTreeMap<(WorkspaceId, &'static str, Uuid, String), [i64; 3]>);

impl Sums {
    /// Counts a call.
    pub fn add(&mut self, workspace: WorkspaceId, call: &CallRecord) {
        let day = BudgetPeriod::Day.days(call.at).0;
        let spenders = [
            (BudgetScope::Workspace, Some(workspace.0)),
            (BudgetScope::User, call.user_id.map(|id| id.0)),
            (BudgetScope::Key, call.key_id.map(|id| id.0)),
        ];
        for (scope, spender) in spenders {
            let Some(spender) = spender else { continue };
            let [calls, unpriced, cost] = self.0.entry((workspace, scope.as_str(), spender, day.clone())).or_default();
            *calls += 1;
            *unpriced += i64::from(call.cost_micros.is_none() && call.outcome != CallOutcome::Failed);
            *cost = cost.saturating_add(call.cost_micros.unwrap_or(0));
        }
    }

    /// Writes what was counted.
    pub async fn write(self, tx: &mut Tx) -> Result<()> {
        for ((workspace, scope, spender, day), [calls, unpriced, cost]) in self.0 {
            within!(tx, conn => query(
                "insert into model_spend (workspace_id, scope, spender_id, day, calls, unpriced, cost_micros)
                 values ($1, $2, $3, $4, $5, $6, $7)
                 on conflict (workspace_id, scope, spender_id, day) do update set
                    calls = model_spend.calls + excluded.calls,
                    unpriced = model_spend.unpriced + excluded.unpriced,
                    cost_micros = model_spend.cost_micros + excluded.cost_micros",
            )
            .bind(workspace)
            .bind(scope)
            .bind(spender)
            .bind(&day)
            .bind(calls)
            .bind(unpriced)
            .bind(cost)
            .execute(conn)
            .await
            .map(drop))?;
        }
        Ok(())
    }
}

/// What one spender's calls cost on these days.
pub async fn of_days(
    db: &Db,
    workspace: WorkspaceId,
    scope: BudgetScope,
    spender: Uuid,
    (from, to): &(String, String),
) -> Result<i64> {
    let sum: (i64,) = read!(db, conn => query_as(
        "select cast(coalesce(sum(cost_micros), 0) as bigint) from model_spend
         where workspace_id = $1 and scope = $2 and spender_id = $3 and day >= $4 and day <= $5",
    )
    .bind(workspace)
    .bind(scope.as_str())
    .bind(spender)
    .bind(from)
    .bind(to)
    .fetch_one(conn)
    .await)?;
    Ok(sum.0)
}

/// What a run's calls cost.
pub async fn of_run(db: &Db, workspace: WorkspaceId, run: RunId) -> Result<i64> {
    let sum: (i64,) = read!(db, conn => query_as(
        "select cast(coalesce(sum(cost_micros), 0) as bigint) from model_call where workspace_id = $1 and run_id = $2",
    )
    .bind(workspace)
    .bind(run)
    .fetch_one(conn)
    .await)?;
    Ok(sum.0)
}

#[derive(Debug, FromRow)]
struct SpenderRow {
    of: Uuid,
    name: Option<String>,
    spent_micros: i64,
    calls: i64,
    unpriced: i64,
}

impl From<SpenderRow> for Spender {
    fn from(row: SpenderRow) -> Self {
        let SpenderRow { of, name, spent_micros, calls, unpriced } = row;
        Self { of, name: name.unwrap_or_default(), spent_micros, calls, unpriced }
    }
}

/// The sums of a scope, whose names are in the table that is joined.
macro_rules! top {
    ($name:literal, $joined:literal) => {
        concat!(
            "select s.spender_id as of, ",
            $name,
            " as name, cast(sum(s.cost_micros) as bigint) as spent_micros, cast(sum(s.calls) as bigint) as calls,
                cast(sum(s.unpriced) as bigint) as unpriced
             from model_spend s ",
            $joined,
            " where s.workspace_id = $1 and s.scope = $2 and s.day >= $3 and s.day <= $4
                and ($5 is null or s.spender_id = $5)
             group by 1, 2
             order by 3 desc, 4 desc, 1
             limit $6"
        )
    };
}

/// Who spent most on these days, at most five; `of` narrows to one.
pub async fn top(
    db: &Db,
    workspace: WorkspaceId,
    scope: BudgetScope,
    of: Option<Uuid>,
    (from, to): &(String, String),
) -> Result<Vec<Spender>> {
    let text: &'static str = match scope {
        BudgetScope::User => top!("u.name", "left join app_user u on u.id = s.spender_id"),
        BudgetScope::Key => top!("k.name", "left join gateway_key k on k.id = s.spender_id"),
        BudgetScope::Workspace | BudgetScope::Run => top!("null", ""),
    };
    let rows: Vec<SpenderRow> = read!(db, conn => query_as(text)
        .bind(workspace)
        .bind(scope.as_str())
        .bind(from)
        .bind(to)
        .bind(of)
        .bind(MOST)
        .fetch_all(conn)
        .await)?;
    Ok(rows.into_iter().map(Spender::from).collect())
}

/// The dearest runs with calls since then, at most five.
pub async fn top_runs(db: &Db, workspace: WorkspaceId, since: Timestamp) -> Result<Vec<Spender>> {
    let rows: Vec<SpenderRow> = read!(db, conn => query_as(
        "select c.run_id as of, null as name, cast(sum(coalesce(c.cost_micros, 0)) as bigint) as spent_micros, count(*) as calls,
            cast(sum(case when c.cost_micros is null and c.outcome <> 'failed' then 1 else 0 end) as bigint) as unpriced
         from model_call c
         where c.workspace_id = $1 and c.at >= $2 and c.run_id is not null
         group by 1
         order by 3 desc, 4 desc, 1
         limit $3",
    )
    .bind(workspace)
    .bind(since)
    .bind(MOST)
    .fetch_all(conn)
    .await)?;
    Ok(rows.into_iter().map(Spender::from).collect())
}

/// Takes away days before this one, at most `limit` rows.
pub async fn delete_old(tx: &mut Tx, before: &str, limit: i64) -> Result<u64> {
    Ok(within!(tx, conn => query(
        "delete from model_spend where (workspace_id, scope, spender_id, day) in
            (select workspace_id, scope, spender_id, day from model_spend where day < $1 order by day limit $2)",
    )
    .bind(before)
    .bind(limit)
    .execute(conn)
    .await
    .map(|done| done.rows_affected()))?)
}
