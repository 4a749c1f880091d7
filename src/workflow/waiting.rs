//! Waiting for runs: how one stands, which have ended.

use tokio::sync::broadcast;

use super::engine::Engine;
use super::{Error, store};
use crate::model::RunId;
use crate::model::auth::Action;
use crate::model::workflow::RunStatus;
use crate::runtime::{Ctx, Runtime};

/// Where a run stands.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get_status(ctx: &Ctx, run: RunId) -> Result<RunStatus, Error> {
    ctx.authorize(Action::ReadRun)?;
    let found = store::run::find(&ctx.db, ctx.workspace(), run).await?;
    Ok(found.ok_or(Error::NotFound("run"))?.0.status)
}

/// The ids of runs of every workspace as they end in this process, from now on. A hint: the table has the truth.
pub fn endings(runtime: &Runtime) -> broadcast::Receiver<RunId> {
    Engine::of(runtime).endings()
}
