//! Runs that stand under the name of this process though no task of it has them in hand: given back, or set aside.

use std::collections::HashMap;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use futures::FutureExt;
use tokio::sync::mpsc;

use super::{Engine, RETRY_MS};
use crate::db;
use crate::model::RunId;
use crate::runtime::Runtime;
use crate::workflow::{Error, store};

/// How often the owners of a run may panic before it is set aside: the next would, too.
const MOST_PANICS: u32 = 3;
/// Runs of whose owners that is remembered.
const MOST_REMEMBERED: usize = 1_000;

/// The runs whose owners have panicked in this process, and how often.
#[derive(Debug, Default)]
struct Broken(Mutex<HashMap<RunId, u32>>);

impl Broken {
    fn count(&self, run: RunId) -> u32 {
        let mut broken = self.0.lock().expect("no code panics while it holds this lock");
        if broken.len() >= MOST_REMEMBERED {
            broken.clear();
        }
        let count = broken.entry(run).or_default();
        *count += 1;
        *count
    }
}

/// Keeps a part of the engine going: one that panics is begun anew, and not missed by all runs from then on.
pub(super) fn keep<F>(
    runtime: &Runtime,
    engine: &Arc<Engine>,
    name: &'static str,
    work: impl Fn(Runtime, Arc<Engine>) -> F + Send + 'static,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let (runtime, engine) = (runtime.clone(), Arc::clone(engine));
    runtime.clone().tasks.keep(name, move || work(runtime.clone(), Arc::clone(&engine)));
}

/// What a panic over a run comes to: it is tried again, or set aside when that happens again and again.
pub(super) fn broken(runtime: &Runtime, run: RunId) -> Error {
    if runtime.shared::<Broken>().count(run) < MOST_PANICS {
        Error::Panicked("what goes on with a run")
    } else {
        db::Error::inconsistent("run_event", "data", "going on with the run panicked again and again").into()
    }
}

/// Has an owner work in a task. One that panics loses its run and nothing else breaks: whoever takes the run next folds its
/// history anew. Left in its hand the run would stand still until the process ends, and the process could not end in order.
pub(super) fn own(
    runtime: &Runtime,
    engine: &Arc<Engine>,
    (run, token): (RunId, i64),
    work: impl Future<Output = ()> + Send + 'static,
) {
    let (runtime, engine) = (runtime.clone(), Arc::clone(engine));
    let mailbox = engine.sender(run);
    runtime.clone().tasks.spawn("run", async move {
        if AssertUnwindSafe(work).catch_unwind().await.is_ok() {
            return;
        }
        let error = broken(&runtime, run);
        // Where it had left already, the run may be in other hands here.
        let is_ours = |now: mpsc::Sender<_>| mailbox.is_some_and(|ours| ours.same_channel(&now));
        if engine.sender(run).is_some_and(is_ours) {
            engine.strike(run);
        }
        engine.hand_back(&runtime, run, token, &error);
    });
}

impl Engine {
    /// A claim was not answered, or what was claimed could not be taken in hand: the timer sees to it.
    pub(super) fn doubt(&self, runtime: &Runtime) {
        self.in_doubt.store(true, Ordering::Release);
        self.timer.set(runtime.clock.now().plus_ms(RETRY_MS));
    }

    /// Gives back a run that was claimed and can't be taken in hand; one whose history does not read is set aside.
    pub(super) fn hand_back(self: &Arc<Self>, runtime: &Runtime, run: RunId, token: i64, error: &Error) {
        let damage = match error {
            Error::Db(damage @ db::Error::Inconsistent { .. }) => Some(damage.to_string()),
            _ => None,
        };
        tracing::error!(%run, %error, set_aside = damage.is_some(), "a run can't be taken in hand");
        let (runtime, engine) = (runtime.clone(), Arc::clone(self));
        runtime.clone().tasks.spawn("hand back", async move {
            loop {
                let done = match &damage {
                    Some(damage) => store::lease::set_aside(&runtime.db, run, token, damage).await,
                    None => store::lease::release(&runtime.db, run, token, runtime.clock.now()).await,
                };
                if done.is_ok() || runtime.tasks.stopping().is_cancelled() {
                    break;
                }
                runtime.clock.sleep_ms(RETRY_MS).await;
            }
            engine.timer.set(runtime.clock.now().plus_ms(RETRY_MS));
        });
    }
}

/// Gives back what stands under the name of this process though no task has it in hand: a claim whose answer was lost, or
/// a run that could not be loaded. Nobody else would ever take it. The caller holds the lock under which runs are taken.
pub(super) async fn give_back(runtime: &Runtime, engine: &Engine) -> db::Result<()> {
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::db::{Db, Options};
    use crate::model::Timestamp;
    use crate::runtime::outbound::Outbound;
    use crate::runtime::{Clock, Config, Ids, Keys};

    #[tokio::test]
    async fn an_owner_that_panics_leaves_nothing_in_hand_and_the_process_stops_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::isolated(folder.path());
        let db = Db::open(&Options::new(config.database_url.clone())).await.unwrap();
        let clock = Clock::manual(Timestamp(1_795_248_000_000_000));
        let runtime = Runtime::new(config, db, clock, Keys::ephemeral(&Ids), Outbound::default());
        let engine = Engine::of(&runtime);
        let run = RunId(uuid::Uuid::from_u128(7));
        for round in 0..=MOST_PANICS {
            let inbox = engine.enlist(run).unwrap();
            own(&runtime, &engine, (run, 1), async move {
                let _inbox = inbox;
                panic!("on purpose, in round {round}");
            });
            while engine.sender(run).is_some() {
                tokio::task::yield_now().await;
            }
        }
        assert!(runtime.tasks.stop(Duration::from_secs(20)).await, "nothing is left in hand");
    }
}
