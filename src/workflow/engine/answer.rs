//! Who waits for the answers of runs, in this process: told with the flush that makes an answer durable, so that nobody
//! has to read it from the tables.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::sync::oneshot;

use super::Engine;
use crate::model::RunId;
use crate::model::workflow::{Event, Fact, Graph, RunStatus};
use crate::runtime::Runtime;
use crate::workflow::Answered;

/// Those who wait.
#[derive(Debug, Default)]
pub(super) struct Desk(Mutex<HashMap<RunId, Vec<oneshot::Sender<Answered>>>>);

impl Desk {
    /// Tells those who wait for this run what came of it, once that is durable.
    pub(super) fn tell(&self, run: RunId, graph: &Graph, events: &[Event]) {
        let mut waiting = self.0.lock().expect("no code panics while it holds this lock");
        if !waiting.contains_key(&run) {
            return;
        }
        let Some(answer) = events.iter().find_map(|event| answer_of(event, graph)) else { return };
        for waiter in waiting.remove(&run).into_iter().flatten() {
            // Whoever asked may have gone.
            let _ = waiter.send(answer.clone());
        }
    }
}

/// What an event answers to whoever started the run: a `respond` step that succeeded, also one inside of a container, or
/// the end.
pub(in crate::workflow) fn answer_of(event: &Event, graph: &Graph) -> Option<Answered> {
    match &event.fact {
        Fact::StepSucceeded { output, .. } => {
            let step = graph.find_path(event.step.as_deref()?)?;
            (step.kind == "respond").then(|| Answered::Step(output.clone()))
        }
        Fact::RunSucceeded { output } => Some(Answered::Ended(RunStatus::Succeeded, output.clone())),
        Fact::RunFailed { .. } => Some(Answered::Ended(RunStatus::Failed, serde_json::Value::Null)),
        Fact::RunCancelled {} => Some(Answered::Ended(RunStatus::Cancelled, serde_json::Value::Null)),
        _ => None,
    }
}

/// Somebody who listens for the answer of a run from now on. One that comes in another process is not heard.
#[derive(Debug)]
pub struct Hearing {
    engine: Arc<Engine>,
    run: RunId,
    /// Whether something may have been said before.
    is_late: bool,
    answer: oneshot::Receiver<Answered>,
}

impl Hearing {
    /// Of a run that has not begun.
    pub fn of_new(runtime: &Runtime, run: RunId) -> Self {
        let mut hearing = Self::of(runtime, run);
        hearing.is_late = false;
        hearing
    }

    /// Of a run that may have begun.
    pub fn of(runtime: &Runtime, run: RunId) -> Self {
        let engine = Engine::of(runtime);
        let (sender, answer) = oneshot::channel();
        engine.answers.0.lock().expect("no code panics while it holds this lock").entry(run).or_default().push(sender);
        Self { engine, run, is_late: true, answer }
    }

    /// The run.
    pub(in crate::workflow) const fn run(&self) -> RunId {
        self.run
    }

    /// Whether something may have been said before it listened.
    pub(in crate::workflow) const fn is_late(&self) -> bool {
        self.is_late
    }

    /// Returns with the answer; never where it is not heard.
    pub(in crate::workflow) async fn answer(&mut self) -> Answered {
        match (&mut self.answer).await {
            Ok(answer) => answer,
            Err(_) => std::future::pending().await,
        }
    }
}

impl Drop for Hearing {
    fn drop(&mut self) {
        self.answer.close();
        let mut waiting = self.engine.answers.0.lock().expect("no code panics while it holds this lock");
        if let Some(waiters) = waiting.get_mut(&self.run) {
            waiters.retain(|waiter| !waiter.is_closed());
            if waiters.is_empty() {
                waiting.remove(&self.run);
            }
        }
    }
}
