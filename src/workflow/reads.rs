//! What of the memory a run's steps were given.

use super::{Error, runs};
use crate::memory;
use crate::model::RunId;
use crate::model::auth::Action;
use crate::model::memory::RunRead;
use crate::runtime::Ctx;

/// The entries that a run's steps opened or found, the last first, at most 200; with `step`, a step's path, those of that step alone.
///
/// # Errors
/// [`Error::NotFound`] also for a run of another workspace.
pub async fn list_memory_reads(ctx: &Ctx, id: RunId, step: Option<&str>) -> Result<Vec<RunRead>, Error> {
    ctx.authorize(Action::ReadRun)?;
    runs::find(ctx, id).await?;
    memory::reads_of_run(ctx, id, step).await.map_err(|error| Error::Other(error.into()))
}
