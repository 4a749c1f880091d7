//! What the work of an agent takes over from the agent that began it, directly or through a workflow: whose words its task may be
//! made of, and how much may still be spent. Else a hand-over would wash off what strangers wrote, and multiply what may be spent.

use super::work::Work;
use crate::agents;
use crate::model::RunId;
use crate::model::agent::{AgentSpec, Entry};
use crate::model::gateway::short_usd;
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

/// Looks at the nearest agent above; what that took over itself is part of its work.
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
            let (tokens, cost_micros) = below(call, *run, step).await?;
            let limits = work.spec.limits;
            let web = if work.has_read_web { Trust::Web } else { Trust::Model };
            return Ok(Above {
                untrusted: work.is_tainted.then_some(web),
                tokens: Some((limits.tokens - work.totals.tokens - tokens).max(0)),
                cost_micros: limits.cost_micros.map(|limit| (limit - work.totals.cost_micros - cost_micros).max(0)),
            });
        }
    }
    Ok(Above::default())
}

/// Ends work that has spent all it may together with the agents that it had work.
///
/// # Errors
/// Class `limit`, and `unavailable`.
pub async fn limit(call: &StepCall, work: &Work) -> Result<(), StepError> {
    if !work.spec.tools.iter().any(|tool| tool.waits()) {
        return Ok(());
    }
    let (tokens, cost_micros) = below(call, call.run_id, &call.step).await?;
    let (limits, totals) = (work.spec.limits, work.totals);
    let spent = totals.cost_micros + cost_micros;
    let why = if totals.tokens + tokens >= limits.tokens {
        format!("used {} tokens of its {}", totals.tokens + tokens, limits.tokens)
    } else if let Some(limit) = limits.cost_micros.filter(|limit| spent >= *limit) {
        format!("spent {} of its {}", short_usd(spent), short_usd(limit))
    } else {
        return Ok(());
    };
    Err(StepError::permanent("limit", format!("the agent, with those that it had work, has {why}")))
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

async fn below(call: &StepCall, run: RunId, step: &str) -> Result<(i64, i64), StepError> {
    agents::sum_below(&call.ctx, run, step).await.map_err(unavailable)
}

fn unavailable(error: impl std::fmt::Display) -> StepError {
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
