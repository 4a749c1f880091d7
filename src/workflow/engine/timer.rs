//! Runs that nobody has in hand: taken over after a crash, woken when they are due.
//!
//! One task sleeps until the next one is due or another owner's lease ends, or an alarm is set earlier. Only where other
//! processes share the database it also looks now and then for what they gave back.

use std::sync::{Arc, Mutex};

use futures::{StreamExt, stream};
use tokio::sync::{Notify, OwnedSemaphorePermit};

use super::owner::{Owner, Taken};
use super::{Engine, LEASE_MS, forward, stray};
use crate::db;
use crate::model::Timestamp;
use crate::runtime::Runtime;
use crate::workflow::store::lease::Claim;
use crate::workflow::store::{self, history};

/// Runs taken in hand at once.
const BATCH: u32 = 512;
/// Runs that were taken in hand and have not said yet what was due: who comes from elsewhere waits for no more than so many
/// of them at the writer, and the rest costs no memory.
pub(super) const TURNS: usize = 4 * BATCH as usize;
/// Events that one query for several histories brings.
const EVENTS: i64 = 2_048;
/// Queries for histories at the same time.
const TOGETHER: usize = 4;
/// How soon it looks again at the soonest.
const SOON_MS: i64 = 10;
/// How long the timer waits after a failure of the database.
const PAUSE_MS: i64 = 1_000;

/// When the next waiting run is due, as far as this process knows.
#[derive(Debug, Default)]
pub(super) struct Alarm {
    due: Mutex<Option<Timestamp>>,
    moved: Notify,
}

impl Alarm {
    /// Sets the alarm earlier; later ones are found when it rings.
    pub(super) fn set(&self, at: Timestamp) {
        let mut due = self.due.lock().expect("no code panics while it holds this lock");
        if due.is_none_or(|due| at < due) {
            *due = Some(at);
            self.moved.notify_one();
        }
    }

    fn get(&self) -> Option<Timestamp> {
        *self.due.lock().expect("no code panics while it holds this lock")
    }

    fn clear(&self) {
        *self.due.lock().expect("no code panics while it holds this lock") = None;
    }
}

/// Takes in hand everything that is due or was left behind.
pub(super) async fn take_due(runtime: &Runtime, engine: &Arc<Engine>) -> db::Result<()> {
    // Before anything is looked at: what is set from here on may be of a run that was given back after the look.
    engine.timer.clear();
    loop {
        let room = BATCH.min(u32::try_from(engine.room()).unwrap_or(BATCH));
        let turns = Arc::clone(&engine.turns).acquire_many_owned(room).await;
        let turns = turns.expect("nobody closes them");
        let taking = engine.taking.lock().await;
        stray::give_back(runtime, engine).await?;
        if room == 0 {
            // Others may take the rest.
            engine.timer.set(runtime.clock.now().plus_ms(PAUSE_MS));
            return Ok(());
        }
        let claimed = store::lease::claim_due(&runtime.db, engine.claimant(runtime), room).await;
        let claims = claimed.inspect_err(|_| engine.doubt(runtime))?;
        let count = claims.len();
        take_all(runtime, engine, claims, turns).await;
        drop(taking);
        if count < room as usize {
            break;
        }
    }
    let soon = runtime.clock.soon(SOON_MS);
    match store::lease::next_due(&runtime.db, engine.id).await {
        // What is due by now is just being claimed by another process.
        Ok(due) => due.into_iter().for_each(|due| engine.timer.set(due.max(soon))),
        Err(error) => {
            engine.timer.set(runtime.clock.now().plus_ms(PAUSE_MS));
            return Err(error);
        }
    }
    Ok(())
}

/// Takes in hand what was claimed: many short histories with one query, long ones by themselves.
async fn take_all(runtime: &Runtime, engine: &Arc<Engine>, claims: Vec<Claim>, mut turns: OwnedSemaphorePermit) {
    let mut groups: Vec<(i64, Vec<Taken>)> = Vec::new();
    for claim in claims {
        let (run, token, events) = (claim.run, claim.token, claim.last_seq);
        match engine.enlist(run) {
            Ok(inbox) => {
                let taken = Taken { claim, inbox, turn: turns.split(1) };
                match groups.last_mut() {
                    Some((sum, group)) if *sum + events <= EVENTS && group.len() < history::MOST_RUNS => {
                        *sum += events;
                        group.push(taken);
                    }
                    _ => groups.push((events, vec![taken])),
                }
            }
            // Full, or whoever gave it back has not left yet.
            Err(error) => engine.hand_back(runtime, run, token, &error),
        }
    }
    stream::iter(groups).for_each_concurrent(TOGETHER, |(_, group)| Owner::take_some(runtime, engine, group)).await;
}

/// Sleeps until a run is due, and takes it in hand.
pub(super) async fn watch(runtime: Runtime, engine: Arc<Engine>) {
    let stopping = runtime.tasks.stopping().clone();
    let mut rounds = engine.node.rounds(&runtime.db);
    // Where it is begun anew, a look was broken off.
    engine.timer.set(runtime.clock.now());
    loop {
        let ring = async {
            match engine.timer.get() {
                Some(at) => runtime.clock.sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = ring => {}
            () = rounds.next(&runtime.clock) => {}
            () = engine.timer.moved.notified() => continue,
            () = stopping.cancelled() => return,
        }
        if let Err(error) = take_due(&runtime, &engine).await {
            tracing::warn!(%error, "waiting runs can't be looked for; it is tried again");
            engine.timer.set(runtime.clock.now());
            runtime.clock.sleep_ms(PAUSE_MS).await;
        }
    }
}

/// How often a process asks whether another one has stored signals or commands for its runs, behind the hints.
const ASK_MS: i64 = 1_000;

/// Looks at the signals and commands that other processes store for the runs that this one has in hand.
pub(super) async fn listen(runtime: Runtime, engine: Arc<Engine>) {
    let stopping = engine.drained.clone();
    loop {
        tokio::select! {
            () = runtime.clock.sleep_ms(ASK_MS) => {}
            () = stopping.cancelled() => return,
        }
        if engine.runs.lock().expect("no code panics while it holds this lock").is_empty() {
            continue;
        }
        forward::serve(runtime.clone(), Arc::clone(&engine)).await;
        match store::signal::signalled(&runtime.db, engine.id).await {
            Ok(runs) => runs.into_iter().for_each(|run| engine.poke(&runtime, run)),
            Err(error) => tracing::warn!(%error, "signals can't be looked for; it is tried again"),
        }
    }
}

/// Says that this process lives, as long as it has runs in hand.
pub(super) async fn renew(runtime: Runtime, engine: Arc<Engine>) {
    let stopping = engine.drained.clone();
    loop {
        tokio::select! {
            () = runtime.clock.sleep_ms(LEASE_MS / 4) => {}
            () = stopping.cancelled() => return,
        }
        let in_hand = || engine.runs.lock().expect("no code panics while it holds this lock").len();
        if in_hand() == 0 {
            continue;
        }
        match store::lease::renew(&runtime.db, engine.id, Engine::lease_until(&runtime)).await {
            // What comes to be in hand is so before it is in the table: more in the table is a stray.
            Ok(renewed) if renewed > in_hand() as u64 => engine.doubt(&runtime),
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "the leases of runs can't be renewed; it is tried again"),
        }
    }
}
