//! Runs that stand under the name of this process though no task of it has them in hand: given back, or set aside.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{Engine, RETRY_MS};
use crate::db;
use crate::model::RunId;
use crate::runtime::Runtime;
use crate::workflow::{Error, store};

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
