//! Keeps each call once, when it has ended, however it ended.
//!
//! An [`Account`] is opened before anybody is asked and settled exactly once: by the end of the answer, by a failure, or by being
//! dropped, when whoever asked went away. One task of the process writes what was settled, many in one transaction, so that an
//! answer never waits for the disk.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use tokio::sync::{mpsc, oneshot};

use super::content::Capture;
use super::ended::{Settled, keep};
use super::key_pace::Taken;
use super::signs::{Left, Signs};
use super::spending::Held;
use super::tokens::{Lacks, Later};
use super::waiting::{Room, Uncounted};
use crate::model::gateway::{CallOutcome, CallRecord, Choice, Fault, FaultClass, Request, Response, TokensBy, Usage};
use crate::model::{Timestamp, WorkspaceId};
use crate::runtime::Runtime;

/// Settled calls that may wait to be written.
const MOST_WAITING: usize = 20_000;
/// Calls of one transaction.
const BATCH: usize = 256;
/// When those may come again who are refused because too many wait.
const RETRY_AFTER_MS: u64 = 1_000;

/// What the writer is told.
#[derive(Debug)]
enum Entry {
    Call(Box<Settled>),
    /// Everything before it is written.
    Barrier(oneshot::Sender<()>),
}

/// The way to the one writer of the process.
#[derive(Debug, Default)]
struct Meter(OnceLock<mpsc::Sender<Entry>>);

fn queue(runtime: &Runtime) -> mpsc::Sender<Entry> {
    let start = || {
        let (sender, receiver) = mpsc::channel(MOST_WAITING);
        runtime.tasks.spawn("gateway meter", write(runtime.clone(), receiver));
        sender
    };
    runtime.shared::<Meter>().0.get_or_init(start).clone()
}

/// Returns once every call that was settled before is written.
pub async fn settled(runtime: &Runtime) {
    let (told, written) = oneshot::channel();
    if queue(runtime).send(Entry::Barrier(told)).await.is_ok() {
        let _ = written.await;
    }
}

/// A call that has begun.
#[derive(Debug)]
pub(super) struct Account {
    runtime: Runtime,
    workspace: WorkspaceId,
    record: Option<Box<CallRecord>>,
    /// What the budgets hold back for it, until it is written.
    held: Option<Held>,
    /// What was asked, where that is kept.
    content: Option<Box<Capture>>,
    /// What of its tokens is counted before it is written.
    later: Option<Uncounted>,
    /// What was taken of the limits of the key that asks.
    taken: Option<Taken>,
    /// How far it is at each who was asked.
    watched: Vec<Arc<Signs>>,
    begun: Instant,
}

impl Account {
    /// Opens it; `record` says who asks.
    ///
    /// # Errors
    /// [`FaultClass::Overloaded`] while calls end faster than they can be written: whatever is underway is still kept, and so what waits
    /// is no more than what may wait and what is underway.
    pub fn open(runtime: Runtime, workspace: WorkspaceId, record: CallRecord) -> Result<Self, Fault> {
        if queue(&runtime).capacity() == 0 {
            let message = "calls can't be written to the log as fast as they end; try again in a moment";
            let fault = Fault::new(FaultClass::Overloaded, message);
            return Err(Fault { retry_after_ms: Some(RETRY_AFTER_MS), ..fault });
        }
        let (record, begun) = (Some(Box::new(record)), Instant::now());
        Ok(Self {
            runtime,
            workspace,
            record,
            held: None,
            content: None,
            later: None,
            taken: None,
            watched: Vec::new(),
            begun,
        })
    }

    /// The process that it is kept by.
    pub const fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Has what nobody told counted before it is written, instead of what it is settled with.
    pub fn count_later(&mut self, of: Box<Later>, lacks: Lacks, told: i64) {
        self.later = Uncounted::of(of, lacks, told);
    }

    /// So much was taken of the limits of the key that asks: it is corrected once the call has ended.
    pub fn took(&mut self, taken: Option<Taken>) {
        self.taken = taken;
    }

    /// Changes what is known so far.
    pub fn note(&mut self, change: impl FnOnce(&mut CallRecord)) {
        if let Some(record) = &mut self.record {
            change(record);
        }
    }

    /// What is known so far; `None` once it is settled.
    pub fn record(&self) -> Option<&CallRecord> {
        self.record.as_deref()
    }

    /// Holds this back until the call is written; gives what was held back before.
    pub fn hold(&mut self, held: Option<Held>) -> Option<Held> {
        std::mem::replace(&mut self.held, held)
    }

    /// Somebody is about to be asked. Whoever asks and leaves before the answer begins has made them read.
    pub fn watch(&mut self, signs: &Arc<Signs>) {
        self.watched.push(Arc::clone(signs));
    }

    /// Keeps in the log, beside this call, what was left behind at a provider. `held` is what the budgets hold back for it.
    pub fn leave(&self, left: &Left, choice: Option<&Choice>, mut held: Option<Held>) {
        let Some(mut record) = self.record.clone() else { return };
        record.id = self.runtime.ids.fresh();
        record.at = self.runtime.clock.now().plus_ms(-(left.sent.elapsed().as_millis() as i64));
        (record.cache, record.cost_micros, record.first_token_ms) = (None, None, None);
        if let Some(choice) = choice {
            record.choice.clone_from(choice);
        }
        left.tell(&mut record);
        record.error = record.error.take().map(plain);
        if let Some(held) = &mut held {
            held.came_to(record.usage);
        }
        self.send(Settled { workspace: self.workspace, record, held, content: None, later: None });
    }

    /// Holds what was asked until the call has ended.
    pub fn capture(&mut self, content: Option<Capture>) {
        self.content = content.map(Box::new);
    }

    /// Takes note that this is what is asked, if that is kept: it was shortened.
    pub fn asks(&mut self, request: &Request) {
        if let Some(content) = &mut self.content {
            content.asks(request);
        }
    }

    /// Whether what was answered is kept beside the call.
    pub const fn wants_answer(&self) -> bool {
        self.content.is_some()
    }

    /// Takes note of what was answered, if that is kept.
    pub fn answered(&mut self, response: impl FnOnce() -> Response) {
        if let Some(content) = &mut self.content {
            content.answered(&response());
        }
    }

    /// When the call was made.
    pub fn at(&self) -> Timestamp {
        self.record.as_ref().map_or_else(|| self.runtime.clock.now(), |record| record.at)
    }

    /// Since when it goes on, in milliseconds.
    pub fn elapsed_ms(&self) -> i64 {
        self.begun.elapsed().as_millis() as i64
    }

    /// Settles it. `by` says whose number the usage is. A failed one that has left something behind at the
    /// provider takes that, and is partial or cancelled then.
    pub fn settle(mut self, outcome: CallOutcome, usage: Usage, by: TokensBy, fault: Option<&Fault>) {
        let mut left = self.take_left();
        let is_this = |left: &Left| fault.is_some_and(|fault| fault.message == left.why);
        let own = if outcome == CallOutcome::Failed { left.pop_if(|left| is_this(left)) } else { None };
        self.leave_all(&left);
        match own {
            Some(own) => self.close_left(&own),
            None => self.close(outcome, usage, by, fault.map(|fault| fault.message.clone())),
        }
    }

    fn take_left(&self) -> Vec<Left> {
        self.watched.iter().flat_map(|signs| signs.take_left()).collect()
    }

    fn leave_all(&self, left: &[Left]) {
        for left in left {
            self.leave(left, None, self.held.as_ref().map(|held| held.beside(left.usage())));
        }
    }

    /// Ends the call as what was left of it.
    fn close_left(&mut self, left: &Left) {
        self.note(|record| left.tell(record));
        self.close(left.outcome(), left.usage(), TokensBy::Estimate, Some(left.why.clone()));
    }

    fn close(&mut self, outcome: CallOutcome, usage: Usage, by: TokensBy, error: Option<String>) {
        let Some(mut record) = self.record.take() else { return };
        record.outcome = outcome;
        record.usage = usage;
        record.estimated = by == TokensBy::Estimate;
        record.tokens_by = by;
        record.error = error.map(plain);
        record.took_ms = self.elapsed_ms();
        if let Some(taken) = self.taken.take() {
            taken.came_to(usage);
        }
        let mut held = self.held.take();
        if let Some(held) = &mut held {
            held.came_to(usage);
        }
        let room: Arc<Room> = self.runtime.shared();
        let content = self.content.take().filter(|content| content.is_wanted(outcome));
        let content = content.and_then(|content| room.take("contents", content.bytes(), content));
        let later = self.later.take().and_then(|later| room.take("tokens", later.bytes(), later));
        self.send(Settled { workspace: self.workspace, record, held, content, later });
    }

    fn send(&self, settled: Settled) {
        let (provider, class) = (settled.record.provider.clone(), settled.record.outcome.as_str());
        metrics::counter!("weft_model_calls_total", "provider" => provider, "outcome" => class).increment(1);
        let queue = queue(&self.runtime);
        match queue.try_send(Entry::Call(Box::new(settled))) {
            Ok(()) => {}
            // The database is slower than the callers: the record waits in a task, and is not lost.
            Err(mpsc::error::TrySendError::Full(entry)) => self.runtime.tasks.spawn("gateway account", async move {
                let _ = queue.send(entry).await;
            }),
            Err(mpsc::error::TrySendError::Closed(_)) => {
                tracing::error!("a call of a model ended after the server was told to stop, and is not in the log");
            }
        }
    }
}

/// An error as it is stored.
fn plain(text: String) -> String {
    text.replace('\0', "\u{fffd}").chars().take(2000).collect()
}

impl Drop for Account {
    fn drop(&mut self) {
        if self.record.is_none() {
            return;
        }
        let why = "whoever asked went away before the answer began";
        self.leave_all(&self.take_left());
        // Two are underway where a second was asked as well; what either had thought or written by then no provider tells.
        let underway: Vec<Left> = self.watched.iter().filter_map(|signs| signs.leave(why)).collect();
        match underway.split_first() {
            Some((own, others)) => {
                self.leave_all(others);
                self.close_left(own);
            }
            None => self.close(CallOutcome::Failed, Usage::default(), TokensBy::Provider, Some(why.to_owned())),
        }
    }
}

async fn write(runtime: Runtime, mut receiver: mpsc::Receiver<Entry>) {
    let stopping = runtime.tasks.stopping().clone();
    let mut entries = Vec::with_capacity(BATCH);
    loop {
        tokio::select! {
            biased;
            count = receiver.recv_many(&mut entries, BATCH) => if count == 0 { return },
            // What is there already is written; what comes later is refused.
            () = stopping.cancelled() => { receiver.close(); continue }
        }
        let mut barriers = Vec::new();
        let mut calls = Vec::new();
        for entry in entries.drain(..) {
            match entry {
                Entry::Call(settled) => calls.push(*settled),
                Entry::Barrier(told) => barriers.push(told),
            }
        }
        for call in &mut calls {
            // A server that stops has little time, and many streams that are left at once: their estimates do.
            if stopping.is_cancelled() {
                break;
            }
            call.count(&runtime).await;
        }
        keep(&runtime, &mut calls).await;
        // What they cost is written: it is not underway any more.
        drop(calls);
        for told in barriers {
            let _ = told.send(());
        }
    }
}
