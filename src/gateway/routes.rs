//! Adding, changing and deleting routes.

use super::error::{Error, Result, unless_taken};
use super::store::{provider, route};
use super::{flags, validate};
use crate::model::auth::Action;
use crate::model::gateway::{Route, RouteDraft};
use crate::model::{FieldError, RouteId};
use crate::runtime::Ctx;

/// Routes of one workspace.
const MAX_ROUTES: i64 = 200;

/// Every route, oldest first.
///
/// # Errors
/// [`Error::Denied`].
pub async fn list_routes(ctx: &Ctx) -> Result<Vec<Route>> {
    ctx.authorize(Action::ReadProvider)?;
    Ok(route::list(&ctx.db, ctx.workspace()).await?)
}

/// One route.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get_route(ctx: &Ctx, id: RouteId) -> Result<Route> {
    ctx.authorize(Action::ReadProvider)?;
    route::find(&ctx.db, ctx.workspace(), id).await?.ok_or(Error::NotFound("route"))
}

/// Adds a route.
///
/// # Errors
/// [`Error::Invalid`] with pointers such as `/targets/0/provider_id` and `/targets/0/flag`; [`Error::Conflict`] when the name is taken.
pub async fn create_route(ctx: &Ctx, draft: RouteDraft) -> Result<Route> {
    ctx.authorize(Action::ManageProvider)?;
    check(ctx, &draft).await?;
    let id: RouteId = ctx.ids.fresh();
    let mut tx = ctx.db.begin().await?;
    if route::count(&mut tx, ctx.workspace()).await? >= MAX_ROUTES {
        return Err(Error::Conflict(format!("the workspace has {MAX_ROUTES} routes; delete one first")));
    }
    flags::hold(ctx, &mut tx, &draft).await?;
    unless_taken(route::insert(&mut tx, ctx.workspace(), id, &draft, ctx.clock.now()).await, "route", &draft.name)?;
    tx.commit().await?;
    tracing::info!(route = %id, by = %ctx.actor.principal, "a route was added");
    get_route(ctx, id).await
}

/// Changes a route that somebody saw at `revision` (`None`: however it is).
///
/// # Errors
/// [`Error::Conflict`] when somebody changed it since, or the name is taken; [`Error::NotFound`]; [`Error::Invalid`].
pub async fn update_route(
    ctx: &Ctx,
    id: RouteId,
    revision: impl Into<Option<i64>>,
    draft: RouteDraft,
) -> Result<Route> {
    ctx.authorize(Action::ManageProvider)?;
    let before = get_route(ctx, id).await?;
    let revision = revision.into().unwrap_or(before.revision);
    check(ctx, &draft).await?;
    let mut tx = ctx.db.begin().await?;
    flags::hold(ctx, &mut tx, &draft).await?;
    let changed = route::update(&mut tx, ctx.workspace(), (id, revision), &draft, ctx.clock.now()).await;
    if !unless_taken(changed, "route", &draft.name)? {
        return Err(Error::changed_meanwhile("route", before.revision, revision));
    }
    tx.commit().await?;
    tracing::info!(route = %id, by = %ctx.actor.principal, "a route was changed");
    get_route(ctx, id).await
}

/// Deletes a route.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn delete_route(ctx: &Ctx, id: RouteId) -> Result<()> {
    ctx.authorize(Action::ManageProvider)?;
    let mut tx = ctx.db.begin().await?;
    if !route::delete(&mut tx, ctx.workspace(), id).await? {
        return Err(Error::NotFound("route"));
    }
    tx.commit().await?;
    tracing::info!(route = %id, by = %ctx.actor.principal, "a route was deleted");
    Ok(())
}

/// A provider of another workspace is as unknown as one that is nowhere.
async fn check(ctx: &Ctx, draft: &RouteDraft) -> Result<()> {
    validate::route(draft)?;
    let providers = provider::list(&ctx.db, ctx.workspace()).await?;
    let unknown = draft
        .targets
        .iter()
        .enumerate()
        .filter(|(_, target)| !providers.iter().any(|provider| provider.id == target.provider_id))
        .map(|(index, _)| FieldError::new(format!("/targets/{index}/provider_id"), "no such provider"));
    let unknown: Vec<FieldError> = unknown.collect();
    if unknown.is_empty() { Ok(()) } else { Err(Error::Invalid(unknown)) }
}
