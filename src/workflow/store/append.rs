//! The statements of a flush: for as many runs at once as there are, in few texts, which the databases keep prepared.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::sync::OnceLock;

use sqlx::{query, query_scalar};

use super::flush::Change;
use super::history::Encoded;
use crate::db::{Db, Result, Texts, Tx, without_numbers};
use crate::model::workflow::Event;
use crate::model::{RunId, Timestamp, WorkspaceId};
use crate::{at_once, within};

/// Changes of one statement; a power of two.
pub const MOST_CHANGES: usize = 64;
/// Events of one statement; a power of two.
pub const MOST_EVENTS: usize = 256;
/// Numbers up to the largest power of two.
const POWERS: usize = MOST_EVENTS.ilog2() as usize + 1;

/// An event on its way into the table.
#[derive(Debug)]
pub struct Row<'a> {
    /// Its change among those that are stored together.
    pub change: usize,
    /// The event.
    pub event: &'a Event,
    /// As it stands in columns.
    pub encoded: Encoded,
}

/// Which text: how many rows of runs and of events, as powers of two, and whether the runs are steady.
type Shelf = [[[OnceLock<Texts>; POWERS]; POWERS]; 2];

/// `(values ($5, $6), ($7, $8)) v`, whose columns both engines call `column1`, `column2`, …
pub(super) fn values(rows: usize, columns: usize, first: usize) -> String {
    let mut text = String::from("(values ");
    for row in 0..rows {
        let start = if row == 0 { "(" } else { ", (" };
        text.push_str(start);
        for column in 0..columns {
            let comma = if column == 0 { "" } else { ", " };
            // Writing into a String does not fail.
            let _ = write!(text, "{comma}${}", first + row * columns + column);
        }
        text.push(')');
    }
    text.push_str(") v");
    text
}

/// Columns of a change and of an event among the parameters.
const CHANGE: usize = 12;
const EVENT: usize = 10;

/// The columns of an event, in the order of [`bind_event`].
pub(super) const EVENT_COLUMNS: &str = "run_id, seq, at, step, kind, data, payload_hash, checksum";
/// How many they are.
pub(super) const EVENT_STORED: usize = 8;

/// `v.column1, v.column2, …`
pub(super) fn columns(count: usize) -> String {
    let mut text = String::from("v.column1");
    for number in 2..=count {
        // Writing into a String does not fail.
        let _ = write!(text, ", v.column{number}");
    }
    text
}

/// The first parameter of the first row.
const fn first_of_rows(steady: bool) -> usize {
    if steady { 1 } else { 2 }
}

/// Moves rows of runs, if the fencing token and the history fit. `$1` is the time, unless they are steady.
fn update_text(rows: usize, steady: bool) -> String {
    // What an index or its condition is about is left alone where it does not change: SQLite would write the index anew,
    // and Postgres the row elsewhere.
    let moving = if steady {
        ""
    } else {
        "status = v.column4,
         started_at = v.column8,
         ended_at = v.column9,
         -- A run that is given back while something has reached it is due at once.
         wake_at = case
             when v.column11 or run.signals <= v.column12 or v.column9 is not null then v.column10
             else $1
         end,
         signals = run.signals - v.column12,
         owner_id = case when v.column11 then run.owner_id end,
         lease_until = case when v.column11 then run.lease_until end,"
    };
    let from = values(rows, CHANGE, first_of_rows(steady));
    format!(
        "update run set {moving} headline = v.column5, steps_done = v.column6, last_seq = v.column7
         from {from}
         where run.id = v.column1 and run.lease_token = v.column2 and run.last_seq = v.column3
         returning id",
    )
}

fn texts(changes: usize, events: usize, steady: bool) -> &'static Texts {
    static SHELF: Shelf = [const { [const { [const { OnceLock::new() }; POWERS] }; POWERS] }; 2];
    let (power, power_of_events) = (changes.ilog2() as usize, events.ilog2() as usize);
    SHELF[usize::from(steady)][power][power_of_events].get_or_init(|| {
        let update = update_text(changes, steady);
        let from = values(events, EVENT, first_of_rows(steady) + changes * CHANGE);
        let insert = format!("insert into run_event ({EVENT_COLUMNS}) select {}", columns(EVENT_STORED));
        Texts {
            // A change that was fenced off has left its row where another owner put it.
            sqlite: without_numbers(&format!(
                "begin immediate; {update};
                 {insert} from {from}
                 join run on run.id = v.column1 and run.lease_token = v.column9 and run.last_seq = v.column10;
                 commit",
            )),
            postgres: format!(
                "with moved as ({update}), appended as ({insert} from {from} join moved on moved.id = v.column1)
                 select id from moved",
            ),
        }
    })
}

/// Binds the parameters of a change, or of none in its place.
macro_rules! bind_change {
    ($query:expr, $change:expr) => {{
        let change: Option<&Change> = $change;
        let progress = change.map(|change| &change.progress);
        $query
            .bind(change.map(|change| change.run))
            .bind(change.map(|change| change.token))
            .bind(change.map(|change| change.stored_seq))
            .bind(progress.map(|progress| progress.status.as_str()))
            .bind(progress.and_then(|progress| progress.headline.as_deref()))
            .bind(progress.map(|progress| i64::from(progress.steps_done)))
            .bind(progress.map(|progress| progress.last_seq))
            .bind(progress.and_then(|progress| progress.started_at))
            .bind(progress.and_then(|progress| progress.ended_at))
            .bind(progress.and_then(|progress| progress.wake_at))
            .bind(progress.map(|progress| progress.lease_until.is_some()))
            .bind(change.map(|change| change.settled))
    }};
}

/// The columns of a new run, in the order of [`bind_run`].
pub(super) const RUN_COLUMNS: &str = "id, workspace_id, workflow_id, workflow_name, version, cause, started_by, \
     idempotency_key, request_hash, definition_hash, status, headline, steps_done, steps_total, last_seq, created_at, \
     started_at, ended_at, wake_at, owner_id, lease_until, lease_token, parent_run_id, parent_step, parent_attempt, \
     parent_waits, depth, started_by_id, keep_days, forked_from, forked_seq, drafted_by";
/// How many they are.
pub(super) const RUN: usize = 32;

/// Binds the columns of a new run, or of none in its place.
macro_rules! bind_run {
    ($query:expr, $change:expr) => {{
        let change: Option<&Change> = $change;
        let create = change.and_then(|change| change.create.as_deref());
        let card = create.map(|create| &create.card);
        let progress = change.map(|change| &change.progress);
        let parent = card.and_then(|card| card.parent.as_ref());
        let forked = create.and_then(|create| create.forked_from);
        let until = progress.and_then(|progress| progress.lease_until);
        $query
            .bind(change.map(|change| change.run))
            .bind(change.map(|change| change.workspace))
            .bind(card.and_then(|card| card.workflow_id))
            .bind(card.map(|card| card.workflow_name.as_str()))
            .bind(card.and_then(|card| card.version))
            .bind(card.map(|card| card.trigger.as_str()))
            .bind(card.and_then(|card| card.started_by.as_deref()))
            .bind(create.and_then(|create| create.idempotency_key.as_deref()))
            .bind(create.and_then(|create| create.request_hash.as_deref()))
            .bind(create.map(|create| create.definition_hash.as_slice()))
            .bind(progress.map(|progress| progress.status.as_str()))
            .bind(progress.and_then(|progress| progress.headline.as_deref()))
            .bind(progress.map(|progress| i64::from(progress.steps_done)))
            .bind(card.map(|card| i64::from(card.steps_total)))
            .bind(progress.map(|progress| progress.last_seq))
            .bind(card.map(|card| card.created_at))
            .bind(progress.and_then(|progress| progress.started_at))
            .bind(progress.and_then(|progress| progress.ended_at))
            .bind(progress.and_then(|progress| progress.wake_at))
            .bind(until.and(create).map(|create| create.owner))
            .bind(until)
            .bind(change.map(|change| change.token))
            .bind(parent.map(|parent| parent.run))
            .bind(parent.map(|parent| parent.step.as_str()))
            .bind(parent.map(|parent| i64::from(parent.attempt)))
            .bind(card.map(|_| parent.is_some_and(|parent| parent.waits)))
            .bind(card.map(|card| i64::from(card.depth)))
            .bind(card.and_then(|card| card.started_by_id))
            .bind(create.and_then(|create| create.keep_days.map(i64::from)))
            .bind(forked.map(|(run, _)| run))
            .bind(forked.map(|(_, seq)| seq))
            .bind(create.and_then(|create| create.drafted_by))
    }};
}
pub(super) use bind_run;

/// Binds the parameters of an event that are columns, or of none in its place.
macro_rules! bind_event {
    ($query:expr, $run:expr, $row:expr) => {{
        let row: Option<&Row<'_>> = $row;
        $query
            .bind($run)
            .bind(row.map(|row| row.event.seq))
            .bind(row.map(|row| row.event.at))
            .bind(row.and_then(|row| row.event.step.as_deref()))
            .bind(row.map(|row| row.encoded.kind))
            .bind(row.and_then(|row| row.encoded.data.as_deref()))
            .bind(row.and_then(|row| Some(row.encoded.payload.as_ref()?.0.as_slice())))
            .bind(row.map(|row| row.encoded.checksum))
    }};
}
pub(super) use bind_event;

/// The items, and nothing for as many as are missing to a power of two.
pub(super) fn padded<T>(items: &[T]) -> impl Iterator<Item = Option<&T>> {
    let missing = items.len().max(1).next_power_of_two() - items.len();
    items.iter().map(Some).chain(std::iter::repeat_with(|| None).take(missing))
}

/// Moves the rows and appends the events, all without large data, and commits. Returns the runs of which it was done.
pub(super) async fn at_once(db: &Db, changes: &[Change], rows: &[Row<'_>], now: Timestamp) -> Result<HashSet<RunId>> {
    let steady = changes.iter().all(|change| change.steady);
    let powers = |count: usize| count.max(1).next_power_of_two();
    let texts = texts(powers(changes.len()), powers(rows.len()), steady);
    let mut at_once = db.at_once().await?;
    let moved: Vec<RunId> = at_once!(&mut at_once, texts, (sql, conn) => {
        let mut moving = query_scalar(sql);
        if !steady {
            moving = moving.bind(now);
        }
        for change in padded(changes) {
            moving = bind_change!(moving, change);
        }
        for row in padded(rows) {
            let change = row.map(|row| &changes[row.change]);
            moving = bind_event!(moving, change.map(|change| change.run), row)
                .bind(change.map(|change| change.token))
                .bind(change.map(|change| change.progress.last_seq));
        }
        moving.fetch_all(conn).await
    })?;
    at_once.done();
    Ok(moved.into_iter().collect())
}

/// Moves the rows of runs; returns those that were moved.
pub(super) async fn update_runs(tx: &mut Tx, changes: &[&Change], now: Timestamp) -> Result<Vec<RunId>> {
    static SQL: [[OnceLock<Texts>; POWERS]; 2] = [const { [const { OnceLock::new() }; POWERS] }; 2];
    let mut moved = Vec::with_capacity(changes.len());
    for part in changes.chunks(MOST_CHANGES) {
        let steady = part.iter().all(|change| change.steady);
        let power = part.len().next_power_of_two();
        let sql =
            SQL[usize::from(steady)][power.ilog2() as usize].get_or_init(|| Texts::of(update_text(power, steady)));
        let sql = tx.text(sql);
        let done: Vec<RunId> = within!(&mut *tx, conn => {
            let mut update = query_scalar(sql);
            if !steady {
                update = update.bind(now);
            }
            for change in padded(part) {
                update = bind_change!(update, change.copied());
            }
            update.fetch_all(conn).await
        })?;
        moved.extend(done);
    }
    Ok(moved)
}

/// Inserts the rows of new runs; returns those that were not there, nor their idempotency keys.
pub(super) async fn insert_runs(tx: &mut Tx, changes: &[&Change]) -> Result<HashSet<RunId>> {
    static SQL: [OnceLock<Texts>; POWERS] = [const { OnceLock::new() }; POWERS];
    let mut inserted = HashSet::with_capacity(changes.len());
    for part in changes.chunks(MOST_CHANGES) {
        let power = part.len().next_power_of_two();
        let sql = SQL[power.ilog2() as usize].get_or_init(|| {
            Texts::of(format!(
                "insert into run ({RUN_COLUMNS}) select {} from {} where v.column1 is not null
                 on conflict do nothing returning id",
                columns(RUN),
                values(power, RUN, 1),
            ))
        });
        let sql = tx.text(sql);
        let done: Vec<RunId> = within!(&mut *tx, conn => {
            let mut insert = query_scalar(sql);
            for change in padded(part) {
                insert = bind_run!(insert, change.copied());
            }
            insert.fetch_all(conn).await
        })?;
        inserted.extend(done);
    }
    Ok(inserted)
}

/// Appends events to histories.
pub(super) async fn insert_events(tx: &mut Tx, changes: &[Change], rows: &[Row<'_>]) -> Result<()> {
    static SQL: [OnceLock<Texts>; POWERS] = [const { OnceLock::new() }; POWERS];
    // One statement where several of fewer rows would do: each costs a change of threads, or a round trip.
    for part in rows.chunks(MOST_EVENTS) {
        let power = part.len().next_power_of_two();
        let sql = SQL[power.ilog2() as usize].get_or_init(|| {
            Texts::of(format!(
                "insert into run_event ({EVENT_COLUMNS}) select {} from {} where v.column1 is not null",
                columns(EVENT_STORED),
                values(power, EVENT_STORED, 1),
            ))
        });
        let sql = tx.text(sql);
        within!(&mut *tx, conn => {
            let mut insert = query(sql);
            for row in padded(part) {
                insert = bind_event!(insert, row.map(|row| changes[row.change].run), row);
            }
            insert.execute(conn).await.map(drop)
        })?;
    }
    Ok(())
}

/// Keeps data under its hash. The update takes the row's lock, so that the collector looks again before it deletes.
pub(super) async fn touch_payload(
    tx: &mut Tx,
    workspace: WorkspaceId,
    hash: &[u8],
    data: &[u8],
    now: Timestamp,
) -> Result<()> {
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
