//! Routes.

use sqlx::types::Json;
use sqlx::{FromRow, query, query_as, query_scalar};

use crate::db::{Db, Error, Result, Tx};
use crate::model::cache::CacheMode;
use crate::model::gateway::{ContextRule, Policy, Route, RouteDraft, Target};
use crate::model::{RouteId, Timestamp, WorkspaceId};
use crate::{read, within};

#[derive(Debug, FromRow)]
struct RouteRow {
    id: RouteId,
    name: String,
    description: String,
    targets: Json<Vec<Target>>,
    policy: Json<Policy>,
    cache: String,
    context: Option<Json<ContextRule>>,
    revision: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl TryFrom<RouteRow> for Route {
    type Error = Error;

    fn try_from(row: RouteRow) -> Result<Self> {
        let RouteRow { id, name, description, targets, policy, cache, context, revision, created_at, updated_at } = row;
        let cache = CacheMode::parse(&cache).ok_or_else(|| Error::inconsistent("model_route", "cache", &cache))?;
        let (targets, policy, context) = (targets.0, policy.0, context.map(|context| context.0));
        Ok(Self { id, name, description, targets, policy, cache, context, revision, created_at, updated_at })
    }
}

/// Adds a route. [`crate::db::Error::Duplicate`] when the name is taken.
pub async fn insert(
    tx: &mut Tx,
    workspace: WorkspaceId,
    id: RouteId,
    route: &RouteDraft,
    now: Timestamp,
) -> Result<()> {
    within!(tx, conn => query(
        "insert into model_route (id, workspace_id, name, description, targets, policy, revision, created_at, updated_at, cache,
            context)
         values ($1, $2, $3, $4, $5, $7, 1, $6, $6, $8, $9)",
    )
    .bind(id)
    .bind(workspace)
    .bind(&route.name)
    .bind(&route.description)
    .bind(Json(&route.targets))
    .bind(now)
    .bind(Json(&route.policy))
    .bind(route.cache.as_str())
    .bind(route.context.as_ref().map(Json))
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// Changes a route that is at `revision`; false when it is not any more.
pub async fn update(
    tx: &mut Tx,
    workspace: WorkspaceId,
    (id, revision): (RouteId, i64),
    route: &RouteDraft,
    now: Timestamp,
) -> Result<bool> {
    Ok(within!(tx, conn => query(
        "update model_route set name = $4, description = $5, targets = $6, policy = $8, revision = revision + 1, updated_at = $7,
            cache = $9, context = $10
         where workspace_id = $1 and id = $2 and revision = $3",
    )
    .bind(workspace)
    .bind(id)
    .bind(revision)
    .bind(&route.name)
    .bind(&route.description)
    .bind(Json(&route.targets))
    .bind(now)
    .bind(Json(&route.policy))
    .bind(route.cache.as_str())
    .bind(route.context.as_ref().map(Json))
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))?)
}

/// Deletes a route; false when there is none.
pub async fn delete(tx: &mut Tx, workspace: WorkspaceId, id: RouteId) -> Result<bool> {
    Ok(within!(tx, conn => query("delete from model_route where workspace_id = $1 and id = $2")
        .bind(workspace)
        .bind(id)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))?)
}

/// How many a workspace has.
pub async fn count(tx: &mut Tx, workspace: WorkspaceId) -> Result<i64> {
    Ok(within!(tx, conn => query_scalar("select count(*) from model_route where workspace_id = $1")
        .bind(workspace)
        .fetch_one(conn)
        .await)?)
}

/// All of a workspace, oldest first.
pub async fn list(db: &Db, workspace: WorkspaceId) -> Result<Vec<Route>> {
    let rows: Vec<RouteRow> = read!(db, conn => query_as(
        "select id, name, description, targets, policy, cache, context, revision, created_at, updated_at
         from model_route
         where workspace_id = $1
         order by id",
    )
    .bind(workspace)
    .fetch_all(conn)
    .await)?;
    rows.into_iter().map(Route::try_from).collect()
}

/// The same within a transaction that decides by it.
pub async fn list_within(tx: &mut Tx, workspace: WorkspaceId) -> Result<Vec<Route>> {
    let rows: Vec<RouteRow> = within!(tx, conn => query_as(
        "select id, name, description, targets, policy, cache, context, revision, created_at, updated_at
         from model_route
         where workspace_id = $1
         order by id",
    )
    .bind(workspace)
    .fetch_all(conn)
    .await)?;
    rows.into_iter().map(Route::try_from).collect()
}

/// One route.
pub async fn find(db: &Db, workspace: WorkspaceId, id: RouteId) -> Result<Option<Route>> {
    let row: Option<RouteRow> = read!(db, conn => query_as(
        "select id, name, description, targets, policy, cache, context, revision, created_at, updated_at
         from model_route
         where workspace_id = $1 and id = $2",
    )
    .bind(workspace)
    .bind(id)
    .fetch_optional(conn)
    .await)?;
    row.map(Route::try_from).transpose()
}

/// The route of this name.
pub async fn find_by_name(db: &Db, workspace: WorkspaceId, name: &str) -> Result<Option<Route>> {
    let row: Option<RouteRow> = read!(db, conn => query_as(
        "select id, name, description, targets, policy, cache, context, revision, created_at, updated_at
         from model_route
         where workspace_id = $1 and name = $2",
    )
    .bind(workspace)
    .bind(name)
    .fetch_optional(conn)
    .await)?;
    row.map(Route::try_from).transpose()
}
