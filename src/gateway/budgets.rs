//! Adding, changing and deleting budgets, and how they stand.

use super::error::{Error, Result, unless_taken};
use super::store::{budget, spend};
use super::validate;
use crate::model::BudgetId;
use crate::model::auth::Action;
use crate::model::gateway::{Budget, BudgetDraft, BudgetScope, BudgetState};
use crate::runtime::Ctx;

/// Budgets of one workspace. Each that holds for a call is looked at before it.
const MAX_BUDGETS: i64 = 100;
/// Runs whose calls are older don't stand in the list.
const RUNS_MS: i64 = 24 * 60 * 60 * 1000;

/// Every budget with what is spent of it, oldest first.
///
/// # Errors
/// [`Error::Denied`].
pub async fn list_budgets(ctx: &Ctx) -> Result<Vec<BudgetState>> {
    ctx.authorize(Action::ReadUsage)?;
    let mut states = Vec::new();
    for budget in budget::list(&ctx.db, ctx.workspace()).await? {
        states.push(state(ctx, budget).await?);
    }
    Ok(states)
}

/// One budget with what is spent of it.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get_budget(ctx: &Ctx, id: BudgetId) -> Result<BudgetState> {
    ctx.authorize(Action::ReadUsage)?;
    let budget = budget::find(&ctx.db, ctx.workspace(), id).await?.ok_or(Error::NotFound("budget"))?;
    state(ctx, budget).await
}

/// Adds a budget. What was spent in the period before counts.
///
/// # Errors
/// [`Error::Invalid`]; [`Error::Conflict`] when the name is taken or there are too many.
pub async fn create_budget(ctx: &Ctx, draft: BudgetDraft) -> Result<BudgetState> {
    ctx.authorize(Action::ManageProvider)?;
    check(ctx, &draft).await?;
    let id: BudgetId = ctx.ids.fresh();
    let mut tx = ctx.db.begin().await?;
    if budget::count(&mut tx, ctx.workspace()).await? >= MAX_BUDGETS {
        return Err(Error::Conflict(format!("the workspace has {MAX_BUDGETS} budgets; delete one first")));
    }
    unless_taken(budget::insert(&mut tx, ctx.workspace(), id, &draft, ctx.clock.now()).await, "budget", &draft.name)?;
    tx.commit().await?;
    tracing::info!(budget = %id, by = %ctx.actor.principal, "a budget was added");
    get_budget(ctx, id).await
}

/// Changes a budget that somebody saw at `revision` (`None`: however it is).
///
/// # Errors
/// [`Error::Conflict`] when somebody changed it since, or the name is taken; [`Error::NotFound`]; [`Error::Invalid`].
pub async fn update_budget(
    ctx: &Ctx,
    id: BudgetId,
    revision: impl Into<Option<i64>>,
    draft: BudgetDraft,
) -> Result<BudgetState> {
    ctx.authorize(Action::ManageProvider)?;
    let before = budget::find(&ctx.db, ctx.workspace(), id).await?.ok_or(Error::NotFound("budget"))?;
    let revision = revision.into().unwrap_or(before.revision);
    check(ctx, &draft).await?;
    let mut tx = ctx.db.begin().await?;
    let changed = budget::update(&mut tx, ctx.workspace(), (id, revision), &draft, ctx.clock.now()).await;
    if !unless_taken(changed, "budget", &draft.name)? {
        return Err(Error::changed_meanwhile("budget", before.revision, revision));
    }
    tx.commit().await?;
    tracing::info!(budget = %id, by = %ctx.actor.principal, "a budget was changed");
    get_budget(ctx, id).await
}

/// Deletes a budget: nothing is limited by it any more.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn delete_budget(ctx: &Ctx, id: BudgetId) -> Result<()> {
    ctx.authorize(Action::ManageProvider)?;
    let mut tx = ctx.db.begin().await?;
    if !budget::delete(&mut tx, ctx.workspace(), id).await? {
        return Err(Error::NotFound("budget"));
    }
    tx.commit().await?;
    tracing::info!(budget = %id, by = %ctx.actor.principal, "a budget was deleted");
    Ok(())
}

async fn state(ctx: &Ctx, budget: Budget) -> Result<BudgetState> {
    let now = ctx.clock.now();
    let spenders = match budget.scope {
        BudgetScope::Run => spend::top_runs(&ctx.db, ctx.workspace(), now.plus_ms(-RUNS_MS)).await?,
        scope => spend::top(&ctx.db, ctx.workspace(), scope, budget.of, &budget.period.days(now)).await?,
    };
    Ok(BudgetState { budget, spenders })
}

/// A person or a key of another workspace is as unknown as one that is nowhere.
async fn check(ctx: &Ctx, draft: &BudgetDraft) -> Result<()> {
    validate::budget(draft)?;
    if let Some(of) = draft.of
        && !budget::spender_exists(&ctx.db, ctx.workspace(), draft.scope, of).await?
    {
        return Err(Error::invalid("/of", format!("no such {}", draft.scope.as_str())));
    }
    Ok(())
}
