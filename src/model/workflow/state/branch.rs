//! Where a run leaves the history that it was forked from, and a run that goes up to one step only.

use std::collections::BTreeSet;

use super::{Graph, RunStatus, State, Timestamp, Value};

/// The step after which a run ends, and the steps that do not lead to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Until {
    pub(super) step: u32,
    beyond: BTreeSet<u32>,
}

impl Until {
    /// `None` for a step that the definition doesn't have.
    pub(super) fn new(graph: &Graph, id: &str) -> Option<Self> {
        let step = graph.find(id)?;
        let mut wanted = BTreeSet::from([step]);
        let mut open = vec![step];
        while let Some(next) = open.pop() {
            for &edge in graph.inbound(next) {
                let source = graph.find(&graph.edge(edge).from);
                open.extend(source.filter(|&from| wanted.insert(from)));
            }
        }
        let beyond = (0..graph.len() as u32).filter(|step| !wanted.contains(step)).collect();
        Some(Self { step, beyond })
    }
}

impl State {
    /// The step after which the run ends, when only a part was asked for.
    pub fn until(&self) -> Option<u32> {
        self.until.as_ref().map(|until| until.step)
    }

    /// Whether a step does not lead to the one that the run was asked to go up to.
    pub fn is_beyond(&self, step: u32) -> bool {
        self.until.as_ref().is_some_and(|until| until.beyond.contains(&step))
    }

    /// Leaves the copied history: what was open in it, failed the run or was cut off by its end is open again, and the
    /// run goes on to its own end. What was in flight has been skipped by facts before.
    pub(super) fn branch(&mut self, at: Timestamp) {
        if self.end.is_none() {
            self.finish(RunStatus::Cancelled, at);
        }
        self.until = None;
        self.forget_undo();
        self.forget_journals();
        self.reopen(at);
        self.output = Value::Null;
        self.paused = None;
        // Copied from before its beginning, it has that before it.
        self.started_at = self.started.then_some(at);
    }
}
