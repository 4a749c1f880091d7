//! The agents that work under a run as one team: who may write to whom, and what they wrote.

use super::Error;
use super::runs::find;
use super::store::{history, lineage};
use crate::agents;
use crate::model::agent::{Team, TeamMessage, TeamView};
use crate::model::auth::Action;
use crate::model::{Page, PageRequest, RunId};
use crate::runtime::Ctx;

/// The team that the agents of a run belong to: all that work under the run that no other is around.
///
/// # Errors
/// [`Error::NotFound`] also for a run of another workspace.
pub async fn get_team(ctx: &Ctx, id: RunId) -> Result<TeamView, Error> {
    ctx.authorize(Action::ReadRun)?;
    let root = root(ctx, id).await?.root;
    let rule = rule(ctx, root).await?;
    agents::bus::find(ctx, root, rule).await.map_err(other)
}

/// What the agents of that team wrote to each other, the newest first.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Invalid`] for a cursor that is not of this list.
pub async fn list_messages(ctx: &Ctx, id: RunId, page: &PageRequest) -> Result<Page<TeamMessage>, Error> {
    ctx.authorize(Action::ReadRun)?;
    let root = root(ctx, id).await?.root;
    agents::bus::list(ctx, root, page).await.map_err(other)
}

/// What a run is inside of.
pub(super) async fn root(ctx: &Ctx, id: RunId) -> Result<lineage::Lineage, Error> {
    lineage::find(&ctx.db, ctx.workspace(), id).await?.ok_or(Error::NotFound("run"))
}

/// Who may write to whom, as the definition of a run says.
pub(super) async fn rule(ctx: &Ctx, root: RunId) -> Result<Team, Error> {
    let (_, hash) = find(ctx, root).await?;
    Ok(history::definition(&ctx.db, ctx.workspace(), &hash).await?.team.unwrap_or_default())
}

fn other(error: agents::Error) -> Error {
    Error::Other(error.into())
}
