//! Who may read and change which entries.
//!
//! The decision is [`Reach`], pure. Every use-case that reads begins with [`reading`], every one that writes with [`writing`] in place of
//! `ctx.authorize`, and the functions of the store that give entries to somebody take the reach that these gave: what lies beyond it is
//! left out by the database, so that lists are whole and counts are right, and by the index before it ranks. For who may not read a place
//! there is nothing there (404). Owners and the program itself reach everything; nobody asks the database for them.
//!
//! What a run's steps do is done for whoever started it, and reaches no further than anybody who shaped what the run does ([`acting`]). What starts by itself has the reach of a builder whom no rule names:
//! that is the least who can make something start by itself, so nobody reaches further by it.

use serde_json::json;

use super::{Error, store, validate};
use crate::auth;
use crate::db;
use crate::model::auth::{Action, Role};
use crate::model::live::Topic;
use crate::model::memory::{Access, AccessRule, Asker, MAX_ACCESS_RULES, Reach};
use crate::model::{ApiError, FieldError, UserId};
use crate::runtime::{Actor, Ctx, Principal};

/// The kind of change that is told to everybody in a workspace when rules change: how far one reaches is asked anew.
pub const ACCESS_CHANGED: &str = "access_changed";

/// How far who asks reaches, for reading. Stands before anything is returned.
///
/// # Errors
/// When the role doesn't allow reading at all, or the database fails.
pub async fn reading(ctx: &Ctx) -> Result<Reach, Error> {
    ctx.authorize(Action::ReadMemory)?;
    Ok(reach(ctx).await?)
}

/// Refuses who may not change entries of a namespace. Stands before anything is changed there.
///
/// # Errors
/// [`Error::NoNamespace`] for who may not read it; [`Error::ReadOnly`] for who may.
pub(super) async fn writing(ctx: &Ctx, namespace: &str) -> Result<Reach, Error> {
    ctx.authorize(Action::WriteMemory)?;
    let reach = reach(ctx).await?;
    match (reach.may_read(namespace), reach.may_write(namespace)) {
        (true, true) => Ok(reach),
        (true, false) => Err(Error::ReadOnly { namespace: namespace.to_owned() }),
        (false, _) => Err(Error::NoNamespace),
    }
}

/// How far who asks reaches, whatever else their role allows.
pub(super) async fn reach(ctx: &Ctx) -> db::Result<Reach> {
    let me = Asker { role: ctx.actor.role, user: ctx.actor.principal.acts_for() };
    let others = ctx.actor.principal.shaped_by().iter().map(|(user, role)| Asker { role: *role, user: *user });
    let kept_out: Vec<Asker> = std::iter::once(me).chain(others).filter(|asker| asker.role != Role::Owner).collect();
    if kept_out.is_empty() {
        return Ok(Reach::everything());
    }
    let rules = store::access_rules(&ctx.db, ctx.workspace()).await?;
    Ok(kept_out.into_iter().fold(Reach::everything(), |reach, asker| reach.intersect(&Reach::of(&rules, asker))))
}

/// Whether anybody has said in this workspace who may read and change what.
///
/// # Errors
/// When the database fails.
pub async fn is_governed(ctx: &Ctx) -> Result<bool, Error> {
    Ok(store::has_access_rules(&ctx.db, ctx.workspace()).await?)
}

/// A context for what a run does with memory: that of whoever started it, with the role that they have now, which reaches no further
/// than anybody who shaped what the run does, `None` for those of whom nobody knows any more. Where nobody has said who may read what,
/// the program's own.
///
/// Of a person who is gone it has the least role that starts runs, and no name; of what starts by itself see the module.
///
/// # Errors
/// When the database fails.
pub async fn acting(ctx: &Ctx, started_by: Option<UserId>, shaped_by: &[Option<UserId>]) -> Result<Ctx, Error> {
    if !is_governed(ctx).await? {
        return Ok(ctx.clone());
    }
    let (id, role) = match started_by {
        Some(id) => standing(ctx, Some(id)).await?,
        None => (None, ctx.runtime().unattended(ctx.workspace()).actor.role),
    };
    let mut others = Vec::new();
    for user in shaped_by {
        if user.is_none() || *user != started_by {
            others.push(standing(ctx, *user).await?);
        }
    }
    let principal = Principal::OnBehalf { id, shaped_by: others.into() };
    let actor = Actor { workspace: ctx.workspace(), principal, role };
    Ok(ctx.runtime().as_actor(actor, ctx.trace_id.clone()))
}

/// Somebody with the role that they have now; who is gone has no name and the least role that starts runs.
async fn standing(ctx: &Ctx, user: Option<UserId>) -> Result<(Option<UserId>, Role), Error> {
    let Some(id) = user else { return Ok((None, Role::Operator)) };
    let now = auth::role_now(ctx.runtime(), ctx.workspace(), id).await;
    let now = now.map_err(|error| Error::Asker(ApiError::from(error)))?;
    Ok(now.map_or((None, Role::Operator), |role| (Some(id), role)))
}

/// The rules of the workspace, by path: for who administers memory.
///
/// # Errors
/// When the role doesn't allow it, or the database fails.
pub async fn list_access(ctx: &Ctx) -> Result<Vec<AccessRule>, Error> {
    ctx.authorize(Action::ManageProvider)?;
    Ok(store::access_rules(&ctx.db, ctx.workspace()).await?)
}

/// Says who may read and change the entries of a namespace and all below it, in place of what was said before. It holds at once.
///
/// # Errors
/// [`Error::Invalid`] for what doesn't fit, for people who are not here, and where there are 100 rules for other namespaces.
pub async fn allow(ctx: &Ctx, path: &str, access: Access) -> Result<AccessRule, Error> {
    ctx.authorize(Action::ManageProvider)?;
    let access = access.tidied();
    let mut wrong: Vec<FieldError> = validate::namespace(path).err().into_iter().collect();
    wrong.extend(access.check());
    if wrong.is_empty() {
        wrong = strangers(ctx, &access).await?;
    }
    if !wrong.is_empty() {
        return Err(Error::Invalid(wrong));
    }
    let (workspace, now) = (ctx.workspace(), ctx.clock.now());
    let by = ctx.actor.principal.user_name();
    let mut tx = ctx.db.begin().await?;
    // Whoever makes rules takes turns.
    store::next_change(&mut tx, workspace).await?;
    if store::count_access_rules(&mut tx, workspace, path).await? >= MAX_ACCESS_RULES {
        let expected = format!("expected at most {MAX_ACCESS_RULES} rules in a workspace; change or remove one");
        return Err(Error::Invalid(vec![FieldError::new("/read", expected)]));
    }
    store::put_access(&mut tx, workspace, path, &access, (by, now)).await?;
    tx.commit().await?;
    let Access { read, write } = access;
    tracing::info!(namespace = path, ?read, ?write, by = %ctx.actor.principal, "who may read and change memory was changed");
    tell(ctx);
    Ok(AccessRule { path: path.to_owned(), read, write, set_by: by.map(str::to_owned), set_at: now })
}

/// The people of a rule who are not in the workspace.
async fn strangers(ctx: &Ctx, access: &Access) -> Result<Vec<FieldError>, Error> {
    let mut wrong = Vec::new();
    for (field, users) in [("read", &access.read.users), ("write", &access.write.users)] {
        for (at, user) in users.iter().enumerate() {
            let known = auth::role_now(ctx.runtime(), ctx.workspace(), *user).await;
            if known.map_err(|error| Error::Asker(ApiError::from(error)))?.is_none() {
                let expected = "expected somebody who is in the workspace and not disabled";
                wrong.push(FieldError::new(format!("/{field}/users/{at}"), expected));
            }
        }
    }
    Ok(wrong)
}

/// Removes the rule of a namespace: what a rule above says holds again, or what roles allow.
///
/// # Errors
/// [`Error::NoAccessRule`].
pub async fn allow_by_role(ctx: &Ctx, path: &str) -> Result<(), Error> {
    ctx.authorize(Action::ManageProvider)?;
    let mut tx = ctx.db.begin().await?;
    store::next_change(&mut tx, ctx.workspace()).await?;
    if !store::delete_access(&mut tx, ctx.workspace(), path).await? {
        return Err(Error::NoAccessRule);
    }
    tx.commit().await?;
    tracing::info!(namespace = path, by = %ctx.actor.principal, "a rule of who may read and change memory was removed");
    tell(ctx);
    Ok(())
}

/// Tells everybody who watches, without saying where.
fn tell(ctx: &Ctx) {
    ctx.events.publish(ctx.workspace(), Topic::Memory(String::new()), ACCESS_CHANGED, json!({}));
}
