//! Steps that share a key with steps of other runs: each waits here, as an entry and not as a task, until it has the key.
//!
//! A key is a row, written under the workspace's gate and the run's fencing token, so that a limit holds over all
//! processes of a database. It is given back by the flush that stores the step's end, and falls when the run is taken over
//! or ends. Whoever waits in this process is looked at as soon as a key of the workspace comes free here, and once a
//! second where other processes share the database; a step of another process that waits for longer than that is let by.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use tokio::sync::{Notify, mpsc};

use super::attempt::{self, Order};
use super::owner::Message;
use super::{Engine, RETRY_MS};
use crate::db;
use crate::model::{RunId, WorkspaceId};
use crate::runtime::Runtime;
use crate::workflow::store::flow;
use crate::workflow::store::step_key::{self, Ask};

/// How often those who wait look whether another process gave a key back.
const ROUND_MS: i64 = 1_000;

/// A step that waits for its key.
#[derive(Debug)]
pub(super) struct Waiter {
    pub(super) ask: Ask,
    pub(super) limit: u32,
    pub(super) order: Order,
    pub(super) owner: mpsc::Sender<Message>,
    /// Its row says that it waits.
    noted: bool,
}

/// Everybody of this process who waits for a key.
#[derive(Debug, Default)]
pub(super) struct Desk {
    todo: Mutex<Todo>,
    moved: Notify,
}

#[derive(Debug, Default)]
struct Todo {
    waiting: HashMap<WorkspaceId, Vec<Waiter>>,
    looks: BTreeSet<uuid::Uuid>,
}

/// Who is looked at now.
#[derive(Debug, Default)]
struct Taken {
    /// Those who wait, by workspace.
    waiting: Vec<(WorkspaceId, Vec<Waiter>)>,
    /// Those who were cancelled meanwhile.
    gone: Vec<Ask>,
}

impl Desk {
    /// Asks for a key; the attempt begins once it has it.
    pub(super) fn ask(&self, ask: Ask, limit: u32, order: Order, owner: mpsc::Sender<Message>) {
        let workspace = ask.workspace;
        let waiter = Waiter { ask, limit, order, owner, noted: false };
        self.note(|todo| {
            todo.waiting.entry(workspace).or_default().push(waiter);
            todo.looks.insert(workspace.0);
        });
    }

    /// A key of this workspace came free.
    pub(super) fn look_at(&self, workspace: WorkspaceId) {
        self.note(|todo| {
            todo.looks.insert(workspace.0);
        });
    }

    fn note(&self, by: impl FnOnce(&mut Todo)) {
        by(&mut self.todo.lock().expect("no code panics while it holds this lock"));
        self.moved.notify_one();
    }

    /// Takes those who wait in the workspaces that are to be looked at, and apart from them those who were cancelled.
    fn take(&self, all: bool) -> Taken {
        let mut todo = self.todo.lock().expect("no code panics while it holds this lock");
        let looks = std::mem::take(&mut todo.looks);
        let mut taken = Taken::default();
        todo.waiting.retain(|workspace, waiting| {
            let is_gone = |waiter: &mut Waiter| waiter.order.cancel.is_cancelled();
            taken.gone.extend(waiting.extract_if(.., is_gone).map(|waiter| waiter.ask));
            if (all || looks.contains(&workspace.0)) && !waiting.is_empty() {
                taken.waiting.push((*workspace, std::mem::take(waiting)));
            }
            !waiting.is_empty()
        });
        taken
    }

    fn is_empty(&self) -> bool {
        self.todo.lock().expect("no code panics while it holds this lock").waiting.is_empty()
    }

    fn put_back(&self, workspace: WorkspaceId, waiting: Vec<Waiter>) {
        if !waiting.is_empty() {
            let mut todo = self.todo.lock().expect("no code panics while it holds this lock");
            todo.waiting.entry(workspace).or_default().extend(waiting);
        }
    }
}

/// Those of a workspace who are looked at. Whoever is still among them afterwards goes back, also where the look breaks off.
#[derive(Debug)]
struct Held<'a> {
    desk: &'a Desk,
    workspace: WorkspaceId,
    waiting: Vec<Waiter>,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.desk.put_back(self.workspace, std::mem::take(&mut self.waiting));
    }
}

/// Gives keys to those whose turn it is, until the process has given its runs back.
pub(super) async fn work(runtime: Runtime, engine: Arc<Engine>) {
    let shared = runtime.db.is_shared();
    // Where it is begun anew, a look was broken off, and nobody says at whom.
    let mut all = true;
    loop {
        let Taken { waiting, gone } = engine.keys.take(all);
        let desk = &engine.keys;
        let waiting = waiting.into_iter().map(|(workspace, waiting)| Held { desk, workspace, waiting });
        // Before anything can break: those of one workspace must not be lost with those of another.
        let waiting: Vec<Held<'_>> = waiting.collect();
        for ask in gone {
            // The flush that ended the step took its row out, unless the row came a moment later.
            if let Err(error) = step_key::give_back(&runtime.db, ask.run, &ask.step, ask.token).await {
                tracing::warn!(run = %ask.run, step = ask.step, %error, "a key is given back when its run ends");
            }
        }
        for mut held in waiting {
            if let Err(error) = give(&runtime, &engine, &mut held).await {
                let workspace = held.workspace;
                tracing::warn!(%workspace, %error, "keys of steps can't be given; it is tried again");
                runtime.clock.sleep_ms(RETRY_MS).await;
                engine.keys.look_at(workspace);
            }
        }
        let waits = shared && !engine.keys.is_empty();
        let round = async {
            if waits {
                runtime.clock.sleep_ms(ROUND_MS).await;
            } else {
                std::future::pending().await
            }
        };
        all = tokio::select! {
            () = engine.keys.moved.notified() => false,
            () = round => true,
            () = engine.drained.cancelled() => return,
        };
    }
}

/// One look at a workspace: those who get their key begin, the others stay among those who are looked at.
async fn give(runtime: &Runtime, engine: &Arc<Engine>, held: &mut Held<'_>) -> db::Result<()> {
    sort(&mut held.waiting);
    let verdicts = match decide(runtime, engine, held.workspace, &held.waiting).await {
        Ok(verdicts) => verdicts,
        Err(error) => {
            // A commit that was not answered may have given keys: each says anew that it waits, or it would wait for itself.
            held.waiting.iter_mut().for_each(|waiter| waiter.noted = false);
            return Err(error);
        }
    };
    for (mut waiter, verdict) in std::mem::take(&mut held.waiting).into_iter().zip(verdicts) {
        match verdict {
            Verdict::Given => {
                let Waiter { order, owner, .. } = waiter;
                runtime.tasks.spawn("step", attempt::perform(runtime.clone(), Arc::clone(engine), order, owner));
            }
            Verdict::Waits => {
                waiter.noted = true;
                held.waiting.push(waiter);
            }
            // Its run has another owner, who asks again.
            Verdict::Gone => {}
        }
    }
    Ok(())
}

/// By priority; then the first of each run before the second of any; then who asked first.
fn sort(waiting: &mut [Waiter]) {
    waiting.sort_by_key(|waiter| waiter.ask.asked_at);
    let mut seen: HashMap<(RunId, String), u32> = HashMap::new();
    let mut places = BTreeMap::new();
    for waiter in waiting.iter() {
        let nth = seen.entry((waiter.ask.run, waiter.ask.key.clone())).or_default();
        places.insert((waiter.ask.run, waiter.ask.step.clone()), *nth);
        *nth += 1;
    }
    waiting.sort_by_key(|waiter| {
        let nth = places.get(&(waiter.ask.run, waiter.ask.step.clone())).copied().unwrap_or_default();
        (std::cmp::Reverse(waiter.order.priority), nth, waiter.ask.asked_at)
    });
}

#[derive(Debug, Clone, Copy)]
enum Verdict {
    Given,
    Waits,
    Gone,
}

async fn decide(
    runtime: &Runtime,
    engine: &Engine,
    workspace: WorkspaceId,
    waiting: &[Waiter],
) -> db::Result<Vec<Verdict>> {
    let now = runtime.clock.now();
    let mut tx = runtime.db.begin().await?;
    flow::lock(&mut tx, workspace).await?;
    let mut held: HashMap<&str, i64> = HashMap::new();
    let mut verdicts = Vec::with_capacity(waiting.len());
    for Waiter { ask, limit, noted, .. } in waiting {
        if !held.contains_key(ask.key.as_str()) {
            let mut taken = step_key::count_held(&mut tx, workspace, &ask.key).await?;
            if runtime.db.is_shared() {
                let elder = ask.asked_at.plus_ms(-2 * ROUND_MS);
                taken += step_key::count_elder(&mut tx, workspace, &ask.key, elder, engine.id).await?;
            }
            held.insert(&ask.key, taken);
        }
        let taken = held.entry(&ask.key).or_default();
        let free = *taken < i64::from(*limit);
        verdicts.push(if free || !noted {
            if !step_key::put(&mut tx, ask, free.then_some(now)).await? {
                Verdict::Gone
            } else if free {
                *taken += 1;
                Verdict::Given
            } else {
                Verdict::Waits
            }
        } else {
            Verdict::Waits
        });
    }
    tx.commit().await?;
    Ok(verdicts)
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use tokio_util::sync::CancellationToken;
    use uuid::Uuid;

    use super::*;
    use crate::model::Timestamp;

    fn order(workspace: WorkspaceId, run: RunId) -> Order {
        Order {
            workspace,
            run,
            workflow_name: String::new(),
            started_by: None,
            depth: 0,
            step: "call".to_owned(),
            key: String::new(),
            effect_key: String::new(),
            began: 1,
            kind: "http".to_owned(),
            attempt: 1,
            config: serde_json::Value::Null,
            is_repeat: false,
            journal: Vec::new(),
            timeout_ms: 0,
            slots: 1,
            priority: 5,
            token: 1,
            keyed: Some(1),
            cancel: CancellationToken::new(),
        }
    }

    #[test]
    fn who_is_looked_at_still_waits_where_the_look_breaks_off() {
        let (desk, workspace, run) = (Desk::default(), WorkspaceId(Uuid::from_u128(1)), RunId(Uuid::from_u128(2)));
        let (step, key, asked_at) = ("call".to_owned(), "crm".to_owned(), Timestamp(0));
        let ask = Ask { workspace, run, step, token: 1, key, asked_at };
        desk.ask(ask, 1, order(workspace, run), mpsc::channel(1).0);
        let mut taken = desk.take(false);
        assert!(desk.is_empty());
        let (workspace, waiting) = taken.waiting.remove(0);
        let broken = catch_unwind(AssertUnwindSafe(|| {
            let _held = Held { desk: &desk, workspace, waiting };
            panic!("on purpose");
        }));
        assert!(broken.is_err());
        assert!(desk.take(false).waiting.is_empty(), "nobody says that they are to be looked at");
        assert_eq!(desk.take(true).waiting[0].1.len(), 1);
    }
}
