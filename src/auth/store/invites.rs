//! Open invitations. An accepted or withdrawn one leaves no row.

use sqlx::{query, query_as, query_scalar};

use super::role;
use crate::db::{Db, Result, Tx};
use crate::model::auth::{Invite, Role};
use crate::model::credentials::InvitePreview;
use crate::model::{InviteId, Timestamp, UserId, WorkspaceId};
use crate::{read, within};

type InviteRow = (InviteId, String, String, Timestamp, Timestamp);

fn invite((id, email, role_text, expires_at, created_at): InviteRow) -> Result<Invite> {
    Ok(Invite { id, email, role: role("invite", &role_text)?, expires_at, created_at })
}

/// Adds an invitation in place of an earlier one for the same address.
pub(in crate::auth) async fn replace(
    tx: &mut Tx,
    workspace: WorkspaceId,
    invite: &Invite,
    token_hash: &[u8],
    by: Option<UserId>,
) -> Result<()> {
    within!(tx, conn => query("delete from invite where workspace_id = $1 and email = $2")
        .bind(workspace).bind(invite.email.as_str()).execute(conn).await.map(drop))?;
    within!(tx, conn => query(
        "insert into invite (id, workspace_id, email, role, token_hash, invited_by, created_at, expires_at) \
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
    ).bind(invite.id).bind(workspace).bind(invite.email.as_str()).bind(invite.role.as_str()).bind(token_hash)
        .bind(by).bind(invite.created_at).bind(invite.expires_at).execute(conn).await.map(drop))?;
    Ok(())
}

/// How many are open.
pub(in crate::auth) async fn count(tx: &mut Tx, workspace: WorkspaceId, now: Timestamp) -> Result<i64> {
    Ok(within!(tx, conn => query_scalar("select count(*) from invite where workspace_id = $1 and expires_at > $2")
        .bind(workspace).bind(now).fetch_one(conn).await)?)
}

/// The open ones, newest first.
pub(in crate::auth) async fn list(db: &Db, workspace: WorkspaceId, now: Timestamp) -> Result<Vec<Invite>> {
    let rows: Vec<InviteRow> = read!(db, conn => query_as(
        "select id, email, role, expires_at, created_at from invite \
         where workspace_id = $1 and expires_at > $2 order by id desc",
    ).bind(workspace).bind(now).fetch_all(conn).await)?;
    rows.into_iter().map(invite).collect()
}

/// What the link's holder may know.
pub(in crate::auth) async fn find_preview(db: &Db, token_hash: &[u8], now: Timestamp) -> Result<Option<InvitePreview>> {
    let row: Option<(String, String, String, Timestamp)> = read!(db, conn => query_as(
        "select i.email, i.role, w.name, i.expires_at from invite i join workspace w on w.id = i.workspace_id \
         where i.token_hash = $1 and i.expires_at > $2",
    ).bind(token_hash).bind(now).fetch_optional(conn).await)?;
    row.map(|(email, role_text, workspace, expires_at)| {
        Ok(InvitePreview { email, role: role("invite", &role_text)?, workspace, expires_at })
    })
    .transpose()
}

/// Uses the link up. `None` when it is not valid (any more): of two that try, one gets it.
pub(in crate::auth) async fn take(
    tx: &mut Tx,
    token_hash: &[u8],
    now: Timestamp,
) -> Result<Option<(WorkspaceId, String, Role)>> {
    let row: Option<(WorkspaceId, String, String)> = within!(tx, conn => query_as(
        "delete from invite where token_hash = $1 and expires_at > $2 returning workspace_id, email, role",
    ).bind(token_hash).bind(now).fetch_optional(conn).await)?;
    row.map(|(workspace, email, role_text)| Ok((workspace, email, role("invite", &role_text)?))).transpose()
}

/// The role that an open invitation gives.
pub(in crate::auth) async fn find_role(tx: &mut Tx, workspace: WorkspaceId, id: InviteId) -> Result<Option<Role>> {
    let row: Option<String> = within!(tx, conn => query_scalar(
        "select role from invite where id = $1 and workspace_id = $2",
    ).bind(id).bind(workspace).fetch_optional(conn).await)?;
    row.map(|text| role("invite", &text)).transpose()
}

/// Withdraws one. Whether it was there.
pub(in crate::auth) async fn delete(tx: &mut Tx, workspace: WorkspaceId, id: InviteId) -> Result<bool> {
    let done = within!(tx, conn => query("delete from invite where id = $1 and workspace_id = $2")
        .bind(id).bind(workspace).execute(conn).await.map(|done| done.rows_affected()))?;
    Ok(done == 1)
}

/// Withdraws all that a person made.
pub(in crate::auth) async fn delete_made_by(tx: &mut Tx, user: UserId) -> Result<()> {
    within!(tx, conn => query("delete from invite where invited_by = $1").bind(user).execute(conn).await.map(drop))?;
    Ok(())
}

/// Forgets the expired ones.
pub(in crate::auth) async fn purge(tx: &mut Tx, now: Timestamp) -> Result<u64> {
    Ok(within!(tx, conn => query("delete from invite where expires_at <= $1")
        .bind(now).execute(conn).await.map(|done| done.rows_affected()))?)
}
