//! Live changes between the processes of a shared database: whoever watches at one sees what happens at another.
//!
//! Nothing is carried while nobody watches elsewhere: a process at which somebody does says so again and again, and the
//! others carry what they publish for a while after that. What is too large or too much is carried as a word that there
//! was something; the watcher then reads it from the tables, as when it falls behind.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::Notify;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::time::Instant;
use uuid::Uuid;

use super::Engine;
use super::hints::Hint;
use crate::model::WorkspaceId;
use crate::model::live::{Topic, Update};
use crate::runtime::Runtime;
use crate::runtime::events::{BEHIND, Change};

/// How often a process says that somebody watches there.
const ASK: Duration = Duration::from_secs(10);
/// How long it is carried after that was last heard.
const CARRY: Duration = Duration::from_secs(30);
/// How long changes are collected.
const COLLECT: Duration = Duration::from_millis(50);
/// Bytes of one message; Postgres takes 8,000.
const MESSAGE_BYTES: usize = 7_500;
/// Messages of one collection; what does not fit is told of by its topic.
const MESSAGES: usize = 20;

/// Until when others want to hear what happens here.
#[derive(Debug, Default)]
pub(super) struct Bridge {
    until: Mutex<Option<Instant>>,
    wanted: Notify,
}

impl Bridge {
    /// Somebody watches elsewhere.
    pub(super) fn watched(&self) {
        *self.until.lock().expect("no code panics while it holds this lock") = Some(Instant::now() + CARRY);
        self.wanted.notify_one();
    }

    fn is_wanted(&self) -> bool {
        self.until.lock().expect("no code panics while it holds this lock").is_some_and(|until| Instant::now() < until)
    }
}

/// What one process tells the others.
#[derive(Debug, Serialize, Deserialize)]
struct Message {
    from: Uuid,
    changes: Vec<(WorkspaceId, Update)>,
}

/// Publishes here what another process told.
pub(super) fn hear(runtime: &Runtime, me: Uuid, message: &str) {
    match serde_json::from_str::<Message>(message) {
        Ok(message) if message.from != me => {
            for (workspace, update) in message.changes {
                runtime.events.relay(workspace, update);
            }
        }
        Ok(_) => {}
        Err(error) => {
            tracing::debug!(%error, "another process says something that this version does not know");
            runtime.events.miss();
        }
    }
}

/// Says that somebody watches here, as long as somebody does.
pub(super) async fn ask(runtime: Runtime, engine: Arc<Engine>) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(ASK) => {}
            () = runtime.events.watched() => {}
            () = runtime.tasks.stopping().cancelled() => return,
        }
        if runtime.events.is_watched() && engine.node.has_others() {
            engine.hints.add(Hint::Watch(engine.id));
        }
    }
}

/// Carries what is published here to those who want to hear it.
pub(super) async fn carry(runtime: Runtime, engine: Arc<Engine>) {
    let work = async {
        loop {
            engine.bridge.wanted.notified().await;
            let mut changes = runtime.events.subscribe();
            while engine.bridge.is_wanted() {
                let first = tokio::time::timeout(CARRY, changes.recv()).await;
                let mut parcel = Parcel::default();
                match first {
                    Ok(Ok(change)) => parcel.add(&change),
                    Ok(Err(RecvError::Lagged(_))) => parcel.missed = true,
                    Ok(Err(RecvError::Closed)) => return,
                    Err(_) => continue,
                }
                tokio::time::sleep(COLLECT).await;
                parcel.fill(&mut changes);
                parcel.send(&runtime, engine.id).await;
            }
        }
    };
    tokio::select! {
        () = work => {}
        () = engine.drained.cancelled() => {}
    }
}

/// What has come together.
#[derive(Debug, Default)]
struct Parcel {
    messages: Vec<(usize, Vec<(WorkspaceId, Update)>)>,
    behind: BTreeSet<(Uuid, Topic)>,
    missed: bool,
}

impl Parcel {
    fn add(&mut self, change: &Change) {
        if change.is_relayed {
            return;
        }
        let (workspace, topic) = (change.workspace, &change.update.topic);
        if self.behind.contains(&(workspace.0, topic.clone())) {
            return;
        }
        let bytes = serde_json::to_string(&change.update).map_or(usize::MAX, |text| text.len() + 50);
        let fits = self.messages.last().is_some_and(|(size, _)| size.saturating_add(bytes) <= MESSAGE_BYTES);
        if bytes > MESSAGE_BYTES || (!fits && self.messages.len() >= MESSAGES) {
            self.behind.insert((workspace.0, topic.clone()));
            return;
        }
        if !fits {
            self.messages.push((100, Vec::new()));
        }
        if let Some((size, updates)) = self.messages.last_mut() {
            *size += bytes;
            updates.push((workspace, change.update.clone()));
        }
    }

    fn fill(&mut self, changes: &mut Receiver<Arc<Change>>) {
        loop {
            match changes.try_recv() {
                Ok(change) => self.add(&change),
                Err(TryRecvError::Lagged(_)) => self.missed = true,
                Err(TryRecvError::Empty | TryRecvError::Closed) => return,
            }
        }
    }

    async fn send(self, runtime: &Runtime, from: Uuid) {
        let behind: Vec<_> = self.behind.into_iter().map(|(workspace, topic)| behind(workspace, topic)).collect();
        let told = behind.chunks(40).map(<[_]>::to_vec);
        for changes in self.messages.into_iter().map(|(_, changes)| changes).chain(told) {
            let text = serde_json::to_string(&Message { from, changes }).expect("changes are plain data");
            if let Err(error) = runtime.db.hint(&text).await {
                tracing::debug!(%error, "watchers elsewhere do not see a change at once");
            }
        }
        if self.missed {
            // What was not even seen here: a message that nobody can read has everybody read anew.
            let _ = runtime.db.hint("{}").await;
        }
    }
}

fn behind(workspace: Uuid, topic: Topic) -> (WorkspaceId, Update) {
    (WorkspaceId(workspace), Update { topic, seq: 0, kind: BEHIND.to_owned(), data: Value::Null })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::RunId;

    fn change(topic: Topic, data: Value) -> Change {
        let update = Update { topic, seq: 1, kind: "event".to_owned(), data };
        Change { workspace: WorkspaceId(Uuid::from_u128(1)), update, is_relayed: false }
    }

    #[test]
    fn what_is_too_large_is_told_of_by_its_topic() {
        let mut parcel = Parcel::default();
        let run = Topic::Run(RunId(Uuid::from_u128(2)));
        parcel.add(&change(Topic::Runs, json!("small")));
        parcel.add(&change(run.clone(), json!("x".repeat(MESSAGE_BYTES))));
        assert_eq!(parcel.messages.len(), 1);
        assert_eq!(parcel.behind.into_iter().map(|(_, topic)| topic).collect::<Vec<_>>(), [run]);
    }

    #[test]
    fn no_message_is_larger_than_the_database_takes() {
        let mut parcel = Parcel::default();
        for _ in 0..10_000 {
            parcel.add(&change(Topic::Runs, json!("x".repeat(300))));
        }
        assert_eq!(parcel.messages.len(), MESSAGES);
        assert_eq!(parcel.behind.len(), 1, "the rest is told of");
        for (_, changes) in parcel.messages {
            let text = serde_json::to_string(&Message { from: Uuid::from_u128(3), changes }).expect("plain data");
            assert!(text.len() < 8_000, "{}", text.len());
        }
    }
}
