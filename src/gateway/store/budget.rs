//! Budgets.

use sqlx::{FromRow, query, query_as, query_scalar};
use uuid::Uuid;

use crate::db::{Db, Error, Result, Tx};
use crate::model::gateway::{Budget, BudgetDraft, BudgetPeriod, BudgetScope};
use crate::model::{ApiKeyId, BudgetId, Timestamp, UserId, WorkspaceId};
use crate::{read, within};

#[derive(Debug, FromRow)]
struct BudgetRow {
    id: BudgetId,
    name: String,
    scope: String,
    spender_id: Option<Uuid>,
    period: String,
    limit_micros: i64,
    warn_percent: i64,
    stops: bool,
    revision: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl TryFrom<BudgetRow> for Budget {
    type Error = Error;

    fn try_from(row: BudgetRow) -> Result<Self> {
        let unreadable = |column, found: &str| Error::inconsistent("budget", column, found);
        Ok(Self {
            id: row.id,
            name: row.name,
            scope: BudgetScope::parse(&row.scope).ok_or_else(|| unreadable("scope", &row.scope))?,
            of: row.spender_id,
            period: BudgetPeriod::parse(&row.period).ok_or_else(|| unreadable("period", &row.period))?,
            limit_micros: row.limit_micros,
            warn_percent: u32::try_from(row.warn_percent).map_err(|_| unreadable("warn_percent", "no percentage"))?,
            stops: row.stops,
            revision: row.revision,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// Adds a budget. [`crate::db::Error::Duplicate`] when the name is taken.
pub async fn insert(
    tx: &mut Tx,
    workspace: WorkspaceId,
    id: BudgetId,
    budget: &BudgetDraft,
    now: Timestamp,
) -> Result<()> {
    within!(tx, conn => query(
        "insert into budget (id, workspace_id, name, scope, spender_id, period, limit_micros, warn_percent, stops, revision,
            created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $10, $10)",
    )
    .bind(id)
    .bind(workspace)
    .bind(&budget.name)
    .bind(budget.scope.as_str())
    .bind(budget.of)
    .bind(budget.period.as_str())
    .bind(budget.limit_micros)
    .bind(i64::from(budget.warn_percent))
    .bind(budget.stops)
    .bind(now)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// Changes a budget that is at `revision`; false when it is not any more.
pub async fn update(
    tx: &mut Tx,
    workspace: WorkspaceId,
    (id, revision): (BudgetId, i64),
    budget: &BudgetDraft,
    now: Timestamp,
) -> Result<bool> {
    Ok(within!(tx, conn => query(
        "update budget set name = $4, scope = $5, spender_id = $6, period = $7, limit_micros = $8, warn_percent = $9,
            stops = $10, revision = revision + 1, updated_at = $11
         where workspace_id = $1 and id = $2 and revision = $3",
    )
    .bind(workspace)
    .bind(id)
    .bind(revision)
    .bind(&budget.name)
    .bind(budget.scope.as_str())
    .bind(budget.of)
    .bind(budget.period.as_str())
    .bind(budget.limit_micros)
    .bind(i64::from(budget.warn_percent))
    .bind(budget.stops)
    .bind(now)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))?)
}

/// Deletes a budget; false when there is none.
pub async fn delete(tx: &mut Tx, workspace: WorkspaceId, id: BudgetId) -> Result<bool> {
    Ok(within!(tx, conn => query("delete from budget where workspace_id = $1 and id = $2")
        .bind(workspace)
        .bind(id)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))?)
}

/// How many a workspace has.
pub async fn count(tx: &mut Tx, workspace: WorkspaceId) -> Result<i64> {
    Ok(within!(tx, conn => query_scalar("select count(*) from budget where workspace_id = $1")
        .bind(workspace)
        .fetch_one(conn)
        .await)?)
}

/// All of a workspace, oldest first.
pub async fn list(db: &Db, workspace: WorkspaceId) -> Result<Vec<Budget>> {
    let rows: Vec<BudgetRow> = read!(db, conn => query_as(
        "select id, name, scope, spender_id, period, limit_micros, warn_percent, stops, revision, created_at, updated_at
         from budget
         where workspace_id = $1
         order by id",
    )
    .bind(workspace)
    .fetch_all(conn)
    .await)?;
    rows.into_iter().map(Budget::try_from).collect()
}

/// One budget.
pub async fn find(db: &Db, workspace: WorkspaceId, id: BudgetId) -> Result<Option<Budget>> {
    let row: Option<BudgetRow> = read!(db, conn => query_as(
        "select id, name, scope, spender_id, period, limit_micros, warn_percent, stops, revision, created_at, updated_at
         from budget
         where workspace_id = $1 and id = $2",
    )
    .bind(workspace)
    .bind(id)
    .fetch_optional(conn)
    .await)?;
    row.map(Budget::try_from).transpose()
}

/// Those that hold for a call of this person with this key, in a run or not.
pub async fn find_holding(
    db: &Db,
    workspace: WorkspaceId,
    user: Option<UserId>,
    key: Option<ApiKeyId>,
    in_run: bool,
) -> Result<Vec<Budget>> {
    let rows: Vec<BudgetRow> = read!(db, conn => query_as(
        "select id, name, scope, spender_id, period, limit_micros, warn_percent, stops, revision, created_at, updated_at
         from budget
         where workspace_id = $1
            and (scope = 'workspace'
                or (scope = 'run' and $4)
                or (scope = 'user' and $2 is not null and (spender_id is null or spender_id = $2))
                or (scope = 'key' and $3 is not null and (spender_id is null or spender_id = $3)))
         order by id",
    )
    .bind(workspace)
    .bind(user)
    .bind(key)
    .bind(in_run)
    .fetch_all(conn)
    .await)?;
    rows.into_iter().map(Budget::try_from).collect()
}

/// Whether the workspace has this person or key.
pub async fn spender_exists(db: &Db, workspace: WorkspaceId, scope: BudgetScope, of: Uuid) -> Result<bool> {
    let text: &'static str = match scope {
        BudgetScope::User => "select count(*) from app_user where workspace_id = $1 and id = $2",
        BudgetScope::Key => "select count(*) from gateway_key where workspace_id = $1 and id = $2",
        BudgetScope::Workspace | BudgetScope::Run => return Ok(false),
    };
    let count: i64 = read!(db, conn => query_scalar(text).bind(workspace).bind(of).fetch_one(conn).await)?;
    Ok(count > 0)
}
