//! Events from outside: kept, and handed to the runs that wait for them, to each run once.
//!
//! What a run has taken stands in `event_taken` from the moment that the event is handed to one of its waits. An event goes
//! to one wait of a run, the one that has waited longest, and a wait is handed one event: what comes besides stays for the
//! next wait, oldest first. An event whose wait was over when the run looked is given back, and handed to the next.

use serde_json::Value;
use sqlx::{query, query_as, query_scalar};
use uuid::Uuid;

use super::hand;
use super::signal::{self, Outgoing};
use crate::db::{Db, Error, Result, Tx};
use crate::model::workflow::Signal;
use crate::model::{RunId, Timestamp, UserId, WorkspaceId};
use crate::within;
use crate::workflow::machine;

/// Events of one key that are read at once to find one that came before it was awaited: at most 25 MiB.
const PAGE: usize = 100;
/// How many such pages are read. What `match` refuses is read again by each wait; ten thousand are more than one key sees in
/// the week for which events are kept.
const PAGES: usize = 100;

/// A step that begins to wait.
#[derive(Debug)]
pub(super) struct Wait<'a> {
    pub(super) workspace: WorkspaceId,
    pub(super) run: RunId,
    /// Its path.
    pub(super) step: &'a str,
    pub(super) attempt: u32,
    pub(super) key: &'a str,
    /// What the payload must have.
    pub(super) fields: &'a Value,
}

fn read(table: &'static str, column: &'static str, text: &str) -> Result<Value> {
    serde_json::from_str(text).map_err(|error| Error::inconsistent(table, column, error))
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

/// Lists a step as waiting, and hands it the oldest event that fits, came since the run began and was not taken by the run:
/// under the id `signal`. One that is listed already keeps its place, and what it was handed.
pub(super) async fn wait(tx: &mut Tx, wait: &Wait<'_>, signal: Uuid, now: Timestamp) -> Result<()> {
    lock_key(tx, wait.workspace, wait.key, now).await?;
    let handed: Option<Uuid> = within!(&mut *tx, conn => query_scalar(
        "insert into event_wait (run_id, step, attempt, workspace_id, key, fields, since) values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (run_id, step) do update set
            attempt = excluded.attempt,
            key = excluded.key,
            fields = excluded.fields,
            since = case when event_wait.attempt = excluded.attempt then event_wait.since else excluded.since end,
            event_id = case when event_wait.attempt = excluded.attempt then event_wait.event_id end
         returning event_id",
    )
    .bind(wait.run)
    .bind(wait.step)
    .bind(i64::from(wait.attempt))
    .bind(wait.workspace)
    .bind(wait.key)
    .bind(wait.fields.to_string())
    .bind(now)
    .fetch_one(conn)
    .await)?;
    if handed.is_some() {
        return Ok(());
    }
    let mut after: Option<(Timestamp, Uuid)> = None;
    for _ in 0..PAGES {
        let page = list_untaken(tx, wait, after).await?;
        let is_last = page.len() < PAGE;
        for (event, payload, at) in page {
            let payload = read("event", "payload", &payload)?;
            if machine::fits(wait.fields, &payload) {
                let to = To { run: wait.run, step: wait.step, attempt: wait.attempt };
                hand(tx, &to, event, payload, signal, now).await?;
                return Ok(());
            }
            after = Some((at, event));
        }
        if is_last {
            break;
        }
    }
    Ok(())
}

/// Events of the key that the run may take and has not, oldest first, after a place in that order.
async fn list_untaken(
    tx: &mut Tx,
    wait: &Wait<'_>,
    after: Option<(Timestamp, Uuid)>,
) -> Result<Vec<(Uuid, String, Timestamp)>> {
    let (at, id) = after.unzip();
    Ok(within!(tx, conn => query_as(
        "select e.id, e.payload, e.created_at
         from event e
         join run r on r.id = $3 and e.created_at >= r.created_at
         where e.workspace_id = $1 and e.key = $2
            and ($4 is null or e.created_at > $4 or (e.created_at = $4 and e.id > $5))
            and not exists (select 1 from event_taken t where t.run_id = r.id and t.event_id = e.id)
         order by e.created_at, e.id
         limit $6",
    )
    .bind(wait.workspace)
    .bind(wait.key)
    .bind(wait.run)
    .bind(at)
    .bind(id)
    .bind(PAGE as i64)
    .fetch_all(conn)
    .await)?)
}

/// A wait that an event is handed to.
#[derive(Debug)]
struct To<'a> {
    run: RunId,
    step: &'a str,
    attempt: u32,
}

/// Hands an event to a wait, and notes that the run has taken it. False when the run has ended.
async fn hand(tx: &mut Tx, to: &To<'_>, event: Uuid, payload: Value, signal: Uuid, now: Timestamp) -> Result<bool> {
    let outgoing = Outgoing {
        id: signal,
        run: to.run,
        step: Some(to.step.to_owned()),
        attempt: to.attempt,
        signal: Signal::Event { payload, event: Some(event) },
    };
    if !signal::insert(tx, &outgoing, now).await? {
        return Ok(false);
    }
    hand::note_sender(tx, to.run, event).await?;
    within!(&mut *tx, conn => query("insert into event_taken (run_id, event_id) values ($1, $2) on conflict do nothing")
        .bind(to.run)
        .bind(event)
        .execute(conn)
        .await
        .map(drop))?;
    within!(tx, conn => query("update event_wait set event_id = $3 where run_id = $1 and step = $2")
        .bind(to.run)
        .bind(to.step)
        .bind(event)
        .execute(conn)
        .await
        .map(drop))?;
    Ok(true)
}

/// An event on its way.
#[derive(Debug)]
pub struct NewEvent<'a> {
    /// Its id.
    pub id: Uuid,
    /// Its key.
    pub key: &'a str,
    /// What it carries.
    pub payload: &'a Value,
    /// The sender's id of it.
    pub sender_id: Option<&'a str>,
    /// Who sent it; `None` for the program itself.
    pub sent_by: Option<UserId>,
}

/// Keeps an event and hands it to every run that waits for it: of several steps of a run to the one that has waited longest.
/// Returns the runs; `None` when it was sent before.
pub async fn send(
    tx: &mut Tx,
    workspace: WorkspaceId,
    event: &NewEvent<'_>,
    fresh: impl Fn() -> Uuid,
    now: Timestamp,
) -> Result<Option<Vec<RunId>>> {
    lock_key(tx, workspace, event.key, now).await?;
    let is_new = within!(&mut *tx, conn => query(
        "insert into event (id, workspace_id, key, payload, sender_id, created_at, sent_by) values ($1, $2, $3, $4, $5, $6, $7)
         on conflict do nothing",
    )
    .bind(event.id)
    .bind(workspace)
    .bind(event.key)
    .bind(event.payload.to_string())
    .bind(event.sender_id)
    .bind(now)
    .bind(event.sent_by)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))?;
    if !is_new {
        return Ok(None);
    }
    let waits: Vec<(RunId, String, i64, String)> = within!(&mut *tx, conn => query_as(
        "select run_id, step, attempt, fields from event_wait
         where workspace_id = $1 and key = $2 and event_id is null
         order by run_id, case when since is null then 0 else 1 end, since, step",
    )
    .bind(workspace)
    .bind(event.key)
    .fetch_all(conn)
    .await)?;
    let mut reached: Vec<RunId> = Vec::new();
    for (run, step, attempt, fields) in waits {
        let has_it = reached.last() == Some(&run);
        if has_it || !machine::fits(&read("event_wait", "fields", &fields)?, event.payload) {
            continue;
        }
        let to = To { run, step: &step, attempt: u32::try_from(attempt).unwrap_or(0) };
        if hand(tx, &to, event.id, event.payload.clone(), fresh(), now).await? {
            reached.push(run);
        }
    }
    Ok(Some(reached))
}

/// An event that was handed to a run was not taken in, because the step waited no more: it is handed to the next that waits,
/// under the id `signal`, and else lies ready for it.
pub(super) async fn take_back(
    tx: &mut Tx,
    workspace: WorkspaceId,
    run: RunId,
    event: Uuid,
    signal: Uuid,
    now: Timestamp,
) -> Result<()> {
    let found: Option<(String, String)> = within!(&mut *tx, conn =>
        query_as("select key, payload from event where id = $1 and workspace_id = $2")
            .bind(event)
            .bind(workspace)
            .fetch_optional(conn)
            .await)?;
    // It was forgotten meanwhile.
    let Some((key, payload)) = found else { return Ok(()) };
    lock_key(tx, workspace, &key, now).await?;
    within!(&mut *tx, conn => query("delete from event_taken where run_id = $1 and event_id = $2")
        .bind(run)
        .bind(event)
        .execute(conn)
        .await
        .map(drop))?;
    let payload = read("event", "payload", &payload)?;
    let waits: Vec<(String, i64, String)> = within!(&mut *tx, conn => query_as(
        "select step, attempt, fields from event_wait
         where workspace_id = $1 and key = $2 and run_id = $3 and event_id is null
         order by case when since is null then 0 else 1 end, since, step",
    )
    .bind(workspace)
    .bind(key.as_str())
    .bind(run)
    .fetch_all(conn)
    .await)?;
    for (step, attempt, fields) in waits {
        if machine::fits(&read("event_wait", "fields", &fields)?, &payload) {
            let to = To { run, step: &step, attempt: u32::try_from(attempt).unwrap_or(0) };
            hand(tx, &to, event, payload, signal, now).await?;
            break;
        }
    }
    Ok(())
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
