//! Firings of calls that come at the same time are written in one transaction: each of them waits for its own, and a
//! transaction of one would have the next one wait for the disk.
//!
//! It never waits for company: while one transaction is on its way, what arrives forms the next.

use std::sync::OnceLock;

use tokio::sync::{mpsc, oneshot};

use super::store::firing::{self, NewFiring, Settled};
use crate::db::{Db, Error, Result, Tx};
use crate::runtime::Runtime;
use crate::runtime::tasks::contained;

/// Notes that may wait.
const QUEUE: usize = 1024;
/// Notes of one transaction.
const BATCH: usize = 256;

/// What is to be written.
#[derive(Debug)]
enum Note {
    Record(Box<NewFiring>),
    Settle(Settled),
}

impl Note {
    /// Whether it changed anything.
    async fn write(&self, tx: &mut Tx) -> Result<bool> {
        match self {
            Self::Record(new) => firing::insert(tx, new).await,
            Self::Settle(settled) => firing::settle(tx, settled).await.map(|()| true),
        }
    }
}

#[derive(Debug)]
struct Request {
    note: Note,
    reply: oneshot::Sender<Result<bool>>,
}

/// Where the process keeps its desk.
#[derive(Debug, Default)]
struct Desk(OnceLock<mpsc::Sender<Request>>);

/// Writes a firing down; false when its occasion was there before.
pub(super) async fn record(runtime: &Runtime, firing: &NewFiring) -> Result<bool> {
    hand_in(runtime, Note::Record(Box::new(firing.clone()))).await
}

/// Writes down how a firing ended.
pub(super) async fn settle(runtime: &Runtime, settled: &Settled) -> Result<()> {
    hand_in(runtime, Note::Settle(settled.clone())).await.map(drop)
}

async fn hand_in(runtime: &Runtime, note: Note) -> Result<bool> {
    let desk = runtime.shared::<Desk>();
    let sender = desk.0.get_or_init(|| {
        let (sender, receiver) = mpsc::channel(QUEUE);
        runtime.tasks.spawn("trigger firings", work(runtime.clone(), receiver));
        sender
    });
    let (reply, answer) = oneshot::channel();
    sender.send(Request { note, reply }).await.map_err(|_| Error::Unavailable)?;
    answer.await.map_err(|_| Error::Unavailable)?
}

async fn work(runtime: Runtime, mut receiver: mpsc::Receiver<Request>) {
    let stopping = runtime.tasks.stopping().clone();
    let mut batch = Vec::new();
    loop {
        tokio::select! {
            _ = receiver.recv_many(&mut batch, BATCH) => {}
            // What is handed in before the end is written; after it the server takes no calls.
            () = stopping.cancelled() => {
                receiver.close();
                receiver.recv_many(&mut batch, BATCH).await;
            }
        }
        if batch.is_empty() {
            return;
        }
        let (notes, replies): (Vec<Note>, Vec<_>) =
            batch.drain(..).map(|request| (request.note, request.reply)).unzip();
        let written = write_them(&runtime.db, &notes).await;
        for (number, reply) in replies.into_iter().enumerate() {
            let outcome = match &written {
                Ok(written) => Ok(written[number]),
                // Whichever it was that failed, the others need not.
                Err(_) => write_them(&runtime.db, &notes[number..=number]).await.map(|written| written[0]),
            };
            // Whoever asked may have gone.
            let _ = reply.send(outcome);
        }
    }
}

/// Writes notes in one transaction. A panic costs those whose notes they are their answer, and nobody their desk.
async fn write_them(db: &Db, notes: &[Note]) -> Result<Vec<bool>> {
    contained("trigger firings", write(db, notes)).await.unwrap_or(Err(Error::Unavailable))
}

async fn write(db: &Db, notes: &[Note]) -> Result<Vec<bool>> {
    let mut tx = db.begin().await?;
    let mut written = Vec::with_capacity(notes.len());
    for note in notes {
        written.push(note.write(&mut tx).await?);
    }
    tx.commit().await?;
    Ok(written)
}
