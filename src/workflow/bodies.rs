//! Looking into containers: which items and iterations there are, and what became of the steps of one.

use super::runs::find;
use super::{Error, engine, store};
use crate::model::auth::Action;
use crate::model::workflow::state::split_body;
use crate::model::workflow::{Body, BodyDetail, BodySummary, Definition, State};
use crate::model::{Page, PageRequest, RunId};
use crate::runtime::Ctx;

/// The bodies of a container that have begun, by item or iteration. `container` is its path.
///
/// # Errors
/// [`Error::NotFound`] also when no container has that path, [`Error::Invalid`] for a cursor that is not of this list.
pub async fn list_bodies(
    ctx: &Ctx,
    id: RunId,
    container: &str,
    page: &PageRequest,
) -> Result<Page<BodySummary>, Error> {
    ctx.authorize(Action::ReadRun)?;
    let from = page.cursor.as_deref().unwrap_or("0").parse::<u32>();
    let from = from.map_err(|_| Error::invalid("cursor", "expected the `next` of a page"))?;
    let state =
        look_into(ctx, id, |state| state.listing(container, from..from.saturating_add(page.limit() + 1))).await?;
    body_at(state.definition(), container).ok_or(Error::NotFound("container"))?;
    Ok(Page::cut(state.listed().to_vec(), page.limit(), |body| (body.index + 1).to_string()))
}

/// One body of a container, such as `each[3]`, with its steps.
///
/// # Errors
/// [`Error::NotFound`] also when it has not begun.
pub async fn get_body(ctx: &Ctx, id: RunId, path: &str) -> Result<BodyDetail, Error> {
    ctx.authorize(Action::ReadRun)?;
    let (container, index) = split_body(path).ok_or(Error::NotFound("body"))?;
    let state =
        look_into(ctx, id, |state| state.watching(path).listing(container, index..index.saturating_add(1))).await?;
    let definition = body_at(state.definition(), container).ok_or(Error::NotFound("container"))?.clone();
    let summary = state.listed().first().cloned().ok_or(Error::NotFound("body"))?;
    let steps = state.find_body(path).ok_or(Error::NotFound("body"))?.to_vec();
    Ok(BodyDetail { path: path.to_owned(), summary, definition, steps })
}

/// The body of the container at a path: the indexes on the way don't matter.
fn body_at<'a>(definition: &'a Definition, container: &str) -> Option<&'a Body> {
    let mut steps = &definition.steps;
    let mut found = None;
    for part in container.split('.') {
        let id = part.split('[').next().unwrap_or(part);
        let body = steps.iter().find(|step| step.id == id)?.body.as_ref()?;
        steps = &body.steps;
        found = Some(body);
    }
    found
}

/// The state of a run, folded anew with something to look out for.
async fn look_into(ctx: &Ctx, id: RunId, prepare: impl FnOnce(State) -> State) -> Result<State, Error> {
    let (_, hash) = find(ctx, id).await?;
    let definition = store::history::definition(&ctx.db, ctx.workspace(), &hash).await?;
    let mut state = prepare(State::new(id, &definition));
    engine::fold(ctx.runtime(), ctx.workspace(), &mut state).await?;
    Ok(state)
}
