//! Events as rows, and back.

use sqlx::query_as;

use super::flush::INLINE_BYTES;
use crate::db::{Db, Error, Result};
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
}

/// The JSON of a fact's data, without the kind around it.
pub fn encode(event: &Event) -> Encoded {
    let kind = event.fact.kind();
    let whole = serde_json::to_string(&event.fact).expect("facts are plain data");
    // `{"kind":"…","data":…}`, as serde writes an adjacently tagged enum; a test holds it to that.
    let start = r#"{"kind":"","data":"#.len() + kind.len();
    let data = &whole[start..whole.len() - 1];
    if data.len() <= INLINE_BYTES {
        Encoded { kind, data: Some(data.to_owned()), payload: None }
    } else {
        Encoded { kind, data: None, payload: Some((hash(data.as_bytes()), data.as_bytes().to_vec())) }
    }
}

/// The address of a payload.
pub fn hash(bytes: &[u8]) -> Vec<u8> {
    blake3::hash(bytes).as_bytes().to_vec()
}

type Row = (i64, Timestamp, Option<String>, String, Option<String>, Option<Vec<u8>>);

fn decode((seq, at, step, kind, data, payload): Row) -> Result<Event> {
    let unreadable = |found: &dyn std::fmt::Display| Error::inconsistent("run_event", "data", found);
    let data = match (data, payload) {
        (Some(data), _) => data,
        (None, Some(bytes)) => String::from_utf8(bytes).map_err(|error| unreadable(&error))?,
        (None, None) => return Err(unreadable(&format!("event {seq} of the kind {kind} without data"))),
    };
    let fact: Fact = serde_json::from_str(&format!(r#"{{"kind":"{kind}","data":{data}}}"#))
        .map_err(|error| unreadable(&format!("event {seq} of the kind {kind}: {error}")))?;
    Ok(Event { seq, at, step, fact })
}

/// The events after `after`, oldest first, at most `limit`.
pub async fn list(db: &Db, workspace: WorkspaceId, run: RunId, after: i64, limit: u32) -> Result<Vec<Event>> {
    let rows: Vec<Row> = read!(db, conn => query_as(
        "select e.seq, e.at, e.step, e.kind, e.data, p.data
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
    rows.into_iter().map(decode).collect()
}

/// The newest event of a kind.
pub async fn find_newest(db: &Db, workspace: WorkspaceId, run: RunId, kind: &str) -> Result<Option<Event>> {
    let row: Option<Row> = read!(db, conn => query_as(
        "select e.seq, e.at, e.step, e.kind, e.data, p.data
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
    row.map(decode).transpose()
}

/// The definition that runs keep under this hash.
pub async fn definition(db: &Db, workspace: WorkspaceId, hash: &[u8]) -> Result<Definition> {
    let bytes: Vec<u8> = read!(db, conn =>
        sqlx::query_scalar("select data from payload where workspace_id = $1 and hash = $2")
            .bind(workspace)
            .bind(hash)
            .fetch_one(conn)
            .await)?;
    serde_json::from_slice(&bytes).map_err(|error| Error::inconsistent("payload", "data", error))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_reads_back_as_it_was_written() {
        for output in [json!(null), json!({"a": "\"}\u{0}"}), json!("x".repeat(INLINE_BYTES))] {
            let fact = Fact::StepSucceeded { attempt: 2, port: "out".into(), output, untaken: vec![1] };
            let event = Event { seq: 3, at: Timestamp(5), step: Some("a".into()), fact };
            let row = encode(&event);
            let payload = row.payload.map(|(_, bytes)| bytes);
            let read = decode((3, event.at, event.step.clone(), row.kind.to_owned(), row.data, payload));
            assert_eq!(read.expect("reads"), event);
        }
        let event = Event { seq: 1, at: Timestamp(5), step: None, fact: Fact::RunCancelled {} };
        assert_eq!(encode(&event).data.as_deref(), Some("{}"));
    }
}
