//! The first owner and the workspace: by the printed one-time link, or from the configuration.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use super::error::{Error, Result};
use super::limit::{self, Limit};
use super::login::{self, BrowserSignIn, Person};
use super::store::users::NewUser;
use super::store::{setup, users};
use super::{Client, password, text, token};
use crate::db::Tx;
use crate::model::auth::Role;
use crate::model::credentials::{Password, SetupRequest};
use crate::model::{Timestamp, UserId, WorkspaceId};
use crate::runtime::Runtime;

/// The workspace's name when the configuration makes the owner.
const DEFAULT_WORKSPACE: &str = "Workspace";

/// Prepares identity at start. Without users: makes the owner that the configuration names, or a new one-time token and
/// gives the link to print. `None` when there is nothing to do for a person.
///
/// The token stands in the file `setup-token` of the data directory (mode 0600) and, as a digest, in the database.
///
/// # Errors
/// [`Error::Invalid`] for a configured owner that doesn't fit; [`Error::SetupFile`]; the database's.
pub async fn boot(runtime: &Runtime) -> Result<Option<String>> {
    if setup::find_pending(&runtime.db).await?.is_none() {
        remove_file(runtime);
        return Ok(None);
    }
    if let Some((email, secret)) = &runtime.config.admin {
        create_configured_owner(runtime, email, secret).await?;
        remove_file(runtime);
        return Ok(None);
    }
    let secret = runtime.ids.secret();
    write_file(runtime, &secret)?;
    let mut tx = runtime.db.begin().await?;
    let is_pending = setup::set_token(&mut tx, token::digest(&secret)).await?;
    tx.commit().await?;
    Ok(is_pending.then(|| format!("{}/setup?token={secret}", runtime.config.public_url)))
}

/// Whether the first owner still has to be made.
///
/// # Errors
/// When the database refuses.
pub async fn is_setup_pending(runtime: &Runtime) -> Result<bool> {
    Ok(setup::find_pending(&runtime.db).await?.is_some())
}

/// The workspace in which the program itself works when no person asks: the oldest one. `None` before set-up.
///
/// # Errors
/// When the database refuses.
pub async fn find_workspace(runtime: &Runtime) -> Result<Option<WorkspaceId>> {
    Ok(setup::find_first_workspace(&runtime.db).await?)
}

/// The workspace of a database that lives in this process' memory: makes one when there is none.
///
/// # Errors
/// When the database refuses.
pub async fn create_local_workspace(runtime: &Runtime) -> Result<WorkspaceId> {
    if let Some(found) = find_workspace(runtime).await? {
        return Ok(found);
    }
    let id: WorkspaceId = runtime.ids.fresh();
    let mut tx = runtime.db.begin().await?;
    setup::create_workspace(&mut tx, id, "Local", runtime.clock.now()).await?;
    tx.commit().await?;
    Ok(id)
}

/// Makes the first owner and the workspace with the one-time token, which dies of it. Of two that try, one wins.
///
/// # Errors
/// [`Error::SetUp`] once done, [`Error::SetupToken`], [`Error::Invalid`], [`Error::Limited`].
pub async fn set_up(runtime: &Runtime, client: &Client, request: &SetupRequest) -> Result<UserId> {
    let (tx, person) = make_owner(runtime, client, request).await?;
    tx.commit().await?;
    remove_file(runtime);
    Ok(person.id)
}

/// [`set_up`], and signs the owner's browser in.
///
/// # Errors
/// As [`set_up`].
pub async fn set_up_and_log_in(runtime: &Runtime, client: &Client, request: &SetupRequest) -> Result<BrowserSignIn> {
    let (mut tx, person) = make_owner(runtime, client, request).await?;
    let sign_in = login::begin_browser(runtime, &mut tx, client, person).await?;
    tx.commit().await?;
    remove_file(runtime);
    Ok(sign_in)
}

async fn make_owner(runtime: &Runtime, client: &Client, request: &SetupRequest) -> Result<(Tx, Person)> {
    limit::count(runtime, Limit::Address, &client.address)?;
    let pending = setup::find_pending(&runtime.db).await?.ok_or(Error::SetUp)?;
    let given = token::digest(&request.token.0);
    if !pending.token_hash.is_some_and(|expected| token::same(&expected, &given)) {
        tracing::warn!(address = client.address, "set-up refused: wrong token");
        return Err(Error::SetupToken);
    }
    let owner = Owner::checked(runtime, &request.email, &request.name, &request.workspace, &request.password).await?;
    let mut tx = runtime.db.begin().await?;
    if !setup::finish(&mut tx, Some(given), runtime.clock.now()).await? {
        return Err(Error::SetUp);
    }
    let person = owner.create(runtime, &mut tx).await?;
    tracing::info!(user = %person.id, address = client.address, "set up: the first owner was made");
    Ok((tx, person))
}

async fn create_configured_owner(runtime: &Runtime, email: &str, secret: &str) -> Result<()> {
    let name = email.split('@').next().unwrap_or(email);
    let password = Password::from(secret);
    let owner =
        Owner::checked(runtime, email, name, DEFAULT_WORKSPACE, &password).await.map_err(|error| match error {
            Error::Invalid(field) if field.pointer == "/password" => Error::invalid("admin_password", field.message),
            Error::Invalid(field) => Error::invalid("admin_email", field.message),
            other => other,
        })?;
    let mut tx = runtime.db.begin().await?;
    // Another replica may have been faster; then there is an owner, which is all that is wanted.
    if setup::finish(&mut tx, None, runtime.clock.now()).await? {
        let person = owner.create(runtime, &mut tx).await?;
        tx.commit().await?;
        tracing::info!(user = %person.id, "set up: the configured owner was made");
    }
    Ok(())
}

/// An owner to be made, checked, with the password hashed: the slow part stays outside the transaction.
#[derive(Debug)]
struct Owner {
    email: String,
    name: String,
    workspace: String,
    password_hash: String,
}

impl Owner {
    async fn checked(runtime: &Runtime, email: &str, name: &str, workspace: &str, secret: &Password) -> Result<Self> {
        let email = text::email("/email", email)?;
        let name = text::name("/name", name)?;
        let workspace = text::name("/workspace", workspace)?;
        password::check("/password", secret, &email, &name)?;
        Ok(Self { email, name, workspace, password_hash: password::hash(runtime, secret).await? })
    }

    async fn create(&self, runtime: &Runtime, tx: &mut Tx) -> Result<Person> {
        let now: Timestamp = runtime.clock.now();
        let workspace = runtime.ids.fresh();
        setup::create_workspace(tx, workspace, &self.workspace, now).await?;
        let user = NewUser {
            id: runtime.ids.fresh(),
            workspace,
            email: &self.email,
            name: &self.name,
            role: Role::Owner,
            password_hash: &self.password_hash,
            now,
        };
        users::create(tx, &user).await?;
        Ok(Person { id: user.id, workspace, epoch: 0 })
    }
}

fn file_path(runtime: &Runtime) -> PathBuf {
    runtime.config.data_dir.join("setup-token")
}

/// Writes the token to a new file that only we may read, in place of an older one.
fn write_file(runtime: &Runtime, secret: &str) -> Result<()> {
    let path = file_path(runtime);
    let failed = |source| Error::SetupFile { path: path.display().to_string(), source };
    fs::create_dir_all(&runtime.config.data_dir).map_err(failed)?;
    remove_file(runtime);
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(failed)?;
    writeln!(file, "{secret}").map_err(failed)
}

fn remove_file(runtime: &Runtime) {
    let path = file_path(runtime);
    if let Err(error) = fs::remove_file(&path)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(%error, path = %path.display(), "the file of the used set-up token could not be removed");
    }
}
