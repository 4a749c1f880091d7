//! How far an attempt is, told to those who watch and kept nowhere.
//!
//! Telling never waits: the bus drops what a slow watcher does not read, and at most every [`EVERY_MS`] something is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::model::live::Topic;
use crate::model::workflow::StepProgress;
use crate::model::{RunId, WorkspaceId};
use crate::runtime::Runtime;

/// The shortest time between two.
const EVERY_MS: i64 = 250;

/// Where an attempt tells how far it is; cheap to clone.
#[derive(Debug, Clone)]
pub struct Progress(Arc<Teller>);

#[derive(Debug)]
struct Teller {
    runtime: Runtime,
    workspace: WorkspaceId,
    run: RunId,
    step: String,
    attempt: u32,
    /// When something was told last, in milliseconds.
    told: AtomicI64,
}

impl Progress {
    pub(super) fn new(runtime: &Runtime, workspace: WorkspaceId, run: RunId, step: &str, attempt: u32) -> Self {
        let told = AtomicI64::new(i64::MIN);
        Self(Arc::new(Teller { runtime: runtime.clone(), workspace, run, step: step.to_owned(), attempt, told }))
    }

    /// Tells a sentence without a full stop, and how much is done, 0.0..=1.0, where that is known. What comes too soon
    /// after the one before is left out.
    pub fn tell(&self, text: &str, fraction: Option<f64>) {
        let teller = &self.0;
        let bus = &teller.runtime.events;
        if bus.watchers() == 0 {
            return;
        }
        let now = teller.runtime.clock.now().0 / 1000;
        let before = teller.told.load(Ordering::Relaxed);
        if now.saturating_sub(before) < EVERY_MS
            || teller.told.compare_exchange(before, now, Ordering::Relaxed, Ordering::Relaxed).is_err()
        {
            return;
        }
        let fraction = fraction.map(|fraction| fraction.clamp(0.0, 1.0));
        let (step, text) = (teller.step.clone(), text.to_owned());
        let data = StepProgress { step, attempt: teller.attempt, text, fraction };
        let data = serde_json::to_value(data).unwrap_or_default();
        bus.publish_at(teller.workspace, Topic::Run(teller.run), 0, "progress", data);
    }
}
