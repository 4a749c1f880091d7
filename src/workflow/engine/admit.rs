//! Runs that wait to begin: stored when they come, let in when a place is free, taken in hand here.
//!
//! One task of each process does what has come together: it lets in the next of the workspaces in which a place came free
//! or a rate's window opened, takes what was let in, and cancels what newer runs supersede. Where other processes share
//! the database it also looks now and then for what a dead one left undone.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::{Notify, oneshot};

use super::owner::{Begin, New, Owner};
use super::{Engine, RETRY_MS};
use crate::db;
use crate::model::live::Topic;
use crate::model::workflow::flow::Limits;
use crate::model::workflow::{Command, Event, Fact, RunStatus, RunSummary};
use crate::model::{RunId, Timestamp, WorkspaceId};
use crate::runtime::Runtime;
use crate::workflow::machine::{self, Input, Moment};
use crate::workflow::store::{self, Change, Keys, Place, Progress};
use crate::workflow::{Error, flow};

/// How often a process looks for what others left undone while it has runs in hand.
const ROUND_MS: i64 = 2_000;
/// How many rounds it leaves out while it has none: one look a minute is left.
const IDLE_ROUNDS: u32 = 29;
/// The same where there is no other process: five minutes.
const ALONE_ROUNDS: u32 = 149;

/// How long after a look at the runs of a workspace with a limit of its own the next is due at the latest, while some wait.
const SETTLE_MS: i64 = 30_000;

/// What is to be done for runs that wait.
#[derive(Debug, Default)]
pub(super) struct Desk {
    todo: Mutex<Todo>,
    moved: Notify,
    /// Somebody works at it, or did.
    is_begun: AtomicBool,
}

#[derive(Debug, Default)]
struct Todo {
    /// Where somebody may be let in, and whether some came back to the queue.
    looks: HashMap<WorkspaceId, bool>,
    /// Who was let in and is to be taken in hand.
    admitted: Vec<(WorkspaceId, RunId)>,
    /// Who is to be cancelled, and for whom.
    superseded: Vec<(WorkspaceId, RunId, RunId)>,
    /// When the next window opens.
    openings: HashMap<WorkspaceId, Timestamp>,
}

impl Desk {
    /// A place came free, or with `reopen` a run came back to the queue.
    pub(super) fn look_at(&self, workspace: WorkspaceId, reopen: bool) {
        self.note(|todo| *todo.looks.entry(workspace).or_default() |= reopen);
    }

    fn note(&self, by: impl FnOnce(&mut Todo)) {
        by(&mut self.todo.lock().expect("no code panics while it holds this lock"));
        self.moved.notify_one();
    }

    /// Takes what is to be done by now.
    fn take(&self, now: Timestamp) -> Todo {
        let mut todo = self.todo.lock().expect("no code panics while it holds this lock");
        let due: Vec<WorkspaceId> =
            todo.openings.iter().filter(|(_, at)| **at <= now).map(|(workspace, _)| *workspace).collect();
        for workspace in due {
            todo.openings.remove(&workspace);
            todo.looks.entry(workspace).or_default();
        }
        Todo {
            looks: std::mem::take(&mut todo.looks),
            admitted: std::mem::take(&mut todo.admitted),
            superseded: std::mem::take(&mut todo.superseded),
            openings: HashMap::new(),
        }
    }

    fn next(&self) -> Option<Timestamp> {
        self.todo.lock().expect("no code panics while it holds this lock").openings.values().min().copied()
    }
}

impl Engine {
    /// Has it looked at who of a workspace may begin: a limit was raised.
    pub(in crate::workflow) fn let_in(&self, workspace: WorkspaceId) {
        self.desk.look_at(workspace, false);
    }
}

/// Accepts a run that has to be let in. Returns once it is durable.
pub(super) async fn accept(runtime: &Runtime, engine: &Arc<Engine>, new: New, limits: Limits) -> Result<Begin, Error> {
    let (done, accepted) = oneshot::channel();
    let (runtime, engine) = (runtime.clone(), Arc::clone(engine));
    // In a task of its own: whoever asked may go, what was let in must be taken in hand.
    runtime.clone().tasks.spawn("accept", async move {
        let _ = done.send(store(&runtime, &engine, new, &limits).await);
    });
    accepted.await.map_err(|_| Error::Stopping)?
}

async fn store(runtime: &Runtime, engine: &Engine, new: New, limits: &Limits) -> Result<Begin, Error> {
    let New { run, workspace, create, state, first } = new;
    let now = create.card.created_at;
    let events = match first {
        Input::Start { inputs, until } => {
            vec![Event { seq: 1, at: now, step: None, fact: Fact::RunQueued { inputs, until } }]
        }
        // A fork from before the beginning: what was copied says already that it was queued, and with what.
        fork => machine::decide(&state, fork, &Moment { now, fraction: 0.0 }).map_err(Error::Refused)?,
    };
    let progress = Progress {
        status: RunStatus::Queued,
        headline: None,
        steps_done: 0,
        last_seq: state.last_seq() + events.len() as i64,
        started_at: None,
        ended_at: None,
        wake_at: None,
        lease_until: None,
    };
    let card = create.card.clone();
    let change = Change {
        handler: None,
        moved: None,
        run,
        workspace,
        token: 0,
        stored_seq: 0,
        create: Some(Box::new(create)),
        events: events.into(),
        progress,
        steady: false,
        place: Place::Keep,
        keys: Keys::Keep,
        leases: Keys::Keep,
        taken_in: Vec::new(),
        settled: 0,
        outgoing: Vec::new(),
        unwanted: Vec::new(),
        waits: Vec::new(),
    };
    let Some(accepted) = flow::accept(runtime, &change, limits).await? else {
        return Ok(Begin::Duplicate);
    };
    let summary = RunSummary {
        id: run,
        workflow_id: card.workflow_id,
        workflow_name: card.workflow_name,
        version: card.version,
        status: RunStatus::Queued,
        trigger: card.trigger,
        started_by: card.started_by,
        parent_run_id: card.parent.map(|parent| parent.run),
        created_at: card.created_at,
        started_at: None,
        ended_at: None,
        headline: accepted.headline,
        steps_done: 0,
        steps_total: card.steps_total,
    };
    for event in change.events.iter() {
        let data = serde_json::to_value(event).unwrap_or_default();
        runtime.events.publish_at(workspace, Topic::Run(run), event.seq, "event", data);
    }
    let summary = serde_json::to_value(summary).unwrap_or_default();
    runtime.events.publish(workspace, Topic::Runs, "run_changed", summary);
    engine.desk.note(|todo| {
        todo.admitted.extend(accepted.admitted.into_iter().map(|run| (workspace, run)));
        todo.superseded.extend(accepted.superseded.into_iter().map(|(old, by)| (workspace, old, by)));
        wake(todo, workspace, accepted.next);
    });
    Ok(Begin::Begun)
}

/// Notes when the next window of a workspace opens; an earlier one stays.
fn wake(todo: &mut Todo, workspace: WorkspaceId, at: Option<Timestamp>) {
    if let Some(at) = at {
        let known = todo.openings.entry(workspace).or_insert(at);
        *known = (*known).min(at);
    }
}

/// Does what is to be done, as it comes, until the process stops.
pub(super) async fn work(runtime: Runtime, engine: Arc<Engine>) {
    let stopping = runtime.tasks.stopping().clone();
    if engine.desk.is_begun.swap(true, Ordering::AcqRel) {
        // What was taken from the desk went with the one who worked at it before; who was let in is found by the timer.
        engine.timer.set(runtime.clock.now());
        if let Err(error) = look(&runtime, &engine).await {
            tracing::warn!(%error, "queued runs can't be looked for; the next run that ends has them looked for");
        }
    }
    loop {
        let Todo { looks, admitted, superseded, .. } = engine.desk.take(runtime.clock.now());
        let idle = looks.is_empty() && admitted.is_empty() && superseded.is_empty();
        for (workspace, run) in admitted {
            take(&runtime, &engine, workspace, run).await;
        }
        for (workspace, run, by) in superseded {
            runtime.tasks.spawn("supersede", supersede(runtime.clone(), Arc::clone(&engine), workspace, run, by));
        }
        for (workspace, reopen) in looks {
            if let Err(error) = let_in(&runtime, &engine, workspace, reopen).await {
                tracing::warn!(%workspace, %error, "queued runs can't be let in; it is tried again");
                let again = runtime.clock.now().plus_ms(RETRY_MS);
                engine.desk.note(|todo| wake(todo, workspace, Some(again)));
            }
        }
        if stopping.is_cancelled() {
            return;
        }
        if idle {
            let opening = async {
                match engine.desk.next() {
                    Some(at) => runtime.clock.sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = engine.desk.moved.notified() => {}
                () = opening => {}
                () = stopping.cancelled() => return,
            }
        }
    }
}

/// Lets in everybody of a workspace who may begin.
async fn let_in(runtime: &Runtime, engine: &Arc<Engine>, workspace: WorkspaceId, reopen: bool) -> db::Result<()> {
    let now = runtime.clock.now();
    let mut tx = runtime.db.begin().await?;
    let store::flow::Gate { turn, own } = store::flow::enter(&mut tx, workspace).await?;
    if reopen {
        store::flow::open_lanes(&mut tx, workspace, turn).await?;
    }
    if own.running.is_some() {
        // Another process may not have known it when it began a run, or when one ended.
        store::flow::quota::settle(&mut tx, workspace, now).await?;
    }
    let quota = own.running_within(runtime.config.max_running_runs);
    let passed = flow::pass(&mut tx, workspace, None, now, turn, quota).await?;
    tx.commit().await?;
    let next = flow::next_opening(&passed.left, passed.room);
    let waits = own.running.is_some() && !passed.left.is_empty();
    let next = next.into_iter().chain(waits.then(|| now.plus_ms(SETTLE_MS))).min();
    engine.desk.note(|todo| {
        todo.superseded.extend(passed.superseded.into_iter().map(|(old, by)| (workspace, old, by)));
        wake(todo, workspace, next);
    });
    for run in passed.admitted {
        take(runtime, engine, workspace, run).await;
    }
    Ok(())
}

/// Takes a run that was let in; one that can't be taken now is found by the timer.
async fn take(runtime: &Runtime, engine: &Arc<Engine>, workspace: WorkspaceId, run: RunId) {
    if runtime.tasks.stopping().is_cancelled() {
        return; // the next process, or another one, takes it
    }
    let _taking = engine.taking.lock().await;
    if engine.sender(run).is_some() {
        return;
    }
    let taken = match engine.enlist(run) {
        Err(full) => Err(full),
        Ok(inbox) => match store::lease::claim(&runtime.db, engine.claimant(runtime), workspace, run).await {
            Ok(Some(claim)) => Owner::take(runtime, engine, claim, inbox).await,
            unclaimed => {
                engine.strike(run);
                if unclaimed.is_err() {
                    engine.doubt(runtime);
                }
                unclaimed.map(drop).map_err(Error::from)
            }
        },
    };
    if let Err(error) = taken {
        tracing::warn!(%run, %error, "a run that was let in can't be taken in hand; it is tried again");
        engine.timer.set(runtime.clock.now().plus_ms(RETRY_MS));
    }
}

/// Cancels a run whose place a newer one takes. One that another process has in hand is cancelled by its next round.
async fn supersede(runtime: Runtime, engine: Arc<Engine>, workspace: WorkspaceId, run: RunId, by: RunId) {
    let by = Some(format!("the newer run {by}"));
    match engine.tell(&runtime, workspace, run, Input::Command { command: Command::Cancel, by }).await {
        Ok(_) | Err(Error::Refused(_) | Error::Elsewhere | Error::Stopping) => {}
        Err(error) => tracing::warn!(%run, %error, "a superseded run can't be cancelled; it is tried again"),
    }
}

/// Looks for what was left undone: by the last process at the start, then by others.
pub(super) async fn look(runtime: &Runtime, engine: &Engine) -> db::Result<()> {
    for workspace in store::flow::waiting_workspaces(&runtime.db).await? {
        engine.desk.look_at(workspace, true);
    }
    let superseded = store::flow::supersede::list_superseded(&runtime.db, engine.id).await?;
    if !superseded.is_empty() {
        engine.desk.note(|todo| todo.superseded.extend(superseded));
    }
    Ok(())
}

/// Looks again and again, where other processes share the database.
pub(super) async fn watch(runtime: Runtime, engine: Arc<Engine>) {
    let stopping = runtime.tasks.stopping().clone();
    let (mut left_out, mut had_others) = (0, false);
    loop {
        tokio::select! {
            () = runtime.clock.sleep_ms(ROUND_MS) => {}
            () = stopping.cancelled() => return,
        }
        let has_others = engine.node.has_others();
        let most = if has_others { IDLE_ROUNDS } else { ALONE_ROUNDS };
        // One that has gone may have left something.
        let is_same = std::mem::replace(&mut had_others, has_others) == has_others;
        if is_same && engine.is_idle() && left_out < most {
            left_out += 1;
            continue;
        }
        left_out = 0;
        if let Err(error) = look(&runtime, &engine).await {
            tracing::warn!(%error, "queued runs can't be looked for; it is tried again");
        }
    }
}

/// What became of a flush is of concern to those who wait.
pub(super) fn after_flush(engine: &Engine, workspace: WorkspaceId, place: Place, keys: bool) {
    match place {
        Place::Leave => engine.desk.look_at(workspace, false),
        Place::Queue => engine.desk.look_at(workspace, true),
        Place::Keep | Place::Take { .. } => {}
    }
    if keys {
        engine.keys.look_at(workspace);
        if engine.node.has_others() {
            engine.hints.add(super::hints::Hint::Key(workspace));
        }
    }
}
