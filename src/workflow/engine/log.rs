//! What steps print: kept in chunks beside the history, and shown live.
//!
//! One task takes the chunks of all runs, numbers them, appends what has come together in one transaction, then publishes
//! it. An attempt may print [`MAX_ATTEMPT_BYTES`]; what comes after is dropped and the log says so.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::model::live::Topic;
use crate::model::workflow::LogChunk;
use crate::model::{RunId, Timestamp, WorkspaceId};
use crate::runtime::Runtime;
use crate::runtime::tasks::contained;
use crate::workflow::store;

/// What one attempt may print: 4 MiB.
pub const MAX_ATTEMPT_BYTES: i64 = 4 * 1024 * 1024;
/// The longest chunk; longer writes are cut into several.
const MAX_CHUNK_BYTES: usize = 16 * 1024;
/// Chunks that may wait to be written: a printing step waits beyond that.
const QUEUE: usize = 1024;
/// Chunks of one transaction.
const BATCH: usize = 256;
/// How long the first chunk of a batch waits for company.
const LINGER: Duration = Duration::from_millis(20);

/// Where a step printed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// What the step itself has to say.
    Log,
}

impl Stream {
    /// As stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
            Self::Log => "log",
        }
    }
}

/// Where the output of one attempt goes; cheap to clone.
#[derive(Debug, Clone)]
pub struct LogSink(Arc<Sink>);

#[derive(Debug)]
struct Sink {
    sender: mpsc::Sender<Message>,
    workspace: WorkspaceId,
    run: RunId,
    step: String,
    attempt: u32,
    left: AtomicI64,
}

/// What goes to the log's task.
#[derive(Debug)]
pub(super) enum Message {
    Chunk { workspace: WorkspaceId, run: RunId, step: String, attempt: u32, stream: Stream, text: String },
    Flush(oneshot::Sender<()>),
}

impl LogSink {
    pub(super) fn new(
        sender: mpsc::Sender<Message>,
        workspace: WorkspaceId,
        run: RunId,
        step: &str,
        attempt: u32,
    ) -> Self {
        let left = AtomicI64::new(MAX_ATTEMPT_BYTES);
        Self(Arc::new(Sink { sender, workspace, run, step: step.to_owned(), attempt, left }))
    }

    /// Prints; whole lines where possible. Waits while the log can't keep up; drops what exceeds the attempt's share.
    pub async fn write(&self, stream: Stream, text: &str) {
        let mut rest = text;
        while !rest.is_empty() {
            let mut end = rest.len().min(MAX_CHUNK_BYTES);
            while !rest.is_char_boundary(end) {
                end -= 1;
            }
            let (chunk, after) = rest.split_at(end);
            rest = after;
            let before = self.0.left.fetch_sub(chunk.len() as i64, Ordering::Relaxed);
            if before <= 0 {
                return;
            }
            if before < chunk.len() as i64 {
                self.send(Stream::Log, "The log of this attempt is full; what follows is not kept.\n").await;
                return;
            }
            self.send(stream, chunk).await;
        }
    }

    async fn send(&self, stream: Stream, text: &str) {
        let sink = &self.0;
        // Postgres takes no NUL in text, and nobody can read one.
        let text = text.replace('\0', "\u{fffd}");
        let chunk = Message::Chunk {
            workspace: sink.workspace,
            run: sink.run,
            step: sink.step.clone(),
            attempt: sink.attempt,
            stream,
            text,
        };
        // The log's task is gone only when the server stops.
        let _ = sink.sender.send(chunk).await;
    }

    /// Returns once everything printed so far is kept.
    pub(super) async fn flush(&self) {
        if self.0.left.load(Ordering::Relaxed) == MAX_ATTEMPT_BYTES {
            return;
        }
        let (done, kept) = oneshot::channel();
        if self.0.sender.send(Message::Flush(done)).await.is_ok() {
            let _ = kept.await;
        }
    }
}

/// Starts the log's task.
pub(super) fn start(runtime: &Runtime, drained: CancellationToken) -> mpsc::Sender<Message> {
    let (sender, receiver) = mpsc::channel(QUEUE);
    runtime.tasks.spawn("run log", keep(runtime.clone(), receiver, drained));
    sender
}

async fn keep(runtime: Runtime, mut receiver: mpsc::Receiver<Message>, drained: CancellationToken) {
    let mut numbers: HashMap<RunId, i64> = HashMap::new();
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        let some = tokio::select! {
            some = receiver.recv_many(&mut batch, BATCH) => some,
            () = drained.cancelled() => 0,
        };
        if some > 0 && some < BATCH && !batch.iter().any(|message| matches!(message, Message::Flush(_))) {
            tokio::time::sleep(LINGER).await;
        }
        while batch.len() < BATCH
            && let Ok(more) = receiver.try_recv()
        {
            batch.push(more);
        }
        if batch.is_empty() {
            return;
        }
        let work = append(&runtime, &mut numbers, std::mem::take(&mut batch));
        // The task holds the only receiver: what breaks loses a batch, and not the logs of all runs from then on.
        if contained("run log", work).await.is_none() {
            numbers.clear();
        }
    }
}

async fn append(runtime: &Runtime, numbers: &mut HashMap<RunId, i64>, batch: Vec<Message>) {
    // Numbers of ended runs are not worth keeping; they are read again when needed.
    if numbers.len() > 4096 {
        numbers.clear();
    }
    let now: Timestamp = runtime.clock.now();
    let mut chunks = Vec::with_capacity(batch.len());
    let mut waiting = Vec::new();
    for message in batch {
        match message {
            Message::Flush(done) => waiting.push(done),
            Message::Chunk { workspace, run, step, attempt, stream, text } => {
                let known = numbers.get(&run).copied();
                let last = match known {
                    Some(last) => last,
                    None => store::log::last_seq(&runtime.db, run).await.unwrap_or(0),
                };
                numbers.insert(run, last + 1);
                let stream = stream.as_str().to_owned();
                chunks.push((workspace, run, LogChunk { seq: last + 1, at: now, step, attempt, stream, text }));
            }
        }
    }
    if !chunks.is_empty() {
        match store::log::append(&runtime.db, &chunks).await {
            Ok(()) => {
                for (workspace, run, chunk) in chunks {
                    if runtime.events.watchers() > 0 {
                        let data = serde_json::to_value(&chunk).unwrap_or_default();
                        runtime.events.publish_at(workspace, Topic::Run(run), 0, "log", data);
                    }
                }
            }
            Err(error) => {
                numbers.clear();
                tracing::warn!(%error, chunks = chunks.len(), "a part of a run's log was lost");
            }
        }
    }
    for done in waiting {
        let _ = done.send(());
    }
}
