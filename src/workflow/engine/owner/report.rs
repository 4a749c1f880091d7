//! How a run stands: for its row, for whoever commanded it, for those who watch.

use super::{Engine, Owner};
use crate::model::live::Topic;
use crate::model::workflow::expression::Scope;
use crate::model::workflow::{Event, RunSummary};
use crate::workflow::store::Progress;

impl Owner {
    pub(super) fn progress(&self) -> Progress {
        Progress {
            status: self.state.status(),
            headline: self.state.headline(),
            steps_done: self.state.steps_done(),
            last_seq: self.state.last_seq(),
            started_at: self.state.started_at(),
            ended_at: self.state.ended_at(),
            wake_at: self.state.next_due(),
            lease_until: (!self.given_back).then(|| Engine::lease_until(&self.runtime)),
        }
    }

    pub(super) fn summary(&self) -> RunSummary {
        let progress = self.progress();
        RunSummary {
            id: self.state.id(),
            workflow_id: self.card.workflow_id,
            workflow_name: self.card.workflow_name.clone(),
            version: self.card.version,
            status: progress.status,
            trigger: self.card.trigger,
            started_by: self.card.started_by.clone(),
            parent_run_id: self.card.parent.as_ref().map(|parent| parent.run),
            created_at: self.card.created_at,
            started_at: progress.started_at,
            ended_at: progress.ended_at,
            headline: progress.headline,
            steps_done: progress.steps_done,
            steps_total: self.card.steps_total,
        }
    }

    pub(super) fn publish(&self, events: &[Event]) {
        let bus = &self.runtime.events;
        if bus.watchers() == 0 {
            return;
        }
        let run = self.state.id();
        for event in events {
            let data = serde_json::to_value(event).unwrap_or_default();
            bus.publish_at(self.workspace, Topic::Run(run), event.seq, "event", data);
        }
        let summary = serde_json::to_value(self.summary()).unwrap_or_default();
        bus.publish(self.workspace, Topic::Runs, "run_changed", summary);
    }

    /// Tells those who look at agents that what some of them have to do here may stand otherwise than they noted it before this was stored.
    pub(super) fn tell_agents(&self) {
        if !self.state.graph().has_agents() || self.runtime.events.watchers() == 0 {
            return;
        }
        let (runtime, workspace, run) = (self.runtime.clone(), self.workspace, self.state.id());
        self.runtime.tasks.spawn("news of agents", async move {
            if let Err(error) = crate::agents::tell_of_run(&runtime, workspace, run).await {
                tracing::warn!(%run, %error, "the board of agents is behind");
            }
        });
    }
}
