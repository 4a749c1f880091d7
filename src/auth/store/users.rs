//! People.

use sqlx::{query, query_as, query_scalar};

use super::role;
use crate::db::{Db, Result, Tx};
use crate::model::auth::{Me, Role, User, WorkspaceRef};
use crate::model::{Timestamp, UserId, WorkspaceId};
use crate::{read, within};

/// What a sign-in needs to know of a person.
#[derive(Debug, Clone)]
pub(in crate::auth) struct Account {
    pub(in crate::auth) id: UserId,
    pub(in crate::auth) workspace: WorkspaceId,
    pub(in crate::auth) email: String,
    pub(in crate::auth) name: String,
    pub(in crate::auth) password_hash: String,
    pub(in crate::auth) disabled: bool,
    pub(in crate::auth) epoch: i64,
}

type AccountRow = (UserId, WorkspaceId, String, String, String, bool, i64);

impl From<AccountRow> for Account {
    fn from((id, workspace, email, name, password_hash, disabled, epoch): AccountRow) -> Self {
        Self { id, workspace, email, name, password_hash, disabled, epoch }
    }
}

/// A new person.
#[derive(Debug)]
pub(in crate::auth) struct NewUser<'a> {
    pub(in crate::auth) id: UserId,
    pub(in crate::auth) workspace: WorkspaceId,
    pub(in crate::auth) email: &'a str,
    pub(in crate::auth) name: &'a str,
    pub(in crate::auth) role: Role,
    pub(in crate::auth) password_hash: &'a str,
    pub(in crate::auth) now: Timestamp,
}

/// The account with this address, already folded to lower case.
pub(in crate::auth) async fn find_account(db: &Db, email: &str) -> Result<Option<Account>> {
    let row: Option<AccountRow> = read!(db, conn => query_as(
        "select id, workspace_id, email, name, password_hash, disabled, epoch from app_user where email = $1",
    ).bind(email).fetch_optional(conn).await)?;
    Ok(row.map(Account::from))
}

/// A person's account by id.
pub(in crate::auth) async fn find_account_of(db: &Db, workspace: WorkspaceId, id: UserId) -> Result<Option<Account>> {
    let row: Option<AccountRow> = read!(db, conn => query_as(
        "select id, workspace_id, email, name, password_hash, disabled, epoch from app_user \
         where id = $1 and workspace_id = $2",
    ).bind(id).bind(workspace).fetch_optional(conn).await)?;
    Ok(row.map(Account::from))
}

/// Adds a person. [`crate::db::Error::Duplicate`] when the address has an account.
pub(in crate::auth) async fn create(tx: &mut Tx, user: &NewUser<'_>) -> Result<()> {
    within!(tx, conn => query(
        "insert into app_user (id, workspace_id, email, name, role, password_hash, created_at) \
         values ($1, $2, $3, $4, $5, $6, $7)",
    ).bind(user.id).bind(user.workspace).bind(user.email).bind(user.name).bind(user.role.as_str())
        .bind(user.password_hash).bind(user.now).execute(conn).await.map(drop))?;
    Ok(())
}

/// The person as pages know them.
pub(in crate::auth) async fn find_me(db: &Db, workspace: WorkspaceId, id: UserId) -> Result<Option<Me>> {
    let row: Option<(String, String, String, String)> = read!(db, conn => query_as(
        "select u.email, u.name, u.role, w.name from app_user u join workspace w on w.id = u.workspace_id \
         where u.id = $1 and u.workspace_id = $2",
    ).bind(id).bind(workspace).fetch_optional(conn).await)?;
    row.map(|(email, name, role_text, workspace_name)| {
        let role = role("app_user", &role_text)?;
        let actions = crate::model::auth::Action::ALL.into_iter().filter(|action| role.allows(*action)).collect();
        Ok(Me { id, email, name, workspace: WorkspaceRef { id: workspace, name: workspace_name }, role, actions })
    })
    .transpose()
}

type UserRow = (UserId, String, String, String, bool, Timestamp, Option<Timestamp>);

fn user((id, email, name, role_text, disabled, created_at, last_seen_at): UserRow) -> Result<User> {
    Ok(User { id, email, name, role: role("app_user", &role_text)?, disabled, created_at, last_seen_at })
}

/// People in the order they joined, after the cursor, at most `limit`.
pub(in crate::auth) async fn list(db: &Db, workspace: WorkspaceId, after: UserId, limit: i64) -> Result<Vec<User>> {
    let rows: Vec<UserRow> = read!(db, conn => query_as(
        "select id, email, name, role, disabled, created_at, last_seen_at from app_user \
         where workspace_id = $1 and id > $2 order by id limit $3",
    ).bind(workspace).bind(after).bind(limit).fetch_all(conn).await)?;
    rows.into_iter().map(user).collect()
}

/// One person, inside the transaction that is about to change them.
pub(in crate::auth) async fn find(tx: &mut Tx, workspace: WorkspaceId, id: UserId) -> Result<Option<User>> {
    let row: Option<UserRow> = within!(tx, conn => query_as(
        "select id, email, name, role, disabled, created_at, last_seen_at from app_user \
         where workspace_id = $1 and id = $2",
    ).bind(workspace).bind(id).fetch_optional(conn).await)?;
    row.map(user).transpose()
}

/// One person by their address, already folded to lower case.
pub(in crate::auth) async fn find_by_email(db: &Db, workspace: WorkspaceId, email: &str) -> Result<Option<User>> {
    let row: Option<UserRow> = read!(db, conn => query_as(
        "select id, email, name, role, disabled, created_at, last_seen_at from app_user \
         where workspace_id = $1 and email = $2",
    ).bind(workspace).bind(email).fetch_optional(conn).await)?;
    row.map(user).transpose()
}

/// Whether someone in the workspace has this address.
pub(in crate::auth) async fn is_member(tx: &mut Tx, workspace: WorkspaceId, email: &str) -> Result<bool> {
    let count: i64 = within!(tx, conn => query_scalar(
        "select count(*) from app_user where workspace_id = $1 and email = $2",
    ).bind(workspace).bind(email).fetch_one(conn).await)?;
    Ok(count > 0)
}

/// Makes every other change to the workspace's people wait until this transaction ends, on either engine.
pub(in crate::auth) async fn lock_workspace(tx: &mut Tx, workspace: WorkspaceId) -> Result<()> {
    within!(tx, conn => query("update workspace set name = name where id = $1")
        .bind(workspace).execute(conn).await.map(drop))?;
    Ok(())
}

/// How many owners can sign in, without `except`.
pub(in crate::auth) async fn count_other_owners(tx: &mut Tx, workspace: WorkspaceId, except: UserId) -> Result<i64> {
    Ok(within!(tx, conn => query_scalar(
        "select count(*) from app_user where workspace_id = $1 and role = 'owner' and not disabled and id <> $2",
    ).bind(workspace).bind(except).fetch_one(conn).await)?)
}

/// Gives a role.
pub(in crate::auth) async fn update_role(tx: &mut Tx, id: UserId, role: Role) -> Result<()> {
    within!(tx, conn => query("update app_user set role = $1 where id = $2")
        .bind(role.as_str()).bind(id).execute(conn).await.map(drop))?;
    Ok(())
}

/// Shuts a person out, or lets them in again; every credential from before is dead.
pub(in crate::auth) async fn update_disabled(tx: &mut Tx, id: UserId, disabled: bool) -> Result<()> {
    within!(tx, conn => query("update app_user set disabled = $1, epoch = epoch + 1 where id = $2")
        .bind(disabled).bind(id).execute(conn).await.map(drop))?;
    Ok(())
}

/// Replaces a password; every credential from before is dead. Gives the new epoch, or `None` when the password changed
/// meanwhile.
pub(in crate::auth) async fn update_password(tx: &mut Tx, account: &Account, hash: &str) -> Result<Option<i64>> {
    Ok(within!(tx, conn => query_scalar(
        "update app_user set password_hash = $1, epoch = epoch + 1 \
         where id = $2 and password_hash = $3 and epoch = $4 returning epoch",
    ).bind(hash).bind(account.id).bind(account.password_hash.as_str()).bind(account.epoch)
        .fetch_optional(conn).await)?)
}

/// Keeps the same password under newer parameters.
pub(in crate::auth) async fn update_hash(tx: &mut Tx, account: &Account, hash: &str) -> Result<()> {
    within!(tx, conn => query("update app_user set password_hash = $1 where id = $2 and password_hash = $3")
        .bind(hash).bind(account.id).bind(account.password_hash.as_str()).execute(conn).await.map(drop))?;
    Ok(())
}

/// Renames a person.
pub(in crate::auth) async fn update_name(tx: &mut Tx, workspace: WorkspaceId, id: UserId, name: &str) -> Result<()> {
    within!(tx, conn => query("update app_user set name = $1 where id = $2 and workspace_id = $3")
        .bind(name).bind(id).bind(workspace).execute(conn).await.map(drop))?;
    Ok(())
}
