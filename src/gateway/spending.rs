//! Whether a call may still be paid for: what its budgets say to what is spent, what is underway, and what it will take.
//!
//! What is spent stands in the database, for every process. What is underway is this process' own: from the moment that a call
//! is let through until its cost is written, so that many calls at once don't all find the same money.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use super::ask::Ask;
use super::error::Result;
use super::store;
use crate::model::gateway::{Allowance, Budget, BudgetScope, CallRecord, Fault, FaultClass, Price, Usage};
use crate::model::{ProviderId, WorkspaceId};
use crate::runtime::Ctx;

/// Looks at the database, while others' costs are written in between.
const LOOKS: u32 = 5;

/// Whose calls count together.
type Who = (WorkspaceId, BudgetScope, Uuid);

/// What is underway in this process.
#[derive(Debug, Default)]
struct Ledger(Mutex<Underway>);

#[derive(Debug, Default)]
struct Underway {
    micros: HashMap<Who, i64>,
    /// How many calls have been taken out: their costs are in the database by then.
    released: u64,
}

impl Ledger {
    fn lock(&self) -> MutexGuard<'_, Underway> {
        // Sums are changed by one statement each: they are whole whatever panicked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a call is expected to take, then what it took, until that is written.
#[derive(Debug)]
pub(super) struct Held {
    ledger: Arc<Ledger>,
    who: Vec<Who>,
    micros: i64,
    price: Option<Price>,
}

impl Held {
    /// The call has ended: from now on it counts with what it took and no longer with what was expected, so that the next one
    /// does not find money that is spent and only not written yet.
    pub fn came_to(&mut self, usage: Usage) {
        let Some(price) = &self.price else { return };
        let micros = price.cost_micros(usage);
        let mut underway = self.ledger.lock();
        for who in &self.who {
            *underway.micros.entry(*who).or_default() += micros - self.micros;
        }
        self.micros = micros;
    }
}

impl Held {
    /// What was left behind beside the call, until that is written: at the same price.
    pub fn beside(&self, usage: Usage) -> Self {
        let micros = self.price.as_ref().map_or(0, |price| price.cost_micros(usage));
        let mut underway = self.ledger.lock();
        for who in &self.who {
            *underway.micros.entry(*who).or_default() += micros;
        }
        drop(underway);
        Self { ledger: Arc::clone(&self.ledger), who: self.who.clone(), micros, price: self.price.clone() }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut underway = self.ledger.lock();
        underway.released += 1;
        for who in &self.who {
            if let Some(sum) = underway.micros.get_mut(who) {
                *sum -= self.micros;
                if *sum <= 0 {
                    underway.micros.remove(who);
                }
            }
        }
    }
}

/// Lets a call through, or refuses it. What the budgets want to be told comes back with it.
///
/// # Errors
/// [`FaultClass::Budget`] for the first budget that is used up; the database's.
pub(super) async fn admit(
    ctx: &Ctx,
    call: &CallRecord,
    asked: &impl Ask,
    (provider, model): (ProviderId, &str),
) -> Result<(Option<Held>, Vec<String>)> {
    let workspace = ctx.workspace();
    let in_run = call.run_id.is_some();
    let budgets = store::budget::find_holding(&ctx.db, workspace, call.user_id, call.key_id, in_run).await?;
    if budgets.is_empty() {
        return Ok((None, Vec::new()));
    }
    // At the price of who is asked first; nothing where that has no price.
    let price = store::price::find(&ctx.db, provider, model, call.at).await?;
    let cost = |usage: Usage| price.as_ref().map_or(0, |price| price.cost_micros(usage));
    let mut expected = cost(asked.expected());
    // Counting reads the whole text: it is done once, and only where a budget has something to say to the most that it may be.
    let most = asked.reads_at_most(model).filter(|_| price.is_some());
    let mut most = most.map(|input| cost(Usage { input, ..asked.expected() }));
    let ledger: Arc<Ledger> = ctx.shared();
    for look in 1.. {
        let seen = ledger.lock().released;
        let mut weighed = Vec::with_capacity(budgets.len());
        for budget in &budgets {
            let Some(who) = who(workspace, budget, call) else { continue };
            weighed.push((budget, who, spent(ctx, budget, call, who).await?));
        }
        let is_close = most.is_some_and(|most| {
            let underway = ledger.lock();
            let held = |who: &Who| underway.micros.get(who).copied().unwrap_or(0);
            weighed.iter().any(|(budget, who, spent)| budget.weigh(*spent, held(who), most) != Allowance::Free)
        });
        if is_close {
            most = None;
            expected = cost(asked.counted(ctx, model).await);
        }
        let mut underway = ledger.lock();
        if underway.released != seen && look < LOOKS {
            // What was read may lack a cost that is no longer underway either.
            continue;
        }
        let mut warnings = Vec::new();
        for (budget, who, spent) in &weighed {
            match budget.weigh(*spent, underway.micros.get(who).copied().unwrap_or(0), expected) {
                Allowance::Free => {}
                Allowance::Warned(warning) => warnings.push(warning),
                Allowance::Refused(why) => {
                    metrics::counter!("weft_budget_refusals_total").increment(1);
                    return Err(Fault::new(FaultClass::Budget, why).into());
                }
            }
        }
        let mut all: Vec<Who> = weighed.into_iter().map(|(_, who, _)| who).collect();
        all.sort_unstable_by_key(|(_, scope, id)| (scope.as_str(), *id));
        all.dedup();
        for who in &all {
            *underway.micros.entry(*who).or_default() += expected;
        }
        drop(underway);
        return Ok((Some(Held { ledger, who: all, micros: expected, price }), warnings));
    }
    unreachable!("the last look decides");
}

fn who(workspace: WorkspaceId, budget: &Budget, call: &CallRecord) -> Option<Who> {
    let id = match budget.scope {
        BudgetScope::Workspace => Some(workspace.0),
        BudgetScope::User => call.user_id.map(|id| id.0),
        BudgetScope::Key => call.key_id.map(|id| id.0),
        BudgetScope::Run => call.run_id.map(|id| id.0),
    };
    Some((workspace, budget.scope, id?))
}

async fn spent(ctx: &Ctx, budget: &Budget, call: &CallRecord, (workspace, scope, id): Who) -> Result<i64> {
    Ok(match (scope, call.run_id) {
        (BudgetScope::Run, Some(run)) => store::spend::of_run(&ctx.db, workspace, run).await?,
        _ => store::spend::of_days(&ctx.db, workspace, scope, id, &budget.period.days(ctx.clock.now())).await?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{PriceId, Timestamp};

    #[test]
    fn a_call_that_has_ended_counts_with_what_it_took_until_that_is_written() {
        let ledger = Arc::new(Ledger::default());
        let who = (WorkspaceId(Uuid::nil()), BudgetScope::Workspace, Uuid::nil());
        let underway = || ledger.lock().micros.get(&who).copied().unwrap_or(0);
        *ledger.lock().micros.entry(who).or_default() += 10;
        let price = Price {
            id: PriceId(Uuid::nil()),
            provider_id: ProviderId(Uuid::nil()),
            model: "big".to_owned(),
            from: Timestamp(0),
            input: 0,
            output: 1_000_000,
            cache_read: None,
            cache_write: None,
            cache_write_hour: None,
        };
        let mut held = Held { ledger: Arc::clone(&ledger), who: vec![who], micros: 10, price: Some(price) };
        held.came_to(Usage { output: 25, ..Usage::default() });
        assert_eq!(underway(), 25);
        let beside = held.beside(Usage { output: 4, ..Usage::default() });
        assert_eq!(underway(), 29, "what was left behind counts beside it");
        drop(beside);
        assert_eq!(underway(), 25);
        drop(held);
        assert_eq!(underway(), 0);
    }
}
