//! What was asked and answered.

use sqlx::{query, query_as};

use crate::db::{Db, Result, Tx};
use crate::model::{CallId, Timestamp, UserId, WorkspaceId};
use crate::{read, within};

/// Contents of one workspace; beyond it the oldest go.
const MOST: i64 = 50_000;
/// As many go at once.
const ROOM: i64 = 500;

/// Both texts are encrypted.
#[derive(Debug)]
pub struct Sealed {
    pub request: Vec<u8>,
    pub answer: Option<Vec<u8>>,
    pub expires_at: Timestamp,
}

/// Keeps them for a call.
pub async fn insert(tx: &mut Tx, workspace: WorkspaceId, call: CallId, sealed: &Sealed) -> Result<()> {
    within!(tx, conn => query(
        "insert into model_call_content (call_id, workspace_id, request, answer, expires_at) values ($1, $2, $3, $4, $5)",
    )
    .bind(call)
    .bind(workspace)
    .bind(sealed.request.as_slice())
    .bind(sealed.answer.as_deref())
    .bind(sealed.expires_at)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// Those of a call, and the person for whom it was made.
pub async fn find(db: &Db, workspace: WorkspaceId, call: CallId) -> Result<Option<(Option<UserId>, Sealed)>> {
    type Row = (Option<UserId>, Vec<u8>, Option<Vec<u8>>, Timestamp);
    let row: Option<Row> = read!(db, conn => query_as(
        "select m.user_id, c.request, c.answer, c.expires_at
         from model_call_content c
         join model_call m on m.id = c.call_id
         where c.workspace_id = $1 and c.call_id = $2",
    )
    .bind(workspace)
    .bind(call)
    .fetch_optional(conn)
    .await)?;
    Ok(row.map(|(user, request, answer, expires_at)| (user, Sealed { request, answer, expires_at })))
}

/// Takes away the oldest where a workspace has too many. Returns how many.
pub async fn make_room(tx: &mut Tx, workspace: WorkspaceId) -> Result<u64> {
    Ok(within!(tx, conn => query(
        "delete from model_call_content where call_id in (
            select call_id from model_call_content
            where workspace_id = $1
                and (select count(*) from model_call_content where workspace_id = $1) > $2
            order by call_id limit $3
         )",
    )
    .bind(workspace)
    .bind(MOST)
    .bind(ROOM)
    .execute(conn)
    .await
    .map(|done| done.rows_affected()))?)
}

/// Takes away what has ended, at most `limit` rows.
pub async fn delete_ended(tx: &mut Tx, now: Timestamp, limit: i64) -> Result<u64> {
    Ok(within!(tx, conn => query(
        "delete from model_call_content where call_id in (
            select call_id from model_call_content where expires_at <= $1 order by expires_at limit $2
         )",
    )
    .bind(now)
    .bind(limit)
    .execute(conn)
    .await
    .map(|done| done.rows_affected()))?)
}
