//! Routes.

use sqlx::types::Json;
use sqlx::{FromRow, query, query_as, query_scalar};

use crate::db::{Db, Result, Tx};
use crate::model::gateway::{Route, RouteDraft, Target};
use crate::model::{RouteId, Timestamp, WorkspaceId};
use crate::{read, within};

#[derive(Debug, FromRow)]
struct RouteRow {
    id: RouteId,
    name: String,
    description: String,
    targets: Json<Vec<Target>>,
    revision: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<RouteRow> for Route {
    fn from(row: RouteRow) -> Self {
        let RouteRow { id, name, description, targets, revision, created_at, updated_at } = row;
        Self { id, name, description, targets: targets.0, revision, created_at, updated_at }
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
        "insert into model_route (id, workspace_id, name, description, targets, revision, created_at, updated_at)
         values ($1, $2, $3, $4, $5, 1, $6, $6)",
    )
    .bind(id)
    .bind(workspace)
    .bind(&route.name)
    .bind(&route.description)
    .bind(Json(&route.targets))
    .bind(now)
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
        "update model_route set name = $4, description = $5, targets = $6, revision = revision + 1, updated_at = $7
         where workspace_id = $1 and id = $2 and revision = $3",
    )
    .bind(workspace)
    .bind(id)
    .bind(revision)
    .bind(&route.name)
    .bind(&route.description)
    .bind(Json(&route.targets))
    .bind(now)
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
        "select id, name, description, targets, revision, created_at, updated_at
         from model_route
         where workspace_id = $1
         order by id",
    )
    .bind(workspace)
    .fetch_all(conn)
    .await)?;
    Ok(rows.into_iter().map(Route::from).collect())
}

/// One route.
pub async fn find(db: &Db, workspace: WorkspaceId, id: RouteId) -> Result<Option<Route>> {
    let row: Option<RouteRow> = read!(db, conn => query_as(
        "select id, name, description, targets, revision, created_at, updated_at
         from model_route
         where workspace_id = $1 and id = $2",
    )
    .bind(workspace)
    .bind(id)
    .fetch_optional(conn)
    .await)?;
    Ok(row.map(Route::from))
}

/// The route of this name.
pub async fn find_by_name(db: &Db, workspace: WorkspaceId, name: &str) -> Result<Option<Route>> {
    let row: Option<RouteRow> = read!(db, conn => query_as(
        "select id, name, description, targets, revision, created_at, updated_at
         from model_route
         where workspace_id = $1 and name = $2",
    )
    .bind(workspace)
    .bind(name)
    .fetch_optional(conn)
    .await)?;
    Ok(row.map(Route::from))
}
