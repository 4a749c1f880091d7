//! The engine: owns the runs in motion and performs what the machine decides.
//!
//! One task owns each run in motion ([`owner`]); its state is in memory and every change goes through the one [`writer`],
//! which stores what all runs have to say in one transaction. Effects begin after their cause is durable, as tasks of
//! their own ([`attempt`]), at most `max_steps` at once, each run in its turn ([`queue`]). A run that only waits is given
//! back: it costs a row, and [`timer`] takes it in hand when it is due. A fencing token, raised whenever a run changes
//! hands, keeps a process that lost its lease from writing.
//!
//! Promises: a result that was acknowledged is stored; an attempt that a dead process began is begun anew under the same
//! key; nobody is told of a change before it is durable. Refuses work when more runs are in hand than fit in memory.

mod admit;
mod answer;
mod attempt;
mod bridge;
mod failure;
mod forward;
mod hints;
mod keys;
mod log;
mod node;
mod owner;
mod progress;
mod queue;
mod quota;
mod retention;
#[cfg(test)]
mod simulation;
mod stray;
mod timer;
mod unwanted;
mod writer;

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, broadcast, mpsc};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::db;
use crate::model::workflow::flow::Limits;
use crate::model::workflow::{Graph, RunSummary};
use crate::model::{RunId, Timestamp, WorkspaceId};
use crate::runtime::Runtime;
use crate::workflow::Error;
use crate::workflow::machine::Input;
use crate::workflow::prepared::Shelf;
use crate::workflow::store;
use crate::workflow::store::lease::Claimant;

pub use answer::Hearing;
pub(super) use answer::answer_of;
pub use log::{LogSink, Stream};
pub use node::Rounds;
use owner::Owner;
pub(super) use owner::{Begin, New, fold};
pub use progress::Progress;

/// How long, in milliseconds, a process keeps a run without saying that it lives, which it does four times as often: on a shared database,
/// this long passes before another process goes on with the runs of one that stands still. One that died is noticed at
/// once ([`node`]).
pub(super) const LEASE_MS: i64 = 15_000;
/// How long to wait before trying again what the database refused.
const RETRY_MS: i64 = 1_000;
/// Runs that one process has in hand at most.
const MAX_RUNS: usize = 20_000;
/// How often a run whose owner is leaving is looked for, and the pause between: a second in all.
const LOOKS: u32 = 200;
const BETWEEN_LOOKS: Duration = Duration::from_millis(5);
/// How long a command may take to reach a run that another process has in hand.
const PATIENCE: Duration = Duration::from_secs(5);

/// The engine of this process.
#[derive(Debug)]
pub(super) struct Engine {
    /// This process among the owners of runs.
    pub(super) id: Uuid,
    runs: Mutex<HashMap<RunId, mpsc::Sender<owner::Message>>>,
    graphs: Mutex<HashMap<Vec<u8>, Weak<Graph>>>,
    /// Held while runs that nobody has in hand are taken, so that one task of this process takes each.
    taking: tokio::sync::Mutex<()>,
    /// Whether runs may stand under the name of this process that no task of it has in hand.
    in_doubt: AtomicBool,
    writer: mpsc::Sender<writer::Request>,
    log: mpsc::Sender<log::Message>,
    queue: queue::Queue,
    timer: Arc<timer::Alarm>,
    turns: Arc<Semaphore>,
    desk: admit::Desk,
    keys: keys::Desk,
    hints: hints::Desk,
    asked: forward::Desk,
    node: node::Node,
    bridge: bridge::Bridge,
    answers: answer::Desk,
    quotas: quota::Quotas,
    pub(super) shelf: Shelf,
    failures: failure::Bell,
    unwanted: unwanted::Bell,
    ended: broadcast::Sender<RunId>,
    /// Fires when the process stops and the last run was given back.
    drained: CancellationToken,
    emptied: Notify,
}

/// Where the process keeps its engine.
#[derive(Debug, Default)]
struct Slot(OnceLock<Arc<Engine>>);

impl Engine {
    /// The engine of this process; started at its first use.
    pub(super) fn of(runtime: &Runtime) -> Arc<Self> {
        Arc::clone(runtime.shared::<Slot>().0.get_or_init(|| Self::start(runtime)))
    }

    fn start(runtime: &Runtime) -> Arc<Self> {
        let drained = CancellationToken::new();
        let engine = Arc::new(Self {
            id: runtime.ids.fresh(),
            runs: Mutex::default(),
            graphs: Mutex::default(),
            taking: tokio::sync::Mutex::default(),
            in_doubt: AtomicBool::new(false),
            writer: writer::start(runtime, drained.clone()),
            log: log::start(runtime, drained.clone()),
            queue: queue::Queue::new(runtime.config.max_steps),
            timer: Arc::default(),
            turns: Arc::new(Semaphore::new(timer::TURNS)),
            desk: admit::Desk::default(),
            keys: keys::Desk::default(),
            hints: hints::Desk::default(),
            asked: forward::Desk::default(),
            node: node::Node::default(),
            bridge: bridge::Bridge::default(),
            answers: answer::Desk::default(),
            quotas: quota::Quotas::default(),
            shelf: Shelf::default(),
            failures: failure::Bell::default(),
            unwanted: unwanted::Bell::default(),
            ended: broadcast::channel(1024).0,
            drained,
            emptied: Notify::new(),
        });
        runtime.tasks.spawn("engine drain", drain(runtime.clone(), Arc::clone(&engine)));
        stray::keep(runtime, &engine, "engine queue", admit::work);
        stray::keep(runtime, &engine, "engine keys", keys::work);
        if runtime.db.is_shared() {
            stray::keep(runtime, &engine, "engine hints", hints::send);
        }
        engine
    }

    /// Starts what the engine does by itself: takes over, wakes, keeps leases, forgets what is old.
    pub(super) async fn boot(self: &Arc<Self>, runtime: &Runtime) -> db::Result<()> {
        if let Some(presence) = node::attend(runtime, self).await? {
            node::stay(runtime, self, presence);
            stray::keep(runtime, self, "engine others", node::watch);
            stray::keep(runtime, self, "engine bridge", bridge::carry);
            stray::keep(runtime, self, "engine watchers", bridge::ask);
        }
        store::flow::left::mend(&runtime.db).await?;
        quota::read(runtime, self).await?;
        timer::take_due(runtime, self).await?;
        admit::look(runtime, self).await?;
        stray::keep(runtime, self, "engine failures", failure::watch);
        stray::keep(runtime, self, "engine sub-runs", unwanted::watch);
        stray::keep(runtime, self, "engine timer", timer::watch);
        if runtime.db.is_shared() {
            stray::keep(runtime, self, "engine leases", timer::renew);
            stray::keep(runtime, self, "engine signals", timer::listen);
            stray::keep(runtime, self, "engine queue rounds", admit::watch);
        }
        let own = runtime.clone();
        runtime.tasks.keep("retention", move || retention::watch(own.clone()));
        Ok(())
    }

    fn claimant(&self, runtime: &Runtime) -> Claimant {
        let now = runtime.clock.now();
        Claimant { owner: self.id, now, until: now.plus_ms(LEASE_MS), alone: !runtime.db.is_shared() }
    }

    /// The prepared definition under this hash, if a run of this process has it in use.
    fn find_graph(&self, hash: &[u8]) -> Option<Arc<Graph>> {
        self.graphs.lock().expect("no code panics while it holds this lock").get(hash).and_then(Weak::upgrade)
    }

    /// The prepared definition under this hash: the one in use, or the one that `make` gives.
    pub(super) fn graph(&self, hash: &[u8], make: impl FnOnce() -> Arc<Graph>) -> Arc<Graph> {
        let mut graphs = self.graphs.lock().expect("no code panics while it holds this lock");
        if let Some(graph) = graphs.get(hash).and_then(Weak::upgrade) {
            return graph;
        }
        if graphs.len() > 256 {
            graphs.retain(|_, graph| graph.strong_count() > 0);
        }
        let graph = make();
        graphs.insert(hash.to_vec(), Arc::downgrade(&graph));
        graph
    }

    /// Puts a run in hand; its owner's mailbox comes back. Refused while the one who gave it back has not left.
    fn enlist(&self, run: RunId) -> Result<mpsc::Receiver<owner::Message>, Error> {
        let mut runs = self.runs.lock().expect("no code panics while it holds this lock");
        if runs.len() >= MAX_RUNS {
            return Err(Error::Busy);
        }
        if runs.contains_key(&run) {
            return Err(Error::Elsewhere);
        }
        let (sender, receiver) = mpsc::channel(256);
        runs.insert(run, sender);
        Ok(receiver)
    }

    fn sender(&self, run: RunId) -> Option<mpsc::Sender<owner::Message>> {
        self.runs.lock().expect("no code panics while it holds this lock").get(&run).cloned()
    }

    fn strike(&self, run: RunId) {
        let mut runs = self.runs.lock().expect("no code panics while it holds this lock");
        runs.remove(&run);
        if runs.is_empty() {
            self.emptied.notify_waiters();
        }
    }

    /// Begins a new run. Returns once its first events are durable.
    pub(super) async fn begin(self: &Arc<Self>, runtime: &Runtime, new: New) -> Result<Begin, Error> {
        if runtime.tasks.stopping().is_cancelled() {
            return Err(Error::Stopping);
        }
        let inbox = self.enlist(new.run)?;
        owner::begin(runtime, self, new, inbox).await
    }

    /// Accepts a run that flow control has to let in. Returns once it is durable: queued, or about to begin.
    pub(super) async fn accept(self: &Arc<Self>, runtime: &Runtime, new: New, limits: Limits) -> Result<Begin, Error> {
        if runtime.tasks.stopping().is_cancelled() {
            return Err(Error::Stopping);
        }
        admit::accept(runtime, self, new, limits).await
    }

    /// The steps of a run that wait for a slot of this process; how many slots are taken, and how many there are.
    pub(super) fn waiting_for_slots(&self, run: RunId) -> (Vec<queue::Waiting>, u32, u32) {
        self.queue.look(run)
    }

    /// How many runs more fit in memory.
    fn room(&self) -> usize {
        MAX_RUNS.saturating_sub(self.runs.lock().expect("no code panics while it holds this lock").len())
    }

    fn is_idle(&self) -> bool {
        self.runs.lock().expect("no code panics while it holds this lock").is_empty()
    }

    /// Gives a command or a signal to a run, wherever it is; returns how the run stands once that is durable.
    pub(super) async fn tell(
        self: &Arc<Self>,
        runtime: &Runtime,
        workspace: WorkspaceId,
        run: RunId,
        input: Input,
    ) -> Result<RunSummary, Error> {
        let until = tokio::time::Instant::now() + PATIENCE;
        loop {
            let answer = self.tell_here(runtime, workspace, run, &input).await;
            if !matches!(answer, Err(Error::Elsewhere)) || !runtime.db.is_shared() {
                return answer;
            }
            if let Some(summary) = forward::ask(runtime, self, workspace, run, &input, until).await? {
                return Ok(summary);
            }
            if tokio::time::Instant::now() >= until {
                return Err(Error::Elsewhere);
            }
            // It is just changing hands.
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
    }

    /// The same, where this process has the run in hand or nobody has.
    async fn tell_here(
        self: &Arc<Self>,
        runtime: &Runtime,
        workspace: WorkspaceId,
        run: RunId,
        input: &Input,
    ) -> Result<RunSummary, Error> {
        // An owner that is just leaving does not hear the command; the run is looked for again once it has left.
        for _ in 0..LOOKS {
            let (reply, answer) = tokio::sync::oneshot::channel();
            let message = owner::Message::Tell { input: input.clone(), reply };
            if self.hand_over(runtime, workspace, run, message).await?
                && let Ok(answer) = answer.await
            {
                return answer;
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        Err(Error::Elsewhere)
    }

    /// Puts a message into the mailbox of a run's owner. A run that nobody has in hand is taken, with the message in the
    /// mailbox before its owner looks: an owner that finds nothing to do leaves. False when nobody will hear it.
    async fn hand_over(
        self: &Arc<Self>,
        runtime: &Runtime,
        workspace: WorkspaceId,
        run: RunId,
        message: owner::Message,
    ) -> Result<bool, Error> {
        if let Some(sender) = self.sender(run) {
            return Ok(sender.send(message).await.is_ok());
        }
        let _taking = self.taking.lock().await;
        if self.sender(run).is_some() {
            return Ok(false);
        }
        let claimed = store::lease::claim(&runtime.db, self.claimant(runtime), workspace, run).await;
        match claimed.inspect_err(|_| self.doubt(runtime))? {
            Some(claim) => {
                let inbox = self.enlist(run).inspect_err(|_| self.doubt(runtime))?;
                let heard = self.sender(run).is_some_and(|sender| sender.try_send(message).is_ok());
                Owner::take(runtime, self, claim, inbox).await?;
                Ok(heard)
            }
            None => match store::lease::find_damage(&runtime.db, workspace, run).await? {
                Some(damage) => Err(Error::Damaged(damage)),
                None if runtime.db.is_shared() => Err(Error::Elsewhere),
                None => Ok(false),
            },
        }
    }

    /// Has the owner of a run look at the signals that were stored for it, or the timer take the run in hand.
    pub(super) fn poke(&self, runtime: &Runtime, run: RunId) {
        if self.sender(run).is_some() {
            return self.poke_here(runtime, run);
        }
        // Given back, it is due.
        self.timer.set(runtime.clock.now());
        if self.node.has_others() {
            self.hints.add(hints::Hint::Signals(run));
        }
    }

    /// Has the owner of a run look at the signals that were stored for it, if this process has it in hand.
    fn poke_here(&self, runtime: &Runtime, run: RunId) {
        let Some(sender) = self.sender(run) else { return };
        let timer = Arc::clone(&self.timer);
        let clock = runtime.clock.clone();
        let tell = async move {
            // An owner that leaves at this moment has made the run due.
            if sender.send(owner::Message::Signals).await.is_err() {
                timer.set(clock.now());
            }
        };
        runtime.tasks.spawn("signal", tell);
    }

    /// When to look for what other processes left behind.
    pub(super) fn rounds(&self, db: &db::Db) -> Rounds {
        self.node.rounds(db)
    }

    /// The ids of runs as they end, from now on.
    pub(super) fn endings(&self) -> broadcast::Receiver<RunId> {
        self.ended.subscribe()
    }

    fn lease_until(runtime: &Runtime) -> Timestamp {
        runtime.clock.now().plus_ms(LEASE_MS)
    }
}

/// Waits until the process stops and every run was given back, then lets the writers end.
async fn drain(runtime: Runtime, engine: Arc<Engine>) {
    runtime.tasks.stopping().cancelled().await;
    loop {
        let emptied = engine.emptied.notified();
        tokio::pin!(emptied);
        emptied.as_mut().enable();
        if engine.runs.lock().expect("no code panics while it holds this lock").is_empty() {
            break;
        }
        emptied.await;
    }
    // Before the hints end with the rest: others may go on with what was given back.
    if let Err(error) = runtime.db.hint(&hints::Hint::Due.to_string()).await {
        tracing::debug!(%error, "the others find by themselves what was given back");
    }
    engine.drained.cancel();
}
