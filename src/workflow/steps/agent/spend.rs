//! What an agent and all that it has work may spend together, while they work side by side.
//!
//! Before a step below an agent asks a model, this looks at what that agent and all below it have spent, and at what is on its way:
//! each call reserves what it may take until it has ended. A call for which there is no room beside the others waits until they
//! are done; one alone goes, so that a limit is passed by one call at most, as it is by an agent that works by itself. What is spent
//! stands in the database, for every process; what is on its way is this process' own.

mod ledger;

use std::sync::Arc;

use self::ledger::{Agent, Ledger, Looking, Sum, Took};
pub use self::ledger::{Limits, Reserved, used_up};
use super::above;
use crate::agents;
use crate::gateway;
use crate::model::gateway::{Request, Usage, estimate_request};
use crate::model::workflow::StepError;
use crate::workflow::steps::StepCall;
use crate::workflow::team;

/// Tokens that are reserved for what a model writes, where the call does not say how many it may write.
const USUAL_OUTPUT: i64 = 1_024;

/// Reserves what a call of a model may take with every agent above the step that makes it; waits while others take what is left.
/// `None` where no agent is above.
///
/// # Errors
/// Class `limit` where one of them has nothing left, `cancelled`, and `unavailable`.
pub async fn reserve(call: &StepCall, request: &Request) -> Result<Option<Reserved>, StepError> {
    if call.depth == 0 {
        return Ok(None);
    }
    let ledger: Arc<Ledger> = call.ctx.shared();
    let above = agents_above(call, &ledger).await?;
    if above.is_empty() {
        return Ok(None);
    }
    let costs = above.iter().any(|agent| agent.limits.cost_micros.is_some());
    let expected = expected(call, request, costs).await?;
    let looking = Looking::new(&ledger, &above);
    let mut has_told = false;
    loop {
        // Whoever ends from here on wakes this up, however long the looking takes.
        let freed = looking.freed().notified();
        tokio::pin!(freed);
        freed.as_mut().enable();
        let seen = looking.ended();
        // What has ended before is stored now.
        gateway::settled(call.ctx.runtime()).await;
        let mut spent = Vec::with_capacity(above.len());
        for Agent { place: (run, step), own, .. } in above.iter() {
            let noted = agents::sum_spent(&call.ctx, *run, step).await.map_err(above::unavailable)?;
            spent.push(noted.with_at_least(*own));
        }
        match looking.take(&seen, &spent, expected) {
            Took::Reserved(reserved) => return Ok(Some(reserved)),
            Took::Refused(why) => return Err(StepError::permanent("limit", why)),
            Took::Wait => {}
        }
        if !std::mem::replace(&mut has_told, true) {
            call.progress.tell("waits until others have spent what they may: not much is left", None);
        }
        tokio::select! {
            () = freed => {}
            () = call.cancel.cancelled() => {
                return Err(StepError::transient("cancelled", "the call of the model was cancelled"));
            }
        }
    }
}

/// The agents above a run, the nearest first, with what each may spend and has spent itself.
async fn agents_above(call: &StepCall, ledger: &Ledger) -> Result<Arc<[Agent]>, StepError> {
    if let Some(above) = ledger.above(call.run_id) {
        return Ok(above);
    }
    let lineage = team::root(&call.ctx, call.run_id).await.map_err(above::unavailable)?;
    let mut above = Vec::new();
    for place in lineage.around {
        if let Some((limits, own)) = above::spender(call, place.0, &place.1).await? {
            above.push(Agent { place, limits, own });
        }
    }
    Ok(ledger.remember(call.run_id, above))
}

/// What a call may take: what it reads, by the estimate, and the most that it may write. Its cost is reckoned at the price of who would
/// be asked first, and only where somebody has a limit of money.
async fn expected(call: &StepCall, request: &Request, costs: bool) -> Result<Sum, StepError> {
    let output = request.max_tokens.map_or(USUAL_OUTPUT, i64::from).saturating_mul(i64::from(request.answers).max(1));
    let usage = Usage { input: estimate_request(request), output, ..Usage::default() };
    let tokens = usage.input.saturating_add(output);
    if !costs {
        return Ok((tokens, 0));
    }
    let price = match gateway::quote(&call.ctx, &request.model).await {
        Ok(quote) => quote.price,
        Err(gateway::Error::Db(error)) => return Err(above::unavailable(error)),
        // Why nobody can be asked is the call's own to say.
        Err(_) => None,
    };
    Ok((tokens, price.map_or(0, |price| price.cost_micros(usage))))
}
