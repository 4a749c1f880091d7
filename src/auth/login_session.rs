//! Who asks, from a cookie or an access token; and one's own list of sign-ins.

use super::error::{Error, Result};
use super::revocation::{self, Revoked};
use super::store::login_sessions::{self as sessions, Held, Hold};
use super::token;
use crate::model::auth::LoginSession;
use crate::model::{LoginSessionId, UserId};
use crate::runtime::{Actor, Ctx, Principal, Runtime};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// A login session ends when it was not used for this long.
pub const IDLE_MS: i64 = 14 * DAY_MS;
/// A login session ends this long after signing in, used or not.
pub const ABSOLUTE_MS: i64 = 30 * DAY_MS;
/// Login sessions that one person may have at once; the least recently used give way.
pub const MAX_LOGIN_SESSIONS: i64 = 50;
/// "Last seen" is noted at most this often.
const TOUCH_MS: i64 = 60 * 1000;
/// Longest cookie value that is looked at; ours have 43 characters.
const MAX_COOKIE_BYTES: usize = 128;

pub(super) fn hold(runtime: &Runtime) -> Hold {
    let now = runtime.clock.now();
    Hold { now, idle_since: now.plus_ms(-IDLE_MS) }
}

/// Who holds this cookie; `None` when nobody does (any more).
///
/// # Errors
/// When the database refuses.
pub async fn authenticate_cookie(runtime: &Runtime, secret: &str) -> Result<Option<Actor>> {
    if secret.len() > MAX_COOKIE_BYTES {
        return Ok(None);
    }
    let held = sessions::find_by_cookie(&runtime.db, &token::digest(secret), hold(runtime)).await?;
    let Some(held) = held else { return Ok(None) };
    touch(runtime, &held).await;
    Ok(Some(actor(held)))
}

/// Who holds this access token; `None` for any that is forged, foreign, expired or revoked.
///
/// # Errors
/// When the database refuses.
pub async fn authenticate_bearer(runtime: &Runtime, access_token: &str) -> Result<Option<Actor>> {
    let Some(claims) = token::read_access(runtime, access_token) else {
        return Ok(None);
    };
    let held = sessions::find_held(&runtime.db, claims.sid, hold(runtime)).await?;
    let Some(held) = held.filter(|held| held.user == claims.sub && held.epoch == claims.epoch) else {
        return Ok(None);
    };
    touch(runtime, &held).await;
    Ok(Some(actor(held)))
}

/// Whether what the actor came with is still worth the same: the login session is there and the role is unchanged.
///
/// # Errors
/// When the database refuses.
pub async fn holds(runtime: &Runtime, actor: &Actor) -> Result<bool> {
    let Principal::User { session, .. } = &actor.principal else {
        return Ok(true);
    };
    let held = sessions::find_held(&runtime.db, *session, hold(runtime)).await?;
    Ok(held.is_some_and(|held| held.role == actor.role && held.workspace == actor.workspace))
}

/// One's own login sessions, most recently used first; the one that asks is marked.
///
/// # Errors
/// [`Error::NotAPerson`].
pub async fn list_login_sessions(ctx: &Ctx) -> Result<Vec<LoginSession>> {
    let (user, current) = person(ctx)?;
    let mut list = sessions::list_own(&ctx.db, user, hold(ctx)).await?;
    for session in &mut list {
        session.current = session.id == current;
    }
    Ok(list)
}

/// Ends one of one's own login sessions, at once and everywhere.
///
/// # Errors
/// [`Error::NotFound`] for an unknown one and for another person's.
pub async fn revoke_login_session(ctx: &Ctx, id: LoginSessionId) -> Result<()> {
    let (user, _) = person(ctx)?;
    let mut tx = ctx.db.begin().await?;
    if !sessions::delete_own(&mut tx, user, id).await? {
        return Err(Error::NotFound("login session"));
    }
    tx.commit().await?;
    tracing::info!(%user, session = %id, "login session revoked");
    revocation::publish(ctx, Revoked::Session(id));
    Ok(())
}

/// Ends all of one's own login sessions but the one that asks. Gives how many ended.
///
/// # Errors
/// [`Error::NotAPerson`].
pub async fn revoke_other_login_sessions(ctx: &Ctx) -> Result<u32> {
    let (user, current) = person(ctx)?;
    let mut tx = ctx.db.begin().await?;
    let ended = sessions::delete_all_of(&mut tx, user, Some(current)).await?;
    tx.commit().await?;
    tracing::info!(%user, count = ended.len(), "other login sessions revoked");
    for id in &ended {
        revocation::publish(ctx, Revoked::Session(*id));
    }
    Ok(u32::try_from(ended.len()).unwrap_or(u32::MAX))
}

/// The person who asks, and through which login session.
pub(super) fn person(ctx: &Ctx) -> Result<(UserId, LoginSessionId)> {
    match &ctx.actor.principal {
        Principal::User { id, session, .. } => Ok((*id, *session)),
        Principal::Key { .. } | Principal::OnBehalf { .. } | Principal::System => Err(Error::NotAPerson),
    }
}

fn actor(held: Held) -> Actor {
    Actor {
        workspace: held.workspace,
        principal: Principal::User { id: held.user, name: held.name, session: held.id },
        role: held.role,
    }
}

/// Notes the use, at most once a minute. A failure is logged and refuses nobody.
async fn touch(runtime: &Runtime, held: &Held) {
    let now = runtime.clock.now();
    if now.ms_since(held.last_seen_at) < TOUCH_MS {
        return;
    }
    let noted = async {
        let mut tx = runtime.db.begin().await?;
        sessions::touch(&mut tx, held.id, held.user, now).await?;
        tx.commit().await
    };
    if let Err(error) = noted.await {
        tracing::warn!(%error, session = %held.id, "the use of a login session was not noted");
    }
}
