//! Signing in and out: a browser gets a cookie, a client gets tokens.

use super::error::{Error, Result};
use super::limit::{self, Limit};
use super::login_session::{ABSOLUTE_MS, MAX_LOGIN_SESSIONS, hold, person};
use super::revocation::{self, Revoked};
use super::store::login_sessions::{self as sessions, NewLoginSession};
use super::store::users::{self, Account};
use super::{Client, password, token};
use crate::db::Tx;
use crate::model::auth::LoginKind;
use crate::model::credentials::{Credentials, Password, Secret, Tokens};
use crate::model::{LoginSessionId, UserId, WorkspaceId};
use crate::runtime::{Ctx, Runtime};

/// The most characters of a user agent that are kept.
const MAX_USER_AGENT_CHARS: usize = 200;
const MAX_ADDRESS_CHARS: usize = 64;

/// A browser that has signed in.
#[derive(Debug, Clone)]
pub struct BrowserSignIn {
    /// The cookie's value; never the same twice, and kept by us as a digest only.
    pub secret: Secret,
    /// Its login session.
    pub session: LoginSessionId,
    /// Who signed in.
    pub user: UserId,
}

/// The person whose login session is begun.
#[derive(Debug, Clone, Copy)]
pub(super) struct Person {
    pub(super) id: UserId,
    pub(super) workspace: WorkspaceId,
    pub(super) epoch: i64,
}

/// Signs a browser in with a new secret. `replaces` is the secret that the browser came with: it ends, so that a planted
/// one is worth nothing (session fixation).
///
/// # Errors
/// [`Error::WrongCredentials`] whatever is wrong with them, [`Error::Limited`], [`Error::Busy`].
pub async fn log_in(
    runtime: &Runtime,
    client: &Client,
    credentials: &Credentials,
    replaces: Option<&str>,
) -> Result<BrowserSignIn> {
    let person = verify(runtime, client, credentials).await?;
    let mut tx = runtime.db.begin().await?;
    let ended = match replaces {
        Some(secret) => sessions::delete_by_cookie(&mut tx, &token::digest(secret)).await?,
        None => None,
    };
    let sign_in = begin_browser(runtime, &mut tx, client, person).await?;
    tx.commit().await?;
    if let Some(ended) = ended {
        revocation::publish(runtime, Revoked::Session(ended));
    }
    tracing::info!(user = %person.id, session = %sign_in.session, address = client.address, "signed in by browser");
    Ok(sign_in)
}

/// Gives a client tokens for credentials: a new family of refresh tokens.
///
/// # Errors
/// As [`log_in`].
pub async fn issue_tokens(runtime: &Runtime, client: &Client, credentials: &Credentials) -> Result<Tokens> {
    let person = verify(runtime, client, credentials).await?;
    let mut tx = runtime.db.begin().await?;
    let tokens = begin_tokens(runtime, &mut tx, client, person).await?;
    tx.commit().await?;
    tracing::info!(user = %person.id, address = client.address, "signed in by token");
    Ok(tokens)
}

/// Exchanges the newest refresh token for new tokens. An older one of ours ends its whole family: either it was stolen,
/// or its thief was faster.
///
/// # Errors
/// [`Error::RefreshRefused`], [`Error::Limited`].
pub async fn refresh(runtime: &Runtime, client: &Client, refresh_token: &Secret) -> Result<Tokens> {
    limit::count(runtime, Limit::Refresh, &client.address)?;
    let session = token::read_refresh(runtime, refresh_token).ok_or(Error::RefreshRefused)?;
    let next = token::new_refresh(runtime, session);
    let mut tx = runtime.db.begin().await?;
    let digests = (token::digest(&refresh_token.0), token::digest(&next.0));
    let rotated = sessions::rotate(&mut tx, session, (&digests.0, &digests.1), hold(runtime)).await?;
    let Some((user, epoch)) = rotated else {
        let ended = sessions::delete(&mut tx, session).await?;
        tx.commit().await?;
        if ended {
            tracing::warn!(%session, address = client.address, "an old refresh token was used; its family is ended");
            revocation::publish(runtime, Revoked::Session(session));
        }
        return Err(Error::RefreshRefused);
    };
    let access_token = token::sign_access(runtime, user, session, epoch)?;
    tx.commit().await?;
    Ok(Tokens { access_token, expires_in: token::ACCESS_SECONDS, refresh_token: next })
}

/// Ends the login session that asks; its cookie, access and refresh tokens are dead at once.
///
/// # Errors
/// [`Error::NotAPerson`].
pub async fn log_out(ctx: &Ctx) -> Result<()> {
    let (user, session) = person(ctx)?;
    let mut tx = ctx.db.begin().await?;
    sessions::delete(&mut tx, session).await?;
    tx.commit().await?;
    tracing::info!(%user, %session, "signed out");
    revocation::publish(ctx, Revoked::Session(session));
    Ok(())
}

/// Begins a browser's login session.
pub(super) async fn begin_browser(
    runtime: &Runtime,
    tx: &mut Tx,
    client: &Client,
    person: Person,
) -> Result<BrowserSignIn> {
    let secret = Secret(runtime.ids.secret());
    let session = runtime.ids.fresh();
    begin(runtime, tx, client, person, (session, LoginKind::Browser, &secret)).await?;
    Ok(BrowserSignIn { secret, session, user: person.id })
}

/// Begins a family of refresh tokens.
pub(super) async fn begin_tokens(runtime: &Runtime, tx: &mut Tx, client: &Client, person: Person) -> Result<Tokens> {
    let session = runtime.ids.fresh();
    let refresh_token = token::new_refresh(runtime, session);
    begin(runtime, tx, client, person, (session, LoginKind::Token, &refresh_token)).await?;
    let access_token = token::sign_access(runtime, person.id, session, person.epoch)?;
    Ok(Tokens { access_token, expires_in: token::ACCESS_SECONDS, refresh_token })
}

async fn begin(
    runtime: &Runtime,
    tx: &mut Tx,
    client: &Client,
    person: Person,
    (id, kind, secret): (LoginSessionId, LoginKind, &Secret),
) -> Result<()> {
    let now = runtime.clock.now();
    let user_agent: String = client.user_agent.chars().filter(|c| !c.is_control()).take(MAX_USER_AGENT_CHARS).collect();
    let address: String = client.address.chars().take(MAX_ADDRESS_CHARS).collect();
    let new = NewLoginSession {
        id,
        workspace: person.workspace,
        user: person.id,
        kind,
        secret_hash: token::digest(&secret.0),
        epoch: person.epoch,
        user_agent: &user_agent,
        address: &address,
        now,
        expires_at: now.plus_ms(ABSOLUTE_MS),
    };
    sessions::create(tx, &new, MAX_LOGIN_SESSIONS).await?;
    sessions::touch(tx, id, person.id, now).await?;
    Ok(())
}

/// Checks credentials. One hash is computed whether the account is known, unknown or disabled.
async fn verify(runtime: &Runtime, client: &Client, credentials: &Credentials) -> Result<Person> {
    let email = credentials.email.trim().to_lowercase();
    limit::count(runtime, Limit::Address, &client.address)
        .and_then(|()| limit::count(runtime, Limit::Account, &email))
        .inspect_err(|error| tracing::warn!(address = client.address, %error, "sign-in refused"))?;
    // Nobody has an address with U+0000, and Postgres can't be asked for it.
    let account = if email.contains('\0') { None } else { users::find_account(&runtime.db, &email).await? };
    let hash = account.as_ref().map(|account| account.password_hash.as_str());
    let fits = password::verify(runtime, &credentials.password, hash).await?;
    let Some(account) = account.filter(|account| fits && !account.disabled) else {
        tracing::warn!(address = client.address, "sign-in refused: wrong credentials");
        return Err(Error::WrongCredentials);
    };
    if password::is_outdated(&account.password_hash) {
        rehash(runtime, &account, &credentials.password).await?;
    }
    Ok(Person { id: account.id, workspace: account.workspace, epoch: account.epoch })
}

/// Keeps the password under today's parameters.
async fn rehash(runtime: &Runtime, account: &Account, password: &Password) -> Result<()> {
    let hash = password::hash(runtime, password).await?;
    let mut tx = runtime.db.begin().await?;
    users::update_hash(&mut tx, account, &hash).await?;
    tx.commit().await?;
    tracing::info!(user = %account.id, "password hash renewed");
    Ok(())
}
