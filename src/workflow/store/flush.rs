//! One transaction for what happened to many runs: the rows, guarded by their fencing tokens, and the histories.

use std::sync::OnceLock;

use sqlx::query;

use super::Card;
use super::history::{self, Encoded};
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
}

/// Stores all changes in one transaction. Those that are fenced off or duplicates are left out, each by itself.
pub async fn store(db: &Db, changes: &[Change], now: Timestamp) -> Result<Vec<Verdict>> {
    let mut tx = db.begin().await?;
    let mut verdicts = Vec::with_capacity(changes.len());
    let mut rows = Vec::new();
    for change in changes {
        let verdict = match &change.create {
            Some(create) => insert_run(&mut tx, change, create, now).await?,
            None => update_run(&mut tx, change).await?,
        };
        verdicts.push(verdict);
        if verdict == Verdict::Stored && change.progress.ended_at.is_some() {
            super::ending::insert(&mut tx, change).await?;
        }
        if verdict == Verdict::Stored {
            for event in &change.events {
                let row = history::encode(event);
                if let Some((hash, bytes)) = &row.payload {
                    touch_payload(&mut tx, change.workspace, hash, bytes, now).await?;
                }
                rows.push((change.run, event, row));
            }
        }
    }
    let mut rest = rows.as_slice();
    while !rest.is_empty() {
        let (part, after) = rest.split_at(1 << rest.len().min(LARGEST_INSERT).ilog2());
        insert_events(&mut tx, part).await?;
        rest = after;
    }
    tx.commit().await?;
    Ok(verdicts)
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
            ended_at, wake_at, owner_id, lease_until, lease_token)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)
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
    .execute(conn)
    .await
    .map(|done| done.rows_affected()))?;
    Ok(if done == 1 { Verdict::Stored } else { Verdict::Duplicate })
}

async fn update_run(tx: &mut Tx, change: &Change) -> Result<Verdict> {
    let progress = &change.progress;
    let done = within!(tx, conn => query(
        "update run set
            status = $4,
            headline = $5,
            steps_done = $6,
            last_seq = $7,
            started_at = $8,
            ended_at = $9,
            wake_at = $10,
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
    .execute(conn)
    .await
    .map(|done| done.rows_affected()))?;
    Ok(if done == 1 { Verdict::Stored } else { Verdict::Fenced })
}

async fn touch_payload(tx: &mut Tx, workspace: WorkspaceId, hash: &[u8], data: &[u8], now: Timestamp) -> Result<()> {
    // The update takes the row's lock, so that the collector looks again before it deletes.
    within!(tx, conn => query(
        "insert into payload (workspace_id, hash, size, data, touched_at)
         values ($1, $2, $3, $4, $5)
         on conflict (workspace_id, hash) do update set touched_at = excluded.touched_at",
    )
    .bind(workspace)
    .bind(hash)
    .bind(data.len() as i64)
    .bind(data)
    .bind(now)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// Rows of the largest insert; a power of two.
const LARGEST_INSERT: usize = 64;

/// The insert of `rows` events, a power of two: few texts, so that each engine prepares them once.
fn insert_sql(rows: usize) -> &'static str {
    static TEXTS: OnceLock<Vec<String>> = OnceLock::new();
    let texts = TEXTS.get_or_init(|| {
        let text = |rows: usize| {
            let tuple = |row: usize| {
                let parameters: Vec<String> = (1..=7).map(|column| format!("${}", row * 7 + column)).collect();
                format!("({})", parameters.join(", "))
            };
            let tuples: Vec<String> = (0..rows).map(tuple).collect();
            let columns = "run_id, seq, at, step, kind, data, payload_hash";
            format!("insert into run_event ({columns}) values {}", tuples.join(", "))
        };
        (0..=LARGEST_INSERT.ilog2()).map(|power| text(1 << power)).collect()
    });
    &texts[rows.ilog2() as usize]
}

async fn insert_events(tx: &mut Tx, rows: &[(RunId, &Event, Encoded)]) -> Result<()> {
    let sql = insert_sql(rows.len());
    within!(tx, conn => {
        let mut insert = query(sql);
        for (run, event, row) in rows {
            insert = insert
                .bind(*run)
                .bind(event.seq)
                .bind(event.at)
                .bind(event.step.as_deref())
                .bind(row.kind)
                .bind(row.data.as_deref())
                .bind(row.payload.as_ref().map(|(hash, _)| hash.as_slice()));
        }
        insert.execute(conn).await.map(drop)
    })?;
    Ok(())
}
