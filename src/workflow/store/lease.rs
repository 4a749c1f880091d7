//! Which process has which run in hand.

use sqlx::{query, query_as, query_scalar};
use uuid::Uuid;

use super::Card;
use super::run::{CardRow, card_columns};
use crate::db::{Db, Result};
use crate::model::workflow::why::In;
use crate::model::{RunId, Timestamp, WorkspaceId};
use crate::{read, skip_locked, within};

/// A run that was just taken in hand.
#[derive(Debug)]
pub struct Claim {
    /// Which.
    pub run: RunId,
    /// Whose.
    pub workspace: WorkspaceId,
    /// What does not change.
    pub card: Card,
    /// Its definition.
    pub definition_hash: Vec<u8>,
    /// The new fencing token.
    pub token: i64,
    /// The newest event that is stored.
    pub last_seq: i64,
    /// Whether it was let in: it begins, if it has not yet.
    pub admitted: bool,
}

/// Who claims, and when.
#[derive(Debug, Clone, Copy)]
pub struct Claimant {
    /// The process.
    pub owner: Uuid,
    /// The time.
    pub now: Timestamp,
    /// Until when it keeps what it claims.
    pub until: Timestamp,
    /// Whether every other owner is known to be dead, because the database admits one process at a time.
    pub alone: bool,
}

#[derive(sqlx::FromRow)]
struct ClaimRow {
    id: RunId,
    workspace_id: WorkspaceId,
    #[sqlx(flatten)]
    card: CardRow,
    definition_hash: Vec<u8>,
    lease_token: i64,
    last_seq: i64,
    status: String,
}

impl ClaimRow {
    fn read(self) -> Result<Claim> {
        Ok(Claim {
            run: self.id,
            workspace: self.workspace_id,
            card: self.card.read()?,
            definition_hash: self.definition_hash,
            token: self.lease_token,
            last_seq: self.last_seq,
            admitted: self.status == "running",
        })
    }
}

/// Takes runs that have something to do and that nobody has in hand: given back in motion, due, or of a dead owner.
pub async fn claim_due(db: &Db, by: Claimant, limit: u32) -> Result<Vec<Claim>> {
    let mut tx = db.begin().await?;
    // Each kind is found by an index of its own, so that what many are due costs no look at all of them. Another process that
    // is at it at the same time takes others: there are candidates for two. The condition on the owner stands outside again,
    // so that Postgres looks anew at a row that has changed since.
    let text = skip_locked!(
        &tx,
        "update run set owner_id = $1, lease_until = $3, lease_token = lease_token + 1
         where id in (
             select id
             from run
             where id in (
                 select id from (
                     select id from run
                     where wake_at <= $2 and owner_id is null and ended_at is null and damage is null
                     order by wake_at
                     limit 2 * $5
                 ) due
                 union all
                 select id from (
                     select id from run
                     where status = 'running' and owner_id is null and ended_at is null and damage is null
                     limit 2 * $5
                 ) begun
                 union all
                 select id from (
                     select id from run
                     where owner_id < $1 and ($4 or lease_until < $2) and ended_at is null and damage is null
                     limit 2 * $5
                 ) lost
                 union all
                 select id from (
                     select id from run
                     where owner_id > $1 and ($4 or lease_until < $2) and ended_at is null and damage is null
                     limit 2 * $5
                 ) lost_too
             )
             order by coalesce(wake_at, created_at)
             limit $5",
        concat!(
            ")
             and (owner_id is null or (owner_id <> $1 and ($4 or lease_until < $2)))
         returning id, workspace_id, definition_hash, lease_token, last_seq, status, ",
            card_columns!(),
        )
    );
    let rows: Vec<ClaimRow> = within!(&mut tx, conn => query_as(text)
    .bind(by.owner)
    .bind(by.now)
    .bind(by.until)
    .bind(by.alone)
    .bind(i64::from(limit))
    .fetch_all(conn)
    .await)?;
    tx.commit().await?;
    rows.into_iter().map(ClaimRow::read).collect()
}

/// Takes one run that no other living process has in hand; `None` when one has it, or it is not in the workspace. The
/// caller knows that no task of its own process has it: what is still under its name was not given back in time.
pub async fn claim(db: &Db, by: Claimant, workspace: WorkspaceId, run: RunId) -> Result<Option<Claim>> {
    let mut tx = db.begin().await?;
    let row: Option<ClaimRow> = within!(&mut tx, conn => query_as(concat!(
        "update run set owner_id = $1, lease_until = $3, lease_token = lease_token + 1
         where id = $5
             and workspace_id = $6
             and damage is null
             and (owner_id is null or owner_id = $1 or $4 or lease_until < $2)
         returning id, workspace_id, definition_hash, lease_token, last_seq, status, ",
        card_columns!(),
    ))
    .bind(by.owner)
    .bind(by.now)
    .bind(by.until)
    .bind(by.alone)
    .bind(run)
    .bind(workspace)
    .fetch_optional(conn)
    .await)?;
    tx.commit().await?;
    row.map(ClaimRow::read).transpose()
}

/// Gives a run back without a change; nothing happens when it has been taken over. A run that something has reached in the
/// meantime is due at once: whoever stored the signal left that to its owner.
pub async fn release(db: &Db, run: RunId, token: i64, now: Timestamp) -> Result<()> {
    let mut tx = db.begin().await?;
    within!(&mut tx, conn => query(
        "update run set
            owner_id = null,
            lease_until = null,
            wake_at = case when signals > 0 and ended_at is null then $3 else wake_at end
         where id = $1 and lease_token = $2",
    )
    .bind(run)
    .bind(token)
    .bind(now)
    .execute(conn)
    .await
    .map(drop))?;
    tx.commit().await
}

/// What stands under the name of a process: the runs, with their fencing tokens.
pub async fn list_owned(db: &Db, owner: Uuid) -> Result<Vec<(RunId, i64)>> {
    Ok(read!(db, conn =>
        query_as("select id, lease_token from run where owner_id = $1").bind(owner).fetch_all(conn).await)?)
}

/// Prolongs the leases of everything that stands under the name of a process; returns how much that is. A row that is just being written is passed over: its writer
/// prolongs it, and whoever waited for it while holding others would deadlock with that writer.
pub async fn renew(db: &Db, owner: Uuid, until: Timestamp) -> Result<u64> {
    let mut tx = db.begin().await?;
    let text = skip_locked!(
        &tx,
        "update run set lease_until = $2 where id in (select id from run where owner_id = $1",
        ") and owner_id = $1"
    );
    let renewed = within!(&mut tx, conn =>
        query(text).bind(owner).bind(until).execute(conn).await.map(|done| done.rows_affected()))?;
    tx.commit().await?;
    Ok(renewed)
}

/// When the next run can be taken in hand: one that nobody has is due, or another owner's lease ends.
pub async fn next_due(db: &Db, owner: Uuid) -> Result<Option<Timestamp>> {
    Ok(read!(db, conn => query_scalar(
        "select min(at)
         from (
             select min(wake_at) as at from run
             where wake_at is not null and owner_id is null and ended_at is null and damage is null
             union all
             select min(lease_until) as at from run where owner_id <> $1 and ended_at is null
         ) due",
    )
    .bind(owner)
    .fetch_one(conn)
    .await)?)
}

/// Whether a change whose commit was never answered did arrive; `None` when it left nothing that would tell.
pub async fn is_stored(db: &Db, change: &super::Change) -> Result<Option<bool>> {
    let row: Option<(i64, i64)> = read!(db, conn => query_as(
        "select last_seq, lease_token from run where id = $1",
    )
    .bind(change.run)
    .fetch_optional(conn)
    .await)?;
    if row != Some((change.progress.last_seq, change.token)) {
        return Ok(Some(false));
    }
    if !change.events.is_empty() {
        return Ok(Some(true));
    }
    // Without an event the history is where it was. What was taken in is gone with the change.
    match change.taken_in.first() {
        Some(id) => Ok(Some(!super::signal::is_waiting(db, *id).await?)),
        None => Ok(None),
    }
}

/// Sets a run aside that this process has just claimed: its history does not read. Nobody takes it in hand any more.
pub async fn set_aside(db: &Db, run: RunId, token: i64, damage: &str) -> Result<()> {
    let mut tx = db.begin().await?;
    within!(&mut tx, conn => query(
        "update run set owner_id = null, lease_until = null, wake_at = null, damage = $3, headline = $3
         where id = $1 and lease_token = $2",
    )
    .bind(run)
    .bind(token)
    .bind(damage)
    .execute(conn)
    .await
    .map(drop))?;
    tx.commit().await
}

/// In whose hands a run is, as `own` sees it; at rest also where it is not in the workspace.
pub async fn find(db: &Db, workspace: WorkspaceId, run: RunId, (own, now): (Uuid, Timestamp)) -> Result<In> {
    #[derive(sqlx::FromRow)]
    struct Row {
        owner_id: Option<Uuid>,
        lease_until: Option<Timestamp>,
        status: String,
        wake_at: Option<Timestamp>,
        damage: Option<String>,
    }
    let row: Option<Row> = read!(db, conn => query_as(
        "select owner_id, lease_until, status, wake_at, damage from run where id = $1 and workspace_id = $2 and ended_at is null",
    )
    .bind(run)
    .bind(workspace)
    .fetch_optional(conn)
    .await)?;
    Ok(match row {
        Some(Row { damage: Some(_), .. }) | None => In::Rest,
        Some(Row { owner_id: Some(owner), .. }) if owner == own => In::Here,
        Some(Row { owner_id: Some(_), lease_until: Some(lease_until), .. }) => In::Server { lease_until },
        Some(Row { status, wake_at, .. }) => match wake_at.filter(|at| *at <= now) {
            None if status != "running" => In::Rest,
            since => In::Nobody { since },
        },
    })
}

/// Why a run was set aside; `None` for one that was not.
pub async fn find_damage(db: &Db, workspace: WorkspaceId, run: RunId) -> Result<Option<String>> {
    let damage: Option<Option<String>> = read!(db, conn => query_scalar("select damage from run where id = $1 and workspace_id = $2")
            .bind(run)
            .bind(workspace)
            .fetch_optional(conn)
            .await)?;
    Ok(damage.flatten())
}
