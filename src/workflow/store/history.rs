//! Events as rows, and back.

use std::sync::OnceLock;

use sqlx::query_as;

use super::append::{padded, values};
use super::flush::INLINE_BYTES;
use crate::db::{Db, Error, Result, Texts};
use crate::model::workflow::{Definition, Event, Fact};
use crate::model::{RunId, Timestamp, WorkspaceId};
use crate::read;

/// An event on its way into a row.
#[derive(Debug)]
pub struct Encoded {
    /// The kind.
    pub kind: &'static str,
    /// The data as JSON, unless it is large.
    pub data: Option<String>,
    /// The hash and the JSON of large data.
    pub payload: Option<(Vec<u8>, Vec<u8>)>,
    /// Of all columns of the row.
    pub checksum: i64,
}

/// The row of an event: the JSON of its fact's data, without the kind around it.
pub fn encode(run: RunId, event: &Event) -> Encoded {
    let kind = event.fact.kind();
    let whole = serde_json::to_string(&event.fact).expect("facts are plain data");
    // `{"kind":"…","data":…}`, as serde writes an adjacently tagged enum; a test holds it to that.
    let start = r#"{"kind":"","data":"#.len() + kind.len();
    let data = &whole[start..whole.len() - 1];
    let (data, payload) = if data.len() <= INLINE_BYTES {
        (Some(data.to_owned()), None)
    } else {
        (None, Some((hash(data.as_bytes()), data.as_bytes().to_vec())))
    };
    let stored = data.as_deref().map_or_else(|| payload.as_ref().map_or(&[][..], |(hash, _)| hash), str::as_bytes);
    let checksum = checksum(run, event.seq, event.at, event.step.as_deref(), kind, stored);
    Encoded { kind, data, payload, checksum }
}

/// The first eight bytes of BLAKE3 over a row's columns: tells a row that a disk or a hand has altered, not one that
/// somebody forged.
fn checksum(run: RunId, seq: i64, at: Timestamp, step: Option<&str>, kind: &str, data: &[u8]) -> i64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(run.0.as_bytes()).update(&seq.to_le_bytes()).update(&at.0.to_le_bytes());
    for text in [step.unwrap_or_default(), kind] {
        hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
    }
    hasher.update(data);
    let mut first = [0; 8];
    hasher.finalize_xof().fill(&mut first);
    i64::from_le_bytes(first)
}

/// The address of a payload.
pub fn hash(bytes: &[u8]) -> Vec<u8> {
    blake3::hash(bytes).as_bytes().to_vec()
}

#[derive(sqlx::FromRow)]
struct Row {
    seq: i64,
    at: Timestamp,
    step: Option<String>,
    kind: String,
    inline: Option<String>,
    payload_hash: Option<Vec<u8>>,
    payload: Option<Vec<u8>>,
    checksum: Option<i64>,
}

fn decode(run: RunId, row: Row) -> Result<Event> {
    let Row { seq, at, step, kind, inline, payload_hash, payload, checksum: noted } = row;
    let damaged = |found: &dyn std::fmt::Display| {
        Error::inconsistent("run_event", "data", format_args!("event {seq} of the kind {kind}: {found}"))
    };
    let stored = inline.as_deref().map_or_else(|| payload_hash.as_deref().unwrap_or_default(), str::as_bytes);
    if noted.is_some_and(|noted| noted != checksum(run, seq, at, step.as_deref(), &kind, stored)) {
        return Err(damaged(&"it does not match its checksum"));
    }
    let data = match (inline, payload) {
        (Some(data), _) => data,
        (None, Some(bytes)) if payload_hash.is_some_and(|address| address != hash(&bytes)) => {
            return Err(damaged(&"its payload does not match its hash"));
        }
        (None, Some(bytes)) => String::from_utf8(bytes).map_err(|error| damaged(&error))?,
        (None, None) => return Err(damaged(&"it has no data")),
    };
    let fact: Fact =
        serde_json::from_str(&format!(r#"{{"kind":"{kind}","data":{data}}}"#)).map_err(|error| damaged(&error))?;
    Ok(Event { seq, at, step, fact })
}

/// The events after `after`, oldest first, at most `limit`.
pub async fn list(db: &Db, workspace: WorkspaceId, run: RunId, after: i64, limit: u32) -> Result<Vec<Event>> {
    let rows: Vec<Row> = read!(db, conn => query_as(
        "select e.seq, e.at, e.step, e.kind, e.data as inline, e.payload_hash, p.data as payload, e.checksum
         from run_event e
         left join payload p on p.workspace_id = $1 and p.hash = e.payload_hash
         where e.run_id = $2 and e.seq > $3
         order by e.seq
         limit $4",
    )
    .bind(workspace)
    .bind(run)
    .bind(after)
    .bind(i64::from(limit))
    .fetch_all(conn)
    .await)?;
    rows.into_iter().map(|row| decode(run, row)).collect()
}

/// Runs of one [`list_some`]; a power of two.
pub const MOST_RUNS: usize = 256;

/// The whole history of a run, and how many signals wait for it.
#[derive(Debug)]
pub struct Told {
    /// Which run.
    pub run: RunId,
    /// Oldest first.
    pub events: Vec<Event>,
    /// What its row counts.
    pub signals: i64,
}

/// The histories of several runs, by id; at most [`MOST_RUNS`], short ones: nothing limits the events. Runs without any are
/// left out.
pub async fn list_some(db: &Db, runs: &[(WorkspaceId, RunId)]) -> Result<Vec<Told>> {
    static SQL: [OnceLock<Texts>; MOST_RUNS.ilog2() as usize + 1] =
        [const { OnceLock::new() }; MOST_RUNS.ilog2() as usize + 1];
    #[derive(sqlx::FromRow)]
    struct Found {
        run_id: RunId,
        signals: i64,
        #[sqlx(flatten)]
        row: Row,
    }
    let power = runs.len().max(1).next_power_of_two();
    let texts = SQL[power.ilog2() as usize].get_or_init(|| {
        Texts::of(format!(
            "select e.run_id, r.signals, e.seq, e.at, e.step, e.kind, e.data as inline, e.payload_hash, p.data as payload,
                e.checksum
             from {}
             join run r on r.id = v.column2
             join run_event e on e.run_id = v.column2
             left join payload p on p.workspace_id = v.column1 and p.hash = e.payload_hash
             order by e.run_id, e.seq",
            values(power, 2, 1),
        ))
    });
    let sql = db.text(texts);
    let rows: Vec<Found> = read!(db, conn => {
        let mut list = query_as(sql);
        for run in padded(runs) {
            list = list.bind(run.map(|(workspace, _)| *workspace)).bind(run.map(|(_, run)| *run));
        }
        list.fetch_all(conn).await
    })?;
    let mut all: Vec<Told> = Vec::with_capacity(runs.len());
    for Found { run_id, signals, row } in rows {
        let event = decode(run_id, row)?;
        match all.last_mut() {
            Some(told) if told.run == run_id => told.events.push(event),
            _ => all.push(Told { run: run_id, events: vec![event], signals }),
        }
    }
    Ok(all)
}

/// The newest event of a kind.
pub async fn find_newest(db: &Db, workspace: WorkspaceId, run: RunId, kind: &str) -> Result<Option<Event>> {
    let row: Option<Row> = read!(db, conn => query_as(
        "select e.seq, e.at, e.step, e.kind, e.data as inline, e.payload_hash, p.data as payload, e.checksum
         from run_event e
         left join payload p on p.workspace_id = $1 and p.hash = e.payload_hash
         where e.run_id = $2 and e.kind = $3
         order by e.seq desc
         limit 1",
    )
    .bind(workspace)
    .bind(run)
    .bind(kind)
    .fetch_optional(conn)
    .await)?;
    row.map(|row| decode(run, row)).transpose()
}

/// What a step noted of its work piece by piece, and what it waited for that came: oldest first, at most `limit`.
pub async fn list_journal(db: &Db, workspace: WorkspaceId, run: RunId, step: &str, limit: u32) -> Result<Vec<Event>> {
    let rows: Vec<Row> = read!(db, conn => query_as(
        "select e.seq, e.at, e.step, e.kind, e.data as inline, e.payload_hash, p.data as payload, e.checksum
         from run_event e
         join run r on r.id = e.run_id and r.workspace_id = $1
         left join payload p on p.workspace_id = $1 and p.hash = e.payload_hash
         where e.run_id = $2 and e.step = $3 and e.kind in ('step_advanced', 'step_answered')
         order by e.seq
         limit $4",
    )
    .bind(workspace)
    .bind(run)
    .bind(step)
    .bind(i64::from(limit))
    .fetch_all(conn)
    .await)?;
    rows.into_iter().map(|row| decode(run, row)).collect()
}

/// The definition that runs keep under this hash.
pub async fn definition(db: &Db, workspace: WorkspaceId, hash: &[u8]) -> Result<Definition> {
    let bytes: Vec<u8> = read!(db, conn =>
        sqlx::query_scalar("select data from payload where workspace_id = $1 and hash = $2")
            .bind(workspace)
            .bind(hash)
            .fetch_one(conn)
            .await)?;
    if self::hash(&bytes) != hash {
        return Err(Error::inconsistent("payload", "data", "a definition does not match its hash"));
    }
    serde_json::from_slice(&bytes).map_err(|error| Error::inconsistent("payload", "data", error))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(run: RunId, event: &Event) -> Row {
        let Encoded { kind, data, payload, checksum } = encode(run, event);
        let (payload_hash, payload) = payload.unzip();
        let (seq, at, step) = (event.seq, event.at, event.step.clone());
        Row { seq, at, step, kind: kind.to_owned(), inline: data, payload_hash, payload, checksum: Some(checksum) }
    }

    fn succeeded(output: serde_json::Value) -> Event {
        let fact = Fact::StepSucceeded { attempt: 2, port: "out".into(), output, untaken: vec![1], given: None };
        Event { seq: 3, at: Timestamp(5), step: Some("a".into()), fact }
    }

    #[test]
    fn an_event_reads_back_as_it_was_written() {
        let run = RunId(uuid::Uuid::from_u128(7));
        for output in [json!(null), json!({"a": "\"}\u{0}"}), json!("x".repeat(INLINE_BYTES))] {
            let event = succeeded(output);
            assert_eq!(decode(run, row(run, &event)).expect("reads"), event);
        }
        let event = Event { seq: 1, at: Timestamp(5), step: None, fact: Fact::RunCancelled {} };
        assert_eq!(encode(run, &event).data.as_deref(), Some("{}"));
    }

    #[test]
    fn a_row_of_which_one_bit_was_altered_is_refused() {
        let run = RunId(uuid::Uuid::from_u128(7));
        let alter: [fn(&mut Row); 6] = [
            |row| row.seq ^= 1,
            |row| row.at.0 ^= 1,
            |row| row.step = Some("b".to_owned()),
            |row| row.kind = "step_failed".to_owned(),
            |row| row.inline = row.inline.as_ref().map(|data| data.replace('1', "3")),
            |row| row.payload.iter_mut().for_each(|bytes| bytes[9] ^= 1),
        ];
        for (index, alter) in alter.into_iter().enumerate() {
            let output = if index == 5 { json!("x".repeat(INLINE_BYTES)) } else { json!(1) };
            let mut row = row(run, &succeeded(output));
            alter(&mut row);
            assert!(matches!(decode(run, row), Err(Error::Inconsistent { .. })), "{index}");
        }
    }

    #[test]
    fn a_row_from_before_there_were_checksums_reads() {
        let run = RunId(uuid::Uuid::from_u128(7));
        let event = succeeded(json!(1));
        assert_eq!(decode(run, Row { checksum: None, ..row(run, &event) }).expect("reads"), event);
    }
}
