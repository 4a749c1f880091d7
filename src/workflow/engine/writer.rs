//! The one writer: what all runs have to say at a time is stored in one transaction.
//!
//! It never waits for company: while one transaction is on its way, what arrives forms the next. When the database is away
//! it tries again for [`PATIENCE`]; a commit that was never answered is looked for before it is repeated, so that it is
//! stored exactly once. A panic on the way counts as a commit that was never answered: it costs whoever it was about their
//! answer, and nobody else.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::db;
use crate::runtime::Runtime;
use crate::runtime::tasks::contained;
use crate::workflow::store::flush::{self, Change, Verdict};
use crate::workflow::store::lease;

/// What the task is called.
const NAME: &str = "run writer";
/// Changes that may wait.
const QUEUE: usize = 4096;
/// Changes of one transaction.
const BATCH: usize = 512;
/// How long the writer tries before it gives up on what failed together: all others wait meanwhile.
const PATIENCE: Duration = Duration::from_secs(30);
/// The same for a new run, at whose door somebody waits, and where there is no space.
const SHORT_PATIENCE: Duration = Duration::from_secs(4);
/// How long whoever has a change that can't be stored without a panic waits for that answer.
const PAUSE: Duration = Duration::from_secs(1);

/// A change and who waits for it.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) change: Change,
    pub(super) reply: oneshot::Sender<Result<Verdict, db::Error>>,
}

/// Starts the writer.
pub(super) fn start(runtime: &Runtime, drained: CancellationToken) -> mpsc::Sender<Request> {
    let (sender, receiver) = mpsc::channel(QUEUE);
    runtime.tasks.spawn(NAME, write(runtime.clone(), receiver, drained));
    sender
}

/// Stores a change; returns once it is durable.
pub(super) async fn store(writer: &mpsc::Sender<Request>, change: Change) -> Result<Verdict, db::Error> {
    let (reply, answer) = oneshot::channel();
    writer.send(Request { change, reply }).await.map_err(|_| db::Error::Unavailable)?;
    answer.await.map_err(|_| db::Error::Unavailable)?
}

async fn write(runtime: Runtime, mut receiver: mpsc::Receiver<Request>, drained: CancellationToken) {
    let mut batch = Vec::new();
    loop {
        tokio::select! {
            _ = receiver.recv_many(&mut batch, BATCH) => {}
            () = drained.cancelled() => {}
        }
        // Those who are about to speak may still come along.
        tokio::task::yield_now().await;
        while batch.len() < BATCH
            && let Ok(more) = receiver.try_recv()
        {
            batch.push(more);
        }
        if batch.is_empty() {
            return;
        }
        let (changes, replies): (Vec<Change>, Vec<_>) = batch.drain(..).map(|r| (r.change, r.reply)).unzip();
        commit(&runtime, changes, replies).await;
    }
}

type Replies = Vec<oneshot::Sender<Result<Verdict, db::Error>>>;

async fn commit(runtime: &Runtime, changes: Vec<Change>, replies: Replies) {
    let stored = contained(NAME, flush::store(&runtime.db, &changes, runtime.clock.now())).await;
    match stored.unwrap_or(Err(db::Error::Unavailable)) {
        Ok(verdicts) => {
            for (reply, verdict) in replies.into_iter().zip(verdicts) {
                // Whoever no longer waits will read it from the tables.
                let _ = reply.send(Ok(verdict));
            }
        }
        Err(error) => {
            tracing::warn!(%error, changes = changes.len(), "a transaction of the run writer failed; each change is tried alone");
            let full = matches!(error, db::Error::Full);
            let now = Instant::now();
            let (soon, late) = (now + SHORT_PATIENCE, now + if full { SHORT_PATIENCE } else { PATIENCE });
            let mut is_over = false;
            for (change, reply) in changes.into_iter().zip(replies) {
                let until = if change.create.is_some() { soon } else { late };
                let tried = if is_over {
                    Some(Err(db::Error::Unavailable))
                } else {
                    contained(NAME, persist(runtime, change, until)).await
                };
                let Some(outcome) = tried else {
                    // Told later, while the others go on: whoever is told so begins anew at once.
                    runtime.tasks.spawn("run writer's answer", async move {
                        tokio::time::sleep(PAUSE).await;
                        let _ = reply.send(Err(db::Error::Unavailable));
                    });
                    continue;
                };
                is_over |= Instant::now() >= late && outcome.as_ref().is_err_and(db::Error::is_transient);
                let _ = reply.send(outcome);
            }
        }
    }
}

/// Stores one change after a failure whose outcome is unknown.
async fn persist(runtime: &Runtime, change: Change, until: Instant) -> Result<Verdict, db::Error> {
    let mut pause = Duration::from_millis(20);
    let alone = [change];
    loop {
        let outcome = match lease::is_stored(&runtime.db, &alone[0]).await {
            Ok(Some(true)) => return Ok(Verdict::Stored),
            // Its owner lets go of the run, and whoever takes it reads how it stands.
            Ok(None) => return Err(db::Error::Unavailable),
            Ok(Some(false)) => flush::store(&runtime.db, &alone, runtime.clock.now()).await.map(|verdicts| verdicts[0]),
            Err(error) => Err(error),
        };
        match outcome {
            Err(error) if error.is_transient() && Instant::now() < until => {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(1));
            }
            settled => return settled,
        }
    }
}
