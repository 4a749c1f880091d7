//! This process among those of a shared database: it shows that it lives, and sees which others have died.
//!
//! A process holds a lock under its id as long as its connection to the database lives (`db::Presence`). Whoever finds the
//! lock of another one free twice, with a pause between, gives that one's runs back for all to claim: a process that has
//! only lost its connection is back sooner. One that stands still keeps its lock, and loses its runs when the leases end.
//! Both rest on the fencing token, which a hand-over raises: whoever was wrongly taken for dead can write no more.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use uuid::Uuid;

use super::hints::{self, Hint};
use super::{Engine, stray};
use crate::db::{self, Db, Presence};
use crate::runtime::{Clock, Runtime};
use crate::workflow::store::node;

/// How long a lock must be free until its process counts as dead.
const CONFIRM: Duration = Duration::from_millis(500);
/// How often the others are looked at, where there are some.
const LOOK: Duration = Duration::from_secs(2);
/// How often it is looked whether there are others; they say so when they come.
const LOOK_ALONE: Duration = Duration::from_secs(60);
/// How long a silence lasts until a process asks whether it is to do the housekeeping.
const LEAD: Duration = Duration::from_mins(5);
/// How long the database may take to say so.
const ANSWER: Duration = Duration::from_secs(5);
/// How long to wait before the lock is asked for again.
const RETRY: Duration = Duration::from_millis(100);

/// How often a process looks for what others left behind, where there are some; hints usually come before.
const ROUND_MS: i64 = 15_000;
/// The same, where there are none.
const ROUND_ALONE_MS: i64 = 5 * 60_000;

/// What this process knows of the others.
#[derive(Debug)]
pub(super) struct Node {
    others: watch::Sender<bool>,
    moved: Notify,
}

impl Default for Node {
    fn default() -> Self {
        Self { others: watch::Sender::new(false), moved: Notify::new() }
    }
}

/// When it is time to look for what other processes left behind: at intervals that depend on whether there are others,
/// and whenever that changes.
#[derive(Debug)]
pub struct Rounds(Option<watch::Receiver<bool>>);

impl Rounds {
    /// Waits for the next; for ever where no other process can be.
    pub async fn next(&mut self, clock: &Clock) {
        let Some(others) = &mut self.0 else { return std::future::pending().await };
        // Not marked as seen: a change that came since the last look is one to look at now.
        let pause = if *others.borrow() { ROUND_MS } else { ROUND_ALONE_MS };
        tokio::select! {
            () = clock.sleep_ms(pause) => {}
            changed = others.changed() => {
                if changed.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        }
    }
}

impl Node {
    /// A process has come or gone.
    pub(super) fn look(&self) {
        self.moved.notify_one();
    }

    /// Whether there may be others.
    pub(super) fn has_others(&self) -> bool {
        *self.others.borrow()
    }

    /// When to look for what others left behind in this database.
    pub(super) fn rounds(&self, db: &Db) -> Rounds {
        Rounds(db.is_shared().then(|| self.others.subscribe()))
    }
}

/// Shows that this process lives; `None` where no other can be.
pub(super) async fn attend(runtime: &Runtime, engine: &Engine) -> db::Result<Option<Presence>> {
    let Some(mut presence) = runtime.db.attend(node::lock(engine.id)).await? else {
        return Ok(None);
    };
    node::insert(&runtime.db, engine.id, runtime.clock.now()).await?;
    runtime.elect(presence.try_lead().await?);
    engine.hints.add(Hint::Node);
    Ok(Some(presence))
}

/// Has this process listen to the others and show that it lives, until it has given its runs back.
pub(super) fn stay(runtime: &Runtime, engine: &Arc<Engine>, presence: Presence) {
    // Where it is begun anew, the presence that it had went with it.
    let first = Mutex::new(Some(presence));
    stray::keep(runtime, engine, "engine presence", move |runtime, engine| {
        let presence = first.lock().expect("no code panics while it holds this lock").take();
        keep(runtime, engine, presence)
    });
}

/// Listens to the others, and shows again that this process lives whenever the connection was lost; without a presence it
/// begins with that.
async fn keep(runtime: Runtime, engine: Arc<Engine>, presence: Option<Presence>) {
    tokio::select! {
        () = attend_for_ever(&runtime, &engine, presence) => {}
        () = engine.drained.cancelled() => {}
    }
    runtime.elect(false);
    if let Err(error) = node::delete(&runtime.db, engine.id).await {
        tracing::warn!(%error, "this process leaves without saying so");
    }
}

async fn attend_for_ever(runtime: &Runtime, engine: &Arc<Engine>, mut presence: Option<Presence>) {
    loop {
        let Some(held) = &mut presence else {
            match attend(runtime, engine).await {
                Ok(again) => {
                    tracing::info!("this process shows again that it lives");
                    presence = again;
                    // What was said meanwhile.
                    runtime.events.miss();
                    engine.node.look();
                    engine.timer.set(runtime.clock.now());
                }
                Err(_) => tokio::time::sleep(RETRY).await,
            }
            continue;
        };
        let is_lost = match tokio::time::timeout(LEAD, held.heard()).await {
            Ok(Some(message)) => {
                hints::hear(runtime, engine, &message);
                false
            }
            Ok(None) => true,
            // Whoever did the housekeeping may have gone, or the connection without a word.
            Err(_) => match tokio::time::timeout(ANSWER, held.try_lead()).await {
                Ok(Ok(elected)) => {
                    runtime.elect(elected);
                    false
                }
                _ => true,
            },
        };
        if is_lost {
            tracing::warn!("the connection that shows that this process lives was lost");
            runtime.elect(false);
            presence = None;
        }
    }
}

/// Looks for dead processes, and gives back what they had in hand.
pub(super) async fn watch(runtime: Runtime, engine: Arc<Engine>) {
    let mut suspects = HashMap::new();
    loop {
        if let Err(error) = look(&runtime, &engine, &mut suspects).await {
            tracing::debug!(%error, "other processes can't be looked for; it is tried again");
        }
        let pause = match (suspects.is_empty(), engine.node.has_others()) {
            (false, _) => CONFIRM,
            (true, true) => LOOK,
            (true, false) => LOOK_ALONE,
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = engine.node.moved.notified() => {}
            () = runtime.tasks.stopping().cancelled() => return,
        }
    }
}

async fn look(runtime: &Runtime, engine: &Engine, suspects: &mut HashMap<Uuid, Instant>) -> db::Result<()> {
    let others = node::list_others(&runtime.db, engine.id).await?;
    let has_others = !others.is_empty();
    engine.node.others.send_if_modified(|known| std::mem::replace(known, has_others) != has_others);
    suspects.retain(|other, _| others.contains(other));
    for other in others {
        if !node::is_free(&runtime.db, other).await? {
            suspects.remove(&other);
        } else if suspects.entry(other).or_insert_with(Instant::now).elapsed() >= CONFIRM
            && let Some(runs) = node::bury(&runtime.db, other, runtime.clock.now()).await?
        {
            suspects.remove(&other);
            tracing::info!(node = %other, runs, "a process has died; its runs go on");
            engine.timer.set(runtime.clock.now());
            engine.hints.add(Hint::Due);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn who_comes_or_goes_while_the_last_look_goes_on_is_looked_after_at_once() {
        let node = Node::default();
        let mut rounds = Rounds(Some(node.others.subscribe()));
        let clock = Clock::manual(crate::model::Timestamp(0));
        assert!(rounds.next(&clock).now_or_never().is_none(), "nobody came");
        for others in [true, false] {
            node.others.send_replace(others);
            assert!(rounds.next(&clock).now_or_never().is_some());
            assert!(rounds.next(&clock).now_or_never().is_none(), "once for each change");
        }
    }
}
