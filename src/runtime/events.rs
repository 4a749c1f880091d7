//! The bus that carries changes to whoever watches. A hint, never the truth: a watcher that falls behind reads the tables.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};

use serde_json::Value;
use tokio::sync::{Notify, broadcast};

use crate::model::WorkspaceId;
use crate::model::live::{Topic, Update};

/// A change in one workspace.
#[derive(Debug, Clone)]
pub struct Change {
    /// Whose.
    pub workspace: WorkspaceId,
    /// What.
    pub update: Update,
    /// Whether another process of the database said so.
    pub is_relayed: bool,
}

/// The kind of a change that only says: something happened, read it anew.
pub const BEHIND: &str = "behind";

/// Changes that a slow watcher may lag behind before it must take a snapshot.
const CAPACITY: usize = 4096;

/// The bus; cheap to clone.
#[derive(Debug, Clone)]
pub struct Events {
    sender: broadcast::Sender<Arc<Change>>,
    counter: Arc<AtomicI64>,
    watch: Arc<Watch>,
}

/// Who watches from outside.
#[derive(Debug, Default)]
struct Watch {
    sockets: AtomicUsize,
    /// Goes up whenever what other processes say may have been missed.
    gaps: AtomicU64,
    came: Notify,
}

/// Somebody outside watches as long as this is held.
#[derive(Debug)]
pub struct Watching(Arc<Watch>);

impl Drop for Watching {
    fn drop(&mut self) {
        self.0.sockets.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Default for Events {
    fn default() -> Self {
        Self { sender: broadcast::channel(CAPACITY).0, counter: Arc::new(AtomicI64::new(1)), watch: Arc::default() }
    }
}

impl Events {
    /// Tells the watchers of `topic`, numbered by this process' counter.
    pub fn publish(&self, workspace: WorkspaceId, topic: Topic, kind: &str, data: Value) {
        let seq = self.counter.fetch_add(1, Ordering::Relaxed);
        self.publish_at(workspace, topic, seq, kind, data);
    }

    /// Tells the watchers of `topic` under the topic's own number, as a run's history has.
    pub fn publish_at(&self, workspace: WorkspaceId, topic: Topic, seq: i64, kind: &str, data: Value) {
        let update = Update { topic, seq, kind: kind.to_owned(), data };
        // No watcher is no error.
        let _ = self.sender.send(Arc::new(Change { workspace, update, is_relayed: false }));
    }

    /// Tells what another process said, under the topic's own number where it has one, else under this process'.
    pub fn relay(&self, workspace: WorkspaceId, update: Update) {
        let seq = match update.topic {
            Topic::Run(_) => update.seq,
            _ => self.counter.fetch_add(1, Ordering::Relaxed),
        };
        let _ = self.sender.send(Arc::new(Change { workspace, update: Update { seq, ..update }, is_relayed: true }));
    }

    /// Somebody outside watches from now on, until this is dropped.
    pub fn watch(&self) -> Watching {
        self.watch.sockets.fetch_add(1, Ordering::Relaxed);
        self.watch.came.notify_one();
        Watching(Arc::clone(&self.watch))
    }

    /// Whether somebody outside watches.
    pub fn is_watched(&self) -> bool {
        self.watch.sockets.load(Ordering::Relaxed) > 0
    }

    /// Returns when somebody has come to watch.
    pub async fn watched(&self) {
        self.watch.came.notified().await;
    }

    /// What other processes said may have been missed.
    pub fn miss(&self) {
        self.watch.gaps.fetch_add(1, Ordering::Relaxed);
    }

    /// How often something may have been missed: a watcher that sees it go up reads anew.
    pub fn gaps(&self) -> u64 {
        self.watch.gaps.load(Ordering::Relaxed)
    }

    /// Everything published from now on, of all workspaces: the edge filters.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Change>> {
        self.sender.subscribe()
    }

    /// The number of the newest change that this process counted.
    pub fn current(&self) -> i64 {
        self.counter.load(Ordering::Relaxed) - 1
    }

    /// How many watch.
    pub fn watchers(&self) -> usize {
        self.sender.receiver_count()
    }
}
