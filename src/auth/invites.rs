//! Invitations: a one-time link that lets a person make an account in the workspace.

use super::error::{Error, Result};
use super::limit::{self, Limit};
use super::login::{self, BrowserSignIn, Person};
use super::store::users::NewUser;
use super::store::{invites, users};
use super::{Client, password, text, token};
use crate::db::{self, Tx};
use crate::model::InviteId;
use crate::model::auth::{Action, Invite, Role};
use crate::model::credentials::{InviteAcceptance, InviteMade, InvitePreview, InviteRequest, Secret, Tokens};
use crate::runtime::{Ctx, Runtime};

/// How long a link works.
const LIFETIME_MS: i64 = 7 * 24 * 60 * 60 * 1000;
/// Invitations that may be open at once in a workspace.
const MAX_OPEN: i64 = 200;

/// Invites a person. The link is in the answer and nowhere else; a new one for the same address replaces the old one.
///
/// # Errors
/// [`Error::Denied`], [`Error::RoleAbove`], [`Error::Invalid`], [`Error::Member`], [`Error::TooManyInvites`].
pub async fn invite(ctx: &Ctx, request: &InviteRequest) -> Result<InviteMade> {
    ctx.authorize(Action::ManageUser)?;
    may_give(ctx, request.role)?;
    let email = text::email("/email", &request.email)?;
    let secret = ctx.ids.secret();
    let now = ctx.clock.now();
    let invite = Invite {
        id: ctx.ids.fresh(),
        email,
        role: request.role,
        expires_at: now.plus_ms(LIFETIME_MS),
        created_at: now,
    };
    let mut tx = ctx.db.begin().await?;
    users::lock_workspace(&mut tx, ctx.workspace()).await?;
    if users::is_member(&mut tx, ctx.workspace(), &invite.email).await? {
        return Err(Error::Member(invite.email));
    }
    let by = ctx.actor.principal.user_id();
    invites::replace(&mut tx, ctx.workspace(), &invite, &token::digest(&secret), by).await?;
    if invites::count(&mut tx, ctx.workspace(), now).await? > MAX_OPEN {
        return Err(Error::TooManyInvites(MAX_OPEN));
    }
    tx.commit().await?;
    tracing::info!(by = %ctx.actor.principal, invite = %invite.id, role = invite.role.as_str(), "invited");
    let link = format!("{}/invite?token={secret}", ctx.config.public_url);
    Ok(InviteMade { invite, link })
}

/// The open invitations, newest first.
///
/// # Errors
/// [`Error::Denied`].
pub async fn list_invites(ctx: &Ctx) -> Result<Vec<Invite>> {
    ctx.authorize(Action::ManageUser)?;
    Ok(invites::list(&ctx.db, ctx.workspace(), ctx.clock.now()).await?)
}

/// Withdraws an invitation; its link is dead.
///
/// # Errors
/// [`Error::Denied`], [`Error::RoleAbove`], [`Error::NotFound`].
pub async fn delete_invite(ctx: &Ctx, id: InviteId) -> Result<()> {
    ctx.authorize(Action::ManageUser)?;
    let mut tx = ctx.db.begin().await?;
    let role = invites::find_role(&mut tx, ctx.workspace(), id).await?.ok_or(Error::NotFound("invitation"))?;
    may_give(ctx, role)?;
    if !invites::delete(&mut tx, ctx.workspace(), id).await? {
        return Err(Error::NotFound("invitation"));
    }
    tx.commit().await?;
    tracing::info!(by = %ctx.actor.principal, invite = %id, "invitation withdrawn");
    Ok(())
}

/// What the holder of a link may know of the invitation.
///
/// # Errors
/// [`Error::InviteToken`], [`Error::Limited`].
pub async fn find_invite(runtime: &Runtime, client: &Client, secret: &Secret) -> Result<InvitePreview> {
    limit::count(runtime, Limit::Address, &client.address)?;
    let found = invites::find_preview(&runtime.db, &token::digest(&secret.0), runtime.clock.now()).await?;
    found.ok_or(Error::InviteToken)
}

/// Accepts an invitation: makes the account and signs the browser in. The link works once.
///
/// # Errors
/// [`Error::InviteToken`], [`Error::Invalid`], [`Error::EmailTaken`], [`Error::Limited`].
pub async fn accept_invite(runtime: &Runtime, client: &Client, acceptance: &InviteAcceptance) -> Result<BrowserSignIn> {
    let (mut tx, person) = accept(runtime, client, acceptance).await?;
    let sign_in = login::begin_browser(runtime, &mut tx, client, person).await?;
    tx.commit().await?;
    Ok(sign_in)
}

/// Accepts an invitation: makes the account and gives the client tokens.
///
/// # Errors
/// As [`accept_invite`].
pub async fn accept_invite_for_tokens(
    runtime: &Runtime,
    client: &Client,
    acceptance: &InviteAcceptance,
) -> Result<Tokens> {
    let (mut tx, person) = accept(runtime, client, acceptance).await?;
    let tokens = login::begin_tokens(runtime, &mut tx, client, person).await?;
    tx.commit().await?;
    Ok(tokens)
}

async fn accept(runtime: &Runtime, client: &Client, acceptance: &InviteAcceptance) -> Result<(Tx, Person)> {
    let preview = find_invite(runtime, client, &acceptance.token).await?;
    let name = text::name("/name", &acceptance.name)?;
    password::check("/password", &acceptance.password, &preview.email, &name)?;
    let password_hash = password::hash(runtime, &acceptance.password).await?;
    let now = runtime.clock.now();
    let mut tx = runtime.db.begin().await?;
    let taken = invites::take(&mut tx, &token::digest(&acceptance.token.0), now).await?;
    let (workspace, email, role) = taken.ok_or(Error::InviteToken)?;
    let user = NewUser {
        id: runtime.ids.fresh(),
        workspace,
        email: &email,
        name: &name,
        role,
        password_hash: &password_hash,
        now,
    };
    users::create(&mut tx, &user).await.map_err(|error| match error {
        db::Error::Duplicate(_) => Error::EmailTaken,
        other => other.into(),
    })?;
    tracing::info!(user = %user.id, role = role.as_str(), address = client.address, "invitation accepted");
    Ok((tx, Person { id: user.id, workspace, epoch: 0 }))
}

/// Refuses to give a role above one's own, and the role of owner by anyone else than an owner.
fn may_give(ctx: &Ctx, role: Role) -> Result<()> {
    if role == Role::Owner {
        ctx.authorize(Action::ManageOwner)?;
    }
    if role < ctx.actor.role {
        return Err(Error::RoleAbove(role.label()));
    }
    Ok(())
}
