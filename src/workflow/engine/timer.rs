//! Runs that nobody has in hand: taken over after a crash, woken when they are due.
//!
//! One task sleeps until the next one is due or another owner's lease ends, or an alarm is set earlier. Only where other
//! processes share the database it also looks now and then for what they gave back.

use std::sync::{Arc, Mutex};

use futures::{StreamExt, stream};
use tokio::sync::Notify;

use super::owner::Owner;
use super::{Engine, LEASE_MS, forward, stray};
use crate::db;
use crate::model::Timestamp;
use crate::runtime::Runtime;
use crate::workflow::store;

/// Runs taken in hand at once.
const BATCH: u32 = 200;
/// Histories that are read at the same time.
const TOGETHER: usize = 8;
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
        let taking = engine.taking.lock().await;
        stray::give_back(runtime, engine).await?;
        let room = BATCH.min(u32::try_from(engine.room()).unwrap_or(BATCH));
        if room == 0 {
            // Others may take the rest.
            engine.timer.set(runtime.clock.now().plus_ms(PAUSE_MS));
            return Ok(());
        }
        let claimed = store::lease::claim_due(&runtime.db, engine.claimant(runtime), room).await;
        let claims = claimed.inspect_err(|_| engine.doubt(runtime))?;
        let count = claims.len();
        stream::iter(claims)
            .for_each_concurrent(TOGETHER, |claim| async move {
                let (run, token) = (claim.run, claim.token);
                match engine.enlist(run) {
                    Ok(inbox) => drop(Owner::take(runtime, engine, claim, inbox).await),
                    // Full, or whoever gave it back has not left yet.
                    Err(error) => engine.hand_back(runtime, run, token, &error),
                }
            })
            .await;
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

/// Sleeps until a run is due, and takes it in hand.
pub(super) async fn watch(runtime: Runtime, engine: Arc<Engine>) {
    let stopping = runtime.tasks.stopping().clone();
    let mut rounds = engine.node.rounds(&runtime.db);
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
