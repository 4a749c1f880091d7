//! Giving an agent a task of its own. Temporary: stands here until the step `agent` does, and refuses.

use super::Error;
use crate::agents;
use crate::model::auth::Action;
use crate::model::{AgentId, RunId};
use crate::runtime::Ctx;

/// Gives an agent a task: a run of its own. Not yet there.
///
/// # Errors
/// [`Error::NotFound`] for an agent that is not there, else always that it can't be done.
pub async fn give_task(ctx: &Ctx, id: AgentId, _prompt: String) -> Result<RunId, Error> {
    ctx.authorize(Action::StartRun)?;
    let agent = agents::get(ctx, id).await.map_err(|error| Error::Other(error.into()))?;
    Err(Error::Conflict(format!("{} can't be given a task: agents don't work yet", agent.name)))
}
