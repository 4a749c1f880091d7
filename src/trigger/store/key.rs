//! Tokens and secrets of webhooks.

use sqlx::{FromRow, query, query_as};

use super::trigger::{TriggerRow, trigger_columns};
use crate::db::{Db, Result, Tx};
use crate::model::trigger::KeyKind;
use crate::model::{Timestamp, TriggerId, TriggerKeyId, WorkspaceId};
use crate::{read, within};

/// A stored token or secret.
#[derive(Debug, Clone, FromRow)]
pub struct KeyRow {
    /// Its id.
    pub id: TriggerKeyId,
    /// Whose.
    pub trigger_id: TriggerId,
    /// `token` or `secret`.
    pub kind: String,
    /// The secret, encrypted.
    pub sealed: Option<Vec<u8>>,
    /// Its first characters.
    pub hint: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
}

/// A token or a secret to keep.
#[derive(Debug)]
pub struct NewKey<'a> {
    /// Its id.
    pub id: TriggerKeyId,
    /// Whose.
    pub trigger: TriggerId,
    /// Which of the two.
    pub kind: KeyKind,
    /// The token's SHA-256.
    pub digest: Option<&'a [u8]>,
    /// The secret, encrypted.
    pub sealed: Option<&'a [u8]>,
    /// Its first characters.
    pub hint: &'a str,
    /// Now.
    pub at: Timestamp,
}

/// Adds a token or secret.
pub async fn insert(tx: &mut Tx, key: &NewKey<'_>) -> Result<()> {
    within!(tx, conn => query(
        "insert into trigger_key (id, trigger_id, kind, digest, sealed, hint, created_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(key.id)
    .bind(key.trigger)
    .bind(key.kind.as_str())
    .bind(key.digest)
    .bind(key.sealed)
    .bind(key.hint)
    .bind(key.at)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// Lets the newest one of a kind live until `until`, and takes away those that were ending already.
pub async fn retire(tx: &mut Tx, trigger: TriggerId, kind: KeyKind, until: Timestamp) -> Result<()> {
    within!(tx, conn => query("delete from trigger_key where trigger_id = $1 and kind = $2 and expires_at is not null")
        .bind(trigger)
        .bind(kind.as_str())
        .execute(conn)
        .await
        .map(drop))?;
    within!(tx, conn => query("update trigger_key set expires_at = $3 where trigger_id = $1 and kind = $2")
        .bind(trigger)
        .bind(kind.as_str())
        .bind(until)
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}

/// Takes away every one of a kind.
pub async fn delete_all(tx: &mut Tx, trigger: TriggerId, kind: KeyKind) -> Result<()> {
    within!(tx, conn => query("delete from trigger_key where trigger_id = $1 and kind = $2")
        .bind(trigger)
        .bind(kind.as_str())
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}

/// Takes away one that is being replaced; false when it is the newest, or there is none.
pub async fn delete_replaced(tx: &mut Tx, trigger: TriggerId, id: TriggerKeyId) -> Result<bool> {
    Ok(within!(tx, conn => query(
        "delete from trigger_key where trigger_id = $1 and id = $2 and expires_at is not null",
    )
    .bind(trigger)
    .bind(id)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))?)
}

/// Takes away what has ended.
pub async fn delete_expired(tx: &mut Tx, now: Timestamp) -> Result<u64> {
    Ok(within!(tx, conn => query("delete from trigger_key where expires_at <= $1")
        .bind(now)
        .execute(conn)
        .await
        .map(|done| done.rows_affected()))?)
}

/// The live keys of the webhooks whose id lies in this range, newest first.
pub async fn list(
    db: &Db,
    workspace: WorkspaceId,
    triggers: std::ops::RangeInclusive<TriggerId>,
    now: Timestamp,
) -> Result<Vec<KeyRow>> {
    Ok(read!(db, conn => query_as(
        "select k.id, k.trigger_id, k.kind, k.sealed, k.hint, k.created_at, k.expires_at
         from trigger_key k
         join run_trigger t on t.id = k.trigger_id
         where t.workspace_id = $1
             and t.id >= $2
             and t.id <= $3
             and (k.expires_at is null or k.expires_at > $4)
         order by k.id desc",
    )
    .bind(workspace)
    .bind(*triggers.start())
    .bind(*triggers.end())
    .bind(now)
    .fetch_all(conn)
    .await)?)
}

/// The webhook that a token opens.
#[derive(Debug, Clone, FromRow)]
pub struct Opened {
    /// The trigger.
    #[sqlx(flatten)]
    pub trigger: TriggerRow,
    /// The token's id.
    pub token: TriggerKeyId,
    /// When the token ends.
    pub expires_at: Option<Timestamp>,
    /// The newest version of what it starts.
    pub published_version: Option<i64>,
}

/// The webhook that a token opens.
pub async fn find_by_digest(db: &Db, digest: &[u8], now: Timestamp) -> Result<Option<Opened>> {
    Ok(read!(db, conn => query_as(concat!(
        "select ",
        trigger_columns!(),
        ", k.id as token, k.expires_at, w.published_version
         from trigger_key k
         join run_trigger t on t.id = k.trigger_id
         join workflow w on w.id = t.workflow_id
         where k.digest = $1 and (k.expires_at is null or k.expires_at > $2)",
    ))
    .bind(digest)
    .bind(now)
    .fetch_optional(conn)
    .await)?)
}
