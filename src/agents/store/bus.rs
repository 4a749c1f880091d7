//! Teams, who sits in them, and what was written.
//!
//! Whoever joins, writes or reads locks the team's row first: numbers have no gaps, and what is taken is taken once.

use sqlx::types::Json;
use sqlx::{FromRow, query, query_as, query_scalar};

use crate::agents::bus::{Message, Sitting};
use crate::db::{Db, Result, Tx};
use crate::model::agent::{Receipt, Team, TeamEdge};
use crate::model::{AgentId, RunId, Timestamp, WorkspaceId};
use crate::{read, within};

#[derive(FromRow)]
struct SeatRow {
    handle: String,
    agent_name: String,
    above: Option<String>,
    run_id: RunId,
    step: String,
}

impl From<SeatRow> for Sitting {
    fn from(row: SeatRow) -> Self {
        let SeatRow { handle, agent_name, above, run_id, step } = row;
        Self { handle, name: agent_name, above, run_id, step }
    }
}

#[derive(FromRow)]
struct MessageRow {
    number: i64,
    sender: String,
    agent_id: AgentId,
    run_id: RunId,
    step: String,
    addressed: String,
    receivers: String,
    kind: String,
    body: String,
    data: String,
    trust: String,
    signature: Vec<u8>,
    sent_at: Timestamp,
}

impl From<MessageRow> for Message {
    fn from(row: MessageRow) -> Self {
        Self {
            number: row.number,
            sender: row.sender,
            agent: row.agent_id,
            run_id: row.run_id,
            step: row.step,
            addressed: row.addressed,
            receivers: row.receivers,
            kind: row.kind,
            body: row.body,
            data: row.data,
            trust: row.trust,
            signature: row.signature,
            sent_at: row.sent_at,
        }
    }
}

const SEATS: &str =
    "select handle, agent_name, above, run_id, step from agent_seat where root_id = $1 order by place, handle";

/// Founds the team of a run with this rule, if it has none; nothing where the workspace has no such run.
pub async fn found(tx: &mut Tx, workspace: WorkspaceId, root: RunId, rule: &Team, now: Timestamp) -> Result<()> {
    within!(tx, conn => query(
        "insert into agent_team (run_id, workspace_id, rule, seats, messages, changed_at)
         select id, workspace_id, $3, 0, 0, $4 from run where workspace_id = $1 and id = $2
         on conflict (run_id) do nothing",
    )
    .bind(workspace)
    .bind(root)
    .bind(Json(rule))
    .bind(now)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// Locks a team: its rule, how many seats were taken, and the number of its newest message. `None` when there is none.
pub async fn lock(tx: &mut Tx, workspace: WorkspaceId, root: RunId) -> Result<Option<(Team, i64, i64)>> {
    let row: Option<(Json<Team>, i64, i64)> = within!(tx, conn => query_as(
        "update agent_team set seats = seats where workspace_id = $1 and run_id = $2 returning rule, seats, messages",
    )
    .bind(workspace)
    .bind(root)
    .fetch_optional(conn)
    .await)?;
    Ok(row.map(|(rule, seats, messages)| (rule.0, seats, messages)))
}

/// A team without locking it: its rule and the number of its newest message.
pub async fn find(db: &Db, workspace: WorkspaceId, root: RunId) -> Result<Option<(Team, i64)>> {
    let row: Option<(Json<Team>, i64)> = read!(db, conn => query_as(
        "select rule, messages from agent_team where workspace_id = $1 and run_id = $2",
    )
    .bind(workspace)
    .bind(root)
    .fetch_optional(conn)
    .await)?;
    Ok(row.map(|(rule, messages)| (rule.0, messages)))
}

/// Changes the rule of a team that is locked.
pub async fn set_rule(tx: &mut Tx, root: RunId, rule: &Team, now: Timestamp) -> Result<()> {
    within!(tx, conn => query("update agent_team set rule = $2, changed_at = $3 where run_id = $1")
        .bind(root)
        .bind(Json(rule))
        .bind(now)
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}

/// Who sits in a team that is locked, in the order in which they came.
pub async fn seats(tx: &mut Tx, root: RunId) -> Result<Vec<Sitting>> {
    let rows: Vec<SeatRow> = within!(tx, conn => query_as(SEATS).bind(root).fetch_all(conn).await)?;
    Ok(rows.into_iter().map(Sitting::from).collect())
}

/// Who sits in a team, in the order in which they came.
pub async fn list_seats(db: &Db, root: RunId) -> Result<Vec<Sitting>> {
    let rows: Vec<SeatRow> = read!(db, conn => query_as(SEATS).bind(root).fetch_all(conn).await)?;
    Ok(rows.into_iter().map(Sitting::from).collect())
}

/// Gives an agent a seat in a team that is locked and has `taken` seats.
pub async fn sit(
    tx: &mut Tx,
    root: RunId,
    sitting: &Sitting,
    agent: AgentId,
    taken: i64,
    now: Timestamp,
) -> Result<()> {
    within!(tx, conn => query(
        "insert into agent_seat (root_id, handle, agent_id, agent_name, run_id, step, above, place, joined_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(root)
    .bind(&sitting.handle)
    .bind(agent)
    .bind(&sitting.name)
    .bind(sitting.run_id)
    .bind(&sitting.step)
    .bind(&sitting.above)
    .bind(taken + 1)
    .bind(now)
    .execute(conn)
    .await
    .map(drop))?;
    within!(tx, conn => query("update agent_team set seats = $2 where run_id = $1")
        .bind(root)
        .bind(taken + 1)
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}

/// The message that a call has sent: its number and whom it went to, as JSON.
pub async fn find_sent(tx: &mut Tx, root: RunId, key: &str) -> Result<Option<(i64, String)>> {
    Ok(within!(tx, conn => query_as(
        "select number, receivers from agent_message where root_id = $1 and send_key = $2",
    )
    .bind(root)
    .bind(key)
    .fetch_optional(conn)
    .await)?)
}

/// Keeps the next message of a team that is locked, for each of its receivers.
pub async fn insert(tx: &mut Tx, root: RunId, message: &Message, receivers: &[String], key: &str) -> Result<()> {
    within!(tx, conn => query(
        "insert into agent_message (root_id, number, sender, agent_id, run_id, step, addressed, receivers, kind, body, data, trust,
            send_key, signature, sent_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
    )
    .bind(root)
    .bind(message.number)
    .bind(&message.sender)
    .bind(message.agent)
    .bind(message.run_id)
    .bind(&message.step)
    .bind(&message.addressed)
    .bind(&message.receivers)
    .bind(&message.kind)
    .bind(&message.body)
    .bind(&message.data)
    .bind(&message.trust)
    .bind(key)
    .bind(&message.signature)
    .bind(message.sent_at)
    .execute(conn)
    .await
    .map(drop))?;
    for receiver in receivers {
        within!(tx, conn => query("insert into agent_delivery (root_id, receiver, number) values ($1, $2, $3)")
            .bind(root)
            .bind(receiver)
            .bind(message.number)
            .execute(conn)
            .await
            .map(drop))?;
    }
    within!(tx, conn => query("update agent_team set messages = $2 where run_id = $1")
        .bind(root)
        .bind(message.number)
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}

/// The messages that a call has taken, in order.
pub async fn taken(tx: &mut Tx, root: RunId, receiver: &str, key: &str) -> Result<Vec<Message>> {
    let rows: Vec<MessageRow> = within!(tx, conn => query_as(
        "select m.number, m.sender, m.agent_id, m.run_id, m.step, m.addressed, m.receivers, m.kind, m.body, m.data, m.trust,
            m.signature, m.sent_at
         from agent_delivery d
         join agent_message m on m.root_id = d.root_id and m.number = d.number
         where d.root_id = $1 and d.receiver = $2 and d.taken_key = $3
         order by m.number",
    )
    .bind(root)
    .bind(receiver)
    .bind(key)
    .fetch_all(conn)
    .await)?;
    Ok(rows.into_iter().map(Message::from).collect())
}

/// The numbers of messages that wait for a receiver, in order, each with the characters of what it says; at most `limit`.
pub async fn waiting(tx: &mut Tx, root: RunId, receiver: &str, limit: i64) -> Result<Vec<(i64, i64)>> {
    Ok(within!(tx, conn => query_as(
        "select d.number, cast(length(m.body) + length(m.data) as bigint)
         from agent_delivery d
         join agent_message m on m.root_id = d.root_id and m.number = d.number
         where d.root_id = $1 and d.receiver = $2 and d.taken_key is null
         order by d.number
         limit $3",
    )
    .bind(root)
    .bind(receiver)
    .bind(limit)
    .fetch_all(conn)
    .await)?)
}

/// Takes what waits for a receiver up to a number, under a call's key.
pub async fn take(tx: &mut Tx, root: RunId, receiver: &str, last: i64, key: &str, now: Timestamp) -> Result<()> {
    within!(tx, conn => query(
        "update agent_delivery set taken_key = $4, taken_at = $5
         where root_id = $1 and receiver = $2 and number <= $3 and taken_key is null",
    )
    .bind(root)
    .bind(receiver)
    .bind(last)
    .bind(key)
    .bind(now)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// How many messages wait for a receiver.
pub async fn count_waiting(db: &Db, workspace: WorkspaceId, root: RunId, receiver: &str) -> Result<i64> {
    Ok(read!(db, conn => query_scalar(
        "select count(*)
         from agent_team t
         join agent_delivery d on d.root_id = t.run_id
         where t.workspace_id = $1 and t.run_id = $2 and d.receiver = $3 and d.taken_key is null",
    )
    .bind(workspace)
    .bind(root)
    .bind(receiver)
    .fetch_one(conn)
    .await)?)
}

/// How many messages wait for whom.
pub async fn list_waiting(db: &Db, root: RunId) -> Result<Vec<(String, i64)>> {
    Ok(read!(db, conn => query_as(
        "select receiver, count(*) from agent_delivery where root_id = $1 and taken_key is null group by receiver",
    )
    .bind(root)
    .fetch_all(conn)
    .await)?)
}

/// How many messages went from whom to whom.
pub async fn list_edges(db: &Db, root: RunId) -> Result<Vec<TeamEdge>> {
    let rows: Vec<(String, String, i64)> = read!(db, conn => query_as(
        "select m.sender, d.receiver, count(*)
         from agent_message m
         join agent_delivery d on d.root_id = m.root_id and d.number = m.number
         where m.root_id = $1
         group by m.sender, d.receiver
         order by m.sender, d.receiver",
    )
    .bind(root)
    .fetch_all(conn)
    .await)?;
    Ok(rows.into_iter().map(|(from, to, count)| TeamEdge { from, to, count }).collect())
}

/// Messages before a number, the newest first, at most `limit`.
pub async fn list(db: &Db, root: RunId, before: i64, limit: i64) -> Result<Vec<Message>> {
    let rows: Vec<MessageRow> = read!(db, conn => query_as(
        "select number, sender, agent_id, run_id, step, addressed, receivers, kind, body, data, trust, signature, sent_at
         from agent_message
         where root_id = $1 and number < $2
         order by number desc
         limit $3",
    )
    .bind(root)
    .bind(before)
    .bind(limit)
    .fetch_all(conn)
    .await)?;
    Ok(rows.into_iter().map(Message::from).collect())
}

/// Whom the messages of these numbers went to, both ends included, with the number of each.
pub async fn list_receipts(db: &Db, root: RunId, first: i64, last: i64) -> Result<Vec<(i64, Receipt)>> {
    let rows: Vec<(i64, String, Option<Timestamp>)> = read!(db, conn => query_as(
        "select number, receiver, taken_at
         from agent_delivery
         where root_id = $1 and number >= $2 and number <= $3
         order by number, receiver",
    )
    .bind(root)
    .bind(first)
    .bind(last)
    .fetch_all(conn)
    .await)?;
    Ok(rows.into_iter().map(|(number, handle, taken_at)| (number, Receipt { handle, taken_at })).collect())
}
