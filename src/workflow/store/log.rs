//! What steps printed.

use sqlx::{query, query_as, query_scalar};

use crate::db::{Db, Result};
use crate::model::workflow::LogChunk;
use crate::model::{RunId, Timestamp, WorkspaceId};
use crate::{read, within};

type Row = (i64, Timestamp, String, i64, String, String);

/// Appends chunks of several runs in one transaction. Chunks of runs that are gone are left out.
pub async fn append(db: &Db, chunks: &[(WorkspaceId, RunId, LogChunk)]) -> Result<()> {
    let mut tx = db.begin().await?;
    for (_, run, chunk) in chunks {
        within!(&mut tx, conn => query(
            "insert into run_log (run_id, seq, at, step, attempt, stream, text)
             select $1, $2, $3, $4, $5, $6, $7
             where exists (select 1 from run where id = $1)",
        )
        .bind(*run)
        .bind(chunk.seq)
        .bind(chunk.at)
        .bind(chunk.step.as_str())
        .bind(i64::from(chunk.attempt))
        .bind(chunk.stream.as_str())
        .bind(chunk.text.as_str())
        .execute(conn)
        .await
        .map(drop))?;
    }
    tx.commit().await
}

/// The number of the newest chunk of a run; 0 when it printed nothing.
pub async fn last_seq(db: &Db, run: RunId) -> Result<i64> {
    let last: Option<i64> = read!(db, conn =>
        query_scalar("select max(seq) from run_log where run_id = $1").bind(run).fetch_one(conn).await)?;
    Ok(last.unwrap_or(0))
}

/// The chunks after `after`, oldest first; of one step, or of all.
pub async fn list(db: &Db, run: RunId, step: Option<&str>, after: i64, limit: u32) -> Result<Vec<LogChunk>> {
    let rows: Vec<Row> = read!(db, conn => query_as(
        "select seq, at, step, attempt, stream, text
         from run_log
         where run_id = $1 and seq > $2 and ($3 is null or step = $3)
         order by seq
         limit $4",
    )
    .bind(run)
    .bind(after)
    .bind(step)
    .bind(i64::from(limit))
    .fetch_all(conn)
    .await)?;
    Ok(rows
        .into_iter()
        .map(|(seq, at, step, attempt, stream, text)| LogChunk {
            seq,
            at,
            step,
            attempt: u32::try_from(attempt).unwrap_or(0),
            stream,
            text,
        })
        .collect())
}
