//! Runs that nobody has in hand: taken over after a crash, woken when they are due.
//!
//! One task sleeps until the next one is due or another owner's lease ends, or an alarm is set earlier. Only where other
//! processes share the database it also looks now and then for what they gave back.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;

use super::owner::Owner;
use super::{Engine, LEASE_MS};
use crate::db;
use crate::model::{RunId, Timestamp};
use crate::runtime::Runtime;
use crate::workflow::{Error, store};

/// Runs taken in hand at once.
const BATCH: u32 = 200;
/// How often a process looks for what others left behind: four queries a minute.
const ROUND_MS: i64 = 15_000;
/// How long the timer waits after a failure of the database.
const PAUSE_MS: i64 = 1_000;
/// How long it waits for a run whose last owner has not left yet.
const SOON_MS: i64 = 20;

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
    let mut is_full = false;
    while !is_full {
        let taking = engine.taking.lock().await;
        give_strays_back(runtime, engine).await?;
        let claimed = store::lease::claim_due(&runtime.db, engine.claimant(runtime), BATCH).await;
        let claims = claimed.inspect_err(|_| engine.doubt(runtime))?;
        let count = claims.len();
        for claim in claims {
            let (run, token) = (claim.run, claim.token);
            let taken = match engine.enlist(run) {
                Ok(inbox) => Owner::take(runtime, engine, claim, inbox).await,
                Err(error) => {
                    is_full |= matches!(error, Error::Busy);
                    put_back(runtime, engine, run, token).await;
                    Err(error)
                }
            };
            if let Err(error) = taken {
                tracing::warn!(%run, token, %error, "a run can't be taken in hand; it is tried again");
            }
        }
        drop(taking);
        if count < BATCH as usize {
            break;
        }
    }
    if let Some(due) = store::lease::next_due(&runtime.db, engine.id).await? {
        engine.timer.set(due);
    }
    Ok(())
}

/// Gives a run back that was claimed and can't be taken in hand now.
async fn put_back(runtime: &Runtime, engine: &Engine, run: RunId, token: i64) {
    while let Err(error) = store::lease::release(&runtime.db, run, token, runtime.clock.now()).await {
        tracing::warn!(%run, %error, "a run could not be given back");
        if runtime.tasks.stopping().is_cancelled() {
            return;
        }
        runtime.clock.sleep_ms(PAUSE_MS).await;
    }
    engine.timer.set(runtime.clock.now().plus_ms(SOON_MS));
}

/// Gives back what stands under the name of this process though no task has it in hand: a claim whose answer was lost, or
/// a run that could not be loaded. Nobody else would ever take it. The caller holds the lock under which runs are taken.
async fn give_strays_back(runtime: &Runtime, engine: &Engine) -> db::Result<()> {
    if !engine.in_doubt.swap(false, Ordering::AcqRel) {
        return Ok(());
    }
    let again = |error| {
        engine.doubt(runtime);
        error
    };
    for (run, token) in store::lease::list_owned(&runtime.db, engine.id).await.map_err(again)? {
        if engine.sender(run).is_none() {
            store::lease::release(&runtime.db, run, token, runtime.clock.now()).await.map_err(again)?;
        }
    }
    Ok(())
}

/// Sleeps until a run is due, and takes it in hand.
pub(super) async fn watch(runtime: Runtime, engine: Arc<Engine>) {
    let stopping = runtime.tasks.stopping().clone();
    let shared = runtime.db.is_shared();
    loop {
        let round = shared.then(|| runtime.clock.now().plus_ms(ROUND_MS));
        let next = engine.timer.get().into_iter().chain(round).min();
        let ring = async {
            match next {
                Some(at) => runtime.clock.sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = ring => {}
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

/// How often a process asks whether another one has stored signals for its runs.
const ASK_MS: i64 = 1_000;

/// Looks at the signals that other processes store for the runs that this one has in hand.
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
