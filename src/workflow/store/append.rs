//! The statements of a flush: for as many runs at once as there are, in few texts, which the databases keep prepared.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::sync::OnceLock;

use sqlx::{query, query_scalar};

use super::flush::Change;
use super::history::Encoded;
use crate::db::{Db, Result, Tx};
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

/// One text for each engine.
struct Texts {
    sqlite: String,
    postgres: String,
}

/// The text on each engine, for the macro.
struct Text {
    sqlite: &'static str,
    postgres: &'static str,
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

/// Moves rows of runs, if the fencing token and the history fit. `$1` is the time.
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
    let from = values(rows, CHANGE, 2);
    format!(
        "update run set {moving} headline = v.column5, steps_done = v.column6, last_seq = v.column7
         from {from}
         where run.id = v.column1 and run.lease_token = v.column2 and run.last_seq = v.column3
         returning id",
    )
}

fn texts(changes: usize, events: usize, steady: bool) -> Text {
    static SHELF: Shelf = [const { [const { [const { OnceLock::new() }; POWERS] }; POWERS] }; 2];
    let (power, power_of_events) = (changes.ilog2() as usize, events.ilog2() as usize);
    let texts = SHELF[usize::from(steady)][power][power_of_events].get_or_init(|| {
        let update = update_text(changes, steady);
        let from = values(events, EVENT, 2 + changes * CHANGE);
        let insert = "insert into run_event (run_id, seq, at, step, kind, data, payload_hash, checksum)
             select v.column1, v.column2, v.column3, v.column4, v.column5, v.column6, v.column7, v.column8";
        Texts {
            // A change that was fenced off has left its row where another owner put it.
            sqlite: format!(
                "begin immediate; {update};
                 {insert} from {from}
                 join run on run.id = v.column1 and run.lease_token = v.column9 and run.last_seq = v.column10;
                 commit",
            ),
            postgres: format!(
                "with moved as ({update}), appended as ({insert} from {from} join moved on moved.id = v.column1)
                 select id from moved",
            ),
        }
    });
    Text { sqlite: &texts.sqlite, postgres: &texts.postgres }
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
        let mut moving = query_scalar(sql).bind(now);
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
    static SQL: [[OnceLock<String>; POWERS]; 2] = [const { [const { OnceLock::new() }; POWERS] }; 2];
    let mut moved = Vec::with_capacity(changes.len());
    for part in changes.chunks(MOST_CHANGES) {
        let steady = part.iter().all(|change| change.steady);
        let power = part.len().next_power_of_two();
        let sql = SQL[usize::from(steady)][power.ilog2() as usize].get_or_init(|| update_text(power, steady));
        let done: Vec<RunId> = within!(&mut *tx, conn => {
            let mut update = query_scalar(sql.as_str()).bind(now);
            for change in padded(part) {
                update = bind_change!(update, change.copied());
            }
            update.fetch_all(conn).await
        })?;
        moved.extend(done);
    }
    Ok(moved)
}

/// The largest power of two of the items, and the rest.
fn split<T>(items: &[T], most: usize) -> (&[T], &[T]) {
    items.split_at(1 << items.len().min(most).ilog2())
}

/// Inserts the rows of new runs; returns those that were not there, nor their idempotency keys.
pub(super) async fn insert_runs(tx: &mut Tx, changes: &[&Change]) -> Result<HashSet<RunId>> {
    let mut inserted = HashSet::with_capacity(changes.len());
    let mut rest = changes;
    while !rest.is_empty() {
        let (part, after) = split(rest, MOST_CHANGES);
        inserted.extend(insert_some_runs(tx, part).await?);
        rest = after;
    }
    Ok(inserted)
}

async fn insert_some_runs(tx: &mut Tx, changes: &[&Change]) -> Result<Vec<RunId>> {
    const COLUMNS: &str = "id, workspace_id, workflow_id, workflow_name, version, cause, started_by, idempotency_key, \
         request_hash, definition_hash, status, headline, steps_done, steps_total, last_seq, created_at, started_at, \
         ended_at, wake_at, owner_id, lease_until, lease_token, parent_run_id, parent_step, parent_attempt, \
         parent_waits, depth, started_by_id, keep_days, forked_from, forked_seq";
    static SQL: [OnceLock<String>; POWERS] = [const { OnceLock::new() }; POWERS];
    let sql = SQL[changes.len().ilog2() as usize].get_or_init(|| {
        let rows = values(changes.len(), COLUMNS.split(',').count(), 1);
        let rows = rows.trim_start_matches('(').trim_end_matches(") v");
        format!("insert into run ({COLUMNS}) {rows} on conflict do nothing returning id")
    });
    Ok(within!(tx, conn => {
        let mut insert = query_scalar(sql.as_str());
        for change in changes {
            let Some(create) = &change.create else { continue };
            let (card, progress) = (&create.card, &change.progress);
            let parent = card.parent.as_ref();
            insert = insert
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
                .bind(progress.lease_until.map(|_| create.owner))
                .bind(progress.lease_until)
                .bind(change.token)
                .bind(parent.map(|parent| parent.run))
                .bind(parent.map(|parent| parent.step.as_str()))
                .bind(parent.map(|parent| i64::from(parent.attempt)))
                .bind(parent.is_some_and(|parent| parent.waits))
                .bind(i64::from(card.depth))
                .bind(card.started_by_id)
                .bind(create.keep_days.map(i64::from))
                .bind(create.forked_from.map(|(run, _)| run))
                .bind(create.forked_from.map(|(_, seq)| seq));
        }
        insert.fetch_all(conn).await
    })?)
}

/// Appends events to histories.
pub(super) async fn insert_events(tx: &mut Tx, changes: &[Change], rows: &[Row<'_>]) -> Result<()> {
    static SQL: [OnceLock<String>; POWERS] = [const { OnceLock::new() }; POWERS];
    let mut rest = rows;
    while !rest.is_empty() {
        let (part, after) = split(rest, MOST_EVENTS);
        let sql = SQL[part.len().ilog2() as usize].get_or_init(|| {
            let rows = values(part.len(), 8, 1);
            let rows = rows.trim_start_matches('(').trim_end_matches(") v");
            format!("insert into run_event (run_id, seq, at, step, kind, data, payload_hash, checksum) {rows}")
        });
        within!(&mut *tx, conn => {
            let mut insert = query(sql.as_str());
            for row in part {
                insert = bind_event!(insert, changes[row.change].run, Some(row));
            }
            insert.execute(conn).await.map(drop)
        })?;
        rest = after;
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
