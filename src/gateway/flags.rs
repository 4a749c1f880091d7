//! Adding, changing and deleting flags, and who did so.

use uuid::Uuid;

use super::error::{Error, Result, unless_taken};
use super::store::flag::{self, Named};
use super::store::route;
use super::validate;
use crate::db::Tx;
use crate::model::auth::Action;
use crate::model::gateway::{Flag, FlagAudience, FlagChange, FlagDraft, FlagState, Route, RouteDraft};
use crate::model::{FieldError, FlagId, Page, PageRequest};
use crate::runtime::{Ctx, Principal};

/// Flags of one workspace.
const MAX_FLAGS: i64 = 200;
/// Changes of a workspace's flags that are kept.
const KEPT_CHANGES: i64 = 1_000;

/// Every flag with the routes that have a model behind it, by name.
///
/// # Errors
/// [`Error::Denied`].
pub async fn list_flags(ctx: &Ctx) -> Result<Vec<FlagState>> {
    ctx.authorize(Action::ReadProvider)?;
    let routes = route::list(&ctx.db, ctx.workspace()).await?;
    let flags = flag::list(&ctx.db, ctx.workspace()).await?;
    Ok(flags.into_iter().map(|flag| state(flag, &routes)).collect())
}

/// One flag.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get_flag(ctx: &Ctx, id: FlagId) -> Result<FlagState> {
    ctx.authorize(Action::ReadProvider)?;
    let flag = flag::find(&ctx.db, ctx.workspace(), id).await?.ok_or(Error::NotFound("flag"))?;
    Ok(state(flag, &route::list(&ctx.db, ctx.workspace()).await?))
}

/// Adds a flag.
///
/// # Errors
/// [`Error::Invalid`] with pointers such as `/audience/users/0`; [`Error::Conflict`] when the name is taken or there are too many.
pub async fn create_flag(ctx: &Ctx, draft: FlagDraft) -> Result<FlagState> {
    ctx.authorize(Action::ManageProvider)?;
    check(ctx, &draft, &FlagAudience::default()).await?;
    let id: FlagId = ctx.ids.fresh();
    let mut tx = ctx.db.begin().await?;
    if flag::count(&mut tx, ctx.workspace()).await? >= MAX_FLAGS {
        return Err(Error::Conflict(format!("the workspace has {MAX_FLAGS} flags; delete one first")));
    }
    unless_taken(flag::insert(&mut tx, ctx.workspace(), id, &draft, ctx.clock.now()).await, "flag", &draft.name)?;
    note(ctx, &mut tx, id, (None, Some(draft))).await?;
    tx.commit().await?;
    tracing::info!(flag = %id, by = %ctx.actor.principal, "a flag was added");
    get_flag(ctx, id).await
}

/// Changes a flag that somebody saw at `revision` (`None`: however it is). It holds from the next call on.
///
/// # Errors
/// [`Error::Conflict`] when somebody changed it since, the name is taken, or a route names it by the old one; [`Error::NotFound`];
/// [`Error::Invalid`].
pub async fn update_flag(
    ctx: &Ctx,
    id: FlagId,
    revision: impl Into<Option<i64>>,
    draft: FlagDraft,
) -> Result<FlagState> {
    ctx.authorize(Action::ManageProvider)?;
    let before = flag::find(&ctx.db, ctx.workspace(), id).await?.ok_or(Error::NotFound("flag"))?;
    let revision = revision.into().unwrap_or(before.revision);
    check(ctx, &draft, &before.audience).await?;
    let mut tx = ctx.db.begin().await?;
    let changed = flag::update(&mut tx, ctx.workspace(), (id, revision), &draft, ctx.clock.now()).await;
    // A revision that was not the one that was read a moment ago is none that the change could be told of.
    if !unless_taken(changed, "flag", &draft.name)? || revision != before.revision {
        return Err(Error::changed_meanwhile("flag", before.revision, revision));
    }
    if draft.name != before.name {
        refuse_while_named(ctx, &mut tx, &before.name, "get another name").await?;
    }
    note(ctx, &mut tx, id, (Some(before.draft()), Some(draft))).await?;
    tx.commit().await?;
    tracing::info!(flag = %id, by = %ctx.actor.principal, "a flag was changed");
    get_flag(ctx, id).await
}

/// Deletes a flag that no route names.
///
/// # Errors
/// [`Error::Conflict`] with the routes that name it; [`Error::NotFound`].
pub async fn delete_flag(ctx: &Ctx, id: FlagId) -> Result<()> {
    ctx.authorize(Action::ManageProvider)?;
    let mut tx = ctx.db.begin().await?;
    let gone = flag::delete(&mut tx, ctx.workspace(), id).await?.ok_or(Error::NotFound("flag"))?;
    refuse_while_named(ctx, &mut tx, &gone.name, "be deleted").await?;
    note(ctx, &mut tx, id, (Some(gone.draft()), None)).await?;
    tx.commit().await?;
    tracing::info!(flag = %id, by = %ctx.actor.principal, "a flag was deleted");
    Ok(())
}

/// Who changed what of the flags, newest first; of a workspace the newest 1000.
///
/// # Errors
/// [`Error::Denied`], [`Error::Invalid`] for a cursor that is none of ours.
pub async fn list_flag_changes(ctx: &Ctx, page: &PageRequest) -> Result<Page<FlagChange>> {
    ctx.authorize(Action::ReadProvider)?;
    let before = super::usage::cursor(page)?;
    let limit = page.limit();
    let changes = flag::list_changes(&ctx.db, ctx.workspace(), before, limit + 1).await?;
    Ok(Page::cut(changes, limit, |change| change.id.to_string()))
}

/// Keeps the flags that a route names from going before it is saved.
///
/// # Errors
/// [`Error::Invalid`] for a flag that is nowhere.
pub(super) async fn hold(ctx: &Ctx, tx: &mut Tx, route: &RouteDraft) -> Result<()> {
    // In one order, so that two who save routes wait for each other instead of locking each other out.
    let mut named: Vec<(&str, usize)> =
        route.targets.iter().enumerate().filter_map(|(place, target)| Some((target.flag.as_deref()?, place))).collect();
    named.sort_unstable();
    let mut unknown = Vec::new();
    for (name, place) in named {
        if !flag::hold(tx, ctx.workspace(), name).await? {
            unknown
                .push((place, FieldError::new(format!("/targets/{place}/flag"), format!("no flag is called {name}"))));
        }
    }
    unknown.sort_by_key(|(place, _)| *place);
    if unknown.is_empty() { Ok(()) } else { Err(Error::Invalid(unknown.into_iter().map(|(_, field)| field).collect())) }
}

fn state(flag: Flag, routes: &[Route]) -> FlagState {
    let routes = naming(routes, &flag.name);
    FlagState { flag, routes }
}

/// The routes that have a model behind a flag.
fn naming(routes: &[Route], flag: &str) -> Vec<String> {
    let names = |route: &&Route| route.targets.iter().any(|target| target.flag.as_deref() == Some(flag));
    routes.iter().filter(names).map(|route| route.name.clone()).collect()
}

async fn refuse_while_named(ctx: &Ctx, tx: &mut Tx, name: &str, what: &str) -> Result<()> {
    let routes = naming(&route::list_within(tx, ctx.workspace()).await?, name);
    if routes.is_empty() {
        return Ok(());
    }
    let which = if routes.len() == 1 { "the route" } else { "the routes" };
    Err(Error::Conflict(format!("the flag {name} can't {what} while {which} {} names it", routes.join(", "))))
}

/// Whoever is named must be of the workspace; who was named before may be gone by now.
async fn check(ctx: &Ctx, draft: &FlagDraft, before: &FlagAudience) -> Result<()> {
    validate::flag(draft)?;
    let known = ids(before);
    let mut unknown = Vec::new();
    for (list, place, named, id) in ids(&draft.audience) {
        let is_known = known.iter().any(|(_, _, other, known)| (*other, *known) == (named, id));
        if !is_known && !flag::knows(&ctx.db, ctx.workspace(), named, id).await? {
            let what = match named {
                Named::User => "person",
                Named::Agent => "agent",
                Named::Key => "key",
            };
            unknown.push(FieldError::new(format!("/audience/{list}/{place}"), format!("no such {what}")));
        }
    }
    if unknown.is_empty() { Ok(()) } else { Err(Error::Invalid(unknown)) }
}

/// Everybody who is named by an id: in which list, and where.
fn ids(audience: &FlagAudience) -> Vec<(&'static str, usize, Named, Uuid)> {
    let users = audience.users.iter().map(|id| id.0).enumerate().map(|(at, id)| ("users", at, Named::User, id));
    let agents = audience.agents.iter().map(|id| id.0).enumerate().map(|(at, id)| ("agents", at, Named::Agent, id));
    let keys = audience.keys.iter().map(|id| id.0).enumerate().map(|(at, id)| ("keys", at, Named::Key, id));
    users.chain(agents).chain(keys).collect()
}

/// Notes who changed what.
async fn note(
    ctx: &Ctx,
    tx: &mut Tx,
    id: FlagId,
    (before, after): (Option<FlagDraft>, Option<FlagDraft>),
) -> Result<()> {
    let name = after.as_ref().or(before.as_ref()).map(|draft| draft.name.clone()).unwrap_or_default();
    let by = match &ctx.actor.principal {
        Principal::User { name, .. } | Principal::Key { name, .. } => name.clone(),
        Principal::OnBehalf { .. } | Principal::System => String::new(),
    };
    let change = FlagChange {
        id: ctx.ids.fresh(),
        flag_id: id,
        name,
        at: ctx.clock.now(),
        user_id: ctx.actor.principal.user_id(),
        by,
        before,
        after,
    };
    Ok(flag::note(tx, ctx.workspace(), &change, KEPT_CHANGES).await?)
}
