//! Signals on their way to runs.
//!
//! A signal and the count on its run's row are stored in one transaction, which takes the row's lock: an owner that gives
//! the run back at that moment either sees the count or makes the run due.

use sqlx::{query, query_as, query_scalar};
use uuid::Uuid;

use crate::db::{Db, Error, Result, Tx};
use crate::model::workflow::Signal;
use crate::model::{RunId, Timestamp};
use crate::{read, within};

/// A signal for a run.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// Its id.
    pub id: Uuid,
    /// To which run.
    pub run: RunId,
    /// The path of the step that it is for; `None` for the run itself.
    pub step: Option<String>,
    /// Which attempt of the step.
    pub attempt: u32,
    /// What.
    pub signal: Signal,
}

/// A signal that waits to be taken in.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// Its id.
    pub id: Uuid,
    /// The path of the step that it is for; `None` for the run itself.
    pub step: Option<String>,
    /// Which attempt of the step.
    pub attempt: u32,
    /// What.
    pub signal: Signal,
}

/// Stores a signal, unless the run has ended or is gone. Returns whether it was stored.
pub async fn insert(tx: &mut Tx, outgoing: &Outgoing, now: Timestamp) -> Result<bool> {
    let lives = within!(tx, conn => query(
        "update run set
            signals = signals + 1,
            wake_at = case when owner_id is null then $2 else wake_at end
         where id = $1 and ended_at is null",
    )
    .bind(outgoing.run)
    .bind(now)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))?;
    if !lives {
        return Ok(false);
    }
    let signal = serde_json::to_string(&outgoing.signal).expect("signals are plain data");
    within!(tx, conn => query(
        "insert into run_signal (id, run_id, step, attempt, signal, created_at) values ($1, $2, $3, $4, $5, $6)",
    )
    .bind(outgoing.id)
    .bind(outgoing.run)
    .bind(outgoing.step.as_deref())
    .bind(i64::from(outgoing.attempt))
    .bind(signal.as_str())
    .bind(now)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(true)
}

/// The count on a run's row, and what waits, oldest first.
pub async fn list(db: &Db, run: RunId) -> Result<(i64, Vec<Incoming>)> {
    type Row = (i64, Option<Uuid>, Option<String>, Option<i64>, Option<String>);
    let rows: Vec<Row> = read!(db, conn => query_as(
        "select r.signals, s.id, s.step, s.attempt, s.signal
         from run r
         left join run_signal s on s.run_id = r.id
         where r.id = $1
         order by s.created_at, s.id",
    )
    .bind(run)
    .fetch_all(conn)
    .await)?;
    let count = rows.first().map_or(0, |row| row.0);
    let waiting = rows.into_iter().filter_map(|(_, id, step, attempt, signal)| {
        let (id, attempt, signal) = (id?, attempt?, signal?);
        Some(match serde_json::from_str(&signal) {
            Ok(signal) => Ok(Incoming { id, step, attempt: u32::try_from(attempt).unwrap_or(0), signal }),
            Err(error) => Err(Error::inconsistent("run_signal", "signal", error)),
        })
    });
    Ok((count, waiting.collect::<Result<_>>()?))
}

/// Whether a signal has not been taken in.
pub(super) async fn is_waiting(db: &Db, id: Uuid) -> Result<bool> {
    let found: Option<i64> = read!(db, conn =>
        query_scalar("select attempt from run_signal where id = $1").bind(id).fetch_optional(conn).await)?;
    Ok(found.is_some())
}

/// Deletes what was taken in. Returns how many were there.
pub(super) async fn delete(tx: &mut Tx, ids: &[Uuid]) -> Result<u64> {
    let mut count = 0;
    for id in ids {
        count += within!(&mut *tx, conn => query("delete from run_signal where id = $1")
            .bind(*id)
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
    }
    Ok(count)
}

/// Raises the count on a run's row again.
pub(super) async fn unsettle(tx: &mut Tx, run: RunId, settled: i64) -> Result<()> {
    within!(tx, conn => query("update run set signals = signals + $2 where id = $1")
        .bind(run)
        .bind(settled)
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}

/// The runs of an owner that something has reached.
pub async fn signalled(db: &Db, owner: Uuid) -> Result<Vec<RunId>> {
    Ok(read!(db, conn =>
        query_scalar("select id from run where owner_id = $1 and signals > 0 limit 1000")
            .bind(owner)
            .fetch_all(conn)
            .await)?)
}
