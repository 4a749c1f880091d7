//! Comparisons of two versions of an agent: what is compared. The runs of them are started and read by `workflow`.

use super::error::{Error, Result};
use super::{manage, store};
use crate::model::agent::{Comparison, ComparisonPlan};
use crate::model::auth::Action;
use crate::model::{AgentId, ComparisonId};
use crate::runtime::Ctx;

/// Comparisons of each agent that are kept, the newest.
const KEPT: i64 = 50;
/// Characters of a task in a list.
const LISTED: usize = 300;

/// Keeps what is to be compared.
///
/// # Errors
/// [`Error::NotFound`] for no such agent.
pub async fn keep(ctx: &Ctx, agent: AgentId, plan: ComparisonPlan) -> Result<Comparison> {
    ctx.authorize(Action::StartRun)?;
    manage::get(ctx, agent).await?;
    let comparison = Comparison {
        id: ctx.ids.fresh(),
        agent_id: agent,
        plan,
        made_by: ctx.actor.principal.user_name().map(str::to_owned),
        created_at: ctx.clock.now(),
    };
    let mut tx = ctx.db.begin().await?;
    store::comparison::insert(&mut tx, ctx.workspace(), &comparison, KEPT).await?;
    tx.commit().await?;
    Ok(comparison)
}

/// One of them.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get(ctx: &Ctx, id: ComparisonId) -> Result<Comparison> {
    ctx.authorize(Action::ReadAgent)?;
    store::comparison::find(&ctx.db, ctx.workspace(), id).await?.ok_or(Error::NotFound("comparison"))
}

/// Those of an agent, the newest first; at most 50. Their tasks are cut to 300 characters and say no variables.
///
/// # Errors
/// [`Error::NotFound`] for no such agent.
pub async fn list(ctx: &Ctx, agent: AgentId) -> Result<Vec<Comparison>> {
    ctx.authorize(Action::ReadAgent)?;
    manage::get(ctx, agent).await?;
    let mut list = store::comparison::list(&ctx.db, ctx.workspace(), agent).await?;
    for task in list.iter_mut().flat_map(|one| &mut one.plan.tasks) {
        task.prompt = task.prompt.chars().take(LISTED).collect();
        task.variables.clear();
    }
    Ok(list)
}

/// Takes back one of which nothing could be started.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn withdraw(ctx: &Ctx, id: ComparisonId) -> Result<()> {
    ctx.authorize(Action::StartRun)?;
    remove(ctx, id).await
}

/// Deletes one. Its runs stay until they are forgotten like all others.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn delete(ctx: &Ctx, id: ComparisonId) -> Result<()> {
    ctx.authorize(Action::EditAgent)?;
    remove(ctx, id).await
}

async fn remove(ctx: &Ctx, id: ComparisonId) -> Result<()> {
    let mut tx = ctx.db.begin().await?;
    if !store::comparison::delete(&mut tx, ctx.workspace(), id).await? {
        return Err(Error::NotFound("comparison"));
    }
    tx.commit().await?;
    Ok(())
}
