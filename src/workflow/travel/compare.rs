//! Two runs side by side.

use crate::model::RunId;
use crate::model::workflow::diff::{RunDiff, diff};
use crate::runtime::Ctx;
use crate::workflow::{Error, runs};

/// What differs between two runs, and where they first part. Of one workflow or of two.
///
/// # Errors
/// [`Error::NotFound`] also for a run of another workspace.
pub async fn compare(ctx: &Ctx, a: RunId, b: RunId) -> Result<RunDiff, Error> {
    let (a, b) = (runs::get_run(ctx, a).await?, runs::get_run(ctx, b).await?);
    ctx.tasks.blocking(move || diff(&a, &b)).await.map_err(|_| Error::Panicked("the comparison"))
}
