//! The bus that carries changes to whoever watches. A hint, never the truth: a watcher that falls behind reads the tables.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use serde_json::Value;
use tokio::sync::broadcast;

use crate::model::WorkspaceId;
use crate::model::live::{Topic, Update};

/// A change in one workspace.
#[derive(Debug, Clone)]
pub struct Change {
    /// Whose.
    pub workspace: WorkspaceId,
    /// What.
    pub update: Update,
}

/// Changes that a slow watcher may lag behind before it must take a snapshot.
const CAPACITY: usize = 4096;

/// The bus; cheap to clone.
#[derive(Debug, Clone)]
pub struct Events {
    sender: broadcast::Sender<Arc<Change>>,
    counter: Arc<AtomicI64>,
}

impl Default for Events {
    fn default() -> Self {
        Self { sender: broadcast::channel(CAPACITY).0, counter: Arc::new(AtomicI64::new(1)) }
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
        let _ = self.sender.send(Arc::new(Change { workspace, update }));
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
