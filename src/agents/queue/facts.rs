//! What is known of a workspace's agents, read once for many decisions.

use std::collections::HashMap;

use super::Held;
use crate::agents::assign::{Candidate, History, Open, Ties};
use crate::agents::error::Result;
use crate::agents::store;
use crate::model::AgentId;
use crate::model::agent::{Agent, KeptOut, TaskStatus, Weights};
use crate::model::workflow::RunStatus;
use crate::runtime::Ctx;

/// What agents have to do is read up to so many tasks, and what they did up to so many.
const MAX_TASKS: u32 = 5_000;
/// How far back what they did counts: 30 days, as on their pages.
const COUNTED_MS: i64 = 30 * 24 * 3_600_000;

/// The agents with what they have to do and how they did.
#[derive(Clone)]
pub(super) struct Facts {
    /// What the parts of a score count.
    pub(super) weights: Weights,
    agents: Vec<Agent>,
    open: HashMap<AgentId, Vec<Open>>,
    past: HashMap<AgentId, History>,
}

impl Facts {
    pub(super) async fn read(ctx: &Ctx) -> Result<Self> {
        let (db, workspace) = (&ctx.db, ctx.workspace());
        let agents = store::agent::list(db, workspace).await?;
        let mut open: HashMap<AgentId, Vec<Open>> = HashMap::new();
        for row in store::facts::list_open(db, workspace, MAX_TASKS).await? {
            let is_queued = row.run_status == RunStatus::Queued.as_str();
            open.entry(row.agent_id).or_default().push(Open {
                kind: row.kind,
                priority: u8::try_from(row.priority).unwrap_or(5),
                began_at: (!is_queued).then_some(row.started_at),
            });
        }
        let mut past: HashMap<AgentId, History> = HashMap::new();
        let rows = store::facts::list_past(db, workspace, ctx.clock.now().plus_ms(-COUNTED_MS), MAX_TASKS).await?;
        for row in rows.into_iter().rev() {
            let history = past.entry(row.agent_id).or_default();
            let run = row.run_status.as_deref();
            let is = |noted: TaskStatus, ended: RunStatus| {
                let is_over = [TaskStatus::Done, TaskStatus::Failed].iter().any(|one| one.as_str() == row.status);
                row.status == noted.as_str() || (!is_over && run == Some(ended.as_str()))
            };
            if is(TaskStatus::Done, RunStatus::Succeeded) {
                history.add_done(&row.kind, row.active_at.ms_since(row.started_at));
            } else if is(TaskStatus::Failed, RunStatus::Failed) {
                history.add_failed();
            }
        }
        let weights = store::weights::find(db, workspace).await?.unwrap_or_default();
        Ok(Self { weights, agents, open, past })
    }

    /// The same, where the parts of a score count something else.
    pub(super) fn under(self, weights: Weights) -> Self {
        Self { weights, ..self }
    }

    /// The agents that a task may be given to, beside it.
    pub(super) fn candidates(
        &self,
        held: &Held,
        before: &[(Option<String>, Option<AgentId>)],
        last_at_topic: Option<AgentId>,
    ) -> Vec<Candidate> {
        let task = &held.task.task;
        let is_among = |agent: &&Agent| task.among.is_empty() || task.among.contains(&agent.name);
        let repository = task.repository.trim();
        let candidate = |agent: &Agent| {
            let kept_out = if held.tried.contains(&agent.id) {
                Some(KeptOut::Tried)
            } else {
                let stopped = agent.stopped_at.map(|_| KeptOut::Stopped);
                stopped.or_else(|| agent.spec.needs_variables().then_some(KeptOut::Variables))
            };
            Candidate {
                agent: agent.id,
                name: agent.name.clone(),
                kept_out,
                expertise: agent.spec.expertise.clone(),
                parallel: agent.spec.limits.parallel,
                open: self.open.get(&agent.id).cloned().unwrap_or_default(),
                history: self.past.get(&agent.id).cloned().unwrap_or_default(),
                ties: Ties {
                    after: before.iter().filter(|(_, did)| *did == Some(agent.id)).count() as u32,
                    topic: last_at_topic == Some(agent.id),
                    repository: !repository.is_empty() && agent.spec.repository.trim() == repository,
                },
            }
        };
        self.agents.iter().filter(is_among).map(candidate).collect()
    }

    /// Adds a task that an agent was given since.
    pub(super) fn add_open(&mut self, agent: &AgentId, held: &Held) {
        let open = Open { kind: held.kind.clone(), priority: held.task.task.level(), began_at: None };
        self.open.entry(*agent).or_default().push(open);
    }
}
