//! Which steps have a key, and which wait for it: rows that fall with the lease of their run.

use sqlx::{query, query_as, query_scalar};

use crate::db::{Db, Result, Tx};
use crate::model::{RunId, Timestamp, WorkspaceId};
use crate::{read, within};

/// A step that asks for a key.
#[derive(Debug, Clone)]
pub struct Ask {
    /// Whose.
    pub workspace: WorkspaceId,
    /// Of which run.
    pub run: RunId,
    /// Its id.
    pub step: String,
    /// The fencing token of the run's owner.
    pub token: i64,
    /// The key.
    pub key: String,
    /// Since when it asks.
    pub asked_at: Timestamp,
}

/// How many steps have a key. Asked under the workspace's gate. One of an owner before the run's last does not count: whoever has
/// the run in hand asks anew for what still wants it, and what was stopped may have left its row behind.
pub async fn count_held(tx: &mut Tx, workspace: WorkspaceId, key: &str) -> Result<i64> {
    Ok(within!(tx, conn => query_scalar(
        "select count(*)
         from step_key k
         join run r on r.id = k.run_id
         where k.workspace_id = $1 and k.key = $2 and k.held_at is not null and k.lease_token = r.lease_token",
    )
    .bind(workspace)
    .bind(key)
    .fetch_one(conn)
    .await)?)
}

/// How many steps of other processes have asked for a key before this time and wait. Asked under the gate.
pub async fn count_elder(
    tx: &mut Tx,
    workspace: WorkspaceId,
    key: &str,
    before: Timestamp,
    owner: uuid::Uuid,
) -> Result<i64> {
    Ok(within!(tx, conn => query_scalar(
        "select count(*)
         from step_key k
         join run r on r.id = k.run_id
         where k.workspace_id = $1 and k.key = $2 and k.held_at is null and k.asked_at < $3 and r.owner_id <> $4",
    )
    .bind(workspace)
    .bind(key)
    .bind(before)
    .bind(owner)
    .fetch_one(conn)
    .await)?)
}

/// Notes that a step waits, or from `held_at` on has the key. False when its run has another owner by now, or has ended.
pub async fn put(tx: &mut Tx, ask: &Ask, held_at: Option<Timestamp>) -> Result<bool> {
    let done = within!(tx, conn => query(
        "insert into step_key (run_id, step, workspace_id, key, lease_token, asked_at, held_at)
         select r.id, $2, r.workspace_id, $3, r.lease_token, $5, $6
         from run r
         where r.id = $1 and r.lease_token = $4 and r.ended_at is null
         on conflict (run_id, step) do update set
             key = excluded.key, lease_token = excluded.lease_token, asked_at = excluded.asked_at, held_at = excluded.held_at",
    )
    .bind(ask.run)
    .bind(ask.step.as_str())
    .bind(ask.key.as_str())
    .bind(ask.token)
    .bind(ask.asked_at)
    .bind(held_at)
    .execute(conn)
    .await
    .map(|done| done.rows_affected()))?;
    Ok(done == 1)
}

/// Takes a step out, whether it has its key or waits; of this owner only.
pub async fn give_back(db: &Db, run: RunId, step: &str, token: i64) -> Result<()> {
    let mut tx = db.begin().await?;
    within!(&mut tx, conn => query("delete from step_key where run_id = $1 and step = $2 and lease_token = $3")
        .bind(run)
        .bind(step)
        .bind(token)
        .execute(conn)
        .await
        .map(drop))?;
    tx.commit().await
}

/// Takes one step of a run out, or all.
pub(super) async fn delete(tx: &mut Tx, run: RunId, step: Option<&str>) -> Result<()> {
    within!(tx, conn => query("delete from step_key where run_id = $1 and ($2 is null or step = $2)")
        .bind(run)
        .bind(step)
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}

/// A step that waits for a key.
#[derive(Debug, sqlx::FromRow)]
pub struct Waiter {
    /// Its id.
    pub step: String,
    /// The key.
    pub key: String,
    /// Since when.
    pub asked_at: Timestamp,
    /// How many asked before it.
    pub ahead: i64,
}

/// The steps of a run that wait for a key.
pub async fn list_waiting(db: &Db, workspace: WorkspaceId, run: RunId) -> Result<Vec<Waiter>> {
    Ok(read!(db, conn => query_as(
        "select w.step, w.key, w.asked_at,
             (select count(*) from step_key o
              where o.workspace_id = w.workspace_id and o.key = w.key and o.held_at is null
                  and o.asked_at < w.asked_at) as ahead
         from step_key w
         where w.workspace_id = $1 and w.run_id = $2 and w.held_at is null
         order by w.asked_at, w.step
         limit 50",
    )
    .bind(workspace)
    .bind(run)
    .fetch_all(conn)
    .await)?)
}

/// The runs whose steps have a key, at most ten.
pub async fn list_holders(db: &Db, workspace: WorkspaceId, key: &str) -> Result<Vec<(RunId, String)>> {
    Ok(read!(db, conn => query_as(
        "select r.id, r.workflow_name
         from step_key k
         join run r on r.id = k.run_id
         where k.workspace_id = $1 and k.key = $2 and k.held_at is not null and k.lease_token = r.lease_token
         order by k.held_at, k.run_id
         limit 10",
    )
    .bind(workspace)
    .bind(key)
    .fetch_all(conn)
    .await)?)
}
