//! Hints to the other processes of a shared database: what they would find out by looking a little later.
//!
//! They are collected and sent together, outside of every transaction that stores something; one that is lost costs the
//! time until the next look. What a hint says is its first letter, then an id.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;
use uuid::Uuid;

use super::{Engine, bridge, forward, quota};
use crate::model::{RunId, WorkspaceId};
use crate::runtime::Runtime;

/// How long hints are collected.
const COLLECT: Duration = Duration::from_millis(5);
/// Hints of one message, which Postgres limits to 8,000 bytes.
const TOGETHER: usize = 200;
/// Hints that wait to be sent; beyond that the others find out by looking.
const MOST: usize = 2_000;

/// What another process may want to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Hint {
    /// A process has come or gone.
    Node,
    /// Runs were given back.
    Due,
    /// A command waits for this process.
    Command(Uuid),
    /// A command was answered.
    Answer(Uuid),
    /// Signals were stored for a run.
    Signals(RunId),
    /// A key came free in a workspace.
    Key(WorkspaceId),
    /// Somebody watches at a process.
    Watch(Uuid),
    /// A workspace has set how many of its runs may be in progress.
    Quotas,
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node => f.write_str("n"),
            Self::Due => f.write_str("d"),
            Self::Command(node) => write!(f, "c{}", node.simple()),
            Self::Answer(command) => write!(f, "a{}", command.simple()),
            Self::Signals(run) => write!(f, "s{}", run.0.simple()),
            Self::Key(workspace) => write!(f, "k{}", workspace.0.simple()),
            Self::Watch(node) => write!(f, "w{}", node.simple()),
            Self::Quotas => f.write_str("q"),
        }
    }
}

impl Hint {
    /// `None` for what a newer version says.
    fn parse(text: &str) -> Option<Self> {
        let id = || Uuid::try_parse(text.get(1..)?).ok();
        Some(match text.chars().next()? {
            'n' => Self::Node,
            'd' => Self::Due,
            'c' => Self::Command(id()?),
            'a' => Self::Answer(id()?),
            's' => Self::Signals(RunId(id()?)),
            'k' => Self::Key(WorkspaceId(id()?)),
            'w' => Self::Watch(id()?),
            'q' => Self::Quotas,
            _ => return None,
        })
    }
}

/// Hints that are to be sent.
#[derive(Debug, Default)]
pub(super) struct Desk {
    waiting: Mutex<BTreeSet<Hint>>,
    moved: Notify,
}

impl Desk {
    /// Sends a hint with the next message.
    pub(super) fn add(&self, hint: Hint) {
        let mut waiting = self.waiting.lock().expect("no code panics while it holds this lock");
        if waiting.len() < MOST && waiting.insert(hint) {
            self.moved.notify_one();
        }
    }

    fn take(&self) -> Vec<String> {
        let mut waiting = self.waiting.lock().expect("no code panics while it holds this lock");
        (0..TOGETHER).map_while(|_| waiting.pop_first()).map(|hint| hint.to_string()).collect()
    }
}

/// Sends what has come together, until the process has given its runs back.
pub(super) async fn send(runtime: Runtime, engine: Arc<Engine>) {
    loop {
        let hints = engine.hints.take();
        if !hints.is_empty() {
            if let Err(error) = runtime.db.hint(&hints.join(",")).await {
                tracing::debug!(%error, "hints were not sent; the others look by themselves");
            }
            tokio::time::sleep(COLLECT).await;
            continue;
        }
        tokio::select! {
            () = engine.hints.moved.notified() => {}
            () = engine.drained.cancelled() => return,
        }
    }
}

/// Does what a message asks for.
pub(super) fn hear(runtime: &Runtime, engine: &Arc<Engine>, message: &str) {
    if message.starts_with('{') {
        return bridge::hear(runtime, engine.id, message);
    }
    for hint in message.split(',').filter_map(Hint::parse) {
        match hint {
            Hint::Node => engine.node.look(),
            Hint::Due => engine.timer.set(runtime.clock.now()),
            Hint::Command(node) if node == engine.id => {
                runtime.tasks.spawn("engine commands", forward::serve(runtime.clone(), Arc::clone(engine)));
            }
            Hint::Command(_) => {}
            Hint::Answer(command) => engine.asked.answered(command),
            Hint::Signals(run) => engine.poke_here(runtime, run),
            Hint::Key(workspace) => engine.keys.look_at(workspace),
            Hint::Watch(node) if node != engine.id => engine.bridge.watched(),
            Hint::Watch(_) => {}
            Hint::Quotas => {
                let (runtime, engine) = (runtime.clone(), Arc::clone(engine));
                runtime.clone().tasks.spawn("engine quotas", async move {
                    if let Err(error) = quota::read(&runtime, &engine).await {
                        tracing::debug!(%error, "which workspaces are limited is read with the next run");
                    }
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_reads_back_and_what_a_newer_version_says_is_passed_over() {
        let id = Uuid::from_u128(0x0193_3333_0000_7000_8000_0000_0000_0001);
        for hint in [
            Hint::Node,
            Hint::Due,
            Hint::Command(id),
            Hint::Answer(id),
            Hint::Signals(RunId(id)),
            Hint::Key(WorkspaceId(id)),
            Hint::Watch(id),
            Hint::Quotas,
        ] {
            assert_eq!(Hint::parse(&hint.to_string()), Some(hint));
        }
        for text in ["", "x", "c", "cxyz", "s0193"] {
            assert_eq!(Hint::parse(text), None, "{text}");
        }
    }
}
