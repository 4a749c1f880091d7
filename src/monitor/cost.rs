//! What a workflow's calls of models took in past runs.

use super::store::cost as store;
use crate::model::auth::Action;
use crate::model::gateway::CostPreview;
use crate::model::{ApiError, WorkflowId};
use crate::runtime::Ctx;

/// What the next run of a workflow is likely to cost, told by its last runs that have ended.
///
/// # Errors
/// [`ApiError::Forbidden`], [`ApiError::NotFound`], or the database's.
pub async fn cost(ctx: &Ctx, workflow: WorkflowId) -> Result<CostPreview, ApiError> {
    ctx.authorize(Action::ReadUsage)?;
    if !store::knows(&ctx.db, ctx.workspace(), workflow).await? {
        return Err(ApiError::not_found("workflow"));
    }
    let runs = store::count_runs(&ctx.db, ctx.workspace(), workflow).await?;
    let lines = store::list_calls(&ctx.db, ctx.workspace(), workflow).await?;
    Ok(CostPreview::of(runs, &lines))
}
