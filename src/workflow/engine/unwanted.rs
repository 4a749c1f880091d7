//! Tells sub-runs that nobody waits for them any more, when the run that started them could not know their ids.
//!
//! What is to be told is a row, written with the end of the attempt that starts the sub-run. One task looks at the rows:
//! its own process rings when there is a new one, and it looks by itself where other processes share the database. A
//! sub-run that is not there may still come, for a while.

use std::sync::Arc;

use tokio::sync::Notify;

use super::{Engine, RETRY_MS};
use crate::db;
use crate::runtime::Runtime;
use crate::workflow::store::unwanted::{self, Told};

/// Notes that are looked at in one go.
const BATCH: u32 = 200;
/// How long a sub-run may come after it was given up: far longer than the patience of the writer and of a statement.
const KEEP_MS: i64 = 10 * 60 * 1000;
/// Until then it is looked for again and again.
const SOON_MS: i64 = 10_000;
/// Pause between two looks after that.
const LATER_MS: i64 = 30_000;

/// Rings when something was noted.
#[derive(Debug, Default)]
pub(super) struct Bell(Notify);

impl Bell {
    /// There is a new row.
    pub(super) fn look(&self) {
        self.0.notify_one();
    }
}

/// What is left after a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    Nothing,
    /// Sub-runs that may be about to begin.
    Fresh,
    Old,
}

/// Looks at the notes until the process stops.
pub(super) async fn watch(runtime: Runtime, engine: Arc<Engine>) {
    let stopping = runtime.tasks.stopping().clone();
    let mut rounds = engine.node.rounds(&runtime.db);
    loop {
        let left = look(&runtime, &engine).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "sub-runs that nobody waits for can't be looked for; it is tried again");
            Left::Fresh
        });
        let again = async {
            match left {
                Left::Nothing => rounds.next(&runtime.clock).await,
                Left::Fresh => runtime.clock.sleep_ms(RETRY_MS).await,
                Left::Old => runtime.clock.sleep_ms(LATER_MS).await,
            }
        };
        tokio::select! {
            () = engine.unwanted.0.notified() => {}
            () = again => {}
            () = stopping.cancelled() => return,
        }
    }
}

/// Tells those that are there.
async fn look(runtime: &Runtime, engine: &Arc<Engine>) -> db::Result<Left> {
    let mut left = Left::Nothing;
    let mut after = String::new();
    loop {
        let notes = unwanted::list(&runtime.db, &after, BATCH).await?;
        for note in &notes {
            let now = runtime.clock.now();
            match unwanted::tell(&runtime.db, note, runtime.ids.fresh(), now).await? {
                Told::Run(run) => engine.poke(runtime, run),
                Told::Needless => {}
                Told::NotThere if now.ms_since(note.noted_at) < SOON_MS => left = Left::Fresh,
                Told::NotThere if left == Left::Nothing => left = Left::Old,
                Told::NotThere => {}
            }
        }
        match notes.last() {
            Some(last) if notes.len() == BATCH as usize => after.clone_from(&last.idempotency_key),
            _ => break,
        }
    }
    if left != Left::Nothing {
        unwanted::forget(&runtime.db, runtime.clock.now().plus_ms(-KEEP_MS)).await?;
    }
    Ok(left)
}
