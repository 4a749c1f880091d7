//! Calls of steps that are held up before they are sent: for room at a provider, for their turn there, or until they may be tried
//! again. So that "why is it waiting?" has an answer; nobody decides by it.
//!
//! In memory and for this process: another knows its own. Bounded by the calls underway.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::queue::Queues;
use crate::model::gateway::{HeldUp, HeldUpBy};
use crate::model::{ProviderId, RunId, Timestamp};
use crate::runtime::Runtime;

/// The calls of steps that are held up.
#[derive(Debug, Default)]
pub(super) struct Calls(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    last_id: u64,
    calls: HashMap<u64, Call>,
}

#[derive(Debug)]
struct Call {
    run: RunId,
    provider: ProviderId,
    told: HeldUp,
}

impl Calls {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Each change is one insertion or removal: it is whole whatever panicked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One is held up for as long as what is returned lives.
    pub fn hold(self: &Arc<Self>, run: RunId, provider: ProviderId, told: HeldUp) -> Guard {
        let mut inner = self.lock();
        inner.last_id += 1;
        let id = inner.last_id;
        inner.calls.insert(id, Call { run, provider, told });
        Guard { calls: Arc::clone(self), id }
    }
}

/// A call that is held up; dropped once it is sent or given up.
#[derive(Debug)]
pub(super) struct Guard {
    calls: Arc<Calls>,
    id: u64,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.calls.lock().calls.remove(&self.id);
    }
}

/// The calls of a run that are held up in this process, the one that waits longest first. Whoever asks may read the run.
pub fn held_up(runtime: &Runtime, run: RunId) -> Vec<HeldUp> {
    let calls: Arc<Calls> = runtime.shared();
    let mut found: Vec<(ProviderId, HeldUp)> = {
        let inner = calls.lock();
        let of_run = inner.calls.values().filter(|call| call.run == run);
        of_run.map(|call| (call.provider, call.told.clone())).collect()
    };
    found.sort_by_key(|(_, told)| (told.since, told.step.clone()));
    let queues: Arc<Queues> = runtime.shared();
    let counted = |(provider, mut told): (ProviderId, HeldUp)| {
        if let HeldUpBy::Room { underway, waiting } = &mut told.by {
            (*underway, *waiting) = queues.counts(provider);
        }
        // One that was let in at once was never held up.
        Some(told).filter(|told| !matches!(told.by, HeldUpBy::Room { waiting: 0, .. }))
    };
    found.into_iter().filter_map(counted).collect()
}

/// What a call of `step` is held up by, from now on.
pub(super) fn told(step: &str, (provider, model): (&str, &str), since: Timestamp, by: HeldUpBy) -> HeldUp {
    HeldUp { step: step.to_owned(), provider: provider.to_owned(), model: model.to_owned(), since, until: None, by }
}
