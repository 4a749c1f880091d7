//! When triggers are looked at: a schedule is due, something happened that one waits for, or a claimed firing was left open.
//!
//! One task sleeps until the next moment. Messages of this process end its sleep early; they carry nothing, for what
//! happened stands in the tables. Only where other processes share the database it also looks now and then for what these
//! left behind.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;
use tokio::sync::broadcast::error::RecvError;

use super::error::Result;
use super::{event, fire, retention, schedule, store, warm};
use crate::model::Timestamp;
use crate::runtime::Runtime;
use crate::{memory, workflow};

/// A firing that is claimed and not started this long is taken up by whoever looks.
pub(super) const STALE_MS: i64 = 10_000;
/// How long the task waits after a failure of the database.
const PAUSE_MS: i64 = 1_000;
/// Open firings that are taken up in one go.
const BATCH: u32 = 500;

/// What this process knows of when to look.
#[derive(Debug, Default)]
pub(super) struct Alarm {
    due: Mutex<Option<Timestamp>>,
    moved: Notify,
    waits_for_memory: AtomicBool,
    waits_for_runs: AtomicBool,
}

impl Alarm {
    /// Sets the alarm earlier; later ones are found when it rings.
    pub fn set(&self, at: Timestamp) {
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

/// Looks again which triggers there are: one was made, changed or deleted.
pub(super) async fn changed(runtime: &Runtime) -> Result<()> {
    let alarm = runtime.shared::<Alarm>();
    let (memory, runs) = store::trigger::interests(&runtime.db).await?;
    alarm.waits_for_memory.store(memory, Ordering::Relaxed);
    alarm.waits_for_runs.store(runs, Ordering::Relaxed);
    if let Some(next) = store::due::next(&runtime.db).await? {
        alarm.set(next);
    }
    Ok(())
}

/// Starts what triggers do by themselves; it ends with the process' tasks. Fires first what came while nobody was there.
///
/// # Errors
/// The database's.
pub async fn boot(runtime: &Runtime) -> Result<()> {
    if !runtime.db.is_shared() {
        // Nobody else can be starting what is open.
        take_up(runtime, runtime.clock.now()).await?;
    }
    look(runtime).await?;
    let own = runtime.clone();
    runtime.tasks.keep("triggers", move || watch(own.clone()));
    let own = runtime.clone();
    runtime.tasks.keep("firings kept", move || retention::watch(own.clone()));
    let own = runtime.clone();
    runtime.tasks.keep("cache warming", move || warm::watch(own.clone()));
    Ok(())
}

/// Looks once: fires what is due and what has happened, and takes up what was left open.
///
/// # Errors
/// The database's; what was fired before stays fired.
pub async fn look(runtime: &Runtime) -> Result<()> {
    let alarm = runtime.shared::<Alarm>();
    alarm.clear();
    take_up(runtime, runtime.clock.now().plus_ms(-STALE_MS)).await?;
    schedule::take_due(runtime).await?;
    event::follow_memory(runtime).await?;
    event::follow_runs(runtime).await?;
    changed(runtime).await?;
    if let Some(oldest) = store::firing::oldest_open(&runtime.db).await? {
        let now = runtime.clock.now();
        alarm.set(oldest.plus_ms(STALE_MS).max(now.plus_ms(PAUSE_MS)));
    }
    Ok(())
}

/// Starts the runs of firings that were claimed before `before` and not started since.
async fn take_up(runtime: &Runtime, before: Timestamp) -> Result<()> {
    let open = store::firing::list_open(&runtime.db, before, BATCH).await?;
    if !open.is_empty() {
        tracing::info!(count = open.len(), "firings that were left open are taken up");
    }
    fire::start_all(runtime, open).await
}

async fn watch(runtime: Runtime) {
    let stopping = runtime.tasks.stopping().clone();
    let alarm = runtime.shared::<Alarm>();
    let mut endings = workflow::endings(&runtime);
    let mut rounds = workflow::rounds(&runtime);
    // Where it is begun anew, a look was broken off.
    alarm.set(runtime.clock.now());
    loop {
        let ring = async {
            match alarm.get() {
                Some(at) => runtime.clock.sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        let ended = async {
            loop {
                match endings.recv().await {
                    Ok(_) | Err(RecvError::Lagged(_)) if alarm.waits_for_runs.load(Ordering::Relaxed) => return,
                    Err(RecvError::Closed) => std::future::pending().await,
                    _ => {}
                }
            }
        };
        let written = async {
            loop {
                memory::wait_for_change(&runtime).await;
                if alarm.waits_for_memory.load(Ordering::Relaxed) {
                    return;
                }
            }
        };
        tokio::select! {
            () = ring => {}
            () = rounds.next(&runtime.clock) => {}
            () = ended => {}
            () = written => {}
            () = alarm.moved.notified() => continue,
            () = stopping.cancelled() => return,
        }
        if let Err(error) = look(&runtime).await {
            tracing::warn!(%error, "triggers can't be looked at; it is tried again");
            runtime.clock.sleep_ms(PAUSE_MS).await;
            alarm.set(runtime.clock.now());
        }
    }
}
