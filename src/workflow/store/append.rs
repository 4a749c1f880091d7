//! Events as rows: appended in few statements, large data under its hash.

use std::sync::OnceLock;

use sqlx::query;

use super::Change;
use super::history::{self, Encoded};
use crate::db::{Result, Tx};
use crate::model::workflow::Event;
use crate::model::{RunId, Timestamp, WorkspaceId};
use crate::within;

/// Events on their way into rows.
pub(super) type Rows<'a> = Vec<(RunId, &'a Event, Encoded)>;

/// Adds the events of a change; large data is stored at once.
pub(super) async fn encode<'a>(tx: &mut Tx, change: &'a Change, now: Timestamp, rows: &mut Rows<'a>) -> Result<()> {
    let copied = change.create.iter().flat_map(|create| &create.copied);
    for event in copied.chain(&change.events) {
        let row = history::encode(event);
        if let Some((hash, bytes)) = &row.payload {
            touch_payload(tx, change.workspace, hash, bytes, now).await?;
        }
        rows.push((change.run, event, row));
    }
    Ok(())
}

/// Appends them to the histories.
pub(super) async fn append(tx: &mut Tx, rows: &Rows<'_>) -> Result<()> {
    let mut rest = rows.as_slice();
    while !rest.is_empty() {
        let (part, after) = rest.split_at(1 << rest.len().min(LARGEST_INSERT).ilog2());
        insert_events(tx, part).await?;
        rest = after;
    }
    Ok(())
}

/// Keeps a value under its hash.
pub(super) async fn touch_payload(
    tx: &mut Tx,
    workspace: WorkspaceId,
    hash: &[u8],
    data: &[u8],
    now: Timestamp,
) -> Result<()> {
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
