//! What the work of an agent takes over from the agent that began it, directly or through a workflow: whose words its task may be
//! made of, and how much may still be spent. Else a hand-over would wash off what strangers wrote, and multiply what may be spent.

use super::spend::{Limits, used_up};
use super::work::Work;
use crate::agents;
use crate::gateway;
use crate::model::RunId;
use crate::model::agent::{AgentSpec, Entry};
use crate::model::memory::Trust;
use crate::model::workflow::{Event, Fact, StepError};
use crate::workflow::steps::StepCall;
use crate::workflow::store::history;
use crate::workflow::team;

/// Entries of one journal that are read.
const MAX_ENTRIES: u32 = 100_000;

/// What is taken over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Above {
    /// The lowest label of what the agent above had read, where strangers may have written of it.
    pub untrusted: Option<Trust>,
    /// Tokens that are left to it.
    tokens: Option<i64>,
    /// Millionths of a US dollar that are left to it, where it has a limit.
    cost_micros: Option<i64>,
}

impl Above {
    /// An agent that spends no more than is left above it.
    pub fn narrow(&self, mut spec: AgentSpec) -> AgentSpec {
        let limits = &mut spec.limits;
        limits.tokens = self.tokens.map_or(limits.tokens, |left| limits.tokens.min(left));
        limits.cost_micros = match (limits.cost_micros, self.cost_micros) {
            (Some(own), Some(left)) => Some(own.min(left)),
            (own, left) => own.or(left),
        };
        spec
    }
}

/// Looks at the nearest agent above; what that took over itself is part of its work. Those that work side by side each begin with all
/// that is left: that they spend no more together is looked after with each of their calls ([`super::spend`]).
///
/// # Errors
/// Class `unavailable`, and `journal` where its journal can't be read.
pub async fn look(call: &StepCall) -> Result<Above, StepError> {
    if call.depth == 0 {
        return Ok(Above::default());
    }
    let lineage = team::root(&call.ctx, call.run_id).await.map_err(unavailable)?;
    for (run, step) in &lineage.around {
        if let Some(work) = Work::fold(&journal(call, *run, step).await?)? {
            let (tokens, cost_micros) = spent(call, *run, step, &work).await?;
            let limits = work.spec.limits;
            let web = if work.has_read_web { Trust::Web } else { Trust::Model };
            return Ok(Above {
                untrusted: work.is_tainted.then_some(web),
                tokens: Some((limits.tokens - tokens).max(0)),
                cost_micros: limits.cost_micros.map(|limit| (limit - cost_micros).max(0)),
            });
        }
    }
    Ok(Above::default())
}

/// What the agent at a step may spend with all below it, and what it has spent itself (tokens, and millionths of a US dollar); `None`
/// where no agent works at it.
///
/// # Errors
/// As [`look`].
pub async fn spender(call: &StepCall, run: RunId, step: &str) -> Result<Option<(Limits, (i64, i64))>, StepError> {
    let work = Work::fold(&journal(call, run, step).await?)?;
    Ok(work.map(|work| (limits(&work), (work.totals.tokens, work.totals.cost_micros))))
}

fn limits(work: &Work) -> Limits {
    let limits = work.spec.limits;
    Limits { agent: work.name.clone(), tokens: limits.tokens, cost_micros: limits.cost_micros }
}

/// Ends work that has spent all it may together with what it had done by others.
///
/// # Errors
/// Class `limit`, and `unavailable`.
pub async fn limit(call: &StepCall, work: &Work) -> Result<(), StepError> {
    if !work.spec.tools.iter().any(|tool| tool.waits()) {
        return Ok(());
    }
    let spent = spent(call, call.run_id, &call.step, work).await?;
    match used_up(&limits(work), spent) {
        Some(why) => Err(StepError::permanent("limit", format!("the agent, with those that it had work, has {why}"))),
        None => Ok(()),
    }
}

/// What an agent and all below it have spent so far: tokens, and millionths of a US dollar.
async fn spent(call: &StepCall, run: RunId, step: &str, work: &Work) -> Result<(i64, i64), StepError> {
    // What has ended is in the log of calls by then.
    gateway::settled(call.ctx.runtime()).await;
    let spent = agents::sum_spent(&call.ctx, run, step).await.map_err(unavailable)?;
    // Its journal knows best what it spent itself, since it last began.
    let own = (work.totals.tokens, work.totals.cost_micros);
    Ok(agents::Spent { own, ..spent }.total())
}

/// The journal of a step of another run since its work last began; empty for a step of another kind.
async fn journal(call: &StepCall, run: RunId, step: &str) -> Result<Vec<Entry>, StepError> {
    let ctx = &call.ctx;
    let events = history::list_journal(&ctx.db, ctx.workspace(), run, step, MAX_ENTRIES).await.map_err(unavailable)?;
    let entries: Vec<Entry> = events.into_iter().filter_map(entry).collect();
    let begun = entries.iter().rposition(|entry| matches!(entry, Entry::Begun { .. }));
    Ok(begun.map(|at| entries[at..].to_vec()).unwrap_or_default())
}

fn entry(event: Event) -> Option<Entry> {
    match event.fact {
        Fact::StepAdvanced { entry, .. } => Entry::read(&entry).ok(),
        Fact::StepAnswered { port, output, error, .. } => Some(Entry::Answered { port, output, error }),
        _ => None,
    }
}

/// The database can't be asked now.
pub fn unavailable(error: impl std::fmt::Display) -> StepError {
    StepError::transient("unavailable", error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_spends_no_more_than_is_left_above_it() {
        let spec = |tokens: i64, cost: Option<i64>| {
            let mut spec = AgentSpec::new("You help.");
            (spec.limits.tokens, spec.limits.cost_micros) = (tokens, cost);
            spec
        };
        let left = Above { untrusted: None, tokens: Some(5_000), cost_micros: Some(70) };
        for (own, expected) in [
            ((1_000, Some(10)), (1_000, Some(10))),
            ((9_000, Some(90)), (5_000, Some(70))),
            ((9_000, None), (5_000, Some(70))),
        ] {
            let limits = left.narrow(spec(own.0, own.1)).limits;
            assert_eq!((limits.tokens, limits.cost_micros), expected);
        }
        let free = Above::default().narrow(spec(9_000, None)).limits;
        assert_eq!((free.tokens, free.cost_micros), (9_000, None));
    }
}
