//! Summaries by rule: where entries without a summary have become many or old, a model is asked by itself, within a budget.
//!
//! Off until somebody switches a rule on. One process looks once a minute which rules are due, fires them one after the other, and notes
//! what came of each. A firing asks in the name of whoever wrote the rule last, with the role that they have then; it makes at most
//! [`MAX_FIRING_SUMMARIES`](crate::model::memory::MAX_FIRING_SUMMARIES) summaries and goes on at its next time. What was summarized in
//! the version that it has now, on demand or by a rule, is not summarized again, also when the summary was deleted.

mod fire;
mod plan;

pub use fire::fire_summary_rules;

use std::time::Duration;

use super::may;
use crate::memory::maker::Maker;
use crate::memory::store::RuleRow;
use crate::memory::{Error, access, store, validate};
use crate::model::auth::Action;
use crate::model::memory::{MAX_SUMMARY_RULES, Reach, SummaryPlan, SummaryRule, SummaryRuleDraft};
use crate::model::{FieldError, SummaryRuleId};
use crate::runtime::{Ctx, Runtime};

/// How often it is looked which rules are due.
const EVERY: Duration = Duration::from_secs(60);
/// Firings that a rule shows.
const SHOWN_FIRINGS: i64 = 10;

/// Wakes whoever fires rules in this process.
#[derive(Debug, Default)]
struct Bell(tokio::sync::Notify);

/// Starts what fires rules; it ends with the process' tasks.
pub fn boot(runtime: &Runtime) {
    let runtime = runtime.clone();
    runtime.tasks.clone().spawn("summary rules", async move {
        let stopping = runtime.tasks.stopping().clone();
        let bell = runtime.shared::<Bell>();
        loop {
            tokio::select! {
                () = stopping.cancelled() => return,
                () = bell.0.notified() => {}
                () = tokio::time::sleep(EVERY) => {}
            }
            if !runtime.keeps_house() {
                continue;
            }
            if let Err(error) = fire_summary_rules(&runtime).await {
                tracing::warn!(%error, "rules for summaries could not be fired; it is tried again in {} s", EVERY.as_secs());
            }
        }
    });
}

/// The rules of the workspace whose namespaces who asks may read, the oldest first, each with what came of it.
///
/// # Errors
/// When the role doesn't allow it, or the database fails.
pub async fn list_summary_rules(ctx: &Ctx) -> Result<Vec<SummaryRule>, Error> {
    let reach = access::reading(ctx).await?;
    let mut rules = Vec::new();
    for row in store::rules(&ctx.db, ctx.workspace()).await? {
        if reach.may_read(&row.spec.namespace) {
            rules.push(present(ctx, &reach, row).await?);
        }
    }
    Ok(rules)
}

/// A rule whose namespace is within the reach.
async fn find_rule(ctx: &Ctx, reach: &Reach, id: SummaryRuleId) -> Result<RuleRow, Error> {
    let row = store::find_rule(&ctx.db, ctx.workspace(), id).await?;
    row.filter(|row| reach.may_read(&row.spec.namespace)).ok_or(Error::NoRule)
}

async fn present(ctx: &Ctx, reach: &Reach, row: RuleRow) -> Result<SummaryRule, Error> {
    let mut firings = store::firings(&ctx.db, row.id, SHOWN_FIRINGS).await?;
    for firing in &mut firings {
        firing.made.retain(|name| reach.may_read(&name.namespace));
    }
    let RuleRow { id, spec, made_by, created_at, next_at, .. } = row;
    Ok(SummaryRule { id, spec, made_by: made_by.name, created_at, next_at, firings })
}

/// Makes a rule, or writes another text of one. It asks in the name of who calls from then on; one that is switched on looks at once.
///
/// # Errors
/// [`Error::NoRule`]; [`Error::Invalid`] for what doesn't fit and where there are 50 already.
pub async fn save_summary_rule(
    ctx: &Ctx,
    id: Option<SummaryRuleId>,
    mut draft: SummaryRuleDraft,
) -> Result<SummaryRule, Error> {
    ctx.authorize(Action::ManageProvider)?;
    may(ctx)?;
    check(&mut draft)?;
    let reach = access::writing(ctx, &draft.namespace).await?;
    let now = ctx.clock.now();
    let old = match id {
        Some(id) => Some(find_rule(ctx, &reach, id).await?),
        None => None,
    };
    let row = RuleRow {
        id: old.as_ref().map_or_else(|| ctx.ids.fresh(), |old| old.id),
        workspace_id: ctx.workspace(),
        spec: draft,
        made_by: Maker::of(ctx),
        created_at: old.as_ref().map_or(now, |old| old.created_at),
        next_at: now,
    };
    let mut tx = ctx.db.begin().await?;
    // Whoever makes rules takes turns, so that there are never more than may be.
    store::next_change(&mut tx, ctx.workspace()).await?;
    if old.is_none() && store::count_rules(&mut tx, ctx.workspace()).await? >= MAX_SUMMARY_RULES as i64 {
        let expected = format!("expected at most {MAX_SUMMARY_RULES} rules in a workspace; change or remove one");
        return Err(Error::Invalid(vec![FieldError::new("/namespace", expected)]));
    }
    store::put_rule(&mut tx, &row).await?;
    tx.commit().await?;
    let enabled = row.spec.enabled;
    tracing::info!(rule = %row.id, enabled, by = %ctx.actor.principal, "a rule for summaries was written");
    ctx.shared::<Bell>().0.notify_one();
    present(ctx, &reach, row).await
}

/// Removes a rule. Its summaries stay.
///
/// # Errors
/// [`Error::NoRule`].
pub async fn delete_summary_rule(ctx: &Ctx, id: SummaryRuleId) -> Result<(), Error> {
    ctx.authorize(Action::ManageProvider)?;
    find_rule(ctx, &access::reading(ctx).await?, id).await?;
    let mut tx = ctx.db.begin().await?;
    if !store::delete_rule(&mut tx, ctx.workspace(), id).await? {
        return Err(Error::NoRule);
    }
    tx.commit().await?;
    tracing::info!(rule = %id, by = %ctx.actor.principal, "a rule for summaries was removed");
    Ok(())
}

/// Has a rule look at once, within a minute; what came of it stands among its firings then.
///
/// # Errors
/// [`Error::NoRule`]; [`Error::Invalid`] when it is switched off.
pub async fn hasten_summary_rule(ctx: &Ctx, id: SummaryRuleId) -> Result<SummaryRule, Error> {
    ctx.authorize(Action::ManageProvider)?;
    let reach = access::reading(ctx).await?;
    find_rule(ctx, &reach, id).await?;
    let mut tx = ctx.db.begin().await?;
    if !store::hasten_rule(&mut tx, ctx.workspace(), id, ctx.clock.now()).await? {
        return Err(Error::Invalid(vec![FieldError::new("/enabled", "expected a rule that is switched on")]));
    }
    tx.commit().await?;
    ctx.shared::<Bell>().0.notify_one();
    let row = find_rule(ctx, &reach, id).await?;
    present(ctx, &reach, row).await
}

/// What a rule would do now, and what that would cost. No model is asked.
///
/// # Errors
/// [`Error::Invalid`] for what doesn't fit.
pub async fn preview_summary_rule(ctx: &Ctx, mut draft: SummaryRuleDraft) -> Result<SummaryPlan, Error> {
    may(ctx)?;
    check(&mut draft)?;
    plan::plan(ctx, &draft).await
}

/// Refuses a rule that can't be one, and trims the others.
fn check(draft: &mut SummaryRuleDraft) -> Result<(), Error> {
    draft.model = draft.model.trim().to_owned();
    let mut wrong: Vec<FieldError> = validate::namespace(&draft.namespace).err().into_iter().collect();
    wrong.extend(draft.check());
    if wrong.is_empty() { Ok(()) } else { Err(Error::Invalid(wrong)) }
}
