//! The background writer of who read.

use super::ledger::Ledger;
use crate::memory::{Error, store};
use crate::model::memory::LISTED_READERS;
use crate::runtime::Runtime;

/// How long lines are gathered.
const GATHER_MS: i64 = 1_000;
/// How long it rests after the database failed.
const REST_MS: i64 = 10_000;
/// Entries of one transaction: on SQLite all other writers wait meanwhile.
const ENTRIES: usize = 64;
/// Within this time the same reader counts once.
const ONCE_MS: i64 = 60_000;

/// Starts the writer; it writes what is left when the process stops.
pub fn boot(runtime: &Runtime) {
    let runtime = runtime.clone();
    runtime.tasks.clone().spawn("memory readers", async move {
        let ledger = runtime.shared::<Ledger>();
        let stopping = runtime.tasks.stopping().clone();
        loop {
            let wait_ms = tokio::select! {
                () = stopping.cancelled() => 0,
                () = ledger.bell.notified() => GATHER_MS,
            };
            tokio::select! {
                () = stopping.cancelled() => {}
                () = runtime.clock.sleep_ms(wait_ms) => {}
            }
            if let Err(error) = write_reads(&runtime).await {
                if stopping.is_cancelled() {
                    return;
                }
                tracing::warn!(%error, "who read memory could not be written; it is tried again in {} s", REST_MS / 1000);
                tokio::select! {
                    () = stopping.cancelled() => {}
                    () = runtime.clock.sleep_ms(REST_MS) => {}
                }
                ledger.bell.notify_one();
            }
            if stopping.is_cancelled() {
                return;
            }
        }
    });
}

/// Writes who read since it was written last; returns how many lines.
///
/// # Errors
/// When the database fails; what could not be written waits for the next time.
pub async fn write_reads(runtime: &Runtime) -> Result<usize, Error> {
    let ledger = runtime.shared::<Ledger>();
    let _turn = ledger.writing.lock().await;
    let dropped = ledger.dropped();
    if dropped > 0 {
        tracing::warn!(dropped, "more entries were read at once than are noted; these reads are not counted");
    }
    let mut lines = ledger.take();
    let mut written = 0;
    while !lines.is_empty() {
        // Whole entries: their rows are locked one entry after another.
        let mut entries = 0;
        let mut last = None;
        let end = lines.iter().position(|((entry, _), _)| {
            entries += usize::from(last.replace(*entry) != Some(*entry));
            entries > ENTRIES
        });
        let rest = lines.split_off(end.unwrap_or(lines.len()));
        let rows: Vec<store::NewRead<'_>> = lines
            .iter()
            .map(|((entry, name), line)| store::NewRead {
                entry: *entry,
                name,
                reader: &line.reader,
                reads: line.reads,
                found: line.found,
                version: line.version,
                sought: line.sought.as_ref(),
                first_at: line.first_at,
                last_at: line.last_at,
            })
            .collect();
        match store_all(runtime, &rows).await {
            Ok(()) => written += lines.len(),
            Err(error) => {
                lines.extend(rest);
                ledger.put_back(lines);
                return Err(error);
            }
        }
        lines = rest;
    }
    Ok(written)
}

/// Writes lines, sorted by entry, in one transaction. Of entries that are gone nothing is kept.
async fn store_all(runtime: &Runtime, rows: &[store::NewRead<'_>]) -> Result<(), Error> {
    let mut tx = runtime.db.begin().await?;
    for of_one in rows.chunk_by(|a, b| a.entry == b.entry) {
        let Some(first) = of_one.first() else { continue };
        if !store::begin_reads(&mut tx, first.entry, first.first_at).await? {
            continue;
        }
        for row in of_one {
            store::add_read(&mut tx, row, row.last_at.plus_ms(-ONCE_MS)).await?;
        }
        store::fold_readers(&mut tx, first.entry, i64::from(LISTED_READERS)).await?;
    }
    tx.commit().await?;
    Ok(())
}
