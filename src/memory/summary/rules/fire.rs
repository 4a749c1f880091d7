//! Firing the rules that are due.

use super::super::{estimate, summarize};
use super::plan::{Found, UNPRICED, find};
use crate::memory::{Error, store};
use crate::model::ApiError;
use crate::model::memory::{EntryName, SummaryFiring, SummaryOutcome, SummaryRuleDraft};
use crate::runtime::{Ctx, Runtime};

/// Rules that are fired in one go; the others wait for the next.
const SOME: i64 = 20;
const HOUR_MS: i64 = 3_600_000;

/// Fires the rules that are due, one after the other, and notes what came of each. Returns how many were fired.
///
/// # Errors
/// When the database fails; what was fired before stays noted.
pub async fn fire_summary_rules(runtime: &Runtime) -> Result<u32, Error> {
    let mut fired = 0;
    for row in store::due_rules(&runtime.db, runtime.clock.now(), SOME).await? {
        if runtime.tasks.stopping().is_cancelled() {
            break;
        }
        let now = runtime.clock.now();
        let next = now.plus_ms(i64::from(row.spec.every_hours) * HOUR_MS);
        let mut tx = runtime.db.begin().await?;
        let is_ours = store::take_rule(&mut tx, &row, next).await?;
        tx.commit().await?;
        if !is_ours {
            continue;
        }
        let nothing = SummaryFiring {
            at: now,
            outcome: SummaryOutcome::Nothing,
            made: Vec::new(),
            left: 0,
            cost_micros: 0,
            reason: String::new(),
        };
        let firing = match row.made_by.acting(runtime, row.workspace_id, "the rule").await? {
            Ok(ctx) => fire(&ctx, &row.spec, nothing).await,
            Err(reason) => SummaryFiring { outcome: SummaryOutcome::Refused, reason, ..nothing },
        };
        let mut tx = runtime.db.begin().await?;
        store::add_firing(&mut tx, row.id, &firing).await?;
        tx.commit().await?;
        let (outcome, made) = (firing.outcome, firing.made.len());
        tracing::info!(rule = %row.id, ?outcome, made, reason = firing.reason, "a rule for summaries was fired");
        fired += 1;
    }
    Ok(fired)
}

/// Makes the summaries that are due, as far as the budget goes.
async fn fire(ctx: &Ctx, spec: &SummaryRuleDraft, mut firing: SummaryFiring) -> SummaryFiring {
    let found = match find(ctx, spec).await {
        Ok((found, left)) => {
            firing.left = left;
            found
        }
        Err(error) => return refused(firing, error),
    };
    let mut sets = found.into_iter();
    for set in sets.by_ref() {
        if ctx.tasks.stopping().is_cancelled() {
            firing.left += 1;
            "the server stopped; the next firing goes on".clone_into(&mut firing.reason);
            break;
        }
        match make(ctx, spec, &set, &mut firing).await {
            Ok(()) => {}
            // Somebody was faster with these entries, or wrote over them: they are looked at anew.
            Err(Error::Invalid(_) | Error::Conflict { .. } | Error::Gone { .. } | Error::Exists { .. }) => {
                firing.left += 1;
            }
            Err(error) => {
                firing.left += 1;
                firing = refused(firing, error);
                break;
            }
        }
    }
    firing.left += sets.len() as u32;
    firing
}

fn refused(firing: SummaryFiring, error: Error) -> SummaryFiring {
    let reason = ApiError::from(error).detail().to_owned();
    SummaryFiring { outcome: SummaryOutcome::Refused, reason, ..firing }
}

/// Makes one summary, if it fits into the budget.
async fn make(ctx: &Ctx, spec: &SummaryRuleDraft, set: &Found, firing: &mut SummaryFiring) -> Result<(), Error> {
    let draft = set.draft(spec);
    let estimate = estimate(ctx, &draft).await?;
    let cost = match (estimate.refused, estimate.cost_micros) {
        (Some(why), _) => return Err(nobody(why)),
        (None, None) => return Err(nobody(UNPRICED.to_owned())),
        (None, Some(cost)) => cost,
    };
    if firing.cost_micros + cost > spec.budget_micros {
        firing.left += 1;
        firing.outcome = SummaryOutcome::Budget;
        "the budget of a firing does not pay for all".clone_into(&mut firing.reason);
        return Ok(());
    }
    let done = summarize(ctx, &draft, true).await?;
    if done.is_new {
        // What it cost is known once it is done; until then the most that it could.
        firing.cost_micros += done.cost_micros.unwrap_or(cost);
    }
    firing.made.push(EntryName { namespace: set.namespace.clone(), key: set.key.clone() });
    if firing.outcome == SummaryOutcome::Nothing {
        firing.outcome = SummaryOutcome::Done;
    }
    Ok(())
}

fn nobody(why: String) -> Error {
    use crate::model::gateway::{Fault, FaultClass};
    Error::Model(Fault::new(FaultClass::NoProvider, why))
}
