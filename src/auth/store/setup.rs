//! The one row that says whether the first owner exists.

use sqlx::{query, query_as, query_scalar};

use crate::db::{Db, Result, Tx};
use crate::model::{Timestamp, WorkspaceId};
use crate::{read, within};

/// Whether the first owner still has to be made, and the digest of the token that may.
#[derive(Debug)]
pub(in crate::auth) struct Pending {
    pub(in crate::auth) token_hash: Option<Vec<u8>>,
}

/// What set-up waits for; `None` once it is done.
pub(in crate::auth) async fn find_pending(db: &Db) -> Result<Option<Pending>> {
    let row: Option<(Option<Vec<u8>>,)> = read!(db, conn => query_as(
        "select token_hash from setup \
         where id = 1 and done_at is null and not exists (select 1 from app_user)",
    ).fetch_optional(conn).await)?;
    Ok(row.map(|(token_hash,)| Pending { token_hash }))
}

/// Replaces the token, unless set-up is done.
pub(in crate::auth) async fn set_token(tx: &mut Tx, hash: Vec<u8>) -> Result<bool> {
    let done = within!(tx, conn => query("update setup set token_hash = $1 where id = 1 and done_at is null")
        .bind(hash).execute(conn).await.map(|done| done.rows_affected()))?;
    Ok(done == 1)
}

/// Ends set-up. False when it has ended: of two that try, one gets true. With a hash, only while that is the token.
pub(in crate::auth) async fn finish(tx: &mut Tx, token_hash: Option<Vec<u8>>, now: Timestamp) -> Result<bool> {
    let any_token = token_hash.is_none();
    let done = within!(tx, conn => query(
        "update setup set done_at = $1, token_hash = null \
         where id = 1 and done_at is null and ($2 or token_hash = $3) and not exists (select 1 from app_user)",
    ).bind(now).bind(any_token).bind(token_hash).execute(conn).await.map(|done| done.rows_affected()))?;
    Ok(done == 1)
}

/// Adds a workspace.
pub(in crate::auth) async fn create_workspace(tx: &mut Tx, id: WorkspaceId, name: &str, now: Timestamp) -> Result<()> {
    within!(tx, conn => query("insert into workspace (id, name, created_at) values ($1, $2, $3)")
        .bind(id).bind(name).bind(now).execute(conn).await.map(drop))?;
    Ok(())
}

/// The oldest workspace: where the program itself works when no person asks.
pub(in crate::auth) async fn find_first_workspace(db: &Db) -> Result<Option<WorkspaceId>> {
    Ok(read!(db, conn => query_scalar("select id from workspace order by id limit 1").fetch_optional(conn).await)?)
}
