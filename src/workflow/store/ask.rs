//! What people are asked and which events are awaited: projections of the histories, written with them.

use std::collections::BTreeMap;

use sqlx::{query, query_as, query_scalar};

use super::event::{self, Wait};
use crate::db::{Db, Error, Result, Tx};
use crate::model::workflow::{Approval, ApprovalFilter, Question, Vote};
use crate::model::{ApprovalId, RunId, Timestamp, UserId, WorkflowId, WorkspaceId};
use crate::{read, within};

/// In whose place people answer who were handed the question: by their addresses, in small letters.
pub type Voices = BTreeMap<String, UserId>;

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
        voices: Voices,
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
    /// An event was handed to a step that does not wait any more: the next that waits may have it, under the id `signal`.
    GaveBack { event: uuid::Uuid, signal: uuid::Uuid },
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
        WaitChange::Asked { id, step, attempt, question, votes, delegates, voices, deadline } => {
            let (question, votes, delegates, voices) = (json(question), json(votes), json(delegates), json(voices));
            within!(tx, conn => query(
                "insert into approval (id, workspace_id, run_id, step, attempt, question, votes, delegates, created_at, deadline_at,
                    voices)
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
                 on conflict (id) do update set
                    votes = excluded.votes, delegates = excluded.delegates, voices = excluded.voices",
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
            .bind(voices.as_str())
            .execute(conn)
            .await
            .map(drop))
            .map_err(Into::into)
        }
        WaitChange::Closed { id, outcome, votes } => close(tx, *id, outcome, votes, now).await,
        WaitChange::Awaited { step, attempt, key, fields, signal } => {
            let wait = Wait { workspace, run, step, attempt: *attempt, key, fields };
            event::wait(tx, &wait, *signal, now).await
        }
        WaitChange::Left { step } => within!(tx, conn =>
            query("delete from event_wait where run_id = $1 and step = $2").bind(run).bind(step.as_str()).execute(conn).await.map(drop))
        .map_err(Into::into),
        WaitChange::GaveBack { event, signal } => event::take_back(tx, workspace, run, *event, *signal, now).await,
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

/// What an approval's row knows that the page does not show.
#[derive(Debug, Clone)]
pub struct Row {
    /// As people see it; `refusal` is not filled in.
    pub approval: Approval,
    /// Who started the run.
    pub started_by_id: Option<UserId>,
    /// E-mail addresses that were let in.
    pub delegates: Vec<String>,
    /// In whose place these answer.
    pub voices: Voices,
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
    voices: String,
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
            voices: serde_json::from_str(&self.voices).map_err(bad("voices"))?,
            attempt: u32::try_from(self.attempt).unwrap_or(0),
        })
    }
}

macro_rules! select_approvals {
    ($rest:literal) => {
        concat!(
            "select a.id, a.run_id, r.workflow_id, r.workflow_name, r.started_by, r.started_by_id, a.step, a.attempt,
                a.question, a.votes, a.delegates, a.voices, a.created_at, a.deadline_at, a.outcome, a.decided_at
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
