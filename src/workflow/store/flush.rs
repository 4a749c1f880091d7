//! One transaction for what happened to many runs: the rows, guarded by their fencing tokens, and the histories.

use std::collections::BTreeSet;

use sqlx::query;

use super::append::{append, encode, touch_payload};
use super::ask::{self, WaitChange};
use super::signal::{self, Outgoing};
use super::{Card, flow, step_key};
use crate::db::{Db, Result, Tx};
use crate::model::workflow::{Event, RunStatus};
use crate::model::{RunId, Timestamp, WorkspaceId};
use crate::within;

/// What larger event data is kept as a payload: 4 KiB.
pub const INLINE_BYTES: usize = 4096;

/// What changed in one run.
#[derive(Debug)]
pub struct Change {
    /// Which.
    pub run: RunId,
    /// Whose.
    pub workspace: WorkspaceId,
    /// The owner's fencing token.
    pub token: i64,
    /// The newest event that the owner knows to be stored.
    pub stored_seq: i64,
    /// Set for a run that has no row yet.
    pub create: Option<Box<Create>>,
    /// What to append.
    pub events: Vec<Event>,
    /// Where the row stands afterwards.
    pub progress: Progress,
    /// The signals that were taken in, and how many of the row's count they settle.
    pub taken_in: Vec<uuid::Uuid>,
    /// See `taken_in`.
    pub settled: i64,
    /// Signals for other runs.
    pub outgoing: Vec<Outgoing>,
    /// What changed in what the run waits for.
    pub waits: Vec<WaitChange>,
    /// What becomes of the run's place among those in progress.
    pub place: Place,
    /// What becomes of the keys of its steps.
    pub keys: Keys,
    /// The workflow to start because the run has failed.
    pub handler: Option<String>,
    /// The version that it runs from here on.
    pub moved: Option<Moved>,
}

/// A run that goes on with another version of its workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// The version.
    pub version: i64,
    /// All steps of it.
    pub steps_total: u32,
    /// Days that the run is kept once ended; `None` for the workspace's or the server's.
    pub keep_days: Option<u32>,
}

/// What a change means for the place of a run among those in progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Place {
    /// Nothing, or it has no flow control.
    #[default]
    Keep,
    /// It has ended.
    Leave,
    /// It had ended and goes on, if there is a place.
    Take {
        /// The workspace's quota of runs in progress.
        quota: Option<u32>,
    },
    /// It goes back to the queue.
    Queue,
}

/// What a change means for the keys of a run's steps.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Keys {
    /// Nothing.
    #[default]
    Keep,
    /// These steps let go of theirs.
    Release(Vec<String>),
    /// All do.
    ReleaseAll,
}

/// The row of a new run.
#[derive(Debug)]
pub struct Create {
    /// What does not change.
    pub card: Card,
    /// The definition as JSON, kept once under its hash.
    pub definition: Vec<u8>,
    /// Its hash.
    pub definition_hash: Vec<u8>,
    /// The caller's idempotency key.
    pub idempotency_key: Option<String>,
    /// What was asked under it.
    pub request_hash: Option<Vec<u8>>,
    /// Who owns it.
    pub owner: uuid::Uuid,
    /// Days that it is kept once ended; `None` for the workspace's or the server's.
    pub keep_days: Option<u32>,
    /// For a fork: the run that it comes from, and the newest event of it that counts.
    pub forked_from: Option<(RunId, i64)>,
    /// For a fork: the beginning of its history, from 1 without gaps.
    pub copied: Vec<Event>,
}

/// The part of the row that moves.
#[derive(Debug, Clone)]
pub struct Progress {
    /// Where the run stands.
    pub status: RunStatus,
    /// What people read beside it.
    pub headline: Option<String>,
    /// Steps that have ended.
    pub steps_done: u32,
    /// The newest event.
    pub last_seq: i64,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// When it goes on by itself.
    pub wake_at: Option<Timestamp>,
    /// Until when the owner keeps it; `None` gives it back.
    pub lease_until: Option<Timestamp>,
}

/// What came of one change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is durable.
    Stored,
    /// Another owner has the run, or its history is not where the owner thought: nothing was written.
    Fenced,
    /// The idempotency key was used before: nothing was written.
    Duplicate,
    /// The run would go on, but its place among those in progress is taken: nothing was written.
    Full,
}

/// Stores all changes in one transaction. Those that are fenced off or duplicates are left out, each by itself.
pub async fn store(db: &Db, changes: &[Change], now: Timestamp) -> Result<Vec<Verdict>> {
    let mut tx = db.begin().await?;
    let mut verdicts = Vec::with_capacity(changes.len());
    let mut rows = Vec::new();
    lock_gates(&mut tx, changes).await?;
    for change in changes {
        let verdict = match &change.create {
            Some(create) => insert_run(&mut tx, change, create, now).await?,
            None => update_run(&mut tx, change, now).await?,
        };
        verdicts.push(verdict);
        if verdict == Verdict::Stored && change.progress.ended_at.is_some() {
            super::ending::insert(&mut tx, change).await?;
            super::failure::insert(&mut tx, change, now).await?;
        }
        if let Some(moved) = change.moved.filter(|_| verdict == Verdict::Stored) {
            set_version(&mut tx, change.run, moved).await?;
        }
        if verdict == Verdict::Stored {
            move_place(&mut tx, change).await?;
            signal::delete(&mut tx, &change.taken_in).await?;
            for outgoing in &change.outgoing {
                signal::insert(&mut tx, outgoing, now).await?;
            }
            for wait in &change.waits {
                ask::apply(&mut tx, change.workspace, change.run, wait, now).await?;
            }
            encode(&mut tx, change, now, &mut rows).await?;
        }
    }
    append(&mut tx, &rows).await?;
    tx.commit().await?;
    Ok(verdicts)
}

/// Stores a new run within a transaction.
pub(super) async fn insert(tx: &mut Tx, change: &Change, now: Timestamp) -> Result<Verdict> {
    let Some(create) = &change.create else {
        return Ok(Verdict::Fenced);
    };
    let verdict = insert_run(tx, change, create, now).await?;
    if verdict == Verdict::Stored {
        let mut rows = Vec::new();
        encode(tx, change, now, &mut rows).await?;
        append(tx, &rows).await?;
    }
    Ok(verdict)
}

/// Takes the gates of the workspaces in which runs want a place: all before any row, and always in the same order, so
/// that nobody waits in a circle.
async fn lock_gates(tx: &mut Tx, changes: &[Change]) -> Result<()> {
    let takers = changes.iter().filter(|change| matches!(change.place, Place::Take { .. }));
    let workspaces: BTreeSet<uuid::Uuid> = takers.map(|change| change.workspace.0).collect();
    for workspace in workspaces {
        flow::lock(tx, WorkspaceId(workspace)).await?;
    }
    Ok(())
}

async fn move_place(tx: &mut Tx, change: &Change) -> Result<()> {
    match change.place {
        Place::Keep => {}
        Place::Leave => flow::set_state(tx, change.run, "ended").await?,
        Place::Take { .. } => flow::set_state(tx, change.run, "held").await?,
        Place::Queue => flow::set_state(tx, change.run, "waiting").await?,
    }
    match &change.keys {
        Keys::Keep => {}
        Keys::ReleaseAll => step_key::delete(tx, change.run, None).await?,
        Keys::Release(steps) => {
            for step in steps {
                step_key::delete(tx, change.run, Some(step)).await?;
            }
        }
    }
    Ok(())
}

async fn set_version(tx: &mut Tx, run: RunId, moved: Moved) -> Result<()> {
    within!(tx, conn => query("update run set version = $2, steps_total = $3, keep_days = $4 where id = $1")
        .bind(run)
        .bind(moved.version)
        .bind(i64::from(moved.steps_total))
        .bind(moved.keep_days.map(i64::from))
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}

/// Whether a change whose commit was never answered did arrive.
pub async fn is_stored(db: &Db, change: &Change) -> Result<bool> {
    let row: Option<(i64, i64)> = crate::read!(db, conn => sqlx::query_as(
        "select last_seq, lease_token from run where id = $1",
    )
    .bind(change.run)
    .fetch_optional(conn)
    .await)?;
    Ok(row == Some((change.progress.last_seq, change.token)))
}

async fn insert_run(tx: &mut Tx, change: &Change, create: &Create, now: Timestamp) -> Result<Verdict> {
    touch_payload(tx, change.workspace, &create.definition_hash, &create.definition, now).await?;
    let (card, progress) = (&create.card, &change.progress);
    let owner = progress.lease_until.map(|_| create.owner);
    let done = within!(tx, conn => query(
        "insert into run (id, workspace_id, workflow_id, workflow_name, version, cause, started_by, idempotency_key,
            request_hash, definition_hash, status, headline, steps_done, steps_total, last_seq, created_at, started_at,
            ended_at, wake_at, owner_id, lease_until, lease_token, parent_run_id, parent_step, parent_attempt,
            parent_waits, depth, started_by_id, keep_days, forked_from, forked_seq)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
            $23, $24, $25, $26, $27, $28, $29, $30, $31)
         on conflict do nothing",
    )
    .bind(change.run)
    .bind(change.workspace)
    .bind(card.workflow_id)
    .bind(card.workflow_name.as_str())
    .bind(card.version)
    .bind(card.trigger.as_str())
    .bind(card.started_by.as_deref())
    .bind(create.idempotency_key.as_deref())
    .bind(create.request_hash.as_deref())
    .bind(create.definition_hash.as_slice())
    .bind(progress.status.as_str())
    .bind(progress.headline.as_deref())
    .bind(i64::from(progress.steps_done))
    .bind(i64::from(card.steps_total))
    .bind(progress.last_seq)
    .bind(card.created_at)
    .bind(progress.started_at)
    .bind(progress.ended_at)
    .bind(progress.wake_at)
    .bind(owner)
    .bind(progress.lease_until)
    .bind(change.token)
    .bind(card.parent.as_ref().map(|parent| parent.run))
    .bind(card.parent.as_ref().map(|parent| parent.step.as_str()))
    .bind(card.parent.as_ref().map(|parent| i64::from(parent.attempt)))
    .bind(card.parent.as_ref().is_some_and(|parent| parent.waits))
    .bind(i64::from(card.depth))
    .bind(card.started_by_id)
    .bind(create.keep_days.map(i64::from))
    .bind(create.forked_from.map(|(run, _)| run))
    .bind(create.forked_from.map(|(_, seq)| seq))
    .execute(conn)
    .await
    .map(|done| done.rows_affected()))?;
    Ok(if done == 1 { Verdict::Stored } else { Verdict::Duplicate })
}

async fn update_run(tx: &mut Tx, change: &Change, now: Timestamp) -> Result<Verdict> {
    if let Place::Take { quota } = change.place
        && !flow::has_place(tx, change.workspace, change.run, quota).await?
    {
        return Ok(Verdict::Full);
    }
    let progress = &change.progress;
    let done = within!(tx, conn => query(
        "update run set
            status = $4,
            headline = $5,
            steps_done = $6,
            last_seq = $7,
            started_at = $8,
            ended_at = $9,
            -- A run that is given back while something has reached it is due at once.
            wake_at = case when $11 or signals <= $12 or $9 is not null then $10 else $13 end,
            signals = signals - $12,
            owner_id = case when $11 then owner_id end,
            lease_until = case when $11 then lease_until end
         where id = $1 and lease_token = $2 and last_seq = $3",
    )
    .bind(change.run)
    .bind(change.token)
    .bind(change.stored_seq)
    .bind(progress.status.as_str())
    .bind(progress.headline.as_deref())
    .bind(i64::from(progress.steps_done))
    .bind(progress.last_seq)
    .bind(progress.started_at)
    .bind(progress.ended_at)
    .bind(progress.wake_at)
    .bind(progress.lease_until.is_some())
    .bind(change.settled)
    .bind(now)
    .execute(conn)
    .await
    .map(|done| done.rows_affected()))?;
    Ok(if done == 1 { Verdict::Stored } else { Verdict::Fenced })
}
