//! Login sessions: browsers' cookies and families of refresh tokens.

use sqlx::{query, query_as, query_scalar};

use super::role;
use crate::db::{self, Db, Result, Tx};
use crate::model::auth::{LoginKind, LoginSession, Role};
use crate::model::{LoginSessionId, Timestamp, UserId, WorkspaceId};
use crate::{read, within};

/// A login session that holds now, with its person.
#[derive(Debug, Clone)]
pub(in crate::auth) struct Held {
    pub(in crate::auth) id: LoginSessionId,
    pub(in crate::auth) workspace: WorkspaceId,
    pub(in crate::auth) user: UserId,
    pub(in crate::auth) name: String,
    pub(in crate::auth) role: Role,
    pub(in crate::auth) epoch: i64,
    pub(in crate::auth) last_seen_at: Timestamp,
}

type HeldRow = (LoginSessionId, WorkspaceId, UserId, String, String, i64, Timestamp);

fn held((id, workspace, user, name, role_text, epoch, last_seen_at): HeldRow) -> Result<Held> {
    Ok(Held { id, workspace, user, name, role: role("app_user", &role_text)?, epoch, last_seen_at })
}

/// A new login session.
#[derive(Debug)]
pub(in crate::auth) struct NewLoginSession<'a> {
    pub(in crate::auth) id: LoginSessionId,
    pub(in crate::auth) workspace: WorkspaceId,
    pub(in crate::auth) user: UserId,
    pub(in crate::auth) kind: LoginKind,
    pub(in crate::auth) secret_hash: Vec<u8>,
    pub(in crate::auth) epoch: i64,
    pub(in crate::auth) user_agent: &'a str,
    pub(in crate::auth) address: &'a str,
    pub(in crate::auth) now: Timestamp,
    pub(in crate::auth) expires_at: Timestamp,
}

/// The points in time that decide whether a login session holds.
#[derive(Debug, Clone, Copy)]
pub(in crate::auth) struct Hold {
    /// It must end later.
    pub(in crate::auth) now: Timestamp,
    /// It must have been used later.
    pub(in crate::auth) idle_since: Timestamp,
}

const fn kind_text(kind: LoginKind) -> &'static str {
    match kind {
        LoginKind::Browser => "browser",
        LoginKind::Token => "token",
    }
}

/// Adds one, and drops the person's least recently used ones beyond `keep`.
pub(in crate::auth) async fn create(tx: &mut Tx, new: &NewLoginSession<'_>, keep: i64) -> Result<()> {
    within!(tx, conn => query(
        "insert into login_session (id, workspace_id, user_id, kind, secret_hash, epoch, user_agent, address, \
         created_at, last_seen_at, expires_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10)",
    ).bind(new.id).bind(new.workspace).bind(new.user).bind(kind_text(new.kind)).bind(new.secret_hash.as_slice())
        .bind(new.epoch).bind(new.user_agent).bind(new.address).bind(new.now).bind(new.expires_at)
        .execute(conn).await.map(drop))?;
    within!(tx, conn => query(
        "delete from login_session where user_id = $1 and id not in \
         (select id from login_session where user_id = $1 order by last_seen_at desc, id desc limit $2)",
    ).bind(new.user).bind(keep).execute(conn).await.map(drop))?;
    Ok(())
}

/// The browser's login session with this secret, if it holds.
pub(in crate::auth) async fn find_by_cookie(db: &Db, secret_hash: &[u8], hold: Hold) -> Result<Option<Held>> {
    let row: Option<HeldRow> = read!(db, conn => query_as(
        "select s.id, s.workspace_id, s.user_id, u.name, u.role, s.epoch, s.last_seen_at \
         from login_session s join app_user u on u.id = s.user_id \
         where s.secret_hash = $1 and s.kind = 'browser' and s.epoch = u.epoch and not u.disabled \
         and s.expires_at > $2 and s.last_seen_at > $3",
    ).bind(secret_hash).bind(hold.now).bind(hold.idle_since).fetch_optional(conn).await)?;
    row.map(held).transpose()
}

/// The login session with this id, if it holds.
pub(in crate::auth) async fn find_held(db: &Db, id: LoginSessionId, hold: Hold) -> Result<Option<Held>> {
    let row: Option<HeldRow> = read!(db, conn => query_as(
        "select s.id, s.workspace_id, s.user_id, u.name, u.role, s.epoch, s.last_seen_at \
         from login_session s join app_user u on u.id = s.user_id \
         where s.id = $1 and s.epoch = u.epoch and not u.disabled and s.expires_at > $2 and s.last_seen_at > $3",
    ).bind(id).bind(hold.now).bind(hold.idle_since).fetch_optional(conn).await)?;
    row.map(held).transpose()
}

/// Notes that it was used, and its person seen.
pub(in crate::auth) async fn touch(tx: &mut Tx, id: LoginSessionId, user: UserId, now: Timestamp) -> Result<()> {
    within!(tx, conn => query("update login_session set last_seen_at = $1 where id = $2 and last_seen_at < $1")
        .bind(now).bind(id).execute(conn).await.map(drop))?;
    within!(tx, conn => query(
        "update app_user set last_seen_at = $1 where id = $2 and (last_seen_at is null or last_seen_at < $1)",
    ).bind(now).bind(user).execute(conn).await.map(drop))?;
    Ok(())
}

/// Exchanges the refresh token's digest for the next one. `None` when the old one is not the newest, or the session
/// doesn't hold; gives the person and the epoch.
pub(in crate::auth) async fn rotate(
    tx: &mut Tx,
    id: LoginSessionId,
    (old, new): (&[u8], &[u8]),
    hold: Hold,
) -> Result<Option<(UserId, i64)>> {
    Ok(within!(tx, conn => query_as(
        "update login_session set secret_hash = $1, last_seen_at = $2 \
         where id = $3 and secret_hash = $4 and kind = 'token' and expires_at > $2 and last_seen_at > $5 \
         and exists (select 1 from app_user u where u.id = user_id and u.epoch = login_session.epoch and not u.disabled) \
         returning user_id, epoch",
    ).bind(new).bind(hold.now).bind(id).bind(old).bind(hold.idle_since).fetch_optional(conn).await)?)
}

/// Ends one, whoever's it is. Whether it was there.
pub(in crate::auth) async fn delete(tx: &mut Tx, id: LoginSessionId) -> Result<bool> {
    let done = within!(tx, conn => query("delete from login_session where id = $1")
        .bind(id).execute(conn).await.map(|done| done.rows_affected()))?;
    Ok(done == 1)
}

/// Ends the browser's one with this secret; gives its id.
pub(in crate::auth) async fn delete_by_cookie(tx: &mut Tx, secret_hash: &[u8]) -> Result<Option<LoginSessionId>> {
    Ok(within!(tx, conn => query_scalar(
        "delete from login_session where secret_hash = $1 and kind = 'browser' returning id",
    ).bind(secret_hash).fetch_optional(conn).await)?)
}

/// Ends one of a person's own. Whether it was there.
pub(in crate::auth) async fn delete_own(tx: &mut Tx, user: UserId, id: LoginSessionId) -> Result<bool> {
    let done = within!(tx, conn => query("delete from login_session where id = $1 and user_id = $2")
        .bind(id).bind(user).execute(conn).await.map(|done| done.rows_affected()))?;
    Ok(done == 1)
}

/// Ends all of a person's, but `except`; gives those that ended.
pub(in crate::auth) async fn delete_all_of(
    tx: &mut Tx,
    user: UserId,
    except: Option<LoginSessionId>,
) -> Result<Vec<LoginSessionId>> {
    // No session has the nil id, so that it excepts nothing.
    let except = except.unwrap_or(LoginSessionId(uuid::Uuid::nil()));
    Ok(within!(tx, conn => query_scalar("delete from login_session where user_id = $1 and id <> $2 returning id")
        .bind(user).bind(except).fetch_all(conn).await)?)
}

/// Carries one over into the person's new epoch.
pub(in crate::auth) async fn update_epoch(tx: &mut Tx, id: LoginSessionId, epoch: i64) -> Result<()> {
    within!(tx, conn => query("update login_session set epoch = $1 where id = $2")
        .bind(epoch).bind(id).execute(conn).await.map(drop))?;
    Ok(())
}

/// A person's own that hold, most recently used first.
pub(in crate::auth) async fn list_own(db: &Db, user: UserId, hold: Hold) -> Result<Vec<LoginSession>> {
    let rows: Vec<(LoginSessionId, String, String, String, Timestamp, Timestamp, Timestamp)> = read!(db, conn => query_as(
        "select s.id, s.kind, s.user_agent, s.address, s.created_at, s.last_seen_at, s.expires_at \
         from login_session s join app_user u on u.id = s.user_id and u.epoch = s.epoch \
         where s.user_id = $1 and s.expires_at > $2 and s.last_seen_at > $3 \
         order by s.last_seen_at desc, s.id desc",
    ).bind(user).bind(hold.now).bind(hold.idle_since).fetch_all(conn).await)?;
    rows.into_iter()
        .map(|(id, kind, user_agent, address, created_at, last_seen_at, expires_at)| {
            let kind = match kind.as_str() {
                "browser" => LoginKind::Browser,
                "token" => LoginKind::Token,
                other => return Err(db::Error::inconsistent("login_session", "kind", other)),
            };
            Ok(LoginSession { id, kind, user_agent, address, created_at, last_seen_at, expires_at, current: false })
        })
        .collect()
}

/// Forgets those that ended by time.
pub(in crate::auth) async fn purge(tx: &mut Tx, hold: Hold) -> Result<u64> {
    Ok(within!(tx, conn => query("delete from login_session where expires_at <= $1 or last_seen_at <= $2")
        .bind(hold.now).bind(hold.idle_since).execute(conn).await.map(|done| done.rows_affected()))?)
}
