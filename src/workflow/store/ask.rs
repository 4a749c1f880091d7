//! What people are asked and which events are awaited: projections of the histories, written with them; and the events.

use sqlx::{query, query_as, query_scalar};

use super::signal::{self, Outgoing};
use crate::db::{Db, Error, Result, Tx};
use crate::model::workflow::{Approval, ApprovalFilter, Question, Signal, Vote};
use crate::model::{ApprovalId, RunId, Timestamp, UserId, WorkflowId, WorkspaceId};
use crate::{read, within};

/// What changed in what a run waits for.
#[derive(Debug)]
pub enum WaitChange {
    /// People are asked, or one of them has answered.
    Asked {
        id: ApprovalId,
        step: String,
        attempt: u32,
        question: Question,
        votes: Vec<Vote>,
        delegates: Vec<String>,
        deadline: Option<Timestamp>,
    },
    /// It is decided, too late, or not wanted any more.
    Closed {
        id: ApprovalId,
        outcome: String,
        /// What was answered last, if that is what ended it.
        votes: Vec<Vote>,
    },
    /// A step waits for an event. `signal` is the id for one that came before.
    Awaited { step: String, attempt: u32, key: String, fields: serde_json::Value, signal: uuid::Uuid },
    /// It waits no more.
    Left { step: String },
}

fn json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("plain data")
}

/// Stores a change of a run's waits. Returns whether something has reached the run by it.
pub(super) async fn apply(
    tx: &mut Tx,
    workspace: WorkspaceId,
    run: RunId,
    change: &WaitChange,
    now: Timestamp,
) -> Result<()> {
    match change {
        WaitChange::Asked { id, step, attempt, question, votes, delegates, deadline } => {
            let (question, votes, delegates) = (json(question), json(votes), json(delegates));
            within!(tx, conn => query(
                "insert into approval (id, workspace_id, run_id, step, attempt, question, votes, delegates, created_at, deadline_at)
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
                 on conflict (id) do update set votes = excluded.votes, delegates = excluded.delegates",
            )
            .bind(*id)
            .bind(workspace)
            .bind(run)
            .bind(step.as_str())
            .bind(i64::from(*attempt))
            .bind(question.as_str())
            .bind(votes.as_str())
            .bind(delegates.as_str())
            .bind(now)
            .bind(*deadline)
            .execute(conn)
            .await
            .map(drop))
            .map_err(Into::into)
        }
        WaitChange::Closed { id, outcome, votes } => close(tx, *id, outcome, votes, now).await,
        WaitChange::Awaited { step, attempt, key, fields, signal } => {
            lock_key(tx, workspace, key, now).await?;
            let text = json(fields);
            within!(tx, conn => query(
                "insert into event_wait (run_id, step, attempt, workspace_id, key, fields) values ($1, $2, $3, $4, $5, $6)
                 on conflict (run_id, step) do update set attempt = excluded.attempt, key = excluded.key, fields = excluded.fields",
            )
            .bind(run)
            .bind(step.as_str())
            .bind(i64::from(*attempt))
            .bind(workspace)
            .bind(key.as_str())
            .bind(text.as_str())
            .execute(conn)
            .await
            .map(drop))?;
            deliver_earlier(tx, workspace, run, (step, *attempt), key, fields, *signal, now).await
        }
        WaitChange::Left { step } => within!(tx, conn =>
            query("delete from event_wait where run_id = $1 and step = $2").bind(run).bind(step.as_str()).execute(conn).await.map(drop))
        .map_err(Into::into),
    }
}

/// Notes how an approval ended, with the answers that ended it.
async fn close(tx: &mut Tx, id: ApprovalId, outcome: &str, votes: &[Vote], now: Timestamp) -> Result<()> {
    let stored: Option<String> = within!(tx, conn =>
        query_scalar("select votes from approval where id = $1 and outcome is null").bind(id).fetch_optional(conn).await)?;
    let Some(stored) = stored else { return Ok(()) };
    let mut all: Vec<Vote> =
        serde_json::from_str(&stored).map_err(|error| Error::inconsistent("approval", "votes", error))?;
    all.extend_from_slice(votes);
    within!(tx, conn => query("update approval set outcome = $2, decided_at = $3, votes = $4 where id = $1")
        .bind(id)
        .bind(outcome)
        .bind(now)
        .bind(json(&all).as_str())
        .execute(conn)
        .await
        .map(drop))
    .map_err(Into::into)
}

/// Takes the lock under which events of a key are sent and awaited.
async fn lock_key(tx: &mut Tx, workspace: WorkspaceId, key: &str, now: Timestamp) -> Result<()> {
    within!(tx, conn => query(
        "insert into event_key (workspace_id, key, touched_at) values ($1, $2, $3)
         on conflict (workspace_id, key) do update set touched_at = excluded.touched_at",
    )
    .bind(workspace)
    .bind(key)
    .bind(now)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// Events of one key that are looked through for one that came before it was awaited.
const EARLIER: i64 = 100;

/// Hands the newest event that came since the run began to the step that only now waits for it.
#[expect(clippy::too_many_arguments, reason = "one place, and each is another thing")]
async fn deliver_earlier(
    tx: &mut Tx,
    workspace: WorkspaceId,
    run: RunId,
    (step, attempt): (&str, u32),
    key: &str,
    fields: &serde_json::Value,
    id: uuid::Uuid,
    now: Timestamp,
) -> Result<()> {
    let earlier: Vec<String> = within!(tx, conn => query_scalar(
        "select e.payload from event e join run r on r.id = $3 and e.created_at >= r.created_at
         where e.workspace_id = $1 and e.key = $2 order by e.created_at desc limit $4",
    )
    .bind(workspace)
    .bind(key)
    .bind(run)
    .bind(EARLIER)
    .fetch_all(conn)
    .await)?;
    for payload in earlier {
        let payload = serde_json::from_str(&payload).map_err(|error| Error::inconsistent("event", "payload", error))?;
        if crate::workflow::machine::fits(fields, &payload) {
            let signal = Signal::Event { payload };
            let outgoing = Outgoing { id, run, step: Some(step.to_owned()), attempt, signal };
            signal::insert(tx, &outgoing, now).await?;
            break;
        }
    }
    Ok(())
}

/// An event on its way.
#[derive(Debug)]
pub struct NewEvent<'a> {
    /// Its id.
    pub id: uuid::Uuid,
    /// Its key.
    pub key: &'a str,
    /// What it carries.
    pub payload: &'a serde_json::Value,
    /// The sender's id of it.
    pub sender_id: Option<&'a str>,
}

/// Keeps an event and hands it to every step that waits for it. Returns the runs; `None` when it was sent before.
pub async fn send(
    tx: &mut Tx,
    workspace: WorkspaceId,
    event: &NewEvent<'_>,
    fresh: impl Fn() -> uuid::Uuid,
    now: Timestamp,
) -> Result<Option<Vec<RunId>>> {
    lock_key(tx, workspace, event.key, now).await?;
    let payload = json(event.payload);
    let is_new = within!(tx, conn => query(
        "insert into event (id, workspace_id, key, payload, sender_id, created_at) values ($1, $2, $3, $4, $5, $6)
         on conflict do nothing",
    )
    .bind(event.id)
    .bind(workspace)
    .bind(event.key)
    .bind(payload.as_str())
    .bind(event.sender_id)
    .bind(now)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))?;
    if !is_new {
        return Ok(None);
    }
    let waits: Vec<(RunId, String, i64, String)> = within!(tx, conn => query_as(
        "select run_id, step, attempt, fields from event_wait where workspace_id = $1 and key = $2 order by run_id, step",
    )
    .bind(workspace)
    .bind(event.key)
    .fetch_all(conn)
    .await)?;
    let mut reached = Vec::new();
    for (run, step, attempt, fields) in waits {
        let fields =
            serde_json::from_str(&fields).map_err(|error| Error::inconsistent("event_wait", "fields", error))?;
        if !crate::workflow::machine::fits(&fields, event.payload) {
            continue;
        }
        let signal = Signal::Event { payload: event.payload.clone() };
        let attempt = u32::try_from(attempt).unwrap_or(0);
        let outgoing = Outgoing { id: fresh(), run, step: Some(step), attempt, signal };
        if signal::insert(tx, &outgoing, now).await? {
            reached.push(run);
        }
    }
    Ok(Some(reached))
}

/// What an approval's row knows that the page does not show.
#[derive(Debug, Clone)]
pub struct Row {
    /// As people see it; `refusal` is not filled in.
    pub approval: Approval,
    /// Who started the run.
    pub started_by_id: Option<UserId>,
    /// E-mail addresses that were let in.
    pub delegates: Vec<String>,
    /// The attempt of the step.
    pub attempt: u32,
}

#[derive(sqlx::FromRow)]
struct Raw {
    id: ApprovalId,
    run_id: RunId,
    workflow_id: Option<WorkflowId>,
    workflow_name: String,
    started_by: Option<String>,
    started_by_id: Option<UserId>,
    step: String,
    attempt: i64,
    question: String,
    votes: String,
    delegates: String,
    created_at: Timestamp,
    deadline_at: Option<Timestamp>,
    outcome: Option<String>,
    decided_at: Option<Timestamp>,
}

impl Raw {
    fn read(self) -> Result<Row> {
        let bad = |column: &'static str| move |error: serde_json::Error| Error::inconsistent("approval", column, error);
        Ok(Row {
            approval: Approval {
                id: self.id,
                run_id: self.run_id,
                workflow_id: self.workflow_id,
                workflow_name: self.workflow_name,
                started_by: self.started_by,
                step: self.step,
                question: serde_json::from_str(&self.question).map_err(bad("question"))?,
                votes: serde_json::from_str(&self.votes).map_err(bad("votes"))?,
                created_at: self.created_at,
                deadline_at: self.deadline_at,
                outcome: self.outcome,
                decided_at: self.decided_at,
                refusal: None,
            },
            started_by_id: self.started_by_id,
            delegates: serde_json::from_str(&self.delegates).map_err(bad("delegates"))?,
            attempt: u32::try_from(self.attempt).unwrap_or(0),
        })
    }
}

macro_rules! select_approvals {
    ($rest:literal) => {
        concat!(
            "select a.id, a.run_id, r.workflow_id, r.workflow_name, r.started_by, r.started_by_id, a.step, a.attempt,
                a.question, a.votes, a.delegates, a.created_at, a.deadline_at, a.outcome, a.decided_at
            from approval a join run r on r.id = a.run_id
            where a.workspace_id = $1 ",
            $rest
        )
    };
}

/// One approval of the workspace.
pub async fn find(db: &Db, workspace: WorkspaceId, id: ApprovalId) -> Result<Option<Row>> {
    let row: Option<Raw> = read!(db, conn =>
        query_as(select_approvals!("and a.id = $2")).bind(workspace).bind(id).fetch_optional(conn).await)?;
    row.map(Raw::read).transpose()
}

/// The open approvals of a run, oldest first.
pub async fn list_of_run(db: &Db, workspace: WorkspaceId, run: RunId) -> Result<Vec<Row>> {
    let rows: Vec<Raw> = read!(db, conn => query_as(select_approvals!(
        "and a.run_id = $2 and a.outcome is null order by a.created_at, a.id limit 100"))
        .bind(workspace)
        .bind(run)
        .fetch_all(conn)
        .await)?;
    rows.into_iter().map(Raw::read).collect()
}

/// Open approvals oldest first, or ended ones newest first, after a place in that order.
pub async fn list(
    db: &Db,
    workspace: WorkspaceId,
    filter: ApprovalFilter,
    after: Option<(Timestamp, ApprovalId)>,
    limit: u32,
) -> Result<Vec<Row>> {
    let (at, id) = after.unzip();
    let rows: Vec<Raw> = match filter {
        ApprovalFilter::Open => read!(db, conn => query_as(select_approvals!(
            "and a.outcome is null and ($2 is null or a.created_at > $2 or (a.created_at = $2 and a.id > $3))
             order by a.created_at, a.id limit $4"))
            .bind(workspace).bind(at).bind(id).bind(i64::from(limit)).fetch_all(conn).await)?,
        ApprovalFilter::Decided => read!(db, conn => query_as(select_approvals!(
            "and a.outcome is not null and ($2 is null or a.decided_at < $2 or (a.decided_at = $2 and a.id < $3))
             order by a.decided_at desc, a.id desc limit $4"))
            .bind(workspace).bind(at).bind(id).bind(i64::from(limit)).fetch_all(conn).await)?,
    };
    rows.into_iter().map(Raw::read).collect()
}

/// Deletes events, and keys that nobody touched, from before; at most `limit` of each. Returns how many.
pub async fn forget(db: &Db, before: Timestamp, limit: u32) -> Result<u64> {
    let mut tx = db.begin().await?;
    let events = within!(&mut tx, conn => query(
        "delete from event where id in (select id from event where created_at < $1 order by created_at limit $2)",
    )
    .bind(before)
    .bind(i64::from(limit))
    .execute(conn)
    .await
    .map(|done| done.rows_affected()))?;
    within!(&mut tx, conn => query("delete from event_key where touched_at < $1").bind(before).execute(conn).await.map(drop))?;
    tx.commit().await?;
    Ok(events)
}
