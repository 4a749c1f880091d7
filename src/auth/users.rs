//! The people of a workspace, and one's own account.

use super::error::{Error, Result};
use super::limit::{self, Limit};
use super::login_session::person;
use super::revocation::{self, Revoked};
use super::store::{invites, login_sessions, users};
use super::{password, text};
use crate::db::Tx;
use crate::model::auth::{Action, Me, Role, User};
use crate::model::credentials::{Password, PasswordChange};
use crate::model::{Page, PageRequest, UserId, WorkspaceId};
use crate::runtime::{Ctx, Runtime};

/// The person who asks, and what they may do.
///
/// # Errors
/// [`Error::NotAPerson`].
pub async fn get_me(ctx: &Ctx) -> Result<Me> {
    let (user, _) = person(ctx)?;
    users::find_me(&ctx.db, ctx.workspace(), user).await?.ok_or(Error::NotAPerson)
}

/// The role that a person of a workspace has now, for what is done in their name while they are away. `None` when they were disabled or
/// are not here.
///
/// # Errors
/// When the database fails.
pub async fn role_now(runtime: &Runtime, workspace: WorkspaceId, id: UserId) -> Result<Option<Role>> {
    let mut tx = runtime.db.begin().await?;
    let user = users::find(&mut tx, workspace, id).await?;
    Ok(user.filter(|user| !user.disabled).map(|user| user.role))
}

/// The people of the workspace in the order they joined.
///
/// # Errors
/// [`Error::Denied`]; [`Error::Invalid`] for a foreign cursor.
pub async fn list_users(ctx: &Ctx, page: &PageRequest) -> Result<Page<User>> {
    ctx.authorize(Action::ReadUser)?;
    let after = match &page.cursor {
        Some(cursor) => {
            cursor.parse().map_err(|_| Error::invalid("cursor", "expected the `next` of the page before"))?
        }
        None => UserId(uuid::Uuid::nil()),
    };
    let limit = page.limit();
    let items = users::list(&ctx.db, ctx.workspace(), after, i64::from(limit) + 1).await?;
    Ok(Page::cut(items, limit, |user| user.id.to_string()))
}

/// The person with this e-mail address.
///
/// # Errors
/// [`Error::Denied`]; [`Error::Invalid`] at `/email`; [`Error::NotFound`].
pub async fn find_user(ctx: &Ctx, email: &str) -> Result<User> {
    ctx.authorize(Action::ReadUser)?;
    let email = text::email("/email", email)?;
    users::find_by_email(&ctx.db, ctx.workspace(), &email).await?.ok_or(Error::NotFound("user"))
}

/// Gives a person another role. Only owners give and take the role of owner; the last active owner keeps it.
/// What the person has open is closed, so that nothing goes on under the old role.
///
/// # Errors
/// [`Error::Denied`], [`Error::NotFound`], [`Error::LastOwner`].
pub async fn change_role(ctx: &Ctx, id: UserId, role: Role) -> Result<User> {
    ctx.authorize(Action::ManageUser)?;
    let (mut tx, mut user) = lock_user(ctx, id).await?;
    if role == Role::Owner || user.role == Role::Owner {
        ctx.authorize(Action::ManageOwner)?;
    }
    if user.role == role {
        return Ok(user);
    }
    if role != Role::Owner {
        keep_an_owner(ctx, &mut tx, &user).await?;
    }
    users::update_role(&mut tx, id, role).await?;
    if role > user.role {
        invites::delete_made_by(&mut tx, id).await?;
    }
    tx.commit().await?;
    tracing::info!(by = %ctx.actor.principal, user = %id, from = user.role.as_str(), to = role.as_str(), "role changed");
    revocation::publish(ctx, Revoked::User(id));
    user.role = role;
    Ok(user)
}

/// Shuts a person out: every login session, token and open invitation of theirs is dead at once.
///
/// # Errors
/// [`Error::Denied`], [`Error::NotFound`], [`Error::Yourself`], [`Error::LastOwner`].
pub async fn disable_user(ctx: &Ctx, id: UserId) -> Result<User> {
    ctx.authorize(Action::ManageUser)?;
    if ctx.actor.principal.user_id() == Some(id) {
        return Err(Error::Yourself);
    }
    let (mut tx, mut user) = lock_user(ctx, id).await?;
    if user.role == Role::Owner {
        ctx.authorize(Action::ManageOwner)?;
    }
    keep_an_owner(ctx, &mut tx, &user).await?;
    users::update_disabled(&mut tx, id, true).await?;
    login_sessions::delete_all_of(&mut tx, id, None).await?;
    invites::delete_made_by(&mut tx, id).await?;
    tx.commit().await?;
    tracing::info!(by = %ctx.actor.principal, user = %id, "user disabled");
    revocation::publish(ctx, Revoked::User(id));
    user.disabled = true;
    Ok(user)
}

/// Lets a disabled person sign in again.
///
/// # Errors
/// [`Error::Denied`], [`Error::NotFound`].
pub async fn enable_user(ctx: &Ctx, id: UserId) -> Result<User> {
    ctx.authorize(Action::ManageUser)?;
    let (mut tx, mut user) = lock_user(ctx, id).await?;
    if user.role == Role::Owner {
        ctx.authorize(Action::ManageOwner)?;
    }
    if !user.disabled {
        return Ok(user);
    }
    users::update_disabled(&mut tx, id, false).await?;
    tx.commit().await?;
    tracing::info!(by = %ctx.actor.principal, user = %id, "user enabled");
    user.disabled = false;
    Ok(user)
}

/// Changes one's own password, which must be given again; every other login session ends.
///
/// # Errors
/// [`Error::Invalid`] at `/current` for a wrong one and at `/new` for one that is refused; [`Error::Limited`].
pub async fn change_password(ctx: &Ctx, change: &PasswordChange) -> Result<()> {
    let (user, session) = person(ctx)?;
    let account = users::find_account_of(&ctx.db, ctx.workspace(), user).await?.ok_or(Error::NotAPerson)?;
    limit::count(ctx, Limit::Account, &account.email)?;
    if !password::verify(ctx, &change.current, Some(&account.password_hash)).await? {
        tracing::warn!(%user, "password change refused: wrong current password");
        return Err(Error::invalid("/current", "this is not your current password"));
    }
    password::check("/new", &change.new, &account.email, &account.name)?;
    let hash = password::hash(ctx, &change.new).await?;
    let mut tx = ctx.db.begin().await?;
    let epoch = users::update_password(&mut tx, &account, &hash).await?;
    let epoch = epoch.ok_or_else(|| Error::invalid("/current", "the password was changed meanwhile; sign in again"))?;
    let ended = login_sessions::delete_all_of(&mut tx, user, Some(session)).await?;
    login_sessions::update_epoch(&mut tx, session, epoch).await?;
    tx.commit().await?;
    tracing::info!(%user, ended = ended.len(), "password changed");
    for id in ended {
        revocation::publish(ctx, Revoked::Session(id));
    }
    Ok(())
}

/// Gives a person a new password without the old one; everything they have open ends. For whoever runs the server, when
/// nobody can sign in any more: a person who could do this could become any other.
///
/// # Errors
/// [`Error::OperatorOnly`] for a person; [`Error::NotFound`]; [`Error::Invalid`] at `/password`.
pub async fn reset_password(ctx: &Ctx, id: UserId, new: &Password) -> Result<()> {
    if ctx.actor.principal.user_id().is_some() {
        return Err(Error::OperatorOnly);
    }
    let account = users::find_account_of(&ctx.db, ctx.workspace(), id).await?.ok_or(Error::NotFound("user"))?;
    password::check("/password", new, &account.email, &account.name)?;
    let hash = password::hash(ctx, new).await?;
    let mut tx = ctx.db.begin().await?;
    let epoch = users::update_password(&mut tx, &account, &hash).await?;
    epoch.ok_or_else(|| Error::invalid("/password", "the password was changed meanwhile; nothing was reset"))?;
    login_sessions::delete_all_of(&mut tx, id, None).await?;
    tx.commit().await?;
    tracing::info!(by = %ctx.actor.principal, user = %id, "password reset");
    revocation::publish(ctx, Revoked::User(id));
    Ok(())
}

/// Changes one's own name.
///
/// # Errors
/// [`Error::Invalid`] at `/name`.
pub async fn change_name(ctx: &Ctx, name: &str) -> Result<Me> {
    let (user, _) = person(ctx)?;
    let name = text::name("/name", name)?;
    let mut tx = ctx.db.begin().await?;
    users::update_name(&mut tx, ctx.workspace(), user, &name).await?;
    tx.commit().await?;
    get_me(ctx).await
}

/// The person, in a transaction that no other change to the workspace's people can overtake.
async fn lock_user(ctx: &Ctx, id: UserId) -> Result<(Tx, User)> {
    let mut tx = ctx.db.begin().await?;
    users::lock_workspace(&mut tx, ctx.workspace()).await?;
    let user = users::find(&mut tx, ctx.workspace(), id).await?.ok_or(Error::NotFound("user"))?;
    Ok((tx, user))
}

/// Refuses to take the last active owner away. Asked under the workspace's lock.
async fn keep_an_owner(ctx: &Ctx, tx: &mut Tx, user: &User) -> Result<()> {
    let is_active_owner = user.role == Role::Owner && !user.disabled;
    if is_active_owner && users::count_other_owners(tx, ctx.workspace(), user.id).await? == 0 {
        return Err(Error::LastOwner);
    }
    Ok(())
}
